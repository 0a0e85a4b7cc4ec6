// Constants are spelled in digits because the text is shared with the `.cuh` file.
#![allow(clippy::approx_constant)]

use super::arithmetic::*;
use super::double::{DoubleDouble, bits_of, double_of, sqrt};

/// ln 2 = LN2_HIGH + LN2_MIDDLE + LN2_LOW; the first two have 42 bits, so that k times them is exact for |k| < 2^11.
pub const LN2_HIGH: f64 = 0.6931471805598903;
/// The next 42 bits of ln 2.
pub const LN2_MIDDLE: f64 = 5.49792301870721e-14;
/// The rest of ln 2.
pub const LN2_LOW: f64 = 1.1612227229362532e-26;
/// 1 / ln 2.
pub const INVERSE_LN2: f64 = 1.4426950408889634;
/// exp overflows above: the largest double below ln(2^1024 (1 - 2^-54)).
pub const EXP_LARGEST: f64 = 709.782712893384;
/// exp rounds to zero below: ln(2^-1075).
pub const EXP_SMALLEST: f64 = -745.1332191019412;

/// exp(x + x_low) - 1 = r + tail at k = 0, and in general exp(x + x_low) = 2^k (1 + r + tail), |r| < 0.35.
#[derive(Debug, Clone, Copy)]
pub struct Reduced {
    /// The power of two taken out.
    pub k: i32,
    /// The reduced argument.
    pub r: f64,
    /// exp(r) - 1 - r and what reduction left over.
    pub tail: f64,
}

/// Reduces by multiples of ln 2 and sums the Taylor series of exp(r) - 1 - r to r^14 (remainder below 2^-60).
#[inline]
pub fn reduce_exp(x: f64, x_low: f64) -> Reduced {
    let k: f64 = nearest(x * INVERSE_LN2);
    let near: f64 = x - k * LN2_HIGH;
    let r: DoubleDouble = two_sum(near, x_low - k * LN2_MIDDLE);
    let z: f64 = r.high;
    let mut series: f64 = 1.0 / 87178291200.0;
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
    let tail: f64 = (z * z) * series + (r.low + r.low * z);
    Reduced { k: k as i32, r: z, tail }
}

/// exp(x + x_low) for |x_low| far below |x| or 2^-50, within 0.6 ulp.
#[inline]
pub fn exp_sum(x: f64, x_low: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    if x > EXP_LARGEST {
        return f64::INFINITY;
    }
    if x < EXP_SMALLEST {
        return 0.0;
    }
    let e: Reduced = reduce_exp(x, x_low);
    let one: DoubleDouble = quick_two_sum(1.0, e.r);
    scale(one.high + (one.low + e.tail), e.k)
}

/// exp(x), within 0.6 ulp; 0.5 ulp of the smallest double more where the result is subnormal.
#[inline]
pub fn exp(x: f64) -> f64 {
    exp_sum(x, 0.0)
}

/// exp(x) as a sum of two doubles for |x| <= 700, relative error below 2^-57.
#[inline]
pub fn exp_double(x: f64) -> DoubleDouble {
    let e: Reduced = reduce_exp(x, 0.0);
    let one: DoubleDouble = quick_two_sum(1.0, e.r);
    let sum: DoubleDouble = quick_two_sum(one.high, one.low + e.tail);
    DoubleDouble { high: scale(sum.high, e.k), low: scale(sum.low, e.k) }
}

/// exp(x) - 1 as a sum of two doubles for |x| <= 700, relative error below 2^-55.
#[inline]
pub fn exp_m1_double(x: f64) -> DoubleDouble {
    let e: Reduced = reduce_exp(x, 0.0);
    if e.k == 0 {
        return quick_two_sum(e.r, e.tail);
    }
    let one: DoubleDouble = quick_two_sum(1.0, e.r);
    let high: DoubleDouble = two_sum(scale(one.high, e.k), -1.0);
    quick_two_sum(high.high, high.low + scale(one.low + e.tail, e.k))
}

/// exp(x) - 1, within 0.9 ulp.
#[inline]
pub fn exp_m1(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    if x > EXP_LARGEST {
        return f64::INFINITY;
    }
    if x > 690.0 {
        return exp(x);
    }
    if x < -40.0 {
        return -1.0;
    }
    if absolute(x) < 5.551115123125783e-17 {
        return x;
    }
    let result: DoubleDouble = exp_m1_double(x);
    result.high + result.low
}

/// ln(2^k (x + x_low)) as a sum of two doubles, for normal x > 0 and |x_low| <= ulp(x); relative error below 2^-57.
/// With m = x 2^-e in [sqrt(1/2), sqrt(2)), s = (m - 1)/(m + 1): ln m = 2 s + 2 s^3/3 + 2 s^5/5 + ..., to s^23.
#[inline]
pub fn ln_double(x: f64, x_low: f64, k: i32) -> DoubleDouble {
    let mut e: i32 = exponent_of(x);
    let mut m: f64 = double_of((bits_of(x) & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if m > 1.4142135623730951 {
        m *= 0.5;
        e += 1;
    }
    let m_low: f64 = scale(x_low, -e);
    let f: f64 = m - 1.0;
    let t: DoubleDouble = two_sum(1.0, m);
    let s: f64 = f / t.high;
    let product: DoubleDouble = two_product(s, t.high);
    let rest: f64 = ((f - product.high) - product.low) + (m_low - s * (t.low + m_low));
    let s_low: f64 = rest / t.high;
    let z: f64 = s * s;
    let mut series: f64 = 2.0 / 23.0;
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
    let cubic: f64 = (s * z) * series + 2.0 * (z * s_low);
    let turns: f64 = (e + k) as f64;
    let high: DoubleDouble = two_sum(turns * LN2_HIGH, 2.0 * s);
    let low: f64 = turns * LN2_MIDDLE + (cubic + 2.0 * s_low);
    quick_two_sum(high.high, high.low + low)
}

/// ln(x), within 0.6 ulp; -infinity at 0, NaN below.
#[inline]
pub fn ln(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    if x == 0.0 {
        return -f64::INFINITY;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x == f64::INFINITY {
        return f64::INFINITY;
    }
    if x < 2.2250738585072014e-308 {
        return ln_double(x * 18014398509481984.0, 0.0, -54).high;
    }
    ln_double(x, 0.0, 0).high
}

/// ln(1 + x), within 0.6 ulp; -infinity at -1, NaN below.
#[inline]
pub fn ln_1p(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    if x == -1.0 {
        return -f64::INFINITY;
    }
    if x < -1.0 {
        return f64::NAN;
    }
    if x == f64::INFINITY {
        return f64::INFINITY;
    }
    if absolute(x) < 5.551115123125783e-17 {
        return x;
    }
    let sum: DoubleDouble = two_sum(1.0, x);
    ln_double(sum.high, sum.low, 0).high
}

/// x^y for x >= 0 as exp(y ln x), within 0.7 + |y ln x| / 16 ulp; NaN for x < 0 (use [`powi`]).
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0 {
        return 1.0;
    }
    if is_nan(x) || is_nan(y) || x < 0.0 {
        return f64::NAN;
    }
    if x == 1.0 {
        return 1.0;
    }
    if x == 0.0 || x == f64::INFINITY {
        if (x == 0.0) == (y > 0.0) {
            return 0.0;
        }
        return f64::INFINITY;
    }
    let mut logarithm: DoubleDouble = ln_double(x * 18014398509481984.0, 0.0, -54);
    if x >= 2.2250738585072014e-308 {
        logarithm = ln_double(x, 0.0, 0);
    }
    let estimate: f64 = y * logarithm.high;
    if estimate > 710.0 {
        return f64::INFINITY;
    }
    if estimate < -746.0 || absolute(y) < 1e-290 {
        return exp(estimate);
    }
    let power: DoubleDouble = two_product(y, logarithm.high);
    exp_sum(power.high, power.low + y * logarithm.low)
}

/// x^n by repeated squaring; at most |n| ulp. x^0 = 1 for every x; x^-n = 1 / x^n.
#[inline]
pub fn powi(x: f64, n: i32) -> f64 {
    let mut left: i64 = n as i64;
    if left < 0 {
        left = -left;
    }
    let mut square: f64 = x;
    let mut result: f64 = 1.0;
    while left > 0 {
        if (left & 1) != 0 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    if n < 0 {
        result = 1.0 / result;
    }
    if is_nan(result) {
        return f64::NAN;
    }
    result
}

/// exp(a) / 2 for 22 < a < 711, without overflow on the way.
#[inline]
pub fn half_exp(a: f64) -> f64 {
    let e: Reduced = reduce_exp(a, 0.0);
    let one: DoubleDouble = quick_two_sum(1.0, e.r);
    scale(one.high + (one.low + e.tail), e.k - 1)
}

/// sinh(x) for |x| < 1: Taylor series to x^19.
#[inline]
pub fn sinh_near_zero(x: f64) -> f64 {
    let z: f64 = x * x;
    let mut series: f64 = 1.0 / 121645100408832000.0;
    series = series * z + 1.0 / 355687428096000.0;
    series = series * z + 1.0 / 1307674368000.0;
    series = series * z + 1.0 / 6227020800.0;
    series = series * z + 1.0 / 39916800.0;
    series = series * z + 1.0 / 362880.0;
    series = series * z + 1.0 / 5040.0;
    series = series * z + 1.0 / 120.0;
    series = series * z + 1.0 / 6.0;
    x + x * (z * series)
}

/// (e - 1/e) / 2 for e = exp(a), 1 <= a <= 22.
#[inline]
pub fn sinh_of_exp(e: DoubleDouble) -> f64 {
    let inverse: DoubleDouble = divide_double(DoubleDouble { high: 1.0, low: 0.0 }, e);
    let difference: DoubleDouble = two_sum(e.high, -inverse.high);
    0.5 * (difference.high + (difference.low + (e.low - inverse.low)))
}

/// sinh(x), within 0.7 ulp.
#[inline]
pub fn sinh(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    let a: f64 = absolute(x);
    if a < 1.0 {
        return sinh_near_zero(x);
    }
    if a > 710.4758600739439 {
        return copy_sign(f64::INFINITY, x);
    }
    if a > 22.0 {
        return copy_sign(half_exp(a), x);
    }
    copy_sign(sinh_of_exp(exp_double(a)), x)
}

/// cosh(x), within 0.6 ulp.
#[inline]
pub fn cosh(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    let a: f64 = absolute(x);
    if a > 710.4758600739439 {
        return f64::INFINITY;
    }
    if a > 22.0 {
        return half_exp(a);
    }
    let e: DoubleDouble = exp_double(a);
    let inverse: DoubleDouble = divide_double(DoubleDouble { high: 1.0, low: 0.0 }, e);
    let sum: DoubleDouble = two_sum(e.high, inverse.high);
    0.5 * (sum.high + (sum.low + (e.low + inverse.low)))
}

/// tanh(x), within 0.8 ulp.
#[inline]
pub fn tanh(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    let a: f64 = absolute(x);
    if a > 22.0 {
        return copy_sign(1.0, x);
    }
    if a < 7.450580596923828e-9 {
        return x;
    }
    let numerator: DoubleDouble = exp_m1_double(2.0 * a);
    let denominator: DoubleDouble = add_double(numerator, DoubleDouble { high: 2.0, low: 0.0 });
    let ratio: DoubleDouble = divide_double(numerator, denominator);
    copy_sign(ratio.high, x)
}

/// asinh(x) = ln(x + sqrt(x^2 + 1)), within 0.7 ulp.
#[inline]
pub fn asinh(x: f64) -> f64 {
    if is_nan(x) {
        return f64::NAN;
    }
    let a: f64 = absolute(x);
    if a == f64::INFINITY {
        return x;
    }
    if a < 0.125 {
        let z: f64 = x * x;
        let mut series: f64 = -0.009761609529194078;
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
    if a > 268435456.0 {
        return copy_sign(ln_double(a, 0.0, 1).high, x);
    }
    let square: DoubleDouble = two_product(a, a);
    let sum: DoubleDouble = two_sum(square.high, 1.0);
    let root: f64 = sqrt(sum.high);
    let root_square: DoubleDouble = two_product(root, root);
    let rest: f64 = ((sum.high - root_square.high) - root_square.low) + (sum.low + square.low);
    let high: DoubleDouble = two_sum(root, a);
    let argument: DoubleDouble = quick_two_sum(high.high, high.low + rest / (2.0 * root));
    copy_sign(ln_double(argument.high, argument.low, 0).high, x)
}

/// sqrt(x^2 + y^2) without overflow on the way, within 1.2 ulp; infinite if either is.
#[inline]
pub fn hypot(x: f64, y: f64) -> f64 {
    let a: f64 = absolute(x);
    let b: f64 = absolute(y);
    if a == f64::INFINITY || b == f64::INFINITY {
        return f64::INFINITY;
    }
    if is_nan(a) || is_nan(b) {
        return f64::NAN;
    }
    let mut largest: f64 = a;
    if b > a {
        largest = b;
    }
    let mut k: i32 = 0;
    if largest > 1e150 {
        k = 600;
    }
    if largest < 1e-140 {
        k = -600;
    }
    let u: f64 = scale(a, -k);
    let v: f64 = scale(b, -k);
    scale(sqrt(u * u + v * v), k)
}
