//! What every executor of `features.standardise` computes, in this order of operations.

use crate::math::{det, special};

/// Where a value would be mapped to infinity it counts as being so far from the edge, in units of the range, and is told.
pub const EDGE: f64 = 1e-6;

/// ln sqrt(2 pi).
const LN_ROOT_TWO_PI: f64 = 0.9189385332046727;

/// A value, the logarithm of the derivative, and whether the input was outside of what was fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapped {
    /// What the value became.
    pub value: f64,
    /// `ln dy/dx`.
    pub ln_derivative: f64,
    /// 1 if the input was outside.
    pub outside: u32,
}

/// The share `u` within the edges.
#[inline]
pub(super) fn within(u: f64) -> f64 {
    if u < EDGE {
        return EDGE;
    }
    if u > 1.0 - EDGE {
        return 1.0 - EDGE;
    }
    u
}

/// `y = (x - shift) scale`.
#[inline]
pub(super) fn linear(x: f64, shift: f64, scale: f64) -> Mapped {
    Mapped { value: (x - shift) * scale, ln_derivative: det::ln(scale), outside: 0 }
}

/// `y = (ln(u / (1 - u)) - shift) scale` with `u = (x - low) / (high - low)`.
#[inline]
pub(super) fn logit(x: f64, low: f64, high: f64, shift: f64, scale: f64) -> Mapped {
    let share = (x - low) / (high - low);
    let u = within(share);
    let (ln_u, ln_rest) = (det::ln(u), det::ln(1.0 - u));
    let ln_derivative = ((-ln_u - ln_rest) - det::ln(high - low)) + det::ln(scale);
    Mapped { value: ((ln_u - ln_rest) - shift) * scale, ln_derivative, outside: u32::from(u != share) }
}

/// The share of what was fitted below `x`, linear between `knots` (at least two, rising), which have equal shares between them; with
/// its derivative.
#[inline]
pub(super) fn share_below(x: f64, knots: &[f64]) -> (f64, f64) {
    let last = knots.len() - 1;
    // The first knot above x, by halves; between 1 and the last.
    let (mut low, mut high) = (1, last);
    while low < high {
        let middle = (low + high) / 2;
        if knots[middle] > x {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let (from, to) = (knots[low - 1], knots[low]);
    let width = (to - from) * last as f64;
    (((low - 1) as f64) / last as f64 + (x - from) / width, 1.0 / width)
}

/// The share as it is, from 0 to 1.
#[inline]
pub(super) fn uniform(x: f64, knots: &[f64]) -> Mapped {
    let (share, derivative) = share_below(x, knots);
    let u = share.clamp(0.0, 1.0);
    Mapped { value: u, ln_derivative: det::ln(derivative), outside: u32::from(u != share) }
}

/// The quantile of the normal distribution that has the share below it.
#[inline]
pub(super) fn normal(x: f64, knots: &[f64]) -> Mapped {
    let (share, derivative) = share_below(x, knots);
    let u = within(share);
    let z = if u < 0.5 { -special::significance(det::ln(u)) } else { special::significance(det::ln(1.0 - u)) };
    let ln_derivative = det::ln(derivative) + (0.5 * (z * z) + LN_ROOT_TWO_PI);
    Mapped { value: z, ln_derivative, outside: u32::from(u != share) }
}
