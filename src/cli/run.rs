//! `trawl run CARD`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{CardFlags, MachineFlags};
use crate::campaign::{self, Progress, RunRequest};

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    card: CardFlags,
    #[command(flatten)]
    machine: MachineFlags,
    /// The folder for results [default: what the card says]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn execute(arguments: &RunArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let request = RunRequest {
        card: arguments.card.card.clone(),
        device: arguments.machine.device,
        threads: arguments.machine.threads,
        memory: arguments.machine.memory,
        output: arguments.output.clone(),
        settings: arguments.card.settings.clone(),
        command_line: super::command_line(),
    };
    super::say(campaign::run(&request, progress).with_context(|| format!("running '{}'", request.card.display()))?)
}
