//! What training makes small.

use serde::{Deserialize, Serialize};

/// A loss: of a batch, the mean over its rows of the weight times one of these.
///
/// Weights are scaled to a mean of 1 over all training events; the sum is divided by the number of rows, not by that of weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// `ln(1 + exp(z)) - y z` of one output z, a logit, and the label y. Where both classes count for one half
    /// ([`ClassWeights::Balanced`](super::ClassWeights)), the density ratio of events with label 1 and 0 is `exp(z)` at its least; else
    /// it is that times the ratio of their weights.
    BinaryCrossEntropy,
    /// `exp(z / 2)` of events with label 0 and `exp(-z / 2)` of events with label 1: at its least z is the logarithm of the
    /// density ratio R, since `E0[sqrt R] + E1[1 / sqrt R]` is least there, where both classes count for one half.
    LikelihoodRatio,
    /// The mean of `(z_j - x_j)^2` over the inputs x_j that are present: of an autoencoder, whose outputs are as many as its inputs.
    Reconstruction,
    /// The mean of `(z_j - c)^2` over the outputs: of Deep SVDD with a fixed target c, which each member has for itself
    /// ([`Member::target`](crate::models::population::Member::target)).
    FixedTarget,
}

impl Loss {
    /// Whether events have labels.
    pub fn has_labels(self) -> bool {
        matches!(self, Self::BinaryCrossEntropy | Self::LikelihoodRatio)
    }
}
