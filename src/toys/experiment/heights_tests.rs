//! Windows over several rows of a plane: by hand, and the estimators against brute force.

use super::*;
use crate::math::special::ln_normal_survival;
use crate::toys::throw::level_z;
use crate::toys::{SmearedTail, Smearing, Tail, TailEstimate, Template};

const ROWS: usize = 4;
const COLUMNS: usize = 6;

fn means(scale: f64) -> Vec<f64> {
    (0..ROWS * COLUMNS).map(|cell| scale * [1.0, 0.2, 2.5, 0.7][cell % 4] / (1 + cell / COLUMNS) as f64).collect()
}

fn experiment(scale: f64) -> (Experiment, Expectation) {
    let edges = |number: usize| (0..=number).map(|edge| edge as f64).collect();
    let ranges = [0..2, 1..4, 3..6];
    let windows = Windows::plane_of_heights(edges(ROWS), edges(COLUMNS), &ranges, &[1, 2, 4]).unwrap();
    let expectation = Expectation::given(means(scale), None).unwrap();
    (Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap(), expectation)
}

#[test]
fn an_excess_over_two_rows_is_found_there() {
    let (experiment, _) = experiment(10.0);
    let mut observed: Vec<u64> = means(10.0).iter().map(|mean| mean.round() as u64).collect();
    for cell in [7, 8, 9, 13, 14, 15] {
        observed[cell] += 9;
    }
    let findings = experiment.scan(&Device::Cpu, &observed).unwrap();
    let windows = experiment.windows();
    let best = findings.best;
    assert_eq!((windows.row(best), windows.height(best), windows.range(best)), (1, 2, 7..10));
    let sum = |cells: [usize; 6]| cells.map(|cell| observed[cell]).iter().sum::<u64>();
    assert_eq!(findings.observed, sum([7, 8, 9, 13, 14, 15]));
    let expected: f64 = [7, 8, 9, 13, 14, 15].map(|cell| means(10.0)[cell]).iter().sum();
    assert!((findings.expected - expected).abs() < 1e-12 * expected);
}

#[test]
fn the_tail_agrees_with_brute_force() {
    for scale in [0.4, 8.0, 500.0] {
        let (experiment, _) = experiment(scale);
        let findings = experiment.scan(&Device::Cpu, &[0; ROWS * COLUMNS]).unwrap();
        let throw = Throw { seed: 3, first_toy: 0, toys: 40_000 };
        let brute = experiment.throw(&Device::Cpu, &findings, throw, &|_| Ok(())).unwrap();
        for level in [20, 40, 60, 80] {
            let ln_p = ln_normal_survival(level_z(level));
            let tail = Tail { seed: 4, first_toy: 0, toys: 8000 };
            let tail = TailEstimate::new(&experiment.tail(&Device::Cpu, ln_p, tail, &|_| Ok(())).unwrap()).unwrap();
            let (seen, number) = (brute.reaching(level) as f64, 40_000.0);
            let error = (number * tail.p * (1.0 - tail.p)).sqrt().hypot(number * tail.error);
            assert!(
                (seen - number * tail.p).abs() < 4.0 * error + 1.0,
                "scale {scale}, level {level}: {seen}, {} +- {error}",
                number * tail.p
            );
        }
    }
}

#[test]
fn smeared_toys_and_their_tail_agree() {
    let (experiment, expectation) = experiment(20.0);
    let relative = (0..ROWS * COLUMNS).map(|cell| 0.02 * (cell % 7) as f64 - 0.06).collect();
    let template = Template { name: "tilt".into(), relative };
    let uncertainty =
        BackgroundUncertainty::new(Smearing::LogNormal, vec![0.08; ROWS * COLUMNS], vec![template]).unwrap();
    let experiment = experiment.with_uncertainty(&expectation, uncertainty, Statistic::Nominal).unwrap();
    let mut observed: Vec<u64> = means(20.0).iter().map(|mean| mean.round() as u64).collect();
    observed[8] += 13;
    let findings = experiment.scan(&Device::Cpu, &observed).unwrap();
    let throw = Throw { seed: 3, first_toy: 0, toys: 20_000 };
    let brute = experiment.throw(&Device::Cpu, &findings, throw, &|_| Ok(())).unwrap();
    let tail = SmearedTail { seed: 5, first_toy: 0, toys: 8000, smearing: Smearing::LogNormal };
    let tail = tail.estimate(&Device::Cpu, &experiment.smeared_input(&findings).unwrap()).unwrap();
    let error = (tail.p / 20_000.0).sqrt().hypot(tail.error);
    let seen = brute.exceed() as f64 / 20_000.0;
    assert!(brute.exceed() > 30 && (seen - tail.p).abs() < 4.0 * error, "{seen}, {tail:?}");
}

#[test]
fn what_has_no_toys_of_such_windows_is_refused() {
    let (experiment, expectation) = experiment(10.0);
    for (scan, why) in [
        (
            Scan { direction: crate::hunt::Direction::Deficit, ..Scan::default() },
            "over several rows are not scanned in toys",
        ),
        (Scan { normalisation: Normalisation::Sidebands, ..Scan::default() }, "cannot be scaled to their sidebands"),
    ] {
        let windows = experiment.windows().clone();
        let error = Experiment::new(windows, &expectation, 0.0, scan, Exceedance::AtLeast).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
