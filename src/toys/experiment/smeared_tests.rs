//! Smeared toys: the distribution of the maximum against NumPy's, and limits.

use std::ops::Range;

use super::*;
use crate::math::{det, special};
use crate::toys::throw::level_z;
use crate::toys::{Smearing, Template};

fn experiment(windows: Windows, expectation: &Expectation) -> Experiment {
    Experiment::new(windows, expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap()
}

/// The 12 x 5 plane of the golden toys.
fn golden_plane() -> (Windows, Expectation) {
    let content = |row: i32, cell: i32| 40.0 * det::exp(-0.15 * f64::from(cell) - 0.3 * f64::from(row));
    let expected = (0..5).flat_map(|row| (0..12).map(move |cell| content(row, cell))).collect();
    let ranges: Vec<Range<usize>> = (0..10).map(|first| first..first + 3).collect();
    let edges = |bins: usize| (0..=bins).map(|edge| edge as f64).collect();
    let windows = Windows::plane(edges(5), edges(12), &ranges).unwrap();
    (windows, Expectation::given(expected, None).unwrap())
}

/// 5 % in each cell, 10 % in all, and -8 % to 8 % from row to row.
fn golden_uncertainty(smearing: Smearing) -> BackgroundUncertainty {
    let slope = (0..60).map(|cell| -0.08 + 0.04 * f64::from(cell / 12)).collect();
    let templates = vec![
        Template { name: "common".into(), relative: vec![0.1; 60] },
        Template { name: "slope".into(), relative: slope },
    ];
    BackgroundUncertainty::new(smearing, vec![0.05; 60], templates).unwrap()
}

fn golden_experiment(smearing: Smearing, statistic: Statistic) -> Experiment {
    let (windows, expectation) = golden_plane();
    let experiment = experiment(windows, &expectation);
    experiment.with_uncertainty(&expectation, golden_uncertainty(smearing), statistic).unwrap()
}

fn rounded_down(expectation: &Expectation) -> Vec<u64> {
    expectation.values().iter().map(|mean| *mean as u64).collect()
}

const ALL: [(Smearing, Statistic); 4] = [
    (Smearing::LogNormal, Statistic::Nominal),
    (Smearing::LogNormal, Statistic::Marginal),
    (Smearing::TruncatedGaussian, Statistic::Nominal),
    (Smearing::TruncatedGaussian, Statistic::Marginal),
];

/// P(largest z >= 2, 2.5, 3, 3.5, 4, 5) in 400,000 toys of NumPy 2.4.6 and SciPy 1.17.1 for each of [`ALL`], seed 1, then their
/// mean and standard deviation, and their quantiles of 10, 50 and 90 %: `scripts/oracles/smeared.py`.
const GOLDEN: [([f64; 6], f64, f64, [f64; 3]); 4] = [
    ([0.56468, 0.34108, 0.17031, 0.07787, 0.03246, 0.00512], 2.2021, 0.8847, [1.1062, 2.1138, 3.3228]),
    ([0.34689, 0.13426, 0.03490, 0.00690, 0.00105, 0.00001], 1.7800, 0.6437, [0.9665, 1.7415, 2.6224]),
    ([0.57706, 0.34683, 0.16645, 0.07020, 0.02553, 0.00257], 2.2003, 0.8542, [1.1657, 2.1199, 3.3160]),
    ([0.36858, 0.14227, 0.03947, 0.00717, 0.00107, 0.00002], 1.8030, 0.6546, [0.9699, 1.7880, 2.6611]),
];

#[test]
fn the_largest_significance_is_distributed_as_numpy_has_it() {
    let observed = rounded_down(&golden_plane().1);
    let toys = 40_000;
    for ((smearing, statistic), (golden, mean, deviation, quantiles)) in ALL.into_iter().zip(GOLDEN) {
        let experiment = golden_experiment(smearing, statistic);
        let tally = experiment.global(&Device::Cpu, &observed, 1, toys, &|_| Ok(())).unwrap().tally;
        let what = format!("{} {}", smearing.name(), statistic.name());
        let reaching = |z: f64| tally.reaching((z * 20.0).round() as u32) as f64 / toys as f64;
        let error = |p: f64| (p * (1.0 - p) * (1.0 / toys as f64 + 1.0 / 4e5)).sqrt();
        for (z, wanted) in [2.0, 2.5, 3.0, 3.5, 4.0, 5.0].into_iter().zip(golden) {
            // 4 standard errors of both samples, and half a toy of each.
            let (got, allowed) = (reaching(z), 4.0 * error(wanted) + 1.5e-5);
            assert!((got - wanted).abs() < allowed, "{what}: {got} at {z}, not {wanted} +- {allowed}");
        }
        for (part, z) in [0.1, 0.5, 0.9].into_iter().zip(quantiles) {
            // The quantile lies in the level that begins below it.
            let below = (z * 20.0).floor() / 20.0;
            let (above, least) = (1.0 - reaching(below + 0.05), 1.0 - reaching(below));
            let allowed = 4.0 * error(part);
            assert!(least < part + allowed && above > part - allowed, "{what}: {z} is not the quantile of {part}");
        }
        // A level holds 0.05 sigma; on average a toy is in its middle.
        let middle = |level: usize| level_z(level as u32) + 0.025;
        let average = |value: &dyn Fn(f64) -> f64| {
            let levels = tally.levels().iter().enumerate();
            levels.map(|(level, toys)| value(middle(level)) * *toys as f64).sum::<f64>() / toys as f64
        };
        let got = average(&|z| z);
        let sigma = average(&|z| (z - got) * (z - got)).sqrt();
        assert!((got - mean).abs() < 4.0 * deviation / 200.0 + 0.003, "{what}: mean {got}, not {mean}");
        assert!((sigma / deviation - 1.0).abs() < 0.02, "{what}: deviation {sigma}, not {deviation}");
    }
}

#[test]
fn without_uncertainty_toys_are_distributed_as_those_of_tables() {
    let (windows, expectation) = golden_plane();
    let mut observed = rounded_down(&expectation);
    observed[26] += 12;
    let fixed = experiment(windows, &expectation);
    let none = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.0; 60], Vec::new()).unwrap();
    let global = |statistic| {
        let smeared = fixed.clone().with_uncertainty(&expectation, none.clone(), statistic).unwrap();
        smeared.global(&Device::Cpu, &observed, 1, 20_000, &|_| Ok(())).unwrap()
    };
    let (nominal, marginal) = (global(Statistic::Nominal), global(Statistic::Marginal));
    // The marginal p-value is the nominal one, so the tables and the toys are the same.
    assert_eq!(nominal.tally.levels(), marginal.tally.levels());
    assert_eq!((nominal.tally.exceed(), nominal.findings.best), (marginal.tally.exceed(), marginal.findings.best));
    assert!((nominal.findings.ln_p - marginal.findings.ln_p).abs() < 1e-12);
    let tables = fixed.global(&Device::Cpu, &observed, 2, 20_000, &|_| Ok(())).unwrap();
    for level in [30, 40, 50, 60, 70] {
        let (a, b) = (tables.tally.reaching(level) as f64, nominal.tally.reaching(level) as f64);
        assert!((a - b).abs() < 4.0 * (a + b).sqrt(), "level {level}: {a} and {b} of 20,000 toys");
    }
    let (a, b) = (tables.tally.exceed() as f64, nominal.tally.exceed() as f64);
    assert!((a - b).abs() < 4.0 * (a + b).sqrt() && a > 50.0, "{a} and {b} exceed");
}

/// Where 6000 are expected to 10 %, a statistical 5 sigma is 0.65 standard deviations of the expectation: it comes up in a
/// quarter of all toys. The marginal p-value knows, and so do the toys of the nominal one.
#[test]
fn five_statistical_sigma_are_common_with_a_correlated_uncertainty() {
    let edges: Vec<f64> = (0..=12).map(f64::from).collect();
    let ranges: Vec<Range<usize>> = (0..10).map(|first| first..first + 3).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &ranges).unwrap();
    let expectation = Expectation::given(vec![2000.0; 12], None).unwrap();
    let experiment = experiment(windows, &expectation);
    let template = Template { name: "common".into(), relative: vec![0.1; 12] };
    let uncertainty = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.0; 12], vec![template]).unwrap();
    let mut observed = vec![2000; 12];
    observed[4] = 2400;
    let toys = 2000;
    let fixed = experiment.global(&Device::Cpu, &observed, 1, toys, &|_| Ok(())).unwrap();
    assert!(fixed.findings.z > 5.0 && fixed.tally.exceed() == 0, "{:?}", fixed.significance);
    let global = |statistic| {
        let smeared = experiment.clone().with_uncertainty(&expectation, uncertainty.clone(), statistic).unwrap();
        smeared.global(&Device::Cpu, &observed, 1, toys, &|_| Ok(())).unwrap()
    };
    let (nominal, marginal) = (global(Statistic::Nominal), global(Statistic::Marginal));
    assert_eq!(nominal.findings, fixed.findings);
    assert!((0.2..0.4).contains(&nominal.significance.p), "{:?}", nominal.significance);
    let five_sigma = nominal.tally.reaching(100) as f64 / toys as f64;
    assert!((0.2..0.4).contains(&five_sigma), "{five_sigma}");
    assert!(marginal.findings.z < 1.0 && marginal.tally.reaching(100) == 0, "{:?}", marginal.findings.z);
    // Both statistics order these toys almost alike, since all windows move together.
    assert!((nominal.significance.p - marginal.significance.p).abs() < 0.05, "{:?}", marginal.significance);
}

#[test]
fn the_observation_itself_exceeds_and_one_less_does_not() {
    let mut observed = rounded_down(&golden_plane().1);
    observed[30] += 30;
    let mut found = Vec::new();
    for (smearing, statistic) in ALL {
        let experiment = golden_experiment(smearing, statistic);
        let findings = experiment.scan(&Device::Cpu, &observed).unwrap();
        let critical = experiment.critical_counts(&findings);
        let best = findings.windows.iter().position(|judged| judged.window == findings.best).unwrap();
        assert_eq!(u64::from(critical[best]), findings.observed);
        for (judged, critical) in findings.windows.iter().zip(&critical) {
            assert!(judged.observed < u64::from(*critical) || judged.ln_p == findings.ln_p, "{judged:?} {critical}");
        }
        assert_eq!(findings.z, special::significance(findings.ln_p));
        found.push((findings.z, experiment.relative_uncertainties()[best]));
        assert_eq!(experiment.statistic().contains("averaged"), statistic == Statistic::Marginal);
    }
    assert!(found[1].0 < found[0].0 && found[3].0 < found[2].0, "{found:?}");
    assert!(found.iter().all(|(_, relative)| (0.1..0.15).contains(relative)), "{found:?}");
}

#[test]
fn tallies_of_other_uncertainties_do_not_merge() {
    let tally = |smearing, statistic, first_toy| {
        let experiment = golden_experiment(smearing, statistic);
        let findings = experiment.scan(&Device::Cpu, &[3; 60]).unwrap();
        experiment.throw(&Device::Cpu, &findings, Throw { seed: 1, first_toy, toys: 10 }, &|_| Ok(())).unwrap()
    };
    let first = tally(Smearing::LogNormal, Statistic::Nominal, 0);
    assert!(first.clone().merge(&tally(Smearing::LogNormal, Statistic::Nominal, 10)).is_ok());
    assert!(first.clone().merge(&tally(Smearing::LogNormal, Statistic::Marginal, 10)).is_err());
    assert!(first.merge(&tally(Smearing::TruncatedGaussian, Statistic::Nominal, 10)).is_err());
}

#[test]
fn an_uncertainty_of_other_cells_is_refused() {
    let (windows, expectation) = golden_plane();
    let experiment = experiment(windows, &expectation);
    let other = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.1; 59], Vec::new()).unwrap();
    let error = experiment.with_uncertainty(&expectation, other, Statistic::Nominal).unwrap_err().to_string();
    assert!(error.contains("uncertainties of 59 cells for 60 cells"), "{error}");
}
