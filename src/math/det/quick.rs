// Constants are spelled in digits because the text is shared with the `.cuh` file.
#![allow(clippy::approx_constant, clippy::excessive_precision)]

use super::arithmetic::*;
use super::double::{bits_of, double_of};
use super::exponential::{INVERSE_LN2, LN2_HIGH, LN2_MIDDLE};
use super::trigonometric::{HALF_PI, HALF_PI_LOW, PI, PI_LOW};

/// ln(a / b) of positive normal numbers, within 2 ulp, or 2e-16 for e times ln 2; of others it has no meaning. One division.
///
/// With a / b = m 2^e, m in [sqrt(1/2), sqrt(2)), and s = (m - 1) / (m + 1), whose numerator is exact: ln m = 2 s + s z (2/3 + 2 z / 5 + ...),
/// z = s^2; the seven coefficients are those of the smallest largest error, 2^-59 (`scripts/oracles/minimax.py`).
#[inline(always)]
pub fn quick_ln_ratio(a: f64, b: f64) -> f64 {
    let mut over: f64 = double_of((bits_of(a) & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let mut under: f64 = double_of((bits_of(b) & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let mut e: f64 = ((bits_of(a) >> 52) as i32 - (bits_of(b) >> 52) as i32) as f64;
    if over > 1.4142135623730951 * under {
        under *= 2.0;
        e += 1.0;
    }
    if under > 1.4142135623730951 * over {
        over *= 2.0;
        e -= 1.0;
    }
    let s: f64 = (over - under) / (over + under);
    let z: f64 = s * s;
    let w: f64 = z * z;
    // In pairs, so that fewer operations wait for each other.
    let low: f64 = (0.6666666666666734 + 0.3999999999941449 * z) + (0.28571428742422034 + 0.2222219857019954 * z) * w;
    let high: f64 = (0.18183564460722831 + 0.15314047508110076 * z) + 0.14795977001845437 * w;
    let series: f64 = (s * z) * (low + high * (w * w));
    e * LN2_HIGH + (2.0 * s + (series + e * LN2_MIDDLE))
}

/// exp(x) for x <= 0, within 2 ulp; exp(-708) for what is below, NaN for NaN, no meaning above. No branches.
///
/// The Taylor series to r^13, whose remainder is below 2^-57 for |r| <= ln(2) / 2, with the sum of its pairs in powers of r^2.
#[inline(always)]
pub fn quick_exp(x: f64) -> f64 {
    let mut near: f64 = x;
    if x < -708.0 {
        near = -708.0;
    }
    // A sum with 1.5 x 2^52 is a whole number, which stands in its low bits.
    let turned: f64 = near * INVERSE_LN2 + 6755399441055744.0;
    let k: f64 = turned - 6755399441055744.0;
    let r: f64 = (near - k * LN2_HIGH) - k * LN2_MIDDLE;
    let z: f64 = r * r;
    let mut series: f64 = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0);
    series = series * z + (1.0 / 3628800.0 + r * (1.0 / 39916800.0));
    series = series * z + (1.0 / 40320.0 + r * (1.0 / 362880.0));
    series = series * z + (1.0 / 720.0 + r * (1.0 / 5040.0));
    series = series * z + (1.0 / 24.0 + r * (1.0 / 120.0));
    series = series * z + (0.5 + r * (1.0 / 6.0));
    double_of(bits_of(turned).wrapping_add(1023) << 52) * (1.0 + (r + z * series))
}

/// ln(1 + x) for x in [0, 1], within 2 ulp; NaN for NaN, no meaning for others. One division, no branches.
///
/// As [`quick_ln_ratio`], of (1 + x) / 2 where that is nearer to 1.
#[inline(always)]
pub fn quick_ln_1p(x: f64) -> f64 {
    let mut numerator: f64 = x;
    let mut denominator: f64 = x + 2.0;
    let mut whole: f64 = 0.0;
    let mut whole_low: f64 = 0.0;
    if x > 0.41421356237309503 {
        numerator = x - 1.0;
        denominator = x + 3.0;
        whole = LN2_HIGH;
        whole_low = LN2_MIDDLE;
    }
    let s: f64 = numerator / denominator;
    let z: f64 = s * s;
    let w: f64 = z * z;
    let low: f64 = (0.6666666666666734 + 0.3999999999941449 * z) + (0.28571428742422034 + 0.2222219857019954 * z) * w;
    let high: f64 = (0.18183564460722831 + 0.15314047508110076 * z) + 0.14795977001845437 * w;
    let series: f64 = (s * z) * (low + high * (w * w));
    whole + (2.0 * s + (series + whole_low))
}

/// The angle of the point (x, y) in [-pi, pi], within 2 ulp, for finite numbers below 1e300; of others it has no
/// meaning. Signed zeros as in [`super::atan2`]. One division.
///
/// The ratio of the smaller to the larger, or where that is above tan(pi/8) that of their difference to their sum, goes into a
/// polynomial of eleven coefficients with the smallest largest error, 2^-59.
#[inline(always)]
pub fn quick_atan2(y: f64, x: f64) -> f64 {
    let a: f64 = absolute(y);
    let b: f64 = absolute(x);
    let swapped: bool = a > b;
    let mut small: f64 = a;
    let mut large: f64 = b;
    if swapped {
        small = b;
        large = a;
    }
    if large == 0.0 {
        large = 1.0;
    }
    let turned: bool = small > 0.41421356237309503 * large;
    let mut numerator: f64 = small;
    let mut denominator: f64 = large;
    let mut angle: f64 = 0.0;
    let mut angle_low: f64 = 0.0;
    if turned {
        numerator = small - large;
        denominator = small + large;
        angle = 0.7853981633974483;
        angle_low = 3.061616997868383e-17;
    }
    let t: f64 = numerator / denominator;
    let z: f64 = t * t;
    let w: f64 = z * z;
    let v: f64 = w * w;
    let first: f64 =
        (-0.333333333333332 + 0.19999999999954085 * z) + (-0.1428571428024863 + 0.11111110786140871 * z) * w;
    let second: f64 =
        (-0.09090897836499895 + 0.0769206163781185 * z) + (-0.06663120391819856 + 0.05848008981736363 * z) * w;
    let third: f64 = (-0.05039845853551215 + 0.038078330850189926 * z) + -0.017922291281712976 * w;
    let series: f64 = (first + second * v) + third * (v * v);
    let mut result: f64 = angle + (t + (angle_low + (t * z) * series));
    if swapped {
        result = HALF_PI - (result - HALF_PI_LOW);
    }
    if is_negative(x) {
        result = PI - (result - PI_LOW);
    }
    copy_sign(result, y)
}
