//! Random spectra: the same windows and p-values as pyBumpHunter.

use super::spectra::{COMBINED, SPECTRA, Spectrum};
use super::*;
use crate::hunt::{BumpHunter, Combination, Step, combine};
use crate::spectrum::Expectation;

fn hunter(index: usize) -> BumpHunter {
    let of = |width_min, width_max, width_step, position_step, sideband_width| BumpHunter {
        width_min,
        width_max: Some(width_max),
        width_step,
        position_step,
        sideband_width,
    };
    [
        of(1, 8, 1, Step::Bins(1), 0),
        of(2, 6, 2, Step::Half, 1),
        of(1, 5, 1, Step::Full, 2),
        of(3, 9, 3, Step::Bins(2), 0),
    ][index % 4]
}

fn scanned(spectrum: &Spectrum, hunter: &BumpHunter, scan: Scan) -> (Windows, Findings) {
    let expectation = Expectation::given(spectrum.expected.to_vec(), None).unwrap();
    let edges: Vec<f64> = (0..=24).map(f64::from).collect();
    let windows = Windows::spectrum(&edges, expectation.values(), hunter).unwrap();
    let expected = WindowExpectation::normalised(&windows, &expectation, 0.0, scan.normalisation).unwrap();
    let findings = scan.run(&Device::Cpu, &windows, &expected, &spectrum.observed).unwrap();
    (windows, findings)
}

const JUDGES: [(Direction, Normalisation); 4] = [
    (Direction::Excess, Normalisation::Fixed),
    (Direction::Deficit, Normalisation::Fixed),
    (Direction::Excess, Normalisation::Sidebands),
    (Direction::Deficit, Normalisation::Sidebands),
];

#[test]
fn random_spectra_have_pybumphunters_best_windows() {
    for (index, spectrum) in SPECTRA.iter().enumerate() {
        for ((direction, normalisation), (first, end, t, signal)) in JUDGES.into_iter().zip(spectrum.best) {
            let sideband_width = match normalisation {
                Normalisation::Fixed => 0,
                Normalisation::Sidebands => hunter(index).sideband_width,
            };
            let hunter = BumpHunter { sideband_width, ..hunter(index) };
            let scan = Scan { direction, normalisation, ..Scan::default() };
            let (windows, found) = scanned(spectrum, &hunter, scan);
            let place = format!("spectrum {index}, {scan:?}: {found:?}");
            assert_eq!(windows.range(found.best), first..end, "{place}");
            // Its deficits are 1 - G: p has an error of 1e-16, t one of 1e-16 / p.
            let tolerance = 1e-9 + if direction == Direction::Deficit { 4e-16 * crate::math::det::exp(t) } else { 0.0 };
            assert!((found.t() - t).abs() < tolerance, "{place}: {} for {t}", found.t());
            assert!((found.observed as f64 - found.expected - signal).abs() < 1e-9 * found.expected, "{place}");
        }
    }
}

#[test]
fn pairs_of_channels_have_pybumphunters_statistic() {
    let hunter = BumpHunter { width_max: Some(8), ..BumpHunter::default() };
    let mut overlapping = 0;
    for (i, j, fixed, sidebands) in COMBINED {
        for (normalisation, t) in [(Normalisation::Fixed, fixed), (Normalisation::Sidebands, sidebands)] {
            let scan = Scan { normalisation, ..Scan::default() };
            let (a, b) = (scanned(&SPECTRA[i], &hunter, scan), scanned(&SPECTRA[j], &hunter, scan));
            let joined = combine(&[(&a.0, &a.1), (&b.0, &b.1)], Combination::BestOverlapping).unwrap();
            assert!((joined.t() - t).abs() < 1e-9, "{i} and {j}, {normalisation:?}: {joined:?} for {t}");
            overlapping += usize::from(joined.overlap.is_some());
        }
    }
    assert!(overlapping > 8 && overlapping < 20, "{overlapping}");
}
