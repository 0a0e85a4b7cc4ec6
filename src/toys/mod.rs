//! Pseudo-experiments: how often chance alone gives a local significance as large as the observed one.
//!
//! * [`Plane`] reads m_Y bins and overlapping m_X windows and finds the exclusive cells.
//! * [`throw`] draws the cells of each toy, sums them into the windows, and keeps the largest significance.
//! * [`Experiment`] has the tables of one expectation and one observation, runs the toys and merges their [`Tally`].
//! * [`tail`] throws only toys that exceed, for p-values that no number of ordinary toys would reach: [`TailEstimate`].
//! * [`GlobalSignificance`] is what the tally says, with its interval and with the bounds that need no toys.

mod experiment;
mod plane;
mod settings;
mod significance;
pub mod tail;
mod tally;
pub mod throw;

pub use experiment::{Experiment, Global};
pub use plane::{Invariants, Plane};
pub use settings::ToySettings;
pub use significance::{Deviations, GlobalSignificance};
pub use tail::{Tail, TailEstimate, TailTally};
pub use tally::Tally;
pub use throw::{Exceedance, Throw};
