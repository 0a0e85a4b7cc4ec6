//! `dijet/2`: pairs of jets that are made of particles.
//!
//! **Background.** The mass of the pair has the survival function exp(-4.67 t - 1.38 t^2), t = ln(m / 1100 GeV), of the dijet
//! spectrum that ATLAS measured (arXiv:1910.08447), above a chosen minimum. chi = (1 + c) / (1 - c), c = |cos theta*|, is
//! flat up to exp(2.4), as t-channel exchange makes it. Each side is a gluon with the probability 0.6 - 0.2 t (within 0.1
//! to 0.9), else a quark.
//!
//! **Resonance.** Y -> A B with normal masses (cut at 4 widths) and flat cos theta* below tanh 1.2. Each product is a quark
//! ([`Decay::Quark`]) or decays isotropically: to two quarks, to b W-like (masses as in the top's decay, scaled), to two b
//! quarks, or to hidden quarks. Exactly the stated number of events are resonant, spread evenly.
//!
//! **Branching** (coherent and angular-ordered: Marchesini and Webber, Nucl. Phys. B238 (1984) 1; the veto algorithm as in
//! Sjostrand, Mrenna and Skands, hep-ph/0603175, 4.2). A parton of transverse momentum p branches at the angle theta in the
//! plane of pseudorapidity and azimuth with the probability
//!
//! (2 alpha(k) C / pi) w(z) dtheta/theta dz/z,   k = min(z, 1 - z) p theta > k_0,
//!
//! alpha at one loop with five flavours; for quarks C = C_F, w = 1 - z + z^2/2, for gluons C = C_A and z <= 1/2,
//! w = 1 - z + z^2/(1 - z) + z^2 (1 - z) to gluons and (5/2 C_A) z (z^2 + (1 - z)^2) to quarks. Products branch at smaller
//! angles. The first angle is 1, or that to the nearest other parton of a decay. Below k_0 a parton becomes 1 + n massless
//! hadrons, n Poisson of mean h ln(1 + p / 0.7 GeV): logarithmic in the momentum as in longitudinal phase space (the tube
//! model; Webber, hep-ph/9411384). Their shares go as squares of exponential deviates, their transverse momenta are 0.25
//! GeV wide in either direction and sum to zero; those above 0.3 GeV are seen. A b quark does not radiate within m_b / p, and
//! ends as a b hadron of five products. Hidden quarks branch with the fixed rate 0.9 w(z) down to
//! k_0 = 6 GeV into mesons of 12 GeV, which decay to two quarks or leave no trace.
//!
//! | | alpha(m_Z) | C_A | k_0 (GeV) | h | gluons at 1.1 TeV | extra jets |
//! |---|---|---|---|---|---|---|
//! | [`Tune::Nominal`] | 0.118 | 3 | 0.9 | 1.35 | 0.6 | 1.7 |
//! | [`Tune::Alternative`] | 0.126 | 2.75 | 1.1 | 1.6 | 0.66 | 1.87 |
//!
//! The nominal parameters were chosen once, beside the 907 background events of the small LHC Olympics file. Of the two
//! leading anti-kt jets (R = 1) of 1 to 1.5 TeV the medians there, and of 3,000 events above 2.5 TeV here in brackets, are: m/pT
//! 0.121 [0.131], constituents 50 [48], tau_21 0.574 [0.538], tau_32 0.742 [0.731] (kt axes), pT share of the hardest
//! constituent 0.258 [0.244], constituents' median pT 5.1 [5.0] GeV, girth 0.067 [0.069]. `FatJet` here, which knows no
//! neighbours, has 0.109 and 45.5.
//!
//! **Beside the pair.** Gluon jets (a Poisson number, pT^-2 from 30 GeV to 0.35 of the pair's pT, flat within |eta| < 2.5)
//! against which the pair recoils; an underlying event of one particle per unit of eta and radian within |eta| < 4.5, of
//! 0.3 GeV and an exponential of 0.9 GeV. The response to each side is normal, of width 5 %. The missing momentum balances
//! all particles as they are written.
//!
//! **Jets.** `FatJet` holds the sums of the particles within 1 of each initial parton (no clustering: a particle belongs to the
//! jet of its own parton; the underlying event's to the nearest), above 30 GeV, by pT. Particles are written jet by
//! jet, `FatJet_nConstituents` of each, then those of no jet.
//!
//! **Flavour tags are parametrised**, not simulated: up to three track-jets (the prongs, or soft companions of a single one)
//! with normal ln(p_b/p_light) of mean 4, 0.5, -3 for b, c, light, and width about 2; the class probabilities of Higgs,
//! top and QCD are the softmax of (x_1 + x_2)/2 - 1.1, x_1/2 + s - 1 and 0 with the two largest x = ln(p_b/p_light) and
//! s = 1.2 for three prongs, else -1.2, of width 0.7. 60 % of H -> bb of 125 GeV then have D_Hbb > 2.44
//! (f_top = 0.25).
//!
//! **Neglected.** Parton densities, interference, colour connection of initial and final state, hadron masses, magnetic field,
//! granularity, pile-up; momentum is conserved to first order in the angles of the branching.

mod event;
mod prongs;
mod shower;
mod tagger;

use std::ops::Range;

use serde::Serialize;

use super::record::Record;
use super::{Generator, Tune, check_numbers, usage};
use crate::error::{Problems, Result};
use crate::events::{CollectionProjection, EventBatch, Layout, Projection};
use crate::math::det::{is_finite, sqrt};
use event::{Event, Jet};
use shower::Shower;

/// The name of this generator and its version. It is frozen: a change of any event is a new version.
pub const DIJET_2: &str = "dijet/2";

/// What a side of the pair is: the values of the columns `truth_decay_1` and `truth_decay_2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Quark = 0,
    Gluon = 1,
    TwoProng = 2,
    ThreeProng = 3,
    Bottoms = 4,
    Dark = 5,
    SemiVisible = 6,
}

/// What a product of the resonance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// It is a light quark itself: one prong; its mass is 0.
    Quark,
    /// Two light quarks.
    TwoProng,
    /// A b quark and a lighter particle, which becomes two light quarks: a top.
    ThreeProng,
    /// Two b quarks: a Higgs boson.
    #[serde(rename = "bb")]
    Bottoms,
    /// A shower of hidden quarks, all of which come back: many soft, wide prongs.
    Dark,
    /// The same, of which a share leaves no trace.
    SemiVisible,
}

impl Decay {
    fn kind(self) -> Kind {
        match self {
            Self::Quark => Kind::Quark,
            Self::TwoProng => Kind::TwoProng,
            Self::ThreeProng => Kind::ThreeProng,
            Self::Bottoms => Kind::Bottoms,
            Self::Dark => Kind::Dark,
            Self::SemiVisible => Kind::SemiVisible,
        }
    }
}

/// A product of the resonance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Product {
    /// The mean mass; 0 for [`Decay::Quark`].
    pub mass_gev: f64,
    /// The standard deviation of the mass, relative to its mean.
    pub width: f64,
    /// What it does.
    pub decay: Decay,
}

/// A resonance Y -> A B in a [`ShowerSample`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// How many of the sample's events are resonant.
    pub events: u64,
    /// The mean mass of Y.
    pub mass_gev: f64,
    /// The standard deviation of Y's mass, relative to its mean.
    pub width: f64,
    /// What it becomes.
    pub products: [Product; 2],
}

impl Default for Pair {
    /// 100 events of Y (3 TeV) -> X (400 GeV, two prongs) H (125 GeV, two b quarks); widths of 1 %, 1 % and 0.
    fn default() -> Self {
        let x = Product { mass_gev: 400.0, width: 0.01, decay: Decay::TwoProng };
        let h = Product { mass_gev: 125.0, width: 0.0, decay: Decay::Bottoms };
        Self { events: 100, mass_gev: 3000.0, width: 0.01, products: [x, h] }
    }
}

/// What is written of each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Jets and their tags.
    #[default]
    Jets,
    /// Also all particles.
    Particles,
}

/// A sample of dijet events that are made of particles.
///
/// ```
/// use trawl::events::{Content, Generator, ShowerSample};
/// let sample = ShowerSample { events: 5, content: Content::Particles, ..ShowerSample::default() };
/// let batch = sample.columns(0..5);
/// assert_eq!(sample.projection().collections[1].name, "Particle");
/// assert_eq!(batch.columns.events, 5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShowerSample {
    /// Samples of different seeds are independent.
    pub seed: u64,
    /// How many events there are, resonant ones included.
    pub events: u64,
    /// The number of the first event; samples of one seed whose numbers do not overlap are independent.
    pub first_event: u64,
    /// Where the background's mass of the pair begins.
    pub minimum_mass_gev: f64,
    /// Which stand-in for a generator makes it.
    pub tune: Tune,
    /// What is injected.
    pub resonance: Option<Pair>,
    /// The share of hidden mesons that leave no trace, in [`Decay::SemiVisible`].
    pub invisible: f64,
    /// What is written.
    pub content: Content,
    /// The weight of every event.
    pub weight: f32,
}

impl Default for ShowerSample {
    /// 100,000 background events above 1100 GeV of weight 1: jets, nominal; half of hidden mesons invisible.
    fn default() -> Self {
        Self {
            seed: 1,
            events: 100_000,
            first_event: 0,
            minimum_mass_gev: 1100.0,
            tune: Tune::Nominal,
            resonance: None,
            invisible: 0.5,
            content: Content::Jets,
            weight: 1.0,
        }
    }
}

const JET: [&str; 20] = [
    "pt",
    "eta",
    "phi",
    "mass",
    "nConstituents",
    "pH",
    "pTop",
    "pQCD",
    "trackJet1_pt",
    "trackJet1_pb",
    "trackJet1_pc",
    "trackJet1_pu",
    "trackJet2_pt",
    "trackJet2_pb",
    "trackJet2_pc",
    "trackJet2_pu",
    "trackJet3_pt",
    "trackJet3_pb",
    "trackJet3_pc",
    "trackJet3_pu",
];
const SCALARS: [&str; 6] = ["MET_pt", "MET_phi", "weight", "truth_signal", "truth_decay_1", "truth_decay_2"];

fn columns_of(jet: &Jet) -> [f32; JET.len()] {
    let mut row = [0.0; JET.len()];
    let sum = jet.sum;
    let first = [sum.pt(), sum.eta(), sum.phi(), sum.mass(), jet.particles.len() as f64];
    let tracks = jet.tags.track_jets.iter().flat_map(|track_jet| [track_jet.pt].into_iter().chain(track_jet.scores));
    let values = first.into_iter().chain(jet.tags.probabilities).chain(tracks);
    row.iter_mut().zip(values).for_each(|(slot, value)| *slot = value as f32);
    row
}

impl ShowerSample {
    fn push(&self, record: &mut Record, event: &Event) {
        for jet in &event.jets {
            record.push(0, columns_of(jet));
            if self.content == Content::Particles {
                jet.particles.iter().for_each(|particle| record.push(1, *particle));
            }
        }
        if self.content == Content::Particles {
            event.loose.iter().for_each(|particle| record.push(1, *particle));
        }
        let [x, y] = event.missing;
        let kind = |index: usize| event.jets.get(index).map_or(-1.0, |jet| f32::from(jet.kind as u8));
        record.end_event([
            sqrt(x * x + y * y) as f32,
            super::kinematics::azimuth_f32(crate::math::det::atan2(y, x)),
            self.weight,
            f32::from(u8::from(event.is_signal)),
            kind(0),
            kind(1),
        ]);
    }

    fn check_pair(&self, pair: &Pair, refuse: &mut dyn FnMut(String)) {
        let [one, two] = pair.products.map(|product| product.mass_gev);
        if !(one >= 0.0 && two >= 0.0 && is_finite(pair.mass_gev) && one + two < pair.mass_gev) {
            refuse(format!("Y of {} GeV does not decay to masses of {one} and {two} GeV", pair.mass_gev));
        }
        let widths = [("Y", pair.width), ("the first product", pair.products[0].width)];
        for (name, width) in widths.into_iter().chain([("the second product", pair.products[1].width)]) {
            if !(0.0..=0.2).contains(&width) {
                refuse(format!("the relative width of {name} is {width}, not from 0 to 0.2"));
            }
        }
        for product in &pair.products {
            match product.decay {
                Decay::Quark if product.mass_gev != 0.0 => {
                    refuse(format!("a product that is a quark has the mass {} GeV instead of 0", product.mass_gev));
                }
                Decay::TwoProng | Decay::ThreeProng | Decay::Bottoms if product.mass_gev < 5.0 => {
                    refuse(format!("a product of {} GeV is too light to decay", product.mass_gev));
                }
                _ => {}
            }
        }
    }
}

impl Generator for ShowerSample {
    fn version(&self) -> &'static str {
        DIJET_2
    }

    /// `FatJet` (`pt`, `mass` in GeV, `eta`, `phi`, `nConstituents`; class probabilities `pH`, `pTop`, `pQCD`; `trackJet1_pt`,
    /// `trackJet1_pb`, `trackJet1_pc`, `trackJet1_pu` and so on for up to three track-jets, 0 where there is none),
    /// `Particle` (`pt`, `eta`, `phi`) for [`Content::Particles`], and the scalars `MET_pt`, `MET_phi`, `weight`,
    /// `truth_signal` (0 or 1), `truth_decay_1` and `truth_decay_2` (of the two leading jets: 0 quark, 1 gluon, 2 two-prong, 3
    /// three-prong, 4 two b quarks, 5 dark, 6 semi-visible, -1 no jet).
    fn projection(&self) -> Projection {
        let mut collections = vec![CollectionProjection::new("FatJet", JET)];
        if self.content == Content::Particles {
            collections.push(CollectionProjection::new("Particle", ["pt", "eta", "phi"]));
        }
        Projection { collections, scalars: SCALARS.map(String::from).to_vec(), ..Projection::default() }
    }

    fn events(&self) -> u64 {
        self.events
    }

    fn settings(&self) -> String {
        super::as_json(self)
    }

    fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String| problems.push(usage(problem));
        let chosen = self.resonance.map_or(0, |pair| pair.events);
        check_numbers(self.first_event, self.events, chosen, self.weight, &mut refuse);
        if !(200.0..=10_000.0).contains(&self.minimum_mass_gev) {
            refuse(format!("the smallest mass of the pair is {} GeV, not from 200 to 10000", self.minimum_mass_gev));
        }
        if !(0.0..=1.0).contains(&self.invisible) {
            refuse(format!("the share of invisible mesons is {}, not from 0 to 1", self.invisible));
        }
        if let Some(pair) = &self.resonance {
            self.check_pair(pair, &mut refuse);
        }
        problems.finish()
    }

    fn columns(&self, rows: Range<u64>) -> EventBatch {
        let shower = Shower::new(self.tune, self.invisible);
        let mut record = Record::new(&self.projection(), rows.end.saturating_sub(rows.start) as usize);
        for row in rows.clone() {
            self.push(&mut record, &event::generate(self, &shower, row));
        }
        record.finish(rows, self.first_event)
    }

    /// Particles are many: small chunks and row groups keep the memory bounded.
    fn layout(&self) -> (Layout, u64) {
        match self.content {
            Content::Jets => (Layout::default(), 1 << 13),
            Content::Particles => (Layout { rows_per_group: 16_384, ..Layout::default() }, 1 << 12),
        }
    }
}
