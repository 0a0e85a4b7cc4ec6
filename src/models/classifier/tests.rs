//! Two mixtures of Gaussians, and every bad input.

use super::*;
use crate::math::philox::{Philox, Stage};
use crate::models::folds::folds_of;
use crate::models::metrics::{Roc, Scored};
use crate::models::train::Adam;

const FOLDS: u32 = 3;

/// Data with a bump, a flat template, and which events are of the bump.
fn mixtures(events: u64) -> (Table<Host>, Vec<bool>) {
    let random = Philox::new(5, Stage::Probe);
    let is_signal: Vec<bool> = (0..events).map(|event| event % 2 == 1 && event % 10 < 3).collect();
    let features = |event: u64| {
        let [a, b] = random.uniforms(event, 0);
        let bump = |x: f64, at: f64| if is_signal[event as usize] { at + 0.2 * (x - 0.5) } else { 2.0 * x - 1.0 };
        [bump(a, 0.5), bump(b, -0.4)].map(|x| x as f32)
    };
    let keys: Vec<u64> = (0..events).collect();
    let table = Table {
        labels: (0..events).map(|event| (event % 2) as f32).collect(),
        weights: (0..events).map(|event| if event % 2 == 0 { 0.5 + (event % 3) as f32 } else { 1.0 }).collect(),
        folds: folds_of(&keys, FOLDS, 1).unwrap().into(),
        ..Table::of_features(2, (0..events).flat_map(features).collect()).unwrap()
    };
    (table, is_signal)
}

fn small() -> Classifier {
    let optimiser = Adam { rate: 0.01, ..Adam::default() };
    let learning = Learning { optimiser, batch: 100, epochs: 10, ..Learning::default() };
    let member = Member { weights: Some(0), ..Member::new(4) };
    Classifier { hidden: vec![16, 16], folds: FOLDS, ensemble: 2, learning, member, ..Classifier::default() }
}

fn judged<'a>(scores: &'a [f32], table: &'a Table<Host>) -> Judged<'a> {
    Judged { scores, labels: &table.labels, weights: Some(&table.weights), folds: &table.folds }
}

#[test]
fn a_signal_that_no_label_tells_of_is_found_by_members_that_never_saw_it() {
    let (table, is_signal) = mixtures(3000);
    let trained = small().fit(&Device::Cpu, &table).unwrap();
    let scores = trained.scores(&table).unwrap();
    assert_eq!((scores.len(), trained.folds()), (6000, FOLDS));
    for scores in scores.chunks_exact(3000) {
        let auc = Roc::of(&Scored { scores, is_signal: &is_signal, weights: None }).unwrap().auc();
        println!("AUC of signal: {:.3} +- {:.3}", auc.value, auc.error);
        assert!(auc.value > 0.9);
    }
    // What an event's label is does not matter to its own scores.
    let fold = table.folds[7];
    let other = Table {
        labels: table
            .labels
            .iter()
            .zip(&*table.folds)
            .map(|(y, own)| if *own == fold { 1.0 - y } else { *y })
            .collect(),
        ..table.clone()
    };
    let again = small().fit(&Device::Cpu, &other).unwrap().scores(&other).unwrap();
    let own = (0..6000).filter(|place| table.folds[place % 3000] == fold);
    assert!(own.into_iter().all(|place| again[place] == scores[place]));
    assert_ne!(again, scores);
}

#[test]
fn each_member_lets_the_wanted_share_of_its_reference_pass() {
    let (table, _) = mixtures(3000);
    // Scores without ties, of two networks.
    let random = Philox::new(8, Stage::Probe);
    let scores: Vec<f32> = (0..6000).map(|place| random.uniforms(place, 0)[0] as f32).collect();
    for reference in [Reference::Template, Reference::Data] {
        for fraction in [0.02, 0.1] {
            let thresholds = Cut { fraction, reference }.thresholds(&judged(&scores, &table), FOLDS).unwrap();
            let passing = thresholds.passing(&scores, &table.folds).unwrap();
            assert_eq!((thresholds.ensemble(), thresholds.all().len()), (2, 6));
            for (number, threshold) in thresholds.all().iter().enumerate() {
                let (network, fold) = (number / 3, number as u32 % 3);
                let is_own = |event: &usize| {
                    table.folds[*event] == fold && (table.labels[*event] > 0.5) == (reference == Reference::Data)
                };
                let own: Vec<usize> = (0..3000).filter(is_own).collect();
                let sum = |events: &[usize]| events.iter().map(|at| f64::from(table.weights[*at])).sum::<f64>();
                let passed: Vec<usize> = own.iter().copied().filter(|at| passing[network * 3000 + at]).collect();
                let share = sum(&passed) / sum(&own);
                assert!((share - threshold.passing_share).abs() < 1e-12 && share <= fraction * (1.0 + 1e-9));
                // The next event would be too much: at most 2.5 of a sum above 700.
                assert!(share > fraction - 2.5 / sum(&own), "{share} of {fraction}");
            }
        }
    }
}

#[test]
fn what_cannot_be_trained_is_named() {
    let (table, _) = mixtures(200);
    let error =
        |classifier: Classifier, table: &Table<Host>| classifier.fit(&Device::Cpu, table).unwrap_err().to_string();
    let held_out = Member { held_out: Some(1), ..Member::new(1) };
    let text = error(Classifier { folds: 1, ensemble: 0, member: held_out, ..small() }, &table);
    for words in ["expected at least two folds, got 1", "an ensemble of 0 networks", "the member holds out fold 1"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = error(Classifier { folds: 2, ..small() }, &table);
    assert!(text.contains("is of fold 2 (folds are 0 to 1"), "{text}");
    let text = error(small(), &Table { folds: Vec::<u32>::new().into(), ..table.clone() });
    assert!(text.contains("member 0 holds a fold out (events have no folds)"), "{text}");
    let text = error(Classifier { dropout: 1.5, ..small() }, &table);
    assert!(text.contains("the dropout 1.5"), "{text}");
    let text = error(Classifier { ensemble: u32::MAX, ..small() }, &table);
    assert!(text.contains("12884901885 network(s) of 456 parameters take "), "{text}");
    let optimiser = Adam { rate: 1e3, ..Adam::default() };
    let hidden = vec![16; 12];
    let learning = Learning { optimiser, batch: 10, ..small().learning };
    let text =
        error(Classifier { hidden, learning, dropout: 0.0, activation: Activation::Identity, ..small() }, &table);
    assert!(text.contains("the training of member 0 broke off"), "{text}");
    let trained = small().fit(&Device::Cpu, &table).unwrap();
    let text = trained.scores(&Table { folds: vec![4; 200].into(), ..table }).unwrap_err().to_string();
    assert!(text.contains("event 0 is of fold 4"), "{text}");
}

#[test]
fn thresholds_that_cannot_be_set_are_named() {
    let (table, _) = mixtures(90);
    let error = |fraction, judged: Judged, folds| {
        Cut { fraction, reference: Reference::Template }.thresholds(&judged, folds).unwrap_err()
    };
    let scores = vec![1.0; 180];
    let all = Judged { scores: &scores[..100], weights: Some(&scores[..80]), ..judged(&scores, &table) };
    let text = error(0.0, all, 2).to_string();
    let expected =
        ["the fraction 0 is", "100 scores are no networks' of 90", "expected 90 weights, got 80", "is of fold 2"];
    for words in expected {
        assert!(text.contains(words), "{words}: {text}");
    }
    let none = Judged { scores: &[], labels: &[], weights: None, folds: &[1] };
    let found = error(0.1, none, 0);
    let text = found.to_string();
    for words in ["there are no folds", "there are no events", "expected 0 folds, got 1"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Each member speaks for itself: fold 3 has no events.
    let text = error(0.1, judged(&scores, &table), 4).to_string();
    for words in ["the template of network 0 in fold 3: there are no events", "network 1 in fold 3"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let weights = vec![0.0; 90];
    let text = error(0.1, Judged { weights: Some(&weights), ..judged(&scores, &table) }, FOLDS).to_string();
    assert!(text.contains("in fold 0: all weights are 0"), "{text}");
}

#[test]
fn scores_that_cannot_be_cut_are_named() {
    let (table, _) = mixtures(90);
    let scores: Vec<f32> = (0..180).map(|place| place as f32).collect();
    let thresholds =
        Cut { fraction: 0.5, reference: Reference::Data }.thresholds(&judged(&scores, &table), FOLDS).unwrap();
    let text = thresholds.passing(&[f32::NAN; 3], &[0, 9]).unwrap_err().to_string();
    for words in ["expected 4 scores, got 3", "event 1 is of fold 9", "score 0 is no number"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(thresholds.passing(&[], &[]).unwrap().is_empty());
}
