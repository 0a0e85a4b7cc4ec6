//! Pseudo-experiments: how often chance alone gives a local significance as large as the observed one.
//!
//! * [`Plane`] reads m_Y bins and overlapping m_X windows and finds the exclusive cells.
//! * [`throw`] draws the cells of each toy, sums them into the windows, and keeps the largest significance.
//! * [`scan`] scans each toy as the data are scanned: deficits, sidebands, several channels.
//! * [`Channels`] hunts in several channels at once.
//! * [`ColumnHunts`] hunts along the rows in each column window of a plane by itself.
//! * [`Experiment`] has the tables of one expectation and one observation, runs the toys and merges their [`Tally`].
//! * [`ToySource`] is what both of these are to whoever throws, keeps or adds up toys.
//! * [`Stopping`] says when there are enough toys: a number of them, or an accuracy.
//! * [`tail`] throws only toys that exceed, for p-values that no number of ordinary toys would reach: [`TailEstimate`].
//! * [`ExceedingToys`] says which of those, and when to stop.
//! * [`BackgroundUncertainty`] says how well the expectation is known, and what that does to the toys.
//! * [`smeared`] throws toys with that uncertainty, [`smeared_tail`] only those that exceed.
//! * [`Injection`] adds signal to an expectation until a wanted significance is reached.
//! * [`GlobalSignificance`] is what the tally says, with its interval and with the bounds that need no toys.
//! * [`Summary`] is a tally with what it was thrown for, as a file: parts of one campaign merge.
//! * [`GrossVitells`] estimates the global p-value of a one-dimensional scan from its upcrossings of a low level.

pub mod cells;
mod channels;
mod columns;
pub mod exceeding;
mod experiment;
pub mod gross_vitells;
mod inject;
mod plane;
pub mod scan;
mod settings;
pub mod significance;
pub mod smeared;
pub mod smeared_tail;
mod source;
pub mod stopping;
mod summary;
pub mod tail;
mod tally;
pub mod throw;
pub mod uncertainty;

pub use channels::{Channels, GlobalChannels};
pub use columns::{ColumnFound, ColumnHunt, ColumnHunts};
pub use exceeding::ExceedingToys;
pub use experiment::{Experiment, Global, Toys};
pub use gross_vitells::{GrossVitells, NoScan};
pub use inject::{Background, InjectedStep, Injection, InjectionOutcome, Stop, Strengths};
pub use plane::{Invariants, Plane};
pub use scan::ScanToys;
pub use settings::{Method, ToySettings};
pub use significance::{Deviations, GlobalSignificance};
pub use smeared::Smeared;
pub use smeared_tail::{SmearedTail, SmearedTailEstimate, WeightTally};
pub use source::ToySource;
pub use stopping::{Accuracy, Goal, MOST_TOYS, Number, Stopped, Stopping};
pub use summary::{Geometry, Observed, Summary};
pub use tail::{Tail, TailEstimate, TailTally};
pub use tally::{Milestone, Tally, milestones, next_milestone};
pub use throw::{Exceedance, Throw};
pub use uncertainty::{BackgroundUncertainty, Smearing, Statistic, Template, UncertaintySettings};
