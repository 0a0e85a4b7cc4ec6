//! `toys.smeared_tail`: the probability that any window reaches its critical count, however rare, where the expectation is
//! uncertain. On the CPU only.
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
//! are at most 1/4 and 0.7 widths of the Poisson tail apart. What lies beyond 10 standard deviations (1e-23) is left out.
//!
//! **Numbers.** Weights and their squares are summed in fixed point of 2^-60, so a sum is the same for any number of threads and
//! any split of the toys.
//! **Cost.** A toy of `toys.smeared`, and a Poisson tail for each window that exceeds. Tables: 16 bytes a node, some 80 a window.
//! **Source.** Naiman and Priebe, J. Comput. Graph. Statist. 10 (2001) 296, for fixed expectations; the weights are the balance
//! heuristic of Veach and Guibas (SIGGRAPH 1995).

mod estimate;
mod proposal;
mod toy;

pub use estimate::{SmearedTailEstimate, WeightTally};

use std::ops::Range;

use rayon::prelude::*;

use self::proposal::Proposals;
use crate::device::{Host, Operation};
use crate::error::{Fault, Problems, Result};
use crate::toys::smeared::Input;
use crate::toys::smeared::cpu::Scratch;
use crate::toys::{ExceedingToys, Smeared, Smearing, Stopped};

const NAME: &str = "toys.smeared_tail";

/// Toys of a task: enough that handing out tasks costs nothing.
const TOYS_A_TASK: u64 = 16;

/// A range of the toys of a seed.
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

impl SmearedTail {
    /// The relative error at which toys stop unless a card says otherwise: 1 %. Their weights vary more than those of `toys.tail`.
    pub const USUAL_ACCURACY: f64 = 0.01;

    /// Throws the toys. `input` is that of `toys.smeared`; its levels are not used.
    ///
    /// # Errors
    /// What [`Smeared`] refuses, and windows of which none can reach its critical count.
    pub fn tally(&self, input: &Input<Host>) -> Result<WeightTally> {
        Ok(self.weigh(input, &self.proposals(input)?))
    }

    /// Throws toys until it is time to stop; after each chunk `watch` is shown the toys so far, and its error ends them.
    ///
    /// # Errors
    /// As [`SmearedTail::tally`], and what `watch` answers.
    pub(crate) fn until(
        toys: ExceedingToys,
        smearing: Smearing,
        input: &Input<Host>,
        watch: &mut dyn FnMut(&WeightTally) -> Result<()>,
    ) -> Result<(WeightTally, Stopped)> {
        let part = |range: Range<u64>| {
            let (seed, first_toy, toys) = (toys.seed, range.start, range.end - range.start);
            Self { seed, first_toy, toys, smearing }
        };
        let proposals = part(toys.all()).proposals(input)?;
        let relative_error = |tally: &WeightTally| Some(SmearedTailEstimate::new(tally).ok()?.relative_error);
        toys.throw(WeightTally::new(&proposals), relative_error, |tally, chunk| {
            *tally = tally.plus(part(chunk).weigh(input, &proposals));
            watch(tally)
        })
    }

    /// From what the toys are drawn.
    fn proposals(&self, input: &Input<Host>) -> Result<Proposals> {
        let Self { seed, first_toy, toys, smearing } = *self;
        let mut problems = Problems::default();
        problems.take(Smeared { seed, first_toy, toys, smearing }.check(input));
        if input.windows() == 0 {
            problems.push(Fault::new(NAME, "there is no window").because("one is chosen in each toy").data());
        }
        problems.finish()?;
        Proposals::new(input, smearing)
    }

    /// Draws the toys and sums up their weights.
    fn weigh(&self, input: &Input<Host>, proposals: &Proposals) -> WeightTally {
        let Self { seed, first_toy, toys, smearing } = *self;
        let empty = || (Scratch::new(input), WeightTally::new(proposals));
        (0..toys.div_ceil(TOYS_A_TASK) as usize)
            .into_par_iter()
            .fold(empty, |(mut scratch, mut tally), task| {
                let start = task as u64 * TOYS_A_TASK;
                for toy in start..toys.min(start + TOYS_A_TASK) {
                    tally.add(toy::weight(seed, first_toy + toy, smearing, input, proposals, &mut scratch));
                }
                (scratch, tally)
            })
            .map(|(_, tally)| tally)
            .reduce(|| WeightTally::new(proposals), WeightTally::plus)
    }

    /// The global p-value that the toys give.
    ///
    /// # Errors
    /// As [`SmearedTail::tally`].
    pub fn estimate(&self, input: &Input<Host>) -> Result<SmearedTailEstimate> {
        SmearedTailEstimate::new(&self.tally(input)?)
    }
}

#[cfg(test)]
mod tests;
