//! Downloads that somebody waits for later.

use std::ops::Range;
use std::sync::atomic::Ordering;

use arrow_buffer::{MutableBuffer, ScalarBuffer};
use cudarc::driver::{CudaEvent, DevicePtr, DriverError, result};

use super::cuda::failed;
use super::pinned::{Landing, event};
use super::{Cuda, DeviceColumn, Element};
use crate::error::Result;

const NAME: &str = "device.columns";

// A longer download goes in pieces, so that the host empties one while the next travels.
const PIECE_BYTES: usize = 4 << 20;

/// A column on its way to the host, through page-locked memory and on a stream of its own: neither the kernels nor the
/// host wait for it before [`Pending::wait`]. Dropping it waits too.
#[derive(Debug)]
pub struct Pending<T: Element> {
    cuda: Cuda,
    /// Freed only when the copy is done: a free that waited for it would stand in the way of later work.
    _source: DeviceColumn<T>,
    elements: usize,
    /// What is on its way; nothing, for a column without elements.
    way: Option<Way>,
}

struct Way {
    landing: Landing,
    landed: CudaEvent,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Way")
    }
}

impl<T: Element> Pending<T> {
    /// Waits until the column has come, and gives it.
    ///
    /// # Errors
    /// A failed copy, or a kernel that failed before it.
    pub fn wait(self) -> Result<ScalarBuffer<T>> {
        let elements = self.elements;
        let mut buffer = MutableBuffer::with_capacity(elements * size_of::<T>());
        self.append_to(&mut buffer)?;
        Ok(ScalarBuffer::new(buffer.into(), 0, elements))
    }

    fn append_to(mut self, buffer: &mut MutableBuffer) -> Result<()> {
        let Some(Way { mut landing, landed }) = self.way.take() else { return Ok(()) };
        let waited = landed.synchronize().and_then(|()| self.cuda.context().check_err());
        waited.map_err(|error| failed(NAME, error))?;
        // SAFETY: the event behind the copy has passed.
        let bytes = unsafe { landing.bytes() };
        buffer.extend_from_slice(bytes);
        self.cuda.counters().downloaded.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl<T: Element> Drop for Pending<T> {
    fn drop(&mut self) {
        if let Some(way) = self.way.take() {
            // The landing must not be used again before. Whoever drops an answer unread does not ask whether it failed.
            let _ = way.landed.synchronize();
        }
    }
}

impl Cuda {
    /// Asks for a column, and waits for nothing.
    ///
    /// # Errors
    /// A failed allocation, or a copy that the driver refuses.
    pub fn download_later<T: Element>(&self, column: &DeviceColumn<T>) -> Result<Pending<T>> {
        self.piece_later(column, 0..column.len())
    }

    fn piece_later<T: Element>(&self, column: &DeviceColumn<T>, range: Range<usize>) -> Result<Pending<T>> {
        let way = if range.is_empty() { None } else { Some(self.send(column, &range)) };
        let way = way.transpose().map_err(|error| failed(NAME, error))?;
        Ok(Pending { cuda: self.clone(), _source: column.clone(), elements: range.len(), way })
    }

    fn send<T: Element>(&self, column: &DeviceColumn<T>, range: &Range<usize>) -> Result<Way, DriverError> {
        let (context, stream) = (self.context(), self.downloads());
        let mut landing = self.pool().reserve(context, range.len() * size_of::<T>())?;
        let landed = event(context)?;
        let (address, read) = column.slice().device_ptr(stream);
        let from = address + (range.start * size_of::<T>()) as u64;
        // SAFETY: the range lies within the column, which the `Pending` keeps; the landing is as long, and is kept until
        // the event behind the copy has passed.
        unsafe { result::memcpy_dtoh_async(landing.bytes(), from, stream.cu_stream())? };
        drop(read);
        match landed.record(stream) {
            Ok(()) => Ok(Way { landing, landed }),
            Err(error) => {
                // No event says when the copy is done.
                let _ = stream.synchronize();
                Err(error)
            }
        }
    }

    /// Copies a column back and waits for it.
    ///
    /// # Errors
    /// A failed copy, or a kernel that failed before it.
    pub fn download<T: Element>(&self, column: &DeviceColumn<T>) -> Result<ScalarBuffer<T>> {
        let piece = PIECE_BYTES / size_of::<T>();
        let mut buffer = MutableBuffer::with_capacity(column.len() * size_of::<T>());
        let mut before: Option<Pending<T>> = None;
        for start in (0..column.len()).step_by(piece) {
            let next = self.piece_later(column, start..column.len().min(start + piece))?;
            if let Some(before) = before.replace(next) {
                before.append_to(&mut buffer)?;
            }
        }
        before.map_or(Ok(()), |last| last.append_to(&mut buffer))?;
        Ok(ScalarBuffer::new(buffer.into(), 0, column.len()))
    }
}
