//! The table of survivors: flags, lists of fixed length, masks and padding; splits by a hash of the event's name.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use trawl::events::{event_hash, fold_hash};

use crate::Ground;
use crate::events::{Event, Jet, events};

/// A whole table.
fn table(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let (schema, batches) = (reader.schema().clone(), reader.build().unwrap().map(Result::unwrap));
    let batches: Vec<RecordBatch> = batches.collect();
    match batches.as_slice() {
        [one] => one.clone(),
        [] => RecordBatch::new_empty(schema),
        many => panic!("{} batches", many.len()),
    }
}

/// The list in a row, whatever kind of list it is.
fn list(column: &dyn Array, row: usize) -> arrow_array::ArrayRef {
    column.as_list_opt::<i32>().map_or_else(|| column.as_fixed_size_list().value(row), |lists| lists.value(row))
}

#[test]
fn survivors_hold_flags_features_masks_and_padding() {
    let ground = Ground::new();
    // Few enough for one batch of the reader.
    let all = events(500..2100);
    ground.events("events.parquet", &all);
    ground.card_of_data(&["events.parquet"]);
    ground.results("results", &[]);
    let table = table(&ground.at("results/survivors-data.parquet"));
    let names: Vec<&str> = table.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let expected = [
        "run",
        "luminosityBlock",
        "event",
        "ht",
        "lead",
        "weight",
        "one",
        "many",
        "training",
        "hard",
        "jet_pt",
        "jet_eta",
        "jet_mask",
    ];
    assert_eq!(names, expected);
    let survivors: Vec<&Event> = all.iter().filter(|event| event.survives()).collect();
    assert_eq!(table.num_rows(), survivors.len());
    assert!((300..1024).contains(&survivors.len()), "{}", survivors.len());
    let column = |name: &str| table.column_by_name(name).unwrap_or_else(|| panic!("no {name}"));
    let number = |name: &str, row: usize| column(name).as_primitive::<Float32Type>().value(row);
    let flag = |name: &str, row: usize| column(name).as_boolean().value(row);
    for (row, event) in survivors.into_iter().enumerate() {
        let jets = event.kept();
        assert_eq!(column("run").as_primitive::<UInt32Type>().value(row), event.run);
        assert_eq!(column("luminosityBlock").as_primitive::<UInt32Type>().value(row), event.luminosity_block);
        assert_eq!(column("event").as_primitive::<UInt64Type>().value(row), event.event);
        let ht: f64 = jets.iter().map(|jet| f64::from(jet.pt)).sum();
        assert!((f64::from(number("ht", row)) / ht - 1.0).abs() < 1e-6, "{row}");
        assert_eq!((number("lead", row), number("weight", row)), (jets[0].pt, 1.0));
        assert_eq!((flag("one", row), flag("many", row)), (jets.len() == 1, jets.len() >= 3));
        assert_eq!(flag("training", row), event_hash(event.run, event.event) < 0.01);
        assert_eq!(flag("hard", row), jets[0].pt > 100.0);
        let padded = |of: fn(&Jet) -> f32| (0..3).map(|place| jets.get(place).map_or(-1.0, of)).collect::<Vec<f32>>();
        let (pt, eta, mask) = (column("jet_pt"), column("jet_eta"), column("jet_mask"));
        assert_eq!(list(pt, row).as_primitive::<Float32Type>().values().to_vec(), padded(|jet| jet.pt));
        assert_eq!(list(eta, row).as_primitive::<Float32Type>().values().to_vec(), padded(|jet| jet.eta));
        let mask: Vec<bool> = list(mask, row).as_boolean().iter().map(Option::unwrap).collect();
        assert_eq!(mask, (0..3).map(|place| place < jets.len()).collect::<Vec<bool>>());
    }
}

#[test]
fn ids_that_no_file_has_are_no_columns() {
    let ground = Ground::new();
    let all = events(0..800);
    ground.events("a.parquet", &all[..400]);
    ground.events("b.parquet", &all[400..]);
    ground.card_of_data(&["a.parquet", "b.parquet"]);
    let survivors = || table(&ground.at("results/survivors-data.parquet"));
    let names = |table: &RecordBatch| -> Vec<String> {
        table.schema_ref().fields().iter().take(3).map(|field| field.name().clone()).collect()
    };
    let of_first = all[..400].iter().filter(|event| event.survives()).count();

    // One file has them: 0 stands in for those of the other.
    without(&ground.at("b.parquet"), &["run", "luminosityBlock"]);
    ground.results("results", &[]);
    let some = survivors();
    assert_eq!(names(&some), ["run", "luminosityBlock", "event"]);
    let runs = some.column(0).as_primitive::<UInt32Type>().values().to_vec();
    assert!(runs[..of_first].iter().all(|run| *run > 0) && runs[of_first..].iter().all(|run| *run == 0), "{runs:?}");

    without(&ground.at("a.parquet"), &["run"]);
    ground.results("results", &[]);
    assert_eq!(names(&survivors()), ["luminosityBlock", "event", "ht"]);
    without(&ground.at("a.parquet"), &["luminosityBlock"]);
    ground.results("results", &[]);
    let none = survivors();
    assert_eq!(names(&none), ["event", "ht", "lead"]);
    assert_eq!(none.column(0), some.column(2));
}

/// Writes a file again without some of its columns.
fn without(path: &Path, dropped: &[&str]) {
    let whole = table(path);
    let names = whole.schema_ref().fields().iter().map(|field| field.name().as_str());
    let kept: Vec<usize> = names.enumerate().filter(|(_, name)| !dropped.contains(name)).map(|(at, _)| at).collect();
    let part = whole.project(&kept).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), part.schema(), None).unwrap();
    writer.write(&part).unwrap();
    writer.close().unwrap();
}

#[test]
fn splits_do_not_depend_on_files_and_their_order() {
    let ground = Ground::new();
    let all = events(0..20_000);
    let mut shuffled = all.clone();
    shuffled.reverse();
    shuffled.rotate_left(7777);
    ground.events("whole.parquet", &all);
    for (name, part) in [("c", &shuffled[..5000]), ("a", &shuffled[5000..5001]), ("b", &shuffled[5001..])] {
        ground.events(&format!("{name}.part.parquet"), part);
    }
    let hashed = |events: &[Event]| -> BTreeSet<(u32, u64)> {
        let training = events.iter().filter(|event| event_hash(event.run, event.event) < 0.01 && event.survives());
        training.map(|event| (event.run, event.event)).collect()
    };
    let expected = hashed(&all);
    assert!((30..100).contains(&expected.len()), "{}", expected.len());
    for (folder, files) in [
        ("one", vec!["whole.parquet"]),
        ("pattern", vec!["*.part.parquet"]),
        ("listed", vec!["c.part.parquet", "b.part.parquet", "a.part.parquet"]),
    ] {
        ground.card_of_data(&files);
        let card = std::fs::read_to_string(ground.at("card.toml")).unwrap();
        let card = card.replace("[select]", "[select]\n\"training\" = \"event_hash < 0.01\"");
        std::fs::write(ground.at("card.toml"), card).unwrap();
        ground.results(folder, &[]);
        let table = table(&ground.at(&format!("{folder}/survivors-data.parquet")));
        let runs = table.column(0).as_primitive::<UInt32Type>().values().to_vec();
        let numbers = table.column(2).as_primitive::<UInt64Type>().values().to_vec();
        let found: BTreeSet<(u32, u64)> = runs.into_iter().zip(numbers).collect();
        assert_eq!((table.num_rows(), &found), (expected.len(), &expected), "{folder}");
    }
    // Folds share out the training sample.
    let first = expected.iter().filter(|(run, event)| fold_hash(*run, *event) < 0.5).count();
    assert!((1..expected.len()).contains(&first), "{first} of {}", expected.len());
    let card = std::fs::read_to_string(ground.at("card.toml")).unwrap();
    let card = card.replace("[select]", "[select]\n\"first fold\" = \"fold(2) == 0\"");
    std::fs::write(ground.at("card.toml"), card).unwrap();
    ground.results("folds", &[]);
    assert_eq!(table(&ground.at("folds/survivors-data.parquet")).num_rows(), first);
}
