//! `trawl score`: a bundle and events of any file to their scores.

use std::path::{Path, PathBuf};

use super::learn::{identity, labels_of, variables};
use super::record;
use crate::campaign::manifest::{FileRecord, Hashed};
use crate::campaign::request::{RunRequest, ToyPart};
use crate::campaign::run::Run;
use crate::campaign::survivors::Gathered;
use crate::campaign::{Outcome, Progress, sample};
use crate::card::{Card, EventWork, Origin, Sample, Work};
use crate::error::{Fault, Result};
use crate::models::bundle::Bundle;

const NAME: &str = "campaign.score";

/// Score events by a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScoreRequest {
    /// The bundle.
    pub bundle: PathBuf,
    /// Files, folders and patterns of events.
    pub files: Vec<PathBuf>,
    /// The sample of the bundle's card as which they are read: its schema, weight and luminosity mask; the first if `None`.
    pub sample: Option<String>,
    /// How to run; its card is not looked at.
    pub run: RunRequest,
}

/// Selects events as the card in the bundle does, and writes their scores.
///
/// # Errors
/// A bundle that cannot be read; a sample that its card has not; what the data contradict; a signal. Nothing half-written is left.
pub fn score(request: &ScoreRequest, progress: &Progress) -> Result<Outcome> {
    let bundle = Bundle::read(&request.bundle)?;
    let origin = Origin {
        file: request.bundle.clone(),
        text: bundle.card.text.clone(),
        overrides: bundle.card.overrides.iter().chain(&request.run.settings).cloned().collect(),
    };
    let mut card = Card::parse(origin).map_err(|error| error.about("the card in the bundle"))?;
    let mut work = match &card.work {
        Work::Events(work) => (**work).clone(),
        Work::Binned(_) | Work::Channels(_) => {
            let fault = Fault::new(NAME, format!("the card in '{}' reads no events", request.bundle.display()));
            return Err(fault.because("its networks were trained on nothing").data());
        }
    };
    work.samples = vec![chosen(&work, request)?];
    check_features(&bundle, &work)?;
    card.name = format!("{}-scores", card.name);
    let folder = request.run.output.clone().unwrap_or_else(|| PathBuf::from("scores"));
    let mut run = Run::begin(&card, &request.run, progress, &folder, ToyPart::All)?;
    let selected = scored(&mut run, &work, &bundle)?;
    run.report.answer.headline = "Events were scored.".into();
    run.finish(None, selected)
}

/// The sample as which files are read.
fn chosen(work: &EventWork, request: &ScoreRequest) -> Result<Sample> {
    let names: Vec<&str> = work.samples.iter().map(|sample| sample.name.as_str()).collect();
    let found = match &request.sample {
        None => work.samples.first(),
        Some(name) => work.samples.iter().find(|sample| sample.name == *name),
    };
    let found = found.ok_or_else(|| {
        let problem = format!("the card in the bundle has no sample '{}'", request.sample.clone().unwrap_or_default());
        Fault::new(NAME, problem).because(format!("it has {}", names.join(", "))).usage()
    })?;
    Ok(Sample { files: request.files.clone(), ..found.clone() })
}

/// Whether the card's features are those of the networks.
fn check_features(bundle: &Bundle, work: &EventWork) -> Result<()> {
    let names: Vec<&str> = work.selection.variables().collect();
    let of_card = work.model.as_ref().map(|model| model.features.iter().map(|at| names[*at]).collect::<Vec<_>>());
    let of_bundle: Vec<&str> = bundle.features.iter().map(|feature| feature.name.as_str()).collect();
    if of_card.as_ref() == Some(&of_bundle) {
        return Ok(());
    }
    let problem = format!("the networks take {}", of_bundle.join(", "));
    let why = format!("the card with these settings has {}", of_card.unwrap_or_default().join(", "));
    Err(Fault::new(NAME, problem).because(why).suggest("Change no setting of [model].").usage())
}

/// Selects, scores and writes; how many events there were.
fn scored(run: &mut Run, work: &EventWork, bundle: &Bundle) -> Result<Vec<(String, u64)>> {
    let Some(settings) = &work.model else { return Ok(Vec::new()) };
    let sample = &work.samples[0];
    let source = sample::open(work, sample, run.bad_files)?;
    let mut gathered = Gathered::of(variables(settings, work), None);
    sample::stream(run, work, sample, &source, &[], Some(&mut gathered))?;
    for (file, rows) in source.files_and_rows() {
        run.record_input(&sample.name, file, Some(rows))?;
        warn(run, bundle, file)?;
    }
    if gathered.events() > 0 {
        let features = &gathered.columns[..settings.features.len()];
        let stage = run.progress.stage("score", "events", Some(gathered.events() as u64));
        let scores = bundle.score(features, &gathered.keys())?;
        stage.add(gathered.events() as u64);
        run.record_stage(stage.finish());
        record::scores(run, &sample.name, &gathered, &scores)?;
        if let Some(labels) = labels_of(settings, work, &gathered) {
            record::separation(run, &sample.name, &scores.combined, &labels, &gathered.weight);
        }
    }
    Ok(vec![(sample.name.clone(), gathered.events() as u64)])
}

/// Says of a file that the networks learned from it.
fn warn(run: &mut Run, bundle: &Bundle, file: &Path) -> Result<()> {
    let is_known = |of: &str| bundle.trained_on.iter().any(|known| known.sha256.starts_with(of));
    for hashed in [Hashed::Footer, Hashed::Whole] {
        // A file is read as a whole only where one that was learned from was.
        if hashed == Hashed::Whole && !is_known("whole:") {
            continue;
        }
        let record = FileRecord::of_parquet(file, 0, hashed)?;
        if let Some(known) = bundle.learned_from(&identity(&record)) {
            let words = format!("'{}' was learned from, as '{}'", file.display(), known.name);
            tracing::warn!("{words}");
            run.note("Not independent", words);
        }
    }
    Ok(())
}
