//! The objects of an event that are not yet clustered.
//!
//! They stand in slots in the order of their names, so that the first of equals is the one of lowest name. Searches go over all
//! slots, four at a time without a branch: keeping objects in the order of rapidity and searching outwards looked at a quarter of
//! them and took longer, because every search ended in a branch that was not foreseen.
//!
//! Whose neighbour was merged does not look for another at once. Its least distance can only have grown, so that it has time
//! until it seems to be the smallest of all: soft objects rarely get there before something takes them.

use std::ops::Range;

use super::math::{distances2, pt2_of, rapidity_of, weight_of};
use super::{Algorithm, Cluster, Particles};
use crate::device::Host;
use crate::math::det;
use crate::math::four::Four;
use crate::math::lorentz::FourMomentum;

/// Slots of a block.
const LANES: usize = 4;

/// Nobody, among names that are counted from 1; they are small enough to be exact.
const NOBODY: f64 = 0.0;

/// The object under a name that is no longer used.
const NOTHING: u32 = u32::MAX;

/// Columns by slot hold blocks of four. An empty slot is infinitely far away.
#[derive(Debug, Default)]
pub(super) struct Live {
    algorithm: Option<Algorithm>,
    radius2: f64,
    live: usize,
    // By slot.
    y: Vec<f64>,
    phi: Vec<f64>,
    /// The squared distance of the nearest other object when it was looked for, if that is less than R^2, else R^2; no object
    /// that is there now is nearer.
    nearest: Vec<f64>,
    /// `nearest` times the weight: at most what all pairs of an object have.
    least: Vec<f64>,
    name: Vec<u32>,
    // By name.
    slot: Vec<u32>,
    weight: Vec<f64>,
    /// The nearest name counted from 1, or [`NOBODY`], and the object that had it.
    neighbour: Vec<f64>,
    whom: Vec<u32>,
    object: Vec<u32>,
    momentum: Vec<FourMomentum>,
}

/// What comes next.
pub(super) struct Next {
    /// The name with the least distance.
    pub name: usize,
    /// The name of its neighbour, if it has any within R.
    pub neighbour: Option<usize>,
    /// `d R^2`.
    pub least: f64,
}

fn reset<T: Clone>(column: &mut Vec<T>, length: usize, value: T) {
    column.clear();
    column.resize(length, value);
}

impl Live {
    /// Begins an event.
    #[inline(always)]
    pub fn load<V: Four>(&mut self, cluster: &Cluster, particles: &Particles<Host>, rows: Range<usize>) {
        self.algorithm = Some(cluster.algorithm);
        self.radius2 = cluster.radius * cluster.radius;
        self.live = rows.len();
        let (names, slots) = (rows.len(), rows.len().next_multiple_of(LANES));
        self.momentum.clear();
        self.momentum.extend(rows.clone().map(|row| particles.momentum(row)));
        for column in [&mut self.name, &mut self.slot, &mut self.object] {
            column.clear();
            column.extend(0..names as u32);
        }
        reset(&mut self.whom, names, NOTHING);
        for column in [&mut self.y, &mut self.phi, &mut self.weight] {
            reset(column, slots, 0.0);
        }
        self.place_all(cluster.algorithm, particles, rows);
        self.y[names..].fill(f64::INFINITY);
        reset(&mut self.nearest, slots, self.radius2);
        reset(&mut self.neighbour, slots, NOBODY);
        reset(&mut self.least, slots, f64::INFINITY);
        for slot in 1..names {
            self.meet::<V>(slot);
        }
        for slot in 0..names {
            self.know(slot);
        }
    }

    /// [`Live::place`] for all slots, in loops that become vectors.
    #[inline(always)]
    fn place_all(&mut self, algorithm: Algorithm, particles: &Particles<Host>, rows: Range<usize>) {
        let (px, py) = (&particles.px[rows.clone()], &particles.py[rows.clone()]);
        let (pz, energy) = (&particles.pz[rows.clone()], &particles.energy[rows]);
        let momenta = || {
            let columns = px.iter().zip(py).zip(pz.iter().zip(energy));
            columns.map(|((px, py), (pz, energy))| FourMomentum { px: *px, py: *py, pz: *pz, energy: *energy })
        };
        for (y, p) in self.y.iter_mut().zip(momenta()) {
            *y = rapidity_of(p, pt2_of(p));
        }
        for (phi, p) in self.phi.iter_mut().zip(momenta()) {
            *phi = det::quick_atan2(p.py, p.px);
        }
        for (weight, p) in self.weight.iter_mut().zip(momenta()) {
            *weight = weight_of(algorithm, pt2_of(p));
        }
    }

    /// An object and its momentum.
    #[inline(always)]
    pub fn object(&self, name: usize) -> (u32, FourMomentum) {
        (self.object[name], self.momentum[name])
    }

    /// The first name with the least of all `d R^2`.
    #[inline(always)]
    pub fn next<V: Four>(&mut self) -> Next {
        // From three quarters to a half nothing changes by more than 2 %.
        if 8 * self.live < 5 * self.y.len() && self.y.len() > 16 * LANES {
            self.close_gaps();
        }
        loop {
            let (least, slot) = self.seemingly_first::<V>();
            let name = self.name[slot] as usize;
            let neighbour = (self.neighbour[name] as usize).checked_sub(1);
            if neighbour.is_none_or(|neighbour| self.object[neighbour] == self.whom[name]) {
                return Next { name, neighbour, least };
            }
            self.find::<V>(slot);
        }
    }

    /// The first slot with the least of what is known.
    #[inline(always)]
    fn seemingly_first<V: Four>(&self) -> (f64, usize) {
        let mut least = V::all(f64::INFINITY);
        let mut at = V::all(0.0);
        let mut index = first_slots::<V>();
        for values in blocks_of(&self.least) {
            let values = V::load(values);
            let smaller = values.below(least);
            at = V::select(smaller, index, at);
            least = values.smaller(least);
            index = index.plus(V::all(LANES as f64));
        }
        let (least, first) = first_of(least, at);
        (least, first as usize - 1)
    }

    /// Takes an object out.
    #[inline(always)]
    pub fn end(&mut self, name: usize) {
        let slot = self.slot[name] as usize;
        self.y[slot] = f64::INFINITY;
        self.least[slot] = f64::INFINITY;
        self.object[name] = NOTHING;
        self.live -= 1;
    }

    /// Takes two objects out and puts another in, under the name of the first.
    #[inline(always)]
    pub fn merge<V: Four>(&mut self, (first, second): (usize, usize), (object, momentum): (u32, FourMomentum)) {
        self.end(second);
        (self.object[first], self.momentum[first]) = (object, momentum);
        let pt2 = pt2_of(momentum);
        if let Some(algorithm) = self.algorithm {
            self.weight[first] = weight_of(algorithm, pt2);
        }
        let first = self.slot[first] as usize;
        let (y, phi) = (rapidity_of(momentum, pt2), det::quick_atan2(momentum.py, momentum.px));
        (self.y[first], self.phi[first]) = (f64::INFINITY, phi);
        let at = (V::all(y), V::all(phi));
        let mut found = Found::<V>::none(self.radius2);
        let mut anybody_nearer = V::all(0.0).below(V::all(0.0));
        let places = blocks_of(&self.y).iter().zip(blocks_of(&self.phi));
        for ((y, phi), nearest) in places.zip(blocks_of(&self.nearest)) {
            let distance2 = distances2(at, V::load(y), V::load(phi));
            found.look(distance2);
            anybody_nearer = V::either(anybody_nearer, distance2.not_above(V::load(nearest)));
        }
        if V::bits(anybody_nearer) != 0 {
            self.tell::<V>(at, first);
        }
        self.y[first] = y;
        self.take(first, found);
    }

    /// All to whom what is in a slot is nearer than their neighbour hear of it.
    #[inline(always)]
    fn tell<V: Four>(&mut self, at: (V, V), first: usize) {
        for block in 0..self.y.len() / LANES {
            let distance2 = distances2(at, V::load(&blocks_of(&self.y)[block]), V::load(&blocks_of(&self.phi)[block]));
            let mut near = V::bits(distance2.not_above(V::load(&blocks_of(&self.nearest)[block])));
            let distance2 = distance2.store();
            while near != 0 {
                let lane = near.trailing_zeros() as usize;
                near &= near - 1;
                self.hear(block * LANES + lane, distance2[lane], first);
            }
        }
    }

    /// A slot hears of another that may be nearer than its neighbour.
    #[inline(always)]
    fn hear(&mut self, slot: usize, distance2: f64, other: usize) {
        let name = self.name[slot] as usize;
        let (nearest, neighbour, other) = (self.nearest[slot], self.neighbour[name], f64::from(self.name[other] + 1));
        // Where the neighbour is gone nobody knows whether another is as near: it stays unknown.
        let earlier = distance2 == nearest
            && neighbour != NOBODY
            && other < neighbour
            && self.object[neighbour as usize - 1] == self.whom[name];
        if distance2 < nearest || earlier {
            (self.nearest[slot], self.neighbour[name]) = (distance2, other);
            self.know(slot);
        }
    }

    /// Finds the nearest of a slot.
    #[inline(always)]
    fn find<V: Four>(&mut self, slot: usize) {
        // Nothing is its own neighbour.
        let y = std::mem::replace(&mut self.y[slot], f64::INFINITY);
        let at = (V::all(y), V::all(self.phi[slot]));
        let mut found = Found::<V>::none(self.radius2);
        for (y, phi) in blocks_of(&self.y).iter().zip(blocks_of(&self.phi)) {
            found.look(distances2(at, V::load(y), V::load(phi)));
        }
        self.y[slot] = y;
        self.take(slot, found);
    }

    #[inline(always)]
    fn take<V: Four>(&mut self, slot: usize, found: Found<V>) {
        let (nearest, neighbour) = found.first();
        self.nearest[slot] = nearest;
        // Slots count from 1 there, as names do here.
        let neighbour = (neighbour as usize).checked_sub(1).map_or(NOBODY, |slot| f64::from(self.name[slot] + 1));
        self.neighbour[self.name[slot] as usize] = neighbour;
        self.know(slot);
    }

    /// A slot and all before it hear of each other, while slots and names are the same.
    #[inline(always)]
    fn meet<V: Four>(&mut self, slot: usize) {
        let y = std::mem::replace(&mut self.y[slot], f64::INFINITY);
        let at = (V::all(y), V::all(self.phi[slot]));
        let me = V::all((slot + 1) as f64);
        let mut found = Found::<V>::none(self.radius2);
        let columns = self.nearest.as_chunks_mut::<LANES>().0.iter_mut().zip(self.neighbour.as_chunks_mut::<LANES>().0);
        let places = blocks_of(&self.y).iter().zip(blocks_of(&self.phi));
        for ((y, phi), (nearest, neighbour)) in places.zip(columns).take(slot / LANES + 1) {
            let distance2 = distances2(at, V::load(y), V::load(phi));
            found.look(distance2);
            let before = V::load(nearest);
            let nearer = distance2.below(before);
            distance2.smaller(before).store_to(nearest);
            // Of two names the later one.
            V::only(nearer, me).larger(V::load(neighbour)).store_to(neighbour);
        }
        self.y[slot] = y;
        (self.nearest[slot], self.neighbour[slot]) = found.first();
    }

    /// What follows from a slot's neighbour, which is there.
    #[inline(always)]
    fn know(&mut self, slot: usize) {
        let name = self.name[slot] as usize;
        self.least[slot] = self.nearest[slot] * self.weight[name];
        if let Some(neighbour) = (self.neighbour[name] as usize).checked_sub(1) {
            self.whom[name] = self.object[neighbour];
        }
    }

    /// Moves what is left together.
    fn close_gaps(&mut self) {
        let mut to = 0;
        for from in 0..self.name.len() {
            if self.y[from] < f64::INFINITY {
                for column in [&mut self.y, &mut self.phi, &mut self.nearest, &mut self.least] {
                    column[to] = column[from];
                }
                self.name[to] = self.name[from];
                self.slot[self.name[to] as usize] = to as u32;
                to += 1;
            }
        }
        self.name.truncate(to);
        for (column, nothing) in [
            (&mut self.y, f64::INFINITY),
            (&mut self.phi, 0.0),
            (&mut self.nearest, 0.0),
            (&mut self.least, f64::INFINITY),
        ] {
            column.truncate(to);
            column.resize(to.next_multiple_of(LANES), nothing);
        }
    }
}

/// The nearest so far in each of four lanes; of those equally near, the first.
#[derive(Clone, Copy)]
struct Found<V: Four> {
    distance2: V,
    slot: V,
    slots: V,
}

impl<V: Four> Found<V> {
    #[inline(always)]
    fn none(radius2: f64) -> Self {
        Self { distance2: V::all(radius2), slot: V::all(NOBODY), slots: first_slots() }
    }

    /// Looks at the next four slots.
    #[inline(always)]
    fn look(&mut self, distance2: V) {
        let nearer = distance2.below(self.distance2);
        self.slot = V::select(nearer, self.slots, self.slot);
        // Not chosen by the mask: the next block would wait for the comparison.
        self.distance2 = distance2.smaller(self.distance2);
        self.slots = self.slots.plus(V::all(LANES as f64));
    }

    #[inline(always)]
    fn first(self) -> (f64, f64) {
        first_of(self.distance2, self.slot)
    }
}

#[inline(always)]
fn first_slots<V: Four>() -> V {
    V::load(&[1.0, 2.0, 3.0, 4.0])
}

/// The smallest of four values with its slot; of equal ones the first slot, and one that is there before nobody.
#[inline(always)]
fn first_of<V: Four>(values: V, slots: V) -> (f64, f64) {
    let least = values.least();
    let candidates = V::select(values.equals(V::all(least)), slots, V::all(f64::INFINITY));
    (least, candidates.least())
}

#[inline(always)]
fn blocks_of(column: &[f64]) -> &[[f64; LANES]] {
    column.as_chunks().0
}
