//! The losses of trained networks, epoch after epoch: whether they have settled, and where training and validation part.

use std::fmt::Write;

use crate::report::markup::{Element, coordinate};
use crate::report::number;
use crate::report::svg::panel::PlotLabel;
use crate::report::svg::shapes::{self, Anchor, EXPECTED, INK, Symbol};
use crate::report::svg::{Panel, Scale, Spacing};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const SIDES: (f64, f64) = (96.0, 736.0);
const ENDS: (f64, f64) = (356.0, 18.0);

/// The losses of some networks.
#[derive(Debug, Clone)]
pub struct TrainingHistory {
    /// The label at the top left.
    pub label: PlotLabel,
    /// Of each network the losses of its epochs: of training, and of validation where there was one.
    pub members: Vec<Vec<(f64, Option<f64>)>>,
}

impl TrainingHistory {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let panel = self.panel();
        let (x_ticks, y_ticks) = (panel.x_ticks(), panel.y_ticks());
        let mut picture = shapes::picture(WIDTH, HEIGHT, "Losses of training and validation with the epoch");
        picture.push(Element::new("defs").child(panel.clip(&format!("{id}-frame"))));
        let mut curves = Element::new("g").with("clip-path", format!("url(#{id}-frame)"));
        // Many networks are lighter, so that they are seen through each other.
        let opacity = if self.members.len() > 5 { "0.4" } else { "0.9" };
        for member in &self.members {
            let training = member.iter().map(|(training, _)| Some(*training));
            let validation = member.iter().map(|(_, validation)| *validation);
            curves.push(curve(&panel, training, INK, opacity));
            curves.push(curve(&panel, validation, EXPECTED, opacity));
        }
        picture.push(curves);
        picture.push(panel.frame(&x_ticks, &y_ticks));
        picture.push(panel.x_labels(&x_ticks, "Epoch"));
        picture.push(panel.y_labels(&y_ticks, "Loss", 66.0, Anchor::End));
        picture.push(self.label.draw(SIDES.0 + 20.0, ENDS.1 + 14.0));
        let mut entries = vec![(Symbol::Line(INK), "Training".to_owned())];
        let has_validation = self.members.iter().flatten().any(|(_, validation)| validation.is_some());
        entries.extend(has_validation.then(|| (Symbol::Line(EXPECTED), "Validation".to_owned())));
        picture.push(shapes::legend(SIDES.1 - 160.0, ENDS.1 + 12.0, &entries));
        picture
    }

    /// The losses, network after network.
    pub fn csv(&self) -> String {
        let mut text = String::from("member,epoch,training_loss,validation_loss\n");
        for (number, member) in self.members.iter().enumerate() {
            for (epoch, (training, validation)) in member.iter().enumerate() {
                let validation = validation.map(number::csv).unwrap_or_default();
                let _ = writeln!(text, "{number},{},{},{validation}", epoch + 1, number::csv(*training));
            }
        }
        text
    }

    /// The y axis holds all finite losses, with room for the legend above.
    fn panel(&self) -> Panel {
        let losses = self.members.iter().flatten().flat_map(|(training, validation)| [Some(*training), *validation]);
        let finite = losses.flatten().filter(|loss| loss.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // A training whose losses are all equal is a line in the middle.
        let range = if high > low { high - low } else { low.abs().max(1e-9) };
        let epochs = self.members.iter().map(Vec::len).max().unwrap_or(0).max(2);
        let x = Scale::new(Spacing::Linear, (1.0, epochs as f64), SIDES);
        let y = Scale::new(Spacing::Linear, (low - 0.05 * range, high + 0.35 * range), ENDS);
        Panel { x, y }
    }
}

/// A line through the losses that are there and finite; one of them alone is a point.
fn curve(panel: &Panel, losses: impl Iterator<Item = Option<f64>>, colour: &str, opacity: &str) -> Element {
    let mut path = String::new();
    let there = losses.enumerate().filter_map(|(epoch, loss)| Some((epoch, loss.filter(|loss| loss.is_finite())?)));
    for (epoch, loss) in there {
        let [x, y] = [panel.x.place(epoch as f64 + 1.0), panel.y.place(loss)].map(coordinate);
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
        let members = vec![vec![(0.7, Some(0.69)), (0.6, Some(0.65))], vec![(0.8, None)], vec![(f64::NAN, None)]];
        let plot = TrainingHistory { label: PlotLabel::new("demo"), members };
        let csv = plot.csv();
        assert!(csv.starts_with("member,epoch,training_loss,validation_loss\n0,1,0.7,0.69\n"), "{csv}");
        assert_eq!(csv.lines().count(), 5);
        let svg = crate::report::plot::Plot::History(plot).svg();
        assert!(svg.contains("Validation") && !svg.contains("NaN"), "{svg}");
        let none = TrainingHistory { label: PlotLabel::new("demo"), members: Vec::new() };
        assert!(!crate::report::plot::Plot::History(none).svg().contains("inf"));
    }
}
