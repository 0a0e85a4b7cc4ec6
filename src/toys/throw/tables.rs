//! The tables of the toys, built once on the host, so that a toy is integers only.

use rayon::prelude::*;

use super::math;
use crate::error::{Fault, Problems, Result};
use crate::hunt::Convention;
use crate::hunt::scan::math::local_ln_p;
use crate::math::poisson::PoissonTable;
use crate::math::special;

const NAME: &str = "toys.throw";

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

/// The inverted Poisson distribution functions of all cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct DrawTables {
    pub(crate) cell: Vec<u32>,
    pub(crate) guide: Vec<u32>,
    pub(crate) threshold_high: Vec<u32>,
    pub(crate) threshold_low: Vec<u32>,
}

impl DrawTables {
    /// # Errors
    /// Cells whose expectation is negative, not finite or too large, all at once.
    pub(crate) fn new(expected: &[f64]) -> Result<Self> {
        let mut problems = Problems::default();
        for (cell, mean) in expected.iter().enumerate() {
            if !mean.is_finite() || *mean < 0.0 {
                let fault = Fault::new(NAME, format!("the expectation of cell {cell} is {mean}"));
                problems.push(fault.because("a Poisson mean is 0 or more, and finite").data());
            }
        }
        let total: f64 = expected.iter().sum();
        // Counts and their sums are 32 bits wide on the device; at 2^31 expected a toy never comes near 2^32.
        if total >= f64::from(1_u32 << 31) {
            let fault = Fault::new(NAME, format!("{total} events are expected in all"));
            problems.push(fault.because("the sums of a toy have 32 bits").suggest("Hunt in fewer cells.").data());
        }
        problems.finish()?;
        let tables: Vec<Result<PoissonTable>> = expected.par_iter().map(|mean| PoissonTable::new(*mean)).collect();
        let mut all = Self::default();
        for table in tables {
            all.push(&table?)?;
        }
        Ok(all)
    }

    fn push(&mut self, table: &PoissonTable) -> Result<()> {
        let thresholds = table.thresholds();
        let (offset, guide_start) = (self.threshold_high.len(), self.guide.len());
        let bits = guide_bits(thresholds.len());
        // Entry g is the first threshold that a word with the upper bits g might not have passed.
        let mut index = 0;
        for entry in 0..1_u64 << bits {
            while index < thresholds.len() && thresholds[index] <= entry << (64 - bits) {
                index += 1;
            }
            self.guide.push((offset + index) as u32);
        }
        self.threshold_high.extend(thresholds.iter().map(|threshold| (threshold >> 32) as u32));
        self.threshold_low.extend(thresholds.iter().map(|threshold| *threshold as u32));
        let end = self.threshold_high.len();
        self.threshold_high.push(u32::MAX);
        self.threshold_low.push(u32::MAX);
        if end >= 1 << 31 || self.guide.len() >= 1 << 31 {
            let fault = Fault::new(NAME, "the tables of the cells have more than 2^31 entries");
            return Err(fault.because("they are numbered in 32 bits").suggest("Hunt in fewer cells.").data());
        }
        // A count is the threshold's index less its bias, modulo 2^32.
        let bias = (offset as u32).wrapping_sub(table.first());
        self.cell.extend([guide_start as u32, 32 - bits, end as u32, bias]);
        Ok(())
    }
}

/// As many guide entries as thresholds, so that a search takes one or two steps whatever the mean.
fn guide_bits(thresholds: usize) -> u32 {
    thresholds.max(2).next_power_of_two().ilog2().clamp(1, 16)
}

/// For each level from 1 on, the count from which each window reaches it: `levels` rows of all windows.
pub(crate) fn minimum_counts(expected: &[f64], convention: Convention) -> Vec<u32> {
    let targets: Vec<(f64, f64)> =
        (1..=LEVELS).map(|level| (level_z(level), special::ln_normal_survival(level_z(level)))).collect();
    let columns: Vec<Vec<u32>> = expected
        .par_iter()
        .map(|mean| {
            let mut search = Search::new(*mean, convention, Exceedance::AtLeast);
            targets.iter().map(|(z, ln_p)| search.minimum(*z, *ln_p)).collect()
        })
        .collect();
    (0..LEVELS as usize).flat_map(|level| columns.iter().map(move |column| column[level])).collect()
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
    /// The last count found, and the logarithms of the p-values of it and of the count below.
    last: Option<(u32, f64, f64)>,
}

impl Search {
    fn new(mean: f64, convention: Convention, exceedance: Exceedance) -> Self {
        Self { mean, excess_only: convention.excess_only(), exceedance, last: None }
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
    fn minimum(&mut self, z: f64, target: f64) -> u32 {
        if self.small_enough(0.0, target) {
            return 0;
        }
        if let Some((count, at, below)) = self.last
            && self.small_enough(at, target)
            && !self.small_enough(below, target)
        {
            return count;
        }
        let (count, at, below) = self.bisect(self.guess(z), target);
        self.last = Some((count, at, below));
        count
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

const _: () = assert!(math::WORDS_A_CELL == 4);
