// The text of src/math/det/trigonometric.rs.
#pragma once
#include "common/det/arithmetic.cuh"

namespace det {

/// Beyond this argument (2^20 radians) sin and cos answer NaN: reduction is exact only below.
constexpr double LARGEST_ANGLE = 1048576.0;
/// 2 / pi.
constexpr double TWO_OVER_PI = 0.6366197723675814;
/// The first 33 bits of pi / 2; products with whole numbers below 2^20 are exact, as for the next two parts.
constexpr double HALF_PI_1 = 1.5707963267341256;
/// The next 33 bits of pi / 2.
constexpr double HALF_PI_2 = 6.077100506303966e-11;
/// The next 33 bits of pi / 2.
constexpr double HALF_PI_3 = 2.0222662487111665e-21;
/// The rest of pi / 2.
constexpr double HALF_PI_4 = 8.4784276603689e-32;
/// pi rounded down, and what rounding left over.
constexpr double PI = 3.141592653589793;
/// pi - PI.
constexpr double PI_LOW = 1.2246467991473532e-16;
/// pi / 2 rounded down.
constexpr double HALF_PI = 1.5707963267948966;
/// pi / 2 - HALF_PI.
constexpr double HALF_PI_LOW = 6.123233995736766e-17;

/// x minus k pi/2, as a sum of two doubles within pi/4 of zero, for |x| <= 2^20.
__device__ __forceinline__ DoubleDouble reduce_angle(double x, double k) {
    const double first = x - k * HALF_PI_1;
    const DoubleDouble second = two_sum(first, -(k * HALF_PI_2));
    const DoubleDouble third = two_sum(second.high, -(k * HALF_PI_3));
    return quick_two_sum(third.high, (second.low + third.low) - k * HALF_PI_4);
}

/// sin(r) for |r| <= pi/4: Taylor series to r^17.
__device__ __forceinline__ double sin_reduced(DoubleDouble r) {
    const double z = r.high * r.high;
    double series = 1.0 / 355687428096000.0;
    series = series * z - 1.0 / 1307674368000.0;
    series = series * z + 1.0 / 6227020800.0;
    series = series * z - 1.0 / 39916800.0;
    series = series * z + 1.0 / 362880.0;
    series = series * z - 1.0 / 5040.0;
    series = series * z + 1.0 / 120.0;
    series = series * z - 1.0 / 6.0;
    return r.high + ((r.high * z) * series + r.low * (1.0 - 0.5 * z));
}

/// cos(r) for |r| <= pi/4: Taylor series to r^18.
__device__ __forceinline__ double cos_reduced(DoubleDouble r) {
    const double z = r.high * r.high;
    double series = -1.0 / 6402373705728000.0;
    series = series * z + 1.0 / 20922789888000.0;
    series = series * z - 1.0 / 87178291200.0;
    series = series * z + 1.0 / 479001600.0;
    series = series * z - 1.0 / 3628800.0;
    series = series * z + 1.0 / 40320.0;
    series = series * z - 1.0 / 720.0;
    series = series * z + 1.0 / 24.0;
    const double half = 0.5 * z;
    const double near = 1.0 - half;
    return near + (((1.0 - near) - half) + ((z * z) * series - r.high * r.low));
}

/// sin(x), within 0.8 ulp for |x| <= 2^20; NaN beyond.
__device__ __forceinline__ double sin(double x) {
    if (is_nan(x) || absolute(x) > LARGEST_ANGLE) {
        return not_a_number();
    }
    if (absolute(x) < 7.450580596923828e-9) {
        return x;
    }
    const double k = nearest(x * TWO_OVER_PI);
    const i32 quadrant = ((i32)k) & 3;
    const DoubleDouble r = reduce_angle(x, k);
    if (quadrant == 0) {
        return sin_reduced(r);
    }
    if (quadrant == 1) {
        return cos_reduced(r);
    }
    if (quadrant == 2) {
        return -sin_reduced(r);
    }
    return -cos_reduced(r);
}

/// cos(x), within 0.8 ulp for |x| <= 2^20; NaN beyond.
__device__ __forceinline__ double cos(double x) {
    if (is_nan(x) || absolute(x) > LARGEST_ANGLE) {
        return not_a_number();
    }
    const double k = nearest(x * TWO_OVER_PI);
    const i32 quadrant = ((i32)k) & 3;
    const DoubleDouble r = reduce_angle(x, k);
    if (quadrant == 0) {
        return cos_reduced(r);
    }
    if (quadrant == 1) {
        return -sin_reduced(r);
    }
    if (quadrant == 2) {
        return -cos_reduced(r);
    }
    return sin_reduced(r);
}

/// atan(y / x) for 0 <= y <= x, 1 <= x < 2 and y >= 2^-61, as a sum of two doubles.
///
/// atan(y/x) = atan(c) + atan((y - c x)/(x + c y)) with c the quarter nearest to y/x; y - c x is exact (Sterbenz), the
/// second arctangent is a Taylor series in u, |u| <= 1/7, to u^21.
__device__ __forceinline__ DoubleDouble atan_octant(double y, double x) {
    const double ratio = y / x;
    double quarter = 0.0;
    double angle = 0.0;
    double angle_low = 0.0;
    double numerator = y;
    if (ratio >= 0.875) {
        quarter = 1.0;
        angle = 0.7853981633974483;
        angle_low = 3.061616997868383e-17;
        numerator = y - x;
    } else if (ratio >= 0.625) {
        quarter = 0.75;
        angle = 0.6435011087932844;
        angle_low = 1.5834785051444286e-17;
        numerator = (y - x) + 0.25 * x;
    } else if (ratio >= 0.375) {
        quarter = 0.5;
        angle = 0.4636476090008061;
        angle_low = 2.2698777452961687e-17;
        numerator = y - 0.5 * x;
    } else if (ratio >= 0.125) {
        quarter = 0.25;
        angle = 0.24497866312686414;
        angle_low = 1.0698755618734451e-17;
        numerator = y - 0.25 * x;
    }
    const DoubleDouble product = two_product(quarter, y);
    const DoubleDouble denominator = two_sum(x, product.high);
    const double denominator_low = denominator.low + product.low;
    const double u = numerator / denominator.high;
    const DoubleDouble back = two_product(u, denominator.high);
    const double rest = ((numerator - back.high) - back.low) - u * denominator_low;
    const double u_low = rest / denominator.high;
    const double z = u * u;
    double series = 1.0 / 21.0;
    series = series * z - 1.0 / 19.0;
    series = series * z + 1.0 / 17.0;
    series = series * z - 1.0 / 15.0;
    series = series * z + 1.0 / 13.0;
    series = series * z - 1.0 / 11.0;
    series = series * z + 1.0 / 9.0;
    series = series * z - 1.0 / 7.0;
    series = series * z + 1.0 / 5.0;
    series = series * z - 1.0 / 3.0;
    const DoubleDouble sum = two_sum(angle, u);
    return quick_two_sum(sum.high, sum.low + (angle_low + (u_low + (u * z) * series)));
}

/// The angle of the point (x, y) in [-pi, pi], within 0.6 ulp; signed zeros and infinities as in IEEE 754 (9.2.1).
__device__ __forceinline__ double atan2(double y, double x) {
    if (is_nan(x) || is_nan(y)) {
        return not_a_number();
    }
    double a = absolute(y);
    double b = absolute(x);
    if (a == infinite() && b == infinite()) {
        a = 1.0;
        b = 1.0;
    }
    if (a == 0.0 || b == infinite()) {
        if (is_negative(x)) {
            return copy_sign(PI, y);
        }
        return copy_sign(0.0, y);
    }
    if (b == 0.0 || a == infinite()) {
        return copy_sign(HALF_PI, y);
    }
    const bool swapped = a > b;
    double small = a;
    double large = b;
    if (swapped) {
        small = b;
        large = a;
    }
    const double tiny = 4.336808689942018e-19 * large;
    DoubleDouble result = DoubleDouble{0.0, 0.0};
    if (small > tiny && small > 0.0) {
        // Subnormals are first brought into the normal range, where the exponent can be read off.
        if (large < 2.2250738585072014e-308) {
            small *= 18014398509481984.0;
            large *= 18014398509481984.0;
        }
        const i32 k = -exponent_of(large);
        result = atan_octant(scale(small, k), scale(large, k));
    } else if (!swapped && !is_negative(x)) {
        return copy_sign(small / large, y);
    }
    if (swapped) {
        const DoubleDouble turned = two_sum(HALF_PI, -result.high);
        result = quick_two_sum(turned.high, turned.low + (HALF_PI_LOW - result.low));
    }
    if (is_negative(x)) {
        const DoubleDouble turned = two_sum(PI, -result.high);
        result = quick_two_sum(turned.high, turned.low + (PI_LOW - result.low));
    }
    return copy_sign(result.high, y);
}

/// atan(x), within 0.6 ulp.
__device__ __forceinline__ double atan(double x) {
    return atan2(x, 1.0);
}

}  // namespace det
