//! One event through a program.
use super::program::Program;
pub(super) struct Columns<'a> {
    pub offsets: Vec<&'a [u32]>,
    pub quantities: Vec<&'a [f32]>,
    pub scalars: Vec<&'a [f32]>,
}
pub(super) fn fault_of(_program: &Program, _columns: &Columns<'_>, _event: usize) -> u32 {
    todo!()
}
pub(super) fn larger(first: f64, second: f64) -> f64 {
    if second > first || second.is_nan() { second } else { first }
}
pub(super) fn smaller(first: f64, second: f64) -> f64 {
    if second < first || second.is_nan() { second } else { first }
}
pub(super) fn single(value: f64) -> f32 {
    if value.is_nan() { f32::from_bits(0x7fc0_0000) } else { value as f32 }
}
pub(super) fn floor(value: f64) -> f64 {
    value.floor()
}
