//! The goldens of the global significance. All of them go through the same operation.

use std::ops::Range;

use super::*;
use crate::hunt::BumpHunter;
use crate::hunt::scan::golden::{DATA, REFERENCE};
use crate::math::special;

fn rising(edges: usize) -> Vec<f64> {
    (0..edges).map(|edge| edge as f64).collect()
}

fn experiment(rows: usize, cells: Vec<f64>, ranges: &[Range<usize>]) -> Experiment {
    let windows = Windows::new(rising(rows + 1), rising(cells.len() / rows + 1), ranges).unwrap();
    let expectation = Expectation::given(cells, None).unwrap();
    Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap()
}

/// The fraction of toys whose largest significance is at least each of `z`, and its standard error.
fn fractions(experiment: &Experiment, toys: u64, z: &[f64]) -> Vec<(f64, f64)> {
    let observed = vec![0; experiment.windows().cells()];
    let tally = experiment.global(&Device::Cpu, &observed, 1, toys, &|_| Ok(())).unwrap().tally;
    let fraction = |z: &f64| {
        let p = tally.reaching((z * 20.0).round() as u32) as f64 / toys as f64;
        (p, (p * (1.0 - p) / toys as f64).sqrt())
    };
    z.iter().map(fraction).collect()
}

fn sidak(z: f64, windows: i32) -> f64 {
    1.0 - (1.0 - special::normal_survival(z)).powi(windows)
}

// 12 cells x 5 m_Y bins, B = 40 exp(-0.15 c - 0.3 y), windows of 3 cells at every position; 200,000 toys of NumPy and SciPy,
// as scripts/oracles/toys.py throws them (with seed 1: 0.5059 0.1868 0.0432 0.0083 0.0011, correlated).
const GOLDEN_Z: [f64; 5] = [2.0, 2.5, 3.0, 3.5, 4.0];
const GOLDEN_CORRELATED: [f64; 5] = [0.5050, 0.1859, 0.0424, 0.0081, 0.0011];
const GOLDEN_INDEPENDENT: [f64; 5] = [0.6119, 0.2266, 0.0493, 0.0091, 0.0012];
const GOLDEN_SIDAK: [f64; 5] = [0.6836, 0.2676, 0.0653, 0.0116, 0.0016];
const GOLDEN_TOYS: u64 = 200_000;

fn agrees(got: &[(f64, f64)], golden: &[f64]) {
    for ((p, error), golden) in got.iter().zip(golden) {
        // Both sides are toys of the same number, and the golden is rounded to four digits.
        let error = (2.0 * error * error + 0.00005 * 0.00005 / 3.0).sqrt();
        assert!((p - golden).abs() < 4.0 * error, "{p} +- {error} against {golden}");
    }
}

#[test]
fn correlated_windows_exceed_less_often_than_independent_ones_and_than_sidak() {
    let cells: Vec<f64> =
        (0..60).map(|cell| 40.0 * (-0.15 * f64::from(cell % 12) - 0.3 * f64::from(cell / 12)).exp()).collect();
    assert!((cells.iter().sum::<f64>() - 718.469_82).abs() < 1e-5);
    let ranges: Vec<_> = (0..5).flat_map(|row| (0..10).map(move |c| 12 * row + c..12 * row + c + 3)).collect();
    let apart: Vec<f64> = ranges.iter().map(|range| cells[range.clone()].iter().sum()).collect();
    let correlated = fractions(&experiment(5, cells, &ranges), GOLDEN_TOYS, &GOLDEN_Z);
    let singles: Vec<_> = (0..50).map(|cell| cell..cell + 1).collect();
    let independent = fractions(&experiment(1, apart, &singles), GOLDEN_TOYS, &GOLDEN_Z);
    agrees(&correlated, &GOLDEN_CORRELATED);
    agrees(&independent, &GOLDEN_INDEPENDENT);
    for (index, z) in GOLDEN_Z.into_iter().enumerate() {
        assert!((sidak(z, 50) - GOLDEN_SIDAK[index]).abs() < 0.5e-4, "{}", sidak(z, 50));
        assert!(correlated[index].0 < independent[index].0 && independent[index].0 < sidak(z, 50), "z = {z}");
    }
}

#[test]
fn disjoint_windows_match_sidak() {
    // Large means, so that discreteness, which lowers p, is below the toy error.
    let singles: Vec<_> = (0..20).map(|cell| cell..cell + 1).collect();
    let experiment = experiment(1, vec![1e6; 20], &singles);
    for (z, (p, error)) in [2.0, 2.5, 3.0].into_iter().zip(fractions(&experiment, 50_000, &[2.0, 2.5, 3.0])) {
        assert!((p - sidak(z, 20)).abs() < 4.0 * error, "z = {z}: {p} +- {error} against {}", sidak(z, 20));
    }
}

#[test]
fn identical_windows_count_once() {
    let copies: Vec<_> = (0..27).flat_map(|row| (0..57).map(move |_| row..row + 1)).collect();
    let experiment = experiment(27, vec![1e6; 27], &copies);
    for (z, (p, error)) in [2.0, 3.0].into_iter().zip(fractions(&experiment, 20_000, &[2.0, 3.0])) {
        assert!((p - sidak(z, 27)).abs() < 4.0 * error, "z = {z}: {p} +- {error} against {}", sidak(z, 27));
    }
}

#[test]
fn the_bump_hunter_golden_has_its_global_p_value() {
    // The test vector of pyBumpHunter: 0.0177 +- 0.0013 with its 10,000 pseudo-experiments, 0.0190 +- 0.0010 with the
    // 20,000 of scripts/oracles/bump_hunter.py (NumPy 2.4.6, seed 1).
    let expectation = Expectation::given(REFERENCE.iter().map(|bin| *bin as f64).collect(), None).unwrap();
    let edges: Vec<f64> = (0..=60).map(|edge| f64::from(edge) / 3.0).collect();
    let hunter = BumpHunter { width_min: 2, width_max: Some(6), ..BumpHunter::default() };
    let windows = Windows::spectrum(&edges, expectation.values(), &hunter).unwrap();
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    let global = experiment.global(&Device::Cpu, &DATA, 1, 20_000, &|_| Ok(())).unwrap();
    let significance = &global.significance;
    assert!((significance.p - 0.0190).abs() < 4.0 * 0.0014, "{significance:?}");
    assert!(significance.sidak > significance.p && significance.windows == 285, "{significance:?}");
    assert!(significance.effective_trials.unwrap() < 285.0);
    // Same seed, same integers, whatever the split.
    let part = |first_toy, toys| {
        experiment.throw(&Device::Cpu, &global.findings, Throw { seed: 1, first_toy, toys }, &|_| Ok(())).unwrap()
    };
    assert_eq!(part(12_345, 7_655).merge(&part(0, 12_345)).unwrap(), global.tally);
}

#[test]
fn progress_is_told_and_other_tables_have_another_hash() {
    let experiment = experiment(1, vec![5.0; 4], &[0..2, 1..3, 2..4]);
    let seen = std::cell::RefCell::new(Vec::new());
    let progress = |done| {
        seen.borrow_mut().push(done);
        Ok(())
    };
    let a = experiment.global(&Device::Cpu, &[5, 5, 9, 9], 1, 20_001, &progress).unwrap();
    assert_eq!(seen.borrow()[..3], [100, 125, 160]);
    assert_eq!(seen.borrow()[22..], [16_000, 20_000, 20_001]);
    assert_eq!(a.tally.ranges(), std::slice::from_ref(&(0..20_001)));
    let b = experiment.global(&Device::Cpu, &[5, 5, 9, 8], 1, 10, &|_| Ok(())).unwrap();
    assert_ne!(a.tally.tables_sha256(), b.tally.tables_sha256());
    assert_eq!(b.tally.tables_sha256(), experiment.tables_sha256(&b.findings));
    assert!(experiment.global(&Device::Cpu, &[5, 5, 9, 9], 1, 0, &|_| Ok(())).is_err());
}

#[test]
fn toys_that_were_stopped_are_gone_on_with_to_the_same_end() {
    let experiment = experiment(1, vec![5.0; 4], &[0..2, 1..3, 2..4]);
    let findings = experiment.scan(&Device::Cpu, &[5, 9, 9, 4]).unwrap();
    let stopping = Stopping::Accurate { relative: 0.1, minimum: 300, maximum: 100_000 };
    let toys = |begun| Toys { seed: 3, first_toy: 0, stopping, begun };
    let mut shown = Vec::new();
    let all = experiment
        .throw_until(&Device::Cpu, &findings, toys(None), &mut |tally: &Tally| {
            shown.push(tally.clone());
            Ok(())
        })
        .unwrap();
    assert!(matches!(all.1, Stopped::Accuracy { reached, .. } if reached <= 0.1), "{:?}", all.1);
    assert!(shown.len() > 10 && shown.iter().rev().skip(1).all(|tally| stopping.verdict(tally).is_none()));
    assert_eq!(shown.last(), Some(&all.0));
    for begun in shown {
        let again = experiment.throw_until(&Device::Cpu, &findings, toys(Some(begun)), &mut |_| Ok(())).unwrap();
        assert_eq!(again, all);
    }
    let other = experiment.throw(&Device::Cpu, &findings, Throw { seed: 4, first_toy: 0, toys: 9 }, &|_| Ok(()));
    let refused = experiment.throw_until(&Device::Cpu, &findings, toys(other.ok()), &mut |_| Ok(())).unwrap_err();
    assert!(refused.to_string().contains("cannot be gone on with"), "{refused}");
}

#[test]
fn an_observation_without_an_excess_has_p_one() {
    let experiment = experiment(1, vec![5.0; 4], &[0..2, 1..3, 2..4]);
    let global = experiment.global(&Device::Cpu, &[0; 4], 1, 100, &|_| Ok(())).unwrap();
    assert_eq!((global.findings.z, global.significance.p), (0.0, 1.0));
}
