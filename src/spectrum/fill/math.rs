//! Where a value belongs: the same text as in `kernels/spectrum/fill.cuh`.

/// The number of `edges` (ascending) at or below `value`: 0 is underflow, the number of edges is overflow. NaN gives 0;
/// callers count it apart before they ask.
#[inline]
pub(crate) fn place_of(value: f64, edges: &[f64]) -> u32 {
    let mut lower: u32 = 0;
    let mut upper: u32 = edges.len() as u32;
    while lower < upper {
        let middle: u32 = lower + (upper - lower) / 2;
        if edges[middle as usize] <= value {
            lower = middle + 1;
        } else {
            upper = middle;
        }
    }
    lower
}
