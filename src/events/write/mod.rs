//! Writes events and tables as Parquet files that appear whole or not at all.
//!
//! Events follow NanoAOD's flat convention: a counter `nFatJet` (u32) and lists `FatJet_pt`, ... (f32) for each
//! collection, scalars (f32), and the ids `run`, `luminosityBlock` (u32) and `event` (u64) where the batches have them.
//! No column is nullable.
//!
//! Tables ([`TableWriter`]) hold numbers, flags and fixed-length lists under names of their own. Neither carries page
//! checksums, because the writer of the `parquet` crate has none.
//!
//! A file is written under a temporary name in its folder, flushed to the disk and then renamed; an error, a panic or a
//! full disk before that leaves an older file of that name as it was.
//!
//! Both kinds of file were read, and their values compared, with pyarrow 26, DuckDB 2.0, Polars 2.1 and awkward 2.14.

mod hashing;
mod table;
mod whole_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray, PrimitiveArray, RecordBatch, UInt32Array, types};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::device::Host;
use crate::error::{Error, Fault, Result};
use crate::events::read::binding::{counter_name, flat_name};
use crate::events::{Collection, EventBatch, EventIds, Projection};
pub(crate) use hashing::Hashing;
pub use hashing::WrittenFile;
pub use table::{Column, ColumnKind, TableWriter, Values, write_table};
pub(crate) use whole_file::write_whole;
use whole_file::{GrowingFile, WholeFile};

/// The name of the operation in messages.
const NAME: &str = "events.write";

/// How pages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// Small files; the default of the ecosystem's newer writers. Level 1.
    #[default]
    Zstd,
    /// Faster, larger.
    Snappy,
}

/// How a Parquet file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How pages are compressed.
    pub codec: Codec,
    /// Rows in each row group but the last; at least 1. One row group is decoded by one thread, and is held in memory
    /// (compressed) while it is written.
    pub rows_per_group: usize,
}

impl Default for Layout {
    /// zstd and 100,000 rows a group.
    fn default() -> Self {
        Self { codec: Codec::Zstd, rows_per_group: 100_000 }
    }
}

/// Writes batches of events to one file.
///
/// ```
/// use trawl::events::{DijetSample, EventSource, EventWriter, Layout, generate_columns};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("events.parquet");
/// let sample = DijetSample { events: 100, ..DijetSample::default() };
/// let mut writer = EventWriter::create(&path, &DijetSample::projection(), Layout::default())?;
/// writer.write(&generate_columns(&sample, 0..100))?;
/// writer.finish()?;
/// let source = EventSource::open(&[path.display().to_string()], &DijetSample::projection())?;
/// assert_eq!(source.rows(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EventWriter {
    projection: Projection,
    layout: Layout,
    path: PathBuf,
    /// Key-value metadata of the file, known at its end.
    notes: Vec<KeyValue>,
    state: State,
}

/// The columns of a file are known once the first batch says which ids there are.
enum State {
    Created(WholeFile),
    Writing {
        writer: Box<ArrowWriter<WholeFile>>,
        ids: IdColumns,
    },
    /// An error ended the file.
    Broken,
}

/// A column of integers beside those of the projection, one value for each event.
#[derive(Debug, Clone)]
pub enum Integers {
    /// Codes and counts.
    U32(Vec<u32>),
    /// Identifiers.
    U64(Vec<u64>),
}

impl Integers {
    fn array(&self) -> ArrayRef {
        match self {
            Self::U32(values) => array::<types::UInt32Type>(values.clone().into()),
            Self::U64(values) => array::<types::UInt64Type>(values.clone().into()),
        }
    }
}

/// Which ids the batches of a file have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IdColumns {
    run: bool,
    luminosity_block: bool,
    event: bool,
}

impl IdColumns {
    fn of(ids: &EventIds) -> Self {
        Self { run: ids.run.is_some(), luminosity_block: ids.luminosity_block.is_some(), event: ids.event.is_some() }
    }
}

impl EventWriter {
    /// Begins the file `path`; `projection` names the columns of the batches that will be written.
    ///
    /// # Errors
    /// If a file cannot be created there.
    pub fn create(path: impl AsRef<Path>, projection: &Projection, layout: Layout) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let state = State::Created(WholeFile::create(NAME, &path)?);
        Ok(Self { projection: projection.clone(), layout, path, notes: Vec::new(), state })
    }

    /// Appends the events of `batch`.
    ///
    /// # Errors
    /// A batch whose columns are not those of the projection, whose lengths contradict each other, or whose ids are not
    /// those of the first batch; a disk that refuses. The file is given up then.
    pub fn write(&mut self, batch: &EventBatch) -> Result<()> {
        self.write_with(batch, &[])
    }

    /// Appends the events of `batch` with further columns, which every batch of the file must have: integers that f32
    /// does not hold.
    ///
    /// # Errors
    /// As for [`EventWriter::write`].
    pub fn write_with(&mut self, batch: &EventBatch, further: &[(&str, Integers)]) -> Result<()> {
        let (columns, ids) = (self.columns(batch, further)?, IdColumns::of(&batch.ids));
        let record = record(&columns).map_err(|why| self.contradiction(&why))?;
        let state = std::mem::replace(&mut self.state, State::Broken);
        let (mut writer, first) = match state {
            State::Created(file) => (start(file, &record, self.layout, &self.path)?, ids),
            State::Writing { writer, ids } => (writer, ids),
            State::Broken => return Err(self.contradiction("an earlier error ended this file")),
        };
        if ids != first {
            return Err(self.contradiction("not every batch has the same ids"));
        }
        writer.write(&record).map_err(|error| refused(&self.path, error))?;
        self.state = State::Writing { writer, ids };
        Ok(())
    }

    /// Adds a text to the file's key-value metadata.
    pub fn note(&mut self, key: &str, text: impl Into<String>) {
        self.notes.push(KeyValue::new(key.to_owned(), text.into()));
    }

    /// Completes the file and gives it its name. A file without batches has no events and no ids.
    ///
    /// # Errors
    /// If an earlier error ended the file, or the disk refuses.
    pub fn finish(mut self) -> Result<()> {
        let mut writer = match std::mem::replace(&mut self.state, State::Broken) {
            State::Writing { writer, .. } => writer,
            State::Broken => return Err(self.contradiction("an earlier error ended this file")),
            State::Created(file) => {
                let record = record(&self.columns(&self.nothing(), &[])?).map_err(|why| self.contradiction(&why))?;
                start(file, &record, self.layout, &self.path)?
            }
        };
        self.notes.drain(..).for_each(|note| writer.append_key_value_metadata(note));
        complete(writer, &self.path)
    }

    fn nothing(&self) -> EventBatch {
        let empty = |names: &[String]| vec![ScalarBuffer::from(Vec::<f32>::new()); names.len()];
        let collections = self
            .projection
            .collections
            .iter()
            .map(|collection| Collection { offsets: vec![0].into(), quantities: empty(&collection.quantities) });
        let (collections, scalars) = (collections.collect(), empty(&self.projection.scalars));
        let columns = crate::events::EventColumns { events: 0, collections, scalars };
        EventBatch { columns, ids: EventIds::default(), file: 0, first_row: 0 }
    }

    fn columns(&self, batch: &EventBatch, further: &[(&str, Integers)]) -> Result<Vec<(String, ArrayRef)>> {
        let data = &batch.columns;
        let projected = (self.projection.collections.len(), self.projection.scalars.len());
        if (data.collections.len(), data.scalars.len()) != projected {
            return Err(self.contradiction("the batch has other columns than the projection"));
        }
        let mut columns = id_columns(&batch.ids);
        for (projection, collection) in self.projection.collections.iter().zip(&data.collections) {
            let lists = lists(collection, data.events, projection.quantities.len());
            let lists = lists.map_err(|why| self.contradiction(&format!("{}: {why}", projection.name)))?;
            let quantities = projection.quantities.iter().map(|quantity| flat_name(&projection.name, quantity));
            let names = std::iter::once(counter_name(&projection.name)).chain(quantities);
            columns.extend(names.zip(lists));
        }
        let scalars = self.projection.scalars.iter().zip(&data.scalars);
        columns.extend(scalars.map(|(name, values)| (name.clone(), array::<types::Float32Type>(values.clone()))));
        columns.extend(further.iter().map(|(name, column)| ((*name).to_owned(), column.array())));
        match columns.iter().find(|(_, array)| array.len() != data.events) {
            Some((name, array)) => {
                let why = format!("'{name}' has {} values for {} events", array.len(), data.events);
                Err(self.contradiction(&why))
            }
            None => Ok(columns),
        }
    }

    fn contradiction(&self, why: &str) -> Error {
        Fault::new(NAME, format!("'{}' cannot be written", self.path.display())).because(why).data()
    }
}

fn id_columns(ids: &EventIds) -> Vec<(String, ArrayRef)> {
    let number = |name: &str, values: &Option<Vec<u32>>| {
        values.as_ref().map(|values| (name.to_owned(), array::<types::UInt32Type>(values.clone().into())))
    };
    let event = ids.event.as_ref();
    let event = event.map(|values| ("event".to_owned(), array::<types::UInt64Type>(values.clone().into())));
    [number("run", &ids.run), number("luminosityBlock", &ids.luminosity_block), event].into_iter().flatten().collect()
}

/// The counter and then the quantities of a collection.
fn lists(collection: &Collection<Host>, events: usize, quantities: usize) -> Result<Vec<ArrayRef>, String> {
    let offsets = &collection.offsets;
    if collection.quantities.len() != quantities {
        return Err(format!("{} quantities instead of {quantities}", collection.quantities.len()));
    }
    if offsets.len() != events + 1 || offsets[0] != 0 || offsets.windows(2).any(|ends| ends[1] < ends[0]) {
        return Err(format!("the offsets do not ascend from 0 in {} steps", events));
    }
    let signed = offsets.iter().map(|&offset| i32::try_from(offset).map_err(|_| "more than 2^31 objects in a batch"));
    let signed = OffsetBuffer::new(signed.collect::<Result<Vec<i32>, _>>()?.into());
    let counts: UInt32Array = offsets.windows(2).map(|ends| Some(ends[1] - ends[0])).collect();
    let counts: ArrayRef = Arc::new(UInt32Array::new(counts.values().clone(), None));
    // `element` is the name that the Parquet format asks for.
    let element = Arc::new(Field::new("element", DataType::Float32, false));
    let mut arrays = vec![counts];
    for values in &collection.quantities {
        let values = array::<types::Float32Type>(values.clone());
        let list = ListArray::try_new(element.clone(), signed.clone(), values, None);
        arrays.push(Arc::new(list.map_err(|error| error.to_string())?));
    }
    Ok(arrays)
}

fn array<T: arrow_array::ArrowPrimitiveType>(values: ScalarBuffer<T::Native>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values, None))
}

fn record(columns: &[(String, ArrayRef)]) -> Result<RecordBatch, String> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), false)).collect();
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| error.to_string())
}

fn start(file: WholeFile, record: &RecordBatch, layout: Layout, path: &Path) -> Result<Box<ArrowWriter<WholeFile>>> {
    let writer = ArrowWriter::try_new(file, record.schema(), Some(properties(layout)));
    writer.map(Box::new).map_err(|error| refused(path, error))
}

fn properties(layout: Layout) -> WriterProperties {
    let compression = match layout.codec {
        Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        Codec::Snappy => Compression::SNAPPY,
    };
    WriterProperties::builder()
        .set_created_by(concat!("trawl ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(compression)
        .set_max_row_group_row_count(Some(layout.rows_per_group.max(1)))
        // Measured numbers hardly repeat: a dictionary costs time and gains nothing. Nobody asks for their extremes.
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .build()
}

fn complete(writer: Box<ArrowWriter<WholeFile>>, path: &Path) -> Result<()> {
    writer.into_inner().map_err(|error| refused(path, error))?.publish()
}

/// What the system said, if it was the system that refused.
fn refused(path: &Path, error: ParquetError) -> Error {
    let source = match error {
        ParquetError::External(source) => {
            source.downcast::<std::io::Error>().map_or_else(std::io::Error::other, |system| *system)
        }
        other => std::io::Error::other(other),
    };
    Error::io(NAME, "write", path, source)
}
