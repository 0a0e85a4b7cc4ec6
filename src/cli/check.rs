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
    let bad_files = arguments.card.bad_files();
    let CardFlags { card, settings, .. } = arguments.card.clone();
    let request = RunRequest { bad_files, ..arguments.machine.request(card, settings) };
    let plan = campaign::check(&request).with_context(|| format!("checking '{}'", request.card.display()))?;
    super::say(plan)
}
