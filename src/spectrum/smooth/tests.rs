//! The smoothing on spectra whose truth is known.

use super::*;
use crate::math::{philox, poisson};

fn edges(low: f64, ratio: f64, bins: usize) -> Vec<f64> {
    let mut edges = vec![low];
    (0..bins).for_each(|bin| edges.push(edges[bin] * ratio));
    edges
}

/// A falling plane whose density is the exponential of a polynomial of degrees 2 and 3 in the logarithms.
fn truth(rows: &[f64], columns: &[f64], total: f64) -> Vec<f64> {
    let middle = |e: &[f64]| 0.5 * (e[0].ln() + e[1].ln());
    let scaled = |x: f64, all: &[f64]| 2.0 * (x - all[0].ln()) / (all[all.len() - 1].ln() - all[0].ln()) - 1.0;
    let mut cells = Vec::new();
    for row in rows.windows(2) {
        for column in columns.windows(2) {
            let (u, v) = (scaled(middle(row), rows), scaled(middle(column), columns));
            let density = (-2.5 * u - 0.4 * u * u - 1.2 * v + 0.5 * u * v - 0.6 * v * v + 0.3 * v * v * v).exp();
            cells.push(density * (row[1] / row[0]).ln() * (column[1] / column[0]).ln());
        }
    }
    let sum: f64 = cells.iter().sum();
    cells.iter().map(|cell| cell * total / sum).collect()
}

fn thrown(truth: &[f64], seed: u64) -> Vec<f64> {
    let philox = philox::Philox::new(seed, philox::Stage::Probe);
    let draw = |(cell, mean): (usize, &f64)| {
        let words = philox.words(cell as u64, 0);
        let word = u64::from(words[0]) << 32 | u64::from(words[1]);
        poisson::PoissonTable::new(*mean).unwrap().draw(word) as f64
    };
    truth.iter().enumerate().map(draw).collect()
}

#[test]
fn a_plane_is_smoothed_within_its_own_uncertainty() {
    let (rows, columns) = (edges(1300.0, 1.12, 12), edges(50.0, 1.1, 20));
    let truth = truth(&rows, &columns, 200_000.0);
    let counts = thrown(&truth, 7);
    let simulation =
        Simulation { row_edges: &rows, column_edges: &columns, sum_weights: &counts, sum_squared_weights: &counts };
    let smooth = Smoothing::default().smooth(&simulation).unwrap();
    let closure = smooth.closure();
    assert!(closure.p > 0.05 && closure.degrees.0 <= 3 && (2..=4).contains(&closure.degrees.1), "{closure:?}");
    // The sum of contents is kept by a maximum-likelihood fit with a constant.
    let (sum, seen): (f64, f64) = (smooth.values().iter().sum(), counts.iter().sum());
    assert!((sum / seen - 1.0).abs() < 1e-9, "{sum} {seen}");
    let mut pulls = 0.0;
    for window in (0..240 - 3).step_by(7) {
        let (got, expected): (f64, f64) =
            (smooth.values()[window..window + 3].iter().sum(), truth[window..window + 3].iter().sum());
        let relative = smooth.relative_uncertainty(window..window + 3);
        assert!(relative > 0.0 && relative < 0.2, "{relative}");
        pulls += ((got / expected - 1.0) / relative).powi(2) / 34.0;
    }
    // Windows are correlated through about 12 parameters: the mean square pull scatters by about sqrt(2 / 12).
    assert!(pulls > 0.2 && pulls < 3.0, "{pulls}");
}

#[test]
fn weights_scale_the_content_and_leave_the_closure() {
    let (rows, columns) = (edges(1300.0, 1.12, 8), edges(50.0, 1.1, 10));
    let counts = thrown(&truth(&rows, &columns, 50_000.0), 3);
    let weighted: Vec<f64> = counts.iter().map(|count| 0.25 * count).collect();
    let squared: Vec<f64> = counts.iter().map(|count| 0.0625 * count).collect();
    let smooth = |sum_weights: &[f64], sum_squared_weights: &[f64]| {
        let simulation = Simulation { row_edges: &rows, column_edges: &columns, sum_weights, sum_squared_weights };
        Smoothing::default().smooth(&simulation).unwrap()
    };
    let (unit, quarter) = (smooth(&counts, &counts), smooth(&weighted, &squared));
    assert_eq!(unit.closure().degrees, quarter.closure().degrees);
    assert!((unit.closure().chi_squared / quarter.closure().chi_squared - 1.0).abs() < 1e-5);
    assert!((unit.values()[17] / quarter.values()[17] - 4.0).abs() < 1e-5);
    assert!((unit.relative_uncertainty(3..9) / quarter.relative_uncertainty(3..9) - 1.0).abs() < 1e-5);
}

#[test]
fn a_bump_that_no_polynomial_follows_is_refused() {
    let columns = edges(1000.0, 1.03, 60);
    let mut counts: Vec<f64> = (0..60).map(|bin| (200_000.0 * (-0.1 * f64::from(bin)).exp()).round()).collect();
    counts[30] *= 3.0;
    let simulation =
        Simulation { row_edges: &[], column_edges: &columns, sum_weights: &counts, sum_squared_weights: &counts };
    let error = Smoothing::default().smooth(&simulation).unwrap_err().to_string();
    assert!(error.contains("does not describe the simulation") && error.contains("cells 30 to 31"), "{error}");
}

#[test]
fn what_cannot_be_smoothed_is_said() {
    let simulation = |edges: &'static [f64], sums: &'static [f64]| Simulation {
        row_edges: &[],
        column_edges: edges,
        sum_weights: sums,
        sum_squared_weights: sums,
    };
    let fails = |edges, sums| Smoothing::default().smooth(&simulation(edges, sums)).unwrap_err().problems().len();
    assert_eq!(fails(&[1.0, 2.0, 3.0], &[0.0, 0.0]), 1);
    assert_eq!(fails(&[0.0, 2.0, 3.0], &[1.0, 1.0]), 1);
    assert_eq!(fails(&[1.0, 2.0, 3.0], &[1.0, -1.0]), 2);
    assert_eq!(fails(&[1.0, 2.0, 3.0], &[1.0]), 2);
    // Two bins leave no degree of freedom beside a constant: nothing can be tested.
    assert_eq!(fails(&[1.0, 2.0], &[5.0]), 1);
    assert!(Smoothing { degree_max: 0, merged_minimum: 0.0, ..Smoothing::default() }.check().is_err());
}
