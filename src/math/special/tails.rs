//! Tails of the normal and Poisson distributions, shared in text with `kernels/common/special.cuh`.

// Constants are spelled in digits because the text is shared with the `.cuh` file.
#![allow(clippy::approx_constant)]

use super::super::det::*;

/// ln 2.
pub const LN_TWO: f64 = 0.6931471805599453;
/// 2 pi.
pub const TWO_PI: f64 = 6.283185307179586;
/// sqrt(2 pi).
pub const SQRT_TWO_PI: f64 = 2.5066282746310007;
/// The series for Poisson tails end before this many terms.
pub const LARGEST_SERIES: i32 = 400;
/// From this count on the uniform expansion replaces the series, where mean / count is within 0.7 and 1.3.
pub const UNIFORM_FROM: f64 = 1000.0;

/// exp(z^2 / 2) P(Z > z) for a standard normal Z and z >= 0; relative error below 1e-15.
///
/// (1 + z) times it is a polynomial in t = (z - 5)/(z + 5), from its Chebyshev series (mpmath; remainder 1e-17).
#[inline]
pub fn scaled_normal_survival(z: f64) -> f64 {
    if z > 1e300 {
        return 0.0;
    }
    let t: f64 = (z - 5.0) / (z + 5.0);
    let mut series: f64 = -3.815816262632953e-10;
    series = series * t - 2.8220772290629865e-10;
    series = series * t + 4.4011596227599254e-09;
    series = series * t + 3.627373163401201e-09;
    series = series * t - 3.095201755804207e-08;
    series = series * t - 2.6286205089898754e-08;
    series = series * t + 1.9627809920091187e-07;
    series = series * t + 1.27878221820937e-07;
    series = series * t - 1.3074486019237587e-06;
    series = series * t - 7.034644683537101e-08;
    series = series * t + 9.05982468125664e-06;
    series = series * t - 9.896097759279782e-06;
    series = series * t - 5.36075811148722e-05;
    series = series * t + 0.00018233414511643843;
    series = series * t + 7.791597409338999e-06;
    series = series * t - 0.00167607234455447;
    series = series * t + 0.006522000667783896;
    series = series * t - 0.015170415402514863;
    series = series * t + 0.024536963243678652;
    series = series * t - 0.026401042966308307;
    series = series * t + 0.010002352385229382;
    series = series * t + 0.031030368425963708;
    series = series * t - 0.09155228183400904;
    series = series * t + 0.46151582985003775;
    series / (1.0 + z)
}

/// P(Z > z) for a standard normal Z; relative error below 2e-15 where it is a normal double.
#[inline]
pub fn normal_survival(z: f64) -> f64 {
    if is_nan(z) {
        return f64::NAN;
    }
    let a: f64 = absolute(z);
    let mut tail: f64 = 0.0;
    if a < 40.0 {
        let square: DoubleDouble = two_product(a, a);
        tail = exp_sum(-0.5 * square.high, -0.5 * square.low) * scaled_normal_survival(a);
    }
    if z < 0.0 {
        return 1.0 - tail;
    }
    tail
}

/// ln P(Z > z) for a standard normal Z; relative error below 1e-15, or 2e-15 absolute near 0.
#[inline]
pub fn ln_normal_survival(z: f64) -> f64 {
    if is_nan(z) {
        return f64::NAN;
    }
    if z < 0.0 {
        return ln_1p(-normal_survival(-z));
    }
    if z > 1e150 {
        return -(0.5 * z) * z;
    }
    ln(scaled_normal_survival(z)) - (0.5 * z) * z
}

/// The z with ln P(Z > z) = `ln_p` for a standard normal Z: the significance of a p-value given as its logarithm.
///
/// -infinity for p = 1, negative for p > 1/2, infinity for p = 0, NaN for ln p > 0. Absolute error below 2e-15 for
/// |z| < 1, relative below 2e-15 above. Three Newton steps on the logarithm from Abramowitz and Stegun 26.2.23.
#[inline]
pub fn significance(ln_p: f64) -> f64 {
    if is_nan(ln_p) || ln_p > 0.0 {
        return f64::NAN;
    }
    if ln_p == 0.0 {
        return -f64::INFINITY;
    }
    if ln_p == -f64::INFINITY {
        return f64::INFINITY;
    }
    let mut tail: f64 = ln_p;
    let mut sign: f64 = 1.0;
    if ln_p > -LN_TWO {
        tail = ln(-exp_m1(ln_p));
        sign = -1.0;
    }
    let t: f64 = sqrt(-2.0 * tail);
    if t > 1e15 {
        return sign * t;
    }
    let numerator: f64 = (0.010328 * t + 0.802853) * t + 2.515517;
    let denominator: f64 = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0;
    let mut z: f64 = t - numerator / denominator;
    let mut step: i32 = 0;
    while step < 3 {
        if z < 0.0 {
            z = 0.0;
        }
        let scaled: f64 = scaled_normal_survival(z);
        let square: DoubleDouble = two_product(z, z);
        let excess: f64 = ((-0.5 * square.high - tail) - 0.5 * square.low) + ln(scaled);
        z += excess * (SQRT_TWO_PI * scaled);
        step += 1;
    }
    sign * z
}

/// The deviance x - a + a ln(a / x) >= 0 for a > 0 and x > 0, relative error below 1e-15 (Loader's bd0).
#[inline]
pub fn deviance(a: f64, x: f64) -> f64 {
    let difference: f64 = a - x;
    let v: f64 = difference / (a + x);
    if absolute(v) < 0.2 {
        let w: f64 = v * v;
        let mut series: f64 = 2.0 / 25.0;
        series = series * w + 2.0 / 23.0;
        series = series * w + 2.0 / 21.0;
        series = series * w + 2.0 / 19.0;
        series = series * w + 2.0 / 17.0;
        series = series * w + 2.0 / 15.0;
        series = series * w + 2.0 / 13.0;
        series = series * w + 2.0 / 11.0;
        series = series * w + 2.0 / 9.0;
        series = series * w + 2.0 / 7.0;
        series = series * w + 2.0 / 5.0;
        series = series * w + 2.0 / 3.0;
        return difference * v + (a * v) * (w * series);
    }
    let quotient: f64 = a / x;
    let quotient_exponent: i32 = exponent_of(quotient);
    let mean_exponent: i32 = exponent_of(x);
    if absolute(quotient_exponent as f64) > 960.0 || absolute(mean_exponent as f64) > 930.0 || a > 1e290 {
        return (a * (ln(a) - ln(x)) - a) + x;
    }
    let ratio: DoubleDouble = divide_double(DoubleDouble { high: a, low: 0.0 }, DoubleDouble { high: x, low: 0.0 });
    let logarithm: DoubleDouble = ln_double(ratio.high, ratio.low, 0);
    let product: DoubleDouble = two_product(a, logarithm.high);
    let shift: DoubleDouble = two_sum(x, -a);
    let sum: DoubleDouble = two_sum(product.high, shift.high);
    sum.high + (sum.low + (product.low + (shift.low + a * logarithm.low)))
}

/// ln Gamma(a + 1) - (a + 1/2) ln a + a - ln(2 pi)/2 for a >= 16: the Stirling series, absolute error below 1e-16.
#[inline]
pub fn stirling_error(a: f64) -> f64 {
    let w: f64 = 1.0 / (a * a);
    let mut series: f64 = 1.0 / 1188.0;
    series = series * w - 1.0 / 1680.0;
    series = series * w + 1.0 / 1260.0;
    series = series * w - 1.0 / 360.0;
    series = series * w + 1.0 / 12.0;
    series / a
}

/// ln P(N = n) for a whole number n >= 0 and mean > 0; absolute error below 1e-15 (1 + |result|).
#[inline]
pub fn ln_poisson_term(n: f64, mean: f64) -> f64 {
    if n >= 16.0 {
        return -(deviance(n, mean) + (stirling_error(n) + 0.5 * ln(TWO_PI * n)));
    }
    let mut factorial: f64 = 1.0;
    let mut k: f64 = 2.0;
    while k <= n {
        factorial *= k;
        k += 1.0;
    }
    (n * ln(mean) - ln(factorial)) - mean
}

/// Whether the uniform expansion holds for count `a` and mean `x`.
#[inline]
pub fn is_uniform(a: f64, x: f64) -> bool {
    a >= UNIFORM_FROM && x > 0.7 * a && x < 1.3 * a
}

/// The sum of c_k(eta) a^-k of the uniform expansion of the incomplete gamma functions (DLMF 8.12.7 to 8.12.10), over
/// sqrt(2 pi a); for a >= 1000 and |eta| < 0.34 the remainder is below 1e-17.
#[inline]
pub fn uniform_correction(a: f64, eta: f64) -> f64 {
    let mut c4: f64 = -1.4638452578843418e-06;
    c4 = c4 * eta - 0.0002990724803031902;
    c4 = c4 * eta + 0.0007840392217200666;
    c4 = c4 * eta - 0.0008618882909167117;
    let mut c3: f64 = -2.396505113867297e-07;
    c3 = c3 * eta - 7.561801671883977e-05;
    c3 = c3 * eta + 0.00026772063206283885;
    c3 = c3 * eta - 0.0004691894943952557;
    c3 = c3 * eta + 0.00022947209362139917;
    c3 = c3 * eta + 0.0006494341563786008;
    let mut c2: f64 = 1.3721957309062934e-06;
    c2 = c2 * eta + 3.423578734096138e-08;
    c2 = c2 * eta - 1.2760635188618728e-05;
    c2 = c2 * eta + 5.2923448829120125e-05;
    c2 = c2 * eta - 0.0001073665322636516;
    c2 = c2 * eta + 2.0093878600823047e-06;
    c2 = c2 * eta + 0.0007716049382716049;
    c2 = c2 * eta - 0.0026813271604938273;
    c2 = c2 * eta + 0.004133597883597883;
    let mut c1: f64 = -5.752545603517705e-08;
    c1 = c1 * eta + 1.378633446915721e-07;
    c1 = c1 * eta + 4.647127802807434e-09;
    c1 = c1 * eta - 1.6120900894563446e-06;
    c1 = c1 * eta + 7.64916091608111e-06;
    c1 = c1 * eta - 1.8098550334489977e-05;
    c1 = c1 * eta - 4.018775720164609e-07;
    c1 = c1 * eta + 0.00020576131687242798;
    c1 = c1 * eta - 0.0009902263374485596;
    c1 = c1 * eta + 0.0026455026455026454;
    c1 = c1 * eta - 0.003472222222222222;
    c1 = c1 * eta - 0.001851851851851852;
    let mut c0: f64 = 9.14769958223679e-10;
    c0 = c0 * eta - 4.382036018453353e-09;
    c0 = c0 * eta + 1.0261809784240309e-08;
    c0 = c0 * eta + 6.707853543401498e-09;
    c0 = c0 * eta - 1.7665952736826078e-07;
    c0 = c0 * eta + 8.296711340953087e-07;
    c0 = c0 * eta - 1.85406221071516e-06;
    c0 = c0 * eta - 2.185448510679992e-06;
    c0 = c0 * eta + 3.919263178522438e-05;
    c0 = c0 * eta - 0.0001787551440329218;
    c0 = c0 * eta + 0.0003527336860670194;
    c0 = c0 * eta + 0.0011574074074074073;
    c0 = c0 * eta - 0.014814814814814815;
    c0 = c0 * eta + 0.08333333333333333;
    c0 = c0 * eta - 0.3333333333333333;
    let w: f64 = 1.0 / a;
    ((((c4 * w + c3) * w + c2) * w + c1) * w + c0) / sqrt(TWO_PI * a)
}

/// ln P(N >= n) for 0 <= mean <= n and n >= 1: below about ln(1/2), so that nothing cancels.
#[inline]
pub fn ln_upper_tail(n: f64, mean: f64) -> f64 {
    if mean == 0.0 {
        return -f64::INFINITY;
    }
    if is_uniform(n, mean) {
        let exponent: f64 = deviance(n, mean);
        let eta: f64 = -sqrt(2.0 * exponent / n);
        let scaled: f64 = scaled_normal_survival(sqrt(2.0 * exponent)) - uniform_correction(n, eta);
        return ln(scaled) - exponent;
    }
    let mut sum: f64 = 1.0;
    let mut term: f64 = 1.0;
    let mut j: i32 = 1;
    while j < LARGEST_SERIES && term > 1e-17 {
        term *= mean / (n + (j as f64));
        sum += term;
        j += 1;
    }
    ln_poisson_term(n, mean) + ln(sum)
}

/// ln P(N < n) for n >= 1 and finite mean >= n: below about ln(1/2), so that nothing cancels.
#[inline]
pub fn ln_lower_tail(n: f64, mean: f64) -> f64 {
    if is_uniform(n, mean) {
        let exponent: f64 = deviance(n, mean);
        let eta: f64 = sqrt(2.0 * exponent / n);
        let scaled: f64 = scaled_normal_survival(sqrt(2.0 * exponent)) + uniform_correction(n, eta);
        return ln(scaled) - exponent;
    }
    let last: f64 = n - 1.0;
    let mut sum: f64 = 1.0;
    let mut term: f64 = 1.0;
    let mut k: f64 = last;
    let mut j: i32 = 1;
    while j < LARGEST_SERIES && k > 0.0 && term > 1e-17 {
        term *= k / mean;
        sum += term;
        k -= 1.0;
        j += 1;
    }
    ln_poisson_term(last, mean) + ln(sum)
}

/// ln P(N >= n) for Poisson N with this mean: the local p-value of an excess, as its logarithm.
///
/// Relative error of p below 1e-12 where p > 1e-300, of ln p beyond. 0 for n = 0; -infinity for mean 0 and n > 0; NaN
/// for a negative or NaN mean. Counts are taken as doubles (exact to 2^53). At most 400 terms of a series.
#[inline]
pub fn ln_poisson_survival(n: u64, mean: f64) -> f64 {
    if is_nan(mean) || mean < 0.0 {
        return f64::NAN;
    }
    if n == 0 || mean == f64::INFINITY {
        return 0.0;
    }
    let count: f64 = n as f64;
    if mean <= count {
        return ln_upper_tail(count, mean);
    }
    ln_1p(-exp(ln_lower_tail(count, mean)))
}

/// ln P(N <= n) for Poisson N with this mean: the local p-value of a deficit, as its logarithm.
///
/// Accuracy and edges as [`ln_poisson_survival`]; 0 for mean 0, -infinity for an infinite mean.
#[inline]
pub fn ln_poisson_cumulative(n: u64, mean: f64) -> f64 {
    if is_nan(mean) || mean < 0.0 {
        return f64::NAN;
    }
    if mean == f64::INFINITY {
        return -f64::INFINITY;
    }
    let above: f64 = (n as f64) + 1.0;
    if mean >= above {
        return ln_lower_tail(above, mean);
    }
    ln_1p(-exp(ln_upper_tail(above, mean)))
}
