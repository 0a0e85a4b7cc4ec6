//! The scanned toys on a device.

use super::{Input, Output, ScanToys};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::math::philox::Philox;

const KERNEL: Kernel = Kernel { file: "toys/scan", symbol: "toys_scan", threads: 128 };

/// Each block keeps the running sums of all cells in shared memory, 4 bytes each; 96 KiB with the block's own scratch are
/// what every device since 2020 has for a block (99 KiB).
const MOST_CELLS: usize = 24_000;

pub(super) fn scan(toys: &ScanToys, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let cells = length_u32(ScanToys::NAME, input.cells())?;
    if cells as usize > MOST_CELLS {
        let fault = Fault::new(ScanToys::NAME, format!("{cells} cells do not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {MOST_CELLS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let windows = length_u32(ScanToys::NAME, input.windows())?;
    let sets = length_u32(ScanToys::NAME, input.sets())?;
    let levels = length_u32(ScanToys::NAME, input.level_ln_p.len())?;
    let [key_low, key_high] = Philox::new(toys.throw.seed, toys.stage).key();
    let judge = toys.scan.judge();
    let mut ln_p = cuda.unset::<f64>(toys.throw.toys as usize)?;
    // Atomic additions need a start; every other byte is written before it is read.
    let mut tally = cuda.zeros::<u64>(input.tally_length())?;
    let grid = Grid::blocks(toys.throw.toys).shared(4 * (cells + 1));
    cuda.function(&KERNEL)?.launch(grid, |arguments| {
        arguments.input(&input.cell).input(&input.threshold).input(&input.start).input(&input.end);
        arguments.input(&input.sideband_start).input(&input.sideband_end).input(&input.expected);
        arguments.input(&input.expected_outside).input(&input.low).input(&input.high).input(&input.set);
        arguments.input(&input.level_ln_p).value(&cells).value(&windows).value(&sets).value(&levels).value(&judge);
        arguments.value(&toys.limit_ln_p).value(&key_low).value(&key_high);
        arguments.value(&toys.throw.first_toy).value(&toys.throw.toys);
        arguments.output(&mut ln_p)?.output(&mut tally)?;
        Ok(())
    })?;
    Ok(Output { ln_p, tally })
}
