//! Bump hunting: windows over the cells of a spectrum or plane, and how unlikely each window's content is.
//!
//! * [`Windows`] says which cells each window sums: all positions and widths of a BumpHunter, or the overlapping m_X
//!   windows of every m_Y bin of a plane.
//! * [`WindowExpectation`] sums the expectation over them, once, and leaves out what cannot be judged.
//! * [`scan`] gives every window its local p-value and finds the most significant one: an excess or a deficit, of a fixed
//!   expectation or of one that is scaled to the sidebands of each window.
//! * [`combine`] joins the hunts of several channels to one test statistic.
//!
//! Source: G. Choudalakis, *On hypothesis testing, trials factor, hypertests and the BumpHunter*, arXiv:1101.0390.

mod choice;
mod combine;
mod expected;
pub mod scan;
mod windows;

pub use choice::{Along, WindowChoice};
pub(crate) use combine::check as check_channels;
pub use combine::{Combination, Combined, combine};
pub use expected::{LeftOut, Reason, WindowExpectation, unexpected_events};
pub use scan::{Convention, Direction, Findings, Judged, Normalisation, Scan};
pub(crate) use windows::content;
pub use windows::{BumpHunter, Shapes, Step, WindowId, Windows};
