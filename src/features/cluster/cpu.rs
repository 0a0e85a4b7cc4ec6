//! The CPU's executor: events by themselves, each on one thread.

use rayon::prelude::*;

use super::math::recombine;
use super::places::{NOBODY, Places};
use super::{BEAM, Cluster, Histories, Particles};
use crate::device::Host;
use crate::math::four::{Four, four};
use crate::math::lorentz::FourMomentum;

/// Events that a thread clusters at a time.
const EVENTS_A_TASK: usize = 64;

/// What clusters one event after the other.
#[derive(Default)]
struct Clusterer {
    places: Places,
    /// By name: the object it is, and its momentum.
    object: Vec<u32>,
    momentum: Vec<FourMomentum>,
}

/// The steps of some events, as columns.
#[derive(Default)]
struct Steps {
    first: Vec<u32>,
    second: Vec<u32>,
    distance: Vec<f64>,
    momentum: Vec<FourMomentum>,
}

pub(super) fn cluster(cluster: &Cluster, particles: &Particles<Host>) -> Histories<Host> {
    let tasks = particles.events().div_ceil(EVENTS_A_TASK);
    let parts: Vec<Steps> = (0..tasks)
        .into_par_iter()
        .map_init(Clusterer::default, |clusterer, task| {
            let mut steps = Steps::default();
            let start = task * EVENTS_A_TASK;
            for event in start..particles.events().min(start + EVENTS_A_TASK) {
                clusterer.event(cluster, particles, event, &mut steps);
            }
            steps
        })
        .collect();
    let momenta = || parts.iter().flat_map(|part| &part.momentum);
    Histories {
        offsets: particles.offsets.clone(),
        first: parts.iter().flat_map(|part| &part.first).copied().collect(),
        second: parts.iter().flat_map(|part| &part.second).copied().collect(),
        distance: parts.iter().flat_map(|part| &part.distance).copied().collect(),
        px: momenta().map(|p| p.px).collect(),
        py: momenta().map(|p| p.py).collect(),
        pz: momenta().map(|p| p.pz).collect(),
        energy: momenta().map(|p| p.energy).collect(),
    }
}

impl Clusterer {
    fn event(&mut self, cluster: &Cluster, particles: &Particles<Host>, event: usize, steps: &mut Steps) {
        let rows = particles.offsets[event] as usize..particles.offsets[event + 1] as usize;
        self.object.clear();
        self.object.extend(0..rows.len() as u32);
        self.momentum.clear();
        self.momentum.extend(rows.map(|row| particles.momentum(row)));
        run(cluster, self, steps);
    }
}

fn run(cluster: &Cluster, clusterer: &mut Clusterer, steps: &mut Steps) {
    four!(all_steps(cluster: &Cluster, clusterer: &mut Clusterer, steps: &mut Steps));
}

#[inline(always)]
fn all_steps<V: Four>(cluster: &Cluster, clusterer: &mut Clusterer, steps: &mut Steps) {
    let Clusterer { places, object, momentum } = clusterer;
    let particles = momentum.len();
    places.load::<V>(cluster, momentum);
    for step in 0..particles {
        let (name, least, neighbour) = places.first::<V>();
        steps.distance.push(least / (cluster.radius * cluster.radius));
        if neighbour == NOBODY {
            steps.first.push(object[name]);
            steps.second.push(BEAM);
            steps.momentum.push(momentum[name]);
            places.end::<V>(name);
            continue;
        }
        let other = neighbour as usize;
        let (first, second) = (name.min(other), name.max(other));
        let merged = recombine(cluster.recombination, momentum[first], momentum[second]);
        steps.first.push(object[first].min(object[second]));
        steps.second.push(object[first].max(object[second]));
        steps.momentum.push(merged);
        object[first] = (particles + step) as u32;
        momentum[first] = merged;
        places.merge::<V>(cluster.algorithm, first, second, merged);
    }
}
