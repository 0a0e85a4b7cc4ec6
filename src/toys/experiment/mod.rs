//! An experiment: one expectation and one observation, ready for any number of toys.

mod tables;
mod uncertain;

use std::sync::Arc;

use self::tables::Tables;
use self::uncertain::Uncertain;
use super::throw::{DrawTables, Input, critical_counts, minimum_counts};
use super::{BackgroundUncertainty, Exceedance, GlobalSignificance, Statistic, Tally, Throw, smeared};
use crate::device::{Device, Host};
use crate::error::Result;
use crate::hunt::{Convention, Findings, Scan, WindowExpectation, Windows};
use crate::spectrum::Expectation;

/// Toys between two calls of a progress function, on either device.
const TOYS_A_CHUNK: u64 = 20_000;

/// The tables of an expectation. They are built once; observations and toys come later.
///
/// ```
/// use trawl::device::Device;
/// use trawl::hunt::{Scan, Windows};
/// use trawl::spectrum::Expectation;
/// use trawl::toys::{Exceedance, Experiment};
/// let edges: Vec<f64> = (0..=12).map(f64::from).collect();
/// let ranges: Vec<_> = (0..10).map(|first| first..first + 3).collect();
/// let windows = Windows::new(vec![0.0, 1.0], edges, &ranges)?;
/// let expectation = Expectation::given(vec![20.0; 12], None)?;
/// let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast)?;
/// let mut observed = vec![20; 12];
/// observed[5] = 60;
/// let global = experiment.global(&Device::Cpu, &observed, 1, 1000, &|_| Ok(()))?;
/// assert!(global.significance.p < 0.01);
/// # Ok::<(), trawl::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Experiment {
    windows: Windows,
    expected: WindowExpectation,
    scan: Scan,
    exceedance: Exceedance,
    draws: DrawTables,
    minimum: Vec<u32>,
    uncertain: Option<Arc<Uncertain>>,
}

/// What the toys say about an observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Global {
    /// The local p-values.
    pub findings: Findings,
    /// The toys.
    pub tally: Tally,
    /// The global p-value.
    pub significance: GlobalSignificance,
}

impl Experiment {
    /// Builds the tables of `expectation` in `windows`, leaving out windows whose expectation rests on fewer effective
    /// events than `minimum_effective`.
    ///
    /// # Errors
    /// Windows and expectation of different cells, no window left, or an expectation that cannot be thrown.
    pub fn new(
        windows: Windows,
        expectation: &Expectation,
        minimum_effective: f64,
        scan: Scan,
        exceedance: Exceedance,
    ) -> Result<Self> {
        let expected = WindowExpectation::new(&windows, expectation, minimum_effective)?;
        let draws = DrawTables::new(expectation.values())?;
        let minimum = minimum_counts(expected.kept_values(), scan.convention);
        Ok(Self { windows, expected, scan, exceedance, draws, minimum, uncertain: None })
    }

    /// The same experiment with the uncertainty of `expectation`, the one that it was built from: toys are smeared, and the
    /// p-value of `statistic` is maximised in the data as in the toys.
    ///
    /// ```
    /// # use trawl::device::Device;
    /// # use trawl::hunt::{Scan, Windows};
    /// # use trawl::spectrum::Expectation;
    /// # use trawl::toys::{BackgroundUncertainty, Exceedance, Experiment, Smearing, Statistic, Template};
    /// # let edges: Vec<f64> = (0..=12).map(f64::from).collect();
    /// # let ranges: Vec<_> = (0..10).map(|first| first..first + 3).collect();
    /// # let windows = Windows::new(vec![0.0, 1.0], edges, &ranges)?;
    /// # let expectation = Expectation::given(vec![20.0; 12], None)?;
    /// let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast)?;
    /// let template = Template { name: "non-closure".into(), relative: vec![0.1; 12] };
    /// let uncertainty = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.0; 12], vec![template])?;
    /// let smeared = experiment.clone().with_uncertainty(&expectation, uncertainty, Statistic::Marginal)?;
    /// let mut observed = vec![20; 12];
    /// observed[5] = 60;
    /// let (fixed, smeared) = (experiment.scan(&Device::Cpu, &observed)?, smeared.scan(&Device::Cpu, &observed)?);
    /// assert!(smeared.z < fixed.z);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// An uncertainty of other cells, one that cannot be thrown, and windows whose p-value cannot be averaged.
    pub fn with_uncertainty(
        mut self,
        expectation: &Expectation,
        uncertainty: BackgroundUncertainty,
        statistic: Statistic,
    ) -> Result<Self> {
        let uncertain = Uncertain::new(&self.windows, &self.expected, expectation, uncertainty, statistic)?;
        let convention = self.scan.convention;
        let nominal = || minimum_counts(self.expected.kept_values(), convention);
        self.minimum = uncertain.minimum_counts(convention).unwrap_or_else(nominal);
        self.uncertain = Some(Arc::new(uncertain));
        Ok(self)
    }

    /// The windows.
    pub fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The expectation of the windows, and those left out.
    pub fn expected(&self) -> &WindowExpectation {
        &self.expected
    }

    /// How well the expectation is known, and which p-value is maximised; `None` where it is taken as exact.
    pub fn uncertainty(&self) -> Option<(&BackgroundUncertainty, Statistic)> {
        self.uncertain.as_ref().map(|uncertain| (&uncertain.uncertainty, uncertain.statistic))
    }

    /// The relative standard deviation of the expectation of each window that takes part; empty where it is taken as exact.
    pub fn relative_uncertainties(&self) -> &[f64] {
        self.uncertain.as_ref().map_or(&[], |uncertain| &uncertain.relative)
    }

    /// What smears the expectation of the toys, in words.
    pub fn smearing(&self) -> String {
        self.uncertainty().map_or("none".into(), |(uncertainty, _)| uncertainty.to_string())
    }

    /// The statistic whose largest value decides, in words.
    pub fn statistic(&self) -> String {
        let p_value = match self.uncertainty() {
            Some((_, Statistic::Marginal)) => "Poisson p-value averaged over the uncertainty of the expectation",
            Some((_, Statistic::Nominal)) | None => "statistical-only Poisson p-value",
        };
        let excesses = if self.scan.convention == Convention::ExcessOnly { ", excesses only" } else { "" };
        format!("{p_value}{excesses}")
    }

    /// The local p-values of an observation.
    ///
    /// # Errors
    /// Counts of other cells, or a failure of the device.
    pub fn scan(&self, device: &Device, observed: &[u64]) -> Result<Findings> {
        let findings = self.scan.run(device, &self.windows, &self.expected, observed)?;
        match &self.uncertain {
            None => Ok(findings),
            Some(uncertain) => Ok(uncertain.judge(findings, self.scan.convention)),
        }
    }

    /// The tables of `toys.throw` for an observation with these findings.
    pub fn input(&self, findings: &Findings) -> Input<Host> {
        let (start, end) = self.windows.starts_and_ends(self.expected.kept());
        Input {
            cell: self.draws.cell.clone().into(),
            guide: self.draws.guide.clone().into(),
            threshold_high: self.draws.threshold_high.clone().into(),
            threshold_low: self.draws.threshold_low.clone().into(),
            start: start.into(),
            end: end.into(),
            minimum: self.minimum.clone().into(),
            critical: self.critical_counts(findings).into(),
        }
    }

    /// The tables of `toys.smeared` for an observation with these findings; `None` where the expectation is taken as exact.
    pub fn smeared_input(&self, findings: &Findings) -> Option<smeared::Input<Host>> {
        let (start, end) = self.windows.starts_and_ends(self.expected.kept());
        Some(smeared::Input {
            start: start.into(),
            end: end.into(),
            minimum: self.minimum.clone().into(),
            critical: self.critical_counts(findings).into(),
            ..self.uncertain.as_ref()?.cells.clone()
        })
    }

    /// The count from which each window that takes part is as significant as `findings`.
    fn critical_counts(&self, findings: &Findings) -> Vec<u32> {
        let (convention, exceedance) = (self.scan.convention, self.exceedance);
        match &self.uncertain {
            Some(uncertain) if uncertain.statistic == Statistic::Marginal => {
                uncertain.critical_counts(convention, exceedance, findings.ln_p)
            }
            _ => critical_counts(self.expected.kept_values(), convention, exceedance, findings.z, findings.ln_p),
        }
    }

    fn tables(&self, findings: &Findings) -> Tables {
        match (self.smeared_input(findings), self.uncertainty()) {
            (Some(input), Some((uncertainty, _))) => Tables::Smeared(input, uncertainty.smearing()),
            _ => Tables::Fixed(self.input(findings)),
        }
    }

    /// Throws the toys from `first_toy` on and counts those at least as significant as `findings`. On CUDA the tables
    /// are uploaded once; `progress` is told the number of toys that are done, and its error ends the toys.
    ///
    /// # Errors
    /// No toys, tables that do not fit the device, a failure of it, or what `progress` answers.
    pub fn throw(
        &self,
        device: &Device,
        findings: &Findings,
        toys: Throw,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Tally> {
        let tables = self.tables(findings);
        tables.check(toys)?;
        let (sha256, chunk) = (tables.sha256(), tables.toys_a_chunk());
        let mut sum = vec![0_u64; tables.tally_length()];
        let ready = tables.ready(device, toys)?;
        for (part, done) in chunks(toys, chunk) {
            sum.iter_mut().zip(ready.throw(part)?).for_each(|(sum, count)| *sum += count);
            progress(done)?;
        }
        Tally::new(toys.seed, sha256, toys.first_toy..toys.first_toy + toys.toys, &sum)
    }

    /// Scans an observation and throws `toys` toys of `seed`: the global significance.
    ///
    /// # Errors
    /// As [`Experiment::scan`] and [`Experiment::throw`].
    pub fn global(
        &self,
        device: &Device,
        observed: &[u64],
        seed: u64,
        toys: u64,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Global> {
        let findings = self.scan(device, observed)?;
        let tally = self.throw(device, &findings, Throw { seed, first_toy: 0, toys }, progress)?;
        let significance = GlobalSignificance::new(&tally, findings.ln_p, self.expected.kept().len())?;
        Ok(Global { findings, tally, significance })
    }
}

fn chunks(toys: Throw, toys_a_chunk: u64) -> impl Iterator<Item = (Throw, u64)> {
    (0..toys.toys.div_ceil(toys_a_chunk)).map(move |chunk| {
        let start = chunk * toys_a_chunk;
        let number = toys_a_chunk.min(toys.toys - start);
        (Throw { seed: toys.seed, first_toy: toys.first_toy + start, toys: number }, start + number)
    })
}

#[cfg(test)]
mod smeared_tests;
#[cfg(test)]
mod tests;
