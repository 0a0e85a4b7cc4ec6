// The integer functions of a cell's draw: the text of src/toys/cells/math.rs.
#pragma once
#include "common/numbers.cuh"

namespace cells {

/// Refinement words have their draw numbers from here on, one for each cell.
constexpr u64 REFINEMENT = 1ull << 32;

/// The first threshold of a cell {guide start, shift, end, bias} whose upper half is at least `word`.
__device__ __forceinline__ u32 find(u32 word, uint4 cell, const u32* guide, const u32* threshold_high) {
    u32 index = guide[cell.x + (word >> cell.y)];
    while (word > threshold_high[index]) ++index;
    return index;
}

/// From a threshold with the same upper half as `word`: the first one above `word` and `refinement` together.
__device__ __forceinline__ u32 refine(
    u32 word, u32 refinement, u32 index, u32 end, const u32* threshold_high,
    const u32* threshold_low) {
    while (index < end && (word > threshold_high[index] ||
                           (word == threshold_high[index] && refinement >= threshold_low[index]))) {
        ++index;
    }
    return index;
}

}  // namespace cells
