//! The scalar functions of the scan, the same text as `kernels/hunt/scan.cuh` and `kernels/common/special.cuh`.

// Constants are spelled in digits because the text is shared with the `.cuh` file.
#![allow(clippy::approx_constant)]

use crate::math::special;

/// Only windows on the side that is hunted count: p = 1 for the others.
pub const ONE_SIDE: u32 = 1;
/// Deficits are hunted.
pub const DEFICIT: u32 = 2;
/// The expectation of a window is scaled to the data outside it.
pub const SIDEBANDS: u32 = 4;
/// ln(1e-300), the smallest p-value of a window whose expectation is scaled to its sidebands.
pub const LN_SMALLEST_SIDEBAND_P: f64 = -690.7755278982137;
/// ln 2.
pub const LN_TWO: f64 = 0.6931471805599453;
/// sqrt(2 / pi).
pub const SQRT_TWO_OVER_PI: f64 = 0.7978845608028654;

/// `ln P(N >= observed | expected)`, or 0 where the convention counts excesses only and there is none.
pub fn local_ln_p(observed: u64, expected: f64, excess_only: bool) -> f64 {
    if observed == 0 {
        return 0.0;
    }
    if excess_only && observed as f64 <= expected {
        return 0.0;
    }
    special::ln_poisson_survival(observed, expected)
}

/// `ln P(N <= observed | expected)`, or 0 where the convention counts deficits only and there is none.
pub fn deficit_ln_p(observed: u64, expected: f64, deficit_only: bool) -> f64 {
    if deficit_only && observed as f64 >= expected {
        return 0.0;
    }
    special::ln_poisson_cumulative(observed, expected)
}

/// The expected content of a window, scaled to the data outside it where `judge` says so.
pub fn expected_content(expected: f64, observed_outside: u64, expected_outside: f64, judge: u32) -> f64 {
    if judge & SIDEBANDS == 0 {
        return expected;
    }
    expected * (observed_outside as f64 / expected_outside)
}

/// The logarithm of a window's p-value; `expected` is its [`expected_content`]. Of a window whose sidebands hold nothing
/// nothing can be said, so its p is 1.
pub fn judged_ln_p(observed: u64, expected: f64, judge: u32) -> f64 {
    let one_side = judge & ONE_SIDE != 0;
    let sidebands = judge & SIDEBANDS != 0;
    if sidebands && expected <= 0.0 {
        return 0.0;
    }
    let mut ln_p = if judge & DEFICIT != 0 {
        deficit_ln_p(observed, expected, one_side)
    } else {
        local_ln_p(observed, expected, one_side)
    };
    if sidebands && ln_p < LN_SMALLEST_SIDEBAND_P {
        ln_p = LN_SMALLEST_SIDEBAND_P;
    }
    ln_p
}

/// An upper bound of `-ln p` of a window without a logarithm: windows whose bound is below the best so far need no tail.
///
/// `P(N >= d | b) >= Q(sqrt(2 H))` for d > b and `P(N <= d | b) >= Q(sqrt(2 H))` for d < b, where `Q` is the normal survival
/// function and `H = d ln(d / b) - d + b` (M. Short, ISRN Probability and Statistics 2013, 412958). Above b, `2 H` is at most
/// `x = (d - b)^2 / b`, below at most `x (1 + (b - d) / b)`; and `-ln Q(z) <= ln 2 + sqrt(2/pi) z + z^2/2`, because the slope of
/// the left side at 0 is `sqrt(2/pi)` and its second derivative nowhere exceeds 1. On the other side p is at least 1/2.
pub fn most_t(observed: u64, expected: f64, judge: u32) -> f64 {
    if expected <= 0.0 {
        // Nothing can be said (sidebands); elsewhere such windows are left out.
        return 0.0;
    }
    let mut difference = observed as f64 - expected;
    let deficit = judge & DEFICIT != 0;
    if deficit {
        difference = -difference;
    }
    if difference <= 0.0 {
        if judge & ONE_SIDE != 0 {
            return 0.0;
        }
        return LN_TWO;
    }
    let relative = difference / expected;
    let mut square = difference * relative;
    if deficit {
        square *= 1.0 + relative;
    }
    LN_TWO + (SQRT_TWO_OVER_PI * square.sqrt() + 0.5 * square)
}

/// The one-sided normal quantile of a local p-value; 0 for p = 1, whose quantile would be minus infinity.
pub fn local_z(ln_p: f64) -> f64 {
    if ln_p >= 0.0 {
        return 0.0;
    }
    special::significance(ln_p)
}
