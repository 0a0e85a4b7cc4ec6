//! Operation `toys.scan`: pseudo-experiments that are scanned as the data are.
//!
//! **What.** Toy `t` has `n_c ~ Poisson(B_c)` in each cell `c` of one or several channels. Every window of it is judged by
//! [`hunt.scan`](crate::hunt::scan)'s own functions, and the toy's value is `ln min p`: of all windows, or of those that a
//! [`Combination`](crate::hunt::Combination) joins. The tally counts the toys by that value in the levels of
//! [`toys.throw`](crate::toys::throw), and those at least as significant as a limit.
//!
//! **Why beside `toys.throw`.** There a window's significance is a function of its count that a table holds. With sidebands
//! it depends on the toy's total too, deficits need tables of upper limits, and combined channels are sums of logarithms: here
//! p-values are computed in the toy. Most windows need none: a bound without a logarithm
//! ([`most_t`](crate::hunt::scan::math::most_t)) shows that they cannot be the best. These are brute-force toys; the rare-tail
//! estimator holds for excesses over fixed expectations only.
//!
//! **Numbers.** A draw inverts the distribution function, tabulated as 64-bit thresholds ([`crate::math::poisson`]), with 64
//! random bits that are a function of (seed, stage, toy, cell). p-values come from `math::det`, and those within 1e-9 of each other
//! (of their logarithms, relative) are ties, so the same seed gives the same tally on the CPU and on CUDA, for any number of
//! threads, block size or split of the toys.
//!
//! **Combined channels.** Levels are those of a p-value of `prod p_c`, which is none: they only name places on the scale.
//! **Neglected.** The uncertainty of the expectation.
//! **Cost.** Half a Philox block and a binary search a cell; two to four sums, a division and a square root a window; a
//! Poisson tail for the few windows that could be the best. On CUDA a block runs a toy in shared memory, 4 bytes a cell.
//! **Source.** arXiv:1101.0390; agreement with pyBumpHunter 0.5.1 on random spectra (`scripts/oracles/bump_hunter.py`).

mod cpu;
mod cuda;
pub mod math;
mod run;
mod tables;

use super::Throw;
use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::hunt::Scan;
use crate::math::philox::Stage;
pub(crate) use run::{throw_until, values};
pub(crate) use tables::{Channel, limit, tables};

/// The operation `toys.scan`: a range of the toys of a seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScanToys {
    /// Which toys.
    pub throw: Throw,
    /// What they are for.
    pub stage: Stage,
    /// How windows are judged.
    pub scan: Scan,
    /// The largest logarithm of a p-value that counts as exceeding.
    pub limit_ln_p: f64,
}

/// The tables of the toys: the cells and windows of all channels, one channel after the other.
///
/// A candidate is a window, or with the same window in several channels all of them: candidate `i` is the windows `i`,
/// `i + candidates`, `i + 2 candidates` and so on. A set is a run of candidates of which the best counts: each channel is
/// one, or all of them together.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// For each cell `[its first threshold, the one after its last, its smallest count]`.
    pub cell: P::Column<u32>,
    /// The thresholds of each cell's distribution function.
    pub threshold: P::Column<u64>,
    /// The first cell of each window.
    pub start: P::Column<u32>,
    /// The cell after the last of each window.
    pub end: P::Column<u32>,
    /// The first cell of each window and its sidebands.
    pub sideband_start: P::Column<u32>,
    /// The cell after the last of each window and its sidebands.
    pub sideband_end: P::Column<u32>,
    /// The expected content of each window, above 0.
    pub expected: P::Column<f64>,
    /// The expected content beside each window; above 0 with sidebands, unused without.
    pub expected_outside: P::Column<f64>,
    /// Where each window begins on the axis that the channels share.
    pub low: P::Column<f64>,
    /// Where it ends.
    pub high: P::Column<f64>,
    /// The first candidate of each set, and the number of candidates.
    pub set: P::Column<u32>,
    /// The largest logarithm of a p-value at each level from 1 on.
    pub level_ln_p: P::Column<f64>,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The smallest logarithm of a p-value of each toy.
    pub ln_p: P::Column<f64>,
    /// The number of toys that exceed, then the number at each level from 0 on.
    pub tally: P::Column<u64>,
}

impl<P: Place> Input<P> {
    /// The number of cells of all channels.
    pub fn cells(&self) -> usize {
        self.cell.length() / math::WORDS_A_CELL
    }

    /// The number of windows of all channels.
    pub fn windows(&self) -> usize {
        self.start.length()
    }

    /// The number of sets.
    pub fn sets(&self) -> usize {
        self.set.length().saturating_sub(1)
    }

    /// The length of the tally.
    pub fn tally_length(&self) -> usize {
        self.level_ln_p.length() + 2
    }
}

impl Input<Host> {
    /// The number of candidates.
    pub fn candidates(&self) -> usize {
        self.set.last().map_or(0, |candidates| *candidates as usize)
    }

    /// The number of windows of a candidate.
    pub fn members(&self) -> usize {
        self.windows() / self.candidates().max(1)
    }

    fn check_ranges(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String, why: &str| {
            problems.push(Fault::new(ScanToys::NAME, problem).because(why).data());
        };
        let (cells, thresholds) = (self.cells(), self.threshold.len());
        let wrong = |window: &usize| {
            let (start, end) = (self.start[*window], self.end[*window]);
            let (low, high) = (self.sideband_start[*window], self.sideband_end[*window]);
            low > start || start > end || end > high || high as usize > cells
        };
        if let Some(window) = (0..self.windows()).find(wrong) {
            refuse(
                format!("window {window} reaches beyond its sidebands or the {cells} cells"),
                "there is no such cell",
            );
        }
        if let Some(cell) =
            self.cell.chunks_exact(math::WORDS_A_CELL).position(|c| c[0] > c[1] || c[1] as usize > thresholds)
        {
            refuse(format!("cell {cell} has thresholds beyond the {thresholds}"), "there is no such threshold");
        }
        let candidates = self.candidates();
        let rising = self.set.first() == Some(&0) && self.set.windows(2).all(|set| set[0] < set[1]);
        if !rising || candidates == 0 || !self.windows().is_multiple_of(candidates.max(1)) {
            let problem = format!("{} sets of {candidates} candidates of {} windows", self.sets(), self.windows());
            refuse(problem, "each set has a candidate and each candidate as many windows");
        }
        problems.finish()
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        self.check_ranges()?;
        Ok(Input {
            cell: cuda.upload(&self.cell)?,
            threshold: cuda.upload(&self.threshold)?,
            start: cuda.upload(&self.start)?,
            end: cuda.upload(&self.end)?,
            sideband_start: cuda.upload(&self.sideband_start)?,
            sideband_end: cuda.upload(&self.sideband_end)?,
            expected: cuda.upload(&self.expected)?,
            expected_outside: cuda.upload(&self.expected_outside)?,
            low: cuda.upload(&self.low)?,
            high: cuda.upload(&self.high)?,
            set: cuda.upload(&self.set)?,
            level_ln_p: cuda.upload(&self.level_ln_p)?,
        })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output { ln_p: cuda.download(&self.ln_p)?, tally: cuda.download(&self.tally)? })
    }
}

impl Operation for ScanToys {
    const NAME: &'static str = "toys.scan";
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        let Throw { first_toy, toys, .. } = self.throw;
        if toys == 0 {
            let fault = Fault::new(Self::NAME, "the number of toys is 0").because("nothing would be estimated");
            problems.push(fault.suggest("Use 100000 or more.").usage());
        }
        if first_toy.checked_add(toys).is_none() {
            let fault = Fault::new(Self::NAME, format!("{toys} toys from number {first_toy}"));
            problems.push(fault.because("toys are numbered in 64 bits").usage());
        }
        let windows = input.windows();
        let columns = [
            ("words of cells", input.cell.length(), input.cells() * math::WORDS_A_CELL),
            ("ends", input.end.length(), windows),
            ("starts of sidebands", input.sideband_start.length(), windows),
            ("ends of sidebands", input.sideband_end.length(), windows),
            ("expectations", input.expected.length(), windows),
            ("expectations outside", input.expected_outside.length(), windows),
            ("lower bounds", input.low.length(), windows),
            ("upper bounds", input.high.length(), windows),
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
        let words = input.cell.length() + 4 * input.windows() + input.set.length();
        let doubles = input.threshold.length() + 4 * input.windows() + input.level_ln_p.length();
        let fixed = Bytes::of::<u32>(words) + Bytes::of::<f64>(doubles) + Bytes::of::<u64>(input.tally_length());
        Plan { fixed, per_unit: Bytes::of::<f64>(1), units: self.throw.toys }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        input.check_ranges()?;
        Ok(cpu::scan(self, &input))
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::scan(self, cuda, &input)
    }
}

#[cfg(test)]
mod tests;
