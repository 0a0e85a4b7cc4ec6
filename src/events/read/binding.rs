//! From the names of a projection to the columns of one file.

use std::path::Path;

use arrow_schema::{DataType, Fields, Schema};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::schema::types::SchemaDescriptor;

use super::{CollectionProjection, NAME, Projection};
use crate::error::{Fault, Problems, Result, nearest};

/// A number for each event, or for each object of each event: a whole column, or one field of a column of structs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub column: String,
    pub field: Option<String>,
}

impl Site {
    fn column(column: impl Into<String>) -> Self {
        Self { column: column.into(), field: None }
    }

    fn field(column: &str, field: &str) -> Self {
        Self { column: column.to_owned(), field: Some(field.to_owned()) }
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}.{field}", self.column),
            None => f.write_str(&self.column),
        }
    }
}

/// Where one file keeps a projected collection.
#[derive(Debug, Clone)]
pub(super) struct CollectionSites {
    pub quantities: Vec<Site>,
    /// The column with the number of objects, where the file has one.
    pub counter: Option<String>,
}

/// Where one file keeps everything that is projected.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub collections: Vec<CollectionSites>,
    pub scalars: Vec<Site>,
    pub run: Option<String>,
    pub luminosity_block: Option<String>,
    pub event: Option<String>,
    /// The Parquet leaves that hold all this, ascending.
    pub leaves: Vec<usize>,
}

/// The column that counts the objects of `collection`: NanoAOD's convention.
pub(crate) fn counter_name(collection: &str) -> String {
    format!("n{collection}")
}

/// The column of a quantity in the flat convention of NanoAOD.
pub(crate) fn flat_name(collection: &str, quantity: &str) -> String {
    format!("{collection}_{quantity}")
}

/// Whether the values of a column of this type become f32.
pub(crate) fn is_numeric(data_type: &DataType) -> bool {
    use DataType::{Boolean, Float16, Float32, Float64};
    is_integer(data_type) || matches!(data_type, Boolean | Float16 | Float32 | Float64)
}

/// Whether the column can count objects or number events.
pub(crate) fn is_integer(data_type: &DataType) -> bool {
    data_type.is_integer()
}

/// The type of the elements, if the column is a list.
pub(crate) fn list_of(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(element) | DataType::LargeList(element) => Some(element.data_type()),
        _ => None,
    }
}

impl Binding {
    /// Finds what `projection` names in the file at `path`.
    ///
    /// # Errors
    /// Every column that is missing or of a type that cannot be used, all at once.
    pub fn new(path: &Path, metadata: &ArrowReaderMetadata, projection: &Projection) -> Result<Self> {
        let schema = metadata.schema();
        let binder = Binder { path, schema };
        let mut problems = Problems::default();
        let mut binding = Self {
            collections: Vec::new(),
            scalars: Vec::new(),
            run: binder.integer("run"),
            luminosity_block: binder.integer("luminosityBlock"),
            event: binder.integer("event"),
            leaves: Vec::new(),
        };
        for collection in &projection.collections {
            let sites = binder.collection(collection, &mut problems);
            binding.collections.push(sites);
        }
        for scalar in &projection.scalars {
            binding.scalars.extend(problems.take(binder.scalar(scalar)));
        }
        problems.finish()?;
        binding.leaves = binding.find_leaves(metadata.parquet_schema());
        Ok(binding)
    }

    fn find_leaves(&self, schema: &SchemaDescriptor) -> Vec<usize> {
        let counters = self.collections.iter().filter_map(|collection| collection.counter.as_deref());
        let ids = [&self.run, &self.luminosity_block, &self.event].into_iter().filter_map(|id| id.as_deref());
        let whole = counters.chain(ids).map(Site::column);
        let quantities = self.collections.iter().flat_map(|collection| &collection.quantities);
        let sites = quantities.chain(&self.scalars).cloned().chain(whole);
        let mut leaves: Vec<usize> = sites.filter_map(|site| leaf_of(schema, &site)).collect();
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }
}

fn leaf_of(schema: &SchemaDescriptor, site: &Site) -> Option<usize> {
    (0..schema.num_columns()).find(|&leaf| {
        let column = schema.column(leaf);
        let parts = column.path().parts();
        let in_column = parts.first() == Some(&site.column);
        in_column && site.field.as_ref().is_none_or(|field| parts.len() > 1 && parts.last() == Some(field))
    })
}

struct Binder<'a> {
    path: &'a Path,
    schema: &'a Schema,
}

impl Binder<'_> {
    fn type_of(&self, column: &str) -> Option<&DataType> {
        self.schema.field_with_name(column).ok().map(|field| field.data_type())
    }

    fn integer(&self, column: &str) -> Option<String> {
        self.type_of(column).filter(|data_type| is_integer(data_type)).map(|_| column.to_owned())
    }

    fn collection(&self, collection: &CollectionProjection, problems: &mut Problems) -> CollectionSites {
        if collection.quantities.is_empty() {
            let problem = format!("nothing is projected from the collection '{}'", collection.name);
            problems.push(Fault::new(NAME, problem).because("its lengths come with its quantities").usage());
        }
        let nested = self.type_of(&collection.name).and_then(list_of).and_then(fields_of);
        let quantities = collection.quantities.iter().filter_map(|quantity| {
            problems.take(match nested {
                Some(fields) => self.nested(&collection.name, fields, quantity),
                None => self.flat(&collection.name, quantity),
            })
        });
        CollectionSites { quantities: quantities.collect(), counter: self.integer(&counter_name(&collection.name)) }
    }

    fn nested(&self, collection: &str, fields: &Fields, quantity: &str) -> Result<Site> {
        let site = Site::field(collection, quantity);
        match fields.find(quantity) {
            Some((_, field)) if is_numeric(field.data_type()) => Ok(site),
            Some((_, field)) => Err(self.wrong_type(&site, field.data_type(), "a list of numbers")),
            None => Err(self.missing(&site.to_string(), quantity, fields.iter().map(|field| field.name().as_str()))),
        }
    }

    fn flat(&self, collection: &str, quantity: &str) -> Result<Site> {
        let site = Site::column(flat_name(collection, quantity));
        match self.type_of(&site.column) {
            Some(data_type) if list_of(data_type).is_some_and(is_numeric) => Ok(site),
            Some(data_type) => Err(self.wrong_type(&site, data_type, "a list of numbers")),
            None => Err(self.missing_column(&site.column)),
        }
    }

    /// A column, or `MET_pt` as the field `pt` of a column of structs `MET`.
    fn scalar(&self, name: &str) -> Result<Site> {
        if let Some(data_type) = self.type_of(name) {
            let site = Site::column(name);
            return if is_numeric(data_type) { Ok(site) } else { Err(self.wrong_type(&site, data_type, "a number")) };
        }
        for (split, _) in name.match_indices('_') {
            let (column, field) = (&name[..split], &name[split + 1..]);
            let found = self.type_of(column).and_then(fields_of).and_then(|fields| fields.find(field));
            if let Some((_, found)) = found {
                let site = Site::field(column, field);
                let usable = is_numeric(found.data_type());
                return if usable { Ok(site) } else { Err(self.wrong_type(&site, found.data_type(), "a number")) };
            }
        }
        Err(self.missing_column(name))
    }

    fn wrong_type(&self, site: &Site, found: &DataType, wanted: &str) -> crate::Error {
        let problem =
            format!("column '{site}' of '{}' is {}, not {wanted} for each event", self.path.display(), words(found));
        Fault::new(NAME, problem).data()
    }

    fn missing_column(&self, column: &str) -> crate::Error {
        self.missing(column, column, self.schema.fields().iter().map(|field| field.name().as_str()))
    }

    fn missing<'a>(&self, wanted: &str, word: &str, known: impl Iterator<Item = &'a str>) -> crate::Error {
        let fault = Fault::new(NAME, format!("column '{wanted}' is missing in '{}'", self.path.display()));
        match nearest(word, known) {
            Some(near) => fault.suggest(format!("Did you mean '{near}'?")).data(),
            None => fault.suggest("`trawl inspect` lists the columns of a file").data(),
        }
    }
}

fn fields_of(data_type: &DataType) -> Option<&Fields> {
    match data_type {
        DataType::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// A type in short words, the same for every writer.
pub(crate) fn words(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => {
            let names: Vec<_> =
                fields.iter().map(|field| format!("{}: {}", field.name(), words(field.data_type()))).collect();
            format!("struct<{}>", names.join(", "))
        }
        DataType::Boolean => "bool".into(),
        DataType::Utf8 => "string".into(),
        DataType::Binary => "binary".into(),
        other => match list_of(other) {
            Some(element) => format!("list<{}>", words(element)),
            None => other.to_string().to_lowercase(),
        },
    }
}
