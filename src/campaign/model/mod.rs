//! Networks on the selected events of a card: `[model]` trains them, `trawl score` applies them anywhere.
//!
//! A run with `[model]` gathers the model's variables of every survivor in memory (4 bytes each, and 16 an event), fits the scales, trains, and
//! writes
//!
//! * `model.safetensors`: the [`Bundle`], with which `trawl score` scores other files of events;
//! * `scores-SAMPLE.parquet`: for each selected event its ids, its weight and its score;
//! * `training.csv` and a figure of it: losses, learning rates and norms of gradients of every member and epoch, and why each ended.
//!
//! Classes are told by the label of the card, or without one by samples: data are the second class and simulations the first, or, in a
//! card without data, signals the second. With a label all samples are learned from. A classifier's scores are of networks that never saw the event, and so are those
//! that `trawl score` gives events that were learned from, as long as their numbers are the same. An autoencoder learns from data, or
//! without data from simulations, and of these from those in the region that the card names.

mod apply;
mod learn;
mod record;

pub use apply::{ScoreRequest, score};
pub(super) use learn::{train, variables};
