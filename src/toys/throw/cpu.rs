//! The toys on the host, spread over the cores.

use rayon::prelude::*;

use super::{Input, Throw, math};
use crate::device::Host;
use crate::math::philox::{Philox, Stage};

/// Toys of a task: enough that handing out tasks costs nothing.
const TOYS_A_TASK: u64 = 64;

/// The tally of all toys: `[exceeding, level 0, level 1, ...]`.
pub(super) fn throw(throw: &Throw, input: &Input<Host>) -> Vec<u64> {
    let empty = || (vec![0_u32; input.cells() + 1], vec![0_u64; input.tally_length()]);
    let random = Philox::new(throw.seed, Stage::Toys);
    (0..throw.toys.div_ceil(TOYS_A_TASK) as usize)
        .into_par_iter()
        .fold(empty, |(mut prefix, mut tally), task| {
            let start = task as u64 * TOYS_A_TASK;
            for toy in start..throw.toys.min(start + TOYS_A_TASK) {
                draw(&random, throw.first_toy + toy, input, &mut prefix);
                let (level, exceeds) = judge(input, &prefix);
                tally[0] += u64::from(exceeds);
                tally[1 + level as usize] += 1;
            }
            (prefix, tally)
        })
        .map(|(_, tally)| tally)
        .reduce(|| empty().1, |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// Draws the cells of a toy, four to each set of random words, and sums them up on the way.
pub(super) fn draw(random: &Philox, toy: u64, input: &Input<Host>, prefix: &mut [u32]) {
    let (guide, high, low) = (&input.guide[..], &input.threshold_high[..], &input.threshold_low[..]);
    let mut sum = 0_u32;
    prefix[0] = 0;
    let groups = input.cell.chunks(4 * math::WORDS_A_CELL).zip(prefix[1..].chunks_mut(4));
    for (group, (cells, sums)) in groups.enumerate() {
        let words = random.words(toy, group as u64);
        for (lane, (cell, place)) in cells.chunks_exact(math::WORDS_A_CELL).zip(sums).enumerate() {
            let (word, cell) = (words[lane], [cell[0], cell[1], cell[2], cell[3]]);
            let mut index = math::find(word, cell, guide, high);
            if word == high[index as usize] {
                let [refinement, ..] = random.words(toy, math::REFINEMENT + (4 * group + lane) as u64);
                index = math::refine(word, refinement, index, cell[2], high, low);
            }
            sum = sum.wrapping_add(index.wrapping_sub(cell[3]));
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
        level = math::raise_level(level, count, window, windows, levels, minimum);
    }
    (level, exceeds)
}
