//! The launcher.

use super::{Batch, Selected, Selection};
use crate::device::{Cuda, OnDevice};
use crate::error::Result;

pub(super) fn select(_selection: &Selection, _cuda: &Cuda, _batch: Batch<OnDevice>) -> Result<Selected<OnDevice>> {
    todo!()
}
