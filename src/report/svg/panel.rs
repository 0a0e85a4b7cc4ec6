//! A rectangle with axes: ticks inside on all four sides, the x title at the right end, the y title at the top, as in the
//! figures of the LHC experiments.

use super::scale::Scale;
use super::shapes::{self, Anchor};
use super::ticks::{Ticks, ticks};
use crate::report::markup::{Dialect, Element};
use crate::report::number;

/// The length of a labelled mark in user units.
const MAJOR: f64 = 9.0;
/// The length of a mark without label.
const MINOR: f64 = 4.5;
/// The size of tick labels.
pub const LABEL_SIZE: f64 = 14.0;
/// The size of axis titles.
pub const TITLE_SIZE: f64 = 16.0;

/// What an axis shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AxisTitle {
    /// The quantity in [rich notation](crate::report::rich): `*m*_{JJ}`.
    pub quantity: String,
    /// Its unit, if it has one: `GeV`.
    pub unit: Option<String>,
}

impl AxisTitle {
    /// A quantity with its unit; an empty unit is none.
    pub fn new(quantity: impl Into<String>, unit: impl Into<String>) -> Self {
        let unit = unit.into();
        Self { quantity: quantity.into(), unit: (!unit.is_empty()).then_some(unit) }
    }

    /// `quantity [unit]`, rich.
    pub fn rich(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} [{unit}]", self.quantity),
            None => self.quantity.clone(),
        }
    }

    /// The unit with a space before it, or nothing.
    pub fn after_number(&self) -> String {
        self.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default()
    }
}

impl AxisTitle {
    /// The title of the other axis: `Events / 50 GeV` for equal widths, otherwise `Events / bin`.
    pub fn amount_per_bin(&self, amount: &str, edges: &[f64]) -> String {
        let widths = edges.windows(2).map(|pair| pair[1] - pair[0]);
        let width = widths.clone().next().unwrap_or(f64::NAN);
        if !width.is_finite() || widths.into_iter().any(|other| (other - width).abs() >= 1e-6 * width.abs()) {
            return format!("{amount} / bin");
        }
        let digits = number::significant(width, 4);
        let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
        format!("{amount} / {digits}{}", self.after_number())
    }
}

/// A frame: `x` runs from left to right, `y` from the bottom up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Panel {
    /// The horizontal scale.
    pub x: Scale,
    /// The vertical scale, whose start is the bottom.
    pub y: Scale,
}

impl Panel {
    /// The left, top, right and bottom sides.
    pub fn sides(&self) -> (f64, f64, f64, f64) {
        let ((left, right), (bottom, top)) = (self.x.places(), self.y.places());
        (left, top, right, bottom)
    }

    /// A white ground, to be drawn before the data.
    pub fn ground(&self) -> Element {
        let (left, top, right, bottom) = self.sides();
        shapes::rectangle(left, top, right - left, bottom - top).with("fill", "#ffffff")
    }

    /// A clip path named `id` for lines that may leave the frame.
    pub fn clip(&self, id: &str) -> Element {
        let (left, top, right, bottom) = self.sides();
        Element::new("clipPath").with("id", id).child(shapes::rectangle(left, top, right - left, bottom - top))
    }

    /// The frame with its marks on all sides, without labels; to be drawn after the data.
    pub fn frame(&self, x: &Ticks, y: &Ticks) -> Element {
        let (left, top, right, bottom) = self.sides();
        let mut path = String::new();
        let mut mark = |from: (f64, f64), to: (f64, f64)| {
            path.push_str(&shapes::segment(from, to));
        };
        for (length, values) in lengths(x) {
            for place in values.iter().map(|value| self.x.place(*value)) {
                mark((place, bottom), (place, bottom - length));
                mark((place, top), (place, top + length));
            }
        }
        for (length, values) in lengths(y) {
            for place in values.iter().map(|value| self.y.place(*value)) {
                mark((left, place), (left + length, place));
                mark((right, place), (right - length, place));
            }
        }
        let outline = shapes::rectangle(left, top, right - left, bottom - top);
        Element::new("g")
            .with("fill", "none")
            .with("stroke", shapes::INK)
            .with("stroke-width", "1")
            .child(Element::new("path").with("d", path))
            .child(outline)
    }

    /// The labels and the title below the frame.
    pub fn x_labels(&self, marks: &Ticks, title: &str) -> Element {
        let (_, _, right, bottom) = self.sides();
        let labels = marks.major.iter().map(|tick| {
            shapes::label(self.x.place(tick.value), bottom + 20.0, LABEL_SIZE, Anchor::Middle, &tick.label)
        });
        Element::new("g").children(labels).child(shapes::label(right, bottom + 46.0, TITLE_SIZE, Anchor::End, title))
    }

    /// The labels and the rotated title left of the frame, `offset` from it.
    pub fn y_labels(&self, marks: &Ticks, title: &str, offset: f64, anchor: Anchor) -> Element {
        let (left, top, _, bottom) = self.sides();
        let labels = marks.major.iter().map(|tick| {
            shapes::label(left - 8.0, self.y.place(tick.value) + 5.0, LABEL_SIZE, Anchor::End, &tick.label)
        });
        let from = match anchor {
            Anchor::Start => bottom,
            Anchor::Middle => (top + bottom) / 2.0,
            Anchor::End => top,
        };
        Element::new("g").children(labels).child(shapes::upright(left - offset, from, TITLE_SIZE, anchor, title))
    }

    /// Marks of the x axis with labels that do not touch.
    pub fn x_ticks(&self) -> Ticks {
        ticks(&self.x, 50.0)
    }

    /// Marks of the y axis with labels that do not touch.
    pub fn y_ticks(&self) -> Ticks {
        ticks(&self.y, 26.0)
    }
}

fn lengths(marks: &Ticks) -> [(f64, Vec<f64>); 2] {
    [(MAJOR, marks.major.iter().map(|tick| tick.value).collect()), (MINOR, marks.minor.clone())]
}

/// The plot's name at the top left, in the manner of the experiments: the program in bold italics, then the tag, and
/// lines of small print below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotLabel {
    /// What follows the bold name: `demo`, `internal`.
    pub tag: String,
    /// Small print below, rich: the selection, the energy.
    pub lines: Vec<String>,
}

impl PlotLabel {
    /// A label without small print.
    pub fn new(tag: impl Into<String>) -> Self {
        Self { tag: tag.into(), lines: Vec::new() }
    }

    /// Adds a line of small print.
    pub fn line(mut self, text: impl Into<String>) -> Self {
        self.lines.push(text.into());
        self
    }

    /// Drawn with its top left corner at (`x`, `y`).
    pub fn draw(&self, x: f64, y: f64) -> Element {
        let name = Element::new("tspan").with("font-weight", "bold").with("font-style", "italic").text("Trawl");
        let head = shapes::text(x, y + 17.0, 20.0, Anchor::Start).child(name).text(" ").rich(&self.tag, Dialect::Svg);
        let lines = self
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| shapes::label(x, y + 40.0 + 20.0 * index as f64, LABEL_SIZE, Anchor::Start, line));
        Element::new("g").child(head).children(lines)
    }
}
