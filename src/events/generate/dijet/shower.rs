//! The branching of one parton into particles: see the [module](super) for the physics.

use super::super::Tune;
use super::super::draws::Draws;
use super::super::kinematics::wrapped;
use crate::math::det::{cos, exp, ln, sin, sqrt};

/// A final particle: transverse momentum in GeV, pseudorapidity, azimuth; massless.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Particle {
    pub pt: f64,
    pub eta: f64,
    pub phi: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Light or charmed.
    Quark,
    Bottom,
    Gluon,
    /// Of the hidden sector, from which everything comes back.
    Dark,
    /// Of the hidden sector, from which a share does not come back.
    SemiVisible,
}

/// A parton that may branch at angles below `angle`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parton {
    pub pt: f64,
    pub eta: f64,
    pub phi: f64,
    pub angle: f64,
    pub flavour: Flavour,
}

impl Parton {
    /// The two products: `share` of the transverse momentum goes to the first, and both move so that the sum keeps its
    /// direction to first order in the angle.
    #[inline]
    fn split(&self, draws: &mut Draws, share: f64, angle: f64, flavours: [Flavour; 2]) -> [Parton; 2] {
        let direction = draws.azimuth();
        let (x, y) = (angle * cos(direction), angle * sin(direction));
        let product = |share: f64, lever: f64, flavour: Flavour| Parton {
            pt: share * self.pt,
            eta: self.eta + lever * x,
            phi: self.phi + lever * y,
            angle,
            flavour,
        };
        [product(share, 1.0 - share, flavours[0]), product(1.0 - share, -share, flavours[1])]
    }
}

/// The parameters of the branching; see the table of the [module](super).
#[derive(Debug, Clone, Copy)]
pub struct Shower {
    colour_quark: f64,
    colour_gluon: f64,
    /// Branchings of less relative transverse momentum are not resolved, in GeV.
    cutoff_gev: f64,
    /// The coupling at the cutoff: the largest.
    alpha_largest: f64,
    /// ln(m_b / k_0).
    ln_dead_cone: f64,
    /// Hadrons beyond the first for each e-fold of a parton's momentum.
    hadrons: f64,
    /// The share of semi-visible mesons that leave no trace.
    invisible: f64,
}

/// (33 - 2 n_f) / (6 pi) for five flavours.
const RUNNING: f64 = 1.220_187_815_946_665_6;
/// n_f T_R of the branching of gluons to quarks, for five flavours.
const QUARK_PAIRS: f64 = 2.5;
/// A bound of the gluon's splitting function over 2 C_A / z, quark pairs included: its value at z = 1/2 is 1.33.
const GLUON_BOUND: f64 = 1.36;
const TWO_OVER_PI: f64 = std::f64::consts::FRAC_2_PI;

const LN_2: f64 = std::f64::consts::LN_2;
const Z_GEV: f64 = 91.1876;
const BOTTOM_GEV: f64 = 4.8;
const B_HADRON_GEV: f64 = 5.3;
/// The products of a decay of a b hadron, and the share of decays with a neutrino among them.
const B_PRODUCTS: usize = 5;
const B_NEUTRINO: f64 = 0.22;

/// A parton of this momentum is not much more than one hadron.
const HADRON_SCALE_GEV: f64 = 0.7;
/// The width of a hadron's momentum in either transverse direction.
const HADRON_TRANSVERSE_GEV: f64 = 0.25;
const MOST_HADRONS: usize = 24;

/// 2 alpha C / pi of the hidden sector: about five times that of light quarks at the same scale.
const DARK_RATE: f64 = 0.9;
const DARK_CUTOFF_GEV: f64 = 6.0;
const DARK_MESON_GEV: f64 = 12.0;

/// The widest angle at which a jet's parton radiates.
pub const WIDEST: f64 = 1.0;
/// Softer particles are not seen.
pub const SOFTEST_GEV: f64 = 0.3;

/// How partons of one flavour branch.
struct Kind {
    /// 2 alpha C / pi at most, and the bound of w(z).
    rate: f64,
    /// The largest share of the first product.
    largest: f64,
    cutoff_gev: f64,
    /// Below this ln(z_max p theta / k_0) nothing is resolved.
    end: f64,
    /// Whether the coupling depends on the scale.
    runs: bool,
}

impl Shower {
    pub fn new(tune: Tune, invisible: f64) -> Self {
        let (alpha_z, colour_quark, colour_gluon, cutoff_gev, hadrons) = match tune {
            Tune::Nominal => (0.118, 4.0 / 3.0, 3.0, 0.9, 1.35),
            Tune::Alternative => (0.126, 4.0 / 3.0, 2.75, 1.1, 1.6),
        };
        let (alpha_largest, ln_dead_cone) = (0.0, 0.0);
        let mut shower =
            Self { colour_quark, colour_gluon, cutoff_gev, alpha_largest, ln_dead_cone, hadrons, invisible };
        // One loop, from the mass of the Z.
        shower.alpha_largest = alpha_z / (1.0 + RUNNING * alpha_z * ln(cutoff_gev / Z_GEV));
        shower.ln_dead_cone = ln(BOTTOM_GEV / cutoff_gev);
        shower
    }

    /// Branches `first` down to particles, which are appended to `particles`; what leaves no trace is lost.
    pub fn run(&self, draws: &mut Draws, first: Parton, particles: &mut Vec<Particle>) {
        let mut open = vec![first];
        while let Some(parton) = open.pop() {
            match self.branching(draws, &parton) {
                Some(products) => open.extend(products),
                None => match parton.flavour {
                    Flavour::Quark | Flavour::Gluon => self.hadronise(draws, parton, particles),
                    Flavour::Bottom => decay_bottom(draws, parton, particles),
                    Flavour::Dark | Flavour::SemiVisible => self.decay_dark(draws, parton, &mut open),
                },
            }
        }
    }

    /// The next branching of `parton`, by the veto algorithm in descending angle; none if it reaches the cutoff first.
    ///
    /// Everything is in logarithms, so that an attempt costs one of them: `reach` is ln(z_max p theta / k_0), which falls by an
    /// exponential deviate over the rate; ln(z / z_max) is flat between -reach and 0.
    fn branching(&self, draws: &mut Draws, parton: &Parton) -> Option<[Parton; 2]> {
        let kind = self.kind(parton.flavour);
        let first = ln(kind.largest * parton.pt * parton.angle / kind.cutoff_gev);
        let mut reach = first;
        // Written so that a reach that is no number ends the loop too.
        while reach > kind.end {
            let before = reach;
            reach -= draws.exponential() / (kind.rate * before);
            let share = before * draws.uniform();
            let accept = draws.uniform();
            if reach < kind.end {
                return None;
            }
            // ln(z p theta / k_0).
            let mut resolution = reach - share;
            if resolution < 0.0 {
                continue;
            }
            let z = kind.largest * exp(-share);
            if z > 0.5 {
                resolution += ln((1.0 - z) / z);
                if resolution < 0.0 {
                    continue;
                }
            }
            let coupling = if kind.runs { self.coupling(resolution) } else { 1.0 };
            if let Some(flavours) = self.flavours(parton.flavour, z, accept, coupling) {
                return Some(parton.split(draws, z, parton.angle * exp(reach - first), flavours));
            }
        }
        None
    }

    fn kind(&self, flavour: Flavour) -> Kind {
        let colour = TWO_OVER_PI * self.alpha_largest;
        let cutoff_gev = self.cutoff_gev;
        match flavour {
            Flavour::Quark => {
                Kind { rate: colour * self.colour_quark, largest: 1.0, cutoff_gev, end: LN_2, runs: true }
            }
            Flavour::Bottom => {
                // No emission is collinear with a heavy quark: the dead cone.
                let end = self.ln_dead_cone.max(LN_2);
                Kind { rate: colour * self.colour_quark, largest: 1.0, cutoff_gev, end, runs: true }
            }
            Flavour::Gluon => {
                let rate = colour * self.colour_gluon * GLUON_BOUND;
                Kind { rate, largest: 0.5, cutoff_gev, end: 0.0, runs: true }
            }
            Flavour::Dark | Flavour::SemiVisible => {
                Kind { rate: DARK_RATE, largest: 1.0, cutoff_gev: DARK_CUTOFF_GEV, end: LN_2, runs: false }
            }
        }
    }

    /// The coupling at k over that at the cutoff, for `resolution` = ln(k / k_0).
    #[inline]
    fn coupling(&self, resolution: f64) -> f64 {
        // 1 / alpha is linear in ln k.
        1.0 / (1.0 + RUNNING * self.alpha_largest * resolution)
    }

    /// What an attempt at `z` becomes, if the number `accept` accepts it.
    #[inline]
    fn flavours(&self, flavour: Flavour, z: f64, accept: f64, coupling: f64) -> Option<[Flavour; 2]> {
        let soft = 1.0 - z + 0.5 * z * z;
        match flavour {
            Flavour::Dark | Flavour::SemiVisible => (accept < soft).then_some([flavour; 2]),
            Flavour::Quark | Flavour::Bottom => (accept < coupling * soft).then_some([Flavour::Gluon, flavour]),
            Flavour::Gluon => {
                let gluons = (1.0 - z) + z * z / (1.0 - z) + z * z * (1.0 - z);
                let quarks = QUARK_PAIRS / self.colour_gluon * z * (z * z + (1.0 - z) * (1.0 - z));
                // The same number chooses: what is accepted first makes gluons, what is accepted then quarks.
                let level = accept * GLUON_BOUND;
                if level < coupling * gluons {
                    Some([Flavour::Gluon; 2])
                } else {
                    (level < coupling * (gluons + quarks)).then_some([Flavour::Quark; 2])
                }
            }
        }
    }

    /// A dark meson decays to two light quarks, or is not seen.
    fn decay_dark(&self, draws: &mut Draws, meson: Parton, open: &mut Vec<Parton>) {
        if meson.flavour == Flavour::SemiVisible && draws.happens(self.invisible) {
            return;
        }
        let share = draws.within(0.1, 0.9);
        let angle = (DARK_MESON_GEV / (meson.pt * sqrt(share * (1.0 - share)))).min(WIDEST);
        open.extend(meson.split(draws, share, angle, [Flavour::Quark, Flavour::Quark]));
    }

    /// A parton that branches no more becomes hadrons: shares of its momentum that go as the squares of exponential deviates,
    /// each with a small transverse momentum; these sum to zero.
    fn hadronise(&self, draws: &mut Draws, parton: Parton, particles: &mut Vec<Particle>) {
        let count = 1 + draws.poisson(self.hadrons * ln(1.0 + parton.pt / HADRON_SCALE_GEV)).min(MOST_HADRONS - 1);
        if count == 1 {
            return finish(parton.pt, parton.eta, parton.phi, particles);
        }
        let (mut rows, mut total, mut drift) = ([[0.0; 3]; MOST_HADRONS], 0.0, [0.0; 2]);
        for row in &mut rows[..count] {
            let [x, y] = draws.bells();
            let share = draws.exponential();
            *row = [share * share, x, y];
            total += row[0];
            drift = [drift[0] + x, drift[1] + y];
        }
        let width = HADRON_TRANSVERSE_GEV / parton.pt;
        for &[share, x, y] in &rows[..count] {
            let share = share / total;
            // The transverse momentum over the hadron's own; together they balance.
            let lever = (width / share).min(1.0);
            let (x, y) = (x - drift[0] / count as f64, y - drift[1] / count as f64);
            finish(parton.pt * share, parton.eta + lever * x, parton.phi + lever * y, particles);
        }
    }
}

#[inline]
fn finish(pt: f64, eta: f64, phi: f64, particles: &mut Vec<Particle>) {
    if pt >= SOFTEST_GEV {
        particles.push(Particle { pt, eta, phi: wrapped(phi) });
    }
}

/// A b hadron: shares of its momentum as in a flat phase space, at angles of the order of m / pT.
fn decay_bottom(draws: &mut Draws, hadron: Parton, particles: &mut Vec<Particle>) {
    let shares: [f64; B_PRODUCTS] = std::array::from_fn(|_| draws.exponential());
    let total: f64 = shares.iter().sum();
    let neutrino = draws.happens(B_NEUTRINO);
    for share in shares.iter().skip(usize::from(neutrino)) {
        let angle = (0.5 * B_HADRON_GEV / hadron.pt * draws.exponential()).min(WIDEST);
        let direction = draws.azimuth();
        let (eta, phi) = (hadron.eta + angle * cos(direction), hadron.phi + angle * sin(direction));
        finish(hadron.pt * share / total, eta, phi, particles);
    }
}
