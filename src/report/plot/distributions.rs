//! The distributions of one variable in several samples and classes of events, over one another.

use crate::report::markup::Element;
use crate::report::number;
use crate::report::rich::plain;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, INK, Symbol};
use crate::report::svg::{AxisTitle, Panel, Scale, Spacing};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 500.0;
/// Left and right side of the frame.
const SIDES: (f64, f64) = (86.0, 736.0);
/// Bottom and top of the frame.
const ENDS: (f64, f64) = (438.0, 18.0);
/// The share of the frame that curves may fill with one entry in the legend, and what each more takes.
const FILLED: (f64, f64) = (0.84, 0.05);
/// Neighbours differ in colour and in strokes, so that they can be told apart in grey.
const LINES: [Symbol; 8] = [
    Symbol::Line("#1f5fb4"),
    Symbol::Dashed("#c8202f"),
    Symbol::Line("#2a7f3b"),
    Symbol::Dashed("#7a4fa3"),
    Symbol::Line("#b8860b"),
    Symbol::Dashed("#1f5fb4"),
    Symbol::Line("#c8202f"),
    Symbol::Dashed("#2a7f3b"),
];

/// Distributions in the same bins.
#[derive(Debug, Clone)]
pub struct DistributionsPlot {
    /// The label at the top left.
    pub label: PlotLabel,
    /// The quantity of the x axis.
    pub axis: AxisTitle,
    /// How x is spread.
    pub spacing: Spacing,
    /// How y is spread.
    pub vertical: Spacing,
    /// `n + 1` increasing edges.
    pub edges: Vec<f64>,
    /// What is on the y axis: `Events`.
    pub amount: String,
    /// The distributions, in the order of the legend.
    pub curves: Vec<Curve>,
}

/// One distribution.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The words of the legend.
    pub name: String,
    /// A value for each bin.
    pub values: Vec<f64>,
    /// The 68 % interval of each.
    pub intervals: Vec<(f64, f64)>,
    /// How it is drawn.
    pub mark: Mark,
}

/// How a distribution is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As points: counts of observed events.
    Points,
    /// As steps with a band.
    Steps,
}

impl DistributionsPlot {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let range = (self.edges.first().copied().unwrap_or(0.0), self.edges.last().copied().unwrap_or(1.0));
        let y = Scale::new(self.vertical, self.range(), ENDS);
        let panel = Panel { x: Scale::new(self.spacing, range, SIDES), y };
        let title = format!("Distributions of {} in {} bins", plain(&self.axis.quantity), self.edges.len() - 1);
        let (x_ticks, y_ticks, clip) = (panel.x_ticks(), panel.y_ticks(), format!("url(#{id}-frame)"));
        let mut picture = shapes::picture(WIDTH, HEIGHT, &title);
        picture.push(Element::new("defs").child(panel.clip(&format!("{id}-frame"))));
        let symbols = self.symbols();
        // Points last: nothing hides data.
        for wanted in [Mark::Steps, Mark::Points] {
            for (curve, symbol) in self.curves.iter().zip(&symbols).filter(|(curve, _)| curve.mark == wanted) {
                picture.push(self.curve(&panel, curve, *symbol).with("clip-path", clip.clone()));
            }
        }
        picture.push(panel.frame(&x_ticks, &y_ticks));
        let amount = self.axis.amount_per_bin(&self.amount, &self.edges);
        picture.push(panel.y_labels(&y_ticks, &amount, 58.0, Anchor::End));
        picture.push(panel.x_labels(&x_ticks, &self.axis.rich()));
        picture.push(self.label.draw(SIDES.0 + 20.0, ENDS.1 + 16.0));
        let entries: Vec<_> = symbols.into_iter().zip(self.curves.iter().map(|curve| curve.name.clone())).collect();
        let longest = entries.iter().map(|(_, words)| words.chars().count()).max().unwrap_or(0);
        // 7.6 units is the mean width of a character at this size; the legend ends near the right side.
        let left = (SIDES.1 - 60.0 - 7.6 * longest as f64).clamp(SIDES.0 + 20.0, SIDES.1 - 180.0);
        picture.push(shapes::legend(left, ENDS.1 + 14.0, &entries));
        picture
    }

    /// The numbers: edges, and of each distribution the value and its interval.
    pub fn csv(&self) -> String {
        let names =
            self.curves.iter().flat_map(|curve| ["", "_low", "_high"].map(|end| format!("{}{end}", curve.name)));
        let mut lines = vec![["low".into(), "high".into()].into_iter().chain(names).collect::<Vec<_>>().join(",")];
        for (bin, edges) in self.edges.windows(2).enumerate() {
            let of_curve = |curve: &Curve| {
                let (low, high) = curve.intervals[bin];
                [curve.values[bin], low, high]
            };
            let numbers = [edges[0], edges[1]].into_iter().chain(self.curves.iter().flat_map(of_curve));
            lines.push(numbers.map(number::csv).collect::<Vec<_>>().join(","));
        }
        lines.join("\n") + "\n"
    }

    fn symbols(&self) -> Vec<Symbol> {
        let mut lines = LINES.iter().cycle().copied();
        let symbol = |curve: &Curve| match curve.mark {
            Mark::Points => Symbol::Point,
            Mark::Steps => lines.next().unwrap_or(Symbol::None),
        };
        self.curves.iter().map(symbol).collect()
    }

    fn range(&self) -> (f64, f64) {
        let bins = self.curves.iter().flat_map(|curve| curve.values.iter().zip(&curve.intervals));
        let positive = bins.filter(|(value, _)| value.is_finite() && **value > 0.0);
        let (low, high) = positive
            .fold((f64::INFINITY, 0.0f64), |(low, high), (value, interval)| (low.min(*value), high.max(interval.1)));
        let filled = (FILLED.0 - FILLED.1 * self.curves.len() as f64).max(0.5);
        match self.vertical {
            _ if high == 0.0 => (0.1, 10.0),
            Spacing::Linear => (0.0, 1.1 * high / filled),
            Spacing::Logarithmic => {
                // Six decades are the most that can be read.
                let bottom = (0.5 * low).max(1e-6 * high);
                (bottom, (bottom * (1.6 * high / bottom).powf(1.0 / filled)).max(10.0 * bottom))
            }
        }
    }

    fn curve(&self, panel: &Panel, curve: &Curve, symbol: Symbol) -> Element {
        let bins = self.edges.windows(2).zip(&curve.values).zip(&curve.intervals);
        let bins = bins.map(|((edges, value), interval)| (edges[0], edges[1], *value, *interval));
        match curve.mark {
            Mark::Points => points(panel, &curve.name, bins),
            Mark::Steps => steps(panel, &curve.name, symbol, bins.collect()),
        }
    }
}

/// Where a value is on the page; at the bottom if it is below, for a logarithmic scale has no place for 0.
fn place(panel: &Panel, value: f64) -> f64 {
    let ((low, _), (bottom, _)) = (panel.y.range(), panel.y.places());
    if value > low { panel.y.place(value) } else { bottom }
}

type Bin = (f64, f64, f64, (f64, f64));

fn points(panel: &Panel, name: &str, bins: impl Iterator<Item = Bin>) -> Element {
    let mut group = Element::new("g").with("stroke", INK).with("stroke-width", "1.2").with("fill", INK);
    for bin in bins.filter(|(_, _, value, _)| *value > 0.0) {
        let (left, right, value, (low, high)) = bin;
        let middle = (panel.x.place(left) + panel.x.place(right)) / 2.0;
        let bar = shapes::line((middle, place(panel, low)), (middle, place(panel, high)));
        let point = Element::new("circle").at("cx", middle).at("cy", place(panel, value)).at("r", 3.5);
        group.push(Element::new("g").child(shapes::hover(words(name, bin))).child(bar).child(point));
    }
    group
}

fn steps(panel: &Panel, name: &str, symbol: Symbol, bins: Vec<Bin>) -> Element {
    let (Symbol::Line(colour) | Symbol::Dashed(colour)) = symbol else { return Element::new("g") };
    let mut group = Element::new("g");
    let at = |bin: &Bin| (panel.x.place(bin.0), panel.x.place(bin.1), place(panel, bin.2));
    // The band of an empty bin would say more of the other curves than of this one.
    for bin in bins.iter().filter(|(_, _, value, _)| *value != 0.0) {
        let ((left, right, _), (low, high)) = (at(bin), bin.3);
        let (top, bottom) = (place(panel, high), place(panel, low));
        let band = shapes::rectangle(left, top, right - left, bottom - top).child(shapes::hover(words(name, *bin)));
        group.push(band.with("fill", colour).with("fill-opacity", "0.18"));
    }
    let outline = Element::new("path").with("d", shapes::steps(&bins.iter().map(at).collect::<Vec<_>>()));
    let outline = outline.with("fill", "none").with("stroke", colour).with("stroke-width", "1.8");
    group.push(match symbol {
        Symbol::Dashed(_) => outline.with("stroke-dasharray", "6 4"),
        _ => outline,
    });
    group
}

fn words(name: &str, (left, right, value, (low, high)): Bin) -> String {
    let [left, right] = [left, right].map(|edge| number::significant(edge, 5));
    let [value, low, high] = [value, low, high].map(|value| number::significant(value, 4));
    plain(&format!("{name}, {left} to {right}: {value} ({low} to {high})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(vertical: Spacing) -> DistributionsPlot {
        let curve = |name: &str, mark| Curve {
            name: name.into(),
            values: vec![4.0, 0.0, 1.0],
            intervals: vec![(2.1, 7.2), (0.0, 1.8), (0.2, 3.3)],
            mark,
        };
        DistributionsPlot {
            label: PlotLabel::new("test"),
            axis: AxisTitle::new("*m*", "GeV"),
            spacing: Spacing::Linear,
            vertical,
            edges: vec![0.0, 1.0, 2.0, 3.0],
            amount: "Events".into(),
            curves: vec![curve("background", Mark::Steps), curve("data", Mark::Points)],
        }
    }

    #[test]
    fn every_value_is_within_the_frame_and_in_the_table() {
        for vertical in [Spacing::Linear, Spacing::Logarithmic] {
            let plot = plot(vertical);
            let (low, high) = plot.range();
            assert!(low < 1.0 && high > 4.0);
            assert_eq!(
                plot.csv().lines().next(),
                Some("low,high,background,background_low,background_high,data,data_low,data_high")
            );
            assert_eq!(plot.csv().lines().nth(2), Some("1,2,0,0,1.8,0,0,1.8"));
            // A point for each bin that has events.
            let svg = plot.draw("d").to_string();
            assert_eq!(svg.matches("<circle").count(), 2 + 1, "two points, and one in the legend");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn nothing_at_all_is_an_empty_frame() {
        let mut plot = plot(Spacing::Logarithmic);
        plot.curves.clear();
        assert!(plot.draw("d").to_string().contains("<svg") && plot.csv().starts_with("low,high\n0,1\n"));
    }
}
