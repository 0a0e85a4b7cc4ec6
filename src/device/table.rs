//! Lists of columns, for kernels that take any number of them.

use std::fmt;
use std::sync::Arc;

use cudarc::driver::{CudaSlice, CudaStream, DevicePtr, SyncOnDrop};

use super::{Cuda, DeviceColumn, Element};
use crate::error::Result;

/// The addresses of columns in device memory. The table keeps its columns alive, and a launch that takes it
/// ([`Arguments::table`](super::launch::Arguments::table)) waits for them as for its other arguments.
pub struct ColumnTable {
    columns: Vec<Arc<dyn Resident>>,
    addresses: DeviceColumn<u64>,
}

/// A column of any type.
trait Resident: Send + Sync {
    /// Its address; `stream` waits for what writes it, and dropping the guard tells later writers to wait for `stream`.
    fn read_by<'a>(&'a self, stream: &'a CudaStream) -> (u64, SyncOnDrop<'a>);
}

impl<T: Element> Resident for CudaSlice<T> {
    fn read_by<'a>(&'a self, stream: &'a CudaStream) -> (u64, SyncOnDrop<'a>) {
        self.device_ptr(stream)
    }
}

/// Collects the columns of a [`ColumnTable`].
#[derive(Default)]
pub struct ColumnList(Vec<Arc<dyn Resident>>);

impl ColumnList {
    /// Adds a column at the end.
    pub fn push<T: Element>(&mut self, column: &DeviceColumn<T>) {
        self.0.push(column.shared());
    }
}

impl Cuda {
    /// Writes the addresses of the columns, 8 bytes each, to the device.
    ///
    /// # Errors
    /// A failed allocation or copy.
    pub fn table(&self, list: ColumnList) -> Result<ColumnTable> {
        let addresses: Vec<u64> = list.0.iter().map(|column| column.read_by(self.compute()).0).collect();
        Ok(ColumnTable { columns: list.0, addresses: self.upload(&addresses)? })
    }
}

impl ColumnTable {
    pub(super) fn addresses(&self) -> &DeviceColumn<u64> {
        &self.addresses
    }

    /// Guards to be held until the kernel that reads the columns is in the stream.
    pub(super) fn read_by<'a>(&'a self, stream: &'a CudaStream) -> impl Iterator<Item = SyncOnDrop<'a>> {
        self.columns.iter().map(|column| column.read_by(stream).1)
    }
}

impl fmt::Debug for ColumnTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnTable[{}]", self.columns.len())
    }
}
