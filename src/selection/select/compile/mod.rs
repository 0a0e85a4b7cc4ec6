//! From the texts of a [`Definition`] to a [`Program`]: resolves names, checks types, assigns registers, finds every mistake.

mod assign;
mod check;
mod emit;
mod names;
mod objects;
mod operands;
#[cfg(test)]
mod tests;
mod typed;

use emit::Emitted;

use super::program::{NONE, Program};
use super::{Definition, Weight};
use crate::events::{ColumnUse, Projection, Wanted};

/// What a selection yields of every survivor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs {
    /// The definitions that are numbers, in their order: the first of the survivors' variables.
    pub variables: Vec<String>,
    /// The tables of features, whose columns follow.
    pub features: Vec<FeatureTable>,
    /// What the bits of the survivors' flags mean, from the lowest: channels, then regions.
    pub flags: Vec<String>,
}

/// Where a table of features stands among the variables of a survivor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureTable {
    /// The object.
    pub object: String,
    /// How many places it has.
    pub number: usize,
    /// Its quantities: that of position q has its places in the variables `first + q number .. first + (q + 1) number`.
    pub quantities: Vec<String>,
    /// The first variable. The mask (1 where the event has the item, else 0) is what would be the quantity after the last.
    pub first: usize,
}

/// A mistake and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The keys of a card that lead to the text: `objects`, `jet`, `keep`.
    pub path: Vec<String>,
    pub why: String,
}

/// A program; with mistakes, it must not run.
pub(super) struct Compiled {
    pub program: Program,
    pub outputs: Outputs,
    pub mistakes: Vec<Mistake>,
}

/// Compiles a selection.
pub(super) fn compile(definition: &Definition, weight: &Weight) -> Compiled {
    let mut mistakes = Vec::new();
    let (checked, uses) = check::check(definition, &mut mistakes);
    let weight_column = weight.column.as_deref();
    let emitted = emit::emit(definition, checked.as_ref(), weight_column);
    let Emitted { tables, mut steps, checks, mut presences, words, groups, texts, rows, variables, weight, outputs } =
        emitted;
    let registers = assign::assign(&mut steps, &checks, &mut presences, &groups).unwrap_or_else(|place| {
        let text = texts.iter().rev().find(|(first, _)| *first <= place);
        let path = text.map_or_else(Vec::new, |(_, path)| path.clone());
        mistakes.push(Mistake { path, why: TOO_MANY_REGISTERS.to_owned() });
        0
    });
    let mut projection = tables.projection;
    let all = check::of_columns(definition, uses).into_iter().chain(weight_column.map(use_of_weight));
    projection.uses = all.filter(|one| is_read(one, &projection)).collect();
    let program = Program {
        projection,
        columns: tables.columns,
        objects: tables.objects,
        sources: tables.sources,
        quantities: tables.quantities,
        instructions: steps,
        registers,
        checks,
        presences,
        checked: words,
        cuts: definition.cuts.len() as u32,
        rows,
        variables,
        weight_column: weight.unwrap_or(NONE),
    };
    Compiled { program, outputs, mistakes }
}

/// Whether the column is read: what no cut, region or output needs is not.
fn is_read(one: &ColumnUse, projection: &Projection) -> bool {
    let Some(name) = &one.collection else { return projection.scalars.contains(&one.name) };
    let collection = projection.collections.iter().find(|collection| collection.name == *name);
    collection.is_some_and(|collection| one.name.is_empty() || collection.quantities.contains(&one.name))
}

/// The weight of a sample needs this column.
fn use_of_weight(column: &str) -> ColumnUse {
    ColumnUse {
        collection: None,
        name: column.to_owned(),
        wanted: Wanted::Number,
        key: "the sample's weight".to_owned(),
        quoted: String::new(),
        defined: None,
    }
}

const TOO_MANY_REGISTERS: &str = "too much is computed at once here; do with fewer values, or simpler ones";
