//! What the emulated driver counted and reported.

use libloading::Library;

/// Work of the emulated driver since it was loaded, or since [`reset_statistics`]. Bytes are counted at the call.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes copied from the host to a device.
    pub upload_bytes: u64,
    /// Copies from the host to a device.
    pub uploads: u64,
    /// Bytes copied from a device to the host.
    pub download_bytes: u64,
    /// Copies from a device to the host.
    pub downloads: u64,
    /// Bytes copied within a device.
    pub device_to_device_bytes: u64,
    /// Copies within a device.
    pub device_to_device_copies: u64,
    /// Bytes copied between devices.
    pub peer_bytes: u64,
    /// Copies between devices.
    pub peer_copies: u64,
    /// Bytes set by memset, zeroed allocations among them.
    pub memset_bytes: u64,
    /// Calls of memset.
    pub memsets: u64,
    /// Kernel launches.
    pub launches: u64,
    /// Threads of all launches.
    pub threads: u64,
    /// Device allocations made.
    pub allocations: u64,
    /// Device allocations freed.
    pub frees: u64,
    /// Bytes allocated now, on all devices together.
    pub device_bytes: u64,
    /// The most that `device_bytes` has been.
    pub peak_device_bytes: u64,
    /// Pinned host bytes allocated now.
    pub pinned_bytes: u64,
    /// The most that `pinned_bytes` has been.
    pub peak_pinned_bytes: u64,
    /// Times that the host waited for a stream, an event or a device.
    pub synchronisations: u64,
}

/// What the driver has counted in this process.
pub fn statistics() -> Statistics {
    let mut statistics = Statistics::default();
    // SAFETY: the function fills a struct of this layout.
    unsafe {
        let read = crate::library().get::<unsafe extern "C" fn(*mut Statistics)>(b"emulator_statistics\0");
        read.expect("exported by the driver")(&mut statistics);
    }
    statistics
}

/// Starts the counters again; what is allocated stays counted, and is the new peak.
pub fn reset_statistics() {
    call(crate::library(), b"emulator_reset_statistics\0");
}

/// Every error that the checker and the driver have reported in this process, oldest first.
pub fn reports() -> Vec<String> {
    text(crate::library(), b"emulator_reports\0").lines().map(str::to_string).collect()
}

/// Forgets the reports. The error state of a device stays, as on CUDA.
pub fn reset_reports() {
    call(crate::library(), b"emulator_reset_reports\0");
}

pub(crate) fn call(library: &Library, name: &[u8]) {
    // SAFETY: functions of the driver without arguments and result.
    unsafe { library.get::<unsafe extern "C" fn()>(name).expect("exported by the driver")() }
}

/// The text that a function of the driver gives: called for its length, then for its bytes.
pub(crate) fn text(library: &Library, name: &[u8]) -> String {
    // SAFETY: the function writes at most the given number of bytes and returns how many there are.
    let bytes = unsafe {
        let give = library.get::<unsafe extern "C" fn(*mut u8, usize) -> usize>(name).expect("exported by the driver");
        let mut bytes = vec![0_u8; give(std::ptr::null_mut(), 0)];
        let written = give(bytes.as_mut_ptr(), bytes.len()).min(bytes.len());
        bytes.truncate(written);
        bytes
    };
    String::from_utf8_lossy(&bytes).into_owned()
}
