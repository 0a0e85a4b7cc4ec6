//! Test-only: the CUDA execution model on the CPU, and an emulated `libcuda.so.1` over it.

use std::path::Path;
use std::sync::OnceLock;

pub mod source;

/// Folder that holds the emulated `libcuda.so.1`: for `LD_LIBRARY_PATH` of a child process.
pub const DRIVER_FOLDER: &str = env!("OUT_DIR");

/// Loads the emulated driver into this process; the `dlopen("libcuda.so.1")` of cudarc is then answered by soname.
pub fn install() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let path = Path::new(DRIVER_FOLDER).join("libcuda.so.1");
        // SAFETY: the library was built by this crate's build script; its initialisers only fill a table.
        let library = unsafe { libloading::Library::new(&path) }.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        std::mem::forget(library);
    });
}
