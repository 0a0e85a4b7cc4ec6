//! From the names of a projection to the columns of one file.

use std::path::Path;

use arrow_schema::{DataType, Fields};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::leaf::Leaf;
use super::{CollectionProjection, Ids, NAME, Projection, ReadOptions};
use crate::error::{Error, Fault, Problems, Result, nearest};
use crate::events::derived::{Derived, Masking};
use crate::events::schema::{Id, Place, Schema};

/// A number for each event, or for each object of each event: a whole column, or one field of a column of structs.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub column: String,
    pub field: Option<String>,
    pub leaf: Leaf,
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
    pub counter: Option<Site>,
}

/// Where a projected number of each event comes from.
#[derive(Debug, Clone)]
pub(super) enum ScalarSite {
    Column(Site),
    Derived(Derived),
}

/// Where one file keeps everything that is projected.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub collections: Vec<CollectionSites>,
    pub scalars: Vec<ScalarSite>,
    pub run: Option<Site>,
    pub luminosity_block: Option<Site>,
    pub event: Option<Site>,
    /// Whether the batches carry the ids that are read.
    pub ids: Ids,
    /// The Parquet leaves that hold all this: [`Leaf::place`] is a position here.
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
    /// Finds what `projection` names in the file at `path`, by the names of the schema.
    ///
    /// # Errors
    /// Every column that is missing or of a type that cannot be used, all at once.
    pub fn new(
        path: &Path,
        metadata: &ArrowReaderMetadata,
        projection: &Projection,
        options: &ReadOptions,
    ) -> Result<Self> {
        let mut binder = Binder { path, metadata, schema: &options.schema, leaves: Vec::new() };
        let mut problems = Problems::default();
        let mut collections = Vec::new();
        for collection in &projection.collections {
            collections.push(binder.collection(collection, &mut problems));
        }
        let mut scalars = Vec::new();
        for scalar in &projection.scalars {
            scalars.extend(problems.take(binder.scalar(scalar)));
        }
        let derived: Vec<Derived> = scalars
            .iter()
            .filter_map(|scalar| match scalar {
                ScalarSite::Derived(derived) => Some(*derived),
                ScalarSite::Column(_) => None,
            })
            .collect();
        let masking = Masking::of(options.luminosity_mask.as_deref());
        let mut id = |id: Id| {
            let needed = derived.iter().copied().find(|derived| derived.needs(id, masking));
            if projection.ids == Ids::Skipped && !derived.iter().any(|derived| derived.uses(id, masking)) {
                return None;
            }
            let site = binder.id(id);
            if let (None, Some(derived)) = (&site, needed) {
                problems.push(binder.missing_id(id, derived));
            }
            site
        };
        let (run, luminosity_block, event) = (id(Id::Run), id(Id::LuminosityBlock), id(Id::Event));
        problems.finish()?;
        Ok(Self { collections, scalars, run, luminosity_block, event, ids: projection.ids, leaves: binder.leaves })
    }
}

struct Binder<'a> {
    path: &'a Path,
    metadata: &'a ArrowReaderMetadata,
    schema: &'a Schema,
    leaves: Vec<usize>,
}

/// A column, or a field of a column of structs.
struct Found<'a> {
    column: &'a str,
    field: Option<&'a str>,
    /// Of the column or of the field.
    data_type: &'a DataType,
    /// Whether there is one for each object, and not for each event.
    listed: bool,
}

impl<'a> Binder<'a> {
    fn type_of(&self, column: &str) -> Option<&'a DataType> {
        self.metadata.schema().field_with_name(column).ok().map(|field| field.data_type())
    }

    /// A column of this name, or the field behind one of its dots.
    fn find<'n>(&self, name: &'n str) -> Option<Found<'n>>
    where
        'a: 'n,
    {
        if let Some(data_type) = self.type_of(name) {
            return Some(Found { column: name, field: None, data_type, listed: list_of(data_type).is_some() });
        }
        name.match_indices('.').find_map(|(dot, _)| self.find_field(&name[..dot], &name[dot + 1..]))
    }

    fn find_field<'n>(&self, column: &'n str, field: &'n str) -> Option<Found<'n>>
    where
        'a: 'n,
    {
        let data_type = self.type_of(column)?;
        let element = list_of(data_type);
        let (_, found) = fields_of(element.unwrap_or(data_type))?.find(field)?;
        Some(Found { column, field: Some(field), data_type: found.data_type(), listed: element.is_some() })
    }

    /// The leaf of what was found, if it holds numbers.
    fn site(&mut self, found: &Found<'_>, factor: f64) -> Option<Site> {
        let data_type = match found.field {
            None => list_of(found.data_type).unwrap_or(found.data_type),
            Some(_) => found.data_type,
        };
        let schema = self.metadata.parquet_schema();
        let fits = |leaf: &usize| {
            let descriptor = schema.column(*leaf);
            let parts = descriptor.path().parts();
            let last = parts.last().map(String::as_str);
            parts[0] == found.column && found.field.is_none_or(|field| parts.len() > 1 && last == Some(field))
        };
        // A field of the struct itself has the shortest path: structs within it may have fields of the same name.
        let leaf =
            (0..schema.num_columns()).filter(fits).min_by_key(|&leaf| schema.column(leaf).path().parts().len())?;
        let descriptor = schema.column(leaf);
        if !is_numeric(data_type) || descriptor.max_rep_level() != i16::from(found.listed) {
            return None;
        }
        let place = self.leaves.iter().position(|&known| known == leaf).unwrap_or_else(|| {
            self.leaves.push(leaf);
            self.leaves.len() - 1
        });
        let leaf = Leaf { descriptor, data_type: data_type.clone(), place, factor };
        Some(Site { column: found.column.to_owned(), field: found.field.map(str::to_owned), leaf })
    }

    /// A column of integers, one for each event.
    fn integer(&mut self, column: &str) -> Option<Site> {
        let found = self.find(column).filter(|found| is_integer(found.data_type))?;
        (!found.listed).then(|| self.site(&found, 1.0)).flatten()
    }

    fn id(&mut self, id: Id) -> Option<Site> {
        self.schema.id(id).iter().find_map(|name| self.integer(name))
    }

    fn collection(&mut self, collection: &CollectionProjection, problems: &mut Problems) -> CollectionSites {
        if collection.quantities.is_empty() {
            let problem = format!("nothing is projected from the collection '{}'", collection.name);
            problems.push(Fault::new(NAME, problem).because("its lengths come with its quantities").usage());
        }
        let mut quantities = Vec::new();
        for quantity in &collection.quantities {
            quantities.extend(problems.take(self.quantity(&collection.name, quantity)));
        }
        CollectionSites { quantities, counter: self.integer(&counter_name(&collection.name)) }
    }

    fn quantity(&mut self, collection: &str, quantity: &str) -> Result<Site> {
        let mapped = self.schema.mapped_quantity(collection, quantity);
        let nested = self.type_of(collection).and_then(list_of).and_then(fields_of);
        if let (None, Some(fields)) = (&mapped, nested) {
            let Some(found) = self.find_field(collection, quantity) else {
                let known = fields.iter().map(|field| field.name().as_str());
                return Err(self.missing(&format!("{collection}.{quantity}"), quantity, known));
            };
            let factor = self.schema.factor(quantity);
            return self.site(&found, factor).ok_or_else(|| self.wrong_type(&found, "a list of numbers"));
        }
        let places = mapped.map_or_else(|| self.schema.quantity(collection, quantity), |place| vec![place]);
        self.first_of(&places, "a list of numbers", |found| found.listed)
    }

    /// A column, or `MET_pt` as the field `pt` of a column of structs `MET`, or a number that the reader derives.
    fn scalar(&mut self, name: &str) -> Result<ScalarSite> {
        const WANTED: &str = "a number";
        let places = self.schema.scalar(name);
        let known = places.iter().any(|place| self.find(&place.column).is_some());
        if !known && !self.schema.maps(name) {
            for (split, _) in name.match_indices('_') {
                let Some(found) = self.find_field(&name[..split], &name[split + 1..]).filter(|found| !found.listed)
                else {
                    continue;
                };
                let factor = self.schema.factor(&name[split + 1..]);
                let site = self.site(&found, factor).ok_or_else(|| self.wrong_type(&found, WANTED));
                return site.map(ScalarSite::Column);
            }
            if let Some(derived) = Derived::named(name) {
                return Ok(ScalarSite::Derived(derived));
            }
        }
        self.first_of(&places, WANTED, |found| !found.listed).map(ScalarSite::Column)
    }

    /// The first of the places that the file has.
    fn first_of(&mut self, places: &[Place], wanted: &str, shape: impl Fn(&Found<'_>) -> bool) -> Result<Site> {
        for place in places {
            if let Some(found) = self.find(&place.column) {
                let site = shape(&found).then(|| self.site(&found, place.factor)).flatten();
                return site.ok_or_else(|| self.wrong_type(&found, wanted));
            }
        }
        // A schema names one place at least.
        let wanted = places.first().map_or("", |place| &place.column);
        let known = self.metadata.schema().fields().iter().map(|field| field.name().as_str());
        Err(self.missing(wanted, wanted, known))
    }

    fn wrong_type(&self, found: &Found<'_>, wanted: &str) -> Error {
        let site = found.field.map_or_else(|| found.column.to_owned(), |field| format!("{}.{field}", found.column));
        let (path, is) = (self.path.display(), words(found.data_type));
        Fault::new(NAME, format!("column '{site}' of '{path}' is {is}, not {wanted} for each event")).data()
    }

    fn missing_id(&self, id: Id, derived: Derived) -> Error {
        let name = self.schema.id(id).remove(0);
        let problem = format!("column '{name}' is missing in '{}'", self.path.display());
        Fault::new(NAME, problem).because(format!("'{}' is made from it", derived.name())).data()
    }

    fn missing<'n>(&self, wanted: &str, word: &str, known: impl Iterator<Item = &'n str>) -> Error {
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
