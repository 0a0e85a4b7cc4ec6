//! What every executor of `features.dijet` computes, in this order of operations.

use crate::math::det;
use crate::math::lorentz::FourMomentum;

/// Discriminants are between minus this and this: beyond it a probability has rounded to 0 or 1.
pub const LARGEST_DISCRIMINANT: f64 = 20.0;

/// `(E - pz)(E + pz) - px^2 - py^2`, the square of the mass.
#[inline(always)]
pub(super) fn mass2_of(p: FourMomentum) -> f64 {
    ((p.energy - p.pz) * (p.energy + p.pz) - p.px * p.px) - p.py * p.py
}

#[inline(always)]
fn clamped(d: f64) -> f64 {
    if d > LARGEST_DISCRIMINANT {
        return LARGEST_DISCRIMINANT;
    }
    if d < -LARGEST_DISCRIMINANT {
        return -LARGEST_DISCRIMINANT;
    }
    d
}

/// `ln(p_H / (f p_top + (1 - f) p_QCD))`.
#[inline(always)]
pub(super) fn of_probabilities(higgs: f64, top: f64, qcd: f64, top_fraction: f64) -> f64 {
    let mixed = top_fraction * top + (1.0 - top_fraction) * qcd;
    if higgs <= 0.0 {
        return -LARGEST_DISCRIMINANT;
    }
    if mixed <= 0.0 {
        return LARGEST_DISCRIMINANT;
    }
    clamped(det::ln(higgs) - det::ln(mixed))
}

/// The same from logits, which are the logarithms of probabilities but for a common constant: nothing rounds to 0 or 1.
#[inline(always)]
pub(super) fn of_logits(higgs: f64, top: f64, qcd: f64, top_fraction: f64) -> f64 {
    let a = top + det::ln(top_fraction);
    let b = qcd + det::ln(1.0 - top_fraction);
    let larger = if a > b { a } else { b };
    let mixed = larger + det::ln(det::exp(a - larger) + det::exp(b - larger));
    clamped(higgs - mixed)
}
