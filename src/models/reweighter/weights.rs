//! The weights of all replicas, their medians and their spread.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Fault, Result};

use super::NAME;

/// How wide a band is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    /// The standard deviation over replicas, with n - 1.
    #[default]
    StandardDeviation,
    /// From the first to the third quartile, interpolated between neighbours as NumPy does; 1.35 standard deviations of
    /// a Gaussian.
    InterquartileRange,
}

/// What the weights of events are multiplied by.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    events: usize,
    of: Vec<f32>,
}

impl Weights {
    pub(super) fn new(events: usize, of: Vec<f32>) -> Self {
        Self { events, of }
    }

    /// The weights of each replica, one after the other.
    pub fn replicas(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.of.chunks_exact(self.events.max(1))
    }

    /// The median weight of each event: that of the replica in the middle, or the mean of the two.
    pub fn nominal(&self) -> Vec<f32> {
        self.of_each(|sorted| quantile(sorted, 0.5) as f32)
    }

    /// How wide the replicas' weights of each event are spread.
    ///
    /// # Errors
    /// Fewer than two replicas.
    pub fn band(&self, band: Band) -> Result<Vec<f32>> {
        let replicas = self.replicas().len();
        if replicas < 2 {
            let fault = Fault::new(NAME, format!("expected at least two replicas, got {replicas}"));
            return Err(fault.because("the spread of one is not known").suggest("Train replicas.").usage());
        }
        Ok(self.of_each(|sorted| match band {
            Band::StandardDeviation => {
                let number = sorted.len() as f64;
                let mean = sorted.iter().map(|weight| f64::from(*weight)).sum::<f64>() / number;
                let square = |weight: &f32| (f64::from(*weight) - mean) * (f64::from(*weight) - mean);
                (sorted.iter().map(square).sum::<f64>() / (number - 1.0)).sqrt() as f32
            }
            Band::InterquartileRange => (quantile(sorted, 0.75) - quantile(sorted, 0.25)) as f32,
        }))
    }

    /// A number of each event's weights, from the smallest to the largest.
    fn of_each(&self, number: impl Fn(&[f32]) -> f32 + Sync) -> Vec<f32> {
        let rows = (0..self.events).into_par_iter().map_init(Vec::new, |sorted: &mut Vec<f32>, event| {
            sorted.clear();
            sorted.extend(self.replicas().map(|weights| weights[event]));
            sorted.sort_by(f32::total_cmp);
            number(sorted)
        });
        rows.collect()
    }
}

/// Between the neighbours of place `share (n - 1)` of n sorted numbers, of which there is one at least.
fn quantile(sorted: &[f32], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (f64::from(sorted[below]), f64::from(sorted[above]));
    low + (place - below as f64) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_bands_are_those_of_each_event() {
        // Four replicas of two events.
        let weights = Weights::new(2, vec![4.0, 1.0, 1.0, 1.0, 3.0, 1.0, 2.0, 5.0]);
        assert_eq!(weights.nominal(), [2.5, 1.0]);
        assert_eq!(weights.band(Band::InterquartileRange).unwrap(), [1.5, 1.0]);
        let expected = [(5.0_f64 / 3.0).sqrt() as f32, 2.0];
        assert_eq!(weights.band(Band::StandardDeviation).unwrap(), expected);
        let text = Weights::new(2, vec![1.0, 2.0]).band(Band::default()).unwrap_err().to_string();
        assert!(text.contains("expected at least two replicas, got 1"), "{text}");
        assert_eq!(Weights::new(2, vec![1.0, 2.0]).nominal(), [1.0, 2.0]);
    }
}
