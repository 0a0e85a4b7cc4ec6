//! Draws, levels and tallies against their definitions.

use std::ops::Range;

use super::*;
use crate::hunt::Convention;
use crate::hunt::scan::math::local_ln_p;
use crate::math::philox::{Philox, Stage};
use crate::math::poisson::PoissonTable;
use crate::math::special;

const MEANS: [f64; 11] = [0.0, 1e-12, 0.003, 0.5, 1.0, 3.7, 25.0, 144.5, 2000.0, 31_000.25, 1.2e6];

/// The tables for windows of one range each, and an observation of three sigma.
fn input(means: &[f64], ranges: &[Range<usize>]) -> Input<Host> {
    input_of(means, &ranges.iter().map(|range| vec![range.clone()]).collect::<Vec<_>>())
}

fn input_of(means: &[f64], windows: &[Vec<Range<usize>>]) -> Input<Host> {
    let layout = Layout::new(means, windows);
    let sum = |window: &usize| windows[*window].iter().map(|range| means[range.clone()].iter().sum::<f64>()).sum();
    let expected: Vec<f64> = layout.windows.iter().map(sum).collect();
    let (z, ln_p) = (3.0, special::ln_normal_survival(3.0));
    let ranges = layout.ranges.iter().flatten();
    let mut range = vec![0];
    layout.ranges.iter().for_each(|ranges| range.push(range[range.len() - 1] + ranges.len() as u32));
    Input {
        draws: Draws::new(&layout).unwrap(),
        range: range.into(),
        start: ranges.clone().map(|range| range.start).collect(),
        end: ranges.map(|range| range.end).collect(),
        minimum: minimum_counts(&expected, Convention::ExcessOnly).into(),
        critical: critical_counts(&expected, Convention::ExcessOnly, Exceedance::AtLeast, z, ln_p).into(),
        floor: floor_level(windows.len(), layout.means.len()),
    }
}

/// Each cell is a window.
fn cells(means: &[f64]) -> Input<Host> {
    input(means, &(0..means.len()).map(|cell| cell..cell + 1).collect::<Vec<_>>())
}

/// What a draw is for 64 bits, by the tables.
fn drawn(draws: &Draws<Host>, draw: usize, bits: u64) -> u32 {
    let words = &draws.draw[draw * math::WORDS_A_DRAW..];
    let word = (bits >> 48) as u32;
    let refinement = [(bits >> 16) as u32, (bits << 16) as u32, 0, 0];
    assert_eq!(math::refined(word, refinement), bits);
    let passed = cpu::thresholds_passed(draws, words[0], words[1], words[4], words[5], word, || refinement);
    words[2] + passed
}

#[test]
fn every_threshold_decides_on_both_sides_of_it() {
    let input = cells(&MEANS);
    // A mean of 0 is not drawn.
    for (draw, mean) in MEANS[1..].iter().enumerate() {
        let table = PoissonTable::new(*mean).unwrap();
        let step = table.thresholds().len() / 300 + 1;
        let around =
            |at: &u64| [at.wrapping_sub(1), *at, at.wrapping_add(1), at | (u64::MAX >> 16), at & !(u64::MAX >> 16)];
        let words = table.thresholds().iter().step_by(step).flat_map(around).chain([0, u64::MAX, 1 << 63]);
        // Every word of 16 bits too, in the middle of what it leaves open.
        for bits in words.chain((0..1 << 16).map(|word| word << 48 | 1 << 47)) {
            assert_eq!(drawn(&input.draws, draw, bits), table.draw(bits), "mean {mean}, {bits:#x}");
        }
    }
}

/// The 64 bits of number `at` of the words of a set, refined.
fn bits(random: &Philox, toy: u64, set: u64, at: u32, refinement: u64) -> u64 {
    let word = math::half_word(random.words(toy, set), at);
    math::refined(word, random.words(toy, refinement))
}

#[test]
fn a_toy_has_the_counts_of_its_words() {
    let random = Philox::new(11, Stage::Toys);
    let input = cells(&MEANS);
    let mut counts = vec![0; MEANS.len()];
    for toy in [0, 1, 99, u64::MAX] {
        cpu::draw(&random, toy, &input.draws, &mut counts);
        assert_eq!(counts[0], 0);
        for (draw, mean) in (0..).zip(&MEANS[1..]) {
            let bits = bits(&random, toy, draw / 8, (draw % 8) as u32, (1 << 61) + draw);
            assert_eq!(counts[draw as usize + 1], PoissonTable::new(*mean).unwrap().draw(bits), "toy {toy}, {mean}");
        }
    }
}

/// Two rows of 100 cells; most of the second's are small.
fn grouped() -> (Vec<f64>, Vec<Range<usize>>) {
    let means = |row: usize, cell: usize| match (row, cell % 10) {
        (0, _) => 2.5,
        (_, 0) => 1.0,
        (_, tenth) => 0.015 * tenth as f64,
    };
    let means = (0..200).map(|cell| means(cell / 100, cell % 100)).collect();
    (means, (0..98).flat_map(|first| [first..first + 3, 100 + first..103 + first]).collect())
}

#[test]
fn particles_of_a_group_pick_their_cells_by_their_words() {
    let (means, ranges) = grouped();
    let input = input(&means, &ranges);
    assert_eq!(input.draws.rows(), 2);
    let group: Vec<usize> = (100..200).filter(|cell| cell % 10 != 0).collect();
    assert_eq!(input.draws.member.iter().map(|cell| *cell as usize).collect::<Vec<_>>(), group);
    let total: f64 = group.iter().map(|cell| means[*cell]).sum();
    let random = Philox::new(5, Stage::Toys);
    let mut counts = vec![0; 200];
    for toy in 0..50 {
        cpu::draw(&random, toy, &input.draws, &mut counts);
        // The first row has 100 draws, so the second begins with draw 104; its group is the last of its 11.
        let number = PoissonTable::new(total).unwrap().draw(bits(&random, toy, 114 / 8, 114 % 8, (1 << 61) + 114));
        let mut expected = vec![0; 200];
        for particle in 0..u64::from(number) {
            let set = (1 << 62) + (1 << 24) + particle / 8;
            let bits = bits(&random, toy, set, (particle % 8) as u32, (3 << 61) + (1 << 27) + particle);
            let share = bits as f64 / 2_f64.powi(64) * total;
            let mut sum = 0.0;
            let cell = group.iter().find(|cell| {
                sum += means[**cell];
                share < sum
            });
            expected[*cell.unwrap()] += 1;
        }
        for cell in &group {
            assert_eq!(counts[*cell], expected[*cell], "toy {toy}, cell {cell}");
        }
    }
}

/// Chi-squared of 40,000 toys in 90 grouped cells: counts 0, 1 and more are Poisson, and neighbours are uncorrelated.
#[test]
fn grouped_cells_are_independent_and_poisson() {
    let (means, ranges) = grouped();
    let input = input(&means, &ranges);
    let random = Philox::new(2, Stage::Toys);
    let (toys, mut counts) = (40_000, vec![0; 200]);
    let (mut seen, mut products) = (vec![[0.0; 3]; 200], vec![0.0; 200]);
    for toy in 0..toys {
        cpu::draw(&random, toy, &input.draws, &mut counts);
        for cell in 101..200 {
            seen[cell][counts[cell].min(2) as usize] += 1.0;
            products[cell] += (f64::from(counts[cell]) - means[cell]) * (f64::from(counts[cell - 1]) - means[cell - 1]);
        }
    }
    let (mut chi_squared, mut correlated) = (0.0, 0.0);
    for cell in (101..200).filter(|cell| cell % 10 > 1) {
        let none = (-means[cell]).exp();
        let expected = [none, none * means[cell], 1.0 - none * (1.0 + means[cell])].map(|p| p * toys as f64);
        chi_squared +=
            seen[cell].iter().zip(expected).map(|(seen, expected)| (seen - expected).powi(2) / expected).sum::<f64>();
        correlated += products[cell].powi(2) / (toys as f64 * means[cell] * means[cell - 1]);
    }
    // 80 cells: 160 and 80 degrees of freedom, within four standard deviations.
    assert!((chi_squared - 160.0).abs() < 4.0 * 320_f64.sqrt(), "{chi_squared}");
    assert!((correlated - 80.0).abs() < 4.0 * 160_f64.sqrt(), "{correlated}");
}

/// The tally of toys that are drawn, summed and judged one by one.
fn one_by_one(throw: &Throw, input: &Input<Host>) -> Vec<u64> {
    let random = Philox::new(throw.seed, Stage::Toys);
    let mut counts = vec![0; input.draws.cells as usize];
    let mut tally = vec![0; input.tally_length()];
    for toy in throw.first_toy..throw.first_toy + throw.toys {
        cpu::draw(&random, toy, &input.draws, &mut counts);
        let of_window = |window: usize| -> u32 {
            let ranges = input.range[window] as usize..input.range[window + 1] as usize;
            ranges.flat_map(|range| input.start[range]..input.end[range]).map(|cell| counts[cell as usize]).sum()
        };
        tally[0] += u64::from((0..input.windows()).any(|window| of_window(window) >= input.critical[window]));
        tally[1 + cpu::highest_level(input, &counts) as usize] += 1;
    }
    tally
}

#[test]
// A window may have one range.
#[allow(clippy::single_range_in_vec_init)]
fn batches_are_toys_one_by_one() {
    let (means, ranges) = grouped();
    let wide: Vec<_> = (0..MEANS.len() - 2).map(|first| first..first + 3).collect();
    let parts = [vec![0..2, 4..6], vec![1..5], vec![7..8, 3..4, 9..10]];
    let narrow: Vec<_> = (1..6).map(|last| 1..last + 1).collect();
    for input in [input(&means, &ranges), input(&MEANS, &wide), input_of(&MEANS, &parts), input(&MEANS, &narrow)] {
        for floor in [1, 30, 50, input.floor] {
            let input = Input { floor, ..input.clone() };
            for (first_toy, toys) in [(0, 1), (7, 255), ((1 << 32) - 3, 600), (u64::MAX - 300, 299)] {
                let throw = Throw { seed: 4, first_toy, toys };
                let got = throw.cpu(input.clone()).unwrap().tally;
                assert_eq!(got.to_vec(), one_by_one(&throw, &input), "{toys} toys from {first_toy}, floor {floor}");
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
    let good = cells(&MEANS);
    assert!(Throw { seed: 1, first_toy: 0, toys: 1 }.check(&good).is_ok());
    assert_eq!(Throw { seed: 1, first_toy: u64::MAX, toys: 2 }.check(&good).unwrap_err().problems().len(), 1);
    let bad = Input::<Host> { end: vec![1, 2].into(), critical: Vec::new().into(), ..good };
    assert_eq!(Throw { seed: 1, first_toy: 0, toys: 0 }.check(&bad).unwrap_err().problems().len(), 4);
    assert_eq!(check_expected(&[1.0, -1.0, f64::NAN]).unwrap_err().problems().len(), 2);
    assert!(check_expected(&[9e8; 3]).is_err());
}
