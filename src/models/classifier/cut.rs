//! Thresholds of members that judge a fold each, and what passes them.

use serde::{Deserialize, Serialize};

use crate::error::{Fault, Problems, Result};
use crate::models::folds::check_folds;
use crate::models::metrics::{Threshold, threshold_at_fraction};

use super::NAME;

/// Of which events a wanted share passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// Those with label 0: the share is the efficiency of background.
    #[default]
    Template,
    /// Those with label 1.
    Data,
}

/// How tight a cut is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The share that passes, by weight: 0.02 and 0.1 are usual.
    pub fraction: f64,
    /// Of which events.
    pub reference: Reference,
}

/// Events whose scores thresholds are set with; columns with one number for each, but for scores.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Network after network, event after event.
    pub scores: &'a [f32],
    /// Above 0.5 is data, otherwise the template.
    pub labels: &'a [f32],
    /// 0 or more; all are 1 if there are none.
    pub weights: Option<&'a [f32]>,
    /// The fold of each event.
    pub folds: &'a [u32],
}

/// A threshold for each network of an ensemble and fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    folds: u32,
    of: Vec<Threshold>,
}

impl Cut {
    /// The threshold of each member: at most [`Cut::fraction`] of the events of its fold and of the reference pass, by
    /// weight, unless more have the largest score ([`threshold_at_fraction`]). Sorts the scores of each member.
    ///
    /// # Errors
    /// All at once: a fraction that is not above 0 and at most 1, no folds or events, columns of other lengths, an
    /// event of another fold; then, of each member by itself, those of [`threshold_at_fraction`]: no events of the
    /// reference in its fold, scores that are no numbers, weights that are below 0, not finite or all 0.
    pub fn thresholds(&self, judged: &Judged, folds: u32) -> Result<Thresholds> {
        self.check(judged, folds)?;
        let events = judged.labels.len();
        let mut places = vec![Vec::new(); folds as usize];
        for (event, fold) in judged.folds.iter().enumerate() {
            let is_data = judged.labels[event] > 0.5;
            if is_data == (self.reference == Reference::Data) {
                places[*fold as usize].push(event);
            }
        }
        let mut problems = Problems::default();
        let mut of = Vec::new();
        for (network, scores) in judged.scores.chunks_exact(events).enumerate() {
            for (fold, places) in places.iter().enumerate() {
                let own: Vec<f32> = places.iter().map(|event| scores[*event]).collect();
                let weights: Option<Vec<f32>> =
                    judged.weights.map(|weights| places.iter().map(|event| weights[*event]).collect());
                let found = threshold_at_fraction(&own, weights.as_deref(), self.fraction);
                let name = format!("{} of network {network} in fold {fold}", self.reference.name());
                of.extend(problems.take(found.map_err(|error| error.about(&name))));
            }
        }
        problems.finish()?;
        Ok(Thresholds { folds, of })
    }

    fn check(&self, judged: &Judged, folds: u32) -> Result<()> {
        let mut problems = Problems::default();
        if !(self.fraction > 0.0 && self.fraction <= 1.0) {
            let fault = Fault::new(NAME, format!("the fraction {} is not above 0 and at most 1", self.fraction));
            problems.push(fault.because("it is the share that passes").usage());
        }
        if folds == 0 {
            problems.push(Fault::new(NAME, "there are no folds").because("each event is of one").usage());
        }
        let events = judged.labels.len();
        if events == 0 {
            problems.push(Fault::new(NAME, "there are no events").because("a share of them passes").data());
        } else if judged.scores.is_empty() || !judged.scores.len().is_multiple_of(events) {
            let problem = format!("{} scores are no networks' of {events} events", judged.scores.len());
            problems.push(Fault::new(NAME, problem).because("each network scores each once").data());
        }
        let weights = judged.weights.map_or(events, <[f32]>::len);
        for (name, length) in [("weights", weights), ("folds", judged.folds.len())] {
            if length != events {
                let problem = format!("expected {events} {name}, got {length}");
                problems.push(Fault::new(NAME, problem).because("each label is that of an event").data());
            }
        }
        if folds > 0 {
            problems.take(check_folds(judged.folds, folds));
        }
        problems.finish()
    }
}

impl Reference {
    fn name(self) -> &'static str {
        match self {
            Self::Template => "the template",
            Self::Data => "the data",
        }
    }
}

impl Thresholds {
    /// How many networks score each event.
    pub fn ensemble(&self) -> usize {
        self.of.len() / self.folds.max(1) as usize
    }

    /// All, fold after fold of one network after the other.
    pub fn all(&self) -> &[Threshold] {
        &self.of
    }

    /// Whether each event passes, network after network and event after event: of any events whose scores are those of
    /// the same networks.
    ///
    /// # Errors
    /// All at once: other numbers of scores than of networks and events, an event of another fold, the first score that
    /// is no number.
    pub fn passing(&self, scores: &[f32], folds: &[u32]) -> Result<Vec<bool>> {
        let mut problems = Problems::default();
        if scores.len() != self.ensemble() * folds.len() {
            let problem = format!("expected {} scores, got {}", self.ensemble() * folds.len(), scores.len());
            let why = format!("{} networks score {} events", self.ensemble(), folds.len());
            problems.push(Fault::new(NAME, problem).because(why).data());
        }
        problems.take(check_folds(folds, self.folds));
        if let Some(place) = scores.iter().position(|score| score.is_nan()) {
            let fault = Fault::new(NAME, format!("score {place} is no number"));
            problems.push(fault.because("it is on neither side of a threshold").data());
        }
        problems.finish()?;
        let rows = scores.chunks_exact(folds.len().max(1)).zip(self.of.chunks_exact(self.folds as usize));
        let passes = |(scores, thresholds): (&[f32], &[Threshold])| -> Vec<bool> {
            scores.iter().zip(folds).map(|(score, fold)| *score >= thresholds[*fold as usize].value).collect()
        };
        Ok(rows.flat_map(passes).collect())
    }
}
