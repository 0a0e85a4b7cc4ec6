//! The scan on the host: prefix sums, then every window on its own.

use arrow_buffer::ScalarBuffer;
use rayon::prelude::*;

use super::{Input, Output, Scan, math};
use crate::device::Host;

pub(super) fn scan(scan: &Scan, input: &Input<Host>) -> Output<Host> {
    let mut prefix = Vec::with_capacity(input.observed.len() + 1);
    let mut sum = 0_u64;
    prefix.push(sum);
    for count in input.observed.iter() {
        sum = sum.wrapping_add(*count);
        prefix.push(sum);
    }
    let excess_only = scan.convention.excess_only();
    let windows: Vec<(u64, f64, f64)> = (0..input.start.len())
        .into_par_iter()
        .map(|window| {
            let (start, end) = (input.start[window] as usize, input.end[window] as usize);
            let observed = prefix[end].wrapping_sub(prefix[start]);
            let ln_p = math::local_ln_p(observed, input.expected[window], excess_only);
            (observed, ln_p, math::local_z(ln_p))
        })
        .collect();
    let mut best = 0;
    for (window, found) in windows.iter().enumerate() {
        if found.1 < windows[best].1 {
            best = window;
        }
    }
    Output {
        observed: windows.iter().map(|found| found.0).collect(),
        best_ln_p: ScalarBuffer::from(windows.get(best).map(|found| found.1).into_iter().collect::<Vec<_>>()),
        best_window: ScalarBuffer::from(vec![best as u32; windows.len().min(1)]),
        ln_p: windows.iter().map(|found| found.1).collect(),
        z: windows.iter().map(|found| found.2).collect(),
    }
}
