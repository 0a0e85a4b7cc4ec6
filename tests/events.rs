//! Reads what other writers wrote, and what this writer wrote; every convention gives the same columns.

#[path = "common/data.rs"]
mod data;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, LargeListBuilder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, LargeListArray, ListArray,
    RecordBatch, StructArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use data::data;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use trawl::events::{
    Codec, CollectionProjection, EventBatch, EventSource, EventWriter, Ids, Layout, LuminosityMask, MappedColumn,
    Preset, Projection, ReadOptions, Role, Schema as Names, event_hash, inspect,
};

fn jets() -> Projection {
    Projection {
        collections: vec![CollectionProjection::new("Jet", ["pt", "eta", "phi", "mass"])],
        scalars: vec!["MET_pt".into()],
        ..Projection::default()
    }
}

/// Everything in a source, joined: offsets, quantities, scalars as bits, and ids.
#[derive(Debug, PartialEq, Clone)]
struct Whole {
    offsets: Vec<Vec<u32>>,
    quantities: Vec<Vec<Vec<u32>>>,
    scalars: Vec<Vec<u32>>,
    ids: Vec<(u32, u32, u64)>,
}

fn join(batches: impl IntoIterator<Item = EventBatch>, projection: &Projection) -> Whole {
    let of_collections = |collection: &CollectionProjection| vec![Vec::new(); collection.quantities.len()];
    let mut whole = Whole {
        offsets: vec![vec![0]; projection.collections.len()],
        quantities: projection.collections.iter().map(of_collections).collect(),
        scalars: vec![Vec::new(); projection.scalars.len()],
        ids: Vec::new(),
    };
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    for batch in batches {
        for (at, collection) in batch.columns.collections.iter().enumerate() {
            assert_eq!(collection.offsets.len(), batch.columns.events + 1);
            assert_eq!(collection.offsets[0], 0);
            let start = *whole.offsets[at].last().unwrap();
            whole.offsets[at].extend(collection.offsets[1..].iter().map(|offset| start + offset));
            for (values, quantity) in whole.quantities[at].iter_mut().zip(&collection.quantities) {
                assert_eq!(quantity.len(), collection.offsets[batch.columns.events] as usize);
                values.extend(bits(quantity));
            }
        }
        for (values, scalar) in whole.scalars.iter_mut().zip(&batch.columns.scalars) {
            assert_eq!(scalar.len(), batch.columns.events);
            values.extend(bits(scalar));
        }
        whole.ids.extend((0..batch.columns.events).map(|index| batch.id(index)));
    }
    whole
}

fn read(path: &Path, projection: &Projection) -> Whole {
    let source = EventSource::open(&[path.display().to_string()], projection).unwrap();
    let whole = join(source.batches(64, 2).map(|batch| batch.unwrap()), projection);
    assert_eq!(whole.ids.len() as u64, source.rows());
    whole
}

#[test]
fn seven_writers_of_the_same_events_give_the_same_columns() {
    let Some(folder) = data() else { return };
    let mut files: Vec<PathBuf> = folder
        .join("nanoaod")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("nano_ttbar_"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 7);
    // Two collections, an integer quantity, a scalar and the ids; all seven files have the counters nJet and nMuon.
    let mut projection = jets();
    projection.collections.push(CollectionProjection::new("Muon", ["pt", "charge"]));
    let first = read(&files[0], &projection);
    assert_eq!(first.ids.len(), 200);
    // pyarrow 26: pc.sum(pc.list_value_length(t["Jet_pt"])), t["Jet_pt"][0][0], t["event"][199], t["MET_pt"][0].
    assert_eq!(first.quantities[0][0].len(), 537);
    assert_eq!(f32::from_bits(first.quantities[0][0][0]), 17.921875);
    assert_eq!(first.ids[199], (1, 2272920, 227291927));
    assert_eq!(f32::from_bits(first.scalars[0][0]), 33.261_875);
    for file in &files[1..] {
        assert!(read(file, &projection) == first, "{} differs from {}", file.display(), files[0].display());
    }
}

#[test]
fn a_file_of_an_old_awkward_with_1499_columns_reads() {
    let Some(folder) = data() else { return };
    let whole = read(&folder.join("nanoaod/nano_dy.parquet"), &jets());
    assert_eq!(whole.ids.len(), 40);
    // pyarrow 26: pc.sum(pc.list_value_length(t["Jet_pt"])).
    assert_eq!(whole.quantities[0][0].len(), 188);
}

// Written here: the conventions of which no file is at hand ---------------------------------------------------------

const LENGTHS: [usize; 6] = [2, 0, 3, 1, 0, 1];

fn offsets() -> OffsetBuffer<i32> {
    OffsetBuffer::from_lengths(LENGTHS)
}

fn values(scale: f32) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values((0..7).map(|index| scale * (index as f32 + 0.5))))
}

fn list(values: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("whatever", values.data_type().clone(), false));
    Arc::new(ListArray::new(field, offsets(), values, None))
}

fn large_list(values: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(LENGTHS);
    let offsets: OffsetBuffer<i64> = OffsetBuffer::new(offsets_as_i64(&offsets));
    Arc::new(LargeListArray::new(field, offsets, values, None))
}

fn offsets_as_i64(offsets: &OffsetBuffer<i32>) -> arrow_buffer::ScalarBuffer<i64> {
    offsets.iter().map(|&offset| i64::from(offset)).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Nullable {
    No,
    Everywhere,
}

fn write(path: &Path, columns: &[(&str, ArrayRef)], nullable: Nullable) {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), nullable == Nullable::Everywhere))
        .collect();
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    // Row groups of 2 rows, so that batches span some of them.
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn flat_columns() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("nJet", Arc::new(UInt32Array::from_iter_values(LENGTHS.map(|length| length as u32)))),
        ("Jet_pt", list(values(10.0))),
        ("Jet_eta", list(values(0.1))),
        ("Jet_phi", list(values(-0.3))),
        ("Jet_mass", list(values(3.0))),
        ("MET_pt", Arc::new(Float32Array::from_iter_values((0..6).map(|row| row as f32 * 7.25)))),
        ("run", Arc::new(UInt32Array::from(vec![1; 6]))),
        ("luminosityBlock", Arc::new(UInt32Array::from(vec![3; 6]))),
        ("event", Arc::new(UInt64Array::from_iter_values((0..6).map(|row| u64::MAX - row)))),
    ]
}

/// Everything in one row group, by these properties.
fn write_as(path: &Path, columns: &[(&str, ArrayRef)], properties: WriterProperties) {
    let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, array.clone()))).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn open(path: &Path, projection: &Projection, options: &ReadOptions) -> trawl::Result<EventSource> {
    EventSource::open_with(&[path.display().to_string()], projection, options)
}

fn only_scalars<const N: usize>(names: [&str; N]) -> Projection {
    Projection { scalars: names.map(String::from).to_vec(), ..Projection::default() }
}

/// The only batch.
fn batch_of(path: &Path, projection: &Projection, options: &ReadOptions) -> EventBatch {
    let mut batches = open(path, projection, options).unwrap().batches(1000, 1);
    let batch = batches.next().unwrap().unwrap();
    assert!(batches.next().is_none());
    batch
}

fn replaced(name: &str, array: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut columns = flat_columns();
    columns.iter_mut().find(|column| column.0 == name).unwrap().1 = array;
    columns
}

fn nested(list_of: fn(ArrayRef) -> ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let fields: Fields = ["mass", "pt", "btag", "eta", "phi"]
        .map(|name| Field::new(name, DataType::Float32, false))
        .into_iter()
        .collect();
    let quantities = vec![values(3.0), values(10.0), values(9.0), values(0.1), values(-0.3)];
    let jets = list_of(Arc::new(StructArray::new(fields, quantities, None)));
    let met_fields: Fields =
        vec![Field::new("phi", DataType::Float32, false), Field::new("pt", DataType::Float32, false)].into();
    let met_pt: ArrayRef = flat_columns().swap_remove(5).1;
    let met = StructArray::new(met_fields, vec![met_pt.clone(), met_pt], None);
    let mut columns = vec![("Jet", jets), ("MET", Arc::new(met) as ArrayRef)];
    columns.extend(flat_columns().into_iter().filter(|(name, _)| !name.contains('_') && *name != "nJet"));
    columns
}

#[test]
fn every_convention_gives_the_same_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    write(&path, &flat_columns(), Nullable::No);
    let expected = read(&path, &jets());
    assert_eq!(expected.offsets[0], [0, 2, 2, 5, 6, 6, 7]);
    assert_eq!(expected.ids[5], (1, 3, u64::MAX - 5));
    let counts = LENGTHS.map(|length| length as i64);
    let without_counter = flat_columns().into_iter().filter(|(name, _)| *name != "nJet").collect();
    let variants: Vec<(&str, Vec<(&str, ArrayRef)>)> = vec![
        ("no counter", without_counter),
        ("int64 counter", replaced("nJet", Arc::new(Int64Array::from_iter_values(counts)))),
        ("int32 counter", replaced("nJet", Arc::new(Int32Array::from_iter_values(counts.map(|count| count as i32))))),
        ("uint8 counter", replaced("nJet", Arc::new(UInt8Array::from_iter_values(counts.map(|count| count as u8))))),
        ("int64 run", replaced("run", Arc::new(Int64Array::from(vec![1; 6])))),
        ("large list", replaced("Jet_eta", large_list(values(0.1)))),
        ("nested", nested(list)),
        ("nested in a large list", nested(large_list)),
    ];
    for (name, columns) in variants {
        for nullable in [Nullable::No, Nullable::Everywhere] {
            write(&path, &columns, nullable);
            assert_eq!(read(&path, &jets()), expected, "{name}");
        }
    }
}

#[test]
fn all_columns_lists_and_elements_may_be_nullable_without_nulls() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    write(&path, &flat_columns(), Nullable::No);
    let expected = read(&path, &jets());
    let mut small = ListBuilder::new(Float32Builder::new());
    let mut large = LargeListBuilder::new(Float32Builder::new());
    let pt = values(10.0);
    let pt = pt.as_primitive::<Float32Type>();
    for ends in offsets().windows(2) {
        for index in ends[0]..ends[1] {
            small.values().append_value(pt.value(index as usize));
            large.values().append_value(pt.value(index as usize));
        }
        small.append(true);
        large.append(true);
    }
    for array in [Arc::new(small.finish()) as ArrayRef, Arc::new(large.finish())] {
        write(&path, &replaced("Jet_pt", array), Nullable::Everywhere);
        assert_eq!(read(&path, &jets()), expected);
    }
}

#[test]
fn numbers_of_any_type_become_f32_rounded_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("wide", Arc::new(Float64Array::from(vec![0.1, 1e300, f64::NAN]))),
        ("whole", Arc::new(Int64Array::from(vec![-3, 16_777_218, i64::MIN]))),
        ("flag", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("small", Arc::new(UInt8Array::from(vec![0, 7, 255]))),
    ];
    write(&path, &columns, Nullable::No);
    let names = ["wide", "whole", "flag", "small"];
    let projection = Projection { scalars: names.map(String::from).to_vec(), ..Projection::default() };
    let source = EventSource::open(&[path.display().to_string()], &projection).unwrap();
    let batches: Vec<_> = source.batches(100, 1).map(|batch| batch.unwrap()).collect();
    // Joined row groups deliver all three rows at once.
    assert_eq!(batches.len(), 1);
    let scalars = &batches[0].columns.scalars;
    assert_eq!(scalars[0][..2], [0.1f32, f32::INFINITY]);
    assert!(scalars[0][2].is_nan());
    assert_eq!(scalars[1][..], [-3.0, 16_777_218.0, -9_223_372_036_854_775_808.0]);
    assert_eq!(scalars[2][..], [1.0, 0.0, 1.0]);
    assert_eq!(scalars[3][..], [0.0, 7.0, 255.0]);
    assert_eq!(batches[0].id(2), (0, 0, 2), "the row stands in for the event number");
}

#[test]
fn batches_do_not_depend_on_threads_or_queue_and_join_to_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.parquet", "a.parquet", "c.parq", ".hidden.parquet", "notes.txt"] {
        write(&folder.path().join(name), &flat_columns(), Nullable::No);
    }
    let source = EventSource::open(&[folder.path().display().to_string()], &jets()).unwrap();
    let names: Vec<_> = source.files().iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a.parquet", "b.parquet", "c.parq"]);
    assert_eq!(source.rows(), 18);
    let whole = join(source.batches(1000, 8).map(|batch| batch.unwrap()), &jets());
    for rows in [1, 2, 3, 5, 6, 7] {
        let shape = |threads: usize, queue: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let batches: Vec<EventBatch> =
                pool.install(|| source.batches(rows, queue)).map(|batch| batch.unwrap()).collect();
            let shape: Vec<_> =
                batches.iter().map(|batch| (batch.file, batch.first_row, batch.columns.events)).collect();
            assert_eq!(join(batches, &jets()), whole);
            assert!(shape.iter().all(|(_, _, events)| *events <= rows));
            shape
        };
        let expected = shape(1, 1);
        for (threads, queue) in [(2, 1), (4, 3), (3, 100)] {
            assert_eq!(shape(threads, queue), expected, "{rows} rows a batch");
        }
    }
    // A consumer that stops early does not hang the threads.
    drop(source.batches(1, 1).take(2).collect::<Vec<_>>());
}

#[test]
fn globs_and_lists_of_files_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x2.parquet", "x1.parquet", "y.parquet", "odd[1].parquet"] {
        write(&folder.path().join(name), &flat_columns(), Nullable::No);
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    let source = EventSource::open(&[at("y.parquet"), at("x*.parquet"), at("odd[1].parquet")], &jets()).unwrap();
    let names: Vec<_> = source.files().iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["y.parquet", "x1.parquet", "x2.parquet", "odd[1].parquet"]);
}

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("events.parquet"), folder.path().join("copy.parquet"));
    write(&path, &flat_columns(), Nullable::No);
    let source = EventSource::open(&[path.display().to_string()], &jets()).unwrap();
    for codec in [Codec::Zstd, Codec::Snappy] {
        let mut writer = EventWriter::create(&copy, &jets(), Layout { codec, rows_per_group: 4 }).unwrap();
        for batch in source.batches(5, 1) {
            writer.write(&batch.unwrap()).unwrap();
        }
        let before = std::fs::read(&copy).ok();
        writer.finish().unwrap();
        assert_ne!(std::fs::read(&copy).ok(), before, "the file appears when it is complete");
        assert_eq!(read(&copy, &jets()), read(&path, &jets()));
    }
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert_eq!(left.len(), 2, "no temporary file is left");
}

#[test]
fn a_file_of_zero_events_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.parquet");
    EventWriter::create(&path, &jets(), Layout::default()).unwrap().finish().unwrap();
    let source = EventSource::open(&[path.display().to_string()], &jets()).unwrap();
    assert_eq!(source.rows(), 0);
    assert_eq!(source.batches(10, 1).count(), 0);
}

#[test]
fn inspect_names_what_a_card_can_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    write(&path, &nested(large_list), Nullable::Everywhere);
    let found = inspect(&path).unwrap();
    assert_eq!((found.rows, found.row_groups.as_slice()), (6, &[2, 2, 2][..]));
    assert_eq!(found.metadata, ["ARROW:schema"]);
    let name = |name: &str| found.columns.iter().find(|column| column.name == name).unwrap();
    let quantity = Role::Quantity { collection: "Jet".into(), quantity: "eta".into() };
    assert_eq!((&name("Jet.eta").role, name("Jet.eta").data_type.as_str()), (&quantity, "list<float32>"));
    assert_eq!(name("MET.pt").role, Role::Scalar { name: "MET_pt".into() });
    assert_eq!(name("run").role, Role::Id);
    assert!(found.columns.iter().all(|column| column.codec == "none" && column.compressed_bytes > 0));
    assert!(inspect(folder.path().join("nothing.parquet")).is_err());
}

#[test]
fn inspect_says_the_same_of_every_writer_and_everything_it_offers_can_be_read() {
    let Some(folder) = data() else { return };
    let at = |name: &str| folder.join("nanoaod").join(name);
    let roles = |name: &str| -> Vec<(String, Role)> {
        inspect(at(name)).unwrap().columns.into_iter().map(|column| (column.name, column.role)).collect()
    };
    let expected = roles("nano_ttbar_awkward.parquet");
    assert_eq!(expected.len(), 33);
    for writer in ["duckdb", "pyarrow_largelist", "pyarrow_v1_lz4"] {
        assert_eq!(roles(&format!("nano_ttbar_{writer}.parquet")), expected, "{writer}");
    }
    let text = inspect(at("nano_ttbar_duckdb.parquet")).unwrap().to_string();
    assert!(text.contains("200 events in 1 row group, 17,442 bytes"), "{text}");
    assert!(text.contains("'pt' of the collection 'Jet'") && text.contains("written by DuckDB"), "{text}");
    // 1499 columns of a real file: whatever is offered as a quantity or scalar opens and reads.
    let mut projection = Projection::default();
    for (_, role) in roles("nano_dy.parquet") {
        match role {
            Role::Scalar { name } => projection.scalars.push(name),
            Role::Quantity { collection, quantity } => {
                match projection.collections.iter_mut().find(|known| known.name == collection) {
                    Some(known) => known.quantities.push(quantity),
                    None => projection.collections.push(CollectionProjection::new(collection, [quantity])),
                }
            }
            Role::Counter { .. } | Role::Id => {}
            // PSWeight and its like.
            Role::Unusable { why } => assert!(why.contains("<collection>_<quantity>"), "{why}"),
        }
    }
    // Ten decisions in one integer of 30 bits: no number to compare.
    let packed = |quantity: &String| quantity.starts_with("vidNestedWPBitmap");
    let bits = Projection { collections: vec![CollectionProjection::new("Electron", ["vidNestedWPBitmap"])], ..jets() };
    let file = [at("nano_dy.parquet").display().to_string()];
    let refused = EventSource::open(&file, &bits).unwrap().batches(100, 1).find_map(|batch| batch.err()).unwrap();
    assert!(refused.to_string().contains("holds an integer that float32 cannot hold"), "{refused}");
    // pyarrow 26: columns that are no list, counter or id; lists with an underscore in their names, and what is before it.
    let quantities: usize = projection.collections.iter().map(|collection| collection.quantities.len()).sum();
    assert_eq!((projection.scalars.len(), quantities, projection.collections.len()), (1092, 375, 21));
    projection.collections.iter_mut().for_each(|collection| collection.quantities.retain(|name| !packed(name)));
    assert_eq!(read(&at("nano_dy.parquet"), &projection).ids.len(), 40);
}

#[test]
fn events_of_no_and_of_five_thousand_objects_read_in_every_encoding() {
    use parquet::basic::{Compression, Encoding};
    use parquet::file::properties::WriterVersion;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let lengths = [0, 5000, 0, 0, 1, 3000, 0];
    let numbers = |scale: f32| (0..8001).map(move |index| (index % 37) as f32 * scale);
    let list = |values: ArrayRef| -> ArrayRef {
        let field = Arc::new(Field::new("element", values.data_type().clone(), false));
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, None))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("nJet", Arc::new(UInt32Array::from_iter_values(lengths.map(|length| length as u32)))),
        ("Jet_pt", list(Arc::new(Float32Array::from_iter_values(numbers(1.5))))),
        ("Jet_id", list(Arc::new(Int32Array::from_iter_values((0..8001).map(|index| index % 37 - 18))))),
        ("event", Arc::new(UInt64Array::from_iter_values((0..7).map(|row| row << 40)))),
    ];
    let jets = CollectionProjection::new("Jet", ["pt", "id"]);
    let projection = Projection { collections: vec![jets], ..Projection::default() };
    let mut wholes = Vec::new();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for dictionary in [true, false] {
            for (floats, integers) in
                [(Encoding::PLAIN, Encoding::PLAIN), (Encoding::BYTE_STREAM_SPLIT, Encoding::DELTA_BINARY_PACKED)]
            {
                let properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary)
                    .set_column_encoding("Jet_pt.list.element".into(), floats)
                    .set_column_encoding("Jet_id.list.element".into(), integers)
                    .set_column_encoding("event".into(), integers)
                    .set_data_page_row_count_limit(2)
                    .set_write_batch_size(1)
                    .set_compression(Compression::SNAPPY);
                write_as(&path, &columns, properties.build());
                wholes.push(read(&path, &projection));
            }
        }
    }
    assert_eq!(wholes[0].offsets[0], [0, 0, 5000, 5000, 5000, 5001, 8001, 8001]);
    let bits: Vec<u32> = numbers(1.5).map(f32::to_bits).collect();
    assert!(wholes[0].quantities[0][0] == bits);
    assert_eq!(f32::from_bits(wholes[0].quantities[0][1][8000]), (8000 % 37 - 18) as f32);
    assert!(wholes.iter().all(|whole| *whole == wholes[0]));
}

#[test]
fn empty_row_groups_are_passed_over() {
    use parquet::data_type::FloatType;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let schema = parquet::schema::parser::parse_message_type("message m { required float x; }").unwrap();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer =
        parquet::file::writer::SerializedFileWriter::new(file, Arc::new(schema), Default::default()).unwrap();
    for values in [&[][..], &[1.0, 2.0], &[], &[], &[3.0], &[]] {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<FloatType>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    for rows in [1, 2, 10] {
        let source = open(&path, &only_scalars(["x"]), &ReadOptions::default()).unwrap();
        let read: Vec<f32> =
            source.batches(rows, 1).flat_map(|batch| batch.unwrap().columns.scalars[0].to_vec()).collect();
        assert_eq!(read, [1.0, 2.0, 3.0]);
    }
}

#[test]
fn schemas_that_differ_in_order_and_width_are_read_and_contradictions_are_named_together() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("1.parquet"), &flat_columns(), Nullable::No);
    let whole = read(&at("1.parquet"), &jets());
    let wide = |name: &str| -> ArrayRef {
        let list_array = flat_columns().into_iter().find(|column| column.0 == name).unwrap().1;
        let values = list_array.as_list::<i32>().values().as_primitive::<Float32Type>().clone();
        list(Arc::new(Float64Array::from_iter_values(values.values().iter().map(|&value| f64::from(value)))))
    };
    let mut other = replaced("Jet_pt", wide("Jet_pt"));
    other.reverse();
    other.iter_mut().find(|column| column.0 == "run").unwrap().1 = Arc::new(Int64Array::from(vec![1; 6]));
    write(&at("2.parquet"), &other, Nullable::Everywhere);
    let source = open(folder.path(), &jets(), &ReadOptions::default()).unwrap();
    let both = join(source.batches(4, 2).map(|batch| batch.unwrap()), &jets());
    assert_eq!(both.quantities[0][0], [whole.quantities[0][0].clone(), whole.quantities[0][0].clone()].concat());
    assert_eq!(both.ids[6..], whole.ids);

    let without: Vec<_> = flat_columns().into_iter().filter(|column| column.0 != "Jet_phi").collect();
    write(&at("3.parquet"), &without, Nullable::No);
    let met = flat_columns().into_iter().find(|column| column.0 == "MET_pt").unwrap().1;
    write(&at("4.parquet"), &replaced("Jet_mass", met), Nullable::No);
    let error = open(folder.path(), &jets(), &ReadOptions::default()).unwrap_err();
    let found: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("column 'Jet_phi' is missing in") && found[0].contains("3.parquet"), "{found:#?}");
    assert!(found[1].contains("'Jet_mass' of") && found[1].contains("4.parquet' is float32, not a list"), "{found:#?}");
}

fn physlite() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("AnalysisJetsAuxDyn.pt", list(values(10_000.0))),
        ("AnalysisJetsAuxDyn.eta", list(values(0.1))),
        ("AnalysisJetsAuxDyn.m", list(values(3_000.0))),
        ("MuonsAuxDyn.pt", list(values(20_000.0))),
        ("EventInfoAuxDyn.averageInteractionsPerCrossing", Arc::new(Float32Array::from(vec![33.5; 6]))),
        ("MET_Track.met", Arc::new(Float64Array::from_iter_values((0..6).map(|row| f64::from(row) * 1001.0)))),
        ("EventInfoAuxDyn.runNumber", Arc::new(UInt32Array::from(vec![284_500; 6]))),
        ("EventInfoAuxDyn.lumiBlock", Arc::new(UInt32Array::from_iter_values(0..6))),
        ("EventInfoAuxDyn.eventNumber", Arc::new(UInt64Array::from_iter_values(100..106))),
    ]
}

#[test]
fn presets_and_maps_give_names_and_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("physlite.parquet");
    write(&path, &physlite(), Nullable::Everywhere);
    let mut schema = Names::from(Preset::Physlite);
    schema.map("met", MappedColumn::new("MET_Track.met", 0.001));
    schema.map("Jets.y", MappedColumn::new("AnalysisJetsAuxDyn.eta", -2.0));
    let options = ReadOptions { schema, ..ReadOptions::default() };
    let collections =
        vec![CollectionProjection::new("Jets", ["pt", "eta", "mass", "y"]), CollectionProjection::new("Muons", ["pt"])];
    let scalars = only_scalars(["averageInteractionsPerCrossing", "met"]);
    let batch = batch_of(&path, &Projection { collections, ..scalars }, &options);
    let jets = &batch.columns.collections[0].quantities;
    // 5000 MeV; products with the factor are rounded to f32 once.
    assert_eq!((jets[0][0], jets[2][6]), (5.0, (19_500.0f64 * 0.001) as f32));
    assert_eq!((jets[1][1], jets[3][1]), (0.15, (f64::from(0.15f32) * -2.0) as f32));
    assert_eq!(batch.columns.collections[1].quantities[0][0], 10.0);
    assert_eq!((batch.columns.scalars[0][3], batch.columns.scalars[1][5]), (33.5, (5005.0f64 * 0.001) as f32));
    assert_eq!(batch.id(5), (284_500, 5, 105));

    // The same file has no names in the eyes of another preset, except for whole columns.
    let wrong = Projection { collections: vec![CollectionProjection::new("Jets", ["pt"])], ..Projection::default() };
    let error = open(&path, &wrong, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("column 'Jets_pt' is missing"), "{error}");
    let error =
        open(&path, &Projection { collections: vec![CollectionProjection::new("Jets", ["px"])], ..wrong }, &options);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("column 'AnalysisJetsAuxDyn.px' is missing"), "{error}");

    // Names in lower case, and a list of structs whose field is mapped.
    let flat = [("jet_pt", list(values(1.0))), ("met", values(2.0).slice(0, 6))];
    write(&path, &flat, Nullable::No);
    let projection =
        Projection { collections: vec![CollectionProjection::new("jet", ["pt"])], ..only_scalars(["met"]) };
    for preset in [Preset::Flat, Preset::Lhco, Preset::DarkMachines, Preset::Nanoaod] {
        let options = ReadOptions { schema: preset.into(), ..ReadOptions::default() };
        assert_eq!(batch_of(&path, &projection, &options).columns.collections[0].quantities[0][6], 6.5);
    }
    write(&path, &nested(list), Nullable::No);
    let mut schema = Names::default();
    schema.map("jet_pt", MappedColumn::new("Jet.pt", 1000.0));
    schema.map("met", MappedColumn::new("MET.pt", 1.0));
    let batch = batch_of(&path, &projection, &ReadOptions { schema, ..ReadOptions::default() });
    assert_eq!((batch.columns.collections[0].quantities[0][0], batch.columns.scalars[0][5]), (5000.0, 36.25));
}

#[test]
fn derived_numbers_depend_on_the_name_of_the_event_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    write(&path, &flat_columns(), Nullable::No);
    let mask = LuminosityMask::from_text(r#"{"1": [[3, 3]]}"#, "mask").unwrap();
    let masked = ReadOptions { luminosity_mask: Some(Arc::new(mask)), ..ReadOptions::default() };
    let projection = only_scalars(["event_hash", "in_luminosity_mask"]);
    for ids in [Ids::IfPresent, Ids::Skipped] {
        let projection = Projection { ids, ..projection.clone() };
        let batch = batch_of(&path, &projection, &masked);
        let expected: Vec<f32> = (0..6).map(|row| event_hash(1, u64::MAX - row)).collect();
        assert_eq!(batch.columns.scalars[0][..], expected);
        assert_eq!(batch.columns.scalars[1][..], [1.0; 6]);
        assert_eq!(batch.ids.event.is_some(), ids == Ids::IfPresent);
        assert_eq!(batch.id(2).2, if ids == Ids::IfPresent { u64::MAX - 2 } else { 2 });
    }
    let blocks = replaced("luminosityBlock", Arc::new(UInt32Array::from(vec![2, 3, 4, 3, 3, 1])));
    write(&path, &blocks, Nullable::No);
    assert_eq!(batch_of(&path, &projection, &masked).columns.scalars[1][..], [0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(batch_of(&path, &projection, &ReadOptions::default()).columns.scalars[1][..], [1.0; 6]);

    // A column of the name comes first; without the ids they cannot be made.
    let own = [("event_hash", values(1.0)), ("run", Arc::new(UInt32Array::from(vec![1; 7])) as ArrayRef)];
    write(&path, &own, Nullable::No);
    assert_eq!(batch_of(&path, &only_scalars(["event_hash"]), &masked).columns.scalars[0][0], 0.5);
    write(&path, &own[1..], Nullable::No);
    let error = open(&path, &projection, &masked).unwrap_err();
    let found: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert!(
        found[0].contains("'luminosityBlock' is missing") && found[0].contains("'in_luminosity_mask'"),
        "{found:?}"
    );
    assert!(found[1].contains("column 'event' is missing") && found[1].contains("'event_hash' is made"), "{found:?}");
}

#[test]
fn work_on_batches_runs_on_other_threads_and_keeps_their_order() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.parquet", "b.parquet"] {
        write(&folder.path().join(name), &flat_columns(), Nullable::No);
    }
    let source = open(folder.path(), &jets(), &ReadOptions::default()).unwrap();
    let here = std::thread::current().id();
    let work = move |batch: EventBatch| {
        assert_ne!(std::thread::current().id(), here);
        Ok((batch.file, batch.first_row, batch.columns.events))
    };
    let mapped: Vec<_> = source.map_batches(2, 1, work).map(|product| product.unwrap()).collect();
    assert_eq!(mapped, [(0, 0, 2), (0, 2, 2), (0, 4, 2), (1, 0, 2), (1, 2, 2), (1, 4, 2)]);
    let fails = |batch: EventBatch| match batch.first_row {
        4 => Err(trawl::error::Fault::new("test", "no").usage()),
        row => Ok(row),
    };
    let products: Vec<_> = source.map_batches(2, 1, fails).collect();
    assert_eq!(products.len(), 3);
    assert_eq!(products[2].as_ref().unwrap_err().exit_code(), 2);
}
