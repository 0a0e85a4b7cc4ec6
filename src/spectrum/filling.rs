//! A histogram of variables of a selection.

use super::{Entries, Fill, SpectrumAccumulator};
use crate::device::Place;
use crate::math::exact::WeightScale;
use crate::selection::Survivors;

/// A histogram, and what of a selection it is filled with.
#[derive(Debug, Clone)]
pub struct Filling {
    /// The axes and the range of weights.
    pub fill: Fill,
    /// The positions of the filled variables in the selection, one for each axis.
    pub variables: Vec<usize>,
}

impl Filling {
    /// The same for weights of another range.
    pub fn with_scale(&self, scale: WeightScale) -> Self {
        Self { fill: self.fill.with_scale(scale), variables: self.variables.clone() }
    }

    /// Its columns among the survivors', with what was filled before.
    pub fn entries<P: Place>(&self, survivors: &Survivors<P>, spectrum: SpectrumAccumulator<P>) -> Entries<P> {
        let values = self.variables.iter().map(|variable| survivors.variables[*variable].clone()).collect();
        Entries { values, weights: survivors.weight.clone(), spectrum }
    }
}
