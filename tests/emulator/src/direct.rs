//! Launches kernels without driver, module or fatbin: for tests of the emulator, and of single kernels.

use std::ffi::{CString, c_int, c_void};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libloading::Library;

use crate::{Variant, statistics};

/// In which order blocks and threads run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// By the seed, with switches between accesses.
    Random,
    /// Rising.
    Forward,
    /// Falling.
    Reverse,
}

/// Shape and options of a launch.
#[derive(Debug, Clone, Copy)]
pub struct Launch {
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads in x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub dynamic_shared_bytes: u64,
    /// Seed of the schedule.
    pub seed: u64,
    /// Order of blocks and threads.
    pub schedule: Schedule,
    /// Device that the memory must belong to.
    pub device: i32,
}

impl Launch {
    /// A one-dimensional launch with a random schedule.
    pub fn new(blocks: u32, threads: u32) -> Self {
        Self {
            grid: [blocks, 1, 1],
            block: [threads, 1, 1],
            dynamic_shared_bytes: 0,
            seed: 1,
            schedule: Schedule::Random,
            device: 0,
        }
    }
}

/// Memory transactions of one access in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessProfile {
    /// `global load at kernel.cu:12`.
    pub what: String,
    /// Requests: one for each time that a warp came by.
    pub requests: u64,
    /// 32-byte sectors (global) or wavefronts (shared) that they took.
    pub transactions: u64,
    /// The fewest that would have done.
    pub ideal: u64,
}

/// What a launch gave.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the checker found, each mistake once.
    pub errors: Vec<String>,
    /// Transactions of each access, if asked for.
    pub profile: Vec<AccessProfile>,
}

/// Which kernels to launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// Those of the project.
    Project,
    /// The emulator's own, with planted bugs.
    Own,
}

impl Kernels {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Own => "own",
        }
    }

    /// Folder of their sources.
    pub(crate) fn tree(self) -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        match self {
            Self::Project => here.join("../../kernels"),
            Self::Own => here.join("kernels"),
        }
    }

    /// Folder with the `libcuda.so.1` of these kernels.
    pub fn folder(self, variant: Variant) -> PathBuf {
        Path::new(env!("OUT_DIR")).join(self.name()).join(variant.name())
    }

    /// What a child process needs in its environment to load them.
    pub fn environment(self, variant: Variant) -> Vec<(String, String)> {
        crate::environment_of(variant, &self.folder(variant))
    }
}

/// A library of kernels. Launches of a process run one at a time.
#[derive(Debug)]
pub struct Direct {
    library: Library,
}

#[repr(C)]
struct DirectOptions {
    grid: [u32; 3],
    block: [u32; 3],
    dynamic_shared: u64,
    seed: u64,
    device: i32,
    schedule: i32,
    profiling: i32,
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

impl Direct {
    /// Loads a library of kernels.
    pub fn load(kernels: Kernels, variant: Variant) -> Self {
        Self::from_folder(&kernels.folder(variant))
    }

    /// Loads the library in a folder, that of a mutant for one.
    pub fn from_folder(folder: &Path) -> Self {
        Self { library: crate::load(folder) }
    }

    /// Device memory that nothing has written.
    pub fn uninitialised<T: Copy>(&self, count: usize) -> Buffer<'_, T> {
        self.buffer(0, count)
    }

    /// Device memory with these values.
    pub fn upload<T: Copy>(&self, values: &[T]) -> Buffer<'_, T> {
        self.upload_to(0, values)
    }

    /// Memory of a device of this number with these values.
    pub fn upload_to<T: Copy>(&self, device: i32, values: &[T]) -> Buffer<'_, T> {
        let buffer = self.buffer(device, values.len());
        let _guard = one_at_a_time();
        // SAFETY: the allocation has room for the values.
        unsafe {
            let write =
                self.library.get::<unsafe extern "C" fn(*mut c_void, *const c_void, usize)>(b"emulator_write\0");
            write.expect("exported")(buffer.address, values.as_ptr().cast(), size_of_val(values));
        }
        buffer
    }

    fn buffer<T>(&self, device: i32, count: usize) -> Buffer<'_, T> {
        let _guard = one_at_a_time();
        // SAFETY: the function takes a device and a number of bytes.
        let address = unsafe {
            let allocate =
                self.library.get::<unsafe extern "C" fn(c_int, usize) -> *mut c_void>(b"emulator_allocate\0");
            allocate.expect("exported")(device, count * size_of::<T>())
        };
        assert!(!address.is_null(), "no address space for {count} elements");
        Buffer { direct: self, address, count, element: PhantomData }
    }

    /// Launches a kernel and waits for it.
    ///
    /// # Panics
    /// If the library has no such kernel, or it has another number of parameters.
    pub fn launch(&self, kernel: &str, launch: Launch, arguments: &[&dyn Argument]) -> Report {
        self.run(kernel, launch, arguments, 0)
    }

    /// The same, counting memory transactions; threads run in order, so that requests pair up as on a device.
    pub fn profile(&self, kernel: &str, launch: Launch, arguments: &[&dyn Argument]) -> Report {
        self.run(kernel, Launch { schedule: Schedule::Forward, ..launch }, arguments, 1)
    }

    fn run(&self, kernel: &str, launch: Launch, arguments: &[&dyn Argument], profiling: i32) -> Report {
        let _guard = one_at_a_time();
        let name = CString::new(kernel).expect("kernel names have no null");
        let options = DirectOptions {
            grid: launch.grid,
            block: launch.block,
            dynamic_shared: launch.dynamic_shared_bytes,
            seed: launch.seed,
            device: launch.device,
            schedule: launch.schedule as i32,
            profiling,
        };
        let mut pointers: Vec<*const c_void> = arguments.iter().map(|argument| argument.pointer()).collect();
        type Run = unsafe extern "C" fn(*const i8, *const DirectOptions, *mut *const c_void, usize) -> c_int;
        // SAFETY: as many pointers are passed as are announced; each lives until the call returns.
        let error = unsafe {
            let run = self.library.get::<Run>(b"emulator_launch\0").expect("exported");
            run(name.as_ptr().cast(), &options, pointers.as_mut_ptr(), pointers.len())
        };
        assert_eq!(error, 0, "{kernel}: no such kernel, or not {} parameters", arguments.len());
        parse(&statistics::text(&self.library, b"emulator_direct_result\0"))
    }
}

fn one_at_a_time() -> MutexGuard<'static, ()> {
    // A test that failed while it held the lock says nothing about the next one.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parse(text: &str) -> Report {
    let mut report = Report::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["error", message] => report.errors.push(message.to_string()),
            ["profile", what, requests, transactions, ideal] => {
                let number = |field: &str| field.parse().unwrap_or(0);
                report.profile.push(AccessProfile {
                    what: what.to_string(),
                    requests: number(requests),
                    transactions: number(transactions),
                    ideal: number(ideal),
                });
            }
            _ => {}
        }
    }
    report
}

/// Device memory, freed when dropped.
#[derive(Debug)]
pub struct Buffer<'a, T> {
    direct: &'a Direct,
    address: *mut c_void,
    count: usize,
    element: PhantomData<T>,
}

impl<T: Copy> Buffer<'_, T> {
    /// The values now.
    pub fn download(&self) -> Vec<T> {
        let _guard = one_at_a_time();
        // SAFETY: the buffer holds `count` elements; on the emulated device they are memory of this process.
        unsafe { std::slice::from_raw_parts(self.address.cast::<T>(), self.count) }.to_vec()
    }

    /// The same memory without its owner, as a kernel would see a stale pointer.
    pub fn address(&self) -> u64 {
        self.address as u64
    }
}

impl<T> Drop for Buffer<'_, T> {
    fn drop(&mut self) {
        let _guard = one_at_a_time();
        // SAFETY: the address came from the allocation of this library, and is freed once.
        unsafe {
            let free = self.direct.library.get::<unsafe extern "C" fn(*mut c_void) -> c_int>(b"emulator_free\0");
            free.expect("exported")(self.address);
        }
    }
}

/// A kernel parameter: a buffer or a number of the same size as in the kernel.
pub trait Argument {
    /// Where its bytes are.
    fn pointer(&self) -> *const c_void;
}

impl<T> Argument for Buffer<'_, T> {
    fn pointer(&self) -> *const c_void {
        (&raw const self.address).cast()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Argument for $number {
            fn pointer(&self) -> *const c_void {
                std::ptr::from_ref(self).cast()
            }
        })*
    };
}
numbers!(i32, u32, i64, u64, f32, f64);
