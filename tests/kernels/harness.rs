//! Opens the emulated device, or says why a test is skipped.

use std::ops::Range;

use trawl::Device;
use trawl::device::{Cuda, CudaSettings, DeviceChoice, kernels};
use trawl::hunt::Windows;

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

/// Windows of up to three cells; where the cells are rows of 43, they reach over up to three rows.
pub fn windows_over(cells: usize) -> Windows {
    let rows = if cells.is_multiple_of(43) { cells / 43 } else { 1 };
    let edges = |number: usize| (0..=number).map(|edge| edge as f64).collect();
    let columns = cells / rows;
    let ranges: Vec<Range<usize>> = (0..columns).map(|first| first..(first + 3).min(columns)).collect();
    let heights: Vec<usize> = (1..=rows.min(3)).collect();
    Windows::plane_of_heights(edges(rows), edges(columns), &ranges, &heights).unwrap()
}
