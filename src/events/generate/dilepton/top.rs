//! Top quarks: pairs, and one with a W; every W decays to a lepton and a neutrino.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::{TOP_GEV, TOP_WIDTH_GEV, breit_wigner, decay};
use super::truth::{JetFlavour, Truth, above_threshold, w_mass};
use crate::math::lorentz::FourMomentum;

pub const BOTTOM_GEV: f64 = 4.8;
/// The median of m / threshold - 1 of a pair.
const MEDIAN: f64 = 0.35;

fn top_mass(draws: &mut Draws) -> f64 {
    breit_wigner(draws, TOP_GEV, TOP_WIDTH_GEV, TOP_GEV - 15.0, TOP_GEV + 15.0)
}

fn median(tune: Tune) -> f64 {
    match tune {
        Tune::Nominal => MEDIAN,
        Tune::Alternative => 0.92 * MEDIAN,
    }
}

/// t -> b W -> b l nu.
fn decay_top(draws: &mut Draws, truth: &mut Truth, top: FourMomentum, mass: f64, charge: f64) {
    let w = w_mass(draws);
    let [bottom, boson] = decay(draws, top, mass, [BOTTOM_GEV, w]);
    truth.add_jet(JetFlavour::Bottom, bottom);
    truth.decay_w(draws, boson, w, charge);
}

pub fn pair(draws: &mut Draws, tune: Tune, truth: &mut Truth) {
    let masses = [top_mass(draws), top_mass(draws)];
    let mass = above_threshold(draws, masses[0] + masses[1], median(tune));
    let system = truth.system(draws, tune, mass);
    let tops = decay(draws, system, mass, masses);
    decay_top(draws, truth, tops[0], masses[0], 1.0);
    decay_top(draws, truth, tops[1], masses[1], -1.0);
}

pub fn single(draws: &mut Draws, tune: Tune, truth: &mut Truth) {
    let masses = [top_mass(draws), w_mass(draws)];
    let mass = above_threshold(draws, masses[0] + masses[1], median(tune));
    let system = truth.system(draws, tune, mass);
    let [top, w] = decay(draws, system, mass, masses);
    let charge = if draws.happens(0.5) { 1.0 } else { -1.0 };
    decay_top(draws, truth, top, masses[0], charge);
    truth.decay_w(draws, w, masses[1], -charge);
}
