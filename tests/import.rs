//! `trawl import`: Dark Machines CSV and LHC Olympics HDF5 become Parquet that the reader reads.

#[path = "import/dark_machines.rs"]
mod dark_machines;
#[path = "common/data.rs"]
mod data;
#[path = "import/lhco.rs"]
mod lhco;
#[path = "common/runs.rs"]
mod runs;

use std::fs;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use runs::{Said, say, trawl};
use trawl::events::{CollectionProjection, EventSource, Projection};

/// Runs `trawl import FORMAT INPUT... -o OUTPUT`.
fn import(format: &str, inputs: &[PathBuf], output: &Path) -> Said {
    let mut command = trawl();
    command.args(["--quiet", "import", format]).args(inputs).arg("-o").arg(output);
    say(command)
}

/// A folder for an output, and the output.
fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.parquet");
    (folder, output)
}

/// What a folder holds, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// All values of a scalar column.
fn scalar(path: &Path, name: &str) -> Vec<f32> {
    let projection = Projection { scalars: vec![name.to_owned()], ..Projection::default() };
    let source = EventSource::open(&[path.display().to_string()], &projection).unwrap();
    source.batches(1 << 20, 1).flat_map(|batch| batch.unwrap().columns.scalars[0].to_vec()).collect()
}

/// All values of a quantity of a collection, event by event.
fn lists(path: &Path, collection: &str, quantity: &str) -> Vec<Vec<f32>> {
    let collections = vec![CollectionProjection::new(collection, [quantity])];
    let source =
        EventSource::open(&[path.display().to_string()], &Projection { collections, ..Projection::default() }).unwrap();
    let mut lists = Vec::new();
    for batch in source.batches(1 << 20, 1) {
        let objects = &batch.unwrap().columns.collections[0];
        let events = objects.offsets.windows(2);
        lists.extend(events.map(|ends| objects.quantities[0][ends[0] as usize..ends[1] as usize].to_vec()));
    }
    lists
}

/// Sum in double precision, as scripts/oracles/import.py has it.
fn sum(values: impl IntoIterator<Item = f32>) -> f64 {
    values.into_iter().map(f64::from).sum()
}

/// Whole columns of numbers that the reader does not project.
fn column(path: &Path, name: &str) -> Vec<u64> {
    use parquet::record::RowAccessor;
    let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let schema = file.metadata().file_metadata().schema_descr().root_schema().clone();
    let field = schema.get_fields().iter().find(|field| field.name() == name).unwrap_or_else(|| panic!("no {name}"));
    let projection = parquet::schema::types::Type::group_type_builder(schema.name())
        .with_fields(vec![field.clone()])
        .build()
        .unwrap();
    let number = |row: parquet::record::Row| row.get_ulong(0).or_else(|_| row.get_uint(0).map(u64::from)).unwrap();
    file.get_row_iter(Some(projection)).unwrap().map(|row| number(row.unwrap())).collect()
}

/// A text of the file's key-value metadata.
fn note(path: &Path, key: &str) -> Option<String> {
    let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let notes = file.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    notes.into_iter().find(|note| note.key == key).and_then(|note| note.value)
}

/// The problems of an import that fails: exit code 1, nothing left in the folder of the output but `inputs`.
fn problems(format: &str, inputs: &[PathBuf]) -> Vec<String> {
    let (folder, output) = scratch();
    let said = import(format, inputs, &output);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(names(folder.path()), Vec::<String>::new(), "{said:?}");
    said.err.lines().map(str::to_owned).collect()
}
