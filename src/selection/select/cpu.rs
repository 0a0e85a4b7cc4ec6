//! The reference executor: blocks of events in parallel, results joined in the order of the events.

use arrow_buffer::ScalarBuffer;
use rayon::prelude::*;

use super::math::{Columns, Outcome, Scratch, run_event, weight};
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
    flags: Vec<u32>,
    /// The rows of the tally.
    tally: Vec<WeightedCount>,
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
        variables: (0..selection.program.variables as usize)
            .map(|variable| joined(&|block| &block.variables[variable]))
            .collect(),
        weight: joined(&|block| &block.weight),
        flags: blocks.iter().flat_map(|block| block.flags.iter().copied()).collect(),
    };
    let cutflow = batch.cutflow.plus(blocks.iter().map(|block| &block.tally[..]))?;
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
        && offsets.windows(2).all(|pair| pair[0] <= pair[1])
}

fn select_block(selection: &Selection, columns: &Columns<'_>, events: std::ops::Range<usize>) -> Block {
    let program = &*selection.program;
    let scale = selection.weight.scale;
    let mut scratch = Scratch::new(program);
    let mut values = vec![0.0; program.variables as usize];
    let mut block = Block {
        index: Vec::new(),
        variables: vec![Vec::new(); program.variables as usize],
        weight: Vec::new(),
        flags: Vec::new(),
        tally: vec![WeightedCount::default(); program.rows as usize],
        status: None,
    };
    for event in events {
        let weight = weight(columns, program.weight_column, selection.weight.factor, event);
        let mut outcome = Outcome { passed: 0, fault: NONE, survives: false, flags: 0 };
        match scale.status(f64::from(weight)) {
            WEIGHT_FINE => {
                outcome = run_event(program, columns, event, &mut scratch, |variable, value| values[variable] = value);
            }
            status => outcome.fault = selection.weight_fault(status),
        }
        if outcome.fault != NONE {
            let first = Status { row: event as u64, fault: outcome.fault, events: 0 };
            block.status.get_or_insert(first).events += 1;
            continue;
        }
        block.tally[outcome.passed as usize].add(scale, weight);
        scratch.rows.iter().for_each(|row| block.tally[*row as usize].add(scale, weight));
        if outcome.survives {
            block.index.push(event as u32);
            block.weight.push(weight);
            block.flags.push(outcome.flags);
            block.variables.iter_mut().zip(&values).for_each(|(column, value)| column.push(*value));
        }
    }
    block
}
