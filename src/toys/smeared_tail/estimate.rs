//! Sums of weights, and what they say.

use super::NAME;
use super::{Input, Output};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::exact::{ExactSum, LIMBS};
use crate::math::{det, special};

/// The unit of the sums: 2^-60.
const UNITS: f64 = 1_152_921_504_606_846_976.0;

/// The sums of the weights of toys, and of their squares, in units of 2^-60. Parts of one seed add up in any order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightTally {
    toys: u64,
    sum: u128,
    sum_of_squares: u128,
    windows: usize,
    ln_sum_of_local: f64,
}

impl WeightTally {
    pub(super) fn new(input: &Input<Host>) -> Self {
        let (windows, ln_sum_of_local) = (input.windows(), input.ln_sum_of_local);
        Self { toys: 0, sum: 0, sum_of_squares: 0, windows, ln_sum_of_local }
    }

    /// With the sums of `toys` more.
    ///
    /// # Errors
    /// More toys than the sums hold.
    pub(super) fn with(self, toys: u64, output: &Output<Host>) -> Result<Self> {
        let sum = |first: usize| -> Result<u128> {
            let limbs: [i64; LIMBS] = std::array::from_fn(|index| output.sums[first + index] as i64);
            Ok(ExactSum::from_limbs(limbs, toys)?.units().unsigned_abs())
        };
        Ok(self.plus(Self { toys, sum: sum(0)?, sum_of_squares: sum(LIMBS)?, ..self }))
    }

    fn plus(self, other: Self) -> Self {
        Self {
            toys: self.toys + other.toys,
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
            ..self
        }
    }

    /// Adds toys of the same input and seed that this one does not have.
    ///
    /// # Errors
    /// A tally of another input.
    pub fn merge(self, other: Self) -> Result<Self> {
        if self.windows == other.windows && self.ln_sum_of_local.to_bits() == other.ln_sum_of_local.to_bits() {
            return Ok(self.plus(other));
        }
        let fault = Fault::new(NAME, "tallies of different windows, expectations or observations");
        Err(fault.because("their weights have other meanings").data())
    }

    /// The number of toys.
    pub fn toys(&self) -> u64 {
        self.toys
    }
}

/// The global p-value from toys that exceed. What is too small for an `f64` is 0, and its logarithm is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmearedTailEstimate {
    /// The probability that any window reaches its critical count, at most 1.
    pub p: f64,
    /// Its logarithm.
    pub ln_p: f64,
    /// The standard error of `p`.
    pub error: f64,
    /// The standard error over `p`.
    pub relative_error: f64,
    /// `p` in standard deviations.
    pub z: f64,
    /// The number of toys.
    pub toys: u64,
    /// `(sum w)^2 / sum w^2`: as many toys of equal weight would do as well.
    pub effective_toys: f64,
    /// The number of windows.
    pub windows: usize,
    /// `S`, the sum of the windows' own probabilities to a percent or so: close to Bonferroni's bound.
    pub sum_of_local: f64,
}

impl SmearedTailEstimate {
    /// What `tally` says.
    ///
    /// # Errors
    /// A tally without toys, or one whose toys all weigh nothing.
    pub fn new(tally: &WeightTally) -> Result<Self> {
        let number = tally.toys as f64;
        if tally.sum == 0 {
            let fault = Fault::new(NAME, format!("{} toys weigh nothing", tally.toys));
            return Err(fault.because("a p-value is a mean of weights").suggest("Throw more toys.").data());
        }
        let (mean, mean_square) = (tally.sum as f64 / UNITS / number, tally.sum_of_squares as f64 / UNITS / number);
        let ln_p = (tally.ln_sum_of_local + det::ln(mean)).min(0.0);
        // Differences of equal numbers may come out below 0 by rounding.
        let variance = (mean_square - mean * mean).max(0.0) / (number - 1.0).max(1.0);
        let unseen = 0.5 / number;
        let relative_error = (variance / (mean * mean) + unseen * unseen).sqrt();
        let p = det::exp(ln_p);
        Ok(Self {
            p,
            ln_p,
            error: p * relative_error,
            relative_error,
            z: special::significance(ln_p),
            toys: tally.toys,
            effective_toys: number * (mean * mean / mean_square),
            windows: tally.windows,
            sum_of_local: det::exp(tally.ln_sum_of_local),
        })
    }
}
