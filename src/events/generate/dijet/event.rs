//! One event: the pair of jets, radiation beside it, the underlying event. See the [module](super) for the physics.

use super::super::Tune;
use super::super::draws::{Draws, Stream};
use super::super::is_chosen;
use super::super::kinematics::{BEAMS_GEV, azimuth_f32, decay_at, falling, with_rapidity, wrapped};
use super::prongs::{Leading, prongs};
use super::shower::{Flavour, Particle, Parton, SOFTEST_GEV, Shower, WIDEST};
use super::tagger::{Tags, tags};
use super::{Kind, Pair, ShowerSample};
use crate::math::det::{absolute, cos, exp, ln, sin, sqrt};
use crate::math::lorentz::FourMomentum;

/// The coefficients of t and t^2 in -ln of the survival function of the mass, t = ln(m / threshold): the fit of ATLAS to its
/// dijet masses of 139 fb^-1 (HEPData ins1759712, table 2), summed from above, follows it within a few per cent to 6 TeV.
const THRESHOLD_GEV: f64 = 1100.0;
const SLOPE: f64 = 4.67;
const CURVATURE: f64 = 1.38;
/// Jets of a pair are less than twice this apart in rapidity.
const WIDEST_RAPIDITY: f64 = 1.2;
/// tanh of it.
const LARGEST_COSINE: f64 = 0.8336546070121553;
/// Normal deviates of masses end here.
const LARGEST_DEVIATE: f64 = 4.0;

/// Jets beside the pair: their mean number, their spectrum pT^-2 from here up to this share of the pair's pT.
const EXTRA_JETS: f64 = 1.7;
const EXTRA_SOFTEST_GEV: f64 = 30.0;
const EXTRA_HARDEST: f64 = 0.35;
const EXTRA_ETA: f64 = 2.5;

/// Particles of the underlying event per unit of pseudorapidity and radian, and their mean momentum above the softest.
const UNDERLYING_DENSITY: f64 = 1.0;
const UNDERLYING_GEV: f64 = 0.9;
const UNDERLYING_ETA: f64 = 4.5;

/// Particles beyond are not seen.
const LARGEST_ETA: f64 = 4.9;
/// The radius of a jet about its parton.
const RADIUS: f64 = 1.0;
/// The relative width of the response to a jet.
const RESPONSE: f64 = 0.05;
const SOFTEST_JET_GEV: f64 = 30.0;

/// A large-R jet, as it is written.
#[derive(Debug, Clone)]
pub struct Jet {
    pub particles: Vec<[f32; 3]>,
    pub sum: FourMomentum,
    pub kind: Kind,
    pub tags: Tags,
    axis: [f64; 2],
}

/// An event, as it is written: jets in descending order of pT.
#[derive(Debug)]
pub struct Event {
    pub jets: Vec<Jet>,
    /// Particles of no jet.
    pub loose: Vec<[f32; 3]>,
    /// Missing transverse momentum: x, y.
    pub missing: [f64; 2],
    pub is_signal: bool,
}

pub fn generate(sample: &ShowerSample, shower: &Shower, row: u64) -> Event {
    let mut draws = Draws::new(sample.seed, Stream::Dijet2, sample.first_event.wrapping_add(row));
    let draws = &mut draws;
    let signal = sample.resonance.as_ref().filter(|pair| is_chosen(row, pair.events, sample.events));
    let pair = match signal {
        Some(resonance) => resonant(draws, resonance),
        None => background(draws, sample),
    };
    let extra = extra_jets(draws, sample.tune, pair[0].momentum.pt());
    let kick = extra.iter().fold([0.0; 2], |sum, jet| [sum[0] - jet.momentum.px, sum[1] - jet.momentum.py]);
    let mut event = Event { jets: Vec::new(), loose: Vec::new(), missing: [0.0; 2], is_signal: signal.is_some() };
    for leading in pair.map(|leading| leading.kicked([0.5 * kick[0], 0.5 * kick[1]])).iter().chain(&extra) {
        let jet = jet(draws, shower, leading, &mut event.loose);
        event.jets.push(jet);
    }
    underlying(draws, &mut event);
    complete(&mut event);
    event
}

/// A quark or a gluon for each side: gluons are fewer at high mass.
fn background(draws: &mut Draws, sample: &ShowerSample) -> [Leading; 2] {
    let from = ln(sample.minimum_mass_gev / THRESHOLD_GEV);
    let mass = THRESHOLD_GEV * exp(falling(draws.fine(), from, SLOPE, CURVATURE));
    let mass = mass.min(0.95 * BEAMS_GEV);
    let chi = draws.within(1.0, exp(2.0 * WIDEST_RAPIDITY));
    let sign = if draws.happens(0.5) { 1.0 } else { -1.0 };
    let gluons = gluon_share(sample.tune, mass);
    let kinds = [0; 2].map(|_| if draws.happens(gluons) { Kind::Gluon } else { Kind::Quark });
    pair(draws, mass, [0.0; 2], sign * (chi - 1.0) / (chi + 1.0), kinds)
}

fn gluon_share(tune: Tune, mass_gev: f64) -> f64 {
    let at_threshold = match tune {
        Tune::Nominal => 0.6,
        Tune::Alternative => 0.66,
    };
    (at_threshold - 0.2 * ln(mass_gev / THRESHOLD_GEV)).clamp(0.1, 0.9)
}

fn resonant(draws: &mut Draws, resonance: &Pair) -> [Leading; 2] {
    let spread = |draws: &mut Draws, mean: f64, width: f64| {
        mean * (1.0 + width * draws.normal().clamp(-LARGEST_DEVIATE, LARGEST_DEVIATE))
    };
    let mass = spread(draws, resonance.mass_gev, resonance.width);
    let products = resonance.products.map(|product| spread(draws, product.mass_gev, product.width));
    let cosine = LARGEST_COSINE * draws.within(-1.0, 1.0);
    pair(draws, mass, products, cosine, resonance.products.map(|product| product.decay.kind()))
}

/// Two products of a mass that moves along the beam with a rapidity from a triangle on (-1, 1).
fn pair(draws: &mut Draws, mass: f64, products: [f64; 2], cosine: f64, kinds: [Kind; 2]) -> [Leading; 2] {
    let rapidity = draws.uniform() + draws.uniform() - 1.0;
    let azimuth = draws.azimuth();
    let parent = with_rapidity(0.0, rapidity, 0.0, mass);
    let [one, two] = decay_at(parent, mass, products, cosine, azimuth);
    [
        Leading { momentum: one, mass: products[0], kind: kinds[0] },
        Leading { momentum: two, mass: products[1], kind: kinds[1] },
    ]
}

/// Gluons beside the pair.
fn extra_jets(draws: &mut Draws, tune: Tune, leading_pt: f64) -> Vec<Leading> {
    let mean = match tune {
        Tune::Nominal => EXTRA_JETS,
        Tune::Alternative => 1.1 * EXTRA_JETS,
    };
    let hardest = EXTRA_HARDEST * leading_pt;
    let count = if hardest > EXTRA_SOFTEST_GEV { draws.poisson(mean) } else { 0 };
    let mut extra = |_| {
        let pt = EXTRA_SOFTEST_GEV / (1.0 - draws.uniform() * (1.0 - EXTRA_SOFTEST_GEV / hardest));
        let (rapidity, azimuth) = (draws.within(-EXTRA_ETA, EXTRA_ETA), draws.azimuth());
        Leading { momentum: with_rapidity(pt, rapidity, azimuth, 0.0), mass: 0.0, kind: Kind::Gluon }
    };
    (0..count).map(&mut extra).collect()
}

/// Decays and branches one side of the pair; particles more than the radius away go to `loose`.
fn jet(draws: &mut Draws, shower: &Shower, leading: &Leading, loose: &mut Vec<[f32; 3]>) -> Jet {
    let response = 1.0 + RESPONSE * draws.normal();
    let mut partons = prongs(draws, leading);
    let tags = {
        let momenta: Vec<f64> = partons.iter().map(|parton| parton.pt).collect();
        tags(draws, leading.kind, &momenta)
    };
    let axis = [leading.momentum.eta(), leading.momentum.phi()];
    let (mut all, mut particles) = (Vec::with_capacity(96), Vec::with_capacity(96));
    partons.drain(..).for_each(|parton| shower.run(draws, parton, &mut all));
    for particle in all.iter().filter(|particle| absolute(particle.eta) < LARGEST_ETA) {
        let row = written(particle, response);
        if distance_squared(particle, axis) < RADIUS * RADIUS { particles.push(row) } else { loose.push(row) }
    }
    Jet { particles, sum: FourMomentum::ZERO, kind: leading.kind, tags, axis }
}

#[inline]
fn written(particle: &Particle, response: f64) -> [f32; 3] {
    [(particle.pt * response) as f32, particle.eta as f32, azimuth_f32(particle.phi)]
}

#[inline]
fn distance_squared(particle: &Particle, axis: [f64; 2]) -> f64 {
    let (eta, phi) = (particle.eta - axis[0], wrapped(particle.phi - axis[1]));
    eta * eta + phi * phi
}

/// Soft particles everywhere; each belongs to the nearest jet within the radius.
fn underlying(draws: &mut Draws, event: &mut Event) {
    // 2 eta * 2 pi radians.
    let count = draws.poisson(UNDERLYING_DENSITY * 4.0 * crate::math::det::PI * UNDERLYING_ETA);
    for _ in 0..count {
        let pt = SOFTEST_GEV + UNDERLYING_GEV * draws.exponential();
        let eta = draws.within(-UNDERLYING_ETA, UNDERLYING_ETA);
        let particle = Particle { pt, eta, phi: draws.azimuth() };
        let distances = event.jets.iter().map(|jet| distance_squared(&particle, jet.axis));
        let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let row = written(&particle, 1.0);
        match nearest {
            Some((index, squared)) if squared < RADIUS * RADIUS => event.jets[index].particles.push(row),
            _ => event.loose.push(row),
        }
    }
}

/// Sums, order and missing momentum, from the numbers as they are written.
fn complete(event: &mut Event) {
    let momentum = |row: &[f32; 3]| FourMomentum::from_pt_eta_phi_mass(row[0], row[1], row[2], 0.0);
    for jet in &mut event.jets {
        jet.sum = jet.particles.iter().map(momentum).sum();
    }
    event.jets.sort_by(|a, b| b.sum.pt().total_cmp(&a.sum.pt()));
    let soft = event.jets.iter().position(|jet| jet.sum.pt() < SOFTEST_JET_GEV).unwrap_or(event.jets.len());
    for jet in event.jets.drain(soft..) {
        event.loose.extend(jet.particles);
    }
    let transverse = |row: &[f32; 3]| {
        let (pt, phi) = (f64::from(row[0]), f64::from(row[2]));
        [pt * cos(phi), pt * sin(phi)]
    };
    let mut visible = [0.0; 2];
    let loose = event.loose.iter().map(transverse);
    for [x, y] in event.jets.iter().map(|jet| [jet.sum.px, jet.sum.py]).chain(loose) {
        visible = [visible[0] + x, visible[1] + y];
    }
    event.missing = visible.map(|component| -component);
}

impl Leading {
    /// The same with more transverse momentum.
    fn kicked(mut self, kick: [f64; 2]) -> Self {
        let p = &mut self.momentum;
        (p.px, p.py) = (p.px + kick[0], p.py + kick[1]);
        p.energy = sqrt(p.px * p.px + p.py * p.py + p.pz * p.pz + self.mass * self.mass);
        self
    }

    /// The parton of this momentum, as if it were massless in the transverse plane.
    pub fn parton(&self, flavour: Flavour) -> Parton {
        let p = self.momentum;
        Parton { pt: p.pt(), eta: p.eta(), phi: p.phi(), angle: WIDEST, flavour }
    }
}
