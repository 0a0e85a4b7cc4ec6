// toys.throw: pseudo-experiments in integers, tallied by their largest significance.
//
// A block runs a toy, then the next: its threads draw eight numbers at a time, let the particles of groups pick their cells, sum the
// cells up in shared memory (4 bytes a cell, one before the first, and one a row), and judge the windows.
#include "common/block.cuh"
#include "common/philox.cuh"
#include "toys/throw.cuh"

extern "C" __global__ void __launch_bounds__(256, 6) toys_throw(
    const uint4* draw, const uint4* row, const u32* member, const u32* guide, const u64* threshold,
    const u32* range, const u32* start, const u32* end, const u32* minimum, const u32* critical,
    u32 draws, u32 rows, u32 cells, u32 windows, u32 levels, u32 key_low, u32 key_high,
    u64 first_toy, u64 number, u64* tally) {
    extern __shared__ u32 prefix[];
    __shared__ u32 warp_sums[32];
    __shared__ u32 warp_best[32];
    u32* total = prefix + cells + 1u;

    for (u64 toy = blockIdx.x; toy < number; toy += gridDim.x) {
        u64 unit = first_toy + toy;
        for (u32 i = threadIdx.x; i < cells + 1u + rows; i += blockDim.x) prefix[i] = 0u;
        __syncthreads();  // what is not drawn is 0, and particles add to 0
        for (u32 set = threadIdx.x; set * 8u < draws; set += blockDim.x) {
            philox::Words words = philox::words(key_low, key_high, unit, set);
            for (u32 at = 0u; at < 8u && set * 8u + at < draws; ++at) {
                u32 d = set * 8u + at;
                uint4 place = draw[2u * d];
                uint4 list = draw[2u * d + 1u];
                // Between rows nothing is drawn.
                if (list.y == 0u) continue;
                u32 word = toys::half_word(words, at);
                u32 entry = guide[place.x + (word >> place.y)];
                u32 passed = toys::thresholds_passed(
                    word, entry, threshold, list.x, list.y, key_low, key_high, unit, toys::REFINEMENT + d);
                u32 target = place.w & toys::GROUP ? cells + 1u + (place.w & ~toys::GROUP) : place.w + 1u;
                prefix[target] = place.z + passed;
            }
        }
        __syncthreads();  // the totals of groups are there
        // A warp to a row, a lane to a particle.
        u32 lanes_of_warp = min(32u, blockDim.x - (threadIdx.x & ~31u));
        for (u32 r = threadIdx.x >> 5; r < rows; r += (blockDim.x + 31u) >> 5) {
            u32 particles = total[r];
            uint4 shares = row[3u * r + 1u];
            u32 first_member = row[3u * r + 2u].x;
            for (u32 j = threadIdx.x & 31u; j < particles; j += lanes_of_warp) {
                u64 set = toys::PARTICLES + ((u64)r << 24) + (j >> 3);
                u32 word = toys::half_word(philox::words(key_low, key_high, unit, set), j & 7u);
                u32 entry = guide[shares.x + (word >> shares.y)];
                u64 refinement = toys::PARTICLE_REFINEMENT + ((u64)r << 27) + j;
                u32 passed = toys::thresholds_passed(
                    word, entry, threshold, shares.z, shares.w, key_low, key_high, unit, refinement);
                atomicAdd(&prefix[member[first_member + passed] + 1u], 1u);
            }
        }
        __syncthreads();  // the counts of a thread are summed by others
        block::running_sums(prefix, cells + 1u, warp_sums);
        u32 level = 0u;
        u32 exceeds = 0u;
        for (u32 window = threadIdx.x; window < windows; window += blockDim.x) {
            u32 count = 0u;
            for (u32 i = range[window]; i < range[window + 1u]; ++i) count += prefix[end[i]] - prefix[start[i]];
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
