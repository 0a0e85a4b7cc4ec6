//! Tables of survivors and features come back from other readers, and from this one.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use trawl::campaign::manifest::FileRecord;
use trawl::events::{
    CollectionProjection, Column, ColumnKind, EventSource, Projection, TableWriter, Values, write_table,
};

#[test]
fn tables_keep_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("survivors.parquet");
    let columns = [
        ("event", Column::U64(vec![u64::MAX, 1].into())),
        ("run", Column::U32(vec![1, 2].into())),
        ("m_jj", Column::F32(vec![1300.0, f32::NAN].into())),
        ("weight", Column::F64(vec![0.1, 0.2].into())),
    ];
    write_table(&path, &columns).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 10).unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
    assert_eq!(batches[0].column(1).as_primitive::<UInt32Type>().values()[..], [1, 2]);
    assert!(batches[0].column(2).as_primitive::<Float32Type>().value(1).is_nan());
    let uneven = [("a", Column::F32(vec![1.0].into())), ("b", Column::F32(vec![].into()))];
    let twice = [("a", Column::F32(vec![1.0].into())), ("a", Column::F32(vec![2.0].into()))];
    for wrong in [uneven, twice] {
        let error = write_table(&path, &wrong).unwrap_err();
        assert_eq!(error.exit_code(), 1, "{error}");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing half-written is left");
}

#[test]
fn tables_grow_batch_by_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("features.parquet");
    let kinds = [
        ("event", ColumnKind::U64),
        ("category", ColumnKind::U32),
        ("signal", ColumnKind::Bool),
        ("pt", ColumnKind::F32List { length: 3 }),
        ("is_there", ColumnKind::BoolList { length: 3 }),
        ("nothing", ColumnKind::F32List { length: 0 }),
        ("weight", ColumnKind::F64),
    ];
    // More than a row group of 100,000 rows, in uneven steps.
    let rows = 230_001;
    let event: Vec<u64> = (0..rows as u64).map(|row| u64::MAX - row).collect();
    let category: Vec<u32> = (0..rows as u32).map(|row| u32::MAX - row).collect();
    let signal: Vec<bool> = (0..rows).map(|row| row % 3 == 0).collect();
    let pt: Vec<f32> = (0..3 * rows).map(|value| value as f32 * 0.5).collect();
    let is_there: Vec<bool> = (0..3 * rows).map(|value| value % 7 == 0).collect();
    let weight: Vec<f64> = (0..rows).map(|row| row as f64 / 3.0).collect();
    let mut writer = TableWriter::create(&path, &kinds).unwrap();
    let mut first = 0;
    for step in [0, 1, 70_000, 99_999, 60_001] {
        let (one, three) = (first..first + step, 3 * first..3 * (first + step));
        writer
            .write(&[
                Values::U64(&event[one.clone()]),
                Values::U32(&category[one.clone()]),
                Values::Bool(&signal[one.clone()]),
                Values::F32(&pt[three.clone()]),
                Values::Bool(&is_there[three]),
                Values::F32(&[]),
                Values::F64(&weight[one]),
            ])
            .unwrap();
        assert!(!path.exists());
        first += step;
    }
    assert_eq!(first, rows);
    let written = writer.finish().unwrap();
    let record = FileRecord::of(&path, None).unwrap();
    assert_eq!(FileRecord::of_written(&path.display().to_string(), &written), record);
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(std::fs::File::open(&path).unwrap(), 50_000);
    let mut first = 0;
    for batch in reader.unwrap() {
        let batch = batch.unwrap();
        let rows = first..first + batch.num_rows();
        let numbers = |name: &str| batch.column_by_name(name).unwrap().clone();
        assert_eq!(numbers("event").as_primitive::<arrow_array::types::UInt64Type>().values()[..], event[rows.clone()]);
        assert_eq!(numbers("category").as_primitive::<UInt32Type>().values()[..], category[rows.clone()]);
        assert!(numbers("signal").as_boolean().values().iter().eq(signal[rows.clone()].iter().copied()));
        let lists = numbers("pt").as_list::<i32>().clone();
        assert!((0..batch.num_rows()).all(|row| lists.value_length(row) == 3));
        let three = 3 * rows.start..3 * rows.end;
        assert_eq!(lists.values().as_primitive::<Float32Type>().values()[..], pt[three.clone()]);
        let flags = numbers("is_there").as_list::<i32>().values().as_boolean().values().clone();
        assert!(flags.iter().eq(is_there[three].iter().copied()));
        assert_eq!(numbers("nothing").as_list::<i32>().values().len(), 0);
        first = rows.end;
    }
    assert_eq!(first, rows);
    // The reader takes such lists as quantities.
    let table = [("jet_pt", ColumnKind::F32List { length: 2 }), ("event", ColumnKind::U64)];
    let mut writer = TableWriter::create(&path, &table).unwrap();
    writer.write(&[Values::F32(&[1.0, 2.0, 3.0, 4.0]), Values::U64(&[5, 6])]).unwrap();
    writer.finish().unwrap();
    let projection =
        Projection { collections: vec![CollectionProjection::new("jet", ["pt"])], ..Projection::default() };
    let source = EventSource::open(&[path.display().to_string()], &projection).unwrap();
    let batch = source.batches(10, 1).next().unwrap().unwrap();
    assert_eq!(batch.columns.collections[0].offsets[..], [0, 2, 4]);
    assert_eq!(batch.columns.collections[0].quantities[0][..], [1.0, 2.0, 3.0, 4.0]);

    let wrong: [&[Values<'_>]; 4] = [
        &[Values::U64(&[1])],
        &[Values::F32(&[1.0]), Values::U64(&[1])],
        &[Values::F32(&[1.0, 2.0]), Values::U64(&[1, 2])],
        &[Values::F32(&[1.0, 2.0]), Values::U32(&[1])],
    ];
    for values in wrong {
        let mut writer = TableWriter::create(folder.path().join("wrong.parquet"), &table).unwrap();
        let error = writer.write(values).unwrap_err();
        assert!(error.exit_code() == 1 && error.to_string().contains("wrong.parquet"), "{error}");
        assert!(writer.finish().is_err());
    }
    assert!(TableWriter::create(folder.path().join("none.parquet"), &[]).is_err());
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing half-written is left");
}
