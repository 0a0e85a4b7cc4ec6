// The scalar functions of a scanned toy, the text of src/toys/scan/math.rs, and what a block does with them.
#pragma once
#include "common/block.cuh"
#include "common/poisson.cuh"
#include "hunt/scan.cuh"

namespace toys {

/// Words that say where the thresholds of a cell are.
constexpr u32 WORDS_A_CELL = 3u;
/// A candidate that does not exist.
constexpr u32 NOBODY = 0xffffffffu;

/// The count of the cell {first threshold, end, smallest count} that 64 random bits draw.
__device__ __forceinline__ u32 draw(const u32* cell, u64 bits, const u64* threshold) {
    return cell[2] + poisson::count_at_most(threshold + cell[0], cell[1] - cell[0], bits);
}

/// The number of levels that `ln_p` reaches: of the falling `level_ln_p` those that are not below it.
__device__ __forceinline__ u32 reached_level(double ln_p, const double* level_ln_p, u32 levels) {
    u32 below = 0u;
    u32 above = levels;
    while (below < above) {
        u32 middle = below + (above - below) / 2u;
        if (ln_p <= level_ln_p[middle]) {
            below = middle + 1u;
        } else {
            above = middle;
        }
    }
    return below;
}

/// The windows of all channels, and the candidates that they make.
struct Windows {
    const u32* start;
    const u32* end;
    const u32* sideband_start;
    const u32* sideband_end;
    const double* expected;
    const double* expected_outside;
    u32 windows;
    u32 candidates;
    u32 judge;
};

/// What a candidate is asked for.
enum class Asked { MOST_T, LN_P };

/// The sum of -most_t or of the logarithm of the p-value over the windows of a candidate.
template <Asked asked>
__device__ __forceinline__ double sum(const Windows& all, const u32* prefix, u32 candidate) {
    double sum = 0.0;
    for (u32 window = candidate; window < all.windows; window += all.candidates) {
        u32 observed = prefix[all.end[window]] - prefix[all.start[window]];
        u32 outside = prefix[all.sideband_end[window]] - prefix[all.sideband_start[window]] - observed;
        double mean = hunt::expected_content(all.expected[window], outside, all.expected_outside[window], all.judge);
        if (asked == Asked::MOST_T) {
            sum += hunt::most_t(observed, mean, all.judge);
        } else {
            sum += hunt::judged_ln_p(observed, mean, all.judge);
        }
    }
    return sum;
}

/// Gives every thread the smallest `value` of the block and the lowest candidate that has it. `warp_value` and
/// `warp_candidate` have 32 places, which may be used again on return.
__device__ __forceinline__ void best_of_block(double& value, u32& candidate, double* warp_value, u32* warp_candidate) {
    u32 lanes = block::warp_lanes();
    for (u32 distance = 16u; distance > 0u; distance /= 2u) {
        double other = __shfl_down_sync(lanes, value, distance);
        u32 other_candidate = __shfl_down_sync(lanes, candidate, distance);
        // A lane beyond the block's end holds nothing.
        bool exists = threadIdx.x + distance < blockDim.x;
        if (exists && hunt::is_better(other, other_candidate, value, candidate)) {
            value = other;
            candidate = other_candidate;
        }
    }
    if ((threadIdx.x & 31u) == 0u) {
        warp_value[threadIdx.x >> 5] = value;
        warp_candidate[threadIdx.x >> 5] = candidate;
    }
    __syncthreads();  // every warp's best is read
    value = warp_value[0];
    candidate = warp_candidate[0];
    for (u32 warp = 1u; warp * 32u < blockDim.x; ++warp) {
        if (hunt::is_better(warp_value[warp], warp_candidate[warp], value, candidate)) {
            value = warp_value[warp];
            candidate = warp_candidate[warp];
        }
    }
    __syncthreads();  // the places are overwritten by the next call
}

}  // namespace toys
