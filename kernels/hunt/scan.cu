// hunt.scan: the local p-value of every window, and the most significant window of each block.
//
// A block sums the cells in shared memory, 8 (cells + 1) bytes, and its threads take a window each, then the next.
#include "common/block.cuh"
#include "hunt/scan.cuh"

extern "C" __global__ void __launch_bounds__(256) hunt_scan(
    const u32* start, const u32* end, const u32* height, const double* expected,
    const double* expected_outside, const u32* sideband_start, const u32* sideband_end, const u64* counts, u32 windows, u32 cells,
    u32 columns, u32 judge, u64* observed, double* ln_p, double* z, double* best_ln_p, u32* best_window) {
    extern __shared__ u64 prefix[];
    __shared__ u64 warp_sums[32];
    __shared__ double warp_ln_p[32];
    __shared__ u32 warp_window[32];

    for (u32 cell = threadIdx.x; cell <= cells; cell += blockDim.x) prefix[cell] = cell == 0u ? 0 : counts[cell - 1u];
    __syncthreads();  // the counts of a thread are summed by others
    block::running_sums(prefix, cells + 1u, warp_sums);

    double best = 1.0;  // above any logarithm of a p-value
    u32 best_of_thread = 0xffffffffu;
    u32 stride = gridDim.x * blockDim.x;
    for (u32 window = blockIdx.x * blockDim.x + threadIdx.x; window < windows; window += stride) {
        u64 count = block::content(prefix, start[window], end[window], height[window], columns);
        u64 outside = prefix[sideband_end[window]] - prefix[sideband_start[window]] - count;
        double mean = hunt::expected_content(expected[window], outside, expected_outside[window], judge);
        double local = hunt::judged_ln_p(count, mean, judge);
        observed[window] = count;
        ln_p[window] = local;
        z[window] = hunt::local_z(local);
        if (hunt::is_better(local, window, best, best_of_thread)) {
            best = local;
            best_of_thread = window;
        }
    }

    u32 lanes = block::warp_lanes();
    for (u32 distance = 16u; distance > 0u; distance /= 2u) {
        double other = __shfl_down_sync(lanes, best, distance);
        u32 other_window = __shfl_down_sync(lanes, best_of_thread, distance);
        // A lane beyond the block's end holds nothing.
        bool exists = threadIdx.x + distance < blockDim.x;
        if (exists && hunt::is_better(other, other_window, best, best_of_thread)) {
            best = other;
            best_of_thread = other_window;
        }
    }
    if ((threadIdx.x & 31u) == 0u) {
        warp_ln_p[threadIdx.x >> 5] = best;
        warp_window[threadIdx.x >> 5] = best_of_thread;
    }
    __syncthreads();  // every warp's best is read
    if (threadIdx.x == 0u) {
        for (u32 warp = 1u; warp * 32u < blockDim.x; ++warp) {
            if (hunt::is_better(warp_ln_p[warp], warp_window[warp], best, best_of_thread)) {
                best = warp_ln_p[warp];
                best_of_thread = warp_window[warp];
            }
        }
        best_ln_p[blockIdx.x] = best;
        best_window[blockIdx.x] = best_of_thread;
    }
}
