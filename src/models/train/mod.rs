//! `models.train`: populations of dense networks, forward and backward, until each has learned enough.
//!
//! **What.** Every member of a population has the same [`Network`] and learns from the same [`Table`], each with its own seed, fold,
//! group, labels and weights ([`Member`]). An epoch of a member goes over its training events once, in batches:
//!
//! ```text
//! L = 1/n sum_rows w_i l(z_i),    gradient g = dL/dp,    one step of Adam
//! ```
//!
//! with one of the [`Loss`]es l of the outputs z. Weights are scaled so that their mean over the training events is 1, and where
//! [`ClassWeights::Balanced`] is asked for, both classes count for one half. Training events of a member are those of its group that
//! are not in the fold that it holds out, without those that are drawn for validation and those with weight 0.
//! After an epoch the loss of the validation events is computed without dropout, `sum w l / sum w`. Training ends after so
//! many epochs, or when that loss has not fallen by more than `least_improvement` for `patience` epochs; the parameters of its least
//! are kept, and without validation the last.
//!
//! **Randomness** is a function of the member's seed: first weights of (layer, input, output), the order of events of (epoch, place)
//! by [`Permutation`](crate::math::permutation::Permutation), dropout of (epoch, sample, output), validation and bootstrap of the
//! event. So members do not depend on each other, and a population can be stopped after any epoch and go on.
//!
//! **Numbers.** On the CPU everything is single precision with fused multiply-adds, but for losses and norms, which are double.
//! Sums go over inputs and rows in their order; a batch is four quarters of whole pairs of rows, whose sums are added as `(q0 + q1) + (q2 + q3)`. Weights
//! are therefore the same bits for any number of threads, any order of members and any of plain code, AVX2 and AVX-512.
//!
//! **In bfloat16** ([`Precision::Bfloat16`], never unasked) what goes into a product is rounded to 8 significant bits, to nearest with ties
//! to even: inputs, weights (anew for each step, from parameters in single precision), what comes out of a layer, after its activation
//! and dropout, and the derivatives by a layer's sums. Products are then exact, and summed in single precision: on the CPU even and odd terms
//! of blocks of 32 by themselves, and each block's sum added to the bias or to what is there, as the tiles of AMX do it (`math::tiles`, which
//! gives the same bits where there are none; subnormal numbers are 0).
//! Derivatives of activations are taken at rounded ones; biases' are sums of rounded slopes. What comes out of the last layer is not
//! rounded, its slopes are; reconstructions are compared with the rounded inputs. Validation goes forward in the same way,
//! [`models.score`](super::score) in single precision. On the CPU weights are again the same bits everywhere; on CUDA, where sums are those
//! of tensor cores, gradients of a step agree to 1e-4 of their norm (6e-6 under emulation). The losses of a classifier of 20 and 12 units
//! after 20 epochs, 0.11 to 0.16, are those of single precision within 1.4 %; areas under ROC curves of 0.7457 (`models/classifier-bf16`)
//! within 3e-5, with a standard deviation of 4e-5 by a paired bootstrap.
//!
//! **Cost.** 6 operations for each weight and sample. Three layers of 64 in batches of 512 take 0.42 microseconds a sample on one thread with
//! AVX-512, of which half is multiply-adds near the peak of the core, and 0.36 in bfloat16 with AMX, where making pairs and waiting for tiles
//! that were just written take the most. Memory: the table, and for each member four times its parameters and the
//! buffers of the threads, of which each has four quarters.
//!
//! **On CUDA** a block has a quarter of a member's batch: it takes tiles of 32 rows (fewer where layers are wide) through all layers and
//! back in shared memory, 54 kB for three layers of 64, and adds up the quarter's gradient in device memory. A launch makes the batches of
//! all members, one their gradients, one their steps. What decides which events a member sees is computed there, so that
//! nothing but losses crosses the bus, once an epoch. Networks of which four rows do not fit 99 kB are
//! refused. Under emulation the weights are those of the CPU, to the bit.
//!
//! In bfloat16 the block rounds its member's weights into shared memory and takes tiles of 64 rows (32 or 16 where layers are wide) through
//! with ldmatrix and mma.sync: 75 kB for three layers of 64. Networks of which all weights and 16 rows do not fit 98 kB are refused:
//! three layers of 112 fit, three of 128 do not.
//!
//! The floor of 300 members with three layers of 64 and batches of 512 on an H100 (6.7e13 `f32` operations a second, 3.35 TB/s): a step
//! is 300 x 512 x 51,840 = 8.0e9 operations, 0.12 ms. Parameters, two means and four gradients are read and written, 300 x 9,288 x 4 B
//! x 14 = 156 MB, 0.05 ms if nothing stays in the second cache; gradients are read and written once more for each tile, 45 MB
//! at a time, of which a second cache of 50 MB holds the most. Features are 3.7 MB. An epoch of 160,000 events a member is
//! then 313 steps, 37 ms. A thread has 16 sums for 8 loads of 128 bits from shared memory or the first cache, so that these, not multiply-adds,
//! bound the kernel to about half of that floor. The kernels are checked by emulation and SASS, not yet run on a GPU.
//!
//! **Source.** The networks of Metodiev, Nachman and Thaler, JHEP 10 (2017) 174 (weak supervision); Kingma and Ba, ICLR 2015 (Adam);
//! Srivastava et al., JMLR 15 (2014) 1929 (dropout).
//!
//! ```
//! use trawl::models::network::{Activation, Initialisation, Network};
//! use trawl::models::population::{Member, Population};
//! use trawl::models::table::Table;
//! use trawl::models::train::{Adam, Input, Loss, Train};
//! use trawl::device::Operation;
//! // A step at x = 0.
//! let x: Vec<f32> = (0..400).map(|event| event as f32 / 200.0 - 1.0).collect();
//! let labels: Vec<f32> = x.iter().map(|x| if *x > 0.0 { 1.0 } else { 0.0 }).collect();
//! let table = Table { labels: labels.into(), ..Table::of_features(1, x)? };
//! let network = Network::dense(1, &[8], 1, Activation::Relu, 0.0)?;
//! let members: Vec<Member> = (1..=3).map(Member::new).collect();
//! let optimiser = Adam { rate: 0.02, ..Adam::default() };
//! let train = Train { epochs: 30, batch: 32, optimiser, ..Train::new(network, members, Loss::BinaryCrossEntropy) };
//! let population = Population::untrained(&train.network, &train.members, Initialisation::He);
//! let trained = train.cpu(Input { table, population })?.population;
//! let last = |member: usize| trained.progress[member].epochs.last().map(|epoch| epoch.training);
//! assert!((0..3).all(|member| last(member).is_some_and(|loss| loss < 0.3)));
//! # Ok::<(), trawl::Error>(())
//! ```

mod check;
mod cpu;
mod cuda;
mod layout;
mod loss;
mod math;
mod multiply;
mod optimiser;
pub(super) mod pass;
mod rounded;
mod sampling;
#[cfg(test)]
mod tests;
mod turned;

use serde::{Deserialize, Serialize};

pub use loss::Loss;
pub use optimiser::{Adam, Schedule};

use super::network::Network;
use super::population::{Member, Population};
use super::table::Table;
use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::Result;

const NAME: &str = "models.train";

/// How much both classes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// As the weights say.
    #[default]
    Given,
    /// One half each.
    Balanced,
}

/// What products are made of. Parameters, biases, the optimiser and losses are in single precision or better in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    #[default]
    Single,
    /// Numbers of 8 significant bits, multiplied exactly and summed in single precision: what tensor cores do.
    Bfloat16,
}

/// When a member is not trained any further.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// So many epochs without a fall end it, as in Keras: with 1 the first that does not fall, with 0 too.
    pub patience: u32,
    /// A loss that falls by no more than this does not count as falling.
    pub least_improvement: f64,
}

/// How a population is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// The shape of all members.
    pub network: Network,
    /// What they learn from.
    pub members: Vec<Member>,
    /// What training makes small.
    pub loss: Loss,
    /// How parameters follow their gradient.
    pub optimiser: Adam,
    /// The rows of a batch; the last of an epoch may have fewer.
    pub batch: u32,
    /// The most epochs in all, those that were made before among them.
    pub epochs: u32,
    /// Epochs after which to come back, if there are more to be made.
    pub pause_after: Option<u32>,
    /// The share of events that are for validation, from 0 to below 1, each by a draw of its own.
    pub validation_share: f64,
    /// When to stop before.
    pub early_stopping: Option<EarlyStopping>,
    /// How much both classes count.
    pub class_weights: ClassWeights,
    /// What products are made of.
    pub precision: Precision,
}

/// What goes in: the events, and the members so far.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The events.
    pub table: Table<P>,
    /// The members so far.
    pub population: Population<P>,
}

/// What comes out.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The members now.
    pub population: Population<P>,
}

impl Train {
    /// Training with Adam's usual constants in batches of 512, for 50 epochs, without validation.
    pub fn new(network: Network, members: Vec<Member>, loss: Loss) -> Self {
        Self {
            network,
            members,
            loss,
            optimiser: Adam::default(),
            batch: 512,
            epochs: 50,
            pause_after: None,
            validation_share: 0.0,
            early_stopping: None,
            class_weights: ClassWeights::Given,
            precision: Precision::Single,
        }
    }

    /// The share of validation in 2^-32.
    fn validation_of_2_32(&self) -> u64 {
        (self.validation_share * 4_294_967_296.0) as u64
    }
}

impl Operation for Train {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        check::shapes(self, input)
    }

    fn check_values(&self, input: &Input<Host>) -> Result<()> {
        check::values(self, input)
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        let table = &input.table;
        let floats = table.features.length() + table.labels.length() + table.weights.length();
        let words = table.present.length() + table.folds.length() + table.groups.length();
        // The members' parameters, means, squares and best ones, the gradients of four quarters, and a batch.
        let member = 8 * self.network.parameters() + self.batch as usize;
        let numbers = floats + words + member * self.members.len();
        Plan { fixed: Bytes(4 * numbers as u64), per_unit: Bytes(0), units: table.events() as u64 }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        self.check(&input)?;
        self.check_values(&input)?;
        cpu::train(self, &input.table, input.population, crate::math::floats::Width::widest())
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::train(self, cuda, input)
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input { table: self.table.upload(cuda)?, population: self.population.upload(cuda)? })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output { population: self.population.download(cuda)? })
    }
}
