//! The networks that a card trains on its selected events: `[model]`.
//!
//! ```toml
//! [model]
//! kind = "classifier"                 # or "autoencoder"
//! features = ["m_heavy", "tau21_1"]   # variables of [define]
//! label = "truth"                     # of [define], above 0.5 is the second class; without it samples are the classes
//! standardise = "z-score"             # or "min-max", "logit", "uniform", "normal"
//! region = "training"                 # of [regions]: events outside are scored and not learned from
//! hidden = [64, 64, 64]
//! ```

use super::events::find_variable;
use crate::error::nearest;
use crate::features::standardise::Method;
use crate::models::autoencoder::Autoencoder;
use crate::models::classifier::Classifier;
use crate::models::learning::Learning;
use crate::models::network::Activation;
use crate::models::population::Member;
use crate::models::train::{Adam, EarlyStopping, Schedule};
use crate::selection::Selection;
use crate::settings::Section;

/// What is trained on the selected events.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// Which networks.
    pub kind: ModelKind,
    /// The positions of the features among the variables of the selection.
    pub features: Vec<usize>,
    /// How features come onto a scale.
    pub standardise: Method,
    /// The position of the variable that tells the second class; without one data are of it, or signals where there are no data, and
    /// simulations of the first.
    pub label: Option<usize>,
    /// A value of a feature that says that it is not there.
    pub missing: Option<f32>,
    /// The flag of survivors that are learned from, among those of the selection; all are without one.
    pub region: Option<usize>,
}

/// The networks that a card can train.
#[derive(Debug, Clone)]
pub enum ModelKind {
    /// In folds, each event scored by networks that never saw it.
    Classifier(Classifier),
    /// Scored by how badly an event is put together again.
    Autoencoder(Autoencoder),
}

impl ModelKind {
    /// Whether events have a class.
    pub fn has_labels(&self) -> bool {
        matches!(self, Self::Classifier(_))
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Classifier,
    Autoencoder,
}

impl ModelSettings {
    /// Reads `[model]`; nothing if the card has none.
    pub(super) fn read(root: &Section, selection: Option<&Selection>) -> Option<Self> {
        let section = root.section("model");
        let kinds = [("classifier", Kind::Classifier), ("autoencoder", Kind::Autoencoder)];
        let kind = section.required::<String>("kind").map(|_| section.choice("kind", &kinds, Kind::Classifier));
        let features = read_features(&section, selection);
        let standardise = read_method(&section);
        let label: Option<String> = section.optional("label");
        let label = label.map(|name| selection.and_then(|known| find_variable(&section, "label", &name, known)));
        let missing = section.optional::<f64>("missing").map(|value| value as f32);
        if missing.is_some_and(|missing| !missing.is_finite()) {
            section.problem("missing", "features are compared with it, so it is a finite number");
        }
        let region: Option<String> = section.optional("region");
        let region = region.map(|name| selection.and_then(|known| find_region(&section, &name, known)));
        let seed = root.optional::<u64>("seed").unwrap_or(1);
        let kind = kind.and_then(|kind| read_kind(&section, kind, seed));
        if let (Some(ModelKind::Autoencoder(model)), Some(features)) = (&kind, &features)
            && model.latent as usize >= features.len()
        {
            let problem = format!("{} features are encoded to {} numbers", features.len(), model.latent);
            section.problem("latent", format!("{problem}, and every event could be put together again"));
        }
        if matches!(kind, Some(ModelKind::Autoencoder(_))) && label.is_some() {
            section.problem("label", "an autoencoder learns from all events alike; leave it out");
        }
        if label.is_none() && matches!(kind, Some(ModelKind::Classifier(_))) {
            check_roles(root, &section);
        }
        // What is there has to be found.
        let (label, region) =
            (label.map_or(Some(None), |found| found.map(Some)), region.map_or(Some(None), |found| found.map(Some)));
        Some(Self { kind: kind?, features: features?, standardise, label: label?, missing, region: region? })
    }
}

/// Without a label the samples are the classes.
fn check_roles(root: &Section, section: &Section) {
    let samples = root.named_sections("samples");
    let has = |role: &str| samples.iter().any(|(_, sample)| sample.optional::<String>("role").as_deref() == Some(role));
    if !(has("simulation") && (has("data") || has("signal"))) {
        let why = "without a label, data or else signals are told from simulations, and the card has not both; name a variable of [define]";
        section.problem("label", why);
    }
}

/// The place of a region among the flags of survivors.
fn find_region(section: &Section, name: &str, selection: &Selection) -> Option<usize> {
    let flags = &selection.outputs().flags;
    let found = flags.iter().position(|flag| flag == name);
    if found.is_none() {
        let hint = nearest(name, flags.iter().map(String::as_str)).map(|near| format!(". Did you mean '{near}'?"));
        section.problem("region", format!("'{name}' is no region or channel{}", hint.unwrap_or_default()));
    }
    found
}

fn read_features(section: &Section, selection: Option<&Selection>) -> Option<Vec<usize>> {
    let names: Vec<String> = section.required("features")?;
    if names.is_empty() {
        section.problem("features", "there are none, and nothing could be learned");
    }
    if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        section.problem("features", format!("'{}' is there twice", names[twice]));
    }
    let found: Vec<_> =
        names.iter().map(|name| selection.and_then(|known| find_variable(section, "features", name, known))).collect();
    found.into_iter().collect()
}

fn read_method(section: &Section) -> Method {
    // The logit is widened as in the published cards; 1,000 knots leave a thousandth of the events between two.
    let methods = [
        ("z-score", Method::ZScore),
        ("min-max", Method::MinMax),
        ("logit", Method::Logit { widened: 0.001 }),
        ("uniform", Method::Uniform { knots: 1000 }),
        ("normal", Method::Normal { knots: 1000 }),
    ];
    section.choice("standardise", &methods, Method::ZScore)
}

fn read_kind(section: &Section, kind: Kind, seed: u64) -> Option<ModelKind> {
    let activations = [
        ("relu", Activation::Relu),
        ("leaky-relu", Activation::LeakyRelu { slope: 0.1 }),
        ("elu", Activation::Elu),
        ("tanh", Activation::Tanh),
        ("sigmoid", Activation::Sigmoid),
        ("softplus", Activation::Softplus),
    ];
    let activation = |usual: Activation| section.choice("activation", &activations, usual);
    let sizes = |key: &str, usual: Vec<u32>| {
        let sizes: Vec<u32> = section.or(key, usual.clone());
        if sizes.iter().any(|size| !(1..=crate::models::network::WIDEST).contains(size)) {
            section.problem(key, "layers have from 1 to 8192 numbers");
            return usual;
        }
        sizes
    };
    let learning = read_learning(section);
    let member = Member::new(seed);
    match kind {
        Kind::Classifier => {
            let usual = Classifier::default();
            let dropout: f64 = section.or("dropout", usual.dropout);
            if !(0.0..=255.0 / 256.0).contains(&dropout) {
                section.problem("dropout", "it is a share from 0 to 255/256");
            }
            let folds = at_least(section, "folds", usual.folds, 2, "each event is scored by networks of other folds");
            let ensemble = at_least(section, "ensemble", usual.ensemble, 1, "nothing would be trained");
            let (hidden, activation) = (sizes("hidden", usual.hidden), activation(usual.activation));
            Some(ModelKind::Classifier(Classifier { hidden, activation, dropout, folds, ensemble, learning, member }))
        }
        Kind::Autoencoder => {
            let usual = Autoencoder::default();
            let encoder = sizes("encoder", usual.encoder);
            let latent = at_least(section, "latent", usual.latent, 1, "an event is encoded to some numbers");
            let ensemble = at_least(section, "ensemble", usual.ensemble, 1, "nothing would be trained");
            let activation = activation(usual.activation);
            Some(ModelKind::Autoencoder(Autoencoder { encoder, latent, activation, ensemble, learning, member }))
        }
    }
}

fn at_least(section: &Section, key: &str, usual: u32, least: u32, why: &str) -> u32 {
    let number = section.or(key, usual);
    if number < least {
        section.problem(key, format!("expected at least {least}, got {number} ({why})"));
        return usual;
    }
    number
}

fn read_learning(section: &Section) -> Learning {
    let usual = Learning::default();
    let positive = |key: &str, usual: f64| {
        let value: f64 = section.or(key, usual);
        if !(value > 0.0 && value <= 1e3) {
            section.problem(key, "expected a number above 0 and at most 1000");
            return usual;
        }
        value
    };
    let rate = positive("learning_rate", 1e-3) as f32;
    let schedules = [("constant", Schedule::Constant), ("cosine", Schedule::Cosine)];
    let schedule = section.choice("schedule", &schedules, Schedule::Constant);
    let largest_norm = section.has("largest_norm").then(|| positive("largest_norm", 1.0) as f32);
    let optimiser = Adam { rate, schedule, largest_norm, ..usual.optimiser };
    let batch = at_least(section, "batch", usual.batch, 1, "a step follows the rows of a batch");
    let epochs = at_least(section, "epochs", usual.epochs, 1, "nothing would be learned");
    let validation_share: f64 = section.or("validation_share", usual.validation_share);
    if !(0.0..1.0).contains(&validation_share) {
        section.problem("validation_share", "it is a share from 0 to below 1; the other events are learned from");
    }
    let patience: u32 = section.or("patience", 10);
    let early_stopping = (validation_share > 0.0).then_some(EarlyStopping { patience, least_improvement: 0.0 });
    Learning { optimiser, batch, epochs, validation_share, early_stopping, ..usual }
}
