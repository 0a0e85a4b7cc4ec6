//! The launcher: evaluates all events, scans the tiles, and gathers the survivors. 24 bytes of status come back: what
//! went wrong, and how many survived.
//!
//! [`Selection::begin`] asks for all of the work that does not depend on the answer, and waits for nothing;
//! [`Selection::end`] waits for the status and asks for the rest.

use cudarc::driver::DeviceRepr;

use super::program::{Code, Instruction, Program};
use super::{Batch, NAME, Origin, Selected, Selection, Status, Survivors};
use crate::device::launch::{Function, length_u32};
use crate::device::{ColumnList, ColumnTable, Cuda, DeviceColumn, Element, Grid, Kernel, OnDevice, Pending};
use crate::error::{Fault, Result};
use crate::events::EventColumns;
use crate::selection::tally::{Tally, WORDS};

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

// A tally of more rows (292) is added to in global memory: it would leave the registers too little of the shared memory,
// and over so many rows few threads meet.
const MOST_SHARED_ROWS: usize = (16 << 10) / ROW_BYTES;

const ROW_BYTES: usize = WORDS * size_of::<u64>();

/// `Shape` in `kernels/selection/select.cuh`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Shape {
    weight_factor: f64,
    events: u32,
    instructions: u32,
    objects_at: u32,
    quantities_at: u32,
    checks_at: u32,
    presences_at: u32,
    sources_at: u32,
    objects: u32,
    loop_registers: u32,
    registers: u32,
    collections: u32,
    quantities: u32,
    shared_rows: u32,
    weight_column: u32,
    weight_fault: u32,
    weight_exponent: i32,
}

// SAFETY: numbers only, `repr(C)`, without padding: 8 + 16 x 4 bytes.
unsafe impl DeviceRepr for Shape {}

/// What a selection keeps on a device for all batches of a stream: its tables, and the scratch that objects are collected
/// in, which kernels use one after another.
#[derive(Debug, Default)]
pub(crate) struct Prepared(Option<Room>);

#[derive(Debug)]
struct Room {
    /// For each object of the program, how many items there is room for.
    capacities: Vec<usize>,
    tables: Tables,
    words: DeviceColumn<u64>,
    references: DeviceColumn<u32>,
    keys: DeviceColumn<f64>,
    /// Tables of smaller rooms: to free one makes later uploads stand behind its last reader.
    _before: Vec<DeviceColumn<u64>>,
}

impl Prepared {
    /// The room, made larger where these items do not fit.
    fn room(&mut self, program: &Program, cuda: &Cuda, needed: &[usize]) -> Result<&mut Room> {
        let room = match self.0.take() {
            Some(room) if room.capacities.iter().zip(needed).all(|(has, needs)| has >= needs) => room,
            before => {
                let mut capacities = needed.to_vec();
                let mut old_words = Vec::new();
                if let Some(Room { capacities: smaller, words, mut _before, references, keys, .. }) = before {
                    // Their memory comes back before the larger ones are asked for.
                    drop((references, keys));
                    // An eighth to spare, so that batches of about one size seldom come here.
                    capacities.iter_mut().zip(smaller).for_each(|(n, less)| *n = (*n + *n / 8).max(less));
                    old_words.append(&mut _before);
                    old_words.push(words);
                }
                let items = capacities.iter().sum();
                let tables = Tables::new(program, &capacities)?;
                let words = cuda.upload(&tables.words)?;
                let (references, keys) = (cuda.unset(items)?, cuda.unset(items)?);
                Room { capacities, tables, words, references, keys, _before: old_words }
            }
        };
        Ok(self.0.insert(room))
    }
}

/// A batch whose evaluation was asked for.
#[derive(Debug)]
pub(crate) struct Evaluating {
    origin: Origin,
    /// What the kernels read, until they have.
    read: (EventColumns<OnDevice>, ColumnTable),
    evaluated: Evaluated,
    /// (complement of the lowest (row, fault), events with a fault, survivors).
    status: Pending<u64>,
}

/// What an evaluation leaves on the device, for all events.
#[derive(Debug)]
struct Evaluated {
    events: u32,
    marks: DeviceColumn<u32>,
    /// Variable after variable, `events` values each; those of survivors are set, as in the next two.
    values: DeviceColumn<f32>,
    weights: DeviceColumn<f32>,
    flags: DeviceColumn<u32>,
    /// The position of the first survivor of each tile.
    tile_offsets: DeviceColumn<u32>,
}

pub(super) fn select(selection: &Selection, cuda: &Cuda, batch: Batch<OnDevice>) -> Result<Selected<OnDevice>> {
    let Batch { columns, mut cutflow, origin } = batch;
    let evaluating = selection.begin(cuda, &mut Prepared::default(), columns, &mut cutflow, origin)?;
    Ok(Selected { survivors: selection.end(cuda, evaluating)?, cutflow })
}

impl Selection {
    /// Asks for the evaluation of a batch, which has been checked, and waits for nothing.
    pub(crate) fn begin(
        &self,
        cuda: &Cuda,
        prepared: &mut Prepared,
        columns: EventColumns<OnDevice>,
        cutflow: &mut Tally<OnDevice>,
        origin: Origin,
    ) -> Result<Evaluating> {
        let program = &*self.program;
        let events = length_u32(NAME, columns.events)?;
        cutflow.make_room(cuda, events)?;
        let length = events as usize;
        let mut evaluated = Evaluated {
            events,
            marks: cuda.unset(length)?,
            values: cuda.unset(length * program.variables as usize)?,
            weights: cuda.unset(length)?,
            flags: cuda.unset(length)?,
            tile_offsets: cuda.unset(events.div_ceil(TILE) as usize)?,
        };
        let mut status = cuda.zeros(3)?;
        let room = prepared.room(program, cuda, &self.capacities(&columns))?;
        let table = addresses(program, cuda, &columns)?;
        launch(self, cuda, room, &table, cutflow, &mut evaluated, &mut status)?;
        scan(cuda, &mut evaluated, &mut status)?;
        let status = cuda.download_later(&status)?;
        Ok(Evaluating { origin, read: (columns, table), evaluated, status })
    }

    /// Waits for the evaluation, and asks for what survived.
    pub(crate) fn end(&self, cuda: &Cuda, evaluating: Evaluating) -> Result<Survivors<OnDevice>> {
        let Evaluating { origin, read, evaluated, status } = evaluating;
        let status = status.wait()?;
        // Before there is memory for survivors.
        drop(read);
        if status[1] > 0 {
            let lowest = !status[0];
            let status = Status { row: lowest >> 32, fault: lowest as u32, events: status[1] };
            return Err(self.fault(&origin, status));
        }
        // At most the number of events, which is a u32.
        gather(self, cuda, &evaluated, status[2] as u32)
    }
}

fn launch(
    selection: &Selection,
    cuda: &Cuda,
    room: &mut Room,
    table: &ColumnTable,
    cutflow: &mut Tally<OnDevice>,
    evaluated: &mut Evaluated,
    status: &mut DeviceColumn<u64>,
) -> Result<()> {
    let program = &*selection.program;
    let Room { tables, words, references, keys, .. } = room;
    let function = cuda.function(&SELECT)?;
    let block = Block::new(program, &function)?;
    let shape = shape(selection, evaluated.events, tables, &block);
    let Evaluated { marks, values, weights, flags, .. } = evaluated;
    let blocks = u64::from(shape.events).div_ceil(u64::from(block.threads));
    let grid = Grid::blocks(blocks).at_most(block.threads).shared(block.shared_bytes);
    function.launch(grid, |arguments| {
        arguments.value(&shape).table(table).input(words).output(references)?.output(keys)?;
        arguments.output(marks)?.output(values)?.output(weights)?.output(flags)?;
        arguments.output(&mut cutflow.words)?.output(status)?;
        Ok(())
    })
}

/// How the registers of a program are laid out in a block.
struct Block {
    threads: u32,
    shared_bytes: u32,
    /// With those of loops.
    registers: u32,
    /// The rows of the tally in shared memory.
    shared_rows: u32,
}

impl Block {
    fn new(program: &Program, function: &Function) -> Result<Self> {
        let registers = program.registers as usize + loop_registers(&program.instructions);
        let tallies = program.instructions.iter().filter(|step| step.code == Code::Tally).count();
        let thread_bytes = registers * size_of::<f64>() + (program.objects.len() + tallies) * size_of::<u32>();
        let rows = program.rows as usize;
        let shared_rows = if rows <= MOST_SHARED_ROWS { rows } else { 0 };
        let row_bytes = shared_rows * ROW_BYTES;
        let fit = (MOST_SHARED - row_bytes).checked_div(thread_bytes).unwrap_or(usize::MAX);
        let threads = match fit.min(function.threads() as usize) {
            0 => {
                let problem = format!("an event needs {registers} registers at once, which are {thread_bytes} bytes");
                return Err(Fault::new(NAME, problem).because("a block has less").suggest("Use --device cpu.").usage());
            }
            // Whole warps where that is a choice.
            threads if threads == fit && threads > 32 => threads / 32 * 32,
            threads => threads,
        };
        // At most MOST_SHARED.
        let shared_bytes = (row_bytes + threads * thread_bytes) as u32;
        Ok(Self { threads: threads as u32, shared_bytes, registers: registers as u32, shared_rows: shared_rows as u32 })
    }
}

/// The registers in which loops keep their results so far: two a fold, four for the best pair.
fn loop_registers(instructions: &[Instruction]) -> usize {
    let of = |step: &Instruction| match step.code {
        Code::Each => 2 * step.b as usize,
        Code::Pairs => 4,
        _ => 0,
    };
    instructions.iter().map(of).max().unwrap_or(0)
}

/// The position of the first survivor of each tile; the status takes the number of survivors.
fn scan(cuda: &Cuda, evaluated: &mut Evaluated, status: &mut DeviceColumn<u64>) -> Result<()> {
    let Evaluated { events, marks, tile_offsets, .. } = evaluated;
    let tiles = events.div_ceil(TILE);
    cuda.function(&COUNT)?.launch(Grid::blocks(u64::from(tiles)), |arguments| {
        arguments.value(events).input(marks).output(tile_offsets)?;
        Ok(())
    })?;
    let function = cuda.function(&OFFSETS)?;
    let shared = 2 * function.threads() * size_of::<u32>() as u32;
    function.launch(Grid::one_block().shared(shared), |arguments| {
        arguments.value(&tiles).output(tile_offsets)?.output(status)?;
        Ok(())
    })
}

fn gather(selection: &Selection, cuda: &Cuda, evaluated: &Evaluated, count: u32) -> Result<Survivors<OnDevice>> {
    let Evaluated { events, marks, values, weights, flags, tile_offsets } = evaluated;
    let mut index = cuda.unset(count as usize)?;
    cuda.function(&COMPACT)?.launch(Grid::blocks(u64::from(events.div_ceil(TILE))), |arguments| {
        arguments.value(events).input(marks).input(tile_offsets).output(&mut index)?;
        Ok(())
    })?;
    let function = cuda.function(&GATHER)?;
    let variables = (0..u64::from(selection.program.variables))
        .map(|variable| gathered(cuda, &function, &index, values, variable * u64::from(*events)))
        .collect::<Result<_>>()?;
    let weight = gathered(cuda, &function, &index, weights, 0)?;
    let flags = gathered(cuda, &function, &index, flags, 0)?;
    Ok(Survivors { count: count as usize, index, variables, weight, flags })
}

/// The survivors' values of a column that begins at `first`; of four bytes each, as the kernel has it.
fn gathered<T: Element>(
    cuda: &Cuda,
    function: &Function,
    index: &DeviceColumn<u32>,
    values: &DeviceColumn<T>,
    first: u64,
) -> Result<DeviceColumn<T>> {
    const { assert!(size_of::<T>() == 4) };
    let count = length_u32(NAME, index.len())?;
    let mut out = cuda.unset(index.len())?;
    function.launch(Grid::threads_for(index.len(), &GATHER), |arguments| {
        arguments.value(&count).input(index).input(values).value(&first).output(&mut out)?;
        Ok(())
    })?;
    Ok(out)
}

fn shape(selection: &Selection, events: u32, tables: &Tables, block: &Block) -> Shape {
    let program = &*selection.program;
    // The counts are those of a card's text.
    Shape {
        weight_factor: selection.weight.factor,
        events,
        instructions: program.instructions.len() as u32,
        objects_at: tables.objects_at,
        quantities_at: tables.quantities_at,
        checks_at: tables.checks_at,
        presences_at: tables.presences_at,
        sources_at: tables.sources_at,
        objects: program.objects.len() as u32,
        loop_registers: program.registers,
        registers: block.registers,
        collections: program.projection.collections.len() as u32,
        quantities: program.columns.len() as u32,
        shared_rows: block.shared_rows,
        weight_column: program.weight_column,
        weight_fault: selection.weight_fault(0),
        weight_exponent: selection.weight.scale.exponent(),
    }
}

/// The columns in the order that `Shape` says: offsets, quantities, scalars.
fn addresses(program: &Program, cuda: &Cuda, columns: &EventColumns<OnDevice>) -> Result<ColumnTable> {
    let mut list = ColumnList::default();
    columns.collections.iter().for_each(|collection| list.push(&collection.offsets));
    for (collection, quantity) in &program.columns {
        list.push(&columns.collections[*collection].quantities[*quantity]);
    }
    columns.scalars.iter().for_each(|scalar| list.push(scalar));
    cuda.table(list)
}

/// The tables of a program as words, and where each begins: instructions first.
#[derive(Debug)]
struct Tables {
    words: Vec<u64>,
    objects_at: u32,
    quantities_at: u32,
    checks_at: u32,
    presences_at: u32,
    sources_at: u32,
}

impl Tables {
    fn new(program: &Program, capacities: &[usize]) -> Result<Self> {
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let of_step = |step: &Instruction| {
            [pair(step.code as u32, step.dest), pair(step.a, step.b), pair(step.c, step.check), step.number.to_bits()]
        };
        let mut words: Vec<u64> = program.instructions.iter().flat_map(of_step).collect();
        let objects_at = words.len() as u32;
        let mut region = 0;
        for (plan, capacity) in program.objects.iter().zip(capacities) {
            // References are numbers of 32 bits.
            length_u32(NAME, *capacity)?;
            let sources = pair(plan.first_source, plan.sources);
            words.extend([sources, pair(plan.first_quantity, plan.leading), region, 0]);
            region += *capacity as u64;
        }
        let quantities_at = words.len() as u32;
        words.extend(program.quantities.iter().map(|quantity| pair(quantity.column, quantity.constant.to_bits())));
        let checks_at = words.len() as u32;
        words.extend(program.checks.iter().map(|check| pair(check.first_presence, check.presences)));
        let presences_at = words.len() as u32;
        words.extend(program.presences.iter().map(|presence| pair(presence.register, presence.at_least)));
        let sources_at = words.len() as u32;
        words.extend(program.sources.chunks(2).map(|two| pair(two[0], two.get(1).copied().unwrap_or(0))));
        Ok(Self { words, objects_at, quantities_at, checks_at, presences_at, sources_at })
    }
}
