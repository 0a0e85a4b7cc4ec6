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
    /// The uncertainty of the expectation; `None` takes it as exact.
    pub uncertainty: Option<UncertaintySettings>,
}

impl ToySettings {
    /// Reads the keys of [`Goal::read`], `exceedance` (`at-least` or `above`) and the section `uncertainty`, whose files are
    /// relative to `folder`.
    pub fn read(section: &Section, folder: &Path) -> Self {
        let choices = [("at-least", Exceedance::AtLeast), ("above", Exceedance::Above)];
        Self {
            goal: Goal::read(section),
            exceedance: section.choice("exceedance", &choices, Exceedance::AtLeast),
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
        let given = ToySettings { goal, exceedance: Exceedance::Above, uncertainty: None };
        assert_eq!(read("[toys]\nnumber = 500\nexceedance = \"above\"\n"), (given, Ok(())));
        assert_eq!(read("[toys]\nnumber = 0\nexceedance = \"abve\"\n").1, Err(2));
    }
}
