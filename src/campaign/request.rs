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

/// Write generated dijet events to a Parquet file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerateRequest {
    /// How many, resonant ones included.
    pub events: u64,
    /// The seed.
    pub seed: u64,
    /// How many of them are a resonance Y -> X H.
    pub resonant: u64,
    /// The mass of Y.
    pub mass_y_gev: f64,
    /// The mass of X.
    pub mass_x_gev: f64,
    /// The file.
    pub output: PathBuf,
}
