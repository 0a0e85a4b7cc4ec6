//! From gathered events to a bundle.

use super::record;
use crate::campaign::manifest::{FileRecord, Hashed};
use crate::campaign::run::Run;
use crate::campaign::survivors::Gathered;
use crate::card::{EventWork, ModelKind, ModelSettings, Role};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::events::WrittenFile;
use crate::models::bundle::preprocess::Preprocessing;
use crate::models::bundle::{Bundle, CardText, Combination, Feature, Health, TrainedOn, made_by};
use crate::models::folds::folds_of;
use crate::models::learning::Fitted;
use crate::models::population::Member;
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
    let learned = Learned::of(work, settings, gathered);
    if learned.table_rows() == 0 {
        let fault = Fault::new(NAME, "no selected event is there to learn from");
        let why = "the samples and the region that the model learns from have none";
        return Err(fault.because(why).suggest("Loosen [select], or the region of [model].").data());
    }
    let stage = run.progress.stage("train", "events", Some(learned.table_rows() as u64));
    let all: Vec<&str> = work.selection.variables().collect();
    let names: Vec<&str> = settings.features.iter().map(|at| all[*at]).collect();
    let preprocessing = Preprocessing::fit(settings.standardise, &names, &learned.features, settings.missing)?;
    let mut table = preprocessing.table(&learned.features)?;
    table.weights = learned.weights.clone().into();
    if settings.kind.has_labels() {
        table.labels = learned.labels.clone().into();
    }
    let (fitted, combination) = fit(run, &settings.kind, &mut table, &learned)?;
    stage.add(learned.table_rows() as u64);
    run.record_stage(stage.finish());
    let bundle = bundle(run, work, settings, preprocessing, &fitted, combination);
    let path = run.output.path_of(BUNDLE);
    bundle.write(&path)?;
    let bytes = std::fs::read(&path).map_err(|error| crate::Error::io(NAME, "read", &path, error))?;
    run.output.record(BUNDLE, &WrittenFile::of(&bytes));
    record::bundle(run, BUNDLE);
    record::training(run, &fitted)?;
    record::learned(run, &learned.used, learned.table_rows());
    for (sample, gathered) in work.samples.iter().zip(gathered) {
        let features = &gathered.columns[..settings.features.len()];
        let scores = bundle.score(features, &gathered.keys())?;
        record::scores(run, &sample.name, gathered, &scores)?;
        if let Some(labels) = labels_of(settings, work, gathered) {
            record::separation(run, &sample.name, &scores.combined, &labels, &gathered.weight);
        }
    }
    Ok(())
}

fn fit(run: &Run, kind: &ModelKind, table: &mut Table<Host>, learned: &Learned) -> Result<(Fitted, Combination)> {
    let member = |member: &Member| Member { weights: Some(0), ..member.clone() };
    match kind {
        ModelKind::Classifier(classifier) => {
            let seed = classifier.member.seed;
            table.folds = folds_of(&learned.keys, classifier.folds, seed)?.into();
            let classifier =
                &crate::models::classifier::Classifier { member: member(&classifier.member), ..classifier.clone() };
            let fitted = classifier.fit(&run.device, table)?.fitted;
            Ok((fitted, Combination::OutOfFold { folds: classifier.folds, seed }))
        }
        ModelKind::Autoencoder(autoencoder) => {
            let autoencoder =
                crate::models::autoencoder::Autoencoder { member: member(&autoencoder.member), ..autoencoder.clone() };
            Ok((autoencoder.fit(&run.device, table)?.fitted, Combination::Mean))
        }
    }
}

/// The events that are learned from, of all samples that are.
struct Learned {
    features: Vec<Vec<f32>>,
    labels: Vec<f32>,
    weights: Vec<f32>,
    keys: Vec<u64>,
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
            used: Vec::new(),
        };
        for (sample, events) in work.samples.iter().zip(gathered) {
            let Some(class) = class_of(work, settings, sample.role) else { continue };
            learned.used.push(sample.name.clone());
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

    fn table_rows(&self) -> usize {
        self.keys.len()
    }
}

/// The class of a sample's events where there is no label; nothing if they are not learned from.
fn class_of(work: &EventWork, settings: &ModelSettings, role: Role) -> Option<f32> {
    let has_data = work.samples.iter().any(|sample| sample.role == Role::Data);
    let is_classified = settings.kind.has_labels();
    match role {
        Role::Data => Some(1.0),
        Role::Simulation => (is_classified || !has_data).then_some(0.0),
        Role::Signal => (is_classified && settings.label.is_none() && !has_data).then_some(1.0),
    }
}

/// Whether events are signal, for figures of merit: by `[classes]`, or by the label; nothing where neither is known.
pub(super) fn labels_of(settings: &ModelSettings, work: &EventWork, gathered: &Gathered) -> Option<Vec<bool>> {
    // The last column is the truth, or the label where there is none.
    let is_known = truth(work).is_some() || settings.label.is_some();
    let column = gathered.columns.last().filter(|_| is_known)?;
    Some(column.iter().map(|class| *class > 0.5).collect())
}

fn bundle(
    run: &Run,
    work: &EventWork,
    settings: &ModelSettings,
    preprocessing: Preprocessing,
    fitted: &Fitted,
    combination: Combination,
) -> Bundle {
    let names: Vec<&str> = work.selection.variables().collect();
    let definition = work.selection.definition();
    let expression = |name: &str| {
        let found = definition.variables.iter().find(|variable| variable.name == name);
        found.map_or_else(String::new, |variable| variable.value.clone())
    };
    let feature = |at: &usize| Feature { name: names[*at].to_owned(), definition: expression(names[*at]) };
    let inputs = &run.manifest.inputs;
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
        card: CardText {
            text: run.card.origin.text.clone(),
            overrides: run.card.origin.overrides.clone(),
            sha256: run.card.origin.sha256(),
        },
        trained_on: inputs.iter().map(learned_from).collect(),
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
