//! `trawl toys`: toys thrown apart and added up.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{CardFlags, MachineFlags, ToyFlags};
use crate::campaign::{self, Progress, RunRequest, ToyPart};

#[derive(Debug, Args)]
pub(super) struct ToysArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Throw a part of a card's toys and write their summary
    Run(RunArguments),
    /// Add summaries up: those of one card, observation and seed, each toy once
    Merge {
        /// The summaries
        #[arg(required = true, value_name = "FILE")]
        parts: Vec<PathBuf>,
        /// Where to write the sum
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Say what a summary holds
    Show {
        /// The summary: `toys.json` of a run, or a part
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct RunArguments {
    #[command(flatten)]
    card: CardFlags,
    #[command(flatten)]
    machine: MachineFlags,
    #[command(flatten)]
    toys: ToyFlags,
    /// One of n equal parts of the card's number of toys, from 1/n to n/n
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with = "range")]
    shard: Option<ToyPart>,
    /// The toys with the numbers from A to B - 1
    #[arg(long = "toys", value_name = "A..B", value_parser = range)]
    range: Option<ToyPart>,
    /// Where to write the summary
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn execute(
    arguments: &ToysArguments,
    progress: impl FnOnce() -> crate::Result<Progress>,
) -> anyhow::Result<()> {
    let thrown = match &arguments.action {
        Action::Run(arguments) => return run(arguments, &progress()?),
        Action::Merge { parts, output } => campaign::merge_toys(parts, output)?,
        Action::Show { file } => campaign::show_toys(file)?,
    };
    super::say(thrown)
}

fn run(arguments: &RunArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let bad_files = arguments.card.bad_files();
    let CardFlags { card, settings, .. } = arguments.card.clone();
    let request = RunRequest { bad_files, ..arguments.machine.request(card, settings) };
    let request = arguments.toys.apply(request);
    let part = arguments.shard.clone().or_else(|| arguments.range.clone()).unwrap_or_default();
    let thrown = campaign::throw_toys(&request, part, &arguments.output, progress)
        .with_context(|| format!("throwing toys of '{}'", request.card.display()))?;
    super::say(thrown)
}

fn shard(text: &str) -> Result<ToyPart, String> {
    let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((index, of)) if 1 <= index && index <= of => Ok(ToyPart::Shard { index, of }),
        _ => Err("expected a part like 3/8, from 1/8 to 8/8".into()),
    }
}

fn range(text: &str) -> Result<ToyPart, String> {
    let numbers = text.split_once("..").and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
    match numbers {
        Some((start, end)) if start < end => Ok(ToyPart::Range(Range { start, end })),
        _ => Err("expected numbers of toys like 0..1000000, the first below the second".into()),
    }
}
