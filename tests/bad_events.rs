//! Files that lie, lack or break: each is an error that says where, never a panic.

#[path = "common/files.rs"]
mod files;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Int64Array, ListArray, StructArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use files::{LENGTHS, columns, list_array, lists, with, write};
use parquet::basic::Compression;
use proptest::prelude::*;
use trawl::events::{
    BadFiles, CollectionProjection, ColumnKind, EventSource, FileEvent, MappedColumn, Preset, Projection, ReadOptions,
    Schema, TableWriter, Values,
};
use trawl::selection::{Cut, Definition, Object, Selection, Weight};
use trawl::{Error, Result};

/// The system's allocator, which remembers the largest piece that was ever asked for.
struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static WATCHED: Watched = Watched;

/// What a page may promise without being doubted, and room beside it.
const MOST_BYTES: usize = 80 << 20;

fn projection() -> Projection {
    Projection { scalars: vec!["weight".into()], ..jets(&["pt", "eta"]) }
}

fn jets(quantities: &[&str]) -> Projection {
    let jets = CollectionProjection::new("Jet", quantities.iter().copied());
    Projection { collections: vec![jets], ..Projection::default() }
}

/// Reads everything; the number of events.
fn read(path: &Path, projection: &Projection) -> Result<usize> {
    let source = EventSource::open(&[path.display().to_string()], projection)?;
    source.batches(4, 2).try_fold(0, |events, batch| Ok(events + batch?.columns.events))
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.parquet");
    (folder, path)
}

/// The message for `columns`, after a check that it names the file and is a fault of data.
fn message(columns: Vec<(&str, ArrayRef)>, projection: &Projection) -> String {
    let (_folder, path) = scratch();
    write(&path, columns, Compression::UNCOMPRESSED);
    let error = read(&path, projection).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let message = error.to_string();
    assert!(message.contains("bad.parquet"), "{message}");
    message.replace(&path.display().to_string(), "bad.parquet")
}

#[test]
fn nulls_are_named_with_column_and_row() {
    let mut missing_list = lists(&LENGTHS);
    missing_list[6] = None;
    let mut missing_element = lists(&LENGTHS);
    missing_element[3].as_mut().unwrap()[2] = None;
    let reason = "(a missing number has no place in a cut or a sum)";
    assert_eq!(
        message(with("Jet_eta", list_array(missing_list)), &projection()),
        format!("events.read: column 'Jet_eta' of 'bad.parquet' is null in row 6 {reason}")
    );
    assert_eq!(
        message(with("Jet_pt", list_array(missing_element)), &projection()),
        format!("events.read: column 'Jet_pt' of 'bad.parquet' is null at position 2 of the list in row 3 {reason}")
    );
    let mut weights = vec![Some(1.0); 8];
    weights[7] = None;
    assert_eq!(
        message(with("weight", Arc::new(Float32Array::from(weights))), &projection()),
        format!("events.read: column 'weight' of 'bad.parquet' is null in row 7 {reason}")
    );
    let events: Int64Array = (0..8).map(|row| (row != 4).then_some(row)).collect();
    assert!(
        message(with("event", Arc::new(events)), &projection()).contains("'event' of 'bad.parquet' is null in row 4")
    );
}

#[test]
fn a_null_struct_is_a_null() {
    let field = Field::new("pt", DataType::Float32, true);
    let pt: ArrayRef = Arc::new(Float32Array::from(vec![1.0; 13]));
    let nulls = NullBuffer::from_iter((0..13).map(|element| element != 5));
    let structs = StructArray::new(vec![field].into(), vec![pt], Some(nulls));
    let element = Arc::new(Field::new("element", structs.data_type().clone(), true));
    let array = ListArray::new(element, OffsetBuffer::from_lengths(LENGTHS), Arc::new(structs), None);
    let message = message(vec![("Jet", Arc::new(array))], &jets(&["pt"]));
    assert!(message.contains("'Jet' of 'bad.parquet' is null at position 2 of the list in row 3"), "{message}");
}

#[test]
fn contradictory_lengths_are_named_with_column_and_row() {
    let mut counts = LENGTHS.map(|length| length as u32);
    counts[5] = 1;
    assert_eq!(
        message(with("nJet", Arc::new(UInt32Array::from_iter_values(counts))), &projection()),
        "events.read: column 'Jet_pt' of 'bad.parquet' has 0 values, but 'nJet' says 1 in row 5 \
         (the counter and the lists contradict each other)"
    );
    let mut lengths = LENGTHS;
    (lengths[3], lengths[4]) = (3, 2);
    assert_eq!(
        message(with("Jet_eta", list_array(lists(&lengths))), &projection()),
        "events.read: column 'Jet_eta' of 'bad.parquet' has 3 values, but 'Jet_pt' has 4 in row 3 \
         (they describe the same objects)"
    );
    let negative = Int64Array::from_iter_values((0..8).map(|row| if row == 2 { -1 } else { LENGTHS[row] as i64 }));
    assert!(
        message(with("nJet", Arc::new(negative)), &projection())
            .contains("'nJet' of 'bad.parquet' is out of range in row 2")
    );
}

#[test]
fn integers_that_would_be_rounded_are_named_with_column_and_row() {
    let because = "(it would be taken as 16777216, and comparisons with it would be wrong)";
    let events: Int64Array = (0..8).map(|row| Some((1 << 24) + i64::from(row > 4))).collect();
    let event = Projection { scalars: vec!["event".into()], ..jets(&["pt"]) };
    let said = message(with("event", Arc::new(events.clone())), &event);
    let expected = "events.read: column 'event' of 'bad.parquet' holds an integer that float32 cannot hold in row 5 ";
    assert!(said.starts_with(&format!("{expected}{because}. Leave it out")), "{said}");
    let unsigned = UInt32Array::from_iter_values((0..8).map(|row| if row == 7 { u32::MAX } else { 1 << 31 }));
    let said = message(with("event", Arc::new(unsigned)), &event);
    assert!(said.contains("in row 7 (it would be taken as 4294967296"), "{said}");
    // In lists: the third value of the row.
    let field = Arc::new(Field::new("item", DataType::Int64, true));
    let mut values: Vec<i64> = vec![0; LENGTHS.iter().sum()];
    let row = LENGTHS.iter().position(|&length| length > 2).unwrap();
    values[LENGTHS[..row].iter().sum::<usize>() + 2] = -16_777_217;
    let array = ListArray::new(field, OffsetBuffer::from_lengths(LENGTHS), Arc::new(Int64Array::from(values)), None);
    let said = message(with("Jet_eta", Arc::new(array)), &projection());
    assert!(said.contains(&format!("in row {row} (it would be taken as -16777216")), "{said}");
    // As names of events they keep all their digits, and where a unit's factor makes a measured number of them, too.
    let (_folder, path) = scratch();
    write(&path, with("event", Arc::new(events)), Compression::UNCOMPRESSED);
    assert_eq!(read(&path, &projection()).unwrap(), 8);
    let mut options = ReadOptions::default();
    options.schema.map("time", trawl::events::MappedColumn::new("event", 0.5));
    let time = Projection { scalars: vec!["time".into()], ..Projection::default() };
    let source = EventSource::open_with(&[path.display().to_string()], &time, &options).unwrap();
    assert!(source.batches(4, 2).all(|batch| batch.is_ok()));
}

#[test]
fn every_wrong_column_of_every_file_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.parquet", "2.parquet"] {
        write(&folder.path().join(name), columns(), Compression::UNCOMPRESSED);
    }
    let scalars = vec!["wieght".into(), "label".into(), "Jet_pt".into()];
    let projection = Projection { scalars, ..jets(&["pT", "zzzzzz"]) };
    let error = EventSource::open(&[folder.path().display().to_string()], &projection).unwrap_err();
    let found: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let in_file = |name: &str| {
        let at = folder.path().join(name).display().to_string();
        [
            format!("events.read: column 'Jet_pT' is missing in '{at}'. Did you mean 'Jet_pt'?"),
            format!(
                "events.read: column 'Jet_zzzzzz' is missing in '{at}'. `trawl inspect` lists the columns of a file"
            ),
            format!("events.read: column 'wieght' is missing in '{at}'. Did you mean 'weight'?"),
            format!("events.read: column 'label' of '{at}' is string, not a number for each event"),
            format!("events.read: column 'Jet_pt' of '{at}' is list<float32>, not a number for each event"),
        ]
    };
    assert_eq!(found, [in_file("1.parquet"), in_file("2.parquet")].concat());
}

#[test]
fn events_keep_their_own_numbers_or_it_is_said_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let events = LENGTHS.len() as u64;
    let without = || columns().into_iter().filter(|(name, _)| *name != "event").collect::<Vec<_>>();
    let numbered = |array: ArrayRef| without().into_iter().chain([("event", array)]).collect();
    let floats = Float32Array::from_iter_values((0..events).map(|event| 1000.0 + event as f32));
    let integers = UInt64Array::from_iter_values((0..events).map(|event| 1000 + event));
    write(Path::new(&at("floats.parquet")), numbered(Arc::new(floats)), Compression::SNAPPY);
    write(Path::new(&at("integers.parquet")), numbered(Arc::new(integers)), Compression::SNAPPY);
    write(Path::new(&at("none.parquet")), without(), Compression::SNAPPY);
    let open = |names: &[&str], schema: Schema| {
        let paths: Vec<String> = names.iter().map(|name| at(name)).collect();
        EventSource::open_with(&paths, &projection(), &ReadOptions { schema, ..ReadOptions::default() })
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let error = open(&["floats.parquet"], Schema::default()).unwrap_err();
    assert!(
        error.contains("column 'event' of") && error.contains("is float32, not an integer for each event"),
        "{error}"
    );
    for names in [["integers.parquet", "none.parquet"], ["none.parquet", "integers.parquet"]] {
        let error = open(&names, Schema::default()).unwrap_err();
        assert!(error.contains("integers.parquet' numbers its events, "), "{error}");
    }
    let mut schema = Schema::default();
    schema.map("event", MappedColumn::new("evnt", 1.0));
    let error = open(&["integers.parquet"], schema).unwrap_err();
    assert!(error.contains("column 'evnt' is missing in"), "{error}");
    assert!(error.contains("(the card maps 'event' to it). Did you mean 'event'?"), "{error}");
    let twice = columns().into_iter().chain([("weight", columns().remove(0).1)]).collect();
    write(Path::new(&at("twice.parquet")), twice, Compression::SNAPPY);
    let error = open(&["twice.parquet"], Schema::default()).unwrap_err();
    assert!(error.contains("twice.parquet' has 2 columns 'weight' (which is meant cannot be told)"), "{error}");
    assert_eq!(open(&["integers.parquet"], Schema::default()), Ok(()));
    assert_eq!(open(&["none.parquet"], Schema::default()), Ok(()));
}

#[test]
fn files_of_a_sample_that_contradict_each_other_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.parquet", "b.parquet", "c.parquet"].map(|name| folder.path().join(name).display().to_string());
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true; 8]));
    let integers: ArrayRef = Arc::new(UInt32Array::from(vec![1; 8]));
    write(Path::new(&paths[0]), with("weight", flags), Compression::UNCOMPRESSED);
    write(Path::new(&paths[1]), with("weight", integers), Compression::UNCOMPRESSED);
    assert!(EventSource::open(&paths[..2], &projection()).is_ok(), "flags as integers say the same");
    write(Path::new(&paths[2]), columns(), Compression::UNCOMPRESSED);
    let error = EventSource::open(&paths, &projection()).unwrap_err();
    let expected = format!(
        "events.read: column 'weight' is bool in '{}' and float32 in '{}' (the files of a sample have the same columns). Write \
         one of the files again, or make two samples of them",
        paths[0], paths[2]
    );
    assert_eq!((error.exit_code(), error.to_string()), (1, expected));
    // Inspection of the folder says so, too, and counts all events.
    let said = trawl::events::inspect_sample(&folder.path().display().to_string()).unwrap();
    assert_eq!((said.files.len(), said.contradictions.len()), (3, 1), "{said}");
    let words = said.to_string();
    let (first, rest) = words.split_once("  the first of 3 files with 24 events together\n").unwrap();
    assert!(first.starts_with(&paths[0]) && first.contains("bool"), "{words}");
    let line = format!("  contradiction: column 'weight' is bool in '{}' and float32 in '{}'\n", paths[0], paths[2]);
    assert_eq!(rest, format!("  all have the same columns\n{line}"));
    let glob = format!("{}/[bc].parquet", folder.path().display());
    assert!(trawl::events::inspect_sample(&glob).unwrap().to_string().ends_with("all have the same columns\n"));
    let mut other = columns();
    other.retain(|column| column.0 != "label");
    write(Path::new(&paths[1]), other, Compression::UNCOMPRESSED);
    let said = trawl::events::inspect_sample(&glob).unwrap();
    assert_eq!((&said.partial[..], &said.contradictions[..]), (&["label".to_owned()][..], &[][..]));
    assert!(said.to_string().ends_with("  not in all of them: label\n"), "{said}");
}

/// What the reader says of each column that a selection needs, with the places in its texts.
fn said_of_selection(objects: Vec<Object>, cut: &str) -> Vec<String> {
    let (_folder, path) = scratch();
    write(&path, columns(), Compression::UNCOMPRESSED);
    let definition = Definition { objects, cuts: vec![Cut::new("cut", cut)], ..Definition::default() };
    let selection = Selection::new(definition, Weight::default()).unwrap();
    let error = read(&path, selection.projection()).unwrap_err();
    let path = path.display().to_string();
    error.problems().iter().map(|problem| problem.to_string().replace(&path, "bad.parquet")).collect()
}

#[test]
fn columns_that_are_missing_or_of_another_type_are_underlined() {
    let jet = || Object::new("jet", "Jet");
    let cases = [
        (
            said_of_selection(vec![jet().keep("Jet_pt > 3")], "count(jet) > 1"),
            "column 'Jet_Jet_pt' is missing in 'bad.parquet' (objects.jet.keep needs it). Did you mean 'pt'? Quantities of \
             an item stand without their collection\n    Jet_pt > 3\n    ^^^^^^",
        ),
        (
            said_of_selection(vec![jet().keep("weight > 3")], "count(jet) > 1"),
            "column 'Jet_weight' is missing in 'bad.parquet' (objects.jet.keep needs it). Did you mean 'event.weight'? It \
             is a column of the event\n    weight > 3\n    ^^^^^^",
        ),
        (
            said_of_selection(vec![jet().keep("pt > 3 && flavor == 5")], "count(jet) > 1"),
            "column 'Jet_flavor' is missing in 'bad.parquet' (objects.jet.keep needs it). Did you mean 'flavour'?\n    \
             pt > 3 && flavor == 5\n              ^^^^^^",
        ),
        (
            said_of_selection(vec![], "1 < weigth"),
            "column 'weigth' is missing in 'bad.parquet' (select.cut needs it). Did you mean 'weight'?\n    1 < weigth\n        \
             ^^^^^^",
        ),
        (
            said_of_selection(vec![], "Jet_pt > 3"),
            "column 'Jet_pt' of 'bad.parquet' is list<float32>, not a number for each event (select.cut needs it). Lists are \
             quantities of objects: name one in [objects], and write jet[0].pt or sum(jet.pt)\n    Jet_pt > 3\n    ^^^^^^",
        ),
        (
            said_of_selection(vec![], "!weight"),
            "column 'weight' of 'bad.parquet' is float32, not a flag (it stands as a condition in select.cut). Compare it: \
             weight > 0.5\n    !weight\n     ^^^^^^",
        ),
        (
            said_of_selection(vec![jet()], "jet[weight + 1].pt > 3"),
            "column 'weight' of 'bad.parquet' is float32, not an integer (it stands as a place in select.cut). Write \
             floor(weight) if that is what you mean\n    jet[weight + 1].pt > 3\n        ^^^^^^^^^^",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said.first(), Some(&format!("events.read: {expected}")), "{said:#?}");
    }
}

#[test]
fn names_that_a_schema_makes_are_suggested() {
    let (_folder, path) = scratch();
    let mut columns = vec![("AnalysisElectronsAuxDyn.pt", list_array(lists(&LENGTHS)))];
    columns.push(("EventInfoAuxDyn.runNumber", Arc::new(UInt32Array::from(vec![1; 8]))));
    columns.push(("MET_pt", Arc::new(Float32Array::from(vec![1.0; 8]))));
    write(&path, columns, Compression::UNCOMPRESSED);
    let said = |collection: &str, preset: Preset| {
        let definition = Definition {
            objects: vec![Object::new("electron", collection)],
            cuts: vec![Cut::new("cut", "count(electron) > 1 && met > 3")],
            ..Definition::default()
        };
        let selection = Selection::new(definition, Weight::default()).unwrap();
        let options = ReadOptions { schema: Schema::from(preset), ..ReadOptions::default() };
        let opened = EventSource::open_with(&[path.display().to_string()], selection.projection(), &options);
        opened.unwrap_err().to_string()
    };
    let doubled = said("AnalysisElectronsAuxDyn", Preset::Physlite);
    assert!(doubled.contains("Did you mean from = \"Electrons\"? The schema adds"), "{doubled}");
    let nanoaod = said("Electrons", Preset::Nanoaod);
    assert!(nanoaod.contains("(objects.electron.order needs it). Did you mean schema = \"physlite\"?"), "{nanoaod}");
    assert!(nanoaod.contains("Did you mean 'MET_pt'?\n    count(electron) > 1 && met > 3\n"), "{nanoaod}");
}

#[test]
fn what_is_no_parquet_file_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let good = folder.path().join("good.parquet");
    write(&good, columns(), Compression::UNCOMPRESSED);
    let bytes = std::fs::read(&good).unwrap();
    std::fs::write(at("empty.parquet"), b"").unwrap();
    std::fs::write(at("text.parquet"), b"run,event\n1,2\n3,4\n5,6\n").unwrap();
    std::fs::write(at("truncated.parquet"), &bytes[..bytes.len() - 100]).unwrap();
    let mut footer = bytes.clone();
    let length = footer.len();
    footer[length - 8..length - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    std::fs::write(at("footer.parquet"), footer).unwrap();
    std::fs::create_dir(folder.path().join("hollow")).unwrap();
    let patterns = ["god.parquet", "empty.parquet", "text.parquet", "truncated.parquet", "footer.parquet"];
    // Names that do not resolve come first, all together; then what is in the files.
    let unresolved = ["god.parquet", "nowhere/x.parquet", "hollow", "*.nothing", "good.parquet", "good.parquet"];
    let error = EventSource::open(&unresolved.map(at), &projection()).unwrap_err();
    let texts: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(error.exit_code(), 1);
    assert_eq!(texts.len(), 5, "{texts:#?}");
    let expected = ["Did you mean", "there is no folder", "holds no Parquet files", "no file matches", "given twice"];
    for (text, part) in texts.iter().zip(expected) {
        assert!(text.contains(part), "{text}");
    }
    let error =
        EventSource::open(&[&patterns[1..]].concat().iter().map(|name| at(name)).collect::<Vec<_>>(), &projection());
    let error = error.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let texts: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let expected = ["it is empty: 0 bytes", "does not begin with 'PAR1'", "is truncated", "footer of"];
    assert_eq!(texts.len(), expected.len(), "{texts:#?}");
    for ((text, part), name) in texts.iter().zip(expected).zip(&patterns[1..]) {
        assert!(text.contains(part) && text.contains(name), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.parquet");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let expected = "pipe.parquet' is not a file (it is a pipe, a socket or a device). Write what it holds";
    let error = read(&pipe, &projection()).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    let error = trawl::events::inspect(&pipe).unwrap_err();
    assert!(error.exit_code() == 1 && error.to_string().contains(expected), "{error}");
}

#[test]
fn a_request_without_sense_is_a_fault_of_usage() {
    let (_folder, path) = scratch();
    write(&path, columns(), Compression::UNCOMPRESSED);
    assert_eq!(EventSource::open(&[], &projection()).unwrap_err().exit_code(), 2);
    let nothing = jets(&[]);
    assert_eq!(EventSource::open(&[path.display().to_string()], &nothing).unwrap_err().exit_code(), 2);
}

#[test]
fn a_damaged_page_is_an_error_after_the_batches_before_it() {
    let (_folder, path) = scratch();
    write(&path, columns(), Compression::ZSTD(Default::default()));
    let mut bytes = std::fs::read(&path).unwrap();
    // Everything between the magic and the last quarter of the file, which holds the footer.
    let end = bytes.len() / 4;
    bytes[4..end].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let error = read(&path, &projection()).unwrap_err();
    assert!(matches!(error, Error::Data(_)), "{error}");
    let said = error.to_string();
    assert!(said.contains("rows 0 to") && said.contains("cannot be decoded (column 'Jet_pt': "), "{said}");
}

/// Written by pyarrow 26 with `write_page_checksum=True` and without compression: pages of version 1 and of version 2, a
/// dictionary, two row groups of 12 events.
const WITH_CHECKSUMS: [&[u8]; 2] =
    [include_bytes!("common/page_checksums_v1.parquet"), include_bytes!("common/page_checksums_v2.parquet")];

/// Everything as bits.
fn values_in(path: &Path) -> Result<Vec<u64>> {
    let source = EventSource::open(&[path.display().to_string()], &projection())?;
    let mut all = Vec::new();
    for batch in source.batches(5, 2) {
        let batch = batch?;
        let collection = &batch.columns.collections[0];
        all.extend(collection.offsets.iter().map(|&offset| u64::from(offset)));
        let values = collection.quantities.iter().chain(&batch.columns.scalars).flat_map(|values| values.iter());
        all.extend(values.map(|value| u64::from(value.to_bits())));
        all.extend((0..batch.columns.events).map(|index| batch.id(index).2));
    }
    Ok(all)
}

/// Where the bytes of pages are, behind their headers.
fn page_bytes(path: &Path) -> Vec<std::ops::Range<usize>> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let bytes = std::fs::read(path).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut ranges = Vec::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).unwrap();
        for column in 0..group.num_columns() {
            let (start, _) = group.metadata().column(column).byte_range();
            let mut from = start as usize;
            for page in group.get_column_page_reader(column).unwrap() {
                let page = page.unwrap();
                let page = page.buffer();
                let at = bytes[from..].windows(page.len()).position(|window| window == &page[..]).unwrap();
                from += at + page.len();
                ranges.push(from - page.len()..from);
            }
        }
    }
    ranges
}

#[test]
fn page_checksums_see_every_changed_bit() {
    let (_folder, path) = scratch();
    for file in WITH_CHECKSUMS {
        std::fs::write(&path, file).unwrap();
        let pages = page_bytes(&path);
        let whole = values_in(&path).unwrap();
        // Of 24 events, 5 columns in 2 row groups, one of them with dictionaries.
        assert!(whole.len() > 100 && pages.len() == 10, "{} {pages:?}", whole.len());
        let mut seen = 0;
        for (at, bit) in pages.into_iter().flatten().zip((0..8).cycle()) {
            let mut bytes = file.to_vec();
            bytes[at] ^= 1 << bit;
            std::fs::write(&path, bytes).unwrap();
            let error = values_in(&path).unwrap_err();
            assert!(error.to_string().contains("CRC"), "{error}");
            seen += 1;
        }
        assert!(seen > 500, "{seen}");
    }
}

#[test]
fn promises_of_page_headers_are_not_believed() {
    let (_folder, path) = scratch();
    let jets = columns();
    write(&path, jets, Compression::SNAPPY);
    let bytes = std::fs::read(&path).unwrap();
    // The first page header: kind 0, then the decompressed size as a zigzag number, which grows to five bytes. Sizes in
    // the footer stay as they are; the bytes that are pushed out belong to the page.
    assert_eq!(bytes[4..7], [0x15, bytes[5], 0x15]);
    let mut grown = bytes.clone();
    grown[7..12].copy_from_slice(&[0xfe, 0xff, 0xff, 0xff, 0x0f]);
    grown[12..14].copy_from_slice(&[0x15, 0x08]);
    std::fs::write(&path, &grown).unwrap();
    let error = values_in(&path).unwrap_err().to_string();
    assert!(error.contains("a page promises 2147483647 bytes where the footer leaves room for"), "{error}");
    assert!(LARGEST.load(Ordering::Relaxed) < MOST_BYTES);
}

#[test]
fn bad_files_are_skipped_and_their_events_counted() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let good = || columns();
    for name in ["1.parquet", "3.parquet", "5.parquet", "7.parquet"] {
        write(&at(name), good(), Compression::UNCOMPRESSED);
    }
    let bytes = std::fs::read(at("1.parquet")).unwrap();
    std::fs::write(at("2.parquet"), &bytes[..bytes.len() - 100]).unwrap();
    let mut late_null = lists(&LENGTHS);
    late_null[7] = None;
    write(&at("4.parquet"), with("Jet_eta", list_array(late_null)), Compression::UNCOMPRESSED);
    write(&at("6.parquet"), with("weight", list_array(lists(&LENGTHS))), Compression::UNCOMPRESSED);
    let open = |bad_files| {
        let options = ReadOptions { bad_files, ..ReadOptions::default() };
        EventSource::open_with(&[folder.path().display().to_string()], &projection(), &options)
    };
    let refused = open(BadFiles::Refuse).unwrap_err();
    assert_eq!(refused.problems().len(), 2, "{refused}");

    let source = open(BadFiles::Skip).unwrap();
    let skipped: Vec<_> = source.skipped().iter().map(|file| (file.path.clone(), file.rows)).collect();
    assert_eq!(skipped, [(at("2.parquet"), None), (at("6.parquet"), Some(8))]);
    assert!(source.skipped()[1].error.to_string().contains("column 'weight'"));
    assert_eq!(source.files().len(), 5);
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let events = pool.install(|| source.map_files(2, 1, |batch| Ok(batch.columns.events)));
        let (mut total, mut of_file, mut said) = (0, 0, Vec::new());
        for event in events {
            match event.unwrap() {
                FileEvent::Product(events) => of_file += events,
                FileEvent::Finished { file } => {
                    total += std::mem::take(&mut of_file);
                    said.push(format!("{file} finished"));
                }
                FileEvent::Failed { file, error, rows } => {
                    assert!(error.to_string().contains("'Jet_eta'") && error.to_string().contains("null in row 7"));
                    assert!(of_file < 8, "nothing comes from behind the damage");
                    of_file = 0;
                    said.push(format!("{file} failed with {rows}"));
                }
            }
        }
        assert_eq!((total, of_file), (32, 0));
        assert_eq!(said, ["0 finished", "1 finished", "2 failed with 8", "3 finished", "4 finished"]);
    }
    // Without ends of files there is no telling what a damaged file gave, so it is an error.
    assert!(source.map_batches(2, 1, |batch| Ok(batch.columns.events)).any(|events| events.is_err()));
    // An error of the work is not the file's.
    let broken = source.map_files(2, 1, |_| Err::<(), _>(trawl::error::Fault::new("test", "no").data()));
    assert_eq!(broken.map(|event| event.is_err()).collect::<Vec<_>>(), [true]);
    // Nothing is left: then it is an error after all, as is a projection without sense.
    let options = ReadOptions { bad_files: BadFiles::Skip, ..ReadOptions::default() };
    let only_bad = [at("2.parquet"), at("6.parquet")].map(|path| path.display().to_string());
    assert_eq!(EventSource::open_with(&only_bad, &projection(), &options).unwrap_err().problems().len(), 2);
    let all = [folder.path().display().to_string()];
    assert_eq!(EventSource::open_with(&all, &jets(&[]), &options).unwrap_err().exit_code(), 2);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    let (_folder, path) = scratch();
    write(&path, columns(), Compression::UNCOMPRESSED);
    let source = EventSource::open(&[path.display().to_string()], &projection()).unwrap();
    write(&path, with("more", list_array(lists(&LENGTHS))), Compression::UNCOMPRESSED);
    let error = source.batches(4, 2).find_map(Result::err).unwrap().to_string();
    assert!(error.contains("changed while it was read"), "{error}");
}

#[test]
fn what_cannot_be_looked_into_is_an_error() {
    let (folder, path) = scratch();
    write(&path, columns(), Compression::UNCOMPRESSED);
    let inside = path.join("inside.parquet").display().to_string();
    let error = EventSource::open(std::slice::from_ref(&inside), &projection()).unwrap_err();
    assert!(error.exit_code() == 1 && error.to_string().contains(&inside), "{error}");
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&locked, <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o000))
        .unwrap();
    if locked.read_dir().is_ok() {
        return println!("skipped: this user may read every folder");
    }
    let error = EventSource::open(&[locked.display().to_string()], &projection()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("locked"), "{error}");
}

/// Writes more than the 8 KiB that [`a_full_disk_ends_a_table_and_leaves_nothing`] allows, if that test asks for it.
#[test]
fn writes_a_large_table_if_asked() {
    let Some(path) = std::env::var_os("TRAWL_LARGE_TABLE") else { return };
    let values: Vec<u64> = (0..100_000u64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let mut writer = TableWriter::create(path, &[("x", ColumnKind::U64)]).unwrap();
    let written = (0..3).try_for_each(|_| writer.write(&[Values::U64(&values)]));
    println!("refused: {}", written.and_then(|()| writer.finish()).unwrap_err());
}

#[test]
#[cfg(unix)]
fn a_full_disk_ends_a_table_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    std::fs::write(&path, "older").unwrap();
    // A limit on the size of files is refused like a full disk, and needs no disk.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", r#"trap "" XFSZ; ulimit -f 16; exec "$0" --exact writes_a_large_table_if_asked --nocapture"#]);
    let output = shell.arg(std::env::current_exe().unwrap()).env("TRAWL_LARGE_TABLE", &path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("refused: events.write: cannot write") && said.contains("table.parquet"), "{output:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "older");
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

proptest! {
    // The seed is fixed, so that a failure is the same everywhere.
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_260_117),
        ..ProptestConfig::default()
    })]

    /// Whatever bytes change, reading ends with events or with an error, and in little memory.
    #[test]
    fn changed_bytes_never_panic_and_never_take_much_memory(
        file in 0..5usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let (_folder, path) = scratch();
        let codecs = [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())];
        match codecs.get(file) {
            Some(&codec) => write(&path, columns(), codec),
            None => std::fs::write(&path, WITH_CHECKSUMS[file - codecs.len()]).unwrap(),
        }
        let mut bytes = std::fs::read(&path).unwrap();
        for (place, byte) in changes {
            *place.get_mut(&mut bytes) = byte;
        }
        std::fs::write(&path, bytes).unwrap();
        match read(&path, &projection()) {
            Ok(events) => prop_assert!(events <= 24 * 1000, "{events} events out of eight or 24"),
            Err(error) => prop_assert!(error.exit_code() == 1, "{error}"),
        }
        let largest = LARGEST.load(Ordering::Relaxed);
        prop_assert!(largest < MOST_BYTES, "{largest} bytes at once");
    }
}
