//! The signals: heavy scalar, Z', graviton, pairs of stops.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::{BEAMS_GEV, W_GEV, breit_wigner, cosine, decay, decay_at};
use super::top::BOTTOM_GEV;
use super::truth::{Family, JetFlavour, Truth, above_threshold, z_mass};
use super::{Signal, SignalKind};

/// Widths relative to the mass. The graviton's is that of k / M_Planck = 0.1.
const SCALAR_WIDTH: f64 = 0.01;
const Z_PRIME_WIDTH: f64 = 0.03;
const GRAVITON_WIDTH: f64 = 0.014;
/// Gravitons from gluons; the others are from quarks.
const FROM_GLUONS: f64 = 0.6;
/// The median of m / threshold - 1 of a pair of stops.
const STOP_MEDIAN: f64 = 0.25;

pub fn generate(draws: &mut Draws, tune: Tune, signal: &Signal, truth: &mut Truth) {
    match signal.kind {
        SignalKind::HeavyScalar => scalar(draws, tune, signal.mass_gev, truth),
        SignalKind::ZPrime => {
            let (mass, family) = resonance(draws, signal.mass_gev, Z_PRIME_WIDTH);
            let angle = cosine(draws, 2.0, |c| 1.0 + c * c);
            leptons(draws, tune, truth, mass, family, angle);
        }
        SignalKind::Graviton => {
            let (mass, family) = resonance(draws, signal.mass_gev, GRAVITON_WIDTH);
            let angle = if draws.happens(FROM_GLUONS) {
                cosine(draws, 1.0, |c| 1.0 - c * c * c * c)
            } else {
                cosine(draws, 2.0, |c| 1.0 - 3.0 * c * c + 4.0 * c * c * c * c)
            };
            leptons(draws, tune, truth, mass, family, angle);
        }
        SignalKind::StopPair => stops(draws, tune, signal, truth),
    }
}

/// The mass of a resonance within half and one and a half of its pole, and the family of its leptons.
fn resonance(draws: &mut Draws, mass: f64, width: f64) -> (f64, Family) {
    let mass = breit_wigner(draws, mass, width * mass, 0.5 * mass, 1.5 * mass);
    (mass.min(0.9 * BEAMS_GEV), Truth::light_family(draws))
}

fn leptons(draws: &mut Draws, tune: Tune, truth: &mut Truth, mass: f64, family: Family, cosine: f64) {
    let system = truth.system(draws, tune, mass);
    let azimuth = draws.azimuth();
    let pair = decay_at(system, mass, [0.0; 2], cosine, azimuth);
    truth.add_pair(draws, family, pair);
}

/// S -> Z Z -> l l nu nu.
fn scalar(draws: &mut Draws, tune: Tune, mass: f64, truth: &mut Truth) {
    let mass = breit_wigner(draws, mass, SCALAR_WIDTH * mass, 0.9 * mass, 1.1 * mass);
    let masses = [z_mass(draws), z_mass(draws)];
    // Near the threshold both are as light as they must be.
    let share = (0.98 * mass / (masses[0] + masses[1])).min(1.0);
    let masses = masses.map(|z| share * z);
    let system = truth.system(draws, tune, mass);
    let [visible, lost] = decay(draws, system, mass, masses);
    let family = Truth::light_family(draws);
    truth.decay_z(draws, visible, masses[0], family);
    truth.lose(lost);
}

/// Each stop to a b quark and a chargino half-way to the neutralino, which becomes W and neutralino; W -> l nu.
fn stops(draws: &mut Draws, tune: Tune, signal: &Signal, truth: &mut Truth) {
    let (stop, neutralino) = (signal.mass_gev, signal.neutralino_gev);
    let chargino = 0.5 * (stop + neutralino);
    let w = W_GEV.min(0.8 * (chargino - neutralino));
    let mass = above_threshold(draws, 2.0 * stop, STOP_MEDIAN);
    let system = truth.system(draws, tune, mass);
    for (momentum, charge) in decay(draws, system, mass, [stop; 2]).into_iter().zip([1.0, -1.0]) {
        let [bottom, heavy] = decay(draws, momentum, stop, [BOTTOM_GEV, chargino]);
        truth.add_jet(JetFlavour::Bottom, bottom);
        let [boson, lost] = decay(draws, heavy, chargino, [w, neutralino]);
        truth.decay_w(draws, boson, w, charge);
        truth.add_invisible(lost);
    }
}
