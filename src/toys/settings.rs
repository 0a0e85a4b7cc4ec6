//! The part of a card that speaks of toys.

use super::Exceedance;
use crate::settings::Section;

/// How many toys, and which of them exceed the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToySettings {
    /// The number of toys.
    pub number: u64,
    /// Whether a toy that equals the observation counts.
    pub exceedance: Exceedance,
}

impl Default for ToySettings {
    /// 100,000 toys resolve 3.5 sigma to about 7 %; at least as large counts, as in a p-value.
    fn default() -> Self {
        Self { number: 100_000, exceedance: Exceedance::AtLeast }
    }
}

impl ToySettings {
    /// Reads `number` and `exceedance` (`at-least` or `above`).
    pub fn read(section: &Section) -> Self {
        let default = Self::default();
        let number = section.or("number", default.number);
        if number == 0 {
            section.problem("number", "0 toys estimate nothing; use 1000 or more");
        }
        let choices = [("at-least", Exceedance::AtLeast), ("above", Exceedance::Above)];
        Self { number, exceedance: section.choice("exceedance", &choices, default.exceedance) }
    }
}
