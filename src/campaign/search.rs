//! From an expectation and an observation to a global significance: shared by events and binned spectra.

use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::manifest::StageRecord;
use super::progress::Progress;
use super::rare::{self, RareTail};
use super::request::ToyPart;
use crate::Device;
use crate::error::{Error, Fault, Result};
use crate::hunt::{Findings, Scan, WindowId, Windows};
use crate::report::number;
use crate::spectrum::Expectation;
use crate::toys::{Experiment, Global, GrossVitells, NoScan, Stopped, Stopping, Summary, Tally, ToySettings, Toys};

const NAME: &str = "campaign.search";

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
    pub(super) device: &'a Device,
    pub(super) progress: &'a Progress,
    /// The name of the analysis.
    pub(super) analysis: &'a str,
    /// Where a window is, in words.
    pub(super) place: &'a dyn Fn(&Windows, WindowId) -> String,
    /// Which toys.
    pub(super) part: &'a ToyPart,
    /// Toys that were thrown before.
    pub(super) thrown: Option<&'a Path>,
    /// Where toys are kept.
    pub(super) checkpoint: Checkpoint,
}

impl SearchRun<'_> {
    /// Scans `observed` (counts of all cells) and throws the toys.
    ///
    /// # Errors
    /// As [`Experiment::new`] and [`Experiment::throw_until`]; toys thrown before that do not belong here; an interruption
    /// between chunks of toys.
    pub(super) fn search(
        &self,
        windows: Windows,
        expectation: &Expectation,
        observed: &[u64],
        settings: &SearchSettings,
    ) -> Result<Searched> {
        let stage = self.progress.stage("scan", "windows", Some(windows.len() as u64));
        let (effective, scan) = (settings.minimum_effective_count, settings.scan);
        let mut experiment = Experiment::new(windows, expectation, effective, scan, settings.toys.exceedance)?;
        if let Some(uncertain) = &settings.toys.uncertainty {
            let uncertainty = uncertain.resolve(experiment.windows(), expectation)?;
            experiment = experiment.with_uncertainty(expectation, uncertainty, uncertain.statistic)?;
        }
        let findings = experiment.scan(self.device, observed)?;
        stage.add(experiment.windows().len() as u64);
        let mut stages = vec![stage.finish()];
        let place = (self.place)(experiment.windows(), findings.best);
        let unexpected_events = unexpected(&experiment, observed);

        let (first_toy, stopping) = self.part.of(settings.toys.goal.resolve(observed.iter().sum())?)?;
        let summary = |tally| Summary::new(self.analysis, &experiment, &findings, place.as_str(), tally);
        let begun = match self.thrown {
            Some(path) => Some(thrown_before(path, first_toy, settings.seed, &summary)?),
            None => self.checkpoint.read(&stopping, first_toy, &|tally| same_seed(tally, settings.seed, &summary)),
        };
        let toys = Toys { seed: settings.seed, first_toy, stopping, begun };
        let (tally, stopped, stage) = self.throw(&experiment, &findings, toys, &summary)?;
        stages.push(stage);
        let significance = experiment.significance(&tally, &findings)?;
        let gross_vitells = experiment.gross_vitells(settings.seed, &findings)?;
        // A part of the toys has no answer of its own.
        let role = rare::role(settings.toys.method, &experiment, &significance, &findings)
            .filter(|_| *self.part == ToyPart::All);
        let rare = match role {
            None => None,
            Some(role) => {
                let toys = (&settings.toys, settings.seed);
                let (tail, stage) = rare::estimate(self.device, self.progress, &experiment, &findings, toys, role)?;
                stages.push(stage);
                Some(tail)
            }
        };
        let summary = summary(tally.clone())?;
        let global = Global { findings, tally, stopped, significance };
        Ok(Searched { experiment, global, place, summary, gross_vitells, rare, unexpected_events, stages })
    }

    /// Throws the toys, keeping them now and then, and when a signal comes.
    fn throw(
        &self,
        experiment: &Experiment,
        findings: &Findings,
        toys: Toys,
        summary: &dyn Fn(Tally) -> Result<Summary>,
    ) -> Result<(Tally, Stopped, StageRecord)> {
        let (stopping, mut checkpoint) = (toys.stopping, self.checkpoint.clone());
        let before = toys.begun.as_ref().map_or(0, Tally::toys);
        let stage = self.progress.stage("toys", "toys", Some(stopping.most().saturating_sub(before)));
        let (tally, stopped) = experiment.throw_until(self.device, findings, toys, &mut |tally: &Tally| {
            stage.add(tally.toys() - before - stage.done());
            match self.progress.interrupt().raised_by() {
                None => checkpoint.keep_now_and_then(&stopping, || summary(tally.clone())),
                Some(signal) => Err(kept(&checkpoint, &stopping, &summary(tally.clone())?, signal)),
            }
        })?;
        Ok((tally, stopped, stage.finish()))
    }
}

/// The error of an interruption whose toys are kept, if the disk takes them.
fn kept(checkpoint: &Checkpoint, stopping: &Stopping, summary: &Summary, signal: &str) -> Error {
    let fault = Fault::new("campaign.run", format!("stopped by {signal}"));
    let (toys, path) = (summary.tally.toys(), checkpoint.path().display());
    match checkpoint.keep(stopping, summary) {
        Ok(()) => {
            let fault = fault.because(format!("{} toys are kept in '{path}'", number::count(toys)));
            fault.suggest("Start it again to go on with them.").interrupted()
        }
        Err(error) => {
            tracing::warn!("{error}");
            fault.because("nothing half-written was left").suggest("Start it again to have it done.").interrupted()
        }
    }
}

/// The summary of `tally`, where it is of this seed.
fn same_seed(tally: Tally, seed: u64, summary: &dyn Fn(Tally) -> Result<Summary>) -> Result<Summary> {
    if tally.seed() == seed {
        return summary(tally);
    }
    let fault = Fault::new(NAME, format!("the toys are of seed {}", tally.seed()));
    Err(fault.because(format!("the card has seed {seed}")).data())
}

/// The toys of a file, from the first one on.
fn thrown_before(path: &Path, first_toy: u64, seed: u64, summary: &dyn Fn(Tally) -> Result<Summary>) -> Result<Tally> {
    let thrown = read_summary(path)?;
    let refused =
        |problem: String, why: String| Fault::new(NAME, format!("'{}' {problem}", path.display())).because(why).usage();
    let foreign = |why: String| refused("holds toys of another card, input or seed".into(), why);
    let mine = same_seed(thrown.tally.clone(), seed, summary).map_err(|error| foreign(error.to_string()))?;
    let differs = mine.differs_in(&thrown);
    if !differs.is_empty() {
        return Err(foreign(format!("they differ in {}", differs.join(", "))));
    }
    match thrown.tally.ranges() {
        [range] if range.start == first_toy => Ok(thrown.tally),
        ranges => {
            let why = format!("it holds toys {ranges:?}; those between are missing");
            Err(refused(format!("does not hold all toys from {first_toy} on"), why))
        }
    }
}

/// Reads a summary from a file.
///
/// # Errors
/// A file that cannot be read, and what [`Summary::from_json`] finds.
pub(super) fn read_summary(path: &Path) -> Result<Summary> {
    let text = std::fs::read(path).map_err(|source| Error::io(NAME, "read", path, source))?;
    Summary::from_json(&path.display().to_string(), &String::from_utf8_lossy(&text))
}

/// Reads summaries, each with its name.
///
/// # Errors
/// Those of all files at once.
pub(super) fn read_summaries(paths: &[PathBuf]) -> Result<Vec<(String, Summary)>> {
    let mut problems = crate::error::Problems::default();
    let mut read = Vec::new();
    for path in paths {
        let summary = problems.take(read_summary(path));
        read.extend(summary.map(|summary| (path.display().to_string(), summary)));
    }
    problems.finish().map(|()| read)
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
