//! A threshold that lets a wanted share of events pass.

use super::events::{self, Sums};
use super::{NAME, SAME, check_wanted};
use crate::error::{Fault, Problems, Result};

/// A threshold, and what passes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// A score that occurs; events with `score >= value` pass.
    pub value: f32,
    /// The share that passes, by weight: at most what was wanted, unless more than that has the largest score.
    pub passing_share: f64,
}

/// The smallest score t with no more than `fraction` of all events, by weight, at `score >= t`.
///
/// Equal scores pass together, so that less than `fraction` may pass. If already more than `fraction` has the largest score, no
/// score is tight enough: the largest score comes back, with the share that it has, above `fraction`.
/// Weights are 0 or more, and 1 if there are none. Sorts a copy of the scores.
///
/// # Errors
/// All at once: a fraction that is not above 0 and at most 1, no events, another number of weights than of scores, the first score that
/// is no number, the first weight that is below 0 or not finite; weights that are all 0.
///
/// ```
/// use trawl::models::metrics::threshold_at_fraction;
/// let threshold = threshold_at_fraction(&[4.0, 2.0, 2.0, 1.0], None, 0.5)?;
/// // At 2 three of four would pass.
/// assert_eq!((threshold.value, threshold.passing_share), (4.0, 0.25));
/// # Ok::<(), trawl::Error>(())
/// ```
pub fn threshold_at_fraction(scores: &[f32], weights: Option<&[f32]>, fraction: f64) -> Result<Threshold> {
    let mut problems = Problems::default();
    problems.take(check_wanted("wanted fraction", fraction, 1.0));
    problems.take(events::check(scores, weights));
    let nothing = if scores.is_empty() {
        Some("there are no events")
    } else if weights.is_some_and(|weights| !weights.is_empty() && weights.iter().all(|weight| *weight == 0.0)) {
        Some("all weights are 0")
    } else {
        None
    };
    if let Some(problem) = nothing {
        problems.push(Fault::new(NAME, problem).because("a threshold lets a share of them pass").data());
    }
    problems.finish()?;
    let events = events::falling(scores, weights, |_| false);
    let mut all = Sums::default();
    events.iter().for_each(|event| all.add(event.weight));
    let mut passing = Sums::default();
    let mut best = None;
    for tie in events::ties(&events) {
        tie.iter().for_each(|event| passing.add(event.weight));
        let step = Threshold { value: tie[0].score, passing_share: passing.weight / all.weight };
        if best.is_some() && step.passing_share > fraction * (1.0 + SAME) {
            break;
        }
        best = Some(step);
    }
    best.ok_or_else(|| Fault::new(NAME, "there are no events").data())
}
