//! Shapes that the plots share.

use crate::report::markup::{Dialect, Element, coordinate};

/// The colour of text and frames.
pub const INK: &str = "#000000";
/// The colour of expectations.
pub const EXPECTED: &str = "#c8202f";
/// The colour of marked windows.
pub const MARKED: &str = "#1f5fb4";
/// The fill below a histogram.
pub const FILL: &str = "#d5dde8";

/// Which part of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The beginning.
    Start,
    /// The middle.
    Middle,
    /// The end.
    End,
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// The root of a plot: scales with its container, reads as a picture with the name `title`.
pub fn picture(width: f64, height: f64, title: &str) -> Element {
    Element::new("svg")
        .with("xmlns", "http://www.w3.org/2000/svg")
        .with("viewBox", format!("0 0 {} {}", coordinate(width), coordinate(height)))
        .at("width", width)
        .at("height", height)
        .with("font-family", "sans-serif")
        .with("role", "img")
        .with("aria-label", title)
        .child(rectangle(0.0, 0.0, width, height).with("fill", "#ffffff"))
}

/// An empty text element.
pub fn text(x: f64, y: f64, size: f64, anchor: Anchor) -> Element {
    let element = Element::new("text").at("x", x).at("y", y).at("font-size", size).with("fill", INK);
    if anchor == Anchor::Start { element } else { element.with("text-anchor", anchor.word()) }
}

/// A rich text.
pub fn label(x: f64, y: f64, size: f64, anchor: Anchor, rich: &str) -> Element {
    text(x, y, size, anchor).rich(rich, Dialect::Svg)
}

/// A rich text that reads from the bottom up.
pub fn upright(x: f64, y: f64, size: f64, anchor: Anchor, rich: &str) -> Element {
    let turn = format!("rotate(-90 {} {})", coordinate(x), coordinate(y));
    label(x, y, size, anchor, rich).with("transform", turn)
}

/// A rectangle; a negative side becomes zero.
pub fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Element {
    Element::new("rect").at("x", x).at("y", y).at("width", width.max(0.0)).at("height", height.max(0.0))
}

/// A straight line.
pub fn line(from: (f64, f64), to: (f64, f64)) -> Element {
    Element::new("line").at("x1", from.0).at("y1", from.1).at("x2", to.0).at("y2", to.1)
}

/// A move and a stroke of a path.
pub fn segment(from: (f64, f64), to: (f64, f64)) -> String {
    let [a, b, c, d] = [from.0, from.1, to.0, to.1].map(coordinate);
    format!("M{a} {b}L{c} {d}")
}

/// The outline of steps: for each step its left, right and height, from the first to the last; empty for no steps.
pub fn steps(steps: &[(f64, f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (left, right, height)) in steps.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let [left, right, height] = [left, right, height].map(|number| coordinate(*number));
        path.push_str(&format!("{command}{left} {height}L{right} {height}"));
    }
    path
}

/// [`steps`], closed along `base`, to be filled.
pub fn area(outline: &[(f64, f64, f64)], base: f64) -> String {
    let (Some(first), Some(last)) = (outline.first(), outline.last()) else { return String::new() };
    let [left, right, base] = [first.0, last.1, base].map(coordinate);
    format!("{}L{right} {base}L{left} {base}Z", steps(outline))
}

/// A text that a viewer shows when the pointer rests on the shape.
pub fn hover(text: impl std::fmt::Display) -> Element {
    Element::new("title").text(text)
}

/// Diagonal stripes named `id`, for what was left out.
pub fn hatching(id: &str) -> Element {
    Element::new("pattern")
        .with("id", id)
        .with("width", "6")
        .with("height", "6")
        .with("patternUnits", "userSpaceOnUse")
        .with("patternTransform", "rotate(45)")
        .child(rectangle(0.0, 0.0, 6.0, 6.0).with("fill", "#f1f1f1"))
        .child(line((0.0, 0.0), (0.0, 6.0)).with("stroke", "#b4b4b4").with("stroke-width", "2.4"))
}

/// What stands before an entry of a legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// A data point with its error bar.
    Point,
    /// A line of this colour.
    Line(&'static str),
    /// A dashed line of this colour.
    Dashed(&'static str),
    /// A filled box: fill and stroke.
    Box(&'static str, &'static str),
    /// Nothing: a line of text.
    None,
}

/// A legend with its top left corner at (`x`, `y`), one entry every 22 units.
pub fn legend(x: f64, y: f64, entries: &[(Symbol, String)]) -> Element {
    let mut group = Element::new("g");
    for (index, (symbol, words)) in entries.iter().enumerate() {
        let middle = y + 11.0 + 22.0 * index as f64;
        if let Some(drawn) = symbol.draw(x, middle) {
            group.push(drawn);
        }
        group.push(label(x + 40.0, middle + 5.0, 14.0, Anchor::Start, words));
    }
    group
}

impl Symbol {
    fn draw(self, x: f64, middle: f64) -> Option<Element> {
        let bar = line((x, middle), (x + 30.0, middle));
        Some(match self {
            Self::None => return None,
            Self::Point => Element::new("g")
                .child(line((x + 15.0, middle - 9.0), (x + 15.0, middle + 9.0)).with("stroke", INK))
                .child(Element::new("circle").at("cx", x + 15.0).at("cy", middle).with("r", "3.5").with("fill", INK)),
            Self::Line(colour) => bar.with("stroke", colour).with("stroke-width", "2"),
            Self::Dashed(colour) => {
                bar.with("stroke", colour).with("stroke-width", "1.6").with("stroke-dasharray", "6 4")
            }
            Self::Box(fill, stroke) => rectangle(x, middle - 7.0, 30.0, 14.0).with("fill", fill).with("stroke", stroke),
        })
    }
}
