//! The part of a card that says how many toys are thrown, and what smears them.

use std::path::Path;

use super::{Exceedance, UncertaintySettings};
use crate::settings::Section;

/// How many toys are thrown, which count, and what smears them.
#[derive(Debug, Clone, PartialEq)]
pub struct ToySettings {
    /// The number of toys.
    pub number: u64,
    /// Which toys count as at least as significant as the observation.
    pub exceedance: Exceedance,
    /// The uncertainty of the expectation; `None` takes it as exact.
    pub uncertainty: Option<UncertaintySettings>,
}

impl Default for ToySettings {
    /// 100,000 toys resolve a global p-value of 0.001 (3.1 sigma) to 10 %.
    fn default() -> Self {
        Self { number: 100_000, exceedance: Exceedance::AtLeast, uncertainty: None }
    }
}

impl ToySettings {
    /// Reads `number`, `exceedance` (`at-least` or `above`) and the section `uncertainty`, whose files are relative to `folder`.
    pub fn read(section: &Section, folder: &Path) -> Self {
        let default = Self::default();
        let choices = [("at-least", Exceedance::AtLeast), ("above", Exceedance::Above)];
        let read = Self {
            number: section.or("number", default.number),
            exceedance: section.choice("exceedance", &choices, default.exceedance),
            uncertainty: UncertaintySettings::read(&section.section("uncertainty"), folder),
        };
        if read.number == 0 {
            section.problem("number", "there must be at least one toy, since a p-value is a fraction of toys");
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Document;

    #[test]
    fn settings_are_read_and_their_mistakes_reported() {
        let read = |text: &str| {
            let document = Document::parse("card.toml", text, &[]).unwrap();
            let settings = ToySettings::read(&document.root().section("toys"), Path::new(""));
            (settings, document.finish().map_err(|error| error.problems().len()))
        };
        assert_eq!(read(""), (ToySettings::default(), Ok(())));
        let given = ToySettings { number: 500, exceedance: Exceedance::Above, uncertainty: None };
        assert_eq!(read("[toys]\nnumber = 500\nexceedance = \"above\"\n"), (given, Ok(())));
        assert_eq!(read("[toys]\nnumber = 0\nexceedance = \"abve\"\n").1, Err(2));
    }
}
