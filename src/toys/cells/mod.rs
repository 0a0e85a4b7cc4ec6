//! Cells drawn one by one, each with a word of 32 bits: what `toys.tail` needs, whose chosen window takes its own cells apart.
//!
//! A word is compared with the upper halves of the thresholds of the cell's distribution function ([`crate::math::poisson`]);
//! where it ties with one, another 32 bits decide.

pub mod math;

use rayon::prelude::*;

use super::throw::check_expected;
use crate::error::{Fault, Result};
use crate::math::poisson::PoissonTable;

const NAME: &str = "toys.cells";

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
        check_expected(expected)?;
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

const _: () = assert!(math::WORDS_A_CELL == 4);
