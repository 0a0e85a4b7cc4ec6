//! `trawl inspect FILE...`.

use std::path::PathBuf;

use clap::Args;

use crate::error::Problems;
use crate::events;

#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// Parquet files; a folder or a glob in quotes is one sample
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Files that can be read are told before the problems of those that cannot.
pub(super) fn execute(arguments: &InspectArguments) -> anyhow::Result<()> {
    let mut problems = Problems::default();
    for file in &arguments.files {
        // What is no text is no pattern.
        let words = match file.to_str() {
            Some(pattern) => events::inspect_sample(pattern).map(|sample| sample.to_string()),
            None => events::inspect(file).map(|inspection| inspection.to_string()),
        };
        if let Some(words) = problems.take(words) {
            super::say(words)?;
        }
    }
    Ok(problems.finish()?)
}
