//! An expectation that is uncertain, and the p-value that is maximised then.

use rayon::prelude::*;

use crate::device::Host;
use crate::error::Result;
use crate::hunt::scan::math::local_z;
use crate::hunt::{Convention, Findings, WindowExpectation, Windows};
use crate::math::special::normal_survival;
use crate::spectrum::Expectation;
use crate::toys::throw::{LEVELS, level_z};
use crate::toys::uncertainty::MarginalCount;
use crate::toys::{BackgroundUncertainty, Exceedance, Statistic, smeared};

/// The uncertainty of an experiment's expectation and the tables made from it.
#[derive(Debug, Clone)]
pub(super) struct Uncertain {
    pub(super) uncertainty: BackgroundUncertainty,
    pub(super) statistic: Statistic,
    /// The columns of `toys.smeared` that do not depend on an observation.
    pub(super) cells: smeared::Input<Host>,
    /// The relative standard deviation of each window that takes part.
    pub(super) relative: Vec<f64>,
    /// The distribution of the count of each window, where the marginal p-value is maximised.
    marginal: Vec<MarginalCount>,
    /// For each level from 1 on, the counts from which the windows reach it.
    pub(super) minimum: Vec<u32>,
}

impl Uncertain {
    pub(super) fn new(
        windows: &Windows,
        expected: &WindowExpectation,
        expectation: &Expectation,
        uncertainty: BackgroundUncertainty,
        statistic: Statistic,
    ) -> Result<Self> {
        let cells = smeared::Input::of_cells(expectation.values(), &uncertainty)?;
        let relative: Vec<f64> = expected
            .kept()
            .par_iter()
            .map(|window| uncertainty.relative(expectation.values(), windows.cells_of(*window)))
            .collect();
        let marginal: Vec<Result<MarginalCount>> = match statistic {
            Statistic::Nominal => Vec::new(),
            Statistic::Marginal => {
                let pairs = expected.kept_values().par_iter().zip(&relative);
                pairs.map(|(mean, width)| MarginalCount::new(uncertainty.smearing(), *mean, *width)).collect()
            }
        };
        let marginal = marginal.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Self { uncertainty, statistic, cells, relative, marginal, minimum: Vec::new() })
    }

    /// For each level from 1 on, the count from which each window's marginal p-value reaches it: rows of all windows. `None`
    /// where the nominal p-value is maximised.
    pub(super) fn minimum_counts(&self, convention: Convention) -> Option<Vec<u32>> {
        if self.statistic == Statistic::Nominal {
            return None;
        }
        let targets: Vec<f64> = (1..=LEVELS).map(|level| normal_survival(level_z(level))).collect();
        let columns: Vec<Vec<u32>> =
            self.marginal.par_iter().map(|marginal| marginal.minimum_counts(&targets, convention)).collect();
        Some((0..LEVELS as usize).flat_map(|level| columns.iter().map(move |column| column[level])).collect())
    }

    /// The count from which each window's marginal p-value is as significant as an observation with this `ln_p`.
    pub(super) fn critical_counts(&self, convention: Convention, exceedance: Exceedance, ln_p: f64) -> Vec<u32> {
        let small_enough = |of_count: f64| match exceedance {
            Exceedance::AtLeast => of_count <= ln_p,
            Exceedance::Above => of_count < ln_p,
        };
        self.marginal.par_iter().map(|marginal| marginal.minimum_count(convention, small_enough)).collect()
    }

    /// Replaces the nominal p-values of all windows by marginal ones, where those are maximised.
    pub(super) fn judge(&self, mut findings: Findings, convention: Convention) -> Findings {
        if self.statistic == Statistic::Nominal {
            return findings;
        }
        findings.windows.par_iter_mut().zip(&self.marginal).for_each(|(judged, marginal)| {
            judged.ln_p = marginal.ln_p(judged.observed, convention);
            judged.z = local_z(judged.ln_p);
        });
        // The lowest of equals, as in the scan.
        let best = findings.windows.iter().reduce(|best, other| if other.ln_p < best.ln_p { other } else { best });
        if let Some(best) = best.copied() {
            findings.best = best.window;
            findings.observed = best.observed;
            findings.expected = best.expected;
            findings.ln_p = best.ln_p;
            findings.z = best.z;
        }
        findings
    }
}
