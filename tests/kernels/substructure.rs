//! `features.substructure`: the same observables, to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::substructure::{
    Axes, Correlations, Guard, LARGEST_ON_DEVICE, Normalisation, Observable, Observables, Splittings, Subjettiness,
    Substructure,
};
use trawl::math::lorentz::FourMomentum;

use crate::harness::{cuda, every_block_size, floats_are_exact, momenta, particles};

/// Two prongs across the seam of azimuths and what is around them; some massive, along the beam, at rest or twins.
fn jet(seed: u64, constituents: usize) -> Vec<FourMomentum> {
    momenta(seed, constituents, |[a, b, c, d]| {
        let [eta, phi] = if a < 0.4 {
            [0.2 * b, 3.0 + 0.2 * c]
        } else if a < 0.7 {
            [0.2 * b + 0.5, -3.0 + 0.2 * c]
        } else {
            [1.6 * b - 0.8, 2.5 + 1.4 * c]
        };
        [300.0 * d.powi(4) + 0.01, eta, phi]
    })
}

fn agree(what: &str, here: &Observables<Host>, there: &Observables<Host>) {
    assert_eq!((&here.multiplicity, &here.defined), (&there.multiplicity, &there.defined), "{what}");
    assert_eq!(here.values.len(), there.values.len(), "{what}");
    for of in Observable::ALL {
        for (jet, (here, there)) in here.of(of).iter().zip(there.of(of)).enumerate() {
            // The perturbed build contracts products and sums, as this project's kernels are never compiled.
            let near = (here - there).abs() <= 1e-7 * here.abs().max(1e-6);
            assert!(
                if floats_are_exact() { here.to_bits() == there.to_bits() } else { near },
                "{what}, {of:?} of jet {jet}: {here:e} {there:e}"
            );
        }
    }
}

fn every_kind() -> Vec<Substructure> {
    let of = |beta, axes, normalisation| Some(Subjettiness { beta, axes, normalisation });
    let whole = Substructure::default();
    vec![
        whole,
        Substructure {
            subjettiness: of(2.0, Axes::HalfKt, Normalisation::Absent),
            correlations: Some(Correlations { beta: 2.0 }),
            guard: Guard::Offset(1e-5),
            ..whole
        },
        Substructure {
            subjettiness: of(0.7, Axes::Kt, Normalisation::Radius(0.8)),
            correlations: Some(Correlations { beta: 1.3 }),
            guard: Guard::Floor(1e-8),
            ..whole
        },
        Substructure { subjettiness: None, correlations: None, ..whole },
        Substructure { splittings: Splittings::Omitted, subjettiness: None, ..whole },
        Substructure { splittings: Splittings::Omitted, correlations: None, guard: Guard::Value(-1.0), ..whole },
    ]
}

#[test]
fn the_same_observables_at_every_size_and_block_size() {
    for (threads, cuda) in every_block_size() {
        let sizes = [0, 1, 2, 3, 4, 5, 31, 0, 32, 33, 64, 97];
        let jets: Vec<_> = (0..).zip(sizes).map(|(seed, size)| jet(seed, size)).collect();
        for kind in every_kind() {
            let here = kind.cpu(particles(&jets)).unwrap();
            let there = Device::Cuda(cuda.clone()).run(&kind, particles(&jets)).unwrap();
            agree(&format!("{kind:?} by {threads}"), &here, &there);
        }
    }
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let jets: Vec<_> = (0..4).map(|seed| jet(seed, 68)).collect();
    let kind = Substructure::default();
    let there = Device::Cuda(cuda).run(&kind, particles(&jets)).unwrap();
    agree("4 jets of 68", &kind.cpu(particles(&jets)).unwrap(), &there);
}

/// More jets than there are blocks, so that a block has one after the other.
#[test]
fn the_same_observables_of_many_jets() {
    let Some(cuda) = cuda() else { return };
    let jets: Vec<_> = (0..150).map(|seed| jet(seed, (seed % 13) as usize)).collect();
    let kind = every_kind()[0];
    let there = Device::Cuda(cuda).run(&kind, particles(&jets)).unwrap();
    agree("150 jets", &kind.cpu(particles(&jets)).unwrap(), &there);
}

#[test]
fn nothing_comes_of_nothing() {
    let Some(cuda) = cuda() else { return };
    for kind in every_kind() {
        let there = Device::Cuda(cuda.clone()).run(&kind, particles(&[])).unwrap();
        assert_eq!((there.jets(), there.values.len()), (0, 0));
        assert_eq!(kind.run(&Device::Cuda(cuda.clone()), &particles(&[])).unwrap().too_large, 0);
    }
}

#[test]
fn degenerate_jets_are_the_same() {
    if !floats_are_exact() {
        return;
    }
    let Some(cuda) = cuda() else { return };
    let beam = |pz: f64| FourMomentum { px: 0.0, py: 0.0, pz, energy: pz.abs() };
    let one = FourMomentum::from_pt_eta_phi_mass(50.0, 0.3, 1.0, 0.0);
    let huge = FourMomentum { px: 7e99, py: -7e99, pz: 0.0, energy: 1e100 };
    let tiny = FourMomentum { px: 1e-200, py: 0.0, pz: 0.0, energy: 1e-200 };
    let jets = particles(&[
        vec![one; 6],
        vec![FourMomentum::ZERO; 5],
        vec![beam(100.0), beam(-3.0), beam(100.0), one],
        vec![huge, one, FourMomentum { py: 7e99, ..huge }, huge],
        vec![tiny, tiny, one, tiny],
    ]);
    for kind in every_kind() {
        let there = Device::Cuda(cuda.clone()).run(&kind, jets.clone()).unwrap();
        agree(&format!("{kind:?}"), &kind.cpu(jets.clone()).unwrap(), &there);
        assert!(there.values.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn jets_that_are_too_large_go_to_the_cpu_and_are_counted() {
    let Some(cuda) = cuda() else { return };
    let kind = Substructure { subjettiness: None, correlations: None, ..Substructure::default() };
    let largest = LARGEST_ON_DEVICE as usize;
    let jets = [jet(1, 20), jet(2, largest + 1), jet(3, 30), vec![], jet(4, 25)];
    let there = kind.run(&Device::Cuda(cuda.clone()), &particles(&jets)).unwrap();
    assert_eq!(there.too_large, 1);
    agree("all", &kind.cpu(particles(&jets)).unwrap(), &there.observables);
    let error = Device::Cuda(cuda).run(&kind, particles(&jets)).unwrap_err().to_string();
    assert!(error.contains("1025 constituents does not fit"), "{error}");
}
