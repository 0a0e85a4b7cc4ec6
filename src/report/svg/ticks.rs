//! Where an axis is marked and what the marks say.

use super::scale::{Scale, Spacing};

/// A labelled mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// What it says, in rich notation.
    pub label: String,
}

/// The marks of an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ticks {
    /// Long marks with labels.
    pub major: Vec<Tick>,
    /// Short marks without.
    pub minor: Vec<f64>,
}

/// Marks at round values whose labels stand at least `gap` user units apart.
///
/// ```
/// use trawl::report::svg::{Scale, Spacing, ticks::ticks};
/// let masses = Scale::new(Spacing::Logarithmic, (1300.0, 6000.0), (0.0, 600.0));
/// let labels: Vec<String> = ticks(&masses, 60.0).major.into_iter().map(|tick| tick.label).collect();
/// assert_eq!(labels, ["2000", "3000", "4000", "5000", "6000"]);
/// ```
pub fn ticks(scale: &Scale, gap: f64) -> Ticks {
    match scale.spacing() {
        Spacing::Linear => linear(scale, gap),
        Spacing::Logarithmic => logarithmic(scale, gap),
    }
}

fn linear(scale: &Scale, gap: f64) -> Ticks {
    let (low, high) = scale.range();
    let most = (scale.length() / gap.max(1.0)).floor().max(1.0);
    let rough = (high - low) / most;
    let decade = 10f64.powf(rough.log10().floor());
    // (step of the labels, parts between two labels)
    let (step, parts) = [(1.0, 5.0), (2.0, 4.0), (5.0, 5.0), (10.0, 5.0)]
        .into_iter()
        .map(|(factor, parts)| (factor * decade, parts))
        .find(|(step, _)| *step >= rough * (1.0 - 1e-9))
        .unwrap_or((10.0 * decade, 5.0));
    let major =
        multiples(scale, step).into_iter().map(|value| Tick { value, label: step_label(value, step) }).collect();
    Ticks { major, minor: multiples(scale, step / parts) }
}

fn multiples(scale: &Scale, step: f64) -> Vec<f64> {
    let (low, high) = scale.range();
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    // A range far from zero compared with its width could ask for endless marks; no axis needs more than these.
    const MOST: f64 = 500.0;
    let few_enough = last - first <= MOST;
    if !few_enough {
        return Vec::new();
    }
    (0..=(last - first).max(-1.0) as i64).map(|index| (first + index as f64) * step).collect()
}

fn step_label(value: f64, step: f64) -> String {
    if value.abs() < 1e-9 * step {
        return "0".into();
    }
    if value.abs() >= 1e6 || step < 1e-4 {
        return super::super::number::significant(value, 3);
    }
    let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
    super::super::number::fixed(value, decimals)
}

fn logarithmic(scale: &Scale, gap: f64) -> Ticks {
    const CHOICES: [&[f64]; 5] = [
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        &[1.0, 2.0, 3.0, 5.0],
        &[1.0, 2.0, 5.0],
        &[1.0, 3.0],
    ];
    let (low, high) = scale.range();
    let all = decades(scale, CHOICES[0], 1);
    // Below two decades, powers of ten alone would leave the axis nearly bare.
    if high / low < 100.0 {
        for choice in CHOICES {
            let values = decades(scale, choice, 1);
            if values.len() >= 2 && apart(scale, &values) >= gap {
                return Ticks {
                    major: values.iter().map(|value| power_label(*value, low, high)).collect(),
                    minor: all,
                };
            }
        }
    }
    let every = (1..60).find(|every| apart(scale, &decades(scale, &[1.0], *every)) >= gap).unwrap_or(60);
    let major = decades(scale, &[1.0], every).iter().map(|value| power_label(*value, low, high)).collect();
    // Over many decades the marks between them would merge into a bar; the decades themselves are marked then.
    let minor = if scale.length() / (high / low).log10() < 9.0 { decades(scale, &[1.0], 1) } else { all };
    Ticks { major, minor }
}

/// The values `factor * 10^k` on the axis, for each `k` that is a multiple of `every`.
fn decades(scale: &Scale, factors: &[f64], every: i32) -> Vec<f64> {
    let (low, high) = scale.range();
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    (first..=last)
        .filter(|exponent| exponent % every == 0)
        .flat_map(|exponent| factors.iter().map(move |factor| factor * 10f64.powi(exponent)))
        .filter(|value| scale.contains(*value))
        .collect()
}

/// The smallest distance of two neighbours.
fn apart(scale: &Scale, values: &[f64]) -> f64 {
    values.windows(2).map(|pair| (scale.place(pair[1]) - scale.place(pair[0])).abs()).fold(f64::INFINITY, f64::min)
}

fn power_label(value: f64, low: f64, high: f64) -> Tick {
    let exponent = value.log10().round();
    let whole_power = (value / 10f64.powf(exponent) - 1.0).abs() < 1e-9;
    let few = low >= 1e-3 && high < 1e5 && high / low < 1e3;
    let label = if few || !whole_power || exponent == 0.0 || exponent == 1.0 {
        let text = super::super::number::significant(value, 6);
        if text.contains('×') { text } else { trim(&text) }
    } else {
        format!("10^{{{exponent:.0}}}")
    };
    Tick { value, label }
}

fn trim(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(spacing: Spacing, range: (f64, f64), length: f64, gap: f64) -> Vec<String> {
        let scale = Scale::new(spacing, range, (0.0, length));
        ticks(&scale, gap).major.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn counts_are_marked_at_powers_of_ten() {
        assert_eq!(
            labels(Spacing::Logarithmic, (0.3, 2e5), 400.0, 24.0),
            ["1", "10", "10^{2}", "10^{3}", "10^{4}", "10^{5}"]
        );
    }

    #[test]
    fn many_decades_are_thinned() {
        let thinned = labels(Spacing::Logarithmic, (1e-200, 1.0), 400.0, 24.0);
        assert!((5..=16).contains(&thinned.len()), "{thinned:?}");
    }

    #[test]
    fn linear_steps_are_round() {
        assert_eq!(labels(Spacing::Linear, (-3.2, 3.2), 150.0, 25.0), ["−2", "0", "2"]);
        assert_eq!(
            labels(Spacing::Linear, (0.0, 1.0), 300.0, 50.0),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map(|label| if label == "0.0" { "0" } else { label })
        );
    }

    #[test]
    fn marks_lie_on_the_axis_for_any_range() {
        for spacing in [Spacing::Linear, Spacing::Logarithmic] {
            for range in [(0.0, 0.0), (1e-300, 1e300), (1e15, 1e15 + 2.0), (-5.0, 5.0), (f64::NAN, 0.0)] {
                let scale = Scale::new(spacing, range, (0.0, 500.0));
                let marks = ticks(&scale, 40.0);
                assert!(marks.minor.len() <= 2500);
                assert!(marks.major.len() <= 14, "{spacing:?} {range:?} {}", marks.major.len());
                assert!(marks.major.iter().all(|tick| scale.contains(tick.value)));
            }
        }
    }
}
