//! Page-locked host memory: the ring that uploads go through, and the pool that downloads land in.
//!
//! Memory is page-locked when a device is opened or first needs it, and then used again and again: page-locking stops the
//! device.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError, PinnedHostSlice, result, sys};

/// Page-locked memory, without write-combining, which makes reads by the host 15 times slower (cudarc issue 580).
struct Pinned {
    start: *mut u8,
    bytes: usize,
    /// Frees it. Its own event is never recorded: who uses the memory keeps events.
    _owner: PinnedHostSlice<u8>,
}

// SAFETY: the memory belongs to the struct, and lives as long; access to it is `unsafe` below.
unsafe impl Send for Pinned {}
// SAFETY: as above.
unsafe impl Sync for Pinned {}

impl Pinned {
    fn new(context: &Arc<CudaContext>, bytes: usize) -> Result<Self, DriverError> {
        // SAFETY: every part is written before it is read: by the host for uploads, by the device for downloads.
        let mut owner = unsafe { context.alloc_pinned_with_flags::<u8>(bytes, 0)? };
        Ok(Self { start: owner.as_mut_ptr()?, bytes, _owner: owner })
    }

    /// # Safety
    /// The range must lie within the memory, and neither the device nor anyone else may use it while the slice lives,
    /// but for a copy that only reads what the slice only reads.
    #[allow(clippy::mut_from_ref)] // disjoint ranges of one allocation, handed out by the ring and the pool
    unsafe fn range(&self, start: usize, bytes: usize) -> &mut [u8] {
        debug_assert!(start + bytes <= self.bytes);
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), bytes) }
    }
}

/// An event that a thread waits for without keeping a core from those that decode.
pub(super) fn event(context: &Arc<CudaContext>) -> Result<CudaEvent, DriverError> {
    context.new_event(Some(sys::CUevent_flags::CU_EVENT_BLOCKING_SYNC))
}

// Ranges begin at multiples of this, which is what copies and caches like.
const ALIGNMENT: usize = 256;

/// The ring of buffers that uploads go through: the host fills one part while others travel. It waits only where it comes
/// round to a buffer that has not travelled yet, which is where the bus is slower than the host.
pub(super) struct Staging {
    stream: Arc<CudaStream>,
    buffers: Vec<(Pinned, CudaEvent)>,
    current: usize,
    filled: usize,
}

impl Staging {
    // The bus takes 4 MiB in 80 us (55 GB/s), beside which the overhead of a copy is small.
    const BUFFER_BYTES: usize = 4 << 20;
    // Together three chunks of 65,536 events with four jets, so that the host does not wait for copies of the last two.
    const BUFFERS: usize = 4;

    pub(super) fn new(context: &Arc<CudaContext>, stream: Arc<CudaStream>) -> Result<Self, DriverError> {
        let buffer = |_| Ok((Pinned::new(context, Self::BUFFER_BYTES)?, event(context)?));
        let buffers = (0..Self::BUFFERS).map(buffer).collect::<Result<_, DriverError>>()?;
        Ok(Self { stream, buffers, current: 0, filled: 0 })
    }

    /// Copies `source` to the device address, in stream order.
    ///
    /// # Safety
    /// The device memory there must have at least as many bytes, and must live until the stream has done the copy.
    pub(super) unsafe fn upload(&mut self, source: &[u8], address: u64) -> Result<(), DriverError> {
        self.stream.context().bind_to_thread()?;
        let mut done = 0;
        while done < source.len() {
            if self.filled == Self::BUFFER_BYTES {
                self.turn()?;
            }
            let bytes = (source.len() - done).min(Self::BUFFER_BYTES - self.filled);
            // SAFETY: the range begins behind all that was staged since the last turn, and before it the buffer
            // had travelled.
            let staged = unsafe { self.buffers[self.current].0.range(self.filled, bytes) };
            staged.copy_from_slice(&source[done..done + bytes]);
            // SAFETY: the target holds the source, as the caller promises; the staged bytes stay until the buffer's
            // event, recorded behind this copy, has passed.
            unsafe { result::memcpy_htod_async(address + done as u64, staged, self.stream.cu_stream())? };
            done += bytes;
            self.filled = (self.filled + bytes).next_multiple_of(ALIGNMENT);
        }
        Ok(())
    }

    /// Goes on to the next buffer, which must have travelled.
    fn turn(&mut self) -> Result<(), DriverError> {
        self.buffers[self.current].1.record(&self.stream)?;
        self.current = (self.current + 1) % self.buffers.len();
        self.filled = 0;
        self.buffers[self.current].1.synchronize()
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What still travels needs the buffers. A failure has been reported by whoever waited for the copy.
        let _ = self.stream.synchronize();
    }
}

/// Where downloads land. It grows to what is on its way at once and no further.
#[derive(Default)]
pub(super) struct Pool {
    /// The last is being filled.
    blocks: Vec<Arc<Pinned>>,
    filled: usize,
}

/// A part of a block; the block is not used again while any of its parts is there.
pub(super) struct Landing {
    block: Arc<Pinned>,
    start: usize,
    bytes: usize,
}

impl Pool {
    const BLOCK_BYTES: usize = 1 << 20;

    pub(super) fn reserve(&mut self, context: &Arc<CudaContext>, bytes: usize) -> Result<Landing, DriverError> {
        if self.blocks.last().is_none_or(|block| self.filled + bytes > block.bytes) {
            // Nobody but this pool can clone a block, so one that is its alone stays so.
            let is_free = |block: &Arc<Pinned>| Arc::strong_count(block) == 1;
            match self.blocks.iter().position(|block| is_free(block) && block.bytes >= bytes) {
                Some(index) => {
                    let block = self.blocks.remove(index);
                    self.blocks.push(block);
                }
                None => {
                    self.blocks.retain(|block| !is_free(block));
                    let block = Pinned::new(context, bytes.next_power_of_two().max(Self::BLOCK_BYTES))?;
                    self.blocks.push(Arc::new(block));
                }
            }
            self.filled = 0;
        }
        let (block, start) = (self.blocks[self.blocks.len() - 1].clone(), self.filled);
        self.filled = (start + bytes).next_multiple_of(ALIGNMENT);
        Ok(Landing { block, start, bytes })
    }
}

impl Landing {
    /// Its bytes.
    ///
    /// # Safety
    /// No copy into it may be on its way, but for one that the caller starts with this slice.
    pub(super) unsafe fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the pool gave this range to nobody else while this part lives.
        unsafe { self.block.range(self.start, self.bytes) }
    }
}
