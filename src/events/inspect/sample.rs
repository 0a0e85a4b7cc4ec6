//! Several files as the one sample that a card would make of them.

use std::collections::HashMap;
use std::fmt;

use super::{ColumnInspection, Inspection, grouped, inspect};
use crate::error::{Problems, Result};
use crate::events::read::expand;

/// What [`inspect_sample`] found. Its `Display` is the table of the first file, how many there are, and how they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleInspection {
    /// The files in the order in which they are read; never none.
    pub files: Vec<Inspection>,
    /// Columns that are not in all files, by the files and their order.
    pub partial: Vec<String>,
    /// What is said of columns whose types in two files contradict each other.
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
    let (mut partial, mut contradictions) = (Vec::new(), Vec::new());
    let mut known: HashMap<&str, (usize, &Inspection, &ColumnInspection)> = HashMap::new();
    for (file, column) in columns(&files) {
        let (number, first, known) = known.entry(&column.name).or_insert((0, file, column));
        *number += 1;
        if !agree(known, column) {
            let (name, one, two) = (&column.name, &known.data_type, &column.data_type);
            let (there, here) = (first.path.display(), file.path.display());
            contradictions.push(format!("column '{name}' is {one} in '{there}' and {two} in '{here}'"));
        }
    }
    for (_, column) in columns(&files) {
        if known.remove(column.name.as_str()).is_some_and(|(number, ..)| number < files.len()) {
            partial.push(column.name.clone());
        }
    }
    Ok(SampleInspection { files, partial, contradictions })
}

fn columns(files: &[Inspection]) -> impl Iterator<Item = (&Inspection, &ColumnInspection)> {
    files.iter().flat_map(|file| file.columns.iter().map(move |column| (file, column)))
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
        match self.partial.len() {
            0 => writeln!(f, "  all have the same columns")?,
            number => {
                let names = self.partial.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = if number > MOST { format!(", and {} more", number - MOST) } else { String::new() };
                writeln!(f, "  not in all of them: {names}{more}")?;
            }
        }
        for contradiction in self.contradictions.iter().take(MOST) {
            writeln!(f, "  contradiction: {contradiction}")?;
        }
        match self.contradictions.len() {
            number if number > MOST => writeln!(f, "  and {} more contradictions", number - MOST),
            _ => Ok(()),
        }
    }
}
