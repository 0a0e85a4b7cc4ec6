//! The toys of the tail on a device.

use super::{Input, Output, Tail};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::math::philox::{Philox, Stage};

const KERNEL: Kernel = Kernel { file: "toys/tail", symbol: "toys_tail", threads: 256 };

/// Each block keeps the cells of a toy in shared memory, as `toys.throw` does.
const MOST_CELLS: usize = 24_000;

pub(super) fn tally(tail: &Tail, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let cells = length_u32(Tail::NAME, input.cells())?;
    if cells as usize > MOST_CELLS {
        let fault = Fault::new(Tail::NAME, format!("{cells} cells do not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {MOST_CELLS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let windows = length_u32(Tail::NAME, input.windows())?;
    let [key_low, key_high] = Philox::new(tail.seed, Stage::Tail).key();
    // Atomic additions need a start.
    let mut tally = cuda.zeros::<u64>(input.tally_length())?;
    let grid = Grid::blocks(tail.toys).shared(4 * (cells + 1));
    cuda.function(&KERNEL)?.launch(grid, |arguments| {
        arguments.input(&input.cell).input(&input.guide).input(&input.threshold_high).input(&input.threshold_low);
        arguments.input(&input.start).input(&input.end).input(&input.height).input(&input.critical);
        arguments.input(&input.choice).input(&input.place).input(&input.tail).input(&input.share);
        arguments.value(&cells).value(&input.columns).value(&windows).value(&key_low).value(&key_high);
        arguments.value(&tail.first_toy).value(&tail.toys);
        arguments.output(&mut tally)?;
        Ok(())
    })?;
    Ok(Output { tally })
}
