//! Where work runs: [`Device`] is a value, chosen once and passed down; no other module knows a `#[cfg]`.
//!
//! * [`Operation`] is the contract of whatever has a kernel: the same inputs and outputs on the CPU and on CUDA, in
//!   columns that know where they are ([`Place`]: [`Host`] or [`OnDevice`]).
//! * [`columns`] alone copies between the two, through pinned staging buffers, and counts every byte.
//! * [`launch`] alone launches kernels: it checks, names, counts and (if asked) times.
//! * [`kernels`] is the table of images that `build.rs` embedded; it is empty in a build without nvcc.
//! * [`status`] finds out what the machine has without a panic.
//!
//! ```
//! use trawl::device::{Device, DeviceChoice};
//! let device = Device::choose(DeviceChoice::Cpu)?;
//! assert_eq!(device.to_string(), "cpu");
//! # Ok::<(), trawl::Error>(())
//! ```

pub mod columns;
mod cuda;
pub mod kernels;
pub mod launch;
pub mod memory;
mod operation;
mod pending;
mod pinned;
mod place;
pub mod status;
pub mod table;

use std::fmt;
use std::str::FromStr;

pub use columns::{DeviceColumn, Download, Upload};
pub use cuda::{Counts, Cuda, CudaSettings, Timing};
pub use launch::{Grid, Kernel};
pub use memory::{Bytes, Plan};
pub use operation::Operation;
pub use pending::Pending;
pub use place::{Column, Element, Host, OnDevice, Place};
pub use table::{ColumnList, ColumnTable};

use crate::error::{Error, Fault, Result};

/// Where work runs.
#[derive(Debug, Clone)]
pub enum Device {
    /// The cores of this machine, through rayon.
    Cpu,
    /// One CUDA device.
    Cuda(Cuda),
}

/// What the user asked for with `--device`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// CUDA where it can be used, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this ordinal; an error where it cannot be used.
    Cuda(usize),
}

impl Device {
    /// Makes the choice, once for the whole run.
    ///
    /// # Errors
    /// [`Error::Usage`] when CUDA was asked for and cannot be used; the message says why in one sentence.
    pub fn choose(choice: DeviceChoice) -> Result<Self> {
        Self::choose_with(choice, CudaSettings::default())
    }

    /// The same with settings for the CUDA device (memory budget, threads a block, timing).
    ///
    /// # Errors
    /// As [`Device::choose`].
    pub fn choose_with(choice: DeviceChoice, settings: CudaSettings) -> Result<Self> {
        let usable = status::Status::read().usable();
        match (choice, usable) {
            (DeviceChoice::Cpu, _) | (DeviceChoice::Auto, Err(_)) => Ok(Self::Cpu),
            (DeviceChoice::Auto, Ok(_)) => Ok(Self::Cuda(Cuda::new(0, settings)?)),
            (DeviceChoice::Cuda(_), Err(why)) => {
                Err(unusable(format!("CUDA cannot be used here: {why}")).suggest("Use --device cpu or auto.").usage())
            }
            (DeviceChoice::Cuda(ordinal), Ok(devices)) if ordinal >= devices => {
                let problem = format!("there is no CUDA device {ordinal} (this machine has {devices})");
                Err(unusable(problem).suggest("`trawl devices` lists them.").usage())
            }
            (DeviceChoice::Cuda(ordinal), Ok(_)) => Ok(Self::Cuda(Cuda::new(ordinal, settings)?)),
        }
    }

    /// Runs an operation on host columns and returns host columns: on CUDA the input is uploaded and the output
    /// downloaded. A segment, which keeps columns on the device between operations, calls [`Operation::cuda`] itself.
    ///
    /// # Errors
    /// Whatever the operation's check or its executor finds.
    pub fn run<O: Operation>(&self, operation: &O, input: O::Input<Host>) -> Result<O::Output<Host>>
    where
        O::Input<Host>: Upload<There = O::Input<OnDevice>>,
        O::Output<OnDevice>: Download<Here = O::Output<Host>>,
    {
        operation.check(&input)?;
        match self {
            Self::Cpu => operation.cpu(input),
            Self::Cuda(cuda) => {
                operation.check_values(&input)?;
                cuda.memory().require(O::NAME, operation.plan(&input).total())?;
                operation.cuda(cuda, input.upload(cuda)?)?.download(cuda)
            }
        }
    }
}

fn unusable(problem: String) -> Fault {
    Fault::new("device", problem)
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(cuda) => write!(f, "cuda:{} ({})", cuda.ordinal(), cuda.name()),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    /// Reads `auto`, `cpu`, `cuda` or `cuda:N`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            other => {
                other.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok()).map(Self::Cuda).ok_or_else(|| {
                    Fault::new("device", format!("'{other}' is no device"))
                        .suggest("Use auto, cpu, cuda or cuda:N.")
                        .usage()
                })
            }
        }
    }
}
