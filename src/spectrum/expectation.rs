//! What is expected in each cell without a signal, and how well that is known.

use std::ops::Range;

use super::smooth::{Closure, Smooth};
use crate::error::{Fault, Problems, Result};

const NAME: &str = "spectrum.expectation";

/// A raw simulation needs at least this many times the data's effective statistics. With 5 times, 43 % of signal-free
/// trials had a global p-value below 0.05, because the toys do not know of the simulation's own fluctuations.
pub const RAW_STATISTICS_RATIO: f64 = 100.0;

/// Where an expectation comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Somebody's own estimate, such as a published fit.
    Given,
    /// A smoothed simulation that passed its closure test.
    Smoothed(Closure),
    /// The counts of a simulation with this many times the data's effective statistics.
    Raw {
        /// Effective events of the simulation for each of the data.
        statistics_ratio: f64,
    },
}

/// The expected content of each cell.
#[derive(Debug, Clone)]
pub struct Expectation {
    values: Vec<f64>,
    knowledge: Knowledge,
    scale: f64,
}

#[derive(Debug, Clone)]
enum Knowledge {
    Given { uncertainties: Option<Vec<f64>> },
    Smoothed(Box<Smooth>),
    Raw { sum_weights: Vec<f64>, sum_squared_weights: Vec<f64>, statistics_ratio: f64 },
}

impl Expectation {
    /// Given `values`, with standard deviations that are independent from cell to cell, if they are known.
    ///
    /// # Errors
    /// Values that are negative or not finite, uncertainties likewise or of another length.
    pub fn given(values: Vec<f64>, uncertainties: Option<Vec<f64>>) -> Result<Self> {
        let mut problems = Problems::default();
        problems.take(check_column("expected content", &values, values.len()));
        if let Some(uncertainties) = &uncertainties {
            problems.take(check_column("uncertainty", uncertainties, values.len()));
        }
        problems.finish()?;
        Ok(Self { values, knowledge: Knowledge::Given { uncertainties }, scale: 1.0 })
    }

    /// A smoothed simulation times `scale` (the data's luminosity over the simulation's).
    ///
    /// # Errors
    /// A scale that is not positive.
    pub fn smoothed(smooth: Smooth, scale: f64) -> Result<Self> {
        check_scale(scale)?;
        let values = smooth.values().iter().map(|value| value * scale).collect();
        Ok(Self { values, knowledge: Knowledge::Smoothed(Box::new(smooth)), scale })
    }

    /// The contents of a simulation times `scale`, for data of `data_effective` effective events.
    ///
    /// # Errors
    /// A simulation with less than 100 times the data's effective statistics ([`RAW_STATISTICS_RATIO`]), sums that are
    /// negative or not finite, a scale that is not positive.
    pub fn raw(sum_weights: Vec<f64>, sum_squared_weights: Vec<f64>, scale: f64, data_effective: f64) -> Result<Self> {
        let mut problems = Problems::default();
        problems.take(check_scale(scale));
        problems.take(check_column("sum of weights", &sum_weights, sum_weights.len()));
        problems.take(check_column("sum of squared weights", &sum_squared_weights, sum_weights.len()));
        problems.finish()?;
        let effective = effective_number(sum_weights.iter().sum(), sum_squared_weights.iter().sum());
        let needed = RAW_STATISTICS_RATIO * data_effective;
        if effective.is_nan() || effective < needed {
            let problem = format!("the simulation has {effective:.0} effective events, {needed:.0} are needed");
            return Err(Fault::new(NAME, problem)
                .because(
                    "its own fluctuations would pass for excesses: raw counts need 100 times the data's statistics",
                )
                .suggest("Smooth the simulation instead, or use a larger one.")
                .data());
        }
        let values = sum_weights.iter().map(|sum| sum * scale).collect();
        let statistics_ratio = effective / data_effective;
        Ok(Self { values, knowledge: Knowledge::Raw { sum_weights, sum_squared_weights, statistics_ratio }, scale })
    }

    /// The expected content of each cell.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        match &self.knowledge {
            Knowledge::Given { .. } => Source::Given,
            Knowledge::Smoothed(smooth) => Source::Smoothed(smooth.closure().clone()),
            Knowledge::Raw { statistics_ratio, .. } => Source::Raw { statistics_ratio: *statistics_ratio },
        }
    }

    /// What the simulation was multiplied by; 1 for a given expectation.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The expected content of `cells`, summed in their order.
    pub fn sum(&self, cells: impl Iterator<Item = usize>) -> f64 {
        cells.map(|cell| self.values[cell]).sum()
    }

    /// The effective number of events on which the expectation of `cells` rests: `(sum w)^2 / sum w^2` of the simulation,
    /// or `(sum b)^2 / sum sigma^2` of a given one. Infinite where a given expectation has no uncertainty.
    pub fn effective_count(&self, cells: impl Iterator<Item = usize> + Clone) -> f64 {
        let effective = |weights: &[f64], squares: &[f64]| {
            let sum = |column: &[f64]| cells.clone().map(|cell| column[cell]).sum();
            effective_number(sum(weights), sum(squares))
        };
        match &self.knowledge {
            Knowledge::Given { uncertainties: None } => f64::INFINITY,
            Knowledge::Given { uncertainties: Some(sigma) } => {
                let variance: f64 = cells.clone().map(|cell| sigma[cell] * sigma[cell]).sum();
                let sum = self.sum(cells);
                if variance > 0.0 { sum * sum / variance } else { f64::INFINITY }
            }
            Knowledge::Smoothed(smooth) => effective(smooth.sum_weights(), smooth.sum_squared_weights()),
            Knowledge::Raw { sum_weights, sum_squared_weights, .. } => effective(sum_weights, sum_squared_weights),
        }
    }

    /// The relative standard deviation of the expectation of `cells`; `None` where it is not known.
    pub fn relative_uncertainty(&self, cells: Range<usize>) -> Option<f64> {
        match &self.knowledge {
            Knowledge::Given { uncertainties: None } => None,
            Knowledge::Smoothed(smooth) => Some(smooth.relative_uncertainty(cells)),
            _ => Some(1.0 / self.effective_count(cells).sqrt()),
        }
    }
}

/// `(sum w)^2 / sum w^2`: the number of unweighted events with the same relative uncertainty; 0 for none.
fn effective_number(sum: f64, sum_of_squares: f64) -> f64 {
    if sum_of_squares > 0.0 { sum * sum / sum_of_squares } else { 0.0 }
}

fn check_scale(scale: f64) -> Result<()> {
    if scale > 0.0 && scale.is_finite() {
        return Ok(());
    }
    let fault = Fault::new(NAME, format!("the scale of the simulation is {scale}"));
    Err(fault.because("an expectation is a positive multiple of it").usage())
}

fn check_column(what: &str, column: &[f64], cells: usize) -> Result<()> {
    if column.len() != cells {
        let fault = Fault::new(NAME, format!("{} values of {what} for {cells} cells", column.len()));
        return Err(fault.because("each cell needs one").data());
    }
    match column.iter().position(|value| !value.is_finite() || *value < 0.0) {
        None => Ok(()),
        Some(cell) => {
            let fault = Fault::new(NAME, format!("the {what} of cell {cell} is {}", column[cell]));
            Err(fault.because("it must be 0 or more, and finite").data())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_counts_need_a_hundred_times_the_statistics() {
        let raw = |weight: f64| Expectation::raw(vec![weight * 500.0; 2], vec![weight * weight * 500.0; 2], 0.01, 10.0);
        let expectation = raw(0.5).unwrap();
        assert_eq!(expectation.values(), [2.5, 2.5]);
        assert_eq!(expectation.effective_count(0..1), 500.0);
        assert_eq!(expectation.source(), Source::Raw { statistics_ratio: 100.0 });
        let error = Expectation::raw(vec![999.0], vec![999.0], 1.0, 10.0).unwrap_err().to_string();
        assert!(error.contains("999 effective events, 1000 are needed"), "{error}");
    }

    #[test]
    fn given_expectations_know_their_statistics_by_their_uncertainty() {
        let given = Expectation::given(vec![30.0, 10.0, 0.0], Some(vec![3.0, 4.0, 0.0])).unwrap();
        assert_eq!(given.effective_count(0..2), 64.0);
        assert_eq!(given.relative_uncertainty(0..2), Some(0.125));
        assert_eq!(Expectation::given(vec![1.0], None).unwrap().effective_count(0..1), f64::INFINITY);
        let error = Expectation::given(vec![1.0, f64::NAN], Some(vec![-1.0, 0.0])).unwrap_err();
        assert_eq!(error.problems().len(), 2);
    }
}
