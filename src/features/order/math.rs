//! What every executor of `features.order` computes, in this order of operations.

use crate::math::four::Four;

/// What is added to the quantity of a constituent that has its place already: no other is so small.
pub(super) const PLACED: f64 = f64::NEG_INFINITY;

const TWO_PI: f64 = 2.0 * std::f64::consts::PI;

/// The square of the distance in pseudorapidity and azimuth; the same for the two the other way round.
#[inline(always)]
pub(super) fn distance2<V: Four>((eta, phi): (V, V), other_eta: V, other_phi: V) -> V {
    let deta = eta.minus(other_eta);
    let turned = phi.minus(other_phi).absolute();
    let dphi = turned.smaller(V::all(TWO_PI).minus(turned));
    deta.times(deta).plus(dphi.times(dphi))
}

/// `pT^2 dR^2`, where that is a number, else 0; of what is placed ([`PLACED`] is its `state`, else 0) nothing that is above -1.
#[inline(always)]
pub(super) fn quantity<V: Four>(pt2: V, distance2: V, state: V) -> V {
    pt2.times(distance2).larger(V::all(0.0)).plus(state)
}
