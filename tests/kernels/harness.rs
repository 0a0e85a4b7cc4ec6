//! Opens the emulated device, or says why a test is skipped.

use std::ops::Range;

use trawl::Device;
use trawl::device::{Cuda, CudaSettings, DeviceChoice, Host, kernels};
use trawl::features::particles::Particles;
use trawl::hunt::Windows;
use trawl::math::lorentz::FourMomentum;
use trawl::math::philox::{Philox, Stage};

/// Block sizes that every kernel is tried with: one warp, no multiple of a warp, its usual size.
pub const BLOCK_THREADS: [u32; 4] = [32, 96, 33, 256];

/// The emulated device with its usual block sizes; `None` (and a line that says so) in a build without kernels.
pub fn cuda() -> Option<Cuda> {
    cuda_with(CudaSettings::default())
}

/// The emulated device with these settings.
pub fn cuda_with(settings: CudaSettings) -> Option<Cuda> {
    if kernels::images().is_empty() {
        let required = std::env::var("TRAWL_REQUIRE_KERNELS").is_ok_and(|value| value == "1");
        assert!(!required, "TRAWL_REQUIRE_KERNELS=1 and this build has no kernels");
        println!("skipped: built without kernels (scripts/cuda-toolkit installs a compiler)");
        return None;
    }
    // With TRAWL_REAL_GPU=1 (scripts/gpu-verify) the same tests run on the machine's own driver and device.
    if std::env::var_os("TRAWL_REAL_GPU").is_none() {
        trawl_emulator::install();
    }
    match Device::choose_with(DeviceChoice::Cuda(0), settings) {
        Ok(Device::Cuda(cuda)) => Some(cuda),
        Ok(Device::Cpu) => panic!("asked for CUDA and got the CPU"),
        Err(error) => panic!("{error}"),
    }
}

/// The device with each of the block sizes in turn.
pub fn every_block_size() -> impl Iterator<Item = (u32, Cuda)> {
    BLOCK_THREADS.into_iter().filter_map(|threads| {
        let settings = CudaSettings { block_threads: Some(threads), ..CudaSettings::default() };
        cuda_with(settings).map(|cuda| (threads, cuda))
    })
}

/// Whether floats may differ in their last places: in the perturbed build they must, integers never.
pub fn floats_are_exact() -> bool {
    std::env::var("TRAWL_EMULATOR").map_or(true, |variant| variant != "perturbed")
}

/// Momenta with these pt, eta and phi of four uniform numbers; some with a mass, a few along the beam or at rest, and some have a
/// twin, whose order must not depend on the device.
pub fn momenta(seed: u64, number: usize, place: impl Fn([f64; 4]) -> [f64; 3]) -> Vec<FourMomentum> {
    let random = Philox::new(seed, Stage::Probe);
    let mut momenta: Vec<FourMomentum> = Vec::new();
    for unit in 0..number as u64 {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let [pt, eta, phi] = place([a, b, c, d]);
        let mass = if a > 0.9 { 0.14 } else { 0.0 };
        momenta.push(match (momenta.last(), (a * 100.0) as u32) {
            // With contraction twins are not equal.
            (Some(last), 7 | 8) if floats_are_exact() => *last,
            (_, 9) => FourMomentum { px: 0.0, py: 0.0, pz: -20.0 - d, energy: 20.0 + d },
            (_, 11) => FourMomentum::ZERO,
            _ => FourMomentum::from_pt_eta_phi_mass(pt as f32, eta as f32, phi as f32, mass),
        });
    }
    momenta
}

/// The constituents of a jet in a direction of its own.
pub fn jet(seed: u64, constituents: usize) -> Vec<FourMomentum> {
    let [place, other] = Philox::new(seed, Stage::Probe).uniforms(1 << 32, 0);
    momenta(seed, constituents, |[_, b, c, d]| {
        [300.0 * d.powi(3) + 0.5, 4.0 * place - 2.0 + 1.2 * (b - 0.5), 6.0 * other - 3.0 + 1.2 * (c - 0.5)]
    })
}

/// The particles of an event: around two directions and everywhere.
pub fn event(seed: u64, particles: usize) -> Vec<FourMomentum> {
    momenta(seed, particles, |[a, b, c, d]| {
        let [eta, phi] = if a < 0.3 {
            [0.8 * b, 1.0 + 0.8 * c]
        } else if a < 0.6 {
            [0.8 * b, -2.1 + 0.8 * c]
        } else {
            [5.0 * b - 2.5, 6.2 * c - 3.1]
        };
        [300.0 * d.powi(4) + 0.01, eta, phi]
    })
}

/// These groups as an operation takes them.
pub fn particles(groups: &[Vec<FourMomentum>]) -> Particles<Host> {
    Particles::of_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Windows of up to three cells; where the cells are rows of 43, they reach over up to three rows.
pub fn windows_over(cells: usize) -> Windows {
    let rows = if cells.is_multiple_of(43) { cells / 43 } else { 1 };
    let edges = |number: usize| (0..=number).map(|edge| edge as f64).collect();
    let columns = cells / rows;
    let ranges: Vec<Range<usize>> = (0..columns).map(|first| first..(first + 3).min(columns)).collect();
    let heights: Vec<usize> = (1..=rows.min(3)).collect();
    Windows::plane_of_heights(edges(rows), edges(columns), &ranges, &heights).unwrap()
}
