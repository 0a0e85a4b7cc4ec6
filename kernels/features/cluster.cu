// features.cluster: the steps of each event, a block an event.
//
// The objects of an event are in shared memory, 44 bytes each, under the names of their particles. A thread has every
// blockDim-th name: it looks for the least distance among these, and only it writes what is known of them. All threads
// learn the least of the block; where the neighbour of that object is gone, they look for another together; else one
// thread merges, and all hear of what came of it. That a distance whose neighbour is gone is looked at again only when
// it seems to be the least changes no answer: it can only grow.
#include "common/warp.cuh"
#include "features/cluster.cuh"

namespace cluster {

constexpr u32 NOBODY = 0xffffffffu;
/// The object under a name that is no longer used.
constexpr u32 NOTHING = 0xffffffffu;
/// `second` of a step in which a jet ends.
constexpr u32 BEAM = 0xffffffffu;

/// The objects of an event, by name.
struct Objects {
    double* y;
    double* phi;
    double* weight;
    double* nearest;
    u32* neighbour;
    u32* whom;
    u32* object;
};

/// A value and who has it.
struct Least {
    double value;
    u32 name;
};

/// The smaller one; of equals the one of lower name.
__device__ __forceinline__ Least smaller(Least a, Least b) {
    const bool second = b.value < a.value || (b.value == a.value && b.name < a.name);
    return second ? b : a;
}

/// The least of all threads, for all threads. Two sets of places for the warps take turns: whoever writes to one has passed the
/// barrier of the other, after which nobody reads the first.
struct Meeting {
    Least* places;
    u32 turn;

    __device__ __forceinline__ Least least(Least mine) {
        Least* of_warps = places + 32u * turn;
        turn ^= 1u;
        const u32 lanes = block::warp_lanes();
        for (u32 distance = 16u; distance > 0u; distance /= 2u) {
            // A lane beyond the block's end answers with this lane's own.
            const Least other = {__shfl_down_sync(lanes, mine.value, distance),
                                 __shfl_down_sync(lanes, mine.name, distance)};
            if (threadIdx.x + distance < blockDim.x) mine = smaller(mine, other);
        }
        if ((threadIdx.x & 31u) == 0u) of_warps[threadIdx.x >> 5] = mine;
        __syncthreads();  // the least of every warp is there to be read
        Least all = of_warps[0];
        for (u32 warp = 1u; warp * 32u < blockDim.x; ++warp) all = smaller(all, of_warps[warp]);
        return all;
    }
};

/// The nearest to `name` within R among the names of this thread.
__device__ __forceinline__ Least nearest_of(const Objects& event, u32 name, u32 first, u32 step, u32 number, double radius2) {
    Least found = {radius2, NOBODY};
    const double y = event.y[name];
    const double phi = event.phi[name];
    for (u32 other = first; other < number; other += step) {
        const double between = distance2(y, phi, event.y[other], event.phi[other]);
        if (other != name && between < found.value) found = Least{between, other};
    }
    return found;
}

/// The columns of the steps.
struct Steps {
    u32* first;
    u32* second;
    double* distance;
    double* px;
    double* py;
    double* pz;
    double* energy;

    __device__ __forceinline__ void put(u32 row, u32 one, u32 other, double between, FourMomentum p) const {
        first[row] = one;
        second[row] = other;
        distance[row] = between;
        px[row] = p.px;
        py[row] = p.py;
        pz[row] = p.pz;
        energy[row] = p.energy;
    }
};

/// The momentum of an object of an event of `number` particles, whose rows begin at `start`.
__device__ __forceinline__ FourMomentum momentum_of(Momenta particles, const Steps& steps, u32 start, u32 number, u32 object) {
    if (object < number) return particles.at(start + object);
    return Momenta{steps.px, steps.py, steps.pz, steps.energy}.at(start + (object - number));
}

/// What is known of a name, by the thread that has it.
__device__ __forceinline__ void know(const Objects& event, u32 name, Least found) {
    event.nearest[name] = found.value;
    event.neighbour[name] = found.name;
    if (found.name != NOBODY) event.whom[name] = event.object[found.name];
}

/// A name hears of a new object at a distance, in place of what `first` and `second` were.
__device__ __forceinline__ void hear(const Objects& event, u32 name, double between, u32 first, u32 second, u32 made) {
    const u32 neighbour = event.neighbour[name];
    // Where the neighbour is gone nobody knows whether another is as near: it stays unknown.
    const bool known = neighbour != NOBODY && neighbour != first && neighbour != second &&
                       event.object[neighbour] == event.whom[name];
    const bool earlier = between == event.nearest[name] && known && first < neighbour;
    if (between < event.nearest[name] || earlier) {
        event.nearest[name] = between;
        event.neighbour[name] = first;
        event.whom[name] = made;
    }
}

}  // namespace cluster

extern "C" __global__ void __launch_bounds__(256, 4) features_cluster(
    const u32* offsets, const double* px, const double* py, const double* pz, const double* energy, u32 events,
    u32 largest, u32 algorithm, double exponent, double radius, u32 recombination, u32* step_first, u32* step_second,
    double* step_distance, double* step_px, double* step_py, double* step_pz, double* step_energy) {
    using namespace cluster;
    extern __shared__ double memory[];
    __shared__ Least of_warps[64];
    u32* names = (u32*)(memory + 4u * largest);
    const Objects event = {memory, memory + largest, memory + 2u * largest, memory + 3u * largest,
                           names,  names + largest,  names + 2u * largest};
    const Momenta particles = {px, py, pz, energy};
    const Steps steps = {step_first, step_second, step_distance, step_px, step_py, step_pz, step_energy};
    const double radius2 = radius * radius;
    Meeting meeting = {of_warps, 0u};

    for (u32 e = blockIdx.x; e < events; e += gridDim.x) {
        const u32 start = offsets[e];
        const u32 number = offsets[e + 1u] - start;
        if (number > largest) continue;  // the launcher sends no such event
        for (u32 name = threadIdx.x; name < number; name += blockDim.x) {
            const FourMomentum p = particles.at(start + name);
            const double pt2 = pt2_of(p);
            event.y[name] = rapidity_of(p, pt2);
            event.phi[name] = det::quick_atan2(p.py, p.px);
            event.weight[name] = weight_of(algorithm, exponent, pt2);
            event.object[name] = name;
        }
        __syncthreads();  // every thread looks at the places of all
        for (u32 name = threadIdx.x; name < number; name += blockDim.x) {
            know(event, name, nearest_of(event, name, 0u, 1u, number, radius2));
        }

        u32 step = 0u;
        while (step < number) {
            Least mine = {det::infinite(), NOBODY};
            for (u32 name = threadIdx.x; name < number; name += blockDim.x) {
                const Least seems = {event.nearest[name] * event.weight[name], name};
                if (event.y[name] < det::infinite()) mine = smaller(mine, seems);
            }
            const Least next = meeting.least(mine);
            const u32 name = next.name;
            const u32 neighbour = event.neighbour[name];
            if (neighbour != NOBODY && event.object[neighbour] != event.whom[name]) {
                const Least found =
                    meeting.least(nearest_of(event, name, threadIdx.x, blockDim.x, number, radius2));
                if (name % blockDim.x == threadIdx.x) know(event, name, found);
                continue;
            }
            const u32 row = start + step;
            const double between = next.value / radius2;
            if (neighbour == NOBODY) {
                if (name % blockDim.x == threadIdx.x) {
                    const u32 object = event.object[name];
                    steps.put(row, object, BEAM, between, momentum_of(particles, steps, start, number, object));
                    event.y[name] = det::infinite();
                    event.object[name] = NOTHING;
                }
                step += 1u;
                continue;
            }
            const u32 first = min(name, neighbour);
            const u32 second = max(name, neighbour);
            const u32 made = number + step;
            if (threadIdx.x == 0u) {
                const u32 one = event.object[first];
                const u32 other = event.object[second];
                const FourMomentum merged = recombine(
                    recombination, momentum_of(particles, steps, start, number, one),
                    momentum_of(particles, steps, start, number, other));
                steps.put(row, min(one, other), max(one, other), between, merged);
                const double pt2 = pt2_of(merged);
                event.y[first] = rapidity_of(merged, pt2);
                event.phi[first] = det::quick_atan2(merged.py, merged.px);
                event.weight[first] = weight_of(algorithm, exponent, pt2);
                event.y[second] = det::infinite();
            }
            __syncthreads();  // the place of what was made is read by all, and the object under its name by none from here on
            if (threadIdx.x == 0u) {
                event.object[first] = made;
                event.object[second] = NOTHING;
            }
            Least nearest = {radius2, NOBODY};
            for (u32 other = threadIdx.x; other < number; other += blockDim.x) {
                const double apart = distance2(event.y[first], event.phi[first], event.y[other], event.phi[other]);
                if (other == first || !(event.y[other] < det::infinite())) continue;
                if (apart < nearest.value) nearest = Least{apart, other};
                hear(event, other, apart, first, second, made);
            }
            const Least found = meeting.least(nearest);
            if (first % blockDim.x == threadIdx.x) know(event, first, found);
            step += 1u;
        }
    }
}
