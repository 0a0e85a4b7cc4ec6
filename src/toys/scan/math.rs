//! The scalar functions of a scanned toy, the same text as `kernels/toys/scan.cuh`.

use crate::math::poisson::count_at_most;

/// Logarithms of p-values closer than this part of them are the same: toys that hold what the data hold tie exactly, and
/// no rounding, of whatever build, is to tell them apart.
pub const TIE: f64 = 1e-9;

/// Words that say where the thresholds of a cell are: see [`Input::cell`](super::Input::cell).
pub const WORDS_A_CELL: usize = 3;

/// The count of the cell `[first threshold, end, smallest count]` that 64 random bits draw.
#[inline]
pub fn draw(cell: [u32; 3], bits: u64, threshold: &[u64]) -> u32 {
    cell[2] + count_at_most(&threshold[cell[0] as usize..cell[1] as usize], bits)
}

/// The number of levels that `ln_p` reaches: of the falling `level_ln_p` those that are not below it.
#[inline]
pub fn reached_level(ln_p: f64, level_ln_p: &[f64]) -> u32 {
    let (mut below, mut above) = (0u32, level_ln_p.len() as u32);
    while below < above {
        let middle = below + (above - below) / 2;
        if ln_p <= level_ln_p[middle as usize] {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    below
}

/// The more significant of two candidates; of equals the lower.
#[inline]
pub fn is_better(ln_p: f64, candidate: u32, than_ln_p: f64, than_candidate: u32) -> bool {
    ln_p < than_ln_p || (ln_p == than_ln_p && candidate < than_candidate)
}
