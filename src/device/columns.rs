//! Device columns, and the only place that copies between host and device.
//!
//! A copy goes through two pinned buffers in turn: while one travels, the host fills (or empties) the other. The buffers
//! are page-locked without write-combining, because the host also reads them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_buffer::{MutableBuffer, ScalarBuffer, ToByteSlice};
use cudarc::driver::{
    CudaContext, CudaSlice, DevicePtr, DevicePtrMut, DriverError, HostSlice, PinnedHostSlice, result,
};

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
        self.staging().upload(self, column, &mut slice).map_err(|error| failed(NAME, error))?;
        self.counters().uploaded.fetch_add(size_of_val(column) as u64, Ordering::Relaxed);
        Ok(DeviceColumn { slice: Arc::new(slice), length: column.len() })
    }

    /// Copies a column back and waits for it.
    ///
    /// # Errors
    /// A failed copy, or a kernel that failed before it.
    pub fn download<T: Element>(&self, column: &DeviceColumn<T>) -> Result<ScalarBuffer<T>> {
        let bytes = column.len() * size_of::<T>();
        let mut buffer = MutableBuffer::from_len_zeroed(bytes);
        self.staging().download(self, column, buffer.as_slice_mut()).map_err(|error| failed(NAME, error))?;
        self.context().check_err().map_err(|error| failed(NAME, error))?;
        self.counters().downloaded.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(ScalarBuffer::new(buffer.into(), 0, column.len()))
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

/// The two pinned buffers.
pub(super) struct Staging {
    buffers: [PinnedHostSlice<u8>; 2],
    next: usize,
}

impl Staging {
    // Large enough that the call overhead of a copy (about 10 us) is small beside its time at 25 GB/s (160 us).
    const BUFFER_BYTES: usize = 4 << 20;

    pub(super) fn new(context: &Arc<CudaContext>) -> Result<Self, DriverError> {
        let buffer = || {
            // Flags 0: not write-combined, which makes reads by the host 15 times slower (cudarc issue 580).
            // SAFETY: a buffer is written before any part of it is read: by the host for uploads, by the device for
            // downloads.
            unsafe { context.alloc_pinned_with_flags::<u8>(Self::BUFFER_BYTES, 0) }
        };
        Ok(Self { buffers: [buffer()?, buffer()?], next: 0 })
    }

    fn upload<T: Element>(&mut self, cuda: &Cuda, source: &[T], target: &mut CudaSlice<T>) -> Result<(), DriverError> {
        let stream = cuda.copy();
        let bytes = source.to_byte_slice();
        cuda.context().bind_to_thread()?;
        for piece in pieces(bytes.len()) {
            let buffer = &mut self.buffers[self.next];
            self.next ^= 1;
            // Waits until the last copy from this buffer is done.
            buffer.as_mut_slice()?[..piece.len()].copy_from_slice(&bytes[piece.clone()]);
            // SAFETY: the slice is used with `stream` only, as the function asks.
            let (staged, _buffer_in_use) = unsafe { buffer.stream_synced_slice(stream) };
            let (address, _target_written) = target.device_ptr_mut(stream);
            // SAFETY: the target has at least `bytes.len()` bytes and the piece ends within them; the buffer lives
            // until its event, recorded when `_buffer_in_use` drops, has passed.
            unsafe {
                result::memcpy_htod_async(address + piece.start as u64, &staged[..piece.len()], stream.cu_stream())?;
            }
        }
        Ok(())
    }

    fn download<T: Element>(
        &mut self,
        cuda: &Cuda,
        source: &DeviceColumn<T>,
        target: &mut [u8],
    ) -> Result<(), DriverError> {
        let stream = cuda.compute();
        cuda.context().bind_to_thread()?;
        let mut in_flight: Option<(usize, Range<usize>)> = None;
        for piece in pieces(target.len()) {
            let index = self.next;
            self.next ^= 1;
            {
                let buffer = &mut self.buffers[index];
                // SAFETY: the slice is used with `stream` only, as the function asks.
                let (staged, _buffer_in_use) = unsafe { buffer.stream_synced_mut_slice(stream) };
                let (address, _source_read) = source.slice().device_ptr(stream);
                // SAFETY: the source has `target.len()` bytes and the piece ends within them; the buffer lives until
                // its event, recorded when `_buffer_in_use` drops, has passed.
                unsafe {
                    let staged = &mut staged[..piece.len()];
                    result::memcpy_dtoh_async(staged, address + piece.start as u64, stream.cu_stream())?;
                }
            }
            if let Some((last, range)) = in_flight.replace((index, piece)) {
                self.empty(last, &mut target[range])?;
            }
        }
        if let Some((last, range)) = in_flight {
            self.empty(last, &mut target[range])?;
        }
        Ok(())
    }

    fn empty(&self, index: usize, target: &mut [u8]) -> Result<(), DriverError> {
        // Waits until the copy into this buffer is done.
        target.copy_from_slice(&self.buffers[index].as_slice()?[..target.len()]);
        Ok(())
    }
}

fn pieces(bytes: usize) -> impl Iterator<Item = Range<usize>> {
    (0..bytes).step_by(Staging::BUFFER_BYTES).map(move |start| start..bytes.min(start + Staging::BUFFER_BYTES))
}
