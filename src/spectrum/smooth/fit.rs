//! The Poisson regression of cell contents on Legendre polynomials: one fit of given degrees.

use std::ops::Range;

use super::cholesky::Cholesky;
use crate::math::det;

/// Gauss-Legendre nodes and weights on [-1, 1], three points: the content of a cell is the integral of the density, so
/// wide and narrow neighbours are treated alike.
const NODES: [(f64, f64); 3] =
    [(-0.774_596_669_241_483_4, 5.0 / 9.0), (0.0, 8.0 / 9.0), (0.774_596_669_241_483_4, 5.0 / 9.0)];

/// Keeps the exponential finite on a wild Newton step; no density of a fit that ends comes near.
const LARGEST_EXPONENT: f64 = 600.0;

/// Of Newton steps; fits of falling spectra take 5 to 15.
const MOST_STEPS: usize = 100;

/// A fit ends where a step gains less than this in the logarithm of the likelihood of the effective counts.
const SMALLEST_GAIN: f64 = 1e-9;

/// An axis of cells in the logarithm of its quantity: basis and weight at every node.
#[derive(Debug, Clone)]
pub(super) struct LogAxis {
    bins: usize,
    degree_max: usize,
    /// P_0 .. P_degree_max at each node, three nodes a bin.
    basis: Vec<f64>,
    /// The weight of each node times half the bin's width.
    weight: Vec<f64>,
}

impl LogAxis {
    /// Positive, rising `edges`.
    pub(super) fn new(edges: &[f64], degree_max: usize) -> Self {
        let log: Vec<f64> = edges.iter().map(|edge| det::ln(*edge)).collect();
        let (low, high) = (log[0], log[log.len() - 1]);
        let (mut basis, mut weight) = (Vec::new(), Vec::new());
        for bin in log.windows(2) {
            let (middle, half) = (0.5 * (bin[0] + bin[1]), 0.5 * (bin[1] - bin[0]));
            for (node, share) in NODES {
                let x = 2.0 * (middle + half * node - low) / (high - low) - 1.0;
                push_legendre(&mut basis, x, degree_max);
                weight.push(share * half);
            }
        }
        Self { bins: edges.len() - 1, degree_max, basis, weight }
    }

    /// A single bin of width 1: the axis that a spectrum does not have.
    pub(super) fn single() -> Self {
        let third = 1.0 / 3.0;
        Self { bins: 1, degree_max: 0, basis: vec![1.0; 3], weight: vec![third; 3] }
    }

    pub(super) fn bins(&self) -> usize {
        self.bins
    }

    fn at(&self, node: usize, degree: usize) -> &[f64] {
        let start = node * (self.degree_max + 1);
        &self.basis[start..=start + degree]
    }
}

fn push_legendre(basis: &mut Vec<f64>, x: f64, degree_max: usize) {
    let (mut before, mut now) = (0.0, 1.0);
    for n in 0..=degree_max {
        basis.push(now);
        let n = n as f64;
        (before, now) = (now, ((2.0 * n + 1.0) * x * now - n * before) / (n + 1.0));
    }
}

/// Degrees of the polynomials in (row, column).
pub(super) type Degrees = (usize, usize);

/// A fitted density: `content = integral of exp(sum_ij parameter_ij P_i(row) P_j(column))`.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) degrees: Degrees,
    pub(super) parameters: Vec<f64>,
    /// The content of each cell.
    pub(super) values: Vec<f64>,
    /// d content / d parameter, cell by cell.
    pub(super) slopes: Vec<f64>,
    /// sum of (observed ln content - content).
    pub(super) log_likelihood: f64,
}

impl Fit {
    pub(super) fn count(&self) -> usize {
        self.parameters.len()
    }

    /// Maximises the likelihood of `observed` (sums of weights), whose mean weight is `weight`, from the parameters of
    /// a `start` of lower degrees. `None` where it does not converge.
    pub(super) fn new(
        rows: &LogAxis,
        columns: &LogAxis,
        observed: &[f64],
        weight: f64,
        degrees: Degrees,
        start: Option<&Self>,
    ) -> Option<Self> {
        let mut fit =
            Self::evaluate(rows, columns, observed, degrees, starting_point(rows, columns, observed, degrees, start));
        for _ in 0..MOST_STEPS {
            let (gradient, information) = fit.derivatives(observed);
            let step = damped(&information, fit.count())?.solve(&gradient);
            let mut length = 1.0;
            let next = loop {
                let parameters = fit.parameters.iter().zip(&step).map(|(p, s)| p + length * s).collect();
                let next = Self::evaluate(rows, columns, observed, degrees, parameters);
                if next.log_likelihood >= fit.log_likelihood {
                    break Some(next);
                }
                length *= 0.5;
                if length < 1e-6 {
                    break None;
                }
            };
            // No step gains anything: rounding is all that is left.
            let Some(next) = next else { return Some(fit) };
            let gain = next.log_likelihood - fit.log_likelihood;
            fit = next;
            if gain < SMALLEST_GAIN * weight {
                return Some(fit);
            }
        }
        None
    }

    fn evaluate(rows: &LogAxis, columns: &LogAxis, observed: &[f64], degrees: Degrees, parameters: Vec<f64>) -> Self {
        let cells = rows.bins * columns.bins;
        let mut fit = Self {
            degrees,
            values: vec![0.0; cells],
            slopes: vec![0.0; cells * parameters.len()],
            parameters,
            log_likelihood: 0.0,
        };
        for row in 0..rows.bins {
            for column in 0..columns.bins {
                fit.integrate(rows, columns, row, column);
            }
        }
        for (value, seen) in fit.values.iter().zip(observed) {
            fit.log_likelihood -= value;
            if *seen > 0.0 {
                fit.log_likelihood += seen * det::ln(*value);
            }
        }
        fit
    }

    fn integrate(&mut self, rows: &LogAxis, columns: &LogAxis, row: usize, column: usize) {
        let (cell, count) = (row * columns.bins + column, self.parameters.len());
        let slopes = &mut self.slopes[cell * count..(cell + 1) * count];
        for row_node in 3 * row..3 * row + 3 {
            let row_basis = rows.at(row_node, self.degrees.0);
            for column_node in 3 * column..3 * column + 3 {
                let column_basis = columns.at(column_node, self.degrees.1);
                let exponent = bilinear(row_basis, column_basis, &self.parameters);
                let density = det::exp(exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT));
                let content = rows.weight[row_node] * columns.weight[column_node] * density;
                self.values[cell] += content;
                for (slopes, p_row) in slopes.chunks_exact_mut(column_basis.len()).zip(row_basis) {
                    let content = content * p_row;
                    slopes.iter_mut().zip(column_basis).for_each(|(slope, p)| *slope += content * p);
                }
            }
        }
    }

    /// The gradient of the logarithm of the likelihood and the expected information (Fisher scoring).
    fn derivatives(&self, observed: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let count = self.count();
        let mut gradient = vec![0.0; count];
        for ((slopes, value), seen) in self.slopes.chunks_exact(count).zip(&self.values).zip(observed) {
            let excess = seen / value - 1.0;
            gradient.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += excess * slope);
        }
        (gradient, self.weighted_products(|cell| 1.0 / self.values[cell]))
    }

    /// The covariance of the parameters: `A^-1 B A^-1` with the information `A` and the scatter `B` of the gradient,
    /// so that it holds for any weights (the "sandwich"; with unit weights `B` estimates `A`).
    pub(super) fn covariance(&self, sum_squared_weights: &[f64]) -> Option<Vec<f64>> {
        let count = self.count();
        let inverse = damped(&self.weighted_products(|cell| 1.0 / self.values[cell]), count)?;
        let scatter =
            self.weighted_products(|cell| sum_squared_weights[cell] / (self.values[cell] * self.values[cell]));
        // A^-1 B, then A^-1 (A^-1 B)^T; scatter is symmetric, so rows serve as columns.
        let mut half = vec![0.0; count * count];
        for column in 0..count {
            let full: Vec<f64> = (0..count).map(|k| scatter[k.max(column) * count + k.min(column)]).collect();
            half[column * count..(column + 1) * count].copy_from_slice(&inverse.solve(&full));
        }
        let mut covariance = vec![0.0; count * count];
        for row in 0..count {
            let column: Vec<f64> = (0..count).map(|k| half[k * count + row]).collect();
            covariance[row * count..(row + 1) * count].copy_from_slice(&inverse.solve(&column));
        }
        Some(covariance)
    }

    /// The lower triangle of `sum over cells of factor * slope slope^T`.
    fn weighted_products(&self, factor: impl Fn(usize) -> f64) -> Vec<f64> {
        let count = self.count();
        let mut sum = vec![0.0; count * count];
        for (cell, slopes) in self.slopes.chunks_exact(count).enumerate() {
            let factor = factor(cell);
            for (row, slope) in slopes.iter().enumerate() {
                let weighted = factor * slope;
                sum[row * count..=row * count + row]
                    .iter_mut()
                    .zip(slopes)
                    .for_each(|(s, other)| *s += weighted * other);
            }
        }
        sum
    }

    /// The variance of the content of `cells` that comes from the parameters.
    pub(super) fn variance(&self, covariance: &[f64], cells: Range<usize>) -> f64 {
        let count = self.count();
        let mut slope = vec![0.0; count];
        for cell in cells {
            slope.iter_mut().zip(&self.slopes[cell * count..]).for_each(|(sum, part)| *sum += part);
        }
        let along = |row: &[f64]| -> f64 { row.iter().zip(&slope).map(|(c, s)| c * s).sum() };
        covariance.chunks_exact(count).zip(&slope).map(|(row, s)| s * along(row)).sum()
    }
}

fn bilinear(row_basis: &[f64], column_basis: &[f64], parameters: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (p_row, parameters) in row_basis.iter().zip(parameters.chunks_exact(column_basis.len())) {
        let along: f64 = parameters.iter().zip(column_basis).map(|(parameter, p)| parameter * p).sum();
        sum += p_row * along;
    }
    sum
}

fn starting_point(
    rows: &LogAxis,
    columns: &LogAxis,
    observed: &[f64],
    degrees: Degrees,
    start: Option<&Fit>,
) -> Vec<f64> {
    let mut parameters = vec![0.0; (degrees.0 + 1) * (degrees.1 + 1)];
    match start {
        Some(lower) => {
            for (to, from) in
                parameters.chunks_exact_mut(degrees.1 + 1).zip(lower.parameters.chunks_exact(lower.degrees.1 + 1))
            {
                to[..from.len()].copy_from_slice(from);
            }
        }
        None => {
            let area: f64 = rows.weight.iter().sum::<f64>() * columns.weight.iter().sum::<f64>();
            parameters[0] = det::ln(observed.iter().sum::<f64>() / area);
        }
    }
    parameters
}

/// The factor of the information with the least damping that makes it positive definite: an empty corner of the plane
/// leaves directions along which the likelihood is flat.
fn damped(information: &[f64], size: usize) -> Option<Cholesky> {
    let mean = (0..size).map(|k| information[k * size + k]).sum::<f64>() / size as f64;
    [1e-13, 1e-11, 1e-9, 1e-7, 1e-5].into_iter().find_map(|damping| {
        let mut damped = information.to_vec();
        (0..size).for_each(|k| damped[k * size + k] += damping * mean);
        Cholesky::new(&damped, size)
    })
}
