//! Analysis cards: one TOML file describes a whole analysis.
//!
//! A card names its inputs, the selection, the spectrum or plane that is filled, the expected background, the hunt and
//! the toys. Each stage reads and checks its own part ([`crate::settings`]); the card composes them, and reports every
//! problem of the file at once, with its line. `cards/` holds ready ones whose comments explain each key.
//!
//! Paths are relative to the card; those given with `--set` are relative to the working folder.

mod checks;
mod distributions;
mod events;
mod model;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Fault, Problems, Result};
use crate::hunt::{Combination, Scan, WindowChoice};
use crate::settings::{Document, Section};
use crate::spectrum::binned::BinnedInput;
use crate::toys::{Injection, ToySettings};
pub use distributions::{Classes, Distribution, Distributions, Shown};
pub use events::{
    ColumnSearch, EventWork, ExpectationFrom, ExpectationSettings, GeneratorSum, Histogrammed, Keep, Normalisation,
    Reading, Role, Sample, SampleWeight, Search,
};
pub use model::{ModelKind, ModelSettings};

const NAME: &str = "card";

/// A card that was read and checked.
#[derive(Debug, Clone)]
pub struct Card {
    /// The name: letters, digits, `-` and `_`; it identifies the output folder's owner.
    pub name: String,
    /// What the analysis looks for, in a sentence.
    pub description: String,
    /// Every random number of the run is a function of it.
    pub seed: u64,
    /// The output folder.
    pub output: PathBuf,
    /// Where the card came from.
    pub origin: Origin,
    /// What it asks for.
    pub work: Work,
}

/// The text of a card and where it came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// The `--set` overrides, in their order.
    pub overrides: Vec<String>,
}

/// The two kinds of input.
#[derive(Debug, Clone)]
pub enum Work {
    /// Events in Parquet files: `[samples.*]`.
    Events(Box<EventWork>),
    /// A spectrum or a plane in bins: `[input]`.
    Binned(Box<BinnedWork>),
    /// Spectra of several channels: `[input.*]`.
    Channels(Box<ChannelsWork>),
}

/// A bump hunt in a spectrum or a plane that comes in bins.
#[derive(Debug, Clone)]
pub struct BinnedWork {
    /// The table.
    pub input: BinnedInput,
    /// Which windows are tested.
    pub windows: WindowChoice,
    /// How windows are judged.
    pub scan: Scan,
    /// Whether each column window of a plane has a hunt of its own.
    pub columns: ColumnSearch,
    /// Windows whose expectation rests on fewer effective events are left out.
    pub minimum_effective_count: f64,
    /// The pseudo-experiments.
    pub toys: ToySettings,
    /// How `trawl inject` adds signal.
    pub injection: Injection,
}

/// A bump hunt in the spectra of several channels together.
#[derive(Debug, Clone)]
pub struct ChannelsWork {
    /// The table of each channel, by its name.
    pub inputs: Vec<(String, BinnedInput)>,
    /// Which windows are tested.
    pub windows: WindowChoice,
    /// How windows are judged.
    pub scan: Scan,
    /// Which windows of the channels belong together.
    pub combination: Combination,
    /// Windows whose expectation rests on fewer effective events are left out.
    pub minimum_effective_count: f64,
    /// The pseudo-experiments.
    pub toys: ToySettings,
    /// How `trawl inject` adds signal.
    pub injection: Injection,
}

impl BinnedWork {
    /// The same as the only channel.
    pub fn as_channels(&self) -> ChannelsWork {
        ChannelsWork {
            inputs: vec![("spectrum".into(), self.input.clone())],
            windows: self.windows.clone(),
            scan: self.scan,
            combination: Combination::default(),
            minimum_effective_count: self.minimum_effective_count,
            toys: self.toys.clone(),
            injection: self.injection,
        }
    }
}

impl Origin {
    /// The folder that the card's paths start from.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The sha256 of the card's text and its overrides, which tells two analyses apart. Where the output goes is not part
    /// of what an analysis is.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.text.as_bytes());
        for setting in self.overrides.iter().filter(|setting| !setting.trim_start().starts_with("output")) {
            hash.update([0]);
            hash.update(setting.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Card {
    /// Reads and checks a card file with its overrides (`table.key=value`).
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; otherwise every problem of the card at once, each with its line.
    pub fn read(file: &Path, overrides: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(NAME, "read", file, error))?;
        let origin = Origin { file: file.to_owned(), text, overrides: overrides.to_vec() };
        Self::parse(origin)
    }

    /// Reads what scoring events needs of a card that was checked when its networks were trained: nothing is filled or searched, and no
    /// file beside it is read.
    ///
    /// # Errors
    /// A card without events or `[model]`; every problem of these parts.
    pub fn parse_for_scores(origin: Origin) -> Result<Self> {
        let document = Document::parse(&origin.file.display().to_string(), &origin.text, &origin.overrides)?;
        let root = document.root();
        let name = root.or("name", String::from("scores"));
        let (description, seed) = (root.or("description", String::new()), root.or("seed", 1));
        let work = events::read_for_scores(&root, origin.folder(), seed);
        let mut problems = Problems::default();
        problems.take(document.finish_part());
        problems.finish()?;
        let work = work.map(|work| Work::Events(Box::new(work))).ok_or_else(|| {
            Fault::new(NAME, format!("'{}' has no events or no model", origin.file.display()))
                .because("networks are trained on selected events")
                .data()
        })?;
        Ok(Self { name, description, seed, output: PathBuf::new(), origin, work })
    }

    /// Checks a card's text.
    ///
    /// # Errors
    /// Every problem of the card at once, each with its line.
    pub fn parse(origin: Origin) -> Result<Self> {
        let document = Document::parse(&origin.file.display().to_string(), &origin.text, &origin.overrides)?;
        let mut problems = Problems::default();
        let read = read(&document.root(), &origin);
        problems.take(document.finish());
        problems.finish()?;
        // Nothing was reported, so nothing is missing; the message is for whoever breaks that rule.
        let (name, seed, output, description, work) = read.ok_or_else(|| {
            Fault::new(NAME, format!("{} could not be read", origin.file.display()))
                .because("a part is missing")
                .usage()
        })?;
        Ok(Self { name, description, seed, output, origin, work })
    }
}

type Parts = (String, u64, PathBuf, String, Work);

fn read(root: &Section, origin: &Origin) -> Option<Parts> {
    let folder = origin.folder();
    let name = root.required::<String>("name").filter(|name| {
        let sound = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !sound {
            root.problem("name", format!("'{name}' is no name: use letters, digits, '-', '_' and '.'"));
        }
        sound
    });
    let description = root.or("description", String::new());
    let seed = root.required::<u64>("seed");
    // Without one the card is refused; the rest is read all the same.
    let known_seed = seed.unwrap_or(1);
    let output = root.required::<String>("output").and_then(|_| root.path("output", folder));
    let work = match (root.has("samples"), root.has("input")) {
        (true, false) => events::read(root, folder, known_seed).map(|work| Work::Events(Box::new(work))),
        (false, true) => read_binned(root, folder),
        (true, true) => {
            root.problem("input", "a card has [samples.*] (events) or [input] (a spectrum in bins), not both");
            // Both are read, so that their own mistakes are found and their keys are known.
            let _ = (events::read(root, folder, known_seed), read_binned(root, folder));
            None
        }
        (false, false) => {
            let _ = events::read(root, folder, known_seed);
            root.problem("samples", "the card has no input: [samples.*] names event files, [input] a spectrum in bins");
            None
        }
    };
    Some((name?, seed?, output?, description, work?))
}

/// `[input]` is a spectrum or a plane, tables in it (`[input.electron]`, `[input.muon]`) are the channels of a combined hunt.
fn read_binned(root: &Section, folder: &Path) -> Option<Work> {
    let section = root.section("input");
    let names: Vec<String> = section.keys().into_iter().filter(|key| section.is_table(key)).collect();
    let expectation = root.section("expectation");
    let minimum_effective_count = events::minimum_effective_count(&expectation);
    let hunt = root.section("hunt");
    let (windows, scan, columns) = (WindowChoice::read(&hunt), Scan::read(&hunt), ColumnSearch::read(&hunt));
    let toys = ToySettings::read(&root.section("toys"), folder);
    let injection = Injection::read(&root.section("inject"));
    let is_plane = names.is_empty() && (section.has("row_low") || section.has("row_high"));
    for key in ["row_widths", "columns"].into_iter().filter(|key| !is_plane && hunt.has(key)) {
        hunt.problem(key, "it is of a plane, and a spectrum has one row; [input] of a plane has row_low and row_high");
    }
    if names.is_empty() {
        let input = read_table(&section, folder)?;
        let work = BinnedWork { input, windows, scan, columns, minimum_effective_count, toys, injection };
        return Some(Work::Binned(Box::new(work)));
    }
    let choices = [("best-overlapping", Combination::BestOverlapping), ("same-window", Combination::SameWindow)];
    if toys.uncertainty.is_some() {
        root.section("toys")
            .problem("uncertainty", "combined channels are hunted with fixed expectations; leave it out");
    }
    let combination = hunt.choice("combination", &choices, Combination::default());
    let tables = names.into_iter().map(|name| {
        let section = section.section(&name);
        let table = read_table(&section, folder);
        if table.as_ref().is_some_and(|table| table.rows.is_some()) {
            section
                .problem("row_low", "channels that are combined are spectra; a plane is hunted by itself, as [input]");
        }
        table.map(|table| (name, table))
    });
    let inputs = tables.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    let work = ChannelsWork { inputs, windows, scan, combination, minimum_effective_count, toys, injection };
    Some(Work::Channels(Box::new(work)))
}

fn read_table(section: &Section, folder: &Path) -> Option<BinnedInput> {
    let input = BinnedInput::read(section, folder);
    if input.as_ref().is_some_and(|input| input.expected.is_none()) {
        section.problem("expected", "a bump hunt needs an expectation; name its column");
    }
    input
}
