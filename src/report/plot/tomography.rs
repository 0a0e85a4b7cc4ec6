//! The local p-value of each window of a 1D scan: a bar as wide as the window at the height of its p-value.

use std::fmt::Write;

use crate::report::markup::{Element, coordinate};
use crate::report::number;
use crate::report::rich;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, EXPECTED, INK, MARKED, Symbol};
use crate::report::svg::ticks::{Tick, Ticks};
use crate::report::svg::{AxisTitle, Panel, Scale, Spacing, ticks};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 500.0;
const SIDES: (f64, f64) = (86.0, 700.0);
const ENDS: (f64, f64) = (436.0, 18.0);
/// So many windows, those with the smallest p-values, can be pointed at; the others share one path, or a scan with
/// thousands of windows would weigh more than the rest of the page.
const POINTED: usize = 200;
/// The one-sided tail of 1 to 8 standard deviations, log10: `log10(norm.sf(z))`.
const LOG10_TAIL: [f64; 8] =
    [-0.799_546, -1.643_016, -2.869_699, -4.499_335, -6.542_646, -9.005_864, -11.892_854, -15.206_143];

/// The windows of a 1D scan.
#[derive(Debug, Clone)]
pub struct Tomography {
    /// The label at the top left.
    pub label: PlotLabel,
    /// The quantity of the x axis.
    pub axis: AxisTitle,
    /// How x is spread.
    pub spacing: Spacing,
    /// The range of the scanned spectrum.
    pub range: (f64, f64),
    /// The windows.
    pub windows: Vec<TomographyWindow>,
}

/// One window of a 1D scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TomographyWindow {
    /// The lower edge.
    pub low: f64,
    /// The upper edge.
    pub high: f64,
    /// The observed count.
    pub observed: f64,
    /// The expected count.
    pub expected: f64,
    /// The natural logarithm of the local p-value.
    pub ln_p: f64,
}

impl Tomography {
    /// The picture.
    pub fn draw(&self, _id: &str) -> Element {
        let panel = self.panel();
        let (x_ticks, y_ticks) = (panel.x_ticks(), self.p_ticks(&panel));
        let mut picture = shapes::picture(WIDTH, HEIGHT, "Local p-value of each window");
        picture.push(significance_lines(&panel));
        picture.push(self.bars(&panel));
        picture.push(panel.frame(&x_ticks, &y_ticks));
        picture.push(panel.x_labels(&x_ticks, &self.axis.rich()));
        picture.push(panel.y_labels(&y_ticks, "Local *p*-value", 58.0, Anchor::End));
        picture.push(self.label.draw(SIDES.0 + 20.0, ENDS.1 + 14.0));
        picture.push(self.legend());
        picture
    }

    /// The numbers of each window.
    pub fn csv(&self) -> String {
        let mut text = String::from("low,high,observed,expected,ln_p\n");
        for window in &self.windows {
            let numbers = [window.low, window.high, window.observed, window.expected, window.ln_p].map(number::csv);
            let _ = writeln!(text, "{}", numbers.join(","));
        }
        text
    }

    /// The y axis is linear in log10 p, which has a place for p-values that f64 cannot hold.
    fn panel(&self) -> Panel {
        let least =
            self.windows.iter().map(|window| log10(window.ln_p)).filter(|log| log.is_finite()).fold(-2.9, f64::min);
        let depth = -least * 1.08;
        let x = Scale::new(self.spacing, self.range, SIDES);
        Panel { x, y: Scale::new(Spacing::Linear, (-depth, 0.42 * depth), ENDS) }
    }

    fn p_ticks(&self, panel: &Panel) -> Ticks {
        let exponents = |gap: f64| {
            let marks = ticks::ticks(&panel.y, gap);
            let major = marks.major.into_iter().map(|tick| tick.value);
            major.filter(|value| *value <= 1e-9 && value.fract().abs() < 1e-9).collect::<Vec<f64>>()
        };
        let label = |value: f64| match value.round() as i64 {
            0 => "1".into(),
            exponent => format!("10^{{{exponent}}}"),
        };
        let major = exponents(26.0).into_iter().map(|value| Tick { value, label: label(value) }).collect();
        let (low, _) = panel.y.range();
        let decades = (-low).floor();
        let minor = if decades <= 12.0 {
            (0..decades as i32 + 1)
                .flat_map(|decade| (2..=9).map(move |digit| f64::from(digit).log10() - f64::from(decade) - 1.0))
                .filter(|value| panel.y.contains(*value))
                .collect()
        } else {
            Vec::new()
        };
        Ticks { major, minor }
    }

    fn bars(&self, panel: &Panel) -> Element {
        let mut order: Vec<&TomographyWindow> = self.windows.iter().filter(|window| !window.ln_p.is_nan()).collect();
        order.sort_by(|a, b| a.ln_p.total_cmp(&b.ln_p));
        let (pointed, rest) = order.split_at(order.len().min(POINTED));
        let ends = |window: &TomographyWindow| {
            let y = panel.y.place(log10(window.ln_p));
            ((panel.x.place(window.low), y), (panel.x.place(window.high), y))
        };
        let path: String = rest.iter().map(|window| ends(window)).map(|(from, to)| shapes::segment(from, to)).collect();
        let others = Element::new("path").with("d", path).with("stroke", MARKED).with("stroke-opacity", "0.3");
        let mut group = Element::new("g").with("fill", "none").with("stroke-width", "1.2").child(others);
        // The smallest is drawn last, so that nothing hides it.
        for (place, window) in pointed.iter().enumerate().rev() {
            let (from, to) = ends(window);
            let (colour, width) = if place == 0 { (EXPECTED, "3") } else { (MARKED, "1.5") };
            let bar = shapes::line(from, to).with("stroke", colour).with("stroke-width", width);
            group.push(bar.child(shapes::hover(self.words(window))));
        }
        group
    }

    fn words(&self, window: &TomographyWindow) -> String {
        let [low, high] = [window.low, window.high].map(|edge| number::significant(edge, 5));
        rich::plain(&format!(
            "{low} to {high}{}: observed {}, expected {}, p = {}",
            self.axis.after_number(),
            number::significant(window.observed, 6),
            number::significant(window.expected, 5),
            number::probability(window.ln_p)
        ))
    }

    fn legend(&self) -> Element {
        let tested = self.windows.iter().filter(|window| !window.ln_p.is_nan());
        let smallest = tested.clone().map(|window| window.ln_p).fold(f64::NAN, f64::min);
        let mut entries = vec![(Symbol::Line(MARKED), format!("{} windows", number::count(tested.count() as u64)))];
        if !smallest.is_nan() {
            entries.push((Symbol::Line(EXPECTED), format!("Smallest: *p* = {}", number::probability(smallest))));
        }
        shapes::legend(SIDES.1 - 250.0, ENDS.1 + 14.0, &entries)
    }
}

fn log10(ln_p: f64) -> f64 {
    ln_p / std::f64::consts::LN_10
}

/// Dashed lines at whole standard deviations, named at the right side; only as many as have room.
fn significance_lines(panel: &Panel) -> Element {
    let (left, _, right, _) = panel.sides();
    let mut group = Element::new("g");
    let mut last = f64::NEG_INFINITY;
    for (index, tail) in LOG10_TAIL.iter().enumerate().filter(|(_, tail)| panel.y.contains(**tail)) {
        let y = panel.y.place(*tail);
        group.push(shapes::line((left, y), (right, y)).with("stroke", "#888888").with("stroke-dasharray", "3 4"));
        if y - last >= 16.0 {
            group.push(shapes::label(right + 8.0, y + 5.0, 14.0, Anchor::Start, &format!("{} σ", index + 1)));
            last = y;
        }
    }
    let top = coordinate(panel.y.place(0.0));
    let unity = format!("M{} {top}L{} {top}", coordinate(left), coordinate(right));
    group.child(Element::new("path").with("d", unity).with("stroke", INK).with("stroke-width", "0.6"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significance_lines_stand_where_the_normal_tail_is() {
        // norm.sf(1), (3), (5): the usual anchors.
        for (sigma, tail) in [(1, 0.158_655), (3, 1.349_898e-3), (5, 2.866_516e-7)] {
            let stated = 10f64.powf(LOG10_TAIL[sigma - 1]);
            assert!((stated / tail - 1.0).abs() < 1e-4, "{sigma}: {stated} {tail}");
        }
    }
}
