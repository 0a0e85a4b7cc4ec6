//! What every executor of `features.rapidity_mass` computes, in this order of operations.
//!
//! With `p = exp((y_i - y_j) / 4)` and `q = 1 / p`, which are products of numbers that each object has, differences of
//! cosh are squares: `2 (cosh((y_i - y_j) / 2) - 1) = (p - q)^2` and `2 (cosh(y_i - y_j) - 1) = ((p - q) (p + q))^2`.
//! Likewise `1 - cos(dphi)` is `2 sin^2(dphi / 2)`.

use crate::math::det;

/// Half of the C before rapidities.
const HALF_OF_C: f64 = 0.075;

/// What an entry is; the numbers are those of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    /// The missing transverse energy.
    Missing = 0,
    /// The transverse mass with it.
    WithMissing = 1,
    /// The rapidity of an object.
    Rapidity = 2,
    /// The transverse energy of the leading object of a type.
    Leading = 3,
    /// The imbalance of an object and the one before it.
    Imbalance = 4,
    /// The invariant mass of two.
    Mass = 5,
    /// The difference of the rapidities of two.
    Difference = 6,
}

/// An entry of the matrix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub kind: Kind,
    pub row: u32,
    pub column: u32,
}

impl Kind {
    /// That of a row and column, where leading objects have these rows, in rising order.
    pub fn of(row: u32, column: u32, first_rows: &[u32]) -> Self {
        match (row, column) {
            (0, 0) => Self::Missing,
            (0, _) => Self::WithMissing,
            (_, 0) => Self::Rapidity,
            _ if row < column => Self::Mass,
            _ if row > column => Self::Difference,
            _ if first_rows.binary_search(&row).is_ok() => Self::Leading,
            _ => Self::Imbalance,
        }
    }
}

/// An object, as far as entries need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    pub pt: f64,
    pub mass2: f64,
    /// `sqrt(pT^2 + m^2)`.
    pub transverse_mass: f64,
    /// `E sin(theta)`.
    pub transverse_energy: f64,
    /// The square of the transverse energy less that of pT.
    pub excess2: f64,
    /// `exp(y / 4)`.
    pub root: f64,
    /// `exp(-y / 4)`.
    pub inverse: f64,
    /// The sine of half the azimuth.
    pub sin: f64,
    /// The cosine of half the azimuth.
    pub cos: f64,
}

/// The missing transverse energy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    pub energy: f64,
    /// The sine of half its azimuth.
    pub sin: f64,
    /// The cosine of half its azimuth.
    pub cos: f64,
}

/// An object with pT. Its rapidity is that of `sinh y = pT sinh(eta) / sqrt(pT^2 + m^2)`, so that objects forward and
/// backward are mirrored exactly.
#[inline(always)]
pub(super) fn object_of(pt: f32, eta: f32, phi: f32, mass: f32) -> Object {
    let pt = f64::from(pt);
    let slope = det::sinh(f64::from(eta));
    let mass2 = f64::from(mass) * f64::from(mass);
    let excess2 = mass2 / (1.0 + slope * slope);
    let transverse_mass = det::sqrt(pt * pt + mass2);
    let transverse_energy = det::sqrt(pt * pt + excess2);
    let along = pt * det::absolute(slope) / transverse_mass;
    let boost = along + det::sqrt(along * along + 1.0);
    let large = det::sqrt(det::sqrt(boost));
    let small = 1.0 / large;
    let forward = slope >= 0.0;
    let root = if forward { large } else { small };
    let inverse = if forward { small } else { large };
    let half = 0.5 * f64::from(phi);
    let sin = det::sin(half);
    let cos = det::cos(half);
    Object { pt, mass2, transverse_mass, transverse_energy, excess2, root, inverse, sin, cos }
}

/// The missing transverse energy of an event.
#[inline(always)]
pub(super) fn missing_of(energy: f32, phi: f32) -> Missing {
    let half = 0.5 * f64::from(phi);
    Missing { energy: f64::from(energy), sin: det::sin(half), cos: det::cos(half) }
}

/// The transverse mass of an object and the missing energy, of which all terms are positive:
/// `m_T^2 = (E_T^2 - pT^2) + 2 E_T^miss ((E_T - pT) + pT (1 - cos dphi))`; 0 where none is missing.
#[inline(always)]
pub(super) fn transverse_mass_of(missing: Missing, a: Object) -> f64 {
    let half_turn = missing.sin * a.cos - missing.cos * a.sin;
    let beyond = a.excess2 / (a.transverse_energy + a.pt) + a.pt * (2.0 * (half_turn * half_turn));
    let mass = det::sqrt(a.excess2 + 2.0 * missing.energy * beyond);
    if missing.energy > 0.0 { mass } else { 0.0 }
}

/// `C (cosh y - 1)`.
#[inline(always)]
pub(super) fn rapidity_of(a: Object) -> f64 {
    let twice = (a.root - a.inverse) * (a.root + a.inverse);
    HALF_OF_C * (twice * twice)
}

/// The share by which the one before has more transverse energy.
#[inline(always)]
pub(super) fn imbalance_of(before: f64, transverse_energy: f64) -> f64 {
    (before - transverse_energy) / (before + transverse_energy)
}

/// The invariant mass, of which all terms are positive, the same for the two the other way round. With `M^2 = pT^2 +
/// m^2`: `m_ab^2 = m_a^2 + m_b^2 + 2 (M_a M_b - pT_a pT_b) + 2 M_a M_b (cosh dy - 1) + 2 pT_a pT_b (1 - cos dphi)`.
#[inline(always)]
pub(super) fn mass_of(a: Object, b: Object) -> f64 {
    let forward = a.root * b.inverse;
    let backward = a.inverse * b.root;
    let apart = (forward - backward) * (forward + backward);
    let half_turn = a.sin * b.cos - a.cos * b.sin;
    let transverse_masses = a.transverse_mass * b.transverse_mass;
    let momenta = a.pt * b.pt;
    let of_masses = a.pt * a.pt * b.mass2 + b.pt * b.pt * a.mass2 + a.mass2 * b.mass2;
    let difference = of_masses / (transverse_masses + momenta);
    let at_rest = (a.mass2 + b.mass2) + 2.0 * difference;
    let moving = transverse_masses * (apart * apart) + 4.0 * (momenta * (half_turn * half_turn));
    det::sqrt(at_rest + moving)
}

/// `C (cosh((y_a - y_b) / 2) - 1)`.
#[inline(always)]
pub(super) fn difference_of(a: Object, b: Object) -> f64 {
    let twice = a.root * b.inverse - a.inverse * b.root;
    HALF_OF_C * (twice * twice)
}
