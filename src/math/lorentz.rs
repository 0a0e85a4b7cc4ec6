//! Four-momenta in GeV, in double precision, from columns in single precision.
//!
//! Everything is evaluated in the stated order with [`super::det`], so that CPU and CUDA agree to the bit; the caller
//! rounds once to single precision. Masses come from E^2 - |p|^2, whose relative error is about 2^-52 (E/m)^2.

use super::det::{asinh, atan2, cos, ln_1p, sin, sin_cos_lanes, sinh, sinh_lanes, sqrt};

/// Energy and momentum in GeV.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FourMomentum {
    /// Momentum along x.
    pub px: f64,
    /// Momentum along y.
    pub py: f64,
    /// Momentum along the beam.
    pub pz: f64,
    /// Energy.
    pub energy: f64,
}

/// The four-momentum with transverse momentum and mass in GeV, pseudorapidity `eta` and azimuth `phi` in radians:
/// (pt cos phi, pt sin phi, pt sinh eta, sqrt(px^2 + py^2 + pz^2 + m^2)).
#[inline]
pub fn momentum_of(pt: f64, eta: f64, phi: f64, mass: f64) -> FourMomentum {
    let px: f64 = pt * cos(phi);
    let py: f64 = pt * sin(phi);
    let pz: f64 = pt * sinh(eta);
    let energy: f64 = sqrt(((px * px + py * py) + pz * pz) + mass * mass);
    FourMomentum { px, py, pz, energy }
}

/// [`momentum_of`] of values of columns.
#[inline]
pub fn from_pt_eta_phi_mass(pt: f32, eta: f32, phi: f32, mass: f32) -> FourMomentum {
    momentum_of(pt as f64, eta as f64, phi as f64, mass as f64)
}

/// The sum, component by component.
#[inline]
pub fn add_momenta(a: FourMomentum, b: FourMomentum) -> FourMomentum {
    FourMomentum { px: a.px + b.px, py: a.py + b.py, pz: a.pz + b.pz, energy: a.energy + b.energy }
}

/// sqrt(max(0, (E - pz)(E + pz) - px^2 - py^2)).
#[inline]
pub fn mass_of(p: FourMomentum) -> f64 {
    let squared: f64 = ((p.energy - p.pz) * (p.energy + p.pz) - p.px * p.px) - p.py * p.py;
    if squared < 0.0 {
        return 0.0;
    }
    sqrt(squared)
}

/// sqrt(px^2 + py^2).
#[inline]
pub fn pt_of(p: FourMomentum) -> f64 {
    sqrt(p.px * p.px + p.py * p.py)
}

/// asinh(pz / pt): infinite with the sign of pz along the beam, 0 for no momentum at all.
#[inline]
pub fn eta_of(p: FourMomentum) -> f64 {
    if p.pz == 0.0 {
        return 0.0;
    }
    asinh(p.pz / pt_of(p))
}

/// ln((E + pz)/(E - pz)) / 2: infinite where E = |pz|, NaN where E < |pz|.
#[inline]
pub fn rapidity_of(p: FourMomentum) -> f64 {
    if p.pz < 0.0 {
        return -0.5 * ln_1p(-2.0 * p.pz / (p.energy + p.pz));
    }
    if p.pz == 0.0 {
        return 0.0;
    }
    0.5 * ln_1p(2.0 * p.pz / (p.energy - p.pz))
}

/// atan2(py, px), in [-pi, pi]; -pi only for py = -0.
#[inline]
pub fn phi_of(p: FourMomentum) -> f64 {
    atan2(p.py, p.px)
}

// host only from here: the functions above for many momenta, and as methods

/// [`momentum_of`] in each lane, bit for bit: px, py, pz and energy go to `parts`. All slices are of one length.
pub fn momentum_lanes(pt: &[f64], eta: &[f64], phi: &[f64], mass: &[f64], parts: [&mut [f64]; 4]) {
    let [px, py, pz, energy] = parts;
    sin_cos_lanes(phi, py, px);
    sinh_lanes(eta, pz);
    for (((((px, py), pz), energy), pt), mass) in px.iter_mut().zip(py).zip(pz).zip(energy).zip(pt).zip(mass) {
        (*px, *py, *pz) = (pt * *px, pt * *py, pt * *pz);
        *energy = sqrt(((*px * *px + *py * *py) + *pz * *pz) + mass * mass);
    }
}

impl FourMomentum {
    /// Nothing at all: the neutral element of the sum.
    pub const ZERO: Self = Self { px: 0.0, py: 0.0, pz: 0.0, energy: 0.0 };

    /// See [`from_pt_eta_phi_mass`].
    ///
    /// ```
    /// use trawl::math::lorentz::FourMomentum;
    /// let a = FourMomentum::from_pt_eta_phi_mass(500.0, 0.3, 0.0, 80.0);
    /// let b = FourMomentum::from_pt_eta_phi_mass(500.0, 0.3, 0.0, 80.0);
    /// assert!(((a + b).mass() - 160.0).abs() < 1e-5);
    /// ```
    #[inline]
    pub fn from_pt_eta_phi_mass(pt: f32, eta: f32, phi: f32, mass: f32) -> Self {
        from_pt_eta_phi_mass(pt, eta, phi, mass)
    }

    /// The invariant mass in GeV: see [`mass_of`].
    #[inline]
    pub fn mass(self) -> f64 {
        mass_of(self)
    }

    /// The transverse momentum in GeV: see [`pt_of`].
    #[inline]
    pub fn pt(self) -> f64 {
        pt_of(self)
    }

    /// The pseudorapidity: see [`eta_of`].
    #[inline]
    pub fn eta(self) -> f64 {
        eta_of(self)
    }

    /// The rapidity: see [`rapidity_of`].
    #[inline]
    pub fn rapidity(self) -> f64 {
        rapidity_of(self)
    }

    /// The azimuth in radians: see [`phi_of`].
    #[inline]
    pub fn phi(self) -> f64 {
        phi_of(self)
    }
}

impl std::ops::Add for FourMomentum {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        add_momenta(self, other)
    }
}

impl std::ops::AddAssign for FourMomentum {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for FourMomentum {
    fn sum<I: Iterator<Item = Self>>(momenta: I) -> Self {
        momenta.fold(Self::ZERO, |sum, p| sum + p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_jet_of_the_alignment_paper() {
        // physics.md 4.4, golden 1, computed with numpy: four massless constituents and the jet they make.
        let constituents = [(800.0, 0.5, 1.0), (300.0, 0.7, 1.2), (120.0, 0.3, 0.8), (40.0, 0.9, 1.1)];
        let jet: FourMomentum =
            constituents.iter().map(|&(pt, eta, phi)| FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, 0.0)).sum();
        // The inputs are rounded to single precision here, hence the tolerance.
        assert!((jet.pt() - 1252.059395).abs() < 1e-4);
        assert!((jet.eta() - 0.548737).abs() < 1e-6);
        assert!((jet.phi() - 1.031756).abs() < 1e-6);
        assert!((jet.mass() - 216.148194).abs() < 1e-4);
    }

    #[test]
    fn coordinates_come_back() {
        for (pt, eta, phi, mass) in [(500.0, -2.4, 3.0, 91.2), (30.0, 0.0, -1.0, 0.5), (1e-3, 4.9, 0.1, 0.0)] {
            let p = FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, mass);
            assert!((p.pt() / f64::from(pt) - 1.0).abs() < 1e-14);
            assert!((p.eta() - f64::from(eta)).abs() < 1e-14);
            assert!((p.phi() - f64::from(phi)).abs() < 1e-14);
            assert!((p.mass() - f64::from(mass)).abs() < 1e-6);
            let expected = 0.5 * ((p.energy + p.pz) / (p.energy - p.pz)).ln();
            assert!((p.rapidity() - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn lanes_are_momenta_bit_for_bit() {
        let angles: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.0127 - 6.3).chain([f64::NAN, 1e9, 30.0]).collect();
        let pt: Vec<f64> = angles.iter().map(|x| 40.0 + x * x).collect();
        let mass: Vec<f64> = angles.iter().map(|x| 0.1 * x).collect();
        let eta: Vec<f64> = angles.iter().rev().copied().collect();
        let mut parts = [(); 4].map(|()| vec![0.0; pt.len()]);
        momentum_lanes(&pt, &eta, &angles, &mass, parts.each_mut().map(|part| &mut part[..]));
        for lane in 0..pt.len() {
            let p = momentum_of(pt[lane], eta[lane], angles[lane], mass[lane]);
            let expected = [p.px, p.py, p.pz, p.energy];
            let found = parts.each_ref().map(|part| part[lane]);
            let same = |(a, b): (f64, f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            assert!(found.into_iter().zip(expected).all(same), "{found:?} for {expected:?}");
        }
    }

    #[test]
    fn degenerate_momenta_have_stated_answers() {
        let beam = FourMomentum { px: 0.0, py: 0.0, pz: -5.0, energy: 5.0 };
        assert_eq!(beam.eta(), f64::NEG_INFINITY);
        assert_eq!(beam.rapidity(), f64::NEG_INFINITY);
        assert_eq!(beam.mass(), 0.0);
        assert_eq!(FourMomentum::ZERO.eta(), 0.0);
        assert_eq!(FourMomentum::ZERO.mass(), 0.0);
        let spacelike = FourMomentum { px: 3.0, py: 0.0, pz: 0.0, energy: 1.0 };
        assert_eq!(spacelike.mass(), 0.0);
        assert!(FourMomentum::from_pt_eta_phi_mass(1.0, f32::NAN, 0.0, 0.0).mass().is_nan());
    }
}
