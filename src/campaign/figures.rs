//! From findings to the figures of the report.

use std::collections::HashMap;

use super::answered::Answered;
use crate::card::Role;
use crate::hunt::{Findings, WindowExpectation, WindowId, Windows};
use crate::math::special;
use crate::report::plot::{
    Convergence, ConvergencePoint, MaximumDistribution, PlaneCell, PlaneMap, Plot, SpectrumPlot, TailLevel, Tomography,
    TomographyWindow,
};
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::{AxisTitle, Spacing};
use crate::report::{Figure, LeftOut, number};
use crate::spectrum::Histogram;
use crate::toys::significance::COVERAGE;
use crate::toys::{Deviations, Global, GlobalSignificance, Milestone};

/// What all figures of a report share.
pub(super) struct Style {
    /// The card's name.
    pub(super) name: String,
    /// The parts of the small print: the cuts, or what the table holds.
    pub(super) small_print: Vec<String>,
    /// What the expectation is called in legends.
    pub(super) expected_name: String,
}

/// A quantity with its unit.
#[derive(Debug, Clone)]
pub(super) struct Quantity {
    pub(super) name: String,
    pub(super) unit: String,
}

impl Quantity {
    pub(super) fn axis(&self) -> AxisTitle {
        // m_JJ as physicists write it: a slanted m with a lowered index.
        let rich = match self.name.split_once('_') {
            Some((stem, index)) => format!("*{stem}*_{{{index}}}"),
            None => self.name.clone(),
        };
        AxisTitle::new(rich, self.unit.clone())
    }
}

/// A spectrum, observed and expected.
pub(super) struct Bins<'a> {
    pub(super) edges: &'a [f64],
    pub(super) observed: &'a [f64],
    pub(super) expected: Vec<f64>,
    pub(super) expected_error: Vec<f64>,
    pub(super) marked: Option<(f64, f64)>,
}

pub(super) fn spectrum(style: &Style, quantity: &Quantity, bins: Bins) -> Figure {
    let pulls = bins.observed.iter().zip(&bins.expected).map(|(n, b)| signed_significance(*n, *b)).collect();
    let plot = SpectrumPlot {
        label: style.label(),
        axis: quantity.axis(),
        spacing: spacing(bins.edges),
        edges: bins.edges.to_vec(),
        observed: bins.observed.to_vec(),
        expected: bins.expected,
        expected_error: bins.expected_error,
        pulls,
        observed_name: "Data".into(),
        expected_name: style.expected_name.clone(),
        marked: bins.marked,
    };
    let caption = "Observed events and their expectation; below, the Poisson significance of each bin with its sign. \
                   The marked range is the most significant window.";
    Figure::new("spectrum", "Spectrum", caption, Plot::Spectrum(plot))
}

/// What was filled of one sample, without an expectation: data as points, weighted events as a line with its errors.
pub(super) fn filled(
    style: &Style,
    quantity: &Quantity,
    name: &str,
    sample: (&str, Role),
    contents: &Histogram,
) -> Figure {
    let (sample, role) = sample;
    let values = contents.values_without_flow();
    let errors = contents.variances_without_flow().into_iter().map(f64::sqrt).collect();
    let (observed, expected, expected_error) = match role {
        Role::Data => (values, Vec::new(), Vec::new()),
        Role::Simulation | Role::Signal => (Vec::new(), values, errors),
    };
    let edges = contents.axes[0].edges().to_vec();
    let plot = SpectrumPlot {
        label: style.label(),
        axis: quantity.axis(),
        spacing: spacing(&edges),
        edges,
        observed,
        expected,
        expected_error,
        pulls: Vec::new(),
        observed_name: sample.to_owned(),
        expected_name: sample.to_owned(),
        marked: None,
    };
    let caption = match role {
        Role::Data => "Selected events, with the 68 % interval of each count.",
        Role::Simulation | Role::Signal => "Selected events by their weights; the band is the statistical error.",
    };
    Figure::new(name, format!("{} of {sample}", quantity.axis().quantity), caption, Plot::Spectrum(plot))
}

/// The significance of a bin with the sign of its deviation; 0 where nothing is expected and nothing seen.
fn signed_significance(observed: f64, expected: f64) -> f64 {
    let count = observed as u64;
    if expected <= 0.0 {
        return 0.0;
    }
    if observed >= expected {
        special::significance(special::ln_poisson_survival(count, expected)).max(0.0)
    } else {
        -special::significance(special::ln_poisson_cumulative(count, expected)).max(0.0)
    }
}

pub(super) fn spacing(edges: &[f64]) -> Spacing {
    let (first, last) = (edges.first().copied().unwrap_or(0.0), edges.last().copied().unwrap_or(1.0));
    // Resonance searches cover half a decade or more with bins that widen; a linear axis would squeeze the first ones.
    if first > 0.0 && last / first > 3.0 { Spacing::Logarithmic } else { Spacing::Linear }
}

/// A map for each height of the windows.
pub(super) fn planes(
    style: &Style,
    windows: &Windows,
    expected: &WindowExpectation,
    findings: &Findings,
    contents: &[u64],
    quantities: (&Quantity, &Quantity),
) -> Vec<Figure> {
    let of_height = |height: &usize| plane(style, windows, *height, expected, findings, contents, quantities);
    windows.heights().iter().map(of_height).collect()
}

fn plane(
    style: &Style,
    windows: &Windows,
    height: usize,
    expected: &WindowExpectation,
    findings: &Findings,
    contents: &[u64],
    (row, column): (&Quantity, &Quantity),
) -> Figure {
    let ids: Vec<WindowId> = windows.ids().filter(|id| windows.height(*id) == height).collect();
    let rows = windows.rows() + 1 - height;
    let windows_a_row = ids.len() / rows;
    // The map has a column for each run of m_Y bins and a row for each m_X window; the windows run the other way round.
    let places: HashMap<WindowId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let place = |id: WindowId| places.get(&id).copied();
    let at = |place: usize| (place % windows_a_row, place / windows_a_row);
    let left_out = |id: WindowId| PlaneCell::LeftOut {
        observed: windows.cells_of(id).map(|cell| contents[cell]).sum::<u64>() as f64,
        expected: expected.values()[id.0 as usize],
    };
    let mut cells: Vec<PlaneCell> = (0..windows_a_row)
        .flat_map(|window| (0..rows).map(move |row| row * windows_a_row + window))
        .map(|place| left_out(ids[place]))
        .collect();
    let of_height = findings.windows.iter().filter(|judged| windows.height(judged.window) == height);
    for judged in of_height {
        let Some((window, row)) = place(judged.window).map(at) else { continue };
        cells[window * rows + row] = PlaneCell::Tested {
            observed: judged.observed as f64,
            expected: judged.expected,
            ln_p: judged.ln_p,
            significance: judged.z,
        };
    }
    let plot = PlaneMap {
        label: style.label(),
        column_axis: row.axis(),
        column_edges: windows.row_edges().to_vec(),
        joined: height,
        row_axis: column.axis(),
        row_windows: ids[..windows_a_row].iter().map(|id| windows.bounds(*id)).collect(),
        cells,
        largest: place(findings.best).map(at),
    };
    let overlap = "Windows of one column may overlap; hatched ones were left out.";
    let (name, caption) = match height {
        1 => ("plane".into(), format!("The local significance of each window. {overlap}")),
        _ => {
            let joined = format!("Each window reaches over {height} adjacent bins and stands where it begins.");
            (format!("plane-{height}"), format!("The local significance of each window. {joined} {overlap}"))
        }
    };
    Figure::new(name, "Local significance in the plane", caption, Plot::Plane(plot))
}

pub(super) fn tomography(style: &Style, quantity: &Quantity, windows: &Windows, findings: &Findings) -> Figure {
    let edges = windows.column_edges();
    let plot = Tomography {
        label: style.label(),
        axis: quantity.axis(),
        spacing: spacing(edges),
        range: (edges[0], edges[edges.len() - 1]),
        windows: findings
            .windows
            .iter()
            .map(|judged| {
                let (low, high) = windows.bounds(judged.window);
                let (observed, expected) = (judged.observed as f64, judged.expected);
                TomographyWindow { low, high, observed, expected, ln_p: judged.ln_p }
            })
            .collect(),
    };
    let caption = "The local p-value of each window, drawn at its place and width.";
    Figure::new("tomography", "Local p-values", caption, Plot::Tomography(plot))
}

/// The distribution of the largest significance, of this statistic in words and with what smears the toys; beside it the answer,
/// wherever it is from.
pub(super) fn maximum(
    style: &Style,
    (global, answered): (&Global, &Answered),
    statistic: &str,
    smearing: &str,
) -> Figure {
    let (tally, significance) = (&global.tally, &global.significance);
    let edges = tally.edges();
    // The last level has no end; the plot gives it the width of the one before.
    let last = 2.0 * edges[edges.len() - 1] - edges[edges.len() - 2];
    let top = tally.levels().iter().rposition(|toys| *toys > 0).unwrap_or(0);
    // Empty levels far above both the toys and the observation would only squeeze the plot.
    let wanted = edges.iter().filter(|edge| **edge < global.findings.z + 0.5).count();
    let bins = tally.levels().len().min((top + 2).max(wanted)).max(1);
    let mut shown: Vec<f64> = edges.iter().copied().chain([last]).collect();
    shown.truncate(bins + 1);
    let plot = MaximumDistribution {
        label: style.label(),
        axis: AxisTitle::new("Largest local significance", "σ"),
        edges: shown,
        toys: tally.levels()[..bins].to_vec(),
        observed: global.findings.z,
        reached: significance.exceed,
        thrown: significance.toys,
        p_value: answered.legend(),
        significance: answered.significance(),
        note: answered.note(),
    };
    let mut caption = format!(
        "The largest local significance of each toy, and the observed one: {statistic}. Background uncertainty of the toys: \
         {smearing}."
    );
    caption.extend(answered.caption().map(|words| format!(" {words}")));
    Figure::new("maximum", "Largest significance of the toys", caption, Plot::Maximum(plot))
}

/// How the global p-value settled with the number of toys.
pub(super) fn convergence(style: &Style, global: &Global, answered: &Answered) -> Figure {
    let point = |at: &Milestone| {
        // A milestone holds no more toys than a run throws, for which there is an interval.
        let interval = special::binomial_interval(at.exceed, at.toys, COVERAGE).unwrap_or((0.0, 1.0));
        ConvergencePoint { toys: at.toys, exceed: at.exceed, interval }
    };
    let plot = Convergence {
        label: style.label(),
        points: global.tally.convergence().iter().map(point).collect(),
        p_value: answered.legend(),
        tail: answered.from_tail.then(|| TailLevel {
            p: answered.p,
            interval: answered.interval,
            note: answered.note().unwrap_or_default(),
        }),
    };
    let mut caption = String::from(
        "The global p-value after so many toys, with its 68 % interval; without exceeding toys, its upper end.",
    );
    caption.extend(answered.caption().map(|words| format!(" {words}")));
    Figure::new("convergence", "Convergence of the global *p*-value", caption, Plot::Convergence(plot))
}

/// The global p-value with its binomial error.
pub(super) fn p_value(significance: &GlobalSignificance) -> String {
    let (low, high) = significance.interval;
    if significance.exceed == 0 {
        return format!("< {} (68 %)", number::significant(high, 2));
    }
    format!("{} ± {}", number::significant(significance.p, 3), number::significant((high - low) / 2.0, 1))
}

/// A number of standard deviations with its error, or what the toys allow to say.
pub(super) fn deviations(z: Deviations) -> String {
    match z {
        Deviations::Measured { z, error } => {
            // Rare tails know z to a thousandth: the error keeps a digit, down to 0.0001.
            let decimals = [0.005, 0.0005].iter().filter(|smaller| error < **smaller).count() + 2;
            format!("{z:.decimals$} ± {error:.decimals$} σ")
        }
        // One toy exceeds or does not, which bounds nothing.
        Deviations::Above(bound) | Deviations::Below(bound) if !bound.is_finite() => "not known from one toy".into(),
        Deviations::Above(bound) => format!("> {bound:.2} σ"),
        Deviations::Below(bound) => format!("< {bound:.2} σ"),
    }
}

/// Where a window is, in words.
pub(super) fn place(windows: &Windows, id: WindowId, quantities: &[&Quantity]) -> String {
    let (low, high) = windows.bounds(id);
    let range = |quantity: &Quantity, low: f64, high: f64| {
        format!("{} {}-{} {}", quantity.name, number::significant(low, 5), number::significant(high, 5), quantity.unit)
    };
    match quantities {
        [row, column] => {
            let (bottom, top) = windows.row_bounds(id);
            format!("{}, {}", range(row, bottom, top), range(column, low, high))
        }
        [only] => range(only, low, high),
        _ => format!("{low}-{high}"),
    }
}

pub(super) fn left_out(
    windows: &Windows,
    expected: &WindowExpectation,
    contents: &[u64],
    quantities: &[&Quantity],
) -> Vec<LeftOut> {
    let entry = |left: &crate::hunt::LeftOut| LeftOut {
        window: place(windows, left.window, quantities),
        expected: expected.values()[left.window.0 as usize],
        observed: windows.cells_of(left.window).map(|cell| contents[cell]).sum::<u64>() as f64,
        reason: left.reason.to_string(),
    };
    expected.left_out().iter().map(entry).collect()
}

impl Style {
    pub(super) fn label(&self) -> PlotLabel {
        // Longer lines would run into the legends.
        const LONGEST_LINE: usize = 40;
        let mut lines: Vec<String> = Vec::new();
        for part in &self.small_print {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 2 + part.chars().count() <= LONGEST_LINE => {
                    line.push_str(", ");
                    line.push_str(part);
                }
                _ => lines.push(part.clone()),
            }
        }
        lines.into_iter().fold(PlotLabel::new(self.name.clone()), PlotLabel::line)
    }
}
