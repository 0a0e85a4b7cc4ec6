//! Autoencoders: how badly an event is put together again from a few numbers.
//!
//! **What.** A network encodes the inputs x to `latent` numbers and decodes them to as many outputs z; what is unlike
//! the events that it learned from comes out wrong:
//!
//! ```text
//! loss = mean over events of s(x),     s(x) = 1/n sum over inputs that are present (z_i - x_i)^2,    n of them
//! ```
//!
//! Features that are not there ([`Table::present`]) enter neither the loss nor the score, so that an event is not
//! judged by how many objects it has; they go in as they are, so give them 0. The score is the mean of s over members,
//! which differ in their seeds.
//!
//! **Neglected.** Features count as they are: standardise them before
//! ([`features::standardise`](crate::features::standardise)), or those with the largest variance decide.
//!
//! **Cost.** 6 operations for each weight and event of an epoch, 2 for a score; w-128-64-8-64-128-w of w inputs has 256
//! w + 17,400 weights.
//!
//! **Source.** Heimel, Kasieczka, Plehn and Thompson, arXiv:1808.08979; Farina, Nakai and Shih, arXiv:1808.08992.
//!
//! ```
//! use trawl::device::Device;
//! use trawl::models::autoencoder::Autoencoder;
//! use trawl::models::learning::Learning;
//! use trawl::models::table::Table;
//! use trawl::models::train::Adam;
//! // Two features that are the same.
//! let table = Table::of_features(2, (0..400).map(|place| (place / 2 % 20) as f32 / 10.0 - 1.0).collect())?;
//! let optimiser = Adam { rate: 0.01, ..Adam::default() };
//! let learning = Learning { optimiser, batch: 20, ..Learning::default() };
//! let autoencoder = Autoencoder { encoder: vec![8], latent: 1, learning, ..Autoencoder::default() };
//! let trained = autoencoder.fit(&Device::Cpu, &table)?;
//! let scores = trained.score(&Table::of_features(2, vec![0.5, 0.5, 0.5, -0.5])?)?;
//! assert!(scores[1] > scores[0]);
//! # Ok::<(), trawl::Error>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::device::{Device, Host};
use crate::error::{Fault, Problems, Result};

use super::folds::member_seed;
use super::learning::{Fitted, Learning, Watch};
use super::network::{Activation, Network};
use super::population::Member;
use super::score::transform::ScoreTransform;
use super::table::Table;
use super::train::{Loss, Train};

const NAME: &str = "models.autoencoder";

/// Autoencoders of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autoencoder {
    /// The sizes of layers from the inputs to the latent numbers; those of the decoder are the same the other way.
    pub encoder: Vec<u32>,
    /// How many numbers an event is encoded to.
    pub latent: u32,
    /// What all layers but the last do to their sums.
    pub activation: Activation,
    /// How many networks are trained.
    pub ensemble: u32,
    /// How they learn.
    pub learning: Learning,
    /// What they learn from; their seeds follow from its.
    pub member: Member,
}

impl Default for Autoencoder {
    /// One network, 128-64-8-64-128 between inputs and outputs, leaky ReLU of slope 0.1, Adam with a rate of 0.001 and
    /// a patience of 10 epochs.
    fn default() -> Self {
        Self {
            encoder: vec![128, 64],
            latent: 8,
            activation: Activation::LeakyRelu { slope: 0.1 },
            ensemble: 1,
            learning: Learning::default(),
            member: Member::new(1),
        }
    }
}

/// Trained autoencoders.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The networks.
    pub fitted: Fitted,
}

impl Autoencoder {
    /// Trains all networks.
    ///
    /// # Errors
    /// All at once: no networks, as many latent numbers as inputs or more; those of [`Network::dense`]; networks that are
    /// [too large](Network::too_large); those of [`Train`]; members whose training broke off.
    pub fn fit(&self, device: &Device, table: &Table<Host>) -> Result<Trained> {
        trained(self.learning.fit(device, self.training(table)?, table)?)
    }

    /// The same, watched: see [`Learning::fit_watched`].
    ///
    /// # Errors
    /// Those of [`Autoencoder::fit`] and of `watch`.
    pub fn fit_watched(&self, device: &Device, table: &Table<Host>, watch: &mut Watch<'_>) -> Result<Trained> {
        trained(self.learning.fit_watched(device, self.training(table)?, table, watch)?)
    }

    fn training(&self, table: &Table<Host>) -> Result<Train> {
        table.check_lengths()?;
        let inputs = self.member.inputs(table);
        self.check(inputs)?;
        let network = self.network(inputs)?;
        network.check_size(NAME, u64::from(self.ensemble))?;
        let members = (0..self.ensemble)
            .map(|number| Member { seed: member_seed(self.member.seed, number, 0), ..self.member.clone() })
            .collect();
        Ok(self.learning.train(network, members, Loss::Reconstruction))
    }

    /// The network for so many inputs.
    ///
    /// # Errors
    /// Those of [`Network::dense`].
    pub fn network(&self, inputs: u32) -> Result<Network> {
        let decoder = self.encoder.iter().rev();
        let hidden: Vec<u32> = self.encoder.iter().chain([&self.latent]).chain(decoder).copied().collect();
        Network::dense(inputs, &hidden, inputs, self.activation, 0.0)
    }

    fn check(&self, inputs: u32) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        if self.ensemble == 0 {
            refuse("an ensemble of 0 networks".to_owned(), "nothing would be trained");
        }
        if self.latent >= inputs {
            let problem = format!("{inputs} inputs are encoded to {} numbers", self.latent);
            refuse(problem, "every event could be put together again");
        }
        problems.finish()
    }
}

fn trained(fitted: Fitted) -> Result<Trained> {
    fitted.check_finite(NAME)?;
    Ok(Trained { fitted })
}

impl Trained {
    /// The error of each event: the mean over networks of the mean square over the inputs that are present.
    ///
    /// # Errors
    /// Those of [`score`](super::score::score).
    pub fn score(&self, table: &Table<Host>) -> Result<Vec<f32>> {
        let scores = self.fitted.scores(table, ScoreTransform::ReconstructionError)?;
        let networks = self.fitted.train.members.len();
        let of_event =
            |event: usize| scores.iter().skip(event).step_by(table.events()).map(|s| f64::from(*s)).sum::<f64>();
        Ok((0..table.events()).map(|event| (of_event(event) / networks as f64) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::philox::{Philox, Stage};
    use crate::models::train::Adam;

    /// Points on a circle in the first two features, their product in the next; the last two are there in every other
    /// event, and twice the first two.
    fn circle(events: u64, radius: f64) -> Table<Host> {
        let random = Philox::new(3, Stage::Probe);
        let event = |unit| {
            let (y, x) = (std::f64::consts::TAU * random.uniforms(unit, 0)[0]).sin_cos();
            let (x, y, is_there) = (radius * x, radius * y, (unit % 2) as f64);
            [x, y, x * y, 2.0 * x * is_there, 2.0 * y * is_there].map(|x| x as f32)
        };
        let present = (0..events).map(|unit| if unit % 2 == 1 { 0b11111 } else { 0b00111 }).collect();
        Table { present, ..Table::of_features(5, (0..events).flat_map(event).collect()).unwrap() }
    }

    fn small() -> Autoencoder {
        let optimiser = Adam { rate: 0.01, ..Adam::default() };
        let learning = Learning { optimiser, batch: 50, epochs: 40, ..Learning::default() };
        Autoencoder { encoder: vec![24], latent: 2, ensemble: 2, learning, ..Autoencoder::default() }
    }

    fn mean(scores: impl Iterator<Item = f32>) -> f64 {
        let (sum, number) = scores.fold((0.0, 0.0), |(sum, number), score| (sum + f64::from(score), number + 1.0));
        sum / number
    }

    #[test]
    fn events_off_what_was_learned_have_larger_errors() {
        let table = circle(800, 1.0);
        let trained = small().fit(&Device::Cpu, &table).unwrap();
        let on = trained.score(&table).unwrap();
        // The product of both with the other sign is off the circle.
        let mut features = table.features.to_vec();
        (0..800).for_each(|event| features[5 * event + 2] *= -1.0);
        let off = trained.score(&Table { features: features.into(), ..table.clone() }).unwrap();
        let (on_mean, off_mean) = (mean(on.iter().copied()), mean(off.iter().copied()));
        println!("mean errors: {on_mean:.4} on the circle, {off_mean:.4} off it");
        assert!(off_mean > 5.0 * on_mean, "{on_mean} {off_mean}");
        // Events of three features are not judged by those that they lack, which are 0 and come out as anything.
        let short = mean(on.iter().copied().step_by(2));
        let long = mean(on.iter().copied().skip(1).step_by(2));
        println!("mean errors: {short:.4} of three features, {long:.4} of five");
        assert!(short < 5.0 * long && long < 5.0 * short);
    }

    #[test]
    fn features_that_are_absent_do_not_enter_the_score() {
        let table = circle(200, 1.0);
        let learning = Learning { epochs: 2, ..small().learning };
        let trained = Autoencoder { learning, ..small() }.fit(&Device::Cpu, &table).unwrap();
        let outputs = trained.fitted.scores(&table, ScoreTransform::Outputs).unwrap();
        for (event, score) in trained.score(&table).unwrap().into_iter().enumerate() {
            let there = if event % 2 == 1 { 5 } else { 3 };
            let square = |member: usize, at: usize| {
                let output = f64::from(outputs[(member * 200 + event) * 5 + at]);
                (output - f64::from(table.features[event * 5 + at])).powi(2)
            };
            let of = |member: usize| (0..there).map(|at| square(member, at)).sum::<f64>() / there as f64;
            let expected = (of(0) + of(1)) / 2.0;
            assert!((f64::from(score) - expected).abs() < 1e-6 * expected, "{event}: {score} {expected}");
        }
        // An event without any feature has no error.
        let nothing = Table { present: vec![0; 200].into(), ..table };
        assert!(trained.score(&nothing).unwrap().iter().all(|score| *score == 0.0));
    }

    #[test]
    fn what_is_no_autoencoder_is_named() {
        let table = circle(100, 1.0);
        let error = |autoencoder: Autoencoder| autoencoder.fit(&Device::Cpu, &table).unwrap_err().to_string();
        let text = error(Autoencoder { ensemble: 0, latent: 5, ..small() });
        for words in ["an ensemble of 0 networks", "5 inputs are encoded to 5 numbers"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let text = error(Autoencoder { encoder: vec![9000], ..small() });
        assert!(text.contains("layer 0 has 9000 outputs"), "{text}");
        let text = error(Autoencoder { encoder: vec![8192; 3], ensemble: 3, ..small() });
        assert!(text.contains("3 network(s) of ") && text.contains("at most 65536 and 8"), "{text}");
        let choice = Member { features: vec![0, 1, 3], ..Member::new(1) };
        let text = error(Autoencoder { member: choice, ..small() });
        assert!(text.contains("members choose features of which some are not present"), "{text}");
        let optimiser = Adam { rate: 900.0, ..Adam::default() };
        let learning = Learning { optimiser, ..small().learning };
        let text = error(Autoencoder { learning, encoder: vec![16; 4], ..small() });
        assert!(text.contains("the training of member 0 broke off"), "{text}");
    }
}
