//! The objects of an event that are not yet clustered, in the order of rapidity.
//!
//! A nearest neighbour is looked for from an object outwards until the difference of rapidity alone is larger than the least
//! distance so far: 7 blocks of four of the 40 to 80 blocks of an event of 300 particles.

use super::math::{distance2, pt2_of, rapidity_of, weight_of};
use super::{Algorithm, Cluster};
use crate::math::det;
use crate::math::four::Four;
use crate::math::lorentz::FourMomentum;

/// Places of a block.
const LANES: usize = 4;

/// Blocks of which the least is found before it is looked for in them.
const BLOCKS_OF_GROUP: usize = 4;

/// The name of nobody, as a number among names; names are small enough to be exact.
pub(super) const NOBODY: f64 = -1.0;

/// Columns by place hold blocks of four; what lies behind the last object is infinitely far away, as is what was removed, which
/// keeps its rapidity and with it the order.
#[derive(Debug, Default)]
pub(super) struct Places {
    radius: f64,
    radius2: f64,
    y: Vec<f64>,
    phi: Vec<f64>,
    name: Vec<f64>,
    /// The squared distance of the nearest other object, if that is less than R^2, else R^2.
    nearest: Vec<f64>,
    /// Its name, or [`NOBODY`].
    neighbour: Vec<f64>,
    /// `d_ij R^2` with it, or `d_iB R^2`.
    least: Vec<f64>,
    /// How many places there are, with those of what was removed.
    length: usize,
    live: usize,
    /// By name.
    place: Vec<u32>,
    weight: Vec<f64>,
    order: Vec<(f64, f64, u32)>,
    again: Vec<u32>,
    groups: Vec<[f64; LANES]>,
}

/// The nearest so far, in each of four lanes; of those that are equally near, the one that came first.
#[derive(Clone, Copy)]
struct Found<V: Four> {
    distance2: V,
    name: V,
    /// Where two were equally near.
    tied: V::Mask,
}

fn reset<T: Clone>(column: &mut Vec<T>, length: usize, value: T) {
    column.clear();
    column.resize(length, value);
}

impl Places {
    /// Begins an event.
    #[inline(always)]
    pub fn load<V: Four>(&mut self, cluster: &Cluster, momenta: &[FourMomentum]) {
        (self.radius, self.radius2) = (cluster.radius, cluster.radius * cluster.radius);
        (self.length, self.live) = (momenta.len(), momenta.len());
        let places = self.length.next_multiple_of(LANES);
        for column in [&mut self.y, &mut self.phi, &mut self.least] {
            reset(column, places, f64::INFINITY);
        }
        for column in [&mut self.name, &mut self.neighbour] {
            reset(column, places, NOBODY);
        }
        reset(&mut self.nearest, places, self.radius2);
        reset(&mut self.place, self.length, 0);
        reset(&mut self.weight, self.length, 0.0);
        self.order.clear();
        for (name, momentum) in momenta.iter().enumerate() {
            let (y, phi) = self.weigh(cluster.algorithm, name, *momentum);
            self.order.push((y, phi, name as u32));
        }
        self.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        for (place, &(y, phi, name)) in self.order.iter().enumerate() {
            (self.y[place], self.phi[place], self.name[place]) = (y, phi, f64::from(name));
            self.place[name as usize] = place as u32;
        }
        for place in 0..self.length {
            self.find::<V>(place);
        }
    }

    /// The weight of a name becomes that of a momentum, whose rapidity and azimuth are returned.
    #[inline(always)]
    fn weigh(&mut self, algorithm: Algorithm, name: usize, momentum: FourMomentum) -> (f64, f64) {
        let pt2 = pt2_of(momentum);
        self.weight[name] = weight_of(algorithm, pt2);
        (rapidity_of(momentum, pt2), det::atan2(momentum.py, momentum.px))
    }

    /// The name with the least of all `d R^2`, that and the name of its neighbour.
    #[inline(always)]
    pub fn first<V: Four>(&mut self) -> (usize, f64, f64) {
        if 4 * self.live < 3 * self.length && self.length > 4 * LANES {
            self.close_gaps();
        }
        let name = self.least_name::<V>();
        let place = self.place[name] as usize;
        (name, self.least[place], self.neighbour[place])
    }

    /// Takes an object out that becomes a jet.
    #[inline(always)]
    pub fn end<V: Four>(&mut self, name: usize) {
        let place = self.place[name] as usize;
        let y = self.y[place];
        self.remove(place);
        let reach = self.reach(y, y);
        self.again.clear();
        self.orphans::<V>(place / LANES, reach, [name as f64; 2]);
        self.find_again::<V>();
    }

    /// Takes two objects out and puts another in, under the name of the first.
    #[inline(always)]
    pub fn merge<V: Four>(&mut self, algorithm: Algorithm, first: usize, second: usize, momentum: FourMomentum) {
        let [one, other] = [first, second].map(|name| self.place[name] as usize);
        let (low, high) = (self.y[one].min(self.y[other]), self.y[one].max(self.y[other]));
        self.remove(other);
        let (y, phi) = self.weigh(algorithm, first, momentum);
        let place = self.move_to(one, y);
        (self.y[place], self.phi[place]) = (y, phi);
        self.name[place] = first as f64;
        self.neighbour[place] = NOBODY;
        self.place[first] = place as u32;
        self.live += 1;
        let reach = self.reach(low.min(y), high.max(y));
        self.again.clear();
        self.again.push(place as u32);
        self.offer::<V>(place, reach, [first as f64, second as f64]);
        self.find_again::<V>();
    }

    /// The rapidities of all that can be within R of something from `low` to `high`, with room for rounding.
    #[inline(always)]
    fn reach(&self, low: f64, high: f64) -> (f64, f64) {
        let most = self.radius + 1e-9 * (self.radius + low.abs() + high.abs());
        (low - most, high + most)
    }

    #[inline(always)]
    fn remove(&mut self, place: usize) {
        self.phi[place] = f64::INFINITY;
        self.least[place] = f64::INFINITY;
        self.neighbour[place] = NOBODY;
        self.live -= 1;
    }

    /// Takes what is at a place out of the order, and returns the place that is then free for rapidity `y`.
    #[inline(always)]
    fn move_to(&mut self, mut place: usize, y: f64) -> usize {
        self.remove(place);
        while place + 1 < self.length && self.y[place + 1] < y {
            self.shift(place + 1, place);
            place += 1;
        }
        while place > 0 && self.y[place - 1] > y {
            self.shift(place - 1, place);
            place -= 1;
        }
        place
    }

    #[inline(always)]
    fn shift(&mut self, from: usize, to: usize) {
        for column in
            [&mut self.y, &mut self.phi, &mut self.name, &mut self.nearest, &mut self.neighbour, &mut self.least]
        {
            column[to] = column[from];
        }
        // What was removed may still have the name of something that lives elsewhere.
        if self.phi[to] < f64::INFINITY {
            self.place[self.name[to] as usize] = to as u32;
        }
    }

    /// Forgets the places of what was removed.
    #[inline(always)]
    fn close_gaps(&mut self) {
        let mut to = 0;
        for place in 0..self.length {
            if self.phi[place] < f64::INFINITY {
                self.shift(place, to);
                to += 1;
            }
        }
        self.length = to;
        let places = to.next_multiple_of(LANES);
        for (column, nothing) in [
            (&mut self.y, f64::INFINITY),
            (&mut self.phi, f64::INFINITY),
            (&mut self.least, f64::INFINITY),
            (&mut self.name, NOBODY),
            (&mut self.neighbour, NOBODY),
            (&mut self.nearest, 0.0),
        ] {
            column.truncate(to);
            column.resize(places, nothing);
        }
    }

    /// Finds the nearest of a place.
    #[inline(always)]
    fn find<V: Four>(&mut self, place: usize) {
        let (y, phi) = (self.y[place], self.phi[place]);
        // Nothing is its own neighbour.
        self.phi[place] = f64::INFINITY;
        let blocks = self.y.len() / LANES;
        let (mut start, mut end) = (place / LANES, place / LANES + 1);
        let mut found =
            Found { distance2: V::all(self.radius2), name: V::all(NOBODY), tied: V::all(0.0).below(V::all(0.0)) };
        let at = (V::all(y), V::all(phi));
        self.look(start, at, &mut found);
        loop {
            let bound = found.distance2.least();
            let up = end < blocks && square(self.y[end * LANES] - y) <= bound;
            if up {
                self.look(end, at, &mut found);
                end += 1;
            }
            let down = start > 0 && square(y - self.y[start * LANES - 1]) <= bound;
            if down {
                start -= 1;
                self.look(start, at, &mut found);
            }
            if !(up || down) {
                break;
            }
        }
        self.phi[place] = phi;
        let (nearest, mut neighbour) = nearest_of(found);
        if V::bits(found.tied) != 0 && neighbour != NOBODY {
            neighbour = self.first_at(start * LANES..end * LANES, place, nearest);
        }
        (self.nearest[place], self.neighbour[place]) = (nearest, neighbour);
        self.set_least(place);
    }

    #[inline(always)]
    fn look<V: Four>(&self, block: usize, (y, phi): (V, V), found: &mut Found<V>) {
        let distance2 = distances2(y, phi, load(&self.y, block), load(&self.phi, block));
        let nearer = distance2.below(found.distance2);
        found.tied = V::either(found.tied, distance2.equals(found.distance2));
        found.distance2 = V::select(nearer, distance2, found.distance2);
        found.name = V::select(nearer, load(&self.name, block), found.name);
    }

    /// The lowest name at a distance, if several are equally near.
    #[cold]
    fn first_at(&self, places: std::ops::Range<usize>, place: usize, nearest: f64) -> f64 {
        let others = places.filter(|there| *there != place && self.phi[*there] < f64::INFINITY);
        let near = others
            .filter(|there| distance2(self.y[place], self.phi[place], self.y[*there], self.phi[*there]) == nearest);
        near.map(|there| self.name[there]).fold(f64::INFINITY, f64::min)
    }

    #[inline(always)]
    fn set_least(&mut self, place: usize) {
        let own = self.weight[self.name[place] as usize];
        let neighbour = self.neighbour[place];
        self.least[place] = if neighbour == NOBODY {
            own * self.radius2
        } else {
            let other = self.weight[neighbour as usize];
            self.nearest[place] * if other < own { other } else { own }
        };
    }

    /// The blocks from one outwards in which a rapidity within `reach` can be.
    #[inline(always)]
    fn blocks(&self, from: usize, (low, high): (f64, f64)) -> std::ops::Range<usize> {
        let (mut start, mut end) = (from, from + 1);
        while start > 0 && self.y[start * LANES - 1] >= low {
            start -= 1;
        }
        while end < self.y.len() / LANES && self.y[end * LANES] <= high {
            end += 1;
        }
        start..end
    }

    /// Notes the places whose neighbour was one of two.
    #[inline(always)]
    fn orphans<V: Four>(&mut self, from: usize, reach: (f64, f64), gone: [f64; 2]) {
        let gone = gone.map(V::all);
        for block in self.blocks(from, reach) {
            let neighbour: V = load(&self.neighbour, block);
            let mut lost = V::bits(V::either(neighbour.equals(gone[0]), neighbour.equals(gone[1])));
            while lost != 0 {
                self.again.push((block * LANES) as u32 + lost.trailing_zeros());
                lost &= lost - 1;
            }
        }
    }

    /// Offers the object at a place to all in reach as a neighbour, and notes those whose neighbour was one of two.
    #[inline(always)]
    fn offer<V: Four>(&mut self, place: usize, reach: (f64, f64), gone: [f64; 2]) {
        let (y, phi) = (V::all(self.y[place]), V::all(self.phi[place]));
        let gone = gone.map(V::all);
        for block in self.blocks(place / LANES, reach) {
            let neighbour: V = load(&self.neighbour, block);
            let lost = V::bits(V::either(neighbour.equals(gone[0]), neighbour.equals(gone[1])));
            let distance2 = distances2(y, phi, load(&self.y, block), load(&self.phi, block));
            let near = V::bits(distance2.not_above(load(&self.nearest, block)));
            let mut either = lost | near;
            if either == 0 {
                continue;
            }
            let distance2 = distance2.store();
            while either != 0 {
                let lane = either.trailing_zeros() as usize;
                either &= either - 1;
                let there = block * LANES + lane;
                if lost >> lane & 1 == 1 {
                    self.again.push(there as u32);
                } else if there != place {
                    self.take(there, distance2[lane], self.name[place]);
                }
            }
        }
    }

    /// A place hears of an object that may be nearer than its neighbour.
    #[inline(always)]
    fn take(&mut self, place: usize, distance2: f64, name: f64) {
        let now = self.nearest[place];
        let earlier = distance2 == now && self.neighbour[place] != NOBODY && name < self.neighbour[place];
        if distance2 < now || earlier {
            (self.nearest[place], self.neighbour[place]) = (distance2, name);
            self.set_least(place);
        }
    }

    #[inline(always)]
    fn find_again<V: Four>(&mut self) {
        let again = std::mem::take(&mut self.again);
        for place in &again {
            self.find::<V>(*place as usize);
        }
        self.again = again;
    }

    /// The first name that has the least of all.
    #[inline(always)]
    fn least_name<V: Four>(&mut self) -> usize {
        let blocks = self.least.as_chunks::<LANES>().0;
        self.groups.clear();
        let mut all = V::all(f64::INFINITY);
        for group in blocks.chunks(BLOCKS_OF_GROUP) {
            let least = group[1..].iter().fold(V::load(&group[0]), |least, block| least.smaller(V::load(block)));
            all = all.smaller(least);
            self.groups.push(least.store());
        }
        let least = V::all(all.least());
        let mut first = f64::INFINITY;
        for (group, values) in self.groups.iter().enumerate() {
            if V::bits(V::load(values).equals(least)) == 0 {
                continue;
            }
            for (block, values) in blocks.iter().enumerate().skip(group * BLOCKS_OF_GROUP).take(BLOCKS_OF_GROUP) {
                let mut equal = V::bits(V::load(values).equals(least));
                while equal != 0 {
                    first = first.min(self.name[block * LANES + equal.trailing_zeros() as usize]);
                    equal &= equal - 1;
                }
            }
        }
        first as usize
    }
}

#[inline(always)]
fn load<V: Four>(column: &[f64], block: usize) -> V {
    V::load(&column.as_chunks::<LANES>().0[block])
}

#[inline(always)]
fn square(x: f64) -> f64 {
    x * x
}

/// [`distance2`] of four.
#[inline(always)]
fn distances2<V: Four>(y: V, phi: V, ys: V, phis: V) -> V {
    let dy = y.minus(ys);
    let turned = phi.minus(phis).absolute();
    let dphi = turned.smaller(V::all(2.0 * std::f64::consts::PI).minus(turned));
    dy.times(dy).plus(dphi.times(dphi))
}

/// The nearest of the four lanes; of those equally near the lowest name.
#[inline(always)]
fn nearest_of<V: Four>(found: Found<V>) -> (f64, f64) {
    let (distances2, names) = (found.distance2.store(), found.name.store());
    let (mut nearest, mut neighbour) = (distances2[0], names[0]);
    for (distance2, name) in distances2.into_iter().zip(names).skip(1) {
        let earlier = distance2 == nearest && name != NOBODY && (neighbour == NOBODY || name < neighbour);
        if distance2 < nearest || earlier {
            (nearest, neighbour) = (distance2, name);
        }
    }
    (nearest, neighbour)
}
