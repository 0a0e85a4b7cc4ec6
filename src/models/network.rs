//! What a network is: dense layers, and where their parameters are.
//!
//! Layer l makes `a = f(x W + b)` of its inputs x, with W of `inputs` rows and `outputs` columns. Parameters are one list: for each
//! layer W row after row, then b if it has a bias. Rows are [`padded`](Dense::stride) to whole vectors of eight; the padding is 0 and
//! stays 0.

use serde::{Deserialize, Serialize};

use crate::device::Bytes;
use crate::error::{Fault, Problems, Result};
use crate::math::philox::{Philox, Stage, uniform_f64};

const NAME: &str = "models.network";

/// Rows of parameters and activations are whole vectors of so many.
pub const VECTOR: usize = 8;

/// No layer may have more inputs or outputs.
pub const WIDEST: u32 = 8192;

/// No ensemble may have more networks: each has its own scores, losses and tensors in a bundle.
pub const MOST_NETWORKS: u64 = 1 << 16;

/// Nor may what its networks hold while they learn take more memory, however much the machine has.
pub const MOST_HELD: Bytes = Bytes(8 << 30);

/// What a parameter takes while it is learned: itself, the means of its gradient and of the square of it, and its best value.
const BYTES_A_PARAMETER: u64 = 4 * size_of::<f32>() as u64;

/// Networks that are too many or too large to be trained together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// How many there are of how many parameters, and what these take.
    pub problem: String,
    /// What is allowed.
    pub why: String,
}

/// What a layer does to its sums.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`; the derivative at 0 is 0.
    Relu,
    /// x above 0, else `slope x`.
    LeakyRelu {
        /// From 0 to 1.
        slope: f32,
    },
    /// x above 0, else `exp(x) - 1`.
    Elu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `ln(1 + exp(x))`.
    Softplus,
}

/// Whether a layer adds a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// `x W + b`.
    #[default]
    Present,
    /// `x W`.
    Absent,
}

/// The range of first weights, which are uniform from -limit to limit; first biases are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialisation {
    /// `limit = sqrt(6 / inputs)`: He et al., ICCV 2015, for ReLU.
    #[default]
    He,
    /// `limit = sqrt(6 / (inputs + outputs))`: Glorot and Bengio, AISTATS 2010, as Keras has it.
    Glorot,
    /// `limit = sqrt(3 / inputs)`: LeCun et al. 1998.
    Lecun,
}

/// A dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// How many numbers go in.
    pub inputs: u32,
    /// How many come out.
    pub outputs: u32,
    /// Whether it adds a bias.
    pub bias: Bias,
    /// What it does to its sums.
    pub activation: Activation,
    /// How many 256ths of its outputs are left out in training, at random; those that are kept are divided by the share that is.
    pub dropout_256ths: u8,
}

/// Dense layers one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Dense>", into = "Vec<Dense>")]
pub struct Network {
    layers: Vec<Dense>,
}

impl TryFrom<Vec<Dense>> for Network {
    type Error = crate::Error;

    fn try_from(layers: Vec<Dense>) -> Result<Self> {
        Self::new(layers)
    }
}

impl From<Network> for Vec<Dense> {
    fn from(network: Network) -> Self {
        network.layers
    }
}

/// Where a layer's parameters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where W begins.
    pub weights: usize,
    /// Where b begins; where it would, if there is none.
    pub bias: usize,
    /// The number of the next parameter.
    pub end: usize,
}

impl Dense {
    /// A layer with a bias and without dropout.
    pub fn new(inputs: u32, outputs: u32, activation: Activation) -> Self {
        Self { inputs, outputs, bias: Bias::Present, activation, dropout_256ths: 0 }
    }

    /// The length of a row of W and of what comes out, padded to whole vectors.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        (self.outputs as usize).next_multiple_of(VECTOR)
    }

    /// What outputs that are kept are multiplied by in training.
    pub fn kept_scale(&self) -> f32 {
        256.0 / (256.0 - f32::from(self.dropout_256ths))
    }

    fn parameters(&self) -> usize {
        self.stride() * (self.inputs as usize + usize::from(self.bias == Bias::Present))
    }
}

impl Network {
    /// A network of these layers.
    ///
    /// # Errors
    /// All at once: no layers, layers that do not fit each other, sizes that are 0 or beyond 8,192, slopes that are not from 0 to 1,
    /// dropout in the last layer.
    pub fn new(layers: Vec<Dense>) -> Result<Self> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        if layers.is_empty() {
            refuse("there are no layers".into(), "nothing would come out");
        }
        for (at, layer) in layers.iter().enumerate() {
            for (size, what) in [(layer.inputs, "inputs"), (layer.outputs, "outputs")] {
                if !(1..=WIDEST).contains(&size) {
                    refuse(format!("layer {at} has {size} {what}"), "there may be from 1 to 8192");
                }
            }
            if let Activation::LeakyRelu { slope } = layer.activation
                && !(0.0..=1.0).contains(&slope)
            {
                refuse(format!("the slope {slope} of layer {at} is not from 0 to 1"), "it would not rise");
            }
        }
        for (at, pair) in layers.windows(2).enumerate() {
            if pair[0].outputs != pair[1].inputs {
                let problem = format!("layer {} takes {} inputs", at + 1, pair[1].inputs);
                refuse(problem, &format!("layer {at} has {} outputs", pair[0].outputs));
            }
        }
        if layers.last().is_some_and(|last| last.dropout_256ths > 0) {
            refuse("the last layer has dropout".into(), "what it leaves out would be compared with targets");
        }
        problems.finish()?;
        Ok(Self { layers })
    }

    /// Hidden layers of these sizes with one activation and one rate of dropout, and a last layer without either.
    ///
    /// Dropout is a share from 0 to 255/256, rounded to 256ths: with 0.05 it is 13/256 = 0.0508.
    ///
    /// # Errors
    /// As [`Network::new`]; a rate of dropout that is not from 0 to 255/256.
    pub fn dense(inputs: u32, hidden: &[u32], outputs: u32, activation: Activation, dropout: f64) -> Result<Self> {
        if !(0.0..=255.0 / 256.0).contains(&dropout) {
            let fault = Fault::new(NAME, format!("the dropout {dropout} is not from 0 to 255/256"));
            return Err(fault.because("some outputs have to be kept").usage());
        }
        let dropout_256ths = (dropout * 256.0).round() as u8;
        let mut layers = Vec::new();
        let mut before = inputs;
        for size in hidden {
            layers.push(Dense { dropout_256ths, ..Dense::new(before, *size, activation) });
            before = *size;
        }
        layers.push(Dense::new(before, outputs, Activation::Identity));
        Self::new(layers)
    }

    /// The layers.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// How many numbers go in.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs as usize
    }

    /// How many come out.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs as usize
    }

    /// The number of parameters with their padding.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Dense::parameters).sum()
    }

    /// Whether so many networks of this shape are too many or too large to be trained together; known before any of them is made.
    ///
    /// What else a training holds (batches, gradients, events) comes on top.
    pub fn too_large(&self, networks: u64) -> Option<TooLarge> {
        let parameters = self.parameters() as u64;
        let held = Bytes(parameters.saturating_mul(networks).saturating_mul(BYTES_A_PARAMETER));
        (networks > MOST_NETWORKS || held > MOST_HELD).then(|| TooLarge {
            problem: format!("{networks} network(s) of {parameters} parameters take {held} while they learn"),
            why: format!(
                "there may be at most {MOST_NETWORKS} and {MOST_HELD}, with {BYTES_A_PARAMETER} bytes a parameter"
            ),
        })
    }

    /// The same as an error of `name`.
    pub(super) fn check_size(&self, name: &'static str, networks: u64) -> Result<()> {
        let Some(TooLarge { problem, why }) = self.too_large(networks) else { return Ok(()) };
        Err(Fault::new(name, problem).because(why).suggest("Train fewer networks, or smaller ones.").usage())
    }

    /// Where each layer's parameters are.
    pub fn places(&self) -> impl Iterator<Item = (&Dense, Place)> {
        let mut next = 0;
        self.layers.iter().map(move |layer| {
            let weights = next;
            next += layer.parameters();
            (layer, Place { weights, bias: weights + layer.stride() * layer.inputs as usize, end: next })
        })
    }

    /// First parameters under a seed: those of layer l and place (input, output) are a function of these alone.
    pub fn first_parameters(&self, seed: u64, initialisation: Initialisation) -> Vec<f32> {
        let random = Philox::new(seed, Stage::Initialise);
        let mut parameters = vec![0.0; self.parameters()];
        for (number, (layer, place)) in self.places().enumerate() {
            let (inputs, outputs) = (f64::from(layer.inputs), f64::from(layer.outputs));
            let limit = match initialisation {
                Initialisation::He => (6.0 / inputs).sqrt(),
                Initialisation::Glorot => (6.0 / (inputs + outputs)).sqrt(),
                Initialisation::Lecun => (3.0 / inputs).sqrt(),
            };
            let rows = parameters[place.weights..place.bias].chunks_exact_mut(layer.stride());
            for (input, row) in rows.enumerate() {
                for (output, weight) in row[..layer.outputs as usize].iter_mut().enumerate() {
                    let unit = (number as u64) << 48 | (input as u64) << 24 | output as u64;
                    let [high, low, _, _] = random.words(unit, 0);
                    *weight = (limit * (2.0 * uniform_f64(high, low) - 1.0)) as f32;
                }
            }
        }
        parameters
    }

    /// Parameters from a list without padding, in the same order.
    ///
    /// # Errors
    /// Another number of parameters.
    pub fn padded(&self, bare: &[f32]) -> Result<Vec<f32>> {
        let mut parameters = vec![0.0; self.parameters()];
        let expected = self.bare_places().count();
        if bare.len() != expected {
            let fault = Fault::new(NAME, format!("expected {expected} parameters, got {}", bare.len()));
            return Err(fault.because("the layers have so many weights and biases").data());
        }
        for (at, value) in self.bare_places().zip(bare) {
            parameters[at] = *value;
        }
        Ok(parameters)
    }

    /// Parameters without their padding.
    ///
    /// # Panics
    /// If there are not [`Network::parameters`].
    pub fn bare(&self, padded: &[f32]) -> Vec<f32> {
        assert_eq!(padded.len(), self.parameters());
        self.bare_places().map(|at| padded[at]).collect()
    }

    /// Where in the padded list the bare ones are.
    fn bare_places(&self) -> impl Iterator<Item = usize> {
        self.places().flat_map(|(layer, place)| {
            let stride = layer.stride();
            let rows = (place.end - place.weights) / stride;
            (0..rows).flat_map(move |row| {
                (0..layer.outputs as usize).map(move |output| place.weights + row * stride + output)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_padded_and_bare() {
        let mut layers = vec![Dense::new(3, 5, Activation::Relu), Dense::new(5, 1, Activation::Identity)];
        layers[1].bias = Bias::Absent;
        let network = Network::new(layers).unwrap();
        assert_eq!(network.parameters(), 4 * 8 + 5 * 8);
        let bare: Vec<f32> = (1..=25).map(|number| number as f32).collect();
        let padded = network.padded(&bare).unwrap();
        assert_eq!((padded[0], padded[8], padded[24], padded[32], padded[40]), (1.0, 6.0, 16.0, 21.0, 22.0));
        assert_eq!(padded.iter().filter(|value| **value != 0.0).count(), 25);
        assert_eq!(network.bare(&padded), bare);
        let error = network.padded(&bare[1..]).unwrap_err().to_string();
        assert!(error.contains("expected 25 parameters, got 24"), "{error}");
    }

    #[test]
    fn first_weights_fill_their_range_and_follow_the_seed() {
        let network = Network::dense(6, &[64, 64], 1, Activation::Relu, 0.05).unwrap();
        assert_eq!(network.layers()[0].dropout_256ths, 13);
        let of = |seed| network.first_parameters(seed, Initialisation::He);
        assert!(of(1) == of(1) && of(1) != of(2));
        let (_, place) = network.places().nth(1).unwrap();
        let (weights, limit) = (&of(1)[place.weights..place.bias], (6.0_f32 / 64.0).sqrt());
        assert!(weights.iter().all(|weight| weight.abs() <= limit));
        // The variance of a uniform number is limit^2 / 3, within 2 % for 4,096 of them.
        let variance = weights.iter().map(|weight| weight * weight).sum::<f32>() / weights.len() as f32;
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.05, "{variance}");
        assert!(of(1)[place.bias..place.end].iter().all(|bias| *bias == 0.0));
    }

    #[test]
    fn networks_that_are_too_many_or_too_large_are_told_before_they_are_made() {
        let small = Network::dense(2, &[4], 1, Activation::Relu, 0.0).unwrap();
        assert_eq!((small.parameters(), small.too_large(MOST_NETWORKS)), (64, None));
        let found = small.too_large(MOST_NETWORKS + 1).unwrap();
        assert!(found.problem.starts_with("65537 network(s) of 64 parameters take "), "{found:?}");
        assert!(found.why.contains("at most 65536 and 8"), "{found:?}");
        // 8192 x 8193 + 9 x 8192 + 8 x 8193 parameters of 16 bytes: 1 GiB and 2.25 MiB.
        let large = Network::dense(8, &[8192, 8192], 1, Activation::Relu, 0.0).unwrap();
        assert!(large.too_large(7).is_none() && large.too_large(8).is_some());
        // Nothing wraps.
        assert!(large.too_large(u64::MAX).is_some());
        let error = large.check_size("models.classifier", 8).unwrap_err().to_string();
        assert!(error.starts_with("models.classifier: 8 network(s) of "), "{error}");
        assert!(error.ends_with("Train fewer networks, or smaller ones."), "{error}");
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let layers = vec![
            Dense::new(0, 4, Activation::LeakyRelu { slope: -1.0 }),
            Dense { dropout_256ths: 3, ..Dense::new(5, 9000, Activation::Relu) },
        ];
        assert_eq!(Network::new(layers).unwrap_err().problems().len(), 5);
        assert!(Network::new(Vec::new()).unwrap_err().to_string().contains("no layers"));
        let error = Network::dense(2, &[3], 1, Activation::Relu, 1.0).unwrap_err().to_string();
        assert!(error.contains("the dropout 1 is not from 0 to 255/256"), "{error}");
    }
}
