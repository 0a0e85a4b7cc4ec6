//! What this machine has, found out without a panic.
//!
//! `CudaContext::new` of cudarc panics where there is no driver, so nothing else of cudarc is called before
//! [`Status::read`] has seen the library.

use std::fmt;

use cudarc::driver::{CudaContext, result, sys};

use super::kernels;

/// Whether CUDA can be used, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// There is no libcuda on this machine.
    NoDriver,
    /// The driver is there and refuses.
    DriverError(String),
    /// The driver is there and sees no device.
    NoDevice,
    /// The driver sees devices.
    Ready {
        /// The devices, by ordinal.
        devices: Vec<DeviceStatus>,
        /// The driver's CUDA version, for example 13000.
        driver: i32,
    },
}

/// One device as the driver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStatus {
    /// The name.
    pub name: String,
    /// Compute capability, for example (9, 0).
    pub capability: (i32, i32),
    /// The memory in bytes.
    pub memory: u64,
}

impl Status {
    /// Asks the driver.
    pub fn read() -> Self {
        // SAFETY: only looks for the shared library; it calls nothing in it.
        if !unsafe { sys::is_culib_present() } {
            return Self::NoDriver;
        }
        match read_devices() {
            Ok((devices, _)) if devices.is_empty() => Self::NoDevice,
            Ok((devices, driver)) => Self::Ready { devices, driver },
            // The code alone: cudarc's Display of an error calls into the library again.
            Err(error) if error.0 == sys::CUresult::CUDA_ERROR_NO_DEVICE => Self::NoDevice,
            Err(error) => Self::DriverError(format!("{:?}", error.0)),
        }
    }

    /// The number of devices that can be used, or why there are none, in one clause.
    ///
    /// # Errors
    /// The reason, without a full stop.
    pub fn usable(&self) -> Result<usize, String> {
        match self {
            Self::NoDriver => Err("no NVIDIA driver was found (libcuda.so.1)".into()),
            Self::DriverError(code) => Err(format!("the NVIDIA driver answered {code}")),
            Self::NoDevice => Err("the NVIDIA driver sees no device".into()),
            Self::Ready { .. } if kernels::images().is_empty() => {
                Err("this binary was built without kernels (no nvcc was found; scripts/cuda-toolkit installs one)"
                    .into())
            }
            Self::Ready { devices, .. } => Ok(devices.len()),
        }
    }
}

fn read_devices() -> Result<(Vec<DeviceStatus>, i32), result::DriverError> {
    result::init()?;
    let mut driver = 0;
    // SAFETY: the library is present and initialised; the pointer is to a local.
    unsafe { sys::cuDriverGetVersion(&mut driver) }.result()?;
    let mut devices = Vec::new();
    for ordinal in 0..CudaContext::device_count()? {
        let device = result::device::get(ordinal)?;
        let attribute = |which| {
            // SAFETY: `device` came from `cuDeviceGet` just above.
            unsafe { result::device::get_attribute(device, which) }
        };
        use sys::CUdevice_attribute_enum as Attribute;
        devices.push(DeviceStatus {
            name: result::device::get_name(device)?,
            capability: (
                attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
                attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
            ),
            // SAFETY: `device` came from `cuDeviceGet` just above.
            memory: unsafe { result::device::total_mem(device)? } as u64,
        });
    }
    Ok((devices, driver))
}

impl fmt::Display for Status {
    /// What `trawl devices` prints below the CPU.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Ready { devices, driver } = self {
            writeln!(f, "driver    CUDA {}.{}", driver / 1000, driver % 1000 / 10)?;
            for (ordinal, device) in devices.iter().enumerate() {
                let (major, minor) = device.capability;
                writeln!(f, "cuda:{ordinal}    {}, sm_{major}{minor}, {}", device.name, super::Bytes(device.memory))?;
            }
        }
        match self.usable() {
            Ok(_) => write!(f, "CUDA can be used."),
            Err(why) => write!(f, "CUDA cannot be used: {why}."),
        }
    }
}
