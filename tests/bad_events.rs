//! Files that lie, lack or break: each is an error that says where, never a panic.

#[path = "common/files.rs"]
mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float32Array, Int64Array, ListArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use files::{LENGTHS, columns, list_array, lists, with, write};
use parquet::basic::Compression;
use proptest::prelude::*;
use trawl::events::{CollectionProjection, EventSource, Projection};
use trawl::{Error, Result};

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
    assert!(error.to_string().contains("rows 0 to"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bits flip, reading ends with events or with an error.
    #[test]
    fn flipped_bits_never_panic(
        codec in 0..3usize,
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0..8u32), 1..4),
    ) {
        let (_folder, path) = scratch();
        let codecs = [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())];
        write(&path, columns(), codecs[codec]);
        let mut bytes = std::fs::read(&path).unwrap();
        for (place, bit) in flips {
            *place.get_mut(&mut bytes) ^= 1 << bit;
        }
        std::fs::write(&path, bytes).unwrap();
        match read(&path, &projection()) {
            Ok(events) => prop_assert!(events <= 8 * 1000, "{events} events out of eight"),
            Err(error) => prop_assert!(error.exit_code() == 1, "{error}"),
        }
    }
}
