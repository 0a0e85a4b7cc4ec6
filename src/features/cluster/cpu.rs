//! The CPU's executor: events by themselves, each on one thread.

use std::ops::Range;

use rayon::prelude::*;

use super::live::{Live, Next};
use super::math::recombine;
use super::{BEAM, Cluster, Histories, Particles};
use crate::device::Host;
use crate::math::four::{Four, four};
use crate::math::lorentz::FourMomentum;

/// Events that a thread clusters at a time.
const EVENTS_A_TASK: usize = 64;

/// The steps of some events: parts of all columns.
struct Steps<'c> {
    first: &'c mut [u32],
    second: &'c mut [u32],
    distance: &'c mut [f64],
    px: &'c mut [f64],
    py: &'c mut [f64],
    pz: &'c mut [f64],
    energy: &'c mut [f64],
}

pub(super) fn cluster(cluster: &Cluster, particles: &Particles<Host>) -> Histories<Host> {
    let total = particles.px.len();
    let (mut first, mut second) = (vec![0; total], vec![0; total]);
    let [mut distance, mut px, mut py, mut pz, mut energy] = [(); 5].map(|()| vec![0.0; total]);
    let mut rest = Steps {
        first: &mut first,
        second: &mut second,
        distance: &mut distance,
        px: &mut px,
        py: &mut py,
        pz: &mut pz,
        energy: &mut energy,
    };
    let starts: Vec<usize> = (0..particles.groups()).step_by(EVENTS_A_TASK).collect();
    let tasks: Vec<(usize, Steps)> = starts
        .into_iter()
        .map(|start| {
            let end = particles.groups().min(start + EVENTS_A_TASK);
            (start, rest.take((particles.offsets[end] - particles.offsets[start]) as usize))
        })
        .collect();
    tasks.into_par_iter().for_each_init(Live::default, |live, (start, mut steps)| {
        for event in start..particles.groups().min(start + EVENTS_A_TASK) {
            let rows = particles.offsets[event] as usize..particles.offsets[event + 1] as usize;
            let mut steps = steps.take(rows.len());
            run(cluster, particles, rows, live, &mut steps);
        }
    });
    Histories {
        offsets: particles.offsets.clone(),
        first: first.into(),
        second: second.into(),
        distance: distance.into(),
        px: px.into(),
        py: py.into(),
        pz: pz.into(),
        energy: energy.into(),
    }
}

/// The steps of one event after the other, with the room for finding them: for what is computed of the steps and keeps none.
#[derive(Debug, Default)]
pub(in crate::features) struct OneEvent {
    live: Live,
    particles: usize,
    first: Vec<u32>,
    second: Vec<u32>,
    distance: Vec<f64>,
    px: Vec<f64>,
    py: Vec<f64>,
    pz: Vec<f64>,
    energy: Vec<f64>,
}

impl OneEvent {
    /// Finds the steps of the particles in these rows.
    #[inline(always)]
    pub(in crate::features) fn cluster<V: Four>(
        &mut self,
        cluster: &Cluster,
        particles: &Particles<Host>,
        rows: Range<usize>,
    ) {
        self.particles = rows.len();
        for column in [&mut self.first, &mut self.second] {
            column.resize(rows.len(), 0);
        }
        for column in [&mut self.distance, &mut self.px, &mut self.py, &mut self.pz, &mut self.energy] {
            column.resize(rows.len(), 0.0);
        }
        let mut steps = Steps {
            first: &mut self.first,
            second: &mut self.second,
            distance: &mut self.distance,
            px: &mut self.px,
            py: &mut self.py,
            pz: &mut self.pz,
            energy: &mut self.energy,
        };
        all_steps::<V>(cluster, particles, rows, &mut self.live, &mut steps);
    }

    /// The distance of the step that leaves `number` objects of `number + 1`; 0 if there never were so many.
    pub(in crate::features) fn splitting(&self, number: usize) -> f64 {
        self.particles.checked_sub(number + 1).map_or(0.0, |step| self.distance[step])
    }

    /// The momenta of the `number` objects that are left when so many steps are undone, in the order in which they are taken;
    /// nothing if there are fewer particles. `particle` says the momentum of one of these.
    #[inline(always)]
    pub(in crate::features) fn left(
        &self,
        number: usize,
        particle: impl Fn(usize) -> FourMomentum,
        mut found: impl FnMut(FourMomentum),
    ) {
        let Some(done) = self.particles.checked_sub(number) else { return };
        for step in done..self.particles {
            for object in [self.first[step], self.second[step]].map(|object| object as usize) {
                // What is made later is not there yet, nor is the beam, whose number is larger still.
                if object >= self.particles + done {
                    continue;
                }
                found(match object.checked_sub(self.particles) {
                    None => particle(object),
                    Some(step) => FourMomentum {
                        px: self.px[step],
                        py: self.py[step],
                        pz: self.pz[step],
                        energy: self.energy[step],
                    },
                });
            }
        }
    }
}

impl<'c> Steps<'c> {
    /// Takes the next so many off.
    fn take(&mut self, steps: usize) -> Self {
        fn off<'c, T>(column: &mut &'c mut [T], steps: usize) -> &'c mut [T] {
            let (taken, rest) = std::mem::take(column).split_at_mut(steps);
            *column = rest;
            taken
        }
        Self {
            first: off(&mut self.first, steps),
            second: off(&mut self.second, steps),
            distance: off(&mut self.distance, steps),
            px: off(&mut self.px, steps),
            py: off(&mut self.py, steps),
            pz: off(&mut self.pz, steps),
            energy: off(&mut self.energy, steps),
        }
    }

    #[inline(always)]
    fn put(&mut self, step: usize, (first, second): (u32, u32), distance: f64, momentum: FourMomentum) {
        (self.first[step], self.second[step], self.distance[step]) = (first, second, distance);
        (self.px[step], self.py[step]) = (momentum.px, momentum.py);
        (self.pz[step], self.energy[step]) = (momentum.pz, momentum.energy);
    }
}

fn run(cluster: &Cluster, particles: &Particles<Host>, rows: Range<usize>, live: &mut Live, steps: &mut Steps) {
    four!(all_steps(cluster: &Cluster, particles: &Particles<Host>, rows: Range<usize>, live: &mut Live, steps: &mut Steps));
}

#[inline(always)]
fn all_steps<V: Four>(
    cluster: &Cluster,
    particles: &Particles<Host>,
    rows: Range<usize>,
    live: &mut Live,
    steps: &mut Steps,
) {
    let number = rows.len() as u32;
    live.load::<V>(cluster, particles, rows);
    for step in 0..number {
        let Next { name, neighbour, least } = live.next::<V>();
        let distance = least / (cluster.radius * cluster.radius);
        let at = step as usize;
        let (object, momentum) = live.object(name);
        let Some(neighbour) = neighbour else {
            steps.put(at, (object, BEAM), distance, momentum);
            live.end(name);
            continue;
        };
        let (first, second) = (name.min(neighbour), name.max(neighbour));
        let ((one, a), (other, b)) = (live.object(first), live.object(second));
        let merged = recombine(cluster.recombination, a, b);
        steps.put(at, (one.min(other), one.max(other)), distance, merged);
        live.merge::<V>((first, second), (number + step, merged));
    }
}
