//! The executor of the CPU.

use super::{Batch, Selected, Selection};
use crate::device::Host;
use crate::error::Result;

pub(super) fn select(_selection: &Selection, _batch: Batch<Host>) -> Result<Selected<Host>> {
    todo!()
}
