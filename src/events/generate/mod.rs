//! Seeded generators of events: closure data whose content is known beforehand.
//!
//! | generator | version | what it makes |
//! |---|---|---|
//! | [`DijetSample`] | `dijet/1` | two jets without substructure and a resonance in their masses: the demo's events |
//! | [`ShowerSample`] | `dijet/2` | jets made of particles by an angular-ordered branching; resonances of many kinds |
//! | [`DileptonSample`] | `dilepton/1` | leptons, jets, photons and missing energy of Standard Model processes and signals |
//! | [`PlaneSample`] | `plane/1` | pairs (m_Y, m_X) of a density in closed form |
//!
//! An event is a pure function of (sample, seed, event number) through Philox and the deterministic functions of
//! [`math::det`](crate::math::det), so any chunking, thread count or machine generates the same bytes. The formulae stand
//! in the modules of the generators; what decides a draw is numbered there, and never reused by another generator.
//!
//! **Versions are frozen.** Results must not be tuned by moving their data: a change of any generated number is a new
//! version with a new name, beside the old one. Golden tests hold the old ones. Files carry the version in their key-value
//! metadata under [`METADATA_KEY`], and everything that the events are a function of under [`SETTINGS_KEY`].
//!
//! Truth labels stand in columns of their own, whose names begin with `truth_`.

mod dijet;
mod dilepton;
mod draws;
mod jets;
mod kinematics;
mod plane;
mod record;

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::{EventBatch, EventWriter, Layout, Projection};
use crate::error::{Fault, Result};

pub use dijet::{Content, DIJET_2, Decay, Pair, Product, ShowerSample};
pub use dilepton::{DILEPTON_1, DileptonSample, Process, Signal, SignalKind};
pub use jets::{DIJET_1, DijetSample, Resonance, generate_columns};
pub use plane::{PLANE_1, PlaneSample};

/// The name of the operation in messages.
const NAME: &str = "events.generate";

/// The key of a file's metadata under which its generator and version stand.
pub const METADATA_KEY: &str = "trawl.generator";

/// The key of a file's metadata under which the seed, the number of events and all other settings stand, as JSON.
pub const SETTINGS_KEY: &str = "trawl.settings";

/// Which of two stand-ins for an event generator makes the background: same processes, other parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tune {
    /// What stands for the data, or for the first generator.
    #[default]
    Nominal,
    /// What stands for a second generator; the parameters that differ are in the generators' documentation.
    Alternative,
}

/// A sample of generated events.
pub trait Generator: Sync {
    /// The name and version of the generator, for example `dijet/2`.
    fn version(&self) -> &'static str;

    /// The columns of the batches.
    fn projection(&self) -> Projection;

    /// How many events the sample has.
    fn events(&self) -> u64;

    /// Whether the sample makes sense.
    ///
    /// # Errors
    /// Everything that does not, all at once.
    fn check(&self) -> Result<()>;

    /// The events of `rows` (counted from 0 within the sample), with all ids: run 1, blocks of 1000 events, event numbers.
    /// Nothing is checked; samples that fail [`check`](Self::check) give events without meaning.
    fn columns(&self, rows: Range<u64>) -> EventBatch;

    /// How a file is laid out, and how many events are generated at a time by one thread.
    fn layout(&self) -> (Layout, u64) {
        (Layout::default(), 1 << 15)
    }

    /// All settings as JSON: with [`version`](Self::version), all that the events are a function of.
    fn settings(&self) -> String;
}

/// Writes the sample as a Parquet file in NanoAOD's flat convention.
///
/// Chunks are generated on all threads of the rayon pool while those before them are written, in order. In memory are two
/// chunks a thread and one compressed row group, however many events there are.
///
/// # Errors
/// See [`Generator::check`] and [`EventWriter::create`]; whatever `progress`, which is told the number of events of each
/// step, answers. Nothing half-written is left.
pub fn generate_file<G: Generator + ?Sized>(
    sample: &G,
    path: impl AsRef<Path>,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<()> {
    sample.check()?;
    let (layout, chunk) = sample.layout();
    let mut writer = EventWriter::create(path, &sample.projection(), layout)?;
    writer.note(METADATA_KEY, sample.version());
    writer.note(SETTINGS_KEY, sample.settings());
    let threads = rayon::current_num_threads() as u64;
    let chunks = sample.events().div_ceil(chunk);
    let generate = |first: u64| -> Vec<EventBatch> {
        let bounds = |index: u64| index * chunk..sample.events().min((index + 1).saturating_mul(chunk));
        (first..chunks.min(first + threads)).into_par_iter().map(|index| sample.columns(bounds(index))).collect()
    };
    let (mut first, mut batches) = (threads, generate(0));
    while !batches.is_empty() {
        let write = || batches.iter().try_for_each(|batch| writer.write(batch));
        let (written, next) = rayon::join(write, || generate(first));
        written?;
        progress(batches.iter().map(|batch| batch.columns.events as u64).sum())?;
        (first, batches) = (first + threads, next);
    }
    writer.finish()
}

/// Whether the event at `row` is one of the `chosen` of `events`: exactly so many are, evenly spread.
fn is_chosen(row: u64, chosen: u64, events: u64) -> bool {
    let until = |rows: u64| u128::from(rows) * u128::from(chosen) / u128::from(events.max(1));
    until(row + 1) > until(row)
}

/// What every sample checks: its numbers of events, and its weight.
fn check_numbers(first_event: u64, events: u64, chosen: u64, weight: f32, refuse: &mut dyn FnMut(String)) {
    if first_event.checked_add(events).is_none() {
        refuse(format!("{events} events from number {first_event} on exceed 64 bits"));
    }
    if chosen > events {
        refuse(format!("{chosen} signal events exceed the {events} events"));
    }
    if !weight.is_finite() {
        refuse(format!("the weight of an event is {weight}"));
    }
}

/// The settings of a sample as JSON.
fn as_json(sample: &impl Serialize) -> String {
    // Samples are plain data, which always can be written.
    serde_json::to_string(sample).unwrap_or_default()
}

/// A usage error of this operation.
fn usage(problem: String) -> crate::Error {
    Fault::new(NAME, problem).usage()
}

#[cfg(test)]
mod tests;
