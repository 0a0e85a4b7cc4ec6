// What the threads of a block do together. Correct for any number of threads: the last warp may be part of one.
#pragma once
#include "common/warp.cuh"

namespace block {

/// Replaces `values[0 .. length)` in shared memory by their running sums. `warp_sums` has 32 places. The caller's writes must
/// lie before a barrier; the sums may be read on return.
template <class T>
__device__ __forceinline__ void running_sums(T* values, u32 length, T* warp_sums) {
    u32 segment = (length + blockDim.x - 1u) / blockDim.x;
    u32 begin = min(length, threadIdx.x * segment);
    u32 end = min(length, begin + segment);
    T sum = 0;
    for (u32 i = begin; i < end; ++i) {
        sum += values[i];
        values[i] = sum;
    }
    u32 lanes = warp_lanes();
    u32 lane = threadIdx.x & 31u;
    T through = sum;
    for (u32 distance = 1u; distance < 32u; distance *= 2u) {
        T below = __shfl_up_sync(lanes, through, distance);
        if (lane >= distance) through += below;
    }
    if (lane == 31u || threadIdx.x == blockDim.x - 1u) warp_sums[threadIdx.x >> 5] = through;
    __syncthreads();  // the warps before this one have written their sums
    T before = through - sum;
    for (u32 warp = 0u; warp < threadIdx.x >> 5; ++warp) before += warp_sums[warp];
    for (u32 i = begin; i < end; ++i) values[i] += before;
    __syncthreads();  // all sums are there to be read
}

/// The content of a window by the running sums of all cells: `start` to `end` in its lowest row of `columns` cells, and the same
/// cells in each row above.
template <class T>
__device__ __forceinline__ T content(const T* sums, u32 start, u32 end, u32 height, u32 columns) {
    T sum = 0;
    for (u32 row = 0u; row < height; ++row) sum += sums[end + row * columns] - sums[start + row * columns];
    return sum;
}

}  // namespace block
