//! The toys on a device.

use super::{Input, Output, Throw};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::math::philox::{Philox, Stage};

const KERNEL: Kernel = Kernel { file: "toys/throw", symbol: "toys_throw", threads: 256 };

/// Each block keeps the running sums of all cells in shared memory, 4 bytes each; 96 KiB with the block's own scratch are
/// what every device since 2020 has for a block (99 KiB).
const MOST_CELLS: usize = 24_000;

pub(super) fn throw(throw: &Throw, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let cells = length_u32(Throw::NAME, input.cells())?;
    if cells as usize > MOST_CELLS {
        let fault = Fault::new(Throw::NAME, format!("{cells} cells do not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {MOST_CELLS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let (windows, levels) = (length_u32(Throw::NAME, input.windows())?, input.levels());
    let [key_low, key_high] = Philox::new(throw.seed, Stage::Toys).key();
    // Atomic additions need a start; every other byte of scratch is written before it is read.
    let mut tally = cuda.zeros::<u64>(input.tally_length())?;
    let grid = Grid::blocks(throw.toys).shared(4 * (cells + 1));
    cuda.function(&KERNEL)?.launch(grid, |arguments| {
        arguments.input(&input.cell).input(&input.guide).input(&input.threshold_high).input(&input.threshold_low);
        arguments.input(&input.start).input(&input.end).input(&input.minimum).input(&input.critical);
        arguments.value(&cells).value(&windows).value(&levels).value(&key_low).value(&key_high);
        arguments.value(&throw.first_toy).value(&throw.toys);
        arguments.output(&mut tally)?;
        Ok(())
    })?;
    Ok(Output { tally })
}
