//! One event: draws, masses, two-body decay. See the [module](super) for the physics.

use super::Resonance;
use crate::math::det::{self, asinh, cos, cosh, exp, ln, sinh, sqrt};
use crate::math::philox::Philox;

/// The mass of the Higgs-like jet.
pub(super) const HIGGS_GEV: f64 = 125.0;
const HIGGS_WIDTH: f64 = 0.1;
/// Normal deviates of the resonance end here, so that no mass comes near zero.
const LARGEST_DEVIATE: f64 = 4.0;

/// Where the background begins, and the coefficients of t and t^2 in -ln of its survival function, t = ln(m / threshold).
const THRESHOLD_GEV: f64 = 1100.0;
const SLOPE: f64 = 2.6;
const CURVATURE: f64 = 0.4;

/// ln of the median mass of the heavier jet at the reference dijet mass, its growth, and its width.
const LN_MEDIAN_GEV: f64 = 5.010635294096256;
/// ln(1100 / 1300).
const LN_THRESHOLD_TO_REFERENCE: f64 = -0.1670540846631662;
const MEDIAN_GROWTH: f64 = 1.0;
const LN_WIDTH: f64 = 0.6;
const SMALLEST_RATIO: f64 = 0.15;

/// tanh(0.6): light jets are then less than 1.2 apart in pseudorapidity.
const LARGEST_COSINE: f64 = 0.5370495669980353;

const SOFTEST_GEV: f64 = 30.0;
const HARDEST_SOFT_GEV: f64 = 400.0;
const SOFT_MASS_TO_PT: f64 = 0.1;
const SOFT_ETA: f64 = 2.5;

/// The draws of an event; none is used twice.
mod draw {
    pub const PAIR_MASS: u64 = 0;
    pub const DECAY: u64 = 1;
    pub const BOOST: u64 = 2;
    pub const SOFT_NUMBER: u64 = 3;
    /// Two for each softer jet.
    pub const SOFT: u64 = 4;
    pub const RESONANCE: u64 = 16;
    /// Two for each attempt at the masses of the background's jets.
    pub const JET_MASSES: u64 = 32;
}

/// Attempts at a pair of masses; one fails with a probability below 0.1, so that all fail for one event in 10^20, which
/// then gets the last pair scaled down.
const ATTEMPTS: u64 = 20;

#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Background,
    Resonance(&'a Resonance),
}

/// A jet in GeV and radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Jet {
    pub pt: f32,
    pub eta: f32,
    pub phi: f32,
    pub mass: f32,
}

#[derive(Debug, Clone, Copy)]
struct Masses {
    pair: f64,
    jets: [f64; 2],
}

/// Hands the jets of event `number` to `take` in descending order of pT.
pub(super) fn generate(random: &Philox, number: u64, source: Source<'_>, mut take: impl FnMut(Jet)) {
    let masses = match source {
        Source::Background => background(random, number),
        Source::Resonance(resonance) => resonant(random, number, resonance),
    };
    let leading = decay(random, number, masses);
    leading.into_iter().for_each(&mut take);
    softer(random, number, f64::from(leading[0].pt), take);
}

fn background(random: &Philox, number: u64) -> Masses {
    let [uniform, _] = random.uniforms(number, draw::PAIR_MASS);
    let t = (sqrt(SLOPE * SLOPE - 4.0 * CURVATURE * ln(uniform)) - SLOPE) / (2.0 * CURVATURE);
    let growth = exp(t);
    let pair = THRESHOLD_GEV * growth;
    let ln_median = LN_MEDIAN_GEV + MEDIAN_GROWTH * (t + LN_THRESHOLD_TO_REFERENCE);
    let mut jets = [0.0; 2];
    for attempt in 0..ATTEMPTS {
        let first = draw::JET_MASSES + 2 * attempt;
        let [ratio, accept] = random.uniforms(number, first + 1);
        let heavier = exp(ln_median + LN_WIDTH * normals(random, number, first)[0]);
        jets = [heavier, heavier * (SMALLEST_RATIO + (1.0 - SMALLEST_RATIO) * sqrt(ratio))];
        let share = (jets[0] + jets[1]) / pair;
        let open = 1.0 - share * share;
        if share < 1.0 && accept < open * open {
            return Masses { pair, jets };
        }
    }
    let scale = 0.5 * pair / (jets[0] + jets[1]);
    Masses { pair, jets: [jets[0] * scale, jets[1] * scale] }
}

fn resonant(random: &Philox, number: u64, resonance: &Resonance) -> Masses {
    let [first, second] = normals(random, number, draw::RESONANCE);
    let [third, _] = normals(random, number, draw::RESONANCE + 1);
    let spread =
        |mean: f64, width: f64, deviate: f64| mean * (1.0 + width * deviate.clamp(-LARGEST_DEVIATE, LARGEST_DEVIATE));
    Masses {
        pair: spread(resonance.mass_y_gev, resonance.width_y, first),
        jets: [spread(resonance.mass_x_gev, resonance.width_x, second), spread(HIGGS_GEV, HIGGS_WIDTH, third)],
    }
}

/// Two normal deviates (Box and Muller, 1958, doi 10.1214/aoms/1177706645).
fn normals(random: &Philox, number: u64, draw: u64) -> [f64; 2] {
    let [radius, angle] = random.uniforms(number, draw);
    let radius = sqrt(-2.0 * ln(radius));
    let angle = 2.0 * det::PI * angle;
    [radius * cos(angle), radius * det::sin(angle)]
}

/// The two jets of a pair that decays flat in cos theta* and moves along the beam; the first is the heavier or the
/// lighter one with equal probability.
fn decay(random: &Philox, number: u64, masses: Masses) -> [Jet; 2] {
    let [u_cosine, u_azimuth] = random.uniforms(number, draw::DECAY);
    let [boost, order] = random.uniforms(number, draw::BOOST);
    let cosine = LARGEST_COSINE * (2.0 * u_cosine - 1.0);
    let [one, two] = masses.jets;
    let (sum, difference) = ((one + two) / masses.pair, (one - two) / masses.pair);
    // lambda(M^2, m_1^2, m_2^2) / (4 M^2), zero where the decay is closed.
    let open = ((1.0 - sum) * (1.0 + sum) * (1.0 - difference) * (1.0 + difference)).max(0.0);
    let momentum = 0.5 * masses.pair * sqrt(open);
    let pt = momentum * sqrt((1.0 - cosine) * (1.0 + cosine));
    let along = momentum * cosine;
    // The sum of two uniform numbers, less its mean, has a triangle on (-1, 1); this inverts its distribution.
    let rapidity = if boost < 0.5 { sqrt(2.0 * boost) - 1.0 } else { 1.0 - sqrt(2.0 * (1.0 - boost)) };
    let (shift, stretch) = (sinh(rapidity), cosh(rapidity));
    let azimuth = det::PI * (2.0 * u_azimuth - 1.0);
    let opposite = if azimuth < 0.0 { azimuth + det::PI } else { azimuth - det::PI };
    let jet = |mass: f64, along: f64, azimuth: f64| {
        let energy = sqrt(momentum * momentum + mass * mass);
        let eta = if pt > 0.0 { asinh((stretch * along + shift * energy) / pt) } else { 0.0 };
        Jet { pt: pt as f32, eta: eta as f32, phi: azimuth as f32, mass: mass as f32 }
    };
    let jets = [jet(one, along, azimuth), jet(two, -along, opposite)];
    if order < 0.5 { jets } else { [jets[1], jets[0]] }
}

/// None to three jets below half of `leading_pt`, in descending order of pT.
fn softer(random: &Philox, number: u64, leading_pt: f64, take: impl FnMut(Jet)) {
    let [uniform, _] = random.uniforms(number, draw::SOFT_NUMBER);
    // 40 %, 30 %, 20 % and 10 % have none to three.
    let count = [0.4, 0.7, 0.9].iter().filter(|&&until| uniform >= until).count();
    let mut hardest = HARDEST_SOFT_GEV.min(0.5 * leading_pt);
    let mut take = take;
    for jet in 0..count as u64 {
        if hardest <= SOFTEST_GEV {
            return;
        }
        let [u_pt, u_eta] = random.uniforms(number, draw::SOFT + 2 * jet);
        let [u_azimuth, u_mass] = random.uniforms(number, draw::SOFT + 2 * jet + 1);
        let pt = SOFTEST_GEV / (1.0 - u_pt * (1.0 - SOFTEST_GEV / hardest));
        take(Jet {
            pt: pt as f32,
            eta: (SOFT_ETA * (2.0 * u_eta - 1.0)) as f32,
            phi: (det::PI * (2.0 * u_azimuth - 1.0)) as f32,
            mass: (SOFT_MASS_TO_PT * pt * (0.5 + u_mass)) as f32,
        });
        hardest = pt;
    }
}
