//! Two and three bosons, at least two charged leptons among their products.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::decay;
use super::boson::add_z;
use super::truth::{Truth, above_threshold, photon, w_mass, z_mass};
use crate::math::lorentz::FourMomentum;

/// The medians of m / threshold - 1 of pairs and of three.
const PAIR_MEDIAN: f64 = 0.3;
const TRIPLE_MEDIAN: f64 = 0.5;

/// WW -> l nu l nu, WZ, ZZ, Z gamma.
const DIBOSON: [f64; 4] = [0.6, 0.2, 0.06, 0.14];
/// WWW, WWZ, Z gamma gamma.
const TRIBOSON: [f64; 3] = [0.5, 0.3, 0.2];
/// The share of decays of a W to leptons.
const W_LEPTONIC: f64 = 0.324;
/// Z to neutrinos, quarks and charged leptons.
const Z_SHARES: [f64; 3] = [0.2, 0.7, 0.1];

fn two(draws: &mut Draws, tune: Tune, truth: &mut Truth, masses: [f64; 2]) -> [FourMomentum; 2] {
    let mass = above_threshold(draws, masses[0] + masses[1], PAIR_MEDIAN);
    let system = truth.system(draws, tune, mass);
    decay(draws, system, mass, masses)
}

fn any_w(draws: &mut Draws, truth: &mut Truth, w: FourMomentum, mass: f64, charge: f64) {
    if draws.happens(W_LEPTONIC) {
        truth.decay_w(draws, w, mass, charge);
    } else {
        truth.decay_w_to_quarks(draws, w, mass);
    }
}

fn any_z(draws: &mut Draws, truth: &mut Truth, z: FourMomentum, mass: f64) {
    match draws.choose(&Z_SHARES) {
        0 => truth.lose(z),
        1 => truth.decay_z_to_quarks(draws, z, mass),
        _ => {
            let family = Truth::family(draws);
            truth.decay_z(draws, z, mass, family);
        }
    }
}

fn sign(draws: &mut Draws) -> f64 {
    if draws.happens(0.5) { 1.0 } else { -1.0 }
}

pub fn two_bosons(draws: &mut Draws, tune: Tune, truth: &mut Truth) {
    match draws.choose(&DIBOSON) {
        0 => {
            let masses = [w_mass(draws), w_mass(draws)];
            let [plus, minus] = two(draws, tune, truth, masses);
            truth.decay_w(draws, plus, masses[0], 1.0);
            truth.decay_w(draws, minus, masses[1], -1.0);
        }
        1 => {
            let masses = [z_mass(draws), w_mass(draws)];
            let [z, w] = two(draws, tune, truth, masses);
            let (family, charge) = (Truth::family(draws), sign(draws));
            truth.decay_z(draws, z, masses[0], family);
            any_w(draws, truth, w, masses[1], charge);
        }
        2 => {
            let masses = [z_mass(draws), z_mass(draws)];
            let [one, two] = two(draws, tune, truth, masses);
            let family = Truth::family(draws);
            truth.decay_z(draws, one, masses[0], family);
            any_z(draws, truth, two, masses[1]);
        }
        _ => z_photons(draws, tune, truth, 1),
    }
}

fn z_photons(draws: &mut Draws, tune: Tune, truth: &mut Truth, photons: usize) {
    let (mass, family) = (z_mass(draws), Truth::family(draws));
    add_z(draws, tune, truth, mass, family);
    truth.photons.extend((0..photons).map(|_| photon(draws)));
}

pub fn three_bosons(draws: &mut Draws, tune: Tune, truth: &mut Truth) {
    let kind = draws.choose(&TRIBOSON);
    if kind == 2 {
        return z_photons(draws, tune, truth, 2);
    }
    let last = if kind == 0 { w_mass(draws) } else { z_mass(draws) };
    let masses = [w_mass(draws), w_mass(draws), last];
    let pair_mass = above_threshold(draws, masses[1] + masses[2], PAIR_MEDIAN);
    let mass = above_threshold(draws, masses[0] + pair_mass, TRIPLE_MEDIAN);
    let system = truth.system(draws, tune, mass);
    let [first, pair] = decay(draws, system, mass, [masses[0], pair_mass]);
    let [second, third] = decay(draws, pair, pair_mass, [masses[1], masses[2]]);
    let charge = sign(draws);
    truth.decay_w(draws, first, masses[0], charge);
    truth.decay_w(draws, second, masses[1], if kind == 0 { charge } else { -charge });
    if kind == 0 {
        // Two of the same charge are the first two here, so the third has the other.
        any_w(draws, truth, third, masses[2], -charge);
    } else {
        any_z(draws, truth, third, masses[2]);
    }
}
