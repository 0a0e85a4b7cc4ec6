//! What every executor of `features.cluster` computes, in this order of operations.

use super::{Algorithm, Recombination};
use crate::math::det;
use crate::math::four::Four;
use crate::math::lorentz::{FourMomentum, add_momenta};

/// The rapidity of what flies along the beam is this and its momentum: apart from everything else.
const ALONG_BEAM: f64 = 1e5;

/// Transverse masses squared below this are none, and transverse momenta squared count as at least this where they are divided by,
/// as in FastJet.
const SMALLEST: f64 = 1e-300;

const TWO_PI: f64 = 2.0 * std::f64::consts::PI;

/// The square of the transverse momentum.
#[inline(always)]
pub(in crate::features) fn pt2_of(p: FourMomentum) -> f64 {
    p.px * p.px + p.py * p.py
}

/// `ln((E + |pz|)^2 / mT^2) / 2` with the sign of pz, where `mT^2 = pT^2 + m^2`; 0 where that is not above 1.
#[inline(always)]
pub(in crate::features) fn rapidity_of(p: FourMomentum, pt2: f64) -> f64 {
    let along = det::absolute(p.pz);
    let sum = p.energy + along;
    let mass2 = (p.energy - along) * sum - pt2;
    let transverse2 = if mass2 > 0.0 { pt2 + mass2 } else { pt2 };
    let sum2 = sum * sum;
    let logarithm = det::quick_ln_ratio(sum2, transverse2);
    let mut size = if sum2 > transverse2 { 0.5 * logarithm } else { 0.0 };
    if transverse2 < SMALLEST {
        size = ALONG_BEAM + along;
    }
    if p.pz < 0.0 { -size } else { size }
}

/// `pT^2p`.
#[inline(always)]
pub(super) fn weight_of(algorithm: Algorithm, pt2: f64) -> f64 {
    let bounded = if pt2 > SMALLEST { pt2 } else { SMALLEST };
    match algorithm {
        Algorithm::AntiKt => 1.0 / bounded,
        Algorithm::CambridgeAachen => 1.0,
        Algorithm::Kt => pt2,
        Algorithm::Generalised(p) => det::pow(bounded, p),
    }
}

/// The squares of the distances in rapidity and azimuth; the same for the two the other way round.
#[inline(always)]
pub(in crate::features) fn distances2<V: Four>((y, phi): (V, V), other_y: V, other_phi: V) -> V {
    let dy = y.minus(other_y);
    let turned = phi.minus(other_phi).absolute();
    let dphi = turned.smaller(V::all(TWO_PI).minus(turned));
    dy.times(dy).plus(dphi.times(dphi))
}

/// What two become; `a` has the lower name.
#[inline(always)]
pub(super) fn recombine(recombination: Recombination, a: FourMomentum, b: FourMomentum) -> FourMomentum {
    match recombination {
        Recombination::Sum => add_momenta(a, b),
        Recombination::WinnerTakesAll => winner_takes_all(a, b),
    }
}

/// The harder one, scaled to the sum of the transverse momenta: its mass stays, so that energy and pz grow as the transverse mass.
#[inline(always)]
fn winner_takes_all(a: FourMomentum, b: FourMomentum) -> FourMomentum {
    let (a2, b2) = (pt2_of(a), pt2_of(b));
    let (harder, hard2) = if a2 >= b2 { (a, a2) } else { (b, b2) };
    if hard2 == 0.0 {
        return harder;
    }
    let sum = det::sqrt(a2) + det::sqrt(b2);
    let mass2 = ((harder.energy - harder.pz) * (harder.energy + harder.pz)) - hard2;
    let mass2 = if mass2 > 0.0 { mass2 } else { 0.0 };
    let scale = sum / det::sqrt(hard2);
    let stretch = det::sqrt((sum * sum + mass2) / (hard2 + mass2));
    FourMomentum {
        px: harder.px * scale,
        py: harder.py * scale,
        pz: harder.pz * stretch,
        energy: harder.energy * stretch,
    }
}
