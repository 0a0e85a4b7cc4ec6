//! Device columns, and how they get there: through page-locked memory, on the stream of uploads. [`Pending`](super::Pending)
//! is the way back.
//!
//! A column that was uploaded is freed on the stream of uploads, after whoever read it: let go of it only when they are
//! done, or later uploads stand behind them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_buffer::{ScalarBuffer, ToByteSlice};
use cudarc::driver::{CudaSlice, DevicePtrMut};

use super::cuda::failed;
use super::{Cuda, Element};
use crate::error::{Fault, Result};

const NAME: &str = "device.columns";

/// A column in device memory. Cloning one shares it.
pub struct DeviceColumn<T> {
    slice: Arc<CudaSlice<T>>,
    length: usize,
}

impl<T> Clone for DeviceColumn<T> {
    fn clone(&self) -> Self {
        Self { slice: self.slice.clone(), length: self.length }
    }
}

impl<T> fmt::Debug for DeviceColumn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceColumn<{}>[{}]", std::any::type_name::<T>(), self.length)
    }
}

impl<T> DeviceColumn<T> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The same memory, seen as its first `length` elements.
    ///
    /// # Errors
    /// Where the column is shorter.
    pub fn first(&self, length: usize) -> Result<Self> {
        if length > self.length {
            return Err(
                Fault::new(NAME, format!("{length} elements of a column of {} were asked for", self.length)).data()
            );
        }
        Ok(Self { slice: self.slice.clone(), length })
    }

    pub(super) fn shared(&self) -> Arc<CudaSlice<T>> {
        self.slice.clone()
    }

    pub(super) fn slice(&self) -> &CudaSlice<T> {
        &self.slice
    }

    pub(super) fn slice_mut(&mut self) -> Result<&mut CudaSlice<T>> {
        Arc::get_mut(&mut self.slice)
            .ok_or_else(|| Fault::new(NAME, "a shared device column cannot be written").device())
    }
}

/// A struct of host columns that can go to a device.
pub trait Upload {
    /// The same struct there.
    type There;

    /// Copies every column.
    ///
    /// # Errors
    /// A failed allocation or copy.
    fn upload(&self, cuda: &Cuda) -> Result<Self::There>;
}

/// A struct of device columns that can come back.
pub trait Download {
    /// The same struct here.
    type Here;

    /// Copies every column and waits for it.
    ///
    /// # Errors
    /// A failed copy, or a kernel that failed before it.
    fn download(&self, cuda: &Cuda) -> Result<Self::Here>;
}

impl<T: Element> Upload for ScalarBuffer<T> {
    type There = DeviceColumn<T>;

    fn upload(&self, cuda: &Cuda) -> Result<DeviceColumn<T>> {
        cuda.upload(self)
    }
}

impl<T: Element> Download for DeviceColumn<T> {
    type Here = ScalarBuffer<T>;

    fn download(&self, cuda: &Cuda) -> Result<ScalarBuffer<T>> {
        cuda.download(self)
    }
}

impl<C: Upload> Upload for Vec<C> {
    type There = Vec<C::There>;

    fn upload(&self, cuda: &Cuda) -> Result<Vec<C::There>> {
        self.iter().map(|column| column.upload(cuda)).collect()
    }
}

impl<C: Download> Download for Vec<C> {
    type Here = Vec<C::Here>;

    fn download(&self, cuda: &Cuda) -> Result<Vec<C::Here>> {
        self.iter().map(|column| column.download(cuda)).collect()
    }
}

impl Cuda {
    /// Copies a column to the device. The copy runs on the copy stream; kernels that use the column wait for it.
    ///
    /// # Errors
    /// A failed allocation or copy.
    pub fn upload<T: Element>(&self, column: &[T]) -> Result<DeviceColumn<T>> {
        // SAFETY: every byte that a kernel may read (the first `column.len()` elements) is written by the copy below.
        let slice = unsafe { self.copy().alloc::<T>(column.len().max(1)) };
        let mut slice = slice.map_err(|error| failed(NAME, error))?;
        {
            let (address, _written) = slice.device_ptr_mut(self.copy());
            // SAFETY: the slice has as many bytes, and is freed on the same stream.
            let copied = unsafe { self.staging().upload(column.to_byte_slice(), address) };
            copied.map_err(|error| failed(NAME, error))?;
        }
        self.counters().uploaded.fetch_add(size_of_val(column) as u64, Ordering::Relaxed);
        Ok(DeviceColumn { slice: Arc::new(slice), length: column.len() })
    }

    /// A column of zeros.
    ///
    /// # Errors
    /// A failed allocation.
    pub fn zeros<T: Element>(&self, length: usize) -> Result<DeviceColumn<T>> {
        let slice = self.compute().alloc_zeros::<T>(length.max(1)).map_err(|error| failed(NAME, error))?;
        Ok(DeviceColumn { slice: Arc::new(slice), length })
    }

    /// A column for a kernel to fill. It is not cleared: the kernel must write every element that is read later, which
    /// the emulator checks.
    ///
    /// # Errors
    /// A failed allocation.
    pub fn unset<T: Element>(&self, length: usize) -> Result<DeviceColumn<T>> {
        // SAFETY: the bits of an `Element` are always a value; that they were written is the kernel's contract.
        let slice = unsafe { self.compute().alloc::<T>(length.max(1)) };
        Ok(DeviceColumn { slice: Arc::new(slice.map_err(|error| failed(NAME, error))?), length })
    }
}
