//! Runs a card: the stages in their order, then the report and the manifest, in a folder that appears complete or not at
//! all.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::answer::{Bump, Found, Outcome};
use super::figures::{deviations, p_value};
use super::manifest::{CardRecord, DeviceRecord, FileRecord, Hashed, Manifest, SeedRecord, SkippedRecord, StageRecord};
use super::output::{CardIdentity, Output};
use super::progress::Progress;
use super::request::RunRequest;
use super::sample::Skipped;
use super::search::Searched;
use super::{binned, from_events};
use crate::Device;
use crate::card::{Card, Work};
use crate::error::Result;
use crate::events::BadFiles;
use crate::report::{Answer, DataFile, Fact, InputFile, ReportData, StageTiming, Verdict, number};
use crate::selection::CutflowTable;
use crate::toys::{Deviations, ToySettings, UncertaintySettings};

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
}

/// Runs the card of a request.
///
/// # Errors
/// Every problem of the card; a device that cannot be used; an output folder that belongs to another card; what the data
/// contradict; a signal. Nothing half-written is left.
pub fn run(request: &RunRequest, progress: &Progress) -> Result<Outcome> {
    let card = Card::read(&request.card, &request.settings)?;
    let device = request.choose_device()?;
    tracing::info!(card = card.name, device = %device, "run");
    let folder = request.output.as_deref().unwrap_or(&card.output);
    let identity = CardIdentity { name: card.name.clone(), sha256: card.origin.sha256() };
    let output = Output::create(folder, &identity)?;
    let mut manifest = Manifest::new(card_record(&card));
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
    let run = Run {
        card: &card,
        device,
        progress,
        output,
        report,
        manifest,
        hashed: request.hashed,
        bad_files: request.bad_files,
        cutflows: Vec::new(),
        skipped: Vec::new(),
    };
    match &card.work {
        Work::Events(work) => from_events::run(run, work),
        Work::Binned(work) => binned::run(run, work),
    }
}

fn card_record(card: &Card) -> CardRecord {
    CardRecord {
        name: card.name.clone(),
        path: card.origin.file.clone(),
        sha256: card.origin.sha256(),
        text: card.origin.text.clone(),
    }
}

impl Run<'_> {
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
        let events = rows.map_or("an unknown number of".into(), number::count);
        tracing::warn!(sample, file = %path.display(), events, "skipped: {why}");
        let words = format!("'{}' of {sample}, {events} events: {why}", path.display());
        self.report.answer.facts.push(Fact::new("Skipped file", words.clone()));
        self.skipped.push(words);
        self.manifest.skipped.push(SkippedRecord { sample: sample.into(), path, rows, why });
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

    /// The result of a search, in the report and in the manifest.
    pub(super) fn record_answer(&mut self, searched: &Searched, place: String) -> Found {
        let global = &searched.global;
        let (findings, significance) = (&global.findings, &global.significance);
        let (windows, left_out) =
            (searched.experiment.expected().kept().len(), searched.experiment.expected().left_out().len());
        let z = match significance.z {
            Deviations::Measured { z, .. } | Deviations::Above(z) | Deviations::Below(z) => z,
        };
        self.report.answer = Answer {
            headline: format!("Global significance {}: the largest excess is at {place}", deviations(significance.z)),
            facts: vec![
                Fact::new("Global *p*-value", p_value(global)),
                Fact::new(
                    "Observed, expected",
                    format!("{}, {}", number::count(findings.observed), number::significant(findings.expected, 5)),
                ),
                Fact::new("Local *p*-value", number::probability(findings.ln_p)),
                Fact::new("Local significance", format!("{:.2} σ", findings.z)),
                Fact::new("Statistic", searched.experiment.statistic()),
                Fact::new("Background uncertainty of the toys", searched.experiment.smearing()),
                Fact::new(
                    "Toys",
                    format!(
                        "{}, of which {} reach it",
                        number::count(significance.toys),
                        number::count(significance.exceed)
                    ),
                ),
                Fact::new(
                    "Windows",
                    format!("{} tested, {} left out", number::count(windows as u64), number::count(left_out as u64)),
                ),
                Fact::new(
                    "Bounds without toys",
                    format!(
                        "{} (Šidák), {} (Bonferroni)",
                        number::significant(significance.sidak, 3),
                        number::significant(significance.bonferroni, 3)
                    ),
                ),
            ],
            verdict: Verdict::of(z),
        };
        if let Some(trials) = significance.effective_trials {
            self.report.answer.facts.push(Fact::new("Effective trials", number::significant(trials, 3)));
        }
        self.manifest.toy_table_sha256 = Some(global.tally.tables_sha256().to_owned());
        self.manifest.answer = answer(searched, &place);
        let uncertainty = searched.experiment.uncertainty().map(|_| searched.experiment.smearing());
        let statistic = searched.experiment.statistic();
        Found { place, global: global.clone(), statistic, uncertainty, windows, left_out, bump: None }
    }

    /// The bump in the rows of a plane, in the report and in the manifest.
    pub(super) fn record_bump(&mut self, bump: &Bump) {
        let findings = &bump.findings;
        let local = format!("{}, local *p* = {}", bump.place, number::probability(findings.ln_p));
        self.report.answer.facts.push(Fact::new("Largest bump in the spectrum", local));
        let numbers = json!({
            "place": bump.place,
            "observed": findings.observed,
            "expected": findings.expected,
            "local_ln_p": findings.ln_p,
            "local_significance": findings.z,
        });
        self.manifest.answer.insert("bump".into(), numbers);
    }

    /// Writes the report and the manifest and puts the folder in its place.
    pub(super) fn finish(mut self, found: Option<Found>, selected: Option<u64>) -> Result<Outcome> {
        self.progress.interrupted()?;
        let stages = self.manifest.stages.clone();
        self.report.provenance = self.provenance();
        for (name, text) in self.report.texts() {
            self.output.write_text(&name, &text)?;
        }
        let name = self.card.name.clone();
        let folder = self.output.finish(self.manifest)?;
        let (cutflows, skipped) = (self.cutflows, self.skipped);
        Ok(Outcome { name, found, selected, cutflows, skipped, stages, report: folder.join("report.html"), folder })
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

fn answer(searched: &Searched, place: &str) -> Map<String, Value> {
    let (findings, significance) = (&searched.global.findings, &searched.global.significance);
    let (kind, z, error) = match significance.z {
        Deviations::Measured { z, error } => ("measured", z, Some(error)),
        Deviations::Above(z) => ("above", z, None),
        Deviations::Below(z) => ("below", z, None),
    };
    let numbers = json!({
        "place": place,
        "window": findings.best.0,
        "observed": findings.observed,
        "expected": findings.expected,
        "local_ln_p": findings.ln_p,
        "local_significance": findings.z,
        "local_statistic": searched.experiment.statistic(),
        "background_uncertainty": searched.experiment.smearing(),
        "global_p": significance.p,
        "global_p_interval_68": [significance.interval.0, significance.interval.1],
        "global_significance": z,
        "global_significance_is": kind,
        "global_significance_error": error,
        "toys": significance.toys,
        "toys_exceeding": significance.exceed,
        "sidak": significance.sidak,
        "bonferroni": significance.bonferroni,
        "effective_trials": significance.effective_trials,
        "windows": searched.experiment.expected().kept().len(),
        "windows_left_out": searched.experiment.expected().left_out().len(),
    });
    match numbers {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
