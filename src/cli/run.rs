//! `trawl run CARD`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{CardFlags, MachineFlags, ToyFlags};
use crate::campaign::manifest::Hashed;
use crate::campaign::output::Existing;
use crate::campaign::{self, Progress, RunRequest};

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    card: CardFlags,
    #[command(flatten)]
    machine: MachineFlags,
    #[command(flatten)]
    toys: ToyFlags,
    /// Take toys that were thrown before from this summary, and throw only those that are missing
    #[arg(long, value_name = "FILE")]
    thrown_toys: Option<PathBuf>,
    /// The folder for results [default: what the card says]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace the results of another card, or of other settings, in that folder
    #[arg(long)]
    overwrite: bool,
    /// Which bytes of the input files the manifest has the sha256 of
    #[arg(long, value_name = "BYTES", value_enum, default_value_t = HashInputs::Footer)]
    hash_inputs: HashInputs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HashInputs {
    /// The footer, which says where every column lies: quick
    Footer,
    /// All of them: reads the data a second time
    Whole,
}

pub(super) fn execute(arguments: &RunArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let bad_files = arguments.card.bad_files();
    let CardFlags { card, settings, .. } = arguments.card.clone();
    let hashed = match arguments.hash_inputs {
        HashInputs::Footer => Hashed::Footer,
        HashInputs::Whole => Hashed::Whole,
    };
    let request = RunRequest {
        output: arguments.output.clone(),
        existing: if arguments.overwrite { Existing::AnyCard } else { Existing::SameCard },
        hashed,
        bad_files,
        thrown_toys: arguments.thrown_toys.clone(),
        ..arguments.machine.request(card, settings)
    };
    let request = arguments.toys.apply(request);
    let outcome = campaign::run(&request, progress).with_context(|| format!("running '{}'", request.card.display()))?;
    super::say(outcome)
}
