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
    let CardFlags { card, settings } = arguments.card.clone();
    let request = RunRequest { output: arguments.output.clone(), ..arguments.machine.request(card, settings) };
    let outcome = campaign::run(&request, progress).with_context(|| format!("running '{}'", request.card.display()))?;
    super::say(outcome)
}
