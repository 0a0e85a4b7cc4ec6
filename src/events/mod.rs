//! Read, stream, import, write and generate batches of events.
//!
//! | part | what it does |
//! |---|---|
//! | [`EventSource`] | reads the projected columns of Parquet files, batch by batch, in the order of files and rows |
//! | [`EventColumns`] | the batch: offsets and values, as they go to a device |
//! | [`import_dark_machines`], [`import_lhco`] | turn event files of other formats into Parquet |
//! | [`EventWriter`], [`write_table`] | write events and tables of columns as Parquet, whole or not at all |
//! | [`inspect`](inspect()) | says what a file holds and what a card can use of it |
//! | [`DijetSample`] | the seeded dijet events of the demo |
//!
//! Values are f32, as physics files hold them; wider numbers are rounded to the nearest f32 once, on reading.

mod columns;
mod generate;
mod import;
mod inspect;
mod read;
mod write;

pub use columns::{Collection, EventBatch, EventColumns, EventIds};
pub use generate::{DijetSample, Resonance, generate_columns, generate_file};
pub use import::{DarkMachinesImport, EnergyUnit, Imported, LhcoImport, import_dark_machines, import_lhco};
pub use inspect::{ColumnInspection, Inspection, Role, inspect};
pub(crate) use read::file::panic_becomes_error;
pub use read::{Batches, CollectionProjection, EventSource, EventSource as Source, Projection};
pub use write::{Codec, Column, EventWriter, Integers, Layout, write_table};
