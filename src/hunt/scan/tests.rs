//! The golden vector of pyBumpHunter, and the edges of the scan.

use super::golden::{DATA, REFERENCE};
use super::*;
use crate::hunt::{BumpHunter, Reason};
use crate::spectrum::Expectation;

fn golden() -> (Windows, Expectation, WindowExpectation) {
    let expected = Expectation::given(REFERENCE.iter().map(|bin| *bin as f64).collect(), None).unwrap();
    let edges: Vec<f64> = (0..=60).map(|edge| f64::from(edge) / 3.0).collect();
    let hunter = BumpHunter { width_min: 2, width_max: Some(6), ..BumpHunter::default() };
    let windows = Windows::spectrum(&edges, expected.values(), &hunter).unwrap();
    let in_windows = WindowExpectation::new(&windows, &expected, 0.0).unwrap();
    (windows, expected, in_windows)
}

#[test]
fn the_golden_vector_of_pybumphunter() {
    let (windows, _, expected) = golden();
    assert_eq!(windows.len(), 285);
    let findings = Scan::default().run(&Device::Cpu, &windows, &expected, &DATA).unwrap();
    assert_eq!(windows.range(findings.best), 16..20);
    assert_eq!((findings.observed, findings.expected), (3509, 3301.0));
    assert!((findings.p() / 1.734_106_8e-4 - 1.0).abs() < 1e-7, "{}", findings.p());
    assert!((findings.t() - 8.659_848).abs() < 1e-6, "{}", findings.t());
    assert!((findings.z - 3.5776).abs() < 1e-4, "{}", findings.z);
    let (low, high) = windows.bounds(findings.best);
    assert!((low - 5.33).abs() < 0.01 && (high - 6.67).abs() < 0.01);
}

#[test]
fn conventions_differ_only_without_an_excess() {
    let (windows, _, expected) = golden();
    let scan =
        |convention| Scan { convention, ..Scan::default() }.run(&Device::Cpu, &windows, &expected, &DATA).unwrap();
    let (excess, survival) = (scan(Convention::ExcessOnly), scan(Convention::Survival));
    assert_eq!(excess.best, survival.best);
    for (a, b) in excess.windows.iter().zip(&survival.windows) {
        if a.observed as f64 > a.expected {
            assert_eq!(a, b);
        } else {
            assert!(a.ln_p == 0.0 && a.z == 0.0 && b.ln_p < 0.0 && b.z < 0.1, "{b:?}");
        }
    }
}

#[test]
fn empty_windows_have_p_one_and_ties_go_to_the_lowest() {
    let edges: Vec<f64> = (0..5).map(f64::from).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[0..1, 1..2, 2..3, 3..4]).unwrap();
    let expectation = Expectation::given(vec![1.0, 2.0, 2.0, 0.0], None).unwrap();
    let expected = WindowExpectation::new(&windows, &expectation, 0.0).unwrap();
    let run = |counts| Scan::default().run(&Device::Cpu, &windows, &expected, counts).unwrap();
    let nothing = run(&[0, 0, 0, 9]);
    assert_eq!((nothing.best, nothing.ln_p, nothing.z), (WindowId(0), 0.0, 0.0));
    assert_eq!(expected.left_out()[0].reason, Reason::NothingExpected);
    assert_eq!(nothing.windows.len(), 3);
    assert_eq!(run(&[1, 7, 7, 0]).best, WindowId(1));
}

#[test]
fn far_tails_stay_finite() {
    let windows = Windows::new(vec![0.0, 1.0], vec![0.0, 1.0], std::slice::from_ref(&(0..1))).unwrap();
    let expectation = Expectation::given(vec![1.0], None).unwrap();
    let expected = WindowExpectation::new(&windows, &expectation, 0.0).unwrap();
    let found = Scan::default().run(&Device::Cpu, &windows, &expected, &[1000]).unwrap();
    // -1 - ln 1000! + ln(1 + 1/1001 + 1/(1001 1002) + ...), computed with lgamma
    assert!((found.ln_p + 5_913.127_178_989).abs() < 1e-6, "{}", found.ln_p);
    assert!(found.z > 108.0 && found.z < 109.0, "{}", found.z);
}

#[test]
fn counts_of_other_cells_are_refused() {
    let (windows, _, expected) = golden();
    let error = Scan::default().run(&Device::Cpu, &windows, &expected, &DATA[1..]).unwrap_err().to_string();
    assert!(error.contains("59 counts for 60 cells"), "{error}");
}

#[test]
fn deficits_and_sidebands_of_the_golden_vector() {
    // pyBumpHunter 0.5.1 on the same vector: `scripts/oracles/bump_hunter.py global`.
    let (windows, expected, _) = golden();
    let cases = [
        (Direction::Deficit, Normalisation::Fixed, 42..46, 5.552424321),
        (Direction::Excess, Normalisation::Sidebands, 16..20, 8.791298615),
        (Direction::Deficit, Normalisation::Sidebands, 42..46, 5.587312342),
    ];
    for (direction, normalisation, range, t) in cases {
        let scan = Scan { direction, normalisation, ..Scan::default() };
        let in_windows = WindowExpectation::normalised(&windows, &expected, 0.0, normalisation).unwrap();
        let findings = scan.run(&Device::Cpu, &windows, &in_windows, &DATA).unwrap();
        assert_eq!(windows.range(findings.best), range, "{scan:?}");
        assert!((findings.t() - t).abs() < 1e-8, "{scan:?} {}", findings.t());
    }
}

#[test]
fn windows_with_empty_sidebands_have_p_one_and_p_has_a_floor() {
    let edges: Vec<f64> = (0..4).map(f64::from).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[0..1, 1..2, 0..3]).unwrap();
    let expectation = Expectation::given(vec![1.0, 2.0, 3.0], None).unwrap();
    let run = |direction, counts: &[u64]| {
        let scan = Scan { direction, normalisation: Normalisation::Sidebands, ..Scan::default() };
        let expected = WindowExpectation::normalised(&windows, &expectation, 0.0, scan.normalisation).unwrap();
        assert_eq!(expected.left_out()[0].reason, Reason::NoSidebands);
        scan.run(&Device::Cpu, &windows, &expected, counts).unwrap()
    };
    // Beside the first window is nothing; the second has 9 events beside it, so 2 * 9 / 4 are expected.
    let found = run(Direction::Excess, &[9, 0, 0]);
    assert_eq!((found.windows[0].ln_p, found.windows[0].expected), (0.0, 0.0));
    assert_eq!((found.windows[1].observed, found.windows[1].expected), (0, 4.5));
    assert_eq!(run(Direction::Deficit, &[9, 0, 0]).ln_p, -4.5);
    let far = run(Direction::Excess, &[5_000, 1, 0]);
    assert_eq!(far.ln_p, math::LN_SMALLEST_SIDEBAND_P);
    assert_eq!(math::LN_SMALLEST_SIDEBAND_P, crate::math::det::ln(1e-300));
    assert!(far.z > 37.0 && far.z < 37.1, "{}", far.z);
}

#[test]
fn events_without_expectation_count_in_windows_and_in_no_sideband_beyond_the_ends() {
    let edges: Vec<f64> = (0..6).map(f64::from).collect();
    let expectation = Expectation::given(vec![0.0, 5.0, 0.0, 5.0, 0.0], None).unwrap();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[1..3, 3..4, 2..3]).unwrap();
    let observed = [70, 5, 4, 10, 90];
    let scan = Scan { normalisation: Normalisation::Sidebands, ..Scan::default() };
    let expected = WindowExpectation::normalised(&windows, &expectation, 0.0, scan.normalisation).unwrap();
    let found = scan.run(&Device::Cpu, &windows, &expected, &observed).unwrap();
    let contents: Vec<_> = found.windows.iter().map(|judged| (judged.observed, judged.expected)).collect();
    assert_eq!(contents, [(9, 10.0), (10, 9.0)]);
    // The window that is all zero takes no part, whatever it holds.
    assert_eq!(expected.left_out()[0].reason, Reason::NothingExpected);
    assert_eq!(crate::hunt::unexpected_events(expectation.values(), &observed), [(0, 70), (2, 4), (4, 90)]);
}

#[test]
fn the_bound_is_never_below_t() {
    let judges = [0, math::ONE_SIDE, math::DEFICIT, math::DEFICIT | math::ONE_SIDE];
    let mut tightest = f64::INFINITY;
    for exponent in -40..=90 {
        let mean = 10_f64.powf(f64::from(exponent) / 10.0);
        for step in -60..=120 {
            let count = (mean + f64::from(step) * mean.sqrt() / 8.0).floor();
            for count in [count, count + 1.0] {
                let count = count.max(0.0) as u64;
                for judge in judges {
                    let (t, most) = (-math::judged_ln_p(count, mean, judge), math::most_t(count, mean, judge));
                    assert!(most >= t, "{count} of {mean} judged by {judge}: t = {t}, bound {most}");
                    if t > 4.0 && t < 12.0 && mean > 1e4 {
                        tightest = tightest.min(t / most);
                    }
                }
            }
        }
    }
    // It is of use only if it is near: two to four sigma are no more than a third off.
    assert!(tightest > 0.67, "{tightest}");
}
