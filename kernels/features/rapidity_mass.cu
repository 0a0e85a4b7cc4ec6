// features.rapidity_mass: the rapidity-mass matrix of each event, a warp an event.
//
// Lanes share the objects of the event, each of which looks for its rank in pT; then the objects that have a place,
// which are kept in shared memory, 76 bytes each; then the entries. The 32 entries of a warp's step are one word of
// presence.
#include "common/warp.cuh"
#include "features/rapidity_mass.cuh"

namespace rapidity_mass {

/// The columns of a type: offsets and then these.
constexpr u32 COLUMNS = 5u;

/// A quantity of the objects of a type.
__device__ __forceinline__ const float* quantity(const u64* columns, u32 type, u32 which) {
    return (const float*)__ldg(columns + COLUMNS * type + which);
}

/// An object of a type.
__device__ __forceinline__ Object object_at(const u64* columns, u32 type, u32 row) {
    return object_of(__ldg(quantity(columns, type, 1u) + row), __ldg(quantity(columns, type, 2u) + row),
                     __ldg(quantity(columns, type, 3u) + row), __ldg(quantity(columns, type, 4u) + row));
}

/// The objects of a warp's event that have a place, as columns in shared memory.
struct Places {
    double* numbers;
    /// The row of each in its columns, or `warp::NOBODY`.
    u32* rows;
    u32 slots;

    __device__ __forceinline__ double& at(u32 number, u32 place) const { return numbers[number * slots + place]; }

    __device__ __forceinline__ void store(u32 place, const Object& object) const {
        at(0u, place) = object.pt;
        at(1u, place) = object.mass2;
        at(2u, place) = object.transverse_mass;
        at(3u, place) = object.transverse_energy;
        at(4u, place) = object.excess2;
        at(5u, place) = object.root;
        at(6u, place) = object.inverse;
        at(7u, place) = object.sin;
        at(8u, place) = object.cos;
    }

    /// Of which only what is used is loaded.
    __device__ __forceinline__ Object load(u32 place) const {
        return Object{at(0u, place), at(1u, place), at(2u, place), at(3u, place), at(4u, place),
                      at(5u, place), at(6u, place), at(7u, place), at(8u, place)};
    }

    /// Whether there is one in a row of the matrix; the missing energy, in row 0, always is.
    __device__ __forceinline__ bool has(u32 row) const { return row == 0u || rows[row - 1u] != warp::NOBODY; }
};

/// Gives the leading objects of a type their places. Whether this lane's are all what the CPU lets pass.
__device__ __forceinline__ bool place_leading(const u64* columns, u32 type, u32 total, u32 event, u32 first, u32 most,
                                              u32 lane, const Places& places) {
    const u32* offsets = (const u32*)__ldg(columns + COLUMNS * type);
    const u32 start = __ldg(offsets + event);
    const u32 end = __ldg(offsets + event + 1u);
    if (start > end || end > total) return false;
    const float* pt = quantity(columns, type, 1u);
    const float* eta = quantity(columns, type, 2u);
    const float* phi = quantity(columns, type, 3u);
    const float* mass = quantity(columns, type, 4u);
    bool good = true;
    for (u32 i = start + lane; i < end; i += warp::LANES) {
        const float mine = __ldg(pt + i);
        good = good && is_good(mine, __ldg(eta + i), __ldg(phi + i), __ldg(mass + i));
        u32 rank = 0u;
        for (u32 j = start; j < end && rank < most; ++j) {
            const float other = __ldg(pt + j);
            rank += other > mine || (other == mine && j < i) ? 1u : 0u;
        }
        // What is not a number has no rank.
        if (mine > 0.0f && rank < most) places.rows[first + rank] = i;
    }
    return good;
}

/// The value of an entry whose objects are there.
__device__ __forceinline__ double value_of(const Places& places, Missing missing, double scale, u32 kind, u32 row,
                                           u32 column) {
    if (kind == MISSING) return missing.energy * scale;
    if (kind == WITH_MISSING) return transverse_mass_of(missing, places.load(column - 1u)) * scale;
    if (kind == RAPIDITY) return rapidity_of(places.load(row - 1u));
    if (kind == LEADING) return places.at(3u, row - 1u) * scale;
    if (kind == IMBALANCE) return imbalance_of(places.at(3u, row - 2u), places.at(3u, row - 1u));
    if (kind == MASS) return mass_of(places.load(row - 1u), places.load(column - 1u)) * scale;
    return difference_of(places.load(row - 1u), places.load(column - 1u));
}

}  // namespace rapidity_mass

extern "C" __global__ void __launch_bounds__(256, 4) features_rapidity_mass(
    const u64* columns, const u32* totals, const u32* first, const u32* most, const u32* types_of_places,
    const u32* entries, const float* missing_gev, const float* missing_phi, u32 events, u32 types, u32 slots, u32 width,
    double scale, float* values, u32* present, u32* out_outside, u32* out_verdict) {
    using namespace rapidity_mass;
    extern __shared__ double memory[];
    const u32 warps = blockDim.x / warp::LANES;
    const u32 which = threadIdx.x / warp::LANES;
    const u32 lane = threadIdx.x % warp::LANES;
    if (which >= warps) return;  // part of a warp
    u32* rows = (u32*)(memory + 9u * slots * warps);
    const Places places = {memory + 9u * slots * which, rows + slots * which, slots};
    const u32 words = (width + warp::LANES - 1u) / warp::LANES;

    for (u32 event = blockIdx.x * warps + which; event < events; event += gridDim.x * warps) {
        float* values_of_event = values + (u64)event * width;
        u32* present_of_event = present + (u64)event * words;
        for (u32 place = lane; place < slots; place += warp::LANES) places.rows[place] = warp::NOBODY;
        __syncwarp();  // no place is cleared once it is given
        const float energy = missing_gev[event];
        const float phi = missing_phi[event];
        bool good = is_from(energy, 0.0f, LARGEST_GEV) && is_from(phi, -LARGEST_PHI, LARGEST_PHI);
        for (u32 type = 0u; type < types; ++type) {
            good &= place_leading(columns, type, totals[type], event, first[type], most[type], lane, places);
        }
        __syncwarp();  // all places are given
        const bool refused = __ballot_sync(warp::ALL, !good) != 0u;
        if (!refused) {
            for (u32 place = lane; place < slots; place += warp::LANES) {
                const u32 row = places.rows[place];
                if (row == warp::NOBODY) continue;
                places.store(place, object_at(columns, types_of_places[place], row));
            }
        }
        __syncwarp();  // all objects are there
        const Missing missing = missing_of(energy, phi);
        u32 outside = 0u;
        for (u32 word = 0u; word < words; ++word) {
            const u32 at = word * warp::LANES + lane;
            const u32 entry = at < width ? entries[at] : 0u;
            const u32 row = entry >> 10 & 1023u;
            const u32 column = entry & 1023u;
            const bool is_there = at < width && !refused && places.has(row) && places.has(column);
            float value = 0.0f;
            if (is_there) value = (float)value_of(places, missing, scale, entry >> 20, row, column);
            if (at < width) values_of_event[at] = value;
            const u32 bits = __ballot_sync(warp::ALL, is_there);
            outside += __popc(__ballot_sync(warp::ALL, !(value >= 0.0f && value < 1.0f)));
            if (lane == 0u) present_of_event[word] = bits;
        }
        if (lane == 0u) {
            out_outside[event] = outside;
            out_verdict[event] = refused ? REFUSED : MADE;
        }
        __syncwarp();  // nobody looks at this event any more
    }
}
