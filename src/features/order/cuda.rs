//! Orders on a device.

use super::{Coordinates, LARGEST_ON_DEVICE, NAME, Order, Ordering, Orders, Truncation};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Grid, Kernel, OnDevice};
use crate::error::{Fault, Result};

const KERNEL: Kernel = Kernel { file: "features/order", symbol: "features_order", threads: 128 };

/// Shared memory that a row takes: four doubles.
const BYTES_A_ROW: u32 = 32;

/// Shared memory of a block that needs no opt-in.
const SHARED_BYTES: u32 = 48 << 10;

/// Threads of a warp, which has a jet.
const WARP: u32 = 32;

pub(super) fn order(order: &Order, cuda: &Cuda, jets: &Coordinates<OnDevice>) -> Result<Orders<OnDevice>> {
    if jets.rows > LARGEST_ON_DEVICE {
        let fault = Fault::new(NAME, format!("jets of {} rows do not fit a block's shared memory", jets.rows));
        let fault = fault.because(format!("there is room for {LARGEST_ON_DEVICE}"));
        return Err(fault.suggest("Order such jets on the CPU.").usage());
    }
    let groups = jets.number.length();
    let number = length_u32(NAME, groups)?;
    let places = groups * order.most as usize;
    length_u32(NAME, places.max(groups * jets.rows as usize))?;
    let (ordering, truncation) = match (order.ordering, order.truncation) {
        (Ordering::Pt, Truncation::Pt) => (0_u32, 0_u32),
        (Ordering::Pt, Truncation::Kt) => (0, 1),
        (Ordering::Kt, Truncation::Pt) => (1, 0),
        (Ordering::Kt, Truncation::Kt) => (1, 1),
    };
    let mut made = Orders::<OnDevice> { most: order.most, order: cuda.unset(places)?, number: cuda.unset(groups)? };
    let function = cuda.function(&KERNEL)?;
    let a_jet = BYTES_A_ROW * jets.rows.max(1);
    let warps = (SHARED_BYTES / a_jet).min(function.threads() / WARP).max(1);
    let blocks = u64::from(number.div_ceil(warps));
    let grid = Grid::blocks(blocks).shared(warps * a_jet).at_most(warps * WARP);
    function.launch(grid, |arguments| {
        arguments.input(&jets.pt).input(&jets.eta).input(&jets.phi).input(&jets.number);
        arguments.value(&number).value(&jets.rows).value(&order.most).value(&ordering).value(&truncation);
        arguments.output(&mut made.order)?.output(&mut made.number)?;
        Ok(())
    })?;
    Ok(made)
}
