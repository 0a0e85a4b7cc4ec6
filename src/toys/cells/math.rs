//! The integer functions of a cell's draw, the same text as `kernels/toys/cells.cuh`.

/// Refinement words of a toy have their draw numbers from here on, one for each cell, beyond those of the first words.
pub const REFINEMENT: u64 = 1 << 32;

/// Where the thresholds of a cell are, in four words: `[start of its guide, shift from a word to its guide entry, its last threshold + 1, bias]`; the index of a threshold less the bias,
/// modulo 2^32, is a count.
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
