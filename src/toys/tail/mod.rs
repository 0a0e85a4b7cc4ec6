//! Operation `toys.tail`: the probability that any window reaches its critical count, however rare.
//!
//! **What.** With `A_i` the event that window `i` holds its critical count `c_i` or more, the global p-value is the
//! probability of their union. Its parts are known, `P(A_i) = P(N >= c_i | b_i)`, and
//!
//! ```text
//! P(A_1 or A_2 or ...) = S E[1/K],    S = sum_i P(A_i),
//! ```
//!
//! with the expectation over toys that are drawn so: window `i` with probability `P(A_i)/S`; its total from the Poisson
//! distribution given `c_i` or more; the total spread over the window's cells in proportion to their means; every other cell
//! freely. `K`, at least 1, is the number of windows that reach their critical counts. `1/K` varies between 1 and the
//! inverse of the largest number of windows that overlap, however small `p` is: 4,000 toys give 8 sigma as well as 3. How many
//! are thrown is decided by the accuracy that they reach ([`exceeding`](super::exceeding)).
//!
//! **How.** All cells are drawn freely, one by one. If the chosen window then holds fewer events than its
//! total, the missing ones are added, each to a cell in proportion to its mean; if it holds more, as many are taken away,
//! each of those there with the same probability. Either way its cells are multinomial given the total, and only
//! about `z sqrt(b_i)` events are moved.
//!
//! **Integers only.** Windows, totals and cells are chosen by 64-bit thresholds ([`crate::math::poisson`]), errors below 2^-60;
//! the tally counts the toys with each `K`, equal (`==`) on the CPU and on CUDA and for any split. `P(A_i)` has a relative
//! error of 1e-12; it is computed once, on the host. What follows from the tally is in [`TailEstimate`].
//!
//! **Neglected.** The uncertainty of the expectation, which must be fixed: with sidebands that normalise it, or with
//! channels that are combined, a window's probability is not that of its count.
//! **Cost.** A toy of `toys.throw`, and half a Philox block an event moved. Tables: 8 bytes a threshold of each window's
//! total, about `6 sqrt(b_i) + 10` at 5 sigma, and 8 bytes a cell of each window.
//! **Source.** Naiman and Priebe, J. Comput. Graph. Statist. 10 (2001) 296.

mod cpu;
mod cuda;
mod estimate;
pub mod math;
mod tables;
mod tally;

use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
pub use estimate::TailEstimate;
pub(crate) use estimate::effective_trials;
pub(crate) use tables::{Geometry, TailTables};
pub use tally::TailTally;

use super::cells::math::WORDS_A_CELL;

/// The operation `toys.tail`: a range of the toys of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The seed of all toys.
    pub seed: u64,
    /// The number of the first toy: toys of one seed may be thrown in parts.
    pub first_toy: u64,
    /// How many toys.
    pub toys: u64,
}

impl Tail {
    /// The relative error at which toys stop unless a card says otherwise: 0.5 %. In a plane of 1,539 windows the fewest toys
    /// reach 0.16 % at 5 sigma and 0.05 % at 8.
    pub const USUAL_ACCURACY: f64 = 0.005;
}

/// The tables of the toys. All windows are those that can reach their critical counts.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// Four words a cell: see [`cells`](super::cells).
    pub cell: P::Column<u32>,
    /// From the upper bits of a word to the first threshold that it might not have passed.
    pub guide: P::Column<u32>,
    /// The upper halves of the thresholds of each cell, and all ones at its end.
    pub threshold_high: P::Column<u32>,
    /// The lower halves.
    pub threshold_low: P::Column<u32>,
    /// The first cell of each window in its lowest row.
    pub start: P::Column<u32>,
    /// The cell after the last of each window in its lowest row.
    pub end: P::Column<u32>,
    /// The rows of each window.
    pub height: P::Column<u32>,
    /// The cells of a row.
    pub columns: u32,
    /// The critical count of each window.
    pub critical: P::Column<u32>,
    /// The thresholds that choose a window, one fewer than windows: 2^64 times the running sum of `P(A_i)/S`.
    pub choice: P::Column<u64>,
    /// For each window `[first threshold of its total, end of them, total below the first, first threshold of its cells]`.
    pub place: P::Column<u32>,
    /// The thresholds of each window's total, given that it reaches the critical count.
    pub tail: P::Column<u64>,
    /// The thresholds that choose a cell of a window, one fewer than its cells.
    pub share: P::Column<u64>,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The number of toys in which 0 (never), 1, 2, ... windows reach their critical counts.
    pub tally: P::Column<u64>,
}

impl<P: Place> Input<P> {
    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.cell.length() / WORDS_A_CELL
    }

    /// The number of windows.
    pub fn windows(&self) -> usize {
        self.start.length()
    }

    /// The length of the tally.
    pub fn tally_length(&self) -> usize {
        self.windows() + 1
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
            height: cuda.upload(&self.height)?,
            columns: self.columns,
            critical: cuda.upload(&self.critical)?,
            choice: cuda.upload(&self.choice)?,
            place: cuda.upload(&self.place)?,
            tail: cuda.upload(&self.tail)?,
            share: cuda.upload(&self.share)?,
        })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output { tally: cuda.download(&self.tally)? })
    }
}

impl Operation for Tail {
    const NAME: &'static str = "toys.tail";
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        if self.toys == 0 {
            let fault = Fault::new(Self::NAME, "the number of toys is 0").because("nothing would be estimated");
            problems.push(fault.suggest("Use 4000 or more.").usage());
        }
        if self.first_toy.checked_add(self.toys).is_none() {
            let fault = Fault::new(Self::NAME, format!("{} toys from number {}", self.toys, self.first_toy));
            problems.push(fault.because("toys are numbered in 64 bits").usage());
        }
        let windows = input.windows();
        if windows == 0 {
            let fault = Fault::new(Self::NAME, "there is no window");
            problems.push(fault.because("one is chosen in each toy").data());
        }
        let columns = [
            ("ends", input.end.length(), windows),
            ("heights", input.height.length(), windows),
            ("critical counts", input.critical.length(), windows),
            ("thresholds of windows", input.choice.length(), windows.saturating_sub(1)),
            ("words of windows' places", input.place.length(), math::WORDS_A_PLACE * windows),
            ("words of cells", input.cell.length(), input.cells() * WORDS_A_CELL),
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
            + (4 + math::WORDS_A_PLACE) * input.windows();
        let wide = input.choice.length() + input.tail.length() + input.share.length() + input.tally_length();
        Plan { fixed: Bytes::of::<u32>(words) + Bytes::of::<u64>(wide), per_unit: Bytes(0), units: self.toys }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        Ok(Output { tally: cpu::tally(self, &input).into() })
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::tally(self, cuda, &input)
    }
}

#[cfg(test)]
mod tests;
