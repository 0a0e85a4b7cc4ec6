//! One CUDA device in use: its context, two streams, the loaded images and the counters.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::{CudaContext, CudaEvent, CudaModule, CudaStream, DriverError, result, sys};
use cudarc::nvrtc::Ptx;

use super::memory::{Budget, Bytes};
use super::pinned::{Pool, Staging};
use super::{Kernel, kernels, launch::Function};
use crate::error::{Error, Fault, Result};

/// How a device is to be used.
#[derive(Debug, Clone, Copy, Default)]
pub struct CudaSettings {
    /// The device memory that the run may take; by default 90 % of what is free when it starts.
    pub memory: Option<Bytes>,
    /// Threads a block for every kernel, instead of the kernel's own number. Kernels are correct for any; tests sweep it.
    pub block_threads: Option<u32>,
    /// Whether each launch is timed with a pair of events.
    pub timing: Timing,
}

/// Whether launches are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timing {
    /// No events are recorded.
    #[default]
    Off,
    /// Two events a launch; read them with [`Cuda::times`].
    On,
}

/// A CUDA device in use. Cloning one shares it.
#[derive(Clone)]
pub struct Cuda(Arc<Inner>);

struct Inner {
    context: Arc<CudaContext>,
    /// Kernels and what they write, in order.
    compute: Arc<CudaStream>,
    /// Uploads, so that the next chunk travels while the last one is worked on.
    copy: Arc<CudaStream>,
    /// Downloads, so that kernels do not stand behind them.
    downloads: Arc<CudaStream>,
    name: String,
    multiprocessors: u32,
    budget: Budget,
    settings: CudaSettings,
    modules: Mutex<HashMap<&'static str, Arc<CudaModule>>>,
    staging: Mutex<Staging>,
    pool: Mutex<Pool>,
    counters: Counters,
    timed: Mutex<Vec<(&'static str, CudaEvent, CudaEvent)>>,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) uploaded: AtomicU64,
    pub(super) downloaded: AtomicU64,
    pub(super) launches: AtomicU64,
}

/// What crossed the bus and what was launched since the device was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Bytes from the host to the device.
    pub uploaded: u64,
    /// Bytes from the device to the host.
    pub downloaded: u64,
    /// Kernel launches.
    pub launches: u64,
}

impl Cuda {
    /// Opens the device. [`super::Device::choose`] asks [`super::status::Status`] first; nothing else may call this,
    /// because cudarc panics where there is no driver.
    pub(super) fn new(ordinal: usize, settings: CudaSettings) -> Result<Self> {
        let open = || -> Result<Inner, DriverError> {
            let context = CudaContext::new(ordinal)?;
            let (free, _) = context.mem_get_info()?;
            let multiprocessors =
                context.attribute(sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
            keep_freed_memory(&context)?;
            let copy = context.new_stream()?;
            Ok(Inner {
                compute: context.new_stream()?,
                downloads: context.new_stream()?,
                name: context.name()?,
                multiprocessors: multiprocessors.max(1) as u32,
                // A tenth stays free for the driver's own use: contexts, modules, local memory.
                budget: Budget(settings.memory.unwrap_or(Bytes(free as u64 / 10 * 9))),
                settings,
                modules: Mutex::default(),
                staging: Mutex::new(Staging::new(&context, copy.clone())?),
                pool: Mutex::default(),
                copy,
                counters: Counters::default(),
                timed: Mutex::default(),
                context,
            })
        };
        open().map(|inner| Self(Arc::new(inner))).map_err(|error| failed("device.open", error))
    }

    /// The device's ordinal.
    pub fn ordinal(&self) -> usize {
        self.0.context.ordinal()
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The number of streaming multiprocessors: it sizes grids and decides nothing else.
    pub fn multiprocessors(&self) -> u32 {
        self.0.multiprocessors
    }

    /// The memory that the run may take.
    pub fn memory(&self) -> Budget {
        self.0.budget
    }

    /// The counters.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.0.counters;
        Counts {
            uploaded: read(&counters.uploaded),
            downloaded: read(&counters.downloaded),
            launches: read(&counters.launches),
        }
    }

    /// Milliseconds and launches of each kernel so far, by symbol, in [`Timing::On`]; waits for the device.
    ///
    /// # Errors
    /// A failed CUDA call.
    pub fn times(&self) -> Result<Vec<(&'static str, f64, u64)>> {
        self.synchronize()?;
        let timed = self.0.timed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums: Vec<(&'static str, f64, u64)> = Vec::new();
        for (symbol, start, end) in timed.iter() {
            let milliseconds = f64::from(start.elapsed_ms(end).map_err(|error| failed("device.times", error))?);
            match sums.iter_mut().find(|(known, ..)| known == symbol) {
                Some((_, sum, launches)) => {
                    *sum += milliseconds;
                    *launches += 1;
                }
                None => sums.push((symbol, milliseconds, 1)),
            }
        }
        Ok(sums)
    }

    /// Waits until everything asked for so far is done, and reports what failed on the way.
    ///
    /// # Errors
    /// A failed copy or kernel.
    pub fn synchronize(&self) -> Result<()> {
        let wait = || {
            self.0.copy.synchronize()?;
            self.0.compute.synchronize()?;
            self.0.downloads.synchronize()?;
            self.0.context.check_err()
        };
        wait().map_err(|error| failed("device.synchronize", error))
    }

    /// The kernel, loaded on its first use.
    ///
    /// # Errors
    /// [`Error::Device`] where the image or the symbol is missing, or the driver refuses the image.
    pub fn function(&self, kernel: &'static Kernel) -> Result<Function> {
        let module = self.module(kernel)?;
        let function = module.load_function(kernel.symbol).map_err(|error| failed(kernel.symbol, error))?;
        Ok(Function::new(self.clone(), kernel, function))
    }

    fn module(&self, kernel: &'static Kernel) -> Result<Arc<CudaModule>> {
        let mut modules = self.0.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(kernel.file) {
            return Ok(module.clone());
        }
        let image = kernels::image(kernel.file).ok_or_else(|| {
            Fault::new(kernel.symbol, format!("the kernel file '{}' is not in this binary", kernel.file))
                .because("it was built without it")
                .device()
        })?;
        let loaded = self.0.context.load_module(Ptx::from_binary(image.to_vec()));
        let module = loaded.map_err(|error| failed(kernel.symbol, error))?;
        modules.insert(kernel.file, module.clone());
        Ok(module)
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.0.context
    }

    pub(super) fn compute(&self) -> &Arc<CudaStream> {
        &self.0.compute
    }

    pub(super) fn copy(&self) -> &Arc<CudaStream> {
        &self.0.copy
    }

    pub(super) fn downloads(&self) -> &Arc<CudaStream> {
        &self.0.downloads
    }

    pub(super) fn settings(&self) -> CudaSettings {
        self.0.settings
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    pub(super) fn staging(&self) -> std::sync::MutexGuard<'_, Staging> {
        self.0.staging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record_time(&self, symbol: &'static str, start: CudaEvent, end: CudaEvent) {
        self.0.timed.lock().unwrap_or_else(PoisonError::into_inner).push((symbol, start, end));
    }
}

impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cuda({}, {})", self.ordinal(), self.name())
    }
}

/// Lets the driver's pool keep what columns free for the next ones. By default it gives all of it back to the system
/// whenever the host waits for an event, and the next chunk would have to ask for it again.
fn keep_freed_memory(context: &CudaContext) -> Result<(), DriverError> {
    if !context.has_async_alloc() {
        return Ok(());
    }
    let (mut pool, mut all) = (std::ptr::null_mut(), u64::MAX);
    let threshold = sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    let device = result::device::get(context.ordinal() as i32)?;
    // SAFETY: the driver has memory pools; the pointers are to locals of the types that the calls take.
    unsafe {
        sys::cuDeviceGetDefaultMemPool(&mut pool, device).result()?;
        sys::cuMemPoolSetAttribute(pool, threshold, (&raw mut all).cast()).result()
    }
}

/// Turns a driver's answer into words. Only the code is used: cudarc's `Display` of an error calls into the library.
pub(super) fn failed(operation: &'static str, error: DriverError) -> Error {
    let fault = Fault::new(operation, format!("the CUDA driver answered {:?}", error.0));
    match error.0 {
        sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => fault
            .because("the device has too little free memory")
            .suggest("Lower --memory, so that chunks get smaller."),
        sys::CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | sys::CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => fault
            .because("the binary holds no code for this device and driver")
            .suggest("Build it with TRAWL_CUDA_ARCHS set to the device's architecture."),
        _ => fault,
    }
    .device()
}
