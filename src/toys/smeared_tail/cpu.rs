//! The smeared toys of the tail on the host, spread over the cores.

use rayon::prelude::*;

use super::math::{self, LANES, Window};
use super::{Input, SUMS, SmearedTail};
use crate::device::Host;
use crate::math::exact::{LIMBS, digit_of, units_of};
use crate::math::philox::{Philox, Stage};
use crate::toys::smeared::cpu;

/// Toys of a task: enough that handing out tasks costs nothing.
const TOYS_A_TASK: u64 = 16;

/// What a thread keeps from toy to toy.
struct Scratch {
    toy: cpu::Scratch,
    /// The events that are added to each cell.
    added: Vec<u32>,
    /// The parts of the sum over the windows that exceed.
    lanes: Vec<f64>,
}

/// The sums of the weights of all toys and of their squares, in limbs.
pub(super) fn throw(tail: &SmearedTail, input: &Input<Host>) -> Vec<u64> {
    let empty = || {
        let scratch =
            Scratch { toy: cpu::Scratch::new(&input.toys), added: vec![0; input.cells()], lanes: vec![0.0; LANES] };
        (scratch, vec![0_u64; SUMS])
    };
    let random = Philox::new(tail.seed, Stage::SmearedTail);
    (0..tail.toys.div_ceil(TOYS_A_TASK) as usize)
        .into_par_iter()
        .fold(empty, |(mut scratch, mut sums), task| {
            let start = task as u64 * TOYS_A_TASK;
            for toy in start..tail.toys.min(start + TOYS_A_TASK) {
                let weight = weight(tail, &random, tail.first_toy + toy, input, &mut scratch);
                add(&mut sums[..LIMBS], weight);
                add(&mut sums[LIMBS..], weight * weight);
            }
            (scratch, sums)
        })
        .map(|(_, sums)| sums)
        .reduce(|| vec![0; SUMS], |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// Adds a term to the limbs of a sum, digit by digit: they are carried when all toys are there.
fn add(limbs: &mut [u64], term: f64) {
    let units = units_of(term, math::UNIT);
    for (index, limb) in limbs.iter_mut().enumerate().take(LIMBS - 1) {
        *limb += digit_of(units, index as i32) as u64;
    }
}

/// Draws a toy in which a window exceeds: the inverse of the sum over all that do of `r_j / P(A_j)`.
fn weight(tail: &SmearedTail, random: &Philox, toy: u64, input: &Input<Host>, scratch: &mut Scratch) -> f64 {
    let [choice, place] = random.uniforms(toy, math::CHOICE);
    let windows = input.windows() as u32;
    let wanted = choice * input.choice[windows as usize - 1];
    let chosen = math::place_in(&input.choice, windows, wanted) as usize;
    cpu::draw_nuisances(random, toy, &mut scratch.toy);
    move_nuisances(input, chosen, place, &mut scratch.toy);
    cpu::smear(tail.smearing, &input.toys, &mut scratch.toy);
    cpu::draw(random, toy, math::CELLS, &mut scratch.toy);
    if !fill_window(random, toy, input, chosen, scratch) {
        return 0.0;
    }
    math::weight(sum_of_ratios(input, scratch))
}

/// Moves the nuisances along the chosen window's direction to what `u` draws there.
fn move_nuisances(input: &Input<Host>, chosen: usize, u: f64, toy: &mut cpu::Scratch) {
    let (nodes, direction, window) = (input.nodes(chosen), input.direction(chosen), input.window(chosen));
    if nodes.len() == 1 {
        return;
    }
    let (ln_density, mass) = (&input.ln_density[nodes.clone()], &input.mass[nodes.clone()]);
    let t = math::nuisance(u, nodes.len() as u32, input.step[chosen], ln_density, mass);
    let missing = t - along(input, window, direction, toy);
    let (of_templates, of_cells) = direction.split_at(toy.shared.len());
    toy.shared.iter_mut().zip(of_templates).for_each(|(nuisance, part)| *nuisance += missing * part);
    for (place, part) in of_cells.iter().enumerate() {
        toy.own[math::cell_of(window, place as u32) as usize] += missing * part;
    }
}

fn along(input: &Input<Host>, window: Window, direction: &[f64], toy: &cpu::Scratch) -> f64 {
    math::along(window, direction, toy.shared.len() as u32, &toy.shared, &toy.own, !input.toys.own.is_empty())
}

/// Adds events to the chosen window until it reaches its critical count; whether it can. Where it does so by itself, that is a
/// draw from the same distribution.
fn fill_window(random: &Philox, toy: u64, input: &Input<Host>, chosen: usize, scratch: &mut Scratch) -> bool {
    let Scratch { toy: cpu::Scratch { smeared, prefix, .. }, added, .. } = scratch;
    let (drawn, critical) = (input.toys.content(chosen, prefix), input.toys.critical[chosen]);
    if drawn >= critical {
        return true;
    }
    let window = input.window(chosen);
    let mean = math::mean_of(window, smeared);
    if mean <= 0.0 {
        return false;
    }
    let [u, _] = random.uniforms(toy, math::CHOICE + 1);
    added.fill(0);
    for event in 0..math::poisson_from(critical, mean, u) - drawn {
        let uniforms = random.uniforms(toy, math::MOVES + u64::from(event >> 1));
        let at = uniforms[(event & 1) as usize] * mean;
        added[math::cell_of_event(window, smeared, at) as usize] += 1;
    }
    let mut before = 0_u32;
    for (sum, added) in prefix[1..].iter_mut().zip(added) {
        before += *added;
        *sum = sum.wrapping_add(before);
    }
    true
}

/// The sum of the ratios of the windows that exceed: number `i` of them goes to lane `i` modulo the number of lanes, and the
/// lanes are added in pairs.
fn sum_of_ratios(input: &Input<Host>, scratch: &mut Scratch) -> f64 {
    let Scratch { toy, lanes, .. } = scratch;
    lanes.fill(0.0);
    let critical = input.toys.critical.iter().enumerate();
    let exceeding = critical.filter(|(window, critical)| input.toys.content(*window, &toy.prefix) >= **critical);
    for (place, (index, critical)) in exceeding.enumerate() {
        let (nodes, window) = (input.nodes(index), input.window(index));
        let t = if nodes.len() > 1 { along(input, window, input.direction(index), toy) } else { 0.0 };
        let ln_reach = math::ln_reach(t, nodes.len() as u32, input.step[index], &input.ln_density[nodes]);
        lanes[place % LANES] += math::ratio(ln_reach, *critical, math::mean_of(window, &toy.smeared));
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limbs of a term hold it to half a unit, and up to the square of the largest weight.
    #[test]
    fn limbs_hold_weights_and_their_squares() {
        for term in [0.0, 1.0, 0.3, 1e-18, math::LARGEST_WEIGHT * math::LARGEST_WEIGHT] {
            let mut limbs = [0; LIMBS];
            add(&mut limbs, term);
            let value = limbs.iter().rev().fold(0.0, |sum, limb| sum * 4294967296.0 + *limb as f64);
            assert!((value / 1152921504606846976.0 - term).abs() <= 4.4e-19_f64.max(1e-15 * term), "{term}: {limbs:?}");
        }
    }
}
