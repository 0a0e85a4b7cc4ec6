//! `trawl demo`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::MachineFlags;
use crate::campaign::{self, DemoRequest, Progress};

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// The folder for data and results
    #[arg(long, short, value_name = "DIR", default_value = campaign::DEMO_FOLDER)]
    output: PathBuf,
    /// Events of the data sample
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    events: u64,
    /// Toys for the global p-value
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    toys: u64,
    /// The seed of data and toys
    #[arg(long, value_name = "SEED", default_value_t = campaign::DEMO_SEED)]
    seed: u64,
    #[command(flatten)]
    machine: MachineFlags,
}

pub(super) fn execute(arguments: &DemoArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let request = DemoRequest {
        output: arguments.output.clone(),
        events: arguments.events,
        toys: arguments.toys,
        seed: arguments.seed,
        device: arguments.machine.device,
        threads: arguments.machine.threads,
        memory: arguments.machine.memory,
        command_line: super::command_line(),
    };
    super::say(campaign::demo(&request, progress).context("running the demo")?)
}
