//! From gathered events to a bundle.

use super::record;
use crate::campaign::manifest::{FileRecord, Hashed};
use crate::campaign::run::Run;
use crate::campaign::survivors::Gathered;
use crate::card::{EventWork, ModelKind, ModelSettings, Role};
use crate::device::Host;
use crate::error::{Fault, Problems, Result};
use crate::events::WrittenFile;
use crate::models::autoencoder::Autoencoder;
use crate::models::bundle::preprocess::Preprocessing;
use crate::models::bundle::{Bundle, CardText, Combination, Feature, Health, Runs, TrainedOn, made_by};
use crate::models::classifier::Classifier;
use crate::models::folds::folds_of;
use crate::models::learning::Fitted;
use crate::models::population::{Member, Progress as MemberProgress};
use crate::models::score::transform::ScoreTransform;
use crate::models::table::Table;

const NAME: &str = "campaign.model";

/// The file of the bundle.
pub(super) const BUNDLE: &str = "model.safetensors";

/// The variables of the selection that a model needs of each event: its features, then its label, then its true class.
pub(in crate::campaign) fn variables(settings: &ModelSettings, work: &EventWork) -> Vec<usize> {
    let truth = truth(work);
    settings.features.iter().chain(&settings.label).chain(&truth).copied().collect()
}

/// The variable of `[classes]` where there are two of them: what events truly are.
fn truth(work: &EventWork) -> Option<usize> {
    work.distributions.classes.as_ref().filter(|classes| classes.names.len() == 2).map(|classes| classes.variable)
}

/// Trains the model of a card on what was gathered of its samples, and writes what comes of it.
///
/// # Errors
/// No events to learn from, or of one class; features that are constant or not finite; trainings that break off; a disk that refuses.
pub(in crate::campaign) fn train(
    run: &mut Run,
    work: &EventWork,
    settings: &ModelSettings,
    gathered: &[Gathered],
) -> Result<()> {
    let all: Vec<&str> = work.selection.variables().collect();
    let names: Vec<&str> = settings.features.iter().map(|at| all[*at]).collect();
    let mut problems = Problems::default();
    for (sample, gathered) in work.samples.iter().zip(gathered) {
        let is_used = class_of(work, settings, sample.role).is_some();
        let weights = if is_used { Weights::Counted } else { Weights::Unused };
        problems.take(check_values(&sample.name, &names, settings, gathered, weights));
    }
    problems.finish()?;
    let learned = Learned::of(work, settings, gathered);
    if learned.table_rows() == 0 {
        let fault = Fault::new(NAME, "no selected event is there to learn from");
        let why = "the samples and the region that the model learns from have none";
        return Err(fault.because(why).suggest("Loosen [select], or the region of [model].").data());
    }
    learned.check_classes(settings)?;
    let preprocessing = Preprocessing::fit(settings.standardise, &names, &learned.features, settings.missing)?;
    let mut table = preprocessing.table(&learned.features)?;
    table.weights = learned.weights.clone().into();
    if settings.kind.has_labels() {
        table.labels = learned.labels.clone().into();
    }
    let (fitted, combination) = fit(run, &settings.kind, &mut table, &learned)?;
    let bundle = bundle(run, work, settings, preprocessing, &fitted, combination, &learned);
    let path = run.output.path_of(BUNDLE);
    bundle.write(&path)?;
    let bytes = std::fs::read(&path).map_err(|error| crate::Error::io(NAME, "read", &path, error))?;
    run.output.record(BUNDLE, &WrittenFile::of(&bytes));
    record::bundle(run, BUNDLE);
    record::training(run, &fitted)?;
    record::learned(run, &learned.used, learned.table_rows());
    for (sample, gathered) in work.samples.iter().zip(gathered) {
        record::scored(run, work, settings, &bundle, &sample.name, gathered)?;
    }
    Ok(())
}

fn fit(run: &mut Run, kind: &ModelKind, table: &mut Table<Host>, learned: &Learned) -> Result<(Fitted, Combination)> {
    let member = |member: &Member| Member { weights: Some(0), ..member.clone() };
    let (progress, device) = (run.progress, run.device.clone());
    let epochs = u64::from(match kind {
        ModelKind::Classifier(classifier) => classifier.learning.epochs,
        ModelKind::Autoencoder(autoencoder) => autoencoder.learning.epochs,
    });
    // Patience may end it before.
    let stage = progress.stage("train", "epochs", Some(epochs.saturating_mul(kind.networks())));
    let mut made = 0;
    let mut watch = |members: &[MemberProgress]| {
        let now: u64 = members.iter().map(|member| member.epochs.len() as u64).sum();
        stage.add(now - made);
        made = now;
        progress.interrupted()
    };
    let found = match kind {
        ModelKind::Classifier(classifier) => {
            let seed = classifier.member.seed;
            table.folds = folds_of(&learned.keys, classifier.folds, seed)?.into();
            let classifier = Classifier { member: member(&classifier.member), ..classifier.clone() };
            let fitted = classifier.fit_watched(&device, table, &mut watch)?.fitted;
            (fitted, Combination::OutOfFold { folds: classifier.folds, seed })
        }
        ModelKind::Autoencoder(autoencoder) => {
            let autoencoder = Autoencoder { member: member(&autoencoder.member), ..autoencoder.clone() };
            (autoencoder.fit_watched(&device, table, &mut watch)?.fitted, Combination::Mean)
        }
    };
    run.record_stage(stage.finish());
    Ok(found)
}

/// The events that are learned from, of all samples that are.
struct Learned {
    features: Vec<Vec<f32>>,
    labels: Vec<f32>,
    weights: Vec<f32>,
    keys: Vec<u64>,
    runs: Runs,
    used: Vec<String>,
}

impl Learned {
    fn of(work: &EventWork, settings: &ModelSettings, gathered: &[Gathered]) -> Self {
        let number = settings.features.len();
        let mut learned = Self {
            features: vec![Vec::new(); number],
            labels: Vec::new(),
            weights: Vec::new(),
            keys: Vec::new(),
            runs: Runs::Present,
            used: Vec::new(),
        };
        for (sample, events) in work.samples.iter().zip(gathered) {
            let Some(class) = class_of(work, settings, sample.role) else { continue };
            learned.used.push(sample.name.clone());
            if events.without_run > 0 {
                learned.runs = Runs::Absent;
            }
            let is_used = |event: &usize| events.is_in_region.is_empty() || events.is_in_region[*event];
            let rows: Vec<usize> = (0..events.events()).filter(is_used).collect();
            for (to, column) in learned.features.iter_mut().zip(&events.columns) {
                to.extend(rows.iter().map(|row| column[*row]));
            }
            let keys = events.keys();
            for row in rows {
                let label = settings.label.map_or(class, |_| f32::from(events.columns[number][row] > 0.5));
                learned.labels.push(label);
                learned.weights.push(events.weight[row]);
                learned.keys.push(keys[row]);
            }
        }
        learned
    }

    /// Whether there is something to tell apart.
    ///
    /// # Errors
    /// A class without events that count.
    fn check_classes(&self, settings: &ModelSettings) -> Result<()> {
        if !settings.kind.has_labels() {
            return Ok(());
        }
        let mut problems = Problems::default();
        for (is_second, of_label, of_roles) in
            [(false, "at most 0.5", "simulation"), (true, "above 0.5", "data (or signal)")]
        {
            let counts = self
                .labels
                .iter()
                .zip(&self.weights)
                .any(|(label, weight)| (*label > 0.5) == is_second && *weight > 0.0);
            if counts {
                continue;
            }
            let problem = match settings.label {
                Some(_) => format!("no event whose label is {of_label} is there to learn from"),
                None => format!("no event of {of_roles} is there to learn from"),
            };
            let samples = self.used.join(", ");
            let why = format!(
                "all selected events of {samples} in the region of [model] are of the other class, or have weight 0"
            );
            let fault = Fault::new(NAME, problem).because(why);
            problems.push(fault.suggest("Look at [select], at the region of [model] and at the weights.").data());
        }
        problems.finish()
    }

    fn table_rows(&self) -> usize {
        self.keys.len()
    }
}

/// The class of a sample's events where there is no label; nothing if they are not learned from. With a label all are.
fn class_of(work: &EventWork, settings: &ModelSettings, role: Role) -> Option<f32> {
    let has_data = work.samples.iter().any(|sample| sample.role == Role::Data);
    let is_classified = settings.kind.has_labels();
    match role {
        Role::Data => Some(1.0),
        Role::Simulation => (is_classified || !has_data).then_some(0.0),
        Role::Signal => (is_classified && (settings.label.is_some() || !has_data)).then_some(1.0),
    }
}

/// Whether events are signal, for figures of merit: by `[classes]`, or by the label; nothing of events that are in no class, and of all
/// where neither is known.
pub(super) fn truth_of(settings: &ModelSettings, work: &EventWork, gathered: &Gathered) -> Option<Vec<Option<bool>>> {
    // The last column is the truth, or the label where there is none.
    let column = gathered.columns.last()?;
    if truth(work).is_some() {
        let class = |x: &f32| if *x > -0.5 && *x <= 1.5 { Some(*x > 0.5) } else { None };
        return Some(column.iter().map(class).collect());
    }
    settings.label.map(|_| column.iter().map(|label| Some(*label > 0.5)).collect())
}

/// Whether what is gathered of a sample can be learned from or scored.
///
/// # Errors
/// All at once, of each feature and of the label the first value that is not finite, by its name and event; the first weight below 0,
/// where weights count.
pub(super) fn check_values(
    sample: &str,
    names: &[&str],
    settings: &ModelSettings,
    gathered: &Gathered,
    weights: Weights,
) -> Result<()> {
    let mut problems = Problems::default();
    let mut refuse = |what: &str, x: f32, event: usize, why: &str, advice: &str| {
        let problem = format!("{what} is {x} for {} of {sample}", gathered.name_of(event));
        problems.push(Fault::new(NAME, problem).because(why).suggest(advice).data());
    };
    let is_missing = |x: &f32| settings.missing == Some(*x);
    for (name, column) in names.iter().zip(&gathered.columns) {
        if let Some(event) = column.iter().position(|x| !x.is_finite() && !is_missing(x)) {
            let advice = "Select events that have it, or define it with a value that `missing` names.";
            refuse(&format!("the feature '{name}'"), column[event], event, "nothing can be computed with it", advice);
        }
    }
    if weights == Weights::Counted {
        if let Some(column) = settings.label.map(|_| &gathered.columns[names.len()])
            && let Some(event) = column.iter().position(|x| !x.is_finite())
        {
            refuse("the label", column[event], event, "it is of no class", "Select events that have one.");
        }
        if let Some(event) = gathered.weight.iter().position(|weight| *weight < 0.0) {
            let why = "a loss with it has no least value";
            refuse("the weight", gathered.weight[event], event, why, "Train without such events, or without weights.");
        }
    }
    problems.finish()
}

/// Whether the weights of events enter a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weights {
    Counted,
    Unused,
}

fn bundle(
    run: &Run,
    work: &EventWork,
    settings: &ModelSettings,
    preprocessing: Preprocessing,
    fitted: &Fitted,
    combination: Combination,
    learned: &Learned,
) -> Bundle {
    let names: Vec<&str> = work.selection.variables().collect();
    let definition = work.selection.definition();
    let expression = |name: &str| {
        let found = definition.variables.iter().find(|variable| variable.name == name);
        found.map_or_else(String::new, |variable| variable.value.clone())
    };
    let feature = |at: &usize| Feature { name: names[*at].to_owned(), definition: expression(names[*at]) };
    // The report names the sample of each input of the manifest.
    let inputs = run.report.inputs.iter().zip(&run.manifest.inputs);
    let used = inputs.filter(|(input, _)| learned.used.contains(&input.sample)).map(|(_, record)| record);
    Bundle {
        network: fitted.train.network.clone(),
        members: fitted.train.members.clone(),
        parameters: fitted.population.best.to_vec(),
        health: vec![Health::Healthy; fitted.train.members.len()],
        features: settings.features.iter().map(feature).collect(),
        standardise: preprocessing.transforms,
        missing: preprocessing.missing,
        score: match settings.kind {
            ModelKind::Classifier(_) => ScoreTransform::Probability,
            ModelKind::Autoencoder(_) => ScoreTransform::ReconstructionError,
        },
        combination,
        runs: learned.runs,
        card: CardText {
            text: run.card.origin.text.clone(),
            overrides: run.card.origin.overrides.clone(),
            sha256: run.card.origin.sha256(),
        },
        trained_on: used.map(learned_from).collect(),
        made_by: made_by(),
    }
}

/// A file, as the bundle remembers it.
fn learned_from(record: &FileRecord) -> TrainedOn {
    TrainedOn { name: record.path.display().to_string(), bytes: record.bytes, sha256: identity(record) }
}

/// What a file is known by: which of its bytes, and their sha256.
pub(super) fn identity(record: &FileRecord) -> String {
    let of = match record.sha256_of {
        Hashed::Whole => "whole",
        Hashed::Footer => "footer",
    };
    format!("{of}:{}", record.sha256)
}
