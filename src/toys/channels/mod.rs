//! An experiment of several channels: spectra that are hunted together.

use super::scan::{Channel, Input, ScanToys, limit, tables, throw_until, values};
use super::{Exceedance, GlobalSignificance, Stopped, Stopping, Tally, Throw, Toys};
use crate::device::{Device, Host};
use crate::error::{Fault, Result};
use crate::hunt::{Combination, Combined, Findings, Scan, WindowExpectation, Windows, check_channels, combine};
use crate::math::philox::Stage;
use crate::spectrum::Expectation;

const NAME: &str = "toys.channels";

/// The tables of several channels. They are built once; observations and toys come later.
///
/// ```
/// use trawl::device::Device;
/// use trawl::hunt::{BumpHunter, Combination, Scan, Windows};
/// use trawl::spectrum::Expectation;
/// use trawl::toys::{Channels, Exceedance};
/// let edges: Vec<f64> = (0..=10).map(f64::from).collect();
/// let windows = Windows::spectrum(&edges, &[20.0; 10], &BumpHunter::default())?;
/// let expectation = Expectation::given(vec![20.0; 10], None)?;
/// let channels = vec![(windows.clone(), expectation.clone()), (windows, expectation)];
/// let combination = Combination::BestOverlapping;
/// let channels = Channels::new(channels, 0.0, Scan::default(), combination, Exceedance::AtLeast)?;
/// let (mut electrons, mut muons) = (vec![20; 10], vec![20; 10]);
/// (electrons[4], muons[4]) = (40, 36);
/// let global = channels.global(&Device::Cpu, &[electrons, muons], 1, 1000, &|_| Ok(()))?;
/// assert_eq!(global.combined.overlap, Some((4.0, 5.0)));
/// assert!(global.significance.p < 0.01);
/// # Ok::<(), trawl::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Channels {
    channels: Vec<Part>,
    scan: Scan,
    combination: Combination,
    exceedance: Exceedance,
    input: Input<Host>,
}

#[derive(Debug, Clone)]
struct Part {
    windows: Windows,
    expected: WindowExpectation,
    cells: Vec<f64>,
}

/// What the toys say about an observation in several channels.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalChannels {
    /// The local p-values of each channel.
    pub findings: Vec<Findings>,
    /// What they say together.
    pub combined: Combined,
    /// The toys.
    pub tally: Tally,
    /// The global p-value. Without toys nothing is known, so the bounds are 1.
    pub significance: GlobalSignificance,
}

impl Channels {
    /// Builds the tables of channels, each its windows and its expectation, leaving out windows whose expectation rests on
    /// fewer effective events than `minimum_effective`; for [`Combination::SameWindow`] out of all channels.
    ///
    /// # Errors
    /// No channel, channels that cannot be combined, windows and expectation of different cells, no window left, or an
    /// expectation that cannot be thrown.
    pub fn new(
        channels: Vec<(Windows, Expectation)>,
        minimum_effective: f64,
        scan: Scan,
        combination: Combination,
        exceedance: Exceedance,
    ) -> Result<Self> {
        check_channels(channels.iter().map(|(windows, _)| windows), combination)?;
        let mut parts = Vec::new();
        for (windows, expectation) in &channels {
            let expected = WindowExpectation::normalised(windows, expectation, minimum_effective, scan.normalisation)?;
            parts.push(Part { windows: windows.clone(), expected, cells: expectation.values().to_vec() });
        }
        if combination == Combination::SameWindow {
            leave_out_of_all(&mut parts)?;
        }
        let views =
            parts.iter().map(|part| Channel { means: &part.cells, windows: &part.windows, expected: &part.expected });
        let input = tables(&views.collect::<Vec<_>>(), combination)?;
        Ok(Self { channels: parts, scan, combination, exceedance, input })
    }

    /// The number of channels.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Whether there is no channel; never true for channels that were checked.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// The windows of a channel.
    pub fn windows(&self, channel: usize) -> &Windows {
        &self.channels[channel].windows
    }

    /// The expectation of the windows of a channel, and those left out.
    pub fn expected(&self, channel: usize) -> &WindowExpectation {
        &self.channels[channel].expected
    }

    /// The tables of `toys.scan`.
    pub fn input(&self) -> &Input<Host> {
        &self.input
    }

    /// The local p-values of an observation (counts of each channel's cells), and what they say together.
    ///
    /// # Errors
    /// Counts of other channels or cells, or a failure of the device.
    pub fn scan(&self, device: &Device, observed: &[Vec<u64>]) -> Result<(Vec<Findings>, Combined)> {
        if observed.len() != self.channels.len() {
            let problem = format!("counts of {} channels for {} channels", observed.len(), self.channels.len());
            return Err(Fault::new(NAME, problem).because("each channel needs its own").data());
        }
        let scan = |(part, counts): (&Part, &Vec<u64>)| self.scan.run(device, &part.windows, &part.expected, counts);
        let findings = self.channels.iter().zip(observed).map(scan).collect::<Result<Vec<_>>>()?;
        let pairs: Vec<_> = self.channels.iter().map(|part| &part.windows).zip(&findings).collect();
        let combined = combine(&pairs, self.combination)?;
        Ok((findings, combined))
    }

    /// Throws the toys from `first_toy` on and counts those at least as significant as `combined`: by brute force, since
    /// the rare-tail estimator needs windows that exceed by themselves.
    ///
    /// # Errors
    /// No toys, tables that do not fit the device, a failure of it, or what `progress` answers.
    pub fn throw(
        &self,
        device: &Device,
        combined: &Combined,
        toys: Throw,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Tally> {
        let Throw { seed, first_toy, toys } = toys;
        let toys = Toys { seed, first_toy, stopping: Stopping::After(toys), begun: None };
        self.throw_until(device, combined.ln_p, toys, &mut |tally| progress(tally.toys())).map(|(tally, _)| tally)
    }

    /// Throws toys until it is time to stop and counts those whose product of p-values is as small as `exp(ln_p)`; after each
    /// part `watch` is shown the toys so far, and its error ends them.
    ///
    /// # Errors
    /// As [`Channels::throw`]; toys that were begun with other tables or have gaps.
    pub fn throw_until(
        &self,
        device: &Device,
        ln_p: f64,
        toys: Toys,
        watch: &mut dyn FnMut(&Tally) -> Result<()>,
    ) -> Result<(Tally, Stopped)> {
        let throw = Throw { seed: toys.seed, first_toy: toys.first_toy, toys: toys.stopping.most() };
        throw_until(device, self.compared(ln_p, throw), &self.input, toys, watch)
    }

    /// How toys are compared with a product of p-values.
    fn compared(&self, ln_p: f64, throw: Throw) -> ScanToys {
        ScanToys { throw, stage: Stage::Toys, scan: self.scan, limit_ln_p: self.limit(ln_p) }
    }

    /// The sha256 of the tables and of the product of p-values that toys are compared with: it tells toys of other channels,
    /// cells, windows, expectations or observations apart.
    pub fn tables_sha256(&self, ln_p: f64) -> String {
        self.compared(ln_p, Throw { seed: 0, first_toy: 0, toys: 0 }).tables_sha256(&self.input)
    }

    /// The global significance of the product of p-values `exp(ln_p)` by the toys of `tally`; without bounds, which products
    /// have not.
    ///
    /// # Errors
    /// A tally without toys.
    pub fn significance(&self, tally: &Tally, ln_p: f64) -> Result<GlobalSignificance> {
        Ok(GlobalSignificance::new(tally, ln_p, self.input.candidates())?.without_bounds())
    }

    /// The statistic whose largest value decides, in words.
    pub fn statistic(&self) -> String {
        format!("product over {} channels, {}: {}", self.len(), self.combination, self.scan.statistic())
    }

    /// Which toys count as at least as significant as the observation.
    pub fn exceedance(&self) -> Exceedance {
        self.exceedance
    }

    /// The smallest logarithm of a p-value of each toy: 8 bytes a toy.
    pub(crate) fn values(
        &self,
        device: &Device,
        toys: Throw,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Vec<f64>> {
        let toys = ScanToys { throw: toys, stage: Stage::Toys, scan: self.scan, limit_ln_p: f64::NEG_INFINITY };
        values(device, toys, &self.input, progress)
    }

    /// The same of data sets with `means` in the cells of each channel, judged against the expectation.
    pub(crate) fn values_of(&self, device: &Device, means: &[Vec<f64>], data_sets: Throw) -> Result<Vec<f64>> {
        let views = self.channels.iter().zip(means).map(|(part, means)| Channel {
            means,
            windows: &part.windows,
            expected: &part.expected,
        });
        let input = tables(&views.collect::<Vec<_>>(), self.combination)?;
        let toys = ScanToys { throw: data_sets, stage: Stage::Inject, scan: self.scan, limit_ln_p: f64::NEG_INFINITY };
        values(device, toys, &input, &|_| Ok(()))
    }

    /// The largest logarithm of a p-value that is as significant as `ln_p`.
    pub(crate) fn limit(&self, ln_p: f64) -> f64 {
        limit(ln_p, self.exceedance)
    }

    /// How windows are judged.
    pub fn judged_by(&self) -> Scan {
        self.scan
    }

    /// The expected content of each cell of a channel.
    pub fn cells(&self, channel: usize) -> &[f64] {
        &self.channels[channel].cells
    }

    /// Scans an observation and throws `toys` toys of `seed`: the global significance.
    ///
    /// # Errors
    /// As [`Channels::scan`] and [`Channels::throw`].
    pub fn global(
        &self,
        device: &Device,
        observed: &[Vec<u64>],
        seed: u64,
        toys: u64,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<GlobalChannels> {
        let (findings, combined) = self.scan(device, observed)?;
        let tally = self.throw(device, &combined, Throw { seed, first_toy: 0, toys }, progress)?;
        let significance = self.significance(&tally, combined.ln_p)?;
        Ok(GlobalChannels { findings, combined, tally, significance })
    }
}

/// Leaves a window out of all channels if any of them leaves it out.
fn leave_out_of_all(parts: &mut [Part]) -> Result<()> {
    for other in 0..parts.len() {
        let left_out = parts[other].expected.clone();
        parts.iter_mut().for_each(|part| part.expected = part.expected.without_those_left_out_of(&left_out));
    }
    if parts.iter().any(|part| part.expected.kept().is_empty()) {
        let fault = Fault::new(NAME, "every window is left out of one channel or another");
        return Err(fault
            .because("the same window is looked at in all channels")
            .suggest("Combine the channels' best windows, or use wider ones.")
            .data());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
