//! Tables that grow batch by batch: survivors and their features.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_buffer::ScalarBuffer;
use bytes::Bytes;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::column::page::PageWriter;
use parquet::column::writer::{ColumnCloseResult, ColumnWriterImpl};
use parquet::data_type::{BoolType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, Type, TypePtr};
use rayon::prelude::*;

use super::{GrowingFile, Layout, NAME, WrittenFile, properties, refused};
use crate::error::{Error, Fault, Result};

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// 32-bit numbers.
    F32,
    /// 64-bit numbers.
    F64,
    /// Small counts and positions.
    U32,
    /// Event numbers and large counts.
    U64,
    /// Flags.
    Bool,
    /// As many 32-bit numbers in each row: a list, with padding that the writer knows nothing of.
    F32List {
        /// In each row.
        length: usize,
    },
    /// As many flags in each row: the mask of a padded list.
    BoolList {
        /// In each row.
        length: usize,
    },
}

impl ColumnKind {
    fn list_length(self) -> Option<usize> {
        match self {
            Self::F32List { length } | Self::BoolList { length } => Some(length),
            _ => None,
        }
    }
}

/// Values of one column for some rows; lists one after the other.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// For [`ColumnKind::F32`] and [`ColumnKind::F32List`].
    F32(&'a [f32]),
    /// For [`ColumnKind::F64`].
    F64(&'a [f64]),
    /// For [`ColumnKind::U32`].
    U32(&'a [u32]),
    /// For [`ColumnKind::U64`].
    U64(&'a [u64]),
    /// For [`ColumnKind::Bool`] and [`ColumnKind::BoolList`].
    Bool(&'a [bool]),
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }
}

/// Writes a table whose rows come batch by batch; at most one row group is held in memory.
///
/// The file appears whole on [`TableWriter::finish`], or not at all. Values are stored plainly and compressed by zstd, level
/// 1; there are no nulls, no dictionaries and no statistics. Fixed-length lists are Parquet lists.
///
/// ```
/// use trawl::events::{ColumnKind, TableWriter, Values};
/// let folder = tempfile::tempdir()?;
/// let kinds = [("event", ColumnKind::U64), ("jet_pt", ColumnKind::F32List { length: 2 })];
/// let mut writer = TableWriter::create(folder.path().join("features.parquet"), &kinds)?;
/// writer.write(&[Values::U64(&[7, 9]), Values::F32(&[50.0, 30.0, 40.0, 0.0])])?;
/// writer.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableWriter {
    path: PathBuf,
    columns: Vec<Buffered>,
    rows: usize,
    /// `None` after an error.
    writer: Option<SerializedFileWriter<GrowingFile>>,
}

/// A column, and its values since the last row group.
struct Buffered {
    name: String,
    kind: ColumnKind,
    values: Buffer,
    /// The memory of the pages of the row group before.
    spare: Vec<u8>,
}

/// In Parquet's physical types.
enum Buffer {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    Bool(Vec<bool>),
}

impl Buffered {
    fn new(name: &str, kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::F32 | ColumnKind::F32List { .. } => Buffer::F32(Vec::new()),
            ColumnKind::F64 => Buffer::F64(Vec::new()),
            ColumnKind::U32 => Buffer::I32(Vec::new()),
            ColumnKind::U64 => Buffer::I64(Vec::new()),
            ColumnKind::Bool | ColumnKind::BoolList { .. } => Buffer::Bool(Vec::new()),
        };
        Self { name: name.to_owned(), kind, values, spare: Vec::new() }
    }

    fn push(&mut self, values: Values<'_>) -> Result<(), String> {
        match (&mut self.values, values) {
            (Buffer::F32(buffer), Values::F32(values)) => buffer.extend_from_slice(values),
            (Buffer::F64(buffer), Values::F64(values)) => buffer.extend_from_slice(values),
            // The same bits: Parquet's unsigned integers are annotated signed ones.
            (Buffer::I32(buffer), Values::U32(values)) => buffer.extend(values.iter().map(|&value| value as i32)),
            (Buffer::I64(buffer), Values::U64(values)) => buffer.extend(values.iter().map(|&value| value as i64)),
            (Buffer::Bool(buffer), Values::Bool(values)) => buffer.extend_from_slice(values),
            _ => return Err(format!("'{}' is {:?} and gets other values", self.name, self.kind)),
        }
        Ok(())
    }

    /// The column's type in the file.
    fn parquet_type(&self) -> Result<TypePtr, ParquetError> {
        let (physical, unsigned_bits) = match self.values {
            Buffer::F32(_) => (Physical::FLOAT, None),
            Buffer::F64(_) => (Physical::DOUBLE, None),
            Buffer::I32(_) => (Physical::INT32, Some(32)),
            Buffer::I64(_) => (Physical::INT64, Some(64)),
            Buffer::Bool(_) => (Physical::BOOLEAN, None),
        };
        let logical = unsigned_bits.map(|bit_width| LogicalType::integer(bit_width, false));
        let number = |name: &str| {
            let number = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
            number.with_logical_type(logical.clone()).build().map(Arc::new)
        };
        if self.kind.list_length().is_none() {
            return number(&self.name);
        }
        let group = |name: &str, fields, repetition, logical| {
            let group = Type::group_type_builder(name).with_fields(fields).with_repetition(repetition);
            group.with_logical_type(logical).build().map(Arc::new)
        };
        let entries = group("list", vec![number("element")?], Repetition::REPEATED, None)?;
        group(&self.name, vec![entries], Repetition::REQUIRED, Some(LogicalType::List))
    }

    /// Encodes and forgets the values of `rows` rows.
    fn encode(&mut self, rows: usize, chunk: Chunk) -> Result<Encoded, ParquetError> {
        let levels = self.kind.list_length().map(|length| levels(rows, length));
        let levels = levels.as_ref().map(|[definition, repetition]| (&definition[..], &repetition[..]));
        let chunk = Chunk { sink: std::mem::take(&mut self.spare), ..chunk };
        match &mut self.values {
            Buffer::F32(values) => chunk.encode::<FloatType>(values, levels),
            Buffer::F64(values) => chunk.encode::<DoubleType>(values, levels),
            Buffer::I32(values) => chunk.encode::<Int32Type>(values, levels),
            Buffer::I64(values) => chunk.encode::<Int64Type>(values, levels),
            Buffer::Bool(values) => chunk.encode::<BoolType>(values, levels),
        }
    }
}

/// A column of a row group, to be encoded in memory: so several are at once. (The `ArrowColumnWriter` of the `parquet` crate
/// would do it too; it took 0.07 s more for 900,000 rows of 12 columns, of 0.2 s.)
struct Chunk {
    column: ColumnDescPtr,
    properties: WriterPropertiesPtr,
    sink: Vec<u8>,
}

/// The pages of a column of a row group.
struct Encoded {
    pages: Bytes,
    closed: ColumnCloseResult,
}

impl Chunk {
    fn encode<T: DataType>(
        self,
        values: &mut Vec<T::T>,
        levels: Option<(&[i16], &[i16])>,
    ) -> Result<Encoded, ParquetError> {
        let mut pages = TrackedWrite::new(self.sink);
        let sink: Box<dyn PageWriter> = Box::new(SerializedPageWriter::new(&mut pages));
        let mut writer = ColumnWriterImpl::<T>::new(self.column, self.properties, sink);
        let (definition, repetition) = levels.unzip();
        writer.write_batch(values, definition, repetition)?;
        values.clear();
        let closed = writer.close()?;
        Ok(Encoded { pages: pages.into_inner()?.into(), closed })
    }
}

/// Definition and repetition levels of lists of `length` in each of `rows` rows.
fn levels(rows: usize, length: usize) -> [Vec<i16>; 2] {
    if length == 0 {
        return [vec![0; rows], vec![0; rows]];
    }
    let repetition = (0..rows * length).map(|entry| i16::from(entry % length != 0)).collect();
    [vec![1; rows * length], repetition]
}

impl TableWriter {
    /// Begins the file `path` with these columns.
    ///
    /// # Errors
    /// No columns, a name used twice, a file that cannot be created there.
    pub fn create(path: impl AsRef<Path>, columns: &[(&str, ColumnKind)]) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let columns: Vec<Buffered> = columns.iter().map(|(name, kind)| Buffered::new(name, *kind)).collect();
        let mut table = Self { path, columns, rows: 0, writer: None };
        let twice = (1..table.columns.len())
            .find(|&at| table.columns[..at].iter().any(|column| column.name == table.columns[at].name));
        if let Some(at) = twice {
            return Err(table.contradiction(&format!("two columns are named '{}'", table.columns[at].name)));
        }
        if table.columns.is_empty() {
            return Err(table.contradiction("it has no columns"));
        }
        let file = GrowingFile::create(&table.path)?;
        table.writer = Some(table.start(file).map_err(|error| refused(&table.path, error))?);
        Ok(table)
    }

    fn start(&self, file: GrowingFile) -> Result<SerializedFileWriter<GrowingFile>, ParquetError> {
        let fields = self.columns.iter().map(Buffered::parquet_type).collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
        SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties(Layout::default())))
    }

    /// Appends rows: `values` are those of the columns, in their order.
    ///
    /// # Errors
    /// Values that are not those of the columns, or not of equally many rows; a disk that refuses. The file is given up then.
    pub fn write(&mut self, values: &[Values<'_>]) -> Result<()> {
        let writer = self.writer.take();
        let Some(writer) = writer else { return Err(self.contradiction("an earlier error ended this file")) };
        let rows = self.rows_of(values).map_err(|why| self.contradiction(&why))?;
        let mut columns = self.columns.iter_mut().zip(values);
        let pushed = columns.try_for_each(|(column, &values)| column.push(values));
        pushed.map_err(|why| self.contradiction(&why))?;
        self.rows += rows;
        self.writer = Some(writer);
        if self.rows >= Layout::default().rows_per_group { self.flush() } else { Ok(()) }
    }

    fn rows_of(&self, values: &[Values<'_>]) -> Result<usize, String> {
        if values.len() != self.columns.len() {
            return Err(format!("{} columns of values for {}", values.len(), self.columns.len()));
        }
        // Lists of length 0 say nothing about rows.
        let lengths = self.columns.iter().zip(values).filter_map(|(column, values)| match column.kind.list_length() {
            Some(0) => None,
            Some(length) => Some((&column.name, values.len().is_multiple_of(length), values.len() / length)),
            None => Some((&column.name, true, values.len())),
        });
        let lengths: Vec<_> = lengths.collect();
        let Some(&(first, _, rows)) = lengths.first() else { return Ok(0) };
        match lengths.iter().find(|(_, whole, length)| !whole || *length != rows) {
            Some((name, _, length)) => Err(format!("'{name}' has {length} rows, but '{first}' has {rows}")),
            None => Ok(rows),
        }
    }

    /// Writes the row group, whose columns are encoded by as many threads as there are.
    fn flush(&mut self) -> Result<()> {
        let Some(mut writer) = self.writer.take() else {
            return Err(self.contradiction("an earlier error ended this file"));
        };
        let rows = std::mem::take(&mut self.rows);
        write_group(&mut writer, &mut self.columns, rows).map_err(|error| refused(&self.path, error))?;
        self.writer = Some(writer);
        Ok(())
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// If an earlier error ended the file, or the disk refuses.
    pub fn finish(mut self) -> Result<WrittenFile> {
        if self.rows > 0 {
            self.flush()?;
        }
        let Some(writer) = self.writer.take() else {
            return Err(self.contradiction("an earlier error ended this file"));
        };
        writer.into_inner().map_err(|error| refused(&self.path, error))?.publish()
    }

    fn contradiction(&self, why: &str) -> Error {
        Fault::new(NAME, format!("'{}' cannot be written", self.path.display())).because(why).data()
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<GrowingFile>,
    columns: &mut [Buffered],
    rows: usize,
) -> Result<(), ParquetError> {
    let (schema, properties) = (writer.schema_descr(), writer.properties());
    // The schema was made from these columns: each has one leaf.
    let encode = |(at, column): (usize, &mut Buffered)| {
        column.encode(rows, Chunk { column: schema.column(at), properties: properties.clone(), sink: Vec::new() })
    };
    let encoded: Vec<Encoded> = columns.par_iter_mut().enumerate().map(encode).collect::<Result<_, _>>()?;
    let mut group = writer.next_row_group()?;
    for (column, Encoded { pages, closed }) in columns.iter_mut().zip(encoded) {
        group.append_column(&pages, closed)?;
        column.spare = pages.into();
        column.spare.clear();
    }
    group.close()?;
    Ok(writer.inner_mut().sync_soon()?)
}

/// A column of a table that is held as a whole.
#[derive(Debug, Clone)]
pub enum Column {
    /// 32-bit numbers.
    F32(ScalarBuffer<f32>),
    /// 64-bit numbers.
    F64(ScalarBuffer<f64>),
    /// Small counts and positions.
    U32(ScalarBuffer<u32>),
    /// Event numbers and large counts.
    U64(ScalarBuffer<u64>),
}

impl Column {
    fn kind(&self) -> ColumnKind {
        match self {
            Self::F32(_) => ColumnKind::F32,
            Self::F64(_) => ColumnKind::F64,
            Self::U32(_) => ColumnKind::U32,
            Self::U64(_) => ColumnKind::U64,
        }
    }

    /// As many as there are from row `first` on, up to `rows`.
    fn values(&self, first: usize, rows: usize) -> Values<'_> {
        fn part<T>(values: &[T], first: usize, rows: usize) -> &[T] {
            let first = first.min(values.len());
            &values[first..values.len().min(first.saturating_add(rows))]
        }
        match self {
            Self::F32(values) => Values::F32(part(values, first, rows)),
            Self::F64(values) => Values::F64(part(values, first, rows)),
            Self::U32(values) => Values::U32(part(values, first, rows)),
            Self::U64(values) => Values::U64(part(values, first, rows)),
        }
    }
}

/// Writes named columns of equal length as one Parquet file; see [`TableWriter`], which needs not hold them.
///
/// ```
/// use trawl::events::{Column, write_table};
/// let folder = tempfile::tempdir()?;
/// let event = Column::U64(vec![7, 9].into());
/// let mass = Column::F32(vec![1300.0, 2450.5].into());
/// write_table(folder.path().join("survivors.parquet"), &[("event", event), ("m_jj", mass)])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Columns of different lengths, a name used twice, a disk that refuses.
pub fn write_table(path: impl AsRef<Path>, columns: &[(&str, Column)]) -> Result<WrittenFile> {
    let kinds: Vec<_> = columns.iter().map(|(name, column)| (*name, column.kind())).collect();
    let mut writer = TableWriter::create(path, &kinds)?;
    let rows = Layout::default().rows_per_group;
    let longest = columns.iter().map(|(_, column)| column.values(0, usize::MAX).len()).max().unwrap_or(0);
    for first in (0..longest).step_by(rows) {
        let values: Vec<_> = columns.iter().map(|(_, column)| column.values(first, rows)).collect();
        writer.write(&values)?;
    }
    writer.finish()
}
