//! `trawl generate dijet|dilepton|plane`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::campaign::Progress;
use crate::error::{Error, Fault, Problems, Result};
use crate::events::{
    self, Content, DIJET_1, DIJET_2, DILEPTON_1, Decay, DijetSample, DileptonSample, Generator, PLANE_1, Pair,
    PlaneSample, Process, Product, Resonance, ShowerSample, Signal, SignalKind, Tune,
};

/// The name of the operation in messages.
const NAME: &str = "cli.generate";

#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Events with two large-R jets and a falling mass spectrum, and resonances of many kinds
    #[command(allow_negative_numbers = true, after_help = format!(
        "Generators: {DIJET_1}, whose jets have no substructure (the demo's), and {DIJET_2}. A version is frozen: the same \
         version, seed and numbers give the same events for ever. Masses and momenta are in GeV, angles in radians; \
         truth labels stand in columns that begin with truth_."
    ))]
    Dijet(DijetArguments),
    /// Events with two leptons, jets, photons and missing energy, of the Standard Model and of signals
    #[command(allow_negative_numbers = true, after_help = format!(
        "Generator: {DILEPTON_1}. A version is frozen: the same version, seed and numbers give the same events for ever. \
         Masses and momenta are in GeV, angles in radians; truth labels stand in truth_process and truth_signal."
    ))]
    Dilepton(DileptonArguments),
    /// Points (m_Y, m_X) of a density in closed form, for tests of statistics
    #[command(allow_negative_numbers = true, after_help = format!(
        "Generator: {PLANE_1}. A version is frozen: the same version, seed and numbers give the same points for ever. \
         Masses are in GeV; the truth label is truth_signal."
    ))]
    Plane(PlaneArguments),
}

/// What every sample has.
#[derive(Debug, Args)]
struct SampleFlags {
    /// How many events, signal included
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = whole)]
    events: u64,
    /// The seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// The number of the first event: samples of one seed whose numbers do not overlap are independent
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    first_event: u64,
    /// The weight of every event
    #[arg(long, value_name = "WEIGHT", default_value_t = 1.0)]
    weight: f32,
    /// The Parquet file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// A number of events, also as `1e6`.
fn whole(text: &str) -> Result<u64, String> {
    // Up to here f64 holds all integers.
    let exact = 0.0..=9_007_199_254_740_992.0;
    text.parse::<u64>().or_else(|error| match text.parse::<f64>() {
        Ok(number) if number.trunc() == number && exact.contains(&number) => Ok(number as u64),
        _ => Err(error.to_string()),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DijetVersion {
    #[value(name = DIJET_1)]
    One,
    #[value(name = DIJET_2)]
    Two,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ContentFlag {
    /// Jets and their tags
    Jets,
    /// Also all particles
    Particles,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TuneFlag {
    /// Stands for the data, or for the first generator
    Nominal,
    /// Stands for a second generator
    Alternative,
}

impl TuneFlag {
    fn tune(self) -> Tune {
        match self {
            Self::Nominal => Tune::Nominal,
            Self::Alternative => Tune::Alternative,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DecayFlag {
    /// A light quark itself, of mass 0
    Quark,
    /// Two light quarks
    TwoProng,
    /// A b quark and two light quarks, as of a top
    ThreeProng,
    /// Two b quarks, as of a Higgs boson
    Bb,
    /// A shower of hidden quarks: many soft, wide prongs
    Dark,
    /// The same, of which a share is invisible
    SemiVisible,
}

impl DecayFlag {
    fn decay(self) -> Decay {
        match self {
            Self::Quark => Decay::Quark,
            Self::TwoProng => Decay::TwoProng,
            Self::ThreeProng => Decay::ThreeProng,
            Self::Bb => Decay::Bottoms,
            Self::Dark => Decay::Dark,
            Self::SemiVisible => Decay::SemiVisible,
        }
    }
}

#[derive(Debug, Args)]
struct DijetArguments {
    #[command(flatten)]
    sample: SampleFlags,
    /// The generator and its version
    #[arg(long, value_name = "VERSION", default_value = DIJET_2)]
    generator: DijetVersion,
    /// How many of the events are a resonance Y -> X H
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole)]
    resonant: u64,
    /// The mass of Y in GeV [default: 3000]
    #[arg(long, value_name = "GEV")]
    mass_y: Option<f64>,
    /// The mass of X in GeV [default: 400, of a quark 0]
    #[arg(long, value_name = "GEV")]
    mass_x: Option<f64>,
    /// The mass of H in GeV (dijet/2) [default: 125, of a quark 0]
    #[arg(long, value_name = "GEV")]
    mass_h: Option<f64>,
    /// What X does (dijet/2) [default: two-prong]
    #[arg(long, value_name = "DECAY")]
    decay_x: Option<DecayFlag>,
    /// What H does (dijet/2) [default: bb]
    #[arg(long, value_name = "DECAY")]
    decay_h: Option<DecayFlag>,
    /// The invisible share of semi-visible jets, from 0 to 1 (dijet/2) [default: 0.5]
    #[arg(long, value_name = "SHARE")]
    invisible: Option<f64>,
    /// Where the background's dijet mass begins, in GeV (dijet/2) [default: 1100]
    #[arg(long, value_name = "GEV")]
    minimum_mass: Option<f64>,
    /// Which stand-in for an event generator makes the background (dijet/2) [default: nominal]
    #[arg(long, value_name = "TUNE")]
    tune: Option<TuneFlag>,
    /// What is written (dijet/2) [default: jets]
    #[arg(long, value_name = "CONTENT")]
    content: Option<ContentFlag>,
}

impl DijetArguments {
    /// The flags that `dijet/1` does not know, if given.
    fn only_of_two(&self) -> Vec<&'static str> {
        let given = [
            ("--mass-h", self.mass_h.is_some()),
            ("--decay-x", self.decay_x.is_some()),
            ("--decay-h", self.decay_h.is_some()),
            ("--invisible", self.invisible.is_some()),
            ("--minimum-mass", self.minimum_mass.is_some()),
            ("--tune", self.tune.is_some()),
            ("--content", self.content.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    fn one(&self) -> Result<DijetSample> {
        let SampleFlags { events, seed, first_event, weight, .. } = self.sample;
        let mut problems = Problems::default();
        let resonance = resonance(self.resonant, self.mass_y, self.mass_x, &mut problems);
        let sample = DijetSample { seed, events, first_event, resonance, weight };
        for flag in self.only_of_two() {
            problems.push(useless(flag, format!("jets of {DIJET_1} have no content")));
        }
        problems.take(sample.check());
        problems.finish().map(|()| sample)
    }

    fn two(&self) -> Result<ShowerSample> {
        let SampleFlags { events, seed, first_event, weight, .. } = self.sample;
        let usual = Pair::default();
        let product = |product: Product, mass: Option<f64>, decay: Option<DecayFlag>| {
            let decay = decay.map_or(product.decay, DecayFlag::decay);
            // A quark has no other mass.
            let usual = if decay == Decay::Quark { 0.0 } else { product.mass_gev };
            Product { mass_gev: mass.unwrap_or(usual), decay, ..product }
        };
        let [x, h] = usual.products;
        let x = Product { mass_gev: MASS_X_GEV, ..x };
        let products = [product(x, self.mass_x, self.decay_x), product(h, self.mass_h, self.decay_h)];
        let pair = Pair { events: self.resonant, mass_gev: self.mass_y.unwrap_or(MASS_Y_GEV), products, ..usual };
        let mut sample = ShowerSample { seed, events, first_event, weight, ..ShowerSample::default() };
        sample.resonance = (self.resonant > 0).then_some(pair);
        sample.tune = self.tune.map_or(sample.tune, TuneFlag::tune);
        sample.invisible = self.invisible.unwrap_or(sample.invisible);
        sample.minimum_mass_gev = self.minimum_mass.unwrap_or(sample.minimum_mass_gev);
        sample.content = match self.content {
            Some(ContentFlag::Particles) => Content::Particles,
            Some(ContentFlag::Jets) | None => Content::Jets,
        };
        let mut problems = Problems::default();
        if self.resonant == 0 {
            let of_resonance = ["--mass-h", "--decay-x", "--decay-h", "--invisible"];
            for flag in self.only_of_two().into_iter().filter(|flag| of_resonance.contains(flag)) {
                problems.push(useless(flag, "there is no resonance without --resonant N"));
            }
            useless_masses(self.mass_y, self.mass_x, &mut problems);
        } else if self.invisible.is_some() && products.iter().all(|product| product.decay != Decay::SemiVisible) {
            problems.push(useless("--invisible", "neither X nor H decays to a semi-visible jet"));
        }
        problems.take(sample.check());
        problems.finish().map(|()| sample)
    }
}

/// The usual masses of the resonance and of X.
const MASS_Y_GEV: f64 = 3000.0;
const MASS_X_GEV: f64 = 400.0;

/// The resonance that the flags of dijet/1 and of a plane ask for.
fn resonance(events: u64, mass_y: Option<f64>, mass_x: Option<f64>, problems: &mut Problems) -> Option<Resonance> {
    if events == 0 {
        useless_masses(mass_y, mass_x, problems);
        return None;
    }
    let (mass_y_gev, mass_x_gev) = (mass_y.unwrap_or(MASS_Y_GEV), mass_x.unwrap_or(MASS_X_GEV));
    Some(Resonance { events, mass_y_gev, mass_x_gev, ..Resonance::default() })
}

/// Masses that are given, and nothing has them.
fn useless_masses(mass_y: Option<f64>, mass_x: Option<f64>, problems: &mut Problems) {
    for (flag, mass) in [("--mass-y", mass_y), ("--mass-x", mass_x)] {
        if mass.is_some() {
            problems.push(useless(flag, "there is no resonance without --resonant N"));
        }
    }
}

fn useless(flag: &str, why: impl Into<String>) -> Error {
    Fault::new(NAME, format!("{flag} would have no effect")).because(why).suggest(format!("Leave {flag} out.")).usage()
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProcessFlag {
    /// Z and virtual photon
    Z,
    /// Two top quarks
    Ttbar,
    /// A top quark and a W
    SingleTop,
    /// WW, WZ, ZZ, Z gamma
    Diboson,
    /// WWW, WWZ, Z gamma gamma
    Triboson,
    /// W and a jet that is taken for a lepton
    WJets,
    /// All of these as in data
    Mixture,
}

impl ProcessFlag {
    fn process(self) -> Process {
        match self {
            Self::Z => Process::Z,
            Self::Ttbar => Process::TopPair,
            Self::SingleTop => Process::SingleTop,
            Self::Diboson => Process::Diboson,
            Self::Triboson => Process::Triboson,
            Self::WJets => Process::WJets,
            Self::Mixture => Process::Mixture,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SignalFlag {
    /// S -> ZZ -> ll nu nu
    HeavyScalar,
    /// Z' -> ll
    ZPrime,
    /// Randall-Sundrum graviton -> ll
    Graviton,
    /// Pairs of stops -> bb ll and missing energy
    StopPair,
}

impl SignalFlag {
    fn kind(self) -> SignalKind {
        match self {
            Self::HeavyScalar => SignalKind::HeavyScalar,
            Self::ZPrime => SignalKind::ZPrime,
            Self::Graviton => SignalKind::Graviton,
            Self::StopPair => SignalKind::StopPair,
        }
    }
}

#[derive(Debug, Args)]
struct DileptonArguments {
    #[command(flatten)]
    sample: SampleFlags,
    /// What the background is
    #[arg(long, value_name = "PROCESS", default_value = "mixture")]
    process: ProcessFlag,
    /// Which stand-in for an event generator makes it
    #[arg(long, value_name = "TUNE", default_value = "nominal")]
    tune: TuneFlag,
    /// What is injected
    #[arg(long, value_name = "SIGNAL")]
    signal: Option<SignalFlag>,
    /// How many of the events are signal
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole)]
    signal_events: u64,
    /// The mass of the new particle in GeV [default: 400 for the scalar, 2000 for Z' and graviton, 600 for stops]
    #[arg(long, value_name = "GEV")]
    mass: Option<f64>,
    /// The mass of the neutralino in GeV, for stops [default: 100]
    #[arg(long, value_name = "GEV")]
    mass_neutralino: Option<f64>,
}

impl DileptonArguments {
    fn signal(&self, problems: &mut Problems) -> Option<Signal> {
        let given = [
            ("--signal-events", self.signal_events > 0),
            ("--mass", self.mass.is_some()),
            ("--mass-neutralino", self.mass_neutralino.is_some()),
        ];
        let Some(flag) = self.signal else {
            for (name, _) in given.into_iter().filter(|(_, given)| *given) {
                problems.push(useless(name, "there is no signal without --signal"));
            }
            return None;
        };
        if self.signal_events == 0 {
            let fault = Fault::new(NAME, "--signal is given, and no event of it");
            problems.push(fault.suggest("Say how many with --signal-events N.").usage());
        }
        if self.mass_neutralino.is_some() && flag != SignalFlag::StopPair {
            problems.push(useless("--mass-neutralino", "only stops have a neutralino"));
        }
        let usual = Signal::new(flag.kind(), self.signal_events);
        Some(Signal {
            mass_gev: self.mass.unwrap_or(usual.mass_gev),
            neutralino_gev: self.mass_neutralino.unwrap_or(usual.neutralino_gev),
            ..usual
        })
    }

    fn sample(&self) -> Result<DileptonSample> {
        let SampleFlags { events, seed, first_event, weight, .. } = self.sample;
        let mut problems = Problems::default();
        let signal = self.signal(&mut problems);
        let (process, tune) = (self.process.process(), self.tune.tune());
        let sample = DileptonSample { seed, events, first_event, process, tune, signal, weight };
        problems.take(sample.check());
        problems.finish().map(|()| sample)
    }
}

#[derive(Debug, Args)]
struct PlaneArguments {
    #[command(flatten)]
    sample: SampleFlags,
    /// How many of the points are a resonance
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole)]
    resonant: u64,
    /// The mass of Y in GeV; its width is 3 % [default: 3000]
    #[arg(long, value_name = "GEV")]
    mass_y: Option<f64>,
    /// The mass of X in GeV; its width is 5 % [default: 400]
    #[arg(long, value_name = "GEV")]
    mass_x: Option<f64>,
}

impl PlaneArguments {
    fn sample(&self) -> Result<PlaneSample> {
        let SampleFlags { events, seed, first_event, weight, .. } = self.sample;
        let mut problems = Problems::default();
        let resonance = resonance(self.resonant, self.mass_y, self.mass_x, &mut problems);
        let sample = PlaneSample { seed, events, first_event, resonance, weight };
        problems.take(sample.check());
        problems.finish().map(|()| sample)
    }
}

pub(super) fn execute(arguments: &GenerateArguments, progress: &Progress) -> anyhow::Result<()> {
    match &arguments.kind {
        Kind::Dijet(dijet) => match dijet.generator {
            DijetVersion::One => write(&dijet.one()?, &dijet.sample.output, progress),
            DijetVersion::Two => write(&dijet.two()?, &dijet.sample.output, progress),
        },
        Kind::Dilepton(dilepton) => write(&dilepton.sample()?, &dilepton.sample.output, progress),
        Kind::Plane(plane) => write(&plane.sample()?, &plane.sample.output, progress),
    }
}

fn write(sample: &dyn Generator, output: &Path, progress: &Progress) -> anyhow::Result<()> {
    let stage = progress.stage(&format!("generate {}", sample.version()), "events", Some(sample.events()));
    events::generate_file(sample, output, &|events| {
        stage.add(events);
        progress.interrupted()
    })?;
    stage.finish();
    super::say(format!("{}: {} events of {}", output.display(), sample.events(), sample.version()))
}
