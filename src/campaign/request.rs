//! What a user asks for, as plain data: the command line fills these, and so can a Rust program.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use super::manifest::Hashed;
use super::output::Existing;
use crate::Device;
use crate::device::{Bytes, CudaSettings, DeviceChoice};
use crate::error::{Fault, Result};
use crate::events::BadFiles;
use crate::toys::{MOST_TOYS, Stopping};

/// Run, or check, a card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunRequest {
    /// The card.
    pub card: PathBuf,
    /// Where to run.
    pub device: DeviceChoice,
    /// Threads of the CPU; all of them if `None`.
    pub threads: Option<usize>,
    /// The most device memory to use; most of what is free if `None`.
    pub memory: Option<Bytes>,
    /// The output folder; what the card says if `None`.
    pub output: Option<PathBuf>,
    /// Which results in it are replaced.
    pub existing: Existing,
    /// Settings over those of the card, `table.key=value`.
    pub settings: Vec<String>,
    /// What happens to files that cannot be read.
    pub bad_files: BadFiles,
    /// Which bytes of the events' files the manifest has the sha256 of.
    pub hashed: Hashed,
    /// The words of the command line, for the record.
    pub command_line: Vec<String>,
    /// The time between two checkpoints of the toys; [`EVERY`](super::checkpoint::EVERY) if `None`.
    pub checkpoint_every: Option<Duration>,
    /// A summary of toys that were thrown before: only those that are missing are thrown.
    pub thrown_toys: Option<PathBuf>,
}

/// Toys are numbered below this: the milestones at which convergence is recorded do not reach further.
const LAST_NUMBER: u64 = 1 << 63;

/// Which toys of a card are thrown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToyPart {
    /// All, until the card's goal is reached.
    #[default]
    All,
    /// The toys with these numbers.
    Range(Range<u64>),
    /// One of so many equal parts of the card's number of toys.
    Shard {
        /// Which part, from 1 on.
        index: u64,
        /// How many parts there are.
        of: u64,
    },
}

impl ToyPart {
    /// The first toy, and when to stop, for a card with this goal.
    ///
    /// # Errors
    /// A part of toys whose number is not known before all are thrown, a part without toys, and one of more toys or of larger
    /// numbers than there may be.
    pub(super) fn of(&self, stopping: Stopping) -> Result<(u64, Stopping)> {
        let refused = |problem: String, reason: &str, suggestion: &str| {
            Fault::new("campaign.toys", problem).because(reason).suggest(suggestion).usage()
        };
        let range = match self {
            Self::All => return Ok((0, stopping)),
            Self::Range(range) if range.end > LAST_NUMBER => {
                let problem = format!("toys {} to {} are asked for", range.start, range.end.saturating_sub(1));
                let reason = format!("toys are numbered from 0 to {}", LAST_NUMBER - 1);
                return Err(refused(problem, &reason, "Use --toys A..B with smaller numbers."));
            }
            Self::Range(range) if range.end.saturating_sub(range.start) > MOST_TOYS => {
                let problem = format!("a part of {} toys is asked for", range.end - range.start);
                let reason = format!("a run throws at most {MOST_TOYS}");
                return Err(refused(problem, &reason, "Throw several parts, and add them up by 'trawl toys merge'."));
            }
            Self::Range(range) => range.clone(),
            Self::Shard { index, of } => {
                let Stopping::After(toys) = stopping else {
                    let problem = format!("the card stops at an accuracy, and part {index} of {of} is asked for");
                    let reason = "a part does not know how accurate all parts together are";
                    return Err(refused(
                        problem,
                        reason,
                        "Use --toys A..B, or --set toys.number and no toys.accuracy.",
                    ));
                };
                let cut = |part: u64| (u128::from(toys) * u128::from(part) / u128::from(*of)) as u64;
                cut(index.saturating_sub(1))..cut(*index)
            }
        };
        if range.is_empty() {
            let problem = format!("toys {} to {} are no toys", range.start, range.end);
            return Err(refused(problem, "a part throws at least one", "Use fewer parts."));
        }
        Ok((range.start, Stopping::After(range.end - range.start)))
    }
}

impl RunRequest {
    /// Opens the device that was asked for.
    ///
    /// # Errors
    /// As [`Device::choose_with`].
    pub fn choose_device(&self) -> Result<Device> {
        Device::choose_with(self.device, CudaSettings { memory: self.memory, ..CudaSettings::default() })
    }
}

/// Generate the demo's data and run its card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DemoRequest {
    /// Events of the data sample.
    pub events: u64,
    /// Toys to throw.
    pub toys: u64,
    /// The seed of data and toys.
    pub seed: u64,
    /// How to run the card, apart from the card itself.
    pub run: RunRequest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_all_toys_once() {
        for (toys, of) in [(100_000, 7), (10, 10), (u64::MAX, 3)] {
            let mut next = 0;
            for index in 1..=of {
                let (first, stopping) = ToyPart::Shard { index, of }.of(Stopping::After(toys)).unwrap();
                assert_eq!(first, next);
                next += stopping.most();
            }
            assert_eq!(next, toys);
        }
        assert!(ToyPart::Shard { index: 1, of: 4 }.of(Stopping::After(3)).is_err());
        let accurate = Stopping::Accurate { relative: 0.1, minimum: 1, maximum: 2 };
        assert!(ToyPart::Shard { index: 1, of: 2 }.of(accurate).is_err());
        for (range, words) in [
            (
                u64::MAX - 9..u64::MAX,
                "toys 18446744073709551606 to 18446744073709551614 are asked for (toys are numbered",
            ),
            (0..MOST_TOYS + 1, "a part of 1000000001 toys is asked for (a run throws at most 1000000000)"),
        ] {
            let error = ToyPart::Range(range).of(accurate).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert_eq!(ToyPart::Range(5..9).of(accurate).unwrap(), (5, Stopping::After(4)));
        assert_eq!(ToyPart::All.of(accurate).unwrap(), (0, accurate));
    }
}
