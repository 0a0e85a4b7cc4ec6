//! The launcher: evaluates all events, scans the tiles, and gathers the survivors. 24 bytes of status come back: what went
//! wrong, and how many survived.

use cudarc::driver::DeviceRepr;

use super::program::{Instruction, ItemCut, NONE, ObjectPlan, Program};
use super::{Batch, NAME, Selected, Selection, Status, Survivors};
use crate::device::launch::length_u32;
use crate::device::{ColumnList, ColumnTable, Cuda, DeviceColumn, Grid, Kernel, OnDevice};
use crate::error::{Fault, Result};
use crate::events::EventColumns;
use crate::selection::tally::WORDS;

const FILE: &str = "selection/select";
static SELECT: Kernel = Kernel { file: FILE, symbol: "selection_select", threads: 256 };
static COUNT: Kernel = Kernel { file: FILE, symbol: "selection_select_count", threads: 256 };
static OFFSETS: Kernel = Kernel { file: FILE, symbol: "selection_select_offsets", threads: 256 };
static COMPACT: Kernel = Kernel { file: FILE, symbol: "selection_select_compact", threads: 256 };
static GATHER: Kernel = Kernel { file: FILE, symbol: "selection_select_gather", threads: 256 };

/// The events of a tile, as in `kernels/selection/select.cu`.
const TILE: u32 = 2048;

// The most shared memory that a block may ask for on every device since sm_80 leaves room for two blocks.
const MOST_SHARED: usize = 80 << 10;

/// `Shape` in `kernels/selection/select.cuh`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Shape {
    weight_factor: f64,
    events: u32,
    collections: u32,
    quantities: u32,
    objects: u32,
    item_cuts: u32,
    instructions: u32,
    slots: u32,
    cuts: u32,
    weight_column: u32,
    weight_fault: u32,
    weight_exponent: i32,
    unused: u32,
}

// SAFETY: numbers only, `repr(C)`, without padding: 8 + 12 x 4 bytes.
unsafe impl DeviceRepr for Shape {}

/// What an evaluation leaves on the device, for all events.
struct Evaluated {
    marks: DeviceColumn<u32>,
    /// Variable after variable, `events` values each; those of survivors are set.
    values: DeviceColumn<f32>,
    weights: DeviceColumn<f32>,
    /// (complement of the lowest (row, fault), events with a fault, survivors).
    status: DeviceColumn<u64>,
}

pub(super) fn select(selection: &Selection, cuda: &Cuda, mut batch: Batch<OnDevice>) -> Result<Selected<OnDevice>> {
    let events = length_u32(NAME, batch.columns.events)?;
    batch.cutflow.make_room(cuda, events)?;
    let mut evaluated = evaluate(selection, cuda, &mut batch, events)?;
    let tiles = events.div_ceil(TILE);
    let offsets = offsets_of_tiles(cuda, &mut evaluated, events, tiles)?;
    let status = cuda.download(&evaluated.status)?;
    if status[1] > 0 {
        let lowest = !status[0];
        let status = Status { row: lowest >> 32, fault: lowest as u32, events: status[1] };
        return Err(selection.fault(&batch.origin, status));
    }
    // At most the number of events, which is a u32.
    let count = status[2] as u32;
    let survivors = survivors(selection, cuda, &evaluated, &offsets, events, count)?;
    Ok(Selected { survivors, cutflow: batch.cutflow })
}

fn evaluate(selection: &Selection, cuda: &Cuda, batch: &mut Batch<OnDevice>, events: u32) -> Result<Evaluated> {
    let program = &*selection.program;
    let length = events as usize;
    let table = table(program, cuda, &batch.columns)?;
    let tables = cuda.upload(&words_of(program))?;
    let shape = shape(selection, events);
    let mut evaluated = Evaluated {
        marks: cuda.unset(length)?,
        values: cuda.unset(length * program.variables)?,
        weights: cuda.unset(length)?,
        status: cuda.zeros(3)?,
    };
    let function = cuda.function(&SELECT)?;
    let scratch = (program.objects.len() + program.slots) * function.threads() as usize * size_of::<u32>();
    let shared = (program.cuts + 1) * WORDS * size_of::<u64>() + scratch;
    if shared > MOST_SHARED {
        let problem = format!("{} places of objects are looked at, which takes {shared} bytes a block", program.slots);
        return Err(Fault::new(NAME, problem).because("a block has less").suggest("Use --device cpu.").usage());
    }
    let Evaluated { marks, values, weights, status } = &mut evaluated;
    function.launch(Grid::threads_for(length, &SELECT).shared(shared as u32), |arguments| {
        arguments.value(&shape).table(&table).input(&tables).output(marks)?.output(values)?.output(weights)?;
        arguments.output(&mut batch.cutflow.words)?.output(status)?;
        Ok(())
    })?;
    Ok(evaluated)
}

/// The position of the first survivor of each tile; the status takes the number of survivors.
fn offsets_of_tiles(cuda: &Cuda, evaluated: &mut Evaluated, events: u32, tiles: u32) -> Result<DeviceColumn<u32>> {
    let mut offsets = cuda.unset(tiles as usize)?;
    cuda.function(&COUNT)?.launch(Grid::blocks(u64::from(tiles)), |arguments| {
        arguments.value(&events).input(&evaluated.marks).output(&mut offsets)?;
        Ok(())
    })?;
    let function = cuda.function(&OFFSETS)?;
    let shared = 2 * function.threads() * size_of::<u32>() as u32;
    function.launch(Grid::one_block().shared(shared), |arguments| {
        arguments.value(&tiles).output(&mut offsets)?.output(&mut evaluated.status)?;
        Ok(())
    })?;
    Ok(offsets)
}

fn survivors(
    selection: &Selection,
    cuda: &Cuda,
    evaluated: &Evaluated,
    offsets: &DeviceColumn<u32>,
    events: u32,
    count: u32,
) -> Result<Survivors<OnDevice>> {
    let mut index = cuda.unset(count as usize)?;
    cuda.function(&COMPACT)?.launch(Grid::blocks(u64::from(events.div_ceil(TILE))), |arguments| {
        arguments.value(&events).input(&evaluated.marks).input(offsets).output(&mut index)?;
        Ok(())
    })?;
    let function = cuda.function(&GATHER)?;
    let gather = |values: &DeviceColumn<f32>, first: u64| -> Result<DeviceColumn<f32>> {
        let mut out = cuda.unset(count as usize)?;
        function.launch(Grid::threads_for(count as usize, &GATHER), |arguments| {
            arguments.value(&count).input(&index).input(values).value(&first).output(&mut out)?;
            Ok(())
        })?;
        Ok(out)
    };
    let variables = (0..selection.program.variables as u64)
        .map(|variable| gather(&evaluated.values, variable * u64::from(events)))
        .collect::<Result<_>>()?;
    let weight = gather(&evaluated.weights, 0)?;
    Ok(Survivors { count: count as usize, index, variables, weight })
}

fn shape(selection: &Selection, events: u32) -> Shape {
    let program = &*selection.program;
    // The counts are those of a card's text.
    Shape {
        weight_factor: selection.weight.factor,
        events,
        collections: program.projection.collections.len() as u32,
        quantities: program.quantities.len() as u32,
        objects: program.objects.len() as u32,
        item_cuts: program.item_cuts.len() as u32,
        instructions: program.instructions.len() as u32,
        slots: program.slots as u32,
        cuts: program.cuts as u32,
        weight_column: program.weight_column,
        weight_fault: selection.weight_fault(0),
        weight_exponent: selection.weight.scale.exponent(),
        unused: NONE,
    }
}

/// The columns in the order of `Columns` in `select.cuh`: offsets, quantities, scalars.
fn table(program: &Program, cuda: &Cuda, columns: &EventColumns<OnDevice>) -> Result<ColumnTable> {
    let mut list = ColumnList::default();
    columns.collections.iter().for_each(|collection| list.push(&collection.offsets));
    for (collection, quantity) in &program.quantities {
        list.push(&columns.collections[*collection].quantities[*quantity]);
    }
    columns.scalars.iter().for_each(|scalar| list.push(scalar));
    cuda.table(list)
}

/// The tables of a program as the words of the structs in `select.cuh`: objects, item cuts, instructions.
fn words_of(program: &Program) -> Vec<u64> {
    let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let of_object = |plan: &ObjectPlan| {
        let ObjectPlan { collection, first_cut, cuts, first_slot, slots, leading, pt, eta, phi, mass, fault, unused } =
            *plan;
        [
            pair(collection, first_cut),
            pair(cuts, first_slot),
            pair(slots, leading),
            pair(pt, eta),
            pair(phi, mass),
            pair(fault, unused),
        ]
    };
    let of_cut =
        |cut: &ItemCut| [pair(cut.column, cut.absolute), pair(cut.comparison, cut.fault), cut.threshold.to_bits()];
    let of_step = |step: &Instruction| {
        [
            pair(step.operation as u32, step.first),
            pair(step.second, step.first_object),
            pair(step.second_object, step.fault),
            step.number.to_bits(),
        ]
    };
    let objects = program.objects.iter().flat_map(of_object);
    let cuts = program.item_cuts.iter().flat_map(of_cut);
    objects.chain(cuts).chain(program.instructions.iter().flat_map(of_step)).collect()
}
