//! A selection from a card.

use super::{Selection, Weight};
use crate::settings::Section;

impl Selection {
    /// Reads the selection of a card.
    pub fn read(_root: &Section<'_>) -> Option<Self> {
        todo!()
    }
}
impl Weight {
    /// Reads the keys of a sample: `weight` (a column of event weights; none: 1), `scale` (a factor, 1) and, with a column,
    /// `largest_weight` (the largest absolute value of their product).
    ///
    /// `None` where there were mistakes.
    pub fn read(sample: &Section<'_>) -> Option<Self> {
        let factor = sample.or("scale", 1.0);
        let weight = if sample.has("weight") {
            let (column, largest) = (sample.required::<String>("weight"), sample.required("largest_weight"));
            Self::column(column?, factor, largest?)
        } else {
            // A constant needs no range, but the key is known.
            let _ = sample.optional::<f64>("largest_weight");
            Self::constant(factor)
        };
        sample.check(weight)
    }
}
