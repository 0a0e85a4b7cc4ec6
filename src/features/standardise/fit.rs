//! Parameters from a table of values.

use serde::{Deserialize, Serialize};

use super::{NAME, Standardise, Transform, Values, math};
use crate::device::Host;
use crate::error::{Error, Fault, Problems, Result};
use crate::math::det;

/// How a column is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// To mean 0 and standard deviation 1 (of the population).
    ZScore,
    /// From 0 to 1.
    MinMax,
    /// To the logit of the share of the range, which is first widened by so much of itself on both sides; then to mean 0 and standard
    /// deviation 1. Published: 0.001.
    Logit {
        /// Above 1e-6, so that all that was fitted is inside.
        widened: f64,
    },
    /// To the share of values below, between so many knots.
    Uniform {
        /// At least two.
        knots: usize,
    },
    /// To the normal quantile of that share.
    Normal {
        /// At least two.
        knots: usize,
    },
}

pub(super) fn fit(methods: &[Method], values: &Values<Host>) -> Result<Standardise> {
    let mut problems = Problems::default();
    if methods.len() != values.columns as usize {
        let problem = format!("{} methods for {} columns", methods.len(), values.columns);
        problems.push(Fault::new(NAME, problem).because("each column has its own").usage());
    }
    if values.rows() == 0 {
        problems.push(Fault::new(NAME, "there are no rows").because("nothing could be fitted").data());
    }
    problems.finish()?;
    let mut problems = Problems::default();
    let fitted = methods.iter().enumerate().map(|(column, method)| problems.take(of_column(*method, column, values)));
    let transforms: Vec<Option<Transform>> = fitted.collect();
    problems.finish()?;
    Ok(Standardise { transforms: transforms.into_iter().flatten().collect() })
}

fn of_column(method: Method, column: usize, values: &Values<Host>) -> Result<Transform> {
    let all = || values.column(column);
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let range = high - low;
    if !(range > 0.0 && range.is_finite()) {
        return Err(constant(column, low));
    }
    match method {
        Method::ZScore => linear(column, all()),
        Method::MinMax => Ok(Transform::Linear { shift: low, scale: 1.0 / range }),
        Method::Logit { widened } => {
            if !(widened > math::EDGE && widened <= 1.0) {
                let fault = Fault::new(NAME, format!("column {column}: the range is widened by {widened} of itself"));
                let fault = fault.because("the least and the largest value must have finite logits");
                return Err(fault.suggest("Use 0.001.").usage());
            }
            let (low, high) = (low - widened * range, high + widened * range);
            let logits = all().map(|x| math::logit(x, low, high, 0.0, 1.0).value);
            match linear(column, logits)? {
                Transform::Linear { shift, scale } => Ok(Transform::Logit { low, high, shift, scale }),
                other => Ok(other),
            }
        }
        Method::Uniform { knots } => Ok(Transform::Uniform { knots: quantiles(knots, column, all().collect())? }),
        Method::Normal { knots } => Ok(Transform::Normal { knots: quantiles(knots, column, all().collect())? }),
    }
}

fn constant(column: usize, value: f64) -> Error {
    let fault = Fault::new(NAME, format!("column {column} is {value} in every row, or its range is not finite"));
    fault.because("no scale follows from it").suggest("Leave it out.").data()
}

/// Mean and standard deviation, summed in the order of the rows, with the rounding of the sums carried along.
fn linear(column: usize, values: impl Iterator<Item = f64> + Clone) -> Result<Transform> {
    let number = values.clone().count() as f64;
    let sum = |terms: &mut dyn Iterator<Item = f64>| {
        let zero = det::DoubleDouble { high: 0.0, low: 0.0 };
        let all = terms.fold(zero, |sum, x| det::add_double(sum, det::DoubleDouble { high: x, low: 0.0 }));
        all.high + all.low
    };
    let mean = sum(&mut values.clone()) / number;
    let variance = sum(&mut values.map(|x| (x - mean) * (x - mean))) / number;
    let scale = 1.0 / det::sqrt(variance);
    if !(mean.is_finite() && scale > 0.0 && scale.is_finite()) {
        return Err(constant(column, mean));
    }
    Ok(Transform::Linear { shift: mean, scale })
}

/// Quantiles with equal shares between them, linear between sorted values; equal ones are one knot only if all shares stay equal, so
/// that too many equal values are an error.
fn quantiles(knots: usize, column: usize, mut values: Vec<f64>) -> Result<Vec<f64>> {
    if knots < 2 || knots > values.len() {
        let fault = Fault::new(NAME, format!("column {column}: {knots} knots for {} values", values.len()));
        return Err(fault.because("there are at least two, and no more than values").usage());
    }
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    let quantile = |knot: usize| {
        let place = (knot * last) as f64 / (knots - 1) as f64;
        let below = (place as usize).min(last - 1);
        values[below] + (place - below as f64) * (values[below + 1] - values[below])
    };
    let found: Vec<f64> = (0..knots).map(quantile).collect();
    if found.windows(2).any(|pair| pair[0] >= pair[1]) {
        let fault = Fault::new(NAME, format!("column {column}: two of {knots} quantiles are equal"));
        let fault = fault.because("a share of the values is one number, which has no quantile of its own");
        return Err(fault.suggest("Use fewer knots, or another method.").data());
    }
    Ok(found)
}
