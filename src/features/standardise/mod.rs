//! `features.standardise`: columns of features onto the scale that a network wants, and what that does to a density.
//!
//! **What.** Each column has a fitted [`Transform`]:
//!
//! ```text
//! linear     y = (x - shift) scale                           z-score: mean and 1 / standard deviation; min-max: least and 1 / range
//! logit      y = (ln(u / (1 - u)) - shift) scale,            u = (x - low) / (high - low)
//! quantile   y = the share of the fitted values below x,     or the normal quantile of that share
//! ```
//!
//! With each row comes `ln |dy/dx|`, summed over the columns in their order: the logarithm of the Jacobian that has to be *added* to
//! `ln p(y)` where a density of x is meant. Densities as scores are not invariant under such maps (arXiv:2209.06225).
//!
//! **Outside.** A value outside of what was fitted, which a logit or a normal quantile would make infinite or no number, counts as 1e-6 of
//! the range from the edge (of 0 to 1, for uniform quantiles), and each row tells how many of its columns were; published code drops
//! such rows without a word.
//!
//! **Numbers.** Parameters are fitted on the host in `f64`, in the order of the rows, and stored with the result ([`Standardise`] is
//! serialisable). Values are `f64`; CPU and CUDA answer the same bits. A thread has a row; 8 bytes a value are read and written:
//! the memory of an H100 (3.35 TB/s) would bound it to 2e11 values a second.
//! The kernel is checked by emulation and SASS, not yet run on a GPU.
//!
//! ```
//! use trawl::Device;
//! use trawl::features::standardise::{Method, Standardise, Values};
//! let values = Values::of_rows(2, vec![1.0, 10.0, 2.0, 30.0, 3.0, 20.0])?;
//! let standardise = Standardise::fit(&[Method::ZScore, Method::MinMax], &values)?;
//! let output = Device::Cpu.run(&standardise, values)?;
//! assert!((output.values[0] + 1.5f64.sqrt()).abs() < 1e-15 && output.values[5] == 0.5);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod fit;
mod math;
#[cfg(test)]
mod tests;

pub use fit::Method;
pub use math::EDGE;
use serde::{Deserialize, Serialize};

use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};

const NAME: &str = "features.standardise";

/// The map of one column, with what was fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// `y = (x - shift) scale`.
    Linear {
        /// What becomes 0.
        shift: f64,
        /// Above 0.
        scale: f64,
    },
    /// `y = (ln(u / (1 - u)) - shift) scale` with `u = (x - low) / (high - low)`.
    Logit {
        /// What becomes minus infinity.
        low: f64,
        /// What becomes infinity.
        high: f64,
        /// The logit that becomes 0.
        shift: f64,
        /// Above 0.
        scale: f64,
    },
    /// The share of the fitted values below, from 0 to 1, linear between knots that have equal shares between them.
    Uniform {
        /// At least two, rising.
        knots: Vec<f64>,
    },
    /// The quantile of the normal distribution with that share below.
    Normal {
        /// At least two, rising.
        knots: Vec<f64>,
    },
}

/// The maps of all columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardise {
    /// One for each column.
    pub transforms: Vec<Transform>,
}

/// A table of values, row after row.
#[derive(Debug, Clone)]
pub struct Values<P: Place> {
    /// The number of columns.
    pub columns: u32,
    /// All values.
    pub values: P::Column<f64>,
}

/// The mapped table.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// All values, row after row.
    pub values: P::Column<f64>,
    /// `sum ln |dy/dx|` of each row.
    pub ln_jacobian: P::Column<f64>,
    /// The number of columns of each row whose value was outside of what was fitted.
    pub outside: P::Column<u32>,
}

impl Values<Host> {
    /// A table from its rows, one after the other.
    ///
    /// # Errors
    /// No columns, or a last row that is not whole.
    pub fn of_rows(columns: u32, values: Vec<f64>) -> Result<Self> {
        let table = Self { columns, values: values.into() };
        table.check_shape()?;
        Ok(table)
    }

    /// The values of a column, in the order of the rows.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        self.values.iter().skip(column).step_by(self.columns as usize).copied()
    }

    fn check_finite(&self) -> Result<()> {
        let Some(at) = self.values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let (row, column) = (at / self.columns as usize, at % self.columns as usize);
        let problem = format!("column {column} of row {row} is {}", self.values[at]);
        Err(Fault::new(NAME, problem).because("it has no place on a scale").suggest("Drop such rows before.").data())
    }
}

impl<P: Place> Values<P> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.values.length().checked_div(self.columns as usize).unwrap_or(0)
    }

    fn check_shape(&self) -> Result<()> {
        if self.columns == 0 || !self.values.length().is_multiple_of(self.columns as usize) {
            let problem = format!("{} values are no rows of {} columns", self.values.length(), self.columns);
            return Err(Fault::new(NAME, problem).data());
        }
        Ok(())
    }
}

impl Transform {
    /// Fits the map of one column; messages are about `subject`, as "feature 'mass'".
    ///
    /// # Errors
    /// As [`Standardise::fit`].
    pub(crate) fn fit(method: Method, subject: &str, values: &[f64]) -> Result<Self> {
        fit::of_one(method, subject, values)
    }

    /// Adds what is wrong with the map of a column.
    pub(crate) fn check(&self, column: usize, problems: &mut Problems) {
        let mut refuse = |what: &str, why: &str| {
            problems.push(Fault::new(NAME, format!("column {column}: {what}")).because(why.to_owned()).data());
        };
        let positive = |scale: f64| scale > 0.0 && scale.is_finite();
        match self {
            Self::Linear { shift, scale } if !(shift.is_finite() && positive(*scale)) => {
                refuse("shift and scale are no finite numbers, the scale above 0", "a map keeps the order of values");
            }
            Self::Logit { low, high, shift, scale } => {
                if !(low.is_finite() && high.is_finite() && low < high) {
                    refuse("the range is empty or not finite", "values are shares of it");
                }
                if !(shift.is_finite() && positive(*scale)) {
                    refuse(
                        "shift and scale are no finite numbers, the scale above 0",
                        "a map keeps the order of values",
                    );
                }
            }
            Self::Uniform { knots } | Self::Normal { knots } => {
                let rise = knots.len() >= 2 && knots.iter().all(|knot| knot.is_finite());
                if !rise || knots.windows(2).any(|pair| pair[0] >= pair[1]) {
                    refuse("the knots do not rise, or are fewer than two", "shares are read between them");
                }
            }
            Self::Linear { .. } => {}
        }
    }
}

impl Standardise {
    /// Fits a map for each column.
    ///
    /// # Errors
    /// All at once: another number of methods than columns, a value that is not finite, no rows, a column that is constant or has too few
    /// different values.
    pub fn fit(methods: &[Method], values: &Values<Host>) -> Result<Self> {
        values.check_shape()?;
        values.check_finite()?;
        fit::fit(methods, values)
    }
}

impl Operation for Standardise {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Values<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Values<P>) -> Result<()> {
        let mut problems = Problems::default();
        problems.take(input.check_shape());
        if self.transforms.len() != input.columns as usize {
            let problem = format!("{} maps for {} columns", self.transforms.len(), input.columns);
            problems.push(Fault::new(NAME, problem).because("each column has its own").data());
        }
        for (column, transform) in self.transforms.iter().enumerate() {
            transform.check(column, &mut problems);
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Values<P>) -> Plan {
        let row = 2 * input.columns as usize * size_of::<f64>() + size_of::<f64>() + size_of::<u32>();
        Plan { fixed: Bytes(self.bytes()), per_unit: Bytes(row as u64), units: input.rows() as u64 }
    }

    fn check_values(&self, input: &Values<Host>) -> Result<()> {
        input.check_finite()
    }

    fn cpu(&self, input: Values<Host>) -> Result<Output<Host>> {
        self.check_values(&input)?;
        Ok(cpu::mapped(self, &input))
    }

    fn cuda(&self, cuda: &Cuda, input: Values<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::mapped(self, cuda, &input)
    }
}

impl Upload for Values<Host> {
    type There = Values<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Values<OnDevice>> {
        Ok(Values { columns: self.columns, values: cuda.upload(&self.values)? })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output {
            values: cuda.download(&self.values)?,
            ln_jacobian: cuda.download(&self.ln_jacobian)?,
            outside: cuda.download(&self.outside)?,
        })
    }
}
