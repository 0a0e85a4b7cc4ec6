//! Observed and expected counts per bin, with a panel of pulls below that shares the x axis.

use std::fmt::Write;

use crate::report::markup::Element;
use crate::report::number;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, EXPECTED, INK, MARKED, Symbol};
use crate::report::svg::{AxisTitle, Panel, Scale, Spacing};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 610.0;
/// Left and right side of both panels.
const SIDES: (f64, f64) = (86.0, 736.0);
/// Bottom and top of the upper panel.
const UPPER: (f64, f64) = (410.0, 18.0);
/// Bottom and top of the pull panel.
const LOWER: (f64, f64) = (548.0, 422.0);
/// The share of the upper panel that the data may fill; the rest is for the label and the legend.
const FILLED: f64 = 0.74;
/// Pulls beyond this are drawn as arrows, so that one wild bin does not flatten the others.
const LARGEST_PULL: f64 = 8.0;

/// A spectrum. Vectors that are too short leave their bins empty; without observed counts or an expectation those are not
/// in the legend, and without pulls there is no lower panel.
#[derive(Debug, Clone)]
pub struct SpectrumPlot {
    /// The label at the top left.
    pub label: PlotLabel,
    /// The quantity of the x axis.
    pub axis: AxisTitle,
    /// How x is spread.
    pub spacing: Spacing,
    /// `n + 1` increasing edges.
    pub edges: Vec<f64>,
    /// `n` observed counts.
    pub observed: Vec<f64>,
    /// `n` expected counts.
    pub expected: Vec<f64>,
    /// `n` uncertainties of the expected counts, drawn as a band; empty for none.
    pub expected_error: Vec<f64>,
    /// `n` signed Poisson significances: positive where more was observed than expected.
    pub pulls: Vec<f64>,
    /// The legend of the observed points: `Data`.
    pub observed_name: String,
    /// The legend of the expectation: `Smoothed simulation`.
    pub expected_name: String,
    /// A window to mark, low and high: the most significant one.
    pub marked: Option<(f64, f64)>,
}

/// One bin on the page and in numbers.
struct Bin {
    low: f64,
    high: f64,
    observed: f64,
    expected: f64,
    error: f64,
    pull: f64,
}

impl SpectrumPlot {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let bins = self.bins();
        let x = Scale::new(self.spacing, self.range(), SIDES);
        let bottom = if self.pulls.is_empty() { LOWER.0 } else { UPPER.0 };
        let upper = Panel { x, y: Scale::new(Spacing::Logarithmic, counts_range(&bins), (bottom, UPPER.1)) };
        let lower = Panel { x, y: Scale::new(Spacing::Linear, pulls_range(&bins), LOWER) };
        let title = match (self.observed.is_empty(), self.expected.is_empty()) {
            (false, false) => format!("Observed and expected counts in {} bins", bins.len()),
            _ => format!("Counts in {} bins", bins.len()),
        };
        let x_ticks = upper.x_ticks();
        let mut picture = shapes::picture(WIDTH, HEIGHT, &title);
        picture.push(
            Element::new("defs").child(upper.clip(&format!("{id}-upper"))).child(lower.clip(&format!("{id}-lower"))),
        );
        picture.push(self.window(&upper, &lower));
        if !self.expected.is_empty() {
            picture.push(expectation(&upper, &bins).with("clip-path", format!("url(#{id}-upper)")));
        }
        picture.push(points(&upper, &bins).with("clip-path", format!("url(#{id}-upper)")));
        picture.push(upper.frame(&x_ticks, &upper.y_ticks()));
        picture.push(upper.y_labels(
            &upper.y_ticks(),
            &self.axis.amount_per_bin("Events", &self.edges),
            58.0,
            Anchor::End,
        ));
        let lowest = if self.pulls.is_empty() {
            upper
        } else {
            let mut pull_ticks = lower.y_ticks();
            pull_ticks.minor.clear();
            picture.push(pulls(&lower, &bins).with("clip-path", format!("url(#{id}-lower)")));
            picture.push(lower.frame(&x_ticks, &pull_ticks));
            picture.push(lower.y_labels(&pull_ticks, "Significance", 58.0, Anchor::Middle));
            lower
        };
        picture.push(lowest.x_labels(&x_ticks, &self.axis.rich()));
        picture.push(self.label.draw(SIDES.0 + 20.0, UPPER.1 + 16.0));
        picture.push(self.legend());
        picture
    }

    /// The numbers: edges, counts, expectation, its uncertainty and the pull of each bin.
    pub fn csv(&self) -> String {
        let mut text = String::from("low,high,observed,expected,expected_error,significance\n");
        for bin in self.bins() {
            let numbers = [bin.low, bin.high, bin.observed, bin.expected, bin.error, bin.pull].map(number::csv);
            let _ = writeln!(text, "{}", numbers.join(","));
        }
        text
    }

    fn bins(&self) -> Vec<Bin> {
        let at = |values: &[f64], index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let bin = |(index, pair): (usize, &[f64])| Bin {
            low: pair[0],
            high: pair[1],
            observed: at(&self.observed, index),
            expected: at(&self.expected, index),
            error: at(&self.expected_error, index),
            pull: at(&self.pulls, index),
        };
        self.edges.windows(2).enumerate().map(bin).collect()
    }

    fn range(&self) -> (f64, f64) {
        (self.edges.first().copied().unwrap_or(0.0), self.edges.last().copied().unwrap_or(1.0))
    }

    fn window(&self, upper: &Panel, lower: &Panel) -> Element {
        let mut group = Element::new("g");
        let Some((low, high)) = self.marked else { return group };
        let (left, right) = (upper.x.place(low), upper.x.place(high));
        // Within the upper panel it ends below the legend.
        let tops = [UPPER.0 - (FILLED + 0.02) * (UPPER.0 - UPPER.1), LOWER.1];
        for (panel, top) in [upper, lower].into_iter().zip(tops) {
            let (_, _, _, bottom) = panel.sides();
            group.push(
                shapes::rectangle(left, top, right - left, bottom - top)
                    .with("fill", MARKED)
                    .with("fill-opacity", "0.1"),
            );
            for place in [left, right] {
                group.push(
                    shapes::line((place, top), (place, bottom)).with("stroke", MARKED).with("stroke-dasharray", "5 4"),
                );
            }
        }
        group
    }

    fn legend(&self) -> Element {
        let mut entries = Vec::new();
        if !self.observed.is_empty() {
            entries.push((Symbol::Point, self.observed_name.clone()));
        }
        if !self.expected.is_empty() {
            entries.push((Symbol::Line(EXPECTED), self.expected_name.clone()));
        }
        if self.marked.is_some() {
            entries.push((Symbol::Dashed(MARKED), "Most significant window".into()));
        }
        let longest = entries.iter().map(|(_, words)| words.chars().count()).max().unwrap_or(0);
        // 7.6 units is the mean width of a character at this size; the legend ends near the right side.
        let left = (SIDES.1 - 60.0 - 7.6 * longest as f64).clamp(SIDES.0 + 20.0, SIDES.1 - 180.0);
        shapes::legend(left, UPPER.1 + 14.0, &entries)
    }
}

fn counts_range(bins: &[Bin]) -> (f64, f64) {
    let positive = |value: &f64| value.is_finite() && *value > 0.0;
    let observed = bins.iter().map(|bin| bin.observed).filter(positive);
    let expected = bins.iter().map(|bin| bin.expected).filter(positive);
    let (low, high) =
        observed.chain(expected).fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
    if high == 0.0 {
        return (0.1, 10.0);
    }
    // Expectations far below one event are cut off: what cannot be seen in counts need not fill the page. Where there are
    // no counts, weights say what is small.
    let counted = bins.iter().any(|bin| bin.observed.is_finite());
    let bottom = (0.5 * low).max(if counted { 0.1 } else { 1e-6 * high }).min(0.5 * high);
    let top = bottom * (1.6 * high / bottom).powf(1.0 / FILLED);
    (bottom, top.max(10.0 * bottom))
}

fn pulls_range(bins: &[Bin]) -> (f64, f64) {
    let largest = bins.iter().map(|bin| bin.pull.abs()).filter(|pull| pull.is_finite()).fold(2.6, f64::max);
    let end = (largest * 1.12).min(LARGEST_PULL);
    (-end, end)
}

fn expectation(panel: &Panel, bins: &[Bin]) -> Element {
    let (_, _, _, bottom) = panel.sides();
    let steps: Vec<_> =
        bins.iter().map(|bin| (panel.x.place(bin.low), panel.x.place(bin.high), panel.y.place(bin.expected))).collect();
    let mut group = Element::new("g");
    let area = Element::new("path").with("d", shapes::area(&steps, bottom));
    group.push(area.with("fill", EXPECTED).with("fill-opacity", "0.08"));
    for (bin, (left, right, _)) in bins.iter().zip(&steps).filter(|(bin, _)| bin.error > 0.0) {
        let (top, bottom) = (panel.y.place(bin.expected + bin.error), panel.y.place(bin.expected - bin.error));
        let band = shapes::rectangle(*left, top, right - left, bottom - top);
        group.push(band.with("fill", EXPECTED).with("fill-opacity", "0.25"));
    }
    let outline = Element::new("path").with("d", shapes::steps(&steps)).with("fill", "none");
    group.push(outline.with("stroke", EXPECTED).with("stroke-width", "1.8"));
    group
}

fn points(panel: &Panel, bins: &[Bin]) -> Element {
    let (_, _, _, bottom) = panel.sides();
    let radius = if bins.len() > 120 { 2.0 } else { 3.5 };
    let mut group = Element::new("g").with("stroke", INK).with("stroke-width", "1.2").with("fill", INK);
    for bin in bins.iter().filter(|bin| bin.observed.is_finite() && bin.observed >= 0.0) {
        let middle = (panel.x.place(bin.low) + panel.x.place(bin.high)) / 2.0;
        let (low, high) = poisson_interval(bin.observed);
        // An empty bin where nothing was expected either would only add clutter.
        if bin.observed == 0.0 && bin.expected.is_nan() || high < panel.y.range().0 {
            continue;
        }
        let from = if low > 0.0 { panel.y.place(low) } else { bottom };
        let mut point = Element::new("g").child(shapes::hover(words(bin)));
        point.push(shapes::line((middle, from), (middle, panel.y.place(high))));
        if bin.observed > 0.0 {
            point.push(Element::new("circle").at("cx", middle).at("cy", panel.y.place(bin.observed)).at("r", radius));
        }
        group.push(point);
    }
    group
}

fn pulls(panel: &Panel, bins: &[Bin]) -> Element {
    let (left, top, right, bottom) = panel.sides();
    let zero = panel.y.place(0.0);
    let mut group = Element::new("g");
    for bin in bins.iter().filter(|bin| !bin.pull.is_nan() && bin.pull != 0.0) {
        let (from, to) = (panel.x.place(bin.low), panel.x.place(bin.high));
        let end = panel.y.place(bin.pull);
        let colour = if bin.pull > 0.0 { EXPECTED } else { MARKED };
        let bar = shapes::rectangle(from, end.min(zero), to - from, (end - zero).abs());
        let bar =
            bar.with("fill", colour).with("fill-opacity", "0.75").with("stroke", colour).with("stroke-width", "0.6");
        group.push(Element::new("g").child(shapes::hover(words(bin))).child(bar));
        if !panel.y.contains(bin.pull) {
            let (edge, inward) = if bin.pull > 0.0 { (top, 1.0) } else { (bottom, -1.0) };
            group.push(beyond((from + to) / 2.0, edge + 2.0 * inward, inward));
        }
    }
    group.push(shapes::line((left, zero), (right, zero)).with("stroke", INK));
    group
}

/// An arrow head at the edge: the pull goes on beyond the panel.
fn beyond(x: f64, edge: f64, inward: f64) -> Element {
    let [left, tip, right] = [x - 5.0, x, x + 5.0].map(crate::report::markup::coordinate);
    let [at, base] = [edge, edge + 8.0 * inward].map(crate::report::markup::coordinate);
    Element::new("path").with("d", format!("M{left} {base}L{tip} {at}L{right} {base}Z")).with("fill", INK)
}

fn words(bin: &Bin) -> String {
    let [low, high] = [bin.low, bin.high].map(|edge| number::significant(edge, 5));
    let text = format!(
        "{low} to {high}: observed {}, expected {}, significance {}",
        number::significant(bin.observed, 6),
        number::significant(bin.expected, 5),
        number::fixed(bin.pull, 2)
    );
    crate::report::rich::plain(&text)
}

/// The central 68.27 % interval of a Poisson mean for `n` observed (Garwood), in the approximation of Wilson and Hilferty,
/// which is good to 1 % of the error bar from `n = 1` on: finer than the line that draws it.
pub fn poisson_interval(n: f64) -> (f64, f64) {
    let edge = |count: f64, sign: f64| {
        let root = 1.0 - 1.0 / (9.0 * count) + sign / (3.0 * count.sqrt());
        count * root.max(0.0).powi(3)
    };
    (if n > 0.0 { edge(n, -1.0) } else { 0.0 }, edge(n + 1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighted_events_are_seen_however_small_their_weights() {
        let bins = |observed: f64| {
            [1e-4, 2e-5].map(|expected| Bin { low: 0.0, high: 1.0, observed, expected, error: 0.0, pull: f64::NAN })
        };
        assert_eq!(counts_range(&bins(f64::NAN)).0, 1e-5);
        assert_eq!(counts_range(&bins(3.0)).0, 0.1);
    }

    #[test]
    fn error_bars_are_the_garwood_interval() {
        // Exact: 0.5 * chi2.ppf([0.15866, 0.84134], [2n, 2n + 2]).
        for (n, low, high) in [(1.0, 0.1728, 3.2995), (4.0, 2.0857, 7.1628), (100.0, 90.0167, 111.0333)] {
            let (got_low, got_high) = poisson_interval(n);
            assert!((got_low - low).abs() < 0.03 && (got_high - high).abs() < 0.03, "{n}: {got_low} {got_high}");
        }
        let (low, high) = poisson_interval(0.0);
        assert!(low == 0.0 && (high - 1.841).abs() < 0.03);
    }
}
