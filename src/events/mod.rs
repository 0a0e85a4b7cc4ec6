//! Read, stream, write and generate batches of events.
//!
//! | part | what it does |
//! |---|---|
//! | [`EventSource`] | reads the projected columns of Parquet files, batch by batch, in the order of files and rows |
//! | [`EventColumns`] | the batch: offsets and values, as they go to a device |
//! | [`EventWriter`], [`write_table`] | write events and tables of columns as Parquet, whole or not at all |
//! | [`inspect`](inspect()) | says what a file holds and what a card can use of it |
//! | [`Generator`] | seeded events of known content: [`DijetSample`], [`ShowerSample`], [`DileptonSample`], [`PlaneSample`] |
//!
//! Values are f32, as physics files hold them; wider numbers are rounded to the nearest f32 once, on reading.

mod columns;
mod generate;
mod inspect;
mod read;
mod write;

pub use columns::{Collection, EventBatch, EventColumns, EventIds};
pub use generate::{
    Content, DIJET_1, DIJET_2, DILEPTON_1, Decay, DijetSample, DileptonSample, Generator, METADATA_KEY, PLANE_1, Pair,
    PlaneSample, Process, Product, Resonance, ShowerSample, Signal, SignalKind, Tune, generate_columns, generate_file,
};
pub use inspect::{ColumnInspection, Inspection, Role, inspect};
pub(crate) use read::file::panic_becomes_error;
pub use read::{Batches, CollectionProjection, EventSource, EventSource as Source, Projection};
pub use write::{Codec, Column, EventWriter, Layout, write_table};
