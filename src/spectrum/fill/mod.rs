//! `spectrum.fill`: weighted histograms of one or two variables with any edges.
//!
//! An entry with values v_k and weight w adds 1 to the count, w to the sum of weights and w^2 to the sum of squares of one
//! row. Rows are the bins with underflow and overflow on every axis, the last axis fastest; an entry with a NaN among its
//! values goes into one more row at the end, so that nothing is dropped silently. Values are compared with the f64 edges as
//! the f64 of the same value. Sums are exact ([`crate::math::exact`]), so that they depend on no order of events, batches
//! or threads.
//!
//! Cost an entry: 4 (axes + 1) bytes read, a binary search an axis, at most 7 integer additions.
//!
//! ```
//! use trawl::device::Operation;
//! use trawl::math::exact::WeightScale;
//! use trawl::selection::Tally;
//! use trawl::spectrum::{Axis, Entries, Fill, Spectrum};
//! let fill = Fill::new(vec![Axis::new("m", "GeV", vec![0.0, 1.0, 3.0])?], WeightScale::UNIT)?;
//! let entries = Entries {
//!     values: vec![vec![0.5, 1.0, 2.5, 9.0].into()],
//!     weights: vec![1.0; 4].into(),
//!     spectrum: Tally::empty(fill.rows()),
//! };
//! let spectrum = Spectrum::new(&fill, &fill.cpu(entries)?)?;
//! assert_eq!(spectrum.histogram().counts_without_flow(), [1, 2]);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
pub(crate) mod math;
#[cfg(test)]
mod tests;

pub(crate) use cuda::Prepared;

use super::Axis;
use crate::device::{Bytes, Column, Cuda, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Error, Fault, Problems, Result};
use crate::math::exact::{WEIGHT_NOT_FINITE, WEIGHT_TOO_LARGE, WeightScale};
use crate::selection::tally::{Tally, WORDS};

const NAME: &str = "spectrum.fill";

/// The spectrum as it accumulates in its place: [`Fill::rows`] rows.
pub type SpectrumAccumulator<P> = Tally<P>;

/// One or two axes, and the range of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    axes: Vec<Axis>,
    scale: WeightScale,
}

/// Entries of a spectrum and what was filled before them.
#[derive(Debug, Clone)]
pub struct Entries<P: Place> {
    /// The values, a column for each axis.
    pub values: Vec<P::Column<f32>>,
    /// The weight of each entry.
    pub weights: P::Column<f32>,
    /// The entries before; it comes out again with these added.
    pub spectrum: SpectrumAccumulator<P>,
}

impl Fill {
    /// A spectrum of one or two variables, with weights in the range of `scale` (that of the selection's weight).
    ///
    /// # Errors
    /// No axis or more than two, or more than 2^31 bins.
    pub fn new(axes: Vec<Axis>, scale: WeightScale) -> Result<Self> {
        let fill = Self { axes, scale };
        let mut problems = Problems::default();
        if !(1..=2).contains(&fill.axes.len()) {
            problems.push(Fault::new(NAME, format!("expected 1 or 2 axes, got {}", fill.axes.len())).usage());
        }
        let bins = fill.axes.iter().try_fold(1usize, |bins, axis| bins.checked_mul(axis.bins_with_flow()));
        if bins.is_none_or(|bins| bins > 1 << 31) {
            problems.push(Fault::new(NAME, "more than 2^31 bins").usage());
        }
        problems.finish().map(|()| fill)
    }

    /// The axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The range of weights.
    pub fn scale(&self) -> WeightScale {
        self.scale
    }

    /// The rows of its accumulator: bins with flow, and one for NaN.
    pub fn rows(&self) -> usize {
        self.axes.iter().map(Axis::bins_with_flow).product::<usize>() + 1
    }

    /// The same for weights of another range.
    pub fn with_scale(&self, scale: WeightScale) -> Self {
        Self { axes: self.axes.clone(), scale }
    }

    fn fault(&self, status: Status) -> Error {
        let (largest, entry) = (self.scale.largest(), status.entry);
        let others = match status.entries - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (problem, reason) = match status.weight {
            WEIGHT_NOT_FINITE => ("is not finite", "a sum with it would have no value".to_owned()),
            WEIGHT_TOO_LARGE => ("is too large", format!("the largest weight was declared as {largest}")),
            _ => ("is too small", format!("beside {largest} its square would be lost")),
        };
        Fault::new(NAME, format!("the weight of entry {entry}{others} {problem}"))
            .because(reason)
            .suggest("Declare the largest weight of the sample.")
            .data()
    }
}

/// What a launch reports: the lowest entry whose weight is refused, why, and how many are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    entry: u64,
    weight: u32,
    entries: u64,
}

impl Upload for Entries<Host> {
    type There = Entries<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Entries<OnDevice>> {
        let (values, weights) = (self.values.upload(cuda)?, self.weights.upload(cuda)?);
        Ok(Entries { values, weights, spectrum: self.spectrum.upload(cuda)? })
    }
}

impl Operation for Fill {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Entries<P>;
    type Output<P: Place> = SpectrumAccumulator<P>;

    fn check<P: Place>(&self, entries: &Entries<P>) -> Result<()> {
        let mut problems = Problems::default();
        let mut expect = |what: &str, got: usize, expected: usize| {
            if got != expected {
                problems.push(Fault::new(NAME, format!("{what}: expected {expected}, got {got}")).data());
            }
        };
        expect("columns of values", entries.values.len(), self.axes.len());
        expect("words of the spectrum", entries.spectrum.words.length(), self.rows() * WORDS);
        for (axis, values) in self.axes.iter().zip(&entries.values) {
            expect(&format!("values of '{}'", axis.name()), values.length(), entries.weights.length());
        }
        if u32::try_from(entries.weights.length()).is_err() {
            let problem = format!("{} entries are too many for one batch", entries.weights.length());
            problems.push(Fault::new(NAME, problem).data());
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, entries: &Entries<P>) -> Plan {
        let edges: Bytes = self.axes.iter().map(|axis| Bytes::of::<f64>(axis.edges().len())).sum();
        Plan {
            fixed: Bytes::of::<u64>(self.rows() * WORDS + 3) + edges,
            per_unit: Bytes::of::<f32>(self.axes.len() + 1),
            units: entries.weights.length() as u64,
        }
    }

    fn cpu(&self, entries: Entries<Host>) -> Result<SpectrumAccumulator<Host>> {
        cpu::fill(self, entries)
    }

    fn cuda(&self, cuda: &Cuda, entries: Entries<OnDevice>) -> Result<SpectrumAccumulator<OnDevice>> {
        cuda::fill(self, cuda, entries)
    }
}
