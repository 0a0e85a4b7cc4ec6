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

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use super::events::find_variable;
use crate::error::{Result, nearest};
use crate::features::standardise::Method;
use crate::models::autoencoder::Autoencoder;
use crate::models::classifier::Classifier;
use crate::models::learning::Learning;
use crate::models::network::{Activation, MOST_NETWORKS, Network, TooLarge, WIDEST};
use crate::models::population::Member;
use crate::models::train::{Adam, EarlyStopping, Schedule};
use crate::selection::Selection;
use crate::settings::Section;

/// The most rows of a batch, as [`Train`](crate::models::train::Train) takes them.
const LARGEST_BATCH: u32 = 1 << 20;

/// The patience where a card has none.
const USUAL_PATIENCE: u32 = 10;

/// The least share of events for validation: smaller ones are 0 where events are drawn.
const LEAST_VALIDATION: f64 = 1.0 / 4_294_967_296.0;

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

    /// How many networks are trained.
    pub fn networks(&self) -> u64 {
        match self {
            Self::Classifier(model) => u64::from(model.ensemble) * u64::from(model.folds),
            Self::Autoencoder(model) => u64::from(model.ensemble),
        }
    }

    /// The shape of each of them, of so many features.
    fn network(&self, features: u32) -> Result<Network> {
        match self {
            Self::Classifier(model) => Network::dense(features, &model.hidden, 1, model.activation, model.dropout),
            Self::Autoencoder(model) => model.network(features),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Classifier,
    Autoencoder,
}

impl ModelSettings {
    /// Reads `[model]`; nothing if the card has none.
    pub(super) fn read(root: &Section, selection: Option<&Selection>, seed: u64) -> Option<Self> {
        let section = root.section("model");
        let kinds = [("classifier", Some(Kind::Classifier)), ("autoencoder", Some(Kind::Autoencoder))];
        let kind = section.required::<String>("kind").and_then(|_| section.choice("kind", &kinds, None));
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
        let kind = read_kind(&section, kind, seed);
        if let (Some(kind), Some(features)) = (&kind, &features) {
            check_size(&section, kind, features.len());
        }
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

/// Networks that no memory holds are told of before an event is read.
fn check_size(section: &Section, kind: &ModelKind, features: usize) {
    // What else is wrong with its shape is told by the key that is.
    let Ok(network) = kind.network(u32::try_from(features).unwrap_or(u32::MAX)) else { return };
    let Some(TooLarge { problem, why }) = network.too_large(kind.networks()) else { return };
    let (sizes, mut counts, advice) = match kind {
        ModelKind::Classifier(model) => {
            ("hidden", vec![("ensemble", model.ensemble), ("folds", model.folds)], "hidden, ensemble or folds")
        }
        ModelKind::Autoencoder(model) => ("encoder", vec![("ensemble", model.ensemble)], "encoder or ensemble"),
    };
    counts.sort_by_key(|(_, number)| Reverse(*number));
    // The line that is most likely meant: the larger number where there are too many, else what makes each of them large.
    let mut keys: Vec<&str> = counts.into_iter().map(|(key, _)| key).collect();
    keys.insert(if kind.networks() > MOST_NETWORKS { keys.len() } else { 0 }, sizes);
    let key = keys.iter().find(|key| section.has(key)).unwrap_or(&keys[0]);
    section.problem(key, format!("{problem} ({why}). Make {advice} smaller"));
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
    if names.len() > WIDEST as usize {
        let why = format!("a network takes at most {WIDEST}, got {}; leave some out", names.len());
        section.problem("features", why);
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

/// Where the kind is not known, the keys of every kind are, so that a mistake in one of them is no wrong key.
fn read_kind(section: &Section, kind: Option<Kind>, seed: u64) -> Option<ModelKind> {
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
        let wrong: Vec<String> = sizes.iter().filter(|size| !(1..=WIDEST).contains(size)).map(u32::to_string).collect();
        if !wrong.is_empty() {
            section.problem(key, format!("layers have from 1 to {WIDEST} numbers, got {}", wrong.join(", ")));
            return usual;
        }
        sizes
    };
    let ensemble = |usual: u32| at_least(section, "ensemble", usual, 1, "nothing would be trained");
    let classifier = |learning, member| {
        let usual = Classifier::default();
        let mut dropout: f64 = section.or("dropout", usual.dropout);
        if !(0.0..=255.0 / 256.0).contains(&dropout) {
            section
                .problem("dropout", format!("{dropout} is no share from 0 to 255/256; some outputs have to be kept"));
            dropout = usual.dropout;
        }
        let folds = at_least(section, "folds", usual.folds, 2, "each event is scored by networks of other folds");
        let (hidden, activation, ensemble) =
            (sizes("hidden", usual.hidden), activation(usual.activation), ensemble(usual.ensemble));
        ModelKind::Classifier(Classifier { hidden, activation, dropout, folds, ensemble, learning, member })
    };
    let encoder_and_latent = |usual: &Autoencoder| {
        let encoder = sizes("encoder", usual.encoder.clone());
        (encoder, at_least(section, "latent", usual.latent, 1, "an event is encoded to some numbers"))
    };
    let learning = read_learning(section);
    let member = Member::new(seed);
    match kind {
        Some(Kind::Classifier) => Some(classifier(learning, member)),
        Some(Kind::Autoencoder) => {
            let usual = Autoencoder::default();
            let (encoder, latent) = encoder_and_latent(&usual);
            let (activation, ensemble) = (activation(usual.activation), ensemble(usual.ensemble));
            Some(ModelKind::Autoencoder(Autoencoder { encoder, latent, activation, ensemble, learning, member }))
        }
        None => {
            let _ = (classifier(learning, member), encoder_and_latent(&Autoencoder::default()));
            None
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

fn within(section: &Section, key: &str, usual: u32, range: RangeInclusive<u32>, why: &str) -> u32 {
    let number = section.or(key, usual);
    if !range.contains(&number) {
        let (least, most) = range.into_inner();
        section.problem(key, format!("expected an integer from {least} to {most}, got {number} ({why})"));
        return usual;
    }
    number
}

fn read_learning(section: &Section) -> Learning {
    let usual = Learning::default();
    let positive = |key: &str, usual: f64| {
        let value: f64 = section.or(key, usual);
        if !(value > 0.0 && value <= 1e3) {
            section.problem(key, format!("expected a number above 0 and at most 1000, got {value}"));
            return usual;
        }
        value
    };
    let rate = positive("learning_rate", 1e-3) as f32;
    let schedules = [("constant", Schedule::Constant), ("cosine", Schedule::Cosine)];
    let schedule = section.choice("schedule", &schedules, Schedule::Constant);
    let largest_norm = section.has("largest_norm").then(|| positive("largest_norm", 1.0) as f32);
    let optimiser = Adam { rate, schedule, largest_norm, ..usual.optimiser };
    let batch = within(section, "batch", usual.batch, 1..=LARGEST_BATCH, "a step follows the rows of a batch");
    let epochs = at_least(section, "epochs", usual.epochs, 1, "nothing would be learned");
    let mut validation_share: f64 = section.or("validation_share", usual.validation_share);
    let patience: Option<u32> = section.optional("patience");
    if !(0.0..1.0).contains(&validation_share) {
        let why = format!("{validation_share} is no share from 0 to below 1; the other events are learned from");
        section.problem("validation_share", why);
        validation_share = usual.validation_share;
    } else if validation_share > 0.0 && validation_share < LEAST_VALIDATION {
        let why = format!("{validation_share} is so small that no event would be in it; expected 0 or at least 2^-32");
        section.problem("validation_share", why);
        validation_share = usual.validation_share;
    } else if validation_share == 0.0 && patience.is_some() {
        let why = "with validation_share = 0 no loss tells when to stop, and all epochs are made (it would be ignored). Leave \
                   it out, or give validation_share more than 0";
        section.problem("patience", why);
    }
    let early_stopping = (validation_share > 0.0)
        .then_some(EarlyStopping { patience: patience.unwrap_or(USUAL_PATIENCE), least_improvement: 0.0 });
    Learning { optimiser, batch, epochs, validation_share, early_stopping, ..usual }
}

#[cfg(test)]
mod tests {
    use crate::card::{Card, Origin};

    const CARD: &str = r#"
name = "networks"
seed = 1
output = "results"
[samples.data]
role = "data"
files = "data.parquet"
[samples.simulation]
role = "simulation"
files = "simulation.parquet"
[objects.jet]
from = "Jet"
[define]
m = "jet[0].mass"
leading_pt = "jet[0].pt"
leading_eta = "jet[0].eta"
[select]
"a jet" = "count(jet) >= 1"
[spectrum]
variable = "leading_pt"
edges = [0, 100, 200]
[model]
kind = "classifier"
features = ["m", "leading_pt", "leading_eta"]
"#;

    /// What is wrong with the card under these settings.
    fn problems_of(text: &str, settings: &[&str]) -> Vec<String> {
        let overrides = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let read = Card::parse(Origin { file: "networks.toml".into(), text: text.to_owned(), overrides });
        read.err().map_or_else(Vec::new, |error| error.problems().iter().map(ToString::to_string).collect())
    }

    fn only_problem(settings: &[&str]) -> String {
        let found = problems_of(CARD, settings);
        assert_eq!(found.len(), 1, "{settings:?}: {found:?}");
        found[0].clone()
    }

    #[test]
    fn networks_that_no_memory_holds_are_refused_by_the_key_that_makes_them() {
        assert_eq!(problems_of(CARD, &[]), Vec::<String>::new());
        let found = only_problem(&["model.hidden=[8192,8192,8192]"]);
        assert!(found.contains("model.hidden: 50 network(s) of 134") && found.contains("8.0 GiB"), "{found}");
        let found = only_problem(&["model.ensemble=1000000000"]);
        assert!(found.contains("model.ensemble: 5000000000 network(s) of "), "{found}");
        assert!(
            found.contains("at most 65536") && found.ends_with("Make hidden, ensemble or folds smaller"),
            "{found}"
        );
        let found = only_problem(&["model.folds=4000000000", "model.ensemble=10"]);
        assert!(found.contains("model.folds: 40000000000 network(s) of "), "{found}");
        let found = only_problem(&["model.ensemble=1", "model.hidden=[8192,8192,8192]"]);
        assert!(found.contains("model.hidden: 5 network(s) of 134"), "{found}");
        let found = only_problem(&["model.kind=autoencoder", "model.latent=2", "model.ensemble=1000000"]);
        assert!(found.contains("model.ensemble: 1000000 network(s) of "), "{found}");
        assert!(found.ends_with("Make encoder or ensemble smaller"), "{found}");
    }

    #[test]
    fn a_kind_that_cannot_be_read_is_the_only_problem() {
        let keys = ["model.hidden=[8]", "model.dropout=0.1", "model.folds=3", "model.encoder=[8]", "model.latent=2"];
        let text = CARD.replace("kind = \"classifier\"\n", "");
        let found = problems_of(&text, &keys);
        assert!(found.len() == 1 && found[0].contains("key 'kind' is missing in [model]"), "{found:?}");
        for (kind, words) in [("3", "model.kind: expected a string"), ("autoencodre", "Did you mean 'autoencoder'?")] {
            let kind = format!("model.kind={kind}");
            let found = only_problem(&[&keys[..], &[kind.as_str()]].concat());
            assert!(found.contains(words), "{found}");
        }
        // What is wrong beside it is told once.
        let found = problems_of(&text, &["model.folds=1", "model.activation=rleu", "model.ensemble=0"]);
        assert_eq!(found.len(), 4, "{found:?}");
        // Where it is known, keys of another kind are not.
        assert!(only_problem(&["model.latent=2"]).contains("unknown key 'latent' in [model]"));
    }

    #[test]
    fn values_out_of_range_are_told_as_they_were_given() {
        for (setting, words) in [
            ("model.batch=4000000000", "model.batch: expected an integer from 1 to 1048576, got 4000000000"),
            ("model.hidden=[64,0,9000]", "model.hidden: layers have from 1 to 8192 numbers, got 0, 9000"),
            ("model.dropout=1.5", "model.dropout: 1.5 is no share from 0 to 255/256"),
            ("model.learning_rate=-2", "model.learning_rate: expected a number above 0 and at most 1000, got -2"),
            ("model.validation_share=1.5", "model.validation_share: 1.5 is no share from 0 to below 1"),
            ("model.validation_share=1e-12", "model.validation_share: 0.000000000001 is so small"),
            ("seed=-1", "seed: expected an integer from 0 to 18446744073709551615, got -1"),
        ] {
            let found = only_problem(&[setting]);
            assert!(found.contains(words), "{found}");
        }
    }

    #[test]
    fn patience_without_validation_is_refused_where_it_was_written() {
        let found = only_problem(&["model.validation_share=0", "model.patience=3"]);
        assert!(found.contains("model.patience: with validation_share = 0 no loss tells when to stop"), "{found}");
        assert_eq!(problems_of(CARD, &["model.validation_share=0"]), Vec::<String>::new());
        assert_eq!(problems_of(CARD, &["model.patience=0"]), Vec::<String>::new());
    }
}
