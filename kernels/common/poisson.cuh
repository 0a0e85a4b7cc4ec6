// Poisson draws from 64-bit thresholds: src/math/poisson builds and explains the tables.
#pragma once
#include "common/numbers.cuh"

namespace poisson {

/// How many of the `count` never falling `thresholds` are <= `u`: at most 32 steps of a binary search.
__device__ __forceinline__ u32 count_at_most(const u64* thresholds, u32 count, u64 u) {
    u32 below = 0;
    u32 above = count;
    while (below < above) {
        const u32 middle = below + (above - below) / 2;
        if (thresholds[middle] <= u) {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    return below;
}

/// The answer of `draw_high` where the lower 32 bits decide.
constexpr u32 OPEN = 0xffffffffu;

/// What the upper 32 bits of a draw decide: `first` plus the number of thresholds at most (high, anything), or OPEN.
__device__ __forceinline__ u32 draw_high(const u64* thresholds, u32 count, u32 first, u32 high) {
    const u32 least = count_at_most(thresholds, count, (u64)high << 32);
    const bool open = least < count && (u32)(thresholds[least] >> 32) == high;
    return open ? OPEN : first + least;
}

}  // namespace poisson
