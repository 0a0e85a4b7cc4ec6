//! One jet on the CPU.
//!
//! Columns hold blocks of 32 constituents, zeros behind the last, so that sums and coordinates are loops that become vectors.

use super::math::{
    Found, LANES, beta_of, distance2_of, eta_of, frame_of, moved, phi_of, pt2_of, sum_of, turn_of, turned,
};
use super::{Target, Truncation, Verdict};
use crate::math::det;
use crate::math::four::{Four, Largest};
use crate::math::lorentz::FourMomentum;

/// Loops take as many constituents as a vector holds at a time, those behind the last with them.
const BLOCK: usize = 4;

/// What is wanted of a jet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub target: Target,
    pub most: usize,
    pub least: usize,
    pub largest2: f64,
    pub truncation: Truncation,
}

/// The constituents of a jet that are left, in their order.
#[derive(Debug, Default)]
pub(super) struct Constituents {
    number: usize,
    px: Vec<f64>,
    py: Vec<f64>,
    pz: Vec<f64>,
    energy: Vec<f64>,
    pt2: Vec<f64>,
    eta: Vec<f64>,
    phi: Vec<f64>,
    index: Vec<u32>,
    /// Of the truncation.
    order: Vec<u32>,
    keep: Vec<bool>,
}

/// Where a jet's rows go; they hold the padding.
pub(super) struct Rows<'c> {
    pub pt: &'c mut [f64],
    pub eta: &'c mut [f64],
    pub phi: &'c mut [f64],
    pub index: &'c mut [u32],
}

/// What became of a jet: its verdict and the velocity of the first boost along x.
pub(super) struct Outcome {
    pub verdict: Verdict,
    pub number: u32,
    pub beta: f64,
}

impl Constituents {
    /// Begins a jet.
    #[inline(always)]
    pub fn load(&mut self, px: &[f64], py: &[f64], pz: &[f64], energy: &[f64]) {
        self.number = px.len();
        let room = self.number.next_multiple_of(LANES);
        let columns = [(&mut self.px, px), (&mut self.py, py), (&mut self.pz, pz), (&mut self.energy, energy)];
        for (column, from) in columns {
            column.resize(room, 0.0);
            column[..from.len()].copy_from_slice(from);
            column[from.len()..].fill(0.0);
        }
        for column in [&mut self.pt2, &mut self.eta, &mut self.phi] {
            column.resize(room, 0.0);
        }
        self.index.clear();
        self.index.extend(0..self.number as u32);
        self.keep.resize(room, true);
    }

    /// Passes until nothing is taken away any more.
    #[inline(always)]
    pub fn align<V: Four>(&mut self, wanted: &Wanted, rows: &mut Rows) -> Outcome {
        let mut beta = None;
        let rejected = |verdict| Outcome { verdict, number: 0, beta: 0.0 };
        loop {
            if self.number < wanted.least {
                return rejected(Verdict::TooFew);
            }
            let frame = frame_of(self.sum(), wanted.target);
            match frame.found {
                Found::Frame => {}
                Found::NoMass => return rejected(Verdict::NoMass),
                Found::NotFinite => return rejected(Verdict::NotFinite),
            }
            let first = *beta.get_or_insert(beta_of(frame));
            self.change(|p| moved(p, frame));
            let hardest = self.hardest::<V>();
            self.turn(hardest);
            self.locate();
            if self.drop_far(wanted.largest2) {
                continue;
            }
            if self.number > wanted.most {
                self.truncate(wanted.most, wanted.truncation);
                continue;
            }
            let reflected = self.second_hardest::<V>(hardest).is_some_and(|second| self.eta[second] < 0.0);
            self.put(wanted.target.momentum, reflected, rows);
            return Outcome { verdict: Verdict::Kept, number: self.number as u32, beta: first };
        }
    }

    #[inline(always)]
    fn sum(&self) -> FourMomentum {
        let blocks = self.number.div_ceil(LANES);
        FourMomentum {
            px: sum_of(&self.px.as_chunks().0[..blocks]),
            py: sum_of(&self.py.as_chunks().0[..blocks]),
            pz: sum_of(&self.pz.as_chunks().0[..blocks]),
            energy: sum_of(&self.energy.as_chunks().0[..blocks]),
        }
    }

    /// Constituents with those that fill the last block.
    #[inline(always)]
    fn used(&self) -> usize {
        self.number.next_multiple_of(BLOCK)
    }

    #[inline(always)]
    fn change(&mut self, change: impl Fn(FourMomentum) -> FourMomentum) {
        let used = self.used();
        let columns = self.px[..used].iter_mut().zip(&mut self.py[..used]).zip(&mut self.pz[..used]);
        for ((((px, py), pz), energy), pt2) in columns.zip(&mut self.energy[..used]).zip(&mut self.pt2[..used]) {
            let p = change(FourMomentum { px: *px, py: *py, pz: *pz, energy: *energy });
            (*px, *py, *pz, *energy) = (p.px, p.py, p.pz, p.energy);
            *pt2 = pt2_of(p.px, p.py);
        }
    }

    /// The one with the largest transverse momentum; of equals the first.
    #[inline(always)]
    fn hardest<V: Four>(&mut self) -> usize {
        let used = self.used();
        self.pt2[self.number..used].fill(-1.0);
        let mut largest = Largest::<V>::above(-1.0);
        self.pt2[..used].as_chunks().0.iter().for_each(|four| largest.look(V::load(four)));
        largest.first().unwrap_or(0)
    }

    #[inline(always)]
    fn second_hardest<V: Four>(&mut self, hardest: usize) -> Option<usize> {
        let pt2 = std::mem::replace(&mut self.pt2[hardest], -1.0);
        let used = self.used();
        self.pt2[self.number..used].fill(-1.0);
        let mut largest = Largest::<V>::above(-1.0);
        self.pt2[..used].as_chunks().0.iter().for_each(|four| largest.look(V::load(four)));
        self.pt2[hardest] = pt2;
        largest.first()
    }

    #[inline(always)]
    fn turn(&mut self, hardest: usize) {
        let used = self.used();
        let turn = turn_of(self.py[hardest], self.pz[hardest]);
        for (py, pz) in self.py[..used].iter_mut().zip(&mut self.pz[..used]) {
            (*py, *pz) = turned(*py, *pz, turn);
        }
        (self.py[hardest], self.pz[hardest]) = (turn.size, 0.0);
    }

    #[inline(always)]
    fn locate(&mut self) {
        let used = self.used();
        for ((pt2, px), py) in self.pt2[..used].iter_mut().zip(&self.px[..used]).zip(&self.py[..used]) {
            *pt2 = pt2_of(*px, *py);
        }
        for ((eta, pt2), pz) in self.eta[..used].iter_mut().zip(&self.pt2[..used]).zip(&self.pz[..used]) {
            *eta = eta_of(*pt2, *pz);
        }
        let momenta = self.px[..used].iter().zip(&self.py[..used]).zip(&self.pt2[..used]);
        for (phi, ((px, py), pt2)) in self.phi[..used].iter_mut().zip(momenta) {
            *phi = phi_of(*pt2, *px, *py);
        }
    }

    /// Takes those away that are too far from the axis; whether there were any.
    #[inline(always)]
    fn drop_far(&mut self, largest2: f64) -> bool {
        let number = self.number;
        let mut all = true;
        for ((keep, eta), phi) in self.keep[..number].iter_mut().zip(&self.eta[..number]).zip(&self.phi[..number]) {
            // What is not a number is not near.
            *keep = distance2_of(*eta, *phi) <= largest2;
            all &= *keep;
        }
        if !all {
            self.compact();
        }
        !all
    }

    /// Keeps the `most` that are first by the truncation's quantity; of equals those of lower index.
    fn truncate(&mut self, most: usize, truncation: Truncation) {
        let number = self.number;
        if truncation == Truncation::Kt {
            for ((key, eta), phi) in self.pt2[..number].iter_mut().zip(&self.eta).zip(&self.phi) {
                *key *= distance2_of(*eta, *phi);
            }
        }
        self.order.clear();
        self.order.extend(0..number as u32);
        let keys = &self.pt2;
        self.order
            .select_nth_unstable_by(most - 1, |a, b| keys[*b as usize].total_cmp(&keys[*a as usize]).then(a.cmp(b)));
        self.keep[..number].fill(false);
        for place in &self.order[..most] {
            self.keep[*place as usize] = true;
        }
        self.compact();
    }

    /// Moves what is kept together.
    #[inline(always)]
    fn compact(&mut self) {
        let before = self.number;
        let mut to = 0;
        for from in 0..before {
            for column in [&mut self.px, &mut self.py, &mut self.pz, &mut self.energy] {
                column[to] = column[from];
            }
            self.index[to] = self.index[from];
            to += usize::from(self.keep[from]);
        }
        for column in [&mut self.px, &mut self.py, &mut self.pz, &mut self.energy] {
            column[to..before].fill(0.0);
        }
        self.number = to;
    }

    #[inline(always)]
    fn put(&self, jet_pt: f64, reflected: bool, rows: &mut Rows) {
        let number = self.number;
        for (to, pt2) in rows.pt.iter_mut().zip(&self.pt2[..number]) {
            *to = det::sqrt(*pt2) / jet_pt;
        }
        let sign = if reflected { -1.0 } else { 1.0 };
        for (to, eta) in rows.eta.iter_mut().zip(&self.eta[..number]) {
            // Adding 0 makes -0 to 0.
            *to = sign * eta + 0.0;
        }
        rows.phi[..number].copy_from_slice(&self.phi[..number]);
        rows.index[..number].copy_from_slice(&self.index[..number]);
    }
}
