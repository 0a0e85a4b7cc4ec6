//! The scan on the host: prefix sums, then every window on its own.

use arrow_buffer::ScalarBuffer;
use rayon::prelude::*;

use super::{Input, Output, Scan, math};
use crate::device::Host;
use crate::hunt::content;

pub(super) fn scan(scan: &Scan, input: &Input<Host>) -> Output<Host> {
    let mut prefix = Vec::with_capacity(input.observed.len() + 1);
    let mut sum = 0_u64;
    prefix.push(sum);
    for count in input.observed.iter() {
        sum = sum.wrapping_add(*count);
        prefix.push(sum);
    }
    let judge = scan.judge();
    let sum = |start: u32, end: u32| prefix[end as usize].wrapping_sub(prefix[start as usize]);
    let windows: Vec<(u64, f64, f64)> = (0..input.start.len())
        .into_par_iter()
        .map(|window| {
            let place = (input.start[window], input.end[window]);
            let observed = content(&prefix, place, input.height[window], input.columns);
            let outside = sum(input.sideband_start[window], input.sideband_end[window]).wrapping_sub(observed);
            let (expected, beside) = (input.expected[window], input.expected_outside[window]);
            let ln_p = math::judged_ln_p(observed, math::expected_content(expected, outside, beside, judge), judge);
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
