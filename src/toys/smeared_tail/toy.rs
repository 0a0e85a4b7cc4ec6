//! One toy that exceeds, and its weight.

use super::proposal::Proposals;
use crate::device::Host;
use crate::math::det;
use crate::math::philox::{Philox, Stage};
use crate::math::special::{ln_poisson_survival, ln_poisson_term};
use crate::toys::Smearing;
use crate::toys::smeared::{Input, cpu, math};

/// Cells have the words of their draws from here on, beyond those of the nuisances.
const CELLS: u64 = 1 << 61;

/// The words that choose a window, its nuisance and its total.
const CHOICE: u64 = 1 << 62;

/// The words of the events that are added, two to each set.
const MOVES: u64 = CHOICE + 2;

/// Draws a toy in which a window exceeds: the inverse of the sum over all that do of `r_j / P(A_j)`.
pub(super) fn weight(
    seed: u64,
    toy: u64,
    smearing: Smearing,
    input: &Input<Host>,
    proposals: &Proposals,
    scratch: &mut cpu::Scratch,
) -> f64 {
    let random = Philox::new(seed, Stage::SmearedTail);
    let [choice, place] = random.uniforms(toy, CHOICE);
    let window = proposals.choose(choice);
    cpu::draw_nuisances(&random, toy, scratch);
    let proposal = proposals.window(window);
    if let Some(t) = proposal.draw(place) {
        proposal.set(t, &mut scratch.shared, &mut scratch.own, input.cells_of(window));
    }
    cpu::smear(smearing, input, scratch);
    cpu::draw(&random, toy, CELLS, scratch);

    let drawn = input.content(window, &scratch.prefix);
    let critical = input.critical[window];
    if drawn < critical {
        // Where the window reaches its critical count by itself, that is a draw from the same distribution.
        let mean: f64 = input.cells_of(window).map(|cell| scratch.smeared[cell]).sum();
        let [u, _] = random.uniforms(toy, CHOICE + 1);
        let Some(wanted) = poisson_from(critical, mean, u) else { return 0.0 };
        let cells: Vec<usize> = input.cells_of(window).collect();
        add_events(&random, toy, wanted - drawn, (&cells, &scratch.smeared, mean), &mut scratch.prefix[1..]);
    }
    let sum: f64 = exceeding(input, &scratch.prefix)
        .map(|window| {
            let mean: f64 = input.cells_of(window).map(|cell| scratch.smeared[cell]).sum();
            let proposal = proposals.window(window);
            let along = proposal.along(&scratch.shared, &scratch.own, input.cells_of(window));
            let ln_reach = proposal.ln_reach(along);
            det::exp(ln_reach - ln_poisson_survival(u64::from(input.critical[window]), mean))
        })
        .sum();
    if sum > 0.0 { 1.0 / sum } else { 0.0 }
}

/// The windows that reach their critical counts.
fn exceeding<'a>(input: &'a Input<Host>, prefix: &'a [u32]) -> impl Iterator<Item = usize> + 'a {
    let reached = |(window, critical): &(usize, &u32)| input.content(*window, prefix) >= **critical;
    input.critical.iter().enumerate().filter(reached).map(|(window, _)| window)
}

/// Adds events to `cells`, each to one in proportion to its mean, of which `mean` is the sum: the running sums from the first of
/// them on, to the end of all cells, rise.
fn add_events(random: &Philox, toy: u64, events: u32, (cells, means, mean): (&[usize], &[f64], f64), sums: &mut [u32]) {
    let mut added = vec![0_u32; cells.len()];
    for event in 0..events {
        let uniforms = random.uniforms(toy, MOVES + u64::from(event >> 1));
        let mut rest = uniforms[(event & 1) as usize] * mean;
        let mut place = 0;
        while place + 1 < cells.len() && rest >= means[cells[place]] {
            rest -= means[cells[place]];
            place += 1;
        }
        added[place] += 1;
    }
    let (mut before, mut next) = (0, 0);
    for (cell, sum) in sums.iter_mut().enumerate().skip(cells[0]) {
        if cells.get(next) == Some(&cell) {
            before += added[next];
            next += 1;
        }
        *sum += before;
    }
}

/// The Poisson number of at least `least` that a uniform number draws: takes the probabilities from `least` on off what is
/// left of them. `None` where that cannot be reached.
fn poisson_from(least: u32, mean: f64, u: f64) -> Option<u32> {
    let first = f64::from(least);
    if mean <= 0.0 {
        return (least == 0).then_some(0);
    }
    // All terms from the first on, over the first.
    let all = det::exp(ln_poisson_survival(u64::from(least), mean) - ln_poisson_term(first, mean));
    let (mut term, mut rest, mut count) = (1.0, u * all - 1.0, first);
    while rest >= 0.0 && (term > math::NEGLIGIBLE * all || count < mean) {
        count += 1.0;
        term *= mean / count;
        rest -= term;
    }
    Some(count as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform numbers at equal distances: every count is drawn as often as its probability given the least one says.
    #[test]
    fn totals_have_their_conditional_probabilities() {
        let uniforms = 50_000;
        for (least, mean) in [(0, 2.0), (3, 0.01), (10, 5.0), (150, 100.0), (90, 100.0), (1, 1e-9), (2600, 2000.0)] {
            let ln_all = ln_poisson_survival(u64::from(least), mean);
            let mut drawn = std::collections::BTreeMap::<u32, f64>::new();
            for index in 0..uniforms {
                let u = (f64::from(index) + 0.5) / f64::from(uniforms);
                *drawn.entry(poisson_from(least, mean, u).unwrap()).or_default() += 1.0;
            }
            for (count, times) in drawn {
                let p = det::exp(ln_poisson_term(f64::from(count), mean) - ln_all);
                let wanted = f64::from(uniforms) * p;
                assert!(count >= least && f64::abs(times - wanted) <= 1.01, "{least} {mean}: {count} {times} {wanted}");
            }
        }
        assert_eq!((poisson_from(1, 0.0, 0.5), poisson_from(0, 0.0, 0.5)), (None, Some(0)));
    }

    #[test]
    fn events_go_to_cells_in_proportion() {
        let (random, means) = (Philox::new(1, Stage::Probe), [1.0, 0.0, 3.0]);
        let mut sums = [5, 5, 6, 10];
        add_events(&random, 0, 4000, (&[0, 1, 2], &means, 4.0), &mut sums);
        let (first, third) = (sums[0] - 5, sums[2] - sums[1] - 1);
        assert_eq!((sums[1] - sums[0], sums[2], sums[3] - sums[2]), (0, 4006, 4));
        assert!((f64::from(first) - 1000.0).abs() < 4.0 * 27.4 && first + third == 4000, "{first}");
    }
}
