//! Operation `toys.smeared`: pseudo-experiments whose expectation is uncertain.
//!
//! **What.** Toy `t` draws the nuisances of the background's uncertainty, smears the expectation of every cell by the formula of
//! [`uncertainty`](crate::toys::uncertainty), draws `n_c ~ Poisson` of the smeared expectation, sums the windows and is tallied
//! as in [`toys.throw`](crate::toys::throw). The tables of minimum and critical counts say which
//! [`Statistic`](crate::toys::Statistic) is maximised; the toys compare counts with them and know nothing of it.
//!
//! **Integers are equal.** Expectations differ from toy to toy, so no table serves: a draw inverts the distribution function in
//! doubles by `+ - * /`, the square root and [`det`](crate::math::det). One number of 52 bits decides a draw, one a nuisance,
//! each a function of (seed, stage, toy, cell or template), nuisances under a stage of their own. The same seed gives the same
//! tally on the CPU and on CUDA, for any number of threads, block size or split of the toys.
//!
//! **Accuracy.** A count has its probability within 1e-15 (1 + sqrt(mean)) in all, and nothing is drawn beyond what 52 bits
//! resolve: 8.1 sigma in a nuisance or a cell. Below a mean of 16 the search goes up from 0, from there on outwards from the mode.
//!
//! **Cost.** A cell takes one set of four random words (half of one without statistical uncertainty), a quantile, two products a
//! template, one or two exponentials, and a search of mean + 1 steps below 16, 0.8 sqrt(mean) double ones above. On CUDA a block
//! runs a toy in shared memory, 4 bytes a cell, and each cell makes its random words for itself.
//! **Source.** arXiv:2306.03637, section 7, whose toys had no uncertainty; golden: NumPy's toys of the 12 x 5 plane (tests).

pub(super) mod cpu;
mod cuda;
pub mod math;

use std::ops::Range;

use crate::device::{Bytes, Column, Cuda, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::hunt::content;
use crate::toys::uncertainty::MOST_TEMPLATES;
use crate::toys::{BackgroundUncertainty, Smearing, throw};

pub use throw::Output;

/// The operation `toys.smeared`: a range of the toys of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smeared {
    /// The seed of all toys.
    pub seed: u64,
    /// The number of the first toy: toys of one seed may be thrown in parts.
    pub first_toy: u64,
    /// How many toys.
    pub toys: u64,
    /// The distribution of the smeared expectations.
    pub smearing: Smearing,
}

/// What the toys are drawn from, and what they are compared with.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The expectation of each cell.
    pub expected: P::Column<f64>,
    /// The middle of each cell's `x`.
    pub middle: P::Column<f64>,
    /// The largest `x` of each cell.
    pub most: P::Column<f64>,
    /// What multiplies each cell's own nuisance; empty where no cell has one.
    pub own: P::Column<f64>,
    /// What multiplies the templates' nuisances: a row of all cells for each template.
    pub shared: P::Column<f64>,
    /// The first cell of each window in its lowest row.
    pub start: P::Column<u32>,
    /// The cell after the last of each window in its lowest row.
    pub end: P::Column<u32>,
    /// The rows of each window.
    pub height: P::Column<u32>,
    /// The cells of a row.
    pub columns: u32,
    /// For each level from 1 on a row of all windows: the count from which the window reaches the level.
    pub minimum: P::Column<u32>,
    /// The count from which each window is as significant as the observation.
    pub critical: P::Column<u32>,
}

impl<P: Place> Input<P> {
    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.expected.length()
    }

    /// The number of templates.
    pub fn templates(&self) -> usize {
        self.shared.length() / self.cells().max(1)
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

impl Input<Host> {
    /// The content of a window by the running sums of all cells.
    #[inline]
    pub(crate) fn content(&self, window: usize, sums: &[u32]) -> u32 {
        content(sums, (self.start[window], self.end[window]), self.height[window], self.columns) as u32
    }

    /// The cells of a window, a range for each of its rows.
    pub(crate) fn ranges(&self, window: usize) -> impl Iterator<Item = Range<usize>> + Clone + use<> {
        let (start, end, columns) = (self.start[window] as usize, self.end[window] as usize, self.columns as usize);
        (0..self.height[window] as usize).map(move |row| start + row * columns..end + row * columns)
    }

    /// The cells of a window, in order.
    pub(crate) fn cells_of(&self, window: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        self.ranges(window).flatten()
    }

    /// The columns of cells that expect `expected`; those of windows are empty.
    ///
    /// # Errors
    /// All at once: expectations that are negative or not finite, an uncertainty of other cells, and toys that could hold
    /// 2^31 events.
    pub fn of_cells(expected: &[f64], uncertainty: &BackgroundUncertainty) -> Result<Self> {
        let mut problems = Problems::default();
        for (cell, mean) in expected.iter().enumerate().filter(|(_, mean)| !mean.is_finite() || **mean < 0.0) {
            let fault = Fault::new(Smeared::NAME, format!("the expectation of cell {cell} is {mean}"));
            problems.push(fault.because("a Poisson mean is 0 or more, and finite").data());
        }
        if uncertainty.cells() != expected.len() {
            let problem = format!("uncertainties of {} cells for {} cells", uncertainty.cells(), expected.len());
            problems.push(Fault::new(Smeared::NAME, problem).because("each cell needs one").data());
        }
        problems.finish()?;
        let largest = uncertainty.largest_total(expected);
        if largest >= f64::from(1_u32 << 31) {
            let fault = Fault::new(Smeared::NAME, format!("up to {largest:.3e} events would be expected of a toy"));
            let fault = fault.because("the sums of a toy have 32 bits");
            return Err(fault.suggest("Hunt in fewer cells, or give smaller uncertainties.").data());
        }
        let coefficients = uncertainty.coefficients();
        let own = if coefficients.own.iter().all(|own| *own == 0.0) { Vec::new() } else { coefficients.own };
        Ok(Self {
            expected: expected.to_vec().into(),
            middle: coefficients.middle.into(),
            most: coefficients.most.into(),
            own: own.into(),
            shared: coefficients.shared.into(),
            start: Vec::new().into(),
            end: Vec::new().into(),
            height: Vec::new().into(),
            columns: expected.len() as u32,
            minimum: Vec::new().into(),
            critical: Vec::new().into(),
        })
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input {
            expected: cuda.upload(&self.expected)?,
            middle: cuda.upload(&self.middle)?,
            most: cuda.upload(&self.most)?,
            own: cuda.upload(&self.own)?,
            shared: cuda.upload(&self.shared)?,
            start: cuda.upload(&self.start)?,
            end: cuda.upload(&self.end)?,
            height: cuda.upload(&self.height)?,
            columns: self.columns,
            minimum: cuda.upload(&self.minimum)?,
            critical: cuda.upload(&self.critical)?,
        })
    }
}

impl Operation for Smeared {
    const NAME: &'static str = "toys.smeared";
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
        let (cells, windows, templates) = (input.cells(), input.windows(), input.templates());
        let own = if input.own.length() == 0 { 0 } else { cells };
        let columns = [
            ("middles", input.middle.length(), cells),
            ("largest values", input.most.length(), cells),
            ("coefficients of cells", input.own.length(), own),
            ("coefficients of templates", input.shared.length(), cells * templates),
            ("ends", input.end.length(), windows),
            ("heights", input.height.length(), windows),
            ("critical counts", input.critical.length(), windows),
            ("minimum counts", input.minimum.length(), windows * input.levels() as usize),
            ("templates", templates.max(MOST_TEMPLATES), MOST_TEMPLATES),
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
        let doubles = 3 * input.cells() + input.own.length() + input.shared.length() + input.tally_length();
        let words = 4 * input.windows() + input.minimum.length();
        Plan { fixed: Bytes::of::<f64>(doubles) + Bytes::of::<u32>(words), per_unit: Bytes(0), units: self.toys }
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
