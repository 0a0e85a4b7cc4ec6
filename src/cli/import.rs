//! `trawl import dark-machines|lhco FILE... --output OUT`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::campaign::Progress;
use crate::events::{self, DarkMachinesImport, EnergyUnit, LhcoImport};

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    #[command(subcommand)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Format {
    /// Dark Machines CSV: event_id;process;weight;MET;METphi;object,E,pt,eta,phi;... with or without id, process, E
    DarkMachines(DarkMachinesArguments),
    /// LHC Olympics HDF5: raw events or feature tables, as pandas writes them (needs the cargo feature 'hdf5')
    Lhco(LhcoArguments),
}

#[derive(Debug, Args)]
struct DarkMachinesArguments {
    #[command(flatten)]
    paths: Paths,
    /// The unit of the files; the output is in GeV
    #[arg(long, value_enum, default_value_t = Unit::Mev)]
    unit: Unit,
}

#[derive(Debug, Args)]
struct LhcoArguments {
    #[command(flatten)]
    paths: Paths,
    /// The pandas key of the frame, where a file holds several
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Debug, Args)]
struct Paths {
    /// The files; their events follow each other in the output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The Parquet file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unit {
    Mev,
    Gev,
}

pub(super) fn execute(arguments: &ImportArguments, progress: &Progress) -> anyhow::Result<()> {
    let stage = progress.stage("import", "events", None);
    let watch = |events| {
        stage.add(events);
        progress.interrupted()
    };
    let (imported, files, output) = match &arguments.format {
        Format::DarkMachines(DarkMachinesArguments { paths: Paths { files, output }, unit }) => {
            let unit = if *unit == Unit::Mev { EnergyUnit::Mev } else { EnergyUnit::Gev };
            let import = DarkMachinesImport { files: files.clone(), unit };
            (events::import_dark_machines(&import, output, &watch)?, files.len(), output)
        }
        Format::Lhco(LhcoArguments { paths: Paths { files, output }, key }) => {
            let import = LhcoImport { files: files.clone(), key: key.clone() };
            (events::import_lhco(&import, output, &watch)?, files.len(), output)
        }
    };
    stage.finish();
    super::say(format!("{}: {} events", output.display(), imported.events))?;
    if files > 1 {
        tracing::warn!(
            "'event' counts the rows of all files in this order, and splits by event_hash or fold(k) go by it"
        );
    }
    imported.notes.iter().try_for_each(super::say)
}
