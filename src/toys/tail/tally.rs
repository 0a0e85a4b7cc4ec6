//! Toys of the tail counted by the number of windows that reach their critical counts, in parts that add up.

use std::ops::Range;

use super::TailTables;
use crate::error::{Fault, Problems, Result};
use crate::toys::tally::merge_ranges;

const NAME: &str = "toys.tail";

/// A tally of the toys of the tail. Parts of the same tables and seed merge to the tally of all, in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct TailTally {
    seed: u64,
    tables_sha256: String,
    ranges: Vec<Range<u64>>,
    ln_threshold: f64,
    ln_sum_of_local: f64,
    ln_independent: f64,
    reached: Vec<u64>,
}

impl TailTally {
    /// A tally without toys for the local p-value `exp(ln_threshold)` that some window must reach.
    pub(crate) fn empty(seed: u64, ln_threshold: f64, tables: &TailTables) -> Self {
        Self {
            seed,
            tables_sha256: tables.sha256(),
            ranges: Vec::new(),
            ln_threshold,
            ln_sum_of_local: tables.ln_sum(),
            ln_independent: tables.ln_independent(),
            reached: vec![0; tables.input.tally_length()],
        }
    }

    /// Adds the toys `range` from the column of `toys.tail`.
    ///
    /// # Errors
    /// A column that does not hold one window or more for each of these toys.
    pub(crate) fn add(&mut self, range: Range<u64>, column: &[u64]) -> Result<()> {
        let (toys, counted) = (range.end.saturating_sub(range.start), column.iter().sum::<u64>());
        if counted != toys || column.len() != self.reached.len() || column.first() != Some(&0) {
            let problem = format!("{counted} toys were counted, of {toys} thrown");
            return Err(Fault::new(NAME, problem).because("each has one window or more at its critical count").data());
        }
        let mut problems = Problems::default();
        let ranges = merge_ranges(NAME, &self.ranges, &[range], &mut problems);
        problems.finish()?;
        self.ranges = ranges;
        self.reached.iter_mut().zip(column).for_each(|(sum, part)| *sum += part);
        Ok(())
    }

    /// The number of toys.
    pub fn toys(&self) -> u64 {
        self.reached.iter().sum()
    }

    /// The number of toys in which 0 (never), 1, 2, ... windows reach their critical counts.
    pub fn reached(&self) -> &[u64] {
        &self.reached
    }

    /// The number of windows that can reach their critical counts.
    pub fn windows(&self) -> usize {
        self.reached.len() - 1
    }

    /// The logarithm of the local p-value that some window must reach.
    pub fn ln_threshold(&self) -> f64 {
        self.ln_threshold
    }

    /// The logarithm of the sum of the windows' own probabilities, `S`.
    pub fn ln_sum_of_local(&self) -> f64 {
        self.ln_sum_of_local
    }

    /// The logarithm of `1 - prod(1 - P(A_i))`, the global p-value if no two windows had a cell in common.
    pub fn ln_independent(&self) -> f64 {
        self.ln_independent
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The numbers of the toys, in order, without gaps where parts met.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// The sha256 of the tables that made the toys: cells, windows, expectation and critical counts.
    pub fn tables_sha256(&self) -> &str {
        &self.tables_sha256
    }

    /// Adds another part.
    ///
    /// # Errors
    /// A part of another seed or other tables, or one that holds toys that this one has.
    pub fn merge(mut self, other: &Self) -> Result<Self> {
        let mut problems = Problems::default();
        if self.seed != other.seed {
            let fault = Fault::new(NAME, format!("parts of seed {} and of seed {}", self.seed, other.seed));
            problems.push(fault.because("toys of different seeds may be the same toys").data());
        }
        if self.tables_sha256 != other.tables_sha256 || self.reached.len() != other.reached.len() {
            let fault = Fault::new(NAME, "parts of different planes, expectations or thresholds");
            problems.push(fault.because(format!("{} is not {}", self.tables_sha256, other.tables_sha256)).data());
        }
        let ranges = merge_ranges(NAME, &self.ranges, &other.ranges, &mut problems);
        problems.finish()?;
        self.ranges = ranges;
        self.reached.iter_mut().zip(&other.reached).for_each(|(sum, part)| *sum += part);
        Ok(self)
    }
}
