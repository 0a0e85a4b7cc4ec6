//! The work of `trawl bench models/*`: training and scoring of networks of 6 inputs, three layers of 64 and one logit.

use std::time::Instant;

use serde::Serialize;

use crate::device::{Device, Host};
use crate::error::{Fault, Result};
use crate::math::philox::{Philox, Stage};
use crate::models::metrics::{Roc, Scored};
use crate::models::network::{Activation, Dense, Initialisation, Network};
use crate::models::population::{Member, Population, Replica};
use crate::models::score::score;
use crate::models::table::Table;
use crate::models::train::{Input, Loss, Precision, Train};

const NAME: &str = "bench";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkCase {
    /// Two epochs of one classifier, with dropout of 5 %.
    Classifier {
        /// The rows of a batch.
        batch: u32,
        /// What products are made of.
        precision: Precision,
    },
    /// An epoch of fifty classifiers, each of four fifths of the events.
    Population,
    /// The scores of one network.
    Inference,
}

impl NetworkCase {
    /// Every case with its name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("models/classifier-512", Self::Classifier { batch: 512, precision: Precision::Single }),
        ("models/classifier-128", Self::Classifier { batch: 128, precision: Precision::Single }),
        ("models/classifier-bf16", Self::Classifier { batch: 512, precision: Precision::Bfloat16 }),
        ("models/population-50", Self::Population),
        ("models/inference", Self::Inference),
    ];
}

/// How long a case took, and what came out.
#[derive(Debug, Clone, Serialize)]
pub struct MeasuredNetworks {
    /// The name of the case.
    pub case: &'static str,
    /// The device, in words.
    pub device: String,
    /// The number of events.
    pub events: u32,
    /// The number of members.
    pub members: u32,
    /// Wall seconds of an epoch of all members, or of all scores, for each run after one that is not counted.
    pub seconds: Vec<f64>,
    /// The mean loss of the last epoch of training, of all members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// What is lost beside single precision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<AucDifference>,
    /// The mean of the scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The mean of their squares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub square: Option<f64>,
}

/// Areas under the ROC curve of the same networks, trained in bfloat16 and in single precision; half as many other events are scored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AucDifference {
    /// The mean in single precision.
    pub single: f64,
    /// The mean in bfloat16, less that in single precision.
    pub difference: f64,
    /// The standard deviation of the difference over 50 bootstrap replicas of the events, of which both score the same.
    pub standard_error: f64,
}

/// Runs a case `runs` times, and once before.
///
/// # Errors
/// No runs, fewer events than folds; what the device answers.
pub fn benchmark_networks(case: NetworkCase, device: &Device, events: u32, runs: u32) -> Result<MeasuredNetworks> {
    if runs == 0 || events < 10 {
        let fault = Fault::new(NAME, format!("{runs} runs of {events} events")).because("nothing would be measured");
        return Err(fault.suggest("Use 1 or more runs of 10 or more events.").usage());
    }
    let mut measured = MeasuredNetworks {
        case: NetworkCase::ALL.iter().find(|(_, this)| *this == case).map_or("", |(name, _)| *name),
        // Scores are the CPU's.
        device: if case == NetworkCase::Inference { Device::Cpu.to_string() } else { device.to_string() },
        events,
        members: if case == NetworkCase::Population { 50 } else { 1 },
        seconds: Vec::new(),
        loss: None,
        auc: None,
        mean: None,
        square: None,
    };
    match case {
        NetworkCase::Inference => measured.infer(events, runs)?,
        NetworkCase::Classifier { batch, precision } => {
            let train = Train { batch, precision, epochs: 2, ..training()? };
            measured.train(device, events, runs, &train)?;
            if precision == Precision::Bfloat16 {
                measured.auc = Some(compare(device, events, runs, &train)?);
            }
        }
        NetworkCase::Population => measured.train(device, events, runs, &Train { epochs: 1, ..training()? })?,
    }
    Ok(measured)
}

impl MeasuredNetworks {
    fn train(&mut self, device: &Device, events: u32, runs: u32, train: &Train) -> Result<()> {
        let table = learnable(1, events)?;
        for run in 0..=runs {
            let member = |number: u32| Member {
                held_out: (self.members > 1).then_some(number % 5),
                ..Member::new(u64::from(run * self.members + number))
            };
            let train = Train { members: (0..self.members).map(member).collect(), ..train.clone() };
            let population = Population::untrained(&train.network, &train.members, Initialisation::He);
            let input = Input { table: table.clone(), population };
            let start = Instant::now();
            let trained = device.run(&train, input)?.population;
            let seconds = start.elapsed().as_secs_f64() / f64::from(train.epochs);
            if run > 0 {
                self.seconds.push(seconds);
            }
            let last = trained.progress.iter().filter_map(|progress| progress.epochs.last());
            self.loss = Some(last.map(|epoch| epoch.training).sum::<f64>() / f64::from(self.members));
        }
        Ok(())
    }

    fn infer(&mut self, events: u32, runs: u32) -> Result<()> {
        let (network, population, table) = by_formula(events)?;
        for run in 0..=runs {
            let start = Instant::now();
            let scores = score(&network, &[Member::new(0)], &population, &table)?;
            if run > 0 {
                self.seconds.push(start.elapsed().as_secs_f64());
            }
            let mean =
                |of: fn(f64) -> f64| scores.iter().map(|score| of(f64::from(*score))).sum::<f64>() / f64::from(events);
            (self.mean, self.square) = (Some(mean(|score| score)), Some(mean(|score| score * score)));
        }
        Ok(())
    }
}

/// A training of no members yet.
fn training() -> Result<Train> {
    let network = Network::dense(6, &[64, 64, 64], 1, Activation::Relu, 0.05)?;
    Ok(Train::new(network, Vec::new(), Loss::BinaryCrossEntropy))
}

/// As many networks as runs in both precisions, each of a seed, batches and dropout of its own.
fn compare(device: &Device, events: u32, runs: u32, train: &Train) -> Result<AucDifference> {
    let (table, others) = (learnable(1, events)?, learnable(2, events / 2)?);
    let members: Vec<Member> = (1..=u64::from(runs)).map(Member::new).collect();
    let [single, rounded] = [Precision::Single, Precision::Bfloat16].map(|precision| -> Result<Vec<f32>> {
        let train = Train { members: members.clone(), precision, ..train.clone() };
        let population = Population::untrained(&train.network, &train.members, Initialisation::He);
        let trained = device.run(&train, Input { table: table.clone(), population })?.population;
        score(&train.network, &train.members, &trained, &others)
    });
    let (single, rounded) = (single?, rounded?);
    let is_signal: Vec<bool> = others.labels.iter().map(|label| *label > 0.5).collect();
    let mean = |scores: &[f32], weights: Option<&[f32]>| -> Result<f64> {
        let mut sum = 0.0;
        for scores in scores.chunks(is_signal.len()) {
            sum += Roc::of(&Scored { scores, is_signal: &is_signal, weights })?.auc().value;
        }
        Ok(sum / f64::from(runs))
    };
    let mut replicas = Vec::new();
    for replica in 0..50 {
        let member = Member { replica: Replica::Bootstrap, ..Member::new(replica) };
        let weights: Vec<f32> = (0..is_signal.len() as u32).map(|event| member.count(event) as f32).collect();
        replicas.push(mean(&rounded, Some(&weights))? - mean(&single, Some(&weights))?);
    }
    let centre = replicas.iter().sum::<f64>() / replicas.len() as f64;
    let squares: f64 = replicas.iter().map(|difference| (difference - centre).powi(2)).sum();
    let of_single = mean(&single, None)?;
    let difference = mean(&rounded, None)? - of_single;
    Ok(AucDifference { single: of_single, difference, standard_error: (squares / (replicas.len() - 1) as f64).sqrt() })
}

/// Six normal numbers, and a label whose probability is a function of three of them.
fn learnable(seed: u64, events: u32) -> Result<Table<Host>> {
    let random = Philox::new(seed, Stage::Generate);
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for event in 0..u64::from(events) {
        let first = features.len();
        for pair in 0..3 {
            // Box and Muller.
            let [u, v] = random.uniforms(event, pair);
            let (size, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * v);
            features.extend([(size * angle.cos()) as f32, (size * angle.sin()) as f32]);
        }
        let [x, y, z] = [0, 1, 2].map(|at| f64::from(features[first + at]));
        let probability = 1.0 / (1.0 + (-(x * y + z.sin())).exp());
        labels.push(f32::from(random.uniforms(event, 3)[0] < probability));
    }
    let folds = (0..events).map(|event| event % 5).collect();
    Ok(Table { labels: labels.into(), folds, ..Table::of_features(6, features)? })
}

/// Weights and inputs as `scripts/peers/models.py` has them.
fn by_formula(events: u32) -> Result<(Network, Population<Host>, Table<Host>)> {
    let mut layers = vec![Dense::new(6, 64, Activation::Relu)];
    layers.extend([Dense::new(64, 64, Activation::Relu); 2]);
    layers.push(Dense::new(64, 1, Activation::Sigmoid));
    let network = Network::new(layers)?;
    let number: u64 = network.layers().iter().map(|layer| u64::from((layer.inputs + 1) * layer.outputs)).sum();
    let weight = |k: u64| ((k * k * 48_271 + 11) % 2003) as f32 - 1001.0;
    let bare: Vec<f32> = (0..number).map(|k| weight(k) * (0.375 / 1024.0)).collect();
    let population = Population::from_parameters(network.padded(&bare)?, 1);
    let input = |at: u64| (((at / 6 * 7919 + at % 6 * 104_729 + 13) % 2003) as f32 - 1001.0) / 512.0;
    let table = Table::of_features(6, (0..6 * u64::from(events)).map(input).collect())?;
    Ok((network, population, table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_formula_are_those_of_the_peers() {
        // NumPy 2.4.6 in double precision: the first three scores and the mean of 2,003.
        let measured = benchmark_networks(NetworkCase::Inference, &Device::Cpu, 2003, 1).unwrap();
        assert!((measured.mean.unwrap() / 0.307_499_606_887_33 - 1.0).abs() < 1e-6, "{measured:?}");
        assert!((measured.square.unwrap() / 0.105_474_526_502_21 - 1.0).abs() < 1e-6, "{measured:?}");
        let (network, population, table) = by_formula(3).unwrap();
        let scores = score(&network, &[Member::new(0)], &population, &table).unwrap();
        for (score, expected) in scores.iter().zip([0.267_338_1, 0.180_844_05, 0.191_818_22]) {
            assert!((f64::from(*score) - expected).abs() < 1e-6, "{score} {expected}");
        }
    }

    #[test]
    fn two_epochs_learn_as_much_as_can_be() {
        for precision in [Precision::Single, Precision::Bfloat16] {
            let case = NetworkCase::Classifier { batch: 512, precision };
            let measured = benchmark_networks(case, &Device::Cpu, 20_000, 1).unwrap();
            // ln 2 is nothing; the probabilities themselves have 0.584.
            assert!((0.58..0.66).contains(&measured.loss.unwrap()), "{measured:?}");
            // Two epochs of few events: 0.75, and differences of some thousandths.
            let auc = measured.auc.filter(|auc| auc.single > 0.65 && auc.difference.abs() < 0.01);
            assert_eq!(auc.is_some(), precision == Precision::Bfloat16, "{measured:?}");
        }
        assert!(benchmark_networks(NetworkCase::Population, &Device::Cpu, 9, 1).is_err());
    }
}
