//! From an expectation and an observation to a global significance: shared by events and binned spectra.

use super::manifest::StageRecord;
use super::progress::Progress;
use crate::Device;
use crate::error::Result;
use crate::hunt::{Convention, Scan, Windows};
use crate::spectrum::Expectation;
use crate::toys::{Experiment, Global, GlobalSignificance, Throw, ToySettings};

/// What was looked at and what was found.
#[derive(Debug, Clone)]
pub struct Searched {
    /// Windows, expectations and the windows left out.
    pub experiment: Experiment,
    /// The local p-values and the toys.
    pub global: Global,
    /// The time of the scan and of the toys.
    pub stages: Vec<StageRecord>,
}

/// Scans `observed` (counts of all cells) and throws the toys.
///
/// # Errors
/// As [`Experiment::new`] and [`Experiment::throw`]; an interruption between chunks of toys.
pub fn search(
    device: &Device,
    progress: &Progress,
    windows: Windows,
    expectation: &Expectation,
    observed: &[u64],
    settings: &SearchSettings,
) -> Result<Searched> {
    let stage = progress.stage("scan", "windows", Some(windows.len() as u64));
    let scan = Scan { convention: Convention::ExcessOnly };
    let mut experiment =
        Experiment::new(windows, expectation, settings.minimum_effective_count, scan, settings.toys.exceedance)?;
    if let Some(uncertain) = &settings.toys.uncertainty {
        let uncertainty = uncertain.resolve(experiment.windows(), expectation)?;
        experiment = experiment.with_uncertainty(expectation, uncertainty, uncertain.statistic)?;
    }
    let findings = experiment.scan(device, observed)?;
    stage.add(experiment.windows().len() as u64);
    let mut stages = vec![stage.finish()];

    let stage = progress.stage("toys", "toys", Some(settings.toys.number));
    let throw = Throw { seed: settings.seed, first_toy: 0, toys: settings.toys.number };
    let tally = experiment.throw(device, &findings, throw, &|done| {
        stage.add(done - stage.done());
        progress.interrupted()
    })?;
    stages.push(stage.finish());
    let significance = GlobalSignificance::new(&tally, findings.ln_p, experiment.expected().kept().len())?;
    Ok(Searched { experiment, global: Global { findings, tally, significance }, stages })
}

/// The numbers of a search.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// Windows that rest on fewer effective events are left out.
    pub minimum_effective_count: f64,
    /// How many toys, and which exceed.
    pub toys: ToySettings,
    /// The seed of the toys.
    pub seed: u64,
}
