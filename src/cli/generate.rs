//! `trawl generate dijet`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::campaign::Progress;
use crate::events::{self, DijetSample, Resonance};

#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Events with two large-R jets and a falling mass spectrum; the same seed gives the same file
    Dijet(DijetArguments),
}

#[derive(Debug, Args)]
struct DijetArguments {
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    events: u64,
    /// The seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// How many of them are a resonance Y -> X H
    #[arg(long, value_name = "N", default_value_t = 0)]
    resonant: u64,
    /// The mass of Y in GeV
    #[arg(long, value_name = "GEV", default_value_t = 3000.0)]
    mass_y: f64,
    /// The mass of X in GeV
    #[arg(long, value_name = "GEV", default_value_t = 400.0)]
    mass_x: f64,
    /// The Parquet file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn execute(arguments: &GenerateArguments, progress: &Progress) -> anyhow::Result<()> {
    let Kind::Dijet(dijet) = &arguments.kind;
    let resonance = Resonance {
        events: dijet.resonant,
        mass_y_gev: dijet.mass_y,
        mass_x_gev: dijet.mass_x,
        ..Resonance::default()
    };
    let sample = DijetSample {
        seed: dijet.seed,
        events: dijet.events,
        resonance: (dijet.resonant > 0).then_some(resonance),
        ..DijetSample::default()
    };
    let stage = progress.stage("generate dijet", "events", Some(dijet.events));
    events::generate_file(&sample, &dijet.output, &|events| {
        stage.add(events);
        progress.interrupted()
    })?;
    stage.finish();
    super::say(format!("{}: {} events", dijet.output.display(), dijet.events))
}
