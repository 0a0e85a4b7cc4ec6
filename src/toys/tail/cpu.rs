//! The toys of the tail on the host, spread over the cores.

use rayon::prelude::*;

use super::{Input, Tail, math};
use crate::device::Host;
use crate::hunt::content;
use crate::math::philox::{Philox, Stage, join};
use crate::math::poisson::count_at_most;
use crate::toys::cells::math as cells;

/// Toys of a task: enough that handing out tasks costs nothing.
const TOYS_A_TASK: u64 = 64;

/// The number of toys in which 0, 1, 2, ... windows reach their critical counts.
pub(super) fn tally(tail: &Tail, input: &Input<Host>) -> Vec<u64> {
    let empty = || (vec![0_u32; input.cells() + 1], vec![0_u64; input.tally_length()]);
    let random = Philox::new(tail.seed, Stage::Tail);
    (0..tail.toys.div_ceil(TOYS_A_TASK) as usize)
        .into_par_iter()
        .fold(empty, |(mut sums, mut tally), task| {
            let start = task as u64 * TOYS_A_TASK;
            for toy in start..tail.toys.min(start + TOYS_A_TASK) {
                draw(&random, tail.first_toy + toy, input, &mut sums);
                tally[reached(input, &sums)] += 1;
            }
            (sums, tally)
        })
        .map(|(_, tally)| tally)
        .reduce(|| empty().1, |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// Draws the cells of a toy of the tail and sums them up.
pub(super) fn draw(random: &Philox, toy: u64, input: &Input<Host>, sums: &mut [u32]) {
    sums[0] = 0;
    draw_cells(random, toy, input, &mut sums[1..]);
    fill_window(random, toy, input, &mut sums[1..]);
    let mut sum = 0_u32;
    for count in &mut sums[1..] {
        sum = sum.wrapping_add(*count);
        *count = sum;
    }
}

/// Draws every cell without any condition, four to each set of words.
fn draw_cells(random: &Philox, toy: u64, input: &Input<Host>, counts: &mut [u32]) {
    let (guide, high, low) = (&input.guide[..], &input.threshold_high[..], &input.threshold_low[..]);
    let groups = input.cell.chunks(4 * cells::WORDS_A_CELL).zip(counts.chunks_mut(4));
    for (group, (places, counts)) in groups.enumerate() {
        let words = random.words(toy, group as u64);
        for (lane, (place, count)) in places.chunks_exact(cells::WORDS_A_CELL).zip(counts).enumerate() {
            let (word, place) = (words[lane], [place[0], place[1], place[2], place[3]]);
            let mut index = cells::find(word, place, guide, high);
            if word == high[index as usize] {
                let [refinement, ..] = random.words(toy, cells::REFINEMENT + (4 * group + lane) as u64);
                index = cells::refine(word, refinement, index, place[2], high, low);
            }
            *count = index.wrapping_sub(place[3]);
        }
    }
}

/// Chooses a window and its total, and adds or takes away events until the window holds it.
fn fill_window(random: &Philox, toy: u64, input: &Input<Host>, counts: &mut [u32]) {
    let words = random.words(toy, math::CHOICE);
    let window = count_at_most(&input.choice, join(words[0], words[1])) as usize;
    let place = &input.place[math::WORDS_A_PLACE * window..];
    let place = [place[0], place[1], place[2], place[3]];
    let wanted = math::total(join(words[2], words[3]), place, &input.tail);
    let (start, height, columns) = (input.start[window], input.height[window], input.columns);
    let (width, counts) = (input.end[window] - start, &mut counts[start as usize..]);
    let rows = (0..height).map(|row| &counts[(row * columns) as usize..(row * columns + width) as usize]);
    let drawn = rows.flatten().fold(0_u32, |sum, count| sum.wrapping_add(*count));
    let share = &input.share[place[3] as usize..(place[3] + width * height - 1) as usize];
    for event in 0..wanted.saturating_sub(drawn) {
        let cell = count_at_most(share, math::bits_of_move(random, toy, event));
        counts[math::place_of(cell, width, columns) as usize] += 1;
    }
    for event in 0..drawn.saturating_sub(wanted) {
        let which = math::below(math::bits_of_move(random, toy, event), drawn - event);
        counts[math::cell_of(which, counts, width, columns) as usize] -= 1;
    }
}

/// The number of windows that reach their critical counts.
fn reached(input: &Input<Host>, sums: &[u32]) -> usize {
    let content = |w: usize| content(sums, (input.start[w], input.end[w]), input.height[w], input.columns) as u32;
    input.critical.iter().enumerate().filter(|(window, critical)| content(*window) >= **critical).count()
}
