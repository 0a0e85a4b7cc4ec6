//! Bits of doubles and unevaluated sums of two doubles: what the functions of [`super`] are made of.
//!
//! Error-free transformations after Dekker (Numer. Math. 18, 224) and Knuth (TAOCP 2, 4.2.2). They hold for round to
//! nearest, without contraction, and for magnitudes below 2^996 (the splitting multiplies by 2^27 + 1).

/// The unevaluated sum `high + low`, with |low| at most half an ulp of `high` where it says normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleDouble {
    /// The rounded value.
    pub high: f64,
    /// What rounding left over.
    pub low: f64,
}

/// The bit pattern of a double.
#[inline]
pub fn bits_of(x: f64) -> u64 {
    x.to_bits()
}

/// The double of a bit pattern.
#[inline]
pub fn double_of(bits: u64) -> f64 {
    f64::from_bits(bits)
}

/// The IEEE 754 square root, correctly rounded.
#[inline]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}
