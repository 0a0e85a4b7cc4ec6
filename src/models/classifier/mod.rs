//! Weakly supervised classifiers in folds: which of two mixtures an event is like, by networks that never saw it.
//!
//! **What.** Networks learn to tell data (label 1) from a template of its background (label 0). If data are
//! `f S + (1 - f) B`, the density ratio of both rises with that of S and B, so that the best of these classifiers is the best of
//! signal and background too, though no event's truth is known. An ensemble of E networks in F folds is one population:
//! each event is scored E times, by the members that hold its fold out ([`folds`](super::folds)).
//!
//! **Cuts.** Each member has its own [`Threshold`](super::metrics::Threshold), at which a wanted share of the template
//! that it judges passes, by weight; or of the data, by [`Reference`]. What passes is counted for each network of the
//! ensemble, and the counts are averaged, not the scores, since networks select different regions: see
//! [`spectrum::ensemble`](crate::spectrum::ensemble).
//!
//! **Neglected.** Of the members' scores only their order counts, in the fold that each judges; scores of different
//! members are not compared. A threshold has the statistical error of what it was set with.
//!
//! **Cost.** E F trainings; 3 x 64 of six features are 8,700 weights, 52 kFLOP for an event of an epoch. Scores: every
//! event is scored by all E F members, of which E are kept: 17 kFLOP each, 4 bytes for each event and network.
//!
//! **Source.** Metodiev, Nachman and Thaler, JHEP 10 (2017) 174 (arXiv:1708.02949), theorem 1; Collins, Howe and
//! Nachman, arXiv:1805.02664 and 1902.02634 (folds); ATLAS, arXiv:2502.09770 (layers, dropout, the ensemble and its
//! cuts).
//!
//! ```
//! use trawl::device::Device;
//! use trawl::models::classifier::{Classifier, Cut, Judged, Reference};
//! use trawl::models::folds::folds_of;
//! use trawl::models::learning::Learning;
//! use trawl::models::table::Table;
//! let x: Vec<f32> = (0..400).map(|event| ((event * event) % 401) as f32 / 401.0).collect();
//! let labels: Vec<f32> = (0..400).map(|event| f32::from((event * 7) % 400 < 200)).collect();
//! let folds = folds_of(&(0..400).collect::<Vec<u64>>(), 2, 1)?;
//! let table = Table { labels: labels.clone().into(), folds: folds.clone().into(), ..Table::of_features(1, x)? };
//! let learning = Learning { batch: 50, epochs: 2, ..Learning::default() };
//! let classifier = Classifier { hidden: vec![8], folds: 2, ensemble: 3, learning, ..Classifier::default() };
//! let trained = classifier.fit(&Device::Cpu, &table)?;
//! let scores = trained.scores(&table)?;
//! let judged = Judged { scores: &scores, labels: &labels, weights: None, folds: &folds };
//! let thresholds = Cut { fraction: 0.1, reference: Reference::Template }.thresholds(&judged, 2)?;
//! let passing = thresholds.passing(&scores, &folds)?;
//! assert_eq!((thresholds.ensemble(), passing.len()), (3, 1200));
//! # Ok::<(), trawl::Error>(())
//! ```

mod cut;
#[cfg(test)]
mod tests;

pub use cut::{Cut, Judged, Reference, Thresholds};

use serde::{Deserialize, Serialize};

use crate::device::{Device, Host};
use crate::error::{Fault, Problems, Result};

use super::folds::{check_folds, cross_validated, out_of_fold};
use super::learning::{Fitted, Learning, Watch};
use super::network::{Activation, Network};
use super::population::Member;
use super::score::transform::ScoreTransform;
use super::table::Table;
use super::train::{ClassWeights, Loss, Train};

const NAME: &str = "models.classifier";

/// An ensemble of classifiers in folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// The sizes of hidden layers.
    pub hidden: Vec<u32>,
    /// What hidden layers do to their sums.
    pub activation: Activation,
    /// The share of hidden outputs that is left out in training, from 0 to 255/256.
    pub dropout: f64,
    /// How many folds there are.
    pub folds: u32,
    /// How many networks score each event.
    pub ensemble: u32,
    /// How they learn.
    pub learning: Learning,
    /// What they learn from; their seeds and folds follow from its seed.
    pub member: Member,
}

impl Default for Classifier {
    /// Ten networks in five folds: 3 x 64 ReLU, dropout of 5 %, Adam with a rate of 0.001 and a patience of 10 epochs.
    fn default() -> Self {
        Self {
            hidden: vec![64; 3],
            activation: Activation::Relu,
            dropout: 0.05,
            folds: 5,
            ensemble: 10,
            learning: Learning::default(),
            member: Member::new(1),
        }
    }
}

/// A trained ensemble.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The members, fold after fold of one network after the other.
    pub fitted: Fitted,
    folds: u32,
}

impl Classifier {
    /// Trains all members with classes that count for one half each. The table has the fold of each event, as
    /// [`folds_of`](super::folds::folds_of) gives it.
    ///
    /// # Errors
    /// All at once: fewer than two folds, no networks, a member that holds out a fold already, events of other folds;
    /// those of [`Network::dense`]; networks that are [too large](Network::too_large); those of [`Train`]; members whose
    /// training broke off.
    pub fn fit(&self, device: &Device, table: &Table<Host>) -> Result<Trained> {
        self.trained(self.learning.fit(device, self.training(table)?, table)?)
    }

    /// The same, watched: see [`Learning::fit_watched`].
    ///
    /// # Errors
    /// Those of [`Classifier::fit`] and of `watch`.
    pub fn fit_watched(&self, device: &Device, table: &Table<Host>, watch: &mut Watch<'_>) -> Result<Trained> {
        self.trained(self.learning.fit_watched(device, self.training(table)?, table, watch)?)
    }

    fn training(&self, table: &Table<Host>) -> Result<Train> {
        self.check(table)?;
        let network = Network::dense(self.member.inputs(table), &self.hidden, 1, self.activation, self.dropout)?;
        network.check_size(NAME, u64::from(self.ensemble) * u64::from(self.folds))?;
        let train = self.learning.train(network, self.members(), Loss::BinaryCrossEntropy);
        Ok(Train { class_weights: ClassWeights::Balanced, ..train })
    }

    fn trained(&self, fitted: Fitted) -> Result<Trained> {
        fitted.check_finite(NAME)?;
        Ok(Trained { fitted, folds: self.folds })
    }

    /// The members that are trained: each has a seed and a fold of its own, and learns from what [`Classifier::member`]
    /// does.
    pub fn members(&self) -> Vec<Member> {
        let own = |member: Member| Member { seed: member.seed, held_out: member.held_out, ..self.member.clone() };
        cross_validated(self.member.seed, self.ensemble, self.folds).into_iter().map(own).collect()
    }

    fn check(&self, table: &Table<Host>) -> Result<()> {
        let mut problems = Problems::default();
        problems.take(table.check_lengths());
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        if self.folds < 2 {
            refuse(format!("expected at least two folds, got {}", self.folds), "members learn from the other folds");
        }
        if self.ensemble == 0 {
            refuse("an ensemble of 0 networks".to_owned(), "nothing would be trained");
        }
        if let Some(fold) = self.member.held_out {
            refuse(format!("the member holds out fold {fold}"), "each fold is held out in turn");
        }
        if self.folds >= 2 {
            problems.take(check_folds(&table.folds, self.folds));
        }
        problems.finish()
    }
}

impl Trained {
    /// The logits of each event by the members that hold its fold out, network after network and event after event:
    /// larger for what is more like data. The events are any whose folds were made alike; features and folds are all
    /// that is used.
    ///
    /// # Errors
    /// Those of [`score`](super::score::score) and [`out_of_fold`].
    pub fn scores(&self, table: &Table<Host>) -> Result<Vec<f32>> {
        let scores = self.fitted.scores(table, ScoreTransform::Outputs)?;
        out_of_fold(&self.fitted.train.members, &scores, &table.folds)
    }

    /// How many folds there are.
    pub fn folds(&self) -> u32 {
        self.folds
    }
}
