//! From what the nuisances of a window that exceeds are drawn.

use rayon::prelude::*;

use super::NAME;
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::{det, special};
use crate::toys::Smearing;
use crate::toys::smeared::Input;

/// The nuisance along a window's direction is drawn from -10 to 10.
const END: f64 = 10.0;

/// Nodes are at most this far apart.
const LARGEST_STEP: f64 = 0.25;

/// And at most this part of the width of the Poisson tail in the nuisance.
const PART_OF_WIDTH: f64 = 0.7;

/// Logarithms of probabilities are held above this, so that differences of them are finite.
const IMPOSSIBLE: f64 = -1e6;

/// One half of ln(2 pi).
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The nuisance of one window, given that it exceeds.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    /// The unit vector along which the window's expectation rises: a number for each template, then one for each of its cells
    /// where cells have nuisances of their own. Empty where nothing moves the window.
    direction: Vec<f64>,
    step: f64,
    /// At each node `ln(phi r)` without the constant of phi; where nothing moves the window, `ln P(A)` alone.
    ln_density: Vec<f64>,
    /// The running sums of what lies between the nodes, over the largest density.
    mass: Vec<f64>,
    /// `ln Z`.
    ln_local: f64,
}

/// The nuisances of all windows.
#[derive(Debug, Clone)]
pub(super) struct Proposals {
    windows: Vec<Proposal>,
    /// The running sums of `Z` over the largest.
    choice: Vec<f64>,
    ln_sum_of_local: f64,
}

impl Proposals {
    pub(super) fn new(input: &Input<Host>, smearing: Smearing) -> Result<Self> {
        let windows: Vec<Proposal> =
            (0..input.windows()).into_par_iter().map(|window| Proposal::new(input, smearing, window)).collect();
        let largest = windows.iter().map(|window| window.ln_local).fold(f64::NEG_INFINITY, f64::max);
        if largest <= 0.5 * IMPOSSIBLE {
            let fault = Fault::new(NAME, "no window can reach its critical count");
            return Err(fault.because("a toy of the tail has one that does").data());
        }
        let mut sum = 0.0;
        let choice: Vec<f64> = windows
            .iter()
            .map(|window| {
                sum += det::exp(window.ln_local - largest);
                sum
            })
            .collect();
        Ok(Self { windows, choice, ln_sum_of_local: largest + det::ln(sum) })
    }

    pub(super) fn windows(&self) -> usize {
        self.windows.len()
    }

    pub(super) fn window(&self, window: usize) -> &Proposal {
        &self.windows[window]
    }

    /// `ln S`.
    pub(super) fn ln_sum_of_local(&self) -> f64 {
        self.ln_sum_of_local
    }

    /// The window that a uniform number chooses.
    pub(super) fn choose(&self, u: f64) -> usize {
        find(&self.choice, u).0
    }
}

impl Proposal {
    fn new(input: &Input<Host>, smearing: Smearing, window: usize) -> Self {
        let cells: Vec<usize> = input.cells_of(window).collect();
        let critical = u64::from(input.critical[window]);
        let (direction, slopes) = direction(input, &cells);
        let expected: Vec<f64> = cells.iter().map(|cell| input.expected[*cell]).collect();
        let ln_reach = |mean: f64| special::ln_poisson_survival(critical, mean).max(IMPOSSIBLE);
        if direction.is_empty() {
            let ln_local = ln_reach(expected.iter().sum());
            return Self { direction, step: 0.0, ln_density: vec![ln_local], mass: Vec::new(), ln_local };
        }
        // The mean of the window's expectation given t, each cell at the part of its x that lies along the direction.
        let mean = |t: f64| -> f64 {
            let cells = expected.iter().zip(&slopes);
            cells.map(|(expected, slope)| expected * smearing.factor(smearing.middle(slope * slope) + slope * t)).sum()
        };
        let step = step(&mean, critical as f64);
        let half = (END / step) as i32 + 1;
        let step = END / f64::from(half);
        let ln_density: Vec<f64> = (-half..=half)
            .map(|index| {
                let t = step * f64::from(index);
                ln_reach(mean(t)) - 0.5 * t * t
            })
            .collect();
        let largest = ln_density.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        let mass: Vec<f64> = ln_density
            .windows(2)
            .map(|pair| {
                sum += step * det::exp(pair[0].max(pair[1]) - largest) * mean_of_exponential(pair[1] - pair[0]);
                sum
            })
            .collect();
        let ln_local = largest + det::ln(sum) - HALF_LN_TWO_PI;
        Self { direction, step, ln_density, mass, ln_local }
    }

    /// The nuisance along the direction that a uniform number draws; `None` where nothing moves the window.
    pub(super) fn draw(&self, u: f64) -> Option<f64> {
        if self.direction.is_empty() {
            return None;
        }
        let (bin, part) = find(&self.mass, u);
        let difference = self.ln_density[bin + 1] - self.ln_density[bin];
        Some(self.step * (bin as f64 + exponential(part, difference)) - END)
    }

    /// `ln r` where the nuisances are these: the logarithm of the probability to exceed, as the proposal has it.
    pub(super) fn ln_reach(&self, t: f64) -> f64 {
        if self.direction.is_empty() {
            return self.ln_density[0];
        }
        let place = (t + END) / self.step;
        // Beyond the ends nothing is proposed.
        if !(place >= 0.0 && place < (self.ln_density.len() - 1) as f64) {
            return f64::NEG_INFINITY;
        }
        let bin = place as usize;
        let (low, high) = (self.ln_density[bin], self.ln_density[bin + 1]);
        low + (place - bin as f64) * (high - low) + 0.5 * t * t
    }

    /// The nuisances of the templates and those of the window's own `cells` along the direction.
    pub(super) fn along(&self, shared: &[f64], own: &[f64], cells: impl Iterator<Item = usize>) -> f64 {
        let (of_templates, of_cells) = self.direction.split_at(shared.len().min(self.direction.len()));
        let templates = of_templates.iter().zip(shared).map(|(direction, nuisance)| direction * nuisance);
        // Without nuisances of their own there are no directions of cells.
        templates.chain(of_cells.iter().zip(cells).map(|(direction, cell)| direction * own[cell])).sum()
    }

    /// Moves the nuisances along the direction, so that they are `t` there.
    pub(super) fn set(&self, t: f64, shared: &mut [f64], own: &mut [f64], cells: impl Iterator<Item = usize> + Clone) {
        let missing = t - self.along(shared, own, cells.clone());
        let (of_templates, of_cells) = self.direction.split_at(shared.len().min(self.direction.len()));
        shared.iter_mut().zip(of_templates).for_each(|(nuisance, direction)| *nuisance += missing * direction);
        cells.zip(of_cells).for_each(|(cell, direction)| own[cell] += missing * direction);
    }
}

/// The unit vector along which the expectation of the cells `start .. end` rises, and how much of it is in each cell's `x`.
fn direction(input: &Input<Host>, of_window: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let of = |column: &[f64]| -> Vec<f64> { of_window.iter().map(|cell| column[*cell]).collect() };
    let expected = of(&input.expected);
    let rows: Vec<Vec<f64>> = input.shared.chunks_exact(input.cells().max(1)).map(of).collect();
    let own = if input.own.is_empty() { Vec::new() } else { of(&input.own) };
    let rise = |row: &Vec<f64>| row.iter().zip(&expected).map(|(coefficient, expected)| coefficient * expected).sum();
    let mut direction: Vec<f64> = rows.iter().map(rise).collect();
    direction.extend(own.iter().zip(&expected).map(|(coefficient, expected)| coefficient * expected));
    let length = direction.iter().map(|part: &f64| part * part).sum::<f64>().sqrt();
    if length <= 1e-12 * expected.iter().sum::<f64>() {
        return (Vec::new(), Vec::new());
    }
    direction.iter_mut().for_each(|part| *part /= length);
    let slope = |cell: usize| {
        let shared: f64 = rows.iter().zip(&direction).map(|(row, part)| row[cell] * part).sum();
        shared + own.get(cell).map_or(0.0, |coefficient| coefficient * direction[rows.len() + cell])
    };
    let slopes = (0..of_window.len()).map(slope).collect();
    (direction, slopes)
}

/// The distance of nodes that follows the Poisson tail of `critical`, where the mean comes near it.
fn step(mean: &dyn Fn(f64) -> f64, critical: f64) -> f64 {
    let most = critical + 5.0 * critical.sqrt() + 10.0;
    let half = (END / LARGEST_STEP) as i32;
    let steepest = (-half..half)
        .map(|index| {
            let (low, high) = (mean(LARGEST_STEP * f64::from(index)), mean(LARGEST_STEP * f64::from(index + 1)));
            // d mean / dt over sqrt(mean) is twice the slope of the square root.
            if low.min(high) > most {
                0.0
            } else {
                2.0 * (high.min(most).sqrt() - low.min(most).sqrt()).abs() / LARGEST_STEP
            }
        })
        .fold(0.0, f64::max);
    LARGEST_STEP.min(PART_OF_WIDTH / steepest)
}

/// The first of the running `sums` that exceeds `u` times the last, and how far into it that lies, from 0 to 1.
fn find(sums: &[f64], u: f64) -> (usize, f64) {
    let last = sums.len() - 1;
    let wanted = u * sums[last];
    let place = sums.partition_point(|sum| *sum <= wanted).min(last);
    let before = if place == 0 { 0.0 } else { sums[place - 1] };
    let size = sums[place] - before;
    (place, if size > 0.0 { ((wanted - before) / size).clamp(0.0, 1.0) } else { 0.5 })
}

/// The mean of `exp(d x)` over x from 0 to 1, over the larger of its ends.
fn mean_of_exponential(difference: f64) -> f64 {
    let fall = -difference.abs();
    if fall > -1e-12 { 1.0 } else { det::exp_m1(fall) / fall }
}

/// The x from 0 to 1 that `u` draws from a density that rises as `exp(difference x)`.
fn exponential(u: f64, difference: f64) -> f64 {
    if difference > 0.0 {
        return 1.0 - exponential(1.0 - u, -difference);
    }
    if difference > -1e-12 {
        return u;
    }
    (det::ln_1p(u * det::exp_m1(difference)) / difference).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mean = mean_of_exponential(difference);
            assert!(mean > 0.0 && mean <= 1.0, "{difference}: {mean}");
        }
        assert!((mean_of_exponential(2.0) * det::exp(2.0) - 0.5 * det::exp_m1(2.0)).abs() < 1e-14);
        assert_eq!(find(&[1.0, 1.0, 4.0], 0.25), (2, 0.0));
        assert_eq!(find(&[1.0, 1.0, 4.0], 0.125), (0, 0.5));
        assert_eq!(find(&[1.0, 1.0, 4.0], 1.0), (2, 1.0));
    }
}
