//! How many events each cut left, exactly, and the table of it.

use std::fmt;
use std::fmt::Write as _;

use super::Selection;
use super::tally::{Tally, WeightedCount};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::exact::WeightScale;

const NAME: &str = "selection.cutflow";

/// The events that passed each cut and all before it; the first row is all events. Sums are exact, so cutflows of batches,
/// shards and samples add up in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutflow {
    names: Vec<String>,
    rows: Vec<WeightedCount>,
    scale: WeightScale,
}

impl Cutflow {
    /// Reads what a selection has counted: the sums, from the end, of events by the number of cuts they passed.
    ///
    /// # Errors
    /// A tally that is not of this selection.
    pub fn new(selection: &Selection, tally: &Tally<Host>) -> Result<Self> {
        let names: Vec<String> = std::iter::once("all events").chain(selection.cuts()).map(str::to_owned).collect();
        let mut rows = tally.rows()?;
        if rows.len() != names.len() {
            let (expected, got) = (names.len(), rows.len());
            return Err(Fault::new(NAME, format!("expected a tally of {expected} rows, got {got}")).data());
        }
        for row in (0..rows.len() - 1).rev() {
            let later = rows[row + 1];
            rows[row].merge(&later)?;
        }
        Ok(Self { names, rows, scale: selection.weight().scale() })
    }

    /// Adds the events of another cutflow.
    ///
    /// # Errors
    /// One with other cuts or another range of weights.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.names != other.names || self.scale != other.scale {
            let problem = format!(
                "cutflows of different cuts or ranges of weights cannot be added: {:?} and {:?}",
                self.names, other.names
            );
            return Err(Fault::new(NAME, problem).data());
        }
        self.rows.iter_mut().zip(&other.rows).try_for_each(|(row, other)| row.merge(other))
    }

    /// The numbers of the table.
    pub fn table(&self) -> CutflowTable {
        let of = |part: f64, whole: f64| if whole == 0.0 { f64::NAN } else { part / whole };
        let sums: Vec<f64> = self.rows.iter().map(|row| row.sum(self.scale)).collect();
        let rows = (0..self.rows.len()).map(|index| CutflowRow {
            name: self.names[index].clone(),
            events: self.rows[index].events,
            weights: sums[index],
            error: self.rows[index].sum_of_squares(self.scale).sqrt(),
            efficiency: of(sums[index], sums[0]),
            relative_efficiency: of(sums[index], sums[index.saturating_sub(1)]),
        });
        CutflowTable { rows: rows.collect() }
    }
}

/// A row of a cutflow.
#[derive(Debug, Clone, PartialEq)]
pub struct CutflowRow {
    /// The cut, or `all events`.
    pub name: String,
    /// Events that passed it and all before.
    pub events: u64,
    /// The sum of their weights.
    pub weights: f64,
    /// The statistical error of the sum, sqrt(sum of squared weights).
    pub error: f64,
    /// The sum over that of all events; NaN where that is 0.
    pub efficiency: f64,
    /// The sum over that of the row before; NaN where that is 0.
    pub relative_efficiency: f64,
}

/// A cutflow in numbers: `Display` is an aligned table.
#[derive(Debug, Clone, PartialEq)]
pub struct CutflowTable {
    /// All events, then a row for each cut.
    pub rows: Vec<CutflowRow>,
}

impl CutflowTable {
    /// The table as CSV with a header; sums are written so that they read back to the same f64.
    pub fn csv(&self) -> String {
        let mut text = String::from("cut,events,weights,error,efficiency,relative_efficiency\n");
        for row in &self.rows {
            let name = if row.name.contains(['"', ',', '\n', '\r']) {
                format!("\"{}\"", row.name.replace('"', "\"\""))
            } else {
                row.name.clone()
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{name},{},{},{},{},{}",
                row.events, row.weights, row.error, row.efficiency, row.relative_efficiency
            );
        }
        text
    }
}

impl fmt::Display for CutflowTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| if part.is_nan() { "-".to_owned() } else { format!("{:.2} %", 100.0 * part) };
        let header = ["cut", "events", "weights", "+-", "of all", "of before"].map(str::to_owned);
        let rows = self.rows.iter().map(|row| {
            [
                row.name.clone(),
                row.events.to_string(),
                format!("{:.2}", row.weights),
                format!("{:.2}", row.error),
                percent(row.efficiency),
                percent(row.relative_efficiency),
            ]
        });
        let cells: Vec<[String; 6]> = std::iter::once(header).chain(rows).collect();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for row in &cells {
            write!(f, "{:<1$}", row[0], widths[0])?;
            for column in 1..6 {
                write!(f, "  {:>1$}", row[column], widths[column])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
