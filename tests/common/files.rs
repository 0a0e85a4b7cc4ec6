//! Small Parquet files of eight events, one column of which a test exchanges for a bad one.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, Float32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

/// The lists of a column, before they are an array: a missing list is null, and so may be each of its values.
pub type Lists = Vec<Option<Vec<Option<f32>>>>;

/// The number of jets of each event.
pub const LENGTHS: [usize; 8] = [2, 0, 1, 4, 1, 0, 3, 2];

/// Lists of these lengths that hold 0, 1, 2, ...
pub fn lists(rows: &[usize]) -> Lists {
    rows.iter().map(|&length| Some((0..length).map(|value| Some(value as f32)).collect())).collect()
}

pub fn list_array(rows: Lists) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows))
}

/// The columns of a file without faults.
pub fn columns() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("nJet", Arc::new(Int64Array::from_iter_values(LENGTHS.map(|length| length as i64)))),
        ("Jet_pt", list_array(lists(&LENGTHS))),
        ("Jet_eta", list_array(lists(&LENGTHS))),
        ("weight", Arc::new(Float32Array::from(vec![1.0; 8]))),
        ("label", Arc::new(StringArray::from(vec!["x"; 8]))),
        ("event", Arc::new(Int64Array::from_iter_values(0..8))),
    ]
}

/// The same columns with `array` as that of the name.
pub fn with(name: &'static str, array: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut columns: Vec<_> = columns().into_iter().filter(|column| column.0 != name).collect();
    columns.push((name, array));
    columns
}

/// Writes the columns in row groups of three events.
pub fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, compression: Compression) {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(3)).set_compression(compression).build();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
