//! `features.image`: the same pixels, to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::image::{
    Axes, Image, Images, Input, LARGEST_ON_DEVICE, Membership, Reflection, Rotation, Verdict,
};
use trawl::features::particles::Particles;
use trawl::math::lorentz::FourMomentum;

use crate::harness::{cuda, every_block_size, floats_are_exact, jet, particles};

/// Jets by themselves, and two around axes in each of these groups.
fn inputs(groups: &[Vec<FourMomentum>]) -> [Input<Host>; 2] {
    let axis = |jet: usize| {
        let sum: FourMomentum = groups[jet / 2].iter().copied().sum();
        let apart = 0.1 + 0.3 * (jet % 2) as f64;
        let y = sum.rapidity();
        // Along the beam or without energy there is none.
        (if y.is_finite() { y + apart } else { 0.0 }, sum.phi() + 2.0 * apart)
    };
    let jets = 2 * groups.len();
    // In another order than that of the events.
    let order = || (0..jets).map(|jet| (jet * 7 + 3) % jets.max(1));
    let axes = Axes {
        event: order().map(|jet| jet as u32 / 2).collect(),
        rapidity: order().map(|jet| axis(jet).0).collect(),
        phi: order().map(|jet| axis(jet).1).collect(),
    };
    [Input::of_jets(particles(groups)), Input::around(axes, particles(groups))]
}

fn agree(what: &str, here: &Images<Host>, there: &Images<Host>) {
    assert_eq!((&here.number, &here.verdict), (&there.number, &there.verdict), "{what}");
    assert_eq!((here.pixels, &here.outside), (there.pixels, &there.outside), "{what}");
    assert_eq!(here.values.len(), there.values.len(), "{what}");
    for (at, (here, there)) in here.values.iter().zip(&there.values).enumerate() {
        // The perturbed build contracts products and sums, as this project's kernels are never compiled; no pixel changes.
        let near = (here - there).abs() <= 1e-6 && (*here > 0.0) == (*there > 0.0);
        assert!(
            if floats_are_exact() { here.to_bits() == there.to_bits() } else { near },
            "{what}, number {at}: {here:e} {there:e}"
        );
    }
}

/// Own constituents, and those in a cone.
fn every_kind() -> Vec<[Image; 2]> {
    let usual = Image { pixels: 6, width: 0.9, ..Image::default() };
    let bare = Image { pixels: 5, rotation: Rotation::Absent, reflection: Reflection::Absent, ..usual };
    let in_cone = |image: Image| Image { membership: Membership::Cone { radius: 0.7 }, ..image };
    [usual, bare].map(|image| [image, in_cone(image)]).to_vec()
}

#[test]
fn the_same_pixels_at_every_size_and_block_size() {
    for (threads, cuda) in every_block_size() {
        let sizes = [0, 1, 2, 3, 4, 31, 0, 32, 33, 5, 65, 7];
        // So many that a warp has more than one.
        let groups: Vec<_> = (0..100).map(|seed| jet(seed, sizes[seed as usize % 12])).collect();
        for kinds in every_kind() {
            for (kind, input) in kinds.into_iter().zip(inputs(&groups)) {
                let here = kind.cpu(input.clone()).unwrap();
                let there = Device::Cuda(cuda.clone()).run(&kind, input).unwrap();
                agree(&format!("{kind:?} by {threads}"), &here, &there);
                assert!(here.count(Verdict::Made) > 70 && here.outside.iter().any(|outside| *outside > 0));
            }
        }
    }
}

#[test]
fn the_usual_image_and_those_of_one_and_many_pixels_are_the_same() {
    let Some(cuda) = cuda() else { return };
    let groups: Vec<_> = (0..5).map(|seed| jet(seed, 30 + 9 * seed as usize)).collect();
    for pixels in [1, 33, 40] {
        let kind = Image { pixels, ..Image::default() };
        let [input, _] = inputs(&groups);
        let there = Device::Cuda(cuda.clone()).run(&kind, input.clone()).unwrap();
        agree(&format!("{pixels} pixels"), &kind.cpu(input).unwrap(), &there);
    }
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let groups: Vec<_> = (0..32).map(|seed| jet(seed, 100)).collect();
    let kind = Image::default();
    let [input, _] = inputs(&groups);
    let there = Device::Cuda(cuda).run(&kind, input.clone()).unwrap();
    agree("32 jets of 100", &kind.cpu(input).unwrap(), &there);
}

#[test]
fn degenerate_jets_are_the_same() {
    if !floats_are_exact() {
        return;
    }
    let Some(cuda) = cuda() else { return };
    let p = FourMomentum::from_pt_eta_phi_mass(50.0, 0.3, 1.0, 0.0);
    let at = |y: f32, phi: f32| FourMomentum::from_pt_eta_phi_mass(10.0, y, phi, 0.0);
    let huge = FourMomentum { px: 7e99, py: -7e99, pz: 0.0, energy: 1e100 };
    let steep = FourMomentum { px: 1.0, py: 0.0, pz: 1e100, energy: 1e100 };
    let tiny = FourMomentum { px: 1e-151, py: 0.0, pz: 1e3, energy: 1e3 };
    let groups = [
        vec![p; 40],
        vec![at(0.1, 0.1), at(0.1, -0.1), at(-0.1, 0.1), at(-0.1, -0.1)],
        vec![at(0.1, 0.0), at(0.2, 0.0), at(0.4, 0.0)],
        vec![at(4.0, 0.0), at(-4.0, 3.1)],
        vec![huge, p, FourMomentum { py: 7e99, ..huge }, huge],
        vec![steep, steep, p, tiny],
        vec![FourMomentum { energy: 0.0, ..p }, p, at(0.2, 1.1)],
        vec![FourMomentum::ZERO; 3],
    ];
    for kinds in every_kind() {
        for (kind, input) in kinds.into_iter().zip(inputs(&groups)) {
            let there = Device::Cuda(cuda.clone()).run(&kind, input.clone()).unwrap();
            agree(&format!("{kind:?}"), &kind.cpu(input).unwrap(), &there);
            assert!(there.values.iter().all(|share| (0.0..=1.0).contains(share)));
        }
    }
}

/// Nobody looks at what is on a device before.
#[test]
fn what_the_cpu_refuses_is_flagged() {
    let Some(cuda) = cuda() else { return };
    let p = FourMomentum::from_pt_eta_phi_mass(50.0, 0.3, 1.0, 0.0);
    let [kind, in_cone] = every_kind()[0];
    let bad = [
        FourMomentum { px: f64::NAN, ..p },
        FourMomentum { pz: f64::INFINITY, ..p },
        FourMomentum { energy: -1.0, ..p },
        FourMomentum { energy: f64::NAN, ..p },
    ];
    let device = Device::Cuda(cuda);
    let mut groups: Vec<Vec<FourMomentum>> = bad.iter().map(|bad| vec![p, *bad, p]).collect();
    groups.push(vec![p; 3]);
    let there = device.run(&kind, Input::of_jets(particles(&groups))).unwrap();
    let refused = Verdict::Refused as u32;
    assert_eq!(there.verdict.to_vec(), [refused, refused, refused, refused, 0]);
    assert!(there.values[..4 * 36].iter().all(|share| *share == 0.0));
    let axes = Axes::<Host> {
        event: vec![7, 1, 0, 0, 0].into(),
        rapidity: vec![0.3, 0.3, f64::NAN, 0.3, 0.3].into(),
        phi: vec![1.0, 1.0, 1.0, f64::INFINITY, 1.0].into(),
    };
    let there = device.run(&in_cone, Input::around(axes, particles(&groups[4..]))).unwrap();
    assert_eq!(there.verdict.to_vec(), [refused, refused, refused, refused, 0]);
    let lying = Particles { largest: 2, ..particles(&groups[4..]) };
    assert_eq!(device.run(&kind, Input::of_jets(lying)).unwrap().verdict.to_vec(), [refused]);
}

#[test]
fn nothing_comes_of_nothing() {
    let Some(cuda) = cuda() else { return };
    for (kind, input) in every_kind()[0].into_iter().zip(inputs(&[])) {
        let there = Device::Cuda(cuda.clone()).run(&kind, input.clone()).unwrap();
        assert_eq!((there.number.len(), there.values.len()), (0, 0));
        assert_eq!(kind.run(&Device::Cuda(cuda.clone()), &input).unwrap().too_large, 0);
    }
}

#[test]
fn groups_that_are_too_large_go_to_the_cpu_and_are_counted() {
    let Some(cuda) = cuda() else { return };
    let largest = LARGEST_ON_DEVICE as usize;
    let groups = [jet(1, 20), jet(2, largest + 1), jet(3, 30), vec![], jet(4, largest)];
    for ((kind, input), jets) in every_kind()[0].into_iter().zip(inputs(&groups)).zip([1, 2]) {
        let there = kind.run(&Device::Cuda(cuda.clone()), &input).unwrap();
        assert_eq!(there.too_large, jets);
        agree("all", &kind.cpu(input.clone()).unwrap(), &there.images);
        let error = Device::Cuda(cuda.clone()).run(&kind, input).unwrap_err().to_string();
        assert!(error.contains("1025 particles does not fit"), "{error}");
    }
}
