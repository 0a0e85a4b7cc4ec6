//! `features.cluster`: the same steps, to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::events::{Collection, CollectionProjection, EventBatch, EventColumns, EventIds, Ids, Projection};
use trawl::features::cluster::{Algorithm, Cluster, Histories, LARGEST_ON_DEVICE, Recombination};
use trawl::features::jets::{JetCollection, JetMaker};
use trawl::features::substructure::Substructure;
use trawl::math::lorentz::FourMomentum;

use crate::harness::{cuda, event, every_block_size, floats_are_exact, particles};

fn agree(what: &str, here: &Histories<Host>, there: &Histories<Host>) {
    assert_eq!(here.offsets, there.offsets, "{what}");
    assert_eq!((&here.first, &here.second), (&there.first, &there.second), "{what}");
    let columns = [
        (&here.distance, &there.distance),
        (&here.px, &there.px),
        (&here.py, &there.py),
        (&here.pz, &there.pz),
        (&here.energy, &there.energy),
    ];
    for (here, there) in columns.into_iter().flat_map(|(here, there)| here.iter().zip(there)) {
        // The perturbed build contracts products and sums, as this project's kernels are never compiled.
        let near = (here - there).abs() <= 1e-9 * here.abs().max(1.0);
        assert!(
            if floats_are_exact() { here.to_bits() == there.to_bits() } else { near },
            "{what}: {here:e} {there:e}"
        );
    }
}

fn every_kind() -> Vec<Cluster> {
    let kind = |algorithm, radius| Cluster::new(algorithm, radius).unwrap();
    vec![
        kind(Algorithm::AntiKt, 1.0),
        kind(Algorithm::AntiKt, 0.4).with_recombination(Recombination::WinnerTakesAll),
        kind(Algorithm::CambridgeAachen, 0.8),
        kind(Algorithm::Kt, 100.0),
        kind(Algorithm::Generalised(-0.5), 0.6),
    ]
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let events = [event(1, 305), event(2, 305)];
    let kind = Cluster::new(Algorithm::AntiKt, 1.0).unwrap();
    let there = Device::Cuda(cuda).run(&kind, particles(&events)).unwrap();
    agree("2 events of 305", &kind.cpu(particles(&events)).unwrap(), &there);
}

#[test]
fn the_same_steps_at_every_size_and_block_size() {
    for (threads, cuda) in every_block_size() {
        let sizes = [0, 1, 2, 31, 0, 32, 33, 64, 97, 130];
        let events: Vec<_> = (0..).zip(sizes).map(|(seed, size)| event(seed, size)).collect();
        for kind in every_kind() {
            let here = kind.cpu(particles(&events)).unwrap();
            let there = Device::Cuda(cuda.clone()).run(&kind, particles(&events)).unwrap();
            agree(&format!("{kind:?} by {threads}"), &here, &there);
        }
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let Some(cuda) = cuda() else { return };
    let kind = every_kind()[0];
    let there = Device::Cuda(cuda.clone()).run(&kind, particles(&[])).unwrap();
    assert_eq!((there.offsets.to_vec(), there.first.len()), (vec![0], 0));
    assert_eq!(kind.run(&Device::Cuda(cuda), &particles(&[])).unwrap().too_large, 0);
}

#[test]
fn equal_distances_are_taken_in_the_same_order() {
    if !floats_are_exact() {
        return;
    }
    let point = |k: u32| FourMomentum::from_pt_eta_phi_mass(1.0, (k % 7) as f32 * 0.25, (k / 7) as f32 * 0.25, 0.0);
    let grid: Vec<FourMomentum> = (0..49).map(|k| point(k * 10 % 49)).collect();
    for (threads, cuda) in every_block_size() {
        for kind in every_kind() {
            let events = particles(&[grid.clone(), vec![point(3); 40]]);
            let there = Device::Cuda(cuda.clone()).run(&kind, events.clone()).unwrap();
            agree(&format!("{kind:?} by {threads}"), &kind.cpu(events).unwrap(), &there);
        }
    }
}

#[test]
fn events_that_are_too_large_go_to_the_cpu_and_are_counted() {
    let Some(cuda) = cuda() else { return };
    let kind = every_kind()[0];
    let largest = LARGEST_ON_DEVICE as usize;
    let events = [event(1, 20), event(2, largest + 1), event(3, 30), vec![], event(4, 25)];
    let there = kind.run(&Device::Cuda(cuda.clone()), &particles(&events)).unwrap();
    assert_eq!(there.too_large, 1);
    agree("all", &kind.cpu(particles(&events)).unwrap(), &there.histories);
    let error = Device::Cuda(cuda).run(&kind, particles(&events)).unwrap_err().to_string();
    assert!(error.contains("1025 particles does not fit"), "{error}");
}

#[test]
fn the_largest_event_of_a_block_is_the_same() {
    let Some(cuda) = cuda() else { return };
    let kind = every_kind()[0];
    let events = particles(&[event(5, LARGEST_ON_DEVICE as usize)]);
    let there = Device::Cuda(cuda).run(&kind, events.clone()).unwrap();
    agree("1024 particles", &kind.cpu(events).unwrap(), &there);
}

/// Collections of jets count what the device left to the CPU, and are the same.
#[test]
fn jets_of_too_large_events_are_made_and_counted() {
    let Some(cuda) = cuda() else { return };
    let jets = JetCollection {
        name: "large".into(),
        from: "Particle".into(),
        particle_mass_gev: Some(0.0),
        cluster: Cluster::new(Algorithm::AntiKt, 1.0).unwrap(),
        minimum_pt_gev: 20.0,
        substructure: Substructure::default(),
    };
    let wanted = CollectionProjection::new("large", ["pt", "constituents"]);
    let wanted = Projection { collections: vec![wanted], ids: Ids::Skipped, ..Projection::default() };
    let maker = JetMaker::new(&[jets], &wanted).unwrap();
    // Those along the beam and at rest, two in a hundred, are left out.
    let sizes = [30, LARGEST_ON_DEVICE + 100, 40];
    let mut offsets = vec![0];
    offsets.extend(sizes.iter().scan(0, |end, size| {
        *end += size;
        Some(*end)
    }));
    let momenta: Vec<_> = (0..).zip(sizes).flat_map(|(seed, size)| event(seed, size as usize)).collect();
    // Those along the beam have no eta.
    let column =
        |of: fn(&FourMomentum) -> f64| momenta.iter().map(|p| if p.pt() > 0.0 { of(p) as f32 } else { 0.0 }).collect();
    let quantities = vec![column(|p| p.pt()), column(|p| p.eta()), column(|p| p.phi())];
    let collections = vec![Collection { offsets: offsets.into(), quantities }];
    let columns = EventColumns { events: sizes.len(), collections, scalars: Vec::new() };
    let batch = EventBatch { columns, ids: EventIds::default(), file: 0, first_row: 0 };
    let here = maker.make(&Device::Cpu, batch.clone()).unwrap().columns.collections;
    assert_eq!(maker.too_large(), 0);
    let there = maker.make(&Device::Cuda(cuda), batch).unwrap().columns.collections;
    assert_eq!(maker.too_large(), 1);
    assert_eq!(here[0].offsets, there[0].offsets);
    if floats_are_exact() {
        assert_eq!(here[0].quantities, there[0].quantities);
    }
}
