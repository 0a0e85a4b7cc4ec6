// Events counted and weighted, exactly: the words of src/selection/tally.rs.
#pragma once
#include "common/exact.cuh"

namespace tally {

/// The words of a row: the count, three limbs of the sum of weights, three of the sum of squares.
constexpr u32 WORDS = 7;

/// What an event adds to a row besides itself.
struct Terms {
    exact::Units weight;
    exact::Units square;
};

/// The terms of an event whose weight was found fine.
__device__ __forceinline__ Terms terms_of(float weight, i32 exponent) {
    const double w = (double)weight;
    return Terms{exact::units_of(w, exponent - exact::TERM_BITS),
                 exact::units_of(w * w, 2 * exponent - exact::TERM_BITS)};
}

/// Adds an event to a row, in shared or global memory.
__device__ __forceinline__ void add(u64* row, const Terms& terms) {
    atomicAdd(&row[0], 1ULL);
    exact::add(&row[1], terms.weight);
    exact::add(&row[4], terms.square);
}

/// The same for one row only.
__device__ __forceinline__ void add(u64* row, float weight, i32 exponent) {
    add(row, terms_of(weight, exponent));
}

/// Clears rows in shared memory; a barrier must follow.
__device__ __forceinline__ void clear(u64* rows, u32 count) {
    for (u32 word = threadIdx.x; word < count * WORDS; word += blockDim.x) {
        rows[word] = 0;
    }
}

/// Adds a block's rows to those in global memory; a barrier must come before.
__device__ __forceinline__ void flush(const u64* rows, u64* words, u32 count) {
    for (u32 word = threadIdx.x; word < count * WORDS; word += blockDim.x) {
        const u64 sum = rows[word];
        if (sum != 0) {
            atomicAdd(&words[word], sum);
        }
    }
}

/// Notes a fault of a row in the status: [0] holds the complement of the lowest (row, fault), so that 0 means none, and
/// [1] the number of rows with one.
__device__ __forceinline__ void fault(u64* status, u32 row, u32 code) {
    atomicMax(&status[0], ~(((u64)row << 32) | (u64)code));
    atomicAdd(&status[1], 1ULL);
}

}  // namespace tally
