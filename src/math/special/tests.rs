//! Against mpmath (`golden.rs`), and the numbers that other tools quote.

use super::*;

fn relative(got: f64, expected: f64) -> f64 {
    if got == expected { 0.0 } else { (got - expected).abs() / expected.abs().max(f64::MIN_POSITIVE) }
}

/// The error that the documentation bounds: of p where it is above 1e-300, of ln p below.
fn tail_error(got: f64, expected: f64) -> f64 {
    if expected > -690.0 { (got - expected).exp_m1().abs() } else { relative(got, expected) }
}

#[test]
fn poisson_tails_agree_with_mpmath() {
    let mut worst: f64 = 0.0;
    for &(n, mean, survival, cumulative) in golden::POISSON {
        for (name, got, expected) in [
            ("survival", ln_poisson_survival(n, mean), survival),
            ("cumulative", ln_poisson_cumulative(n, mean), cumulative),
        ] {
            let error = tail_error(got, expected);
            worst = worst.max(error);
            assert!(error < 1e-12, "{name}({n}, {mean:e}) = {got:e}, expected {expected:e}, off by {error:e}");
        }
    }
    println!("worst error of a Poisson tail: {worst:e}");
}

#[test]
fn the_goldens_of_the_bump_hunter_come_out() {
    // physics.md 0.3: single windows [computed] and pyBumpHunter's test vector (p_loc and Z_loc of its best window).
    for (n, mean, p, z) in [
        (10, 5.0, 0.0318281, Some(1.8546)),
        (150, 100.0, 1.88421e-6, Some(4.6238)),
        (3, 0.5, 0.0143877, None),
        (3509, 3301.0, 1.7341068e-4, Some(3.5776)),
    ] {
        let ln_p = ln_poisson_survival(n, mean);
        assert!(relative(ln_p.exp(), p) < 3e-6, "P(N >= {n} | {mean}) = {}", ln_p.exp());
        if let Some(z) = z {
            assert!((significance(ln_p) - z).abs() < 1e-4, "{}", significance(ln_p));
        }
    }
}

#[test]
fn both_sides_of_every_switch_of_method_agree() {
    // The recurrence P(N >= n) = P(N >= n + 1) + P(N = n) crosses from one method to another.
    for n in [15u64, 16, 17, 998, 999, 1000, 1001, 1500] {
        for ratio in [0.69999, 0.70001, 0.9, 0.999, 1.0, 1.0005, 1.1, 1.29999, 1.30001, 2.0] {
            let mean = n as f64 * ratio;
            let term = ln_poisson_term(n as f64, mean).exp();
            let (wide, narrow) = (ln_poisson_survival(n, mean).exp(), ln_poisson_survival(n + 1, mean).exp());
            assert!(relative(wide, narrow + term) < 1e-12, "n {n}, mean {mean}");
            let below = ln_poisson_cumulative(n - 1, mean).exp();
            assert!(relative(below + term, ln_poisson_cumulative(n, mean).exp()) < 1e-12, "n {n}, mean {mean}");
            assert!((below + wide - 1.0).abs() < 1e-13);
        }
    }
}

#[test]
fn poisson_edges_have_stated_answers() {
    assert_eq!(ln_poisson_survival(0, 3.0), 0.0);
    assert_eq!(ln_poisson_survival(0, 0.0), 0.0);
    assert_eq!(ln_poisson_survival(1, 0.0), f64::NEG_INFINITY);
    assert_eq!(ln_poisson_survival(5, f64::INFINITY), 0.0);
    assert_eq!(ln_poisson_cumulative(0, 0.0), 0.0);
    assert_eq!(ln_poisson_cumulative(7, f64::INFINITY), f64::NEG_INFINITY);
    assert_eq!(ln_poisson_cumulative(0, 2.0), -2.0);
    for mean in [-1.0, f64::NAN] {
        assert!(ln_poisson_survival(1, mean).is_nan() && ln_poisson_cumulative(1, mean).is_nan());
    }
    for n in [1, 20, 2000, 1 << 40, u64::MAX] {
        for mean in [5e-324, 1e-290, 1.0, 1e5, 1e12, 1e300, f64::MAX] {
            let (survival, cumulative) = (ln_poisson_survival(n, mean), ln_poisson_cumulative(n, mean));
            assert!(survival <= 0.0 && cumulative <= 0.0, "n {n}, mean {mean:e}: {survival}, {cumulative}");
        }
    }
    // A million standard deviations out the logarithm is still there.
    assert!(ln_poisson_survival(1_000_000, 1.0) < -1e7);
}

#[test]
fn significances_agree_with_mpmath() {
    for &(ln_p, expected) in golden::SIGNIFICANCE {
        let got = significance(ln_p);
        let error = (got - expected).abs() / expected.abs().max(1.0);
        assert!(error < 2e-15, "z({ln_p:e}) = {got}, expected {expected}, off by {error:e}");
        if ln_p < -1e-3 {
            assert!(relative(ln_normal_survival(got), ln_p) < 1e-14 * got.abs().max(1.0), "round trip of {ln_p:e}");
        }
    }
    assert_eq!(significance(0.0), f64::NEG_INFINITY);
    assert_eq!(significance(f64::NEG_INFINITY), f64::INFINITY);
    assert!(significance(0.1).is_nan() && significance(f64::NAN).is_nan());
    assert!(significance(-1e300) > 1e149 && significance(-1e32).is_finite());
    assert!(significance(-5e-324) < -38.0);
}

#[test]
fn normal_tails_agree_with_mpmath() {
    for &(z, expected) in golden::NORMAL {
        assert!(relative(normal_survival(z), expected) < 2e-15, "z {z}: {:e}", normal_survival(z));
        assert!((ln_normal_survival(z) - expected.ln()).abs() <= 2e-15 * expected.ln().abs().max(1.0), "z {z}");
    }
    assert_eq!(normal_survival(f64::INFINITY), 0.0);
    assert_eq!(normal_survival(f64::NEG_INFINITY), 1.0);
    assert_eq!(ln_normal_survival(f64::INFINITY), f64::NEG_INFINITY);
    assert_eq!(ln_normal_survival(f64::NEG_INFINITY), 0.0);
    assert!(ln_normal_survival(f64::NAN).is_nan() && normal_survival(f64::NAN).is_nan());
}

#[test]
fn gamma_functions_agree_with_mpmath() {
    for &(a, x, p, q) in golden::GAMMA {
        assert!(relative(gamma_p(a, x), p) < 1e-12, "P({a}, {x}) = {:e}, expected {p:e}", gamma_p(a, x));
        assert!(relative(gamma_q(a, x), q) < 1e-12, "Q({a}, {x}) = {:e}, expected {q:e}", gamma_q(a, x));
    }
    for &(x, expected) in golden::LN_GAMMA {
        let error = (ln_gamma(x) - expected).abs() / (1.0 + expected.abs());
        assert!(error < 1e-14, "ln_gamma({x:e}) = {:e}, off by {error:e}", ln_gamma(x));
    }
    assert_eq!((gamma_p(1.0, 0.0), gamma_q(1.0, f64::INFINITY)), (0.0, 0.0));
    for (a, x) in [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
        assert!(gamma_p(a, x).is_nan() && gamma_q(a, x).is_nan());
    }
    assert_eq!(ln_gamma(0.0), f64::INFINITY);
    assert!(ln_gamma(-1.0).is_nan());
}

#[test]
fn goodness_of_fit_has_its_textbook_values() {
    // The 5 % points of chi-squared (3.841459, 18.307038) and Kolmogorov's 1.358099, from mpmath.
    assert!((chi_squared_survival(3.841458820694124, 1) - 0.05).abs() < 1e-14);
    assert!((chi_squared_survival(18.307038053275146, 10) - 0.05).abs() < 1e-14);
    assert!((chi_squared_survival(2.0, 2) - (-1f64).exp()).abs() < 1e-14);
    assert_eq!(chi_squared_survival(-1.0, 3), 1.0);
    assert_eq!(chi_squared_survival(0.0, 0), 1.0);
    assert!((kolmogorov_survival(1.3580986393225507) - 0.05).abs() < 1e-12);
    // Both forms hold on either side of their meeting point.
    assert!((kolmogorov_survival(1.0) - kolmogorov_survival(1.0 - 1e-12)).abs() < 3e-12);
    assert_eq!(kolmogorov_survival(0.0), 1.0);
    assert_eq!(kolmogorov_survival(0.04), 1.0);
    assert!(kolmogorov_survival(f64::NAN).is_nan());
}

#[test]
fn binomial_intervals_agree_with_mpmath() {
    for &(k, n, coverage, low, high) in golden::CLOPPER_PEARSON {
        let (got_low, got_high) = binomial_interval(k, n, coverage).unwrap();
        assert!(relative(got_low, low) < 1e-11, "{k}/{n}: {got_low:e}, expected {low:e}");
        assert!(relative(got_high, high) < 1e-11, "{k}/{n}: {got_high:e}, expected {high:e}");
    }
    assert_eq!(binomial_interval(0, 0, 0.95).unwrap(), (0.0, 1.0));
    for (k, n, coverage) in [(2, 1, 0.5), (1, 2, 0.0), (1, 2, 1.0), (1, 2, f64::NAN), (1, u64::MAX, 0.5)] {
        assert!(binomial_interval(k, n, coverage).unwrap_err().to_string().starts_with("math.binomial_interval"));
    }
}
