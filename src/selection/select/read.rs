//! A selection from a card: `[objects.*]`, `[variables]`, `[[select]]`.

use std::sync::Arc;

use super::compile::{Mistake, Part, compile};
use super::{Cut, Object, Selection, Variable, Weight};
use crate::settings::Section;

impl Selection {
    /// Reads the tables `objects`, `variables` and `select` of the card; every mistake is reported with its line. The
    /// weight is 1 until [`Selection::with_weight`] gives a sample its own.
    ///
    /// `None` where there were mistakes.
    pub fn read(root: &Section<'_>) -> Option<Self> {
        let mut sound = true;
        let object_sections = root.named_sections("objects");
        let objects: Vec<Object> =
            object_sections.iter().map(|(name, section)| read_object(name, section, &mut sound)).collect();
        let variable_section = root.section("variables");
        let mut variables = Vec::new();
        for name in variable_section.keys() {
            match variable_section.required::<String>(&name) {
                Some(value) => variables.push(Variable { name, value }),
                None => sound = false,
            }
        }
        let mut cut_sections = Vec::new();
        let mut cuts = Vec::new();
        for section in root.sections("select") {
            match (section.required("name"), section.required("require")) {
                (Some(name), Some(require)) => {
                    cuts.push(Cut { name, require });
                    cut_sections.push(section);
                }
                _ => sound = false,
            }
        }
        // Compiled even if something could not be read, so that all mistakes are found at once.
        let weight = Weight::default();
        let (program, mistakes) = compile(&objects, &variables, &cuts, &weight);
        for Mistake { part, why } in &mistakes {
            match *part {
                Part::Object(index, key) => object_sections[index].1.problem(key, why),
                Part::Variable(index) => variable_section.problem(&variables[index].name, why),
                Part::Cut(index, key) => cut_sections[index].problem(key, why),
            }
        }
        (sound && mistakes.is_empty()).then(|| Self { objects, variables, cuts, weight, program: Arc::new(program) })
    }
}

impl Weight {
    /// Reads the keys of a sample: `weight` (a column of event weights; none: 1), `scale` (a factor, 1) and, with a column,
    /// `largest_weight` (the largest absolute value of their product).
    ///
    /// `None` where there were mistakes.
    pub fn read(sample: &Section<'_>) -> Option<Self> {
        let factor = sample.or("scale", 1.0);
        let weight = if sample.has("weight") {
            let (column, largest) = (sample.required::<String>("weight"), sample.required("largest_weight"));
            Self::column(column?, factor, largest?)
        } else {
            // A constant needs no range, but the key is known.
            let _ = sample.optional::<f64>("largest_weight");
            Self::constant(factor)
        };
        sample.check(weight)
    }
}

/// An object, as far as it can be read: its name is known in any case, so that no use of it is called a mistake.
fn read_object(name: &str, section: &Section<'_>, sound: &mut bool) -> Object {
    let mut object = Object::new(name, "");
    match section.required("collection") {
        Some(collection) => object.collection = collection,
        None => *sound = false,
    }
    let renamed = section.section("quantities");
    for quantity in renamed.keys() {
        match renamed.required::<String>(&quantity) {
            Some(column) => object.quantities.push((quantity, column)),
            None => *sound = false,
        }
    }
    let keep = section.optional("keep");
    let leading = section.optional("leading");
    *sound &= keep.is_some() || !section.has("keep");
    *sound &= leading.is_some() || !section.has("leading");
    Object { keep: keep.unwrap_or_default(), leading, ..object }
}
