//! The figures of `[distributions]`: each variable in every sample and class, over one another.

use super::figures::{Quantity, Style, spacing};
use super::segment::Streamed;
use crate::card::{Distribution, EventWork, Role, Sample, Shown};
use crate::error::Result;
use crate::report::plot::spectrum::poisson_interval;
use crate::report::plot::{Curve, DistributionsPlot, Mark, Plot};
use crate::report::svg::Spacing;
use crate::report::{Figure, number};
use crate::spectrum::{Histogram, Spectrum};

/// A figure for each variable.
///
/// # Errors
/// None: the spectra are those of the card.
pub(super) fn figures(card: &str, work: &EventWork, filled: &[Streamed]) -> Result<Vec<Figure>> {
    let small_print: Vec<String> = work.selection.cuts().map(str::to_owned).collect();
    let style = Style { name: card.to_owned(), small_print, expected_name: String::new() };
    let drawn = work.distributions.variables.iter().enumerate();
    // The first spectrum is searched.
    drawn.map(|(place, drawn)| figure(&style, work, filled, drawn, place + 1)).collect()
}

fn figure(style: &Style, work: &EventWork, filled: &[Streamed], drawn: &Distribution, place: usize) -> Result<Figure> {
    let (mut curves, mut outside) = (Vec::new(), Vec::new());
    for (sample, streamed) in work.samples.iter().zip(filled) {
        let Some(spectrum) = streamed.spectra.get(place) else { continue };
        for (name, histogram) in parts(work, sample, spectrum)? {
            // Points are for the data as a whole: those of two classes would look the same.
            let mark = match (sample.role, &work.distributions.classes) {
                (Role::Data, None) => Mark::Points,
                _ => Mark::Steps,
            };
            outside.extend(outside_of(&name, &histogram));
            curves.push(curve(name, sample.role, drawn.shown, &histogram, mark));
        }
    }
    let (axis, edges) = (&drawn.axis, drawn.axis.edges().to_vec());
    let quantity = Quantity { name: axis.name().to_owned(), unit: axis.unit().to_owned() };
    let (amount, vertical, caption) = match drawn.shown {
        Shown::Events => ("Events", Spacing::Logarithmic, "Selected events"),
        Shown::Fraction => {
            ("Fraction of events", Spacing::Linear, "Shapes of selected events; those in bins add up to 1")
        }
    };
    let title = format!("Distribution of {}", quantity.axis().quantity);
    let plot = DistributionsPlot {
        label: style.label(),
        axis: quantity.axis(),
        spacing: spacing(&edges),
        vertical,
        edges,
        amount: amount.into(),
        curves,
    };
    let outside = if outside.is_empty() { String::new() } else { format!(" Outside: {}.", outside.join(", ")) };
    let caption = format!("{caption}, with their 68 % statistical intervals.{outside}");
    Ok(Figure::new(format!("distribution-{}", axis.name()), title, caption, Plot::Distributions(plot)))
}

/// The distribution of a sample, or those of its classes, with their names.
fn parts(work: &EventWork, sample: &Sample, spectrum: &Spectrum) -> Result<Vec<(String, Histogram)>> {
    let Some(classes) = &work.distributions.classes else {
        return Ok(vec![(sample.name.clone(), spectrum.histogram())]);
    };
    let one_sample = work.samples.len() == 1;
    let name = |class: &String| if one_sample { class.clone() } else { format!("{}: {class}", sample.name) };
    let of_class = |(class, words)| Ok((name(words), spectrum.slice(class)?.histogram()));
    classes.names.iter().enumerate().map(of_class).collect()
}

/// How many selected events of a sample are in none of the classes.
///
/// # Errors
/// None: the spectra are those of the card.
pub(super) fn in_no_class(work: &EventWork, streamed: &Streamed) -> Result<Option<String>> {
    let (Some(classes), Some(spectrum)) = (&work.distributions.classes, streamed.spectra.get(1)) else {
        return Ok(None);
    };
    let counts = spectrum.project(0)?.histogram().counts.unwrap_or_default();
    let outside = counts.first().unwrap_or(&0) + counts.last().unwrap_or(&0);
    let (axis, last) = (classes.axis.name(), classes.names.len() - 1);
    let words = || format!("{axis} is none of 0 to {last} for {} selected events", number::count(outside));
    Ok((outside > 0).then(words))
}

/// How much of a distribution is in no bin.
fn outside_of(name: &str, histogram: &Histogram) -> Option<String> {
    let all: f64 = histogram.sumw.iter().sum();
    let outside = all - histogram.values_without_flow().iter().sum::<f64>();
    let share = 100.0 * outside / all;
    (outside > 0.0 && share >= 1e-3).then(|| format!("{} % of {name}", number::significant(share, 2)))
}

fn curve(name: String, role: Role, shown: Shown, histogram: &Histogram, mark: Mark) -> Curve {
    let (values, variances) = (histogram.values_without_flow(), histogram.variances_without_flow());
    let total: f64 = values.iter().sum();
    let factor = match shown {
        Shown::Events => 1.0,
        Shown::Fraction if total > 0.0 => 1.0 / total,
        Shown::Fraction => 0.0,
    };
    let interval = |(value, variance): (&f64, &f64)| {
        let (low, high) = match role {
            Role::Data => poisson_interval(*value),
            Role::Simulation | Role::Signal => (value - variance.sqrt(), value + variance.sqrt()),
        };
        (factor * low, factor * high)
    };
    let intervals = values.iter().zip(&variances).map(interval).collect();
    Curve { name, values: values.iter().map(|value| factor * value).collect(), intervals, mark }
}
