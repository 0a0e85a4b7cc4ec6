//! The spectrum of an ensemble of selections: the mean of their counts, and how these vary together.
//!
//! **What.** Each of E networks selects events by itself, and n_e(i) of its selection are in bin i:
//!
//! ```text
//! mean(i)          = 1/E sum_e n_e(i)
//! covariance(i, j) = 1/(E - 1) sum_e (n_e(i) - mean(i)) (n_e(j) - mean(j))
//! ```
//!
//! A mean of counts is neither an integer nor Poisson: networks judge the same events, so that their counts are neither
//! independent nor equal. The covariance is the spread of one network's counts, an uncertainty beside the statistical
//! one of the mean; it is not divided by E. The networks' seeds alone make it, so that it says nothing of the events'
//! own fluctuations.
//!
//! **Numbers.** Counts are exact to 2^53; sums go over networks in their order.
//!
//! **Cost.** E B^2 multiplications for B bins.
//!
//! **Source.** ATLAS, arXiv:2502.09770: ten classifiers, of which counts are averaged and not scores.
//!
//! ```
//! use trawl::spectrum::{Axis, EnsembleCounts};
//! let counts = EnsembleCounts::of(&[vec![4, 0], vec![6, 2]])?;
//! assert_eq!((counts.mean(), counts.covariance(0, 1)), (&[5.0, 1.0][..], 2.0));
//! assert_eq!(counts.sum(0..2), (6.0, 8.0_f64.sqrt()));
//! // The same of events: two networks judge three.
//! let axis = Axis::new("m", "GeV", vec![0.0, 1.0, 2.0])?;
//! let passing = [true, true, false, false, true, true];
//! let counts = EnsembleCounts::of_passing(&axis, &[0.5, 1.5, 7.0], &passing)?;
//! assert_eq!(counts.members(), [[1, 1], [0, 1]]);
//! # Ok::<(), trawl::Error>(())
//! ```

use std::ops::Range;

use crate::error::{Fault, Problems, Result};

use super::Axis;

const NAME: &str = "spectrum.ensemble";

/// Beyond 2^53 a double no longer holds every whole number.
const MOST: u64 = 1 << 53;

/// What each of an ensemble counts in each bin.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleCounts {
    mean: Vec<f64>,
    covariance: Vec<f64>,
    members: Vec<Vec<u64>>,
}

impl EnsembleCounts {
    /// Of these counts, one list of bins for each network.
    ///
    /// # Errors
    /// All at once: fewer than two networks, no bins, another number of bins than the first network has, counts above
    /// 2^53.
    pub fn of(members: &[Vec<u64>]) -> Result<Self> {
        check(members)?;
        let bins = members[0].len();
        let number = members.len() as f64;
        let mean_of = |bin: usize| members.iter().map(|counts| counts[bin] as f64).sum::<f64>() / number;
        let mean: Vec<f64> = (0..bins).map(mean_of).collect();
        let mut covariance = vec![0.0; bins * bins];
        for counts in members {
            let away: Vec<f64> = counts.iter().zip(&mean).map(|(count, mean)| *count as f64 - mean).collect();
            for (row, one) in covariance.chunks_exact_mut(bins).zip(&away) {
                row.iter_mut().zip(&away).for_each(|(sum, other)| *sum += one * other);
            }
        }
        covariance.iter_mut().for_each(|sum| *sum /= number - 1.0);
        Ok(Self { mean, covariance, members: members.to_vec() })
    }

    /// Of events at these places of an axis, of which `passing` says, network after network and event after event,
    /// whether they pass. Each counts for 1; those outside of the axis do not count.
    ///
    /// # Errors
    /// No events, or answers that are not of whole networks; those of [`EnsembleCounts::of`].
    pub fn of_passing(axis: &Axis, values: &[f32], passing: &[bool]) -> Result<Self> {
        if values.is_empty() || !passing.len().is_multiple_of(values.len()) {
            let fault =
                Fault::new(NAME, format!("{} answers are no networks' of {} events", passing.len(), values.len()));
            return Err(fault.because("each network says of each event whether it passes").data());
        }
        let bins: Vec<Option<usize>> = values
            .iter()
            .map(|value| axis.place_of(f64::from(*value)).checked_sub(1).filter(|bin| *bin < axis.bins()))
            .collect();
        let counts = |passing: &[bool]| {
            let mut counts = vec![0_u64; axis.bins()];
            let inside = bins.iter().zip(passing).filter(|(_, passes)| **passes).filter_map(|(bin, _)| *bin);
            inside.for_each(|bin| counts[bin] += 1);
            counts
        };
        Self::of(&passing.chunks_exact(values.len()).map(counts).collect::<Vec<_>>())
    }

    /// The mean count of each bin.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// How the counts of two bins vary together, with n - 1; not a number if there is no such bin.
    pub fn covariance(&self, one: usize, other: usize) -> f64 {
        let bins = self.mean.len();
        if one < bins && other < bins { self.covariance[one * bins + other] } else { f64::NAN }
    }

    /// The counts of each network.
    pub fn members(&self) -> &[Vec<u64>] {
        &self.members
    }

    /// The mean count of these bins together, and the standard deviation of it over networks; bins that are not there
    /// are left out.
    pub fn sum(&self, bins: Range<usize>) -> (f64, f64) {
        let bins = bins.start..bins.end.min(self.mean.len());
        let mean = bins.clone().map(|bin| self.mean[bin]).sum();
        let pairs = bins.clone().flat_map(|one| bins.clone().map(move |other| (one, other)));
        let variance: f64 = pairs.map(|(one, other)| self.covariance(one, other)).sum();
        // Rounding may leave less than nothing where networks agree.
        (mean, variance.max(0.0).sqrt())
    }
}

fn check(members: &[Vec<u64>]) -> Result<()> {
    let mut problems = Problems::default();
    if members.len() < 2 {
        let fault = Fault::new(NAME, format!("expected at least two networks, got {}", members.len()));
        problems.push(fault.because("the spread of one is not known").data());
    }
    let bins = members.first().map_or(0, Vec::len);
    if bins == 0 && !members.is_empty() {
        problems.push(Fault::new(NAME, "there are no bins").because("nothing was counted").data());
    }
    for (number, counts) in members.iter().enumerate() {
        if counts.len() != bins {
            let fault = Fault::new(NAME, format!("network {number} has {} bins, expected {bins}", counts.len()));
            problems.push(fault.because("all count in the same").data());
        }
        if let Some(bin) = counts.iter().position(|count| *count > MOST) {
            let fault = Fault::new(NAME, format!("network {number} has {} events in bin {bin}", counts[bin]));
            problems.push(fault.because(format!("means are exact up to {MOST}")).data());
        }
    }
    problems.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_covariances_are_those_of_the_networks() {
        let counts = EnsembleCounts::of(&[vec![10, 3, 0], vec![14, 1, 0], vec![12, 5, 0]]).unwrap();
        assert_eq!(counts.mean(), [12.0, 3.0, 0.0]);
        // (-2)(0) + (2)(-2) + (0)(2) over 2.
        assert_eq!((counts.covariance(0, 0), counts.covariance(1, 1)), (4.0, 4.0));
        assert_eq!((counts.covariance(0, 1), counts.covariance(1, 0), counts.covariance(2, 0)), (-2.0, -2.0, 0.0));
        // Sums are 13, 15 and 17.
        assert_eq!((counts.sum(0..3), counts.sum(0..99)), ((15.0, 2.0), (15.0, 2.0)));
        assert_eq!(counts.sum(7..9), (0.0, 0.0));
        assert!(counts.covariance(3, 0).is_nan());
    }

    #[test]
    fn events_outside_of_the_axis_do_not_count() {
        let axis = Axis::regular("m", "GeV", 2, 1.0, 3.0).unwrap();
        let values = [0.5, 1.0, 2.999, 3.0, f32::NAN, 1.5];
        let passing = [[true; 6], [true, false, true, true, true, true]].concat();
        let counts = EnsembleCounts::of_passing(&axis, &values, &passing).unwrap();
        assert_eq!(counts.members(), [[2, 1], [1, 1]]);
        assert_eq!(counts.mean(), [1.5, 1.0]);
    }

    #[test]
    fn what_is_no_ensemble_is_named() {
        let text = |members: &[Vec<u64>]| EnsembleCounts::of(members).unwrap_err().to_string();
        assert!(text(&[]).contains("expected at least two networks, got 0"));
        assert!(text(&[vec![1]]).contains("expected at least two networks, got 1"));
        assert!(text(&[vec![], vec![]]).contains("there are no bins"));
        let both = text(&[vec![1, 2], vec![u64::MAX]]);
        assert!(both.contains("network 1 has 1 bins, expected 2") && both.contains("in bin 0"), "{both}");
        let axis = Axis::regular("m", "GeV", 2, 1.0, 3.0).unwrap();
        let error =
            |values: &[f32], passing| EnsembleCounts::of_passing(&axis, values, passing).unwrap_err().to_string();
        assert!(error(&[1.0, 2.0], &[true; 3]).contains("3 answers are no networks' of 2 events"));
        assert!(error(&[], &[]).contains("0 answers are no networks' of 0 events"));
        assert!(error(&[1.0, 2.0], &[true; 2]).contains("got 1"));
    }
}
