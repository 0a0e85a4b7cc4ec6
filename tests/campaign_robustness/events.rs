//! Events whose numbers are known here, as Parquet files, and what the selection of these tests makes of them.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub run: u32,
    pub luminosity_block: u32,
    pub event: u64,
    /// By falling pT.
    pub jets: Vec<Jet>,
    pub met: f32,
    pub weight: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet {
    pub pt: f32,
    pub eta: f32,
}

/// The objects, definitions and cuts of these tests, without samples.
pub const SELECTION: &str = r#"
[objects.jet]
from = "Jet"
keep = "pt > 30 && abs(eta) < 2.5"

[define]
ht = "sum(jet.pt)"
lead = "jet[0].pt"

[select]
"one jet" = "count(jet) >= 1"
"MET" = "MET_pt > 20"

[channels]
one = "count(jet) == 1"
many = "count(jet) >= 3"

[regions]
training = "event_hash < 0.01"
hard = "lead > 100"

[features.jet]
number = 3
quantities = ["pt", "eta"]
padding = -1

[spectrum]
variable = "ht"
edges = [0, 50, 100, 200, 400]

[keep]
survivors = true
"#;

impl Event {
    /// Its jets that the object keeps.
    pub fn kept(&self) -> Vec<Jet> {
        self.jets.iter().copied().filter(|jet| jet.pt > 30.0 && jet.eta.abs() < 2.5).collect()
    }

    /// Whether it passes both cuts.
    pub fn passes(&self) -> bool {
        !self.kept().is_empty() && self.met > 20.0
    }

    /// Whether it passes the cuts and is in a channel.
    pub fn survives(&self) -> bool {
        self.passes() && self.kept().len() != 2
    }
}

/// The events of these numbers: a function of the number alone.
pub fn events(numbers: std::ops::Range<u64>) -> Vec<Event> {
    numbers.map(event).collect()
}

fn event(number: u64) -> Event {
    let mut draw = Draws(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let jets = (draw.uniform() * 6.0) as usize;
    let mut jets: Vec<Jet> = (0..jets)
        .map(|_| Jet { pt: (20.0 - 40.0 * draw.uniform().ln()) as f32, eta: (6.0 * draw.uniform() - 3.0) as f32 })
        .collect();
    jets.sort_by(|a, b| b.pt.total_cmp(&a.pt));
    Event {
        run: 300_000 + (number % 3) as u32,
        luminosity_block: 1 + (number / 7 % 50) as u32,
        event: number,
        jets,
        met: (-30.0 * draw.uniform().ln()) as f32,
        weight: (0.5 + draw.uniform()) as f32,
    }
}

/// SplitMix64.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + 1e-17
    }
}

/// Events of a row group.
pub const ROW_GROUP: usize = 500;

/// Writes events in row groups of [`ROW_GROUP`].
pub fn write(path: &Path, events: &[Event]) {
    let lists = |of: fn(&Jet) -> f32| -> ArrayRef {
        let rows = events.iter().map(|event| Some(event.jets.iter().map(|jet| Some(of(jet))).collect::<Vec<_>>()));
        Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("run", Arc::new(UInt32Array::from_iter_values(events.iter().map(|event| event.run)))),
        ("luminosityBlock", Arc::new(UInt32Array::from_iter_values(events.iter().map(|event| event.luminosity_block)))),
        ("event", Arc::new(UInt64Array::from_iter_values(events.iter().map(|event| event.event)))),
        ("Jet_pt", lists(|jet| jet.pt)),
        ("Jet_eta", lists(|jet| jet.eta)),
        ("MET_pt", Arc::new(Float32Array::from_iter_values(events.iter().map(|event| event.met)))),
        ("weight", Arc::new(Float32Array::from_iter_values(events.iter().map(|event| event.weight)))),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Destroys the jets' pT in the row group in the middle of a file: its footer still reads well.
pub fn corrupt_a_page(path: &Path) {
    let file = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let groups = file.metadata().row_groups();
    let group = &groups[groups.len() / 2];
    let column = group.columns().iter().find(|column| column.column_path().string().starts_with("Jet_pt")).unwrap();
    let (start, length) = column.byte_range();
    let mut bytes = std::fs::read(path).unwrap();
    // The header of the first page stays, so that it is the contents that are wrong.
    let (start, end) = (start as usize + 64, (start + length) as usize);
    bytes[start..end].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}
