//! From the names of a projection to the columns of one file.

use std::collections::BTreeSet;
use std::path::Path;

use arrow_schema::{DataType, Fields};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::leaf::Leaf;
use super::uses::{self, ColumnUse, nearest_name};
use super::{CollectionProjection, Ids, NAME, Projection, ReadOptions};
use crate::error::{Error, Fault, Problems, Result, nearest};
use crate::events::derived::{Derived, Masking};
use crate::events::schema::{Id, Place, Preset, Schema};

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
        let mut binder = Binder { path, metadata, schema: &options.schema, uses: &projection.uses, leaves: Vec::new() };
        let mut problems = Problems::default();
        let mut collections = Vec::new();
        for collection in &projection.collections {
            collections.push(binder.collection(collection, &mut problems));
        }
        let mut scalars = Vec::new();
        for scalar in &projection.scalars {
            let site = binder.scalar(scalar).and_then(|site| match site {
                ScalarSite::Column(site) => binder.fit(None, scalar, site).map(ScalarSite::Column),
                derived @ ScalarSite::Derived(_) => Ok(derived),
            });
            scalars.extend(problems.take(site));
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
            let bad = if site.is_none() { binder.bad_id(id, needed) } else { None };
            if let Some(bad) = bad {
                problems.push(bad);
            }
            site
        };
        let (run, luminosity_block, event) = (id(Id::Run), id(Id::LuminosityBlock), id(Id::Event));
        problems.finish()?;
        let leaves = binder.leaves;
        let binding = Self { collections, scalars, run, luminosity_block, event, ids: projection.ids, leaves };
        binding.check_names(path, metadata)?;
        Ok(binding)
    }

    /// A file may hold columns of one name: of those that are used, there must be one.
    fn check_names(&self, path: &Path, metadata: &ArrowReaderMetadata) -> Result<()> {
        let ids = [&self.run, &self.luminosity_block, &self.event].into_iter().flatten();
        let used: BTreeSet<&str> = self.sites().chain(ids).map(|site| site.column.as_str()).collect();
        let mut problems = Problems::default();
        for name in used {
            let times = metadata.schema().fields().iter().filter(|field| field.name() == name).count();
            if times > 1 {
                let fault = Fault::new(NAME, format!("'{}' has {times} columns '{name}'", path.display()));
                problems.push(fault.because("which is meant cannot be told").suggest("Rename the others.").data());
            }
        }
        problems.finish()
    }
}

impl Binding {
    /// The first column that is flags in one of two files and measured numbers in the other, and its types.
    pub fn contradiction<'a>(&'a self, other: &'a Self) -> Option<(&'a Site, [String; 2])> {
        let flag = |site: &Site| site.leaf.data_type == DataType::Boolean;
        let measured = |site: &Site| !flag(site) && !is_integer(&site.leaf.data_type);
        let mut pairs = self.sites().zip(other.sites());
        let (one, two) = pairs.find(|(one, two)| flag(one) && measured(two) || measured(one) && flag(two))?;
        Some((one, [one, two].map(|site| words(&site.leaf.data_type))))
    }

    /// The columns of the projection, in its order, of which every file has as many.
    fn sites(&self) -> impl Iterator<Item = &Site> {
        let quantities = self.collections.iter().flat_map(|collection| &collection.quantities).map(Some);
        let scalars = self.scalars.iter().map(|scalar| match scalar {
            ScalarSite::Column(site) => Some(site),
            ScalarSite::Derived(_) => None,
        });
        quantities.chain(scalars).flatten()
    }
}

struct Binder<'a> {
    path: &'a Path,
    metadata: &'a ArrowReaderMetadata,
    schema: &'a Schema,
    uses: &'a [ColumnUse],
    leaves: Vec<usize>,
}

/// The quantity of a collection, or the scalar, that a column is looked for.
type Need<'n> = (Option<&'n str>, &'n str);

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
            let site = self.quantity(&collection.name, quantity);
            let site = site.and_then(|site| self.fit(Some(&collection.name), quantity, site));
            quantities.extend(problems.take(site));
        }
        CollectionSites { quantities, counter: self.integer(&counter_name(&collection.name)) }
    }

    fn quantity(&mut self, collection: &str, quantity: &str) -> Result<Site> {
        let mapped = self.schema.mapped_quantity(collection, quantity);
        let nested = self.type_of(collection).and_then(list_of).and_then(fields_of);
        if let (None, Some(fields)) = (&mapped, nested) {
            let need = (Some(collection), quantity);
            let Some(found) = self.find_field(collection, quantity) else {
                let known: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                let hint = self.hint_for_quantity(collection, quantity).or_else(|| did_you_mean(quantity, &known));
                return Err(self.missing(&format!("{collection}.{quantity}"), need, hint));
            };
            let factor = self.schema.factor(quantity);
            return self.site(&found, factor).ok_or_else(|| self.wrong_type(&found, "a list of numbers", need));
        }
        let places = mapped.map_or_else(|| self.schema.quantity(collection, quantity), |place| vec![place]);
        self.first_of(&places, "a list of numbers", (Some(collection), quantity), |found| found.listed)
    }

    /// The site, unless the column holds measured numbers where an expression wants flags or integers.
    fn fit(&self, collection: Option<&str>, name: &str, site: Site) -> Result<Site> {
        let Some((wanted, why, how)) = uses::misuse(self.uses, collection, name, &site.leaf.data_type) else {
            return Ok(site);
        };
        let (path, is) = (self.path.display(), words(&site.leaf.data_type));
        let fault = Fault::new(NAME, format!("column '{site}' of '{path}' is {is}, not {wanted}"));
        Err(fault.because(why).suggest(how).data())
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
                let site = self.site(&found, factor).ok_or_else(|| self.wrong_type(&found, WANTED, (None, name)));
                return site.map(ScalarSite::Column);
            }
            if let Some(derived) = Derived::named(name) {
                return Ok(ScalarSite::Derived(derived));
            }
        }
        self.first_of(&places, WANTED, (None, name), |found| !found.listed).map(ScalarSite::Column)
    }

    /// The first of the places that the file has, for the quantity or scalar `need`.
    fn first_of(
        &mut self,
        places: &[Place],
        wanted: &str,
        need: Need<'_>,
        shape: impl Fn(&Found<'_>) -> bool,
    ) -> Result<Site> {
        for place in places {
            if let Some(found) = self.find(&place.column) {
                let site = shape(&found).then(|| self.site(&found, place.factor)).flatten();
                return site.ok_or_else(|| self.wrong_type(&found, wanted, need));
            }
        }
        // A schema names one place at least.
        let wanted = places.first().map_or("", |place| &place.column);
        let hint = match need {
            (Some(collection), quantity) => self.hint_for_quantity(collection, quantity),
            (None, name) => self.hint_for_scalar(name),
        };
        let hint = hint.or_else(|| did_you_mean(wanted, &self.columns()));
        Err(self.missing(wanted, need, hint))
    }

    fn columns(&self) -> Vec<&'a str> {
        self.metadata.schema().fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// What else the quantity of an item could mean.
    fn hint_for_quantity(&self, collection: &str, quantity: &str) -> Option<String> {
        let has = |collection: &str, quantity: &str| {
            let listed = self.find_field(collection, quantity).is_some_and(|found| found.listed);
            let is_list = |place: &Place| self.find(&place.column).is_some_and(|found| found.listed);
            listed || self.schema.quantity(collection, quantity).iter().any(is_list)
        };
        let bare = quantity.strip_prefix(collection).and_then(|rest| rest.strip_prefix('_'));
        if let Some(bare) = bare.filter(|bare| has(collection, bare)) {
            return Some(format!("Did you mean '{bare}'? Quantities of an item stand without their collection"));
        }
        if self.find(quantity).is_some_and(|found| !found.listed) {
            return Some(format!("Did you mean 'event.{quantity}'? It is a column of the event"));
        }
        let inner = collection.strip_suffix("AuxDyn").map(|name| name.strip_prefix("Analysis").unwrap_or(name));
        if let Some(inner) = inner.filter(|inner| has(inner, quantity)) {
            return Some(format!("Did you mean from = \"{inner}\"? The schema adds 'Analysis' and 'AuxDyn' itself"));
        }
        let is_physlite = |column: &&str| column.starts_with("EventInfoAuxDyn.");
        if self.schema.preset() != Preset::Physlite && self.columns().iter().any(is_physlite) {
            return Some("Did you mean schema = \"physlite\"? The file has its columns".to_owned());
        }
        nearest(quantity, ["flavour"]).map(|near| format!("Did you mean '{near}'?"))
    }

    /// What else a number of the event could mean: the nearest of the columns and of the names that the card defines.
    fn hint_for_scalar(&self, name: &str) -> Option<String> {
        let defined = uses::first(self.uses, None, name).and_then(|found| found.defined.as_deref())?;
        let mut known = self.columns();
        known.push(defined);
        did_you_mean(name, &known)
    }

    fn wrong_type(&self, found: &Found<'_>, wanted: &str, (collection, name): Need<'_>) -> Error {
        let site = found.field.map_or_else(|| found.column.to_owned(), |field| format!("{}.{field}", found.column));
        let (path, is) = (self.path.display(), words(found.data_type));
        let fault = Fault::new(NAME, format!("column '{site}' of '{path}' is {is}, not {wanted} for each event"));
        let Some(place) = uses::first(self.uses, collection, name) else { return fault.data() };
        let how = match (collection, found.listed) {
            (None, true) => {
                "Lists are quantities of objects: name one in [objects], and write jet[0].pt or sum(jet.pt)"
            }
            _ => "`trawl inspect` says what columns can be used as",
        };
        uses::with_place(fault, Some(place), how).data()
    }

    /// Why an id that was not found should have been: its column holds something else, the card names it, or a number is
    /// made from it. Otherwise events go without, and survivors are numbered by their rows.
    fn bad_id(&self, id: Id, needed: Option<Derived>) -> Option<Error> {
        let name = self.schema.id(id).remove(0);
        if let Some(found) = self.find(&name) {
            let (path, is) = (self.path.display(), words(found.data_type));
            let problem = format!("column '{name}' of '{path}' is {is}, not an integer for each event");
            let fault = Fault::new(NAME, problem).because("events are told apart by (run, luminosity block, event)");
            let other = format!("Write it as integers, or name another column: columns.{} = \"...\".", id.name());
            return Some(fault.suggest(other).data());
        }
        let problem = format!("column '{name}' is missing in '{}'", self.path.display());
        let why = match needed {
            Some(derived) => format!("'{}' is made from it", derived.name()),
            None if self.schema.maps(id.name()) => format!("the card maps '{}' to it", id.name()),
            None => return None,
        };
        let fault = Fault::new(NAME, problem).because(why);
        Some(match did_you_mean(&name, &self.columns()) {
            Some(hint) => fault.suggest(hint).data(),
            None => fault.data(),
        })
    }

    fn missing(&self, wanted: &str, (collection, name): Need<'_>, hint: Option<String>) -> Error {
        let fault = Fault::new(NAME, format!("column '{wanted}' is missing in '{}'", self.path.display()));
        let hint = hint.unwrap_or_else(|| "`trawl inspect` lists the columns of a file".to_owned());
        uses::with_place(fault, uses::first(self.uses, collection, name), &hint).data()
    }
}

fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    nearest_name(word, known).map(|near| format!("Did you mean '{near}'?"))
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
