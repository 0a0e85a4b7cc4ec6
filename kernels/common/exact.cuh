// Exact sums of weights: the text of src/math/exact.rs, which explains the units.
#pragma once
#include "common/det.cuh"

namespace exact {

using det::bits_of;
using det::exponent_of;
using det::is_finite;
using det::power_of_two;

/// A weight within the declared range.
constexpr u32 WEIGHT_FINE = 0;
/// A weight that is infinite or NaN.
constexpr u32 WEIGHT_NOT_FINITE = 1;
/// A weight above the largest of the declared range.
constexpr u32 WEIGHT_TOO_LARGE = 2;
/// A weight so small that its square would lose more than 2^-30 of itself.
constexpr u32 WEIGHT_TOO_SMALL = 3;
/// The largest term of a sum is 2^TERM_BITS units.
constexpr i32 TERM_BITS = 86;
/// Weights range over 2^RANGE_BITS.
constexpr i32 RANGE_BITS = 28;

/// The magnitude of a term in units, low and high word, and its sign.
struct Units {
    /// Bits 0 to 63 of the magnitude.
    u64 low;
    /// Bits 64 to 127 of the magnitude.
    u64 high;
    /// 1 for a negative term, 0 otherwise.
    u64 negative;
};

/// One of the `WEIGHT_` codes for `weight` where the largest allowed is 2^`exponent`.
__device__ __forceinline__ u32 weight_status(double weight, i32 exponent) {
    const u64 magnitude = bits_of(weight) & 0x7fffffffffffffffULL;
    if (!is_finite(weight)) {
        return WEIGHT_NOT_FINITE;
    }
    if (magnitude == 0) {
        return WEIGHT_FINE;
    }
    if (magnitude > bits_of(power_of_two(exponent))) {
        return WEIGHT_TOO_LARGE;
    }
    if (magnitude < bits_of(power_of_two(exponent - RANGE_BITS))) {
        return WEIGHT_TOO_SMALL;
    }
    return WEIGHT_FINE;
}

/// A finite `term` of magnitude at most 2^(`unit_exponent` + 86) in units of 2^`unit_exponent`, rounded to nearest,
/// ties to even.
__device__ __forceinline__ Units units_of(double term, i32 unit_exponent) {
    const u64 bits = bits_of(term);
    u64 mantissa = bits & 0x000fffffffffffffULL;
    if (((bits >> 52) & 0x7ffu) != 0) {
        mantissa |= 0x0010000000000000ULL;
    }
    const u64 negative = bits >> 63;
    const i32 shift = (exponent_of(term) - 52) - unit_exponent;
    if (shift >= 64) {
        return Units{0, mantissa << ((shift - 64) & 63), negative};
    }
    if (shift > 0) {
        return Units{mantissa << shift, mantissa >> (64 - shift), negative};
    }
    if (shift == 0) {
        return Units{mantissa, 0, negative};
    }
    if (shift < -54) {
        return Units{0, 0, 0};
    }
    const i32 down = -shift;
    const u64 whole = mantissa >> down;
    const u64 rest = mantissa & ((1ULL << down) - 1);
    const u64 half = 1ULL << (down - 1);
    u64 rounded = whole;
    if (rest > half || (rest == half && (whole & 1) != 0)) {
        rounded += 1;
    }
    return Units{rounded, 0, negative};
}

/// Digit `index` (0, 1 or 2) of a term, with its sign: |digit| < 2^32.
__device__ __forceinline__ i64 digit_of(Units units, i32 index) {
    i64 digit = (i64)(units.high & 0xffffffffu);
    if (index == 0) {
        digit = (i64)(units.low & 0xffffffffu);
    }
    if (index == 1) {
        digit = (i64)(units.low >> 32);
    }
    if (units.negative != 0) {
        digit = -digit;
    }
    return digit;
}

/// Adds a term to the four limbs of a sum: one atomic addition for each of its digits that is not zero.
__device__ __forceinline__ void add(u64* limbs, Units units) {
#pragma unroll
    for (i32 index = 0; index < 3; ++index) {
        const i64 digit = digit_of(units, index);
        if (digit != 0) {
            atomicAdd(&limbs[index], (u64)digit);
        }
    }
}

}  // namespace exact
