//! The scalar functions of a smeared toy, the same text as `kernels/toys/smeared.cuh`.

// Constants are spelled in digits because the text is shared with the `.cuh` file.
#![allow(clippy::excessive_precision)]

use crate::math::det::{exp, ln, sqrt};
use crate::math::special::TWO_PI;

/// Nuisances of templates have their draw numbers from here on, beyond those of the cells.
pub const SHARED: u64 = 1 << 32;

/// From this mean on a draw is searched from the mode, below it from 0.
pub const FROM_MODE: f64 = 16.0;

/// Where all terms left are smaller, a search ends: 2^-60, which no uniform number of 52 bits resolves.
pub const NEGLIGIBLE: f64 = 8.673617379884035e-19;

/// The z > 1.4 with P(Z > z) = exp(-r^2) for a standard normal Z.
#[inline]
pub fn tail_quantile(r: f64) -> f64 {
    if r <= 5.0 {
        let x: f64 = r - 1.6;
        let mut top: f64 = 7.7454501427834140764e-4;
        top = top * x + 0.0227238449892691845833;
        top = top * x + 0.24178072517745061177;
        top = top * x + 1.27045825245236838258;
        top = top * x + 3.64784832476320460504;
        top = top * x + 5.7694972214606914055;
        top = top * x + 4.6303378461565452959;
        top = top * x + 1.42343711074968357734;
        let mut bottom: f64 = 1.05075007164441684324e-9;
        bottom = bottom * x + 5.475938084995344946e-4;
        bottom = bottom * x + 0.0151986665636164571966;
        bottom = bottom * x + 0.14810397642748007459;
        bottom = bottom * x + 0.68976733498510000455;
        bottom = bottom * x + 1.6763848301838038494;
        bottom = bottom * x + 2.05319162663775882187;
        bottom = bottom * x + 1.0;
        return top / bottom;
    }
    let x: f64 = r - 5.0;
    let mut top: f64 = 2.01033439929228813265e-7;
    top = top * x + 2.71155556874348757815e-5;
    top = top * x + 0.0012426609473880784386;
    top = top * x + 0.026532189526576123093;
    top = top * x + 0.29656057182850489123;
    top = top * x + 1.7848265399172913358;
    top = top * x + 5.4637849111641143699;
    top = top * x + 6.6579046435011037772;
    let mut bottom: f64 = 2.04426310338993978564e-15;
    bottom = bottom * x + 1.4215117583164458887e-7;
    bottom = bottom * x + 1.8463183175100546818e-5;
    bottom = bottom * x + 7.868691311456132591e-4;
    bottom = bottom * x + 0.0148753612908506148525;
    bottom = bottom * x + 0.13692988092273580531;
    bottom = bottom * x + 0.59983220655588793769;
    bottom = bottom * x + 1.0;
    top / bottom
}

/// The quantile of a standard normal distribution at 0 < u < 1; relative error below 2e-15.
///
/// Wichura's AS 241 (Applied Statistics 37, 477, 1988): rational functions of u - 1/2 and of sqrt(-ln(min(u, 1 - u))).
#[inline]
pub fn normal_quantile(u: f64) -> f64 {
    let q: f64 = u - 0.5;
    if q > -0.425 && q < 0.425 {
        let r: f64 = 0.180625 - q * q;
        let mut top: f64 = 2509.0809287301226727;
        top = top * r + 33430.575583588128105;
        top = top * r + 67265.770927008700853;
        top = top * r + 45921.953931549871457;
        top = top * r + 13731.693765509461125;
        top = top * r + 1971.5909503065514427;
        top = top * r + 133.14166789178437745;
        top = top * r + 3.387132872796366608;
        let mut bottom: f64 = 5226.495278852854561;
        bottom = bottom * r + 28729.085735721942674;
        bottom = bottom * r + 39307.89580009271061;
        bottom = bottom * r + 21213.794301586595867;
        bottom = bottom * r + 5394.1960214247511077;
        bottom = bottom * r + 687.1870074920579083;
        bottom = bottom * r + 42.313330701600911252;
        bottom = bottom * r + 1.0;
        return q * top / bottom;
    }
    let mut tail: f64 = u;
    if q > 0.0 {
        tail = 1.0 - u;
    }
    let z: f64 = tail_quantile(sqrt(-ln(tail)));
    if q < 0.0 {
        return -z;
    }
    z
}

/// An expectation times its factor: exp(x) where `log_normal`, otherwise x where it is positive; x is at most `most`.
#[inline]
pub fn smeared(expected: f64, x: f64, most: f64, log_normal: bool) -> f64 {
    let mut held: f64 = x;
    if held > most {
        held = most;
    }
    if log_normal {
        return expected * exp(held);
    }
    if held > 0.0 {
        return expected * held;
    }
    0.0
}

/// Takes P(0), P(1), ... off u until nothing is left: the inverted distribution function. About mean + 1 steps.
#[inline]
pub fn poisson_from_zero(mean: f64, u: f64) -> u32 {
    // exp(-mean) is above 1 - mean, so that most small cells need none.
    if u <= 1.0 - mean {
        return 0;
    }
    let mut term: f64 = exp(-mean);
    let mut rest: f64 = u - term;
    let mut count: f64 = 0.0;
    while rest >= 0.0 && term > NEGLIGIBLE {
        count += 1.0;
        term *= mean / count;
        rest -= term;
    }
    count as u32
}

/// The probability of the mode of a Poisson distribution, for a mean of at least 16; relative error below 1e-15.
///
/// With m the mode and v = (mean - m) / m < 1/16 it is exp(-m (v - ln(1 + v)) - mu) / sqrt(2 pi m), mu being what Stirling's
/// formula leaves out; the exponent is below 0.04, so that short series serve.
#[inline]
pub fn probability_of_mode(mode: f64, mean: f64) -> f64 {
    let inverse: f64 = 1.0 / mode;
    let v: f64 = (mean - mode) * inverse;
    let mut series: f64 = 1.0 / 13.0;
    series = 1.0 / 12.0 - series * v;
    series = 1.0 / 11.0 - series * v;
    series = 1.0 / 10.0 - series * v;
    series = 1.0 / 9.0 - series * v;
    series = 1.0 / 8.0 - series * v;
    series = 1.0 / 7.0 - series * v;
    series = 1.0 / 6.0 - series * v;
    series = 1.0 / 5.0 - series * v;
    series = 1.0 / 4.0 - series * v;
    series = 1.0 / 3.0 - series * v;
    series = 1.0 / 2.0 - series * v;
    let w: f64 = inverse * inverse;
    let mut stirling: f64 = 1.0 / 1188.0;
    stirling = stirling * w - 1.0 / 1680.0;
    stirling = stirling * w + 1.0 / 1260.0;
    stirling = stirling * w - 1.0 / 360.0;
    stirling = stirling * w + 1.0 / 12.0;
    let y: f64 = (mean - mode) * v * series + stirling * inverse;
    let mut power: f64 = 1.0 / 40320.0;
    power = 1.0 / 5040.0 - power * y;
    power = 1.0 / 720.0 - power * y;
    power = 1.0 / 120.0 - power * y;
    power = 1.0 / 24.0 - power * y;
    power = 1.0 / 6.0 - power * y;
    power = 1.0 / 2.0 - power * y;
    power = 1.0 - power * y;
    power = 1.0 - power * y;
    power / sqrt(TWO_PI * mode)
}

/// Takes the probabilities of the mode m, of m + 1, m - 1, m + 2, m - 2, ... off u until nothing is left. About
/// 0.8 sqrt(mean) steps, which take two each. Each count has its probability, but counts do not rise with u.
#[inline]
pub fn poisson_from_mode(mean: f64, u: f64) -> u32 {
    let mode: f64 = (mean as u32) as f64;
    let inverse: f64 = 1.0 / mean;
    let mut above: f64 = probability_of_mode(mode, mean);
    let mut below: f64 = above;
    let mut rest: f64 = u - above;
    if rest < 0.0 {
        return mode as u32;
    }
    let mut high: f64 = mode;
    let mut low: f64 = mode;
    while above > NEGLIGIBLE {
        high += 1.0;
        above *= mean / high;
        rest -= above;
        if rest < 0.0 {
            return high as u32;
        }
        below *= low * inverse;
        low -= 1.0;
        rest -= below;
        if rest < 0.0 {
            return low as u32;
        }
    }
    mode as u32
}

/// The Poisson number that a uniform 0 < u < 1 draws, for any mean of 0 or more.
#[inline]
pub fn poisson_draw(mean: f64, u: f64) -> u32 {
    if mean < FROM_MODE {
        return poisson_from_zero(mean, u);
    }
    poisson_from_mode(mean, u)
}
