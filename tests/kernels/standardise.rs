//! `features.standardise`: the same values and Jacobians to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::standardise::{Method, Standardise, Values};
use trawl::math::philox::{Philox, Stage};

use crate::harness::{cuda, every_block_size, floats_are_exact};

fn table(rows: usize, spread: f64) -> Values<Host> {
    let random = Philox::new(3, Stage::Probe);
    let value = |at: u64| spread * (random.uniforms(at, 0)[0] - 0.3).powi(3);
    Values::of_rows(5, (0..5 * rows as u64).map(value).collect()).unwrap()
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let standardise = Standardise::fit(&[Method::Normal { knots: 1000 }; 5], &table(2000, 10.0)).unwrap();
    let there = Device::Cuda(cuda).run(&standardise, table(1024, 10.0)).unwrap();
    assert_eq!(standardise.cpu(table(1024, 10.0)).unwrap().outside, there.outside);
}

#[test]
fn the_same_values_at_every_shape_and_block_size() {
    let methods = [
        Method::ZScore,
        Method::MinMax,
        Method::Logit { widened: 0.001 },
        Method::Uniform { knots: 17 },
        Method::Normal { knots: 100 },
    ];
    let standardise = Standardise::fit(&methods, &table(500, 10.0)).unwrap();
    for (threads, cuda) in every_block_size() {
        for rows in [0, 1, 31, 32, 33, 257] {
            // Twice as far as what was fitted: some are outside.
            let input = table(rows, 20.0);
            let here = standardise.cpu(input.clone()).unwrap();
            let there = Device::Cuda(cuda.clone()).run(&standardise, input).unwrap();
            assert_eq!(here.outside, there.outside, "{rows} rows by {threads}");
            let columns = [(&here.values, &there.values), (&here.ln_jacobian, &there.ln_jacobian)];
            for (here, there) in columns.into_iter().flat_map(|(here, there)| here.iter().zip(there)) {
                // The perturbed build contracts products and sums, as this project's kernels are never compiled.
                let near = (here - there).abs() <= 1e-9 * here.abs().max(1.0);
                let same = here.to_bits() == there.to_bits();
                assert!(if floats_are_exact() { same } else { near }, "{rows} rows by {threads}: {here:e} {there:e}");
            }
        }
    }
}

#[test]
fn values_are_looked_at_before_they_go_to_a_device() {
    let Some(cuda) = cuda() else { return };
    let standardise = Standardise::fit(&[Method::ZScore; 5], &table(500, 10.0)).unwrap();
    let mut values = table(40, 10.0).values.to_vec();
    values[7] = f64::INFINITY;
    let bad = Values::of_rows(5, values).unwrap();
    let there = Device::Cuda(cuda).run(&standardise, bad.clone()).unwrap_err().to_string();
    assert_eq!(there, standardise.cpu(bad).unwrap_err().to_string());
}
