//! Deep SVDD with fixed targets: how far from a constant a network sends an event that it learned to send there.
//!
//! **What.** A network O of d outputs learns to send every event to `(c, ..., c)`; what is unlike the events that it
//! learned from arrives elsewhere:
//!
//! ```text
//! loss   = mean over events of s(x),      s(x) = 1/d sum_j (O_j(x) - c)^2
//! score  = mean over healthy members m of (s_m(x) - mean of s_m) / (standard deviation of s_m)
//! ```
//!
//! where means and deviations are over the events that the member learned from, validation among them, by their
//! weights. One network is fragile (0.500 +- 0.007 is the AUC of one on the six features of the LHC Olympics), so that
//! there is a family: each constant c with each dimension d.
//!
//! **The guard.** The loss is least where the output is the constant whatever goes in, and such a network knows
//! nothing. Without biases it cannot say any constant but 0, which is why there are none by default. Each trained
//! network is compared with itself before:
//!
//! ```text
//! share = sum_j variance of O_j(x) / the same with first weights
//! ```
//!
//! and below [`LEAST_VARIANCE_SHARE`] it has collapsed. Collapsed members, and those whose training broke off, are told
//! of ([`Trained::members`]) and count for nothing; with fewer than [`DeepSvdd::least_healthy`] others there is no
//! score. With c = 0 the map to 0 can be reached without biases, and the loss is what is left of the variance: training
//! is therefore stopped early, when three epochs have not made the loss of validation 0.002 smaller. For c = 0 that is
//! twice what the guard asks for where untrained outputs vary by about 1, as those of standardised features do.
//!
//! **Measured** is the default, at its full size: 20,000 events (80 % of them for training) of 30 standardised features,
//! namely exponentials, ratios, whole numbers and plain sums of eight common causes and a noise each, of three processes
//! (60, 30 and 10 %); the seed of the family and of the events is 1. AUCs are of 5,000 events against 5,000 others like
//! those learned from: events of a fourth process ("shifted"), and events each of whose features is another event's, so
//! that only what depends on what has changed ("shuffled"). Least and largest of the ten dimensions:
//!
//! ```text
//!   c    healthy     epochs      share of variance    AUC alone: shifted    shuffled
//!   0    10 of 10     5 to 10    0.0022 to 0.0033      0.69 to 0.85         0.91 to 0.96
//!   1    10 of 10    13 to 15    0.0086 to 0.013       0.60 to 0.69         0.91 to 0.95
//!   2    10 of 10    17 to 28    0.018  to 0.034       0.59 to 0.66         0.92 to 0.94
//!   3    10 of 10    14 to 33    0.042  to 0.075       0.61 to 0.68         0.91 to 0.93
//!   4    10 of 10    21 to 34    0.057  to 0.088       0.60 to 0.65         0.90 to 0.94
//!  10    10 of 10    23 to 43    0.30   to 0.46        0.58 to 0.68         0.88 to 0.92
//!  25    10 of 10    37 to 50    1.7    to 2.8         0.59 to 0.66         0.89 to 0.91
//! all    70 of 70                the family's score:   0.723                0.982
//! ```
//!
//! What c = 0 keeps depends on the steps of an epoch, here 32. Of a million events (1,563 steps; 21 dimensions alone were
//! measured) one epoch leaves it a share of 0.00014, and it is excluded; c = 1, which is next, keeps 0.0031. A least
//! improvement of 0.0001 instead of 0.002 lets c = 0 collapse as well (0.0004 in 5 and 0.0005 in 377 dimensions) and c = 1
//! not. The guard is careful: what such a member does say still tells events apart (0.990 of shuffled ones).
//!
//! ```text
//! scripts/test --full-size
//! ```
//!
//! repeats all of this.
//!
//! **Neglected.** Dimensions differ in their networks, so that a family is a population for each of them, of one member for
//! each constant; on CUDA the table is uploaded for each. What patience compares is not scaled to the constant.
//!
//! **Cost.** 70 trainings of 512-256-128: 6 (512 w + 164,000 + 128 d) operations for each event of an epoch with w
//! features, 1.2 MFLOP; the measurement above took 460 s of one core. Scores hold the outputs of one member for 65,536 events
//! at a time.
//!
//! **Source.** Caron, Hendriks and Verheyen, arXiv:2106.10164: fixed targets, the constants and dimensions of the
//! family. Ruff et al., ICML 2018, propositions 1 to 3: what collapses. The score's normalisation, the layers and the
//! optimiser are recalled, not read there.
//!
//! ```
//! use trawl::device::Device;
//! use trawl::models::deep_svdd::DeepSvdd;
//! use trawl::models::learning::Learning;
//! use trawl::models::table::Table;
//! let x: Vec<f32> = (0..600).map(|place| ((place * place) % 601) as f32 / 300.0 - 1.0).collect();
//! let table = Table::of_features(3, x)?;
//! let learning = Learning { batch: 50, epochs: 5, ..DeepSvdd::default().learning };
//! let (targets, dimensions) = (vec![1.0, 2.0], vec![2, 3]);
//! let family = DeepSvdd { targets, dimensions, hidden: vec![8], learning, least_healthy: 4, ..DeepSvdd::default() };
//! let trained = family.fit(&Device::Cpu, &table)?;
//! assert_eq!(trained.members().len(), 4);
//! assert_eq!(trained.score(&table)?.len(), 200);
//! # Ok::<(), trawl::Error>(())
//! ```

mod health;
#[cfg(test)]
mod tests;

pub use health::Health;

use serde::{Deserialize, Serialize};

use crate::device::{Device, Host};
use crate::error::{Fault, Problems, Result};

use super::folds::member_seed;
use super::learning::{Fitted, Learning};
use super::network::{Activation, Bias, Dense, Network};
use super::population::Member;
use super::score::transform::ScoreTransform;
use super::table::Table;
use super::train::{EarlyStopping, Loss};

const NAME: &str = "models.deep-svdd";

/// The constants of arXiv:2106.10164.
pub const TARGETS: [f32; 7] = [0.0, 1.0, 2.0, 3.0, 4.0, 10.0, 25.0];

/// The dimensions of arXiv:2106.10164.
pub const DIMENSIONS: [u32; 10] = [5, 8, 13, 21, 34, 55, 89, 144, 233, 377];

/// A network whose outputs vary by a smaller share of what they did before its training has collapsed.
pub const LEAST_VARIANCE_SHARE: f64 = 1e-3;

/// A family of networks, one for each constant and dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeepSvdd {
    /// The constants c.
    pub targets: Vec<f32>,
    /// The numbers d of outputs.
    pub dimensions: Vec<u32>,
    /// The sizes of hidden layers.
    pub hidden: Vec<u32>,
    /// What hidden layers do to their sums.
    pub activation: Activation,
    /// Whether layers have biases; with them the constant map is the best there is.
    pub bias: Bias,
    /// How they learn.
    pub learning: Learning,
    /// What they learn from; their seeds follow from its, their targets are the constants.
    pub member: Member,
    /// The fewest members that a score is made of.
    pub least_healthy: u32,
}

impl Default for DeepSvdd {
    /// The 70 of the paper: 512-256-128 without biases, leaky ReLU of slope 0.1, Adam with a rate of 0.001 for 50
    /// epochs at most or until the loss of validation has not fallen by 0.002 for 3 epochs; at least 10 have to be
    /// healthy. How many are is in the [text of the module](self).
    fn default() -> Self {
        let early_stopping = Some(EarlyStopping { patience: 3, least_improvement: 2e-3 });
        Self {
            targets: TARGETS.to_vec(),
            dimensions: DIMENSIONS.to_vec(),
            hidden: vec![512, 256, 128],
            activation: Activation::LeakyRelu { slope: 0.1 },
            bias: Bias::Absent,
            learning: Learning { epochs: 50, early_stopping, ..Learning::default() },
            member: Member::new(1),
            least_healthy: 10,
        }
    }
}

/// A member of a trained family.
#[derive(Debug, Clone)]
pub struct FamilyMember {
    /// The constant c.
    pub target: f32,
    /// The number d of outputs.
    pub dimension: u32,
    /// Whether it takes part in the score.
    pub health: Health,
}

/// A trained family, of which enough members are healthy.
#[derive(Debug, Clone)]
pub struct Trained {
    populations: Vec<Fitted>,
    members: Vec<FamilyMember>,
}

impl DeepSvdd {
    /// Trains one population a dimension, dimension after dimension, and looks how healthy each member is.
    ///
    /// # Errors
    /// No constants or dimensions; a least number of healthy members that is 0 or more than there are; those of
    /// [`Network::new`] and of [`Train`](super::train::Train); fewer healthy members than there must be, of which each
    /// other is named.
    pub fn fit(&self, device: &Device, table: &Table<Host>) -> Result<Trained> {
        self.check()?;
        table.check_lengths()?;
        let mut trained = Trained { populations: Vec::new(), members: Vec::new() };
        for (number, dimension) in (0..).zip(&self.dimensions) {
            let fitted = self.population(device, table, number, *dimension)?;
            for (number, member) in fitted.train.members.iter().enumerate() {
                let health = Health::of(&fitted.alone(number), self.learning.initialisation, table)?;
                trained.members.push(FamilyMember { target: member.target, dimension: *dimension, health });
            }
            trained.populations.push(fitted);
        }
        trained.check(self.least_healthy)?;
        Ok(trained)
    }

    fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        let number = self.targets.len() * self.dimensions.len();
        if number == 0 {
            let problem = format!("{} constants and {} dimensions", self.targets.len(), self.dimensions.len());
            refuse(problem, "a family has a member for each of both");
        } else if self.least_healthy == 0 || self.least_healthy as usize > number {
            let problem = format!("{} healthy members of {number} are asked for", self.least_healthy);
            refuse(problem, "a score is made of one at least, and of no more than there are");
        }
        problems.finish()
    }

    /// The members of dimension number `number`, one for each constant.
    fn population(&self, device: &Device, table: &Table<Host>, number: u32, dimension: u32) -> Result<Fitted> {
        let network = self.network(self.member.inputs(table), dimension)?;
        let train = self.learning.train(network, self.members_of(number), Loss::FixedTarget);
        self.learning.fit(device, train, table)
    }

    /// Seeds are functions of the family's and of the member's number in it, dimension after dimension.
    fn members_of(&self, dimension: u32) -> Vec<Member> {
        let first = dimension * self.targets.len() as u32;
        let member = |(number, target): (u32, &f32)| Member {
            seed: member_seed(self.member.seed, number, 0),
            target: *target,
            ..self.member.clone()
        };
        (first..).zip(&self.targets).map(member).collect()
    }

    fn network(&self, inputs: u32, outputs: u32) -> Result<Network> {
        let network = Network::dense(inputs, &self.hidden, outputs, self.activation, 0.0)?;
        Network::new(network.layers().iter().map(|layer| Dense { bias: self.bias, ..*layer }).collect())
    }
}

impl Trained {
    /// The networks: a population for each dimension, whose members are in the order of the constants.
    pub fn populations(&self) -> &[Fitted] {
        &self.populations
    }

    /// All members, dimension after dimension; also those that take no part in the score.
    pub fn members(&self) -> &[FamilyMember] {
        &self.members
    }

    /// How many members the score is made of.
    pub fn healthy(&self) -> usize {
        self.members.iter().filter(|member| member.health.is_healthy()).count()
    }

    /// The score of each event: the mean over healthy members of their normalised distances.
    ///
    /// # Errors
    /// Those of [`score`](super::score::score).
    pub fn score(&self, table: &Table<Host>) -> Result<Vec<f32>> {
        let mut sums = vec![0.0_f64; table.events()];
        for (fitted, members) in self.by_dimension() {
            for (number, member) in members.iter().enumerate() {
                let Health::Healthy { mean, standard_deviation, .. } = member.health else { continue };
                // One at a time: the outputs of seven would be 0.7 GB in 377 dimensions.
                let distances = fitted.alone(number).scores(table, ScoreTransform::DistanceToTarget)?;
                for (sum, distance) in sums.iter_mut().zip(distances) {
                    *sum += (f64::from(distance) - mean) / standard_deviation;
                }
            }
        }
        let healthy = self.healthy() as f64;
        Ok(sums.into_iter().map(|sum| (sum / healthy) as f32).collect())
    }

    /// Each population with its members.
    fn by_dimension(&self) -> impl Iterator<Item = (&Fitted, &[FamilyMember])> {
        // Without constants there is no family.
        let constants = self.members.len() / self.populations.len().max(1);
        self.populations.iter().zip(self.members.chunks(constants.max(1)))
    }

    fn check(&self, least: u32) -> Result<()> {
        if self.healthy() >= least as usize {
            return Ok(());
        }
        let problem = format!("{} of {} members are healthy, expected {least}", self.healthy(), self.members.len());
        let others = self.members.iter().filter(|member| !member.health.is_healthy());
        let named: Vec<String> = others
            .map(|member| format!("c = {} in {} dimensions {}", member.target, member.dimension, member.health))
            .collect();
        let fault = Fault::new(NAME, problem).because(named.join(", "));
        Err(fault.suggest("Leave out biases and the constant 0, train for fewer epochs, or lower the rate.").data())
    }
}
