//! What a detector makes of an event: efficiencies, resolutions, thresholds, order, missing momentum.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::azimuth_f32;
use super::truth::{Flavour, JetFlavour, Truth};
use crate::math::det::{absolute, atan2, cos, exp, ln, sin, sqrt};
use crate::math::lorentz::FourMomentum;

/// Leptons and photons begin here, jets there.
pub const LEPTON_GEV: f64 = 10.0;
pub const JET_GEV: f64 = 20.0;
const ELECTRON_ETA: f64 = 2.47;
const CRACK: [f64; 2] = [1.37, 1.52];
const MUON_ETA: f64 = 2.5;
const JET_ETA: f64 = 4.5;
const TAG_ETA: f64 = 2.5;

const ELECTRON_EFFICIENCY: f64 = 0.875;
const MUON_EFFICIENCY: f64 = 0.92;
const PHOTON_EFFICIENCY: f64 = 0.85;

const ELECTRON_MASS_GEV: f32 = 0.000_511;
const MUON_MASS_GEV: f32 = 0.105_66;

/// The tag score is u^a, u uniform: a for b, charm and light jets.
const TAG: [f64; 3] = [0.15, 1.0, 22.0];

/// A lepton as it is measured: pt, eta, phi, mass, charge.
pub type Lepton = [f32; 5];

/// What is measured, in descending order of pT.
#[derive(Debug, Default)]
pub struct Measured {
    pub electrons: Vec<Lepton>,
    pub muons: Vec<Lepton>,
    /// pt, eta, phi, mass, tag score.
    pub jets: Vec<[f32; 5]>,
    /// pt, eta, phi.
    pub photons: Vec<[f32; 3]>,
    /// pt, phi.
    pub missing: [f32; 2],
}

/// Sums what is lost to the resolutions: the missing momentum points to it.
struct Balance {
    x: f64,
    y: f64,
    total: f64,
}

impl Balance {
    fn count(&mut self, phi: f64, pt: f64, measured: f64) {
        self.x += (pt - measured) * cos(phi);
        self.y += (pt - measured) * sin(phi);
        self.total += pt;
    }
}

pub fn measure(draws: &mut Draws, tune: Tune, truth: &Truth) -> Measured {
    let mut measured = Measured::default();
    let [x, y] = truth.invisible;
    let mut balance = Balance { x, y, total: 0.0 };
    for lepton in &truth.leptons {
        self::lepton(draws, lepton, &mut balance, &mut measured);
    }
    for photon in &truth.photons {
        self::photon(draws, *photon, &mut balance, &mut measured);
    }
    for jet in &truth.jets {
        self::jet(draws, tune, jet, &mut balance, &mut measured);
    }
    // The soft term: its resolution grows with the root of everything that it is beside.
    let floor = match tune {
        Tune::Nominal => 8.0,
        Tune::Alternative => 9.0,
    };
    let width = sqrt(floor * floor + 0.35 * balance.total);
    let [x, y] = draws.normals();
    let (x, y) = (balance.x + width * x, balance.y + width * y);
    measured.missing = [sqrt(x * x + y * y) as f32, azimuth_f32(atan2(y, x))];
    sort(&mut measured.electrons);
    sort(&mut measured.muons);
    sort(&mut measured.jets);
    sort(&mut measured.photons);
    measured
}

/// By pT, descending; a stable sort keeps equal ones in their order.
fn sort<const N: usize>(objects: &mut [[f32; N]]) {
    objects.sort_by(|a, b| b[0].total_cmp(&a[0]));
}

/// Electrons: 10 % / sqrt(E) and 1 %. Muons: 2 % and 10 % per TeV.
fn lepton(draws: &mut Draws, lepton: &super::truth::Lepton, balance: &mut Balance, measured: &mut Measured) {
    let p = lepton.momentum;
    let (pt, eta, phi) = (p.pt(), p.eta(), p.phi());
    let found = draws.uniform();
    let deviate = draws.normal();
    let relative = match lepton.flavour {
        Flavour::Electron => sqrt(0.01 / p.energy.max(1.0) + 0.0001),
        Flavour::Muon => sqrt(0.0004 + 1e-8 * pt * pt),
    };
    let smeared = pt * (1.0 + relative * deviate).max(0.1);
    balance.count(phi, pt, smeared);
    let side = absolute(eta);
    let (accepted, mass) = match lepton.flavour {
        Flavour::Electron => {
            let inside = side < ELECTRON_ETA && !(CRACK[0]..CRACK[1]).contains(&side);
            (inside && found < ELECTRON_EFFICIENCY, ELECTRON_MASS_GEV)
        }
        Flavour::Muon => (side < MUON_ETA && found < MUON_EFFICIENCY, MUON_MASS_GEV),
    };
    if accepted && smeared > LEPTON_GEV {
        let row = [smeared as f32, eta as f32, azimuth_f32(phi), mass, lepton.charge as f32];
        match lepton.flavour {
            Flavour::Electron => measured.electrons.push(row),
            Flavour::Muon => measured.muons.push(row),
        }
    }
}

/// Photons: as electrons.
fn photon(draws: &mut Draws, p: FourMomentum, balance: &mut Balance, measured: &mut Measured) {
    let (pt, eta, phi) = (p.pt(), p.eta(), p.phi());
    let found = draws.uniform();
    let smeared = pt * (1.0 + sqrt(0.01 / p.energy.max(1.0) + 0.0001) * draws.normal()).max(0.1);
    balance.count(phi, pt, smeared);
    let side = absolute(eta);
    if side < ELECTRON_ETA && !(CRACK[0]..CRACK[1]).contains(&side) && found < PHOTON_EFFICIENCY && smeared > LEPTON_GEV
    {
        measured.photons.push([smeared as f32, eta as f32, azimuth_f32(phi)]);
    }
}

/// Jets: 80 % / sqrt(pT) and 5 %; a log-normal mass around a tenth of pT; a score that says little beyond the tracker.
fn jet(draws: &mut Draws, tune: Tune, jet: &super::truth::Jet, balance: &mut Balance, measured: &mut Measured) {
    let p = jet.momentum;
    let (pt, eta, phi) = (p.pt(), p.eta(), p.phi());
    let [response, spread] = draws.normals();
    let score = draws.uniform();
    let scale = match tune {
        Tune::Nominal => 1.0,
        Tune::Alternative => 1.02,
    };
    let smeared = scale * pt * (1.0 + sqrt(0.64 / pt.max(1.0) + 0.0025) * response).max(0.1);
    balance.count(phi, pt, smeared);
    if !(smeared > JET_GEV && absolute(eta) < JET_ETA) {
        return;
    }
    let power = match jet.flavour {
        _ if absolute(eta) > TAG_ETA => TAG[2],
        JetFlavour::Bottom => TAG[0],
        JetFlavour::Charm => TAG[1],
        JetFlavour::Light => TAG[2],
    };
    let (mass, tag) = (0.1 * smeared * exp(0.3 * spread), exp(power * ln(score)));
    measured.jets.push([smeared as f32, eta as f32, azimuth_f32(phi), mass as f32, tag as f32]);
}
