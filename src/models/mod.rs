//! Networks: their shapes, their training in populations, and the metrics of their scores.
//!
//! The stage knows arrays, labels and weights; no masses and no regions. See [`train`] for what training does.

pub mod bundle;
pub mod metrics;
pub mod network;
pub mod population;
pub mod score;
pub mod table;
pub mod train;
