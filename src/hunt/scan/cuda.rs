//! The scan on a device.

use super::{Input, Output, Scan};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};

const KERNEL: Kernel = Kernel { file: "hunt/scan", symbol: "hunt_scan", threads: 128 };

/// Each block keeps the running sums of all cells in shared memory, 8 bytes each; 96 KiB with the block's own scratch are
/// what every device since 2020 has for a block (99 KiB).
const MOST_CELLS: usize = 12_000;

pub(super) fn scan(scan: &Scan, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let cells = length_u32(Scan::NAME, input.observed.len())?;
    if cells as usize > MOST_CELLS {
        let fault = Fault::new(Scan::NAME, format!("{cells} cells do not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {MOST_CELLS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let windows = input.start.len();
    let function = cuda.function(&KERNEL)?;
    let grid = Grid::threads_for(windows, &KERNEL).shared(8 * (cells + 1));
    let blocks = function.blocks(grid) as usize;
    let mut output = Output::<OnDevice> {
        observed: cuda.unset(windows)?,
        ln_p: cuda.unset(windows)?,
        z: cuda.unset(windows)?,
        best_ln_p: cuda.unset(blocks)?,
        best_window: cuda.unset(blocks)?,
    };
    let windows = length_u32(Scan::NAME, windows)?;
    let judge = scan.judge();
    function.launch(grid, |arguments| {
        arguments
            .input(&input.start)
            .input(&input.end)
            .input(&input.height)
            .input(&input.expected)
            .input(&input.expected_outside);
        arguments.input(&input.sideband_start).input(&input.sideband_end).input(&input.observed);
        arguments.value(&windows).value(&cells).value(&input.columns).value(&judge);
        arguments.output(&mut output.observed)?.output(&mut output.ln_p)?.output(&mut output.z)?;
        arguments.output(&mut output.best_ln_p)?.output(&mut output.best_window)?;
        Ok(())
    })?;
    Ok(output)
}
