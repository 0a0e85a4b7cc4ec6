//! A report as the demo makes it, from a falling spectrum with a bump.

use trawl::report::plot::{
    Convergence, ConvergencePoint, Curve, DistributionsPlot, Mark, MaximumDistribution, PlaneCell, PlaneMap, Plot,
    SpectrumPlot, Tomography, TomographyWindow,
};
use trawl::report::svg::panel::PlotLabel;
use trawl::report::svg::{AxisTitle, Spacing};
use trawl::report::{
    Answer, Cutflow, CutflowRow, DataFile, Fact, Figure, InputFile, LeftOut, ReportData, StageTiming, Verdict,
};

/// Scatter between -1.5 and 1.5 that is the same in every run.
fn scatter(index: usize) -> f64 {
    let mixed =
        (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let uniform = |bits: u64| (bits & 0xffff) as f64 / 65535.0;
    uniform(mixed >> 8) + uniform(mixed >> 24) + uniform(mixed >> 40) - 1.5
}

fn label() -> PlotLabel {
    PlotLabel::new("demo").line("√*s* = 13 TeV, 200 000 events").line("≥ 2 large-*R* jets, *m*_{JJ} > 1.3 TeV")
}

fn mass(quantity: &str) -> AxisTitle {
    AxisTitle::new(quantity, "GeV")
}

pub fn spectrum() -> SpectrumPlot {
    let edges: Vec<f64> = (0..=27).map(|bin| 1300.0 * (6000.0f64 / 1300.0).powf(f64::from(bin) / 27.0)).collect();
    let expected: Vec<f64> = edges.windows(2).map(|pair| 3.0e4 * (-(pair[0] - 1300.0) / 380.0).exp()).collect();
    let observed: Vec<f64> = expected
        .iter()
        .enumerate()
        .map(|(bin, mean)| {
            (mean + 1.6 * scatter(bin) * mean.sqrt() + if bin == 18 { 3.0 * mean.sqrt() } else { 0.0 }).max(0.0).round()
        })
        .collect();
    let pulls = observed.iter().zip(&expected).map(|(n, mean)| (n - mean) / mean.max(1.0).sqrt()).collect();
    SpectrumPlot {
        label: label(),
        axis: mass("*m*_{JJ}"),
        spacing: Spacing::Logarithmic,
        expected_error: expected.iter().map(|mean| 0.05 * mean).collect(),
        marked: Some((edges[18], edges[19])),
        edges,
        observed,
        expected,
        pulls,
        observed_name: "Data".into(),
        expected_name: "Smoothed simulation".into(),
    }
}

pub fn distributions() -> DistributionsPlot {
    let SpectrumPlot { label, axis, spacing, edges, observed, expected, .. } = spectrum();
    let curve = |name: &str, values: Vec<f64>, mark| {
        let intervals = values.iter().map(|value| (value - value.sqrt(), value + value.sqrt())).collect();
        Curve { name: name.into(), values, intervals, mark }
    };
    let curves = vec![curve("background", expected, Mark::Steps), curve("data", observed, Mark::Points)];
    DistributionsPlot { label, axis, spacing, vertical: Spacing::Logarithmic, edges, amount: "Events".into(), curves }
}

pub fn plane() -> PlaneMap {
    let column_edges = spectrum().edges;
    let ratio = 1.2f64.powf(0.25);
    let low = |window: i32| 163.54 * ratio.powi(window) - 112.0;
    let row_windows: Vec<(f64, f64)> = (0..57).map(|window| (low(window), low(window + 4) - 17.6)).collect();
    let cells = (0..57 * 27).map(|index| {
        let (row, column) = ((index / 27) as f64, (index % 27) as f64);
        let expected = 900.0 * (-0.24 * column - 0.05 * (row - 12.0).abs()).exp();
        let bump = 3.9 * (-((row - 6.0) / 1.5).powi(2) - ((column - 18.0) / 0.6).powi(2)).exp();
        let significance = 0.9 * scatter(index as usize / 2 + 77) + 0.6 * scatter(index as usize) + bump;
        let observed = (expected + significance * expected.sqrt()).max(0.0).round();
        if expected < 0.4 {
            return PlaneCell::LeftOut { observed, expected };
        }
        PlaneCell::Tested { observed, expected, ln_p: -0.7 - 0.5 * significance.max(0.0).powi(2), significance }
    });
    PlaneMap {
        label: label(),
        column_axis: mass("*m*_{Y}"),
        column_edges,
        joined: 1,
        row_axis: mass("*m*_{X}"),
        row_windows,
        cells: cells.collect(),
        largest: Some((6, 18)),
    }
}

pub fn maximum() -> MaximumDistribution {
    let edges: Vec<f64> = (0..=60).map(|bin| 1.5 + 0.075 * f64::from(bin)).collect();
    let shape = |middle: f64| 14_000.0 * (-(-(middle - 3.0) / 0.33).exp() - (middle - 3.0) / 0.33 + 1.0).exp();
    MaximumDistribution {
        label: label(),
        axis: AxisTitle::new("Largest local significance of a toy", "σ"),
        toys: edges.windows(2).map(|pair| shape(0.5 * (pair[0] + pair[1])) as u64).collect(),
        edges,
        observed: 4.12,
        reached: 1043,
        thrown: 100_000,
        p_value: "0.0104 ± 0.0003".into(),
        significance: "2.31 ± 0.01 σ".into(),
        note: None,
    }
}

pub fn tomography() -> Tomography {
    let edges: Vec<f64> = (0..=70).map(|bin| 1100.0 * 1.029f64.powi(bin)).collect();
    let mut windows = vec![];
    for width in 2..12usize {
        for first in 0..edges.len() - width {
            let middle = first as f64 + 0.5 * width as f64;
            let ln_p = -0.3
                - 1.2 * scatter(first / 2 + 31 * width).abs().powi(2)
                - 9.0 * (-((middle - 30.0) / 2.0).powi(2)).exp() / (width as f64).sqrt();
            windows.push(TomographyWindow {
                low: edges[first],
                high: edges[first + width],
                observed: 12.0,
                expected: 9.7,
                ln_p,
            });
        }
    }
    Tomography {
        label: PlotLabel::new("139 fb^{-1} dijet"),
        axis: mass("*m*_{jj}"),
        spacing: Spacing::Logarithmic,
        range: (edges[0], edges[70]),
        windows,
    }
}

/// A p-value of 1 % that settles; no toy exceeds before the sixth point.
pub fn convergence() -> Convergence {
    let point = |place: i32| {
        let toys = 100.0 * 10f64.powf(f64::from(place) / 10.0);
        let exceed =
            if place < 5 { 0.0 } else { (0.0104 * toys * (1.0 + 0.3 * scatter(place as usize) / toys.sqrt())).round() };
        let (p, half) = (exceed / toys, (exceed + 0.5_f64).sqrt() / toys);
        let interval = ((p - half).max(0.0), p + half + 0.6 / toys);
        ConvergencePoint { toys: toys as u64, exceed: exceed as u64, interval }
    };
    Convergence {
        label: label(), points: (0..=30).map(point).collect(), p_value: "0.0104 ± 0.0003".into(), tail: None
    }
}

pub fn report() -> ReportData {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let cut = |cut: &str, events: u64, before: u64| CutflowRow {
        cut: cut.into(),
        events,
        sum_of_weights: events as f64,
        error: (events as f64).sqrt(),
        efficiency: events as f64 / 200_000.0,
        relative_efficiency: events as f64 / before as f64,
    };
    let input = |sample: &str, path: &str, rows| InputFile {
        sample: sample.into(),
        path: path.into(),
        bytes: rows * 61,
        rows: Some(rows),
        sha256: digest.into(),
    };
    let stage =
        |name: &str, seconds, units, unit: &str| StageTiming { name: name.into(), seconds, units, unit: unit.into() };
    ReportData {
        title: "demo".into(),
        description: "A resonance Y → XH in dijet events: a bump in m_Y for every window of m_X.".into(),
        answer: Answer {
            headline: "The largest excess is 4.12 σ (local) at *m*_{Y} 3604–3814 GeV, *m*_{X} 75.5–95.5 GeV; among 1539 windows it is 2.31 ± 0.01 σ (global).".into(),
            facts: vec![
                Fact::new("local *p*", "1.89 × 10^{-5}"),
                Fact::new("global *p*", "0.0104 ± 0.0003"),
                Fact::new("global significance", "2.31 ± 0.01 σ"),
                Fact::new("toys", "100\u{202f}000"),
                Fact::new("observed / expected", "31 / 12.4"),
            ],
            verdict: Verdict::of(2.31),
        },
        figures: vec![
            Figure::new("spectrum", "Dijet mass", "Events after the selection. The lower panel shows the signed Poisson significance of each bin.", Plot::Spectrum(spectrum())),
            Figure::new("plane", "Local significance of 27 × 57 windows", "One column a bin of *m*_{Y}, one row a window of *m*_{X}; windows overlap.", Plot::Plane(plane())),
            Figure::new("maximum", "Global significance", "The largest local significance of each toy, thrown from the expectation without signal.", Plot::Maximum(maximum())),
            Figure::new("convergence", "Convergence", "The global *p*-value after so many toys.", Plot::Convergence(convergence())),
            Figure::new("tomography", "Bump hunt in one dimension", "Each bar is a window at the height of its local *p*-value.", Plot::Tomography(tomography())),
        ],
        cutflows: vec![Cutflow {
            sample: "data".into(),
            rows: vec![cut("all events", 200_000, 200_000), cut("≥ 2 large-R jets", 181_223, 200_000), cut("leading pT > 500 GeV", 90_121, 181_223), cut("m_JJ > 1300 GeV", 41_870, 90_121)],
        }],
        stages: vec![stage("read", 1.31, 1_200_000, "events"), stage("toys", 14.2, 100_000, "toys"), stage("report", 0.04, 0, "")],
        inputs: vec![input("data", "demo-output/data.parquet", 200_000), input("simulation", "demo-output/simulation.parquet", 1_000_000)],
        left_out: vec![LeftOut { window: "*m*_{Y} 5669.6–6000 GeV, *m*_{X} 1988–3000 GeV".into(), expected: 0.002, observed: 0.0, reason: "effective count 0.4 is below 5".into() }],
        overrides: vec!["toys.number=100000".into()],
        card: "name = \"demo\"\n\n[toys]\nnumber = 200000\nseed = 1\n".into(),
        provenance: vec![Fact::new("version", "trawl 0.1.0"), Fact::new("device", "cpu, 2 threads"), Fact::new("seed", "1")],
        files: vec![DataFile { path: "manifest.json".into(), holds: "inputs, seeds, versions, timings, checksums".into() }],
    }
}
