//! Several files as the one sample that a card would make of them.

use std::fmt;
use std::path::Path;

use super::{ColumnInspection, Inspection, grouped, inspect};
use crate::error::{Problems, Result};
use crate::events::read::expand;

/// What [`inspect_sample`] found. Its `Display` is the table of the first file, how many there are, and how they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleInspection {
    /// The files in the order in which they are read; never none.
    pub files: Vec<Inspection>,
    /// Columns that the files do not have alike: each cannot be read from all of them.
    pub contradictions: Vec<String>,
}

/// Reads the footers of the files that `pattern` (a file, a folder or a glob) names, as a sample of a card does.
///
/// # Errors
/// Every file that cannot be read, is not Parquet, or is truncated; a folder or glob without files.
pub fn inspect_sample(pattern: &str) -> Result<SampleInspection> {
    let mut problems = Problems::default();
    let paths = expand(&[pattern.to_owned()])?;
    let files: Vec<Inspection> = paths.iter().filter_map(|path| problems.take(inspect(path))).collect();
    problems.finish()?;
    let contradictions = match files.split_first() {
        Some((first, others)) => others.iter().flat_map(|other| contradictions(first, other)).collect(),
        None => Vec::new(),
    };
    Ok(SampleInspection { files, contradictions })
}

/// What a column can be read as.
#[derive(Debug, PartialEq, Eq)]
enum Content<'a> {
    Flag,
    Integer,
    Measured,
    Other(&'a str),
}

/// Whether it is a list, and of what.
fn content(column: &ColumnInspection) -> (bool, Content<'_>) {
    let data_type = column.data_type.as_str();
    let element = data_type.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
    let content = match element.unwrap_or(data_type) {
        "bool" => Content::Flag,
        kind if kind.starts_with("int") || kind.starts_with("uint") => Content::Integer,
        kind if kind.starts_with("float") => Content::Measured,
        other => Content::Other(other),
    };
    (element.is_some(), content)
}

/// Whether the reader takes one type for the other.
fn agree(one: &ColumnInspection, other: &ColumnInspection) -> bool {
    let ((one_listed, one), (other_listed, other)) = (content(one), content(other));
    let alike = match (&one, &other) {
        (Content::Flag, Content::Measured) | (Content::Measured, Content::Flag) => false,
        (Content::Other(_), _) | (_, Content::Other(_)) => one == other,
        _ => true,
    };
    one_listed == other_listed && alike
}

fn contradictions(first: &Inspection, other: &Inspection) -> Vec<String> {
    let lacks = |column: &ColumnInspection, has: &Path, lacks: &Path| {
        format!("column '{}' of '{}' is missing in '{}'", column.name, has.display(), lacks.display())
    };
    let in_first = first.columns.iter().filter_map(|column| {
        let Some(here) = other.columns.iter().find(|known| known.name == column.name) else {
            return Some(lacks(column, &first.path, &other.path));
        };
        let (one, two) = (&column.data_type, &here.data_type);
        let (there, path) = (first.path.display(), other.path.display());
        (!agree(column, here)).then(|| format!("column '{}' is {one} in '{there}' and {two} in '{path}'", column.name))
    });
    let new = other.columns.iter().filter(|column| !first.columns.iter().any(|known| known.name == column.name));
    in_first.chain(new.map(|column| lacks(column, &other.path, &first.path))).collect()
}

impl fmt::Display for SampleInspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // More would hide the table.
        const MOST: usize = 20;
        let Some(first) = self.files.first() else { return Ok(()) };
        write!(f, "{first}")?;
        if self.files.len() == 1 {
            return Ok(());
        }
        let rows = self.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.rows));
        writeln!(f, "  the first of {} files with {} events together", self.files.len(), grouped(rows))?;
        if self.contradictions.is_empty() {
            writeln!(f, "  the others have the same columns")?;
        }
        for contradiction in self.contradictions.iter().take(MOST) {
            writeln!(f, "  contradiction: {contradiction}")?;
        }
        match self.contradictions.len().saturating_sub(MOST) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more contradictions"),
        }
    }
}
