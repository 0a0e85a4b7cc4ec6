//! The part of a card that says how many toys are thrown, and what smears them.

use std::path::Path;

use super::{Exceedance, Goal, MOST_TOYS, Stopping, UncertaintySettings, exceeding};
use crate::settings::Section;

/// How many toys are thrown, which count, and what smears them.
#[derive(Debug, Clone, PartialEq)]
pub struct ToySettings {
    /// The number of toys, or the accuracy that they reach.
    pub goal: Goal,
    /// Which toys count as at least as significant as the observation.
    pub exceedance: Exceedance,
    /// What estimates the global p-value.
    pub method: Method,
    /// The most toys of the rare tail.
    pub tail_maximum: u64,
    /// The uncertainty of the expectation; `None` takes it as exact.
    pub uncertainty: Option<UncertaintySettings>,
}

/// What estimates the global p-value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The fraction of toys that exceed; the rare tail where fewer than 10 do.
    #[default]
    BruteForce,
    /// The rare tail; toys are thrown for the distribution of the maximum.
    Tail,
    /// As brute force, and the rare tail stands beside it always.
    Both,
}

impl Default for ToySettings {
    fn default() -> Self {
        Self {
            goal: Goal::default(),
            exceedance: Exceedance::default(),
            method: Method::default(),
            tail_maximum: exceeding::USUAL_MAXIMUM,
            uncertainty: None,
        }
    }
}

impl ToySettings {
    /// Reads the keys of [`Goal::read`], `exceedance` (`at-least` or `above`), `method` (`brute-force`, `tail` or `both`),
    /// `tail_maximum` and the section `uncertainty`, whose files are relative to `folder`.
    pub fn read(section: &Section, folder: &Path) -> Self {
        let choices = [("at-least", Exceedance::AtLeast), ("above", Exceedance::Above)];
        let methods = [("brute-force", Method::BruteForce), ("tail", Method::Tail), ("both", Method::Both)];
        let tail_maximum = section.or("tail_maximum", exceeding::USUAL_MAXIMUM);
        if !(1..=MOST_TOYS).contains(&tail_maximum) {
            let problem = format!("{tail_maximum} toys of the rare tail are not from 1 to {MOST_TOYS}");
            section.problem("tail_maximum", problem);
        }
        Self {
            goal: Goal::read(section),
            exceedance: section.choice("exceedance", &choices, Exceedance::AtLeast),
            method: section.choice("method", &methods, Method::default()),
            tail_maximum,
            uncertainty: UncertaintySettings::read(&section.section("uncertainty"), folder),
        }
    }

    /// When the toys of the rare tail stop: at the accuracy of the goal, or at the `usual` one of their estimator.
    pub fn tail_stopping(&self, usual: f64) -> Stopping {
        exceeding::at_accuracy(self.goal.accuracy.map_or(usual, |accuracy| accuracy.relative), self.tail_maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Document;
    use crate::toys::Number;

    #[test]
    fn settings_are_read_and_their_mistakes_reported() {
        let read = |text: &str| {
            let document = Document::parse("card.toml", text, &[]).unwrap();
            let settings = ToySettings::read(&document.root().section("toys"), Path::new(""));
            (settings, document.finish().map_err(|error| error.problems().len()))
        };
        assert_eq!(read(""), (ToySettings::default(), Ok(())));
        let goal = Goal { number: Number::Toys(500), accuracy: None };
        let (exceedance, method) = (Exceedance::Above, Method::Both);
        let given = ToySettings { goal, exceedance, method, tail_maximum: 7000, uncertainty: None };
        let text = "[toys]\nnumber = 500\nexceedance = \"above\"\nmethod = \"both\"\ntail_maximum = 7000\n";
        assert_eq!(read(text), (given, Ok(())));
        let wrong = "[toys]\nnumber = 0\nexceedance = \"abve\"\nmethod = \"tial\"\ntail_maximum = 0\n";
        assert_eq!(read(wrong).1, Err(4));
    }

    #[test]
    fn the_tail_stops_at_the_accuracy_of_the_card() {
        let usual = ToySettings::default();
        let stops = |relative, minimum, maximum| Stopping::Accurate { relative, minimum, maximum };
        assert_eq!(usual.tail_stopping(0.005), stops(0.005, 4000, 400_000));
        let accuracy = Some(crate::toys::Accuracy { relative: 0.1, maximum: 20_000 });
        let goal = Goal { number: Number::Toys(500), accuracy };
        assert_eq!(ToySettings { goal, tail_maximum: 300, ..usual }.tail_stopping(0.005), stops(0.1, 300, 300));
    }
}
