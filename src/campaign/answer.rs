//! The short answer at the end of a run.

use std::fmt;
use std::path::PathBuf;

use super::figures::{deviations, p_value};
use super::manifest::StageRecord;
use crate::hunt::Findings;
use crate::report::number;
use crate::selection::CutflowTable;
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
    /// The cutflow of each sample.
    pub cutflows: Vec<(String, CutflowTable)>,
    /// The files that were left out, and why.
    pub skipped: Vec<String>,
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
    /// The p-value that was maximised, in words.
    pub statistic: String,
    /// What smeared the expectation of the toys, in words.
    pub uncertainty: Option<String>,
    /// How many windows were tested.
    pub windows: usize,
    /// How many were left out.
    pub left_out: usize,
    /// The bump in the rows of a plane, whatever the column.
    pub bump: Option<Bump>,
}

/// The most significant window of a spectrum, by its local p-value.
#[derive(Debug, Clone)]
pub struct Bump {
    /// Where it is, in words.
    pub place: String,
    /// The local p-values.
    pub findings: Findings,
}

impl Found {
    /// Whether the toys resolve the answer: at least 10 of them exceed.
    fn resolved(&self) -> bool {
        self.global.significance.exceed >= 10
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sample, table) in &self.cutflows {
            writeln!(f, "Cutflow of {sample}")?;
            table.to_string().lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        if let Some(found) = &self.found {
            let (findings, significance) = (&found.global.findings, &found.global.significance);
            if findings.z <= 0.0 {
                writeln!(f, "Largest excess       none: no window holds more than expected; the first one")?;
                writeln!(f, "                     is {}", found.place)?;
            } else {
                writeln!(f, "Largest excess       {}", found.place)?;
            }
            writeln!(
                f,
                "                     {} observed, {} expected, local p = {}, {:.2} sigma",
                number::count(findings.observed),
                expected(findings.expected),
                plain(&number::probability(findings.ln_p)),
                findings.z
            )?;
            if let Some(bump) = &found.bump {
                let (p, z) = (plain(&number::probability(bump.findings.ln_p)), bump.findings.z);
                writeln!(f, "Largest bump         {}, local p = {p}, {z:.2} sigma", bump.place)?;
            }
            if let Some(uncertainty) = &found.uncertainty {
                writeln!(f, "Uncertainty          {uncertainty}")?;
                writeln!(f, "                     the toys are smeared; largest {}", found.statistic)?;
            }
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
        for skipped in &self.skipped {
            writeln!(f, "Skipped              {skipped}")?;
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

/// An expected count with at least five digits, and to a tenth of an event however large: an excess of one in a thousand
/// is to be seen beside the observed count.
fn expected(count: f64) -> String {
    if count < 1000.0 { plain(&number::significant(count, 5)) } else { plain(&number::fixed(count, 1)) }
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
