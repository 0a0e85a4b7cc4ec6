//! `models.metrics`: how well scores tell signal from background, and thresholds of scores.
//!
//! **What.** An event passes a threshold if `score >= threshold`. With the sums of weights of what passes, of each class,
//!
//! ```text
//! efficiency  = sum of weights that pass / sum of all weights     TPR of signal, FPR of background
//! rejection   = 1 / FPR,                SIC = TPR / sqrt(FPR)     the factor on S / sqrt(B) that a cut brings
//! AUC         = P(score of signal > score of background) + P(equal) / 2
//! ```
//!
//! [`Roc`] has them at every different score, [`Roc::at_signal_efficiency`] and [`Roc::at_background_efficiency`] where they are
//! wanted, [`Roc::largest_sic`] where enough background passes to measure it, and [`threshold_at_fraction`] cuts where no labels
//! are known.
//!
//! **Ties.** Equal scores pass together, and -0 equals 0: thresholds are scores that occur, and a wanted efficiency between two of
//! them is not interpolated. What was wanted comes back beside what it became. Sums that differ by less than [`SAME`] from what is
//! wanted count as equal to it, so that rounding decides nothing.
//!
//! **Errors** are one standard deviation of statistics. With weights w and p the share of w that passes, that of an efficiency is
//!
//! ```text
//! sqrt((1 - p)^2 (sum of w^2 that pass) + p^2 (sum of w^2 that fail)) / sum of w,
//! ```
//!
//! which is the binomial sqrt(p (1 - p) / n) for weights 1; rejection and SIC follow by propagation, with both classes independent.
//! That of the AUC is DeLong's: see [`Roc::auc`]. Where all or nothing passes these errors are 0, which is no certainty: look at
//! [`Efficiency::effective_passing`], and at [`Rejection::MoreThan`] where no background passes.
//!
//! **Neglected.** The largest of many measured values is too large on average; its error is that of one threshold.
//!
//! **Numbers.** Weights are `f32` and their sums `f64`, added in the order of falling scores and, of equal ones, of the input; only
//! + - x / sqrt. Weights 1 sum exactly. Infinite scores are ordered as all others.
//!
//! **Cost.** A sort, of 12 bytes an event; a [`Roc`] keeps 40 bytes a different score.
//!
//! **Source.** DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837 (the error of the AUC); arXiv:1010.3698 (SIC); a cut on the
//! statistics of the background as for the benchmarks of arXiv:2109.00546 and arXiv:2311.12924.
//!
//! ```
//! use trawl::models::metrics::{Rejection, Roc, STATISTICS_CUT, Scored, threshold_at_fraction};
//! let scores = [0.9, 0.8, 0.8, 0.3, 0.2, 0.1];
//! let scored = Scored { scores: &scores, is_signal: &[true, true, false, false, true, false], weights: None };
//! let roc = Roc::of(&scored)?;
//! // Of nine pairs six are in order, and one is a tie.
//! assert!((roc.auc().value - 6.5 / 9.0).abs() < 1e-15);
//! let step = roc.at_signal_efficiency(0.5)?;
//! assert_eq!((step.threshold, step.signal.value, step.background.value), (0.8, 2.0 / 3.0, 1.0 / 3.0));
//! assert!(matches!(step.rejection(), Rejection::Of(rejection) if (rejection.value - 3.0).abs() < 1e-15));
//! assert!(matches!(roc.at_signal_efficiency(0.3)?.rejection(), Rejection::MoreThan(_)));
//! assert_eq!(roc.largest_sic(STATISTICS_CUT)?, None, "three events are too few");
//! // Half of six scores is the three largest.
//! assert_eq!(threshold_at_fraction(&scores, None, 0.5)?.value, 0.8);
//! # Ok::<(), trawl::Error>(())
//! ```

mod events;
mod roc;
mod step;
#[cfg(test)]
mod tests;
mod threshold;

pub use roc::{Point, Roc};
pub use step::{Efficiency, Rejection, Sic, Step};
pub use threshold::{Threshold, threshold_at_fraction};

use crate::error::{Fault, Problems, Result};

const NAME: &str = "models.metrics";

/// The relative statistical error of the background above which a SIC is not looked at: 25 events of weight 1 have it. Recalled from the
/// benchmark of arXiv:2109.00546; the public code of arXiv:2311.12924 takes 0.4.
pub const STATISTICS_CUT: f64 = 0.2;

/// Shares of weights that differ by less, relatively, are equal where they are compared with what is wanted.
pub const SAME: f64 = 1e-12;

/// A measured value and one standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Its statistical error.
    pub error: f64,
}

/// Scores of events whose class is known; columns of the same length.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// Larger for what is more like signal; infinite ones are allowed.
    pub scores: &'a [f32],
    /// Whether the event is signal; background otherwise.
    pub is_signal: &'a [bool],
    /// 0 or more; all are 1 if there are none.
    pub weights: Option<&'a [f32]>,
}

impl Scored<'_> {
    /// Whether metrics exist. Reads all once.
    ///
    /// # Errors
    /// All at once: columns of different lengths, the first score that is no number, the first weight that is below 0 or not finite, a
    /// class without events, a class whose weights are all 0.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        if self.is_signal.len() != self.scores.len() {
            let problem = format!("{} scores and {} labels", self.scores.len(), self.is_signal.len());
            problems.push(Fault::new(NAME, problem).because("each event has one of both").data());
        }
        problems.take(events::check(self.scores, self.weights));
        for (class, is_signal) in [("signal", true), ("background", false)] {
            let of_class = || (0..self.is_signal.len()).filter(|row| self.is_signal[*row] == is_signal);
            // Only where each event has its weight; if it has not, that was said.
            let weights = self.weights.filter(|weights| weights.len() == self.is_signal.len());
            let problem = if of_class().next().is_none() {
                format!("there are no events of {class}")
            } else if weights.is_some_and(|weights| of_class().all(|row| weights[row] == 0.0)) {
                format!("all weights of {class} are 0")
            } else {
                continue;
            };
            let fault = Fault::new(NAME, problem).because("its efficiency is a share of them");
            problems.push(fault.suggest("Score events of both classes.").data());
        }
        problems.finish()
    }
}

/// Something wanted that must lie above 0 and not above `largest`.
fn check_wanted(what: &str, wanted: f64, largest: f64) -> Result<()> {
    if wanted > 0.0 && wanted <= largest {
        return Ok(());
    }
    let bounds = if largest == f64::INFINITY { "above 0".to_owned() } else { format!("above 0 and at most {largest}") };
    let fault = Fault::new(NAME, format!("the {what} is {wanted}"));
    Err(fault.because(format!("it must be {bounds}")).usage())
}
