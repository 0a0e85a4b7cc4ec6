//! What the score of a member is made of: its outputs as they are, or a number for each event.

use serde::{Deserialize, Serialize};

/// What the outputs z of a member for an event with inputs x become.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreTransform {
    /// z, as they are.
    Outputs,
    /// `1 / (1 + exp(-z))` of each output: the probability of a logit.
    Probability,
    /// The mean of `(z_j - x_j)^2` over the inputs that are there: of an autoencoder, one number.
    ReconstructionError,
    /// The mean of `(z_j - value)^2` over the outputs: of Deep SVDD with a fixed target, one number.
    DistanceTo {
        /// The target of every output.
        value: f32,
    },
    /// `scale exp(z)` of each output: the density ratio of events with label 1 and 0, of a balanced logit or of the
    /// logarithm of a ratio.
    DensityRatio {
        /// Above 0; 1 where both classes counted for one half.
        scale: f64,
    },
}
