use super::double::{DoubleDouble, bits_of, double_of};

/// Whether `x` is not a number.
#[inline]
pub fn is_nan(x: f64) -> bool {
    (bits_of(x) & 0x7fff_ffff_ffff_ffff) > 0x7ff0_0000_0000_0000
}

/// Whether `x` is neither infinite nor NaN.
#[inline]
pub fn is_finite(x: f64) -> bool {
    (bits_of(x) & 0x7fff_ffff_ffff_ffff) < 0x7ff0_0000_0000_0000
}

/// Whether the sign bit of `x` is set.
#[inline]
pub fn is_negative(x: f64) -> bool {
    (bits_of(x) >> 63) != 0
}

/// |x|.
#[inline]
pub fn absolute(x: f64) -> f64 {
    double_of(bits_of(x) & 0x7fff_ffff_ffff_ffff)
}

/// `magnitude` with the sign bit of `sign`.
#[inline]
pub fn copy_sign(magnitude: f64, sign: f64) -> f64 {
    double_of((bits_of(magnitude) & 0x7fff_ffff_ffff_ffff) | (bits_of(sign) & 0x8000_0000_0000_0000))
}

/// 2^k for -1022 <= k <= 1023.
#[inline]
pub fn power_of_two(k: i32) -> f64 {
    double_of(((k + 1023) as u64) << 52)
}

/// x 2^k for |k| <= 2044, rounded at most once as long as x 2^(k/2) is normal.
#[inline]
pub fn scale(x: f64, k: i32) -> f64 {
    let half: i32 = k / 2;
    (x * power_of_two(half)) * power_of_two(k - half)
}

/// The exponent e of a finite |x| = m 2^e with 1 <= m < 2; -1022 for subnormals and zero.
#[inline]
pub fn exponent_of(x: f64) -> i32 {
    let biased: i32 = ((bits_of(x) >> 52) & 0x7ff) as i32;
    if biased == 0 {
        return -1022;
    }
    biased - 1023
}

/// The integer nearest to `x`, ties to even, for |x| < 2^51.
#[inline]
pub fn nearest(x: f64) -> f64 {
    (x + 6755399441055744.0) - 6755399441055744.0
}

/// a + b without error, normalised.
#[inline]
pub fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let sum: f64 = a + b;
    let b_part: f64 = sum - a;
    let a_part: f64 = sum - b_part;
    DoubleDouble { high: sum, low: (a - a_part) + (b - b_part) }
}

/// a + b without error, normalised, for |a| >= |b| or a = 0.
#[inline]
pub fn quick_two_sum(a: f64, b: f64) -> DoubleDouble {
    let sum: f64 = a + b;
    DoubleDouble { high: sum, low: b - (sum - a) }
}

/// a b without error, normalised.
#[inline]
pub fn two_product(a: f64, b: f64) -> DoubleDouble {
    let product: f64 = a * b;
    let a_wide: f64 = a * 134217729.0;
    let a_high: f64 = a_wide - (a_wide - a);
    let a_low: f64 = a - a_high;
    let b_wide: f64 = b * 134217729.0;
    let b_high: f64 = b_wide - (b_wide - b);
    let b_low: f64 = b - b_high;
    let low: f64 = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    DoubleDouble { high: product, low }
}

/// a + b, relative error below 2^-103 unless the operands cancel.
#[inline]
pub fn add_double(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let high: DoubleDouble = two_sum(a.high, b.high);
    let low: DoubleDouble = two_sum(a.low, b.low);
    let middle: DoubleDouble = quick_two_sum(high.high, high.low + low.high);
    quick_two_sum(middle.high, middle.low + low.low)
}

/// a b, relative error below 2^-102.
#[inline]
pub fn multiply_double(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let product: DoubleDouble = two_product(a.high, b.high);
    quick_two_sum(product.high, product.low + (a.high * b.low + a.low * b.high))
}

/// a / b, relative error below 2^-101.
#[inline]
pub fn divide_double(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let first: f64 = a.high / b.high;
    let product: DoubleDouble = two_product(first, b.high);
    let rest: f64 = ((a.high - product.high) - product.low) + (a.low - first * b.low);
    quick_two_sum(first, rest / b.high)
}
