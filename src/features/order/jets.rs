//! Four jets at a time on the CPU, each in a lane of its own: no step has to find the largest of a vector's four.

use super::math::{PLACED, distance2, quantity};
use super::{Ordering, Truncation};
use crate::math::four::Four;

/// Jets at a time.
pub(super) const LANES: usize = 4;

/// No constituent, among places that are counted from 1.
const NOBODY: f64 = 0.0;

/// The constituents of four jets: column by column, and of each the four.
#[derive(Debug, Default)]
pub(super) struct Jets {
    /// Of the largest jet.
    number: usize,
    pt2: Vec<[f64; LANES]>,
    eta: Vec<[f64; LANES]>,
    phi: Vec<[f64; LANES]>,
    /// 0, or [`PLACED`].
    state: Vec<[f64; LANES]>,
    before: Vec<[f64; LANES]>,
}

/// What is largest next.
#[derive(Clone, Copy)]
enum Next<V> {
    /// pT.
    Pt,
    /// pT times the distance from there.
    Distance(V, V),
}

impl Jets {
    /// Begins with four jets, of which some may have no constituents.
    #[inline(always)]
    pub fn load(&mut self, jets: [[&[f64]; 3]; LANES]) {
        self.number = jets.iter().map(|[pt, _, _]| pt.len()).max().unwrap_or(0);
        for column in [&mut self.pt2, &mut self.eta, &mut self.phi, &mut self.state] {
            column.resize(self.number, [0.0; LANES]);
        }
        for (lane, [pt, eta, phi]) in jets.into_iter().enumerate() {
            let number = pt.len();
            for (to, pt) in self.pt2.iter_mut().zip(pt) {
                to[lane] = pt * pt;
            }
            for (column, from) in [(&mut self.eta, eta), (&mut self.phi, phi)] {
                for (to, from) in column.iter_mut().zip(from) {
                    to[lane] = *from;
                }
            }
            for (place, state) in self.state.iter_mut().enumerate() {
                state[lane] = if place < number { 0.0 } else { PLACED };
            }
            for place in number..self.number {
                // What an earlier jet left there could be infinite, and then its quantity would not be that of what is placed.
                (self.pt2[place][lane], self.eta[place][lane], self.phi[place][lane]) = (0.0, 0.0, 0.0);
            }
        }
    }

    /// Puts the orders into `rows`, each as long as a jet may have constituents at most.
    #[inline(always)]
    pub fn order<V: Four>(&mut self, ordering: Ordering, truncation: Truncation, rows: &mut [&mut [u32]; LANES]) {
        let most = rows.iter().map(|rows| rows.len()).max().unwrap_or(0);
        // The first by pT are the truncation by pT.
        let same = ordering == Ordering::Pt && truncation == Truncation::Pt;
        if self.number > most && !same {
            self.truncate::<V>(truncation, most);
        }
        let mut next = Next::Pt;
        let mut row = 0;
        while row < self.number.min(most) {
            let mut there = [[0.0; LANES]; 2];
            for (lane, place) in self.next::<V>(next).store().into_iter().enumerate() {
                let Some(place) = (place as usize).checked_sub(1) else { continue };
                rows[lane][row] = place as u32;
                self.state[place][lane] = PLACED;
                (there[0][lane], there[1][lane]) = (self.eta[place][lane], self.phi[place][lane]);
            }
            if ordering == Ordering::Kt {
                next = Next::Distance(V::load(&there[0]), V::load(&there[1]));
            }
            row += 1;
        }
    }

    /// The first with the largest quantity of those that are not placed, counted from 1.
    #[inline(always)]
    fn next<V: Four>(&self, next: Next<V>) -> V {
        let mut largest = V::all(-1.0);
        let mut found = V::all(NOBODY);
        let mut place = V::all(1.0);
        let places = self.eta.iter().zip(&self.phi);
        for ((eta, phi), (pt2, state)) in places.zip(self.pt2.iter().zip(&self.state)) {
            let factor = match next {
                Next::Pt => V::all(1.0),
                Next::Distance(from_eta, from_phi) => distance2((from_eta, from_phi), V::load(eta), V::load(phi)),
            };
            let value = quantity(V::load(pt2), factor, V::load(state));
            found = V::select(largest.below(value), place, found);
            largest = value.larger(largest);
            place = place.plus(V::all(1.0));
        }
        found
    }

    /// Places all but the `most` that are first by the truncation's quantity.
    #[inline(always)]
    fn truncate<V: Four>(&mut self, truncation: Truncation, most: usize) {
        self.before.clone_from(&self.state);
        let next = match truncation {
            Truncation::Pt => Next::Pt,
            Truncation::Kt => Next::Distance(V::all(0.0), V::all(0.0)),
        };
        for _ in 0..most {
            for (lane, place) in self.next::<V>(next).store().into_iter().enumerate() {
                if let Some(place) = (place as usize).checked_sub(1) {
                    self.state[place][lane] = PLACED;
                }
            }
        }
        for (state, before) in self.state.iter_mut().zip(&self.before) {
            // What was placed meanwhile was chosen.
            V::select(V::load(state).equals(V::load(before)), V::all(PLACED), V::all(0.0)).store_to(state);
        }
    }
}
