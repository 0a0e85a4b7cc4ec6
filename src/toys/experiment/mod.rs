//! An experiment: one expectation and one observation, ready for any number of toys.

mod tail;

use sha2::{Digest, Sha256};

use super::throw::{DrawTables, Input, critical_counts, minimum_counts};
use super::{Exceedance, GlobalSignificance, Tally, Throw};
use crate::device::{Device, Host, Operation, Upload};
use crate::error::Result;
use crate::hunt::{Findings, Scan, WindowExpectation, Windows};
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
    cells: Vec<f64>,
    draws: DrawTables,
    minimum: Vec<u32>,
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
        let cells = expectation.values().to_vec();
        Ok(Self { windows, expected, scan, exceedance, cells, draws, minimum })
    }

    /// The windows.
    pub fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The expectation of the windows, and those left out.
    pub fn expected(&self) -> &WindowExpectation {
        &self.expected
    }

    /// The local p-values of an observation.
    ///
    /// # Errors
    /// Counts of other cells, or a failure of the device.
    pub fn scan(&self, device: &Device, observed: &[u64]) -> Result<Findings> {
        self.scan.run(device, &self.windows, &self.expected, observed)
    }

    /// The tables of `toys.throw` for an observation with these findings.
    pub fn input(&self, findings: &Findings) -> Input<Host> {
        let (start, end) = self.windows.starts_and_ends(self.expected.kept());
        let (z, ln_p) = (findings.z, findings.ln_p);
        let critical = critical_counts(self.expected.kept_values(), self.scan.convention, self.exceedance, z, ln_p);
        Input {
            cell: self.draws.cell.clone().into(),
            guide: self.draws.guide.clone().into(),
            threshold_high: self.draws.threshold_high.clone().into(),
            threshold_low: self.draws.threshold_low.clone().into(),
            start: start.into(),
            end: end.into(),
            minimum: self.minimum.clone().into(),
            critical: critical.into(),
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
        let input = self.input(findings);
        toys.check(&input)?;
        let sha256 = sha256(&input);
        let mut sum = vec![0_u64; input.tally_length()];
        let mut add = |part: &[u64], done: u64| {
            sum.iter_mut().zip(part).for_each(|(sum, count)| *sum += count);
            progress(done)
        };
        match device {
            Device::Cpu => {
                for (part, done) in chunks(toys) {
                    add(&part.cpu(input.clone())?.tally, done)?;
                }
            }
            Device::Cuda(cuda) => {
                cuda.memory().require(Throw::NAME, toys.plan(&input).total())?;
                let there = input.upload(cuda)?;
                for (part, done) in chunks(toys) {
                    let tally = part.cuda(cuda, there.clone())?.tally;
                    add(&cuda.download(&tally)?, done)?;
                }
            }
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

fn chunks(toys: Throw) -> impl Iterator<Item = (Throw, u64)> {
    (0..toys.toys.div_ceil(TOYS_A_CHUNK)).map(move |chunk| {
        let start = chunk * TOYS_A_CHUNK;
        let number = TOYS_A_CHUNK.min(toys.toys - start);
        (Throw { seed: toys.seed, first_toy: toys.first_toy + start, toys: number }, start + number)
    })
}

/// The sha256 of all tables, each with its length, in hexadecimal digits.
fn sha256(input: &Input<Host>) -> String {
    let mut hash = Sha256::new();
    let columns = [
        &input.cell,
        &input.guide,
        &input.threshold_high,
        &input.threshold_low,
        &input.start,
        &input.end,
        &input.minimum,
        &input.critical,
    ];
    for column in columns {
        hash.update((column.len() as u64).to_le_bytes());
        column.iter().for_each(|word| hash.update(word.to_le_bytes()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
