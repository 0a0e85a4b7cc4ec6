//! Every bad input, in words.

use super::*;
use crate::Error;

const EVENTS: Scored<'static> = Scored { scores: &[3.0, 2.0, 1.0], is_signal: &[true, false, true], weights: None };

fn texts<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    result.unwrap_err().problems().iter().map(ToString::to_string).collect()
}

/// Every problem with how it begins, in order.
fn assert_problems<T: std::fmt::Debug>(result: Result<T>, expected: &[&str]) {
    let found = texts(result);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(&format!("models.metrics: {expected}")), "{found} is not {expected}");
    }
}

#[test]
fn columns_of_other_lengths() {
    let labels = Scored { is_signal: &[true, false], ..EVENTS };
    assert_problems(Roc::of(&labels), &["3 scores and 2 labels"]);
    let weights = Scored { weights: Some(&[1.0; 4]), ..EVENTS };
    assert_problems(Roc::of(&weights), &["3 scores and 4 weights"]);
    let both = Scored { scores: &[1.0], is_signal: &[true, false], weights: Some(&[1.0, 1.0]) };
    assert_problems(Roc::of(&both), &["1 scores and 2 labels", "1 scores and 2 weights"]);
    assert_problems(threshold_at_fraction(&[1.0], Some(&[]), 0.5), &["1 scores and 0 weights"]);
}

#[test]
fn scores_and_weights_that_are_no_numbers() {
    let scores = [3.0, f32::NAN, f32::NAN];
    assert_problems(Roc::of(&Scored { scores: &scores, ..EVENTS }), &["the score of row 1 is no number"]);
    assert_problems(threshold_at_fraction(&scores, None, 0.5), &["the score of row 1 is no number"]);
    for (wrong, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-0.5, "-0.5")] {
        let weights = [1.0, 1.0, wrong];
        let expected = format!("the weight of row 2 is {name} (");
        assert_problems(Roc::of(&Scored { weights: Some(&weights), ..EVENTS }), &[&expected]);
        assert_problems(threshold_at_fraction(EVENTS.scores, Some(&weights), 0.5), &[&expected]);
    }
}

#[test]
fn a_class_without_events_or_weights() {
    let nothing = Scored { scores: &[], is_signal: &[], weights: None };
    assert_problems(Roc::of(&nothing), &["there are no events of signal", "there are no events of background"]);
    let signal = Scored { is_signal: &[true; 3], ..EVENTS };
    assert_problems(Roc::of(&signal), &["there are no events of background"]);
    let weightless = Scored { weights: Some(&[0.0, 1.0, 0.0]), ..EVENTS };
    assert_problems(Roc::of(&weightless), &["all weights of signal are 0"]);
    assert_problems(threshold_at_fraction(&[], None, 0.5), &["there are no events"]);
    assert_problems(threshold_at_fraction(&[1.0, 2.0], Some(&[0.0; 2]), 0.5), &["all weights are 0"]);
}

#[test]
fn all_at_once() {
    let all = Scored { scores: &[f32::NAN, 1.0], is_signal: &[false; 3], weights: Some(&[1.0, -1.0, 2.0]) };
    let expected = [
        "2 scores and 3 labels",
        "the score of row 0 is no number (it is on neither side of a threshold). Look for",
        "2 scores and 3 weights (each event has one of both)",
        "the weight of row 1 is -1 (",
        "there are no events of signal (its efficiency is a share of them). Score events of both classes.",
    ];
    assert_problems(all.check(), &expected);
    assert_eq!(all.check().unwrap_err().exit_code(), 1);
    let expected = ["the wanted fraction is 2 (it must be above 0 and at most 1)", "there are no events"];
    assert_problems(threshold_at_fraction(&[], None, 2.0), &expected);
}

#[test]
fn shares_that_cannot_be_wanted() {
    let roc = Roc::of(&EVENTS).unwrap();
    for wrong in [0.0, -0.1, 1.000001, f64::NAN, f64::INFINITY] {
        assert_problems(roc.at_signal_efficiency(wrong), &["the wanted efficiency of signal is"]);
        assert_problems(roc.at_background_efficiency(wrong), &["the wanted efficiency of background is"]);
        assert_problems(threshold_at_fraction(&[1.0], None, wrong), &["the wanted fraction is"]);
        assert!(matches!(roc.at_signal_efficiency(wrong), Err(Error::Usage(_))));
    }
    for wrong in [0.0, -1.0, f64::NAN] {
        assert_problems(roc.largest_sic(wrong), &[&format!("the statistics cut is {wrong} (it must be above 0)")]);
    }
}
