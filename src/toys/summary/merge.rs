//! Adding summaries up.

use std::fmt::Debug;
use std::ops::Range;

use super::{NAME, Summary};
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

/// What differs, on this side and on the other.
fn differences(first: &Summary, other: &Summary) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    let mut compare = |what, mine: &dyn Debug, theirs: &dyn Debug| {
        let (mine, theirs) = (format!("{mine:?}"), format!("{theirs:?}"));
        if mine != theirs {
            found.push((what, mine, theirs));
        }
    };
    compare("the seed", &first.tally.seed(), &other.tally.seed());
    compare("the analysis", &first.analysis, &other.analysis);
    compare("the geometry", &first.geometry, &other.geometry);
    compare("the observation", &first.observed, &other.observed);
    compare("the statistic", &first.statistic, &other.statistic);
    compare("the background uncertainty", &first.background_uncertainty, &other.background_uncertainty);
    compare("the exceedance", &first.exceedance, &other.exceedance);
    compare("the number of levels", &first.tally.levels().len(), &other.tally.levels().len());
    compare("the tables", &first.tally.tables_sha256(), &other.tally.tables_sha256());
    let program = |summary: &Summary| (summary.trawl.clone(), summary.git_revision.clone());
    compare("the program", &program(first), &program(other));
    found
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
