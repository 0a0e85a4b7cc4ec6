//! The reference executor: every core fills rows of its own, which add up exactly.

use rayon::prelude::*;

use super::math::place_of;
use super::{Entries, Fill, Status};
use crate::device::Host;
use crate::error::Result;
use crate::math::exact::WEIGHT_FINE;
use crate::selection::tally::{Tally, WeightedCount};

// Long enough that clearing and adding up a plane's rows (about 3,000) is small beside filling it.
const LEAST_CHUNK: usize = 1 << 15;

pub(super) fn fill(fill: &Fill, entries: Entries<Host>) -> Result<Tally<Host>> {
    let length = entries.weights.len();
    let chunk = length.div_ceil(rayon::current_num_threads()).max(LEAST_CHUNK);
    let parts: Vec<(Vec<WeightedCount>, Option<Status>)> = (0..length.div_ceil(chunk))
        .into_par_iter()
        .map(|part| fill_chunk(fill, &entries, part * chunk..length.min((part + 1) * chunk)))
        .collect();
    let status = parts
        .iter()
        .filter_map(|(_, status)| *status)
        .reduce(|first, later| Status { entries: first.entries + later.entries, ..first });
    match status {
        Some(status) => Err(fill.fault(status)),
        None => entries.spectrum.plus(parts.iter().map(|(rows, _)| &rows[..])),
    }
}

fn fill_chunk(
    fill: &Fill,
    entries: &Entries<Host>,
    range: std::ops::Range<usize>,
) -> (Vec<WeightedCount>, Option<Status>) {
    let mut rows = vec![WeightedCount::default(); fill.rows()];
    let mut status: Option<Status> = None;
    for entry in range {
        let weight = entries.weights[entry];
        let verdict = fill.scale.status(f64::from(weight));
        if verdict != WEIGHT_FINE {
            status.get_or_insert(Status { entry: entry as u64, weight: verdict, entries: 0 }).entries += 1;
            continue;
        }
        rows[row_of(fill, entries, entry)].add(fill.scale, weight);
    }
    (rows, status)
}

fn row_of(fill: &Fill, entries: &Entries<Host>, entry: usize) -> usize {
    let mut row = 0;
    for (axis, values) in fill.axes.iter().zip(&entries.values) {
        let value = values[entry];
        if value.is_nan() {
            return fill.rows() - 1;
        }
        row = row * axis.bins_with_flow() + place_of(f64::from(value), axis.edges()) as usize;
    }
    row
}
