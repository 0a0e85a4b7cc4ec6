//! The toys on a device.

use super::{Input, Output, Throw};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::math::philox::{Philox, Stage};

const KERNEL: Kernel = Kernel { file: "toys/throw", symbol: "toys_throw", threads: 256 };

/// Each block keeps the running sums of all cells and the totals of all groups in shared memory, 4 bytes each; 96 KiB with the
/// block's own scratch are what every device since 2020 has for a block (99 KiB).
const MOST_WORDS: usize = 24_000;

pub(super) fn throw(throw: &Throw, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let draws = &input.draws;
    let (cells, rows) = (draws.cells, length_u32(Throw::NAME, draws.rows())?);
    let words = draws.cells as usize + draws.rows() + 1;
    if words > MOST_WORDS {
        let fault = Fault::new(Throw::NAME, format!("{cells} exclusive cells do not fit a block's shared memory"));
        let fault = fault.because(format!("with their {rows} rows there is room for {MOST_WORDS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let number = length_u32(Throw::NAME, draws.draws())?;
    let (windows, levels) = (length_u32(Throw::NAME, input.windows())?, input.levels());
    let [key_low, key_high] = Philox::new(throw.seed, Stage::Toys).key();
    // Atomic additions need a start; every other byte of scratch is written before it is read.
    let mut tally = cuda.zeros::<u64>(input.tally_length())?;
    let grid = Grid::blocks(throw.toys).shared(4 * words as u32);
    cuda.function(&KERNEL)?.launch(grid, |arguments| {
        arguments.input(&draws.draw).input(&draws.row).input(&draws.member).input(&draws.guide).input(&draws.threshold);
        arguments
            .input(&input.range)
            .input(&input.start)
            .input(&input.end)
            .input(&input.minimum)
            .input(&input.critical);
        arguments.value(&number).value(&rows).value(&cells).value(&windows).value(&levels);
        arguments.value(&key_low).value(&key_high).value(&throw.first_toy).value(&throw.toys);
        arguments.output(&mut tally)?;
        Ok(())
    })?;
    Ok(Output { tally })
}
