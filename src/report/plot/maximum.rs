//! The distribution of the largest statistic of each toy, with the observed one: the global p-value in one picture.

use std::fmt::Write;

use crate::report::markup::Element;
use crate::report::number;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, EXPECTED, FILL, INK, Symbol};
use crate::report::svg::{AxisTitle, Panel, Scale, Spacing};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 500.0;
const SIDES: (f64, f64) = (86.0, 736.0);
const ENDS: (f64, f64) = (436.0, 18.0);
/// The share of the panel that the histogram may fill.
const FILLED: f64 = 0.72;

/// Toys by their largest statistic.
#[derive(Debug, Clone)]
pub struct MaximumDistribution {
    /// The label at the top left.
    pub label: PlotLabel,
    /// The statistic: `Largest local significance` in `σ`.
    pub axis: AxisTitle,
    /// `n + 1` increasing edges.
    pub edges: Vec<f64>,
    /// Toys in each of the `n` bins.
    pub toys: Vec<u64>,
    /// The observed statistic.
    pub observed: f64,
    /// How many toys reached it.
    pub reached: u64,
    /// How many toys were thrown.
    pub thrown: u64,
    /// The global p-value, as the legend states it, rich: `0.0123 ± 0.0004`.
    pub p_value: String,
    /// The global significance, as the legend states it, rich: `2.25 ± 0.01 σ`.
    pub significance: String,
    /// What else is to be said of these two, rich: that they are not of the toys shown.
    pub note: Option<String>,
}

impl MaximumDistribution {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let panel = self.panel();
        let (x_ticks, y_ticks) = (panel.x_ticks(), panel.y_ticks());
        let mut picture = shapes::picture(WIDTH, HEIGHT, "Distribution of the largest statistic over the toys");
        picture.push(Element::new("defs").child(panel.clip(&format!("{id}-frame"))));
        picture.push(self.histogram(&panel).with("clip-path", format!("url(#{id}-frame)")));
        picture.push(self.arrow(&panel));
        picture.push(panel.frame(&x_ticks, &y_ticks));
        picture.push(panel.x_labels(&x_ticks, &self.axis.rich()));
        picture.push(panel.y_labels(&y_ticks, "Toys / bin", 58.0, Anchor::End));
        picture.push(self.label.draw(SIDES.0 + 20.0, ENDS.1 + 16.0));
        picture.push(self.legend());
        picture
    }

    /// The numbers: edges and toys of each bin.
    pub fn csv(&self) -> String {
        let mut text = String::from("low,high,toys\n");
        for (pair, toys) in self.edges.windows(2).zip(&self.toys) {
            let _ = writeln!(text, "{},{},{toys}", number::csv(pair[0]), number::csv(pair[1]));
        }
        text
    }

    fn panel(&self) -> Panel {
        let filled = || self.edges.windows(2).zip(&self.toys).filter(|(_, toys)| **toys > 0).map(|(pair, _)| pair);
        let first = filled().next().or(self.edges.get(..2)).map_or(0.0, |pair| pair[0]);
        let last = filled().next_back().or(self.edges.get(..2)).map_or(1.0, |pair| pair[1]);
        let (low, high) =
            if self.observed.is_finite() { (first.min(self.observed), last.max(self.observed)) } else { (first, last) };
        let room = 0.06 * (high - low).max(0.1);
        let most = self.toys.iter().copied().max().unwrap_or(0).max(1) as f64;
        let x = Scale::new(Spacing::Linear, (low - room, high + room), SIDES);
        Panel { x, y: Scale::new(Spacing::Logarithmic, (0.5, 0.5 * (3.0 * most).powf(1.0 / FILLED)), ENDS) }
    }

    fn histogram(&self, panel: &Panel) -> Element {
        let (_, _, _, bottom) = panel.sides();
        let bin = |(pair, toys): (&[f64], &u64)| {
            (panel.x.place(pair[0]), panel.x.place(pair[1]), panel.y.place(*toys as f64))
        };
        let steps: Vec<_> = self.edges.windows(2).zip(&self.toys).map(bin).collect();
        let from = panel.x.place(self.observed);
        let tail: Vec<_> = steps
            .iter()
            .filter(|(_, right, _)| *right > from)
            .map(|(left, right, top)| (left.max(from), *right, *top))
            .collect();
        let mut group = Element::new("g");
        group.push(Element::new("path").with("d", shapes::area(&steps, bottom)).with("fill", FILL));
        group.push(
            Element::new("path")
                .with("d", shapes::area(&tail, bottom))
                .with("fill", EXPECTED)
                .with("fill-opacity", "0.45"),
        );
        let outline = Element::new("path").with("d", shapes::steps(&steps)).with("fill", "none");
        group.push(outline.with("stroke", INK).with("stroke-width", "1.4"));
        group
    }

    fn arrow(&self, panel: &Panel) -> Element {
        let (_, top, _, bottom) = panel.sides();
        let x = panel.x.place(self.observed);
        let from = bottom - 0.5 * (bottom - top);
        let [left, tip, right, end, base] =
            [x - 6.0, x, x + 6.0, bottom - 1.0, bottom - 15.0].map(crate::report::markup::coordinate);
        let shaft = shapes::line((x, from), (x, bottom - 12.0)).with("stroke", EXPECTED).with("stroke-width", "2.4");
        let head = Element::new("path")
            .with("d", format!("M{left} {base}L{right} {base}L{tip} {end}Z"))
            .with("fill", EXPECTED);
        let words = format!("observed: {}{}", number::fixed(self.observed, 2), self.axis.after_number());
        Element::new("g").child(shapes::hover(crate::report::rich::plain(&words))).child(shaft).child(head)
    }

    fn legend(&self) -> Element {
        let observed = format!("Observed: {}{}", number::fixed(self.observed, 2), self.axis.after_number());
        let mut entries = vec![
            (Symbol::Box(FILL, INK), format!("{} toys", number::count(self.thrown))),
            (Symbol::Line(EXPECTED), observed),
            (Symbol::Box("#e9a0a6", "none"), format!("{} toys reach it", number::count(self.reached))),
            (Symbol::None, number::stated("*p*_{global}", &self.p_value)),
            (Symbol::None, number::stated("*Z*_{global}", &self.significance)),
        ];
        entries.extend(self.note.iter().map(|note| (Symbol::None, note.clone())));
        shapes::legend(SIDES.1 - 262.0, ENDS.1 + 14.0, &entries)
    }
}
