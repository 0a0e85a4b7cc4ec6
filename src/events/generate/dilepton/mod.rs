//! `dilepton/1`: events with two leptons, of the Standard Model and of signals, as an experiment would record them.
//!
//! **Processes.** At least two charged leptons (taus count, and decay) are asked of each at generation, one of them a
//! misidentified jet in W+jets. Decays are isotropic and of zero width effects beyond the mass of the boson unless stated.
//!
//! | process | what it is |
//! |---|---|
//! | [`Process::Z`] | Z and virtual photon to e, mu, tau: 75 % relativistic Breit-Wigner (91.1876, 2.4952 GeV) above 40 GeV, 25 % continuum with P(> m) = (40 GeV / m)^4; 1 + cos^2 theta* |
//! | [`Process::TopPair`] | m_tt = 2 m_t (1 + x), x log-normal (0.35, 0.75); t -> b W -> b l nu twice |
//! | [`Process::SingleTop`] | tW, the same spectrum above m_t + m_W |
//! | [`Process::Diboson`] | WW -> l nu l nu 60 %, WZ 20 %, ZZ 6 %, Z gamma 14 % |
//! | [`Process::Triboson`] | WWW 50 %, WWZ 30 %, Z gamma gamma 20 % |
//! | [`Process::WJets`] | W -> l nu and a jet taken for a lepton of either charge: 70 % electrons |
//! | [`Process::Mixture`] | these in the shares 0.9791, 0.0120, 0.0011, 0.0028, 0.0001, 0.0049 |
//!
//! With two leading leptons of pT > 27 GeV the mixture has ee : mumu : emu = 0.437 : 0.553 : 0.0098, as the Run 2 data of the
//! analysis whose channels these are.
//!
//! **Recoil.** A system of mass m has P(pT > x) = (1 + (x/s)^2)^-0.9 exp(-x / 200 GeV), s = 12 GeV sqrt(m / m_Z), against one
//! or two jets (above 15 GeV); further jets are Poisson of mean 0.3 with P(> pT) = (20 GeV / pT)^2.5. Its rapidity is normal
//! of width 0.35 ln(sqrt(s) / m), sqrt(s) = 13 TeV. 2 % of leptons radiate a photon, 1 % of events have one off the quarks.
//!
//! **Signals.** S -> ZZ -> ll nu nu (width 1 %), Z' -> ll (3 %, 1 + cos^2), graviton -> ll (1.4 %; 60 % of gluons with 1 - cos^4,
//! 40 % of quarks with 1 - 3 cos^2 + 4 cos^4), pairs of stops: each to b and a chargino half-way to the neutralino,
//! which becomes W (-> l nu) and the neutralino. Exactly the stated number of events are signal, spread evenly.
//!
//! **Detector.** Electrons above 10 GeV within 2.47 without 1.37 to 1.52 (efficiency 0.875; 10 % / sqrt(E) and 1 %), muons within
//! 2.5 (0.92; 2 % and 10 % per TeV), photons as electrons, jets above 20 GeV within 4.5 (80 % / sqrt(pT) and 5 %). `btag`
//! is u^a with u uniform and a = 0.15, 1, 22 for b, charm and light: P(> 0.8) = 77 %, 20 %, 1 %. The missing momentum
//! holds what is invisible, what the resolutions took, and a soft term of width sqrt((8 GeV)^2 + 0.35 GeV sum pT).
//!
//! [`Tune::Alternative`] has 10 % more recoil scale with a 5 % smaller power, 15 % more further jets, pairs of top 8 % nearer
//! to their threshold, 60 % electrons among misidentified jets, jets measured 2 % higher and a soft term from 9 GeV.
//!
//! **Neglected.** Spin correlations, parton densities beyond the rapidity's width, showers, pile-up, triggers, overlaps of
//! objects, charge misidentification.

mod boson;
mod detector;
mod multiboson;
mod signal;
mod top;
mod truth;

use std::ops::Range;

use serde::Serialize;

use super::draws::{Draws, Stream};
use super::record::Record;
use super::{Generator, Tune, check_numbers, is_chosen, usage};
use crate::error::{Problems, Result};
use crate::events::{CollectionProjection, EventBatch, Projection};
use truth::Truth;

/// The name of this generator and its version. It is frozen: a change of any event is a new version.
pub const DILEPTON_1: &str = "dilepton/1";

/// A process of the Standard Model; the numbers are those of the column `truth_process`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Process {
    /// Z and virtual photon.
    Z = 0,
    /// Two top quarks.
    #[serde(rename = "ttbar")]
    TopPair = 1,
    /// A top quark and a W.
    SingleTop = 2,
    /// Two bosons.
    Diboson = 3,
    /// Three bosons.
    Triboson = 4,
    /// W and a jet that is taken for a lepton.
    WJets = 5,
    /// All of these in their shares.
    #[default]
    Mixture = 6,
}

/// The processes of the mixture, and their shares of the generated events.
const MIXTURE: [(Process, f64); 6] = [
    (Process::Z, 0.9791),
    (Process::TopPair, 0.0120),
    (Process::SingleTop, 0.0011),
    (Process::Diboson, 0.0028),
    (Process::Triboson, 0.0001),
    (Process::WJets, 0.0049),
];

/// The kind of a signal; the numbers are those of the column `truth_signal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum SignalKind {
    /// S -> ZZ -> ll nu nu.
    HeavyScalar = 1,
    /// Z' -> ll.
    ZPrime = 2,
    /// Randall-Sundrum graviton -> ll.
    Graviton = 3,
    /// Pairs of stops -> bb ll and missing momentum.
    StopPair = 4,
}

impl SignalKind {
    /// The masses that make sense, in GeV.
    pub fn masses_gev(self) -> (f64, f64) {
        match self {
            Self::HeavyScalar => (185.0, 4000.0),
            Self::ZPrime | Self::Graviton => (100.0, 8000.0),
            Self::StopPair => (150.0, 3000.0),
        }
    }

    /// The mass unless told otherwise, in GeV.
    pub fn usual_mass_gev(self) -> f64 {
        match self {
            Self::HeavyScalar => 400.0,
            Self::ZPrime | Self::Graviton => 2000.0,
            Self::StopPair => 600.0,
        }
    }
}

/// A signal in a [`DileptonSample`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Signal {
    /// What it is.
    pub kind: SignalKind,
    /// How many of the sample's events are signal.
    pub events: u64,
    /// The mass of the new particle (of each stop).
    pub mass_gev: f64,
    /// The mass of the neutralino, for [`SignalKind::StopPair`] alone.
    pub neutralino_gev: f64,
}

impl Signal {
    /// `events` events at the usual mass, with a neutralino of 100 GeV.
    pub fn new(kind: SignalKind, events: u64) -> Self {
        Self { kind, events, mass_gev: kind.usual_mass_gev(), neutralino_gev: 100.0 }
    }
}

/// A sample of events with two leptons.
///
/// ```
/// use trawl::events::{DileptonSample, Generator, Process};
/// let sample = DileptonSample { events: 5, process: Process::TopPair, ..DileptonSample::default() };
/// let batch = sample.columns(0..5);
/// let names: Vec<_> = sample.projection().collections.into_iter().map(|one| one.name).collect();
/// assert_eq!(names, ["Electron", "Muon", "Jet", "Photon"]);
/// assert_eq!(batch.columns.scalars[3][..], [1.0; 5]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DileptonSample {
    /// Samples of different seeds are independent.
    pub seed: u64,
    /// How many events there are, signal included.
    pub events: u64,
    /// The number of the first event; samples of one seed whose numbers do not overlap are independent.
    pub first_event: u64,
    /// What the background is.
    pub process: Process,
    /// Which stand-in for a generator makes it.
    pub tune: Tune,
    /// What is injected.
    pub signal: Option<Signal>,
    /// The weight of every event.
    pub weight: f32,
}

impl Default for DileptonSample {
    /// 200,000 events of the mixture, nominal, of weight 1.
    fn default() -> Self {
        Self {
            seed: 1,
            events: 200_000,
            first_event: 0,
            process: Process::Mixture,
            tune: Tune::Nominal,
            signal: None,
            weight: 1.0,
        }
    }
}

impl DileptonSample {
    fn event(&self, row: u64, record: &mut Record) {
        let mut draws = Draws::new(self.seed, Stream::Dilepton1, self.first_event.wrapping_add(row));
        let draws = &mut draws;
        let signal = self.signal.as_ref().filter(|signal| is_chosen(row, signal.events, self.events));
        let mut truth = Truth::default();
        let process = match signal {
            Some(signal) => {
                signal::generate(draws, self.tune, signal, &mut truth);
                -1.0
            }
            None => f32::from(background(draws, self.process, self.tune, &mut truth) as u8),
        };
        truth.add_photons(draws);
        let measured = detector::measure(draws, self.tune, &truth);
        measured.electrons.into_iter().for_each(|electron| record.push(0, electron));
        measured.muons.into_iter().for_each(|muon| record.push(1, muon));
        measured.jets.into_iter().for_each(|jet| record.push(2, jet));
        measured.photons.into_iter().for_each(|photon| record.push(3, photon));
        let [pt, phi] = measured.missing;
        let kind = signal.map_or(0.0, |signal| f32::from(signal.kind as u8));
        record.end_event([pt, phi, self.weight, process, kind]);
    }

    fn check_signal(&self, signal: &Signal, refuse: &mut dyn FnMut(String)) {
        let (from, to) = signal.kind.masses_gev();
        if !(from..=to).contains(&signal.mass_gev) {
            refuse(format!("the mass of the signal is {} GeV, not from {from} to {to}", signal.mass_gev));
        }
        // Below 30 GeV the chargino has no room for its products.
        if signal.kind == SignalKind::StopPair
            && !(signal.neutralino_gev >= 0.0 && signal.neutralino_gev + 30.0 <= signal.mass_gev)
        {
            refuse(format!(
                "a neutralino of {} GeV is not 30 GeV or more below the stop of {} GeV",
                signal.neutralino_gev, signal.mass_gev
            ));
        }
    }
}

/// Generates an event of `process`, and says of which process of the mixture it is.
fn background(draws: &mut Draws, process: Process, tune: Tune, truth: &mut Truth) -> Process {
    match process {
        Process::Z => boson::z(draws, tune, truth),
        Process::TopPair => top::pair(draws, tune, truth),
        Process::SingleTop => top::single(draws, tune, truth),
        Process::Diboson => multiboson::two_bosons(draws, tune, truth),
        Process::Triboson => multiboson::three_bosons(draws, tune, truth),
        Process::WJets => boson::w_jets(draws, tune, truth),
        Process::Mixture => {
            let (one, _) = MIXTURE[draws.choose(&MIXTURE.map(|(_, share)| share))];
            return background(draws, one, tune, truth);
        }
    }
    process
}

impl Generator for DileptonSample {
    fn version(&self) -> &'static str {
        DILEPTON_1
    }

    /// `Electron` and `Muon` (`pt`, `eta`, `phi`, `mass`, `charge`), `Jet` (`pt`, `eta`, `phi`, `mass`, `btag` from 0 to 1) and
    /// `Photon` (`pt`, `eta`, `phi`), each in descending order of pT, in GeV; the scalars `MET_pt`, `MET_phi`, `weight`,
    /// `truth_process` (0 Z, 1 top pair, 2 single top, 3 diboson, 4 triboson, 5 W+jets, -1 signal) and `truth_signal` (0 none, 1
    /// heavy scalar, 2 Z', 3 graviton, 4 stop pair).
    fn projection(&self) -> Projection {
        let lepton = ["pt", "eta", "phi", "mass", "charge"];
        let scalars = ["MET_pt", "MET_phi", "weight", "truth_process", "truth_signal"];
        Projection {
            collections: vec![
                CollectionProjection::new("Electron", lepton),
                CollectionProjection::new("Muon", lepton),
                CollectionProjection::new("Jet", ["pt", "eta", "phi", "mass", "btag"]),
                CollectionProjection::new("Photon", ["pt", "eta", "phi"]),
            ],
            scalars: scalars.map(String::from).to_vec(),
            ..Projection::default()
        }
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
        let chosen = self.signal.map_or(0, |signal| signal.events);
        check_numbers(self.first_event, self.events, chosen, self.weight, &mut refuse);
        if let Some(signal) = &self.signal {
            self.check_signal(signal, &mut refuse);
        }
        problems.finish()
    }

    fn columns(&self, rows: Range<u64>) -> EventBatch {
        let mut record = Record::new(&self.projection(), rows.end.saturating_sub(rows.start) as usize);
        rows.clone().for_each(|row| self.event(row, &mut record));
        record.finish(rows, self.first_event)
    }
}
