//! `trawl export BUNDLE`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::error::Fault;
use crate::models::bundle::{Bundle, onnx};

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The bundle that a run of a card with [model] wrote: model.safetensors
    bundle: PathBuf,
    /// The ONNX file, whose graph takes raw features and gives the score of each network
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn execute(arguments: &ExportArguments) -> anyhow::Result<()> {
    if arguments.output.extension().is_none_or(|ending| ending != "onnx") {
        let fault = Fault::new("cli.export", format!("'{}' does not end in .onnx", arguments.output.display()));
        Err(fault.because("another file of that name would be replaced").usage())?;
    }
    let export = || -> crate::Result<()> { onnx::write(&Bundle::read(&arguments.bundle)?, &arguments.output) };
    export().with_context(|| format!("exporting '{}'", arguments.bundle.display()))?;
    super::say(format_args!("{}", arguments.output.display()))
}
