//! The scalar functions of a smeared toy of the tail, the same text as `kernels/toys/smeared_tail.cuh`.
//!
//! Sums over the cells of a window are taken one by one in the order of its rows: a window has few cells beside the steps of
//! its Poisson tail, which one thread takes anyway. Differences of running sums of all cells would be cheaper in large
//! windows, but a mean of 0.001 would lose seven digits beside a total of a million.

// Bounds are compared one by one because the text is shared with the `.cuh` file.
#![allow(clippy::manual_clamp)]

use crate::math::det::{exp, exp_m1, ln_1p};
use crate::math::special::{ln_poisson_survival, ln_poisson_term};
use crate::toys::smeared::math::NEGLIGIBLE;

/// Cells have the words of their draws from here on, beyond those of the nuisances.
pub const CELLS: u64 = 1 << 61;

/// The words that choose a window, its nuisance and its total.
pub const CHOICE: u64 = 1 << 62;

/// The words of the events that are added, two to each set.
pub const MOVES: u64 = CHOICE + 2;

/// The nuisance along a window's direction is drawn from -10 to 10.
pub const END: f64 = 10.0;

/// The ratios of a toy's windows are summed in so many lanes, and these in pairs: the order of additions for every number of
/// threads.
pub const LANES: usize = 256;

/// Weights above are held there, so that the squares of 2^31 toys fit their sum; the ratio of probabilities that makes one
/// never comes near.
pub const LARGEST_WEIGHT: f64 = 65536.0;

/// Sums of weights and of their squares count units of 2 to this power.
pub const UNIT: i32 = -60;

/// The cells of a window: `width` of them in each of `height` rows of `columns`, from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first cell.
    pub start: u32,
    /// The cells in a row.
    pub width: u32,
    /// The rows.
    pub height: u32,
    /// The cells of a row of the plane.
    pub columns: u32,
}

/// Cell number `place` of a window.
#[inline]
pub fn cell_of(window: Window, place: u32) -> u32 {
    window.start + place / window.width * window.columns + place % window.width
}

/// The smeared expectation of a window.
#[inline]
pub fn mean_of(window: Window, smeared: &[f64]) -> f64 {
    let mut sum: f64 = 0.0;
    let mut row: u32 = 0;
    while row < window.height {
        let mut cell: u32 = window.start + row * window.columns;
        let end: u32 = cell + window.width;
        while cell < end {
            sum += smeared[cell as usize];
            cell += 1;
        }
        row += 1;
    }
    sum
}

/// The nuisances along a window's `direction`: of the `templates` first, then of its own cells unless `own` has none.
#[inline]
pub fn along(window: Window, direction: &[f64], templates: u32, shared: &[f64], own: &[f64], has_own: bool) -> f64 {
    let mut sum: f64 = 0.0;
    let mut place: u32 = 0;
    while place < templates {
        sum += direction[place as usize] * shared[place as usize];
        place += 1;
    }
    if !has_own {
        return sum;
    }
    let mut row: u32 = 0;
    while row < window.height {
        let mut cell: u32 = window.start + row * window.columns;
        let end: u32 = cell + window.width;
        while cell < end {
            sum += direction[place as usize] * own[cell as usize];
            place += 1;
            cell += 1;
        }
        row += 1;
    }
    sum
}

/// The cell of a window that takes an event: the one in which `mean_before`, a part of the window's mean, lies.
#[inline]
pub fn cell_of_event(window: Window, smeared: &[f64], mean_before: f64) -> u32 {
    let mut rest: f64 = mean_before;
    let last: u32 = window.width * window.height - 1;
    let mut place: u32 = 0;
    let mut cell: u32 = window.start;
    let mut in_row: u32 = 0;
    while place < last && rest >= smeared[cell as usize] {
        rest -= smeared[cell as usize];
        place += 1;
        cell += 1;
        in_row += 1;
        if in_row == window.width {
            in_row = 0;
            cell += window.columns - window.width;
        }
    }
    cell
}

/// The first of `count` never falling running `sums` that exceeds `wanted`, or the last.
#[inline]
pub fn place_in(sums: &[f64], count: u32, wanted: f64) -> u32 {
    let mut below: u32 = 0;
    let mut above: u32 = count - 1;
    while below < above {
        let middle: u32 = below + (above - below) / 2;
        if sums[middle as usize] <= wanted {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    below
}

/// The x from 0 to 1 that `u` draws from a density that falls as `exp(difference x)`.
#[inline]
pub fn falling(u: f64, difference: f64) -> f64 {
    if difference > -1e-12 {
        return u;
    }
    let x: f64 = ln_1p(u * exp_m1(difference)) / difference;
    if x < 0.0 {
        return 0.0;
    }
    if x > 1.0 {
        return 1.0;
    }
    x
}

/// The x from 0 to 1 that `u` draws from a density that goes as `exp(difference x)`.
#[inline]
pub fn exponential(u: f64, difference: f64) -> f64 {
    if difference > 0.0 {
        return 1.0 - falling(1.0 - u, -difference);
    }
    falling(u, difference)
}

/// The nuisance along a window's direction that `u` draws, given that it exceeds: from `nodes` nodes, at least 2, `step`
/// apart, with the logarithms of their densities and the running sums of what lies between them.
#[inline]
pub fn nuisance(u: f64, nodes: u32, step: f64, ln_density: &[f64], mass: &[f64]) -> f64 {
    let wanted: f64 = u * mass[(nodes - 2) as usize];
    let bin: u32 = place_in(mass, nodes - 1, wanted);
    let mut before: f64 = 0.0;
    if bin > 0 {
        before = mass[(bin - 1) as usize];
    }
    let size: f64 = mass[bin as usize] - before;
    let mut part: f64 = 0.5;
    if size > 0.0 {
        part = (wanted - before) / size;
        if part < 0.0 {
            part = 0.0;
        }
        if part > 1.0 {
            part = 1.0;
        }
    }
    let difference: f64 = ln_density[(bin + 1) as usize] - ln_density[bin as usize];
    step * ((bin as f64) + exponential(part, difference)) - END
}

/// `ln r` at the nuisance `t` along a window's direction: the logarithm of its probability to exceed, as it is proposed. A
/// single node is that of a window that nothing moves. Beyond the ends nothing is proposed.
#[inline]
pub fn ln_reach(t: f64, nodes: u32, step: f64, ln_density: &[f64]) -> f64 {
    if nodes == 1 {
        return ln_density[0];
    }
    let place: f64 = (t + END) / step;
    if !(place >= 0.0 && place < ((nodes - 1) as f64)) {
        return -f64::INFINITY;
    }
    let bin: u32 = place as u32;
    let low: f64 = ln_density[bin as usize];
    let high: f64 = ln_density[(bin + 1) as usize];
    (low + (place - (bin as f64)) * (high - low)) + 0.5 * t * t
}

/// ln P(N >= n) for Poisson N with this mean. On CUDA a call costs less than two copies of the text, which spill.
#[inline]
pub fn ln_survival(n: u32, mean: f64) -> f64 {
    ln_poisson_survival(n as u64, mean)
}

/// How often a window that exceeds is drawn, over how often it exceeds at this smeared mean.
#[inline]
pub fn ratio(ln_reach: f64, critical: u32, mean: f64) -> f64 {
    exp(ln_reach - ln_survival(critical, mean))
}

/// The Poisson number of at least `least` that a uniform number draws, for a mean above 0: takes the probabilities from
/// `least` on off what is left of them.
#[inline]
pub fn poisson_from(least: u32, mean: f64, u: f64) -> u32 {
    let first: f64 = least as f64;
    // All terms from the first on, over the first.
    let all: f64 = exp(ln_survival(least, mean) - ln_poisson_term(first, mean));
    let mut term: f64 = 1.0;
    let mut rest: f64 = u * all - 1.0;
    let mut count: f64 = first;
    while rest >= 0.0 && (term > NEGLIGIBLE * all || count < mean) {
        count += 1.0;
        term *= mean / count;
        rest -= term;
    }
    count as u32
}

/// The weight of a toy by the sum of its windows' ratios.
#[inline]
pub fn weight(sum: f64) -> f64 {
    if sum > 0.0 {
        let weight: f64 = 1.0 / sum;
        if weight > LARGEST_WEIGHT {
            return LARGEST_WEIGHT;
        }
        return weight;
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::det;

    /// Uniform numbers at equal distances: every count is drawn as often as its probability given the least one says.
    #[test]
    fn totals_have_their_conditional_probabilities() {
        let uniforms = 50_000;
        for (least, mean) in [(0, 2.0), (3, 0.01), (10, 5.0), (150, 100.0), (90, 100.0), (1, 1e-9), (2600, 2000.0)] {
            let ln_all = ln_poisson_survival(u64::from(least), mean);
            let mut drawn = std::collections::BTreeMap::<u32, f64>::new();
            for index in 0..uniforms {
                let u = (f64::from(index) + 0.5) / f64::from(uniforms);
                *drawn.entry(poisson_from(least, mean, u)).or_default() += 1.0;
            }
            for (count, times) in drawn {
                let p = det::exp(ln_poisson_term(f64::from(count), mean) - ln_all);
                let wanted = f64::from(uniforms) * p;
                assert!(count >= least && f64::abs(times - wanted) <= 1.01, "{least} {mean}: {count} {times} {wanted}");
            }
        }
    }

    #[test]
    fn numbers_between_nodes_are_drawn_by_their_density() {
        for difference in [-1e6, -800.0, -3.0, -1e-13, 0.0, 2.0, 50.0, 1e6] {
            // The distribution function at the drawn place is what was drawn.
            for u in [0.001, 0.3, 0.5, 0.999] {
                let x = exponential(u, difference);
                assert!((0.0..=1.0).contains(&x), "{difference} {u}: {x}");
                if f64::abs(difference) < 100.0 && difference != 0.0 {
                    let got = det::exp_m1(difference * x) / det::exp_m1(difference);
                    assert!((got - u).abs() < 1e-3 * f64::max(1e-9, u), "{difference} {u}: {got}");
                }
            }
        }
    }

    #[test]
    fn sums_are_found_and_what_lies_between_is_drawn() {
        let sums = [1.0, 1.0, 4.0];
        assert_eq!([0.5, 1.0, 3.9, 4.0].map(|wanted| place_in(&sums, 3, wanted)), [0, 2, 2, 2]);
        // Flat densities: t goes as u does, over the bins that have a mass.
        let flat = [0.0; 4];
        let drawn = [0.125, 0.25, 1.0].map(|u| nuisance(u, 4, 0.5, &flat, &[1.0, 1.0, 4.0]));
        assert_eq!(drawn, [-9.75, -9.0, -8.5]);
    }

    #[test]
    fn a_window_has_the_cells_of_its_rows() {
        let window = Window { start: 1, width: 2, height: 2, columns: 4 };
        let means = [9.0, 1.0, 0.0, 9.0, 9.0, 3.0, 2.0, 9.0];
        assert_eq!([0, 1, 2, 3].map(|place| cell_of(window, place)), [1, 2, 5, 6]);
        assert_eq!(mean_of(window, &means), 6.0);
        assert_eq!([0.0, 0.9, 1.0, 3.9, 4.0, 6.0].map(|at| cell_of_event(window, &means, at)), [1, 1, 5, 5, 6, 6]);
        let direction = [10.0, 1.0, 2.0, 3.0, 4.0];
        assert_eq!(along(window, &direction, 1, &[0.5], &means, true), 5.0 + 1.0 + 0.0 + 9.0 + 8.0);
        assert_eq!(along(window, &direction, 1, &[0.5], &[], false), 5.0);
    }

    #[test]
    fn weights_are_inverse_sums_within_bounds() {
        assert_eq!([0.0, 4.0, 1e-9, f64::INFINITY, f64::NAN].map(weight), [0.0, 0.25, LARGEST_WEIGHT, 0.0, 0.0]);
    }
}
