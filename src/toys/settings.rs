//! The part of a card that says how many toys are thrown, and what smears them.

use std::path::Path;

use super::{Exceedance, Goal, UncertaintySettings};
use crate::settings::Section;

/// How many toys are thrown, which count, and what smears them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToySettings {
    /// The number of toys, or the accuracy that they reach.
    pub goal: Goal,
    /// Which toys count as at least as significant as the observation.
    pub exceedance: Exceedance,
    /// What estimates the global p-value.
    pub method: Method,
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

impl ToySettings {
    /// Reads the keys of [`Goal::read`], `exceedance` (`at-least` or `above`), `method` (`brute-force`, `tail` or `both`) and the
    /// section `uncertainty`, whose files are relative to `folder`.
    pub fn read(section: &Section, folder: &Path) -> Self {
        let choices = [("at-least", Exceedance::AtLeast), ("above", Exceedance::Above)];
        let methods = [("brute-force", Method::BruteForce), ("tail", Method::Tail), ("both", Method::Both)];
        Self {
            goal: Goal::read(section),
            exceedance: section.choice("exceedance", &choices, Exceedance::AtLeast),
            method: section.choice("method", &methods, Method::default()),
            uncertainty: UncertaintySettings::read(&section.section("uncertainty"), folder),
        }
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
        let given = ToySettings { goal, exceedance: Exceedance::Above, method: Method::Both, uncertainty: None };
        assert_eq!(read("[toys]\nnumber = 500\nexceedance = \"above\"\nmethod = \"both\"\n"), (given, Ok(())));
        assert_eq!(read("[toys]\nnumber = 0\nexceedance = \"abve\"\nmethod = \"tial\"\n").1, Err(3));
    }
}
