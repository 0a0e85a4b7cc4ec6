//! Many networks of one shape that are trained together, and how far each has come.

use serde::{Deserialize, Serialize};

use crate::device::{Cuda, Download, Host, OnDevice, Place, Upload};
use crate::error::Result;
use crate::math::philox::{Philox, Stage};

use super::network::{Initialisation, Network};
use super::table::Table;

/// Which events a member learns from and how, as functions of the columns of the [`Table`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Of first weights, shuffles, dropout, validation and the bootstrap.
    pub seed: u64,
    /// Which features go in, by number; all in their order if there are none.
    pub features: Vec<u32>,
    /// The column of labels.
    pub labels: u32,
    /// The column of weights; all are 1 if there is none.
    pub weights: Option<u32>,
    /// The fold whose events it never sees.
    pub held_out: Option<u32>,
    /// The group whose events it sees alone.
    pub group: Option<u32>,
    /// Whether events count as often as in a replica.
    pub replica: Replica,
    /// Where every output is to be, of members with a fixed target
    /// ([`Loss::FixedTarget`](super::train::Loss::FixedTarget)); of no use to others. Documents without it mean 0.
    #[serde(default)]
    pub target: f32,
}

/// How often an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replica {
    /// Once.
    #[default]
    Nominal,
    /// A Poisson number of mean 1, of the seed and the event: a bootstrap replica.
    Bootstrap,
}

impl Member {
    /// A member that learns from all events, with the first column of labels and the target 0.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            features: Vec::new(),
            labels: 0,
            weights: None,
            held_out: None,
            group: None,
            replica: Replica::Nominal,
            target: 0.0,
        }
    }

    /// The features of an event that go in.
    #[inline]
    pub(crate) fn gather(&self, table: &Table<Host>, event: u32, to: &mut Vec<f32>) {
        let width = table.width as usize;
        let row = &table.features[event as usize * width..(event as usize + 1) * width];
        if self.features.is_empty() {
            // By fours: copies of a length that is not known are calls, 4 % of a training.
            let (fours, rest) = row.as_chunks::<4>();
            fours.iter().for_each(|four| to.extend_from_slice(four));
            rest.iter().for_each(|x| to.push(*x));
        } else {
            to.extend(self.features.iter().map(|feature| row[*feature as usize]));
        }
    }

    /// How many features go in.
    pub fn inputs<P: Place>(&self, table: &Table<P>) -> u32 {
        if self.features.is_empty() { table.width } else { self.features.len() as u32 }
    }

    /// How much an event counts before weights are scaled: 0 where it is of the fold that is held out, or not of the group.
    ///
    /// The table must be one that the member can be trained with.
    pub(crate) fn weight_of(&self, table: &Table<Host>, event: u32) -> f64 {
        let at = event as usize;
        let is_held_out = self.held_out.is_some_and(|fold| table.folds[at] == fold);
        let is_in_group = self.group.is_none_or(|group| table.groups[at] >> group & 1 == 1);
        if is_held_out || !is_in_group {
            return 0.0;
        }
        let column = |column: u32| f64::from(table.weights[column as usize * table.events() + at]);
        self.weights.map_or(1.0, column) * f64::from(self.count(event))
    }

    /// How often an event counts.
    pub(crate) fn count(&self, event: u32) -> u32 {
        match self.replica {
            Replica::Nominal => 1,
            Replica::Bootstrap => {
                poisson_of_one(Philox::new(self.seed, Stage::Bootstrap).words(u64::from(event), 0)[0])
            }
        }
    }

    /// Whether an event is for validation, where a share of `share_of_2_32 / 2^32` is.
    pub(crate) fn validates(&self, event: u32, share_of_2_32: u64) -> bool {
        share_of_2_32 > 0
            && u64::from(Philox::new(self.seed, Stage::Validation).words(u64::from(event), 0)[0]) < share_of_2_32
    }
}

/// A Poisson number of mean 1 from 32 bits: the sum of `exp(-1) / k!` to 0, 1, ... in 2^-32, rounded.
fn poisson_of_one(word: u32) -> u32 {
    const THRESHOLDS: [u32; 12] = [
        1_580_030_169,
        3_160_060_337,
        3_950_075_422,
        4_213_413_783,
        4_279_248_374,
        4_292_415_292,
        4_294_609_778,
        4_294_923_276,
        4_294_962_463,
        4_294_966_817,
        4_294_967_253,
        4_294_967_292,
    ];
    THRESHOLDS.iter().filter(|threshold| word >= **threshold).count() as u32
}

/// Why a member is not trained any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// It is.
    #[default]
    Running,
    /// All epochs were made.
    Finished,
    /// The loss of validation had not fallen for as many epochs as patience allows.
    Patience,
    /// The loss, the gradient or a parameter was not finite or too large to go on with; the parameters are those of the best epoch
    /// before, or the first.
    NotFinite {
        /// The epoch, from 0.
        epoch: u32,
        /// The batch in the epoch, from 0; where the loss of validation or a parameter is not finite, the last.
        batch: u32,
    },
}

/// An epoch of a member.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of its batches, before their steps, with dropout.
    pub training: f64,
    /// The mean loss of the validation events after it; not there without validation.
    pub validation: Option<f64>,
    /// The learning rate of its last step.
    pub rate: f32,
    /// The norm of the gradient of its last batch, before it is shortened; that batch may have few rows.
    pub gradient_norm: f64,
}

/// How far a member has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The epochs so far.
    pub epochs: Vec<Epoch>,
    /// The steps so far.
    pub steps: u64,
    /// The epoch of the best parameters, and its loss: the least of validation, or without one the last of training.
    pub best: Option<(u32, f64)>,
    /// Why it is not trained any further.
    pub stop: Stop,
}

impl Progress {
    /// Lets a member that made all epochs go on where there are more to be made now.
    pub(crate) fn go_on(&mut self, epochs: u32) {
        if self.stop == Stop::Finished && (self.epochs.len() as u32) < epochs {
            self.stop = Stop::Running;
        }
    }
}

/// The parameters of all members, member after member, each padded as [`Network::parameters`] says.
#[derive(Debug, Clone)]
pub struct Population<P: Place> {
    /// Parameters after the last step.
    pub parameters: P::Column<f32>,
    /// Means of gradients.
    pub mean: P::Column<f32>,
    /// Means of their squares.
    pub square: P::Column<f32>,
    /// Parameters of the best epoch so far.
    pub best: P::Column<f32>,
    /// How far each member has come.
    pub progress: Vec<Progress>,
}

impl Population<Host> {
    /// Untrained members.
    pub fn untrained(network: &Network, members: &[Member], initialisation: Initialisation) -> Self {
        let first = |member: &Member| network.first_parameters(member.seed, initialisation);
        Self::from_parameters(members.iter().flat_map(first).collect(), members.len())
    }

    /// Members whose training begins at these parameters, which are padded.
    pub fn from_parameters(parameters: Vec<f32>, members: usize) -> Self {
        let zeros = || vec![0.0; parameters.len()].into();
        Self {
            mean: zeros(),
            square: zeros(),
            best: parameters.clone().into(),
            parameters: parameters.into(),
            progress: vec![Progress::default(); members],
        }
    }
}

impl Upload for Population<Host> {
    type There = Population<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Population<OnDevice>> {
        Ok(Population {
            parameters: cuda.upload(&self.parameters)?,
            mean: cuda.upload(&self.mean)?,
            square: cuda.upload(&self.square)?,
            best: cuda.upload(&self.best)?,
            progress: self.progress.clone(),
        })
    }
}

impl Download for Population<OnDevice> {
    type Here = Population<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Population<Host>> {
        Ok(Population {
            parameters: cuda.download(&self.parameters)?,
            mean: cuda.download(&self.mean)?,
            square: cuda.download(&self.square)?,
            best: cuda.download(&self.best)?,
            progress: self.progress.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_know_no_targets_mean_0() {
        let member = Member { held_out: Some(3), target: 2.5, ..Member::new(7) };
        let mut document = serde_json::to_value(&member).unwrap();
        assert_eq!(serde_json::from_value::<Member>(document.clone()).unwrap(), member);
        document.as_object_mut().unwrap().remove("target");
        assert_eq!(serde_json::from_value::<Member>(document).unwrap(), Member { target: 0.0, ..member });
    }

    #[test]
    fn replicas_count_as_poisson_numbers() {
        let mut sum = 0.0;
        let (mut expected, mut factorial) = (Vec::new(), 1.0);
        for k in 0..12 {
            factorial *= f64::from(k.max(1));
            sum += (-1.0_f64).exp() / factorial;
            expected.push((sum * 2.0_f64.powi(32)).round());
        }
        for (k, expected) in (0..).zip(expected) {
            // The threshold is the first word that gives more.
            assert_eq!(poisson_of_one(expected as u32), k + 1, "{k} {expected}");
            assert_eq!(poisson_of_one(expected as u32 - 1), k, "{k} {expected}");
        }
        let member = Member { replica: Replica::Bootstrap, ..Member::new(4) };
        let mean = (0..20_000).map(|event| member.count(event)).sum::<u32>() as f64 / 2e4;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
    }
}
