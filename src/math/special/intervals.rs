//! Functions that the host alone needs: goodness of fit and intervals.

use super::super::det::*;
use super::tails::*;
use crate::error::{Fault, Result};

/// No continued fraction here needs more steps for parameters below 1e9; the series and fractions take about
/// 10 sqrt(parameter) at worst.
const LARGEST_FRACTION: usize = 400_000;

/// ln Gamma(x) for x > 0; infinite at 0 and infinity, NaN below 0.
///
/// ```
/// assert!((trawl::math::special::ln_gamma(5.0) - 24f64.ln()).abs() < 1e-15 * 4.0);
/// ```
pub fn ln_gamma(x: f64) -> f64 {
    if is_nan(x) || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || x == f64::INFINITY {
        return f64::INFINITY;
    }
    // Gamma(x) = Gamma(x + k) / (x (x + 1) ... (x + k - 1)), up to where the Stirling series holds.
    let (mut shifted, mut product) = (x, 1.0);
    while shifted < 17.0 {
        product *= shifted;
        shifted += 1.0;
    }
    let a = shifted - 1.0;
    ((a + 0.5) * ln(a) - a) + (stirling_error(a) + 0.5 * ln(TWO_PI)) - ln(product)
}

/// ln of x^a e^-x / Gamma(a + 1).
fn ln_gamma_term(a: f64, x: f64) -> f64 {
    if a >= 16.0 {
        return -(deviance(a, x) + (stirling_error(a) + 0.5 * ln(TWO_PI * a)));
    }
    (a * ln(x) - ln_gamma(a + 1.0)) - x
}

/// The smaller of the regularised incomplete gamma functions, and whether it is the upper one, Q.
fn smaller_gamma(a: f64, x: f64) -> (f64, bool) {
    if is_uniform(a, x) {
        let exponent = deviance(a, x);
        let sign = if x < a { -1.0 } else { 1.0 };
        let correction = uniform_correction(a, sign * sqrt(2.0 * exponent / a));
        let scaled = scaled_normal_survival(sqrt(2.0 * exponent)) + sign * correction;
        return (exp(-exponent) * scaled, x >= a);
    }
    let front = exp(ln_gamma_term(a, x));
    if x < a + 1.0 {
        let (mut sum, mut term, mut step) = (1.0, 1.0, 0.0);
        while term > 1e-17 * sum {
            step += 1.0;
            term *= x / (a + step);
            sum += term;
        }
        return (front * sum, false);
    }
    // DLMF 8.9.2 by the method of Lentz.
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::MAX, 1.0 / b);
    let mut fraction = d;
    for step in 1..LARGEST_FRACTION {
        let i = step as f64;
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        fraction *= c * d;
        if absolute(c * d - 1.0) < 2e-16 {
            break;
        }
    }
    (front * a * fraction, true)
}

/// The regularised lower incomplete gamma function P(a, x) for a > 0, x >= 0; NaN elsewhere.
pub fn gamma_p(a: f64, x: f64) -> f64 {
    match gamma_edges(a, x) {
        Some(q) => 1.0 - q,
        None => match smaller_gamma(a, x) {
            (q, true) => 1.0 - q,
            (p, false) => p,
        },
    }
}

/// The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x) for a > 0, x >= 0; NaN elsewhere.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    match gamma_edges(a, x) {
        Some(q) => q,
        None => match smaller_gamma(a, x) {
            (q, true) => q,
            (p, false) => 1.0 - p,
        },
    }
}

/// Q(a, x) where it needs no evaluation.
fn gamma_edges(a: f64, x: f64) -> Option<f64> {
    if is_nan(a) || is_nan(x) || a <= 0.0 || x < 0.0 || a == f64::INFINITY {
        return Some(f64::NAN);
    }
    if x == 0.0 {
        return Some(1.0);
    }
    (x == f64::INFINITY).then_some(0.0)
}

/// P(chi^2 > x) for `ndf` degrees of freedom; for 0 degrees of freedom 1 at x <= 0 and 0 above.
pub fn chi_squared_survival(x: f64, ndf: u32) -> f64 {
    if ndf == 0 {
        return if x > 0.0 { 0.0 } else { 1.0 };
    }
    gamma_q(0.5 * f64::from(ndf), 0.5 * if x < 0.0 { 0.0 } else { x })
}

/// The asymptotic P(sqrt(n) D > t) of the Kolmogorov-Smirnov distance D of n values to their distribution:
/// 2 sum (-1)^(j-1) exp(-2 j^2 t^2), and below t = 1 the theta-function form 1 - sqrt(2 pi)/t sum
/// exp(-(2 j - 1)^2 pi^2 / (8 t^2)).
pub fn kolmogorov_survival(t: f64) -> f64 {
    if is_nan(t) {
        return f64::NAN;
    }
    if t <= 0.0 {
        return 1.0;
    }
    let odd_squares = [1.0, 9.0, 25.0, 49.0];
    if t < 1.0 {
        let exponent = -PI * PI / (8.0 * t * t);
        return 1.0 - SQRT_TWO_PI / t * odd_squares.into_iter().map(|square| exp(exponent * square)).sum::<f64>();
    }
    let terms = [1.0, -4.0, 9.0, -16.0, 25.0];
    2.0 * terms.into_iter().map(|square: f64| copy_sign(exp(-2.0 * square.abs() * t * t), square)).sum::<f64>()
}

/// ln P(K = k) for K binomial with 0 < p < 1, by the saddle-point form.
fn ln_binomial_term(k: f64, n: f64, p: f64, q: f64) -> f64 {
    if k == 0.0 {
        return n * ln_1p(-p);
    }
    if k == n {
        return n * ln(p);
    }
    let error = |count: f64| match count < 16.0 {
        true => ln_gamma(count + 1.0) - (count + 0.5) * ln(count) + count - 0.5 * ln(TWO_PI),
        false => stirling_error(count),
    };
    let errors = error(n) - error(k) - error(n - k);
    errors - deviance(k, n * p) - deviance(n - k, n * q) - 0.5 * ln(TWO_PI * k * ((n - k) / n))
}

/// P(K >= k) for K binomial of n trials with probability p = 1 - q; 1 <= k <= n.
fn binomial_at_least(k: f64, n: f64, p: f64, q: f64) -> f64 {
    // I_p(a, b) with a = k, b = n - k + 1; DLMF 8.17.22 converges fast for p < (a + 1)/(a + b + 2).
    let (a, b) = (k, n - k + 1.0);
    if p * (a + b + 2.0) < a + 1.0 {
        return exp(ln_binomial_term(k, n, p, q)) * q * beta_fraction(a, b, p);
    }
    // 1 - I_q(b, a): at most k - 1 successes are at least n - k + 1 failures.
    1.0 - exp(ln_binomial_term(b, n, q, p)) * p * beta_fraction(b, a, q)
}

/// The continued fraction DLMF 8.17.22 by the method of Lentz.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const FLOOR: f64 = 1e-300;
    let away_from_zero = |v: f64| if absolute(v) < FLOOR { FLOOR } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for step in 1..LARGEST_FRACTION {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        fraction *= c * d;
        if absolute(c * d - 1.0) < 2e-16 {
            break;
        }
    }
    fraction
}

/// The central interval for a binomial probability after `k` successes in `n` trials (Clopper and Pearson, Biometrika
/// 26, 404): each end leaves (1 - coverage)/2 outside; 0 to 1 for n = 0.
///
/// Cost: 128 continued fractions of about 10 sqrt(n) steps at worst.
///
/// # Errors
/// Where k > n, n passes 1e9, or `coverage` is not strictly within 0 and 1.
///
/// ```
/// use trawl::math::special::binomial_interval;
/// let (low, high) = binomial_interval(0, 1, 0.9)?;
/// assert_eq!(low, 0.0);
/// assert!((high - 0.95).abs() < 1e-14);
/// # Ok::<(), trawl::Error>(())
/// ```
pub fn binomial_interval(k: u64, n: u64, coverage: f64) -> Result<(f64, f64)> {
    if k > n || n > 1_000_000_000 || !(coverage > 0.0 && coverage < 1.0) {
        let problem = format!("no interval of coverage {coverage} exists for {k} of {n}");
        return Err(Fault::new("math.binomial_interval", problem)
            .because("k must not pass n, n not 1e9, and the coverage lies between 0 and 1")
            .usage());
    }
    let (k, n, outside) = (k as f64, n as f64, 0.5 * (1.0 - coverage));
    let low = if k == 0.0 { 0.0 } else { root(|p| binomial_at_least(k, n, p, 1.0 - p) < outside) };
    // At most k successes are at least n - k failures.
    let high = if k == n { 1.0 } else { 1.0 - root(|q| binomial_at_least(n - k, n, q, 1.0 - q) < outside) };
    Ok((low, high))
}

/// The double in (0, 1) where `below` turns false, by bisection of bit patterns: at most 62 steps.
fn root(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (bits_of(f64::MIN_POSITIVE), bits_of(1.0));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if below(double_of(middle)) { low = middle } else { high = middle }
    }
    double_of(high)
}
