// The text of src/math/det/exponential.rs.
#pragma once
#include "common/det/arithmetic.cuh"

namespace det {

/// ln 2 = LN2_HIGH + LN2_MIDDLE + LN2_LOW; the first two have 42 bits, so that k times them is exact for |k| < 2^11.
constexpr double LN2_HIGH = 0.6931471805598903;
/// The next 42 bits of ln 2.
constexpr double LN2_MIDDLE = 5.49792301870721e-14;
/// The rest of ln 2.
constexpr double LN2_LOW = 1.1612227229362532e-26;
/// 1 / ln 2.
constexpr double INVERSE_LN2 = 1.4426950408889634;
/// exp overflows above: the largest double below ln(2^1024 (1 - 2^-54)).
constexpr double EXP_LARGEST = 709.782712893384;
/// exp rounds to zero below: ln(2^-1075).
constexpr double EXP_SMALLEST = -745.1332191019412;

/// exp(x + x_low) - 1 = r + tail at k = 0, and in general exp(x + x_low) = 2^k (1 + r + tail), |r| < 0.35.
struct Reduced {
    /// The power of two taken out.
    i32 k;
    /// The reduced argument.
    double r;
    /// exp(r) - 1 - r and what reduction left over.
    double tail;
};

/// Reduces by multiples of ln 2 and sums the Taylor series of exp(r) - 1 - r to r^14 (remainder below 2^-60).
__device__ __forceinline__ Reduced reduce_exp(double x, double x_low) {
    const double k = nearest(x * INVERSE_LN2);
    const double near = x - k * LN2_HIGH;
    const DoubleDouble r = two_sum(near, x_low - k * LN2_MIDDLE);
    const double z = r.high;
    double series = 1.0 / 87178291200.0;
    series = series * z + 1.0 / 6227020800.0;
    series = series * z + 1.0 / 479001600.0;
    series = series * z + 1.0 / 39916800.0;
    series = series * z + 1.0 / 3628800.0;
    series = series * z + 1.0 / 362880.0;
    series = series * z + 1.0 / 40320.0;
    series = series * z + 1.0 / 5040.0;
    series = series * z + 1.0 / 720.0;
    series = series * z + 1.0 / 120.0;
    series = series * z + 1.0 / 24.0;
    series = series * z + 1.0 / 6.0;
    series = series * z + 0.5;
    const double tail = (z * z) * series + (r.low + r.low * z);
    return Reduced{(i32)k, z, tail};
}

/// exp(x + x_low) for |x_low| far below |x| or 2^-50, within 0.6 ulp.
__device__ __forceinline__ double exp_sum(double x, double x_low) {
    if (is_nan(x)) {
        return not_a_number();
    }
    if (x > EXP_LARGEST) {
        return infinite();
    }
    if (x < EXP_SMALLEST) {
        return 0.0;
    }
    const Reduced e = reduce_exp(x, x_low);
    const DoubleDouble one = quick_two_sum(1.0, e.r);
    return scale(one.high + (one.low + e.tail), e.k);
}

/// exp(x), within 0.6 ulp; 0.5 ulp of the smallest double more where the result is subnormal.
__device__ __forceinline__ double exp(double x) {
    return exp_sum(x, 0.0);
}

/// exp(x) as a sum of two doubles for |x| <= 700, relative error below 2^-57.
__device__ __forceinline__ DoubleDouble exp_double(double x) {
    const Reduced e = reduce_exp(x, 0.0);
    const DoubleDouble one = quick_two_sum(1.0, e.r);
    const DoubleDouble sum = quick_two_sum(one.high, one.low + e.tail);
    return DoubleDouble{scale(sum.high, e.k), scale(sum.low, e.k)};
}

/// exp(x) - 1 as a sum of two doubles for |x| <= 700, relative error below 2^-55.
__device__ __forceinline__ DoubleDouble exp_m1_double(double x) {
    const Reduced e = reduce_exp(x, 0.0);
    if (e.k == 0) {
        return quick_two_sum(e.r, e.tail);
    }
    const DoubleDouble one = quick_two_sum(1.0, e.r);
    const DoubleDouble high = two_sum(scale(one.high, e.k), -1.0);
    return quick_two_sum(high.high, high.low + scale(one.low + e.tail, e.k));
}

/// exp(x) - 1, within 0.9 ulp.
__device__ __forceinline__ double exp_m1(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    if (x > EXP_LARGEST) {
        return infinite();
    }
    if (x > 690.0) {
        return exp(x);
    }
    if (x < -40.0) {
        return -1.0;
    }
    if (absolute(x) < 5.551115123125783e-17) {
        return x;
    }
    const DoubleDouble result = exp_m1_double(x);
    return result.high + result.low;
}

/// ln(2^k (x + x_low)) as a sum of two doubles, for normal x > 0 and |x_low| <= ulp(x); relative error below 2^-57.
/// With m = x 2^-e in [sqrt(1/2), sqrt(2)), s = (m - 1)/(m + 1): ln m = 2 s + 2 s^3/3 + 2 s^5/5 + ..., to s^23.
__device__ __forceinline__ DoubleDouble ln_double(double x, double x_low, i32 k) {
    i32 e = exponent_of(x);
    double m = double_of((bits_of(x) & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        e += 1;
    }
    const double m_low = scale(x_low, -e);
    const double f = m - 1.0;
    const DoubleDouble t = two_sum(1.0, m);
    const double s = f / t.high;
    const DoubleDouble product = two_product(s, t.high);
    const double rest = ((f - product.high) - product.low) + (m_low - s * (t.low + m_low));
    const double s_low = rest / t.high;
    const double z = s * s;
    double series = 2.0 / 23.0;
    series = series * z + 2.0 / 21.0;
    series = series * z + 2.0 / 19.0;
    series = series * z + 2.0 / 17.0;
    series = series * z + 2.0 / 15.0;
    series = series * z + 2.0 / 13.0;
    series = series * z + 2.0 / 11.0;
    series = series * z + 2.0 / 9.0;
    series = series * z + 2.0 / 7.0;
    series = series * z + 2.0 / 5.0;
    series = series * z + 2.0 / 3.0;
    const double cubic = (s * z) * series + 2.0 * (z * s_low);
    const double turns = (double)(e + k);
    const DoubleDouble high = two_sum(turns * LN2_HIGH, 2.0 * s);
    const double low = turns * LN2_MIDDLE + (cubic + 2.0 * s_low);
    return quick_two_sum(high.high, high.low + low);
}

/// ln(x), within 0.6 ulp; -infinity at 0, NaN below.
__device__ __forceinline__ double ln(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    if (x == 0.0) {
        return -infinite();
    }
    if (x < 0.0) {
        return not_a_number();
    }
    if (x == infinite()) {
        return infinite();
    }
    if (x < 2.2250738585072014e-308) {
        return ln_double(x * 18014398509481984.0, 0.0, -54).high;
    }
    return ln_double(x, 0.0, 0).high;
}

/// ln(1 + x), within 0.6 ulp; -infinity at -1, NaN below.
__device__ __forceinline__ double ln_1p(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    if (x == -1.0) {
        return -infinite();
    }
    if (x < -1.0) {
        return not_a_number();
    }
    if (x == infinite()) {
        return infinite();
    }
    if (absolute(x) < 5.551115123125783e-17) {
        return x;
    }
    const DoubleDouble sum = two_sum(1.0, x);
    return ln_double(sum.high, sum.low, 0).high;
}

/// x^y for x >= 0 as exp(y ln x), within 0.7 + |y ln x| / 16 ulp; NaN for x < 0 (use `powi`).
__device__ __forceinline__ double pow(double x, double y) {
    if (y == 0.0) {
        return 1.0;
    }
    if (is_nan(x) || is_nan(y) || x < 0.0) {
        return not_a_number();
    }
    if (x == 1.0) {
        return 1.0;
    }
    if (x == 0.0 || x == infinite()) {
        if ((x == 0.0) == (y > 0.0)) {
            return 0.0;
        }
        return infinite();
    }
    DoubleDouble logarithm = ln_double(x * 18014398509481984.0, 0.0, -54);
    if (x >= 2.2250738585072014e-308) {
        logarithm = ln_double(x, 0.0, 0);
    }
    const double estimate = y * logarithm.high;
    if (estimate > 710.0) {
        return infinite();
    }
    if (estimate < -746.0 || absolute(y) < 1e-290) {
        return exp(estimate);
    }
    const DoubleDouble power = two_product(y, logarithm.high);
    return exp_sum(power.high, power.low + y * logarithm.low);
}

/// x^n by repeated squaring; at most |n| ulp. x^0 = 1 for every x; x^-n = 1 / x^n.
__device__ __forceinline__ double powi(double x, i32 n) {
    i64 left = (i64)n;
    if (left < 0) {
        left = -left;
    }
    double square = x;
    double result = 1.0;
    while (left > 0) {
        if ((left & 1) != 0) {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    if (n < 0) {
        result = 1.0 / result;
    }
    if (is_nan(result)) {
        return not_a_number();
    }
    return result;
}

/// exp(a) / 2 for 22 < a < 711, without overflow on the way.
__device__ __forceinline__ double half_exp(double a) {
    const Reduced e = reduce_exp(a, 0.0);
    const DoubleDouble one = quick_two_sum(1.0, e.r);
    return scale(one.high + (one.low + e.tail), e.k - 1);
}

/// sinh(x) for |x| < 1: Taylor series to x^19.
__device__ __forceinline__ double sinh_near_zero(double x) {
    const double z = x * x;
    double series = 1.0 / 121645100408832000.0;
    series = series * z + 1.0 / 355687428096000.0;
    series = series * z + 1.0 / 1307674368000.0;
    series = series * z + 1.0 / 6227020800.0;
    series = series * z + 1.0 / 39916800.0;
    series = series * z + 1.0 / 362880.0;
    series = series * z + 1.0 / 5040.0;
    series = series * z + 1.0 / 120.0;
    series = series * z + 1.0 / 6.0;
    return x + x * (z * series);
}

/// (e - 1/e) / 2 for e = exp(a), 1 <= a <= 22.
__device__ __forceinline__ double sinh_of_exp(DoubleDouble e) {
    const DoubleDouble inverse = divide_double(DoubleDouble{1.0, 0.0}, e);
    const DoubleDouble difference = two_sum(e.high, -inverse.high);
    return 0.5 * (difference.high + (difference.low + (e.low - inverse.low)));
}

/// sinh(x), within 0.7 ulp.
__device__ __forceinline__ double sinh(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    const double a = absolute(x);
    if (a < 1.0) {
        return sinh_near_zero(x);
    }
    if (a > 710.4758600739439) {
        return copy_sign(infinite(), x);
    }
    if (a > 22.0) {
        return copy_sign(half_exp(a), x);
    }
    return copy_sign(sinh_of_exp(exp_double(a)), x);
}

/// cosh(x), within 0.6 ulp.
__device__ __forceinline__ double cosh(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    const double a = absolute(x);
    if (a > 710.4758600739439) {
        return infinite();
    }
    if (a > 22.0) {
        return half_exp(a);
    }
    const DoubleDouble e = exp_double(a);
    const DoubleDouble inverse = divide_double(DoubleDouble{1.0, 0.0}, e);
    const DoubleDouble sum = two_sum(e.high, inverse.high);
    return 0.5 * (sum.high + (sum.low + (e.low + inverse.low)));
}

/// tanh(x), within 0.8 ulp.
__device__ __forceinline__ double tanh(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    const double a = absolute(x);
    if (a > 22.0) {
        return copy_sign(1.0, x);
    }
    if (a < 7.450580596923828e-9) {
        return x;
    }
    const DoubleDouble numerator = exp_m1_double(2.0 * a);
    const DoubleDouble denominator = add_double(numerator, DoubleDouble{2.0, 0.0});
    const DoubleDouble ratio = divide_double(numerator, denominator);
    return copy_sign(ratio.high, x);
}

/// asinh(x) = ln(x + sqrt(x^2 + 1)), within 0.7 ulp.
__device__ __forceinline__ double asinh(double x) {
    if (is_nan(x)) {
        return not_a_number();
    }
    const double a = absolute(x);
    if (a == infinite()) {
        return x;
    }
    if (a < 0.125) {
        const double z = x * x;
        double series = -0.009761609529194078;
        series = series * z + 0.011551800896139705;
        series = series * z - 0.01396484375;
        series = series * z + 0.017352764423076924;
        series = series * z - 0.022372159090909092;
        series = series * z + 0.030381944444444444;
        series = series * z - 0.044642857142857144;
        series = series * z + 0.075;
        series = series * z - 0.16666666666666666;
        return x + x * (z * series);
    }
    if (a > 268435456.0) {
        return copy_sign(ln_double(a, 0.0, 1).high, x);
    }
    const DoubleDouble square = two_product(a, a);
    const DoubleDouble sum = two_sum(square.high, 1.0);
    const double root = sqrt(sum.high);
    const DoubleDouble root_square = two_product(root, root);
    const double rest = ((sum.high - root_square.high) - root_square.low) + (sum.low + square.low);
    const DoubleDouble high = two_sum(root, a);
    const DoubleDouble argument = quick_two_sum(high.high, high.low + rest / (2.0 * root));
    return copy_sign(ln_double(argument.high, argument.low, 0).high, x);
}

/// sqrt(x^2 + y^2) without overflow on the way, within 1.2 ulp; infinite if either is.
__device__ __forceinline__ double hypot(double x, double y) {
    const double a = absolute(x);
    const double b = absolute(y);
    if (a == infinite() || b == infinite()) {
        return infinite();
    }
    if (is_nan(a) || is_nan(b)) {
        return not_a_number();
    }
    double largest = a;
    if (b > a) {
        largest = b;
    }
    i32 k = 0;
    if (largest > 1e150) {
        k = 600;
    }
    if (largest < 1e-140) {
        k = -600;
    }
    const double u = scale(a, -k);
    const double v = scale(b, -k);
    return scale(sqrt(u * u + v * v), k);
}

}  // namespace det
