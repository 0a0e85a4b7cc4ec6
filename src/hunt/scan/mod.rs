//! Operation `hunt.scan`: the local p-value of every window, and the most significant window.
//!
//! **What.** With `d` the observed and `b` the expected content of a window, the p-value of an excess is
//! `p = P(N >= d | b) = sum_{n >= d} e^-b b^n / n!`, that of a deficit `P(N <= d | b)`, kept as its logarithm, and `z` with
//! `p = 1 - Phi(z)`. The test statistic is `t = -ln min p`. Window contents come from prefix sums of the cells' counts, `b` is
//! summed on the host, once.
//!
//! **Sidebands.** With [`Normalisation::Sidebands`] the expectation is a shape only: each window's `b` is multiplied by
//! `(D - d) / (B - b)`, where `D` and `B` are the observed and expected contents of its row from the first to the last cell
//! with an expectation; p is at least 1e-300. The statistical error of `D - d` is neglected.
//!
//! **Conventions.** A window that holds no more than expected (no less, for deficits) has p = 1 unless [`Convention::Survival`]
//! is asked for; no event at all has p = 1 as an excess under either. A window whose sidebands hold no event has p = 1. A
//! window with nothing expected, and with sidebands one with nothing expected beside it, is left out and listed, whatever it
//! holds ([`Reason`](super::Reason)). A cell without expectation counts in the windows that hold it; those at the ends of
//! the row belong to no sideband. [`unexpected_events`](super::unexpected_events) lists what such cells hold.
//!
//! **Ties.** The lowest window wins. **Neglected.** The uncertainty of `b`.
//! **Cost.** A prefix sum over the cells and one continued fraction or series a window; on CUDA each block repeats the
//! prefix sum in shared memory, 8 bytes a cell.
//! **Source.** arXiv:1101.0390, equations 8 to 14; golden: the test vector of pyBumpHunter, and random spectra through
//! pyBumpHunter 0.5.1 (`scripts/oracles/bump_hunter.py`).

mod cpu;
mod cuda;
pub mod math;

use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::hunt::{Shapes, WindowExpectation, WindowId, Windows};
use crate::settings::Section;

/// What the p-value of a window without an excess is (without a deficit, where those are hunted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Convention {
    /// BumpHunter: p = 1 unless the window holds more than expected.
    #[default]
    ExcessOnly,
    /// The Poisson survival function everywhere: p below 1 for any count but 0.
    Survival,
}

impl Convention {
    pub(crate) fn excess_only(self) -> bool {
        self == Self::ExcessOnly
    }
}

/// What is hunted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// More events than expected.
    #[default]
    Excess,
    /// Fewer events than expected.
    Deficit,
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Excess => "excess",
            Self::Deficit => "deficit",
        })
    }
}

/// How much is expected in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Normalisation {
    /// What the expectation says.
    #[default]
    Fixed,
    /// The expectation is a shape: for each window it is scaled to the data outside the window.
    Sidebands,
}

/// The operation `hunt.scan`: how windows are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scan {
    /// The p-value of a window on the other side.
    pub convention: Convention,
    /// What is hunted.
    pub direction: Direction,
    /// How much is expected.
    pub normalisation: Normalisation,
}

impl Scan {
    /// The choices as the functions of [`math`] and the kernels take them: a sum of flags.
    pub fn judge(&self) -> u32 {
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        flag(self.convention.excess_only(), math::ONE_SIDE)
            | flag(self.direction == Direction::Deficit, math::DEFICIT)
            | flag(self.normalisation == Normalisation::Sidebands, math::SIDEBANDS)
    }

    /// Whether a window's p-value is a function of its count alone and falls with it: then toys compare counts
    /// ([`toys.throw`](crate::toys::throw)), otherwise they are scanned ([`toys.scan`](crate::toys::scan)).
    pub fn counts_decide(&self) -> bool {
        self.direction == Direction::Excess && self.normalisation == Normalisation::Fixed
    }

    /// The statistic of a window, in words.
    pub fn statistic(&self) -> String {
        format!("statistical-only Poisson p-value{}", self.judged())
    }

    /// What is judged and how it is scaled, in words that follow those for the p-value.
    pub(crate) fn judged(&self) -> String {
        let side = match (self.convention, self.direction) {
            (Convention::ExcessOnly, Direction::Excess) => ", excesses only",
            (Convention::ExcessOnly, Direction::Deficit) => ", deficits only",
            (Convention::Survival, Direction::Excess) => "",
            (Convention::Survival, Direction::Deficit) => " of deficits",
        };
        let scaled = match self.normalisation {
            Normalisation::Fixed => "",
            Normalisation::Sidebands => ", scaled to the sidebands of each window",
        };
        format!("{side}{scaled}")
    }

    /// Reads `direction` (`excess` or `deficit`) and `normalisation` (`fixed` or `sidebands`) from a card's `[hunt]`.
    pub fn read(section: &Section) -> Self {
        let directions = [("excess", Direction::Excess), ("deficit", Direction::Deficit)];
        let normalisations = [("fixed", Normalisation::Fixed), ("sidebands", Normalisation::Sidebands)];
        Self {
            convention: Convention::ExcessOnly,
            direction: section.choice("direction", &directions, Direction::Excess),
            normalisation: section.choice("normalisation", &normalisations, Normalisation::Fixed),
        }
    }
}

/// Windows and the counts in their cells.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The first cell of each window in its lowest row.
    pub start: P::Column<u32>,
    /// The cell after the last of each window in its lowest row.
    pub end: P::Column<u32>,
    /// The rows of each window.
    pub height: P::Column<u32>,
    /// The cells of a row.
    pub columns: u32,
    /// The expected content of each window, above 0.
    pub expected: P::Column<f64>,
    /// The expected content beside each window; above 0 with sidebands, unused without.
    pub expected_outside: P::Column<f64>,
    /// The first cell of each window and its sidebands.
    pub sideband_start: P::Column<u32>,
    /// The cell after the last of each window and its sidebands.
    pub sideband_end: P::Column<u32>,
    /// The observed count of each cell.
    pub observed: P::Column<u64>,
}

/// What each window holds and how unlikely that is.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The observed content of each window.
    pub observed: P::Column<u64>,
    /// The logarithm of each window's p-value.
    pub ln_p: P::Column<f64>,
    /// Each window's significance.
    pub z: P::Column<f64>,
    /// The smallest logarithm of each part of the scan: one on the CPU, one a block on CUDA.
    pub best_ln_p: P::Column<f64>,
    /// The window that has it.
    pub best_window: P::Column<u32>,
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input {
            start: cuda.upload(&self.start)?,
            end: cuda.upload(&self.end)?,
            height: cuda.upload(&self.height)?,
            columns: self.columns,
            expected: cuda.upload(&self.expected)?,
            expected_outside: cuda.upload(&self.expected_outside)?,
            sideband_start: cuda.upload(&self.sideband_start)?,
            sideband_end: cuda.upload(&self.sideband_end)?,
            observed: cuda.upload(&self.observed)?,
        })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output {
            observed: cuda.download(&self.observed)?,
            ln_p: cuda.download(&self.ln_p)?,
            z: cuda.download(&self.z)?,
            best_ln_p: cuda.download(&self.best_ln_p)?,
            best_window: cuda.download(&self.best_window)?,
        })
    }
}

impl Operation for Scan {
    const NAME: &'static str = "hunt.scan";
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        let windows = input.start.length();
        let columns = [
            ("ends", input.end.length()),
            ("heights", input.height.length()),
            ("expectations", input.expected.length()),
            ("expectations outside", input.expected_outside.length()),
            ("starts of sidebands", input.sideband_start.length()),
            ("ends of sidebands", input.sideband_end.length()),
        ];
        for (what, length) in columns {
            if length != windows {
                let fault = Fault::new(Self::NAME, format!("{length} {what} for {windows} windows"));
                problems.push(fault.because("each window needs one").data());
            }
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        Plan {
            fixed: Bytes::of::<u64>(input.observed.length()),
            per_unit: Bytes((5 * size_of::<u32>() + 5 * size_of::<u64>()) as u64),
            units: input.start.length() as u64,
        }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        check_ranges(&input)?;
        Ok(cpu::scan(self, &input))
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::scan(self, cuda, &input)
    }
}

fn check_ranges(input: &Input<Host>) -> Result<()> {
    let cells = input.observed.len();
    let wrong = |window: &usize| {
        let (start, end) = (input.start[*window], input.end[*window]);
        let (low, high) = (input.sideband_start[*window], input.sideband_end[*window]);
        let above = u64::from(input.height[*window].saturating_sub(1)) * u64::from(input.columns);
        low > start || start > end || end > high || high as usize > cells || u64::from(end) + above > cells as u64
    };
    match (0..input.start.len()).find(wrong) {
        None => Ok(()),
        Some(window) => {
            let problem = format!("window {window} reaches beyond its sidebands or the {cells} cells");
            Err(Fault::new(Scan::NAME, problem).because("windows and counts must share their cells").data())
        }
    }
}

/// The result of a hunt over all windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// The most significant window; the lowest of equals.
    pub best: WindowId,
    /// Its observed content.
    pub observed: u64,
    /// Its expected content, scaled to the sidebands where those normalise.
    pub expected: f64,
    /// The logarithm of its p-value.
    pub ln_p: f64,
    /// Its significance.
    pub z: f64,
    /// Every window that took part, in order.
    pub windows: Vec<Judged>,
}

/// One window of a hunt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Which one.
    pub window: WindowId,
    /// Its observed content.
    pub observed: u64,
    /// Its expected content, scaled to the sidebands where those normalise.
    pub expected: f64,
    /// The logarithm of its p-value.
    pub ln_p: f64,
    /// Its significance.
    pub z: f64,
}

impl Findings {
    /// The best window with what it holds.
    pub fn best_judged(&self) -> Judged {
        let Self { best, observed, expected, ln_p, z, .. } = *self;
        Judged { window: best, observed, expected, ln_p, z }
    }

    /// The local p-value of the best window; 0 where it is too small for an `f64`, so print `ln_p` then.
    pub fn p(&self) -> f64 {
        crate::math::det::exp(self.ln_p)
    }

    /// BumpHunter's test statistic, `-ln min p`.
    pub fn t(&self) -> f64 {
        -self.ln_p
    }
}

impl Scan {
    /// Scans the `observed` cells on a device; `expected` was summed for this normalisation.
    ///
    /// ```
    /// use trawl::device::Device;
    /// use trawl::hunt::{BumpHunter, Scan, WindowExpectation, Windows};
    /// use trawl::spectrum::Expectation;
    /// let expected = Expectation::given(vec![10.0, 8.0, 6.0, 5.0, 4.0], None)?;
    /// let edges = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    /// let windows = Windows::spectrum(&edges, expected.values(), &BumpHunter::default())?;
    /// let in_windows = WindowExpectation::new(&windows, &expected, 0.0)?;
    /// let findings = Scan::default().run(&Device::Cpu, &windows, &in_windows, &[9, 9, 15, 5, 4])?;
    /// assert_eq!(windows.bounds(findings.best), (2.0, 3.0));
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// Counts of other cells, or a failure of the device.
    pub fn run(
        &self,
        device: &Device,
        windows: &Windows,
        expected: &WindowExpectation,
        observed: &[u64],
    ) -> Result<Findings> {
        if observed.len() != windows.cells() {
            let problem = format!("{} counts for {} cells", observed.len(), windows.cells());
            return Err(Fault::new(Self::NAME, problem).because("windows and counts must share their cells").data());
        }
        let Shapes { start, end, height } = windows.shapes(expected.kept());
        let (sideband_start, sideband_end) = expected.sidebands().iter().map(|cells| (cells.start, cells.end)).unzip();
        let input = Input::<Host> {
            start: start.into(),
            end: end.into(),
            height: height.into(),
            columns: windows.columns() as u32,
            expected: expected.kept_values().to_vec().into(),
            expected_outside: expected.outside().to_vec().into(),
            sideband_start: Vec::into(sideband_start),
            sideband_end: Vec::into(sideband_end),
            observed: observed.to_vec().into(),
        };
        let output = device.run(self, input)?;
        Ok(self.findings(expected, observed, &output))
    }

    fn findings(&self, expected: &WindowExpectation, observed: &[u64], output: &Output<Host>) -> Findings {
        let content = |index: usize| {
            let cells = &expected.sidebands()[index];
            let all: u64 = observed[cells.start as usize..cells.end as usize].iter().sum();
            let outside = all.saturating_sub(output.observed[index]);
            math::expected_content(expected.kept_values()[index], outside, expected.outside()[index], self.judge())
        };
        let judged = expected.kept().iter().enumerate().map(|(index, window)| Judged {
            window: *window,
            observed: output.observed[index],
            expected: content(index),
            ln_p: output.ln_p[index],
            z: output.z[index],
        });
        best_of(judged.collect(), output)
    }
}

fn best_of(judged: Vec<Judged>, output: &Output<Host>) -> Findings {
    // Parts are compared by value, then by the lowest window, whatever their order.
    let parts = output.best_ln_p.iter().zip(output.best_window.iter());
    let best = parts.min_by(|a, b| a.0.total_cmp(b.0).then(a.1.cmp(b.1))).map_or(0, |(_, window)| *window as usize);
    let Judged { window, observed, expected, ln_p, z } = judged[best];
    Findings { best: window, observed, expected, ln_p, z, windows: judged }
}

#[cfg(test)]
pub(crate) mod golden;
#[cfg(test)]
#[rustfmt::skip]
mod spectra;
#[cfg(test)]
mod spectra_tests;
#[cfg(test)]
mod tests;
