//! What the trainings of all models have in common: how members learn, and what came of it.

use serde::{Deserialize, Serialize};

use crate::device::{Device, Download, Host, Operation, Upload};
use crate::error::{Fault, Problems, Result};

use super::network::{Initialisation, Network};
use super::population::{Member, Population, Progress, Stop};
use super::score::score;
use super::score::transform::ScoreTransform;
use super::table::Table;
use super::train::{Adam, EarlyStopping, Input, Loss, Train};

/// Events whose outputs are held at a time.
const EVENTS_AT_A_TIME: usize = 1 << 16;

/// How members learn, whatever they learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// The range of first weights.
    pub initialisation: Initialisation,
    /// How parameters follow their gradient.
    pub optimiser: Adam,
    /// The rows of a batch.
    pub batch: u32,
    /// The most epochs.
    pub epochs: u32,
    /// The share of events that are for validation.
    pub validation_share: f64,
    /// When to stop before.
    pub early_stopping: Option<EarlyStopping>,
}

impl Default for Learning {
    /// Adam with a rate of 0.001 in batches of 512, for 100 epochs at most, or until the loss of 20 % of the events has
    /// not fallen for 10 epochs.
    fn default() -> Self {
        Self {
            initialisation: Initialisation::He,
            optimiser: Adam::default(),
            batch: 512,
            epochs: 100,
            validation_share: 0.2,
            early_stopping: Some(EarlyStopping { patience: 10, least_improvement: 0.0 }),
        }
    }
}

impl Learning {
    /// The training of these members.
    pub fn train(&self, network: Network, members: Vec<Member>, loss: Loss) -> Train {
        Train {
            optimiser: self.optimiser,
            batch: self.batch,
            epochs: self.epochs,
            validation_share: self.validation_share,
            early_stopping: self.early_stopping,
            ..Train::new(network, members, loss)
        }
    }

    /// Trains them from their first weights on.
    ///
    /// # Errors
    /// Those of [`Train`].
    pub fn fit(&self, device: &Device, train: Train, table: &Table<Host>) -> Result<Fitted> {
        let population = Population::untrained(&train.network, &train.members, self.initialisation);
        let population = device.run(&train, Input { table: table.clone(), population })?.population;
        Ok(Fitted { train, population })
    }

    /// The same weights, with a call of `watch` after each epoch of all members, which ends the training by an error.
    ///
    /// # Errors
    /// Those of [`Train`] and of `watch`.
    pub fn fit_watched(
        &self,
        device: &Device,
        train: Train,
        table: &Table<Host>,
        watch: &mut Watch<'_>,
    ) -> Result<Fitted> {
        let mut population = Population::untrained(&train.network, &train.members, self.initialisation);
        let paused = Train { pause_after: Some(1), ..train.clone() };
        let is_running = |all: &[Progress]| all.iter().any(|progress| progress.stop == Stop::Running);
        if let Device::Cuda(cuda) = device {
            let input = Input { table: table.clone(), population };
            paused.check(&input)?;
            paused.check_values(&input)?;
            cuda.memory().require(Train::NAME, paused.plan(&input).total())?;
            let Input { table, mut population } = input.upload(cuda)?;
            while is_running(&population.progress) {
                population = paused.cuda(cuda, Input { table: table.clone(), population })?.population;
                watch(&population.progress)?;
            }
            return Ok(Fitted { train, population: population.download(cuda)? });
        }
        while is_running(&population.progress) {
            population = device.run(&paused, Input { table: table.clone(), population })?.population;
            watch(&population.progress)?;
        }
        Ok(Fitted { train, population })
    }
}

/// Who is told how far members have come.
pub type Watch<'a> = dyn FnMut(&[Progress]) -> Result<()> + 'a;

/// Members that were trained.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// How.
    pub train: Train,
    /// What came of it.
    pub population: Population<Host>,
}

impl Fitted {
    /// The scores of all members, member after member and event after event, from outputs in double precision.
    ///
    /// Holds the outputs of 65,536 events at a time.
    ///
    /// # Errors
    /// Those of [`score`].
    pub fn scores(&self, table: &Table<Host>, transform: ScoreTransform) -> Result<Vec<f32>> {
        table.check_lengths()?;
        let (network, members) = (&self.train.network, &self.train.members);
        let mut of_members = vec![Vec::new(); members.len()];
        self.for_each_part(table, |part, outputs, _| {
            let own = outputs.chunks_exact(part.events() * network.outputs());
            for ((scores, member), outputs) in of_members.iter_mut().zip(members).zip(own) {
                scores.extend(transform.apply(network, member, part, outputs));
            }
        })?;
        Ok(of_members.concat())
    }

    /// Only the member of this number.
    pub(super) fn alone(&self, number: usize) -> Self {
        let places = self.train.network.parameters();
        let own = |column: &[f32]| column[number * places..(number + 1) * places].to_vec().into();
        let population = Population {
            parameters: own(&self.population.parameters),
            mean: own(&self.population.mean),
            square: own(&self.population.square),
            best: own(&self.population.best),
            progress: vec![self.population.progress[number].clone()],
        };
        Self { train: Train { members: vec![self.train.members[number].clone()], ..self.train.clone() }, population }
    }

    /// Calls with some events, the outputs of all members for them and the number of the first, part after part of the
    /// table.
    pub(super) fn for_each_part(
        &self,
        table: &Table<Host>,
        mut call: impl FnMut(&Table<Host>, &[f32], usize),
    ) -> Result<()> {
        let events = table.events();
        for first in (0..events).step_by(EVENTS_AT_A_TIME) {
            let part = table.part(first..(first + EVENTS_AT_A_TIME).min(events));
            let outputs = score(&self.train.network, &self.train.members, &self.population, &part)?;
            call(&part, &outputs, first);
        }
        Ok(())
    }

    /// Whether all members went on to their end.
    ///
    /// # Errors
    /// All that did not.
    pub(super) fn check_finite(&self, name: &'static str) -> Result<()> {
        let mut problems = Problems::default();
        for (number, progress) in self.population.progress.iter().enumerate() {
            if let Stop::NotFinite { epoch, batch } = progress.stop {
                let fault = Fault::new(name, format!("the training of member {number} broke off"));
                let why = format!("what it computed in batch {batch} of epoch {epoch} was not finite");
                let advice = "Standardise the features, or lower the learning rate.";
                problems.push(fault.because(why).suggest(advice).data());
            }
        }
        problems.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::network::Activation;

    #[test]
    fn scores_are_those_of_the_whole_table() {
        // More than fit one part; scored where they are not trained.
        let events = EVENTS_AT_A_TIME + 100;
        let features: Vec<f32> = (0..2 * events).map(|place| (place % 1009) as f32 / 1009.0).collect();
        let mut table = Table::of_features(2, features).unwrap();
        table.present = (0..events as u32).map(|event| event % 4).collect();
        let network = Network::dense(2, &[3], 2, Activation::Relu, 0.0).unwrap();
        let members = vec![Member::new(1), Member { features: vec![1, 0], ..Member::new(2) }];
        let train = Learning::default().train(network, members, Loss::Reconstruction);
        let population = Population::untrained(&train.network, &train.members, Initialisation::He);
        let outputs = score(&train.network, &train.members, &population, &table).unwrap();
        let transform = ScoreTransform::ReconstructionError;
        let of = |number: usize| {
            let own = &outputs[2 * events * number..2 * events * (number + 1)];
            transform.apply(&train.network, &train.members[number], &table, own)
        };
        let expected = [of(0), of(1)].concat();
        let fitted = Fitted { train, population };
        assert_eq!(fitted.scores(&table, transform).unwrap(), expected);
        let error = fitted.scores(&Table { width: 3, ..table }, transform).unwrap_err().to_string();
        assert!(error.contains("are no events of 3 features"), "{error}");
    }
}
