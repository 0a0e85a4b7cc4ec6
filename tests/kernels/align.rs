//! `features.align`: the same rows, to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::align::{Align, Aligned, LARGEST_ON_DEVICE, Parameters, Truncation, Verdict};
use trawl::math::lorentz::FourMomentum;

use crate::harness::{cuda, every_block_size, floats_are_exact, jet, particles};

fn agree(what: &str, here: &Aligned<Host>, there: &Aligned<Host>) {
    assert_eq!((&here.number, &here.verdict), (&there.number, &there.verdict), "{what}");
    assert_eq!(here.index, there.index, "{what}");
    let columns = [(&here.pt, &there.pt), (&here.eta, &there.eta), (&here.phi, &there.phi), (&here.beta, &there.beta)];
    for (here, there) in columns.into_iter().flat_map(|(here, there)| here.iter().zip(there)) {
        // The perturbed build contracts products and sums, as this project's kernels are never compiled.
        let near = (here - there).abs() <= 1e-9;
        assert!(
            if floats_are_exact() { here.to_bits() == there.to_bits() } else { near },
            "{what}: {here:e} {there:e}"
        );
    }
}

fn every_kind() -> Vec<Align> {
    let usual = Parameters::default();
    let by_kt = Parameters { truncation: Truncation::Kt, most: 33, ..usual };
    let narrow = Parameters { most: 5, least: 1, largest_distance: 0.4, mass_gev: 0.5, energy_gev: 2.0, ..usual };
    [usual, by_kt, narrow].map(|parameters| Align::new(parameters).unwrap()).to_vec()
}

#[test]
fn the_same_rows_at_every_size_and_block_size() {
    for (threads, cuda) in every_block_size() {
        let sizes = [0, 1, 2, 3, 20, 31, 0, 32, 33, 64, 97, 130];
        // So many that a warp has more than one.
        let jets: Vec<_> = (0..100).map(|seed| jet(seed, sizes[seed as usize % 12])).collect();
        for kind in every_kind() {
            let here = kind.cpu(particles(&jets)).unwrap();
            let there = Device::Cuda(cuda.clone()).run(&kind, particles(&jets)).unwrap();
            agree(&format!("{kind:?} by {threads}"), &here, &there);
            assert!(here.count(Verdict::Kept) > 50, "{kind:?}");
        }
    }
}

#[test]
fn jets_that_cannot_be_aligned_are_flagged_alike() {
    let p = FourMomentum::from_pt_eta_phi_mass(5.0, 0.3, 0.2, 0.0);
    let spacelike = FourMomentum { energy: 0.5, ..p };
    let jets = [vec![], vec![p; 2], vec![p; 3], vec![FourMomentum::ZERO; 5], vec![spacelike; 3], jet(1, 20)];
    for (threads, cuda) in every_block_size() {
        let kind = every_kind()[0];
        let there = Device::Cuda(cuda.clone()).run(&kind, particles(&jets)).unwrap();
        agree(&format!("by {threads}"), &kind.cpu(particles(&jets)).unwrap(), &there);
        // Nobody looks at what is on a device before.
        let bad = FourMomentum { px: f64::NAN, ..p };
        let there = Device::Cuda(cuda).run(&kind, particles(&[vec![bad; 4], jet(1, 20)])).unwrap();
        assert_eq!(there.verdict.to_vec(), [Verdict::NotFinite as u32, Verdict::Kept as u32]);
        assert!(there.pt[..20].iter().all(|pt| *pt == 0.0) && there.beta[0] == 0.0);
    }
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let jets: Vec<_> = (0..32).map(|seed| jet(seed, 100)).collect();
    let kind = every_kind()[0];
    let there = Device::Cuda(cuda).run(&kind, particles(&jets)).unwrap();
    agree("32 jets of 100", &kind.cpu(particles(&jets)).unwrap(), &there);
}

#[test]
fn nothing_comes_of_nothing() {
    let Some(cuda) = cuda() else { return };
    let kind = every_kind()[0];
    let there = Device::Cuda(cuda.clone()).run(&kind, particles(&[])).unwrap();
    assert_eq!((there.number.len(), there.pt.len()), (0, 0));
    assert_eq!(kind.run(&Device::Cuda(cuda), &particles(&[])).unwrap().too_large, 0);
}

#[test]
fn jets_that_are_too_large_go_to_the_cpu_and_are_counted() {
    let Some(cuda) = cuda() else { return };
    let kind = every_kind()[0];
    let largest = LARGEST_ON_DEVICE as usize;
    let jets = [jet(1, 20), jet(2, largest + 1), jet(3, 30), vec![], jet(4, largest)];
    let there = kind.run(&Device::Cuda(cuda.clone()), &particles(&jets)).unwrap();
    assert_eq!(there.too_large, 1);
    agree("all", &kind.cpu(particles(&jets)).unwrap(), &there.aligned);
    let error = Device::Cuda(cuda).run(&kind, particles(&jets)).unwrap_err().to_string();
    assert!(error.contains("1025 constituents does not fit"), "{error}");
}
