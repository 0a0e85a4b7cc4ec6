//! The one function that launches kernels: it checks, names, counts and, if asked, times.

use std::sync::atomic::Ordering;

use cudarc::driver::{CudaFunction, CudaStream, DeviceRepr, LaunchArgs, LaunchConfig, PushKernelArg, SyncOnDrop, sys};

use super::cuda::{Timing, failed};
use super::{ColumnTable, Cuda, DeviceColumn, Element};
use crate::error::{Fault, Result};

/// A kernel by name. Operations declare theirs as constants beside their launcher.
#[derive(Debug)]
pub struct Kernel {
    /// The file below `kernels/` without its ending: `toys/throw`.
    pub file: &'static str,
    /// The symbol: `toys_throw`.
    pub symbol: &'static str,
    /// Threads a block. Kernels are correct for any number; this one suits them.
    pub threads: u32,
}

/// The shape of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    blocks: u64,
    shared_bytes: u32,
    least_threads: u32,
    most_threads: u32,
}

impl Grid {
    /// Enough blocks for `units` threads. Kernels stride over the grid, so [`Function::launch`] may take fewer.
    pub fn threads_for(units: usize, kernel: &Kernel) -> Self {
        Self::blocks((units as u64).div_ceil(u64::from(kernel.threads)))
    }

    /// A number of blocks, for kernels that give a block to each unit.
    pub fn blocks(blocks: u64) -> Self {
        Self { blocks, shared_bytes: 0, least_threads: 1, most_threads: u32::MAX }
    }

    /// Exactly one block.
    pub fn one_block() -> Self {
        Self::blocks(1)
    }

    /// With dynamic shared memory.
    pub fn shared(self, bytes: u32) -> Self {
        Self { shared_bytes: bytes, ..self }
    }

    /// With at least so many threads a block, for kernels of whole warps.
    pub fn at_least(self, threads: u32) -> Self {
        Self { least_threads: threads, ..self }
    }

    /// With at most so many threads a block, for kernels whose threads take shared memory.
    pub fn at_most(self, threads: u32) -> Self {
        Self { most_threads: threads, ..self }
    }
}

/// A loaded kernel.
pub struct Function {
    cuda: Cuda,
    kernel: &'static Kernel,
    function: CudaFunction,
}

// Blocks beyond this many a multiprocessor only add launch work, since every kernel strides over the grid: 2048
// resident threads a multiprocessor are 8 to 16 blocks of 256 or 128.
const BLOCKS_A_MULTIPROCESSOR: u64 = 16;

// Static and dynamic shared memory up to here need no opt-in (CUDA C++ Programming Guide, compute capabilities).
const SHARED_WITHOUT_OPT_IN: u32 = 48 << 10;

impl Function {
    pub(super) fn new(cuda: Cuda, kernel: &'static Kernel, function: CudaFunction) -> Self {
        Self { cuda, kernel, function }
    }

    /// The threads a block that a launch will have, for kernels whose scratch depends on it.
    pub fn threads(&self) -> u32 {
        self.cuda.settings().block_threads.unwrap_or(self.kernel.threads)
    }

    /// The blocks that a launch of `grid` will have.
    pub fn blocks(&self, grid: Grid) -> u32 {
        let most = u64::from(self.cuda.multiprocessors()) * BLOCKS_A_MULTIPROCESSOR;
        grid.blocks.clamp(1, most) as u32
    }

    /// Launches the kernel on the compute stream; `bind` pushes the arguments in the order of the kernel's signature.
    ///
    /// # Errors
    /// A column that is shared and would be written, or a launch that the driver refuses. What fails *in* the kernel
    /// is reported by the next download or [`Cuda::synchronize`].
    pub fn launch<'a>(&'a self, grid: Grid, bind: impl FnOnce(&mut Arguments<'a>) -> Result<()>) -> Result<()> {
        let symbol = self.kernel.symbol;
        let config = LaunchConfig {
            grid_dim: (self.blocks(grid), 1, 1),
            block_dim: (self.threads().min(grid.most_threads).max(grid.least_threads), 1, 1),
            shared_mem_bytes: grid.shared_bytes,
        };
        if grid.shared_bytes > SHARED_WITHOUT_OPT_IN {
            use sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES as LIMIT;
            let set = self.function.set_attribute(LIMIT, grid.shared_bytes as i32);
            set.map_err(|error| failed(symbol, error))?;
        }
        let stream = self.cuda.compute();
        let mut arguments = Arguments { launch: stream.launch_builder(&self.function), stream, in_tables: Vec::new() };
        bind(&mut arguments)?;
        let Arguments { mut launch, in_tables, .. } = arguments;
        if self.cuda.settings().timing == Timing::On {
            launch.record_kernel_launch(sys::CUevent_flags::CU_EVENT_DEFAULT);
        }
        // SAFETY: the arguments match the kernel's signature and the columns are as long as the lengths passed with
        // them; every launcher is run against its kernel under the emulator, which checks each access.
        let events = unsafe { launch.launch(config) }.map_err(|error| failed(symbol, error))?;
        // Only now does the stream hold the kernel that reads the columns of tables.
        drop(in_tables);
        if let Some((start, end)) = events {
            self.cuda.record_time(symbol, start, end);
        }
        self.cuda.counters().launches.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(kernel = symbol, blocks = config.grid_dim.0, threads = config.block_dim.0, "launch");
        Ok(())
    }
}

/// The arguments of a launch, in the order of the kernel's signature.
pub struct Arguments<'a> {
    launch: LaunchArgs<'a>,
    stream: &'a CudaStream,
    in_tables: Vec<SyncOnDrop<'a>>,
}

impl<'a> Arguments<'a> {
    /// A column that the kernel reads.
    pub fn input<T: Element>(&mut self, column: &'a DeviceColumn<T>) -> &mut Self {
        self.launch.arg(column.slice());
        self
    }

    /// A column that the kernel writes (or reads and writes).
    ///
    /// # Errors
    /// Where the column is shared.
    pub fn output<T: Element>(&mut self, column: &'a mut DeviceColumn<T>) -> Result<&mut Self> {
        self.launch.arg(column.slice_mut()?);
        Ok(self)
    }

    /// A list of columns that the kernel reads, as a pointer to their addresses.
    pub fn table(&mut self, table: &'a ColumnTable) -> &mut Self {
        self.in_tables.extend(table.read_by(self.stream));
        self.input(table.addresses())
    }

    /// A number, or a `#[repr(C)]` struct of numbers.
    pub fn value<T: DeviceRepr>(&mut self, value: &'a T) -> &mut Self {
        self.launch.arg(value);
        self
    }
}

/// Converts a length to the `u32` that kernels take.
///
/// # Errors
/// Where it does not fit.
pub fn length_u32(operation: &'static str, length: usize) -> Result<u32> {
    u32::try_from(length)
        .map_err(|_| Fault::new(operation, format!("{length} elements are too many for one chunk")).data())
}
