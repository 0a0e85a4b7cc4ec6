//! `trawl score`: a bundle and events of any file to their scores.

use std::path::{Path, PathBuf};

use super::learn::{BUNDLE, Weights, check_values, identity, variables};
use super::record;
use crate::campaign::from_events::record_inputs;
use crate::campaign::manifest::{FileRecord, Hashed, sha256_of};
use crate::campaign::request::{RunRequest, ToyPart};
use crate::campaign::run::Run;
use crate::campaign::survivors::Gathered;
use crate::campaign::{Outcome, Progress, sample};
use crate::card::{Card, Distributions, EventWork, ModelSettings, Origin, Sample, Work};
use crate::error::{Error, Fault, Result};
use crate::events::BadFiles;
use crate::models::bundle::Bundle;
use crate::selection::Selection;

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
    /// The luminosity mask, where the sample has one; by default the card's path of it, from the bundle's folder.
    pub luminosity_mask: Option<PathBuf>,
    /// How to run; its card is not looked at.
    pub run: RunRequest,
}

/// Selects events as the card in the bundle does, and writes their scores.
///
/// # Errors
/// A bundle that cannot be read; a sample that its card has not; an output folder that holds the bundle or the files; what the data contradict;
/// a signal. Nothing half-written is left.
pub fn score(request: &ScoreRequest, progress: &Progress) -> Result<Outcome> {
    let bytes = std::fs::read(&request.bundle).map_err(|error| Error::io(NAME, "read", &request.bundle, error))?;
    let bundle = Bundle::read(&request.bundle)?;
    let folder = request.run.output.clone().unwrap_or_else(|| PathBuf::from("scores"));
    check_folder(&folder, request)?;
    let (file, text) = (request.bundle.clone(), bundle.card.text.clone());
    let origin = Origin { file, text, overrides: bundle.card.overrides.clone() };
    let mut card = Card::parse_for_scores(origin).map_err(|error| error.about("the card in the bundle"))?;
    let Work::Events(work) = &card.work else { return Err(no_model(&request.bundle)) };
    let mut work = (**work).clone();
    work.samples = vec![chosen(&work, request)?];
    let work = without_truth_where_unknown(work, request.run.bad_files)?;
    check_features(&bundle, &work)?;
    // What the scores are a function of, beside the card: other scores are not these.
    let files = request.files.iter().map(|file| format!("score.file={}", file.display()));
    let of = [format!("score.bundle={}", sha256_of(&bytes)), format!("score.sample={}", work.samples[0].name)];
    card.origin.overrides.extend(of.into_iter().chain(files));
    card.name = format!("{}-scores", card.name);
    let mut run = Run::begin(&card, &request.run, progress, &folder, ToyPart::All)?;
    let selected = scored(&mut run, &work, &bundle)?;
    run.report.answer.headline = "Events were scored.".into();
    run.finish(None, selected)
}

/// Whether what is read stays where it is: the folder is replaced as a whole.
fn check_folder(folder: &Path, request: &ScoreRequest) -> Result<()> {
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    if folder.join(BUNDLE).exists() {
        let fault = Fault::new(NAME, format!("'{}' holds a bundle, {BUNDLE}", folder.display()));
        return Err(fault
            .because("the folder is replaced as a whole, and its networks would be lost")
            .suggest("Use another --output.")
            .usage());
    }
    let all = std::iter::once(&request.bundle).chain(&request.files);
    let is_inside = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| path.starts_with(&folder));
    let Some(inside) = all.into_iter().find(is_inside) else { return Ok(()) };
    let fault = Fault::new(NAME, format!("'{}' is in the output folder", inside.display()));
    Err(fault
        .because("the folder is replaced as a whole, and it would be lost")
        .suggest("Use another --output.")
        .usage())
}

fn no_model(path: &Path) -> Error {
    let fault = Fault::new(NAME, format!("the card in '{}' has no [model]", path.display()));
    fault.because("its networks were trained on nothing").data()
}

/// The same without the label and the classes, where files do not have what they are made of.
fn without_truth_where_unknown(work: EventWork, bad_files: BadFiles) -> Result<EventWork> {
    let Err(error) = sample::open(&work, &work.samples[0], bad_files) else { return Ok(work) };
    let Some(reduced) = without_truth(&work) else { return Err(error) };
    match sample::open(&reduced, &reduced.samples[0], bad_files) {
        Ok(_) => Ok(reduced),
        Err(_) => Err(error),
    }
}

/// The selection without the variables that only say what events truly are; nothing if it needs them.
fn without_truth(work: &EventWork) -> Option<EventWork> {
    let model = work.model.as_ref()?;
    let names: Vec<String> = work.selection.variables().map(str::to_owned).collect();
    let truth = model.label.into_iter().chain(work.distributions.classes.as_ref().map(|classes| classes.variable));
    let left_out: Vec<&str> = truth.map(|at| names[at].as_str()).collect();
    let features: Vec<&str> = model.features.iter().map(|at| names[*at].as_str()).collect();
    if features.iter().any(|feature| left_out.contains(feature)) {
        return None;
    }
    let mut definition = work.selection.definition().clone();
    definition.variables.retain(|variable| !left_out.contains(&variable.name.as_str()));
    let selection = Selection::new(definition, work.selection.weight().clone()).ok()?;
    let kept: Vec<&str> = selection.variables().collect();
    let features =
        features.iter().map(|feature| kept.iter().position(|name| name == feature)).collect::<Option<_>>()?;
    let model = ModelSettings { features, label: None, ..model.clone() };
    Some(EventWork { selection, model: Some(model), distributions: Distributions::default(), ..work.clone() })
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
    let mut sample = Sample { files: request.files.clone(), ..found.clone() };
    match (&request.luminosity_mask, &sample.reading.luminosity_mask) {
        (Some(mask), Some(_)) => sample.reading.luminosity_mask = Some(mask.clone()),
        (Some(mask), None) => {
            let problem = format!("'{}' is a luminosity mask for '{}'", mask.display(), sample.name);
            let fault = Fault::new(NAME, problem).because("the bundle's card has none for this sample");
            return Err(fault.suggest("Leave out --luminosity-mask, or use another --sample.").usage());
        }
        (None, Some(mask)) if !mask.exists() => {
            let problem = format!("there is no luminosity mask '{}'", mask.display());
            let fault = Fault::new(NAME, problem).because("the bundle's card names it, from the folder of the bundle");
            return Err(fault.suggest("Say where it is by --luminosity-mask.").usage());
        }
        (None, _) => {}
    }
    Ok(sample)
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
    let why = format!("its card has {}", of_card.unwrap_or_default().join(", "));
    Err(Fault::new(NAME, problem).because(why).suggest("Train the networks again.").data())
}

/// Selects, scores and writes; how many events there were.
fn scored(run: &mut Run, work: &EventWork, bundle: &Bundle) -> Result<Vec<(String, u64)>> {
    let Some(settings) = &work.model else { return Ok(Vec::new()) };
    let sample = &work.samples[0];
    let source = sample::open(work, sample, run.bad_files)?;
    let mut gathered = Gathered::of(variables(settings, work), None);
    sample::stream(run, work, sample, &source, &[], Some(&mut gathered))?;
    record_inputs(run, &sample.name, &source)?;
    for (file, _) in source.files_and_rows() {
        warn(run, bundle, file)?;
    }
    let all: Vec<&str> = work.selection.variables().collect();
    let names: Vec<&str> = settings.features.iter().map(|at| all[*at]).collect();
    check_values(&sample.name, &names, settings, &gathered, Weights::Unused)?;
    record::scored(run, work, settings, bundle, &sample.name, &gathered)?;
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
        if let Some(known) = bundle.learned_from(&identity(&record)).filter(|known| known.bytes == record.bytes) {
            let words = format!("'{}' was learned from, as '{}'", file.display(), known.name);
            tracing::warn!("{words}");
            run.note("Not independent", words);
        }
    }
    Ok(())
}
