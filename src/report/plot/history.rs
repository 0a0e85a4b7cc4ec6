//! What trained networks have recorded, epoch after epoch: whether losses have settled, where training and validation part, and how far
//! gradients and learning rates have fallen.

use std::fmt::Write;

use crate::report::markup::{Element, coordinate};
use crate::report::number;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, EXPECTED, INK, Symbol};
use crate::report::svg::{Panel, Scale, Spacing};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Of the first curve and of the second.
const COLOURS: [&str; 2] = [INK, EXPECTED];
const SIDES: (f64, f64) = (96.0, 736.0);
const ENDS: (f64, f64) = (356.0, 18.0);

/// A quantity of some networks, or two of them.
#[derive(Debug, Clone)]
pub struct TrainingHistory {
    /// The label at the top left.
    pub label: PlotLabel,
    /// What is on the y axis.
    pub axis: String,
    /// Of each curve its name in the legend and that of its column.
    pub curves: Vec<(String, String)>,
    /// Of each network and epoch a value for each curve, where there is one.
    pub members: Vec<Vec<Vec<Option<f64>>>>,
}

impl TrainingHistory {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let panel = self.panel();
        let (x_ticks, y_ticks) = (panel.x_ticks(), panel.y_ticks());
        let mut picture = shapes::picture(WIDTH, HEIGHT, &format!("{} with the epoch", self.axis));
        picture.push(Element::new("defs").child(panel.clip(&format!("{id}-frame"))));
        let mut curves = Element::new("g").with("clip-path", format!("url(#{id}-frame)"));
        // Many networks are lighter, so that they are seen through each other.
        let opacity = if self.members.len() > 5 { "0.4" } else { "0.9" };
        for member in &self.members {
            for (number, colour) in COLOURS.iter().enumerate().take(self.curves.len()) {
                let values = member.iter().map(|epoch| epoch.get(number).copied().flatten());
                curves.push(curve(&panel, values, colour, opacity));
            }
        }
        picture.push(curves);
        picture.push(panel.frame(&x_ticks, &y_ticks));
        picture.push(panel.x_labels(&x_ticks, "Epoch"));
        picture.push(panel.y_labels(&y_ticks, &self.axis, 66.0, Anchor::End));
        picture.push(self.label.draw(SIDES.0 + 20.0, ENDS.1 + 14.0));
        let named = self.curves.iter().zip(COLOURS).enumerate();
        let drawn = named.filter(|(number, _)| self.values().any(|epoch| matches!(epoch.get(*number), Some(Some(_)))));
        let entries: Vec<_> = drawn.map(|(_, ((name, _), colour))| (Symbol::Line(colour), name.clone())).collect();
        picture.push(shapes::legend(SIDES.1 - 160.0, ENDS.1 + 12.0, &entries));
        picture
    }

    /// The values, network after network; epochs from 0.
    pub fn csv(&self) -> String {
        let mut text = String::from("member,epoch");
        self.curves.iter().for_each(|(_, column)| _ = write!(text, ",{column}"));
        text.push('\n');
        for (number, member) in self.members.iter().enumerate() {
            for (epoch, values) in member.iter().enumerate() {
                let _ = write!(text, "{number},{epoch}");
                values.iter().for_each(|value| _ = write!(text, ",{}", value.map(number::csv).unwrap_or_default()));
                text.push('\n');
            }
        }
        text
    }

    fn values(&self) -> impl Iterator<Item = &Vec<Option<f64>>> {
        self.members.iter().flatten()
    }

    /// The y axis holds all finite values, with room for the legend above.
    fn panel(&self) -> Panel {
        let finite = self.values().flatten().flatten().copied().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // Values that are all equal are a line in the middle.
        let range = if high > low { high - low } else { low.abs().max(1e-9) };
        let epochs = self.members.iter().map(Vec::len).max().unwrap_or(0).max(2);
        let x = Scale::new(Spacing::Linear, (0.0, (epochs - 1) as f64), SIDES);
        let y = Scale::new(Spacing::Linear, (low - 0.05 * range, high + 0.35 * range), ENDS);
        Panel { x, y }
    }
}

/// A line through the values that are there and finite; one of them alone is a point.
fn curve(panel: &Panel, values: impl Iterator<Item = Option<f64>>, colour: &str, opacity: &str) -> Element {
    let mut path = String::new();
    let there = values.enumerate().filter_map(|(epoch, value)| Some((epoch, value.filter(|value| value.is_finite())?)));
    for (epoch, value) in there {
        let [x, y] = [panel.x.place(epoch as f64), panel.y.place(value)].map(coordinate);
        // A line of no length, with round ends, is seen where there is one epoch.
        let _ = write!(path, "{}{x} {y}", if path.is_empty() { format!("M{x} {y}L") } else { "L".to_owned() });
    }
    let line = Element::new("path").with("d", path).with("fill", "none").with("stroke", colour);
    line.with("stroke-width", "1.4").with("stroke-linecap", "round").with("stroke-opacity", opacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_that_are_there_are_drawn_and_listed() {
        let two = |training, validation| vec![Some(training), validation];
        let members = vec![
            vec![two(0.7, Some(0.69)), two(0.6, Some(0.65))],
            vec![two(0.8, None)],
            vec![vec![Some(f64::NAN), None]],
        ];
        let curves = [("Training", "training_loss"), ("Validation", "validation_loss")];
        let curves = curves.map(|(name, column)| (name.to_owned(), column.to_owned())).to_vec();
        let plot = TrainingHistory { label: PlotLabel::new("demo"), axis: "Loss".into(), curves, members };
        let csv = plot.csv();
        assert!(csv.starts_with("member,epoch,training_loss,validation_loss\n0,0,0.7,0.69\n"), "{csv}");
        assert_eq!(csv.lines().count(), 5);
        let none = TrainingHistory { members: Vec::new(), ..plot.clone() };
        let svg = crate::report::plot::Plot::History(plot).svg();
        assert!(svg.contains("Validation") && !svg.contains("NaN"), "{svg}");
        assert!(!crate::report::plot::Plot::History(none.clone()).svg().contains("Validation"));
        assert!(!crate::report::plot::Plot::History(none).svg().contains("inf"));
    }
}
