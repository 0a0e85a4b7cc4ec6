//! Where the expressions of a card need a column, and what to say of one that is missing or of the wrong type.

use arrow_schema::DataType;

use crate::error::{Fault, nearest};

/// What an expression makes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A number.
    Number,
    /// A condition: whether it is not 0. Measured numbers are none.
    Flag,
    /// A place in an object: an integer.
    Place,
}

/// One place where an expression needs a column. The reader quotes it where the column is missing or of another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// The collection; nothing for a number of each event.
    pub collection: Option<String>,
    /// The quantity or scalar; empty for all quantities of which momenta are made.
    pub name: String,
    /// What for.
    pub wanted: Wanted,
    /// The keys of the card that lead to the text: `objects.jet.keep`.
    pub key: String,
    /// The text and carets under the place, each on a line of its own; empty where there is no text.
    pub quoted: String,
    /// The nearest name that the card defines.
    pub defined: Option<String>,
}

impl ColumnUse {
    /// Whether this is a use of the quantity `name` of `collection`, or of the scalar.
    fn is_of(&self, collection: Option<&str>, name: &str) -> bool {
        self.collection.as_deref() == collection && self.name == name
    }

    /// The suggestion, and the text after it.
    fn suggestion(&self, words: &str) -> String {
        let quoted = if self.quoted.is_empty() { String::new() } else { format!("\n{}", self.quoted) };
        format!("{words}{quoted}")
    }
}

/// The first use of the quantity or scalar, or else of a momentum that it is a part of.
pub(super) fn first<'u>(uses: &'u [ColumnUse], collection: Option<&str>, name: &str) -> Option<&'u ColumnUse> {
    let of = |name: &str| uses.iter().find(|one| one.is_of(collection, name));
    of(name).or_else(|| of("").filter(|_| ["pt", "eta", "phi", "mass"].contains(&name)))
}

/// A fault about a column, with what it is needed for.
pub(super) fn with_place(fault: Fault, found: Option<&ColumnUse>, suggestion: &str) -> Fault {
    match found {
        Some(found) => fault.because(format!("{} needs it", found.key)).suggest(found.suggestion(suggestion)),
        None => fault.suggest(suggestion),
    }
}

/// What is wrong with a column of numbers of this type that an expression uses otherwise than as a number.
pub(super) fn misuse(
    uses: &[ColumnUse],
    collection: Option<&str>,
    name: &str,
    data_type: &DataType,
) -> Option<(&'static str, String, String)> {
    if data_type.is_integer() || *data_type == DataType::Boolean {
        return None;
    }
    let found = uses.iter().find(|one| one.wanted != Wanted::Number && one.is_of(collection, name))?;
    let (what, how) = match found.wanted {
        Wanted::Place => ("an integer", format!("Write floor({name}) if that is what you mean")),
        _ => ("a flag", format!("Compare it: {name} > 0.5")),
    };
    let as_what = if found.wanted == Wanted::Place { "a place" } else { "a condition" };
    Some((what, format!("it stands as {as_what} in {}", found.key), found.suggestion(&how)))
}

/// The name that the word is in another case, or that goes on after it (`MET_pt` for `met`), or else the nearest.
pub(super) fn nearest_name<'n>(word: &str, known: &[&'n str]) -> Option<&'n str> {
    let small = word.to_ascii_lowercase();
    let goes_on = |name: &&&str| {
        let name = name.to_ascii_lowercase();
        name.strip_prefix(&small).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    known.iter().find(goes_on).copied().or_else(|| nearest(word, known.iter().copied()))
}
