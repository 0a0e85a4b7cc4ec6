//! What every executor of `features.align` computes, in this order of operations.

use super::Target;
use crate::math::det;
use crate::math::lorentz::FourMomentum;

/// Squares of momenta below this are none.
pub(super) const SMALLEST: f64 = 1e-300;

/// A mass squared below this part of the energy squared is rounding: that of E^2 is 2^-53 for each of some hundred constituents.
const LEAST_MASS2: f64 = 1e-12;

/// Sums have this many partial sums: the threads of a warp.
pub(in crate::features) const LANES: usize = 32;

/// Why a jet's frame is or is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Frame,
    NoMass,
    NotFinite,
}

/// Steps 1 to 4: what happens to every constituent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub found: Found,
    gamma_z: f64,
    gamma_beta_z: f64,
    cos: f64,
    sin: f64,
    scale: f64,
    gamma_x: f64,
    gamma_beta_x: f64,
}

/// The frame of a jet. No division is by 0 where it is found; elsewhere the numbers have no meaning.
#[inline(always)]
pub(super) fn frame_of(jet: FourMomentum, target: Target) -> Frame {
    let transverse2 = (jet.energy - jet.pz) * (jet.energy + jet.pz);
    let pt2 = jet.px * jet.px + jet.py * jet.py;
    let mass2 = transverse2 - pt2;
    let mut found = Found::Frame;
    if !(jet.energy > 0.0 && mass2 > SMALLEST && mass2 > LEAST_MASS2 * (jet.energy * jet.energy)) {
        found = Found::NoMass;
    }
    if !det::is_finite(mass2) {
        found = Found::NotFinite;
    }
    let transverse = det::sqrt(transverse2);
    let pt = det::sqrt(pt2);
    let mut cos = 1.0;
    let mut sin = 0.0;
    if pt2 > SMALLEST {
        cos = jet.px / pt;
        sin = jet.py / pt;
    }
    let scale = target.mass / det::sqrt(mass2);
    let energy = transverse * scale;
    let momentum = pt * scale;
    let square = target.mass * target.mass;
    // cosh and sinh of the difference of the rapidities along x.
    let gamma_x = (target.energy * energy - target.momentum * momentum) / square;
    let gamma_beta_x = (target.momentum * energy - target.energy * momentum) / square;
    Frame {
        found,
        gamma_z: jet.energy / transverse,
        gamma_beta_z: jet.pz / transverse,
        cos,
        sin,
        scale,
        gamma_x,
        gamma_beta_x,
    }
}

/// The velocity of the boost along x.
#[inline(always)]
pub(super) fn beta_of(frame: Frame) -> f64 {
    frame.gamma_beta_x / frame.gamma_x
}

/// A constituent in the frame.
#[inline(always)]
pub(super) fn moved(p: FourMomentum, frame: Frame) -> FourMomentum {
    let pz = frame.gamma_z * p.pz - frame.gamma_beta_z * p.energy;
    let energy = frame.gamma_z * p.energy - frame.gamma_beta_z * p.pz;
    let px = frame.cos * p.px + frame.sin * p.py;
    let py = frame.cos * p.py - frame.sin * p.px;
    FourMomentum {
        px: (frame.gamma_x * px + frame.gamma_beta_x * energy) * frame.scale,
        py: py * frame.scale,
        pz: pz * frame.scale,
        energy: (frame.gamma_x * energy + frame.gamma_beta_x * px) * frame.scale,
    }
}

/// Step 5: the rotation about x that brings the hardest to pz = 0 and py > 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    cos: f64,
    sin: f64,
    /// What py of the hardest becomes.
    pub size: f64,
}

/// The rotation of this hardest constituent; none where it flies along x.
#[inline(always)]
pub(super) fn turn_of(py: f64, pz: f64) -> Turn {
    let square = py * py + pz * pz;
    let size = det::sqrt(square);
    let mut cos = 1.0;
    let mut sin = 0.0;
    if square > SMALLEST {
        cos = py / size;
        sin = pz / size;
    }
    Turn { cos, sin, size }
}

/// py and pz after the rotation.
#[inline(always)]
pub(super) fn turned(py: f64, pz: f64, turn: Turn) -> (f64, f64) {
    (turn.cos * py + turn.sin * pz, turn.cos * pz - turn.sin * py)
}

/// The square of the transverse momentum.
#[inline(always)]
pub(super) fn pt2_of(px: f64, py: f64) -> f64 {
    px * px + py * py
}

/// `ln((|p| + |pz|)^2 / pT^2) / 2` with the sign of pz: exactly 0 for pz = 0; without transverse momentum it is infinite, and 0
/// without any.
#[inline(always)]
pub(super) fn eta_of(pt2: f64, pz: f64) -> f64 {
    let along = det::absolute(pz);
    let pz2 = pz * pz;
    let sum = det::sqrt(pt2 + pz2) + along;
    let sum2 = sum * sum;
    let logarithm = det::quick_ln_ratio(sum2, pt2);
    let mut size = 0.0;
    if sum2 > pt2 {
        size = 0.5 * logarithm;
    }
    if pt2 < SMALLEST {
        size = f64::INFINITY;
    }
    if pz2 < SMALLEST {
        size = 0.0;
    }
    if pz < 0.0 { -size } else { size }
}

/// `atan2(py, px)`; 0 without transverse momentum.
#[inline(always)]
pub(super) fn phi_of(pt2: f64, px: f64, py: f64) -> f64 {
    let angle = det::quick_atan2(py, px);
    if pt2 < SMALLEST { 0.0 } else { angle }
}

/// Step 6: the square of the distance to the axis.
#[inline(always)]
pub(super) fn distance2_of(eta: f64, phi: f64) -> f64 {
    eta * eta + phi * phi
}

/// The sum of all: of every 32nd in turn, and then of the 32 in pairs half of them apart.
#[inline(always)]
pub(in crate::features) fn sum_of(blocks: &[[f64; LANES]]) -> f64 {
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] += block[lane];
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
