//! Trawl takes collider events to a globally corrected significance in one binary: Parquet in, a global p-value out.
//!
//! Data flows down the list of modules and never up; `tests/one_way_map.rs` reads the `use crate::` lines and fails
//! otherwise. A stage may use the stages above it and the foundation.
//!
//! | module | what it knows |
//! |---|---|
//! | [`error`], [`settings`], [`device`], [`math`] | the foundation: no physics |
//! | [`events`] | read, stream, write and generate event batches |
//! | [`selection`] | objects, cuts, survivors, cutflow |
//! | [`features`] | jets |
//! | [`models`] | networks, trained in populations |
//! | [`spectrum`] | histograms |
//! | [`hunt`] | windows and local p-values |
//! | [`toys`] | pseudo-experiments and the global significance |
//! | [`report`] | UHI, CSV, SVG, HTML |
//! | [`card`], [`campaign`], [`cli`] | describe, plan and run all of the above |
//!
//! Stages of the design that hold nothing yet (regions, background, weak, limit) are not in the tree until an
//! operation lives there.

pub mod device;
pub mod error;
pub mod math;
pub mod settings;

pub mod events;
pub mod features;
pub mod hunt;
pub mod models;
pub mod report;
pub mod selection;
pub mod spectrum;
pub mod toys;

pub mod campaign;
pub mod card;
pub mod cli;

pub use device::Device;
pub use error::{Error, Result};
