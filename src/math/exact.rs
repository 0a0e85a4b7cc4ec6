//! Exact sums of weights, independent of the order of addition.
//!
//! A weight becomes a whole number of units, and whole numbers are added in 128 bits. [`WeightScale`] declares the
//! range: with the largest |w| rounded up to a power of two 2^e,
//!
//! | sum of | unit | largest term | 2^40 terms |
//! |---|---|---|---|
//! | w | 2^(e - 86) | 2^86 units | 2^126 units |
//! | w^2 | 2^(2 e - 86) | 2^86 units | 2^126 units |
//!
//! A term is rounded once, to the nearest unit (ties to even). A single-precision w is exact above 2^(e - 63), and its
//! square is exact in double precision. Weights below 2^(e - 28) (2.7e8 times smaller than the largest) are refused,
//! because their squares would lose more than 2^-30 of themselves; 0 is always fine.
//!
//! **On CUDA** a sum is four signed 64-bit limbs, limb i counting 2^(32 i) units. A term is split into three signed
//! digits below 2^32 in magnitude, and each digit that is not zero goes to its limb in one atomic addition (two's
//! complement, no carry). A limb takes 2^31 terms; [`ExactSum::from_limbs`] carries once at the end.
//! The split is integer arithmetic on the bits of the weight, the same text in `kernels/common/exact.cuh`.
//!
//! Cost: 16 bytes a sum on the host, 32 on the device.

use super::det::{absolute, bits_of, exponent_of, is_finite, nearest, power_of_two};
use crate::error::{Fault, Result};

/// A weight within the declared range.
pub const WEIGHT_FINE: u32 = 0;
/// A weight that is infinite or NaN.
pub const WEIGHT_NOT_FINITE: u32 = 1;
/// A weight above the largest of the declared range.
pub const WEIGHT_TOO_LARGE: u32 = 2;
/// A weight so small that its square would lose more than 2^-30 of itself.
pub const WEIGHT_TOO_SMALL: u32 = 3;
/// The largest term of a sum is 2^TERM_BITS units.
pub const TERM_BITS: i32 = 86;
/// Weights range over 2^RANGE_BITS.
pub const RANGE_BITS: i32 = 28;

/// The magnitude of a term in units, low and high word, and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Bits 0 to 63 of the magnitude.
    pub low: u64,
    /// Bits 64 to 127 of the magnitude.
    pub high: u64,
    /// 1 for a negative term, 0 otherwise.
    pub negative: u64,
}

/// One of the `WEIGHT_` codes for `weight` where the largest allowed is 2^`exponent`.
#[inline]
pub fn weight_status(weight: f64, exponent: i32) -> u32 {
    let magnitude: u64 = bits_of(weight) & 0x7fff_ffff_ffff_ffff;
    if !is_finite(weight) {
        return WEIGHT_NOT_FINITE;
    }
    if magnitude == 0 {
        return WEIGHT_FINE;
    }
    if magnitude > bits_of(power_of_two(exponent)) {
        return WEIGHT_TOO_LARGE;
    }
    if magnitude < bits_of(power_of_two(exponent - RANGE_BITS)) {
        return WEIGHT_TOO_SMALL;
    }
    WEIGHT_FINE
}

/// A finite `term` of magnitude at most 2^(`unit_exponent` + 86) in units of 2^`unit_exponent`, rounded to nearest,
/// ties to even.
#[inline]
pub fn units_of(term: f64, unit_exponent: i32) -> Units {
    let bits: u64 = bits_of(term);
    let mut mantissa: u64 = bits & 0x000f_ffff_ffff_ffff;
    if ((bits >> 52) & 0x7ff) != 0 {
        mantissa |= 0x0010_0000_0000_0000;
    }
    let negative: u64 = bits >> 63;
    let shift: i32 = (exponent_of(term) - 52) - unit_exponent;
    if shift >= 64 {
        return Units { low: 0, high: mantissa << ((shift - 64) & 63), negative };
    }
    if shift > 0 {
        return Units { low: mantissa << shift, high: mantissa >> (64 - shift), negative };
    }
    if shift == 0 {
        return Units { low: mantissa, high: 0, negative };
    }
    if shift < -54 {
        return Units { low: 0, high: 0, negative: 0 };
    }
    let down: i32 = -shift;
    let whole: u64 = mantissa >> down;
    let rest: u64 = mantissa & ((1u64 << down) - 1);
    let half: u64 = 1u64 << (down - 1);
    let mut rounded: u64 = whole;
    if rest > half || (rest == half && (whole & 1) != 0) {
        rounded += 1;
    }
    Units { low: rounded, high: 0, negative }
}

/// Digit `index` (0, 1 or 2) of a term, with its sign: |digit| < 2^32.
#[inline]
pub fn digit_of(units: Units, index: i32) -> i64 {
    let mut digit: i64 = (units.high & 0xffff_ffff) as i64;
    if index == 0 {
        digit = (units.low & 0xffff_ffff) as i64;
    }
    if index == 1 {
        digit = (units.low >> 32) as i64;
    }
    if units.negative != 0 {
        digit = -digit;
    }
    digit
}

// host only from here

/// Limbs of a sum on the device: limb i counts 2^(32 i) units. The fourth is there for alignment and stays zero.
pub const LIMBS: usize = 4;
/// The most terms that one set of limbs takes before it must be carried into an [`ExactSum`].
pub const TERMS_PER_LIMBS: u64 = 1 << 31;

/// An admitted weight has at most so many bits above the last bit of the smallest.
const WHOLE_BITS: i32 = RANGE_BITS + 23;
/// The squares of weights are summed in two halves.
const HALF_BITS: i32 = TERM_BITS / 2;

/// The whole number nearest to `x`, ties to even, for |x| <= 2^51: the low bits of its sum with 1.5 x 2^52.
#[inline]
fn whole(x: f64) -> i64 {
    bits_of(x + 6755399441055744.0) as i64 - 0x4338_0000_0000_0000
}

impl Units {
    /// The signed number of units.
    #[inline]
    pub fn value(self) -> i128 {
        let magnitude = (i128::from(self.high) << 64) | i128::from(self.low);
        if self.negative != 0 { -magnitude } else { magnitude }
    }
}

/// The declared range of weights: see the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightScale {
    exponent: i32,
}

impl WeightScale {
    /// For weights of ones.
    pub const UNIT: Self = Self { exponent: 0 };
    /// The declared largest weight lies within 2^-LARGEST_EXPONENT and 2^LARGEST_EXPONENT (about 1e120).
    pub const LARGEST_EXPONENT: i32 = 400;

    /// The range whose largest weight is |`largest_weight`| rounded up to a power of two.
    ///
    /// # Errors
    /// Where `largest_weight` is not finite, is zero, or lies outside 2^-400 to 2^400.
    ///
    /// ```
    /// use trawl::math::exact::WeightScale;
    /// let scale = WeightScale::new(3.7)?;
    /// assert_eq!(scale.largest(), 4.0);
    /// assert!(scale.weight(5.0).is_err());
    /// # Ok::<(), trawl::Error>(())
    /// ```
    pub fn new(largest_weight: f64) -> Result<Self> {
        let (least, most) = (power_of_two(-Self::LARGEST_EXPONENT), power_of_two(Self::LARGEST_EXPONENT));
        if !(least..=most).contains(&largest_weight) {
            return Err(Fault::new("math.exact", format!("the largest weight is declared as {largest_weight:e}"))
                .because("it sets the unit of the exact sums and must lie within 1e-120 and 1e120")
                .suggest("Declare the largest absolute weight of the sample")
                .usage());
        }
        let exponent = exponent_of(largest_weight);
        Ok(Self { exponent: exponent + i32::from(largest_weight > power_of_two(exponent)) })
    }

    /// e, where 2^e is the largest weight.
    pub fn exponent(self) -> i32 {
        self.exponent
    }

    /// The largest |w| that is accepted: 2^e.
    pub fn largest(self) -> f64 {
        power_of_two(self.exponent)
    }

    /// The smallest |w| above 0 that is accepted: 2^(e - 28).
    pub fn smallest(self) -> f64 {
        power_of_two(self.exponent - RANGE_BITS)
    }

    /// The unit of sums of w is 2 to this power.
    pub fn weight_unit(self) -> i32 {
        self.exponent - TERM_BITS
    }

    /// The unit of sums of w^2 is 2 to this power.
    pub fn square_unit(self) -> i32 {
        2 * self.exponent - TERM_BITS
    }

    /// One of the `WEIGHT_` codes.
    #[inline]
    pub fn status(self, weight: f64) -> u32 {
        weight_status(weight, self.exponent)
    }

    /// The weight in units of [`weight_unit`](Self::weight_unit).
    ///
    /// # Errors
    /// [`refusal`](Self::refusal) where the weight lies outside the range.
    #[inline]
    pub fn weight(self, weight: f64) -> Result<i128> {
        match self.status(weight) {
            WEIGHT_FINE => Ok(units_of(weight, self.weight_unit()).value()),
            status => Err(self.refusal(weight, status)),
        }
    }

    /// The square of the weight in units of [`square_unit`](Self::square_unit): exact for a weight of single precision.
    ///
    /// # Errors
    /// [`refusal`](Self::refusal) where the weight lies outside the range.
    #[inline]
    pub fn square(self, weight: f64) -> Result<i128> {
        match self.status(weight) {
            WEIGHT_FINE => Ok(units_of(weight * weight, self.square_unit()).value()),
            status => Err(self.refusal(weight, status)),
        }
    }

    /// Whether every weight is admitted. Quick, for one answer to many.
    pub fn admits_all(self, weights: &[f32]) -> bool {
        let (least, most) = (self.smallest(), self.largest());
        // Without a branch, so that it is done in vectors; NaN is in no range.
        let admitted = |weight: f64| ((weight >= least) & (weight <= most)) | (weight == 0.0);
        weights.iter().fold(true, |all, weight| all & admitted(absolute(f64::from(*weight))))
    }

    /// The sums of weights that are all admitted, in units of [`weight_unit`](Self::weight_unit), and of their squares, in
    /// units of [`square_unit`](Self::square_unit): those of [`units_of`] for each, at once.
    ///
    /// A weight w of single precision is a multiple of 2^(e - 51), so w 2^(51 - e) is whole, and at most 2^51. Its square
    /// is cut into multiples of 2^43 units and a rest, whose rounding is that of the whole. So 1,024 of each fit 64 bits.
    pub fn sums(self, weights: &[f32]) -> (i128, i128) {
        let (mut sum, mut squares) = (0, 0);
        for weights in weights.chunks(1024) {
            let [of_weights, high, low] = self.sums_of_few(weights);
            sum += i128::from(of_weights) << (TERM_BITS - WHOLE_BITS);
            squares += (i128::from(high) << HALF_BITS) + i128::from(low);
        }
        (sum, squares)
    }

    /// In units of 2^(e - 51), of 2^(2 e - 43) and of 2^(2 e - 86).
    fn sums_of_few(self, weights: &[f32]) -> [i64; 3] {
        let to_whole = power_of_two(WHOLE_BITS - self.exponent);
        let to_high = power_of_two(HALF_BITS - 2 * self.exponent);
        let to_low = power_of_two(HALF_BITS);
        let (mut of_weights, mut of_high, mut of_low) = (0, 0, 0);
        for weight in weights {
            let weight = f64::from(*weight);
            let square = weight * weight * to_high;
            let high = nearest(square);
            of_weights += whole(weight * to_whole);
            of_high += whole(high);
            of_low += whole((square - high) * to_low);
        }
        [of_weights, of_high, of_low]
    }

    /// The error for a weight with `status`, naming the value and the range.
    #[cold]
    pub fn refusal(self, weight: f64, status: u32) -> crate::Error {
        let (least, most) = (self.smallest(), self.largest());
        let (problem, reason) = match status {
            WEIGHT_NOT_FINITE => ("is not finite", "a sum with it would have no value".to_owned()),
            WEIGHT_TOO_LARGE => ("is too large", format!("the largest weight was declared as {most:e}")),
            _ => ("is too small", format!("its square is lost beside that of the largest, {most:e}; least {least:e}")),
        };
        let advice = match status {
            WEIGHT_NOT_FINITE => "Mend or drop the event",
            WEIGHT_TOO_LARGE => "Declare a larger one",
            _ => "Declare a smaller largest weight, or drop the event",
        };
        Fault::new("math.exact", format!("the weight {weight:e} {problem}")).because(reason).suggest(advice).data()
    }
}

/// A sum in whole units, the same for any order of its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct ExactSum(i128);

impl ExactSum {
    /// The sum of nothing.
    pub const ZERO: Self = Self(0);

    /// The sum of `units` units.
    pub fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The number of units.
    pub fn units(self) -> i128 {
        self.0
    }

    /// Adds a term or a partial sum in the same unit.
    ///
    /// # Errors
    /// Where the sum leaves 128 bits, which 2^40 terms of the largest weight cannot do.
    #[inline]
    pub fn add(&mut self, units: i128) -> Result<()> {
        self.0 = self.0.checked_add(units).ok_or_else(overflow)?;
        Ok(())
    }

    /// The sum that a kernel left in limbs, after at most 2^31 terms.
    ///
    /// # Errors
    /// Where more `terms` were added than a limb takes, or the fourth limb makes the sum leave 128 bits.
    pub fn from_limbs(limbs: [i64; LIMBS], terms: u64) -> Result<Self> {
        if terms > TERMS_PER_LIMBS {
            return Err(overflow());
        }
        let mut total: i128 = 0;
        for (index, limb) in limbs.into_iter().enumerate() {
            let weighed = i128::from(limb).checked_mul(1i128 << (32 * index)).ok_or_else(overflow)?;
            total = total.checked_add(weighed).ok_or_else(overflow)?;
        }
        Ok(Self(total))
    }

    /// The sum times 2^`unit_exponent`, correctly rounded.
    pub fn to_f64(self, unit_exponent: i32) -> f64 {
        // `as` rounds to nearest, ties to even; the factor is exact because units stay above 2^-900.
        super::det::scale(self.0 as f64, unit_exponent)
    }
}

#[cold]
fn overflow() -> crate::Error {
    Fault::new("math.exact", "an exact sum of weights overflows")
        .because("it holds 2^40 weights of the declared largest, and a launch 2^31")
        .suggest("Declare a larger largest weight, or split the sample")
        .data()
}

#[cfg(test)]
mod tests {
    use super::super::philox::{Philox, Stage};
    use super::*;

    fn limbs_of(terms: &[Units]) -> [i64; LIMBS] {
        let mut limbs = [0i64; LIMBS];
        for &term in terms {
            for (index, limb) in (0..3).zip(&mut limbs) {
                *limb = limb.wrapping_add(digit_of(term, index));
            }
        }
        limbs
    }

    #[test]
    fn units_are_exact_where_they_can_be_and_to_the_nearest_even_elsewhere() {
        let scale = WeightScale::new(1.0).unwrap();
        assert_eq!(scale.weight(1.0).unwrap(), 1 << 86);
        assert_eq!(scale.weight(-0.75).unwrap(), -(3 << 84));
        assert_eq!(scale.square(0.5).unwrap(), 1 << 84);
        assert_eq!(scale.weight(0.0).unwrap(), 0);
        assert_eq!(scale.weight(-0.0).unwrap(), 0);
        // 2 + 1/2, 3 + 1/2 and 2 + 1/4 units: ties go to even.
        assert_eq!(units_of(2.5, 0).value(), 2);
        assert_eq!(units_of(3.5, 0).value(), 4);
        assert_eq!(units_of(-2.75, 0).value(), -3);
        assert_eq!(units_of(0.5, 0).value(), 0);
        assert_eq!(units_of(0.5000001, 0).value(), 1);
        assert_eq!(units_of(1e-300, 0).value(), 0);
        assert_eq!(units_of(5e-324, -1074).value(), 1);
        assert_eq!(units_of(-(2f64.powi(86)), 0).value(), -(1 << 86));
        assert_eq!(units_of(2f64.powi(63) * 1.5, 0).value(), 3 << 62);
        for shift in 0..86 {
            assert_eq!(units_of(2f64.powi(shift), 0).value(), 1 << shift);
        }
    }

    #[test]
    fn sums_do_not_depend_on_order_or_device_form() {
        let scale = WeightScale::new(900.0).unwrap();
        let random = Philox::new(3, Stage::Probe);
        let weights: Vec<f64> =
            (0..3000).map(|unit| f64::from(((random.uniforms(unit, 0)[0] - 0.4) * 1500.0) as f32)).collect();
        let sum = |order: &mut dyn Iterator<Item = &f64>| {
            let mut total = ExactSum::ZERO;
            order.for_each(|&w| total.add(scale.weight(w).unwrap()).unwrap());
            total
        };
        let forward = sum(&mut weights.iter());
        assert_eq!(forward, sum(&mut weights.iter().rev()));
        assert_eq!(forward, sum(&mut weights.iter().step_by(2).chain(weights.iter().skip(1).step_by(2))));
        let terms: Vec<Units> = weights.iter().map(|&w| units_of(w, scale.weight_unit())).collect();
        assert_eq!(forward, ExactSum::from_limbs(limbs_of(&terms), 3000).unwrap());
        let squares: i128 = weights.iter().map(|&w| scale.square(w).unwrap()).sum();
        let terms: Vec<Units> = weights.iter().map(|&w| units_of(w * w, scale.square_unit())).collect();
        assert_eq!(ExactSum::from_units(squares), ExactSum::from_limbs(limbs_of(&terms), 3000).unwrap());
        let plain: f64 = weights.iter().sum();
        assert!((forward.to_f64(scale.weight_unit()) / plain - 1.0).abs() < 1e-12);
    }

    #[test]
    fn sums_of_many_are_the_sums_of_units() {
        let random = Philox::new(4, Stage::Probe);
        for largest in [1.0, 4.0, 900.0, 1e-30, 3e38, 1e-44] {
            let scale = WeightScale::new(largest).unwrap();
            let (least, most) = (scale.smallest(), scale.largest());
            let any = |unit: u64| {
                let [u, v] = random.uniforms(unit, 0);
                let size =
                    most * (2.0 * u - 1.0) * if unit.is_multiple_of(3) { 2f64.powi(-(28.0 * v) as i32) } else { 1.0 };
                // At the edges of the range too.
                let edges = [size, most, -most, least, -least, least * (1.0 + u), 0.0, -0.0];
                edges[if unit.is_multiple_of(5) { unit as usize / 5 % 8 } else { 0 }] as f32
            };
            let admitted = |weight: &f32| scale.status(f64::from(*weight)) == WEIGHT_FINE;
            let weights: Vec<f32> = (0..5000).map(any).filter(admitted).collect();
            assert!(weights.len() > 500 || largest < 1e-40, "{}", weights.len());
            assert!(scale.admits_all(&weights));
            for length in [0, 1, 2, 1023, 1024, 1025, weights.len()].map(|length| length.min(weights.len())) {
                let sum = |of: fn(WeightScale, f64) -> Result<i128>| -> i128 {
                    weights[..length].iter().map(|weight| of(scale, f64::from(*weight)).unwrap()).sum()
                };
                let expected = (sum(WeightScale::weight), sum(WeightScale::square));
                assert_eq!(scale.sums(&weights[..length]), expected, "{length} weights, the largest {largest:e}");
            }
            for refused in [f32::NAN, f32::INFINITY, (most * 1.5) as f32, (least * 0.7) as f32] {
                let fine = scale.status(f64::from(refused)) == WEIGHT_FINE;
                assert_eq!(scale.admits_all(&[0.0, refused, 0.0]), fine, "{refused:e} of {largest:e}");
            }
            let all_most = vec![most as f32; 2048];
            if all_most[0].is_finite() {
                assert_eq!(scale.sums(&all_most), (1 << 97, 1 << 97));
                assert_eq!(scale.sums(&all_most.iter().map(|w| -w).collect::<Vec<_>>()), (-(1 << 97), 1 << 97));
            }
        }
    }

    #[test]
    fn a_million_tenths_are_the_float_tenth_a_million_times() {
        let scale = WeightScale::UNIT;
        let tenth = scale.weight(f64::from(0.1f32)).unwrap();
        let sum = ExactSum::from_units(tenth * 1_000_000);
        assert_eq!(sum.to_f64(scale.weight_unit()), f64::from(0.1f32) * 1e6);
    }

    #[test]
    fn weights_outside_the_range_are_refused_by_value() {
        let scale = WeightScale::new(1.5).unwrap();
        assert_eq!((scale.largest(), scale.smallest()), (2.0, 2f64.powi(-27)));
        assert_eq!(scale.status(2.0), WEIGHT_FINE);
        assert_eq!(scale.status(-2.0), WEIGHT_FINE);
        assert_eq!(scale.status(2.0000001), WEIGHT_TOO_LARGE);
        assert_eq!(scale.status(-f64::MAX), WEIGHT_TOO_LARGE);
        assert_eq!(scale.status(2f64.powi(-27)), WEIGHT_FINE);
        assert_eq!(scale.status(2f64.powi(-27) * 0.999), WEIGHT_TOO_SMALL);
        assert_eq!(scale.status(5e-324), WEIGHT_TOO_SMALL);
        assert_eq!(scale.status(f64::NAN), WEIGHT_NOT_FINITE);
        assert_eq!(scale.status(f64::NEG_INFINITY), WEIGHT_NOT_FINITE);
        let text = scale.weight(2.5).unwrap_err().to_string();
        assert!(text.contains("2.5e0") && text.contains("too large"), "{text}");
        // The loss that the smallest weight suffers in its square is what the module promises.
        let worst = (0..1000).map(|i| 2f64.powi(-27) * (1.0 + f64::from(i) / 1000.0)).fold(0.0, |worst: f64, w| {
            let kept = ExactSum::from_units(scale.square(w).unwrap()).to_f64(scale.square_unit());
            worst.max((kept / (w * w) - 1.0).abs())
        });
        assert!(worst < 2f64.powi(-30), "{worst:e}");
    }

    #[test]
    fn declarations_are_checked() {
        for bad in [0.0, -4.0, f64::NAN, f64::INFINITY, 1e-200, 1e200] {
            assert_eq!(WeightScale::new(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
        assert_eq!(WeightScale::new(4.1).unwrap().exponent(), 3);
        for exponent in [-400, 400] {
            let scale = WeightScale::new(2f64.powi(exponent)).unwrap();
            let w = scale.largest();
            assert_eq!(ExactSum::from_units(scale.square(w).unwrap()).to_f64(scale.square_unit()), w * w);
        }
    }

    #[test]
    fn overflow_is_an_error_and_the_declared_number_of_terms_fits() {
        let largest = WeightScale::UNIT.weight(1.0).unwrap();
        let mut sum = ExactSum::from_units(largest << 40);
        assert_eq!(sum.to_f64(WeightScale::UNIT.weight_unit()), 2f64.powi(40));
        sum.add(largest << 40).unwrap_err();
        ExactSum::from_limbs([0; LIMBS], TERMS_PER_LIMBS + 1).unwrap_err();
        ExactSum::from_limbs([0, 0, 0, i64::MAX], 1).unwrap_err();
        let digit = i64::from(u32::MAX);
        let full = digit * TERMS_PER_LIMBS as i64;
        assert!(ExactSum::from_limbs([full, full, full, 0], TERMS_PER_LIMBS).unwrap().units() > 0);
        assert_eq!(ExactSum::from_limbs([-1, 0, 0, 0], 1).unwrap().units(), -1);
    }
}
