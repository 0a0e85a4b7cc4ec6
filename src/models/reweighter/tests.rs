//! Two Gaussians whose ratio is known, and every bad input.

use super::*;
use crate::math::special::significance;
use crate::models::train::{Adam, Schedule};

/// A half has label 0 and is N(0, 1), the other has label 1 and is N(0.5, 1): its quantiles, so that nothing is left to
/// chance. Own weights of the first are 3.
fn gaussians(each: usize) -> Table<Host> {
    let place = |event: usize| -significance(((event / 2) as f64 + 0.5).ln() - (each as f64).ln());
    let x = (0..2 * each).map(|event| (place(event) + if event % 2 == 1 { 0.5 } else { 0.0 }) as f32).collect();
    Table {
        labels: (0..2 * each).map(|event| (event % 2) as f32).collect(),
        weights: (0..2 * each).map(|event| if event % 2 == 0 { 3.0 } else { 1.0 }).collect(),
        ..Table::of_features(1, x).unwrap()
    }
}

fn small(method: Method) -> Reweighter {
    let optimiser = Adam { rate: 0.01, schedule: Schedule::Cosine, ..Adam::default() };
    let learning = Learning {
        optimiser,
        batch: 100,
        epochs: 20,
        validation_share: 0.0,
        early_stopping: None,
        ..Learning::default()
    };
    let member = Member { weights: Some(0), ..Member::new(2) };
    Reweighter {
        method,
        hidden: vec![16],
        activation: Activation::Tanh,
        learning,
        replicas: 0,
        member,
        ..Reweighter::default()
    }
}

/// The largest deviation of ln w from 0.5 x - 0.125 and its root mean square under N(0, 1), both within |x| < 2, at the
/// quantiles of it.
fn deviation(weights: &[f32], table: &Table<Host>, scale: f64) -> (f64, f64) {
    let (mut most, mut squares, mut number) = (0.0_f64, 0.0, 0.0);
    for event in (0..weights.len()).step_by(2).filter(|event| table.features[*event].abs() < 2.0) {
        let exact = 0.5 * f64::from(table.features[event]) - 0.125;
        let away = (f64::from(weights[event]) / scale).ln() - exact;
        most = most.max(away.abs());
        squares += away * away;
        number += 1.0;
    }
    (most, (squares / number).sqrt())
}

#[test]
fn both_losses_learn_the_ratio_of_two_gaussians() {
    let table = gaussians(1500);
    for method in [Method::Classifier, Method::LikelihoodRatio] {
        let trained = small(method).fit(&Device::Cpu, &table).unwrap();
        let weights = trained.weights(&table).unwrap();
        // Own weights of 3 are scaled to a sum of 1500.
        let (most, root) = deviation(&weights.nominal(), &table, 1.0 / 3.0);
        println!("{method:?}: ln w is away by {most:.3} at most, {root:.3} on average");
        // The largest are at the edges, where few events have a say.
        assert!(most < 0.15 && root < 0.06, "{method:?}: {most} {root}");
        let sum: f64 = weights.nominal().iter().step_by(2).map(|weight| 3.0 * f64::from(*weight)).sum();
        assert!((sum - 1500.0).abs() < 1e-3, "{sum}");
        let calibration = trained.calibrations()[0];
        assert_eq!((calibration.limit, calibration.cleaned, calibration.lost), (f64::INFINITY, 0, 0.0));
    }
}

#[test]
fn replicas_make_a_band_around_their_median() {
    let table = gaussians(500);
    let reweighter = Reweighter { replicas: 9, ..small(Method::Classifier) };
    let trained = reweighter.fit(&Device::Cpu, &table).unwrap();
    let weights = trained.weights(&table).unwrap();
    let nominal = weights.nominal();
    let (most, root) = deviation(&nominal, &table, 1.0 / 3.0);
    println!("the median of 9 replicas of 500 and 500 events is away by {most:.3} at most, {root:.3} on average");
    assert!(root < 0.15);
    let [deviations, quartiles] =
        [Band::StandardDeviation, Band::InterquartileRange].map(|band| weights.band(band).unwrap());
    // 500 events of each class leave an error of about 2 / sqrt(1000) = 0.06 on ln w where they are.
    let middle = (0..1000).step_by(2).filter(|event| table.features[*event].abs() < 1.0);
    let relative: Vec<f32> = middle.map(|event| deviations[event] / nominal[event]).collect();
    let mean = relative.iter().sum::<f32>() / relative.len() as f32;
    println!("the band is {mean:.3} of the weight");
    assert!((0.02..0.2).contains(&mean), "{mean}");
    assert!(quartiles.iter().all(|width| *width >= 0.0));
    // Each replica has the sum of the events with label 1.
    for replica in weights.replicas() {
        let sum: f64 = replica.iter().step_by(2).map(|weight| 3.0 * f64::from(*weight)).sum();
        assert!((sum - 500.0).abs() < 1e-3, "{sum}");
    }
    assert_eq!(weights, reweighter.fit(&Device::Cpu, &table).unwrap().weights(&table).unwrap());
}

#[test]
fn large_ratios_are_dropped_or_capped_and_counted() {
    // Nineteen of 1 and one of 21: the mean is 2, the standard deviation sqrt(19) = 4.36.
    let (mut ratios, own) = (vec![1.0; 20], vec![0.5; 20]);
    ratios[7] = 21.0;
    let of = |cleaning| Calibration::of(&ratios, &own, 100.0, cleaning).unwrap();
    let kept = of(Cleaning::Keep);
    assert_eq!((kept.scale, kept.cleaned, kept.lost), (5.0, 0, 0.0));
    let drop = Cleaning::DropAbove { standard_deviations: 3.0 };
    let dropped = of(drop);
    assert!((dropped.limit - (2.0 + 3.0 * 19.0_f64.sqrt())).abs() < 1e-12);
    // Of 100 there are 52.5 in the one that is dropped, and 9.5 of ratios are left.
    assert_eq!((dropped.cleaned, dropped.lost, dropped.scale), (1, 52.5, 100.0 / 9.5));
    assert_eq!((dropped.weight(drop, 21.0), dropped.weight(drop, 2.0)), (0.0, 200.0 / 9.5));
    let cap = Cleaning::CapAbove { standard_deviations: 3.0 };
    let capped = of(cap);
    assert_eq!(capped.cleaned, 1);
    assert!((capped.weight(cap, 21.0) - capped.scale * capped.limit).abs() < 1e-9);
    let sum: f64 = ratios.iter().map(|ratio| 0.5 * capped.weight(cap, *ratio)).sum();
    assert!((sum - 100.0).abs() < 1e-9 && (capped.lost - 2.5 * (21.0 - capped.limit)).abs() < 1e-9);
    // A training with it says the same of its own events.
    let table = gaussians(300);
    let trained = Reweighter { cleaning: drop, ..small(Method::Classifier) }.fit(&Device::Cpu, &table).unwrap();
    let weights = trained.weights(&table).unwrap().nominal();
    let zeros = weights.iter().step_by(2).filter(|weight| **weight == 0.0).count();
    assert_eq!(zeros, trained.calibrations()[0].cleaned);
    assert!(zeros > 0 && trained.calibrations()[0].lost > 0.0, "{:?}", trained.calibrations());
}

#[test]
fn what_cannot_be_reweighted_is_named() {
    let table = gaussians(60);
    let error =
        |reweighter: Reweighter, table: &Table<Host>| reweighter.fit(&Device::Cpu, table).unwrap_err().to_string();
    for standard_deviations in [-1.0, f64::NAN, f64::INFINITY] {
        let cleaning = Cleaning::CapAbove { standard_deviations };
        let text = error(Reweighter { cleaning, ..small(Method::Classifier) }, &table);
        assert!(text.contains(&format!("cleaned above {standard_deviations} standard")), "{text}");
    }
    let optimiser = Adam { rate: 900.0, ..Adam::default() };
    let learning = Learning { optimiser, ..small(Method::Classifier).learning };
    let broken = Reweighter { learning, activation: Activation::Identity, ..small(Method::LikelihoodRatio) };
    let text = error(broken, &table);
    assert!(text.contains("the training of member 0 broke off"), "{text}");
    let text = error(small(Method::Classifier), &Table { labels: vec![1.0; 120].into(), ..table });
    assert!(text.contains("has no training events with label 0"), "{text}");
    for ratios in [[0.0, 0.0], [f64::INFINITY, 1.0]] {
        let text = Calibration::of(&ratios, &[1.0; 2], 5.0, Cleaning::Keep).unwrap_err().to_string();
        assert!(text.contains("their sum cannot be scaled to 5"), "{text}");
    }
}

#[test]
fn weights_that_are_too_large_are_named() {
    let table = gaussians(60);
    let linear = Reweighter { hidden: Vec::new(), ..small(Method::Classifier) };
    let trained = linear.fit(&Device::Cpu, &table).unwrap();
    // One of them is where the ratio rises to.
    let far = Table::of_features(1, vec![-1e6, 1e6]).unwrap();
    let text = trained.weights(&far).map(|weights| weights.nominal()).unwrap_err().to_string();
    assert!(text.contains("in replica 0 is inf (no sum with it would be finite)"), "{text}");
}
