//! What a user asks for, as plain data: the command line fills these, and so can a Rust program.

use std::path::PathBuf;

use crate::device::{Bytes, DeviceChoice};

/// Run, or check, a card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunRequest {
    /// The card.
    pub card: PathBuf,
    /// Where to run.
    pub device: DeviceChoice,
    /// Threads of the CPU; all of them if `None`.
    pub threads: Option<usize>,
    /// The most memory to use; what the machine has if `None`.
    pub memory: Option<Bytes>,
    /// The output folder; what the card says if `None`.
    pub output: Option<PathBuf>,
    /// Settings over those of the card, `table.key=value`.
    pub settings: Vec<String>,
    /// The words of the command line, for the record.
    pub command_line: Vec<String>,
}

/// Generate the demo's data and run its card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DemoRequest {
    /// The folder for data and results.
    pub output: PathBuf,
    /// Events of the data sample.
    pub events: u64,
    /// Toys to throw.
    pub toys: u64,
    /// The seed of data and toys.
    pub seed: u64,
    /// Where to run.
    pub device: DeviceChoice,
    /// Threads of the CPU; all of them if `None`.
    pub threads: Option<usize>,
    /// The most memory to use; what the machine has if `None`.
    pub memory: Option<Bytes>,
    /// The words of the command line, for the record.
    pub command_line: Vec<String>,
}
