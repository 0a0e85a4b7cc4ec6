// The integer functions of a toy of the tail: the text of src/toys/tail/math.rs.
#pragma once
#include "common/philox.cuh"
#include "common/poisson.cuh"
#include "toys/cells.cuh"

namespace tail {

/// The draw number of the words that choose a window and its total. It and all above belong to the tail; drawing the cells
/// uses those below.
constexpr u64 CHOICE = 1ull << 62;

/// The draw numbers of the events that are added or taken away: two to each set of words.
constexpr u64 MOVES = CHOICE + 1ull;

/// The 64 random bits of event number `event` that is added or taken away.
__device__ __forceinline__ u64 bits_of_move(u32 key_low, u32 key_high, u64 toy, u32 event) {
    const philox::Words words = philox::words(key_low, key_high, toy, MOVES + (u64)(event >> 1));
    return (event & 1u) == 0u ? philox::join(words.a, words.b) : philox::join(words.c, words.d);
}

/// The total of a window {first threshold, end of thresholds, least total, first share} that 64 bits draw.
__device__ __forceinline__ u32 total(u64 bits, uint4 place, const u64* tail) {
    return place.z + poisson::count_at_most(tail + place.x, place.y - place.x, bits);
}

/// A number below `bound`, each with the same probability to 2^-64.
__device__ __forceinline__ u32 below(u64 bits, u32 bound) {
    return (u32)__umul64hi(bits, (u64)bound);
}

/// The place of cell number `cell` of a window of `width` cells in each row of `columns`, from its first cell on.
__device__ __forceinline__ u32 place_of(u32 cell, u32 width, u32 columns) {
    return cell / width * columns + cell % width;
}

/// The place of the cell that holds event number `event` of those in the window, which has more; `counts` begin with its first
/// cell.
__device__ __forceinline__ u32 cell_of(u32 event, const u32* counts, u32 width, u32 columns) {
    u32 place = 0u;
    u32 in_row = 0u;
    while (event >= counts[place]) {
        event -= counts[place];
        ++place;
        ++in_row;
        if (in_row == width) {
            in_row = 0u;
            place += columns - width;
        }
    }
    return place;
}

/// Draws every cell without any condition, four to each set of words.
__device__ __forceinline__ void draw_cells(
    u32 key_low, u32 key_high, u64 toy, const uint4* cell, const u32* guide, const u32* threshold_high,
    const u32* threshold_low, u32 number, u32* counts) {
    for (u32 group = threadIdx.x; group * 4u < number; group += blockDim.x) {
        const philox::Words words = philox::words(key_low, key_high, toy, group);
        const u32 word_of[4] = {words.a, words.b, words.c, words.d};
#pragma unroll
        for (u32 lane = 0u; lane < 4u; ++lane) {
            const u32 c = group * 4u + lane;
            if (c >= number) break;
            const u32 word = word_of[lane];
            const uint4 place = cell[c];
            u32 index = cells::find(word, place, guide, threshold_high);
            if (word == threshold_high[index]) {
                const u32 refinement = philox::words(key_low, key_high, toy, cells::REFINEMENT + c).a;
                index = cells::refine(word, refinement, index, place.z, threshold_high, threshold_low);
            }
            counts[c] = index - place.w;
        }
    }
}

}  // namespace tail
