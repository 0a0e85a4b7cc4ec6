//! The steps against a plain search over all pairs.

use super::math::{distances2, pt2_of, rapidity_of, recombine, weight_of};
use super::*;
use crate::device::Operation;
use crate::math::det;
use crate::math::four::Four;
use crate::math::lorentz::FourMomentum;
use crate::math::philox::{Philox, Stage};

/// (first, second, distance, momentum) of each step, by looking at all pairs in each: the definition.
fn plain(cluster: &Cluster, event: &[FourMomentum]) -> Vec<(u32, u32, f64, FourMomentum)> {
    let r2 = cluster.radius * cluster.radius;
    // By name.
    let mut live: Vec<Option<(u32, FourMomentum)>> =
        event.iter().enumerate().map(|(object, p)| Some((object as u32, *p))).collect();
    let weight = |p: FourMomentum| weight_of(cluster.algorithm, pt2_of(p));
    let place = |p: FourMomentum| (rapidity_of(p, pt2_of(p)), det::quick_atan2(p.py, p.px));
    let between = |a: FourMomentum, b: FourMomentum| {
        let ((y, phi), (other_y, other_phi)) = (place(a), place(b));
        let all = crate::math::four::Plain::all;
        distances2((all(y), all(phi)), all(other_y), all(other_phi)).least()
    };
    let mut steps = Vec::new();
    for step in 0..event.len() {
        let mut best: Option<(f64, usize, Option<usize>)> = None;
        for (i, a) in live.iter().enumerate() {
            let Some((_, a)) = a else { continue };
            let others = live.iter().enumerate().filter_map(|(j, b)| Some((j, b.as_ref()?.1))).filter(|(j, _)| *j != i);
            let near = others.map(|(j, b)| (between(*a, b), Some(j))).filter(|(d, _)| *d < r2);
            for (d, other) in near.chain([(r2, None)]) {
                let d = d * weight(*a);
                if best.is_none_or(|(least, ..)| d < least) {
                    best = Some((d, i, other));
                }
            }
        }
        let (d, i, other) = best.unwrap();
        let (object, p) = live[i].unwrap();
        match other {
            None => {
                live[i] = None;
                steps.push((object, BEAM, d / r2, p));
            }
            Some(j) => {
                let (keep, gone) = (i.min(j), i.max(j));
                let (a, b) = (live[keep].unwrap(), live[gone].unwrap());
                let merged = recombine(cluster.recombination, a.1, b.1);
                steps.push((a.0.min(b.0), a.0.max(b.0), d / r2, merged));
                live[keep] = Some(((event.len() + step) as u32, merged));
                live[gone] = None;
            }
        }
    }
    steps
}

/// Massless particles around a few directions, some of them equal, collinear, along the beam or without any momentum.
fn event(seed: u64, particles: usize) -> Vec<FourMomentum> {
    let random = Philox::new(seed, Stage::Probe);
    let mut event: Vec<FourMomentum> = Vec::new();
    for unit in 0..particles as u64 {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let kind = (a * 40.0) as u32;
        let (eta, phi) = if kind < 25 { (0.3 * b, 1.0 + 0.3 * c) } else { (6.0 * b - 3.0, 6.3 * c - 3.15) };
        let pt = 500.0 * det::pow(d, 4.0) + 1e-3;
        let mut p =
            FourMomentum::from_pt_eta_phi_mass(pt as f32, eta as f32, phi as f32, if kind == 30 { 5.0 } else { 0.0 });
        match (kind, event.last()) {
            (36, Some(last)) => p = *last,
            (37, Some(last)) => {
                p = FourMomentum { px: 2.0 * last.px, py: 2.0 * last.py, pz: 2.0 * last.pz, energy: 2.0 * last.energy };
            }
            (38, _) => p = FourMomentum { px: 0.0, py: 0.0, pz: -pt, energy: pt },
            (39, _) => p = FourMomentum::ZERO,
            _ => {}
        }
        event.push(p);
    }
    event
}

fn all_kinds() -> Vec<Cluster> {
    let algorithms =
        [Algorithm::AntiKt, Algorithm::CambridgeAachen, Algorithm::Kt, Algorithm::Generalised(0.5)].into_iter();
    let mut kinds: Vec<Cluster> = algorithms
        .flat_map(|algorithm| [0.4, 1.0, 100.0].map(|radius| Cluster::new(algorithm, radius).unwrap()))
        .collect();
    let winners = kinds.iter().step_by(2).map(|kind| kind.with_recombination(Recombination::WinnerTakesAll));
    kinds.extend(winners.collect::<Vec<_>>());
    kinds
}

fn same(cluster: &Cluster, events: &[Vec<FourMomentum>]) {
    let slices: Vec<&[FourMomentum]> = events.iter().map(Vec::as_slice).collect();
    let histories = cluster.cpu(Particles::of_groups(&slices)).unwrap();
    assert_eq!(histories.events(), events.len());
    for (number, event) in events.iter().enumerate() {
        let history = histories.event(number);
        let got: Vec<_> = history
            .steps()
            .map(|step| {
                let second = match step.second {
                    Second::Object(object) => object,
                    Second::Beam => BEAM,
                };
                (step.first, second, step.distance, step.momentum)
            })
            .collect();
        let expected = plain(cluster, event);
        if let Some(step) = (0..event.len()).find(|step| got[*step] != expected[*step]) {
            panic!("{cluster:?}, event {number}, step {step}: {:?} instead of {:?}", got[step], expected[step]);
        }
    }
}

#[test]
fn steps_are_those_of_a_search_over_all_pairs() {
    let events: Vec<_> = (0..40).map(|seed| event(seed, (seed * 7 % 61) as usize)).collect();
    for kind in all_kinds() {
        same(&kind, &events);
    }
}

#[test]
fn large_events_are_clustered_as_small_ones() {
    let events = [event(100, 161), event(101, 300)];
    for kind in [Cluster::new(Algorithm::AntiKt, 1.0).unwrap(), Cluster::new(Algorithm::Kt, 0.6).unwrap()] {
        same(&kind, &events);
    }
}

/// A grid: every distance is there many times.
#[test]
fn equal_distances_are_taken_in_the_order_of_names() {
    let grid = |shuffle: u64| -> Vec<FourMomentum> {
        let points = (0..100_u64).map(|k| (k * shuffle) % 100);
        let particle = |k: u64| ((k % 10) as f32 * 0.25, (k / 10) as f32 * 0.25);
        points.map(particle).map(|(eta, phi)| FourMomentum::from_pt_eta_phi_mass(1.0, eta, phi, 0.0)).collect()
    };
    let equal = vec![FourMomentum::from_pt_eta_phi_mass(3.0, 0.5, 0.5, 0.0); 33];
    for kind in all_kinds() {
        same(&kind, &[grid(1), grid(37), equal.clone()]);
    }
}

#[test]
fn answers_do_not_depend_on_threads_or_on_the_other_events() {
    let events: Vec<_> = (0..200).map(|seed| event(seed, 40)).collect();
    let slices: Vec<&[FourMomentum]> = events.iter().map(Vec::as_slice).collect();
    let cluster = Cluster::new(Algorithm::AntiKt, 0.4).unwrap();
    let all = cluster.cpu(Particles::of_groups(&slices)).unwrap();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| cluster.cpu(Particles::of_groups(&slices)).unwrap());
        assert_eq!(
            (again.first, again.second, again.distance),
            (all.first.clone(), all.second.clone(), all.distance.clone())
        );
    }
    let alone = cluster.cpu(Particles::of_groups(&slices[150..151])).unwrap();
    assert!(alone.event(0).steps().eq(all.event(150).steps()));
}

#[test]
fn jets_hold_all_particles_once() {
    let event = event(7, 120);
    let histories = Cluster::new(Algorithm::AntiKt, 0.6).unwrap().cpu(Particles::of_groups(&[&event])).unwrap();
    let history = histories.event(0);
    let jets = history.inclusive_jets(0.0);
    let mut all: Vec<u32> = jets.iter().flat_map(|jet| history.constituents(jet)).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..120));
    assert!(jets.is_sorted_by(|a, b| a.momentum.pt() >= b.momentum.pt()));
    for jet in &jets {
        let sum: FourMomentum = history.constituents(jet).into_iter().map(|at| event[at as usize]).sum();
        assert!((sum.px - jet.momentum.px).abs() <= 1e-12 * sum.energy.max(1.0));
    }
}

#[test]
fn exclusive_jets_are_what_is_left() {
    let event = event(3, 30);
    let particles = Particles::of_groups(&[&event]);
    let histories = Cluster::new(Algorithm::Kt, 100.0).unwrap().cpu(particles.clone()).unwrap();
    let history = histories.event(0);
    for number in [0, 1, 2, 5, 29, 30] {
        let jets = history.exclusive_jets(number, |at| event[at]);
        assert_eq!(jets.len(), number);
        if number > 0 {
            let mut all: Vec<u32> = jets.iter().flat_map(|jet| history.constituents(jet)).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..30), "{number}");
        }
    }
    assert!(history.exclusive_jets(31, |at| event[at]).is_empty());
    let cut = history.splitting(4);
    assert!(history.exclusive_number(cut) <= 4 && history.splitting(29) == history.step(0).distance);
    assert_eq!((history.splitting(30), history.exclusive_number(f64::INFINITY)), (0.0, 0));
}

#[test]
fn events_without_particles_have_no_steps() {
    let cluster = Cluster::new(Algorithm::AntiKt, 1.0).unwrap();
    assert_eq!(cluster.cpu(Particles::of_groups(&[])).unwrap().events(), 0);
    let one = [FourMomentum::from_pt_eta_phi_mass(5.0, 0.0, 0.0, 0.0)];
    let histories = cluster.cpu(Particles::of_groups(&[&[], &one, &[]])).unwrap();
    assert_eq!([0, 1, 2].map(|event| histories.event(event).particles()), [0, 1, 0]);
    assert_eq!(histories.event(1).step(0).second, Second::Beam);
    assert_eq!(histories.event(1).step(0).distance, 1.0 / 25.0);
}

#[test]
fn what_cannot_be_clustered_is_named() {
    for (radius, algorithm, wanted) in [
        (0.0, Algorithm::Kt, "radius 0 "),
        (f64::NAN, Algorithm::Kt, "radius NaN"),
        (1.0, Algorithm::Generalised(2.0), "exponent 2 "),
        (1.0, Algorithm::Generalised(f64::NAN), "exponent NaN"),
    ] {
        let error = Cluster::new(algorithm, radius).unwrap_err().to_string();
        assert!(error.starts_with("features.cluster: ") && error.contains(wanted), "{error}");
    }
    let cluster = Cluster::new(Algorithm::AntiKt, 1.0).unwrap();
    let good = FourMomentum::from_pt_eta_phi_mass(5.0, 0.0, 0.0, 0.0);
    for (bad, wanted) in [
        (FourMomentum { px: f64::NAN, ..good }, "px = NaN of particle 1 in event 2"),
        (FourMomentum { pz: f64::INFINITY, ..good }, "pz = inf of particle 1 in event 2"),
        (FourMomentum { py: 1e200, ..good }, "py = 1e200 of particle 1 in event 2"),
        (FourMomentum { energy: -1.0, ..good }, "energy = -1e0 of particle 1 in event 2 is below 0"),
    ] {
        let error = cluster.cpu(Particles::of_groups(&[&[good], &[], &[good, bad]])).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let mut short = Particles::of_groups(&[&[good]]);
    short.pz = Vec::new().into();
    assert!(cluster.cpu(short).unwrap_err().to_string().contains("pz: expected 1 particles, got 0"));
    let descending = Particles { offsets: vec![0, 2, 1].into(), ..Particles::of_groups(&[&[good]]) };
    assert!(cluster.cpu(descending).unwrap_err().to_string().contains("do not ascend"));
}
