//! The executor of the CPU: blocks of events, each through the whole program instruction by instruction.
//!
//! An instruction is one loop over a register of the block ([`block`]), so the cost of interpreting is shared by the block's
//! events and arithmetic uses the processor's vectors ([`bank`]); events leave at the cut that they fail. A loop over items has
//! a lane for each ([`lanes`]). Memory is used again for the next block. The answers are those of
//! [`math`](super::math), which runs one event at a time, bit for bit: each lane sees the same operations in the same order.

mod bank;
mod block;
mod lanes;
mod objects;

use std::ops::Range;

use arrow_buffer::ScalarBuffer;
use rayon::prelude::*;

use super::math::{Columns, Scratch, run_event, weight};
use super::program::NONE;
use super::{Batch, NAME, Selected, Selection, Status, Survivors};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::events::{Collection, EventColumns};
use crate::math::exact::WEIGHT_FINE;
use crate::selection::tally::WeightedCount;
use block::Executor;

/// The events of a block: a register of as many f64 is half of a first-level cache, and what it costs to begin an instruction
/// is below 1 % of its loop.
const BLOCK: usize = 2048;

/// The items of all collections that a block holds at most, if it has more than one event: what a block takes is bounded by
/// this and by the longest event.
const ITEMS_A_BLOCK: usize = 1 << 16;

/// Batches of up to this many blocks run on the calling thread, which in a stream is one of several that decode and select.
const BLOCKS_A_TASK: usize = 16;

/// What consecutive events yield.
#[derive(Default)]
struct Part {
    index: Vec<u32>,
    variables: Vec<Vec<f32>>,
    weight: Vec<f32>,
    flags: Vec<u32>,
    rows: Vec<WeightedCount>,
    status: Option<Status>,
}

pub(super) fn select(selection: &Selection, batch: Batch<Host>) -> Result<Selected<Host>> {
    let columns = columns(selection, &batch.columns)?;
    let events = batch.columns.events;
    let task = BLOCK * BLOCKS_A_TASK;
    let parts: Vec<Part> = if events <= task {
        vec![select_part(selection, &columns, 0..events)]
    } else {
        let part = |part: usize| select_part(selection, &columns, part * task..events.min((part + 1) * task));
        (0..events.div_ceil(task)).into_par_iter().map(part).collect()
    };
    let first = |first: Status, later: Status| Status { events: first.events + later.events, ..first };
    if let Some(status) = parts.iter().filter_map(|part| part.status).reduce(first) {
        return Err(selection.fault(&batch.origin, status));
    }
    let cutflow = batch.cutflow.plus(parts.iter().map(|part| &part.rows[..]))?;
    Ok(Selected { survivors: join(parts, selection.program.variables as usize), cutflow })
}

fn join(mut parts: Vec<Part>, variables: usize) -> Survivors<Host> {
    fn joined<T: Copy>(parts: &mut [Part], of: impl Fn(&mut Part) -> &mut Vec<T>) -> Vec<T> {
        let mut all = parts.first_mut().map(|part| std::mem::take(of(part))).unwrap_or_default();
        parts.iter_mut().skip(1).for_each(|part| all.extend_from_slice(of(part)));
        all
    }
    let index = joined(&mut parts, |part| &mut part.index);
    Survivors {
        count: index.len(),
        index: ScalarBuffer::from(index),
        variables: (0..variables).map(|at| joined(&mut parts, |part| &mut part.variables[at]).into()).collect(),
        weight: joined(&mut parts, |part| &mut part.weight).into(),
        flags: joined(&mut parts, |part| &mut part.flags).into(),
    }
}

/// The columns in the order of the program; offsets are checked, because they index everything else.
fn columns<'a>(selection: &Selection, batch: &'a EventColumns<Host>) -> Result<Columns<'a>> {
    for (collection, named) in batch.collections.iter().zip(&selection.projection().collections) {
        let values = collection.quantities.first().map_or(0, |values| values.len());
        if !are_offsets_of(collection, values) {
            let problem = format!("the offsets of '{}' do not divide its {values} values into lists", named.name);
            return Err(Fault::new(NAME, problem).data());
        }
    }
    Ok(Columns {
        offsets: batch.collections.iter().map(|collection| &collection.offsets[..]).collect(),
        quantities: (selection.program.columns.iter())
            .map(|(collection, quantity)| &batch.collections[*collection].quantities[*quantity][..])
            .collect(),
        scalars: batch.scalars.iter().map(|scalar| &scalar[..]).collect(),
    })
}

fn are_offsets_of(collection: &Collection<Host>, values: usize) -> bool {
    let offsets = &collection.offsets;
    offsets.first() == Some(&0)
        && offsets.last().map(|last| *last as usize) == Some(values)
        // All of them, without an early end: the compiler makes wide instructions of it.
        && offsets.iter().zip(&offsets[1..]).fold(true, |all, (first, next)| all & (first <= next))
}

fn select_part(selection: &Selection, columns: &Columns<'_>, events: Range<usize>) -> Part {
    let program = &*selection.program;
    let mut part = Part {
        variables: vec![Vec::new(); program.variables as usize],
        rows: vec![WeightedCount::default(); program.rows as usize],
        ..Part::default()
    };
    let mut executor = Executor::new(program, columns);
    let mut weights = Vec::new();
    let mut start = events.start;
    while start < events.end {
        let block = start..block_end(columns, start, events.end);
        start = block.end;
        weights_of(selection, columns, block.clone(), &mut weights);
        let scale = selection.weight.scale;
        let mut faulty = Vec::new();
        if !scale.admits_all(&weights) {
            for (event, weight) in block.clone().zip(&mut weights) {
                if scale.status(f64::from(*weight)) != WEIGHT_FINE {
                    // It has no place in a tally, and the whole batch is an error anyway.
                    *weight = 0.0;
                    faulty.push(event);
                }
            }
        }
        executor.run(block, &weights, scale, &mut part);
        faulty.extend(executor.take_faulty());
        if !faulty.is_empty() {
            note_faults(selection, columns, faulty, &mut part);
        }
    }
    part
}

/// Where the block that begins at `start` ends.
fn block_end(columns: &Columns<'_>, start: usize, end: usize) -> usize {
    let end = end.min(start + BLOCK);
    let items = |last: usize| -> usize {
        columns.offsets.iter().map(|offsets| (offsets[last] - offsets[start]) as usize).sum()
    };
    if items(end) <= ITEMS_A_BLOCK {
        return end;
    }
    let (mut fits, mut beyond) = (start + 1, end);
    while fits + 1 < beyond {
        let middle = fits.midpoint(beyond);
        if items(middle) <= ITEMS_A_BLOCK { fits = middle } else { beyond = middle }
    }
    fits
}

/// Adds events that had a fault to the status. Which fault is an event's first, its own run says.
fn note_faults(selection: &Selection, columns: &Columns<'_>, mut faulty: Vec<usize>, part: &mut Part) {
    faulty.sort_unstable();
    faulty.dedup();
    let status = part.status.get_or_insert_with(|| {
        let event = faulty[0];
        let fault = match selection.weight.scale.status(f64::from(weight_of(selection, columns, event))) {
            WEIGHT_FINE => first_fault(selection, columns, event),
            status => selection.weight_fault(status),
        };
        Status { row: event as u64, fault, events: 0 }
    });
    status.events += faulty.len() as u64;
}

fn first_fault(selection: &Selection, columns: &Columns<'_>, event: usize) -> u32 {
    let mut scratch = Scratch::new(&selection.program);
    run_event(&selection.program, columns, event, &mut scratch, |_, _| {}).fault
}

/// The weights of consecutive events.
fn weights_of(selection: &Selection, columns: &Columns<'_>, events: Range<usize>, weights: &mut Vec<f32>) {
    weights.clear();
    match (selection.program.weight_column, selection.weight.factor) {
        // Which is not changed by a factor of 1.
        (column, 1.0) if column != NONE => weights.extend_from_slice(&columns.scalars[column as usize][events]),
        _ => weights.extend(events.map(|event| weight_of(selection, columns, event))),
    }
}

fn weight_of(selection: &Selection, columns: &Columns<'_>, event: usize) -> f32 {
    weight(columns, selection.program.weight_column, selection.weight.factor, event)
}
