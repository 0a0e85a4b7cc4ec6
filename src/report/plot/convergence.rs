//! The global p-value after so many toys, with its interval: whether it has settled, and how well it is known.

use std::fmt::Write;

use crate::report::markup::{Element, coordinate};
use crate::report::number;
use crate::report::rich;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, EXPECTED, FILL, INK, Symbol};
use crate::report::svg::{Panel, Scale, Spacing};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const SIDES: (f64, f64) = (86.0, 736.0);
const ENDS: (f64, f64) = (356.0, 18.0);

/// The p-value at several numbers of toys.
#[derive(Debug, Clone)]
pub struct Convergence {
    /// The label at the top left.
    pub label: PlotLabel,
    /// The points, by rising numbers of toys.
    pub points: Vec<ConvergencePoint>,
    /// The p-value of all toys, or of the rare tail, as the legend states it, rich.
    pub p_value: String,
    /// The p-value of the rare tail, where that is the answer and `p_value` is its.
    pub tail: Option<TailLevel>,
}

/// The p-value of a rare tail: a level that no number of toys moves.
#[derive(Debug, Clone, PartialEq)]
pub struct TailLevel {
    /// The p-value; 0 where it is too small for an `f64`.
    pub p: f64,
    /// Its interval.
    pub interval: (f64, f64),
    /// What the legend says of it, rich: that it is not of the toys.
    pub note: String,
}

impl TailLevel {
    /// Whether an axis can reach down to it and still show the toys.
    fn is_shown(&self) -> bool {
        const SMALLEST: f64 = 1e-40;
        self.p > SMALLEST
    }
}

/// The p-value after a number of toys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvergencePoint {
    /// The number of toys.
    pub toys: u64,
    /// How many of them exceed.
    pub exceed: u64,
    /// The interval of the p-value.
    pub interval: (f64, f64),
}

impl ConvergencePoint {
    fn p(&self) -> f64 {
        self.exceed as f64 / self.toys as f64
    }
}

impl Convergence {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let panel = self.panel();
        let (x_ticks, y_ticks) = (panel.x_ticks(), panel.y_ticks());
        let mut picture = shapes::picture(WIDTH, HEIGHT, "Convergence of the global p-value with the number of toys");
        picture.push(Element::new("defs").child(panel.clip(&format!("{id}-frame"))));
        picture.push(self.curve(&panel).with("clip-path", format!("url(#{id}-frame)")));
        picture.push(panel.frame(&x_ticks, &y_ticks));
        picture.push(panel.x_labels(&x_ticks, "Toys"));
        picture.push(panel.y_labels(&y_ticks, "Global *p*-value", 58.0, Anchor::End));
        picture.push(self.label.draw(SIDES.0 + 20.0, ENDS.1 + 14.0));
        picture.push(self.legend());
        picture
    }

    /// The numbers of each point.
    pub fn csv(&self) -> String {
        let mut text = String::from("toys,exceeding,p,low,high\n");
        for point in &self.points {
            let [p, low, high] = [point.p(), point.interval.0, point.interval.1].map(number::csv);
            let _ = writeln!(text, "{},{},{p},{low},{high}", point.toys, point.exceed);
        }
        text
    }

    /// The y axis holds every p-value above 0 and the upper ends of the others, with room for the legend above.
    fn panel(&self) -> Panel {
        let ends = self.points.iter().map(|point| if point.exceed > 0 { point.interval.0 } else { point.interval.1 });
        let low = ends.filter(|p| *p > 0.0).fold(1.0, f64::min);
        let high = self.points.iter().map(|point| point.interval.1).fold(low, f64::max);
        let (first, last) = (self.points.first().map_or(1, |at| at.toys), self.points.last().map_or(10, |at| at.toys));
        let x = Scale::new(Spacing::Logarithmic, (first as f64, last as f64), SIDES);
        // The lowest point may lie far below the rest; three decades below the last one is what can be of interest.
        let settled = self.points.last().map_or(low, |last| if last.exceed > 0 { last.p() } else { last.interval.1 });
        let low = low.max(settled / 1e3);
        // Where the answer is a rare tail's, it is to be seen how far the toys are from it.
        let tail = self.shown_tail();
        let (low, high) = tail.map_or((low, high), |tail| (low.min(tail.p), high.max(tail.p)));
        let decades = (high / low).log10().max(0.3);
        let y = Scale::new(
            Spacing::Logarithmic,
            (low / 10f64.powf(0.1 * decades), high * 10f64.powf(0.75 * decades)),
            ENDS,
        );
        Panel { x, y }
    }

    fn curve(&self, panel: &Panel) -> Element {
        let place = |toys: u64, p: f64| (panel.x.place(toys as f64), panel.y.place(p));
        let path = |points: &mut dyn Iterator<Item = (f64, f64)>| {
            let mut path = String::new();
            for (x, y) in points {
                let _ = write!(path, "{}{} {}", if path.is_empty() { 'M' } else { 'L' }, coordinate(x), coordinate(y));
            }
            path
        };
        let upper = self.points.iter().map(|at| place(at.toys, at.interval.1));
        let lower = self.points.iter().rev().map(|at| place(at.toys, at.interval.0));
        let mut group = Element::new("g");
        let band = path(&mut upper.chain(lower));
        if !band.is_empty() {
            group.push(Element::new("path").with("d", format!("{band}Z")).with("fill", FILL));
        }
        if let Some(tail) = self.shown_tail() {
            group.push(level_of_tail(panel, tail));
        } else if let Some(last) = self.points.last().filter(|last| last.exceed > 0 && self.tail.is_none()) {
            let (right, y) = place(last.toys, last.p());
            let level = shapes::line((SIDES.0, y), (right, y)).with("stroke", EXPECTED).with("stroke-width", "1.6");
            group.push(level.with("stroke-dasharray", "6 4"));
        }
        let mut seen = self.points.iter().filter(|at| at.exceed > 0).map(|at| place(at.toys, at.p()));
        let line = Element::new("path").with("d", path(&mut seen)).with("fill", "none");
        group.push(line.with("stroke", INK).with("stroke-width", "1.6"));
        self.points
            .iter()
            .for_each(|at| group.push(dot(at, place(at.toys, if at.exceed > 0 { at.p() } else { at.interval.1 }))));
        group
    }

    fn shown_tail(&self) -> Option<&TailLevel> {
        self.tail.as_ref().filter(|tail| tail.is_shown())
    }

    fn legend(&self) -> Element {
        let mut entries = vec![
            (Symbol::Line(INK), "Exceeding toys / toys".to_owned()),
            (Symbol::Box(FILL, "none"), "68 % interval".to_owned()),
        ];
        if !self.points.is_empty() {
            entries.push((Symbol::Dashed(EXPECTED), number::stated("*p*_{global}", &self.p_value)));
        }
        if let Some(tail) = &self.tail {
            entries.push((Symbol::None, tail.note.clone()));
            entries.extend((!tail.is_shown()).then(|| (Symbol::None, "below the axis".to_owned())));
        }
        shapes::legend(SIDES.1 - 276.0, ENDS.1 + 12.0, &entries)
    }
}

/// The p-value of a rare tail, all along the axis, with its interval.
fn level_of_tail(panel: &Panel, tail: &TailLevel) -> Element {
    let y = panel.y.place(tail.p);
    let (low, high) = (panel.y.place(tail.interval.0), panel.y.place(tail.interval.1));
    let band = [(SIDES.0, SIDES.1, high)];
    let mut group = Element::new("g");
    let words = format!(
        "rare tail: p = {} ({} to {})",
        number::significant(tail.p, 3),
        number::significant(tail.interval.0, 3),
        number::significant(tail.interval.1, 3)
    );
    group.push(shapes::hover(rich::plain(&words)));
    group.push(
        Element::new("path").with("d", shapes::area(&band, low)).with("fill", EXPECTED).with("fill-opacity", "0.25"),
    );
    let level = shapes::line((SIDES.0, y), (SIDES.1, y)).with("stroke", EXPECTED).with("stroke-width", "1.6");
    group.push(level.with("stroke-dasharray", "6 4"));
    group
}

/// A point that can be pointed at; a hollow one at the upper end of the interval where no toy exceeds.
fn dot(at: &ConvergencePoint, (x, y): (f64, f64)) -> Element {
    let words = format!(
        "{} toys, {} exceed, p = {} ({} to {})",
        number::count(at.toys),
        number::count(at.exceed),
        number::significant(at.p(), 3),
        number::significant(at.interval.0, 3),
        number::significant(at.interval.1, 3)
    );
    let fill = if at.exceed > 0 { INK } else { "#ffffff" };
    let circle = Element::new("circle").at("cx", x).at("cy", y).with("r", "2.6").with("fill", fill).with("stroke", INK);
    circle.child(shapes::hover(rich::plain(&words)))
}
