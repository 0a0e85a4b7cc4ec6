//! Read, stream, import, write and generate batches of events.
//!
//! | part | what it does |
//! |---|---|
//! | [`EventSource`] | reads the projected columns of Parquet files, batch by batch, in the order of files and rows |
//! | [`EventColumns`] | the batch: offsets and values, as they go to a device |
//! | [`import_dark_machines`], [`import_lhco`] | turn event files of other formats into Parquet |
//! | [`Schema`], [`Preset`] | the names and units of columns in the files of an experiment |
//! | [`LuminosityMask`], [`event_hash`], [`fold_hash`] | the certified luminosity blocks; the numbers by which samples are split |
//! | [`EventWriter`], [`TableWriter`], [`write_table`] | write events and tables of columns as Parquet, whole or not at all |
//! | [`inspect`](inspect()) | says what a file holds and what a card can use of it |
//! | [`Generator`] | seeded events of known content: [`DijetSample`], [`ShowerSample`], [`DileptonSample`], [`PlaneSample`] |
//!
//! Values are f32, as physics files hold them; f64 is rounded to the nearest f32 once, on reading, and an integer that f32 cannot
//! hold is an error.

mod columns;
mod derived;
mod generate;
mod import;
mod inspect;
mod luminosity;
mod read;
mod schema;
mod write;

pub use columns::{Collection, EventBatch, EventColumns, EventIds};
pub use derived::{event_hash, fold_hash};
pub use generate::{
    Content, DIJET_1, DIJET_2, DILEPTON_1, Decay, DijetSample, DileptonSample, Generator, METADATA_KEY, PLANE_1, Pair,
    PlaneSample, Process, Product, Resonance, SETTINGS_KEY, ShowerSample, Signal, SignalKind, Tune, generate_columns,
    generate_file,
};
pub use import::{DarkMachinesImport, EnergyUnit, Imported, LhcoImport, import_dark_machines, import_lhco};
pub use inspect::{ColumnInspection, Inspection, Role, SampleInspection, inspect, inspect_sample};
pub use luminosity::LuminosityMask;
pub(crate) use read::file::panic_becomes_error;
pub use read::{
    BadFiles, Batches, CollectionProjection, ColumnUse, EventSource, EventSource as Source, FileEvent, Ids,
    MappedBatches, MappedFiles, Projection, ReadOptions, SkippedFile, Wanted,
};
pub use schema::{MappedColumn, Preset, Schema};
pub use write::{
    Codec, Column, ColumnKind, EventWriter, Integers, Layout, TableWriter, Values, WrittenFile, write_table,
};
pub(crate) use write::{Hashing, write_whole};
