//! The rare tail of an experiment.

use super::{Device, Experiment, Operation, Result};
use crate::device::Upload;
use crate::hunt::scan::math::local_z;
use crate::toys::cells::DrawTables;
use crate::toys::tail::{Geometry, Tail, TailTables, TailTally};
use crate::toys::throw::critical_counts;

/// Toys between two calls of a progress function: 40,000 toys show their convergence in 20 steps.
const TOYS_A_CHUNK: u64 = 2_000;

impl Experiment {
    /// Throws toys of the tail, in which at least one window is as significant as a local p-value of `exp(ln_p)`: that of the
    /// [`Findings`](crate::hunt::Findings), or of a number of standard deviations
    /// ([`ln_normal_survival`](crate::math::special::ln_normal_survival)). [`TailEstimate::new`](super::super::TailEstimate::new)
    /// makes the global p-value of the answer.
    ///
    /// `progress` sees the tally after every 2,000 toys, and its error ends the toys. On CUDA the tables are uploaded once.
    ///
    /// ```
    /// use trawl::device::Device;
    /// use trawl::hunt::{Scan, Windows};
    /// use trawl::math::special::ln_normal_survival;
    /// use trawl::spectrum::Expectation;
    /// use trawl::toys::{Exceedance, Experiment, Tail, TailEstimate};
    /// let edges: Vec<f64> = (0..=12).map(f64::from).collect();
    /// let ranges: Vec<_> = (0..10).map(|first| first..first + 3).collect();
    /// let windows = Windows::new(vec![0.0, 1.0], edges, &ranges)?;
    /// let expectation = Expectation::given(vec![20.0; 12], None)?;
    /// let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast)?;
    /// let toys = Tail { seed: 1, first_toy: 0, toys: 10_000 };
    /// let tally = experiment.tail(&Device::Cpu, ln_normal_survival(8.0), toys, &|_| Ok(()))?;
    /// let estimate = TailEstimate::new(&tally)?;
    /// assert!(estimate.p < 1e-14 && estimate.relative_error < 0.005);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// Deficits or sidebands, no toys, a threshold that no window can reach, tables that do not fit the device, a failure of it, or what
    /// `progress` answers.
    pub fn tail(
        &self,
        device: &Device,
        ln_p: f64,
        toys: Tail,
        progress: &dyn Fn(&TailTally) -> Result<()>,
    ) -> Result<TailTally> {
        let tables = self.tail_tables(ln_p)?;
        toys.check(&tables.input)?;
        let mut tally = TailTally::empty(toys.seed, ln_p, &tables);
        let mut add = |part: Tail, column: &[u64]| {
            tally.add(part.first_toy..part.first_toy + part.toys, column)?;
            progress(&tally)
        };
        match device {
            Device::Cpu => {
                for part in chunks(toys) {
                    add(part, &part.cpu(tables.input.clone())?.tally)?;
                }
            }
            Device::Cuda(cuda) => {
                cuda.memory().require(Tail::NAME, toys.plan(&tables.input).total())?;
                let there = tables.input.upload(cuda)?;
                for part in chunks(toys) {
                    let column = part.cuda(cuda, there.clone())?.tally;
                    add(part, &cuda.download(&column)?)?;
                }
            }
        }
        Ok(tally)
    }

    /// The tables of `toys.tail` for a local p-value of `exp(ln_p)`.
    ///
    /// # Errors
    /// A threshold that is no p-value or that no window can reach.
    pub fn tail_input(&self, ln_p: f64) -> Result<crate::toys::tail::Input<crate::device::Host>> {
        Ok(self.tail_tables(ln_p)?.input)
    }

    fn tail_tables(&self, ln_p: f64) -> Result<TailTables> {
        if self.uncertain.is_some() {
            let fault = crate::error::Fault::new(Tail::NAME, "the expectation is uncertain");
            return Err(fault.because("its toys have a fixed one").suggest("Use toys.smeared_tail.").usage());
        }
        if !self.scan.counts_decide() {
            let fault = crate::error::Fault::new(Tail::NAME, format!("toys of the tail of {}", self.statistic()));
            let fault = fault.because("they are drawn from windows that exceed by their counts alone");
            return Err(fault.suggest("Throw toys by brute force.").usage());
        }
        if ln_p.is_nan() || ln_p > 0.0 {
            let fault = crate::error::Fault::new(Tail::NAME, format!("the logarithm of the local p-value is {ln_p}"));
            return Err(fault.because("p-values lie within 0 and 1").usage());
        }
        let shapes = &self.windows.shapes(self.expected.kept());
        let expected = self.expected.kept_values();
        let critical = critical_counts(expected, self.scan.convention, self.exceedance, local_z(ln_p), ln_p);
        let (draws, cells) = (&DrawTables::new(&self.cells)?, &self.cells[..]);
        let columns = self.windows.columns();
        TailTables::new(&Geometry { draws, cells, shapes, columns, expected, critical: &critical })
    }
}

fn chunks(toys: Tail) -> impl Iterator<Item = Tail> {
    (0..toys.toys.div_ceil(TOYS_A_CHUNK)).map(move |chunk| {
        let start = chunk * TOYS_A_CHUNK;
        Tail { first_toy: toys.first_toy + start, toys: TOYS_A_CHUNK.min(toys.toys - start), ..toys }
    })
}
