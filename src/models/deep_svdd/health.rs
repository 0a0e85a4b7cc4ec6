//! Whether a network still tells events apart.

use std::fmt;

use crate::device::Host;
use crate::error::Result;
use crate::models::learning::Fitted;
use crate::models::moments::Moments;
use crate::models::network::Initialisation;
use crate::models::population::{Population, Stop};
use crate::models::score::transform::ScoreTransform;
use crate::models::table::Table;

use super::LEAST_VARIANCE_SHARE;

/// Whether a member takes part in the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Health {
    /// It does.
    Healthy {
        /// The variance of its outputs over that before its training.
        variance_share: f64,
        /// The mean distance of the events that it learned from.
        mean: f64,
        /// The standard deviation of these distances.
        standard_deviation: f64,
    },
    /// It says nearly the same of every event.
    Collapsed {
        /// The variance of its outputs over that before its training.
        variance_share: f64,
    },
    /// Its training broke off, as [`Stop::NotFinite`] says.
    NotFinite {
        /// The epoch, from 0.
        epoch: u32,
        /// The batch in the epoch, from 0.
        batch: u32,
    },
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy { variance_share, .. } => write!(f, "is healthy (its outputs vary by {variance_share:.1e})"),
            Self::Collapsed { variance_share } => {
                write!(f, "has collapsed: its outputs vary by {variance_share:.1e} of what they did before")
            }
            Self::NotFinite { epoch, batch } => write!(f, "was not finite in batch {batch} of epoch {epoch}"),
        }
    }
}

impl Health {
    /// Whether it takes part.
    pub fn is_healthy(self) -> bool {
        matches!(self, Self::Healthy { .. })
    }

    /// That of the only member of a population, over the events that it learned from.
    pub(super) fn of(fitted: &Fitted, initialisation: Initialisation, table: &Table<Host>) -> Result<Self> {
        if let Some(Stop::NotFinite { epoch, batch }) = fitted.population.progress.first().map(|progress| progress.stop)
        {
            return Ok(Self::NotFinite { epoch, batch });
        }
        let train = &fitted.train;
        let population = Population::untrained(&train.network, &train.members, initialisation);
        let before = Statistics::of(&Fitted { train: train.clone(), population }, table)?;
        let after = Statistics::of(fitted, table)?;
        let variance_share = after.output_variance / before.output_variance;
        let (mean, standard_deviation) = (after.distance.mean(), after.distance.variance().sqrt());
        // What is no number is not healthy either; distances that are all equal cannot be normalised.
        if variance_share >= LEAST_VARIANCE_SHARE && standard_deviation > 0.0 && standard_deviation.is_finite() {
            Ok(Self::Healthy { variance_share, mean, standard_deviation })
        } else {
            Ok(Self::Collapsed { variance_share })
        }
    }
}

/// What outputs are like over the events that a member learned from.
struct Statistics {
    /// The sum over outputs of their variances.
    output_variance: f64,
    distance: Moments,
}

impl Statistics {
    fn of(fitted: &Fitted, table: &Table<Host>) -> Result<Self> {
        let (network, member) = (&fitted.train.network, &fitted.train.members[0]);
        let mut outputs = vec![Moments::default(); network.outputs()];
        let mut distance = Moments::default();
        fitted.for_each_part(table, |part, found, first| {
            let distances = ScoreTransform::DistanceToTarget.apply(network, member, part, found);
            for (event, (row, own)) in found.chunks_exact(network.outputs()).zip(distances).enumerate() {
                let weight = member.weight_of(table, (first + event) as u32);
                outputs.iter_mut().zip(row).for_each(|(moments, z)| moments.add(weight, f64::from(*z)));
                distance.add(weight, f64::from(own));
            }
        })?;
        Ok(Self { output_variance: outputs.iter().map(|moments| moments.variance()).sum(), distance })
    }
}
