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
    let scan = |convention| Scan { convention }.run(&Device::Cpu, &windows, &expected, &DATA).unwrap();
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
