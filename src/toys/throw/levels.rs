//! Significances as counts: from which count a window is at a level, or as significant as the observation.

use rayon::prelude::*;

use crate::hunt::Convention;
use crate::hunt::scan::math::local_ln_p;
use crate::math::{det, special};

/// The number of significance levels: the largest significance of a toy is tallied from 0 to [`level_z`]`(LEVELS)` = 8, beyond
/// which no number of toys resolves anything.
pub const LEVELS: u32 = 160;

const LEVELS_A_SIGMA: f64 = 20.0;

/// A count that no toy reaches.
pub(crate) const NEVER: u32 = u32::MAX;

/// The significance from which on a toy is at `level`. A level is 0.05 wide; level 0 holds whatever is below 0.05.
///
/// ```
/// assert_eq!(trawl::toys::throw::level_z(70), 3.5);
/// ```
pub fn level_z(level: u32) -> f64 {
    f64::from(level) / LEVELS_A_SIGMA
}

/// Which toys count as at least as significant as the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exceedance {
    /// `z_toy >= z_observed`: the p-value.
    #[default]
    AtLeast,
    /// `z_toy > z_observed`: leaves out toys that tie with the observation.
    Above,
}

/// For each level from 1 on, the count from which each window reaches it: `levels` rows of all windows.
pub(crate) fn minimum_counts(expected: &[f64], convention: Convention) -> Vec<u32> {
    let targets: Vec<f64> = (1..=LEVELS).map(|level| special::normal_survival(level_z(level))).collect();
    let columns: Vec<Vec<u32>> =
        expected.par_iter().map(|mean| minimum_counts_of(*mean, convention, &targets)).collect();
    (0..LEVELS as usize).flat_map(|level| columns.iter().map(move |column| column[level])).collect()
}

/// The smallest counts whose p-values are at most `targets`, which fall.
///
/// Only the count of the highest level is searched for. From there p(n - 1) = p(n) + q(n - 1) with q(n - 1) = q(n) n / mean, two
/// operations a count where an evaluation of p takes some hundred.
fn minimum_counts_of(mean: f64, convention: Convention, targets: &[f64]) -> Vec<u32> {
    let search = Search::new(mean, convention, Exceedance::AtLeast);
    let (top, at_top, below_top) =
        search.bisect(search.guess(level_z(LEVELS)), special::ln_normal_survival(level_z(LEVELS)));
    // Without an excess p is 1; so it is for no events at all.
    let least = if convention.excess_only() { (mean as u32).saturating_add(1) } else { 1 };
    let (mut count, mut p, mut p_below) = (top, det::exp(at_top), det::exp(below_top));
    let mut term = p_below - p;
    let mut minimum = vec![0; targets.len()];
    for (minimum, target) in minimum.iter_mut().zip(targets).rev() {
        while count > least && p_below <= *target {
            count -= 1;
            p = p_below;
            term *= f64::from(count) / mean;
            p_below = p + term;
        }
        *minimum = count;
    }
    minimum
}

/// The highest level that is reached by about 20 windows of a toy, at least 1: a toy in which none reaches it is rare even if the
/// windows overlap threefold. Of windows that overlap more, no more than three for each of the `cells` count.
pub(crate) fn floor_level(windows: usize, cells: usize) -> u32 {
    let windows = windows.min(3 * cells) as f64;
    let reached = |level: &u32| windows * special::normal_survival(level_z(*level)) >= 20.0;
    (1..=LEVELS).rev().find(reached).unwrap_or(1)
}

/// The count from which each window is as significant as the observation with this `ln_p` and `z`.
pub(crate) fn critical_counts(
    expected: &[f64],
    convention: Convention,
    exceedance: Exceedance,
    z: f64,
    ln_p: f64,
) -> Vec<u32> {
    expected.par_iter().map(|mean| Search::new(*mean, convention, exceedance).minimum(z, ln_p)).collect()
}

/// Finds the smallest count of a window whose p-value is small enough.
struct Search {
    mean: f64,
    excess_only: bool,
    exceedance: Exceedance,
}

impl Search {
    fn new(mean: f64, convention: Convention, exceedance: Exceedance) -> Self {
        Self { mean, excess_only: convention.excess_only(), exceedance }
    }

    fn ln_p(&self, count: u32) -> f64 {
        local_ln_p(u64::from(count), self.mean, self.excess_only)
    }

    fn small_enough(&self, ln_p: f64, target: f64) -> bool {
        match self.exceedance {
            Exceedance::AtLeast => ln_p <= target,
            Exceedance::Above => ln_p < target,
        }
    }

    /// The smallest count with a p-value of at most `exp(target)`, whose significance is near `z`.
    fn minimum(&self, z: f64, target: f64) -> u32 {
        if self.small_enough(0.0, target) {
            return 0;
        }
        self.bisect(self.guess(z), target).0
    }

    /// Cornish and Fisher's expansion to the skewness: within a count or two where the mean is above 1.
    fn guess(&self, z: f64) -> u32 {
        let guess = self.mean + z * self.mean.sqrt() + (z * z - 1.0) / 6.0 + 1.0;
        guess.clamp(1.0, f64::from(NEVER - 1)) as u32
    }

    /// Brackets the count from a guess in doubling steps, then halves the bracket. A count of 0 is never small enough
    /// here, and [`NEVER`] counts as always.
    fn bisect(&self, guess: u32, target: f64) -> (u32, f64, f64) {
        let at_guess = self.ln_p(guess);
        let (mut below, mut above) = ((0, 0.0), (NEVER, f64::NEG_INFINITY));
        let mut step = 1;
        if self.small_enough(at_guess, target) {
            above = (guess, at_guess);
            while above.0 > step {
                let count = above.0 - step;
                let ln_p = self.ln_p(count);
                if !self.small_enough(ln_p, target) {
                    below = (count, ln_p);
                    break;
                }
                above = (count, ln_p);
                step *= 2;
            }
        } else {
            below = (guess, at_guess);
            while step < NEVER - below.0 {
                let count = below.0 + step;
                let ln_p = self.ln_p(count);
                if self.small_enough(ln_p, target) {
                    above = (count, ln_p);
                    break;
                }
                below = (count, ln_p);
                step *= 2;
            }
        }
        while above.0 - below.0 > 1 {
            let count = below.0 + (above.0 - below.0) / 2;
            let ln_p = self.ln_p(count);
            if self.small_enough(ln_p, target) {
                above = (count, ln_p);
            } else {
                below = (count, ln_p);
            }
        }
        (above.0, above.1, below.1)
    }
}
