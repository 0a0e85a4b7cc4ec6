//! Operation `hunt.scan`: the local p-value of every window, and the most significant window.
//!
//! **What.** With `d` the observed and `b` the expected content of a window,
//! `p = P(N >= d | b) = sum_{n >= d} e^-b b^n / n!`, kept as its logarithm, and `z` with `p = 1 - Phi(z)`. The test statistic
//! is `t = -ln min p`. Window contents come from prefix sums of the cells' counts, `b` is summed on the host, once.
//!
//! **Ties.** The lowest window wins. **Neglected.** The uncertainty of `b`.
//! **Cost.** A prefix sum over the cells and one continued fraction or series a window; on CUDA each block repeats the
//! prefix sum in shared memory, 8 bytes a cell.
//! **Source.** arXiv:1101.0390, equations 8 to 14; golden: the test vector of pyBumpHunter.

mod cpu;
mod cuda;
pub mod math;

use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::hunt::{WindowExpectation, WindowId, Windows};

/// What the p-value of a window without an excess is.
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

/// The operation `hunt.scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scan {
    /// What counts as an excess.
    pub convention: Convention,
}

/// Windows and the counts in their cells.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The first cell of each window.
    pub start: P::Column<u32>,
    /// The cell after the last of each window.
    pub end: P::Column<u32>,
    /// The expected content of each window, above 0.
    pub expected: P::Column<f64>,
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
            expected: cuda.upload(&self.expected)?,
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
        for (what, length) in [("ends", input.end.length()), ("expectations", input.expected.length())] {
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
            per_unit: Bytes((2 * size_of::<u32>() + 4 * size_of::<u64>()) as u64),
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
    let wrong = |window: &usize| input.start[*window] > input.end[*window] || input.end[*window] as usize > cells;
    match (0..input.start.len()).find(wrong) {
        None => Ok(()),
        Some(window) => {
            let problem = format!("window {window} reaches beyond the {cells} cells");
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
    /// Its expected content.
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
    /// Its expected content.
    pub expected: f64,
    /// The logarithm of its p-value.
    pub ln_p: f64,
    /// Its significance.
    pub z: f64,
}

impl Findings {
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
    /// Scans the `observed` cells on a device.
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
        let (start, end) = windows.starts_and_ends(expected.kept());
        let output = device.run(
            self,
            Input::<Host> {
                start: start.into(),
                end: end.into(),
                expected: expected.kept_values().to_vec().into(),
                observed: observed.to_vec().into(),
            },
        )?;
        Ok(findings(expected, &output))
    }
}

fn findings(expected: &WindowExpectation, output: &Output<Host>) -> Findings {
    let judged: Vec<Judged> = expected
        .kept()
        .iter()
        .enumerate()
        .map(|(index, window)| Judged {
            window: *window,
            observed: output.observed[index],
            expected: expected.kept_values()[index],
            ln_p: output.ln_p[index],
            z: output.z[index],
        })
        .collect();
    // Parts are compared by value, then by the lowest window, whatever their order.
    let parts = output.best_ln_p.iter().zip(output.best_window.iter());
    let best = parts.min_by(|a, b| a.0.total_cmp(b.0).then(a.1.cmp(b.1))).map_or(0, |(_, window)| *window as usize);
    let Judged { window, observed, expected, ln_p, z } = judged[best];
    Findings { best: window, observed, expected, ln_p, z, windows: judged }
}

#[cfg(test)]
pub(crate) mod golden;
#[cfg(test)]
mod tests;
