//! The expected background of every cell, from the card's simulation.

use crate::card::{EventWork, ExpectationFrom, ExpectationSettings, Histogrammed, Normalisation};
use crate::error::{Fault, Result};
use crate::report::{Fact, number};
use crate::spectrum::expectation::Source;
use crate::spectrum::smooth::Simulation;
use crate::spectrum::{Expectation, Histogram};

/// The contents of all cells, without flow, row by row.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) counts: Vec<u64>,
    pub(super) sum_weights: Vec<f64>,
    pub(super) sum_squared_weights: Vec<f64>,
}

impl Contents {
    /// The sum of histograms of the same axes, in their order.
    pub(super) fn sum(histograms: impl Iterator<Item = Histogram>) -> Self {
        let mut sum = Self::default();
        for histogram in histograms {
            let counts = histogram.counts_without_flow();
            let cells = counts.len();
            sum.counts.resize(cells, 0);
            sum.sum_weights.resize(cells, 0.0);
            sum.sum_squared_weights.resize(cells, 0.0);
            sum.counts.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += count);
            let (values, variances) = (histogram.values_without_flow(), histogram.variances_without_flow());
            sum.sum_weights.iter_mut().zip(&values).for_each(|(sum, value)| *sum += value);
            sum.sum_squared_weights.iter_mut().zip(&variances).for_each(|(sum, variance)| *sum += variance);
        }
        sum
    }
}

/// The expectation that the card asks for.
pub(super) fn expectation(
    settings: &ExpectationSettings,
    work: &EventWork,
    data: &Contents,
    simulation: &Contents,
) -> Result<Expectation> {
    let scale = match settings.normalisation {
        Normalisation::Weights => 1.0,
        Normalisation::Data => {
            let total: f64 = simulation.sum_weights.iter().sum();
            if total <= 0.0 {
                return Err(Fault::new("campaign.expectation", "no simulated event was selected")
                    .because("the simulation cannot be scaled to the data")
                    .data());
            }
            data.counts.iter().sum::<u64>() as f64 / total
        }
    };
    match settings.from {
        ExpectationFrom::RawSimulation => {
            // Data count once each, so their number is their effective number.
            let effective = data.counts.iter().sum::<u64>() as f64;
            let (sum, squares) = (simulation.sum_weights.clone(), simulation.sum_squared_weights.clone());
            Expectation::raw(sum, squares, scale, effective)
        }
        ExpectationFrom::SmoothedSimulation => {
            let (row_edges, column_edges) = match &work.histogrammed {
                Histogrammed::Plane { plane, .. } => (plane.m_y_edges_gev(), plane.m_x_edges_gev()),
                Histogrammed::Spectrum { edges, .. } => (&[][..], &edges[..]),
            };
            let smooth = settings.smoothing.smooth(&Simulation {
                row_edges,
                column_edges,
                sum_weights: &simulation.sum_weights,
                sum_squared_weights: &simulation.sum_squared_weights,
            })?;
            Expectation::smoothed(smooth, scale)
        }
    }
}

/// What the expectation is called in legends.
pub(super) fn name(expectation: &Expectation) -> &'static str {
    match expectation.source() {
        Source::Given => "Expectation",
        Source::Smoothed(_) => "Smoothed simulation",
        Source::Raw { .. } => "Simulation",
    }
}

/// How the expectation was made, for the report.
pub(super) fn describe(expectation: &Expectation) -> Vec<Fact> {
    match expectation.source() {
        Source::Given => Vec::new(),
        Source::Raw { statistics_ratio } => vec![Fact::new(
            "Expectation",
            format!("raw simulation of {} times the data's statistics", number::significant(statistics_ratio, 3)),
        )],
        Source::Smoothed(closure) => {
            let (rows, columns) = closure.degrees;
            vec![
                Fact::new(
                    "Expectation",
                    format!(
                        "simulation smoothed with degrees {rows} and {columns} ({} parameters)",
                        closure.parameters
                    ),
                ),
                Fact::new(
                    "Closure",
                    format!(
                        "χ^{{2}} = {} for {} degrees of freedom, *p* = {}, largest pull {:.1}",
                        number::significant(closure.chi_squared, 4),
                        closure.degrees_of_freedom,
                        number::significant(closure.p, 2),
                        closure.largest_pull
                    ),
                ),
            ]
        }
    }
}
