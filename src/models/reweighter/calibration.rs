//! From ratios of densities to weights.

use serde::{Deserialize, Serialize};

use crate::error::{Fault, Result};
use crate::models::moments::Moments;

use super::NAME;

/// What becomes of ratios above their mean and so many standard deviations (with n, not n - 1), over the events with
/// label 0 that were learned from, each counting once.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cleaning {
    /// They are kept.
    #[default]
    Keep,
    /// They become 0, as in arXiv:2311.12924 with 3.
    DropAbove {
        /// A finite number, 0 or more.
        standard_deviations: f64,
    },
    /// They become what is allowed at most.
    CapAbove {
        /// A finite number, 0 or more.
        standard_deviations: f64,
    },
}

impl Cleaning {
    /// Whether so many standard deviations can be.
    pub(super) fn check(self) -> Result<()> {
        match self.standard_deviations() {
            Some(number) if !(number >= 0.0 && number.is_finite()) => {
                let fault = Fault::new(NAME, format!("ratios are cleaned above {number} standard deviations"));
                Err(fault.because("it must be a finite number, 0 or more").suggest("Usual is 3.").usage())
            }
            _ => Ok(()),
        }
    }

    fn standard_deviations(self) -> Option<f64> {
        match self {
            Self::Keep => None,
            Self::DropAbove { standard_deviations } | Self::CapAbove { standard_deviations } => {
                Some(standard_deviations)
            }
        }
    }

    /// The largest ratio that stays what it is.
    fn limit(self, ratios: &[f64]) -> f64 {
        let mut moments = Moments::default();
        ratios.iter().for_each(|ratio| moments.add(1.0, *ratio));
        let above = |number: f64| moments.mean() + number * moments.variance().sqrt();
        self.standard_deviations().map_or(f64::INFINITY, above)
    }

    fn apply(self, ratio: f64, limit: f64) -> f64 {
        match self {
            Self::DropAbove { .. } if ratio > limit => 0.0,
            Self::CapAbove { .. } if ratio > limit => limit,
            _ => ratio,
        }
    }
}

/// How a network's ratios become weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// What clean ratios are multiplied by.
    pub scale: f64,
    /// The largest ratio that is not cleaned; infinite if all are kept.
    pub limit: f64,
    /// How many events with label 0 were cleaned, of those learned from.
    pub cleaned: usize,
    /// The sum of weights that was lost by it, where the sum of all would be that of the events with label 1; what is
    /// left is scaled to make up for it.
    pub lost: f64,
}

impl Calibration {
    /// From the ratios of events with label 0, their own weights and the sum of weights of those with label 1.
    ///
    /// # Errors
    /// Weights that do not sum to something above 0 that is finite.
    pub(super) fn of(ratios: &[f64], own: &[f64], wanted: f64, cleaning: Cleaning) -> Result<Self> {
        let limit = cleaning.limit(ratios);
        let sum =
            |clean: &dyn Fn(f64) -> f64| ratios.iter().zip(own).map(|(ratio, own)| own * clean(*ratio)).sum::<f64>();
        let (all, clean) = (sum(&|ratio| ratio), sum(&|ratio| cleaning.apply(ratio, limit)));
        let scale = wanted / clean;
        if !(all.is_finite() && scale > 0.0 && scale.is_finite()) {
            let fault = Fault::new(NAME, format!("ratios sum to {clean}, and {all} before they are cleaned"));
            let fault = fault.because(format!("their sum cannot be scaled to {wanted}"));
            return Err(fault.suggest("Train for longer, or standardise the features.").data());
        }
        let cleaned = ratios.iter().filter(|ratio| **ratio > limit).count();
        Ok(Self { scale, limit, cleaned, lost: wanted / all * (all - clean) })
    }

    /// The weight of an event with this ratio.
    pub(super) fn weight(&self, cleaning: Cleaning, ratio: f64) -> f64 {
        self.scale * cleaning.apply(ratio, self.limit)
    }
}
