//! What passes one threshold.

use super::Measured;
use super::events::Sums;

/// The mean of a Poisson number that is 0 in one case of 20: -ln 0.05, the "rule of three".
const NONE_IN_ONE_OF_TWENTY: f64 = 2.995732273553991;

/// What passes a threshold of each class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// A score that occurs; events of it and above pass.
    pub threshold: f32,
    /// Of signal: TPR.
    pub signal: Efficiency,
    /// Of background: FPR.
    pub background: Efficiency,
}

/// The share of a class that passes, by weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Efficiency {
    /// From 0 to 1.
    pub value: f64,
    /// Its binomial error, with weights as the module says; 0 where all or nothing passes.
    pub error: f64,
    /// How many events of equal weight have the statistics of what passes, `(sum of w)^2 / sum of w^2`; 0 if nothing does.
    pub effective_passing: f64,
    /// The same of the whole class.
    pub effective_all: f64,
}

impl Efficiency {
    pub(super) fn of(passing: Sums, all: Sums) -> Self {
        let value = passing.weight / all.weight;
        let failing = (all.squares - passing.squares).max(0.0);
        let square = (1.0 - value) * (1.0 - value) * passing.squares + value * value * failing;
        Self {
            value,
            error: square.sqrt() / all.weight,
            effective_passing: passing.effective(),
            effective_all: all.effective(),
        }
    }

    /// The relative statistical error of the count that passes, `sqrt(sum of w^2) / sum of w`: `1 / sqrt(n)` for n events of weight 1;
    /// none if nothing passes.
    pub fn relative_count_error(&self) -> Option<f64> {
        (self.effective_passing > 0.0).then(|| 1.0 / self.effective_passing.sqrt())
    }
}

/// `1 / FPR`, or what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rejection {
    /// Some background passes.
    Of(Measured),
    /// No background passes: with a confidence of 95 % the rejection is larger than this, at least 1. Of n events (effective ones, with
    /// weights) it is `n / 3.0`, since a Poisson number of mean 3.0 is 0 in one case of 20; the exact binomial limit is a little
    /// larger.
    MoreThan(f64),
}

/// The significance improvement `TPR / sqrt(FPR)` of a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sic {
    /// The improvement; its error propagates those of both efficiencies.
    pub improvement: Measured,
    /// Where it is.
    pub step: Step,
}

impl Step {
    /// `1 / FPR` with the error `error(FPR) / FPR^2`, never infinite.
    pub fn rejection(&self) -> Rejection {
        let Efficiency { value, error, effective_all, .. } = self.background;
        if value > 0.0 {
            Rejection::Of(Measured { value: 1.0 / value, error: error / (value * value) })
        } else {
            Rejection::MoreThan((effective_all / NONE_IN_ONE_OF_TWENTY).max(1.0))
        }
    }

    /// `TPR / sqrt(FPR)` with the error `sqrt(error(TPR)^2 / FPR + TPR^2 error(FPR)^2 / (4 FPR^3))`; none if no background passes.
    pub fn sic(&self) -> Option<Sic> {
        let (tpr, fpr) = (self.signal, self.background);
        if fpr.value <= 0.0 {
            return None;
        }
        let value = tpr.value / fpr.value.sqrt();
        let of_background = value * fpr.error / (2.0 * fpr.value);
        let error = (tpr.error * tpr.error / fpr.value + of_background * of_background).sqrt();
        Some(Sic { improvement: Measured { value, error }, step: *self })
    }
}
