//! Scanned toys against their definition and against other programs.

use super::*;
use crate::device::Device;
use crate::hunt::scan::golden::{DATA, REFERENCE};
use crate::hunt::{BumpHunter, Direction, Normalisation, WindowExpectation, Windows};
use crate::math::philox::{Philox, join};
use crate::math::poisson::PoissonTable;
use crate::spectrum::Expectation;
use crate::toys::{Exceedance, Experiment};

fn golden() -> (Windows, Expectation) {
    let expectation = Expectation::given(REFERENCE.iter().map(|bin| *bin as f64).collect(), None).unwrap();
    let edges: Vec<f64> = (0..=60).map(|edge| f64::from(edge) / 3.0).collect();
    let hunter = BumpHunter { width_min: 2, width_max: Some(6), ..BumpHunter::default() };
    (Windows::spectrum(&edges, expectation.values(), &hunter).unwrap(), expectation)
}

fn judges() -> Vec<Scan> {
    let mut all = Vec::new();
    for convention in [crate::hunt::Convention::ExcessOnly, crate::hunt::Convention::Survival] {
        for direction in [Direction::Excess, Direction::Deficit] {
            for normalisation in [Normalisation::Fixed, Normalisation::Sidebands] {
                all.push(Scan { convention, direction, normalisation });
            }
        }
    }
    all
}

#[test]
fn a_toy_is_worth_what_a_scan_of_its_counts_says() {
    // Small means too, where ties and empty cells are common.
    let cells: Vec<f64> = (0..17).map(|cell| [12.0, 0.0, 3.5, 0.25, 40.0][cell % 5]).collect();
    let edges: Vec<f64> = (0..=17).map(|edge| edge as f64).collect();
    let windows =
        Windows::spectrum(&edges, &cells, &BumpHunter { width_max: Some(5), ..BumpHunter::default() }).unwrap();
    let expectation = Expectation::given(cells.clone(), None).unwrap();
    let throw = Throw { seed: 3, first_toy: 5, toys: 150 };
    for scan in judges() {
        let expected = WindowExpectation::normalised(&windows, &expectation, 0.0, scan.normalisation).unwrap();
        let channel = Channel { means: &cells, windows: &windows, expected: &expected };
        let input = tables(&[channel], crate::hunt::Combination::BestOverlapping).unwrap();
        let toys = ScanToys { throw, stage: Stage::Toys, scan, limit_ln_p: -3.0 };
        let output = Device::Cpu.run(&toys, input).unwrap();
        let random = Philox::new(throw.seed, Stage::Toys);
        let mut exceeding = 0;
        for (index, ln_p) in output.ln_p.iter().enumerate() {
            let draw = |(cell, mean): (usize, &f64)| {
                let words = random.words(throw.first_toy + index as u64, cell as u64 / 2);
                let bits = if cell % 2 == 0 { join(words[0], words[1]) } else { join(words[2], words[3]) };
                u64::from(PoissonTable::new(*mean).unwrap().draw(bits))
            };
            let counts: Vec<u64> = cells.iter().enumerate().map(draw).collect();
            let found = scan.run(&Device::Cpu, &windows, &expected, &counts).unwrap();
            assert_eq!(found.ln_p, *ln_p, "toy {index}, {scan:?}");
            exceeding += u64::from(found.ln_p <= -3.0);
        }
        assert_eq!(output.tally[0], exceeding);
        assert_eq!(output.tally[1..].iter().sum::<u64>(), throw.toys);
    }
}

#[test]
fn the_golden_vector_has_pybumphunters_global_p_values() {
    // pyBumpHunter 0.5.1, 20,000 pseudo-experiments each (`scripts/oracles/bump_hunter.py global`).
    let (windows, expectation) = golden();
    let cases = [
        (Direction::Deficit, Normalisation::Fixed, 0.2731),
        (Direction::Excess, Normalisation::Sidebands, 0.0545),
        (Direction::Deficit, Normalisation::Sidebands, 0.40145),
    ];
    for (direction, normalisation, golden) in cases {
        let scan = Scan { direction, normalisation, ..Scan::default() };
        let experiment = Experiment::new(windows.clone(), &expectation, 0.0, scan, Exceedance::AtLeast).unwrap();
        let (toys, theirs) = (20_000, 20_000.0);
        let global = experiment.global(&Device::Cpu, &DATA, 4, toys, &|_| Ok(())).unwrap();
        let p = global.significance.p;
        let error = (golden * (1.0 - golden) * (1.0 / theirs + 1.0 / toys as f64)).sqrt();
        assert!((p - golden).abs() < 4.0 * error, "{scan:?}: {p} for {golden} +- {error}");
        assert_eq!(global.significance.sidak == 1.0, normalisation == Normalisation::Sidebands);
        // Same seed, same integers, whatever the split.
        let part = |first_toy, toys| {
            experiment.throw(&Device::Cpu, &global.findings, Throw { seed: 4, first_toy, toys }, &|_| Ok(())).unwrap()
        };
        assert_eq!(part(0, 70).merge(&part(70, 501)).unwrap().levels(), part(0, 571).levels());
    }
}

#[test]
fn excesses_over_a_fixed_expectation_are_those_of_toys_throw() {
    // The same distribution by other draws and by tables: fractions at 2, 2.5 and 3 sigma agree.
    let (windows, expectation) = golden();
    let toys = 20_000;
    let experiment = Experiment::new(windows.clone(), &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    let thrown = experiment.global(&Device::Cpu, &DATA, 5, toys, &|_| Ok(())).unwrap();
    let channel = Channel { means: expectation.values(), windows: &windows, expected: experiment.expected() };
    let input = tables(&[channel], crate::hunt::Combination::BestOverlapping).unwrap();
    let limit_ln_p = limit(thrown.findings.ln_p, Exceedance::AtLeast);
    let scanned = ScanToys {
        throw: Throw { seed: 6, first_toy: 0, toys },
        stage: Stage::Toys,
        scan: Scan::default(),
        limit_ln_p,
    };
    let all = crate::toys::Toys { seed: 6, first_toy: 0, stopping: crate::toys::Stopping::After(toys), begun: None };
    let (scanned, _) = throw_until(&Device::Cpu, scanned, &input, all, &mut |_| Ok(())).unwrap();
    for level in [0, 40, 50, 60] {
        let count = |tally: &crate::toys::Tally| match level {
            0 => tally.exceed() as f64,
            level => tally.reaching(level) as f64,
        };
        let (a, b) = (count(&thrown.tally), count(&scanned));
        assert!((a - b).abs() < 4.0 * (a + b).sqrt(), "level {level}: {a} and {b} of {toys}");
    }
}

#[test]
fn ties_are_in_or_out_as_asked() {
    for ln_p in [0.0, -0.3, -8.66, -700.0] {
        assert!(ln_p <= limit(ln_p, Exceedance::AtLeast) && ln_p > limit(ln_p, Exceedance::Above));
        let rounded = ln_p * (1.0 + 1e-12);
        assert!(rounded <= limit(ln_p, Exceedance::AtLeast) && rounded > limit(ln_p, Exceedance::Above));
    }
    assert_eq!(limit(f64::NEG_INFINITY, Exceedance::AtLeast), f64::NEG_INFINITY);
}

#[test]
fn levels_are_reached_from_their_own_p_value_on() {
    let levels = [-0.5, -1.0, -2.0];
    for (ln_p, level) in [(0.0, 0), (-0.49, 0), (-0.5, 1), (-1.5, 2), (-2.0, 3), (-9.0, 3)] {
        assert_eq!(math::reached_level(ln_p, &levels), level, "{ln_p}");
    }
}

#[test]
fn tables_that_do_not_belong_together_are_refused() {
    let (windows, expectation) = golden();
    let expected = WindowExpectation::new(&windows, &expectation, 0.0).unwrap();
    let channel = Channel { means: expectation.values(), windows: &windows, expected: &expected };
    let good = tables(&[channel], crate::hunt::Combination::BestOverlapping).unwrap();
    let throw = Throw { seed: 1, first_toy: 0, toys: 1 };
    let toys = ScanToys { throw, stage: Stage::Toys, scan: Scan::default(), limit_ln_p: 0.0 };
    let refused = |toys: ScanToys, input: Input<Host>| Device::Cpu.run(&toys, input).unwrap_err().problems().len();
    assert_eq!(refused(ScanToys { throw: Throw { first_toy: u64::MAX, ..throw }, ..toys }, good.clone()), 1);
    assert_eq!(refused(ScanToys { throw: Throw { toys: 0, ..throw }, ..toys }, good.clone()), 1);
    assert_eq!(refused(toys, Input { low: vec![0.0].into(), expected: vec![1.0].into(), ..good.clone() }), 2);
    assert_eq!(refused(toys, Input { set: vec![0, 9].into(), ..good.clone() }), 1);
    assert_eq!(refused(toys, Input { set: vec![0, 0, 285].into(), ..good.clone() }), 1);
    assert_eq!(refused(toys, Input { threshold: vec![1].into(), ..good.clone() }), 1);
    assert_eq!(refused(toys, Input { sideband_end: vec![61; 285].into(), ..good.clone() }), 1);
    let bad = Channel { means: &[f64::NAN, -1.0, 1e10], ..channel };
    let error = tables(&[bad, bad], crate::hunt::Combination::BestOverlapping).unwrap_err();
    assert_eq!(error.problems().len(), 4, "{error}");
}
