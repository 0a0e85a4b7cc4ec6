//! `trawl demo`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::MachineFlags;
use crate::campaign::{self, DemoRequest, Progress, RunRequest};

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// The folder for data, card and results [default: trawl-demo]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Events of the data sample
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    events: u64,
    /// Toys for the global p-value
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    toys: u64,
    /// The seed of data and toys
    #[arg(long, value_name = "SEED", default_value_t = campaign::DEMO_SEED)]
    seed: u64,
    /// Set a value over that of the demo's card, for example toys.number=1000; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    machine: MachineFlags,
}

pub(super) fn execute(arguments: &DemoArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    // The demo writes its own card, and says where.
    let machine = arguments.machine.request(PathBuf::new(), arguments.settings.clone());
    let request = DemoRequest {
        events: arguments.events,
        toys: arguments.toys,
        seed: arguments.seed,
        run: RunRequest { output: arguments.output.clone(), ..machine },
    };
    let outcome = campaign::demo(&request, progress).context("running the demo")?;
    super::say(outcome)
}
