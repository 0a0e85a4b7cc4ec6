//! Scores and weights of events: their checks, their order, and sums of what passes.

use super::NAME;
use crate::error::{Fault, Problems, Result};

/// An event among others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub score: f32,
    pub weight: f32,
    pub is_signal: bool,
}

/// Events from the largest score down, equal ones in the order in which they come.
pub(super) fn falling(scores: &[f32], weights: Option<&[f32]>, is_signal: impl Fn(usize) -> bool) -> Vec<Event> {
    let event = |(row, score): (usize, &f32)| Event {
        // -0 becomes 0, so that the order of all bits is that of values.
        score: score + 0.0,
        weight: weights.map_or(1.0, |weights| weights[row]),
        is_signal: is_signal(row),
    };
    let mut events: Vec<Event> = scores.iter().enumerate().map(event).collect();
    events.sort_by(|a, b| b.score.total_cmp(&a.score));
    events
}

/// Events of equal score, group after group.
pub(super) fn ties(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    events.chunk_by(|a, b| a.score == b.score)
}

/// Sums over events.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    /// Of weights.
    pub weight: f64,
    /// Of their squares.
    pub squares: f64,
}

impl Sums {
    pub fn add(&mut self, weight: f32) {
        let weight = f64::from(weight);
        self.weight += weight;
        self.squares += weight * weight;
    }

    /// How many events of equal weight have the same relative error: (sum of w)^2 / sum of w^2.
    pub fn effective(self) -> f64 {
        if self.weight > 0.0 { self.weight * self.weight / self.squares } else { 0.0 }
    }
}

/// Scores that are numbers and weights that are none below 0.
pub(super) fn check(scores: &[f32], weights: Option<&[f32]>) -> Result<()> {
    let mut problems = Problems::default();
    if let Some(row) = scores.iter().position(|score| score.is_nan()) {
        let fault = Fault::new(NAME, format!("the score of row {row} is no number"));
        let fault = fault.because("it is on neither side of a threshold");
        problems.push(fault.suggest("Look for features that are no numbers, or a training that diverged.").data());
    }
    if let Some(weights) = weights {
        if weights.len() != scores.len() {
            let problem = format!("{} scores and {} weights", scores.len(), weights.len());
            problems.push(Fault::new(NAME, problem).because("each event has one of both").data());
        }
        if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            let fault = Fault::new(NAME, format!("the weight of row {row} is {}", weights[row]));
            let fault = fault.because("efficiencies are shares of sums of weights, each finite and not below 0");
            problems.push(fault.data());
        }
    }
    problems.finish()
}
