//! `trawl demo`: generates two samples of dijet events and runs the demo's card over them.

use std::fs;
use std::path::{Path, PathBuf};

use super::answer::Outcome;
use super::progress::Progress;
use super::request::{DemoRequest, RunRequest};
use crate::error::{Error, Fault, Result};
use crate::events::{DijetSample, Resonance, generate_file};

const NAME: &str = "campaign.demo";

/// The card and its edges, as shipped; they are written beside the generated events, so that `trawl run` can repeat the
/// analysis and users have a card to change.
const CARD: &str = include_str!("../../cards/demo.toml");
const EDGES: &str = include_str!("../../cards/edges/y-xh-proposed.toml");
const SHIPPED: [(&str, &str); 2] = [("demo.toml", CARD), ("edges/y-xh-proposed.toml", EDGES)];

/// Simulated events for each event of the data. The smoothed expectation is then known to about 1/sqrt(5) of the data's
/// own statistical uncertainty in each of its few parameters, which 1,620 cells share; the toys do not know of it.
const SIMULATION_RATIO: u64 = 5;

/// The injected resonance in 200,000 events of data. 140 events were chosen with the answer in view, so that 100,000 toys
/// resolve it at the demo's seed: 2.56 sigma (120 events: 1.15, 160: 3.63). Other seeds differ by more than that: with 100
/// events six of them gave 0.95 to 3.48 sigma, and with 140 one gave more than 4.1.
const RESONANCE: Resonance =
    Resonance { events: 140, mass_y_gev: 3200.0, mass_x_gev: 400.0, width_y: 0.03, width_x: 0.05 };

/// Where the demo works unless told otherwise.
pub const FOLDER: &str = "trawl-demo";

/// The seed of the demo unless told otherwise.
pub const SEED: u64 = 20261122;

/// Fewer events leave too little simulation for the fit of the background.
const FEWEST_EVENTS: u64 = 500;

/// Generates the samples and runs the card over them.
///
/// # Errors
/// A folder that holds something else, or cannot be written; numbers of events beyond sense; whatever [`super::run`]
/// finds. What was generated before an error is removed, unless an earlier demo had left it.
pub fn demo(request: &DemoRequest, progress: &Progress) -> Result<Outcome> {
    let folder = request.run.output.clone().unwrap_or_else(|| FOLDER.into());
    let samples = samples(request)?;
    check_folder(&folder)?;
    let mut made = Made::default();
    for (name, text) in SHIPPED {
        made.write(&folder.join(name), text)?;
    }
    for (name, sample) in samples {
        let stage = progress.stage(&format!("generate {name}"), "events", Some(sample.events));
        made.generate(&sample, &folder.join(format!("{name}.parquet")), &|events| {
            stage.add(events);
            progress.interrupted()
        })?;
        stage.finish();
    }
    made.keep();
    let mut settings = vec![format!("toys.number={}", request.toys), format!("seed={}", request.seed)];
    settings.extend(request.run.settings.iter().cloned());
    let run = RunRequest { card: folder.join("demo.toml"), output: None, settings, ..request.run.clone() };
    super::run(&run, progress)
}

/// The data with the resonance, and the simulation without it.
fn samples(request: &DemoRequest) -> Result<[(&'static str, DijetSample); 2]> {
    let events = request.events;
    let simulated = events.checked_mul(SIMULATION_RATIO).filter(|simulated| simulated.checked_add(events).is_some());
    let Some(simulated) = simulated.filter(|_| events >= FEWEST_EVENTS) else {
        return Err(Fault::new(NAME, format!("{events} events"))
            .because(format!("the demo takes {FEWEST_EVENTS} or more, and events are numbered in 64 bits"))
            .suggest("Leave --events out for 200000.")
            .usage());
    };
    // At least one event of the resonance, so that small demos show the whole chain too.
    let resonant = ((RESONANCE.events as f64 * (events as f64 / 200_000.0)) as u64).max(1);
    let resonance = Resonance { events: resonant, ..RESONANCE };
    let data = DijetSample { seed: request.seed, events, first_event: 0, resonance: Some(resonance), weight: 1.0 };
    let simulation = DijetSample {
        // Other event numbers are other random numbers: the samples share nothing.
        first_event: events,
        events: simulated,
        resonance: None,
        weight: 1.0 / SIMULATION_RATIO as f32,
        ..data
    };
    Ok([("data", data), ("simulation", simulation)])
}

/// Refuses a folder in which something of the user's would be overwritten: only an earlier demo, known by its card, is.
fn check_folder(folder: &Path) -> Result<()> {
    let card = folder.join("demo.toml");
    if fs::read_to_string(&card).is_ok_and(|text| text == CARD) {
        return Ok(());
    }
    let names = SHIPPED.iter().map(|(name, _)| *name).chain(["data.parquet", "simulation.parquet", "results"]);
    match names.map(|name| folder.join(name)).find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => Err(Fault::new(NAME, format!("'{}' exists and is not of an earlier demo", path.display()))
            .because("it would be overwritten")
            .suggest("Choose another --output.")
            .usage()),
    }
}

/// The files that were made and would not have been there otherwise; dropped unkept, they are removed.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    fn write(&mut self, path: &Path, text: &str) -> Result<()> {
        self.note(path)?;
        fs::write(path, text).map_err(|source| Error::io(NAME, "write", path, source))
    }

    fn generate(&mut self, sample: &DijetSample, path: &Path, progress: &dyn Fn(u64) -> Result<()>) -> Result<()> {
        self.note(path)?;
        generate_file(sample, path, progress)
    }

    fn note(&mut self, path: &Path) -> Result<()> {
        let missing = path.ancestors().skip(1).take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        missing.reverse();
        for folder in missing {
            fs::create_dir(&folder).map_err(|source| Error::io(NAME, "create", &folder, source))?;
            self.folders.push(folder);
        }
        if !path.exists() {
            self.files.push(path.to_owned());
        }
        Ok(())
    }

    fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Whatever cannot be removed stays: the error that brought us here is the one to tell.
        self.files.iter().for_each(|path| drop(fs::remove_file(path)));
        self.folders.iter().rev().for_each(|path| drop(fs::remove_dir(path)));
    }
}
