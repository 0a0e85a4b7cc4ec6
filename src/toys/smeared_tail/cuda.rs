//! The smeared toys of the tail on a device.

use super::{Input, Output, SUMS, SmearedTail};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::math::philox::{Philox, Stage};
use crate::toys::Smearing;

const KERNEL: Kernel = Kernel { file: "toys/smeared_tail", symbol: "toys_smeared_tail", threads: 256 };

/// Each block keeps the running sums of all cells in shared memory, as `toys.smeared` does.
const MOST_CELLS: usize = 24_000;

/// Blocks have places of their own in device memory, so that there are no more than keep every device since 2020 busy: an
/// H100 runs 396 at a time.
const MOST_BLOCKS: u64 = 1024;

/// The blocks of a launch, at most: each takes 16 bytes a cell and 4 a window.
pub(super) fn most_blocks(toys: u64) -> u64 {
    toys.clamp(1, MOST_BLOCKS)
}

pub(super) fn throw(tail: &SmearedTail, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let toys = &input.toys;
    let cells = length_u32(SmearedTail::NAME, toys.cells())?;
    if cells as usize > MOST_CELLS {
        let fault = Fault::new(SmearedTail::NAME, format!("{cells} cells do not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {MOST_CELLS}"));
        return Err(fault.suggest("Use --device cpu or fewer cells.").usage());
    }
    let (windows, templates) =
        (length_u32(SmearedTail::NAME, toys.windows())?, length_u32(SmearedTail::NAME, toys.templates())?);
    let [key_low, key_high] = Philox::new(tail.seed, Stage::SmearedTail).key();
    let log_normal = u32::from(tail.smearing == Smearing::LogNormal);
    let has_own = u32::from(toys.own.length() > 0);
    let function = cuda.function(&KERNEL)?;
    let grid = Grid::blocks(most_blocks(tail.toys)).shared(4 * (cells + 1));
    let blocks = function.blocks(grid) as usize;
    let mut nuisances = cuda.unset::<f64>(if has_own > 0 { blocks * toys.cells() } else { 0 })?;
    let mut means = cuda.unset::<f64>(blocks * toys.cells())?;
    let mut exceeding = cuda.unset::<u32>(blocks * toys.windows())?;
    // Atomic additions need a start.
    let mut sums = cuda.zeros::<u64>(SUMS)?;
    function.launch(grid, |arguments| {
        arguments.input(&toys.expected).input(&toys.middle).input(&toys.most).input(&toys.own).input(&toys.shared);
        arguments.input(&toys.start).input(&toys.end).input(&toys.height).input(&toys.critical);
        arguments.input(&input.choice).input(&input.first_direction).input(&input.direction);
        arguments.input(&input.first_node).input(&input.step).input(&input.ln_density).input(&input.mass);
        arguments.value(&cells).value(&toys.columns).value(&templates).value(&windows);
        arguments.value(&log_normal).value(&has_own).value(&key_low).value(&key_high);
        arguments.value(&tail.first_toy).value(&tail.toys);
        arguments.output(&mut nuisances)?.output(&mut means)?.output(&mut exceeding)?.output(&mut sums)?;
        Ok(())
    })?;
    Ok(Output { sums })
}
