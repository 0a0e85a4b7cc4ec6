//! `trawl inspect FILE...`.

use std::path::PathBuf;

use clap::Args;

use crate::error::Problems;
use crate::events;

#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// Parquet files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Files that can be read are told before the problems of those that cannot.
pub(super) fn execute(arguments: &InspectArguments) -> anyhow::Result<()> {
    let mut problems = Problems::default();
    for file in &arguments.files {
        if let Some(words) = problems.take(events::inspect(file)) {
            super::say(words)?;
        }
    }
    Ok(problems.finish()?)
}
