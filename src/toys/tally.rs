//! Toys counted by their largest significance, in parts that add up.

use std::ops::Range;

use super::throw::level_z;
use crate::error::{Fault, Problems, Result};

const NAME: &str = "toys.tally";

/// A tally of toys. Parts of the same tables and seed merge to the tally of all, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    seed: u64,
    tables_sha256: String,
    ranges: Vec<Range<u64>>,
    exceed: u64,
    levels: Vec<u64>,
}

impl Tally {
    /// The tally of the toys `range` from the column of `toys.throw`: exceeding toys, then those at each level.
    ///
    /// # Errors
    /// A column whose levels do not add up to the number of toys.
    pub fn new(seed: u64, tables_sha256: String, range: Range<u64>, column: &[u64]) -> Result<Self> {
        let (exceed, levels) = (column.first().copied().unwrap_or(0), column.get(1..).unwrap_or_default().to_vec());
        let (toys, counted) = (range.end.saturating_sub(range.start), levels.iter().sum::<u64>());
        if counted != toys || exceed > toys {
            let problem = format!("{counted} toys were counted and {exceed} exceed, of {toys} thrown");
            return Err(Fault::new(NAME, problem).because("each toy has one level").data());
        }
        Ok(Self { seed, tables_sha256, ranges: vec![range], exceed, levels })
    }

    /// The number of toys.
    pub fn toys(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// The number of toys as significant as the observation.
    pub fn exceed(&self) -> u64 {
        self.exceed
    }

    /// The number of toys whose largest significance is at each level: from [`level_z`]`(level)` to the next; the last
    /// level has no end.
    pub fn levels(&self) -> &[u64] {
        &self.levels
    }

    /// The number of toys whose largest significance is at least that of `level`.
    pub fn reaching(&self, level: u32) -> u64 {
        self.levels[(level as usize).min(self.levels.len())..].iter().sum()
    }

    /// The edges of the histogram of the largest significance: one more than levels without the last.
    pub fn edges(&self) -> Vec<f64> {
        (0..self.levels.len() as u32).map(level_z).collect()
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The numbers of the toys, in order, without gaps where parts met.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// The sha256 of the tables that made the toys: cells, windows, expectation, levels and observation.
    pub fn tables_sha256(&self) -> &str {
        &self.tables_sha256
    }

    /// Adds another part.
    ///
    /// # Errors
    /// A part of another seed or other tables, or one that holds toys that this one has.
    pub fn merge(mut self, other: &Self) -> Result<Self> {
        let mut problems = Problems::default();
        if self.seed != other.seed {
            let fault = Fault::new(NAME, format!("parts of seed {} and of seed {}", self.seed, other.seed));
            problems.push(fault.because("toys of different seeds may be the same toys").data());
        }
        if self.tables_sha256 != other.tables_sha256 || self.levels.len() != other.levels.len() {
            let fault = Fault::new(NAME, "parts of different planes, expectations or observations");
            problems.push(fault.because(format!("{} is not {}", self.tables_sha256, other.tables_sha256)).data());
        }
        let ranges = merge_ranges(NAME, &self.ranges, &other.ranges, &mut problems);
        problems.finish()?;
        self.ranges = ranges;
        self.exceed += other.exceed;
        self.levels.iter_mut().zip(&other.levels).for_each(|(sum, part)| *sum += part);
        Ok(self)
    }
}

/// All toys of two lists of ranges, in order and joined where they meet; a problem of the operation `name` for each
/// two ranges that overlap.
pub(super) fn merge_ranges(
    name: &'static str,
    ours: &[Range<u64>],
    others: &[Range<u64>],
    problems: &mut Problems,
) -> Vec<Range<u64>> {
    for mine in ours {
        for theirs in others.iter().filter(|theirs| theirs.start < mine.end && mine.start < theirs.end) {
            let fault = Fault::new(name, format!("toys {theirs:?} and {mine:?} overlap"));
            problems.push(fault.because("a toy would count twice").suggest("Merge each part once.").data());
        }
    }
    let mut all: Vec<Range<u64>> = ours.iter().chain(others).cloned().collect();
    all.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in all {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: Range<u64>, column: &[u64]) -> Tally {
        Tally::new(1, "abc".into(), range, column).unwrap()
    }

    #[test]
    fn parts_merge_in_any_order() {
        let (a, b, c) = (part(0..3, &[1, 2, 1, 0]), part(3..4, &[0, 0, 1, 0]), part(6..8, &[2, 0, 0, 2]));
        let all = a.clone().merge(&b).unwrap().merge(&c).unwrap();
        assert_eq!(all, c.merge(&a).unwrap().merge(&b).unwrap());
        assert_eq!((all.toys(), all.exceed(), all.levels(), all.ranges()), (6, 3, &[2, 2, 2][..], &[0..4, 6..8][..]));
        assert_eq!((all.reaching(0), all.reaching(1), all.reaching(2), all.reaching(9)), (6, 4, 2, 0));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let a = part(0..2, &[0, 2]);
        assert!(a.clone().merge(&a).is_err());
        let other = Tally::new(2, "abd".into(), 1..3, &[0, 2]).unwrap();
        assert_eq!(a.merge(&other).unwrap_err().problems().len(), 3);
        assert!(Tally::new(1, String::new(), 0..3, &[0, 2]).is_err());
    }
}
