//! Histograms: bin edges, filling, exact sums, files; and the expectation of their cells.
//!
//! | part | what it does |
//! |---|---|
//! | [`Axis`] | the bins of a variable |
//! | [`binned`] | spectra that come as a table of bins |
//! | [`expectation`] | what is expected in each cell without a signal |
//! | [`fill`] | the operation `spectrum.fill` |
//! | [`histogram`] | what was filled: added, projected and rebinned exactly; the same as f64 |
//! | [`smooth`] | a smooth expectation from a simulation |
//! | [`uhi`] | UHI JSON, written and read |

mod axis;
pub mod binned;
pub mod expectation;
pub mod fill;
pub mod histogram;
pub mod smooth;
pub mod uhi;

pub use axis::Axis;
pub use expectation::{Expectation, Source};
pub use fill::{Entries, Fill, SpectrumAccumulator};
pub use histogram::{Histogram, Spectrum};
pub use smooth::{Closure, Simulation, Smooth, Smoothing};
