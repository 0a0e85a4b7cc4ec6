//! The toys on the host, spread over the cores, [`LANES`] at a time on each.

mod batch;
mod lanes;

use rayon::prelude::*;

use super::{Draws, Input, Throw, math};
use crate::device::Host;
use crate::math::philox::{Philox, Stage};
use batch::Batch;
use lanes::LANES;

/// The tally of all toys: `[exceeding, level 0, level 1, ...]`.
pub(super) fn throw(throw: &Throw, input: &Input<Host>) -> Vec<u64> {
    let random = Philox::new(throw.seed, Stage::Toys);
    let plan = batch::Plan::new(input);
    (0..throw.toys.div_ceil(LANES as u64) as usize)
        .into_par_iter()
        .fold(
            || (Batch::new(&plan), vec![0_u64; input.tally_length()]),
            |(mut batch, mut tally), task| {
                let first = task as u64 * LANES as u64;
                let toys = (throw.toys - first).min(LANES as u64) as usize;
                // Lanes beyond the last toy are drawn and not counted; their numbers may wrap around.
                batch.run(&random, throw.first_toy + first, toys, &mut tally);
                (batch, tally)
            },
        )
        .map(|(_, tally)| tally)
        .reduce(|| vec![0; input.tally_length()], |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// Draws the exclusive cells of one toy: the definition of a toy.
pub(super) fn draw(random: &Philox, toy: u64, draws: &Draws<Host>, counts: &mut [u32]) {
    counts.fill(0);
    for (row, words) in draws.row.chunks_exact(math::WORDS_A_ROW).enumerate() {
        for draw in words[0]..words[0] + words[1] {
            let place = draw_words(draws, draw);
            let word = math::half_word(random.words(toy, u64::from(draw / 8)), draw % 8);
            let number =
                place[2].wrapping_add(thresholds_passed(draws, place[0], place[1], place[4], place[5], word, || {
                    random.words(toy, math::REFINEMENT + u64::from(draw))
                }));
            if place[3] & math::GROUP == 0 {
                counts[place[3] as usize] = number;
            } else {
                (0..number).for_each(|particle| counts[member(random, toy, draws, row, particle) as usize] += 1);
            }
        }
    }
}

fn draw_words(draws: &Draws<Host>, draw: u32) -> [u32; math::WORDS_A_DRAW] {
    let start = draw as usize * math::WORDS_A_DRAW;
    std::array::from_fn(|at| draws.draw[start + at])
}

/// The cell of a particle of the group of a row.
fn member(random: &Philox, toy: u64, draws: &Draws<Host>, row: usize, particle: u32) -> u32 {
    let words = &draws.row[row * math::WORDS_A_ROW..];
    let set = math::PARTICLES + ((row as u64) << 24) + u64::from(particle / 8);
    let word = math::half_word(random.words(toy, set), particle % 8);
    let at = thresholds_passed(draws, words[4], words[5], words[6], words[7], word, || {
        random.words(toy, math::PARTICLE_REFINEMENT + ((row as u64) << 27) + u64::from(particle))
    });
    draws.member[(words[8] + at) as usize]
}

/// How many thresholds a word passes, with its refinement where it does not decide.
pub(super) fn thresholds_passed(
    draws: &Draws<Host>,
    guide: u32,
    shift: u32,
    start: u32,
    number: u32,
    word: u32,
    refinement: impl FnOnce() -> [u32; 4],
) -> u32 {
    let entry = draws.guide[(guide + (word >> shift)) as usize];
    if !math::is_open(word, entry) {
        return math::passed(word, entry);
    }
    let at = math::passed_surely(word, entry, &draws.threshold, start, number);
    if !math::is_tied(word, at, &draws.threshold, start, number) {
        return at;
    }
    math::passed_of(math::refined(word, refinement()), at, &draws.threshold, start, number)
}

/// The highest level that any window reaches in these cells.
pub(super) fn highest_level(input: &Input<Host>, counts: &[u32]) -> u32 {
    let (windows, levels) = (input.windows(), input.levels());
    (0..windows).fold(0, |level, window| {
        let ranges = input.range[window] as usize..input.range[window + 1] as usize;
        let cells = ranges.flat_map(|range| input.start[range] as usize..input.end[range] as usize);
        let count = cells.fold(0_u32, |sum, cell| sum.wrapping_add(counts[cell]));
        math::raise_level(level, count, window, windows, levels, &input.minimum)
    })
}
