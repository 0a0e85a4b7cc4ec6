// toys.throw: pseudo-experiments in integers, tallied by their largest significance.
//
// A block runs a toy, then the next: its threads draw four cells at a time, sum them up in shared memory (4 (cells + 1)
// bytes), and judge the windows.
#include "common/block.cuh"
#include "common/philox.cuh"
#include "toys/throw.cuh"

extern "C" __global__ void __launch_bounds__(256) toys_throw(
    const uint4* cell, const u32* guide, const u32* threshold_high, const u32* threshold_low,
    const u32* start, const u32* end, const u32* minimum, const u32* critical, u32 cells,
    u32 windows, u32 levels, u32 key_low, u32 key_high, u64 first_toy, u64 number, u64* tally) {
    extern __shared__ u32 prefix[];
    __shared__ u32 warp_sums[32];
    __shared__ u32 warp_best[32];

    for (u64 toy = blockIdx.x; toy < number; toy += gridDim.x) {
        // Draw: four cells a thread and set of words.
        u64 unit = first_toy + toy;
        if (threadIdx.x == 0u) prefix[0] = 0u;
        for (u32 group = threadIdx.x; group * 4u < cells; group += blockDim.x) {
            philox::Words words = philox::words(key_low, key_high, unit, group);
            u32 word_of[4] = {words.a, words.b, words.c, words.d};
#pragma unroll
            for (u32 lane = 0u; lane < 4u; ++lane) {
                u32 c = group * 4u + lane;
                if (c >= cells) break;
                u32 word = word_of[lane];
                uint4 place = cell[c];
                u32 index = toys::find(word, place, guide, threshold_high);
                if (word == threshold_high[index]) {
                    u32 refinement = philox::words(key_low, key_high, unit, toys::REFINEMENT + c).a;
                    index = toys::refine(word, refinement, index, place.z, threshold_high, threshold_low);
                }
                prefix[c + 1u] = index - place.w;
            }
        }
        __syncthreads();  // the counts of a thread are summed by others
        block::running_sums(prefix, cells + 1u, warp_sums);
        u32 level = 0u;
        u32 exceeds = 0u;
        for (u32 window = threadIdx.x; window < windows; window += blockDim.x) {
            u32 count = prefix[end[window]] - prefix[start[window]];
            if (count >= critical[window]) exceeds = 1u;
            level = toys::raise_level(level, count, window, windows, levels, minimum);
        }
        u32 lanes = block::warp_lanes();
        level = __reduce_max_sync(lanes, level);
        exceeds = __reduce_max_sync(lanes, exceeds);
        if ((threadIdx.x & 31u) == 0u) warp_best[threadIdx.x >> 5] = level << 1 | exceeds;
        __syncthreads();  // every warp's best is read, and the sums are overwritten by the next toy's counts
        if (threadIdx.x == 0u) {
            for (u32 warp = 1u; warp * 32u < blockDim.x; ++warp) {
                level = max(level, warp_best[warp] >> 1);
                exceeds |= warp_best[warp] & 1u;
            }
            if (exceeds != 0u) atomicAdd(&tally[0], 1ull);
            atomicAdd(&tally[1u + level], 1ull);
        }
    }
}
