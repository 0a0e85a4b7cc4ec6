//! The smeared toys on a device.

use super::{Input, Output, Smeared};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::math::philox::{Philox, Stage};
use crate::toys::Smearing;

const KERNEL: Kernel = Kernel { file: "toys/smeared", symbol: "toys_smeared", threads: 256 };

/// Each block keeps the running sums of all cells in shared memory, 4 bytes each; 96 KiB with the block's own scratch are
/// what every device since 2020 has for a block (99 KiB).
const MOST_CELLS: usize = 24_000;

pub(super) fn throw(smeared: &Smeared, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let cells = length_u32(Smeared::NAME, input.cells())?;
    if cells as usize > MOST_CELLS {
        let fault = Fault::new(Smeared::NAME, format!("{cells} cells do not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {MOST_CELLS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let (windows, levels) = (length_u32(Smeared::NAME, input.windows())?, input.levels());
    let templates = length_u32(Smeared::NAME, input.templates())?;
    let [draw_low, draw_high] = Philox::new(smeared.seed, Stage::Toys).key();
    let [smear_low, smear_high] = Philox::new(smeared.seed, Stage::Smear).key();
    let log_normal = u32::from(smeared.smearing == Smearing::LogNormal);
    let has_own = u32::from(input.own.length() > 0);
    // Atomic additions need a start; every other byte of scratch is written before it is read.
    let mut tally = cuda.zeros::<u64>(input.tally_length())?;
    let grid = Grid::blocks(smeared.toys).shared(4 * (cells + 1));
    cuda.function(&KERNEL)?.launch(grid, |arguments| {
        arguments.input(&input.expected).input(&input.middle).input(&input.most).input(&input.own);
        arguments.input(&input.shared);
        arguments.input(&input.start).input(&input.end).input(&input.height);
        arguments.input(&input.minimum).input(&input.critical);
        arguments
            .value(&cells)
            .value(&input.columns)
            .value(&templates)
            .value(&windows)
            .value(&levels)
            .value(&log_normal)
            .value(&has_own);
        arguments.value(&draw_low).value(&draw_high).value(&smear_low).value(&smear_high);
        arguments.value(&smeared.first_toy).value(&smeared.toys);
        arguments.output(&mut tally)?;
        Ok(())
    })?;
    Ok(Output { tally })
}
