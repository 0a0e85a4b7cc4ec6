//! Operation `toys.throw`: pseudo-experiments in exclusive cells, tallied by their largest local significance.
//!
//! **What.** Toy `t` has `n_c ~ Poisson(B_c)` in each cell `c`; each window sums its cells; the toy's value is the largest
//! significance of any window. The tally counts the toys by that value, in levels of 0.05 sigma, and those at least as
//! significant as the observation.
//!
//! **Integers only.** A draw inverts the distribution function, tabulated as 64-bit thresholds ([`crate::math::poisson`]): one
//! random word decides, and another 32 bits only where it ties with a threshold's upper half (once in 2^32 per threshold).
//! Words are a function of (seed, toy, cell). For the significance each window has, for each level, the count from which it
//! reaches the level, so a toy compares counts. The same seed gives the same tally on the CPU and on CUDA, for any number of
//! threads, block size or split of the toys.
//!
//! **Neglected.** The uncertainty of the expectation: p-values are statistical only.
//! **Cost.** A quarter of a Philox block and one or two table look-ups a cell; two sums and two comparisons a window. On
//! CUDA a block runs a toy in shared memory, 4 bytes a cell.
//! **Source.** The toys of ATLAS, arXiv:2306.03637, section 7; golden: the 12 x 5 plane of the tests.

mod cpu;
mod cuda;
pub mod math;
mod tables;

use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
pub(crate) use tables::{DrawTables, NEVER, critical_counts, minimum_counts};
pub use tables::{Exceedance, LEVELS, level_z};

/// The operation `toys.throw`: a range of the toys of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throw {
    /// The seed of all toys.
    pub seed: u64,
    /// The number of the first toy: toys of one seed may be thrown in parts.
    pub first_toy: u64,
    /// How many toys.
    pub toys: u64,
}

/// The tables of the toys.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// For each cell `[start of its guide, shift from a word to its guide entry, its last threshold + 1, bias]`: the
    /// index of a threshold less the bias, modulo 2^32, is a count.
    pub cell: P::Column<u32>,
    /// From the upper bits of a word to the first threshold that it might not have passed.
    pub guide: P::Column<u32>,
    /// The upper halves of the thresholds of each cell, and all ones at its end.
    pub threshold_high: P::Column<u32>,
    /// The lower halves.
    pub threshold_low: P::Column<u32>,
    /// The first cell of each window.
    pub start: P::Column<u32>,
    /// The cell after the last of each window.
    pub end: P::Column<u32>,
    /// For each level from 1 on a row of all windows: the count from which the window reaches the level.
    pub minimum: P::Column<u32>,
    /// The count from which each window is as significant as the observation.
    pub critical: P::Column<u32>,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The number of toys as significant as the observation, then the number at each level from 0 on.
    pub tally: P::Column<u64>,
}

impl<P: Place> Input<P> {
    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.cell.length() / math::WORDS_A_CELL
    }

    /// The number of windows.
    pub fn windows(&self) -> usize {
        self.start.length()
    }

    /// The number of levels above 0.
    pub fn levels(&self) -> u32 {
        (self.minimum.length() / self.windows().max(1)) as u32
    }

    /// The length of the tally.
    pub fn tally_length(&self) -> usize {
        self.levels() as usize + 2
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input {
            cell: cuda.upload(&self.cell)?,
            guide: cuda.upload(&self.guide)?,
            threshold_high: cuda.upload(&self.threshold_high)?,
            threshold_low: cuda.upload(&self.threshold_low)?,
            start: cuda.upload(&self.start)?,
            end: cuda.upload(&self.end)?,
            minimum: cuda.upload(&self.minimum)?,
            critical: cuda.upload(&self.critical)?,
        })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output { tally: cuda.download(&self.tally)? })
    }
}

impl Operation for Throw {
    const NAME: &'static str = "toys.throw";
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        if self.toys == 0 {
            let fault = Fault::new(Self::NAME, "the number of toys is 0").because("nothing would be estimated");
            problems.push(fault.suggest("Use 100000 or more.").usage());
        }
        if self.first_toy.checked_add(self.toys).is_none() {
            let fault = Fault::new(Self::NAME, format!("{} toys from number {}", self.toys, self.first_toy));
            problems.push(fault.because("toys are numbered in 64 bits").usage());
        }
        let windows = input.windows();
        let columns = [
            ("ends", input.end.length(), windows),
            ("critical counts", input.critical.length(), windows),
            ("minimum counts", input.minimum.length(), windows * input.levels() as usize),
            ("words of cells", input.cell.length(), input.cells() * math::WORDS_A_CELL),
            ("lower halves of thresholds", input.threshold_low.length(), input.threshold_high.length()),
        ];
        for (what, got, expected) in columns {
            if got != expected {
                let fault = Fault::new(Self::NAME, format!("{got} {what} where {expected} are needed"));
                problems.push(fault.because("the tables must belong together").data());
            }
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        let words = input.cell.length()
            + input.guide.length()
            + 2 * input.threshold_high.length()
            + 3 * input.windows()
            + input.minimum.length();
        let fixed = Bytes::of::<u32>(words) + Bytes::of::<u64>(input.tally_length());
        Plan { fixed, per_unit: Bytes(0), units: self.toys }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        Ok(Output { tally: cpu::throw(self, &input).into() })
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::throw(self, cuda, &input)
    }
}

#[cfg(test)]
mod tests;
