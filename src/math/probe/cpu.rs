use rayon::prelude::*;

use super::math::evaluate;
use super::{Function, ProbeOutput, output};
use crate::device::Host;
use crate::math::det::{double_of, is_finite};

/// Every pair on its own, over all cores.
pub fn run(function: Function, a: &[f64], b: &[f64]) -> ProbeOutput<Host> {
    let bits: Vec<u64> = a.par_iter().zip(b).map(|(&a, &b)| evaluate(function, a, b)).collect();
    let not_finite = bits.iter().filter(|&&bits| !is_finite(double_of(bits))).count();
    output(bits, not_finite as u32)
}
