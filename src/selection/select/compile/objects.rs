//! Where the quantities of objects come from, and the columns that are read.

use crate::events::{CollectionProjection, Projection};
use crate::selection::select::program::{NONE, ObjectPlan, Quantity};
use crate::selection::select::{Object, QuantityFrom};

/// What a quantity of a source is.
#[derive(Debug, Clone, PartialEq)]
enum Source<'a> {
    Column(&'a str),
    Constant(f32),
}

/// The flavour of a collection by its name, in any case and number.
fn flavour_of(collection: &str) -> Option<f32> {
    let small = collection.to_ascii_lowercase();
    let small = small.strip_prefix("analysis").unwrap_or(&small);
    let small = small.strip_suffix("auxdyn").unwrap_or(small);
    match small.strip_suffix('s').unwrap_or(small) {
        "electron" => Some(11.0),
        "muon" => Some(13.0),
        "tau" => Some(15.0),
        "photon" => Some(22.0),
        _ => None,
    }
}

/// The quantity `name` of a source of an object.
fn source<'n>(object: &'n Object, source: usize, name: &'n str) -> Source<'n> {
    match object.quantities.iter().find(|(known, _)| known == name) {
        Some((_, QuantityFrom::Column(column))) => return Source::Column(column),
        Some((_, QuantityFrom::Constant(constant))) => return Source::Constant(*constant),
        None => {}
    }
    let joined = object.from.len() > 1;
    match &object.flavours {
        Some(flavours) if name == "flavour" => Source::Constant(flavours.get(source).copied().unwrap_or(f32::NAN)),
        None if name == "flavour" && joined => {
            // `flavour_is_known` has refused those without.
            Source::Constant(flavour_of(&object.from[source]).unwrap_or(f32::NAN))
        }
        _ => Source::Column(name),
    }
}

/// The columns that hold the quantity `name` of an object, by collection and name.
pub(super) fn columns_of<'n>(object: &'n Object, name: &'n str) -> Vec<(Option<&'n str>, &'n str)> {
    let column = |place: usize| match source(object, place, name) {
        Source::Column(column) => Some((Some(object.from[place].as_str()), column)),
        Source::Constant(_) => None,
    };
    (0..object.from.len()).filter_map(column).collect()
}

/// Whether `quantity`, if it is the flavour, can be told for every collection of the object.
pub(super) fn flavour_is_known(object: &Object, quantity: &str) -> Result<(), String> {
    let given = object.quantities.iter().any(|(known, _)| known == "flavour");
    if quantity != "flavour" || object.from.len() < 2 || object.flavours.is_some() || given {
        return Ok(());
    }
    match object.from.iter().find(|collection| flavour_of(collection).is_none()) {
        None => Ok(()),
        Some(unknown) => Err(format!(
            "the flavour of '{unknown}' is not known by its name; give '{}' flavours = [...], one for each collection",
            object.name
        )),
    }
}

/// An object that the program uses.
struct Used<'a> {
    object: &'a Object,
    /// In order of first need.
    quantities: Vec<String>,
    has_direction: bool,
}

/// The objects and columns that the program uses, in order of first need.
#[derive(Default)]
pub(super) struct Tables<'a> {
    used: Vec<Used<'a>>,
    pub projection: Projection,
    columns: Vec<(usize, usize)>,
}

/// What is left when everything is known.
pub(super) struct Finished {
    pub projection: Projection,
    pub columns: Vec<(usize, usize)>,
    pub objects: Vec<ObjectPlan>,
    pub sources: Vec<u32>,
    pub quantities: Vec<Quantity>,
    /// For each object the final number of each of its quantities.
    pub renumbered: Vec<Vec<u32>>,
}

fn place_of<T: PartialEq<U>, U: ?Sized>(list: &mut Vec<T>, wanted: &U, make: impl FnOnce() -> T) -> usize {
    list.iter().position(|known| known == wanted).unwrap_or_else(|| {
        list.push(make());
        list.len() - 1
    })
}

impl<'a> Tables<'a> {
    /// The number of an object, which is used for the first time.
    pub(super) fn add(&mut self, object: &'a Object) -> u32 {
        for collection in &object.from {
            self.collection(collection);
        }
        self.used.push(Used { object, quantities: Vec::new(), has_direction: false });
        (self.used.len() - 1) as u32
    }

    fn collection(&mut self, name: &str) -> usize {
        let collections = &mut self.projection.collections;
        collections.iter().position(|known| known.name == name).unwrap_or_else(|| {
            collections.push(CollectionProjection { name: name.to_owned(), quantities: Vec::new() });
            collections.len() - 1
        })
    }

    /// The number of a quantity of an object, for now: see [`Finished::renumbered`].
    pub(super) fn quantity(&mut self, object: u32, name: &str) -> u32 {
        let used = &mut self.used[object as usize];
        if let Some(known) = used.quantities.iter().position(|known| known == name) {
            return known as u32;
        }
        used.quantities.push(name.to_owned());
        let (number, object) = (used.quantities.len() - 1, used.object);
        for place in 0..object.from.len() {
            if let Source::Column(column) = source(object, place, name) {
                self.column(&object.from[place], column);
            }
        }
        number as u32
    }

    fn column(&mut self, collection: &str, column: &str) -> u32 {
        let collection = self.collection(collection);
        let names = &mut self.projection.collections[collection].quantities;
        let quantity = place_of(names, column, || column.to_owned());
        place_of(&mut self.columns, &(collection, quantity), || (collection, quantity)) as u32
    }

    /// The object is one that items are separated from.
    pub(super) fn direct(&mut self, object: u32) {
        self.quantity(object, "eta");
        self.quantity(object, "phi");
        self.used[object as usize].has_direction = true;
    }

    pub(super) fn scalar(&mut self, name: &str) -> u32 {
        place_of(&mut self.projection.scalars, name, || name.to_owned()) as u32
    }

    pub(super) fn finish(mut self) -> Finished {
        self.fill_empty_collections();
        let (mut objects, mut sources, mut quantities) = (Vec::new(), Vec::new(), Vec::new());
        let mut renumbered = Vec::new();
        for index in 0..self.used.len() {
            let Used { object, has_direction, .. } = self.used[index];
            let mut names = self.used[index].quantities.clone();
            if has_direction {
                // eta and phi first; the others as they were.
                names.sort_by_key(|name| match name.as_str() {
                    "eta" => 0,
                    "phi" => 1,
                    _ => 2,
                });
            }
            let new = |name: &String| names.iter().position(|known| known == name).unwrap_or(0) as u32;
            renumbered.push(self.used[index].quantities.iter().map(new).collect());
            objects.push(ObjectPlan {
                first_source: sources.len() as u32,
                sources: object.from.len() as u32,
                first_quantity: quantities.len() as u32,
                quantities: names.len() as u32,
                leading: object.leading.unwrap_or(NONE),
                has_direction: u32::from(has_direction),
            });
            for name in names {
                for place in 0..object.from.len() {
                    quantities.push(match source(object, place, &name) {
                        Source::Column(column) => {
                            Quantity { column: self.column(&object.from[place], column), constant: 0.0 }
                        }
                        Source::Constant(constant) => Quantity { column: NONE, constant },
                    });
                }
            }
            for collection in &object.from {
                sources.push(self.collection(collection) as u32);
            }
        }
        Finished { projection: self.projection, columns: self.columns, objects, sources, quantities, renumbered }
    }

    /// Items can be counted only along a column: that of pT where no other is read.
    fn fill_empty_collections(&mut self) {
        for index in 0..self.used.len() {
            let object = self.used[index].object;
            for place in 0..object.from.len() {
                let collection = self.collection(&object.from[place]);
                if self.projection.collections[collection].quantities.is_empty() {
                    let column = match source(object, place, "pt") {
                        Source::Column(column) => column,
                        Source::Constant(_) => "eta",
                    };
                    self.column(&object.from[place], column);
                }
            }
        }
    }
}
