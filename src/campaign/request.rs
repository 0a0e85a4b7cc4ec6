//! What a user asks for, as plain data: the command line fills these, and so can a Rust program.

use std::path::PathBuf;

use super::manifest::Hashed;
use crate::Device;
use crate::device::{Bytes, CudaSettings, DeviceChoice};
use crate::error::Result;
use crate::events::BadFiles;

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
    /// Settings over those of the card, `table.key=value`.
    pub settings: Vec<String>,
    /// What happens to files that cannot be read.
    pub bad_files: BadFiles,
    /// Which bytes of the events' files the manifest has the sha256 of.
    pub hashed: Hashed,
    /// The words of the command line, for the record.
    pub command_line: Vec<String>,
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
