//! The launcher.

use super::{Entries, Fill, NAME};
use crate::device::{Cuda, OnDevice};
use crate::error::{Fault, Result};
use crate::selection::tally::Tally;

pub(super) fn fill(_fill: &Fill, _cuda: &Cuda, _entries: Entries<OnDevice>) -> Result<Tally<OnDevice>> {
    Err(Fault::new(NAME, "this build fills on the CPU only").device())
}
