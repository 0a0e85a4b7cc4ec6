//! The launcher. 16 bytes of status come back: whether a weight was refused.

use cudarc::driver::DeviceRepr;

use super::{Entries, Fill, NAME, Status};
use crate::device::launch::length_u32;
use crate::device::{Cuda, DeviceColumn, Grid, Kernel, OnDevice};
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

/// What a fill keeps on a device for all batches of a stream.
#[derive(Debug)]
pub(crate) struct Prepared {
    edges: DeviceColumn<f64>,
    /// (complement of the lowest (entry, weight status), refused entries), of all batches.
    status: DeviceColumn<u64>,
}

pub(super) fn fill(fill: &Fill, cuda: &Cuda, entries: Entries<OnDevice>) -> Result<Tally<OnDevice>> {
    let mut prepared = fill.prepare(cuda)?;
    let Entries { values, weights, mut spectrum } = entries;
    fill.add(cuda, &mut prepared, &values, &weights, &mut spectrum)?;
    fill.end(cuda, &prepared)?;
    Ok(spectrum)
}

impl Fill {
    pub(crate) fn prepare(&self, cuda: &Cuda) -> Result<Prepared> {
        let edges: Vec<f64> = self.axes.iter().flat_map(|axis| axis.edges().iter().copied()).collect();
        Ok(Prepared { edges: cuda.upload(&edges)?, status: cuda.zeros(2)? })
    }

    /// Asks for the fill of entries that have been checked, and waits for nothing.
    pub(crate) fn add(
        &self,
        cuda: &Cuda,
        prepared: &mut Prepared,
        values: &[DeviceColumn<f32>],
        weights: &DeviceColumn<f32>,
        spectrum: &mut Tally<OnDevice>,
    ) -> Result<()> {
        let entries = length_u32(NAME, weights.len())?;
        spectrum.make_room(cuda, entries)?;
        let count = |axis: usize| self.axes.get(axis).map_or(0, |axis| axis.edges().len() as u32);
        let (first_edges, second_edges) = (count(0), count(1));
        let shape = Shape { entries, first_edges, second_edges, weight_exponent: self.scale.exponent() };
        let rows = length_u32(NAME, self.rows())?;
        let private_bytes = self.rows() * WORDS * size_of::<u64>();
        let (private_rows, shared) =
            if private_bytes <= MOST_PRIVATE_BYTES { (rows, private_bytes as u32) } else { (0, 0) };
        let Prepared { edges, status } = prepared;
        // `check` saw a column for each axis; a spectrum of one axis reads no second.
        let (first, second) = (&values[0], &values[values.len() - 1]);
        cuda.function(&FILL)?.launch(Grid::threads_for(weights.len(), &FILL).shared(shared), |arguments| {
            arguments.value(&shape).input(first).input(second).input(weights).input(edges);
            arguments.value(&rows).value(&private_rows).output(&mut spectrum.words)?.output(status)?;
            Ok(())
        })
    }

    /// Waits for all fills.
    ///
    /// # Errors
    /// A weight that was refused. The entry that it names is one of its batch; a selection of the same weight has refused
    /// it before, and named the event.
    pub(crate) fn end(&self, cuda: &Cuda, prepared: &Prepared) -> Result<()> {
        let status = cuda.download(&prepared.status)?;
        if status[1] == 0 {
            return Ok(());
        }
        let lowest = !status[0];
        Err(self.fault(Status { entry: lowest >> 32, weight: lowest as u32, entries: status[1] }))
    }
}
