// The integer functions of a toy: the text of src/toys/throw/math.rs.
#pragma once
#include "common/numbers.cuh"

namespace toys {

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

/// The highest level whose minimum count `count` reaches in this window, if it is above `level`; otherwise `level`.
__device__ __forceinline__ u32 raise_level(
    u32 level, u32 count, u32 window, u32 windows, u32 levels, const u32* minimum) {
    if (level >= levels || count < minimum[(u64)level * windows + window]) return level;
    u32 reached = level + 1u;
    u32 above = levels + 1u;
    while (above - reached > 1u) {
        u32 middle = (reached + above) >> 1;
        if (count >= minimum[(u64)(middle - 1u) * windows + window]) {
            reached = middle;
        } else {
            above = middle;
        }
    }
    return reached;
}

}  // namespace toys
