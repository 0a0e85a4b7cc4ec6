//! The CPU's executor: jets by themselves, each on one thread.

use std::ops::Range;

use rayon::prelude::*;

use super::math::{Power, Row, Sums, bounded, row_of, sum_of};
use super::{Axes, Observable, Observables, Splittings, Substructure};
use crate::device::Host;
use crate::error::Result;
use crate::features::cluster::{Cluster, OneEvent, distances2, pt2_of, rapidity_of};
use crate::features::particles::Particles;
use crate::math::det;
use crate::math::four::{Four, four};
use crate::math::lorentz::FourMomentum;

/// Jets that a thread computes at a time.
const JETS_A_TASK: usize = 64;

const LANES: usize = 4;

/// The clusterings that are wanted.
#[derive(Clone, Copy)]
struct Clusterings {
    kt: Cluster,
    /// That of the axes, if it is another.
    axes: Option<Cluster>,
}

/// The constituents of a jet by their numbers, in blocks of four; those that fill up the last block have no share.
#[derive(Default)]
struct Jet {
    kt: OneEvent,
    axes: OneEvent,
    y: Vec<f64>,
    phi: Vec<f64>,
    /// pT as a share of the sum.
    share: Vec<f64>,
    /// `dR^beta` of pairs, in rows by the first; those of the second up to the first are 0 or never looked at.
    apart: Vec<f64>,
    /// `share dR^beta` of all with one.
    weighted: Vec<f64>,
}

impl Clusterings {
    fn of(substructure: &Substructure) -> Result<Self> {
        let axes = substructure.subjettiness.map(|subjettiness| subjettiness.axes).filter(|axes| *axes != Axes::Kt);
        Ok(Self { kt: Axes::Kt.cluster()?, axes: axes.map(Axes::cluster).transpose()? })
    }
}

pub(super) fn compute(substructure: &Substructure, jets: &Particles<Host>) -> Result<Observables<Host>> {
    let clusterings = Clusterings::of(substructure)?;
    let mut rows = vec![Row::default(); jets.groups()];
    rows.par_chunks_mut(JETS_A_TASK).enumerate().for_each_init(Jet::default, |jet, (task, rows)| {
        for (index, row) in rows.iter_mut().enumerate() {
            let of = jets.rows(task * JETS_A_TASK + index);
            *row = row_of(substructure, &jet.sums(substructure, clusterings, jets, of));
        }
    });
    let columns = Observable::ALL.iter().flat_map(|of| rows.iter().map(|row| row.values[*of as usize]));
    Ok(Observables {
        values: columns.collect::<Vec<f64>>().into(),
        multiplicity: (0..jets.groups()).map(|jet| jets.rows(jet).len() as u32).collect(),
        defined: rows.iter().map(|row| row.defined).collect(),
    })
}

impl Jet {
    fn sums(
        &mut self,
        substructure: &Substructure,
        clusterings: Clusterings,
        jets: &Particles<Host>,
        rows: Range<usize>,
    ) -> Sums {
        let mut sums = Sums { number: rows.len() as u32, ..Sums::default() };
        add_up(self, substructure, clusterings, jets, rows, &mut sums);
        sums
    }

    #[inline(always)]
    fn load<V: Four>(&mut self, jets: &Particles<Host>, rows: Range<usize>) -> f64 {
        let slots = rows.len().next_multiple_of(LANES);
        for column in [&mut self.y, &mut self.phi, &mut self.share, &mut self.weighted] {
            column.clear();
            column.resize(slots, 0.0);
        }
        let (px, py) = (&jets.px[rows.clone()], &jets.py[rows.clone()]);
        let (pz, energy) = (&jets.pz[rows.clone()], &jets.energy[rows]);
        let momenta = || {
            let columns = px.iter().zip(py).zip(pz.iter().zip(energy));
            columns.map(|((px, py), (pz, energy))| FourMomentum { px: *px, py: *py, pz: *pz, energy: *energy })
        };
        for (y, p) in self.y.iter_mut().zip(momenta()) {
            *y = bounded(rapidity_of(p, pt2_of(p)));
        }
        for (phi, p) in self.phi.iter_mut().zip(momenta()) {
            *phi = det::quick_atan2(p.py, p.px);
        }
        for (share, p) in self.share.iter_mut().zip(momenta()) {
            *share = det::sqrt(pt2_of(p));
        }
        let sum = sum_of(blocks_of(&self.share).iter().fold(V::all(0.0), |sum, pt| sum.plus(V::load(pt))));
        if sum > 0.0 {
            self.share.iter_mut().for_each(|share| *share /= sum);
        }
        sum
    }

    /// The sums of N-subjettiness for `number` axes.
    #[inline(always)]
    fn tau<V: Four>(
        &self,
        from: &OneEvent,
        number: usize,
        momentum: impl Fn(usize) -> FourMomentum,
        power: Power,
    ) -> f64 {
        // One axis more than there are stands where the first does.
        let mut axes = [(V::all(0.0), V::all(0.0)); 4];
        let mut count = 0;
        from.left(number, momentum, |p| {
            let axis = (V::all(bounded(rapidity_of(p, pt2_of(p)))), V::all(det::quick_atan2(p.py, p.px)));
            axes[count.min(3)] = axis;
            count += 1;
        });
        let mut sum = V::all(0.0);
        for ((y, phi), share) in blocks_of(&self.y).iter().zip(blocks_of(&self.phi)).zip(blocks_of(&self.share)) {
            let (y, phi) = (V::load(y), V::load(phi));
            let mut nearest = distances2(axes[0], y, phi);
            for axis in &axes[1..number] {
                nearest = distances2(*axis, y, phi).smaller(nearest);
            }
            sum = sum.plus(V::load(share).times(power.of_each(nearest)));
        }
        sum_of(sum)
    }

    /// The sums over pairs and triples.
    #[inline(always)]
    fn correlate<V: Four>(&mut self, number: usize, power: Power) -> (f64, f64) {
        let slots = self.y.len();
        if self.apart.len() < number * slots {
            self.apart.resize(number * slots, 0.0);
        }
        let (places_y, places_phi, shares) = (blocks_of(&self.y), blocks_of(&self.phi), blocks_of(&self.share));
        for j in 0..number {
            let at = (V::all(self.y[j]), V::all(self.phi[j]));
            let first = (j + 1) / LANES;
            let row = self.apart[j * slots..][..slots].as_chunks_mut::<LANES>().0;
            let places = places_y.iter().zip(places_phi).zip(row.iter_mut()).skip(first);
            for ((y, phi), apart) in places {
                power.of_each(distances2(at, V::load(y), V::load(phi))).store_to(apart);
            }
            if let Some(apart) = row.get_mut(first) {
                apart[..(j + 1) % LANES].fill(0.0);
            }
        }
        let (mut all_pairs, mut all_triples) = (V::all(0.0), V::all(0.0));
        for i in 0..number {
            let first = (i + 1) / LANES;
            let row = blocks_of(&self.apart[i * slots..][..slots]);
            let weighted = self.weighted.as_chunks_mut::<LANES>().0;
            let mut pairs = V::all(0.0);
            for ((share, apart), weighted) in shares.iter().zip(row).zip(weighted.iter_mut()).skip(first) {
                let product = V::load(share).times(V::load(apart));
                product.store_to(weighted);
                pairs = pairs.plus(product);
            }
            let weighted = blocks_of(&self.weighted);
            let mut triples = V::all(0.0);
            for j in i + 1..number {
                let row = blocks_of(&self.apart[j * slots..][..slots]);
                let mut sum = V::all(0.0);
                let first = (j + 1) / LANES;
                for (weighted, apart) in weighted[first..].iter().zip(&row[first..]) {
                    sum = sum.plus(V::load(weighted).times(V::load(apart)));
                }
                triples = triples.plus(V::all(self.weighted[j]).times(sum));
            }
            let share = V::all(self.share[i]);
            all_pairs = all_pairs.plus(share.times(pairs));
            all_triples = all_triples.plus(share.times(triples));
        }
        (sum_of(all_pairs), sum_of(all_triples))
    }
}

fn add_up(
    jet: &mut Jet,
    substructure: &Substructure,
    clusterings: Clusterings,
    jets: &Particles<Host>,
    rows: Range<usize>,
    sums: &mut Sums,
) {
    four!(all_sums(
        jet: &mut Jet,
        substructure: &Substructure,
        clusterings: Clusterings,
        jets: &Particles<Host>,
        rows: Range<usize>,
        sums: &mut Sums,
    ));
}

#[inline(always)]
fn all_sums<V: Four>(
    jet: &mut Jet,
    substructure: &Substructure,
    clusterings: Clusterings,
    jets: &Particles<Host>,
    rows: Range<usize>,
    sums: &mut Sums,
) {
    let splits = substructure.splittings == Splittings::Computed;
    if splits || substructure.subjettiness.is_some() && clusterings.axes.is_none() {
        jet.kt.cluster::<V>(&clusterings.kt, jets, rows.clone());
        sums.splittings = [jet.kt.splitting(1), jet.kt.splitting(2)];
    }
    if substructure.subjettiness.is_none() && substructure.correlations.is_none() {
        return;
    }
    sums.pt = jet.load::<V>(jets, rows.clone());
    if let Some(subjettiness) = substructure.subjettiness {
        let power = Power::of(subjettiness.beta);
        if let Some(axes) = &clusterings.axes {
            jet.axes.cluster::<V>(axes, jets, rows.clone());
        }
        let from = if clusterings.axes.is_some() { &jet.axes } else { &jet.kt };
        for (index, tau) in sums.taus.iter_mut().enumerate() {
            if rows.len() > index + 1 {
                *tau = jet.tau::<V>(from, index + 1, |particle| jets.momentum(rows.start + particle), power);
            }
        }
    }
    if let Some(correlations) = substructure.correlations {
        (sums.pairs, sums.triples) = jet.correlate::<V>(rows.len(), Power::of(correlations.beta));
    }
}

#[inline(always)]
fn blocks_of(column: &[f64]) -> &[[f64; LANES]] {
    column.as_chunks().0
}

/// The sums of all jets without the processor's vectors.
#[cfg(test)]
pub(super) fn plain_sums(substructure: &Substructure, jets: &Particles<Host>) -> Result<Vec<Sums>> {
    let clusterings = Clusterings::of(substructure)?;
    let of = |index: usize| {
        let rows = jets.rows(index);
        let mut sums = Sums { number: rows.len() as u32, ..Sums::default() };
        let jet = &mut Jet::default();
        all_sums::<crate::math::four::Plain>(jet, substructure, clusterings, jets, rows, &mut sums);
        sums
    };
    Ok((0..jets.groups()).map(of).collect())
}
