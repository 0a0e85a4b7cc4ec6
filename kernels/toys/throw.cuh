// The integer functions of a toy: the text of src/toys/throw/math.rs, which explains the words of draws and rows.
#pragma once
#include "common/numbers.cuh"
#include "common/philox.cuh"

namespace toys {

constexpr u32 GROUP = 1u << 31;
constexpr u32 OPEN = 0xffffu;
constexpr u64 REFINEMENT = 1ull << 61;
constexpr u64 PARTICLES = 1ull << 62;
constexpr u64 PARTICLE_REFINEMENT = 3ull << 61;

/// Number `at` of the eight words of 16 bits in four words of 32, lower halves first.
__device__ __forceinline__ u32 half_word(philox::Words words, u32 at) {
    u32 low = at & 2u ? words.b : words.a;
    u32 high = at & 2u ? words.d : words.c;
    return ((at & 4u ? high : low) >> (16u * (at & 1u))) & 0xffffu;
}

/// The 64 random bits of a word of 16 and its refinement.
__device__ __forceinline__ u64 refined(u32 word, philox::Words refinement) {
    return ((u64)word << 48) | ((u64)refinement.a << 16) | ((u64)refinement.b >> 16);
}

/// Whether the guide `entry` of `word` leaves open what is drawn: the word ties with a threshold, or there are several.
__device__ __forceinline__ bool is_open(u32 word, u32 entry) {
    return (entry & 0xffffu) == word || (entry >> 16) == OPEN;
}

/// The number of thresholds that `word` passes by its guide `entry`, which must decide it.
__device__ __forceinline__ u32 passed(u32 word, u32 entry) {
    return (entry >> 16) + (word > (entry & 0xffffu) ? 1u : 0u);
}

/// How many of the never falling `threshold[start ..][.. number]` are at most `bits`.
__device__ __forceinline__ u32 passed_of(u64 bits, const u64* threshold, u32 start, u32 number) {
    u32 below = 0u;
    u32 above = number;
    while (below < above) {
        u32 middle = (below + above) >> 1;
        if (threshold[start + middle] <= bits) {
            below = middle + 1u;
        } else {
            above = middle;
        }
    }
    return below;
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
