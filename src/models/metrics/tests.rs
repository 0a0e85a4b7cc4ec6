//! Curves against all pairs and numbers of another program, errors against the spread of pseudo-random data, ties, and every bad input.

mod refused;
mod thresholds;

use super::*;

/// SplitMix64: uniform numbers from 0 to 1.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, number: usize) -> usize {
        (self.uniform() * number as f64) as usize
    }
}

#[derive(Clone, Default)]
struct Table {
    scores: Vec<f32>,
    is_signal: Vec<bool>,
    weights: Vec<f32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Weights {
    Ones,
    Own,
}

impl Table {
    fn push(&mut self, score: f32, is_signal: bool, weight: f32) {
        self.scores.push(score);
        self.is_signal.push(is_signal);
        self.weights.push(weight);
    }

    /// Signal is uniform from 0.3 to 1.3 and background from 0 to 1, both rounded down to a multiple of 1 / `values`.
    fn random(random: &mut Random, signal: usize, background: usize, values: f64) -> Self {
        let mut table = Self::default();
        for event in 0..signal + background {
            let score = random.uniform() + if event < signal { 0.3 } else { 0.0 };
            table.push(
                ((score * values).floor() / values) as f32,
                event < signal,
                (0.2 + 2.0 * random.uniform()) as f32,
            );
        }
        table
    }

    fn scored(&self, weights: Weights) -> Scored<'_> {
        let weights = (weights == Weights::Own).then_some(&self.weights[..]);
        Scored { scores: &self.scores, is_signal: &self.is_signal, weights }
    }

    fn roc(&self, weights: Weights) -> Roc {
        Roc::of(&self.scored(weights)).unwrap()
    }

    /// Scores and weights of a class.
    fn class(&self, is_signal: bool, weights: Weights) -> Vec<(f32, f64)> {
        let weight = |row: usize| if weights == Weights::Own { f64::from(self.weights[row]) } else { 1.0 };
        let rows = (0..self.scores.len()).filter(|row| self.is_signal[*row] == is_signal);
        rows.map(|row| (self.scores[row], weight(row))).collect()
    }

    fn permuted(&self, random: &mut Random) -> Self {
        let mut rows: Vec<usize> = (0..self.scores.len()).collect();
        for last in (1..rows.len()).rev() {
            rows.swap(last, random.below(last + 1));
        }
        let mut table = Self::default();
        rows.iter().for_each(|row| table.push(self.scores[*row], self.is_signal[*row], self.weights[*row]));
        table
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1.0)
}

fn measured_near(a: Measured, value: f64, error: f64) -> bool {
    near(a.value, value) && near(a.error, error)
}

/// DeLong's estimate from all pairs.
fn auc_of_pairs(table: &Table, weights: Weights) -> Measured {
    let (signal, background) = (table.class(true, weights), table.class(false, weights));
    let order = |high: f32, low: f32| if high > low { 1.0 } else { f64::from(u8::from(high == low)) / 2.0 };
    let total = |class: &[(f32, f64)]| class.iter().map(|(_, weight)| weight).sum::<f64>();
    let placements = |of: &[(f32, f64)], among: &[(f32, f64)], order: &dyn Fn(f32, f32) -> f64| {
        let place = |score: f32| among.iter().map(|(other, weight)| weight * order(score, *other)).sum::<f64>();
        of.iter().map(|(score, weight)| (place(*score) / total(among), *weight)).collect::<Vec<_>>()
    };
    let of_signal = placements(&signal, &background, &order);
    let of_background = placements(&background, &signal, &|score, other| order(other, score));
    let value = of_signal.iter().map(|(place, weight)| place * weight).sum::<f64>() / total(&signal);
    let variance = |class: &[(f64, f64)]| {
        let sum = class.iter().map(|(_, w)| w).sum::<f64>();
        let effective = sum * sum / class.iter().map(|(_, w)| w * w).sum::<f64>();
        let spread = class.iter().map(|(place, w)| w * w * (place - value) * (place - value)).sum::<f64>();
        spread / (sum * sum) * effective / (effective - 1.0)
    };
    Measured { value, error: (variance(&of_signal) + variance(&of_background)).sqrt() }
}

#[test]
fn auc_is_that_of_all_pairs() {
    let mut random = Random(1);
    for values in [1e6, 40.0, 5.0, 2.0] {
        for weights in [Weights::Ones, Weights::Own] {
            let table = Table::random(&mut random, 83, 120, values);
            let (auc, expected) = (table.roc(weights).auc(), auc_of_pairs(&table, weights));
            assert!(measured_near(auc, expected.value, expected.error), "{values}: {auc:?} {expected:?}");
        }
    }
}

#[test]
fn steps_are_counted_one_by_one() {
    let table = Table::random(&mut Random(2), 50, 70, 12.0);
    for weights in [Weights::Ones, Weights::Own] {
        let roc = table.roc(weights);
        let mut thresholds = table.scores.clone();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        assert_eq!(roc.steps().map(|step| step.threshold).collect::<Vec<_>>(), thresholds);
        for step in roc.steps() {
            for (is_signal, efficiency) in [(true, step.signal), (false, step.background)] {
                let class = table.class(is_signal, weights);
                let passes = |event: &&(f32, f64)| event.0 >= step.threshold;
                let all: f64 = class.iter().map(|(_, w)| w).sum();
                let sum: f64 = class.iter().filter(passes).map(|(_, w)| w).sum();
                let squares: f64 = class.iter().filter(passes).map(|(_, w)| w * w).sum();
                assert!(near(efficiency.value, sum / all));
                assert!(near(efficiency.effective_passing, if sum > 0.0 { sum * sum / squares } else { 0.0 }));
                // The variance of the share, event by event.
                let share = sum / all;
                let residual = |event: &(f32, f64)| event.1 * (f64::from(u8::from(passes(&event))) - share);
                let variance = class.iter().map(|event| residual(event) * residual(event)).sum::<f64>() / (all * all);
                assert!(near(efficiency.error, variance.sqrt()));
            }
        }
        let points: Vec<Point> = roc.points().collect();
        assert_eq!(points.len(), thresholds.len() + 1);
        assert_eq!(points[0], Point { background: 0.0, signal: 0.0 });
        assert_eq!(points[points.len() - 1], Point { background: 1.0, signal: 1.0 });
        assert!(points.windows(2).all(|pair| {
            pair[0].background <= pair[1].background && pair[0].signal <= pair[1].signal && pair[0] != pair[1]
        }));
    }
}

/// Rows `i` from 0 to 23 with the score `7 i mod 11 mod 6`, signal where `i mod 3 = 0` or `i mod 7 = 2`.
fn small() -> Table {
    let mut table = Table::default();
    for i in 0..24 {
        let weight = [1.0, 1.5, 0.5, 2.0, 0.25][i % 5];
        table.push((7 * i % 11 % 6) as f32, i % 3 == 0 || i % 7 == 2, weight);
    }
    table
}

/// The numbers come from Python's `fractions`: placements of all pairs, and sums over `score >= threshold` at every threshold; square
/// roots of exact variances by `math.sqrt`.
#[test]
fn another_program_finds_the_same() {
    let rejection = |step: Step| match step.rejection() {
        Rejection::Of(rejection) => rejection,
        Rejection::MoreThan(_) => panic!("background passes"),
    };
    let roc = small().roc(Weights::Own);
    assert!(measured_near(roc.auc(), 0.6307977736549165, 0.1289312257010208));
    let step = roc.at_signal_efficiency(0.3).unwrap();
    assert_eq!(step.threshold, 4.0);
    assert!(near(step.signal.value, 0.4) && near(step.signal.error, 0.1699392210261516));
    assert!(near(step.background.value, 1.0 / 7.0) && near(step.background.error, 0.09210244314245664));
    assert!(near(step.background.relative_count_error().unwrap(), 0.6546536707079771));
    assert!(measured_near(rejection(step), 7.0, 4.513019713980375));
    assert!(measured_near(step.sic().unwrap().improvement, 1.0583005244258363, 0.5643936671783023));
    let step = roc.at_background_efficiency(0.5).unwrap().unwrap();
    assert_eq!(step.threshold, 3.0);
    assert!(measured_near(step.sic().unwrap().improvement, 0.9260451137750895, 0.3502775724771554));
    // At 0.44 the threshold 2 has enough background, but 0 has the larger SIC.
    let best = roc.largest_sic(0.44).unwrap().unwrap();
    assert_eq!((best.step.threshold, best.improvement), (0.0, Measured { value: 1.0, error: 0.0 }));
    let best = roc.largest_sic(0.66).unwrap().unwrap();
    assert_eq!(best.step.threshold, 4.0);
    assert!(measured_near(best.improvement, 1.0583005244258363, 0.5643936671783023));

    let roc = small().roc(Weights::Ones);
    assert!(measured_near(roc.auc(), 0.548951048951049, 0.12080575598019641));
    let step = roc.at_signal_efficiency(0.64).unwrap();
    assert_eq!(step.threshold, 1.0);
    assert!(near(step.signal.error, 0.11629129983033296));
    assert!(measured_near(rejection(step), 1.3, 0.197484176581315));
    assert!(measured_near(step.sic().unwrap().improvement, 0.9328708023538402, 0.1503377114968886));
}

/// Means and spreads over many pseudo-random tables, and means of the squares of their errors.
#[test]
fn errors_are_the_spread_of_repetitions() {
    const TABLES: usize = 3000;
    for (weights, values) in [(Weights::Ones, 1e6), (Weights::Ones, 8.0), (Weights::Own, 1e6), (Weights::Own, 8.0)] {
        let mut random = Random(3);
        let mut found: [Vec<Measured>; 4] = Default::default();
        for _ in 0..TABLES {
            let roc = Table::random(&mut random, 60, 90, values).roc(weights);
            // A fixed threshold: what passes fluctuates, as the errors say.
            let step = roc.steps().take_while(|step| step.threshold >= 0.5).last().unwrap();
            let Rejection::Of(rejection) = step.rejection() else { panic!("background passes") };
            let share = Measured { value: step.signal.value, error: step.signal.error };
            let all = [roc.auc(), share, rejection, step.sic().unwrap().improvement];
            found.iter_mut().zip(all).for_each(|(column, measured)| column.push(measured));
        }
        for (name, column) in ["auc", "efficiency", "rejection", "sic"].into_iter().zip(&found) {
            let mean = |of: &dyn Fn(&Measured) -> f64| column.iter().map(of).sum::<f64>() / TABLES as f64;
            let middle = mean(&|measured| measured.value);
            let spread = mean(&|measured| (measured.value - middle) * (measured.value - middle)).sqrt();
            let stated = mean(&|measured| measured.error * measured.error).sqrt();
            // The spread of 3000 numbers is known to 1.3 %; propagation is linear, and curvature counts for a few percent.
            let ratio = stated / spread;
            let allowed = if name == "auc" || name == "efficiency" { 0.05 } else { 0.12 };
            assert!((ratio - 1.0).abs() < allowed, "{name} {values}: {stated} {spread} {ratio}");
            // Signal is uniform from 0.3 to 1.3: P(s > b) = 1 - 0.7^2 / 2, with rounding counted by halves a little less.
            if name == "auc" {
                assert!((middle - 0.755).abs() < 0.01, "{middle}");
            }
        }
    }
}

#[test]
fn the_order_of_rows_is_nothing() {
    let mut random = Random(4);
    let table = Table::random(&mut random, 300, 500, 50.0);
    for weights in [Weights::Ones, Weights::Own] {
        let roc = table.roc(weights);
        let cut = threshold_at_fraction(&table.scores, Some(&table.weights), 0.1).unwrap();
        for _ in 0..5 {
            let other = table.permuted(&mut random);
            let again = other.roc(weights);
            assert!(measured_near(again.auc(), roc.auc().value, roc.auc().error));
            for (one, two) in roc.steps().zip(again.steps()) {
                assert_eq!(one.threshold, two.threshold);
                assert!(near(one.signal.value, two.signal.value) && near(one.background.error, two.background.error));
            }
            let threshold = |roc: &Roc| roc.largest_sic(STATISTICS_CUT).unwrap().unwrap().step.threshold;
            assert_eq!(threshold(&roc), threshold(&again));
            let cut_again = threshold_at_fraction(&other.scores, Some(&other.weights), 0.1).unwrap();
            assert_eq!(cut.value, cut_again.value);
            assert!(near(cut.passing_share, cut_again.passing_share));
        }
    }
}

#[test]
fn a_constant_score_tells_nothing() {
    let mut table = Table::random(&mut Random(5), 30, 41, 10.0);
    table.scores.iter_mut().enumerate().for_each(|(row, score)| *score = if row % 2 == 0 { 0.0 } else { -0.0 });
    for weights in [Weights::Ones, Weights::Own] {
        let roc = table.roc(weights);
        assert_eq!(roc.auc(), Measured { value: 0.5, error: 0.0 });
        assert_eq!(roc.steps().len(), 1, "-0 is 0");
        assert_eq!(roc.at_signal_efficiency(1e-9).unwrap().signal.value, 1.0);
        assert_eq!(roc.at_background_efficiency(0.99).unwrap(), None);
        assert_eq!(roc.at_background_efficiency(1.0).unwrap().unwrap().threshold, 0.0);
    }
}

#[test]
fn separated_classes_have_no_infinite_rejection() {
    let mut table = Table::default();
    for event in 0..200 {
        table.push(event as f32, event >= 100, 1.0);
    }
    let roc = table.roc(Weights::Ones);
    assert_eq!(roc.auc(), Measured { value: 1.0, error: 0.0 });
    let step = roc.at_signal_efficiency(1.0).unwrap();
    assert_eq!((step.threshold, step.signal.value, step.background.value), (100.0, 1.0, 0.0));
    assert_eq!((step.sic(), step.background.relative_count_error()), (None, None));
    let Rejection::MoreThan(limit) = step.rejection() else { panic!("no background passes") };
    // At this rejection none of 100 pass in one case of 20: (1 - 1 / limit)^100, or exp(-100 / limit).
    assert!(near((-100.0 / limit).exp(), 0.05) && (1.0 - 1.0 / limit).powi(100) < 0.05, "{limit}");
    // 25 events of background have a relative error of exactly 0.2.
    let best = roc.largest_sic(STATISTICS_CUT).unwrap().unwrap();
    assert_eq!((best.step.threshold, best.step.background.value), (75.0, 0.25));
    assert_eq!(best.improvement.value, 2.0);
    // A little less asks for one event more, and half of it for 101.
    assert_eq!(roc.largest_sic(0.1999).unwrap().unwrap().step.threshold, 74.0);
    assert_eq!(roc.largest_sic(0.0999).unwrap(), None);
    assert_eq!(roc.largest_sic(f64::INFINITY).unwrap().unwrap().step.threshold, 99.0);
    assert_eq!(roc.sic_curve().count(), 100);
    // The wrong way round.
    table.is_signal.iter_mut().for_each(|is_signal| *is_signal = !*is_signal);
    assert_eq!(table.roc(Weights::Ones).auc(), Measured { value: 0.0, error: 0.0 });
    // A limit says no less than that a rejection is at least 1.
    let few = Scored { scores: &[1.0, 0.0], is_signal: &[true, false], weights: None };
    assert_eq!(Roc::of(&few).unwrap().at_signal_efficiency(1.0).unwrap().rejection(), Rejection::MoreThan(1.0));
}

#[test]
fn of_equal_sics_the_tightest_is_the_largest() {
    let is_signal = [true, false, true, false, false, false];
    let roc =
        Roc::of(&Scored { scores: &[3.0, 3.0, 2.0, 2.0, 2.0, 2.0], is_signal: &is_signal, weights: None }).unwrap();
    let values: Vec<f64> = roc.sic_curve().map(|sic| sic.improvement.value).collect();
    assert_eq!(values, [1.0, 1.0]);
    assert_eq!(roc.largest_sic(1.0).unwrap().unwrap().step.threshold, 3.0);
}

#[test]
fn equal_weights_are_as_none() {
    let mut table = Table::random(&mut Random(6), 100, 100, 30.0);
    let bare = table.roc(Weights::Ones);
    table.weights.iter_mut().for_each(|weight| *weight = 0.1);
    let equal = table.roc(Weights::Own);
    assert!(measured_near(equal.auc(), bare.auc().value, bare.auc().error));
    let threshold = |roc: &Roc, wanted: f64| {
        let signal = roc.at_signal_efficiency(wanted).unwrap().threshold;
        (signal, roc.at_background_efficiency(wanted).unwrap().map(|step| step.threshold))
    };
    // Efficiencies that both reach exactly.
    for passing in bare.steps().flat_map(|step| [step.signal.value, step.background.value]).filter(|share| *share > 0.0)
    {
        assert_eq!(threshold(&bare, passing), threshold(&equal, passing));
    }
    assert_eq!(
        bare.largest_sic(0.2).unwrap().unwrap().step.threshold,
        equal.largest_sic(0.2).unwrap().unwrap().step.threshold
    );
}

#[test]
fn rounding_of_what_is_wanted_decides_nothing() {
    let scores: Vec<f32> = (0..20).map(|row| (row / 2) as f32).collect();
    let is_signal: Vec<bool> = (0..20).map(|row| row % 2 == 0).collect();
    let roc = Roc::of(&Scored { scores: &scores, is_signal: &is_signal, weights: None }).unwrap();
    // Above and below three of ten.
    for wanted in [0.1 + 0.2, 0.3, 1.0 - 0.7] {
        assert_eq!(roc.at_signal_efficiency(wanted).unwrap().threshold, 7.0);
        assert_eq!(roc.at_background_efficiency(wanted).unwrap().unwrap().threshold, 7.0);
        assert_eq!(threshold_at_fraction(&scores, None, wanted).unwrap().value, 7.0);
    }
}

#[test]
fn infinite_scores_are_ordered() {
    let scores = [f32::INFINITY, f32::INFINITY, 3e38, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
    let scored = Scored { scores: &scores, is_signal: &[true, false, true, true, false, false], weights: None };
    let roc = Roc::of(&scored).unwrap();
    let thresholds: Vec<f32> = roc.steps().map(|step| step.threshold).collect();
    assert_eq!(thresholds, [f32::INFINITY, 3e38, 0.0, f32::NEG_INFINITY]);
    // Pairs in order: of infinity 2 and a tie, of 3e38 2, of minus infinity a tie.
    assert!(near(roc.auc().value, 5.0 / 9.0));
    let threshold = threshold_at_fraction(&scores, None, 0.4).unwrap();
    assert_eq!(threshold, Threshold { value: f32::INFINITY, passing_share: 1.0 / 3.0 });
}

#[test]
fn one_event_of_a_class_has_the_largest_error() {
    let scores = [0.5, 0.1, 0.2, 0.7, 0.8];
    let scored = Scored { scores: &scores, is_signal: &[true, false, false, false, false], weights: None };
    let auc = Roc::of(&scored).unwrap().auc();
    // AUC (1 - AUC) of signal, and of four placements 1, 1, 0, 0 of background (4 / 4) / 3 / 4.
    assert!(measured_near(auc, 0.5, (0.25_f64 + 1.0 / 12.0).sqrt()), "{auc:?}");
}
