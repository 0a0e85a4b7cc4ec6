//! Thresholds that pass a wanted share, with and without ties and weights.

use super::*;

#[test]
fn thresholds_pass_no_more_than_wanted() {
    let table = Table::random(&mut Random(7), 0, 400, 60.0);
    let total: f64 = table.weights.iter().map(|w| f64::from(*w)).sum();
    let share_of = |threshold: f32, weights: Weights| match weights {
        Weights::Ones => table.scores.iter().filter(|score| **score >= threshold).count() as f64 / 400.0,
        Weights::Own => {
            let passing = table.scores.iter().zip(&table.weights).filter(|(score, _)| **score >= threshold);
            passing.map(|(_, w)| f64::from(*w)).sum::<f64>() / total
        }
    };
    for weights in [Weights::Ones, Weights::Own] {
        let column = (weights == Weights::Own).then_some(&table.weights[..]);
        let largest = table.scores.iter().copied().fold(0.0, f32::max);
        for fraction in [1e-6, 0.01, 0.02, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0] {
            let threshold = threshold_at_fraction(&table.scores, column, fraction).unwrap();
            assert!(near(threshold.passing_share, share_of(threshold.value, weights)));
            if fraction < share_of(largest, weights) {
                assert_eq!(threshold.value, largest);
                continue;
            }
            assert!(threshold.passing_share <= fraction);
            let next = table.scores.iter().copied().filter(|score| *score < threshold.value).fold(-1.0, f32::max);
            assert!(next < 0.0 || share_of(next, weights) > fraction, "{fraction}: {threshold:?} {next}");
        }
    }
    let at = |scores: &[f32], fraction: f64| threshold_at_fraction(scores, None, fraction).unwrap();
    // Exactly what was wanted; less because of ties; more because even the largest score has more.
    assert_eq!(at(&[1.0, 5.0, 4.0, 2.0, 3.0], 0.4), Threshold { value: 4.0, passing_share: 0.4 });
    assert_eq!(at(&[1.0, 5.0, 4.0, 4.0, 4.0], 0.6), Threshold { value: 5.0, passing_share: 0.2 });
    assert_eq!(at(&[5.0, 5.0, 5.0, 4.0], 0.5), Threshold { value: 5.0, passing_share: 0.75 });
    assert_eq!(at(&[5.0], 0.01), Threshold { value: 5.0, passing_share: 1.0 });
    assert_eq!(at(&[1.0, 3.0, 2.0], 1.0), Threshold { value: 1.0, passing_share: 1.0 });
}
