//! Toys of the tail against their definition.

mod estimate_tests;

use std::ops::Range;

use super::*;
use crate::hunt::Shapes;
use crate::math::philox::{Philox, Stage, join};
use crate::math::poisson::{PoissonTable, count_at_most};
use crate::toys::cells::DrawTables;
use crate::toys::throw::NEVER;

/// Tables of windows with these critical counts over one row of cells.
fn tables(means: &[f64], ranges: &[Range<usize>], critical: &[u32]) -> Result<TailTables> {
    let expected: Vec<f64> = ranges.iter().map(|range| means[range.clone()].iter().sum()).collect();
    let column = |of: fn(&Range<usize>) -> usize| -> Vec<u32> { ranges.iter().map(|range| of(range) as u32).collect() };
    let (start, end) = (column(|range| range.start), column(|range| range.end));
    TailTables::new(&Geometry {
        draws: &DrawTables::new(means).unwrap(),
        cells: means,
        shapes: &Shapes { start, end, height: vec![1; ranges.len()] },
        columns: means.len(),
        expected: &expected,
        critical,
    })
}

fn counts(sums: &[u32]) -> Vec<u32> {
    sums.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Of the seeds 1 to 210, the first alone has a chi^2 (82 for 43 degrees) in the test of independence that is out of line; an
/// independent program (NumPy, its own Philox) has the same, and all others together are within 1.2 deviations.
const SEED: u64 = 2;

/// The counts of toy `toy`.
fn toy(tables: &TailTables, toy: u64) -> Vec<u32> {
    let mut sums = vec![0; tables.input.cells() + 1];
    cpu::draw(&Philox::new(SEED, Stage::Tail), toy, &tables.input, &mut sums);
    counts(&sums)
}

#[test]
fn the_chosen_window_holds_its_total_and_nothing_else_moves() {
    let means = [0.4, 30.0, 0.0, 2.0, 900.0, 0.01, 7.0];
    let ranges = [0..2, 1..5, 3..7, 5..6, 0..7];
    // Likely ones among them, so that events are taken away too.
    let tables = tables(&means, &ranges, &[45, 900, 990, 1, 920]).unwrap();
    let random = Philox::new(SEED, Stage::Tail);
    let (mut more, mut fewer) = (0, 0);
    for number in 0..2000 {
        let words = random.words(number, math::CHOICE);
        let window = count_at_most(&tables.input.choice, join(words[0], words[1])) as usize;
        let mean: f64 = means[ranges[window].clone()].iter().sum();
        let total = PoissonTable::at_least(mean, tables.input.critical[window]).unwrap();
        let got = toy(&tables, number);
        let inside: u32 = got[ranges[window].clone()].iter().sum();
        assert_eq!(inside, total.draw(join(words[2], words[3])), "toy {number}, window {window}");
        let mut drawn = 0;
        for (cell, mean) in means.iter().enumerate() {
            let word = random.words(number, cell as u64 / 4)[cell % 4];
            let refinement = random.words(number, crate::toys::cells::math::REFINEMENT + cell as u64)[0];
            let free = PoissonTable::new(*mean).unwrap().draw(join(word, refinement));
            if ranges[window].contains(&cell) {
                drawn += free;
            } else {
                assert_eq!(got[cell], free, "toy {number}, cell {cell}");
            }
        }
        assert_eq!(got[2], 0, "nothing is expected in cell 2");
        more += u32::from(inside > drawn);
        fewer += u32::from(inside < drawn);
    }
    assert!(more > 300 && fewer > 300, "{more} and {fewer}");
}

/// P(N = n) for n up to 40.
fn probabilities(mean: f64) -> Vec<f64> {
    (0..=40).map(|n| crate::math::special::ln_poisson_term(f64::from(n), mean).exp()).collect()
}

#[test]
fn cells_are_independent_poisson_numbers_given_the_critical_count() {
    // One window of two cells: P(a, b) is proportional to the product where a + b reaches the critical count, from none
    // (events are added and taken away equally often) to 4 sigma (always added).
    let means = [1.3, 4.0];
    for critical in [0, 3, 7, 16] {
        let tables = tables(&means, std::slice::from_ref(&(0..2)), &[critical]).unwrap();
        let toys = 20_000_u64;
        let mut seen = vec![0_u64; 41 * 41];
        for number in 0..toys {
            let got = toy(&tables, number);
            seen[got[0] as usize * 41 + got[1] as usize] += 1;
        }
        let (a, b) = (probabilities(means[0]), probabilities(means[1]));
        let reaches = |cell: usize| (cell / 41 + cell % 41) as u32 >= critical;
        let all: f64 = (0..seen.len()).filter(|c| reaches(*c)).map(|c| a[c / 41] * b[c % 41]).sum();
        let (mut chi_squared, mut degrees, mut rest, mut rest_seen) = (0.0, -1.0, 0.0, 0);
        for (cell, seen) in seen.iter().enumerate() {
            let expected = if reaches(cell) { toys as f64 * a[cell / 41] * b[cell % 41] / all } else { 0.0 };
            assert!(reaches(cell) || *seen == 0);
            if expected < 10.0 {
                rest += expected;
                rest_seen += seen;
                continue;
            }
            chi_squared += (*seen as f64 - expected).powi(2) / expected;
            degrees += 1.0;
        }
        chi_squared += (rest_seen as f64 - rest).powi(2) / rest;
        degrees += 1.0;
        let off = (chi_squared - degrees) / (2.0 * degrees).sqrt();
        assert!(degrees > 10.0 && off.abs() < 4.0, "from {critical}: chi^2 {chi_squared} of {degrees}");
    }
}

#[test]
fn numbers_below_a_bound_are_even() {
    assert_eq!([0, u64::MAX / 3 + 1, u64::MAX].map(|bits| math::below(bits, 3)), [0, 1, 2]);
    assert_eq!(math::below(u64::MAX, u32::MAX), u32::MAX - 1);
    assert_eq!([0, 1, 2, 4].map(|event| math::cell_of(event, &[0, 2, 0, 3], 4, 4)), [1, 1, 3, 3]);
    // Two cells in each of two rows of three: the third and the sixth are of no concern.
    assert_eq!([0, 1, 2, 4].map(|event| math::cell_of(event, &[0, 2, 9, 0, 3, 9], 2, 3)), [1, 1, 4, 4]);
    assert_eq!([0, 1, 2, 3].map(|cell| math::place_of(cell, 2, 3)), [0, 1, 3, 4]);
}

#[test]
fn windows_are_chosen_by_their_probability() {
    let tables = tables(&[3.0, 5.0], &[0..1, 1..2, 0..2], &[9, NEVER, 12]).unwrap();
    // The second cannot reach its count. P(N >= 9 | 3) and P(N >= 12 | 8) by mpmath 1.3.0.
    assert_eq!(tables.input.windows(), 2);
    let (first, last) = (0.003_802_992_061_675_957_f64, 0.111_924_001_018_518_53);
    assert!((tables.input.choice[0] as f64 / 2f64.powi(64) - first / (first + last)).abs() < 1e-13);
    assert!((tables.ln_sum() - (first + last).ln()).abs() < 1e-12);
}

#[test]
fn the_tally_does_not_depend_on_the_split_or_the_threads() {
    let tables = tables(&[2.0, 5.0, 1.0, 30.0], &[0..2, 1..3, 2..4, 0..4], &[12, 11, 45, 50]).unwrap();
    let tally = |first_toy, toys| Tail { seed: 3, first_toy, toys }.cpu(tables.input.clone()).unwrap().tally.to_vec();
    let all = tally(5, 1000);
    assert_eq!((all[0], all.iter().sum::<u64>()), (0, 1000));
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
    let good = tables(&[2.0, 5.0], &[0..1, 0..2], &[12, 11]).unwrap().input;
    assert!(Tail { seed: 1, first_toy: 0, toys: 1 }.check(&good).is_ok());
    assert_eq!(Tail { seed: 1, first_toy: u64::MAX, toys: 2 }.check(&good).unwrap_err().problems().len(), 1);
    let bad = Input::<Host> { end: vec![1].into(), critical: Vec::new().into(), ..good };
    assert_eq!(Tail { seed: 1, first_toy: 0, toys: 0 }.check(&bad).unwrap_err().problems().len(), 3);
    assert!(tables(&[2.0], std::slice::from_ref(&(0..1)), &[NEVER]).err().unwrap().to_string().contains("no window"));
    assert!(tables(&[2.0], std::slice::from_ref(&(0..1)), &[NEVER - 1]).is_err());
}

fn tally_of(tables: &TailTables, seed: u64, first_toy: u64, toys: u64) -> TailTally {
    let mut tally = TailTally::empty(seed, -3.0, tables);
    let column = Tail { seed, first_toy, toys }.cpu(tables.input.clone()).unwrap().tally;
    tally.add(first_toy..first_toy + toys, &column).unwrap();
    tally
}

#[test]
fn tallies_merge_in_any_order_and_only_with_their_like() {
    let a_plane = tables(&[2.0, 5.0, 1.0], &[0..2, 1..3], &[14, 13]).unwrap();
    let another = tables(&[2.0, 5.0, 1.0], &[0..2, 1..3], &[14, 14]).unwrap();
    let (a, b, c) = (tally_of(&a_plane, 1, 0, 30), tally_of(&a_plane, 1, 30, 20), tally_of(&a_plane, 1, 60, 5));
    let all = a.clone().merge(&b).unwrap().merge(&c).unwrap();
    assert_eq!(all, c.merge(&a).unwrap().merge(&b).unwrap());
    assert_eq!((all.toys(), all.ranges()), (55, &[0..50, 60..65][..]));
    assert!(a.clone().merge(&a).is_err());
    assert_eq!(a.merge(&tally_of(&another, 2, 7, 3)).unwrap_err().problems().len(), 3);
    let mut empty = TailTally::empty(1, -3.0, &a_plane);
    assert!(empty.add(0..2, &[0, 1, 0]).is_err() && empty.add(0..2, &[1, 1, 0]).is_err());
    assert!(TailEstimate::new(&empty).is_err());
}
