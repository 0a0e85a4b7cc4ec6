//! When to stop throwing toys: after a number of them, or when the global p-value is known well enough.
//!
//! Whether to stop is decided where chunks of toys end, by the tally up to there and nothing else. Chunks end at numbers of
//! toys that no device, thread count or interruption changes ([`next_decision`]), so every run stops at the same toy.
//!
//! **Accuracy** is the relative standard error of `p = k / n`, with `k` of `n` toys exceeding: `sqrt((1 - p) / k)`. Stopping
//! at a wanted accuracy `a` means about `1 / a^2` exceeding toys, and favours moments when `k` has just fluctuated up: the
//! estimate is high by about `a^2` of itself (0.25 % at `a = 0.05`), a twentieth of its error.

use super::{Tally, next_milestone};
use crate::error::{Fault, Result};
use crate::settings::{Section, Setting, Value};

const NAME: &str = "toys.stopping";

/// The number of toys between two decisions, beyond those at milestones.
const DECIDE_EVERY: u64 = 20_000;

/// The most toys of a run: their interval is known up to here. 8 sigma would take 10^17 toys, whoever throws them.
pub const MOST_TOYS: u64 = 1_000_000_000;

/// A number of toys on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// This many.
    Toys(u64),
    /// As many as events were observed in the cells of the search.
    Events,
}

/// How many toys a card asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// The number of toys; with an accuracy, the fewest.
    pub number: Number,
    /// The wanted accuracy.
    pub accuracy: Option<Accuracy>,
}

/// An accuracy to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// The relative standard error of the global p-value, above 0 and below 1.
    pub relative: f64,
    /// The most toys to reach it with.
    pub maximum: u64,
}

/// A goal whose numbers are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stopping {
    /// After this many toys.
    After(u64),
    /// When the relative standard error is at most `relative`, but not before `minimum` nor after `maximum` toys.
    Accurate {
        /// The relative standard error.
        relative: f64,
        /// The fewest toys.
        minimum: u64,
        /// The most.
        maximum: u64,
    },
}

/// Why no more toys were thrown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stopped {
    /// The number that was asked for is reached.
    Number,
    /// The accuracy that was asked for is reached.
    Accuracy {
        /// What was asked for.
        wanted: f64,
        /// What was reached.
        reached: f64,
    },
    /// The most toys were thrown before the accuracy was reached.
    Maximum {
        /// What was asked for.
        wanted: f64,
        /// What was reached; `None` where no toy exceeds.
        reached: Option<f64>,
    },
}

impl Default for Goal {
    /// 100,000 toys resolve a global p-value of 0.001 (3.1 sigma) to 10 %.
    fn default() -> Self {
        Self { number: Number::Toys(100_000), accuracy: None }
    }
}

impl Goal {
    /// With an accuracy and no number, the fewest toys: enough that a first fluctuation does not end them.
    const FEWEST_WITH_ACCURACY: u64 = 10_000;
    /// With an accuracy, the most toys unless the card says otherwise.
    const MOST_WITH_ACCURACY: u64 = 10_000_000;

    /// Reads `number` (a number of toys or `"events"`), `accuracy`, `minimum` and `maximum`.
    pub fn read(section: &Section) -> Self {
        let number: Option<Number> = section.optional("number");
        let relative: Option<f64> = section.optional("accuracy");
        let (minimum, maximum): (Option<u64>, Option<u64>) = (section.optional("minimum"), section.optional("maximum"));
        for (key, toys) in [("number", number.and_then(Number::toys)), ("minimum", minimum), ("maximum", maximum)] {
            match toys {
                Some(0) => {
                    section.problem(key, "there must be at least one toy, since a p-value is a fraction of toys")
                }
                Some(toys) if toys > MOST_TOYS => {
                    section.problem(key, format!("{toys} toys are more than the {MOST_TOYS} that a run throws"));
                }
                _ => {}
            }
        }
        let Some(relative) = relative else {
            for (key, _) in [("minimum", minimum), ("maximum", maximum)].iter().filter(|(_, toys)| toys.is_some()) {
                section.problem(key, "it bounds the toys of an accuracy, and none is asked for; add accuracy = 0.05");
            }
            return Self { number: number.unwrap_or(Self::default().number), accuracy: None };
        };
        if !(relative > 0.0 && relative < 1.0) {
            section.problem("accuracy", format!("{relative} is no relative error between 0 and 1; 0.05 is 5 %"));
        }
        let fewest = minimum.map(Number::Toys).or(number).unwrap_or(Number::Toys(Self::FEWEST_WITH_ACCURACY));
        let most = maximum.unwrap_or(Self::MOST_WITH_ACCURACY.max(fewest.toys().unwrap_or(0)));
        if let Some(fewest) = fewest.toys().filter(|fewest| *fewest > most) {
            section.problem("maximum", format!("{most} toys are fewer than the {fewest} to begin with"));
        }
        Self { number: fewest, accuracy: Some(Accuracy { relative, maximum: most }) }
    }

    /// The goal in numbers, with `events` observed.
    ///
    /// # Errors
    /// As many toys as events where there is none, or more than [`MOST_TOYS`].
    pub fn resolve(self, events: u64) -> Result<Stopping> {
        let number = match self.number {
            Number::Toys(toys) => toys,
            Number::Events if (1..=MOST_TOYS).contains(&events) => events,
            Number::Events => {
                return Err(Fault::new(NAME, format!("as many toys as events are asked for, and there are {events}"))
                    .because(format!("a run throws from 1 to {MOST_TOYS} toys"))
                    .suggest("Set toys.number to a number.")
                    .data());
            }
        };
        Ok(match self.accuracy {
            None => Stopping::After(number),
            Some(Accuracy { relative, maximum }) => {
                Stopping::Accurate { relative, minimum: number.min(maximum), maximum }
            }
        })
    }
}

impl Number {
    fn toys(self) -> Option<u64> {
        match self {
            Self::Toys(toys) => Some(toys),
            Self::Events => None,
        }
    }
}

impl Setting for Number {
    const EXAMPLE: &'static str = "100000";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(word) if word == "events" => Ok(Self::Events),
            Value::Text(word) => Err(format!("expected a number of toys or \"events\", got \"{word}\"")),
            other => u64::read(other).map(Self::Toys),
        }
    }
}

/// The toy before which it is decided whether to stop, after toy number `toy`: the next milestone or multiple of 20,000.
pub fn next_decision(toy: u64) -> u64 {
    next_milestone(toy).min((toy / DECIDE_EVERY).saturating_add(1).saturating_mul(DECIDE_EVERY))
}

/// The relative standard error of the p-value of a tally; `None` where no toy exceeds.
pub fn relative_error(tally: &Tally) -> Option<f64> {
    let (exceed, toys) = (tally.exceed() as f64, tally.toys() as f64);
    (tally.exceed() > 0).then(|| ((1.0 - exceed / toys) / exceed).sqrt())
}

impl Stopping {
    /// The most toys that are thrown.
    pub fn most(&self) -> u64 {
        match *self {
            Self::After(toys) => toys,
            Self::Accurate { maximum, .. } => maximum,
        }
    }

    /// Why to stop with this tally, if it is time to.
    pub fn verdict(&self, tally: &Tally) -> Option<Stopped> {
        self.verdict_at(tally.toys(), relative_error(tally))
    }

    /// Why to stop after `thrown` toys that have reached a relative standard error, if they have one, if it is time to.
    pub fn verdict_at(&self, thrown: u64, reached: Option<f64>) -> Option<Stopped> {
        match *self {
            Self::After(toys) => (thrown >= toys).then_some(Stopped::Number),
            Self::Accurate { relative: wanted, minimum, maximum } => match reached {
                Some(reached) if reached <= wanted && thrown >= minimum => Some(Stopped::Accuracy { wanted, reached }),
                reached => (thrown >= maximum).then_some(Stopped::Maximum { wanted, reached }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Document;

    fn read(text: &str) -> Result<Goal, Vec<String>> {
        let document = Document::parse("card.toml", &format!("[toys]\n{text}"), &[]).unwrap();
        let goal = Goal::read(&document.root().section("toys"));
        match document.finish() {
            Ok(()) => Ok(goal),
            Err(error) => Err(error.problems().iter().map(ToString::to_string).collect()),
        }
    }

    fn accurate(relative: f64, number: Number, maximum: u64) -> Goal {
        Goal { number, accuracy: Some(Accuracy { relative, maximum }) }
    }

    #[test]
    fn goals_are_read() {
        assert_eq!(read(""), Ok(Goal::default()));
        assert_eq!(read("number = \"events\""), Ok(Goal { number: Number::Events, accuracy: None }));
        assert_eq!(read("accuracy = 0.05"), Ok(accurate(0.05, Number::Toys(10_000), 10_000_000)));
        assert_eq!(read("accuracy = 0.05\nnumber = 500"), Ok(accurate(0.05, Number::Toys(500), 10_000_000)));
        let all = "accuracy = 0.05\nnumber = 500\nminimum = 7\nmaximum = 9";
        assert_eq!(read(all), Ok(accurate(0.05, Number::Toys(7), 9)));
        let many = accurate(0.1, Number::Toys(50_000_000), 50_000_000);
        assert_eq!(read("accuracy = 0.1\nnumber = 50_000_000"), Ok(many));
    }

    #[test]
    fn goals_that_cannot_be_reached_are_problems() {
        for (text, expected) in [
            ("number = 0", "at least one toy"),
            ("number = 1000000001", "more than the 1000000000"),
            ("number = \"event\"", "\"events\", got \"event\""),
            ("number = -1", "toys.number"),
            ("accuracy = 0.0", "0.05 is 5 %"),
            ("accuracy = 5", "0.05 is 5 %"),
            ("maximum = 5", "none is asked for"),
            ("accuracy = 0.1\nminimum = 50\nmaximum = 5", "fewer than the 50"),
        ] {
            let problems = read(text).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(expected), "{text}: {problems:?}");
        }
        assert!(Goal { number: Number::Events, accuracy: None }.resolve(0).is_err());
        let stopping = Goal { number: Number::Events, accuracy: None }.resolve(217).unwrap();
        assert_eq!(stopping, Stopping::After(217));
    }

    #[test]
    fn decisions_are_at_milestones_and_multiples() {
        let ends: Vec<u64> = std::iter::successors(Some(0), |toy| Some(next_decision(*toy))).take(27).collect();
        assert_eq!(ends[..4], [0, 100, 125, 160]);
        assert_eq!(ends[21..], [10_000, 12_500, 16_000, 20_000, 25_000, 31_500]);
        assert_eq!(
            (next_decision(99), next_decision(1_999_999), next_decision(2_000_000)),
            (100, 2_000_000, 2_020_000)
        );
        assert!(next_decision(u64::MAX - 1) > u64::MAX - 1);
    }

    #[test]
    fn the_verdict_is_that_of_the_tally() {
        let tally = |exceed: u64, toys: u64| Tally::all(1, 0..toys, exceed);
        let stopping = Stopping::Accurate { relative: 0.5, minimum: 50, maximum: 90 };
        assert_eq!(stopping.verdict(&tally(10, 40)), None);
        assert_eq!(stopping.verdict(&tally(0, 60)), None);
        // sqrt((1 - 4/64) / 4) = 0.484.
        let Some(Stopped::Accuracy { reached, .. }) = stopping.verdict(&tally(4, 64)) else { panic!() };
        assert!((reached - 0.484_122_918).abs() < 1e-9);
        assert_eq!(stopping.verdict(&tally(0, 90)), Some(Stopped::Maximum { wanted: 0.5, reached: None }));
        let Some(Stopped::Maximum { reached: Some(reached), .. }) = stopping.verdict(&tally(1, 90)) else { panic!() };
        assert!(reached > 0.99);
        assert_eq!(Stopping::After(64).verdict(&tally(4, 64)), Some(Stopped::Number));
        assert_eq!(Stopping::After(65).verdict(&tally(4, 64)), None);
        assert_eq!(relative_error(&tally(64, 64)), Some(0.0));
    }
}
