// toys.smeared: pseudo-experiments of an uncertain expectation, tallied by their largest significance.
//
// A block runs a toy, then the next: its threads draw the nuisances of the templates, smear and draw a cell each, sum the
// counts up in shared memory (4 (cells + 1) bytes), and judge the windows.
#include "common/block.cuh"
#include "common/philox.cuh"
#include "toys/smeared.cuh"
#include "toys/throw.cuh"

/// As many templates as there are nuisances for in shared memory.
constexpr u32 MOST_TEMPLATES = 128u;

/// Number `place` of the uniform numbers of a toy, two to each set of words from draw number `first` on. Two threads make the
/// same words: that costs less than the registers of two cells, and neighbours read neighbouring cells.
__device__ __forceinline__ double uniform(u32 key_low, u32 key_high, u64 unit, u64 first, u32 place) {
    philox::Words words = philox::words(key_low, key_high, unit, first + (place >> 1));
    bool even = (place & 1u) == 0u;
    return philox::uniform_f64(even ? words.a : words.c, even ? words.b : words.d);
}

extern "C" __global__ void __launch_bounds__(256) toys_smeared(
    const double* expected, const double* middle, const double* most, const double* own,
    const double* shared, const u32* start, const u32* end, const u32* height, const u32* minimum,
    const u32* critical, u32 cells, u32 columns, u32 templates, u32 windows, u32 levels, u32 log_normal,
    u32 has_own, u32 draw_low, u32 draw_high, u32 smear_low, u32 smear_high, u64 first_toy,
    u64 number, u64* tally) {
    extern __shared__ u32 prefix[];
    __shared__ double nuisance[MOST_TEMPLATES];
    __shared__ u32 warp_sums[32];
    __shared__ u32 warp_best[32];

    for (u64 toy = blockIdx.x; toy < number; toy += gridDim.x) {
        u64 unit = first_toy + toy;
        for (u32 k = threadIdx.x; k < templates; k += blockDim.x) {
            nuisance[k] = toys::normal_quantile(uniform(smear_low, smear_high, unit, toys::SHARED, k));
        }
        if (threadIdx.x == 0u) prefix[0] = 0u;
        __syncthreads();  // every thread smears with all nuisances
        for (u32 c = threadIdx.x; c < cells; c += blockDim.x) {
            double x = middle[c];
            if (has_own != 0u) {
                x = x + own[c] * toys::normal_quantile(uniform(smear_low, smear_high, unit, 0u, c));
            }
            for (u32 k = 0u; k < templates; ++k) x += shared[(u64)k * cells + c] * nuisance[k];
            double mean = toys::smeared(expected[c], x, most[c], log_normal != 0u);
            prefix[c + 1u] = toys::poisson_draw(mean, uniform(draw_low, draw_high, unit, 0u, c));
        }
        __syncthreads();  // the counts of a thread are summed by others
        block::running_sums(prefix, cells + 1u, warp_sums);
        u32 level = 0u;
        u32 exceeds = 0u;
        for (u32 window = threadIdx.x; window < windows; window += blockDim.x) {
            u32 count = block::content(prefix, start[window], end[window], height[window], columns);
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
