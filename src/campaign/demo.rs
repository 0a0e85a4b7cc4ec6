//! `trawl demo`: generates two samples of dijet events and runs the demo's card over them.

use std::fs;
use std::path::Path;

use super::answer::Outcome;
use super::progress::Progress;
use super::request::{DemoRequest, RunRequest};
use crate::error::{Error, Result};
use crate::events::{DijetSample, Resonance, generate_file};

const NAME: &str = "campaign.demo";

/// The card and its edges, as shipped; they are written beside the generated events, so that `trawl run` can repeat the
/// analysis and users have a card to change.
const CARD: &str = include_str!("../../cards/demo.toml");
const EDGES: &str = include_str!("../../cards/edges/y-xh-proposed.toml");

/// Simulated events for each event of the data. The smoothed expectation is then known to about 1/sqrt(5) of the data's
/// own statistical uncertainty, in each of its few parameters.
const SIMULATION_RATIO: u64 = 5;

/// The injected resonance in 200,000 events of data. Its global significance is 2.56 sigma at the demo's seed, where 100,000
/// toys resolve it; other seeds scatter by about one sigma, as data do (120 events: 1.15, 160: 3.63 at this seed).
const RESONANCE: Resonance =
    Resonance { events: 140, mass_y_gev: 3200.0, mass_x_gev: 400.0, width_y: 0.03, width_x: 0.05 };

/// Where the demo works unless told otherwise.
pub const FOLDER: &str = "trawl-demo";

/// The seed of the demo unless told otherwise.
pub const SEED: u64 = 20261122;

/// Generates what is missing and runs the card.
///
/// # Errors
/// A folder that cannot be written, and whatever [`super::run`] finds.
pub fn demo(request: &DemoRequest, progress: &Progress) -> Result<Outcome> {
    let folder = request.run.output.clone().unwrap_or_else(|| FOLDER.into());
    let folder = folder.as_path();
    let write = |name: &str, text: &str| -> Result<()> {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|source| Error::io(NAME, "create", parent, source))?;
        fs::write(&path, text).map_err(|source| Error::io(NAME, "write", &path, source))
    };
    write("demo.toml", CARD)?;
    write("edges/y-xh-proposed.toml", EDGES)?;
    generate(request, folder, progress)?;
    let mut settings = vec![format!("toys.number={}", request.toys), format!("seed={}", request.seed)];
    settings.extend(request.run.settings.iter().cloned());
    let run = RunRequest { card: folder.join("demo.toml"), output: None, settings, ..request.run.clone() };
    super::run(&run, progress)
}

fn generate(request: &DemoRequest, folder: &Path, progress: &Progress) -> Result<()> {
    let scaled = request.events as f64 / 200_000.0;
    // At least one event of the resonance, so that small demos show the whole chain too.
    let resonance = Resonance { events: ((RESONANCE.events as f64 * scaled) as u64).max(1), ..RESONANCE };
    let data = DijetSample {
        seed: request.seed,
        events: request.events,
        first_event: 0,
        resonance: Some(resonance),
        weight: 1.0,
    };
    let simulation = DijetSample {
        // Other event numbers are other random numbers: the samples share nothing.
        first_event: request.events,
        events: request.events * SIMULATION_RATIO,
        resonance: None,
        weight: 1.0 / SIMULATION_RATIO as f32,
        ..data
    };
    for (name, sample) in [("data", data), ("simulation", simulation)] {
        let stage = progress.stage(&format!("generate {name}"), "events", Some(sample.events));
        generate_file(&sample, folder.join(format!("{name}.parquet")))?;
        stage.add(sample.events);
        stage.finish();
        progress.interrupted()?;
    }
    Ok(())
}
