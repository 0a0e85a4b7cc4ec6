// features.substructure: observables of each jet from its constituents and their histories, a block a jet.
//
// Shared memory has rapidity, azimuth and share of pT of each constituent, 24 bytes. Whoever adds what is compared with the CPU
// adds in its order: a lane k mod 4 is a thread's, and so is a first constituent i with a lane of its pairs and triples. The
// distances of pairs are in the block's places in device memory, in rows of whole sectors, behind them 8 n sums of lanes. Triples
// i < j < k go over tiles of rows j, which the block copies to shared memory once for all i.
#include "features/substructure.cuh"

namespace substructure {

/// N-subjettiness has up to so many axes.
constexpr u32 AXES = 4u;

using cluster::distance2;
using cluster::Momenta;
using lorentz::FourMomentum;

/// What is found in lanes by different threads.
struct Lanes {
    double pt[4];
    double taus[4u * AXES];
    double pairs[4];
    double triples[4];
};

/// The axes of N-subjettiness for 1 to 4 of them, four places each.
struct Places {
    double y[AXES * AXES];
    double phi[AXES * AXES];
};

/// Distances in a row: whole sectors of four.
__device__ __forceinline__ u32 stride_of(u32 number) {
    return (number + 3u) & ~3u;
}

/// The first constituent after `j` in a lane.
__device__ __forceinline__ u32 first_after(u32 j, u32 lane) {
    return j + 1u + ((lane - (j + 1u)) & 3u);
}

}  // namespace substructure

extern "C" __global__ void __launch_bounds__(256, 3) features_substructure(
    const u32* offsets, const double* px, const double* py, const double* pz, const double* energy, u32 jets,
    u32 largest, u32 has_splittings, const double* kt_distance, u32 has_subjettiness, const u32* axes_first,
    const u32* axes_second, const double* axes_px, const double* axes_py, const double* axes_pz,
    const double* axes_energy, u32 tau_power, double tau_half, u32 is_normalised, double tau_scale,
    double tau_least, u32 has_correlations, u32 pair_power, double pair_half, double pair_least, u32 tile_rows, u32 guard_kind,
    double guard_value, double* places, double* values, u32* multiplicity, u32* defined) {
    using namespace substructure;
    extern __shared__ double memory[];
    __shared__ Lanes lanes;
    __shared__ Places axes;
    double* y = memory;
    double* phi = memory + largest;
    double* share = memory + 2u * largest;
    double* tile = memory + 3u * largest;
    const Momenta particles = {px, py, pz, energy};
    const Momenta made = {axes_px, axes_py, axes_pz, axes_energy};
    const Power of_tau = {tau_power, tau_half};
    const Power of_pair = {pair_power, pair_half};

    for (u32 jet = blockIdx.x; jet < jets; jet += gridDim.x) {
        const u32 start = offsets[jet];
        const u32 number = offsets[jet + 1u] - start;
        if (number > largest) continue;  // the launcher sends no such jet
        double* apart = places + (u64)blockIdx.x * ((u64)largest * (stride_of(largest) + 8u));
        const u32 stride = stride_of(number);
        double* sums = apart + (u64)number * stride;

        for (u32 k = threadIdx.x; k < number; k += blockDim.x) {
            const FourMomentum p = particles.at(start + k);
            const double pt2 = cluster::pt2_of(p);
            y[k] = bounded(cluster::rapidity_of(p, pt2));
            phi[k] = det::quick_atan2(p.py, p.px);
            share[k] = det::sqrt(pt2);
        }
        __syncthreads();  // the transverse momenta of all are there to be added
        for (u32 task = threadIdx.x; task < 4u + AXES; task += blockDim.x) {
            if (task < 4u) {
                double sum = 0.0;
                for (u32 k = task; k < number; k += 4u) sum += share[k];
                lanes.pt[task] = sum;
                continue;
            }
            // The objects that are left when so many steps are undone.
            const u32 wanted = task - 3u;
            if (!has_subjettiness || number <= wanted) continue;
            const u32 done = number - wanted;
            u32 place = (wanted - 1u) * AXES;
            for (u32 take = 0u; take < 2u * wanted; ++take) {
                const u32 row = start + done + (take >> 1);
                const u32 object = (take & 1u) == 0u ? axes_first[row] : axes_second[row];
                // What is made later is not there yet, nor is the beam, whose number is larger still.
                if (object >= number + done) continue;
                const FourMomentum p = object < number ? particles.at(start + object) : made.at(start + (object - number));
                axes.y[place] = bounded(cluster::rapidity_of(p, cluster::pt2_of(p)));
                axes.phi[place] = det::quick_atan2(p.py, p.px);
                place += 1u;
            }
        }
        __syncthreads();  // the sum of transverse momenta and the axes are there to be read
        const double pt = sum_of(lanes.pt);
        if (pt > 0.0) {
            for (u32 k = threadIdx.x; k < number; k += blockDim.x) share[k] /= pt;
        }
        __syncthreads();  // the shares of all are there to be read
        for (u32 task = threadIdx.x; task < 4u * AXES; task += blockDim.x) {
            const u32 wanted = (task >> 2) + 1u;
            double sum = 0.0;
            if (has_subjettiness && number > wanted) {
                const double* axes_y = axes.y + (wanted - 1u) * AXES;
                const double* axes_phi = axes.phi + (wanted - 1u) * AXES;
                for (u32 k = task & 3u; k < number; k += 4u) {
                    double nearest = distance2(axes_y[0], axes_phi[0], y[k], phi[k]);
                    for (u32 axis = 1u; axis < wanted; ++axis) {
                        const double other = distance2(axes_y[axis], axes_phi[axis], y[k], phi[k]);
                        if (other < nearest) nearest = other;
                    }
                    sum += share[k] * of_tau.of(nearest);
                }
            }
            lanes.taus[task] = sum;
        }
        if (has_correlations) {
            for (u32 pair = threadIdx.x; pair < number * number; pair += blockDim.x) {
                const u32 j = pair / number;
                const u32 k = pair - j * number;
                if (k > j) apart[j * stride + k] = of_pair.of(distance2(y[j], phi[j], y[k], phi[k]));
            }
        }
        __syncthreads();  // the distances of all pairs are there to be read
        if (has_correlations) {
            for (u32 task = threadIdx.x; task < 4u * number; task += blockDim.x) {
                const u32 i = task >> 2;
                const u32 lane = task & 3u;
                const double* own = apart + i * stride;
                double pairs = 0.0;
                for (u32 k = first_after(i, lane); k < number; k += 4u) pairs += share[k] * own[k];
                sums[task] = share[i] * pairs;
                sums[4u * number + task] = 0.0;
            }
            for (u32 first = 1u; first < number; first += tile_rows) {
                const u32 end = first + tile_rows < number ? first + tile_rows : number;
                for (u32 at = threadIdx.x; at < (end - first) * stride; at += blockDim.x) {
                    const u32 j = first + at / stride;
                    const u32 k = at % stride;
                    if (k > j && k < number) tile[at] = apart[j * stride + k];
                }
                __syncthreads();  // the tile is there to be read
                for (u32 task = threadIdx.x; task < 4u * number; task += blockDim.x) {
                    const u32 i = task >> 2;
                    const u32 lane = task & 3u;
                    const double* own = apart + i * stride;
                    double triples = sums[4u * number + task];
                    for (u32 j = first; j < end; ++j) {
                        if (j <= i) continue;
                        const double* row = tile + (j - first) * stride;
                        double sum = 0.0;
                        for (u32 k = first_after(j, lane); k < number; k += 4u) sum += (share[k] * own[k]) * row[k];
                        triples += (share[j] * own[j]) * sum;
                    }
                    sums[4u * number + task] = end < number ? triples : share[i] * triples;
                }
                __syncthreads();  // nobody reads the tile any more
            }
        }
        __syncthreads();  // what every first constituent has in each lane is there to be added
        for (u32 task = threadIdx.x; task < 8u; task += blockDim.x) {
            const double* terms = sums + (task < 4u ? 0u : 4u * number) + (task & 3u);
            double sum = 0.0;
            if (has_correlations) {
                for (u32 i = 0u; i < number; ++i) sum += terms[4u * i];
            }
            if (task < 4u) lanes.pairs[task] = sum;
            else lanes.triples[task - 4u] = sum;
        }
        __syncthreads();  // the lanes are there to be added
        if (threadIdx.x != 0u) continue;
        Row row = {values, jets, jet, 0u};
        const bool two = number >= 2u;
        const bool three = number >= 3u;
        if (has_splittings) {
            const double last = two ? kt_distance[start + number - 2u] : 0.0;
            const double before = three ? kt_distance[start + number - 3u] : 0.0;
            row.put(SPLIT12, RADIUS * det::sqrt(last), two, 0.0);
            row.put(SPLIT23, RADIUS * det::sqrt(before), three, 0.0);
        } else {
            row.put(SPLIT12, 0.0, false, 0.0);
            row.put(SPLIT23, 0.0, false, 0.0);
        }
        const Guard guard = {guard_kind, guard_value};
        if (has_subjettiness) {
            const double scale = is_normalised ? tau_scale : pt;
            const bool has_pt = pt > 0.0;
            double before = 0.0;
            bool is_apart = false;
            for (u32 axis = 0u; axis < AXES; ++axis) {
                const bool enough = number > axis;
                const double share = sum_of(lanes.taus + 4u * axis);
                const double tau = row.put(TAU1 + axis, share * scale, has_pt && enough, 0.0);
                if (axis == 1u) row.put_ratio(TAU21, tau, before, enough && is_apart, guard);
                if (axis == 2u) row.put_ratio(TAU32, tau, before, enough && is_apart, guard);
                before = tau;
                is_apart = share > tau_least;
            }
        } else {
            for (u32 observable = TAU1; observable <= TAU32; ++observable) row.put(observable, 0.0, false, 0.0);
        }
        if (has_correlations) {
            const double pairs = sum_of(lanes.pairs);
            const double triples = sum_of(lanes.triples);
            const double pt2 = pt * pt;
            const double pairs2 = pairs * pairs;
            const double pairs3 = pairs2 * pairs;
            const bool is_apart = three && pairs > pair_least;
            const double otherwise = guard_kind == OFFSET || guard_kind == FLOOR ? 0.0 : guard_value;
            row.put(E1, pt, true, 0.0);
            row.put(E2, pt2 * pairs, two, 0.0);
            row.put(E3, (pt2 * pt) * triples, three, 0.0);
            row.put(C2, triples / pairs2, is_apart && pairs2 > 0.0, otherwise);
            row.put(D2, triples / pairs3, is_apart && pairs3 > 0.0, otherwise);
        } else {
            for (u32 observable = E1; observable <= D2; ++observable) row.put(observable, 0.0, false, 0.0);
        }
        multiplicity[jet] = number;
        defined[jet] = row.defined;
    }
}
