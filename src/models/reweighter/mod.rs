//! Reweighting: ratios of densities as weights, with which one sample looks like another.
//!
//! **What.** A network learns to tell events with label 1 from those with label 0, both counting for one half; its
//! output z is the logarithm of the ratio of their densities, by either of two losses:
//!
//! ```text
//! classifier        E0[ln(1 + e^z)] + E1[ln(1 + e^-z)]      least at f = p1 / (p0 + p1),     e^z = f / (1 - f)
//! likelihood ratio  E0[sqrt R] + E1[1 / sqrt R], R = e^z     least at R = p1 / p0
//! w(x) = A clean(e^z),     A such that   sum_0 v w = sum_1 v
//! ```
//!
//! with the events' own weights v and sums over the events with label 0 and 1 that the network learned from, validation
//! among them. `clean` deals with the ratios far out that few events had a say in ([`Cleaning`]). What comes back is w:
//! multiply own weights by it.
//!
//! **Replicas.** Each of a population of networks learns from events that count as often as a Poisson number of mean 1
//! says, as a bootstrap replica has it. The nominal weight of an event is the median of theirs, its band their spread
//! ([`Weights`]). Fill one spectrum with each replica for the band of a bin, since events vary together.
//!
//! **Neglected.** A is that of the events themselves for all replicas, so that the error of the sums is not in the
//! band. Medians of weights need not sum to `sum_1 v`. That weights hold elsewhere than where they were learned is an
//! assumption.
//!
//! **Cost.** A training for each replica; 3 x 64 of 13 features are 9,100 weights, 55 kFLOP for an event of an epoch.
//! Weights: an exponential and 4 bytes for each event and replica; 24 bytes more for medians.
//!
//! **Source.** Andreassen and Nachman, arXiv:1907.08209 (weights of classifiers); Rizvi, Pettee and Nachman,
//! arXiv:2305.10500 (the loss E0[sqrt R] + E1[1 / sqrt R]); Bai, Mastandrea and Nachman, arXiv:2311.12924 (weights
//! above the mean and 3 standard deviations become 0). As in ATLAS, arXiv:2306.03637, bootstrap replicas make the band;
//! their number is recalled.
//!
//! ```
//! use trawl::device::Device;
//! use trawl::models::learning::Learning;
//! use trawl::models::reweighter::Reweighter;
//! use trawl::models::table::Table;
//! // Of label 0 a half is above 0, of label 1 three quarters.
//! let x: Vec<f32> = (0..300).map(|event| if event % 3 == 0 { -1.0 } else { 1.0 }).collect();
//! let labels: Vec<f32> = (0..300).map(|event| if event % 6 < 2 { 0.0 } else { 1.0 }).collect();
//! let table = Table { labels: labels.into(), ..Table::of_features(1, x)? };
//! let learning = Learning { batch: 50, epochs: 3, ..Learning::default() };
//! let reweighter = Reweighter { hidden: vec![4], learning, replicas: 0, ..Reweighter::default() };
//! let trained = reweighter.fit(&Device::Cpu, &table)?;
//! let weights = trained.weights(&table)?.nominal();
//! let sum: f32 = (0..300).filter(|event| event % 6 < 2).map(|event| weights[event]).sum();
//! assert!((sum - 200.0).abs() < 1e-2);
//! # Ok::<(), trawl::Error>(())
//! ```

mod calibration;
#[cfg(test)]
mod tests;
mod weights;

pub use calibration::{Calibration, Cleaning};
pub use weights::{Band, Weights};

use serde::{Deserialize, Serialize};

use crate::device::{Device, Host};
use crate::error::{Fault, Problems, Result};
use crate::math::det;

use super::folds::member_seed;
use super::learning::{Fitted, Learning};
use super::network::{Activation, Network};
use super::population::{Member, Replica};
use super::score::transform::ScoreTransform;
use super::table::Table;
use super::train::{ClassWeights, Loss, Train};

const NAME: &str = "models.reweighter";

/// By which loss ratios are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Binary cross-entropy, f / (1 - f).
    #[default]
    Classifier,
    /// `E0[sqrt R] + E1[1 / sqrt R]`.
    LikelihoodRatio,
}

impl Method {
    fn loss(self) -> Loss {
        match self {
            Self::Classifier => Loss::BinaryCrossEntropy,
            Self::LikelihoodRatio => Loss::LikelihoodRatio,
        }
    }
}

/// How weights are learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reweighter {
    /// By which loss.
    pub method: Method,
    /// The sizes of hidden layers.
    pub hidden: Vec<u32>,
    /// What hidden layers do to their sums.
    pub activation: Activation,
    /// How networks learn.
    pub learning: Learning,
    /// What becomes of large ratios.
    pub cleaning: Cleaning,
    /// The number of bootstrap replicas; with 0 there is one network that learns from the events as they are.
    pub replicas: u32,
    /// What they learn from; the seeds of replicas follow from its.
    pub member: Member,
}

impl Default for Reweighter {
    /// A hundred replicas of 3 x 64 ReLU with binary cross-entropy, Adam with a rate of 0.001 and a patience of 10
    /// epochs; all ratios are kept.
    fn default() -> Self {
        Self {
            method: Method::Classifier,
            hidden: vec![64; 3],
            activation: Activation::Relu,
            learning: Learning::default(),
            cleaning: Cleaning::Keep,
            replicas: 100,
            member: Member::new(1),
        }
    }
}

/// Networks that give weights.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The networks, replica after replica.
    pub fitted: Fitted,
    cleaning: Cleaning,
    calibrations: Vec<Calibration>,
}

impl Reweighter {
    /// Trains all replicas and scales each one's weights.
    ///
    /// # Errors
    /// A cleaning that [`Cleaning`] refuses; those of [`Network::dense`] and [`Train`]; members whose training broke
    /// off; replicas whose weights do not sum to anything above 0 that is finite.
    pub fn fit(&self, device: &Device, table: &Table<Host>) -> Result<Trained> {
        self.cleaning.check()?;
        table.check_lengths()?;
        let network = Network::dense(self.member.inputs(table), &self.hidden, 1, self.activation, 0.0)?;
        let train = self.learning.train(network, self.members(), self.method.loss());
        let train = Train { class_weights: ClassWeights::Balanced, ..train };
        let fitted = self.learning.fit(device, train, table)?;
        fitted.check_finite(NAME)?;
        let calibrations = self.calibrations(&fitted, table)?;
        Ok(Trained { fitted, cleaning: self.cleaning, calibrations })
    }

    /// The members that are trained.
    pub fn members(&self) -> Vec<Member> {
        let nominal = Member { replica: Replica::Nominal, ..self.member.clone() };
        if self.replicas == 0 {
            return vec![nominal];
        }
        let replica = |number| {
            let seed = member_seed(self.member.seed, number, 0);
            Member { seed, replica: Replica::Bootstrap, ..nominal.clone() }
        };
        (0..self.replicas).map(replica).collect()
    }

    /// How each member's ratios become weights.
    fn calibrations(&self, fitted: &Fitted, table: &Table<Host>) -> Result<Vec<Calibration>> {
        let nominal = Member { replica: Replica::Nominal, ..self.member.clone() };
        let first_label = nominal.labels as usize * table.events();
        let own: Vec<f64> = (0..table.events() as u32).map(|event| nominal.weight_of(table, event)).collect();
        let is_second = |event: usize| table.labels[first_label + event] > 0.5;
        let wanted = (0..own.len()).filter(|event| is_second(*event)).map(|event| own[event]).sum();
        let first: Vec<usize> = (0..own.len()).filter(|event| own[*event] > 0.0 && !is_second(*event)).collect();
        let weights: Vec<f64> = first.iter().map(|event| own[*event]).collect();
        let logits = fitted.scores(table, ScoreTransform::Outputs)?;
        let mut problems = Problems::default();
        let mut calibrations = Vec::new();
        for (number, logits) in logits.chunks_exact(table.events()).enumerate() {
            let ratios: Vec<f64> = first.iter().map(|event| det::exp(f64::from(logits[*event]))).collect();
            let found = Calibration::of(&ratios, &weights, wanted, self.cleaning);
            let name = format!("replica {number}");
            calibrations.extend(problems.take(found.map_err(|error| error.about(&name))));
        }
        problems.finish()?;
        Ok(calibrations)
    }
}

impl Trained {
    /// How each replica's ratios become weights, and how many were cleaned.
    pub fn calibrations(&self) -> &[Calibration] {
        &self.calibrations
    }

    /// The weights of events with label 0, or of any that are to be multiplied likewise; labels and weights of the
    /// table are not looked at.
    ///
    /// # Errors
    /// Those of [`score`](super::score::score); weights that single precision does not hold.
    pub fn weights(&self, table: &Table<Host>) -> Result<Weights> {
        let mut of = self.fitted.scores(table, ScoreTransform::Outputs)?;
        let events = table.events();
        for (weights, calibration) in of.chunks_exact_mut(events).zip(&self.calibrations) {
            for weight in weights {
                *weight = calibration.weight(self.cleaning, det::exp(f64::from(*weight))) as f32;
            }
        }
        if let Some(place) = of.iter().position(|weight| !weight.is_finite()) {
            let problem =
                format!("the weight of event {} in replica {} is {}", place % events, place / events, of[place]);
            let fault = Fault::new(NAME, problem).because("no sum with it would be finite");
            return Err(fault
                .suggest("Drop or cap large ratios, or leave out events unlike those learned from.")
                .data());
        }
        Ok(Weights::new(events, of))
    }
}
