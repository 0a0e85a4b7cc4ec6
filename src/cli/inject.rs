//! `trawl inject CARD`.

use anyhow::Context;
use clap::Args;

use super::{CardFlags, MachineFlags};
use crate::campaign::{self, Progress, RunRequest};

#[derive(Debug, Args)]
pub(super) struct InjectArguments {
    #[command(flatten)]
    card: CardFlags,
    #[command(flatten)]
    machine: MachineFlags,
}

pub(super) fn execute(arguments: &InjectArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let bad_files = arguments.card.bad_files();
    let CardFlags { card, settings, .. } = arguments.card.clone();
    let request = RunRequest { bad_files, ..arguments.machine.request(card, settings) };
    let injected =
        campaign::inject(&request, progress).with_context(|| format!("injecting into '{}'", request.card.display()))?;
    super::say(injected)
}
