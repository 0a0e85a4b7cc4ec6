//! Toys counted by their largest significance, in parts that add up.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::throw::level_z;
use crate::error::{Fault, Problems, Result};

const NAME: &str = "toys.tally";

/// A tally of toys. Parts of the same tables and seed merge to the tally of all, in any order.
///
/// The exceeding toys are also counted by their numbers, between [`milestones`], so that the merged tally knows how the
/// p-value converged, whoever threw which part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    seed: u64,
    tables_sha256: String,
    ranges: Vec<Range<u64>>,
    exceed: u64,
    /// Exceeding toys before the first milestone, between it and the second, ...; without zeros at the end.
    exceed_between_milestones: Vec<u64>,
    levels: Vec<u64>,
}

/// The p-value after this many toys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milestone {
    /// Toys from number 0 on.
    pub toys: u64,
    /// How many of them are as significant as the observation.
    pub exceed: u64,
}

/// The numbers of toys at which the convergence of the p-value is recorded: ten a decade, from 100 on (the preferred
/// numbers R10 of ISO 3).
///
/// ```
/// assert_eq!(trawl::toys::milestones().take(4).collect::<Vec<u64>>(), [100, 125, 160, 200]);
/// assert!(trawl::toys::milestones().any(|toys| toys == 100_000));
/// ```
pub fn milestones() -> impl Iterator<Item = u64> {
    const R10: [u64; 10] = [100, 125, 160, 200, 250, 315, 400, 500, 630, 800];
    (0..18).flat_map(|decade| R10.into_iter().filter_map(move |toys| toys.checked_mul(10_u64.pow(decade))))
}

/// The first milestone after toy number `toy`; `u64::MAX` beyond the last.
pub fn next_milestone(toy: u64) -> u64 {
    milestones().find(|toys| *toys > toy).unwrap_or(u64::MAX)
}

/// Between which milestones toy number `toy` lies.
fn interval(toy: u64) -> usize {
    milestones().take_while(|toys| *toys <= toy).count()
}

impl Tally {
    /// The tally of the toys `range` from the column of `toys.throw`: exceeding toys, then those at each level. All of the
    /// range lies before the [`next_milestone`] after its start, or ends there.
    ///
    /// # Errors
    /// No toys, a range that passes a milestone, or a column whose levels do not add up to the number of toys.
    pub fn new(seed: u64, tables_sha256: String, range: Range<u64>, column: &[u64]) -> Result<Self> {
        let (exceed, levels) = (column.first().copied().unwrap_or(0), column.get(1..).unwrap_or_default().to_vec());
        let milestone = next_milestone(range.start);
        if range.end > milestone {
            let fault = Fault::new(NAME, format!("toys {range:?} pass the milestone of {milestone} toys"));
            return Err(fault.because("the convergence of the p-value is recorded there").data());
        }
        let mut between = vec![0; interval(range.start)];
        between.push(exceed);
        let tally = Self {
            seed,
            tables_sha256,
            ranges: vec![range],
            exceed,
            exceed_between_milestones: without_trailing_zeros(between),
            levels,
        };
        tally.check()?;
        Ok(tally)
    }

    /// Checks what a tally that was read from a file claims.
    ///
    /// # Errors
    /// Everything that no tally can say, at once.
    pub(super) fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let sound = |range: &Range<u64>| range.start < range.end;
        // Ranges that touch are one range, so that equal tallies are written alike.
        let apart = self.ranges.windows(2).all(|pair| pair[0].end < pair[1].start);
        if self.ranges.is_empty() || !self.ranges.iter().all(sound) || !apart {
            let fault = Fault::new(NAME, format!("the ranges of toys are {:?}", self.ranges));
            problems.push(fault.because("ranges hold toys, rise, and lie apart").data());
            return problems.finish();
        }
        let (toys, counted) = (self.toys(), self.levels.iter().fold(0, |sum: u64, level| sum.saturating_add(*level)));
        if counted != toys || self.exceed > toys {
            let problem = format!("{counted} toys were counted and {} exceed, of {toys} thrown", self.exceed);
            problems.push(Fault::new(NAME, problem).because("each toy has one level").data());
        }
        let between = &self.exceed_between_milestones;
        let placed = between.iter().fold(0, |sum: u64, part| sum.saturating_add(*part));
        if placed != self.exceed || between.last() == Some(&0) || between.len() > milestones().count() {
            let problem = format!("{placed} exceeding toys lie between milestones, and {} exceed", self.exceed);
            problems.push(Fault::new(NAME, problem).because("each lies between two").data());
        }
        problems.finish()
    }

    /// The p-value after each milestone, and after all toys; as far as the toys from number 0 on have no gap.
    pub fn convergence(&self) -> Vec<Milestone> {
        let Some(first) = self.ranges.first().filter(|range| range.start == 0) else { return Vec::new() };
        let mut sum = 0;
        let mut curve: Vec<Milestone> = milestones()
            .take_while(|toys| *toys <= first.end)
            .enumerate()
            .map(|(index, toys)| {
                sum += self.exceed_between_milestones.get(index).copied().unwrap_or(0);
                Milestone { toys, exceed: sum }
            })
            .collect();
        // Toys beyond a gap would be counted in the last point, were it there.
        if self.ranges.len() == 1 && curve.last().is_none_or(|last| last.toys < first.end) {
            curve.push(Milestone { toys: first.end, exceed: self.exceed });
        }
        curve
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
        let between = &mut self.exceed_between_milestones;
        between.resize(between.len().max(other.exceed_between_milestones.len()), 0);
        between.iter_mut().zip(&other.exceed_between_milestones).for_each(|(sum, part)| *sum += part);
        Ok(self)
    }

    /// A tally for tests of what only needs the two numbers.
    #[cfg(test)]
    pub(crate) fn all(seed: u64, range: Range<u64>, exceed: u64) -> Self {
        let levels = vec![range.end - range.start];
        let exceed_between_milestones = without_trailing_zeros(vec![exceed]);
        Self { seed, tables_sha256: String::new(), ranges: vec![range], exceed, exceed_between_milestones, levels }
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

fn without_trailing_zeros(mut counts: Vec<u64>) -> Vec<u64> {
    counts.truncate(counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1));
    counts
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
    fn convergence_is_that_of_all_toys_whoever_threw_them() {
        let column = |exceed: u64, toys: u64| [exceed, toys - 1, 1];
        let parts = [(0..70, 7), (70..100, 1), (100..125, 0), (125..150, 4), (150..155, 2)].map(|(range, exceed)| {
            let toys = range.end - range.start;
            part(range, &column(exceed, toys))
        });
        let merge = |order: [usize; 5]| {
            order[1..].iter().fold(parts[order[0]].clone(), |sum, next| sum.merge(&parts[*next]).unwrap())
        };
        let all = merge([0, 1, 2, 3, 4]);
        assert_eq!(all, merge([4, 2, 0, 3, 1]));
        let curve: Vec<(u64, u64)> = all.convergence().iter().map(|at| (at.toys, at.exceed)).collect();
        assert_eq!(curve, [(100, 8), (125, 8), (155, 14)]);
        // A gap ends the curve; toys after it exceed at nobody knows which number of toys.
        let gap = parts[0].clone().merge(&parts[1]).unwrap().merge(&parts[4]).unwrap();
        assert_eq!(gap.convergence(), [Milestone { toys: 100, exceed: 8 }]);
        assert_eq!(parts[3].convergence(), []);
        assert!(Tally::new(1, "abc".into(), 90..101, &[0, 11]).is_err());
        assert!(all.check().is_ok());
    }

    #[test]
    fn tallies_that_cannot_be_are_found() {
        let good = part(0..3, &[1, 2, 1, 0]);
        let spoil = |change: &dyn Fn(&mut Tally)| {
            let mut tally = good.clone();
            change(&mut tally);
            tally.check().is_err()
        };
        assert!(spoil(&|tally| tally.exceed = 2));
        assert!(spoil(&|tally| tally.levels[0] = 1));
        assert!(spoil(&|tally| tally.levels[0] = u64::MAX));
        assert!(spoil(&|tally| tally.ranges = vec![0..1, 1..3]));
        assert!(spoil(&|tally| tally.ranges = vec![2..3, 0..2]));
        assert!(spoil(&|tally| tally.ranges.clear()));
        assert!(spoil(&|tally| tally.exceed_between_milestones = vec![1, 0]));
        assert!(!spoil(&|_| ()));
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
