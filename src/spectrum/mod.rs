//! Histograms: bin edges, filling, exact sums, files.
//!
//! | part | what it does |
//! |---|---|
//! | [`Axis`] | the bins of a variable |
//! | [`binned`] | spectra that come as a table of bins |
//! | [`fill`] | the operation `spectrum.fill` |
//! | [`histogram`] | what was filled: added, projected and rebinned exactly; the same as f64 |
//! | [`uhi`] | UHI JSON, written and read |

mod axis;
pub mod binned;
pub mod fill;
pub mod histogram;
pub mod uhi;

pub use axis::Axis;
pub use fill::{Entries, Fill, SpectrumAccumulator};
pub use histogram::{Histogram, Spectrum};
