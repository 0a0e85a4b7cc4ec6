// The text of src/math/det/arithmetic.rs.
#pragma once
#include "common/numbers.cuh"

namespace det {

/// Whether `x` is not a number.
__device__ __forceinline__ bool is_nan(double x) {
    return (bits_of(x) & 0x7fffffffffffffffULL) > 0x7ff0000000000000ULL;
}

/// Whether `x` is neither infinite nor NaN.
__device__ __forceinline__ bool is_finite(double x) {
    return (bits_of(x) & 0x7fffffffffffffffULL) < 0x7ff0000000000000ULL;
}

/// Whether the sign bit of `x` is set.
__device__ __forceinline__ bool is_negative(double x) {
    return (bits_of(x) >> 63) != 0;
}

/// |x|.
__device__ __forceinline__ double absolute(double x) {
    return double_of(bits_of(x) & 0x7fffffffffffffffULL);
}

/// `magnitude` with the sign bit of `sign`.
__device__ __forceinline__ double copy_sign(double magnitude, double sign) {
    return double_of((bits_of(magnitude) & 0x7fffffffffffffffULL) | (bits_of(sign) & 0x8000000000000000ULL));
}

/// 2^k for -1022 <= k <= 1023.
__device__ __forceinline__ double power_of_two(i32 k) {
    return double_of(((u64)(k + 1023)) << 52);
}

/// x 2^k for |k| <= 2044, rounded at most once as long as x 2^(k/2) is normal.
__device__ __forceinline__ double scale(double x, i32 k) {
    const i32 half = k / 2;
    return (x * power_of_two(half)) * power_of_two(k - half);
}

/// The exponent e of a finite |x| = m 2^e with 1 <= m < 2; -1022 for subnormals and zero.
__device__ __forceinline__ i32 exponent_of(double x) {
    const i32 biased = (i32)((bits_of(x) >> 52) & 0x7ffu);
    if (biased == 0) {
        return -1022;
    }
    return biased - 1023;
}

/// The integer nearest to `x`, ties to even, for |x| < 2^51.
__device__ __forceinline__ double nearest(double x) {
    return (x + 6755399441055744.0) - 6755399441055744.0;
}

/// a + b without error, normalised.
__device__ __forceinline__ DoubleDouble two_sum(double a, double b) {
    const double sum = a + b;
    const double b_part = sum - a;
    const double a_part = sum - b_part;
    return DoubleDouble{sum, (a - a_part) + (b - b_part)};
}

/// a + b without error, normalised, for |a| >= |b| or a = 0.
__device__ __forceinline__ DoubleDouble quick_two_sum(double a, double b) {
    const double sum = a + b;
    return DoubleDouble{sum, b - (sum - a)};
}

/// a b without error, normalised.
__device__ __forceinline__ DoubleDouble two_product(double a, double b) {
    const double product = a * b;
    const double a_wide = a * 134217729.0;
    const double a_high = a_wide - (a_wide - a);
    const double a_low = a - a_high;
    const double b_wide = b * 134217729.0;
    const double b_high = b_wide - (b_wide - b);
    const double b_low = b - b_high;
    const double low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return DoubleDouble{product, low};
}

/// a + b, relative error below 2^-103 unless the operands cancel.
__device__ __forceinline__ DoubleDouble add_double(DoubleDouble a, DoubleDouble b) {
    const DoubleDouble high = two_sum(a.high, b.high);
    const DoubleDouble low = two_sum(a.low, b.low);
    const DoubleDouble middle = quick_two_sum(high.high, high.low + low.high);
    return quick_two_sum(middle.high, middle.low + low.low);
}

/// a b, relative error below 2^-102.
__device__ __forceinline__ DoubleDouble multiply_double(DoubleDouble a, DoubleDouble b) {
    const DoubleDouble product = two_product(a.high, b.high);
    return quick_two_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

/// a / b, relative error below 2^-101.
__device__ __forceinline__ DoubleDouble divide_double(DoubleDouble a, DoubleDouble b) {
    const double first = a.high / b.high;
    const DoubleDouble product = two_product(first, b.high);
    const double rest = ((a.high - product.high) - product.low) + (a.low - first * b.low);
    return quick_two_sum(first, rest / b.high);
}

}  // namespace det
