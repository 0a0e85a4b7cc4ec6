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

/// The number of thresholds `threshold[start ..][.. number]` that are below all bits that begin with `word`, whose guide
/// `entry` is open.
__device__ __forceinline__ u32 passed_surely(u32 word, u32 entry, const u64* threshold, u32 start, u32 number) {
    u32 below = entry >> 16;
    if (below == OPEN) below = entry & 0xffffu;
    u32 steps = 0u;
    while (steps < 8u && below < number && (threshold[start + below] >> 48) < (u64)word) {
        ++below;
        ++steps;
    }
    if (steps == 8u) {
        u32 above = number;
        while (below < above) {
            u32 middle = (below + above) >> 1;
            if ((threshold[start + middle] >> 48) < (u64)word) {
                below = middle + 1u;
            } else {
                above = middle;
            }
        }
    }
    return below;
}

/// Whether threshold `at` begins with `word`, so that only all 64 bits decide.
__device__ __forceinline__ bool is_tied(u32 word, u32 at, const u64* threshold, u32 start, u32 number) {
    return at < number && (threshold[start + at] >> 48) == (u64)word;
}

/// How many of the never falling `threshold[start ..][.. number]` are at most `bits`, of which the first `at` are.
__device__ __forceinline__ u32 passed_of(u64 bits, u32 at, const u64* threshold, u32 start, u32 number) {
    while (at < number && threshold[start + at] <= bits) ++at;
    return at;
}

/// How many thresholds a word passes, with the refinement `draw` of `unit` where it does not decide.
__device__ __forceinline__ u32 thresholds_passed(
    u32 word, u32 entry, const u64* threshold, u32 start, u32 number, u32 key_low, u32 key_high, u64 unit, u64 draw) {
    if (!is_open(word, entry)) return passed(word, entry);
    u32 at = passed_surely(word, entry, threshold, start, number);
    if (!is_tied(word, at, threshold, start, number)) return at;
    u64 bits = refined(word, philox::words(key_low, key_high, unit, draw));
    return passed_of(bits, at, threshold, start, number);
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
