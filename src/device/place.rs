//! Columns that know where they are.

use std::fmt::Debug;

use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use cudarc::driver::{DeviceRepr, ValidAsZeroBits};

use super::DeviceColumn;

/// A number that columns hold, with the same bits on the host and on the device.
pub trait Element: ArrowNativeType + DeviceRepr + ValidAsZeroBits {}
impl Element for u8 {}
impl Element for i32 {}
impl Element for u32 {}
impl Element for i64 {}
impl Element for u64 {}
impl Element for f32 {}
impl Element for f64 {}

/// What every column can say.
pub trait Column: Clone + Debug + Send + Sync {
    /// The number of elements.
    fn length(&self) -> usize;
}

/// Where columns are. Structs of columns are generic over their place, so that the same struct describes a batch on the
/// host and on the device, and the compiler keeps the two apart.
pub trait Place: Debug + Clone + Send + Sync + 'static {
    /// A column of `T` in this place. Cloning one shares it.
    type Column<T: Element>: Column;
}

/// The memory of this machine: Arrow buffers.
#[derive(Debug, Clone)]
pub enum Host {}

/// The memory of a CUDA device.
#[derive(Debug, Clone)]
pub enum OnDevice {}

impl Place for Host {
    type Column<T: Element> = ScalarBuffer<T>;
}

impl Place for OnDevice {
    type Column<T: Element> = DeviceColumn<T>;
}

impl<T: Element> Column for ScalarBuffer<T> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<T: Element> Column for DeviceColumn<T> {
    fn length(&self) -> usize {
        self.len()
    }
}
