//! Against mpmath, and every draw near a threshold.

use super::super::philox::{Philox, Stage, join};
use super::*;

#[test]
fn thresholds_agree_with_mpmath() {
    let mut worst = 0u64;
    let mut table = PoissonTable::new(1.0).unwrap();
    let mut mean_of_table = 1.0;
    for &(mean, k, expected) in golden::THRESHOLDS {
        if mean != mean_of_table {
            (table, mean_of_table) = (PoissonTable::new(mean).unwrap(), mean);
        }
        let got = table.thresholds()[(k - table.first()) as usize];
        worst = worst.max(got.abs_diff(expected));
    }
    // 2^-63 in probability is 2 here; the issue asks for 2^-60, which is 16.
    assert!(worst <= 1, "{worst}");
}

#[test]
fn thresholds_of_tails_agree_with_mpmath() {
    let mut table = ((1.0, 0), PoissonTable::at_least(1.0, 0).unwrap());
    for &(mean, least, k, expected) in golden::TAIL_THRESHOLDS {
        if table.0 != (mean, least) {
            table = ((mean, least), PoissonTable::at_least(mean, least).unwrap());
        }
        let got = table.1.thresholds()[(k - table.1.first()) as usize];
        assert!(got.abs_diff(expected) <= 1, "mean {mean}, {k} from {least}: {got} and {expected}");
    }
    assert_eq!(golden::TAIL_THRESHOLDS.len(), 148);
}

#[test]
fn tails_begin_where_they_are_asked_to() {
    for mean in [1e-12, 0.5, 7.25, 300.0, 77777.7] {
        assert_eq!(PoissonTable::at_least(mean, 0).unwrap(), PoissonTable::new(mean).unwrap());
        for least in [1, 2, 9, 400, 78_000, 1_000_000] {
            let table = PoissonTable::at_least(mean, least).unwrap();
            assert!(table.draw(0) >= least && table.thresholds().len() <= largest_entries(mean), "{mean} from {least}");
            assert!(table.thresholds().windows(2).all(|pair| pair[0] <= pair[1]), "{mean} from {least}");
        }
    }
    // Far above the mean the least count itself is nearly certain.
    assert_eq!(PoissonTable::at_least(1e-30, 7).unwrap().draw(u64::MAX), 7);
    assert!(PoissonTable::at_least(0.0, 1).is_err() && PoissonTable::at_least(1.0, LARGEST_LEAST + 1).is_err());
}

#[test]
fn shares_split_64_bits_in_proportion() {
    let half = 1 << 63;
    assert_eq!(share_thresholds(&[1.0, 1.0]), [half]);
    assert_eq!(share_thresholds(&[0.0, 3.0, 0.0, 1.0]), [0, 3 << 62, 3 << 62]);
    assert_eq!(share_thresholds(&[1.0, 2.0]), [6148914691236517205]);
    assert!(share_thresholds(&[7.0]).is_empty() && share_thresholds(&[]).is_empty());
    // 0.1 and 0.2 as doubles: exact fractions by Python's `fractions`.
    assert_eq!(share_thresholds(&[0.1, 0.2, 0.7]), [1844674407370955315, 5534023222112865945]);
    let chosen = |u| count_at_most(&share_thresholds(&[0.0, 3.0, 0.0, 1.0]), u);
    assert_eq!([0, half, (3 << 62) - 1, 3 << 62, u64::MAX].map(chosen), [1, 1, 1, 3, 3]);
}

#[test]
fn tables_never_fall_and_keep_their_size() {
    for mean in [1e-300, 1e-19, 1e-8, 0.01, 0.5, 1.0, 2.0, 3.0, 10.0, 40.0, 1e3, 77777.7, 1e6] {
        let table = PoissonTable::new(mean).unwrap();
        assert!(table.thresholds().len() <= largest_entries(mean), "{mean}: {}", table.thresholds().len());
        assert!(table.thresholds().windows(2).all(|pair| pair[0] <= pair[1]), "{mean}");
        assert!(table.thresholds().iter().all(|&t| t > 0 && t < u64::MAX));
        assert_eq!(table.draw(0), table.first());
        assert_eq!(table.draw(u64::MAX), table.first() + table.thresholds().len() as u32);
    }
}

#[test]
fn the_smallest_means_draw_nothing() {
    for mean in [0.0, -0.0, 1e-20, f64::MIN_POSITIVE] {
        let table = PoissonTable::new(mean).unwrap();
        assert_eq!((table.draw(0), table.draw(u64::MAX)), (0, 0));
        assert_eq!(table.draw_high(u32::MAX), HighDraw::Decided(0));
    }
}

#[test]
fn impossible_means_are_refused() {
    for mean in [-1.0, f64::NAN, f64::INFINITY, 1.1e9, -f64::MIN_POSITIVE] {
        let text = PoissonTable::new(mean).unwrap_err().to_string();
        assert!(text.starts_with("math.poisson: the mean"), "{text}");
    }
}

#[test]
fn draws_change_exactly_at_the_thresholds() {
    for mean in [0.3, 5.0, 200.0] {
        let table = PoissonTable::new(mean).unwrap();
        for (index, &t) in table.thresholds().iter().enumerate() {
            let k = table.first() + index as u32;
            assert_eq!((table.draw(t - 1), table.draw(t)), (k, k + 1));
        }
    }
}

#[test]
fn two_words_decide_as_64_bits_do() {
    for mean in [1e-8, 0.02, 0.5, 3.0, 40.0, 3000.0] {
        let table = PoissonTable::new(mean).unwrap();
        let near = table.thresholds().iter().flat_map(|t| (-2i64..=2).map(move |d| ((t >> 32) as i64 + d) as u32));
        let words = near.chain([0, 1, u32::MAX]).chain((0..2000u64).map(|i| {
            let [word, ..] = Philox::new(9, Stage::Probe).words(i, 0);
            word
        }));
        for high in words {
            let lows = table.thresholds().iter().flat_map(|t| (-1i64..=1).map(move |d| (*t as i64 + d) as u32));
            let draws: Vec<u32> = lows.take(600).chain([0, u32::MAX]).map(|low| table.draw(join(high, low))).collect();
            if let HighDraw::Decided(n) = table.draw_high(high) {
                assert!(draws.iter().all(|&draw| draw == n));
            } else {
                assert!(table.thresholds().iter().any(|t| (t >> 32) as u32 == high));
            }
        }
    }
}

#[test]
fn draws_have_the_mean_and_variance() {
    let random = Philox::new(11, Stage::Probe);
    for mean in [0.7, 12.0, 900.0] {
        let table = PoissonTable::new(mean).unwrap();
        let n = 40_000u64;
        let (mut sum, mut squares) = (0.0, 0.0);
        for unit in 0..n {
            let [a, b, ..] = random.words(unit, 0);
            let off = f64::from(table.draw(join(a, b))) - mean;
            sum += off;
            squares += off * off;
        }
        let (n, variance) = (n as f64, squares / n as f64);
        assert!((sum / n).abs() < 5.0 * (mean / n).sqrt());
        // Var of the variance of a Poisson: (mean + 2 mean^2)/n.
        assert!((variance - mean).abs() < 5.0 * ((mean + 2.0 * mean * mean) / n).sqrt());
    }
}

#[test]
fn the_hash_names_the_table() {
    let table = PoissonTable::new(0.5).unwrap();
    assert_eq!(table.sha256().len(), 64);
    assert_eq!(table.sha256(), PoissonTable::new(0.5).unwrap().sha256());
    assert_ne!(table.sha256(), PoissonTable::new(0.5000001).unwrap().sha256());
}
