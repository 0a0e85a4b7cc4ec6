// The text of src/math/det/quick.rs.
#pragma once
#include "common/det/exponential.cuh"
#include "common/det/trigonometric.cuh"

namespace det {

/// ln(a / b) of positive normal numbers, within 2 ulp; of others it has no meaning. One division.
__device__ __forceinline__ double quick_ln_ratio(double a, double b) {
    double over = double_of((bits_of(a) & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
    double under = double_of((bits_of(b) & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
    double e = (double)((i32)(bits_of(a) >> 52) - (i32)(bits_of(b) >> 52));
    if (over > 1.4142135623730951 * under) {
        under *= 2.0;
        e += 1.0;
    }
    if (under > 1.4142135623730951 * over) {
        over *= 2.0;
        e -= 1.0;
    }
    const double s = (over - under) / (over + under);
    const double z = s * s;
    const double w = z * z;
    // In pairs, so that fewer operations wait for each other.
    const double low =
        (0.6666666666666734 + 0.3999999999941449 * z) + (0.28571428742422034 + 0.2222219857019954 * z) * w;
    const double high = (0.18183564460722831 + 0.15314047508110076 * z) + 0.14795977001845437 * w;
    const double series = (s * z) * (low + high * (w * w));
    return e * LN2_HIGH + (2.0 * s + (series + e * LN2_MIDDLE));
}

/// exp(x) for x <= 0, within 2 ulp; exp(-708) for what is below, NaN for NaN, no meaning above. No branches.
__device__ __forceinline__ double quick_exp(double x) {
    double near = x;
    if (x < -708.0) {
        near = -708.0;
    }
    // A sum with 1.5 x 2^52 is a whole number, which stands in its low bits.
    const double turned = near * INVERSE_LN2 + 6755399441055744.0;
    const double k = turned - 6755399441055744.0;
    const double r = (near - k * LN2_HIGH) - k * LN2_MIDDLE;
    const double z = r * r;
    double series = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0);
    series = series * z + (1.0 / 3628800.0 + r * (1.0 / 39916800.0));
    series = series * z + (1.0 / 40320.0 + r * (1.0 / 362880.0));
    series = series * z + (1.0 / 720.0 + r * (1.0 / 5040.0));
    series = series * z + (1.0 / 24.0 + r * (1.0 / 120.0));
    series = series * z + (0.5 + r * (1.0 / 6.0));
    return double_of((bits_of(turned) + 1023ULL) << 52) * (1.0 + (r + z * series));
}

/// ln(1 + x) for x in [0, 1], within 2 ulp; NaN for NaN, no meaning for others. One division, no branches.
__device__ __forceinline__ double quick_ln_1p(double x) {
    double numerator = x;
    double denominator = x + 2.0;
    double whole = 0.0;
    double whole_low = 0.0;
    if (x > 0.41421356237309503) {
        numerator = x - 1.0;
        denominator = x + 3.0;
        whole = LN2_HIGH;
        whole_low = LN2_MIDDLE;
    }
    const double s = numerator / denominator;
    const double z = s * s;
    const double w = z * z;
    const double low =
        (0.6666666666666734 + 0.3999999999941449 * z) + (0.28571428742422034 + 0.2222219857019954 * z) * w;
    const double high = (0.18183564460722831 + 0.15314047508110076 * z) + 0.14795977001845437 * w;
    const double series = (s * z) * (low + high * (w * w));
    return whole + (2.0 * s + (series + whole_low));
}

/// The angle of the point (x, y) in [-pi, pi], within 2 ulp, for finite numbers below 1e300; of others it has no meaning. Signed
/// zeros as in `atan2`. One division.
__device__ __forceinline__ double quick_atan2(double y, double x) {
    const double a = absolute(y);
    const double b = absolute(x);
    const bool swapped = a > b;
    double small = a;
    double large = b;
    if (swapped) {
        small = b;
        large = a;
    }
    if (large == 0.0) {
        large = 1.0;
    }
    const bool turned = small > 0.41421356237309503 * large;
    double numerator = small;
    double denominator = large;
    double angle = 0.0;
    double angle_low = 0.0;
    if (turned) {
        numerator = small - large;
        denominator = small + large;
        angle = 0.7853981633974483;
        angle_low = 3.061616997868383e-17;
    }
    const double t = numerator / denominator;
    const double z = t * t;
    const double w = z * z;
    const double v = w * w;
    const double first =
        (-0.333333333333332 + 0.19999999999954085 * z) + (-0.1428571428024863 + 0.11111110786140871 * z) * w;
    const double second =
        (-0.09090897836499895 + 0.0769206163781185 * z) + (-0.06663120391819856 + 0.05848008981736363 * z) * w;
    const double third = (-0.05039845853551215 + 0.038078330850189926 * z) + -0.017922291281712976 * w;
    const double series = (first + second * v) + third * (v * v);
    double result = angle + (t + (angle_low + (t * z) * series));
    if (swapped) {
        result = HALF_PI - (result - HALF_PI_LOW);
    }
    if (is_negative(x)) {
        result = PI - (result - PI_LOW);
    }
    return copy_sign(result, y);
}

}  // namespace det
