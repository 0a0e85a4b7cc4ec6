//! `models.bundle`: trained networks with everything that scores of new events need, in one file.
//!
//! **What.** A [`Bundle`] is a safetensors file. Its tensors are the weights of all members as PyTorch has them,
//!
//! ```text
//! members.{m}.layers.{l}.weight    [outputs, inputs]
//! members.{m}.layers.{l}.bias      [outputs], where there is one
//! ```
//!
//! and its metadata has the rest: `trawl` (JSON: the kind of file, its version, and the fields of the [`Bundle`]),
//! `features` (JSON: the names of the raw features in their order) and `card_sha256` for other readers, and `sha256` of
//! all that. The same bundle is the same bytes. It appears whole or not at all.
//!
//! Scores of it are made as those of the training were: raw features, [`Transform`] of each in double precision,
//! rounded to single precision, the features of each member, its layers without dropout
//! ([`score`](super::score::score)), the [`ScoreTransform`], and the [`Combination`] of the members that are healthy.
//!
//! [`import`] reads networks that PyTorch made, [`onnx`] exports a bundle, [`checkpoint`] keeps a population in the
//! middle of its training.
//!
//! **Cost.** 4 bytes for each weight, and the hash of them.
//!
//! ```
//! use trawl::features::standardise::Transform;
//! use trawl::models::bundle::{Bundle, CardText, Combination, Feature, Health, Runs, made_by};
//! use trawl::models::network::{Activation, Initialisation, Network};
//! use trawl::models::population::Member;
//! use trawl::models::score::transform::ScoreTransform;
//! let network = Network::dense(2, &[4], 1, Activation::Relu, 0.0)?;
//! let feature = |name: &str| Feature { name: name.into(), definition: format!("FatJet[0].{name}") };
//! let bundle = Bundle {
//!     parameters: network.first_parameters(1, Initialisation::He),
//!     network,
//!     members: vec![Member::new(1)],
//!     health: vec![Health::Healthy],
//!     features: vec![feature("mass"), feature("tau21")],
//!     standardise: vec![Transform::Linear { shift: 80.0, scale: 0.05 }, Transform::Linear { shift: 0.5, scale: 4.0 }],
//!     missing: None,
//!     score: ScoreTransform::Probability,
//!     combination: Combination::Mean,
//!     runs: Runs::Present,
//!     card: CardText { text: "name = 'demo'".into(), overrides: vec![], sha256: "ab".into() },
//!     trained_on: vec![],
//!     made_by: made_by(),
//! };
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("demo.safetensors");
//! bundle.write(&path)?;
//! assert_eq!(Bundle::read(&path)?, bundle);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod apply;
mod check;
pub mod checkpoint;
pub mod import;
pub mod onnx;
pub mod preprocess;
mod tensors;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::tensors::{Kind, Tensors, encoded};
use super::network::Network;
use super::population::{Member, Population};
use super::score::transform::ScoreTransform;
use crate::device::Host;
use crate::error::{Problems, Result};
use crate::events::write_whole;
use crate::features::standardise::Transform;

const NAME: &str = "models.bundle";

/// Another version has other fields, or fields that mean something else.
const BUNDLE: Kind = Kind { word: "bundle", version: 1 };

/// Trained networks, and everything that scores of new events need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The shape of all members.
    pub network: Network,
    /// What they learned from.
    pub members: Vec<Member>,
    /// Their parameters, member after member, each padded as [`Network::parameters`] says; padding is 0.
    #[serde(skip)]
    pub parameters: Vec<f32>,
    /// Which of them count, one for each.
    pub health: Vec<Health>,
    /// The raw features, in their order.
    pub features: Vec<Feature>,
    /// The map of each feature.
    pub standardise: Vec<Transform>,
    /// The raw value that says that a feature is not there, if there is one; a finite number.
    #[serde(default)]
    pub missing: Option<f32>,
    /// What the outputs of a member become.
    pub score: ScoreTransform,
    /// How the members' scores of an event become one.
    pub combination: Combination,
    /// Whether the events that were learned from had runs, of which their folds are a function.
    #[serde(default)]
    pub runs: Runs,
    /// The card of the training.
    pub card: CardText,
    /// The files that were learned from.
    pub trained_on: Vec<TrainedOn>,
    /// The program; see [`made_by`].
    pub made_by: String,
}

/// Whether a member counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It does.
    #[default]
    Healthy,
    /// It does not.
    LeftOut {
        /// In one clause without a full stop.
        why: String,
    },
}

/// Whether events have runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// Some have none, or it is not known.
    #[default]
    Absent,
    /// All have one.
    Present,
}

/// A raw feature of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Unlike those of the others.
    pub name: String,
    /// The card's expression that it is computed by.
    pub definition: String,
}

/// How the scores s_m of an event by the members m that are healthy become one. Of several outputs each is combined by
/// itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combination {
    /// Their mean.
    Mean,
    /// The mean of `(s_m - centre_m) / spread_m`: for scores of one number.
    NormalisedMean {
        /// The mean of each member's scores over the training sample; one for each member, healthy or not.
        centre: Vec<f64>,
        /// Their standard deviation, above 0.
        spread: Vec<f64>,
    },
    /// Their median; of an even number, the mean of the two in the middle.
    Median,
    /// The mean of the members that have held out the fold of the event ([`Member::held_out`]), and so have never seen
    /// it.
    OutOfFold {
        /// How many folds there are, from 0.
        folds: u32,
        /// The fold of an event is a function of this and of its key: see [`folds`](super::folds).
        seed: u64,
    },
}

/// The card of a training.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardText {
    /// The card as it was written.
    pub text: String,
    /// What the command line had instead, as `key=value`.
    pub overrides: Vec<String>,
    /// The sha256 of the card with these, in the form that tells cards apart.
    pub sha256: String,
}

/// A file that was learned from: scores of its events are better than those of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// Its name, without its folder or with it.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The sha256 of its contents, or of a part of them that tells files apart.
    pub sha256: String,
}

/// This program and, where the build knew one, its revision, as `trawl 0.1.0 (564a7c6)`.
pub fn made_by() -> String {
    let revision = option_env!("TRAWL_GIT_REVISION").filter(|text| !text.is_empty());
    let revision = revision.map(|revision| format!(" ({revision})")).unwrap_or_default();
    format!("trawl {}{revision}", env!("CARGO_PKG_VERSION"))
}

impl Bundle {
    /// Whether everything fits.
    ///
    /// # Errors
    /// All at once: no member that is healthy; lists that are not as long as there are members, features or parameters;
    /// features that have no name or the same; maps, scores and combinations that are of other networks or not of
    /// finite numbers; weights that are not finite.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        check::description(self, &mut problems);
        check::parameters(self, &mut problems);
        problems.finish()
    }

    /// The numbers of the members that count.
    pub fn healthy(&self) -> impl Iterator<Item = usize> + '_ {
        self.health.iter().enumerate().filter(|(_, health)| **health == Health::Healthy).map(|(number, _)| number)
    }

    /// All members as [`score`](super::score::score) takes them.
    pub fn population(&self) -> Population<Host> {
        Population::from_parameters(self.parameters.clone(), self.members.len())
    }

    /// The file of those that were learned from that has this sha256.
    pub fn learned_from(&self, sha256: &str) -> Option<&TrainedOn> {
        self.trained_on.iter().find(|file| file.sha256 == sha256)
    }

    /// Writes the bundle. The file appears whole or not at all.
    ///
    /// # Errors
    /// As [`Bundle::check`]; [`Error::Io`](crate::error::Error::Io) if the system refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_whole(NAME, path, &self.to_bytes()?)
    }

    /// Reads what [`Bundle::write`] wrote.
    ///
    /// # Errors
    /// A file that is no bundle, one of another version, one that was cut off or changed; tensors that are missing, too
    /// many or of another shape; what [`Bundle::check`] finds; [`Error::Io`](crate::error::Error::Io) if the system
    /// refuses.
    pub fn read(path: &Path) -> Result<Self> {
        tensors::read(NAME, path, Self::from_bytes)
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        self.encoded()
    }

    fn encoded(&self) -> Result<Vec<u8>> {
        let texts = [("features", self.feature_names()), ("card_sha256", self.card.sha256.clone())];
        let texts: BTreeMap<String, String> = texts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        encoded(NAME, BUNDLE, self, texts, &weights::tensors(&self.network, &self.parameters))
    }

    /// The names of the features as a list in JSON.
    fn feature_names(&self) -> String {
        let names: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        serde_json::to_string(&names).expect("a list of texts is plain data")
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let tensors = Tensors::read(NAME, bytes)?;
        let mut bundle: Self = tensors.description(BUNDLE)?;
        let mut problems = Problems::default();
        check::description(&bundle, &mut problems);
        // Before any room is made: the file has as many numbers.
        problems.take(weights::check_shapes(&bundle.network, bundle.members.len(), &tensors));
        problems.finish()?;
        tensors.check_sha256()?;
        bundle.parameters = weights::read(&bundle.network, bundle.members.len(), &tensors)?;
        let mut problems = Problems::default();
        check::parameters(&bundle, &mut problems);
        problems.finish()?;
        Ok(bundle)
    }
}
