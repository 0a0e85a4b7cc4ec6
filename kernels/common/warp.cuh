// What the threads of a warp need to know, and what those of a whole warp do together. Apart from block.cuh, whose barriers kernels
// should not include unused.
#pragma once
#include "common/numbers.cuh"

namespace warp {

constexpr u32 LANES = 32u;
constexpr u32 ALL = 0xffffffffu;
/// No place.
constexpr u32 NOBODY = 0xffffffffu;

/// A value and its place.
struct Largest {
    double value;
    u32 place;

    /// Takes another value, whose place is higher, if it is larger.
    __device__ __forceinline__ void look(double other, u32 its_place) {
        if (other > value) {
            value = other;
            place = its_place;
        }
    }
};

/// The larger one; of equals the one of lower place.
__device__ __forceinline__ Largest larger(Largest a, Largest b) {
    const bool second = b.value > a.value || (b.value == a.value && b.place < a.place);
    return second ? b : a;
}

/// The largest of all lanes, for all lanes.
__device__ __forceinline__ Largest largest_of(Largest mine) {
    for (u32 distance = LANES / 2u; distance > 0u; distance /= 2u) {
        // A lane that reaches beyond the last gets its own.
        const Largest other = {__shfl_down_sync(ALL, mine.value, distance), __shfl_down_sync(ALL, mine.place, distance)};
        mine = larger(mine, other);
    }
    return Largest{__shfl_sync(ALL, mine.value, 0), __shfl_sync(ALL, mine.place, 0)};
}

/// The sum of a lane's value and that of the lane half as far as there are, and so on: for all lanes, in one order.
__device__ __forceinline__ double sum_of(double mine) {
    for (u32 half = LANES / 2u; half > 0u; half /= 2u) mine += __shfl_down_sync(ALL, mine, half);
    return __shfl_sync(ALL, mine, 0);
}

}  // namespace warp

namespace block {

/// The lanes of this thread's warp that exist.
__device__ __forceinline__ u32 warp_lanes() {
    u32 lanes = blockDim.x - (threadIdx.x & ~31u);
    return lanes >= 32u ? 0xffffffffu : (1u << lanes) - 1u;
}

}  // namespace block
