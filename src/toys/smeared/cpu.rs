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
    shared: Vec<f64>,
    /// The `x` of each cell, then its smeared expectation.
    pub(in crate::toys) smeared: Vec<f64>,
    /// The running sums of the counts.
    pub(in crate::toys) prefix: Vec<u32>,
}

/// The random numbers of toys.
pub(in crate::toys) struct Random {
    pub(in crate::toys) draw: Philox,
    pub(in crate::toys) smear: Philox,
}

impl Scratch {
    pub(in crate::toys) fn new(input: &Input<Host>) -> Self {
        let cells = input.cells();
        Self { shared: vec![0.0; input.templates()], smeared: vec![0.0; cells], prefix: vec![0; cells + 1] }
    }
}

impl Random {
    pub(in crate::toys) fn new(seed: u64) -> Self {
        Self { draw: Philox::new(seed, Stage::Toys), smear: Philox::new(seed, Stage::Smear) }
    }
}

/// The tally of all toys: `[exceeding, level 0, level 1, ...]`.
pub(super) fn throw(smeared: &Smeared, input: &Input<Host>) -> Vec<u64> {
    let empty = || (Scratch::new(input), vec![0_u64; input.tally_length()]);
    let random = Random::new(smeared.seed);
    (0..smeared.toys.div_ceil(TOYS_A_TASK) as usize)
        .into_par_iter()
        .fold(empty, |(mut scratch, mut tally), task| {
            let start = task as u64 * TOYS_A_TASK;
            for toy in start..smeared.toys.min(start + TOYS_A_TASK) {
                smear(&random, smeared.first_toy + toy, smeared.smearing, input, &mut scratch);
                draw(&random, smeared.first_toy + toy, &mut scratch);
                let (level, exceeds) = judge(input, &scratch.prefix);
                tally[0] += u64::from(exceeds);
                tally[1 + level as usize] += 1;
            }
            (scratch, tally)
        })
        .map(|(_, tally)| tally)
        .reduce(|| empty().1, |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// Draws the nuisances of a toy and smears the expectation of every cell.
pub(in crate::toys) fn smear(random: &Random, toy: u64, smearing: Smearing, input: &Input<Host>, scratch: &mut Scratch) {
    for (index, pair) in scratch.shared.chunks_mut(2).enumerate() {
        fill_normals(&random.smear, toy, math::SHARED + index as u64, pair);
    }
    if input.own.is_empty() {
        scratch.smeared.copy_from_slice(&input.middle);
    } else {
        for (index, pair) in scratch.smeared.chunks_mut(2).enumerate() {
            fill_normals(&random.smear, toy, index as u64, pair);
        }
        let coefficients = input.middle.iter().zip(&input.own[..]);
        scratch.smeared.iter_mut().zip(coefficients).for_each(|(x, (middle, own))| *x = middle + own * *x);
    }
    for (nuisance, row) in scratch.shared.iter().zip(input.shared.chunks_exact(input.cells().max(1))) {
        scratch.smeared.iter_mut().zip(row).for_each(|(x, coefficient)| *x += coefficient * nuisance);
    }
    let log_normal = smearing == Smearing::LogNormal;
    let cells = input.expected.iter().zip(&input.most[..]);
    for (x, (expected, most)) in scratch.smeared.iter_mut().zip(cells) {
        *x = math::smeared(*expected, *x, *most, log_normal);
    }
}

/// One or two standard normal numbers.
fn fill_normals(random: &Philox, toy: u64, draw: u64, pair: &mut [f64]) {
    let uniforms = random.uniforms(toy, draw);
    pair.iter_mut().zip(uniforms).for_each(|(normal, uniform)| *normal = math::normal_quantile(uniform));
}

/// Draws the counts of a toy from its smeared expectations and sums them up on the way.
fn draw(random: &Random, toy: u64, scratch: &mut Scratch) {
    let mut sum = 0_u32;
    let pairs = scratch.smeared.chunks(2).zip(scratch.prefix[1..].chunks_mut(2));
    for (index, (means, sums)) in pairs.enumerate() {
        let [a, b, c, d] = random.draw.words(toy, index as u64);
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
    let ranges = input.start.iter().zip(input.end.iter());
    for (window, ((start, end), critical)) in ranges.zip(input.critical.iter()).enumerate() {
        let count = prefix[*end as usize].wrapping_sub(prefix[*start as usize]);
        exceeds |= count >= *critical;
        level = raise_level(level, count, window, windows, levels, minimum);
    }
    (level, exceeds)
}
