//! The CPU's executor: jets by themselves, each on one thread.

use std::ops::Range;

use rayon::prelude::*;

use super::math::{Axis, NO_PIXEL, Placed, Raster, Turn, placed, pt_of, sign_of};
use super::{Image, Images, Input, Membership, Particles, Reflection, Rotation, Verdict};
use crate::device::Host;
use crate::features::align::math::{LANES, sum_of};
use crate::features::cluster::{pt2_of, rapidity_of};
use crate::math::angle::wrap_phi;
use crate::math::det;
use crate::math::four::{Four, Largest, four};
use crate::math::lorentz::FourMomentum;

/// Jets that a thread makes at a time.
const JETS_A_TASK: usize = 64;

/// What is wanted of each jet.
#[derive(Clone, Copy)]
struct Wanted {
    raster: Raster,
    /// The square of the cone's radius; that of own constituents has no end.
    radius2: f64,
    rotation: Rotation,
    reflection: Reflection,
}

#[derive(Clone, Copy, Default)]
struct Outcome {
    number: u32,
    outside: u32,
    verdict: u32,
}

/// The constituents of a jet, in blocks of 32 with zeros behind the last.
#[derive(Default)]
struct Jet {
    /// pT, and then its share of the sum.
    share: Vec<f64>,
    y: Vec<f64>,
    phi: Vec<f64>,
    /// Terms of a sum.
    term: Vec<f64>,
    pixel: Vec<u32>,
    /// The sums of pixels; all 0 between jets.
    sums: Vec<f64>,
}

pub(super) fn images(image: &Image, input: &Input<Host>) -> Images<Host> {
    let (jets, size) = (input.jets(), image.size());
    let mut values = vec![0.0_f32; jets * size];
    let mut outcomes = vec![Outcome::default(); jets];
    let tasks = values.par_chunks_mut(JETS_A_TASK * size).zip(outcomes.par_chunks_mut(JETS_A_TASK)).enumerate();
    tasks.for_each_init(Jet::default, |jet, (task, (values, outcomes))| {
        run(image, input, task * JETS_A_TASK, jet, values, outcomes);
    });
    let column = |of: fn(&Outcome) -> u32| outcomes.iter().map(of).collect();
    Images {
        pixels: image.pixels,
        values: values.into(),
        number: column(|outcome| outcome.number),
        outside: column(|outcome| outcome.outside),
        verdict: column(|outcome| outcome.verdict),
    }
}

fn run(image: &Image, input: &Input<Host>, first: usize, jet: &mut Jet, values: &mut [f32], outcomes: &mut [Outcome]) {
    four!(all_jets(
        image: &Image,
        input: &Input<Host>,
        first: usize,
        jet: &mut Jet,
        values: &mut [f32],
        outcomes: &mut [Outcome],
    ));
}

#[inline(always)]
fn all_jets<V: Four>(
    image: &Image,
    input: &Input<Host>,
    first: usize,
    jet: &mut Jet,
    values: &mut [f32],
    outcomes: &mut [Outcome],
) {
    let size = image.size();
    let radius2 = match image.membership {
        Membership::Own => f64::INFINITY,
        Membership::Cone { radius } => radius * radius,
    };
    let raster = Raster::of(image.pixels, image.width / f64::from(image.pixels));
    let wanted = Wanted { raster, radius2, rotation: image.rotation, reflection: image.reflection };
    jet.sums.resize(size, 0.0);
    for ((number, outcome), values) in (first..).zip(outcomes).zip(values.chunks_exact_mut(size)) {
        let axis = match &input.axes {
            Some(axes) => {
                jet.load(&input.particles, input.particles.rows(axes.event[number] as usize));
                Axis { y: axes.rapidity[number], phi: wrap_phi(axes.phi[number]) }
            }
            None => {
                let rows = input.particles.rows(number);
                jet.load(&input.particles, rows.clone());
                jet.axis(&input.particles, rows)
            }
        };
        *outcome = jet.make::<V>(&wanted, axis, values);
    }
}

impl Jet {
    #[inline(always)]
    fn load(&mut self, particles: &Particles<Host>, rows: Range<usize>) {
        let room = rows.len().next_multiple_of(LANES);
        for column in [&mut self.share, &mut self.y, &mut self.phi, &mut self.term] {
            column.clear();
            column.resize(room, 0.0);
        }
        self.pixel.clear();
        self.pixel.resize(room, NO_PIXEL);
        let (px, py) = (&particles.px[rows.clone()], &particles.py[rows.clone()]);
        let (pz, energy) = (&particles.pz[rows.clone()], &particles.energy[rows]);
        // A loop for each, so that it becomes vectors.
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
        for (pt, p) in self.share.iter_mut().zip(momenta()) {
            *pt = pt_of(pt2_of(p));
        }
    }

    /// The axis of the sum of momenta; its rapidity would be taken away again.
    #[inline(always)]
    fn axis(&mut self, particles: &Particles<Host>, rows: Range<usize>) -> Axis {
        let [px, py] = [&particles.px, &particles.py].map(|column| {
            self.term[..rows.len()].copy_from_slice(&column[rows.clone()]);
            sum_of(self.term.as_chunks().0)
        });
        Axis { y: 0.0, phi: det::quick_atan2(py, px) }
    }

    #[inline(always)]
    fn make<V: Four>(&mut self, wanted: &Wanted, axis: Axis, values: &mut [f32]) -> Outcome {
        for ((pt, y), phi) in self.share.iter_mut().zip(&mut self.y).zip(&mut self.phi) {
            let at = placed(*pt, *y, *phi, axis, wanted.radius2);
            Placed { pt: *pt, y: *y, phi: *phi } = at;
        }
        let mut hardest = Largest::<V>::above(0.0);
        self.share.as_chunks().0.iter().for_each(|four| hardest.look(V::load(four)));
        let Some(hardest) = hardest.first() else {
            return Outcome { verdict: Verdict::NoPt as u32, ..Outcome::default() };
        };
        let number = self.share.iter().map(|pt| u32::from(*pt > 0.0)).sum::<u32>();
        let sum = sum_of(self.share.as_chunks().0);
        self.share.iter_mut().for_each(|share| *share /= sum);
        let (mean_y, mean_phi) = (self.sum(|share, y, _| share * y), self.sum(|share, _, phi| share * phi));
        self.y.iter_mut().for_each(|y| *y -= mean_y);
        self.phi.iter_mut().for_each(|phi| *phi -= mean_phi);
        let mut turn = Turn::ABSENT;
        if wanted.rotation == Rotation::PrincipalAxis && number > 2 {
            turn = Turn::of(
                self.sum(|share, y, _| share * (y * y)),
                self.sum(|share, y, phi| share * (y * phi)),
                self.sum(|share, _, phi| share * (phi * phi)),
            );
        }
        let (mut y_sign, mut phi_sign) = (1.0, 1.0);
        if wanted.reflection == Reflection::HardestUpperRight {
            let (y, phi) = turn.turned(self.y[hardest], self.phi[hardest]);
            (y_sign, phi_sign) = (sign_of(y), sign_of(phi));
        }
        let places = self.y.iter().zip(&self.phi).zip(&self.share);
        for ((pixel, term), ((y, phi), share)) in self.pixel.iter_mut().zip(&mut self.term).zip(places) {
            let (y, phi) = turn.turned(*y, *phi);
            let of_all = wanted.raster.pixel_of(y_sign * y, phi_sign * phi);
            *pixel = if *share > 0.0 { of_all } else { NO_PIXEL };
            *term = if *pixel != NO_PIXEL { *share } else { 0.0 };
        }
        let total = sum_of(self.term.as_chunks().0);
        let inside = self.put(total, values);
        let verdict = if inside > 0 { Verdict::Made } else { Verdict::AllOutside };
        Outcome { number, outside: number - inside, verdict: verdict as u32 }
    }

    /// The sum of what a share, y and phi of each give.
    #[inline(always)]
    fn sum(&mut self, of: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let columns = self.share.iter().zip(&self.y).zip(&self.phi);
        for (term, ((share, y), phi)) in self.term.iter_mut().zip(columns) {
            *term = of(*share, *y, *phi);
        }
        sum_of(self.term.as_chunks().0)
    }

    /// The shares in their pixels; how many that are.
    #[inline(always)]
    fn put(&mut self, total: f64, values: &mut [f32]) -> u32 {
        let lit = || self.pixel.iter().zip(&self.share).filter(|(pixel, _)| **pixel != NO_PIXEL);
        let mut inside = 0;
        for (pixel, share) in lit() {
            self.sums[*pixel as usize] += share;
            inside += 1;
        }
        for (pixel, _) in lit() {
            values[*pixel as usize] = (self.sums[*pixel as usize] / total) as f32;
        }
        for (pixel, _) in lit() {
            self.sums[*pixel as usize] = 0.0;
        }
        inside
    }
}
