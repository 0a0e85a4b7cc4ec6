//! Every processor against plain code, and plain code against sums by hand.

use super::*;
use crate::math::philox::{Philox, Stage};

/// Two numbers of 8 bits.
fn word_of(first: f32, second: f32) -> u32 {
    first.to_bits() >> 16 | second.to_bits()
}

/// A number of 8 bits whose exponent is one of so many around that of 1.
fn number(random: &Philox, unit: u64, exponents: u32) -> f32 {
    let [a, b, ..] = random.words(unit, 0);
    f32::from_bits(a & 0x807f_0000 | (127 - exponents / 2 + b % exponents) << 23)
}

#[test]
fn every_processor_gives_the_same_bits() {
    let random = Philox::new(33, Stage::Probe);
    // Of whole tiles, single ones and what is between; sums of sizes alike, and of all exponents there are, many subnormal.
    for (case, (rows, columns, blocks)) in [(2, 4, 2), (1, 1, 1), (3, 1, 5), (4, 3, 1)].into_iter().enumerate() {
        for exponents in [8, 60, 250] {
            let mut unit = (case as u64) << 32 | u64::from(exponents) << 20;
            let mut next = || {
                unit += 1;
                number(&random, unit, exponents)
            };
            let (mut a, mut b) = (Pairs::new(rows * SIDE, blocks * PAIRS), Pairs::new(blocks * PAIRS, columns * SIDE));
            a.words_mut().iter_mut().for_each(|word| *word = word_of(next(), next()));
            b.words_mut().iter_mut().for_each(|word| *word = word_of(next(), next()));
            let stride = columns * SIDE + 8;
            let before: Vec<f32> = (0..rows * SIDE * stride).map(|_| next()).collect();
            let row: Vec<f32> = (0..stride).map(|_| next()).collect();
            for onto in [Onto::Nothing, Onto::There, Onto::Row(&row)] {
                let run = |width| {
                    let mut to = before.clone();
                    let tiles = Tiles::begin(width);
                    tiles.multiply(Product { rows, columns, blocks, a: &a, b: &b, onto, to: &mut to, stride });
                    to
                };
                let expected = run(Width::Plain);
                assert!(
                    expected[..SIDE] != before[..SIDE]
                        && expected[columns * SIDE..stride] == before[columns * SIDE..stride]
                );
                for width in Width::available() {
                    for (place, (found, expected)) in run(width).iter().zip(&expected).enumerate() {
                        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                        assert!(same, "{width:?} {exponents} {place}: {found:e} {expected:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn sums_go_by_blocks_of_even_and_of_odd_terms() {
    // 1 + 2^-24 is 1, but 2^-24 + 2^-24 is not lost: 40 terms, of which those behind the first block come last.
    let tiny = 2.0_f32.powi(-24);
    let (mut a, mut b) = (Pairs::new(SIDE, 2 * PAIRS), Pairs::new(2 * PAIRS, SIDE));
    let terms: Vec<f32> = (0..40).map(|term| if term == 0 { 1.0 } else { tiny }).collect();
    a.words_mut().iter_mut().zip(terms.chunks(2)).for_each(|(word, terms)| *word = word_of(terms[0], terms[1]));
    b.words_mut().iter_mut().for_each(|word| *word = word_of(1.0, 1.0));
    for width in Width::available() {
        let mut to = vec![0.0; SIDE * SIDE];
        let product =
            Product { rows: 1, columns: 1, blocks: 2, a: &a, b: &b, onto: Onto::Nothing, to: &mut to, stride: SIDE };
        Tiles::begin(width).multiply(product);
        // 1 of the even terms, 16 of the odd ones; then 8 more.
        assert_eq!(to[0], 1.0 + 16.0 * tiny + 8.0 * tiny, "{width:?}");
        assert_eq!(to[SIDE], 0.0);
    }
}

#[test]
fn every_processor_makes_the_same_pairs() {
    let random = Philox::new(34, Stage::Probe);
    // Subnormal numbers, halves between two of 8 bits, and those around.
    let special =
        [0.0, -0.0, 1.0e-39, -1.0e-39, 1.003_906_3, 1.011_718_8, f32::INFINITY, -3.0e38, f32::from_bits(0x007f_ffff)];
    let number = |unit: usize| {
        let words = random.words(unit as u64, 0);
        if unit.is_multiple_of(7) { special[unit / 7 % special.len()] } else { (words[0] as f32 - 2.0e9) * 1e-9 }
    };
    for (rows, columns) in [(32, 64), (32, 8), (13, 20), (1, 1), (2, 33), (64, 40), (7, 16)] {
        let stride = columns + 5;
        let from: Vec<f32> = (0..(rows - 1) * stride + columns).map(number).collect();
        let size = (rows.max(columns) + TERMS).next_multiple_of(TERMS);
        let run = |width| {
            let mut of = [(); 4].map(|()| Pairs::new(size, size));
            let [by_rows, by_columns, turned, blank] = &mut of;
            // What stood there before.
            [&mut *by_rows, &mut *by_columns].into_iter().for_each(|pairs| pairs.words_mut().fill(7));
            by_rows.take_rows(width, &from, stride, [rows, columns]);
            by_columns.take_columns(width, &from, stride, [rows, columns]);
            turned.turn(width, by_columns, [rows, columns.div_ceil(2)]);
            assert!(blank.words().iter().all(|word| *word == 0));
            of.map(|pairs| pairs.words().to_vec())
        };
        let half = |row: usize, column: usize| {
            if row >= rows || column >= columns {
                return 0;
            }
            let x = from[row * stride + column];
            // The nearest of 8 bits by arithmetic.
            let step = 2.0_f64.powi((x.abs().log2().floor() as i32).saturating_sub(7));
            let near = if x.is_normal() { ((f64::from(x) / step).round_ties_even() * step) as f32 } else { 0.0 * x };
            (if x.is_infinite() { x } else { near }).to_bits() >> 16
        };
        for width in Width::available() {
            let [by_rows, by_columns, turned, _] = run(width);
            for row in 0..rows {
                for column in 0..columns {
                    let what = format!("{width:?}, {rows} x {columns}: {row} {column}");
                    let expected = half(row & !1, column) | half(row | 1, column) << 16;
                    assert_eq!(by_rows[row / 2 * size + column], expected, "{what}");
                    let expected = half(row, column & !1) | half(row, column | 1) << 16;
                    assert_eq!(by_columns[row * size + column / 2], expected, "{what}");
                    assert_eq!(turned[column / 2 * size + row], expected, "{what}");
                }
            }
            // Zeros to the end of a block of pairs, and what was there behind it.
            let behind = if rows % TERMS == 0 || rows % TERMS > TERMS - 2 { 7 } else { 0 };
            assert_eq!(by_rows[rows.div_ceil(2) * size], behind, "{width:?}");
            let behind = if columns % TERMS == 0 || columns % TERMS > TERMS - 2 { 7 } else { 0 };
            assert_eq!(by_columns[columns.div_ceil(2)], behind, "{width:?}");
        }
    }
}
