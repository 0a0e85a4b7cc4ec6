//! Test-only: the CUDA execution model on the CPU, and an emulated `libcuda.so.1` over it.
//!
//! The build script compiles the project's unmodified `.cu` files for the host, one fiber a CUDA thread, and links them
//! behind the driver calls that the project makes. [`install`] loads that driver into a test; a child process finds it
//! through `LD_LIBRARY_PATH` ([`Variant::environment`]). What it finds wrong is in [`reports`], what it copied and
//! launched in [`statistics`], and what was asked for in which order in [`trace()`].
//!
//! Environment, read when the driver is first used: `TRAWL_EMULATOR_DEVICES` (1; 0 means none),
//! `TRAWL_EMULATOR_MEMORY` (bytes of each device, 4 GiB), `TRAWL_EMULATOR_MULTIPROCESSORS` (4),
//! `TRAWL_EMULATOR_SEED` (1), `TRAWL_EMULATOR_STATISTICS` (file written at exit), `TRAWL_EMULATOR_PROFILE`
//! (file of memory transactions by kernel and access, written at exit). Read by [`install`]:
//! `TRAWL_EMULATOR` (checked, address, perturbed) and `TRAWL_EMULATOR_FOLDER` (a folder of [`mutants`]).
//!
//! Neglected: memory is sequentially consistent, blocks run one after another, there is no timing, and inline PTX,
//! textures, clusters and grid-wide synchronisation are not there. The code that runs is the host compiler's.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub mod direct;
mod mutants;
pub mod source;
mod statistics;
mod toolchain;
mod trace;

pub use mutants::{Mutant, mutants, mutants_of, sharing_kernels};
pub use statistics::{Statistics, reports, reset_reports, reset_statistics, statistics};
pub use toolchain::Variant;
pub use trace::{Call, CallKind, Trace, start_trace, trace};

/// Folder that holds the emulated `libcuda.so.1` of the variant Checked: for `LD_LIBRARY_PATH` of a child process.
pub const DRIVER_FOLDER: &str = concat!(env!("OUT_DIR"), "/project/checked");

impl Variant {
    /// Folder with this variant's `libcuda.so.1`.
    pub fn folder(self) -> PathBuf {
        direct::Kernels::Project.folder(self)
    }

    /// What a child process needs in its environment to run on this variant, whether it calls [`install`] or not.
    pub fn environment(self) -> Vec<(String, String)> {
        environment_of(self, &self.folder())
    }
}

pub(crate) fn environment_of(variant: Variant, folder: &Path) -> Vec<(String, String)> {
    let folder = folder.display().to_string();
    let mut environment = vec![
        ("LD_LIBRARY_PATH".to_string(), folder.clone()),
        ("TRAWL_EMULATOR".to_string(), variant.name().to_string()),
        ("TRAWL_EMULATOR_FOLDER".to_string(), folder),
    ];
    if variant == Variant::Address {
        // The sanitisers' libraries must come before libc; a Rust test binary is not linked to them.
        let preload = format!("{} {}", env!("TRAWL_EMULATOR_LIBASAN"), env!("TRAWL_EMULATOR_LIBUBSAN"));
        environment.push(("LD_PRELOAD".to_string(), preload));
        // Only the kernels' accesses are of interest; what the process leaves allocated at exit is not.
        environment.push(("ASAN_OPTIONS".to_string(), "detect_leaks=0:detect_stack_use_after_return=0".to_string()));
        environment.push(("UBSAN_OPTIONS".to_string(), "print_stacktrace=1".to_string()));
    }
    environment
}

/// Loads the emulated driver into this process, once; the `dlopen("libcuda.so.1")` of cudarc is then answered by soname.
///
/// # Panics
/// If the library cannot be loaded: nothing that follows would mean anything.
pub fn install() {
    library();
}

/// The same with the driver in this folder, for the emulator's own kernels. Does nothing after [`install`].
pub fn install_from(folder: &Path) {
    LIBRARY.get_or_init(|| load(folder));
}

static LIBRARY: OnceLock<libloading::Library> = OnceLock::new();

pub(crate) fn library() -> &'static libloading::Library {
    LIBRARY.get_or_init(|| {
        let folder = std::env::var_os("TRAWL_EMULATOR_FOLDER").map(PathBuf::from).unwrap_or_else(|| {
            let name = std::env::var("TRAWL_EMULATOR").unwrap_or_else(|_| "checked".to_string());
            Variant::from_name(&name).unwrap_or_else(|| panic!("TRAWL_EMULATOR={name} is no variant")).folder()
        });
        load(&folder)
    })
}

pub(crate) fn load(folder: &Path) -> libloading::Library {
    let path = folder.join("libcuda.so.1");
    // SAFETY: the library was built by this crate; its initialisers only fill a table.
    unsafe { libloading::Library::new(&path) }.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
