//! The integer functions of a toy, the same text as `kernels/toys/throw.cu`.

/// Refinement words of a toy have their draw numbers from here on, one for each cell, beyond those of the first words.
pub const REFINEMENT: u64 = 1 << 32;

/// Where the thresholds of a cell are, in four words: see [`Input::cell`](super::Input::cell).
pub const WORDS_A_CELL: usize = 4;

/// The first threshold of the cell `[guide start, guide shift, end, bias]` whose upper half is at least `word`. The
/// sentinel at the end, all ones, always is.
#[inline]
pub fn find(word: u32, cell: [u32; 4], guide: &[u32], threshold_high: &[u32]) -> u32 {
    let mut index = guide[(cell[0] + (word >> cell[1])) as usize];
    while word > threshold_high[index as usize] {
        index += 1;
    }
    index
}

/// From a threshold with the same upper half as `word`: the first one above `word` and its 32 `refinement` bits together.
#[inline]
pub fn refine(
    word: u32,
    refinement: u32,
    mut index: u32,
    end: u32,
    threshold_high: &[u32],
    threshold_low: &[u32],
) -> u32 {
    while index < end
        && (word > threshold_high[index as usize]
            || (word == threshold_high[index as usize] && refinement >= threshold_low[index as usize]))
    {
        index += 1;
    }
    index
}

/// The highest level whose minimum count `count` reaches in this window, if it is above `level`; otherwise `level`.
/// `minimum` holds a row of all windows for each level from 1 on, and rises from row to row.
#[inline]
pub fn raise_level(level: u32, count: u32, window: usize, windows: usize, levels: u32, minimum: &[u32]) -> u32 {
    if level >= levels || count < minimum[level as usize * windows + window] {
        return level;
    }
    // Reached is always reached, above never is.
    let mut reached = level + 1;
    let mut above = levels + 1;
    while above - reached > 1 {
        let middle = (reached + above) >> 1;
        if count >= minimum[(middle as usize - 1) * windows + window] {
            reached = middle;
        } else {
            above = middle;
        }
    }
    reached
}
