//! The count of a window whose expectation is uncertain: a mixture of Poisson distributions.
//!
//! **What.** `P(N >= n) = integral phi(t) P(N >= n | B f(x(t))) dt` over one nuisance `t` of the window, with the smearing of
//! the cells and the relative standard deviation of their sum ([`BackgroundUncertainty::relative`]). That is the distribution
//! of the count where one source moves all its cells alike, and for truncated Gaussian cells up to truncation; a sum of
//! different log-normal cells is taken as the log-normal of the same mean and width. It serves as a test statistic, for which
//! any function of the count is right: toys are drawn by the full model.
//!
//! **How.** The trapezoidal rule from -10 to 10 standard deviations, whose steps are shorter than the width of `P(N >= n | t)` in
//! `t` and at most 1/4: its error falls off as exp(-2 pi^2 width^2 / step^2), below 1e-9 of a p-value down to 8 sigma. Nothing is
//! random.
//! **Cost.** One Poisson tail a node; 81 nodes at least, 0.7 / (kappa sqrt(B)) apart where that is less.

use super::{MOST_DEVIATIONS, NAME, Smearing};
use crate::error::{Fault, Result};
use crate::hunt::Convention;
use crate::math::det;
use crate::math::special::{ln_poisson_survival, ln_poisson_term};

/// Nodes are at most this far apart, in standard deviations.
const LARGEST_STEP: f64 = 0.25;

/// Steps are at most this part of the width of a Poisson tail in the nuisance.
const PART_OF_WIDTH: f64 = 0.7;

/// Tables of counts are at most this long: 128 MiB.
const MOST_COUNTS: f64 = 16_777_216.0;

/// Terms below this part of the largest are left out: 2^-100.
const NEGLIGIBLE: f64 = 7.888609052210118e-31;

/// Counts of no significance at all are never reached.
const NEVER: u32 = u32::MAX;

/// The distribution of the count of a window.
#[derive(Debug, Clone)]
pub(crate) struct MarginalCount {
    /// What is expected without smearing.
    expected: f64,
    /// The smeared expectation at each node.
    means: Vec<f64>,
    /// The weight of each node; together 1.
    weights: Vec<f64>,
}

impl MarginalCount {
    /// The count of a window that expects `expected` with the standard deviation `relative` times that.
    ///
    /// # Errors
    /// An expectation so large and uncertain that its counts do not fit a table.
    pub(crate) fn new(smearing: Smearing, expected: f64, relative: f64) -> Result<Self> {
        let kappa = smearing.coefficient(relative);
        let middle = smearing.middle(kappa * kappa);
        let mean = |t: f64| expected * smearing.factor(middle + kappa * t);
        if largest_count(mean(MOST_DEVIATIONS)) > MOST_COUNTS {
            let uncertain = format!("a window expects {expected:.1} events, known to {:.0} %", 100.0 * relative);
            let fault = Fault::new(NAME, uncertain).because("its counts are too many for a marginal p-value");
            return Err(fault.suggest("Use statistic = \"nominal\" or narrower windows.").data());
        }
        if kappa == 0.0 {
            return Ok(Self { expected, means: vec![expected], weights: vec![1.0] });
        }
        // The slope of the mean in t over its Poisson width, where it is steepest among what 8 sigma need.
        let steepest = match smearing {
            Smearing::LogNormal => kappa * mean(8.0).sqrt(),
            Smearing::TruncatedGaussian => kappa * expected.sqrt(),
        };
        let step = LARGEST_STEP.min(PART_OF_WIDTH / steepest);
        let half = (MOST_DEVIATIONS / step) as i32;
        let nodes = (-half..=half).map(|index| step * f64::from(index));
        let (means, densities): (Vec<f64>, Vec<f64>) = nodes.map(|t| (mean(t), det::exp(-0.5 * t * t))).unzip();
        let sum: f64 = densities.iter().sum();
        Ok(Self { expected, means, weights: densities.iter().map(|density| density / sum).collect() })
    }

    /// `ln P(N >= count)`, or 0 where the convention counts excesses only and there is none.
    pub(crate) fn ln_p(&self, count: u64, convention: Convention) -> f64 {
        if count == 0 || (convention.excess_only() && count as f64 <= self.expected) {
            return 0.0;
        }
        let terms: Vec<f64> = self
            .means
            .iter()
            .zip(&self.weights)
            .map(|(mean, weight)| det::ln(*weight) + ln_poisson_survival(count, *mean))
            .collect();
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return largest;
        }
        let sum: f64 = terms.iter().map(|term| det::exp(term - largest)).sum();
        (largest + det::ln(sum)).min(0.0)
    }

    /// For each p-value of `targets` the smallest count whose p-value is at most that.
    pub(crate) fn minimum_counts(&self, targets: &[f64], convention: Convention) -> Vec<u32> {
        let mut survival = self.probabilities();
        let mut sum = 0.0;
        for probability in survival.iter_mut().rev() {
            sum += *probability;
            *probability = sum;
        }
        let least = if convention.excess_only() { (self.expected as usize) + 1 } else { 1 };
        let smallest = |target: &f64| {
            let count = survival.partition_point(|p| p > target).max(least);
            if count < survival.len() || *target <= 0.0 { count as u32 } else { NEVER }
        };
        targets.iter().map(smallest).collect()
    }

    /// The smallest count that `is_small_enough` finds, in which p-values (as logarithms) of counts fall.
    pub(crate) fn minimum_count(&self, convention: Convention, is_small_enough: impl Fn(f64) -> bool) -> u32 {
        if is_small_enough(0.0) {
            return 0;
        }
        let (mut below, mut above) = (0_u32, NEVER);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if is_small_enough(self.ln_p(u64::from(middle), convention)) {
                above = middle;
            } else {
                below = middle;
            }
        }
        above
    }

    /// The probability of every count from 0 on, until there is nothing left of it.
    fn probabilities(&self) -> Vec<f64> {
        let largest = self.means.iter().copied().fold(0.0, f64::max);
        let mut probabilities = vec![0.0; largest_count(largest) as usize + 2];
        for (mean, weight) in self.means.iter().zip(&self.weights) {
            add_poisson(&mut probabilities, *mean, *weight);
        }
        probabilities
    }
}

/// Where the Poisson distribution of `mean` has ended: 13 standard deviations beyond, 2^-120 below a mean of 1.
fn largest_count(mean: f64) -> f64 {
    mean + 13.0 * mean.sqrt() + 40.0
}

/// Adds `weight` times the probabilities of a Poisson distribution, from the mode outwards.
fn add_poisson(probabilities: &mut [f64], mean: f64, weight: f64) {
    let mode = mean as usize;
    let at_mode = if mean > 0.0 { weight * det::exp(ln_poisson_term(mode as f64, mean)) } else { weight };
    let least = at_mode * NEGLIGIBLE;
    let (below, above) = probabilities.split_at_mut(mode);
    let mut term = at_mode;
    let mut count = mode as f64;
    for probability in above {
        *probability += term;
        count += 1.0;
        term *= mean / count;
        if term <= least {
            break;
        }
    }
    let (mut term, mut count, inverse) = (at_mode, mode as f64, 1.0 / mean);
    for probability in below.iter_mut().rev() {
        term *= count * inverse;
        count -= 1.0;
        if term <= least {
            break;
        }
        *probability += term;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::special::normal_survival;
    use crate::toys::throw::{LEVELS, level_z};

    fn count(smearing: Smearing, expected: f64, relative: f64) -> MarginalCount {
        MarginalCount::new(smearing, expected, relative).unwrap()
    }

    /// Adaptive quadrature of SciPy 1.17.1: `scripts/oracles/smeared.py`.
    #[test]
    fn p_values_agree_with_adaptive_quadrature() {
        let golden = [
            (150, 100.0, 0.1, 8.9152117433e-4, 5.2102200206e-4),
            (10, 5.0, 0.3, 6.1786881644e-2, 6.0680148513e-2),
            (3, 0.5, 1.0, 3.3554279122e-2, 3.6937365576e-2),
            (1300, 1000.0, 0.05, 2.1655410500e-6, 4.6055879259e-7),
            (120, 100.0, 0.0, 2.8230393965e-2, 2.8230393965e-2),
        ];
        for (observed, expected, relative, log_normal, gaussian) in golden {
            for (smearing, wanted) in [(Smearing::LogNormal, log_normal), (Smearing::TruncatedGaussian, gaussian)] {
                let got = det::exp(count(smearing, expected, relative).ln_p(observed, Convention::Survival));
                // The kink of a Gaussian cut at zero in the middle of the distribution costs digits.
                let tolerance = if relative == 1.0 { 1e-3 } else { 1e-8 };
                assert!(
                    (got / wanted - 1.0).abs() < tolerance,
                    "{smearing:?} {observed} {expected}: {got}, not {wanted}"
                );
            }
        }
    }

    #[test]
    fn tables_and_single_p_values_find_the_same_counts() {
        let targets: Vec<f64> = (1..=LEVELS).map(|level| normal_survival(level_z(level))).collect();
        for smearing in [Smearing::LogNormal, Smearing::TruncatedGaussian] {
            for (expected, relative) in [(0.01, 0.5), (3.7, 0.1), (120.0, 0.0), (150.0, 0.4), (4000.0, 0.1)] {
                for convention in [Convention::ExcessOnly, Convention::Survival] {
                    let count = count(smearing, expected, relative);
                    let minimum = count.minimum_counts(&targets, convention);
                    for (target, minimum) in targets.iter().zip(minimum).step_by(13) {
                        let ln_target = det::ln(*target);
                        let ln_p = |n: u32| count.ln_p(u64::from(n), convention);
                        let what = format!("{smearing:?} {expected} {relative} {target:e}: {minimum}");
                        assert!(minimum > 0 && ln_p(minimum) <= ln_target && ln_p(minimum - 1) > ln_target, "{what}");
                        assert_eq!(count.minimum_count(convention, |ln_p| ln_p <= ln_target), minimum, "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_uncertainty_is_poisson() {
        let count = count(Smearing::LogNormal, 7.5, 0.0);
        for n in [0, 1, 7, 8, 14, 400] {
            let wanted = if n <= 7 { 0.0 } else { ln_poisson_survival(n, 7.5) };
            assert!((count.ln_p(n, Convention::ExcessOnly) - wanted).abs() < 1e-13 * (1.0 - wanted), "{n}");
        }
        assert_eq!(count.minimum_count(Convention::ExcessOnly, |_| true), 0);
        let sum: f64 = count.probabilities().iter().sum();
        assert!((sum - 1.0).abs() < 1e-13, "{sum}");
    }

    #[test]
    fn a_wider_expectation_makes_an_excess_smaller() {
        let ln_p = |relative| count(Smearing::LogNormal, 100.0, relative).ln_p(160, Convention::ExcessOnly);
        let all: Vec<f64> = [0.0, 0.01, 0.05, 0.1, 0.3].map(ln_p).to_vec();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
    }

    #[test]
    fn what_does_not_fit_a_table_is_refused() {
        let error = MarginalCount::new(Smearing::LogNormal, 1e6, 1.0).unwrap_err().to_string();
        assert!(error.contains("its counts are too many for a marginal p-value"), "{error}");
    }
}
