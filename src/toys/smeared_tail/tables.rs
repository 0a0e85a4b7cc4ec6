//! From what the nuisances of a window that exceeds are drawn: made once, on the host.

use rayon::prelude::*;

use super::math::END;
use super::{Input, NAME};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::{det, special};
use crate::toys::{Smearing, smeared};

/// Nodes are at most this far apart.
const LARGEST_STEP: f64 = 0.25;

/// And at most this part of the width of the Poisson tail in the nuisance.
const PART_OF_WIDTH: f64 = 0.7;

/// Logarithms of probabilities are held above this, so that differences of them are finite.
const IMPOSSIBLE: f64 = -1e6;

/// One half of ln(2 pi).
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The nuisance of one window, given that it exceeds: what [`Input`] has of all windows one after another.
struct Proposal {
    direction: Vec<f64>,
    step: f64,
    ln_density: Vec<f64>,
    mass: Vec<f64>,
    /// `ln Z`.
    ln_local: f64,
}

impl Input<Host> {
    /// The tables of windows that have been checked by [`Smeared`](crate::toys::Smeared).
    ///
    /// # Errors
    /// Windows of which none can reach its critical count, and tables of 2^32 numbers.
    pub fn new(toys: smeared::Input<Host>, smearing: Smearing) -> Result<Self> {
        let windows: Vec<Proposal> =
            (0..toys.windows()).into_par_iter().map(|window| Proposal::new(&toys, smearing, window)).collect();
        let largest = windows.iter().map(|window| window.ln_local).fold(f64::NEG_INFINITY, f64::max);
        if largest <= 0.5 * IMPOSSIBLE {
            let fault = Fault::new(NAME, "no window can reach its critical count");
            return Err(fault.because("a toy of the tail has one that does").data());
        }
        let mut sum = 0.0;
        let choice = windows.iter().map(|window| {
            sum += det::exp(window.ln_local - largest);
            sum
        });
        let choice: Vec<f64> = choice.collect();
        Ok(Self {
            // Nothing is tallied by levels.
            toys: smeared::Input { minimum: Vec::new().into(), ..toys },
            choice: choice.into(),
            first_direction: starts(windows.iter().map(|window| window.direction.len()))?.into(),
            direction: windows.iter().flat_map(|window| window.direction.iter().copied()).collect(),
            first_node: starts(windows.iter().map(|window| window.ln_density.len()))?.into(),
            step: windows.iter().map(|window| window.step).collect(),
            ln_density: windows.iter().flat_map(|window| window.ln_density.iter().copied()).collect(),
            mass: windows.iter().flat_map(|window| window.mass.iter().copied()).collect(),
            ln_sum_of_local: largest + det::ln(sum),
        })
    }
}

/// Where each part begins in a column of all, and the end of the last.
fn starts(lengths: impl Iterator<Item = usize>) -> Result<Vec<u32>> {
    let mut starts = vec![0];
    let mut end = 0;
    for length in lengths {
        end += length;
        let start = u32::try_from(end).map_err(|_| {
            let fault = Fault::new(NAME, "the tables of the windows have 2^32 entries or more");
            fault.because("they are numbered in 32 bits").suggest("Hunt in fewer windows.").data()
        });
        starts.push(start?);
    }
    Ok(starts)
}

impl Proposal {
    fn new(input: &smeared::Input<Host>, smearing: Smearing, window: usize) -> Self {
        let cells: Vec<usize> = input.cells_of(window).collect();
        let critical = u64::from(input.critical[window]);
        let (direction, slopes) = direction(input, &cells);
        let expected: Vec<f64> = cells.iter().map(|cell| input.expected[*cell]).collect();
        let ln_reach = |mean: f64| special::ln_poisson_survival(critical, mean).max(IMPOSSIBLE);
        if direction.is_empty() {
            let ln_local = ln_reach(expected.iter().sum());
            return Self { direction, step: 0.0, ln_density: vec![ln_local], mass: vec![0.0], ln_local };
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
        let mut mass: Vec<f64> = ln_density
            .windows(2)
            .map(|pair| {
                sum += step * det::exp(pair[0].max(pair[1]) - largest) * mean_of_exponential(pair[1] - pair[0]);
                sum
            })
            .collect();
        mass.push(sum);
        let ln_local = largest + det::ln(sum) - HALF_LN_TWO_PI;
        Self { direction, step, ln_density, mass, ln_local }
    }
}

/// The unit vector along which the expectation of the cells `start .. end` rises, and how much of it is in each cell's `x`.
fn direction(input: &smeared::Input<Host>, of_window: &[usize]) -> (Vec<f64>, Vec<f64>) {
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

/// The mean of `exp(d x)` over x from 0 to 1, over the larger of its ends.
fn mean_of_exponential(difference: f64) -> f64 {
    let fall = -difference.abs();
    if fall > -1e-12 { 1.0 } else { det::exp_m1(fall) / fall }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_nodes_is_the_integral_of_the_density() {
        for difference in [-1e6, -800.0, -3.0, -1e-13, 0.0, 2.0, 50.0, 1e6] {
            let mean = mean_of_exponential(difference);
            assert!(mean > 0.0 && mean <= 1.0, "{difference}: {mean}");
        }
        assert!((mean_of_exponential(2.0) * det::exp(2.0) - 0.5 * det::exp_m1(2.0)).abs() < 1e-14);
    }

    #[test]
    fn parts_begin_where_the_one_before_ends() {
        assert_eq!(starts([3, 0, 2].into_iter()).unwrap(), [0, 3, 3, 5]);
        assert!(starts([1 << 31, 1 << 31].into_iter()).is_err());
    }
}
