//! What becomes of the outputs of a member: the number that an event is judged by.
//!
//! ```
//! use trawl::models::network::{Activation, Network};
//! use trawl::models::population::Member;
//! use trawl::models::score::transform::ScoreTransform;
//! use trawl::models::table::Table;
//! let network = Network::dense(2, &[], 2, Activation::Identity, 0.0)?;
//! let table = Table::of_features(2, vec![1.0, 2.0, 3.0, 4.0])?;
//! let apply = |transform: ScoreTransform| transform.apply(&network, &Member::new(1), &table, &[1.0, 4.0, 3.0, 4.0]);
//! assert_eq!(apply(ScoreTransform::ReconstructionError), [2.0, 0.0]);
//! // Of a member whose target is 0.
//! assert_eq!(apply(ScoreTransform::DistanceToTarget), [8.5, 12.5]);
//! # Ok::<(), trawl::Error>(())
//! ```

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::device::Host;
use crate::math::det;
use crate::models::network::Network;
use crate::models::population::Member;
use crate::models::table::Table;

/// How outputs z become scores; all in double precision, rounded once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreTransform {
    /// z, as many as there are.
    Outputs,
    /// `1 / (1 + exp(-z))` of each.
    Probability,
    /// The mean of `(z_j - x_j)^2` over the inputs x_j that are present, one for each event; 0 if none is.
    ReconstructionError,
    /// The mean of `(z_j - c)^2` over the outputs, with the member's target c ([`Member::target`]); one for each event.
    DistanceToTarget,
    /// `scale exp(z)` of each; infinite where single precision does not hold it.
    DensityRatio {
        /// What ratios are multiplied by.
        scale: f64,
    },
}

impl ScoreTransform {
    /// The scores of a member's events from its part of what [`score`](super::score) gave for the same table.
    ///
    /// Nothing is checked again: outputs beyond the last event, and those of an event that is not whole, have no score
    /// where events have one each.
    pub fn apply(self, network: &Network, member: &Member, table: &Table<Host>, outputs: &[f32]) -> Vec<f32> {
        let of_each = |function: &(dyn Fn(f64) -> f64 + Sync)| -> Vec<f32> {
            outputs.par_iter().map(|z| function(f64::from(*z)) as f32).collect()
        };
        let rows = outputs.par_chunks_exact(network.outputs());
        match self {
            Self::Outputs => outputs.to_vec(),
            Self::Probability => of_each(&|z| 1.0 / (1.0 + det::exp(-z))),
            Self::DensityRatio { scale } => of_each(&|z| scale * det::exp(z)),
            Self::DistanceToTarget => rows.map(|row| mean_square(row.iter().map(|z| (*z, member.target)))).collect(),
            Self::ReconstructionError => {
                let error = |(event, row)| mean_square(with_inputs(member, table, event, row));
                rows.take(table.events()).enumerate().map(error).collect()
            }
        }
    }
}

/// The mean square of differences; 0 of none.
fn mean_square(pairs: impl Iterator<Item = (f32, f32)>) -> f32 {
    let (mut sum, mut number) = (0.0, 0_u32);
    for (output, wanted) in pairs {
        let difference = f64::from(output) - f64::from(wanted);
        sum += difference * difference;
        number += 1;
    }
    if number > 0 { (sum / f64::from(number)) as f32 } else { 0.0 }
}

/// An event's outputs with its inputs, of those that are present.
fn with_inputs<'a>(
    member: &'a Member,
    table: &'a Table<Host>,
    event: usize,
    outputs: &'a [f32],
) -> impl Iterator<Item = (f32, f32)> + 'a {
    let (width, words) = (table.width as usize, table.present_words());
    let number = if member.features.is_empty() { width } else { member.features.len() };
    outputs.iter().take(number).enumerate().filter_map(move |(input, output)| {
        let feature = member.features.get(input).map_or(input, |feature| *feature as usize);
        let is_there = |word: &u32| word >> (feature & 31) & 1 == 1;
        let is_present = words == 0 || table.present.get(event * words + (feature >> 5)).is_some_and(is_there);
        let value = table.features.get(event * width + feature).filter(|_| is_present && feature < width)?;
        Some((*output, *value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::network::Activation;

    fn apply(transform: ScoreTransform, member: &Member, table: &Table<Host>, outputs: &[f32]) -> Vec<f32> {
        let network = Network::dense(3, &[], 3, Activation::Identity, 0.0).unwrap();
        transform.apply(&network, member, table, outputs)
    }

    #[test]
    fn outputs_become_probabilities_and_ratios() {
        let table = Table::of_features(3, vec![0.0; 3]).unwrap();
        let of = |transform| apply(transform, &Member::new(1), &table, &[0.0, 2.0, -200.0]);
        assert_eq!(of(ScoreTransform::Outputs), [0.0, 2.0, -200.0]);
        let [half, more, none] = of(ScoreTransform::Probability)[..] else { panic!() };
        assert_eq!((half, more), (0.5, (1.0 / (1.0 + (-2.0_f64).exp())) as f32));
        assert_eq!(none, (-200.0_f64).exp() as f32);
        let ratios = of(ScoreTransform::DensityRatio { scale: 3.0 });
        assert_eq!(ratios[..2], [3.0, (3.0 * 2.0_f64.exp()) as f32]);
        let member = Member { target: 2.0, ..Member::new(1) };
        let distance = apply(ScoreTransform::DistanceToTarget, &member, &table, &[0.0, 2.0, -200.0]);
        assert_eq!(distance, [((4.0 + 202.0 * 202.0) / 3.0_f64) as f32]);
    }

    #[test]
    fn features_that_are_not_there_do_not_enter_the_error() {
        let features = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let outputs = [1.0, 0.0, 90.0, 5.0, 6.0, 8.0, 70.0, 80.0, 90.0];
        let mut table = Table::of_features(3, features).unwrap();
        table.present = vec![0b011, 0b111, 0].into();
        let of =
            |member: &Member, table: &Table<Host>| apply(ScoreTransform::ReconstructionError, member, table, &outputs);
        assert_eq!(of(&Member::new(1), &table), [2.0, 2.0, 0.0]);
        // What is chosen is compared with what was chosen, and present by its number in the table.
        let turned = Member { features: vec![2, 1, 0], ..Member::new(1) };
        assert_eq!(of(&turned, &table)[0], (4.0 + 89.0 * 89.0) / 2.0);
    }

    #[test]
    fn outputs_of_other_events_have_no_score() {
        let table = Table::of_features(3, vec![1.0, 2.0, 3.0]).unwrap();
        let of = |transform, outputs: &[f32]| apply(transform, &Member::new(1), &table, outputs).len();
        assert_eq!(of(ScoreTransform::ReconstructionError, &[0.0; 9]), 1);
        assert_eq!(of(ScoreTransform::ReconstructionError, &[0.0; 2]), 0);
        assert_eq!(of(ScoreTransform::DistanceToTarget, &[0.0; 7]), 2);
        let wide = Member { features: vec![5, 0, 1, 2], ..Member::new(1) };
        let scores = apply(ScoreTransform::ReconstructionError, &wide, &table, &[1.0, 2.0, 3.0]);
        assert_eq!(scores, [1.0], "the feature 5 is not there");
    }
}
