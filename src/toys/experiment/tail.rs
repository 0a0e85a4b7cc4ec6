//! The rare tail of an experiment.

use std::ops::Range;

use super::{Device, Experiment, Operation, Result};
use crate::device::Upload;
use crate::error::Fault;
use crate::hunt::Findings;
use crate::hunt::scan::math::local_z;
use crate::toys::cells::DrawTables;
use crate::toys::tail::{Geometry, TailTables};
use crate::toys::throw::critical_counts;
use crate::toys::{ExceedingToys, SmearedTail, Stopped, Stopping, Tail, TailEstimate, TailTally, WeightTally};

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
        let Tail { seed, first_toy, toys } = toys;
        let toys = ExceedingToys { seed, first_toy, stopping: Stopping::After(toys) };
        self.tail_until(device, ln_p, toys, &mut |tally| progress(tally)).map(|(tally, _)| tally)
    }

    /// Throws toys of the tail as [`Experiment::tail`] does, until it is time to stop.
    ///
    /// # Errors
    /// As [`Experiment::tail`].
    pub fn tail_until(
        &self,
        device: &Device,
        ln_p: f64,
        toys: ExceedingToys,
        watch: &mut dyn FnMut(&TailTally) -> Result<()>,
    ) -> Result<(TailTally, Stopped)> {
        let tables = self.tail_tables(ln_p)?;
        let part = |range: Range<u64>| Tail {
            seed: toys.seed,
            first_toy: range.start,
            toys: range.end.saturating_sub(range.start),
        };
        let all = Tail { toys: toys.stopping.most(), ..part(toys.all()) };
        all.check(&tables.input)?;
        let there = match device {
            Device::Cpu => None,
            Device::Cuda(cuda) => {
                cuda.memory().require(Tail::NAME, all.plan(&tables.input).total())?;
                Some((cuda, tables.input.upload(cuda)?))
            }
        };
        let throw = |part: Tail| match &there {
            None => Ok(part.cpu(tables.input.clone())?.tally),
            Some((cuda, input)) => cuda.download(&part.cuda(cuda, input.clone())?.tally),
        };
        let relative_error = |tally: &TailTally| Some(TailEstimate::new(tally).ok()?.relative_error);
        toys.throw(TailTally::empty(toys.seed, ln_p, &tables), relative_error, |tally, chunk| {
            tally.add(chunk.clone(), &throw(part(chunk))?)?;
            watch(tally)
        })
    }

    /// Throws toys of the tail beyond `findings`, where the expectation is uncertain, until it is time to stop.
    /// [`SmearedTailEstimate::new`](super::super::SmearedTailEstimate::new) makes the global p-value of the answer.
    ///
    /// `watch` sees the tally after every 2,000 toys, and its error ends the toys. On CUDA the tables are uploaded once.
    ///
    /// # Errors
    /// An expectation that is taken as exact, no toys, windows of which none can reach its critical count, tables that do not fit
    /// the device, a failure of it, or what `watch` answers.
    pub fn smeared_tail_until(
        &self,
        device: &Device,
        findings: &Findings,
        toys: ExceedingToys,
        watch: &mut dyn FnMut(&WeightTally) -> Result<()>,
    ) -> Result<(WeightTally, Stopped)> {
        let (Some(input), Some((uncertainty, _))) = (self.smeared_input(findings), self.uncertainty()) else {
            let fault = Fault::new("toys.smeared_tail", "the expectation is taken as exact");
            return Err(fault.because("its toys are not smeared").suggest("Use toys.tail.").usage());
        };
        SmearedTail::until(device, toys, uncertainty.smearing(), &input, watch)
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
            let fault = Fault::new(Tail::NAME, "the expectation is uncertain");
            return Err(fault.because("its toys have a fixed one").suggest("Use toys.smeared_tail.").usage());
        }
        if !self.scan.counts_decide() {
            let fault = Fault::new(Tail::NAME, format!("toys of the tail of {}", self.statistic()));
            let fault = fault.because("they are drawn from windows that exceed by their counts alone");
            return Err(fault.suggest("Throw toys by brute force.").usage());
        }
        if ln_p.is_nan() || ln_p > 0.0 {
            let fault = Fault::new(Tail::NAME, format!("the logarithm of the local p-value is {ln_p}"));
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
