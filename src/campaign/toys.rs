//! Toys thrown apart and added up: what `trawl toys` does.

use std::fmt;
use std::path::{Path, PathBuf};

use super::answer::plain;
use super::checkpoint::write_whole;
use super::figures::{deviations, p_value};
use super::progress::Progress;
use super::request::{RunRequest, ToyPart};
use super::run::Run;
use super::thrower::{read_summaries, read_summary};
use super::{binned, channels, from_events};
use crate::card::{Card, Work};
use crate::error::{Fault, Result};
use crate::report::number;
use crate::toys::{GlobalSignificance, Summary};

const NAME: &str = "campaign.toys";

/// A summary, where it is, and what it says.
#[derive(Debug, Clone)]
pub struct ThrownToys {
    /// The file.
    pub path: PathBuf,
    /// The toys.
    pub summary: Summary,
    /// The global significance.
    pub significance: GlobalSignificance,
}

/// Throws `part` of the toys of a card and writes their summary to `path`.
///
/// # Errors
/// What a run of the card finds; a part that cannot be thrown; a file that is something else.
pub fn throw_toys(request: &RunRequest, part: ToyPart, path: &Path, progress: &Progress) -> Result<ThrownToys> {
    check_replaceable(path)?;
    let card = Card::read(&request.card, &request.settings)?;
    // Survivors and histograms are not kept: this folder never gets its name.
    let run = Run::begin(&card, request, progress, &work_folder(path), part)?;
    let run = run.with_checkpoint_beside(path, request.checkpoint_every);
    let checkpoint = run.checkpoint.clone();
    let summary = match &card.work {
        Work::Events(work) => from_events::throw(run, work)?,
        Work::Binned(work) => binned::throw(run, work)?,
        Work::Channels(work) => channels::throw(run, work)?,
    };
    write_whole(NAME, path, &summary.to_json())?;
    checkpoint.remove();
    ThrownToys::new(path, summary)
}

/// Adds up the summaries in `parts` and writes the sum to `path`.
///
/// # Errors
/// Parts that cannot be read or do not belong together, all at once; a `path` that is one of the parts or something else.
pub fn merge_toys(parts: &[PathBuf], path: &Path) -> Result<ThrownToys> {
    check_no_part(parts, path)?;
    check_replaceable(path)?;
    let summary = Summary::merge(&read_summaries(parts)?)?;
    // More toys than an interval can be given for are found before anything is written.
    let thrown = ThrownToys::new(path, summary)?;
    write_whole(NAME, path, &thrown.summary.to_json())?;
    Ok(thrown)
}

/// Reads a summary.
///
/// # Errors
/// A file that is none.
pub fn show_toys(path: &Path) -> Result<ThrownToys> {
    ThrownToys::new(path, read_summary(path)?)
}

/// Refuses to write over anything but a summary.
fn check_replaceable(path: &Path) -> Result<()> {
    if !path.exists() || (path.is_file() && read_summary(path).is_ok()) {
        return Ok(());
    }
    Err(Fault::new(NAME, format!("'{}' exists and is no summary of toys", path.display()))
        .because("it would be overwritten")
        .suggest("Choose another --output.")
        .usage())
}

/// Refuses to write the sum over one of its parts, whatever names they go by.
fn check_no_part(parts: &[PathBuf], path: &Path) -> Result<()> {
    let Ok(sum) = path.canonicalize() else { return Ok(()) };
    match parts.iter().find(|part| part.canonicalize().is_ok_and(|part| part == sum)) {
        None => Ok(()),
        Some(part) => {
            let problem = format!("the sum would be written over '{}', one of its parts", part.display());
            let fault = Fault::new(NAME, problem).because("its toys could not be added up again without the others");
            Err(fault.suggest("Choose another --output.").usage())
        }
    }
}

fn work_folder(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.work"))
}

impl ThrownToys {
    fn new(path: &Path, summary: Summary) -> Result<Self> {
        let significance = summary.significance()?;
        Ok(Self { path: path.to_owned(), summary, significance })
    }
}

impl fmt::Display for ThrownToys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (summary, significance) = (&self.summary, &self.significance);
        let (observed, tally) = (&summary.observed, &summary.tally);
        let count = |value: usize| number::count(value as u64);
        let ranges = tally
            .ranges()
            .iter()
            .map(|range| format!("{} to {}", number::count(range.start), number::count(range.end - 1)));
        let revision = summary.git_revision.as_ref().map_or(String::new(), |revision| format!(" ({revision})"));
        writeln!(f, "Analysis             {}", summary.analysis)?;
        writeln!(f, "Most significant     {}", observed.place)?;
        writeln!(
            f,
            "                     {} observed, {} expected, local p = {}, {:.2} sigma",
            number::count(observed.observed),
            plain(&number::significant(observed.expected, 5)),
            plain(&number::probability(observed.local_ln_p)),
            observed.local_significance
        )?;
        writeln!(f, "Global p-value       {}", plain(&p_value(significance)))?;
        writeln!(f, "Global significance  {}", plain(&deviations(significance.z)))?;
        writeln!(
            f,
            "Toys                 {}, {} {} this significance",
            number::count(significance.toys),
            number::count(significance.exceed),
            if summary.exceedance == "above" { "above" } else { "with at least" }
        )?;
        writeln!(f, "Numbers of the toys  {} of seed {}", ranges.collect::<Vec<_>>().join(", "), tally.seed())?;
        for geometry in &summary.geometry {
            writeln!(
                f,
                "Windows              {} over {} x {} cells ({} left out)",
                count(geometry.windows),
                count(geometry.rows),
                count(geometry.columns),
                count(geometry.windows_left_out)
            )?;
            writeln!(f, "Edges sha256         {}", geometry.edges_sha256)?;
        }
        writeln!(f, "Statistic            {}", summary.statistic)?;
        writeln!(f, "Uncertainty          {}", summary.background_uncertainty)?;
        writeln!(f, "Tables sha256        {}", tally.tables_sha256())?;
        writeln!(f, "Trawl                {}{revision}", summary.trawl)?;
        write!(f, "Summary              {}", self.path.display())
    }
}
