// What the threads of a warp need to know. Apart from block.cuh, whose barriers kernels should not include unused.
#pragma once
#include "common/numbers.cuh"

namespace block {

/// The lanes of this thread's warp that exist.
__device__ __forceinline__ u32 warp_lanes() {
    u32 lanes = blockDim.x - (threadIdx.x & ~31u);
    return lanes >= 32u ? 0xffffffffu : (1u << lanes) - 1u;
}

}  // namespace block
