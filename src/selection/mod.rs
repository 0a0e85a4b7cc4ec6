//! Objects, cuts, survivors, cutflow.
//!
//! | part | what it does |
//! |---|---|
//! | [`expression`] | the language of cuts and variables |
//! | [`select`] | the operation `selection.select` |
//! | [`cutflow`] | how many events each cut left, and the table of it |
//! | [`tally`] | events counted and weighted exactly, here and in spectra |

pub mod cutflow;
pub mod expression;
pub mod select;
pub mod tally;

pub use cutflow::{Cutflow, CutflowRow, CutflowTable, Within};
pub use select::{
    Batch, Channel, Cut, Definition, FeatureTable, Features, Object, Origin, Outputs, Pair, QuantityFrom, Selected,
    Selection, Survivors, Variable, Weight,
};
pub(crate) use select::{Evaluating, Prepared};
pub use tally::{Tally, WeightedCount};
