//! The global p-value of a one-dimensional scan from its upcrossings of a low level: E. Gross and O. Vitells, *Trial
//! factors for the look elsewhere effect in high energy physics*, arXiv:1005.1891.
//!
//! **What.** The largest of a sequence of local significances reaches `z` if the first one does, or if the sequence crosses
//! `z` from below, so `P(max >= z) <= p_local + <N(z)>`, with `<N(z)>` the mean number of upcrossings. For a field whose
//! square is chi-squared with one degree of freedom `<N(z)> = <N(z0)> exp(-(z^2 - z0^2) / 2)`: a mean that a few toys
//! resolve at the low level `z0 = 2` gives that at any level.
//!
//! **Valid** for scans along one coordinate, in which every window begins and ends further on than the one before: a
//! BumpHunter of one width, or one row of a plane. Several widths or rows scan two dimensions, where upcrossings do not
//! count what is above the level (its Euler characteristic would); those are refused. The first inequality is exact. The
//! extrapolation takes the field for smooth from one window to the next and for normal. Sums of independent cells are
//! rougher than that, and windows that move by a large part of their width rougher still: the estimate is high, by the
//! factor `z / z0` of independent windows at most. Small expectations make it inexact, because a count is above a level
//! or not.
//!
//! **Neglected.** The uncertainty of the expectation. **Cost.** Two million draws on the host at most.

use std::fmt;

use crate::error::Result;
use crate::hunt::{Convention, Findings, WindowExpectation, WindowId, Windows};
use crate::math::philox::{Philox, Stage, join};
use crate::math::poisson::PoissonTable;
use crate::math::{det, special};
use crate::toys::Exceedance;
use crate::toys::throw::critical_counts;

/// The reference level in standard deviations.
pub const REFERENCE_Z: f64 = 2.0;

/// All draws together, so that long spectra do not take longer than short ones.
const DRAWS: usize = 2_000_000;

/// The estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrossVitells {
    /// The mean number of upcrossings of [`REFERENCE_Z`].
    pub upcrossings: f64,
    /// Its standard error.
    pub upcrossings_error: f64,
    /// How many toys it was counted in.
    pub toys: u64,
    /// The global p-value, at most 1.
    pub p: f64,
    /// Its standard error from that of the upcrossings.
    pub error: f64,
    /// `p` in standard deviations.
    pub z: f64,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoScan {
    /// The windows lie in several rows.
    Rows(usize),
    /// A window begins or ends where another does, or lies in it.
    Widths,
    /// The significance of a window is no function of its count that rises with it: deficits, sidebands, channels.
    Statistic,
    /// The observed significance is below the reference level.
    Below,
    /// The expectation is uncertain.
    Uncertain,
}

impl fmt::Display for NoScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => {
                write!(f, "not for a plane: upcrossings are counted along one scan, and there are {rows} rows")
            }
            Self::Widths => f.write_str(
                "not for several widths: upcrossings are counted along one scan, and windows lie in each other",
            ),
            Self::Uncertain => f.write_str("not for uncertain expectations: upcrossings are those of statistics alone"),
            Self::Statistic => f.write_str("not for deficits, sidebands or combined channels: upcrossings are counted of excesses over a fixed expectation"),
            Self::Below => write!(f, "not below its reference level of {REFERENCE_Z} σ"),
        }
    }
}

impl GrossVitells {
    /// The estimate for `findings` in a scan of the `windows` with these expected contents of windows and cells.
    ///
    /// # Errors
    /// A cell whose expectation cannot be drawn.
    pub(super) fn estimate(
        windows: &Windows,
        expected: &WindowExpectation,
        means: &[f64],
        convention: Convention,
        seed: u64,
        findings: &Findings,
    ) -> Result<Result<Self, NoScan>> {
        let order = match scan_order(windows, expected.kept()) {
            Ok(order) => order,
            Err(why) => return Ok(Err(why)),
        };
        if findings.z < REFERENCE_Z {
            return Ok(Err(NoScan::Below));
        }
        let ln_reference = special::ln_normal_survival(REFERENCE_Z);
        let from = critical_counts(expected.kept_values(), convention, Exceedance::AtLeast, REFERENCE_Z, ln_reference);
        let scan: Vec<_> = order.iter().map(|index| (windows.range(expected.kept()[*index]), from[*index])).collect();
        let tables: Vec<PoissonTable> = means.iter().map(|mean| PoissonTable::new(*mean)).collect::<Result<_>>()?;
        let toys = (DRAWS / tables.len().max(1)).clamp(100, 10_000) as u64;
        let (mut sum, mut squares) = (0_u64, 0_u64);
        let mut prefix = vec![0_u64; tables.len() + 1];
        for toy in 0..toys {
            draw(seed, toy, &tables, &mut prefix);
            let (mut crossings, mut above) = (0, true);
            for (range, from) in &scan {
                let now = prefix[range.end] - prefix[range.start] >= u64::from(*from);
                crossings += u64::from(now && !above);
                above = now;
            }
            sum += crossings;
            squares += crossings * crossings;
        }
        Ok(Ok(Self::new(findings, toys, sum, squares)))
    }

    fn new(findings: &Findings, toys: u64, sum: u64, squares: u64) -> Self {
        let (n, mean) = (toys as f64, sum as f64 / toys as f64);
        let variance = (squares as f64 / n - mean * mean).max(0.0) * n / (n - 1.0);
        let error = (variance / n).sqrt();
        let fall = det::exp(-0.5 * (findings.z * findings.z - REFERENCE_Z * REFERENCE_Z));
        let p = (findings.p() + mean * fall).min(1.0);
        let z = special::significance(det::ln(p));
        Self { upcrossings: mean, upcrossings_error: error, toys, p, error: error * fall, z }
    }
}

/// The kept windows along the scan, by their places among the kept.
fn scan_order(windows: &Windows, kept: &[WindowId]) -> Result<Vec<usize>, NoScan> {
    if windows.rows() > 1 {
        return Err(NoScan::Rows(windows.rows()));
    }
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by_key(|index| windows.range(kept[*index]).start);
    let moves_on = |pair: &[usize]| {
        let (this, next) = (windows.range(kept[pair[0]]), windows.range(kept[pair[1]]));
        this.start < next.start && this.end < next.end
    };
    if order.windows(2).all(moves_on) { Ok(order) } else { Err(NoScan::Widths) }
}

/// The running sums of the cells of a toy, two cells to each set of random words.
fn draw(seed: u64, toy: u64, tables: &[PoissonTable], prefix: &mut [u64]) {
    let random = Philox::new(seed, Stage::Upcrossings);
    let mut sum = 0;
    for (pair, (tables, sums)) in tables.chunks(2).zip(prefix[1..].chunks_mut(2)).enumerate() {
        let [a, b, c, d] = random.words(toy, pair as u64);
        for ((table, place), word) in tables.iter().zip(sums).zip([join(a, b), join(c, d)]) {
            sum += u64::from(table.draw(word));
            *place = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::hunt::{BumpHunter, Scan};
    use crate::spectrum::Expectation;
    use crate::toys::Experiment;

    fn experiment(bins: usize, mean: f64, width: usize) -> Experiment {
        let edges: Vec<f64> = (0..=bins).map(|edge| edge as f64).collect();
        let expectation = Expectation::given(vec![mean; bins], None).unwrap();
        let hunter = BumpHunter { width_min: width, width_max: Some(width), ..BumpHunter::default() };
        let windows = Windows::spectrum(&edges, expectation.values(), &hunter).unwrap();
        Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap()
    }

    /// An excess in the middle of so many standard deviations.
    fn estimate(experiment: &Experiment, excess: f64) -> (GrossVitells, Findings) {
        let mut observed: Vec<u64> = experiment.means().iter().map(|mean| *mean as u64).collect();
        let middle = observed.len() / 2;
        let width = experiment.windows().range(WindowId(0)).len() as f64;
        observed[middle] += (excess * (width * experiment.means()[middle]).sqrt()) as u64;
        let findings = experiment.scan(&Device::Cpu, &observed).unwrap();
        (experiment.gross_vitells(5, &findings).unwrap().unwrap(), findings)
    }

    #[test]
    fn upcrossings_are_those_of_normal_sequences() {
        // Independent: (n - 1) q (1 - q), q = norm.sf(2) = 0.0227501. Moving sums of w: (n - 1) (q - P(both >= 2)) with the
        // correlation r = 1 - 1/w, by scipy.integrate.quad of norm.pdf(x) norm.sf((2 - r x) / sqrt(1 - r^2)) (SciPy
        // 1.17.1): 0.0186972 for w = 2, 0.00938888 for w = 10.
        for (width, each) in [(1, 0.022_232_6), (2, 0.018_697_2), (10, 0.009_388_88)] {
            let experiment = experiment(40, 1e6, width);
            let (got, _) = estimate(&experiment, 4.0);
            let expected = (experiment.windows().len() - 1) as f64 * each;
            assert!((got.upcrossings - expected).abs() < 4.0 * got.upcrossings_error, "{width}: {got:?}, {expected}");
            assert!(got.upcrossings_error < 0.03 * got.upcrossings, "{got:?}");
        }
    }

    #[test]
    fn the_estimate_is_above_brute_force_and_below_independent_windows() {
        let experiment = experiment(60, 400.0, 10);
        let (got, findings) = estimate(&experiment, 3.2);
        let toys = super::super::Throw { seed: 1, first_toy: 0, toys: 20_000 };
        let tally = experiment.throw(&Device::Cpu, &findings, toys, &|_| Ok(())).unwrap();
        let brute = tally.exceed() as f64 / 20_000.0;
        let error = (brute / 20_000.0).sqrt();
        // z / z0 = 1.6, and 4 errors of both.
        let most = 1.6 * (brute + 4.0 * error) + 4.0 * got.error;
        assert!(got.p > brute - 4.0 * error && got.p < most, "{got:?}, {brute} ± {error}");
    }

    #[test]
    fn what_is_no_scan_along_one_line_is_refused() {
        let edges: Vec<f64> = (0..=6).map(f64::from).collect();
        let refused = |rows: usize, ranges: &[std::ops::Range<usize>], observed: u64| {
            let row_edges = (0..=rows).map(|edge| edge as f64).collect();
            let windows = Windows::new(row_edges, edges.clone(), ranges).unwrap();
            let expectation = Expectation::given(vec![10.0; 6 * rows], None).unwrap();
            let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
            let findings = experiment.scan(&Device::Cpu, &vec![observed; 6 * rows]).unwrap();
            experiment.gross_vitells(1, &findings).unwrap().err()
        };
        assert_eq!(refused(2, &[0..2, 6..8], 20), Some(NoScan::Rows(2)));
        assert_eq!(refused(1, &[0..2, 0..3], 20), Some(NoScan::Widths));
        assert_eq!(refused(1, &[0..4, 1..3], 20), Some(NoScan::Widths));
        assert_eq!(refused(1, &[0..2, 1..3, 4..6], 11), Some(NoScan::Below));
        assert_eq!(refused(1, &[4..6, 0..2, 1..4], 20), None);
    }
}
