//! An experiment: one expectation and one observation, ready for any number of toys.

mod tables;
mod tail;
mod uncertain;

use std::sync::Arc;

use self::tables::Tables;
use self::uncertain::Uncertain;
use super::scan::{self, Channel, ScanToys};
use super::stopping::next_decision;
use super::throw::{Draws, Input, Layout, check_expected, critical_counts, floor_level, minimum_counts};
use super::{
    BackgroundUncertainty, Exceedance, GlobalSignificance, GrossVitells, NoScan, Statistic, Stopped, Stopping, Tally,
    Throw, smeared,
};
use crate::device::{Device, Host, Operation};
use crate::error::{Fault, Result};
use crate::hunt::{Combination, Findings, Normalisation, Scan, Shapes, WindowExpectation, Windows};
use crate::math::philox::Stage;
use crate::spectrum::Expectation;

/// The tables of an expectation. They are built once; observations and toys come later.
///
/// Excesses over a fixed expectation are counted by [`toys.throw`](super::throw), deficits and windows that are scaled to
/// their sidebands by [`toys.scan`](super::scan).
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
    cells: Vec<f64>,
    layout: Layout,
    draws: Draws<Host>,
    /// Of the windows in the order of the layout.
    minimum: Vec<u32>,
    uncertain: Option<Arc<Uncertain>>,
    /// The tables of `toys.scan` where counts alone do not decide.
    scanned: Option<scan::Input<Host>>,
}

/// Which toys are thrown.
#[derive(Debug, Clone)]
pub struct Toys {
    /// The seed.
    pub seed: u64,
    /// The number of the first toy.
    pub first_toy: u64,
    /// When to stop.
    pub stopping: Stopping,
    /// The toys that were thrown before, from the first one on.
    pub begun: Option<Tally>,
}

/// What the toys say about an observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Global {
    /// The local p-values.
    pub findings: Findings,
    /// The toys.
    pub tally: Tally,
    /// Why there are no more toys.
    pub stopped: Stopped,
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
        let expected = WindowExpectation::normalised(&windows, expectation, minimum_effective, scan.normalisation)?;
        check_expected(expectation.values())?;
        let ranges: Vec<_> = expected.kept().iter().map(|window| windows.ranges(*window).collect()).collect();
        let layout = Layout::new(expectation.values(), &ranges);
        let draws = Draws::new(&layout)?;
        let in_order: Vec<f64> = layout.windows.iter().map(|window| expected.kept_values()[*window]).collect();
        let minimum = minimum_counts(&in_order, scan.convention);
        let cells = expectation.values().to_vec();
        let channel = Channel { means: &cells, windows: &windows, expected: &expected };
        let scanned = match scan.counts_decide() {
            true => None,
            false => Some(scan::tables(&[channel], Combination::BestOverlapping)?),
        };
        Ok(Self { windows, expected, scan, exceedance, cells, layout, draws, minimum, uncertain: None, scanned })
    }

    /// How windows are judged.
    pub fn judged_by(&self) -> Scan {
        self.scan
    }

    /// Which toys count as at least as significant as the observation.
    pub fn exceedance(&self) -> Exceedance {
        self.exceedance
    }

    /// The expectation of every cell.
    pub fn means(&self) -> &[f64] {
        &self.cells
    }

    /// The sha256 of the tables of [`Experiment::input`], or of those of `toys.scan`: it tells toys of other cells, windows, expectations or
    /// observations apart.
    pub fn tables_sha256(&self, findings: &Findings) -> String {
        match self.scanned(findings) {
            None => self.tables(findings).sha256(),
            Some((toys, input)) => toys.tables_sha256(input),
        }
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
        if !self.scan.counts_decide() {
            let fault = Fault::new("toys.smeared", "deficits and windows scaled to their sidebands are not smeared");
            return Err(fault
                .because("their p-values are no function of a count alone")
                .suggest("Leave out [toys.uncertainty], or hunt for excesses over a fixed expectation.")
                .usage());
        }
        let mut uncertain = Uncertain::new(&self.windows, &self.expected, expectation, uncertainty, statistic)?;
        let nominal = || minimum_counts(self.expected.kept_values(), self.scan.convention);
        uncertain.minimum = uncertain.minimum_counts(self.scan.convention).unwrap_or_else(nominal);
        self.uncertain = Some(Arc::new(uncertain));
        Ok(self)
    }

    /// How toys are scanned, and the tables, where counts alone do not decide.
    fn scanned(&self, findings: &Findings) -> Option<(ScanToys, &scan::Input<Host>)> {
        let throw = Throw { seed: 0, first_toy: 0, toys: 0 };
        let limit_ln_p = scan::limit(findings.ln_p, self.exceedance);
        let toys = ScanToys { throw, stage: Stage::Toys, scan: self.scan, limit_ln_p };
        self.scanned.as_ref().map(|input| (toys, input))
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
        match self.uncertainty() {
            Some((_, Statistic::Marginal)) => {
                format!("Poisson p-value averaged over the uncertainty of the expectation{}", self.scan.judged())
            }
            Some((_, Statistic::Nominal)) | None => self.scan.statistic(),
        }
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

    /// The tables of `toys.throw` for an observation with these findings; they are not used where toys are scanned
    /// ([`Scan::counts_decide`]).
    pub fn input(&self, findings: &Findings) -> Input<Host> {
        let critical = self.critical_counts(findings);
        let ranges = self.layout.ranges.iter().flatten();
        let ends = self.layout.ranges.iter().scan(0, |sum, ranges| {
            *sum += ranges.len() as u32;
            Some(*sum)
        });
        Input {
            draws: self.draws.clone(),
            range: std::iter::once(0).chain(ends).collect(),
            start: ranges.clone().map(|range| range.start).collect(),
            end: ranges.map(|range| range.end).collect(),
            minimum: self.minimum.clone().into(),
            critical: self.layout.windows.iter().map(|window| critical[*window]).collect(),
            floor: floor_level(self.layout.windows.len(), self.layout.means.len()),
        }
    }

    /// The tables of `toys.smeared` for an observation with these findings; `None` where the expectation is taken as exact.
    pub fn smeared_input(&self, findings: &Findings) -> Option<smeared::Input<Host>> {
        let Shapes { start, end, height } = self.windows.shapes(self.expected.kept());
        Some(smeared::Input {
            start: start.into(),
            end: end.into(),
            height: height.into(),
            columns: self.windows.columns() as u32,
            minimum: self.uncertain.as_ref()?.minimum.clone().into(),
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
        let Throw { seed, first_toy, toys } = toys;
        let toys = Toys { seed, first_toy, stopping: Stopping::After(toys), begun: None };
        self.throw_until(device, findings, toys, &mut |tally| progress(tally.toys())).map(|(tally, _)| tally)
    }

    /// Throws toys until it is time to stop, in chunks that end where [`next_decision`] says. After each, `watch` is shown
    /// the toys so far, and its error ends them: what was shown may be `begun` of another call, which then gives the
    /// same tally as one that was never ended.
    ///
    /// # Errors
    /// No toys, toys that were begun with other tables or have gaps, tables that do not fit the device, a failure of it,
    /// or what `watch` answers.
    pub fn throw_until(
        &self,
        device: &Device,
        findings: &Findings,
        toys: Toys,
        watch: &mut dyn FnMut(&Tally) -> Result<()>,
    ) -> Result<(Tally, Stopped)> {
        if let Some((how, input)) = self.scanned(findings) {
            return scan::throw_until(device, how, input, toys, watch);
        }
        let tables = self.tables(findings);
        let all = Throw { seed: toys.seed, first_toy: toys.first_toy, toys: toys.stopping.most() };
        tables.check(all)?;
        let sha256 = tables.sha256();
        let ready = tables.ready(device, all)?;
        in_parts(toys, &sha256, &|part| ready.throw(part), watch)
    }

    /// The estimate of Gross and Vitells for an observation with these findings, or why there is none.
    ///
    /// # Errors
    /// An expectation that cannot be thrown.
    pub fn gross_vitells(&self, seed: u64, findings: &Findings) -> Result<Result<GrossVitells, NoScan>> {
        if self.uncertain.is_some() {
            return Ok(Err(NoScan::Uncertain));
        }
        if !self.scan.counts_decide() {
            return Ok(Err(NoScan::Statistic));
        }
        GrossVitells::estimate(&self.windows, &self.expected, &self.cells, self.scan.convention, seed, findings)
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
        let toys = Toys { seed, first_toy: 0, stopping: Stopping::After(toys), begun: None };
        let (tally, stopped) =
            self.throw_until(device, &findings, toys, &mut |tally: &Tally| progress(tally.toys()))?;
        let significance = self.significance(&tally, &findings)?;
        Ok(Global { findings, tally, stopped, significance })
    }

    /// The global significance of `findings` by the toys of `tally`.
    ///
    /// # Errors
    /// A tally without toys.
    pub fn significance(&self, tally: &Tally, findings: &Findings) -> Result<GlobalSignificance> {
        let significance = GlobalSignificance::new(tally, findings.ln_p, self.expected.kept().len())?;
        Ok(match self.scan.normalisation {
            Normalisation::Fixed => significance,
            Normalisation::Sidebands => significance.without_bounds(),
        })
    }
}

/// Throws toys until it is time to stop, in chunks that end where [`next_decision`] says: `column` throws one and counts it.
pub(super) fn in_parts(
    toys: Toys,
    sha256: &str,
    column: &dyn Fn(Throw) -> Result<Vec<u64>>,
    watch: &mut dyn FnMut(&Tally) -> Result<()>,
) -> Result<(Tally, Stopped)> {
    let Toys { seed, first_toy, stopping, begun } = toys;
    if let Some(begun) = &begun {
        check_begun(begun, seed, sha256, first_toy)?;
    }
    let (mut tally, end) = (begun, first_toy + stopping.most());
    loop {
        if let Some(stopped) = tally.as_ref().and_then(|tally| stopping.verdict(tally)) {
            return tally.map(|tally| (tally, stopped)).ok_or_else(no_toys);
        }
        let start = tally.as_ref().and_then(|tally| tally.ranges().last()).map_or(first_toy, |range| range.end);
        let part = start..next_decision(start).min(end);
        let thrown = column(Throw { seed, first_toy: part.start, toys: part.end - part.start })?;
        let part = Tally::new(seed, sha256.to_owned(), part, &thrown)?;
        let sum = match tally.take() {
            None => part,
            Some(tally) => tally.merge(&part)?,
        };
        watch(&sum)?;
        tally = Some(sum);
    }
}

/// Toys that were begun are those from the first on, of the same seed and tables.
fn check_begun(begun: &Tally, seed: u64, sha256: &str, first_toy: u64) -> Result<()> {
    let whole = begun.ranges().len() == 1 && begun.ranges()[0].start == first_toy;
    if begun.seed() == seed && begun.tables_sha256() == sha256 && whole {
        return Ok(());
    }
    let problem = format!("toys {:?} of seed {} cannot be gone on with", begun.ranges(), begun.seed());
    Err(Fault::new(Throw::NAME, problem)
        .because(format!("they are not all toys from {first_toy} on of seed {seed} and of the tables {sha256}"))
        .data())
}

fn no_toys() -> crate::error::Error {
    Fault::new(Throw::NAME, "there are no toys").because("a p-value is a fraction of toys").data()
}

#[cfg(test)]
mod heights_tests;
#[cfg(test)]
mod smeared_tests;
#[cfg(test)]
mod tests;
