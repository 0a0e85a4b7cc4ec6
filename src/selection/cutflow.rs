//! How many events each cut left, exactly, and the table of it.

use std::fmt;
use std::fmt::Write as _;

use super::Selection;
use super::tally::{Tally, WeightedCount};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::exact::WeightScale;

const NAME: &str = "selection.cutflow";

/// The events that passed each cut and all before it; the first row is all events. The rows of each channel follow (its
/// own events, then those that passed each of its cuts too), then the regions. Sums are exact, so cutflows of batches,
/// shards and samples add up in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutflow {
    names: Vec<(Within, String)>,
    rows: Vec<WeightedCount>,
    scale: WeightScale,
}

/// What a row of a cutflow is part of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// All events, through the cuts of the card.
    Everything,
    /// The events of a channel that passed all of those.
    Channel(String),
    /// The survivors: each region by itself.
    Regions,
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => Ok(()),
            Self::Channel(name) => f.write_str(name),
            Self::Regions => f.write_str("regions"),
        }
    }
}

impl Cutflow {
    /// Reads what a selection has counted: the sums, from the end, of events by the number of cuts they passed.
    ///
    /// # Errors
    /// A tally that is not of this selection.
    pub fn new(selection: &Selection, tally: &Tally<Host>) -> Result<Self> {
        let definition = selection.definition();
        let mut names = vec![(Within::Everything, "all events".to_owned())];
        names.extend(definition.cuts.iter().map(|cut| (Within::Everything, cut.name.clone())));
        for channel in &definition.channels {
            let of_channel = std::iter::once(&channel.entry).chain(&channel.cuts);
            names.extend(of_channel.map(|cut| (Within::Channel(channel.entry.name.clone()), cut.name.clone())));
        }
        names.extend(definition.regions.iter().map(|region| (Within::Regions, region.name.clone())));
        let mut rows = tally.rows()?;
        if rows.len() != names.len() {
            let (expected, got) = (names.len(), rows.len());
            return Err(Fault::new(NAME, format!("expected a tally of {expected} rows, got {got}")).data());
        }
        for row in (0..rows.len() - 1).rev() {
            if names[row].0 == names[row + 1].0 && names[row].0 != Within::Regions {
                let later = rows[row + 1];
                rows[row].merge(&later)?;
            }
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
        // What a channel and a region are a part of: the events that passed all cuts.
        let common = self.names.iter().rposition(|(within, _)| *within == Within::Everything).unwrap_or(0);
        let rows = (0..self.rows.len()).map(|index| {
            let (within, name) = &self.names[index];
            let before = match index.checked_sub(1) {
                None => 0,
                Some(before) if self.names[before].0 == *within && *within != Within::Regions => before,
                Some(_) => common,
            };
            CutflowRow {
                within: within.clone(),
                name: name.clone(),
                events: self.rows[index].events,
                weights: sums[index],
                error: self.rows[index].sum_of_squares(self.scale).sqrt(),
                efficiency: of(sums[index], sums[0]),
                relative_efficiency: of(sums[index], sums[before]),
            }
        });
        CutflowTable { rows: rows.collect() }
    }
}

/// A row of a cutflow.
#[derive(Debug, Clone, PartialEq)]
pub struct CutflowRow {
    /// What it is part of.
    pub within: Within,
    /// The cut, or `all events`.
    pub name: String,
    /// Events that passed it and all before within the same.
    pub events: u64,
    /// The sum of their weights.
    pub weights: f64,
    /// The statistical error of the sum, sqrt(sum of squared weights).
    pub error: f64,
    /// The sum over that of all events; NaN where that is 0.
    pub efficiency: f64,
    /// The sum over that of the row before; of the first of a channel, and of a region, over that of the events that passed
    /// all cuts of the card. NaN where that is 0.
    pub relative_efficiency: f64,
}

impl CutflowRow {
    /// The row's name where channels and regions stand among cuts: `ee: opposite charge`, `region SR`.
    pub fn label(&self) -> String {
        match &self.within {
            Within::Everything => self.name.clone(),
            Within::Channel(channel) if *channel == self.name => format!("channel {channel}"),
            Within::Channel(channel) => format!("{channel}: {}", self.name),
            Within::Regions => format!("region {}", self.name),
        }
    }
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
        let quoted = |text: &str| {
            if text.contains(['"', ',', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let mut text = String::from("within,cut,events,weights,error,efficiency,relative_efficiency\n");
        for row in &self.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{}",
                quoted(&row.within.to_string()),
                quoted(&row.name),
                row.events,
                row.weights,
                row.error,
                row.efficiency,
                row.relative_efficiency
            );
        }
        text
    }

    /// The decimals that show two digits of the smallest error: weights of a signal may add up to 0.0002.
    fn decimals(&self) -> usize {
        let errors = self.rows.iter().map(|row| row.error).filter(|error| *error > 0.0);
        let (smallest, mut decimals, mut least) = (errors.fold(f64::INFINITY, f64::min), 2, 0.1);
        while smallest < least && decimals < 15 {
            (decimals, least) = (decimals + 1, least / 10.0);
        }
        decimals
    }
}

impl fmt::Display for CutflowTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| if part.is_nan() { "-".to_owned() } else { format!("{:.2} %", 100.0 * part) };
        let decimals = self.decimals();
        let header = ["cut", "events", "weights", "+-", "of all", "of before"].map(str::to_owned);
        let rows = self.rows.iter().map(|row| {
            [
                row.label(),
                row.events.to_string(),
                format!("{:.decimals$}", row.weights),
                format!("{:.decimals$}", row.error),
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
