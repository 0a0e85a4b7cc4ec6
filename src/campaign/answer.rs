//! The short answer at the end of a run.

use std::fmt;
use std::path::PathBuf;

use super::figures::{deviations, p_value};
use super::manifest::StageRecord;
use crate::report::number;
use crate::toys::{Deviations, Global};

/// What a run found and where it wrote it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The card's name.
    pub name: String,
    /// The result of the search, if the card asked for one.
    pub found: Option<Found>,
    /// Selected events (data), with which a card that only selects and fills ends.
    pub selected: Option<u64>,
    /// Wall time of each stage.
    pub stages: Vec<StageRecord>,
    /// The output folder.
    pub folder: PathBuf,
    /// The report in it.
    pub report: PathBuf,
}

/// The largest excess and what it is worth.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is, in words.
    pub place: String,
    /// The observation and the toys.
    pub global: Global,
    /// How many windows were tested.
    pub windows: usize,
    /// How many were left out.
    pub left_out: usize,
}

impl Found {
    /// Whether the toys resolve the answer: at least 10 of them exceed.
    fn resolved(&self) -> bool {
        self.global.significance.exceed >= 10
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(found) = &self.found {
            let (findings, significance) = (&found.global.findings, &found.global.significance);
            writeln!(f, "Largest excess       {}", found.place)?;
            writeln!(
                f,
                "                     {} observed, {} expected, local p = {}, {:.2} sigma",
                number::count(findings.observed),
                plain(&number::significant(findings.expected, 5)),
                plain(&number::probability(findings.ln_p)),
                findings.z
            )?;
            writeln!(f, "Global p-value       {}", plain(&p_value(&found.global)))?;
            writeln!(f, "Global significance  {}", plain(&deviations(significance.z)))?;
            writeln!(
                f,
                "Toys                 {}, {} with at least this excess, over {} windows ({} left out)",
                number::count(significance.toys),
                number::count(significance.exceed),
                number::count(found.windows as u64),
                number::count(found.left_out as u64)
            )?;
            if !found.resolved() && matches!(significance.z, Deviations::Above(_) | Deviations::Measured { .. }) {
                writeln!(f, "                     Too few toys exceed for a precise answer; raise toys.number.")?;
            }
        }
        if let Some(selected) = self.selected {
            writeln!(f, "Selected events      {}", number::count(selected))?;
        }
        let seconds: f64 = self.stages.iter().map(|stage| stage.seconds).sum();
        writeln!(f, "Time                 {}", plain(&number::seconds(seconds)))?;
        for stage in &self.stages {
            let rate = if stage.units > 0 && stage.seconds > 0.0 {
                format!(
                    "{} {}, {}/s",
                    number::count(stage.units),
                    stage.unit,
                    number::significant(stage.units_per_second, 3)
                )
            } else {
                String::new()
            };
            writeln!(f, "  {:<19}{:>8}  {}", stage.name, plain(&number::seconds(stage.seconds)), plain(&rate))?;
        }
        write!(f, "Report               {}", self.report.display())
    }
}

/// Rich notation as plain text for a terminal: `1.2 × 10^{-4}` becomes `1.2e-4`.
fn plain(rich: &str) -> String {
    rich.replace(" × 10^{", "e")
        .replace("^{", "^")
        .replace("_{", "_")
        .replace(['}', '*'], "")
        .replace('σ', "sigma")
        .replace('−', "-")
}
