//! The part of a card that starts from events: samples, what is filled, what is expected, what is kept.

use std::path::{Path, PathBuf};

use super::checks;
use super::distributions::Distributions;
use super::model::ModelSettings;
use crate::error::{Result, nearest};
use crate::events::{MappedColumn, Preset, Schema};
use crate::features::jets::{JetCollection, JetMaker};
use crate::hunt::{Scan, WindowChoice};
use crate::selection::{Cut, Selection, Weight};
use crate::settings::{Section, TextOrNumber};
use crate::spectrum::smooth::Smoothing;
use crate::toys::{Plane, ToySettings};

/// From events to a spectrum, and on to a global significance where the card asks for one.
#[derive(Debug, Clone)]
pub struct EventWork {
    /// The inputs, in the order of the card.
    pub samples: Vec<Sample>,
    /// Collections of jets, which objects can be taken from.
    pub jets: Vec<JetCollection>,
    /// Objects, variables and cuts, the same for every sample.
    pub selection: Selection,
    /// What is filled.
    pub histogrammed: Histogrammed,
    /// What is filled and drawn beside that.
    pub distributions: Distributions,
    /// The expected background and the toys; `None` if the card stops at the histograms.
    pub search: Option<Search>,
    /// What is written of the survivors.
    pub keep: Keep,
    /// The networks that are trained on the survivors, if any.
    pub model: Option<ModelSettings>,
}

/// What follows on the histograms.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where the expected background comes from.
    pub expectation: ExpectationSettings,
    /// The windows of a spectrum, or those along the rows of a plane, which are all that its file of edges leaves open.
    pub windows: WindowChoice,
    /// How windows are judged.
    pub scan: Scan,
    /// Whether each column window of a plane has a hunt of its own.
    pub columns: ColumnSearch,
    /// The pseudo-experiments.
    pub toys: ToySettings,
}

/// One input of events.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The name: `[samples.NAME]`.
    pub name: String,
    /// What it stands for.
    pub role: Role,
    /// Files, folders and patterns.
    pub files: Vec<PathBuf>,
    /// The weight of its events.
    pub weight: SampleWeight,
    /// How the names of its columns are understood.
    pub reading: Reading,
}

/// How a sample is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The layout of its files, and columns with other names.
    pub schema: Schema,
    /// A list of certified luminosity sections, which its events must be in.
    pub luminosity_mask: Option<PathBuf>,
}

/// The weight of a sample's events: column x scale x cross section x k-factor x luminosity / sum of generator weights.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleWeight {
    /// The column; 1 without one.
    pub column: Option<String>,
    /// The largest absolute value in the column.
    pub largest: f64,
    /// Everything but the sum of generator weights.
    pub factor: f64,
    /// That sum.
    pub generator_sum: GeneratorSum,
}

/// The sum of the generator's weights before any event was dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GeneratorSum {
    /// As the card says; 1 where nothing is to be divided.
    Given(f64),
    /// That of the column over all events in the files, for samples that were not skimmed.
    InFiles,
}

impl SampleWeight {
    /// The weight, once the sum is known.
    ///
    /// # Errors
    /// A sum that is 0, a factor that is not finite.
    pub fn with_sum(&self, sum: f64) -> Result<Weight> {
        let factor = self.factor / sum;
        match &self.column {
            Some(column) => Weight::column(column, factor, self.largest * factor.abs()),
            None => Weight::constant(factor),
        }
    }
}

/// What a sample stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Observed events, each counting once.
    Data,
    /// Simulated background.
    Simulation,
    /// A simulated signal: selected and filled as the others, and no part of any expectation.
    Signal,
}

/// What is filled with the survivors, by the positions of variables in the selection.
#[derive(Debug, Clone)]
pub enum Histogrammed {
    /// A spectrum of one variable.
    Spectrum {
        /// The variable.
        variable: usize,
        /// Rising bin edges.
        edges: Vec<f64>,
        /// Their unit, for plots.
        unit: String,
    },
    /// A plane of two variables with overlapping windows.
    Plane {
        /// Its rows and windows.
        plane: Plane,
        /// The variable that chooses the row (m_Y).
        row: usize,
        /// The variable that chooses the cell in the row (m_X).
        column: usize,
        /// The unit of both, for plots.
        unit: String,
    },
}

/// Where the expected background comes from.
#[derive(Debug, Clone)]
pub struct ExpectationSettings {
    /// Which of the simulation's estimates.
    pub from: ExpectationFrom,
    /// Windows that rest on fewer effective simulated events are left out and listed.
    pub minimum_effective_count: f64,
    /// How the simulation is brought to the data's size.
    pub normalisation: Normalisation,
    /// How it is smoothed.
    pub smoothing: Smoothing,
}

/// The estimates that a simulation gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectationFrom {
    /// A smooth function fitted to it; its closure is tested.
    SmoothedSimulation,
    /// Its contents as they are; needs 100 times the data's effective statistics.
    RawSimulation,
}

/// How a simulation is brought to the size of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalisation {
    /// Its weights are the expectation.
    Weights,
    /// Its selected sum is scaled to the data's, signal included.
    Data,
}

/// What is written of the survivors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing but histograms and the cutflow.
    Histograms,
    /// Their ids, variables and weights too, as Parquet.
    Survivors,
}

pub(super) fn minimum_effective_count(section: &Section) -> f64 {
    let minimum = section.or("minimum_effective_count", 10.0);
    if minimum < 0.0 {
        section.problem("minimum_effective_count", format!("{minimum} is negative, and counts are not"));
    }
    minimum
}

pub(super) fn read(root: &Section, folder: &Path, seed: u64) -> Option<EventWork> {
    let luminosity = read_luminosity(root);
    let samples = read_samples(root, folder, luminosity);
    // Certified data are a row of the cutflow, which samples without a mask pass as a whole.
    let masked = samples.iter().flatten().any(|sample| sample.reading.luminosity_mask.is_some());
    let first = masked.then(|| Cut::new("luminosity mask", "in_luminosity_mask > 0.5"));
    let selection = Selection::read(root, first.into_iter().collect());
    let histogrammed = read_histogrammed(root, folder, selection.as_ref());
    let distributions = Distributions::read(root, selection.as_ref());
    let search = read_search(root, folder);
    let keep = match root.section("keep").or("survivors", false) {
        true => Keep::Survivors,
        false => Keep::Histograms,
    };
    let has_model = root.has("model");
    let model = if has_model { ModelSettings::read(root, selection.as_ref(), seed) } else { None };
    check_roles(root, samples.as_deref(), search.is_some());
    checks::names_of_samples(root);
    let jets = JetCollection::read_all(root);
    if let Some(selection) = &selection {
        checks::jets(root, &jets, selection);
        if let Some(maker) = root.section("jets").check(JetMaker::new(&jets, selection.projection())) {
            checks::mappings(root, samples.as_deref().unwrap_or_default(), maker.read());
        }
        checks::columns_of_survivors(root, selection, keep);
    }
    let (histogrammed, distributions) = (histogrammed?, distributions?);
    if has_model && model.is_none() {
        return None;
    }
    Some(EventWork { samples: samples?, jets, selection: selection?, histogrammed, distributions, search, keep, model })
}

/// What scoring events needs of a card: its samples, jets, selection and model. Nothing is filled, searched or kept, and no file beside
/// the card is read.
pub(super) fn read_for_scores(root: &Section, folder: &Path, seed: u64) -> Option<EventWork> {
    let samples = read_samples(root, folder, read_luminosity(root));
    let masked = samples.iter().flatten().any(|sample| sample.reading.luminosity_mask.is_some());
    let first = masked.then(|| Cut::new("luminosity mask", "in_luminosity_mask > 0.5"));
    let selection = Selection::read(root, first.into_iter().collect());
    let model = ModelSettings::read(root, selection.as_ref(), seed);
    let distributions = Distributions::read(root, selection.as_ref());
    let jets = JetCollection::read_all(root);
    let histogrammed = Histogrammed::Spectrum { variable: 0, edges: vec![0.0, 1.0], unit: String::new() };
    let (selection, distributions, keep) = (selection?, distributions?, Keep::Histograms);
    Some(EventWork { samples: samples?, jets, selection, histogrammed, distributions, search: None, keep, model })
}

/// The integrated luminosity in 1/fb that simulations are brought to.
fn read_luminosity(root: &Section) -> Option<f64> {
    let luminosity: Option<f64> = root.optional("luminosity_inverse_fb");
    if luminosity.is_some_and(|luminosity| !is_positive(luminosity)) {
        root.problem("luminosity_inverse_fb", "an integrated luminosity is above 0, and finite");
        // Any other, so that this stays one problem.
        return Some(1.0);
    }
    luminosity
}

fn is_positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn read_samples(root: &Section, folder: &Path, luminosity: Option<f64>) -> Option<Vec<Sample>> {
    let sections = root.named_sections("samples");
    let mut samples = Vec::new();
    for (name, section) in &sections {
        let sample = read_sample(name, section, folder, luminosity);
        let complete = sections.iter().filter(|(_, other)| other.has("role")).map(|(name, _)| name.as_str());
        // Most likely a key of that sample: --set samples.dat.files=...
        if let Some(near) = nearest(name, complete).filter(|_| !section.has("role")) {
            root.section("samples").problem(name, format!("it has no role. Did you mean samples.{near}?"));
        }
        samples.push(sample);
    }
    samples.into_iter().collect()
}

fn read_sample(name: &str, section: &Section, folder: &Path, luminosity: Option<f64>) -> Option<Sample> {
    let roles = [("data", Role::Data), ("simulation", Role::Simulation), ("signal", Role::Signal)];
    let role = section.required::<String>("role").map(|_| section.choice("role", &roles, Role::Data));
    let files = if section.has("files") {
        section.paths("files", folder)
    } else {
        section.required::<Vec<String>>("files").map(|_| Vec::new())
    };
    let weight = read_weight(section, luminosity);
    if role == Some(Role::Data) {
        for key in ["weight", "scale", "cross_section_pb"] {
            if section.has(key) {
                section.problem(key, "data count once each; only a simulation has weights");
            }
        }
    }
    let reading = read_reading(section, folder);
    Some(Sample { name: name.to_owned(), role: role?, files: files?, weight: weight?, reading: reading? })
}

/// The keys `weight`, `largest_weight`, `scale`, `cross_section_pb`, `k_factor`, `sum_of_generator_weights`.
fn read_weight(section: &Section, luminosity: Option<f64>) -> Option<SampleWeight> {
    let column: Option<String> = section.optional("weight");
    let largest = if section.has("weight") {
        section.required("largest_weight")
    } else {
        // A constant needs no range, but the key is known.
        let _ = section.optional::<f64>("largest_weight");
        Some(1.0)
    };
    let mut factor = section.or("scale", 1.0);
    let mut generator_sum = GeneratorSum::Given(1.0);
    let mut sound = true;
    for (key, value) in [("scale", Some(factor)), ("largest_weight", largest)] {
        if value.is_some_and(|value: f64| !is_positive(value)) {
            section.problem(key, "expected a finite number above 0");
            sound = false;
        }
    }
    if section.has("cross_section_pb") {
        let cross_section_pb = section.required::<f64>("cross_section_pb");
        let k_factor = section.or("k_factor", 1.0);
        for (key, value) in [("cross_section_pb", cross_section_pb), ("k_factor", Some(k_factor))] {
            if value.is_some_and(|value: f64| !is_positive(value)) {
                section.problem(key, "expected a finite number above 0");
                sound = false;
            }
        }
        let sum = section.required("sum_of_generator_weights");
        // 1 pb = 1000 fb.
        factor *= cross_section_pb? * k_factor * luminosity.unwrap_or(1.0) * 1000.0;
        if luminosity.is_none() {
            let why = "a cross section needs a luminosity: add luminosity_inverse_fb = 139.0 at the top of the card";
            section.problem("cross_section_pb", why);
        }
        generator_sum = match sum? {
            TextOrNumber::Number(sum) if !is_positive(sum) => {
                section.problem("sum_of_generator_weights", "expected a finite number above 0, or \"in-files\"");
                return None;
            }
            TextOrNumber::Number(sum) => GeneratorSum::Given(sum),
            TextOrNumber::Text(word) if word == "in-files" => GeneratorSum::InFiles,
            TextOrNumber::Text(word) => {
                let why = format!("expected a number, or \"in-files\" for a sample that was not skimmed, got '{word}'");
                section.problem("sum_of_generator_weights", why);
                return None;
            }
        };
    } else {
        for key in ["k_factor", "sum_of_generator_weights"] {
            if section.has(key) {
                // Known, so that it is one problem and not two.
                let _ = section.optional::<TextOrNumber>(key);
                section.problem(key, "it scales a cross section, and there is no cross_section_pb");
            }
        }
    }
    if !sound {
        return None;
    }
    let weight = SampleWeight { column, largest: largest?, factor, generator_sum };
    // Ranges and factors are checked now; a sum that only the files tell is checked when they are read.
    let sum = if let GeneratorSum::Given(sum) = generator_sum { sum } else { 1.0 };
    section.check(weight.with_sum(sum)).map(|_| weight)
}

/// What numbers events: mapped, but never multiplied.
const IDS: [&str; 3] = ["run", "luminosityBlock", "event"];

/// The keys `schema`, `columns`, `luminosity_mask`.
fn read_reading(section: &Section, folder: &Path) -> Option<Reading> {
    let names: Vec<(&str, Preset)> = Preset::ALL.iter().map(|preset| (preset.name(), *preset)).collect();
    let mut schema = Schema::from(section.choice("schema", &names, Preset::default()));
    let columns = section.section("columns");
    let mut sound = true;
    for name in columns.keys() {
        let column = if columns.is_table(&name) {
            let own = columns.section(&name);
            own.required::<String>("column").map(|column| (column, own.or("factor", 1.0)))
        } else {
            columns.required::<String>(&name).map(|column| (column, 1.0))
        };
        match column {
            Some((_, 0.0)) => {
                columns.section(&name).problem("factor", "every number of the column would be 0");
                sound = false;
            }
            Some((_, factor)) if IDS.contains(&name.as_str()) && factor != 1.0 => {
                let why = "it numbers events and has no unit; leave the factor out";
                columns.section(&name).problem("factor", why);
                sound = false;
            }
            Some((column, factor)) => schema.map(name, MappedColumn::new(column, factor)),
            None => sound = false,
        }
    }
    let luminosity_mask = section.path("luminosity_mask", folder);
    sound.then_some(Reading { schema, luminosity_mask })
}

fn read_histogrammed(root: &Section, folder: &Path, selection: Option<&Selection>) -> Option<Histogrammed> {
    match (root.has("spectrum"), root.has("plane")) {
        (true, false) => read_spectrum(&root.section("spectrum"), selection),
        (false, true) => read_plane(&root.section("plane"), folder, selection),
        (true, true) => {
            root.problem("plane", "a card fills a [spectrum] or a [plane], not both");
            let _ = (
                read_spectrum(&root.section("spectrum"), selection),
                read_plane(&root.section("plane"), folder, selection),
            );
            None
        }
        (false, false) => {
            root.problem("spectrum", "the card fills nothing: add [spectrum] with a variable and edges, or [plane]");
            None
        }
    }
}

fn read_spectrum(section: &Section, selection: Option<&Selection>) -> Option<Histogrammed> {
    let variable = read_variable(section, "variable", selection);
    let edges: Option<Vec<f64>> = section.required("edges");
    if let Some(edges) = &edges
        && (edges.len() < 2 || edges.windows(2).any(|pair| pair[0] >= pair[1]))
    {
        section.problem("edges", "expected two or more rising numbers");
        return None;
    }
    let unit = section.or("unit", "GeV".to_owned());
    Some(Histogrammed::Spectrum { variable: variable?, edges: edges?, unit })
}

fn read_plane(section: &Section, folder: &Path, selection: Option<&Selection>) -> Option<Histogrammed> {
    let path = section.required::<String>("edges").and_then(|_| section.path("edges", folder));
    let heights: Vec<usize> = section.or("row_widths", vec![1]);
    let read = |path| section.check(Plane::read(&path).and_then(|plane| plane.with_heights(heights)));
    let plane = path.and_then(read);
    let (row, column) = (read_variable(section, "row", selection), read_variable(section, "column", selection));
    let unit = section.or("unit", "GeV".to_owned());
    Some(Histogrammed::Plane { plane: plane?, row: row?, column: column?, unit })
}

/// The position of a variable of the selection. Where the selection itself has mistakes its names are not known, and
/// calling this one unknown would be noise.
fn read_variable(section: &Section, key: &str, selection: Option<&Selection>) -> Option<usize> {
    let name: String = section.required(key)?;
    find_variable(section, key, &name, selection?)
}

/// The position of the variable `name`, which `key` gives.
pub(super) fn find_variable(section: &Section, key: &str, name: &str, selection: &Selection) -> Option<usize> {
    let names: Vec<&str> = selection.variables().collect();
    let found = names.iter().position(|known| *known == name);
    if found.is_none() {
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!(". Did you mean '{near}'?"),
            None => format!(". [define] has {}.", names.join(", ")),
        };
        section.problem(key, format!("'{name}' is no variable{hint}"));
    }
    found
}

/// Whether each column window of a plane has a bump hunt along the rows, with toys and a global p-value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnSearch {
    /// Only the plane as a whole has.
    #[default]
    No,
    /// Each has.
    Each,
}

impl ColumnSearch {
    /// Reads `columns`.
    pub(super) fn read(hunt: &Section) -> Self {
        hunt.choice("columns", &[("none", Self::No), ("each", Self::Each)], Self::No)
    }
}

fn read_search(root: &Section, folder: &Path) -> Option<Search> {
    let (expectation, hunt, toys) = (root.section("expectation"), root.section("hunt"), root.section("toys"));
    if !(expectation.is_present() || hunt.is_present() || toys.is_present()) {
        return None;
    }
    let windows = WindowChoice::read(&hunt);
    let (is_plane, row_widths) = (root.has("plane"), "row_widths");
    if is_plane && windows.is_listed() {
        hunt.problem("windows", "the windows of a [plane] are those of its file of edges; list them there");
    }
    if hunt.has(row_widths) {
        let why =
            if is_plane { "that of events is plane.row_widths" } else { "it is of a plane, and this card fills none" };
        hunt.problem(row_widths, why);
    }
    Some(Search {
        expectation: read_expectation(&expectation),
        windows,
        scan: Scan::read(&hunt),
        columns: ColumnSearch::read(&hunt),
        toys: ToySettings::read(&toys, folder),
    })
}

fn read_expectation(section: &Section) -> ExpectationSettings {
    let from = [
        ("smoothed-simulation", ExpectationFrom::SmoothedSimulation),
        ("raw-simulation", ExpectationFrom::RawSimulation),
    ];
    let normalisation = [("weights", Normalisation::Weights), ("data", Normalisation::Data)];
    if section.required::<String>("from").is_none() {
        // Reported as missing; the rest is read all the same.
    }
    ExpectationSettings {
        from: section.choice("from", &from, ExpectationFrom::SmoothedSimulation),
        minimum_effective_count: minimum_effective_count(section),
        normalisation: section.choice("normalise", &normalisation, Normalisation::Weights),
        smoothing: Smoothing::read(&section.section("smooth")),
    }
}

fn check_roles(root: &Section, samples: Option<&[Sample]>, search: bool) {
    let Some(samples) = samples else { return };
    let has = |role| samples.iter().any(|sample| sample.role == role);
    if samples.is_empty() {
        root.problem("samples", "there is no sample; add [samples.data] with role and files");
    } else if search && !has(Role::Data) {
        root.problem("samples", "a search needs a sample with role = \"data\"");
    } else if search && !has(Role::Simulation) {
        root.problem("samples", "the expectation is a simulation's, and no sample has role = \"simulation\"");
    }
}
