//! The names of a frame's columns, as pandas and PyTables keep them.

use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor};
use hdf5::{Dataset, Location};

/// Names of columns are attributes in PyTables, which HDF5 limits to 64 kB.
const LONGEST_TEXT: usize = 1 << 16;
/// Longest name of a column in a dataset of names.
const LONGEST_NAME: usize = 256;

/// What the columns of a frame are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// By numbers: how many there are.
    Numbered(usize),
    /// By words.
    Named(Vec<String>),
}

impl Names {
    pub fn len(&self) -> usize {
        match self {
            Self::Numbered(count) => *count,
            Self::Named(names) => names.len(),
        }
    }
}

/// A label of a column in one of pandas' datasets of labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Label {
    Number(i64),
    Word(String),
}

/// The labels in a dataset such as `axis0` or `block0_items`.
pub(super) fn labels(dataset: &Dataset) -> Result<Vec<Label>, String> {
    let kind = dataset.dtype().and_then(|kind| kind.to_descriptor()).map_err(|error| error.to_string())?;
    let name = dataset.name();
    if dataset.ndim() != 1 {
        return Err(format!("'{name}' has {} dimensions instead of 1", dataset.ndim()));
    }
    let labels = match kind {
        TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) => {
            dataset.read_raw::<i64>().map(|labels| labels.into_iter().map(Label::Number).collect())
        }
        TypeDescriptor::FixedAscii(length) if length < LONGEST_NAME => {
            let labels = dataset.read_raw::<FixedAscii<LONGEST_NAME>>();
            labels.map(|labels| labels.iter().map(|label| Label::Word(label.to_string())).collect())
        }
        TypeDescriptor::FixedUnicode(length) if length < LONGEST_NAME => {
            let labels = dataset.read_raw::<FixedUnicode<LONGEST_NAME>>();
            labels.map(|labels| labels.iter().map(|label| Label::Word(label.to_string())).collect())
        }
        _ => return Err(format!("'{name}' holds neither numbers nor words: mixed labels are Python objects")),
    };
    labels.map_err(|error| format!("'{name}' cannot be read: {error}"))
}

/// The labels of all columns as names, if they are of one kind, none twice.
pub(super) fn names(labels: &[Label]) -> Result<Names, String> {
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = labels.iter().find(|label| !seen.insert(*label)) {
        return Err(format!("two columns are called {twice:?}"));
    }
    let words = labels.iter().filter_map(|label| match label {
        Label::Word(word) => Some(word.clone()),
        Label::Number(_) => None,
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        return Ok(Names::Numbered(labels.len()));
    }
    if words.len() < labels.len() {
        return Err("some columns are called by numbers and some by words".into());
    }
    match words.iter().find(|word| !is_column_name(word)) {
        Some(word) => Err(format!("a column is called '{}', which is no name of a column", word.escape_debug())),
        None => Ok(Names::Named(words)),
    }
}

fn is_column_name(word: &str) -> bool {
    let inside = |character: char| character.is_ascii_alphanumeric() || character == '_';
    // `event` is the row.
    word.chars().all(inside) && word.starts_with(|first: char| !first.is_ascii_digit()) && word != "event"
}

/// A text attribute; `None` if there is none of this name.
pub(super) fn text(location: &Location, name: &str) -> Option<String> {
    let attribute = location.attr(name).ok()?;
    match attribute.dtype().ok()?.to_descriptor().ok()? {
        TypeDescriptor::FixedAscii(length) if length < LONGEST_TEXT => {
            attribute.read_raw::<FixedAscii<LONGEST_TEXT>>().ok()?.first().map(ToString::to_string)
        }
        TypeDescriptor::FixedUnicode(length) if length < LONGEST_TEXT => {
            attribute.read_raw::<FixedUnicode<LONGEST_TEXT>>().ok()?.first().map(ToString::to_string)
        }
        _ => None,
    }
}

/// The words and numbers of a Python list in pickle's protocol 0, which is how PyTables keeps the names of a table's
/// columns: `(lp0\nVpxj1\np1\naVpyj1\np2\na.`, one opcode and its argument a line.
pub(super) fn pickled_list(text: &str) -> Vec<Label> {
    let argument = |line: &str| {
        // `a` appends what stands before it and ends no line.
        let line = line.strip_prefix('a').unwrap_or(line);
        let quoted = |text: &str| text.trim_matches(['\'', '"']).to_owned();
        match line.split_at_checked(1)? {
            ("V", word) => Some(Label::Word(word.to_owned())),
            ("S", word) => Some(Label::Word(quoted(word))),
            ("I", number) => number.parse().ok().map(Label::Number),
            ("L", number) => number.trim_end_matches('L').parse().ok().map(Label::Number),
            _ => None,
        }
    };
    text.lines().filter_map(argument).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_both_pythons_are_read() {
        let word = |text: &str| Label::Word(text.into());
        assert_eq!(pickled_list("(lp0\nVpxj1\np1\naValpha\np2\na."), [word("pxj1"), word("alpha")]);
        assert_eq!(pickled_list("(lp1\nS'a'\np2\naS'label'\na."), [word("a"), word("label")]);
        assert_eq!(pickled_list("(lp1\nI0\naL12L\na."), [Label::Number(0), Label::Number(12)]);
        assert_eq!(pickled_list("(lp0\n."), []);
    }

    #[test]
    fn names_are_of_one_kind_and_differ() {
        let (one, word) = (Label::Number(1), Label::Word("pt".into()));
        assert_eq!(names(&[one.clone(), Label::Number(7)]), Ok(Names::Numbered(2)));
        assert_eq!(names(std::slice::from_ref(&word)), Ok(Names::Named(vec!["pt".into()])));
        assert!(names(&[one.clone(), word.clone()]).unwrap_err().contains("some by words"));
        assert!(names(&[word.clone(), word]).unwrap_err().contains("two columns"));
        assert!(names(&[Label::Word("a b".into())]).unwrap_err().contains("'a b'"));
    }
}
