//! `features.dijet`: the two leading jets of each event, which is called first, and what they make together.
//!
//! **What.** Of the jets of an event the two with the largest pT are taken, of equal ones the earlier. [`Labelling`] says which of both
//! is called the first. Then
//!
//! ```text
//! m_JJ = sqrt((E_1 + E_2)^2 - (p_1 + p_2)^2),     |dy| = |y_1 - y_2|,
//! D_Hbb = ln(p_H / (f p_top + (1 - f) p_QCD)),    f = 0.25,
//! ```
//!
//! with the E-scheme momenta of the jets, their rapidities (not pseudorapidities), and the three class probabilities of a Higgs tagger
//! where there are any. From logits l the discriminant is `l_H - ln(f exp l_top + (1 - f) exp l_QCD)`, in which nothing rounds to 0 or 1.
//! It is kept between -20 and 20.
//!
//! **Conventions.** Published searches differ in which jet they call the first: the heavier (Tag N' Train), the lighter (CURTAINs), the
//! harder (the LHC Olympics' files), the Higgs candidate (ATLAS Y to XH). The choice is a parameter, and [`Labelling::name`] is what is
//! to be written beside the columns. Masses are compared by their squares, which may be below 0 by rounding. Where both are equal, or equally
//! Higgs-like, the harder one is the first.
//!
//! **Numbers.** `f64`, with [`crate::math::det`] alone, so that CPU and CUDA answer the same bits; there is a thread for each event.
//! 32 bytes a jet are read (56 with scores) and 44 an event written: with two jets an event,
//! the memory of an H100 (3.35 TB/s) would bound it to 3e10 events a second.
//! The kernel is checked by emulation and SASS, not yet run on a GPU.
//!
//! **Not a number** comes out of nothing: an event of fewer than two jets has the verdict [`Verdict::TooFewJets`] and zeros; scores that are no
//! probabilities are errors.
//!
//! **Source.** ATLAS, arXiv:2306.03637 (D_Hbb, the Higgs candidate); arXiv:2002.12376 (the heavier first).
//!
//! ```
//! use trawl::Device;
//! use trawl::features::dijet::{Dijet, Input, Labelling};
//! use trawl::features::particles::Particles;
//! use trawl::math::lorentz::FourMomentum;
//! let jets = [(1500.0, 0.3, 0.1, 100.0), (1400.0, -0.4, 3.2, 500.0), (40.0, 1.0, 1.0, 5.0)];
//! let jets = jets.map(|(pt, eta, phi, mass)| FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, mass));
//! let dijet = Dijet { labelling: Labelling::HeavierFirst, ..Dijet::default() };
//! let input = Input { jets: Particles::of_groups(&[&jets]), scores: Vec::new().into() };
//! let output = Device::Cpu.run(&dijet, input)?;
//! assert_eq!((output.first[0], output.second[0]), (1, 0));
//! assert!((output.mass_gev[0] - 3160.8).abs() < 0.1);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod math;
#[cfg(test)]
mod tests;

pub use math::LARGEST_DISCRIMINANT;

use super::particles::{Group, Particles};
use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};

/// Which of the two leading jets is called the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Labelling {
    /// That of larger pT.
    #[default]
    LargerPtFirst,
    /// That of larger mass.
    HeavierFirst,
    /// That of smaller mass.
    LighterFirst,
    /// That of larger D_Hbb: the Higgs candidate, where the other is the candidate of X.
    HiggsFirst,
}

impl Labelling {
    /// What it is called in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::LargerPtFirst => "larger pT first",
            Self::HeavierFirst => "heavier first",
            Self::LighterFirst => "lighter first",
            Self::HiggsFirst => "Higgs candidate first",
        }
    }
}

/// What the scores of a tagger are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scores {
    /// Probabilities; their sum need not be 1, since it cancels.
    #[default]
    Probabilities,
    /// What the softmax takes.
    Logits,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
    /// It has a pair.
    Found = 0,
    /// It has no two jets.
    TooFewJets = 1,
}

/// How pairs are labelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dijet {
    /// Which jet is the first.
    pub labelling: Labelling,
    /// What the scores are.
    pub scores: Scores,
    /// The weight of the top class in the denominator of D_Hbb, from 0 to 1.
    pub top_fraction: f64,
}

impl Default for Dijet {
    fn default() -> Self {
        Self { labelling: Labelling::default(), scores: Scores::default(), top_fraction: 0.25 }
    }
}

/// Jets of events, in any order.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// Their momenta, a group an event.
    pub jets: Particles<P>,
    /// Three scores of each jet, of Higgs, top and QCD; or none at all.
    pub scores: P::Column<f64>,
}

/// A row for each event.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// A [`Verdict`]; all else is 0 where there is no pair.
    pub verdict: P::Column<u32>,
    /// The number of the first jet within its event.
    pub first: P::Column<u32>,
    /// The number of the second.
    pub second: P::Column<u32>,
    /// m_JJ in GeV.
    pub mass_gev: P::Column<f64>,
    /// The absolute difference of both rapidities.
    pub rapidity_difference: P::Column<f64>,
    /// D_Hbb of the first jet, 0 without scores.
    pub discriminant_first: P::Column<f64>,
    /// D_Hbb of the second.
    pub discriminant_second: P::Column<f64>,
}

impl Operation for Dijet {
    const NAME: &'static str = "features.dijet";
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        problems.take(input.jets.check_lengths(Self::NAME));
        if !(0.0..=1.0).contains(&self.top_fraction) {
            let fault = Fault::new(Self::NAME, format!("the fraction {} of top is not from 0 to 1", self.top_fraction));
            problems.push(fault.because("top and QCD share the denominator of D_Hbb").usage());
        }
        let (jets, scores) = (input.jets.px.length(), input.scores.length());
        if scores != 0 && scores != 3 * jets {
            let fault = Fault::new(Self::NAME, format!("{scores} scores of {jets} jets"));
            problems.push(fault.because("each jet has three: Higgs, top and QCD").data());
        }
        if scores == 0 && jets > 0 && self.labelling == Labelling::HiggsFirst {
            let fault = Fault::new(Self::NAME, "there are no scores to tell the Higgs candidate by");
            problems.push(fault.suggest("Give those of a tagger, or label by pT or mass.").usage());
        }
        problems.finish()
    }

    fn check_values(&self, input: &Input<Host>) -> Result<()> {
        input.check(self.scores)
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        let jets = input.jets.px.length();
        Plan {
            fixed: Bytes::of::<f64>(4 * jets + input.scores.length()),
            per_unit: Bytes((4 * size_of::<u32>() + 4 * size_of::<f64>()) as u64),
            units: input.jets.offsets.length() as u64,
        }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        self.check_values(&input)?;
        Ok(cpu::pairs(self, &input))
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::pairs(self, cuda, &input)
    }
}

impl Input<Host> {
    /// Whether all can be computed with: momenta as in [`Particles::check`], scores that are finite and, where they are probabilities,
    /// not below 0, and not all 0.
    ///
    /// # Errors
    /// The first of each kind that is not.
    pub fn check(&self, scores: Scores) -> Result<()> {
        let mut problems = Problems::default();
        problems.take(self.jets.check(Dijet::NAME, Group::Event));
        let wrong = |of_jet: &[f64]| match scores {
            Scores::Probabilities => {
                of_jet.iter().any(|p| !p.is_finite() || *p < 0.0) || of_jet.iter().all(|p| *p == 0.0)
            }
            Scores::Logits => of_jet.iter().any(|logit| !logit.is_finite()),
        };
        if let Some(jet) = self.scores.chunks(3).position(wrong) {
            let of_jet = &self.scores[3 * jet..(3 * jet + 3).min(self.scores.len())];
            let fault =
                Fault::new(Dijet::NAME, format!("the scores {of_jet:?} of jet {jet} are no {scores:?}").to_lowercase());
            problems.push(fault.because("D_Hbb would be no number").data());
        }
        problems.finish()
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input { jets: self.jets.upload(cuda)?, scores: cuda.upload(&self.scores)? })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output {
            verdict: cuda.download(&self.verdict)?,
            first: cuda.download(&self.first)?,
            second: cuda.download(&self.second)?,
            mass_gev: cuda.download(&self.mass_gev)?,
            rapidity_difference: cuda.download(&self.rapidity_difference)?,
            discriminant_first: cuda.download(&self.discriminant_first)?,
            discriminant_second: cuda.download(&self.discriminant_second)?,
        })
    }
}
