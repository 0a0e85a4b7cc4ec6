//! `trawl score BUNDLE FILES`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::MachineFlags;
use crate::campaign::output::Existing;
use crate::campaign::{self, Progress, RunRequest, ScoreRequest};
use crate::events::BadFiles;

#[derive(Debug, Args)]
pub(super) struct ScoreArguments {
    /// The bundle that a run of a card with [model] wrote: model.safetensors
    bundle: PathBuf,
    /// Parquet files of events, folders of them, or patterns
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Read them as this sample of the bundle's card [default: its first]
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    /// The list of certified luminosity sections of that sample, where it has one [default: as its card says, from the bundle's folder]
    #[arg(long, value_name = "FILE")]
    luminosity_mask: Option<PathBuf>,
    /// The folder for scores
    #[arg(long, short, value_name = "DIR", default_value = "scores")]
    output: PathBuf,
    /// Replace other scores in that folder
    #[arg(long)]
    overwrite: bool,
    /// Leave out files that cannot be read, and list them with the events that are lost
    #[arg(long)]
    skip_bad_files: bool,
    #[command(flatten)]
    machine: MachineFlags,
}

pub(super) fn execute(arguments: &ScoreArguments, progress: &Progress) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let run = RunRequest {
        output: Some(arguments.output.clone()),
        existing: if arguments.overwrite { Existing::AnyCard } else { Existing::SameCard },
        bad_files: if arguments.skip_bad_files { BadFiles::Skip } else { BadFiles::Refuse },
        ..arguments.machine.request(arguments.bundle.clone(), Vec::new())
    };
    let (bundle, files) = (arguments.bundle.clone(), arguments.files.clone());
    let (sample, luminosity_mask) = (arguments.sample.clone(), arguments.luminosity_mask.clone());
    let request = ScoreRequest { bundle, files, sample, luminosity_mask, run };
    let outcome =
        campaign::score(&request, progress).with_context(|| format!("scoring with '{}'", request.bundle.display()))?;
    super::say(outcome)
}
