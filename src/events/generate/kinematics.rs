//! Masses, decays and boosts that the generators share, over [`FourMomentum`](crate::math::lorentz::FourMomentum).

use super::draws::Draws;
use crate::math::det::{self, atan, cos, cosh, exp, ln, sin, sinh, sqrt};
use crate::math::lorentz::FourMomentum;

/// The centre-of-mass energy of the collider in GeV.
pub(super) const BEAMS_GEV: f64 = 13_000.0;
pub(super) const W_GEV: f64 = 80.4;
pub(super) const W_WIDTH_GEV: f64 = 2.085;
pub(super) const Z_GEV: f64 = 91.1876;
pub(super) const Z_WIDTH_GEV: f64 = 2.4952;
pub(super) const TOP_GEV: f64 = 172.5;
pub(super) const TOP_WIDTH_GEV: f64 = 1.42;

/// From transverse momentum, pseudorapidity, azimuth and mass in double precision.
pub(super) fn momentum(pt: f64, eta: f64, phi: f64, mass: f64) -> FourMomentum {
    let (px, py, pz) = (pt * cos(phi), pt * sin(phi), pt * sinh(eta));
    FourMomentum { px, py, pz, energy: sqrt(px * px + py * py + pz * pz + mass * mass) }
}

/// From transverse momentum, rapidity, azimuth and mass: what a system of partons is drawn in.
pub(super) fn with_rapidity(pt: f64, rapidity: f64, phi: f64, mass: f64) -> FourMomentum {
    let transverse = sqrt(mass * mass + pt * pt);
    FourMomentum {
        px: pt * cos(phi),
        py: pt * sin(phi),
        pz: transverse * sinh(rapidity),
        energy: transverse * cosh(rapidity),
    }
}

/// `p`, given where `frame` (of mass `mass` > 0) is at rest, where it moves as stated.
pub(super) fn boost(p: FourMomentum, frame: FourMomentum, mass: f64) -> FourMomentum {
    let along = frame.px * p.px + frame.py * p.py + frame.pz * p.pz;
    let energy = (frame.energy * p.energy + along) / mass;
    let share = (along / (frame.energy + mass) + p.energy) / mass;
    FourMomentum { px: p.px + share * frame.px, py: p.py + share * frame.py, pz: p.pz + share * frame.pz, energy }
}

/// The momentum of either product in the rest frame: sqrt(lambda(M^2, m_1^2, m_2^2)) / (2 M), zero for a closed decay.
pub(super) fn decay_momentum(mass: f64, products: [f64; 2]) -> f64 {
    let (sum, difference) = ((products[0] + products[1]) / mass, (products[0] - products[1]) / mass);
    let open = (1.0 - sum) * (1.0 + sum) * (1.0 - difference) * (1.0 + difference);
    0.5 * mass * sqrt(open.max(0.0))
}

/// The products of the decay of `parent` (of mass `mass`), the first at the polar cosine `cosine` to the beam's direction
/// and the azimuth `azimuth` in the rest frame.
pub(super) fn decay_at(
    parent: FourMomentum,
    mass: f64,
    products: [f64; 2],
    cosine: f64,
    azimuth: f64,
) -> [FourMomentum; 2] {
    let p = decay_momentum(mass, products);
    let sine = sqrt((1.0 - cosine) * (1.0 + cosine));
    let (px, py, pz) = (p * sine * cos(azimuth), p * sine * sin(azimuth), p * cosine);
    let energies = products.map(|product| sqrt(p * p + product * product));
    let one = FourMomentum { px, py, pz, energy: energies[0] };
    let two = FourMomentum { px: -px, py: -py, pz: -pz, energy: energies[1] };
    [boost(one, parent, mass), boost(two, parent, mass)]
}

/// The products of an isotropic decay.
pub(super) fn decay(draws: &mut Draws, parent: FourMomentum, mass: f64, products: [f64; 2]) -> [FourMomentum; 2] {
    let cosine = draws.within(-1.0, 1.0);
    let azimuth = draws.azimuth();
    decay_at(parent, mass, products, cosine, azimuth)
}

/// A mass from the relativistic Breit-Wigner density in m^2 of constant width, 1 / ((m^2 - M^2)^2 + M^2 Gamma^2), between
/// `from` and `to`: m^2 = M^2 + M Gamma tan(x), x flat.
pub(super) fn breit_wigner(draws: &mut Draws, mass: f64, width: f64, from: f64, to: f64) -> f64 {
    if width <= 0.0 {
        return mass;
    }
    let angle = |limit: f64| atan((limit * limit - mass * mass) / (mass * width));
    let x = draws.within(angle(from), angle(to));
    let squared = mass * mass + mass * width * (sin(x) / cos(x));
    sqrt(squared.max(from * from).min(to * to))
}

/// The transverse momentum of a system that recoils against radiation; P(> x) = (1 + (x / scale)^2)^-power exp(-x / fall).
pub(super) fn recoil(draws: &mut Draws, scale: f64, power: f64, fall: f64) -> f64 {
    let hard = scale * sqrt(exp(-ln(draws.uniform()) / power) - 1.0);
    hard.min(fall * draws.exponential())
}

/// The logarithm t, above `from`, whose survival function is exp(-slope t - curvature t^2) of its value there: that of a
/// uniform number.
pub(super) fn falling(uniform: f64, from: f64, slope: f64, curvature: f64) -> f64 {
    let level = slope * from + curvature * from * from - ln(uniform);
    (sqrt(slope * slope + 4.0 * curvature * level) - slope) / (2.0 * curvature)
}

/// The rapidity of a system of this mass: normal of width 0.35 ln(sqrt(s) / m), within ln(sqrt(s) / m).
pub(super) fn rapidity(draws: &mut Draws, mass: f64) -> f64 {
    let limit = ln(BEAMS_GEV / mass).max(0.0);
    (0.35 * limit * draws.normal()).clamp(-limit, limit)
}

/// A cosine in (-1, 1) of the density `density` (at most `largest`), by rejection.
pub(super) fn cosine(draws: &mut Draws, largest: f64, density: impl Fn(f64) -> f64) -> f64 {
    // One in 10^9 events would need more attempts for every density here, and keeps the last.
    let mut cosine = 0.0;
    for _ in 0..64 {
        cosine = draws.within(-1.0, 1.0);
        if draws.uniform() * largest < density(cosine) {
            break;
        }
    }
    cosine
}

/// An angle in (-pi, pi], for one in (-3 pi, 3 pi).
#[inline]
pub(super) fn wrapped(angle: f64) -> f64 {
    if angle > det::PI {
        angle - 2.0 * det::PI
    } else if angle <= -det::PI {
        angle + 2.0 * det::PI
    } else {
        angle
    }
}

/// The azimuth as f32, which must not round beyond pi.
#[inline]
pub(super) fn azimuth_f32(angle: f64) -> f32 {
    (wrapped(angle) as f32).clamp(-std::f32::consts::PI, std::f32::consts::PI)
}
