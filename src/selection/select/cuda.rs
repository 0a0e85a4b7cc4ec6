//! The launcher.

use super::{Batch, NAME, Selected, Selection};
use crate::device::{Cuda, OnDevice};
use crate::error::{Fault, Result};

pub(super) fn select(_selection: &Selection, _cuda: &Cuda, _batch: Batch<OnDevice>) -> Result<Selected<OnDevice>> {
    Err(Fault::new(NAME, "this build selects on the CPU only").device())
}
