//! `trawl check CARD`.

use anyhow::Context;
use clap::Args;

use super::{CardFlags, MachineFlags};
use crate::campaign::{self, RunRequest};

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    card: CardFlags,
    #[command(flatten)]
    machine: MachineFlags,
}

pub(super) fn execute(arguments: &CheckArguments) -> anyhow::Result<()> {
    let request = RunRequest {
        card: arguments.card.card.clone(),
        device: arguments.machine.device,
        threads: arguments.machine.threads,
        memory: arguments.machine.memory,
        output: None,
        settings: arguments.card.settings.clone(),
        command_line: super::command_line(),
    };
    super::say(campaign::check(&request).with_context(|| format!("checking '{}'", request.card.display()))?)
}
