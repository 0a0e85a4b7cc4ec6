//! The work of `trawl bench`: the same for every machine, so that throughputs compare.
//!
//! Each case is a fixed problem with made-up numbers; `scripts/bench` runs it beside what users would pick instead and checks that
//! both find the same.

use std::time::Instant;

use serde::Serialize;

use crate::device::Device;
use crate::error::{Fault, Result};
use crate::hunt::{BumpHunter, Findings, Scan, Windows};
use crate::math::special::ln_normal_survival;
use crate::spectrum::Expectation;
use crate::toys::{
    BackgroundUncertainty, Exceedance, ExceedingToys, Experiment, SmearedTailEstimate, Smearing, Statistic, Stopping,
    TailEstimate, Template, Throw, exceeding,
};

const NAME: &str = "bench";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchmarkCase {
    /// Toys of a plane of 27 x 114 cells with 1,539 overlapping windows and 100,000 expected events; tables are made before.
    BruteForceToys,
    /// Toys of the same plane whose cells are known to 5 % for themselves, 10 % together, and two slopes of rows more.
    SmearedToys,
    /// Toys of the rare tail of the plane at a local significance of 8, with their tables.
    Tail,
    /// Toys of the rare tail of the plane with uncertainties, at a local significance of 5, with their tables.
    SmearedTail,
    /// A bump hunt in 60 bins with 100,000 expected events, from the spectrum to the global p-value; tables are part of it.
    PseudoExperiments,
}

impl BenchmarkCase {
    /// Every case with its name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("toys/brute-force", Self::BruteForceToys),
        ("toys/smeared", Self::SmearedToys),
        ("toys/tail", Self::Tail),
        ("toys/smeared-tail", Self::SmearedTail),
        ("hunt/pseudo-experiments", Self::PseudoExperiments),
    ];
}

/// How long a case took, and what came out.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// The name of the case.
    pub case: &'static str,
    /// The device, in words.
    pub device: String,
    /// How many toys a run threw; the last one, where an accuracy ended them.
    pub toys: u64,
    /// Wall seconds of each run, after one that is not counted.
    pub seconds: Vec<f64>,
    /// Toys by the level of their largest significance, in steps of 0.05 from 0.
    pub levels: Vec<u64>,
    /// The largest observed significance.
    pub observed_z: f64,
    /// Toys at least as significant.
    pub exceed: u64,
    /// The relative error of the global p-value, for toys of the rare tail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_error: Option<f64>,
}

/// Runs a case `runs` times, and once before. Toys of the rare tail stop at an `accuracy`, if there is one, and `toys` are the most.
///
/// # Errors
/// No toys or no runs; an accuracy of other toys; what the device answers.
pub fn benchmark(
    case: BenchmarkCase,
    device: &Device,
    toys: u64,
    runs: u32,
    accuracy: Option<f64>,
) -> Result<Measured> {
    if toys == 0 || runs == 0 {
        let fault = Fault::new(NAME, format!("{runs} runs of {toys} toys")).because("nothing would be measured");
        return Err(fault.suggest("Use 1 or more of both.").usage());
    }
    if accuracy.is_some() && !matches!(case, BenchmarkCase::Tail | BenchmarkCase::SmearedTail) {
        let fault = Fault::new(NAME, "an accuracy of toys that are thrown by number");
        return Err(fault.because("only those of the rare tail stop at one").suggest("Leave out --accuracy.").usage());
    }
    let stopping = accuracy.map_or(Stopping::After(toys), |accuracy| exceeding::at_accuracy(accuracy, toys));
    let mut measured = Measured {
        case: BenchmarkCase::ALL.iter().find(|(_, this)| *this == case).map_or("", |(name, _)| *name),
        device: device.to_string(),
        toys,
        seconds: Vec::new(),
        levels: Vec::new(),
        observed_z: 0.0,
        exceed: 0,
        relative_error: None,
    };
    let prepared = match case {
        BenchmarkCase::PseudoExperiments => None,
        _ => Some(prepare(case, device)?),
    };
    for run in 0..=u64::from(runs) {
        let start = Instant::now();
        let made;
        let (experiment, findings) = match &prepared {
            Some(prepared) => prepared,
            None => {
                made = prepare(case, device)?;
                &made
            }
        };
        measured.observed_z = findings.z;
        measured.throw(case, device, experiment, findings, (run * toys, stopping))?;
        if run > 0 {
            measured.seconds.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(measured)
}

impl Measured {
    /// One run: its toys are numbered from `first_toy` on, and those of the rare tail stop as `stopping` says.
    fn throw(
        &mut self,
        case: BenchmarkCase,
        device: &Device,
        experiment: &Experiment,
        findings: &Findings,
        (first_toy, stopping): (u64, Stopping),
    ) -> Result<()> {
        let seed = 1;
        let exceeding = ExceedingToys { seed, first_toy, stopping };
        match case {
            BenchmarkCase::BruteForceToys | BenchmarkCase::SmearedToys | BenchmarkCase::PseudoExperiments => {
                let toys = Throw { seed, first_toy, toys: stopping.most() };
                let tally = experiment.throw(device, findings, toys, &|_| Ok(()))?;
                (self.levels, self.exceed) = (tally.levels().to_vec(), tally.exceed());
            }
            BenchmarkCase::Tail => {
                let (tally, _) = experiment.tail_until(device, findings.ln_p, exceeding, &mut |_| Ok(()))?;
                self.relative_error = Some(TailEstimate::new(&tally)?.relative_error);
                (self.toys, self.exceed) = (tally.toys(), tally.toys());
            }
            BenchmarkCase::SmearedTail => {
                let (tally, _) = experiment.smeared_tail_until(device, findings, exceeding, &mut |_| Ok(()))?;
                self.relative_error = Some(SmearedTailEstimate::new(&tally)?.relative_error);
                (self.toys, self.exceed) = (tally.toys(), tally.toys());
            }
        }
        Ok(())
    }
}

fn prepare(case: BenchmarkCase, device: &Device) -> Result<(Experiment, Findings)> {
    let (windows, expected) = match case {
        BenchmarkCase::PseudoExperiments => spectrum()?,
        _ => plane()?,
    };
    // As expected, and five standard deviations more in one cell of the middle.
    let mut observed: Vec<u64> = expected.iter().map(|mean| mean.round() as u64).collect();
    let bump = expected.len() / 3;
    observed[bump] += (5.0 * expected[bump].sqrt()) as u64;
    let expectation = Expectation::given(expected, None)?;
    let mut experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast)?;
    if matches!(case, BenchmarkCase::SmearedToys | BenchmarkCase::SmearedTail) {
        let uncertainty = uncertainty(experiment.windows())?;
        experiment = experiment.with_uncertainty(&expectation, uncertainty, Statistic::Nominal)?;
    }
    let mut findings = experiment.scan(device, &observed)?;
    // Rare tails are asked for a significance, whatever is observed.
    let asked = match case {
        BenchmarkCase::Tail => Some(8.0),
        BenchmarkCase::SmearedTail => Some(5.0),
        _ => None,
    };
    if let Some(z) = asked {
        (findings.z, findings.ln_p) = (z, ln_normal_survival(z));
    }
    Ok((experiment, findings))
}

/// 27 rows of 114 cells, falling in both directions; in each row 57 windows of 3, 4 and 5 cells, two cells apart.
fn plane() -> Result<(Windows, Vec<f64>)> {
    const ROWS: usize = 27;
    const COLUMNS: usize = 114;
    let shape = |cell: usize| {
        let (row, column) = ((cell / COLUMNS) as f64, (cell % COLUMNS) as f64);
        (-10.0 * column / COLUMNS as f64).exp() * (-4.0 * row / ROWS as f64).exp()
    };
    let ranges: Vec<_> = (0..57).map(|window| 2 * window..(2 * window + 3 + window / 19).min(COLUMNS)).collect();
    let edges = |number: usize| (0..=number).map(|edge| edge as f64).collect();
    let windows = Windows::plane(edges(ROWS), edges(COLUMNS), &ranges)?;
    Ok((windows, normalised((0..ROWS * COLUMNS).map(shape).collect())))
}

/// 5 % in each cell, 10 % in all, and two templates that rise from row to row, to 1 and to 10 %.
fn uncertainty(windows: &Windows) -> Result<BackgroundUncertainty> {
    let (rows, columns) = (windows.rows(), windows.columns());
    let rising = |name: &str, most: f64| Template {
        name: name.into(),
        relative: (0..rows * columns).map(|cell| most * (cell / columns) as f64 / rows as f64).collect(),
    };
    let common = Template { name: "source".into(), relative: vec![0.1; rows * columns] };
    let templates = vec![common, rising("bootstrap", 0.01), rising("non-closure", 0.1)];
    BackgroundUncertainty::new(Smearing::LogNormal, vec![0.05; rows * columns], templates)
}

/// 60 bins of a dijet spectrum from 1 TeV on, each 3.5 % wide, and windows of 2 to 8 bins.
fn spectrum() -> Result<(Windows, Vec<f64>)> {
    let edges: Vec<f64> = (0..=60).map(|edge| 1000.0 * 1.035_f64.powi(edge)).collect();
    let shape = |bin: &[f64]| {
        let x = 0.5 * (bin[0] + bin[1]) / 13_000.0;
        (1.0 - x).powf(9.0) * x.powf(-5.0 - 0.02 * x.ln()) * (bin[1] - bin[0])
    };
    let expected = normalised(edges.windows(2).map(shape).collect());
    let hunter = BumpHunter { width_min: 2, width_max: Some(8), ..BumpHunter::default() };
    Ok((Windows::spectrum(&edges, &expected, &hunter)?, expected))
}

fn normalised(shape: Vec<f64>) -> Vec<f64> {
    let scale = 1e5 / shape.iter().sum::<f64>();
    shape.into_iter().map(|content| content * scale).collect()
}
