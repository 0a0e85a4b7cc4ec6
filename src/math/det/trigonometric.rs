// Constants are spelled in digits because the text is shared with the `.cuh` file.
#![allow(clippy::approx_constant)]

use super::arithmetic::*;
use super::double::DoubleDouble;

/// Beyond this argument (2^20 radians) sin and cos answer NaN: reduction is exact only below.
pub const LARGEST_ANGLE: f64 = 1048576.0;
/// 2 / pi.
pub const TWO_OVER_PI: f64 = 0.6366197723675814;
/// The first 33 bits of pi / 2; products with whole numbers below 2^20 are exact, as for the next two parts.
pub const HALF_PI_1: f64 = 1.5707963267341256;
/// The next 33 bits of pi / 2.
pub const HALF_PI_2: f64 = 6.077100506303966e-11;
/// The next 33 bits of pi / 2.
pub const HALF_PI_3: f64 = 2.0222662487111665e-21;
/// The rest of pi / 2.
pub const HALF_PI_4: f64 = 8.4784276603689e-32;
/// pi rounded down, and what rounding left over.
pub const PI: f64 = 3.141592653589793;
/// pi - PI.
pub const PI_LOW: f64 = 1.2246467991473532e-16;
/// pi / 2 rounded down.
pub const HALF_PI: f64 = 1.5707963267948966;
/// pi / 2 - HALF_PI.
pub const HALF_PI_LOW: f64 = 6.123233995736766e-17;

/// x minus k pi/2, as a sum of two doubles within pi/4 of zero, for |x| <= 2^20.
#[inline]
pub fn reduce_angle(x: f64, k: f64) -> DoubleDouble {
    let first: f64 = x - k * HALF_PI_1;
    let second: DoubleDouble = two_sum(first, -(k * HALF_PI_2));
    let third: DoubleDouble = two_sum(second.high, -(k * HALF_PI_3));
    quick_two_sum(third.high, (second.low + third.low) - k * HALF_PI_4)
}

/// sin(r) for |r| <= pi/4: Taylor series to r^17.
#[inline]
pub fn sin_reduced(r: DoubleDouble) -> f64 {
    let z: f64 = r.high * r.high;
    let mut series: f64 = 1.0 / 355687428096000.0;
    series = series * z - 1.0 / 1307674368000.0;
    series = series * z + 1.0 / 6227020800.0;
    series = series * z - 1.0 / 39916800.0;
    series = series * z + 1.0 / 362880.0;
    series = series * z - 1.0 / 5040.0;
    series = series * z + 1.0 / 120.0;
    series = series * z - 1.0 / 6.0;
    r.high + ((r.high * z) * series + r.low * (1.0 - 0.5 * z))
}

/// cos(r) for |r| <= pi/4: Taylor series to r^18.
#[inline]
pub fn cos_reduced(r: DoubleDouble) -> f64 {
    let z: f64 = r.high * r.high;
    let mut series: f64 = -1.0 / 6402373705728000.0;
    series = series * z + 1.0 / 20922789888000.0;
    series = series * z - 1.0 / 87178291200.0;
    series = series * z + 1.0 / 479001600.0;
    series = series * z - 1.0 / 3628800.0;
    series = series * z + 1.0 / 40320.0;
    series = series * z - 1.0 / 720.0;
    series = series * z + 1.0 / 24.0;
    let half: f64 = 0.5 * z;
    let near: f64 = 1.0 - half;
    near + (((1.0 - near) - half) + ((z * z) * series - r.high * r.low))
}

/// sin(x), within 0.8 ulp for |x| <= 2^20; NaN beyond.
#[inline]
pub fn sin(x: f64) -> f64 {
    if is_nan(x) || absolute(x) > LARGEST_ANGLE {
        return f64::NAN;
    }
    if absolute(x) < 7.450580596923828e-9 {
        return x;
    }
    let k: f64 = nearest(x * TWO_OVER_PI);
    let quadrant: i32 = (k as i32) & 3;
    let r: DoubleDouble = reduce_angle(x, k);
    if quadrant == 0 {
        return sin_reduced(r);
    }
    if quadrant == 1 {
        return cos_reduced(r);
    }
    if quadrant == 2 {
        return -sin_reduced(r);
    }
    -cos_reduced(r)
}

/// cos(x), within 0.8 ulp for |x| <= 2^20; NaN beyond.
#[inline]
pub fn cos(x: f64) -> f64 {
    if is_nan(x) || absolute(x) > LARGEST_ANGLE {
        return f64::NAN;
    }
    let k: f64 = nearest(x * TWO_OVER_PI);
    let quadrant: i32 = (k as i32) & 3;
    let r: DoubleDouble = reduce_angle(x, k);
    if quadrant == 0 {
        return cos_reduced(r);
    }
    if quadrant == 1 {
        return -sin_reduced(r);
    }
    if quadrant == 2 {
        return -cos_reduced(r);
    }
    sin_reduced(r)
}

/// atan(y / x) for 0 <= y <= x, 1 <= x < 2 and y >= 2^-61, as a sum of two doubles.
///
/// atan(y/x) = atan(c) + atan((y - c x)/(x + c y)) with c the quarter nearest to y/x; y - c x is exact (Sterbenz), the
/// second arctangent is a Taylor series in u, |u| <= 1/7, to u^21.
#[inline]
pub fn atan_octant(y: f64, x: f64) -> DoubleDouble {
    let ratio: f64 = y / x;
    let mut quarter: f64 = 0.0;
    let mut angle: f64 = 0.0;
    let mut angle_low: f64 = 0.0;
    let mut numerator: f64 = y;
    if ratio >= 0.875 {
        quarter = 1.0;
        angle = 0.7853981633974483;
        angle_low = 3.061616997868383e-17;
        numerator = y - x;
    } else if ratio >= 0.625 {
        quarter = 0.75;
        angle = 0.6435011087932844;
        angle_low = 1.5834785051444286e-17;
        numerator = (y - x) + 0.25 * x;
    } else if ratio >= 0.375 {
        quarter = 0.5;
        angle = 0.4636476090008061;
        angle_low = 2.2698777452961687e-17;
        numerator = y - 0.5 * x;
    } else if ratio >= 0.125 {
        quarter = 0.25;
        angle = 0.24497866312686414;
        angle_low = 1.0698755618734451e-17;
        numerator = y - 0.25 * x;
    }
    let product: DoubleDouble = two_product(quarter, y);
    let denominator: DoubleDouble = two_sum(x, product.high);
    let denominator_low: f64 = denominator.low + product.low;
    let u: f64 = numerator / denominator.high;
    let back: DoubleDouble = two_product(u, denominator.high);
    let rest: f64 = ((numerator - back.high) - back.low) - u * denominator_low;
    let u_low: f64 = rest / denominator.high;
    let z: f64 = u * u;
    let mut series: f64 = 1.0 / 21.0;
    series = series * z - 1.0 / 19.0;
    series = series * z + 1.0 / 17.0;
    series = series * z - 1.0 / 15.0;
    series = series * z + 1.0 / 13.0;
    series = series * z - 1.0 / 11.0;
    series = series * z + 1.0 / 9.0;
    series = series * z - 1.0 / 7.0;
    series = series * z + 1.0 / 5.0;
    series = series * z - 1.0 / 3.0;
    let sum: DoubleDouble = two_sum(angle, u);
    quick_two_sum(sum.high, sum.low + (angle_low + (u_low + (u * z) * series)))
}

/// The angle of the point (x, y) in [-pi, pi], within 0.6 ulp; signed zeros and infinities as in IEEE 754 (9.2.1).
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    if is_nan(x) || is_nan(y) {
        return f64::NAN;
    }
    let mut a: f64 = absolute(y);
    let mut b: f64 = absolute(x);
    if a == f64::INFINITY && b == f64::INFINITY {
        a = 1.0;
        b = 1.0;
    }
    if a == 0.0 || b == f64::INFINITY {
        if is_negative(x) {
            return copy_sign(PI, y);
        }
        return copy_sign(0.0, y);
    }
    if b == 0.0 || a == f64::INFINITY {
        return copy_sign(HALF_PI, y);
    }
    let swapped: bool = a > b;
    let mut small: f64 = a;
    let mut large: f64 = b;
    if swapped {
        small = b;
        large = a;
    }
    let tiny: f64 = 4.336808689942018e-19 * large;
    let mut result: DoubleDouble = DoubleDouble { high: 0.0, low: 0.0 };
    if small > tiny && small > 0.0 {
        // Subnormals are first brought into the normal range, where the exponent can be read off.
        if large < 2.2250738585072014e-308 {
            small *= 18014398509481984.0;
            large *= 18014398509481984.0;
        }
        let k: i32 = -exponent_of(large);
        result = atan_octant(scale(small, k), scale(large, k));
    } else if !swapped && !is_negative(x) {
        return copy_sign(small / large, y);
    }
    if swapped {
        let turned: DoubleDouble = two_sum(HALF_PI, -result.high);
        result = quick_two_sum(turned.high, turned.low + (HALF_PI_LOW - result.low));
    }
    if is_negative(x) {
        let turned: DoubleDouble = two_sum(PI, -result.high);
        result = quick_two_sum(turned.high, turned.low + (PI_LOW - result.low));
    }
    copy_sign(result.high, y)
}

/// atan(x), within 0.6 ulp.
#[inline]
pub fn atan(x: f64) -> f64 {
    atan2(x, 1.0)
}
