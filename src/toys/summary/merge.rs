//! Adding summaries up.

use std::ops::Range;

use super::{Geometry, NAME, Observed, Summary};
use crate::error::{Fault, Problems, Result};
use crate::toys::Tally;

impl Summary {
    /// The sum of `parts`, each with its name for messages; the same whatever their order.
    ///
    /// # Errors
    /// No parts; and all at once: parts of another seed, plane, expectation, observation, convention or program than the
    /// first, and toys that are in two parts.
    pub fn merge(parts: &[(String, Self)]) -> Result<Self> {
        let Some(((first_name, first), others)) = parts.split_first() else {
            return Err(Fault::new(NAME, "there are no parts").because("nothing could be added up").usage());
        };
        let mut problems = Problems::default();
        for (name, other) in others {
            for (what, mine, theirs) in differences(first, other) {
                let fault = Fault::new(NAME, format!("'{name}' has {what} {theirs}, and '{first_name}' {mine}"));
                problems.push(fault.because("toys of one campaign agree in it").suggest("Merge them apart.").data());
            }
        }
        overlaps(parts).into_iter().for_each(|fault| problems.push(fault.data()));
        problems.finish()?;
        let tally = others.iter().try_fold(first.tally.clone(), |sum: Tally, (_, part)| sum.merge(&part.tally))?;
        Ok(Self { tally, ..first.clone() })
    }

    /// What keeps toys of another summary from being added to those of this one, leaving their ranges aside.
    pub fn differs_in(&self, other: &Self) -> Vec<&'static str> {
        differences(self, other).into_iter().map(|(what, ..)| what).collect()
    }
}

/// What differs, on this side and on the other, in words.
fn differences(first: &Summary, other: &Summary) -> Vec<(&'static str, String, String)> {
    type Words = dyn Fn(&Summary) -> String;
    let aspects: [(&'static str, &Words); 10] = [
        ("the seed", &|of| of.tally.seed().to_string()),
        ("the analysis", &|of| format!("'{}'", of.analysis)),
        ("the geometry", &|of| of.geometry.iter().map(geometry).collect::<Vec<_>>().join("; ")),
        ("the observation", &|of| observation(&of.observed)),
        ("the statistic", &|of| format!("'{}'", of.statistic)),
        ("the background uncertainty", &|of| format!("'{}'", of.background_uncertainty)),
        ("the exceedance", &|of| format!("'{}'", of.exceedance)),
        ("the number of levels", &|of| of.tally.levels().len().to_string()),
        ("the tables (sha256)", &|of| of.tally.tables_sha256().to_owned()),
        ("the program", &program),
    ];
    let both = aspects.into_iter().map(|(what, words)| (what, words(first), words(other)));
    both.filter(|(_, mine, theirs)| mine != theirs).collect()
}

/// A geometry in words, whole: two of the same words are the same.
fn geometry(of: &Geometry) -> String {
    let Geometry { rows, columns, windows, windows_left_out, edges_sha256 } = of;
    format!(
        "{rows} x {columns} cells and {windows} windows ({windows_left_out} left out), edges of sha256 {edges_sha256}"
    )
}

/// An observation in words, with all digits.
fn observation(of: &Observed) -> String {
    let Observed { place, window, observed, expected, local_ln_p, local_significance } = of;
    format!(
        "{observed} observed and {expected} expected in window {window} ({place}), ln p = {local_ln_p}, \
         {local_significance} sigma"
    )
}

fn program(of: &Summary) -> String {
    let revision = of.git_revision.as_deref().unwrap_or("unknown");
    format!("trawl {} of revision {revision}", of.trawl)
}

/// Toys that are in two parts.
fn overlaps(parts: &[(String, Summary)]) -> Vec<Fault> {
    let ranges = |(name, part): &'_ (String, Summary)| -> Vec<(Range<u64>, String)> {
        part.tally.ranges().iter().map(|range| (range.clone(), name.clone())).collect()
    };
    let mut all: Vec<(Range<u64>, String)> = parts.iter().flat_map(ranges).collect();
    all.sort_by(|a, b| (a.0.start, a.0.end, &a.1).cmp(&(b.0.start, b.0.end, &b.1)));
    let mut found = Vec::new();
    let mut furthest: Option<(Range<u64>, String)> = None;
    for (range, name) in all {
        if let Some((before, other)) = &furthest
            && range.start < before.end
        {
            let both = range.start..range.end.min(before.end);
            let problem = format!("toys {} to {} are in '{other}' and in '{name}'", both.start, both.end - 1);
            let fault = Fault::new(NAME, problem).because("they would count twice");
            found.push(fault.suggest("Merge each part once, and throw parts of different toys."));
        }
        if furthest.as_ref().is_none_or(|(before, _)| before.end < range.end) {
            furthest = Some((range, name));
        }
    }
    found
}
