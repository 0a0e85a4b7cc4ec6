//! The reference executor: blocks of events in parallel, results joined in the order of the events.

use arrow_buffer::ScalarBuffer;
use rayon::prelude::*;

use super::math::{Columns, evaluate, find_objects};
use super::program::NONE;
use super::{Batch, NAME, Selected, Selection, Status, Survivors};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::events::{Collection, EventColumns};
use crate::math::exact::WEIGHT_FINE;
use crate::selection::tally::WeightedCount;

// Small enough that a batch keeps all cores busy, large enough that joining costs nothing (measured: flat from 512 on).
const BLOCK: usize = 4096;

/// What a block of events yields.
struct Block {
    index: Vec<u32>,
    variables: Vec<Vec<f32>>,
    weight: Vec<f32>,
    /// By the number of cuts passed before the first that failed.
    passed: Vec<WeightedCount>,
    status: Option<Status>,
}

pub(super) fn select(selection: &Selection, batch: Batch<Host>) -> Result<Selected<Host>> {
    let columns = columns(selection, &batch.columns)?;
    let events = batch.columns.events;
    let blocks: Vec<Block> = (0..events.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| select_block(selection, &columns, block * BLOCK..events.min((block + 1) * BLOCK)))
        .collect();
    let status = blocks
        .iter()
        .filter_map(|block| block.status)
        .reduce(|first, later| Status { events: first.events + later.events, ..first });
    if let Some(status) = status {
        return Err(selection.fault(&batch.origin, status));
    }
    let joined = |part: &dyn Fn(&Block) -> &[f32]| -> ScalarBuffer<f32> {
        blocks.iter().flat_map(|block| part(block).iter().copied()).collect()
    };
    let index: ScalarBuffer<u32> = blocks.iter().flat_map(|block| block.index.iter().copied()).collect();
    let survivors = Survivors {
        count: index.len(),
        index,
        variables: (0..selection.program.variables)
            .map(|variable| joined(&|block| &block.variables[variable]))
            .collect(),
        weight: joined(&|block| &block.weight),
    };
    let cutflow = batch.cutflow.plus(blocks.iter().map(|block| &block.passed[..]))?;
    Ok(Selected { survivors, cutflow })
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
        quantities: (selection.program.quantities.iter())
            .map(|(collection, quantity)| &batch.collections[*collection].quantities[*quantity][..])
            .collect(),
        scalars: batch.scalars.iter().map(|scalar| &scalar[..]).collect(),
    })
}

fn are_offsets_of(collection: &Collection<Host>, values: usize) -> bool {
    let offsets = &collection.offsets;
    offsets.first() == Some(&0)
        && offsets.last().map(|last| *last as usize) == Some(values)
        && offsets.windows(2).all(|pair| pair[0] <= pair[1])
}

fn select_block(selection: &Selection, columns: &Columns<'_>, events: std::ops::Range<usize>) -> Block {
    let program = &*selection.program;
    let scale = selection.weight.scale;
    let mut counts = vec![0; program.objects.len()];
    let mut slots = vec![NONE; program.slots];
    let mut block = Block {
        index: Vec::new(),
        variables: vec![Vec::new(); program.variables],
        weight: Vec::new(),
        passed: vec![WeightedCount::default(); program.cuts + 1],
        status: None,
    };
    for event in events {
        let weight = weight(selection, columns, event);
        let mut fault = match scale.status(f64::from(weight)) {
            WEIGHT_FINE => NONE,
            status => selection.weight_fault(status),
        };
        let mut passed = 0;
        if fault == NONE {
            fault = find_objects(program, columns, event, &mut counts, &mut slots);
        }
        if fault == NONE {
            let outcome = evaluate(program, columns, event, &counts, &slots, |variable, value| {
                block.variables[variable].push(value);
            });
            (passed, fault) = (outcome.passed as usize, outcome.fault);
        }
        if fault != NONE {
            let first = Status { row: event as u64, fault, events: 0 };
            block.status.get_or_insert(first).events += 1;
            continue;
        }
        block.passed[passed].add(scale, weight);
        if passed == program.cuts {
            block.index.push(event as u32);
            block.weight.push(weight);
        }
    }
    block
}

fn weight(selection: &Selection, columns: &Columns<'_>, event: usize) -> f32 {
    let column = selection.program.weight_column;
    let value = if column == NONE { 1.0 } else { f64::from(columns.scalars[column as usize][event]) };
    (value * selection.weight.factor) as f32
}
