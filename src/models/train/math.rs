//! What every executor of `models.train` computes of single numbers, in this order of operations.
//!
//! Functions are evaluated in double precision by [`det`] and rounded once, so that they have the same bits everywhere.

use super::loss::Loss;
use crate::math::det;
use crate::models::network::Activation;

/// The nearest number of 8 significant bits, of two that are as near the one whose last bit is 0: bfloat16, as a float. NaN stays NaN.
#[inline(always)]
pub(crate) fn rounded(x: f32) -> f32 {
    let bits = x.to_bits();
    // A NaN whose low bits are all set would become -0.
    let half = if x.is_nan() { 0 } else { 0x7fff + (bits >> 16 & 1) };
    f32::from_bits(bits.wrapping_add(half) & 0xffff_0000 | u32::from(x.is_nan()) << 22)
}

/// Rounds all of these.
#[inline(always)]
pub(crate) fn round(numbers: &mut [f32]) {
    numbers.iter_mut().for_each(|x| *x = rounded(*x));
}

/// What an activation makes of a sum.
#[inline(always)]
pub(crate) fn activated(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => {
            if x > 0.0 {
                x
            } else {
                0.0
            }
        }
        Activation::LeakyRelu { slope } => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        Activation::Elu => {
            if x > 0.0 {
                x
            } else {
                det::exp_m1(f64::from(x)) as f32
            }
        }
        Activation::Tanh => det::tanh(f64::from(x)) as f32,
        Activation::Sigmoid => sigmoid(f64::from(x)) as f32,
        Activation::Softplus => softplus(f64::from(x)) as f32,
    }
}

/// The derivative of an activation where it gave `a`.
#[inline(always)]
pub(crate) fn slope_at(activation: Activation, a: f32) -> f32 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Relu => {
            if a > 0.0 {
                1.0
            } else {
                0.0
            }
        }
        Activation::LeakyRelu { slope } => {
            if a > 0.0 {
                1.0
            } else {
                slope
            }
        }
        Activation::Elu => {
            if a > 0.0 {
                1.0
            } else {
                a + 1.0
            }
        }
        Activation::Tanh => 1.0 - a * a,
        Activation::Sigmoid => a * (1.0 - a),
        Activation::Softplus => (0.0 - det::exp_m1(-f64::from(a))) as f32,
    }
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + det::exp(-x))
}

/// `ln(1 + exp(x))`.
#[inline(always)]
pub(crate) fn softplus(x: f64) -> f64 {
    let above = if x > 0.0 { x } else { 0.0 };
    above + det::ln_1p(det::exp(-det::absolute(x)))
}

/// A row of a batch, as a loss sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub outputs: &'a [f32],
    pub inputs: &'a [f32],
    pub label: f32,
    /// What every output is compared with, of a fixed target.
    pub target: f32,
    /// The weight of the row over the number of rows.
    pub share: f64,
    /// A bit for each input that is there; all are if there are no words.
    pub present: &'a [u32],
}

impl Row<'_> {
    #[inline(always)]
    fn is_present(&self, input: usize) -> bool {
        self.present.is_empty() || (self.present[input >> 5] >> (input & 31)) & 1 == 1
    }
}

/// The share of a row in the cross-entropy of its logit, and the derivative by that. No branches.
#[inline(always)]
pub(crate) fn cross_entropy(logit: f32, label: f32, share: f64) -> (f64, f32) {
    let (z, y) = (f64::from(logit), f64::from(label));
    // Sigmoid and softplus from one exponential, which does not overflow.
    let e = det::quick_exp(-det::absolute(z));
    let above = if z > 0.0 { z } else { 0.0 };
    let share_of_one = if z > 0.0 { 1.0 } else { e };
    let slope = (share * (share_of_one / (1.0 + e) - y)) as f32;
    (share * (above + det::quick_ln_1p(e) - y * z), slope)
}

/// Adds nothing and answers the row's share of the loss; its derivatives by the outputs go to `slopes`.
#[inline(always)]
pub(crate) fn loss_of(loss: Loss, row: &Row, slopes: &mut [f32]) -> f64 {
    let share = row.share;
    match loss {
        Loss::BinaryCrossEntropy => {
            let (value, slope) = cross_entropy(row.outputs[0], row.label, share);
            slopes[0] = slope;
            value
        }
        Loss::LikelihoodRatio => {
            let sign = if row.label > 0.5 { -0.5 } else { 0.5 };
            let value = share * det::exp(sign * f64::from(row.outputs[0]));
            slopes[0] = (sign * value) as f32;
            value
        }
        Loss::Reconstruction => {
            let number = row.inputs.len();
            let there = (0..number).filter(|input| row.is_present(*input)).count();
            // An event without any input has nothing to be compared with.
            let share = if there > 0 { share / there as f64 } else { 0.0 };
            let mut sum = 0.0;
            for (at, (slope, output)) in slopes.iter_mut().zip(row.outputs).enumerate().take(number) {
                let difference = f64::from(*output) - f64::from(row.inputs[at]);
                let difference = if row.is_present(at) { difference } else { 0.0 };
                *slope = (2.0 * share * difference) as f32;
                sum += difference * difference;
            }
            share * sum
        }
        Loss::FixedTarget => {
            let share = share / row.outputs.len() as f64;
            let mut sum = 0.0;
            for (slope, output) in slopes.iter_mut().zip(row.outputs) {
                let difference = f64::from(*output) - f64::from(row.target);
                *slope = (2.0 * share * difference) as f32;
                sum += difference * difference;
            }
            share * sum
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_of_8_bits_and_ties_to_even() {
        let of = |bits: u32| rounded(f32::from_bits(bits)).to_bits();
        for (bits, expected) in [
            (0x3f80_0000, 0x3f80_0000), // 1
            (0x3f80_7fff, 0x3f80_0000), // below the middle
            (0x3f80_8000, 0x3f80_0000), // the middle, down to even
            (0x3f80_8001, 0x3f81_0000), // above
            (0x3f81_8000, 0x3f82_0000), // the middle, up to even
            (0xbf81_8000, 0xbf82_0000), // and below 0
            (0x3fff_8000, 0x4000_0000), // into the next power of 2
            (0x7f7f_7fff, 0x7f7f_0000), // the largest
            (0x7f7f_8000, 0x7f80_0000), // beyond: infinity
            (0xff80_0000, 0xff80_0000), // which stays
            (0x8000_0000, 0x8000_0000), // -0
            (0x0000_8000, 0x0000_0000), // subnormal, the middle
            (0x0001_8001, 0x0002_0000),
        ] {
            assert_eq!(of(bits), expected, "{bits:x}");
        }
        for bits in [0x7fff_ffff, 0xffff_ffff, 0x7fc0_0000, 0x7f80_0001] {
            assert!(rounded(f32::from_bits(bits)).is_nan(), "{bits:x}");
        }
        // Against arithmetic: the multiple of 2^(e - 7) that is nearest.
        for number in 1..4000_u32 {
            let x = (number as f32 * 0.7371).powi(3) * if number % 2 == 0 { 1.0 } else { -1.0 };
            let step = f64::from(x).abs().log2().floor().exp2() / 128.0;
            assert_eq!(f64::from(rounded(x)), (f64::from(x) / step).round_ties_even() * step, "{x}");
        }
    }
}
