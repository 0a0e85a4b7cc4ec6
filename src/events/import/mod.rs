//! Turns event files of other formats into Parquet, in GeV and in the flat convention of NanoAOD.
//!
//! | from | with | gives |
//! |---|---|---|
//! | Dark Machines CSV | [`import_dark_machines`] | `Jet`, `Electron`, `Muon`, `Photon`, `MET`, `weight`, `process` |
//! | LHC Olympics HDF5 | [`import_lhco`] (feature `hdf5`) | `Particle` and `truth_signal`, or the named features |
//!
//! Files are read piece by piece, so memory does not grow with them. A file is read to its end whatever is wrong with
//! it: its first twenty mistakes are told one by one, and how many more there are. The Parquet file appears only if
//! every input is right. Several inputs become one file, in their order; `event` counts its rows from 0.

mod complaints;
mod dark_machines;
mod lhco;

use std::path::{Path, PathBuf};

use super::read::file::check_regular;
use crate::error::{Error, Fault, Problems, Result};
use crate::events::{EventWriter, Preset};

pub use dark_machines::{DarkMachinesImport, EnergyUnit, import_dark_machines};
pub use lhco::{LhcoImport, import_lhco};

/// The name of the operation in messages.
const NAME: &str = "events.import";

/// No detector sees beyond this pseudorapidity; it catches columns that changed places.
const MOST_ETA: f64 = 20.0;
/// A turn, with room for rounding: azimuths count from 0 or from -pi.
const MOST_PHI: f64 = std::f64::consts::TAU + 1e-3;

/// What an import wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// How many events, of all inputs.
    pub events: u64,
    /// What the user should know of them, one sentence each.
    pub notes: Vec<String>,
}

/// Refuses an output that would take the place of an input, inputs that are named twice, and those that are no files.
fn check_paths(files: &[PathBuf], output: &Path) -> Result<()> {
    let mut problems = Problems::default();
    // What does not exist yet is no other file.
    let same = |a: &Path, b: &Path| a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    for (index, file) in files.iter().enumerate() {
        problems.take(check_regular(NAME, file));
        if same(file, output) {
            let fault = Fault::new(NAME, format!("'{}' is both input and output", file.display()));
            problems.push(fault.because("the input would be lost").suggest("Choose another --output.").usage());
        }
        if files[..index].iter().any(|earlier| same(earlier, file)) {
            let fault = Fault::new(NAME, format!("'{}' is named twice", file.display()));
            problems.push(fault.because("its events would count double").usage());
        }
    }
    problems.finish()
}

/// Records in the file which files (without their folders) it was made of, and the schema by which a card reads it.
fn note_origin(writer: &mut EventWriter, files: &[PathBuf], schema: Preset) {
    let names = files.iter().map(|file| file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    writer.note("trawl.files", serde_json::Value::from(names.collect::<Vec<_>>()).to_string());
    writer.note("trawl.schema", schema.name());
}

/// What the system said about an input.
fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::io(NAME, "read", path, error)
}

/// The value, if it is no further from 0 than `most`.
fn within(value: f64, most: f64) -> Result<f64, String> {
    match value.abs() <= most {
        true => Ok(value),
        false => Err(format!("is {value}, beyond {most:.4}")),
    }
}

/// The nearest f32, if there is one that means the same.
fn narrow(value: f64) -> Result<f32, String> {
    let narrow = value as f32;
    match narrow.is_finite() && (narrow != 0.0 || value == 0.0) {
        true => Ok(narrow),
        false => Err(format!("is {value}, which a 32-bit number cannot hold")),
    }
}
