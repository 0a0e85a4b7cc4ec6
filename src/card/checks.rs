//! What parts of a card that are right by themselves get wrong together: mappings that nothing needs, names that clash in the
//! output.

use std::collections::HashMap;

use super::{Keep, Sample};
use crate::error::nearest;
use crate::events::Projection;
use crate::features::jets::JetCollection;
use crate::selection::Selection;
use crate::settings::Section;

/// Columns are mapped to be read: what no expression and no weight needs is a slip of the name.
pub(super) fn mappings(root: &Section, samples: &[Sample], projection: &Projection) {
    const IDS: [&str; 3] = ["run", "luminosityBlock", "event"];
    for sample in samples {
        let schema = &sample.reading.schema;
        let quantities = projection.collections.iter().flat_map(|collection| {
            let name = |quantity: &String| schema.name_of_quantity(&collection.name, quantity);
            collection.quantities.iter().map(name)
        });
        let scalars = projection.scalars.iter().chain(&sample.weight.column).cloned();
        let needed: Vec<String> = quantities.chain(scalars).chain(IDS.map(str::to_owned)).collect();
        let section = root.section("samples").section(&sample.name).section("columns");
        for name in schema.mapped_names().filter(|name| !needed.iter().any(|needed| needed == name)) {
            let unmapped = needed.iter().map(String::as_str).filter(|name| !schema.maps(name));
            let hint = nearest(name, unmapped).map_or(String::new(), |near| format!(". Did you mean '{near}'?"));
            section.problem(name, format!("no expression needs it, so it would be ignored{hint}"));
        }
    }
}

/// Jets are clustered to be used: what no object is taken from is a slip of the name.
pub(super) fn jets(root: &Section, jets: &[JetCollection], selection: &Selection) {
    let used = &selection.projection().collections;
    for unused in jets.iter().filter(|jets| used.iter().all(|used| used.name != jets.name)) {
        root.section("jets").problem(&unused.name, "no object is taken from these jets; give one this 'from'");
    }
}

/// A part of the name of files: `survivors-NAME.parquet`, `cutflow-NAME.csv`.
pub(super) fn names_of_samples(root: &Section) {
    let section = root.section("samples");
    let mut seen: HashMap<String, String> = HashMap::new();
    for name in section.keys() {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            section.problem(&name, "it names files: use letters, digits, '-', '_' and '.'");
        } else if let Some(other) = seen.insert(name.to_ascii_lowercase(), name.clone()) {
            let why = format!("its files and those of '{other}' have the same names where capitals are small letters");
            section.problem(&name, why);
        }
    }
}

/// The columns of the table of survivors, in its order: ids, definitions, weight, channels and regions, features.
pub(super) fn columns_of_survivors(root: &Section, selection: &Selection, keep: Keep) {
    if keep == Keep::Histograms {
        return;
    }
    let ids = [("run", "the run"), ("luminosityBlock", "the luminosity block"), ("event", "the event's number")];
    let known = ids.into_iter().chain([("weight", "the weight")]);
    let mut seen: HashMap<String, String> = known.map(|(name, what)| (name.to_owned(), what.to_owned())).collect();
    let mut column = |section: &Section, key: &str, name: String, what: String| {
        if let Some(other) = seen.get(&name) {
            let why = format!("the table of survivors would have two columns '{name}', of which one is {other}");
            section.problem(key, format!("{why}; rename one"));
        } else {
            seen.insert(name, what);
        }
    };
    let (outputs, definition) = (selection.outputs(), selection.definition());
    let section = root.section("define");
    for name in &outputs.variables {
        column(&section, name, name.clone(), format!("the definition '{name}'"));
    }
    let channels = definition.channels.iter().map(|channel| ("channels", &channel.entry.name));
    for (table, name) in channels.chain(definition.regions.iter().map(|region| ("regions", &region.name))) {
        column(&root.section(table), name, name.clone(), format!("'{name}' in [{table}]"));
    }
    let section = root.section("features");
    // A selection was made of every table of the card, in its order.
    for (key, table) in section.keys().iter().zip(&outputs.features) {
        for quantity in table.quantities.iter().map(String::as_str).chain(["mask"]) {
            let what = format!("'{quantity}' in [features.{key}]");
            column(&section, key, format!("{}_{quantity}", table.object), what);
        }
    }
}
