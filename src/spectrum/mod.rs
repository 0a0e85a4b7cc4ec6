//! Histograms: bin edges, filling, exact sums, files.
//!
//! | part | what it does |
//! |---|---|
//! | [`Axis`] | the bins of a variable |
//! | [`binned`] | spectra and planes that come as a table of bins |
//! | [`ensemble`] | the mean counts of an ensemble of selections, and their covariance |
//! | [`expectation`] | the expected background and how well it is known |
//! | [`fill`] | the operation `spectrum.fill` |
//! | [`Filling`] | what a histogram is filled with |
//! | [`histogram`] | what was filled: added, projected and rebinned exactly; the same as f64 |
//! | [`smooth`] | a log-polynomial fitted to a simulation, with its closure test |
//! | [`uhi`] | UHI JSON, written and read |

mod axis;
pub mod binned;
pub mod ensemble;
pub mod expectation;
pub mod fill;
mod filling;
mod grid;
pub mod histogram;
pub mod smooth;
pub mod uhi;

pub use axis::Axis;
pub use ensemble::EnsembleCounts;
pub use expectation::{Expectation, Source};
pub(crate) use fill::Prepared;
pub use fill::{Entries, Fill, SpectrumAccumulator};
pub use filling::Filling;
pub use histogram::{Histogram, Spectrum};
pub use smooth::{Closure, Simulation, Smooth, Smoothing};
