//! Operation `toys.smeared_tail`: the probability that any window reaches its critical count, however rare, where the
//! expectation is uncertain.
//!
//! **What.** Let `A_i` be the event that window `i` holds its critical count or more, and `theta` the nuisances, standard normal.
//! Toys are drawn in which some window exceeds: window `i` with probability `Z_i / S`; one nuisance `t = u_i theta` along the
//! window's own direction `u_i` (the gradient of its expectation) from a density close to that of `t` given `A_i`,
//!
//! ```text
//! h_i(t) = phi(t) r_i(t) / Z_i,    r_i(t) ~ P(A_i | t),    Z_i = integral phi r_i ~ P(A_i),    S = sum_i Z_i;
//! ```
//!
//! all other directions freely; the window's total from the Poisson distribution of its smeared expectation `B_i(theta)`, given
//! that it reaches the critical count; that total spread over its cells, and the other cells drawn freely. The weight of a toy is
//! its probability over that of drawing it through any of the windows that exceed, so the global p-value is
//!
//! ```text
//! p = S E[ 1 / sum_{j: A_j} r_j(u_j theta) / P(A_j | B_j(theta)) ].
//! ```
//!
//! That is exact whatever `r` is, and the better `r`, the closer each ratio is to 1 and the whole to the `1/K` of a fixed
//! expectation. `r_i(t)` is the Poisson tail at the mean of `B_i` given `t`: for truncated Gaussian cells and for a single source
//! `B_i` is a function of `t`, for log-normal cells of several sources nearly.
//!
//! **How.** `ln(phi r)` is tabulated from t = -10 to 10 and interpolated linearly, so it is drawn from exactly, by inversion. Nodes
//! are at most 1/4 and 0.7 widths of the Poisson tail apart. What lies beyond 10 standard deviations (1e-23) is left out. The
//! tables are made once, on the host, and uploaded once.
//!
//! **Numbers.** Every toy's weight has the same bits on the CPU and on CUDA: what makes it uses `+ - * /`, the square root and
//! [`det`](crate::math::det), sums over cells go in their order, and the sum over windows in 256 lanes and then in pairs, for any
//! number of threads. Weights and their squares are added in whole units of 2^-60, so the tally is the same for any device,
//! number of threads, block size or split of the toys.
//!
//! **Cost.** A toy of `toys.smeared`, and a Poisson tail for each window that exceeds. Tables: 16 bytes a node, some 80 a window.
//! On CUDA a block runs a toy: 4 bytes a cell of shared memory, and 16 a cell and 4 a window in device memory.
//!
//! **Floor** on an H100 (132 multiprocessors of 64 double-precision lanes at 1.7 GHz, 3.3 TB/s) in the benchmark's plane of 3,078
//! cells, three templates and 1,539 windows, counted from the text, not measured: a cell takes about 260 double-precision
//! instructions (a quantile, an exponential, a search of 6 double steps) and as many integer ones (two sets of Philox), a window
//! that exceeds at most about 1,500; 0.8 million a toy are 60 ns. 16 bytes a cell written and read again are 100 kB a toy, 30 ns
//! if none stays in the caches. What one thread does between barriers is some 10,000 cycles of latency a toy, 6 us: over the 396
//! blocks that run at a time 15 ns, hidden by the two others of a multiprocessor.
//! **Source.** Naiman and Priebe, J. Comput. Graph. Statist. 10 (2001) 296, for fixed expectations; the weights are the balance
//! heuristic of Veach and Guibas (SIGGRAPH 1995).

mod cpu;
mod cuda;
mod estimate;
pub mod math;
mod tables;

pub use estimate::{SmearedTailEstimate, WeightTally};

use std::ops::Range;

use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::math::exact::{LIMBS, TERMS_PER_LIMBS};
use crate::toys::{ExceedingToys, Smeared, Smearing, Stopped, smeared};

const NAME: &str = "toys.smeared_tail";

/// The length of an output: the limbs of two sums.
const SUMS: usize = 2 * LIMBS;

/// The operation `toys.smeared_tail`: a range of the toys of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmearedTail {
    /// The seed of all toys.
    pub seed: u64,
    /// The number of the first toy: toys of one seed may be thrown in parts.
    pub first_toy: u64,
    /// How many toys.
    pub toys: u64,
    /// The distribution of the smeared expectations.
    pub smearing: Smearing,
}

/// From what the toys are drawn: [`Input::new`] makes it.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The cells, their uncertainties, and the windows with their critical counts; no levels.
    pub toys: smeared::Input<P>,
    /// The running sums of the windows' `Z` over the largest.
    pub choice: P::Column<f64>,
    /// The first place of each window in `direction`, and the end of the last.
    pub first_direction: P::Column<u32>,
    /// The unit vector along which each window's expectation rises: a number for each template, then one for each of its cells
    /// where cells have nuisances of their own. Nothing for a window that nothing moves.
    pub direction: P::Column<f64>,
    /// The first node of each window, and the end of the last.
    pub first_node: P::Column<u32>,
    /// The distance of each window's nodes.
    pub step: P::Column<f64>,
    /// At each node `ln(phi r)` without the constant of phi; for a window that nothing moves one node, which is `ln P(A)`.
    pub ln_density: P::Column<f64>,
    /// At each node the running sum of what lies between it and the ones before and after, over the largest density; the last of
    /// a window is the one before.
    pub mass: P::Column<f64>,
    /// `ln S`.
    pub ln_sum_of_local: f64,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The sums of the weights and of their squares in units of 2^-60: four limbs each, of which limb i counts 2^(32 i) units.
    pub sums: P::Column<u64>,
}

impl<P: Place> Input<P> {
    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.toys.cells()
    }

    /// The number of windows.
    pub fn windows(&self) -> usize {
        self.toys.windows()
    }
}

impl Input<Host> {
    /// The cells of a window.
    fn window(&self, window: usize) -> math::Window {
        let toys = &self.toys;
        let (start, height, columns) = (toys.start[window], toys.height[window], toys.columns);
        math::Window { start, width: toys.end[window] - start, height, columns }
    }

    /// The places of a window's nodes.
    fn nodes(&self, window: usize) -> Range<usize> {
        self.first_node[window] as usize..self.first_node[window + 1] as usize
    }

    /// A window's direction; without nuisances of cells it has no numbers for them.
    fn direction(&self, window: usize) -> &[f64] {
        &self.direction[self.first_direction[window] as usize..self.first_direction[window + 1] as usize]
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input {
            toys: self.toys.upload(cuda)?,
            choice: cuda.upload(&self.choice)?,
            first_direction: cuda.upload(&self.first_direction)?,
            direction: cuda.upload(&self.direction)?,
            first_node: cuda.upload(&self.first_node)?,
            step: cuda.upload(&self.step)?,
            ln_density: cuda.upload(&self.ln_density)?,
            mass: cuda.upload(&self.mass)?,
            ln_sum_of_local: self.ln_sum_of_local,
        })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output { sums: cuda.download(&self.sums)? })
    }
}

impl Operation for SmearedTail {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        problems.take(self.check_toys(&input.toys));
        if self.toys > TERMS_PER_LIMBS {
            let fault = Fault::new(NAME, format!("{} toys at once", self.toys));
            problems.push(fault.because("their sums take 2^31").suggest("Throw them in parts.").usage());
        }
        let (windows, nodes) = (input.windows(), input.ln_density.length());
        let columns = [
            ("sums of probabilities", input.choice.length(), windows),
            ("starts of directions", input.first_direction.length(), windows + 1),
            ("starts of nodes", input.first_node.length(), windows + 1),
            ("distances of nodes", input.step.length(), windows),
            ("sums at nodes", input.mass.length(), nodes),
        ];
        for (what, got, expected) in columns {
            if got != expected {
                let fault = Fault::new(NAME, format!("{got} {what} where {expected} are needed"));
                problems.push(fault.because("the tables must belong together").data());
            }
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        let (cells, windows, toys) = (input.cells(), input.windows(), &input.toys);
        let doubles = 3 * cells + toys.own.length() + toys.shared.length() + 2 * windows + input.direction.length();
        let tables =
            Bytes::of::<f64>(doubles + 2 * input.ln_density.length() + SUMS) + Bytes::of::<u32>(6 * windows + 2);
        let block = Bytes::of::<f64>(cells + toys.own.length()) + Bytes::of::<u32>(windows);
        Plan { fixed: tables + block * cuda::most_blocks(self.toys), per_unit: Bytes(0), units: self.toys }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        Ok(Output { sums: cpu::throw(self, &input).into() })
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::throw(self, cuda, &input)
    }
}

impl SmearedTail {
    /// The relative error at which toys stop unless a card says otherwise: 1 %. Their weights vary more than those of `toys.tail`.
    pub const USUAL_ACCURACY: f64 = 0.01;

    /// What [`Smeared`] refuses, and no windows.
    fn check_toys<P: Place>(&self, input: &smeared::Input<P>) -> Result<()> {
        let Self { seed, first_toy, toys, smearing } = *self;
        let mut problems = Problems::default();
        problems.take(Smeared { seed, first_toy, toys, smearing }.check(input));
        if input.windows() == 0 {
            problems.push(Fault::new(NAME, "there is no window").because("one is chosen in each toy").data());
        }
        problems.finish()
    }

    /// The tables of the toys. `input` is that of `toys.smeared`; its levels are not used.
    ///
    /// # Errors
    /// What [`Smeared`] refuses, no windows, and windows of which none can reach its critical count.
    pub fn input(&self, input: &smeared::Input<Host>) -> Result<Input<Host>> {
        self.check_toys(input)?;
        Input::new(input.clone(), self.smearing)
    }

    /// Throws the toys. `input` is that of `toys.smeared`; its levels are not used.
    ///
    /// # Errors
    /// As [`SmearedTail::input`], tables that do not fit the device, or a failure of it.
    pub fn tally(&self, device: &Device, input: &smeared::Input<Host>) -> Result<WeightTally> {
        let input = self.input(input)?;
        WeightTally::new(&input).with(self.toys, &device.run(self, input)?)
    }

    /// Throws toys until it is time to stop; after each chunk `watch` is shown the toys so far, and its error ends them. On CUDA
    /// the tables are uploaded once.
    ///
    /// # Errors
    /// As [`SmearedTail::tally`], and what `watch` answers.
    pub(crate) fn until(
        device: &Device,
        toys: ExceedingToys,
        smearing: Smearing,
        input: &smeared::Input<Host>,
        watch: &mut dyn FnMut(&WeightTally) -> Result<()>,
    ) -> Result<(WeightTally, Stopped)> {
        let part = |range: Range<u64>| {
            let (seed, first_toy, toys) = (toys.seed, range.start, range.end - range.start);
            Self { seed, first_toy, toys, smearing }
        };
        let all = part(toys.all());
        let input = all.input(input)?;
        let there = match device {
            Device::Cpu => None,
            Device::Cuda(cuda) => {
                cuda.memory().require(NAME, all.plan(&input).total())?;
                Some((cuda, input.upload(cuda)?))
            }
        };
        let throw = |part: Self| match &there {
            None => part.cpu(input.clone()),
            Some((cuda, input)) => part.cuda(cuda, input.clone())?.download(cuda),
        };
        let relative_error = |tally: &WeightTally| Some(SmearedTailEstimate::new(tally).ok()?.relative_error);
        toys.throw(WeightTally::new(&input), relative_error, |tally, chunk| {
            let part = part(chunk);
            *tally = tally.with(part.toys, &throw(part)?)?;
            watch(tally)
        })
    }

    /// The global p-value that the toys give.
    ///
    /// # Errors
    /// As [`SmearedTail::tally`].
    pub fn estimate(&self, device: &Device, input: &smeared::Input<Host>) -> Result<SmearedTailEstimate> {
        SmearedTailEstimate::new(&self.tally(device, input)?)
    }
}

#[cfg(test)]
mod tests;
