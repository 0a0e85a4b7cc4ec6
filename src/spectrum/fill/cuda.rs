//! The launcher. 16 bytes of status come back: whether a weight was refused.

use cudarc::driver::DeviceRepr;

use super::{Entries, Fill, NAME, Status};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice};
use crate::error::Result;
use crate::selection::tally::{Tally, WORDS};

static FILL: Kernel = Kernel { file: "spectrum/fill", symbol: "spectrum_fill", threads: 256 };

// A block keeps rows of its own up to this many bytes (292 rows), of which a multiprocessor of sm_80 holds eight blocks:
// more would cost occupancy, and entries of so many bins seldom meet in global memory anyway.
const MOST_PRIVATE_BYTES: usize = 16 << 10;

/// `Shape` in `kernels/spectrum/fill.cuh`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Shape {
    entries: u32,
    first_edges: u32,
    second_edges: u32,
    weight_exponent: i32,
}

// SAFETY: numbers only, `repr(C)`, without padding: 4 x 4 bytes.
unsafe impl DeviceRepr for Shape {}

pub(super) fn fill(fill: &Fill, cuda: &Cuda, entries: Entries<OnDevice>) -> Result<Tally<OnDevice>> {
    let Entries { values, weights, mut spectrum } = entries;
    let length = length_u32(NAME, weights.len())?;
    spectrum.make_room(cuda, length)?;
    let edges: Vec<f64> = fill.axes.iter().flat_map(|axis| axis.edges().iter().copied()).collect();
    let edges = cuda.upload(&edges)?;
    let count = |axis: usize| fill.axes.get(axis).map_or(0, |axis| axis.edges().len() as u32);
    let shape = Shape {
        entries: length,
        first_edges: count(0),
        second_edges: count(1),
        weight_exponent: fill.scale.exponent(),
    };
    let rows = length_u32(NAME, fill.rows())?;
    let private_bytes = fill.rows() * WORDS * size_of::<u64>();
    let (private_rows, shared) =
        if private_bytes <= MOST_PRIVATE_BYTES { (rows, private_bytes as u32) } else { (0, 0) };
    let mut status = cuda.zeros::<u64>(2)?;
    // `check` saw a column for each axis; a spectrum of one axis reads no second.
    let (first, second) = (&values[0], &values[values.len() - 1]);
    cuda.function(&FILL)?.launch(Grid::threads_for(length as usize, &FILL).shared(shared), |arguments| {
        arguments.value(&shape).input(first).input(second).input(&weights).input(&edges);
        arguments.value(&rows).value(&private_rows).output(&mut spectrum.words)?.output(&mut status)?;
        Ok(())
    })?;
    let status = cuda.download(&status)?;
    if status[1] == 0 {
        return Ok(spectrum);
    }
    let lowest = !status[0];
    Err(fill.fault(Status { entry: lowest >> 32, weight: lowest as u32, entries: status[1] }))
}
