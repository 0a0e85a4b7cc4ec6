//! The smeared toys on the host, spread over the cores.

use rayon::prelude::*;

use super::{Input, Smeared, math};
use crate::device::Host;
use crate::math::philox::{Philox, Stage, uniform_f64};
use crate::toys::Smearing;
use crate::toys::throw::math::raise_level;

/// Toys of a task: enough that handing out tasks costs nothing.
const TOYS_A_TASK: u64 = 16;

/// What a thread keeps from toy to toy.
pub(in crate::toys) struct Scratch {
    /// The nuisances of the templates.
    pub(in crate::toys) shared: Vec<f64>,
    /// The nuisances of the cells; empty where none has one.
    pub(in crate::toys) own: Vec<f64>,
    /// The smeared expectation of each cell.
    pub(in crate::toys) smeared: Vec<f64>,
    /// The running sums of the counts.
    pub(in crate::toys) prefix: Vec<u32>,
}

impl Scratch {
    pub(in crate::toys) fn new(input: &Input<Host>) -> Self {
        let cells = input.cells();
        let (shared, own) = (vec![0.0; input.templates()], vec![0.0; input.own.len()]);
        Self { shared, own, smeared: vec![0.0; cells], prefix: vec![0; cells + 1] }
    }
}

/// The tally of all toys: `[exceeding, level 0, level 1, ...]`.
pub(super) fn throw(smeared: &Smeared, input: &Input<Host>) -> Vec<u64> {
    let empty = || (Scratch::new(input), vec![0_u64; input.tally_length()]);
    let (random, nuisances) = (Philox::new(smeared.seed, Stage::Toys), Philox::new(smeared.seed, Stage::Smear));
    (0..smeared.toys.div_ceil(TOYS_A_TASK) as usize)
        .into_par_iter()
        .fold(empty, |(mut scratch, mut tally), task| {
            let start = task as u64 * TOYS_A_TASK;
            for toy in start..smeared.toys.min(start + TOYS_A_TASK) {
                draw_nuisances(&nuisances, smeared.first_toy + toy, &mut scratch);
                smear(smeared.smearing, input, &mut scratch);
                draw(&random, smeared.first_toy + toy, 0, &mut scratch);
                let (level, exceeds) = judge(input, &scratch.prefix);
                tally[0] += u64::from(exceeds);
                tally[1 + level as usize] += 1;
            }
            (scratch, tally)
        })
        .map(|(_, tally)| tally)
        .reduce(|| empty().1, |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// Draws the nuisances of a toy.
pub(in crate::toys) fn draw_nuisances(random: &Philox, toy: u64, scratch: &mut Scratch) {
    for (index, pair) in scratch.shared.chunks_mut(2).enumerate() {
        fill_normals(random, toy, math::SHARED + index as u64, pair);
    }
    for (index, pair) in scratch.own.chunks_mut(2).enumerate() {
        fill_normals(random, toy, index as u64, pair);
    }
}

/// Smears the expectation of every cell by the nuisances.
pub(in crate::toys) fn smear(smearing: Smearing, input: &Input<Host>, scratch: &mut Scratch) {
    let Scratch { shared, own, smeared, .. } = scratch;
    smeared.copy_from_slice(&input.middle);
    for ((x, coefficient), nuisance) in smeared.iter_mut().zip(input.own.iter()).zip(own.iter()) {
        *x += coefficient * nuisance;
    }
    for (nuisance, row) in shared.iter().zip(input.shared.chunks_exact(input.cells().max(1))) {
        smeared.iter_mut().zip(row).for_each(|(x, coefficient)| *x += coefficient * nuisance);
    }
    let log_normal = smearing == Smearing::LogNormal;
    for (x, (expected, most)) in smeared.iter_mut().zip(input.expected.iter().zip(&input.most[..])) {
        *x = math::smeared(*expected, *x, *most, log_normal);
    }
}

/// One or two standard normal numbers.
fn fill_normals(random: &Philox, toy: u64, draw: u64, pair: &mut [f64]) {
    let uniforms = random.uniforms(toy, draw);
    pair.iter_mut().zip(uniforms).for_each(|(normal, uniform)| *normal = math::normal_quantile(uniform));
}

/// Draws the counts of a toy from its smeared expectations, by the words from draw number `first` on, and sums them up.
pub(in crate::toys) fn draw(random: &Philox, toy: u64, first: u64, scratch: &mut Scratch) {
    let mut sum = 0_u32;
    let pairs = scratch.smeared.chunks(2).zip(scratch.prefix[1..].chunks_mut(2));
    for (index, (means, sums)) in pairs.enumerate() {
        let [a, b, c, d] = random.words(toy, first + index as u64);
        let uniforms = [(a, b), (c, d)];
        for ((mean, (high, low)), place) in means.iter().zip(uniforms).zip(sums) {
            sum = sum.wrapping_add(math::poisson_draw(*mean, uniform_f64(high, low)));
            *place = sum;
        }
    }
}

/// The highest level that any window reaches, and whether any reaches the observed significance.
fn judge(input: &Input<Host>, prefix: &[u32]) -> (u32, bool) {
    let (windows, levels, minimum) = (input.windows(), input.levels(), &input.minimum[..]);
    let (mut level, mut exceeds) = (0, false);
    for (window, critical) in input.critical.iter().enumerate() {
        let count = input.content(window, prefix);
        exceeds |= count >= *critical;
        level = raise_level(level, count, window, windows, levels, minimum);
    }
    (level, exceeds)
}
