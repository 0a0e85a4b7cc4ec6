//! What can be read from the steps of an event: jets, their constituents, splitting scales.

use std::ops::Range;

use super::{BEAM, Histories};
use crate::device::Host;
use crate::math::lorentz::FourMomentum;

/// The steps of one event of n particles.
///
/// Particles are the objects 0 to n - 1, and step s makes object n + s, so that what is made has a larger number than what it is
/// made of.
#[derive(Debug, Clone, Copy)]
pub struct History<'h> {
    all: &'h Histories<Host>,
    start: usize,
    particles: usize,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The object that is taken.
    pub first: u32,
    /// With what.
    pub second: Second,
    /// `d_ij` or `d_iB`.
    pub distance: f64,
    /// The momentum of what is made, or of the jet, in GeV.
    pub momentum: FourMomentum,
}

/// With what an object is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Second {
    /// Another object.
    Object(u32),
    /// Nothing: it becomes a jet.
    Beam,
}

/// A jet of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet {
    /// Its object.
    pub object: u32,
    /// Its momentum in GeV.
    pub momentum: FourMomentum,
}

impl<'h> History<'h> {
    pub(super) fn new(all: &'h Histories<Host>, rows: Range<usize>) -> Self {
        Self { all, start: rows.start, particles: rows.len() }
    }

    /// The number of particles, which is that of the steps.
    pub fn particles(&self) -> usize {
        self.particles
    }

    /// A step.
    ///
    /// # Panics
    /// If there is no such step.
    pub fn step(&self, step: usize) -> Step {
        assert!(step < self.particles, "step {step} of {}", self.particles);
        let (at, all) = (self.start + step, self.all);
        let second = match all.second[at] {
            BEAM => Second::Beam,
            object => Second::Object(object),
        };
        let momentum = FourMomentum { px: all.px[at], py: all.py[at], pz: all.pz[at], energy: all.energy[at] };
        Step { first: all.first[at], second, distance: all.distance[at], momentum }
    }

    /// All steps.
    pub fn steps(self) -> impl DoubleEndedIterator<Item = Step> + ExactSizeIterator + 'h {
        (0..self.particles).map(move |step| self.step(step))
    }

    /// The jets with at least this transverse momentum in GeV, the hardest first; of equal ones the one that ended first.
    pub fn inclusive_jets(self, least_pt: f64) -> Vec<Jet> {
        let ended = self.steps().filter(|step| step.second == Second::Beam);
        let jets = ended.map(|step| Jet { object: step.first, momentum: step.momentum });
        let mut jets: Vec<Jet> = jets.filter(|jet| jet.momentum.pt() >= least_pt).collect();
        jets.sort_by(|a, b| b.momentum.pt().total_cmp(&a.momentum.pt()));
        jets
    }

    /// The `number` jets that are left when so many steps are undone, the hardest first; none if there are fewer particles.
    /// `momentum` says that of a particle. For kt and Cambridge/Aachen.
    pub fn exclusive_jets(self, number: usize, momentum: impl Fn(usize) -> FourMomentum) -> Vec<Jet> {
        if number > self.particles {
            return Vec::new();
        }
        let done = self.particles - number;
        let made_later = |object: &u32| (*object as usize) >= self.particles + done;
        let taken = (done..self.particles).map(|step| self.step(step)).flat_map(|step| match step.second {
            Second::Object(second) => vec![step.first, second],
            Second::Beam => vec![step.first],
        });
        let momentum_of = |object: u32| match (object as usize).checked_sub(self.particles) {
            Some(step) => self.step(step).momentum,
            None => momentum(object as usize),
        };
        let jets =
            taken.filter(|object| !made_later(object)).map(|object| Jet { object, momentum: momentum_of(object) });
        let mut jets: Vec<Jet> = jets.collect();
        jets.sort_by(|a, b| b.momentum.pt().total_cmp(&a.momentum.pt()));
        jets
    }

    /// The number of jets that are left when no further step has a distance of at most `d_cut`: all steps up to the last one
    /// before which every distance was within it are done.
    pub fn exclusive_number(self, d_cut: f64) -> usize {
        let within = self.steps().take_while(|step| step.distance <= d_cut).count();
        self.particles - within
    }

    /// The distance of the step that leaves `number` objects of `number + 1`; 0 if there never were so many.
    ///
    /// With kt of the constituents of one jet, and an R so large that none of them ends by itself, R times its root is Split12 for
    /// `number` = 1 and Split23 for 2, in the convention of ATLAS: `min(pT) dR`.
    pub fn splitting(self, number: usize) -> f64 {
        match self.particles.checked_sub(number + 1) {
            Some(step) => self.step(step).distance,
            None => 0.0,
        }
    }

    /// The particles of a jet, in the order of their numbers.
    pub fn constituents(self, jet: &Jet) -> Vec<u32> {
        let (mut open, mut found) = (vec![jet.object], Vec::new());
        while let Some(object) = open.pop() {
            match (object as usize).checked_sub(self.particles) {
                None => found.push(object),
                Some(step) => {
                    let step = self.step(step);
                    open.push(step.first);
                    if let Second::Object(second) = step.second {
                        open.push(second);
                    }
                }
            }
        }
        found.sort_unstable();
        found
    }
}
