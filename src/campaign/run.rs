//! Runs a card: the stages in their order, then the report and the manifest, in a folder that appears complete or not at
//! all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::answer::{Bump, Found, Outcome, SelectedEvents};
use super::checkpoint::Checkpoint;
use super::figures::Quantity;
use super::manifest::{
    CardRecord, DeviceRecord, FileRecord, Hashed, Manifest, NotANumberRecord, SeedRecord, SkippedRecord, StageRecord,
    UnfinishedRecord,
};
use super::output::{CardIdentity, Output};
use super::progress::Progress;
use super::request::{RunRequest, ToyPart};
use super::sample::Skipped;
use super::search::{SearchRun, SearchSettings, Searched};
use super::thrower::Thrower;
use super::{answer, binned, channels, figures, from_events};
use crate::Device;
use crate::card::{Card, Work};
use crate::error::{Error, Result};
use crate::events::BadFiles;
use crate::hunt::{Direction, Windows};
use crate::report::{DataFile, Fact, InputFile, ReportData, StageTiming, number};
use crate::selection::CutflowTable;
use crate::spectrum::Expectation;
use crate::toys::{Summary, ToySettings, UncertaintySettings};

/// What the stages of a run share.
pub(super) struct Run<'a> {
    pub(super) card: &'a Card,
    pub(super) device: Device,
    pub(super) progress: &'a Progress,
    pub(super) output: Output,
    pub(super) report: ReportData,
    pub(super) manifest: Manifest,
    pub(super) hashed: Hashed,
    pub(super) bad_files: BadFiles,
    /// The cutflow of each sample.
    pub(super) cutflows: Vec<(String, CutflowTable)>,
    /// What was left out, in words.
    pub(super) skipped: Vec<String>,
    /// What else is to be known of the numbers.
    pub(super) notes: Vec<Fact>,
    /// The samples whose files are whole.
    pub(super) finished: Vec<String>,
    /// Which toys are thrown.
    pub(super) part: ToyPart,
    /// A file of toys that were thrown before.
    pub(super) thrown: Option<PathBuf>,
    /// Where toys are kept while more are thrown.
    pub(super) checkpoint: Checkpoint,
}

/// Runs the card of a request.
///
/// # Errors
/// Every problem of the card; a device that cannot be used; an output folder that belongs to another card; what the data
/// contradict; a signal. Nothing half-written is left.
pub fn run(request: &RunRequest, progress: &Progress) -> Result<Outcome> {
    let card = Card::read(&request.card, &request.settings)?;
    let folder = request.output.as_deref().unwrap_or(&card.output);
    let run = Run::begin(&card, request, progress, folder, ToyPart::All)?;
    match &card.work {
        Work::Events(work) => from_events::run(run, work),
        Work::Binned(work) => binned::run(run, work),
        Work::Channels(work) => channels::run(run, work),
    }
}

/// A file that is left out, in words.
pub(super) fn skipped(sample: &str, path: &Path, rows: Option<u64>, why: &str) -> String {
    let events = rows.map_or("an unknown number of".into(), number::count);
    format!("'{}' of {sample}, {events} events: {why}", path.display())
}

fn card_record(card: &Card) -> CardRecord {
    CardRecord {
        name: card.name.clone(),
        path: card.origin.file.clone(),
        sha256: card.origin.sha256(),
        text: card.origin.text.clone(),
    }
}

impl<'a> Run<'a> {
    /// Begins a run of a card with its output in `folder`.
    ///
    /// # Errors
    /// A device that cannot be used; an output folder that belongs to another card.
    pub(super) fn begin(
        card: &'a Card,
        request: &RunRequest,
        progress: &'a Progress,
        folder: &Path,
        part: ToyPart,
    ) -> Result<Self> {
        let device = request.choose_device()?;
        tracing::info!(card = card.name, device = %device, "run");
        let identity = CardIdentity { name: card.name.clone(), sha256: card.origin.sha256() };
        let output = Output::create(folder, &identity, request.existing)?;
        let mut manifest = Manifest::new(card_record(card));
        manifest.command_line.clone_from(&request.command_line);
        manifest.settings.clone_from(&request.settings);
        manifest.seeds = vec![SeedRecord { stage: "toys".into(), seed: card.seed }];
        manifest.device = DeviceRecord {
            name: device.to_string(),
            // Every kernel so far decides, and deciding kernels give the CPU's bits: one class for both.
            arithmetic: "deterministic f64, integers".into(),
            threads: rayon::current_num_threads(),
        };
        let report = ReportData {
            title: card.name.clone(),
            description: card.description.clone(),
            card: card.origin.text.clone(),
            overrides: card.origin.overrides.clone(),
            ..ReportData::default()
        };
        Ok(Self {
            card,
            device,
            progress,
            checkpoint: Checkpoint::beside(output.place(), request.checkpoint_every),
            output,
            report,
            manifest,
            hashed: request.hashed,
            bad_files: request.bad_files,
            cutflows: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
            finished: Vec::new(),
            part,
            thrown: request.thrown_toys.clone(),
        })
    }

    /// Keeps toys beside another file or folder.
    pub(super) fn with_checkpoint_beside(mut self, place: &Path, every: Option<Duration>) -> Self {
        self.checkpoint = Checkpoint::beside(place, every);
        self
    }

    /// How the toys are thrown.
    pub(super) fn thrower(&self) -> Thrower<'_> {
        Thrower {
            device: &self.device,
            progress: self.progress,
            analysis: &self.card.name,
            part: &self.part,
            thrown: self.thrown.as_deref(),
            checkpoint: self.checkpoint.clone(),
        }
    }

    /// Scans `observed` and throws the toys, and records the time of both.
    pub(super) fn search(
        &mut self,
        windows: Windows,
        expectation: &Expectation,
        observed: &[u64],
        settings: &SearchSettings,
        quantities: &[&Quantity],
    ) -> Result<Searched> {
        let place = &|windows: &Windows, window| figures::place(windows, window, quantities);
        let run = SearchRun { thrower: self.thrower(), place };
        let searched = run.search(windows, expectation, observed, settings)?;
        searched.stages.iter().for_each(|stage| self.record_stage(stage.clone()));
        Ok(searched)
    }

    /// Records a file that was read.
    pub(super) fn record_input(&mut self, sample: &str, path: &Path, rows: Option<u64>) -> Result<()> {
        let record = match rows {
            Some(rows) => FileRecord::of_parquet(path, rows, self.hashed)?,
            None => FileRecord::of(path, None)?,
        };
        self.report.inputs.push(InputFile {
            sample: sample.to_owned(),
            path: path.display().to_string(),
            bytes: record.bytes,
            rows,
            sha256: match record.sha256_of {
                Hashed::Whole => record.sha256.clone(),
                Hashed::Footer => format!("footer: {}", record.sha256),
            },
        });
        self.manifest.inputs.push(record);
        Ok(())
    }

    /// Records the files that say how well the expectation is known.
    pub(super) fn record_uncertainties(&mut self, toys: &ToySettings) -> Result<()> {
        let uncertainty = toys.uncertainty.iter();
        uncertainty
            .flat_map(UncertaintySettings::files)
            .try_for_each(|file| self.record_input("uncertainty", file, None))
    }

    /// Records a file that was left out, and says so.
    pub(super) fn record_skipped(&mut self, sample: &str, file: Skipped) {
        let Skipped { path, why, rows } = file;
        tracing::warn!(sample, file = %path.display(), events = rows, "skipped: {why}");
        let words = skipped(sample, &path, rows, &why);
        self.report.answer.facts.push(Fact::new("Skipped file", words.clone()));
        self.skipped.push(words);
        self.manifest.skipped.push(SkippedRecord { sample: sample.into(), path, rows, why });
    }

    /// Says something of the numbers in the report and beside the answer.
    pub(super) fn note(&mut self, name: &str, words: String) {
        let fact = Fact::new(name, words);
        self.report.answer.facts.push(fact.clone());
        self.notes.push(fact);
    }

    /// Records the selected events of a sample that are in no bin, and says so.
    pub(super) fn record_not_a_number(&mut self, sample: &str, variables: Vec<String>, entries: u64) {
        if entries == 0 {
            return;
        }
        let (events, axes) = (number::count(entries), variables.join(", "));
        let words = format!("{events} selected events of {sample} have no value of {axes} and are in no bin");
        self.note("Not a number", words);
        self.manifest.not_a_number.push(NotANumberRecord { sample: sample.into(), variables, entries });
    }

    /// Records the time of a stage.
    pub(super) fn record_stage(&mut self, stage: StageRecord) {
        self.report.stages.push(StageTiming {
            name: stage.name.clone(),
            seconds: stage.seconds,
            units: stage.units,
            unit: stage.unit.clone(),
        });
        self.manifest.stages.push(stage);
    }

    /// Writes a file of numbers and names it in the report.
    pub(super) fn write(&mut self, name: &str, text: &str, holds: &str) -> Result<()> {
        self.output.write_text(name, text)?;
        self.report.files.push(DataFile { path: name.into(), holds: holds.into() });
        Ok(())
    }

    /// Writes the summary of the toys.
    pub(super) fn write_toys(&mut self, summary: &Summary) -> Result<()> {
        self.write("toys.json", &summary.to_json(), "The toys, for `trawl toys show` and `merge`.")
    }

    /// The result of a search, in the report, in the manifest and as a summary of its toys.
    pub(super) fn record_answer(&mut self, searched: &Searched) -> Result<Found> {
        self.write_toys(&searched.summary)?;
        let before = std::mem::replace(&mut self.report.answer, answer::report(searched));
        self.report.answer.facts.extend(before.facts);
        self.manifest.toy_table_sha256 = Some(searched.global.tally.tables_sha256().to_owned());
        self.manifest.answer = answer::manifest(searched);
        Ok(Found::of(searched))
    }

    /// The bump, or deficit, in the rows of a plane, in the report and in the manifest.
    pub(super) fn record_bump(&mut self, bump: &Bump, direction: Direction) {
        let name = match direction {
            Direction::Excess => "Largest bump in the spectrum",
            Direction::Deficit => "Largest deficit in the spectrum",
        };
        let findings = &bump.findings;
        let local = format!("{}, local *p* = {}", bump.place, number::probability(findings.ln_p));
        self.report.answer.facts.push(Fact::new(name, local));
        let numbers = json!({
            "place": bump.place,
            "observed": findings.observed,
            "expected": findings.expected,
            "local_ln_p": findings.ln_p,
            "local_significance": findings.z,
        });
        self.manifest.answer.insert("bump".into(), numbers);
    }

    /// Writes down that the files of a sample are whole, for whoever cleans up after a run that is killed.
    pub(super) fn note_finished(&mut self, sample: &str) -> Result<()> {
        self.finished.push(sample.to_owned());
        self.output.note(self.unfinished("its process ended without a word"))
    }

    /// The manifest of the samples that are finished.
    fn unfinished(&self, why: &str) -> Manifest {
        let record = UnfinishedRecord { samples: self.finished.clone(), why: why.to_owned() };
        Manifest { unfinished: Some(record), ..self.manifest.clone() }
    }

    /// Keeps the files of the finished samples of a run that ends with an error, and says where.
    pub(super) fn keep_finished(self, error: &Error) {
        if self.finished.is_empty() {
            return;
        }
        let (samples, manifest) = (self.finished.join(", "), self.unfinished(&error.to_string()));
        match self.output.keep(&manifest) {
            Ok(folder) => tracing::warn!("what was finished ({samples}) is kept in '{}'", folder.display()),
            Err(why) => tracing::warn!("what was finished ({samples}) cannot be kept: {why}"),
        }
    }

    /// Writes the report and the manifest and puts the folder in its place.
    pub(super) fn finish(mut self, found: Option<Found>, selected: SelectedEvents) -> Result<Outcome> {
        self.progress.interrupted()?;
        let stages = self.manifest.stages.clone();
        self.report.provenance = self.provenance();
        for (name, text) in self.report.texts() {
            self.output.write_text(&name, &text)?;
        }
        let name = self.card.name.clone();
        let folder = self.output.finish(self.manifest)?;
        self.checkpoint.remove();
        let (cutflows, skipped, notes) = (self.cutflows, self.skipped, self.notes);
        let report = folder.join("report.html");
        Ok(Outcome { name, found, selected, cutflows, skipped, notes, stages, report, folder })
    }

    fn provenance(&self) -> Vec<Fact> {
        let manifest = &self.manifest;
        let mut facts = vec![
            Fact::new("Trawl", manifest.trawl.clone()),
            Fact::new("Device", format!("{}, {} threads", manifest.device.name, manifest.device.threads)),
            Fact::new("Arithmetic", manifest.device.arithmetic.clone()),
            Fact::new("Seed", self.card.seed.to_string()),
            Fact::new("Card sha256", manifest.card.sha256.clone()),
        ];
        facts.extend(manifest.git_revision.clone().map(|revision| Fact::new("Revision", revision)));
        facts.extend(manifest.rustc.clone().map(|version| Fact::new("Compiler", version)));
        facts.extend(manifest.toy_table_sha256.clone().map(|sha| Fact::new("Toy tables sha256", sha)));
        facts
    }
}
