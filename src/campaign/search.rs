//! From an expectation and an observation to a global significance: shared by events and binned spectra.

use super::manifest::StageRecord;
use super::rare::{self, RareTail};
use super::request::ToyPart;
use super::thrower::{Target, Thrower, Thrown};
use crate::error::Result;
use crate::hunt::{Reason, Scan, WindowExpectation, WindowId, Windows};
use crate::spectrum::Expectation;
use crate::toys::{Experiment, Global, GrossVitells, Method, NoScan, Summary, ToySettings};

/// What was looked at and what was found.
#[derive(Debug, Clone)]
pub struct Searched {
    /// Windows, expectations and the windows left out.
    pub experiment: Experiment,
    /// The local p-values and the toys.
    pub global: Global,
    /// Where the best window is, in words.
    pub place: String,
    /// The toys and what they were thrown for.
    pub summary: Summary,
    /// The estimate for scans along one line, or why there is none.
    pub gross_vitells: Result<GrossVitells, NoScan>,
    /// The estimate of the rare tail, where it was asked for or is needed.
    pub rare: Option<RareTail>,
    /// Why there is none, in rich words, where it was asked for or is needed.
    pub rare_omitted: Option<String>,
    /// Events observed in cells where nothing is expected.
    pub unexpected_events: u64,
    /// The time of the scan and of the toys.
    pub stages: Vec<StageRecord>,
}

/// The numbers of a search.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// Windows that rest on fewer effective events are left out.
    pub minimum_effective_count: f64,
    /// How windows are judged.
    pub scan: Scan,
    /// How many toys, and which exceed.
    pub toys: ToySettings,
    /// The seed of the toys.
    pub seed: u64,
}

/// How a search is run.
pub(super) struct SearchRun<'a> {
    /// How its toys are thrown.
    pub(super) thrower: Thrower<'a>,
    /// Where a window is, in words.
    pub(super) place: &'a dyn Fn(&Windows, WindowId) -> String,
}

impl SearchRun<'_> {
    /// Scans `observed` (counts of all cells) and throws the toys.
    ///
    /// # Errors
    /// As [`Experiment::new`] and [`Thrower::throw`].
    pub(super) fn search(
        &self,
        windows: Windows,
        expectation: &Expectation,
        observed: &[u64],
        settings: &SearchSettings,
    ) -> Result<Searched> {
        let (device, progress) = (self.thrower.device, self.thrower.progress);
        let stage = progress.stage("scan", "windows", Some(windows.len() as u64));
        let (effective, scan) = (settings.minimum_effective_count, settings.scan);
        let mut experiment = Experiment::new(windows, expectation, effective, scan, settings.toys.exceedance)?;
        if let Some(uncertain) = &settings.toys.uncertainty {
            let uncertainty = uncertain.resolve(experiment.windows(), expectation)?;
            // Toys of an uncertainty of 0 are those of a fixed expectation, and nothing is to be called smeared.
            if !uncertainty.is_zero() {
                experiment = experiment.with_uncertainty(expectation, uncertainty, uncertain.statistic)?;
            }
        }
        warn_left_out(experiment.expected());
        let findings = experiment.scan(device, observed)?;
        stage.add(experiment.windows().len() as u64);
        let mut stages = vec![stage.finish()];
        let place = (self.place)(experiment.windows(), findings.best);
        let unexpected_events = unexpected(&experiment, observed);

        let target = Target { source: &experiment, findings: &findings, place: &place };
        let Thrown { global, summary, stage } =
            self.thrower.throw(&target, settings.toys.goal, observed.iter().sum(), settings.seed)?;
        stages.push(stage);
        let gross_vitells = experiment.gross_vitells(settings.seed, &findings)?;
        // A part of the toys has no answer of its own.
        let role = match self.thrower.part {
            ToyPart::All => rare::role(settings.toys.method, &experiment, &global.significance, &findings),
            _ => Ok(None),
        };
        let rare_omitted = role.as_ref().err().cloned();
        // Without an excess there is nothing to warn of, unless the tail was asked for.
        if let Some(why) =
            rare_omitted.as_ref().filter(|_| findings.z > 0.0 || settings.toys.method != Method::BruteForce)
        {
            rare::warn_omitted(why);
        }
        let rare = match role.unwrap_or(None) {
            None => None,
            Some(role) => {
                let toys = (&settings.toys, settings.seed);
                let (tail, stage) = rare::estimate(device, progress, &experiment, &findings, toys, role)?;
                stages.push(stage);
                Some(tail)
            }
        };
        Ok(Searched {
            experiment,
            global,
            place,
            summary,
            gross_vitells,
            rare,
            rare_omitted,
            unexpected_events,
            stages,
        })
    }
}

/// Says that windows are left out because simulated events, or the table's uncertainties, do not tell enough of them.
pub(super) fn warn_left_out(expected: &WindowExpectation) {
    let few = |reason: &Reason| match reason {
        Reason::FewEffectiveEvents { minimum, .. } => Some(*minimum),
        Reason::NothingExpected | Reason::NoSidebands => None,
    };
    let minima: Vec<f64> = expected.left_out().iter().filter_map(|left| few(&left.reason)).collect();
    if let Some(minimum) = minima.first() {
        tracing::warn!(
            "{} of {} windows are left out: their expectation rests on fewer than {minimum} effective events \
             (expectation.minimum_effective_count); the report lists them",
            minima.len(),
            expected.values().len()
        );
    }
}

/// Events in cells where nothing is expected. They count in windows that reach over such cells, and no toy has any there.
fn unexpected(experiment: &Experiment, observed: &[u64]) -> u64 {
    let cells = experiment.means().iter().zip(observed).filter(|(mean, _)| **mean == 0.0);
    let events = cells.map(|(_, count)| *count).sum();
    if events > 0 {
        tracing::warn!("{events} events lie in cells where nothing is expected; no toy ever has any there");
    }
    events
}
