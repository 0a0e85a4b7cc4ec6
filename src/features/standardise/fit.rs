//! Parameters from a table of values.

use serde::{Deserialize, Serialize};

use super::{NAME, Standardise, Transform, Values, math};
use crate::device::Host;
use crate::error::{Fault, Problems, Result};
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
    let fitted = methods.iter().enumerate().map(|(column, method)| {
        let subject = format!("column {column}");
        problems.take(of_column(*method, &subject, values.column(column)))
    });
    let transforms: Vec<Option<Transform>> = fitted.collect();
    problems.finish()?;
    Ok(Standardise { transforms: transforms.into_iter().flatten().collect() })
}

/// The map of the values of one column that messages call `subject`.
pub(super) fn of_one(method: Method, subject: &str, values: &[f64]) -> Result<Transform> {
    if values.is_empty() {
        let fault = Fault::new(NAME, format!("{subject} has no values")).because("nothing could be fitted");
        return Err(fault.suggest("Leave it out.").data());
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        let fault = Fault::new(NAME, format!("{subject} has the value {value}")).because("it has no place on a scale");
        return Err(fault.suggest("Drop such rows before.").data());
    }
    of_column(method, subject, values.iter().copied())
}

/// The same, of finite values of which there are some.
fn of_column(method: Method, subject: &str, values: impl Iterator<Item = f64> + Clone) -> Result<Transform> {
    let all = || values.clone();
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let range = high - low;
    if range == 0.0 {
        let fault = Fault::new(NAME, format!("{subject} has the one value {}", shortest(low)));
        return Err(fault.because("no scale follows from it").suggest("Leave it out.").data());
    }
    if !range.is_finite() {
        let fault = Fault::new(NAME, format!("{subject} has values from {low:e} to {high:e}"));
        let fault = fault.because("what lies between is no finite number in double precision");
        return Err(fault.suggest("Take it in other units, or leave it out.").data());
    }
    match method {
        Method::ZScore => linear(subject, all()),
        Method::MinMax => Ok(Transform::Linear { shift: low, scale: 1.0 / range }),
        Method::Logit { widened } => {
            if !(widened > math::EDGE && widened <= 1.0) {
                let fault = Fault::new(NAME, format!("{subject}: the range is widened by {widened} of itself"));
                let fault = fault.because("the least and the largest value must have finite logits");
                return Err(fault.suggest("Use 0.001.").usage());
            }
            let (low, high) = (low - widened * range, high + widened * range);
            let logits = all().map(|x| math::logit(x, low, high, 0.0, 1.0).value);
            match linear(subject, logits)? {
                Transform::Linear { shift, scale } => Ok(Transform::Logit { low, high, shift, scale }),
                other => Ok(other),
            }
        }
        Method::Uniform { knots } => Ok(Transform::Uniform { knots: quantiles(knots, subject, all().collect())? }),
        Method::Normal { knots } => Ok(Transform::Normal { knots: quantiles(knots, subject, all().collect())? }),
    }
}

/// A value as it was written, where it was read in single precision.
fn shortest(value: f64) -> String {
    let single = value as f32;
    if f64::from(single) == value { single.to_string() } else { value.to_string() }
}

/// Mean and standard deviation, summed in the order of the rows, with the rounding of the sums carried along.
fn linear(subject: &str, values: impl Iterator<Item = f64> + Clone) -> Result<Transform> {
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
        let fault = Fault::new(NAME, format!("{subject} has the mean {mean:e} and the variance {variance:e}"));
        let fault = fault.because("no scale follows from these in double precision");
        return Err(fault.suggest("Take it in other units, or leave it out.").data());
    }
    Ok(Transform::Linear { shift: mean, scale })
}

/// Quantiles with equal shares between them, linear between sorted values; equal ones are one knot only if all shares stay equal, so
/// that too many equal values are an error.
fn quantiles(knots: usize, subject: &str, mut values: Vec<f64>) -> Result<Vec<f64>> {
    if knots < 2 || knots > values.len() {
        let fault = Fault::new(NAME, format!("{subject}: {knots} knots for {} values", values.len()));
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
    if let Some(pair) = found.windows(2).find(|pair| pair[0] >= pair[1]) {
        let value = shortest(pair[0]);
        let fault = Fault::new(NAME, format!("{subject}: two of {knots} quantiles are equal, {value}"));
        let fault = fault.because("a share of the values is one number, which has no quantile of its own");
        // Cards have no key for knots.
        return Err(fault.suggest("Standardise by z-score, min-max or logit.").data());
    }
    Ok(found)
}
