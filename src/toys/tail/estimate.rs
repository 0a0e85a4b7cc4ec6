//! What a tally of the tail says.

use super::TailTally;
use crate::error::{Fault, Result};
use crate::math::det;
use crate::toys::Deviations;

/// The global p-value from the toys of the tail. What is too small for an `f64` is 0, and its logarithm is there.
#[derive(Debug, Clone, PartialEq)]
pub struct TailEstimate {
    /// The probability that any window reaches its critical count, `S mean(1/K)`, at most 1.
    pub p: f64,
    /// Its logarithm.
    pub ln_p: f64,
    /// The standard error of `p`.
    pub error: f64,
    /// The standard error over `p`: that of the mean of `1/K`, and half a toy in quadrature, because what no toy showed may
    /// still be as frequent as one.
    pub relative_error: f64,
    /// `p` in standard deviations.
    pub z: Deviations,
    /// The number of toys.
    pub toys: u64,
    /// `(sum 1/K)^2 / sum (1/K)^2`: as many toys of equal weight would do as well.
    pub effective_toys: f64,
    /// The number of windows that can reach their critical counts.
    pub windows: usize,
    /// The logarithm of the local p-value that some window must reach.
    pub ln_threshold: f64,
    /// `S`, the sum of the windows' own probabilities: Bonferroni's bound with the windows' discreteness.
    pub sum_of_local: f64,
    /// `1 - prod(1 - P(A_i))`: exact where no two windows have a cell in common, otherwise an upper bound, because sums of
    /// common cells are positively associated (Harris 1960).
    pub independent: f64,
    /// `ln(1 - p) / ln(1 - local p)`: as many independent windows at the local p-value would give the same `p`; `None` at
    /// p = 1.
    pub effective_trials: Option<f64>,
}

impl TailEstimate {
    /// What `tally` says. It may still grow: the estimates on the way show how `p` converges.
    ///
    /// # Errors
    /// A tally without toys.
    pub fn new(tally: &TailTally) -> Result<Self> {
        let toys = tally.toys();
        if toys == 0 {
            let fault = Fault::new("toys.tail", "the tally has no toys");
            return Err(fault.because("a p-value is a mean over toys").data());
        }
        let number = toys as f64;
        let (mean, mean_square) = moments(tally.reached(), number);
        let ln_p = (tally.ln_sum_of_local() + det::ln(mean)).min(0.0);
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
            z: Deviations::of_tail(ln_p, relative_error, toys),
            toys,
            effective_toys: number * (mean * mean / mean_square),
            windows: tally.windows(),
            ln_threshold: tally.ln_threshold(),
            sum_of_local: det::exp(tally.ln_sum_of_local()),
            independent: det::exp(tally.ln_independent()),
            effective_trials: effective_trials(ln_p, tally.ln_threshold()),
        })
    }
}

/// The means of `1/K` and of its square. Toys with the same `K` are added up at once, so that the order of parts is lost.
fn moments(reached: &[u64], toys: f64) -> (f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for (windows, number) in reached.iter().enumerate().skip(1) {
        let weight = 1.0 / windows as f64;
        sum += *number as f64 * weight;
        squares += *number as f64 * (weight * weight);
    }
    (sum / toys, squares / toys)
}

/// As many independent windows of the local p-value `exp(ln_threshold)` would have the global p-value `exp(ln_p)`.
pub(crate) fn effective_trials(ln_p: f64, ln_threshold: f64) -> Option<f64> {
    // ln(1 - p) is -p (1 + p/2) where p is small, and the ratio of two such that of the p-values.
    if ln_p < -40.0 && ln_threshold < -40.0 {
        return Some(det::exp(ln_p - ln_threshold));
    }
    let ln_not = |ln_p: f64| det::ln_1p(-det::exp(ln_p));
    (ln_p < 0.0 && ln_threshold < 0.0).then(|| ln_not(ln_p) / ln_not(ln_threshold))
}
