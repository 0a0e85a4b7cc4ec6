//! Every device function of `math` against its twin on the CPU, to the bit, below the operations.

use trawl::Device;
use trawl::math::philox::{Philox, Stage};
use trawl::math::probe::{Function, Probe};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// Arguments over all exponents, of order one, and the edges.
fn arguments(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let edges = [0.0, -0.0, 1.0, -1.0, 2.5, 1e-9, 1e300, -1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let random = Philox::new(seed, Stage::Probe);
    let value = |unit: u64, draw: u64| {
        let [u, v] = random.uniforms(unit, draw);
        match unit % 8 {
            0 => edges[(u * edges.len() as f64) as usize],
            1 => ((u - 0.5) * 2000.0).exp2() * if v < 0.5 { -1.0 } else { 1.0 },
            2 | 3 => (u - 0.5) * 8.0,
            // Counts and means near each other, on both sides of the switch of method at 1000.
            4 => 1500.0 * (1.0 + 0.2 * u),
            5 => -u * 800.0,
            _ => (u - 0.5) * 200.0,
        }
    };
    ((0..n as u64).map(|unit| value(unit, 0)).collect(), (0..n as u64).map(|unit| value(unit, 1)).collect())
}

#[test]
fn every_function_gives_the_same_bits() {
    let Some(cuda) = cuda().map(Device::Cuda) else { return };
    if !floats_are_exact() {
        println!("skipped: the perturbed build contracts, so the last places of floats differ");
        return;
    }
    for (seed, &function) in Function::ALL.iter().enumerate() {
        let (a, b) = arguments(3001, seed as u64);
        let probe = Probe { function };
        let expected = Device::Cpu.run(&probe, Probe::input(a.clone(), b.clone())).unwrap();
        let got = cuda.run(&probe, Probe::input(a.clone(), b.clone())).unwrap();
        for i in 0..a.len() {
            let (here, there) = (expected.bits[i], got.bits[i]);
            assert_eq!(here, there, "{function:?}({:e}, {:e}): {here:x} on the CPU, {there:x} on CUDA", a[i], b[i]);
        }
        assert_eq!(expected.not_finite, got.not_finite, "{function:?}");
    }
}

#[test]
fn shapes_and_block_sizes_change_nothing() {
    for (threads, cuda) in every_block_size().map(|(threads, cuda)| (threads, Device::Cuda(cuda))) {
        for n in [0, 1, 31, 32, 33, 255, 256, 257, 1000] {
            let (a, b) = arguments(n, n as u64);
            let probe = Probe { function: Function::Ln };
            let expected = Device::Cpu.run(&probe, Probe::input(a.clone(), b.clone())).unwrap();
            let got = cuda.run(&probe, Probe::input(a, b)).unwrap();
            assert_eq!(expected.not_finite, got.not_finite, "{n} by {threads}");
            if floats_are_exact() {
                assert_eq!(expected.bits, got.bits, "{n} by {threads}");
            }
        }
    }
}
