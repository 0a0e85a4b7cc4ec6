//! What a Parquet file holds, and what an analysis card can use of it.

mod sample;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use arrow_schema::{DataType, Fields};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::read::binding::{counter_name, is_integer, is_numeric, list_of, words};
use super::read::file;
use crate::error::Result;
pub use sample::{SampleInspection, inspect_sample};

/// The name of the operation in messages.
const NAME: &str = "events.inspect";
const IDS: [&str; 3] = ["run", "luminosityBlock", "event"];

/// What [`inspect`] found. Its `Display` is a table for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Which file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The number of events.
    pub rows: u64,
    /// The events in each row group.
    pub row_groups: Vec<u64>,
    /// What wrote it, as it says.
    pub writer: Option<String>,
    /// The names of the embedded metadata. The reader ignores them.
    pub metadata: Vec<String>,
    /// How trawl made the file: those of the metadata whose names begin with `trawl.`, and their texts.
    pub notes: Vec<(String, String)>,
    /// In the order of the file; a column of structs has one entry for each field.
    pub columns: Vec<ColumnInspection>,
}

/// One column, or one field of a column of structs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInspection {
    /// For example `Jet_pt`, or `Jet.pt` for a field.
    pub name: String,
    /// For example `list<float32>`, the same for every writer.
    pub data_type: String,
    /// The compressions of its pages, joined by `+` where row groups differ.
    pub codec: String,
    /// Its bytes in the file.
    pub compressed_bytes: u64,
    /// Its bytes before compression.
    pub uncompressed_bytes: u64,
    /// What it can be to a card.
    pub role: Role,
}

/// What a card can use a column as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A number for each object of a collection.
    Quantity {
        /// The collection's name in a card.
        collection: String,
        /// The quantity's name in a card.
        quantity: String,
    },
    /// The number of objects of a collection: checked against its lists, and a number for each event.
    Counter {
        /// The collection that it counts.
        collection: String,
    },
    /// A part of the event's name; it is a number for each event as well.
    Id,
    /// A number for each event.
    Scalar {
        /// Its name in a card.
        name: String,
    },
    /// Nothing.
    Unusable {
        /// Why not.
        why: String,
    },
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantity { collection, quantity } => write!(f, "'{quantity}' of the collection '{collection}'"),
            Self::Counter { collection } => write!(f, "counts the collection '{collection}'"),
            Self::Id => f.write_str("event id"),
            Self::Scalar { name } => write!(f, "scalar '{name}'"),
            Self::Unusable { why } => write!(f, "not usable: {why}"),
        }
    }
}

/// Reads the footer of `path`. Pages are not read, so damage in them does not show.
///
/// ```no_run
/// println!("{}", trawl::events::inspect("data.parquet")?);
/// # Ok::<(), trawl::Error>(())
/// ```
///
/// # Errors
/// A file that cannot be read, is not Parquet, or is truncated.
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection> {
    let path = path.as_ref();
    let (opened, metadata) = file::open(NAME, path)?;
    let bytes = opened.metadata().map_err(|error| crate::Error::io(NAME, "read", path, error))?.len();
    let footer = metadata.metadata();
    let row_groups: Vec<u64> = footer.row_groups().iter().map(|group| file::count(group.num_rows())).collect();
    let details = footer.file_metadata();
    let pairs = || details.key_value_metadata().into_iter().flatten();
    let notes = pairs().filter(|pair| pair.key.starts_with("trawl."));
    Ok(Inspection {
        path: path.to_owned(),
        bytes,
        rows: row_groups.iter().fold(0, |sum, &rows| sum.saturating_add(rows)),
        row_groups,
        writer: details.created_by().map(str::to_owned),
        metadata: pairs().map(|pair| pair.key.clone()).collect(),
        notes: notes.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect(),
        columns: columns(&metadata),
    })
}

fn columns(metadata: &ArrowReaderMetadata) -> Vec<ColumnInspection> {
    let schema = metadata.schema();
    let roles = Roles::new(schema.fields());
    let mut columns = Vec::new();
    for column in schema.fields() {
        let (name, data_type) = (column.name().as_str(), column.data_type());
        let of_list = list_of(data_type);
        match of_list.unwrap_or(data_type) {
            DataType::Struct(fields) => {
                for field in fields {
                    let role = roles.of_field(name, field.name(), field.data_type(), of_list.is_some());
                    let words = words(field.data_type());
                    let words = if of_list.is_some() { format!("list<{words}>") } else { words };
                    columns.push(described(metadata.metadata(), (name, Some(field.name())), words, role));
                }
            }
            _ => {
                let role = roles.of_column(name, data_type);
                columns.push(described(metadata.metadata(), (name, None), words(data_type), role));
            }
        }
    }
    columns
}

fn described(
    footer: &ParquetMetaData,
    (column, field): (&str, Option<&String>),
    data_type: String,
    role: Role,
) -> ColumnInspection {
    let schema = footer.file_metadata().schema_descr();
    let belongs = |&leaf: &usize| {
        let path = schema.column(leaf).path().clone();
        let parts = path.parts();
        // Below a list of structs the field comes after the names of the list's inner groups.
        parts[0] == column && field.is_none_or(|field| parts[1..].contains(field))
    };
    let leaves: Vec<usize> = (0..schema.num_columns()).filter(belongs).collect();
    let chunks = || footer.row_groups().iter().flat_map(|group| leaves.iter().map(|&leaf| group.column(leaf)));
    let codecs: BTreeSet<&str> = chunks().map(|chunk| codec(chunk.compression())).collect();
    ColumnInspection {
        name: field.map_or_else(|| column.to_owned(), |field| format!("{column}.{field}")),
        data_type,
        codec: codecs.into_iter().collect::<Vec<_>>().join("+"),
        compressed_bytes: chunks().map(|chunk| file::count(chunk.compressed_size())).fold(0, u64::saturating_add),
        uncompressed_bytes: chunks().map(|chunk| file::count(chunk.uncompressed_size())).fold(0, u64::saturating_add),
        role,
    }
}

fn codec(compression: Compression) -> &'static str {
    match compression {
        Compression::UNCOMPRESSED => "none",
        Compression::SNAPPY => "snappy",
        Compression::GZIP(_) => "gzip",
        Compression::LZO => "lzo",
        Compression::BROTLI(_) => "brotli",
        Compression::LZ4 | Compression::LZ4_RAW => "lz4",
        Compression::ZSTD(_) => "zstd",
    }
}

/// The names that give columns their roles.
struct Roles {
    /// Collections that are counted, longest first: `Jet_Extra_pt` belongs to `Jet_Extra` if there is `nJet_Extra`.
    counted: Vec<String>,
}

impl Roles {
    fn new(columns: &Fields) -> Self {
        let lists: Vec<&str> = columns
            .iter()
            .filter(|column| list_of(column.data_type()).is_some())
            .map(|column| column.name().as_str())
            .collect();
        let begins_a_list = |collection: &str| {
            lists
                .iter()
                .any(|list| list.strip_prefix(collection).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
        };
        let counted = columns.iter().filter(|column| is_integer(column.data_type()));
        let counted = counted.filter_map(|column| column.name().strip_prefix('n')).filter(|name| !name.is_empty());
        let mut named: Vec<String> = counted.filter(|name| begins_a_list(name)).map(str::to_owned).collect();
        named.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { counted: named }
    }

    /// Splits `Jet_pt` at the end of a counted collection, otherwise at the first underscore.
    fn split<'a>(&self, list: &'a str) -> Option<(&'a str, &'a str)> {
        let counted = self.counted.iter().find_map(|collection| {
            let quantity = list.strip_prefix(collection.as_str())?.strip_prefix('_')?;
            Some((&list[..collection.len()], quantity))
        });
        counted
            .or_else(|| list.split_once('_'))
            .filter(|(collection, quantity)| !collection.is_empty() && !quantity.is_empty())
    }

    fn of_column(&self, name: &str, data_type: &DataType) -> Role {
        if let Some(element) = list_of(data_type) {
            return match self.split(name) {
                _ if !is_numeric(element) => unusable(format!("lists of {}, not of numbers", words(element))),
                Some((collection, quantity)) => {
                    Role::Quantity { collection: collection.to_owned(), quantity: quantity.to_owned() }
                }
                None => unusable("a list whose name is not <collection>_<quantity>".into()),
            };
        }
        if !is_numeric(data_type) {
            return unusable(format!("{} is not a number", words(data_type)));
        }
        if is_integer(data_type) && IDS.contains(&name) {
            return Role::Id;
        }
        match self.counted.iter().find(|collection| is_integer(data_type) && counter_name(collection) == name) {
            Some(collection) => Role::Counter { collection: collection.clone() },
            None => Role::Scalar { name: name.to_owned() },
        }
    }

    fn of_field(&self, column: &str, field: &str, data_type: &DataType, in_list: bool) -> Role {
        if !is_numeric(data_type) {
            return unusable(format!("{} is not a number", words(data_type)));
        }
        if in_list {
            Role::Quantity { collection: column.to_owned(), quantity: field.to_owned() }
        } else {
            Role::Scalar { name: format!("{column}_{field}") }
        }
    }
}

fn unusable(why: String) -> Role {
    Role::Unusable { why }
}

impl Inspection {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path.display())?;
        let groups = match (self.row_groups.iter().min(), self.row_groups.iter().max()) {
            (Some(least), Some(most)) if self.row_groups.len() > 1 => {
                format!("{} row groups of {} to {}", self.row_groups.len(), grouped(*least), grouped(*most))
            }
            (Some(_), _) => "1 row group".into(),
            _ => "no row groups".into(),
        };
        writeln!(f, "  {} events in {groups}, {} bytes", grouped(self.rows), grouped(self.bytes))?;
        writeln!(f, "  written by {}", self.writer.as_deref().unwrap_or("an unnamed writer"))?;
        for (key, text) in &self.notes {
            writeln!(f, "  {}: {}", shown(key), shown(text))?;
        }
        let others: Vec<&str> = self.metadata.iter().map(String::as_str).filter(|key| !self.is_note(key)).collect();
        if !others.is_empty() {
            writeln!(f, "  metadata (ignored): {}", others.join(", "))?;
        }
        Ok(())
    }

    fn is_note(&self, key: &str) -> bool {
        self.notes.iter().any(|(note, _)| note == key)
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        let heads = ["column", "type", "codec", "bytes", "unpacked", "in a card"].map(String::from);
        let rows = self.columns.iter().map(|column| {
            let (bytes, unpacked) = (grouped(column.compressed_bytes), grouped(column.uncompressed_bytes));
            let role = column.role.to_string();
            [column.name.clone(), column.data_type.clone(), column.codec.clone(), bytes, unpacked, role]
        });
        let rows: Vec<[String; 6]> = std::iter::once(heads).chain(rows).collect();
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let [name, kind, codec, bytes, unpacked] = [0, 1, 2, 3, 4].map(width);
        for row in &rows {
            let [a, b, c, d, e, role] = row;
            writeln!(f, "  {a:name$}  {b:kind$}  {c:codec$}  {d:>bytes$}  {e:>unpacked$}  {role}")?;
        }
        Ok(())
    }
}

/// A text of a file on one line of a terminal, which anybody may have written, and as long as they liked.
fn shown(text: &str) -> String {
    const MOST: usize = 2000;
    let mut characters = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut shown: String = characters.by_ref().take(MOST).collect();
    if characters.next().is_some() {
        shown.push_str("...");
    }
    shown
}

/// 1234567 as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 12, 999, 1000, 1_234_567].map(grouped), ["0", "12", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn texts_of_files_stay_on_their_line() {
        assert_eq!(shown("a\n\u{1b}[2Jb"), "a  [2Jb");
        assert_eq!(shown(&"x".repeat(3000)).len(), 2003);
    }

    #[test]
    fn names_give_roles() {
        use arrow_schema::Field;
        let list = |element: DataType| DataType::List(Field::new("item", element, true).into());
        let fields: Fields = vec![
            Field::new("nJet", DataType::UInt32, false),
            Field::new("nJet_Extra", DataType::Int64, false),
            Field::new("Jet_pt", list(DataType::Float32), false),
            Field::new("Jet_Extra_pt", list(DataType::Float64), false),
            Field::new("Muon_charge_sign", list(DataType::Int8), true),
            Field::new("weights", list(DataType::Float32), true),
            Field::new("Jet_tags", list(DataType::Utf8), true),
            Field::new("nothing", DataType::Int32, true),
            Field::new("event", DataType::UInt64, true),
            Field::new("run", DataType::Float32, true),
        ]
        .into();
        let roles = Roles::new(&fields);
        let said: Vec<String> =
            fields.iter().map(|field| roles.of_column(field.name(), field.data_type()).to_string()).collect();
        assert_eq!(
            said,
            [
                "counts the collection 'Jet'",
                "counts the collection 'Jet_Extra'",
                "'pt' of the collection 'Jet'",
                "'pt' of the collection 'Jet_Extra'",
                "'charge_sign' of the collection 'Muon'",
                "not usable: a list whose name is not <collection>_<quantity>",
                "not usable: lists of string, not of numbers",
                "scalar 'nothing'",
                "event id",
                "scalar 'run'",
            ]
        );
    }
}
