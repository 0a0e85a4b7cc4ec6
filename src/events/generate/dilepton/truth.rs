//! An event before the detector, and the decays that the processes share.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::{
    BEAMS_GEV, W_GEV, W_WIDTH_GEV, Z_GEV, Z_WIDTH_GEV, breit_wigner, decay, momentum, rapidity, recoil, with_rapidity,
};
use crate::math::det::{self, exp, ln, sqrt};
use crate::math::lorentz::FourMomentum;

/// The charged leptons that a detector sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    Electron,
    Muon,
}

/// The families of leptons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Electron,
    Muon,
    Tau,
}

#[derive(Debug, Clone, Copy)]
pub struct Lepton {
    pub flavour: Flavour,
    pub charge: f64,
    pub momentum: FourMomentum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JetFlavour {
    Light,
    Charm,
    Bottom,
}

#[derive(Debug, Clone, Copy)]
pub struct Jet {
    pub flavour: JetFlavour,
    pub momentum: FourMomentum,
}

/// Everything that leaves the collision, in descending order of nothing.
#[derive(Debug, Default)]
pub struct Truth {
    pub leptons: Vec<Lepton>,
    pub jets: Vec<Jet>,
    pub photons: Vec<FourMomentum>,
    /// The transverse momentum of neutrinos and their like: x, y.
    pub invisible: [f64; 2],
}

/// Branching fractions of the tau to an electron, and to an electron or a muon.
const TAU_TO_ELECTRON: f64 = 0.178;
const TAU_TO_LEPTON: f64 = 0.352;
/// The share of decays of W to quarks that have charm, and of Z to b and charm.
const W_TO_CHARM: f64 = 0.5;
const Z_TO_BOTTOM: f64 = 0.216;
const Z_TO_CHARM: f64 = 0.172;

/// The recoil of a system of the Z's mass: see [`recoil`]. The scale grows with the root of the mass.
const RECOIL_SCALE_GEV: f64 = 12.0;
const RECOIL_POWER: f64 = 0.9;
const RECOIL_FALL_GEV: f64 = 200.0;
/// Recoil below this is not resolved into jets.
const RESOLVED_GEV: f64 = 15.0;
/// Further jets, which nothing visible recoils against; P(> pT) = (20 GeV / pT)^2.5.
const FURTHER_JETS: f64 = 0.3;
const FURTHER_GEV: f64 = 20.0;
const JET_ETA_WIDTH: f64 = 1.8;
const JET_ETA: f64 = 4.5;

/// Photons off leptons and off quarks, by probability, and the softest of the latter.
const LEPTON_PHOTON: f64 = 0.02;
const QUARK_PHOTON: f64 = 0.01;
const PHOTON_GEV: f64 = 10.0;

impl Truth {
    pub fn family(draws: &mut Draws) -> Family {
        [Family::Electron, Family::Muon, Family::Tau][draws.choose(&[1.0; 3])]
    }

    /// An electron or a muon.
    pub fn light_family(draws: &mut Draws) -> Family {
        if draws.happens(0.5) { Family::Electron } else { Family::Muon }
    }

    pub fn add_invisible(&mut self, p: FourMomentum) {
        self.invisible = [self.invisible[0] + p.px, self.invisible[1] + p.py];
    }

    pub fn add_jet(&mut self, flavour: JetFlavour, momentum: FourMomentum) {
        self.jets.push(Jet { flavour, momentum });
    }

    /// An electron, a muon, or what a tau becomes: collinear, the lepton's share x with the density 5/3 - 3 x^2 + 4/3 x^3
    /// of an unpolarised tau, the visible share of hadrons flat above 0.3.
    pub fn add_lepton(&mut self, draws: &mut Draws, family: Family, charge: f64, momentum: FourMomentum) {
        let flavour = match family {
            Family::Electron => Flavour::Electron,
            Family::Muon => Flavour::Muon,
            Family::Tau => return self.add_tau(draws, charge, momentum),
        };
        self.leptons.push(Lepton { flavour, charge, momentum });
    }

    fn add_tau(&mut self, draws: &mut Draws, charge: f64, tau: FourMomentum) {
        let channel = draws.uniform();
        if channel > TAU_TO_LEPTON {
            let share = draws.within(0.3, 1.0);
            self.add_invisible(scaled(tau, 1.0 - share));
            return self.add_jet(JetFlavour::Light, scaled(tau, share));
        }
        let mut share = 0.5;
        for _ in 0..64 {
            share = draws.uniform();
            if draws.uniform() * (5.0 / 3.0) < 5.0 / 3.0 - 3.0 * share * share + 4.0 / 3.0 * share * share * share {
                break;
            }
        }
        let family = if channel < TAU_TO_ELECTRON { Family::Electron } else { Family::Muon };
        self.add_invisible(scaled(tau, 1.0 - share));
        self.add_lepton(draws, family, charge, scaled(tau, share));
    }

    /// A pair of leptons of opposite charge.
    pub fn add_pair(&mut self, draws: &mut Draws, family: Family, pair: [FourMomentum; 2]) {
        self.add_lepton(draws, family, -1.0, pair[0]);
        self.add_lepton(draws, family, 1.0, pair[1]);
    }

    /// W -> l nu of any family; isotropic.
    pub fn decay_w(&mut self, draws: &mut Draws, w: FourMomentum, mass: f64, charge: f64) {
        let [lepton, neutrino] = decay(draws, w, mass, [0.0; 2]);
        let family = Self::family(draws);
        self.add_lepton(draws, family, charge, lepton);
        self.add_invisible(neutrino);
    }

    /// W -> qq; isotropic.
    pub fn decay_w_to_quarks(&mut self, draws: &mut Draws, w: FourMomentum, mass: f64) {
        let [one, two] = decay(draws, w, mass, [0.0; 2]);
        let charm = draws.happens(W_TO_CHARM);
        self.add_jet(if charm { JetFlavour::Charm } else { JetFlavour::Light }, one);
        self.add_jet(JetFlavour::Light, two);
    }

    /// Z -> ll; isotropic.
    pub fn decay_z(&mut self, draws: &mut Draws, z: FourMomentum, mass: f64, family: Family) {
        let pair = decay(draws, z, mass, [0.0; 2]);
        self.add_pair(draws, family, pair);
    }

    /// Z -> qq; isotropic.
    pub fn decay_z_to_quarks(&mut self, draws: &mut Draws, z: FourMomentum, mass: f64) {
        let flavours = [JetFlavour::Bottom, JetFlavour::Charm, JetFlavour::Light];
        let flavour = flavours[draws.choose(&[Z_TO_BOTTOM, Z_TO_CHARM, 1.0 - Z_TO_BOTTOM - Z_TO_CHARM])];
        decay(draws, z, mass, [0.0; 2]).into_iter().for_each(|quark| self.add_jet(flavour, quark));
    }

    /// Z -> nu nu.
    pub fn lose(&mut self, boson: FourMomentum) {
        self.add_invisible(boson);
    }

    /// A system of this mass, and the jets that it recoils against.
    pub fn system(&mut self, draws: &mut Draws, tune: Tune, mass: f64) -> FourMomentum {
        let (stretch, power, further) = match tune {
            Tune::Nominal => (1.0, RECOIL_POWER, FURTHER_JETS),
            Tune::Alternative => (1.1, 0.95 * RECOIL_POWER, 1.15 * FURTHER_JETS),
        };
        let pt = recoil(draws, stretch * RECOIL_SCALE_GEV * sqrt(mass / Z_GEV), power, RECOIL_FALL_GEV);
        let azimuth = draws.azimuth();
        if pt > RESOLVED_GEV {
            let share = if draws.happens(0.4) { draws.within(0.55, 1.0) } else { 1.0 };
            let turn = draws.within(-0.5, 0.5);
            self.radiate(draws, share * pt, azimuth + det::PI + (1.0 - share) * turn);
            if (1.0 - share) * pt > RESOLVED_GEV {
                self.radiate(draws, (1.0 - share) * pt, azimuth + det::PI - share * turn);
            }
        }
        for _ in 0..draws.poisson(further) {
            let (pt, azimuth) = (FURTHER_GEV * exp(-ln(draws.uniform()) / 2.5), draws.azimuth());
            self.radiate(draws, pt, azimuth);
        }
        let rapidity = rapidity(draws, mass);
        with_rapidity(pt, rapidity, azimuth, mass)
    }

    fn radiate(&mut self, draws: &mut Draws, pt: f64, azimuth: f64) {
        let eta = (JET_ETA_WIDTH * draws.normal()).clamp(-JET_ETA, JET_ETA);
        // Gluons that become heavy quarks.
        let flavours = [JetFlavour::Bottom, JetFlavour::Charm, JetFlavour::Light];
        let flavour = flavours[draws.choose(&[0.02, 0.05, 0.93])];
        self.add_jet(flavour, momentum(pt.min(0.4 * BEAMS_GEV), eta, azimuth, 0.0));
    }

    /// Photons off the leptons, which lose what they carry, and off the quarks.
    pub fn add_photons(&mut self, draws: &mut Draws) {
        for lepton in &mut self.leptons {
            if draws.happens(LEPTON_PHOTON) {
                let share = draws.within(0.05, 0.5);
                let [eta, phi] = draws.normals();
                let p = lepton.momentum;
                let photon = momentum(share * p.pt(), p.eta() + 0.2 * eta, p.phi() + 0.2 * phi, 0.0);
                lepton.momentum = scaled(p, 1.0 - share);
                self.photons.push(photon);
            }
        }
        if draws.happens(QUARK_PHOTON) {
            self.photons.push(photon(draws));
        }
    }
}

/// A photon off the initial quarks; P(> pT) = (10 GeV / pT)^2.
pub fn photon(draws: &mut Draws) -> FourMomentum {
    let pt = PHOTON_GEV / sqrt(draws.uniform());
    let (eta, phi) = (draws.within(-2.5, 2.5), draws.azimuth());
    momentum(pt.min(0.4 * BEAMS_GEV), eta, phi, 0.0)
}

pub fn scaled(p: FourMomentum, factor: f64) -> FourMomentum {
    FourMomentum { px: factor * p.px, py: factor * p.py, pz: factor * p.pz, energy: factor * p.energy }
}

/// A mass of the W within 20 GeV of its pole.
pub fn w_mass(draws: &mut Draws) -> f64 {
    breit_wigner(draws, W_GEV, W_WIDTH_GEV, W_GEV - 20.0, W_GEV + 20.0)
}

/// A mass of the Z within 25 GeV of its pole.
pub fn z_mass(draws: &mut Draws) -> f64 {
    breit_wigner(draws, Z_GEV, Z_WIDTH_GEV, Z_GEV - 25.0, Z_GEV + 25.0)
}

/// The mass of a system that is produced above `threshold`: threshold (1 + x), x log-normal around `median` with the width
/// 0.75, and below half the energy of the beams.
pub fn above_threshold(draws: &mut Draws, threshold: f64, median: f64) -> f64 {
    let mass = threshold * (1.0 + median * exp(0.75 * draws.normal()));
    mass.min(threshold.max(0.5 * BEAMS_GEV))
}
