//! The scanned toys on the host, spread over the cores.

use rayon::prelude::*;

use super::{Input, Output, ScanToys, math};
use crate::device::Host;
use crate::hunt::scan::math as window;
use crate::math::philox::{Philox, join};

/// Toys of a task: enough that handing out tasks costs nothing.
const TOYS_A_TASK: usize = 64;

pub(super) fn scan(operation: &ScanToys, input: &Input<Host>) -> Output<Host> {
    let random = Philox::new(operation.throw.seed, operation.stage);
    let mut ln_p = vec![0.0; operation.throw.toys as usize];
    let scratch = || Toy::new(input, operation.scan.judge());
    ln_p.par_chunks_mut(TOYS_A_TASK).enumerate().for_each_init(scratch, |toy, (task, values)| {
        for (place, value) in values.iter_mut().enumerate() {
            toy.draw(&random, operation.throw.first_toy + (task * TOYS_A_TASK + place) as u64);
            *value = toy.ln_p();
        }
    });
    let mut tally = vec![0; input.tally_length()];
    for value in &ln_p {
        tally[0] += u64::from(*value <= operation.limit_ln_p);
        tally[1 + math::reached_level(*value, &input.level_ln_p) as usize] += 1;
    }
    Output { ln_p: ln_p.into(), tally: tally.into() }
}

/// One toy at a time, in the same memory.
struct Toy<'i> {
    input: &'i Input<Host>,
    judge: u32,
    members: usize,
    candidates: usize,
    prefix: Vec<u32>,
    most_t: Vec<f64>,
}

impl<'i> Toy<'i> {
    fn new(input: &'i Input<Host>, judge: u32) -> Self {
        let (prefix, most_t) = (vec![0; input.cells() + 1], vec![0.0; input.candidates()]);
        Self { input, judge, members: input.members(), candidates: input.candidates(), prefix, most_t }
    }

    /// Draws the cells, two to each set of random words, and sums them up on the way.
    fn draw(&mut self, random: &Philox, toy: u64) {
        let (input, mut sum) = (self.input, 0_u32);
        let pairs = input.cell.chunks(2 * math::WORDS_A_CELL).zip(self.prefix[1..].chunks_mut(2));
        for (pair, (cells, sums)) in pairs.enumerate() {
            let [a, b, c, d] = random.words(toy, pair as u64);
            let bits = [join(a, b), join(c, d)];
            for ((cell, bits), place) in cells.chunks_exact(math::WORDS_A_CELL).zip(bits).zip(sums) {
                sum = sum.wrapping_add(math::draw([cell[0], cell[1], cell[2]], bits, &input.threshold));
                *place = sum;
            }
        }
    }

    /// The smallest logarithm of a p-value: the sum over the sets, if their windows have a place in common.
    fn ln_p(&mut self) -> f64 {
        let (mut sum, mut low, mut high) = (0.0, f64::NEG_INFINITY, f64::INFINITY);
        for set in self.input.set.windows(2) {
            let (ln_p, candidate) = self.best(set[0] as usize, set[1] as usize);
            sum += ln_p;
            low = f64::max(low, self.input.low[candidate]);
            high = f64::min(high, self.input.high[candidate]);
        }
        if low < high { sum } else { 0.0 }
    }

    /// The best of the candidates from `begin` to `end`: the one with the largest bound is computed first, then those
    /// that could be better.
    fn best(&mut self, begin: usize, end: usize) -> (f64, usize) {
        let mut first = begin;
        for candidate in begin..end {
            self.most_t[candidate] = self.sum(candidate, window::most_t);
            if self.most_t[candidate] > self.most_t[first] {
                first = candidate;
            }
        }
        let (mut ln_p, mut best) = (self.sum(first, window::judged_ln_p), first);
        for candidate in begin..end {
            if candidate == first || self.most_t[candidate] < -ln_p {
                continue;
            }
            let other = self.sum(candidate, window::judged_ln_p);
            if math::is_better(other, candidate as u32, ln_p, best as u32) {
                (ln_p, best) = (other, candidate);
            }
        }
        (ln_p, best)
    }

    /// The sum of a function of observed and expected content over the windows of a candidate.
    #[inline]
    fn sum(&self, candidate: usize, function: impl Fn(u64, f64, u32) -> f64) -> f64 {
        let count = |start: u32, end: u32| self.prefix[end as usize].wrapping_sub(self.prefix[start as usize]);
        let (input, mut sum) = (self.input, 0.0);
        for member in 0..self.members {
            let index = candidate + member * self.candidates;
            let observed = count(input.start[index], input.end[index]);
            let outside = count(input.sideband_start[index], input.sideband_end[index]).wrapping_sub(observed);
            let (expected, beside) = (input.expected[index], input.expected_outside[index]);
            let mean = window::expected_content(expected, u64::from(outside), beside, self.judge);
            sum += function(u64::from(observed), mean, self.judge);
        }
        sum
    }
}
