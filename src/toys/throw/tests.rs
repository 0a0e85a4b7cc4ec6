//! Draws, levels and tallies against their definitions.

use super::*;
use crate::hunt::Convention;
use crate::hunt::scan::math::local_ln_p;
use crate::math::philox::{Philox, Stage};
use crate::math::poisson::PoissonTable;
use crate::math::special;

const MEANS: [f64; 11] = [0.0, 1e-12, 0.003, 0.5, 1.0, 3.7, 25.0, 144.5, 2000.0, 31_000.25, 1.2e6];

fn input(means: &[f64], ranges: &[std::ops::Range<usize>]) -> Input<Host> {
    let expected: Vec<f64> = ranges.iter().map(|range| means[range.clone()].iter().sum()).collect();
    let draws = DrawTables::new(means).unwrap();
    let (z, ln_p) = (3.0, special::ln_normal_survival(3.0));
    Input {
        cell: draws.cell.into(),
        guide: draws.guide.into(),
        threshold_high: draws.threshold_high.into(),
        threshold_low: draws.threshold_low.into(),
        start: ranges.iter().map(|range| range.start as u32).collect(),
        end: ranges.iter().map(|range| range.end as u32).collect(),
        minimum: minimum_counts(&expected, Convention::ExcessOnly).into(),
        critical: critical_counts(&expected, Convention::ExcessOnly, Exceedance::AtLeast, z, ln_p).into(),
    }
}

fn everything(cells: usize) -> [std::ops::Range<usize>; 1] {
    std::array::from_fn(|_| 0..cells)
}

/// The count of one cell for a word and its refinement, by the tables.
fn count(input: &Input<Host>, cell: usize, word: u32, refinement: u32) -> u32 {
    let words = &input.cell[math::WORDS_A_CELL * cell..];
    let words = [words[0], words[1], words[2], words[3]];
    let mut index = math::find(word, words, &input.guide, &input.threshold_high);
    if word == input.threshold_high[index as usize] {
        index = math::refine(word, refinement, index, words[2], &input.threshold_high, &input.threshold_low);
    }
    index.wrapping_sub(words[3])
}

#[test]
fn every_threshold_decides_on_both_sides_of_it() {
    let input = input(&MEANS, &everything(MEANS.len()));
    for (cell, mean) in MEANS.iter().enumerate() {
        let table = PoissonTable::new(*mean).unwrap();
        let step = table.thresholds().len() / 300 + 1;
        let around = |at: &u64| [at.wrapping_sub(1), *at, at.wrapping_add(1), at | 0xffff_ffff, at & !0xffff_ffff];
        let words = table.thresholds().iter().step_by(step).flat_map(around).chain([0, u64::MAX, 1 << 63]);
        for u in words {
            assert_eq!(count(&input, cell, (u >> 32) as u32, u as u32), table.draw(u), "mean {mean}, word {u:#x}");
        }
    }
}

#[test]
fn a_toy_has_the_counts_of_its_words() {
    for cells in 1..=MEANS.len() {
        let input = input(&MEANS[..cells], &everything(cells));
        let random = Philox::new(11, Stage::Toys);
        let mut prefix = vec![0; cells + 1];
        for toy in [0, 1, 99, u64::MAX] {
            cpu::draw(&random, toy, &input, &mut prefix);
            for cell in 0..cells {
                let word = u64::from(random.words(toy, cell as u64 / 4)[cell % 4]);
                let refinement = u64::from(random.words(toy, math::REFINEMENT + cell as u64)[0]);
                let expected = PoissonTable::new(MEANS[cell]).unwrap().draw(word << 32 | refinement);
                assert_eq!(prefix[cell + 1] - prefix[cell], expected, "toy {toy}, cell {cell} of {cells}");
            }
        }
    }
}

#[test]
fn levels_begin_at_the_smallest_count_that_reaches_them() {
    for convention in [Convention::ExcessOnly, Convention::Survival] {
        let means: Vec<f64> = MEANS[1..].to_vec();
        let minimum = minimum_counts(&means, convention);
        assert_eq!(minimum.len(), LEVELS as usize * means.len());
        for (window, mean) in means.iter().enumerate() {
            for level in 1..=LEVELS {
                let target = special::ln_normal_survival(level_z(level));
                let got = minimum[(level as usize - 1) * means.len() + window];
                let ln_p = |count: u32| local_ln_p(u64::from(count), *mean, convention.excess_only());
                assert!(got > 0 && got < NEVER, "mean {mean}, level {level}");
                assert!(ln_p(got) <= target && ln_p(got - 1) > target, "mean {mean}, level {level}: {got}");
            }
        }
    }
}

#[test]
fn critical_counts_include_ties_as_asked() {
    let mean = [7.5, 100.0];
    let ln_p = local_ln_p(14, 7.5, true);
    let z = crate::hunt::scan::math::local_z(ln_p);
    let critical = |exceedance| critical_counts(&mean, Convention::ExcessOnly, exceedance, z, ln_p);
    let (at_least, above) = (critical(Exceedance::AtLeast), critical(Exceedance::Above));
    assert_eq!((at_least[0], above[0]), (14, 15));
    assert_eq!(at_least[1], above[1]);
    // An observation without any excess is reached by every toy, and exceeded by some.
    assert_eq!(critical_counts(&mean, Convention::ExcessOnly, Exceedance::AtLeast, 0.0, 0.0), [0, 0]);
    assert_eq!(critical_counts(&mean, Convention::ExcessOnly, Exceedance::Above, 0.0, 0.0), [8, 101]);
    // Hundreds of sigma are found as well.
    let far = critical_counts(&[1.0], Convention::ExcessOnly, Exceedance::AtLeast, 108.0, local_ln_p(1000, 1.0, true));
    assert_eq!(far, [1000]);
}

#[test]
fn levels_are_raised_to_the_highest_reached() {
    // Two windows, four levels.
    let minimum = [1, 10, 3, 20, 3, 30, 9, 40];
    let raise = |level, count, window| math::raise_level(level, count, window, 2, 4, &minimum);
    assert_eq!([0, 1, 2, 3, 8, 9, 99].map(|count| raise(0, count, 0)), [0, 1, 1, 3, 3, 4, 4]);
    assert_eq!([9, 10, 29, 30, 40].map(|count| raise(0, count, 1)), [0, 1, 2, 3, 4]);
    assert_eq!([29, 30, 40].map(|count| raise(2, count, 1)), [2, 3, 4]);
    assert_eq!(raise(4, 99, 0), 4);
}

#[test]
fn the_tally_does_not_depend_on_the_split_or_the_threads() {
    let ranges: Vec<_> = (0..MEANS.len() - 2).map(|first| first..first + 3).collect();
    let input = input(&MEANS, &ranges);
    let tally = |first_toy, toys| Throw { seed: 3, first_toy, toys }.cpu(input.clone()).unwrap().tally.to_vec();
    let all = tally(5, 1000);
    assert_eq!(all[1..].iter().sum::<u64>(), 1000);
    for pieces in [vec![1, 999], vec![500, 500], vec![333, 1, 666]] {
        let (mut sum, mut first) = (vec![0; all.len()], 5);
        for piece in pieces {
            sum.iter_mut().zip(tally(first, piece)).for_each(|(sum, part)| *sum += part);
            first += piece;
        }
        assert_eq!(sum, all);
    }
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(alone.install(|| tally(5, 1000)), all);
    assert_ne!(tally(6, 1000), all);
}

#[test]
fn what_cannot_be_thrown_is_refused_at_once() {
    let good = input(&MEANS, &everything(MEANS.len()));
    assert!(Throw { seed: 1, first_toy: 0, toys: 1 }.check(&good).is_ok());
    assert_eq!(Throw { seed: 1, first_toy: u64::MAX, toys: 2 }.check(&good).unwrap_err().problems().len(), 1);
    let bad = Input::<Host> { end: vec![1, 2].into(), critical: Vec::new().into(), ..good };
    assert_eq!(Throw { seed: 1, first_toy: 0, toys: 0 }.check(&bad).unwrap_err().problems().len(), 3);
    assert_eq!(DrawTables::new(&[1.0, -1.0, f64::NAN]).unwrap_err().problems().len(), 2);
    assert!(DrawTables::new(&[9e8; 3]).is_err());
}
