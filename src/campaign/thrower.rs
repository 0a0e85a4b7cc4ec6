//! Toys of a run: kept now and then, gone on with, thrown in parts; of a spectrum or plane as of several channels.

use std::path::{Path, PathBuf};

use super::answer::{plain, stopped_because};
use super::checkpoint::Checkpoint;
use super::manifest::StageRecord;
use super::progress::Progress;
use super::request::ToyPart;
use crate::Device;
use crate::error::{Error, Fault, Result};
use crate::hunt::Findings;
use crate::report::number;
use crate::toys::{Global, Goal, Stopped, Stopping, Summary, Tally, ToySource, Toys};

const NAME: &str = "campaign.search";

/// How toys are thrown.
pub(super) struct Thrower<'a> {
    pub(super) device: &'a Device,
    pub(super) progress: &'a Progress,
    /// The name of the analysis.
    pub(super) analysis: &'a str,
    /// Which toys.
    pub(super) part: &'a ToyPart,
    /// Toys that were thrown before.
    pub(super) thrown: Option<&'a Path>,
    /// Where toys are kept.
    pub(super) checkpoint: Checkpoint,
}

/// What they are thrown for.
pub(super) struct Target<'a> {
    pub(super) source: &'a dyn ToySource,
    /// The observation.
    pub(super) findings: &'a Findings,
    /// Where its most significant window is, in words.
    pub(super) place: &'a str,
}

/// What came out.
pub(super) struct Thrown {
    /// The observation and the toys.
    pub(super) global: Global,
    /// The toys and what they were thrown for.
    pub(super) summary: Summary,
    /// Their time.
    pub(super) stage: StageRecord,
}

impl Target<'_> {
    /// The summary of toys.
    fn summary(&self, analysis: &str, tally: Tally) -> Result<Summary> {
        Summary::new(analysis, self.source, self.findings, self.place, tally)
    }
}

impl Thrower<'_> {
    /// Throws the toys of `seed` that the `goal` asks for, with `events` observed; those that a file or a checkpoint has are not
    /// thrown again.
    ///
    /// # Errors
    /// As [`ToySource::throw_until`]; toys thrown before that do not belong here; an interruption between chunks of toys.
    pub(super) fn throw(&self, target: &Target, goal: Goal, events: u64, seed: u64) -> Result<Thrown> {
        let (first_toy, stopping) = self.part.of(goal.resolve(events)?)?;
        let summary = |tally| target.summary(self.analysis, tally);
        let begun = match self.thrown {
            Some(path) => Some(thrown_before(path, first_toy, seed, &summary)?),
            None => self.checkpoint.read(&stopping, first_toy, &|tally| same_seed(tally, seed, &summary)),
        };
        let toys = Toys { seed, first_toy, stopping, begun };
        let (tally, stopped, stage) = self.watched(target, toys, &summary)?;
        if matches!(stopped, Stopped::Maximum { .. }) {
            tracing::warn!("toys stopped at {}; raise toys.maximum, or ask for less", plain(&stopped_because(stopped)));
        }
        let significance = target.source.significance(&tally, target.findings)?;
        let summary = summary(tally.clone())?;
        let global = Global { findings: target.findings.clone(), tally, stopped, significance };
        Ok(Thrown { global, summary, stage })
    }

    /// Throws the toys, keeping them now and then, and when a signal comes.
    fn watched(
        &self,
        target: &Target,
        toys: Toys,
        summary: &dyn Fn(Tally) -> Result<Summary>,
    ) -> Result<(Tally, Stopped, StageRecord)> {
        let (stopping, mut checkpoint) = (toys.stopping, self.checkpoint.clone());
        let before = toys.begun.as_ref().map_or(0, Tally::toys);
        let stage = self.progress.stage("toys", "toys", Some(stopping.most().saturating_sub(before)));
        let watch = &mut |tally: &Tally| {
            stage.add(tally.toys() - before - stage.done());
            match self.progress.interrupt().raised_by() {
                None => checkpoint.keep_now_and_then(&stopping, || summary(tally.clone())),
                Some(signal) => Err(kept(&checkpoint, &stopping, &summary(tally.clone())?, signal)),
            }
        };
        let (tally, stopped) = target.source.throw_until(self.device, target.findings, toys, watch)?;
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
            let held: Vec<String> =
                ranges.iter().map(|range| format!("{} to {}", range.start, range.end.saturating_sub(1))).collect();
            let problem = format!("'{}' does not hold all toys from {first_toy} on", path.display());
            let why = format!("it holds toys {}, and a run adds those after the last", held.join(", "));
            let fault = Fault::new(NAME, problem).because(why);
            Err(fault.suggest("Add the missing parts to it by 'trawl toys merge'.").usage())
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
