//! The global significance: what a tally says, and what can be said without toys.

use super::Tally;
use crate::error::{Fault, Result};
use crate::math::{det, special};

/// The coverage of the interval of the global p-value: one standard deviation of a normal distribution.
pub const COVERAGE: f64 = 0.682_689_492_137_085_9;

/// A number of standard deviations, or what the number of toys allows to say about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deviations {
    /// Estimated, with the standard error from the number of toys.
    Measured {
        /// The one-sided normal quantile of the global p-value.
        z: f64,
        /// Its standard error, `sqrt(p (1 - p) / toys) / phi(z)`.
        error: f64,
    },
    /// No toy exceeds: Z is above that of `p = 1 / toys`.
    Above(f64),
    /// Every toy exceeds: Z is below that of `p = 1 - 1 / toys`.
    Below(f64),
}

impl Deviations {
    /// What `exceed` of `toys` toys say, of which there is at least one.
    pub fn of(exceed: u64, toys: u64) -> Self {
        let z_of = |p: f64| special::significance(det::ln(p));
        let one_toy = 1.0 / toys as f64;
        match exceed {
            0 => Self::Above(z_of(one_toy)),
            all if all >= toys => Self::Below(z_of(1.0 - one_toy)),
            _ => {
                let p = exceed as f64 / toys as f64;
                let z = z_of(p);
                let density = det::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
                Self::Measured { z, error: (p * (1.0 - p) / toys as f64).sqrt() / density }
            }
        }
    }

    /// The number itself: the estimate, or its bound.
    pub fn value(self) -> f64 {
        match self {
            Self::Measured { z, .. } | Self::Above(z) | Self::Below(z) => z,
        }
    }

    /// The standard deviations of a p-value estimated from `toys` toys that all exceed, given by its logarithm and relative
    /// standard error.
    pub fn of_tail(ln_p: f64, relative_error: f64, toys: u64) -> Self {
        if ln_p >= 0.0 {
            return Self::Below(special::significance(det::ln_1p(-1.0 / (toys as f64 + 1.0))));
        }
        let z = special::significance(ln_p);
        // The error of z is that of p over the normal density at z; both may be too small for an f64, their ratio is not.
        let ln_density = -0.5 * z * z - 0.5 * det::ln(2.0 * std::f64::consts::PI);
        Self::Measured { z, error: relative_error * det::exp(ln_p - ln_density) }
    }
}

/// The p-value of the largest local significance, corrected for all the windows looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalSignificance {
    /// `exceed / toys`.
    pub p: f64,
    /// The 68.27 % Clopper-Pearson interval of `p`.
    pub interval: (f64, f64),
    /// `p` in standard deviations.
    pub z: Deviations,
    /// The number of toys at least as significant as the observation.
    pub exceed: u64,
    /// The number of toys.
    pub toys: u64,
    /// The smallest local p-value.
    pub local_p: f64,
    /// The number of windows that took part.
    pub windows: usize,
    /// Sidak's `1 - (1 - local_p)^windows`: what independent windows would give. An upper bound, because window sums of
    /// independent cells are positively associated (Harris 1960) and Poisson p-values are discrete.
    pub sidak: f64,
    /// Bonferroni's `min(1, windows * local_p)`: an upper bound whatever the windows share.
    pub bonferroni: f64,
    /// `ln(1 - p) / ln(1 - local_p)`: as many independent windows would give the same `p`; `None` at p = 0 or 1.
    pub effective_trials: Option<f64>,
}

impl GlobalSignificance {
    /// Whether the toys resolve the p-value: at least 10 of them exceed.
    pub fn is_resolved(&self) -> bool {
        self.exceed >= 10
    }

    /// What `tally` says about an observation with this smallest local p-value (as a logarithm) among `windows`.
    ///
    /// # Errors
    /// A tally without toys.
    pub fn new(tally: &Tally, ln_local_p: f64, windows: usize) -> Result<Self> {
        let (exceed, toys) = (tally.exceed(), tally.toys());
        if toys == 0 {
            let fault = Fault::new("toys.significance", "the tally has no toys");
            return Err(fault.because("a p-value is a fraction of toys").data());
        }
        let p = exceed as f64 / toys as f64;
        let local_p = det::exp(ln_local_p);
        let z = Deviations::of(exceed, toys);
        // ln(1 - local_p) is minus infinity at 1, where everything exceeds.
        let ln_not_local = det::ln_1p(-local_p);
        let measured = exceed > 0 && exceed < toys && ln_not_local < 0.0 && local_p < 1.0;
        Ok(Self {
            p,
            interval: special::binomial_interval(exceed, toys, COVERAGE)?,
            z,
            exceed,
            toys,
            local_p,
            windows,
            sidak: if local_p < 1.0 { -det::exp_m1(windows as f64 * ln_not_local) } else { 1.0 },
            bonferroni: (windows as f64 * local_p).min(1.0),
            effective_trials: measured.then(|| det::ln_1p(-p) / ln_not_local),
        })
    }
}

impl GlobalSignificance {
    /// The same where Sidak's and Bonferroni's bounds do not hold, which are then 1: with sidebands a local p-value is none
    /// in the toys' sense, since its expectation fluctuates, and a product of p-values never is.
    pub fn without_bounds(self) -> Self {
        Self { sidak: 1.0, bonferroni: 1.0, effective_trials: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(exceed: u64, toys: u64, local_p: f64, windows: usize) -> GlobalSignificance {
        let tally = Tally::all(1, 0..toys, exceed);
        GlobalSignificance::new(&tally, det::ln(local_p), windows).unwrap()
    }

    #[test]
    fn sidak_of_1539_windows() {
        // physics: local Z 3, 4 and 5 in 1,539 independent tests; values computed with mpmath.
        for (local_z, sidak) in [(3.0, 0.8749), (4.0, 0.04757), (5.0, 4.4106e-4)] {
            let got = global(5, 100, special::normal_survival(local_z), 1539);
            assert!((got.sidak / sidak - 1.0).abs() < 1e-4, "{got:?}");
            assert!(got.bonferroni >= got.sidak);
        }
    }

    #[test]
    fn a_measured_p_value_has_its_error() {
        let got = global(177, 10_000, 1.734_106_8e-4, 285);
        let Deviations::Measured { z, error } = got.z else { panic!("{got:?}") };
        assert!((z - 2.104).abs() < 1e-3 && (error - 0.0302).abs() < 5e-4, "{z} {error}");
        assert!(got.interval.0 < 0.0177 && got.interval.1 > 0.0177 && got.interval.1 - got.interval.0 < 0.003);
        let trials = got.effective_trials.unwrap();
        assert!((trials - 102.98).abs() < 0.1, "{trials}");
    }

    #[test]
    fn all_or_nothing_is_a_bound() {
        let none = global(0, 100_000, 1e-9, 10);
        let Deviations::Above(z) = none.z else { panic!("{none:?}") };
        assert!((z - 4.2649).abs() < 1e-4 && none.effective_trials.is_none() && none.p == 0.0, "{z}");
        assert!(none.interval.0 == 0.0 && none.interval.1 > 0.0);
        let all = global(10, 10, 1.0, 10);
        assert!(matches!(all.z, Deviations::Below(z) if (z + 1.2816).abs() < 1e-3), "{all:?}");
        assert_eq!((all.p, all.sidak, all.bonferroni, all.effective_trials), (1.0, 1.0, 1.0, None));
    }
}
