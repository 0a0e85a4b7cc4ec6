//! Pseudo-experiments: how often chance alone gives a local significance as large as the observed one.
//!
//! * [`Plane`] reads m_Y bins and overlapping m_X windows and finds the exclusive cells.
//! * [`throw`] draws the cells of each toy, sums them into the windows, and keeps the largest significance.
//! * [`Experiment`] has the tables of one expectation and one observation, runs the toys and merges their [`Tally`].
//! * [`BackgroundUncertainty`] says how well the expectation is known, and what that does to the toys.
//! * [`smeared`] throws toys with that uncertainty, [`smeared_tail`] only those that exceed.
//! * [`GlobalSignificance`] is what the tally says, with its interval and with the bounds that need no toys.

mod experiment;
mod plane;
mod settings;
mod significance;
pub mod smeared;
pub mod smeared_tail;
mod tally;
pub mod throw;
pub mod uncertainty;

pub use experiment::{Experiment, Global};
pub use plane::{Invariants, Plane};
pub use settings::ToySettings;
pub use significance::{Deviations, GlobalSignificance};
pub use smeared::Smeared;
pub use smeared_tail::{SmearedTail, SmearedTailEstimate};
pub use tally::Tally;
pub use throw::{Exceedance, Throw};
pub use uncertainty::{BackgroundUncertainty, Smearing, Statistic, Template, UncertaintySettings};
