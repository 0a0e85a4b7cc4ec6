//! One vector boson: Z and virtual photon, and W with a jet that is taken for a lepton.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::{Z_GEV, Z_WIDTH_GEV, breit_wigner, cosine, decay_at, momentum};
use super::truth::{Family, Flavour, JetFlavour, Lepton, Truth, scaled, w_mass};
use crate::math::det::{exp, ln, sqrt};

/// Masses of lepton pairs begin here.
pub const SMALLEST_GEV: f64 = 40.0;
const LARGEST_GEV: f64 = 6000.0;
/// The share of the continuum, and P(> m) = (40 GeV / m)^4 in it.
const CONTINUUM: f64 = 0.25;
const CONTINUUM_POWER: f64 = 4.0;

/// The share of jets taken for leptons that are taken for electrons.
const FAKE_ELECTRON: f64 = 0.7;
const FAKE_GEV: f64 = 20.0;

/// Z and virtual photon to leptons of all three families, with the angular density 1 + cos^2.
pub fn z(draws: &mut Draws, tune: Tune, truth: &mut Truth) {
    let mass = if draws.happens(CONTINUUM) {
        (SMALLEST_GEV * exp(-ln(draws.fine()) / CONTINUUM_POWER)).min(LARGEST_GEV)
    } else {
        breit_wigner(draws, Z_GEV, Z_WIDTH_GEV, SMALLEST_GEV, 200.0)
    };
    let family = Truth::family(draws);
    let system = truth.system(draws, tune, mass);
    let cosine = cosine(draws, 2.0, |cosine| 1.0 + cosine * cosine);
    let azimuth = draws.azimuth();
    let pair = decay_at(system, mass, [0.0; 2], cosine, azimuth);
    truth.add_pair(draws, family, pair);
}

/// W -> l nu with one jet that is taken for a lepton of either charge: the first one, or one that is drawn (P(> pT) = (20
/// GeV / pT)^2). The lepton has 0.6 to 1 of the jet's momentum.
pub fn w_jets(draws: &mut Draws, tune: Tune, truth: &mut Truth) {
    let mass = w_mass(draws);
    let system = truth.system(draws, tune, mass);
    let charge = if draws.happens(0.57) { 1.0 } else { -1.0 };
    truth.decay_w(draws, system, mass, charge);
    let jet = if truth.jets.is_empty() {
        let pt = (FAKE_GEV / sqrt(draws.uniform())).min(LARGEST_GEV);
        let (eta, phi) = (draws.within(-2.5, 2.5), draws.azimuth());
        momentum(pt, eta, phi, 0.0)
    } else {
        truth.jets.remove(0).momentum
    };
    let electron = match tune {
        Tune::Nominal => FAKE_ELECTRON,
        Tune::Alternative => FAKE_ELECTRON - 0.1,
    };
    let flavour = if draws.happens(electron) { Flavour::Electron } else { Flavour::Muon };
    let share = draws.within(0.6, 1.0);
    let charge = if draws.happens(0.5) { 1.0 } else { -1.0 };
    truth.leptons.push(Lepton { flavour, charge, momentum: scaled(jet, share) });
    // What the lepton does not carry is still there.
    truth.add_jet(JetFlavour::Light, scaled(jet, 1.0 - share));
}

/// Z -> ll of one family, of a mass near the pole: what further bosons are added to.
pub fn add_z(draws: &mut Draws, tune: Tune, truth: &mut Truth, mass: f64, family: Family) {
    let system = truth.system(draws, tune, mass);
    truth.decay_z(draws, system, mass, family);
}
