//! The integer functions of a toy of the tail, the same text as `kernels/toys/tail.cuh`.

use crate::math::philox::{Philox, join};
use crate::math::poisson::count_at_most;

/// The draw number of the words that choose a window and its total. It and all above belong to the tail; drawing the cells
/// uses those below.
pub const CHOICE: u64 = 1 << 62;

/// The draw numbers of the events that are added or taken away: two to each set of words.
pub const MOVES: u64 = CHOICE + 1;

/// Where the tables of a window are, in four words: see [`Input::place`](super::Input::place).
pub const WORDS_A_PLACE: usize = 4;

/// The 64 random bits of event number `event` that is added or taken away.
#[inline]
pub fn bits_of_move(random: &Philox, toy: u64, event: u32) -> u64 {
    let words = random.words(toy, MOVES + u64::from(event >> 1));
    if event & 1 == 0 { join(words[0], words[1]) } else { join(words[2], words[3]) }
}

/// The total of a window `[first threshold, end of thresholds, least total, first share]` that 64 bits draw.
#[inline]
pub fn total(bits: u64, place: [u32; 4], tail: &[u64]) -> u32 {
    place[2] + count_at_most(&tail[place[0] as usize..place[1] as usize], bits)
}

/// A number below `bound`, each with the same probability to 2^-64.
#[inline]
pub fn below(bits: u64, bound: u32) -> u32 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u32
}

/// The place of cell number `cell` of a window of `width` cells in each row of `columns`, from its first cell on.
#[inline]
pub fn place_of(cell: u32, width: u32, columns: u32) -> u32 {
    cell / width * columns + cell % width
}

/// The place of the cell that holds event number `event` of those in the window, which has more; `counts` begin with its first
/// cell.
#[inline]
pub fn cell_of(mut event: u32, counts: &[u32], width: u32, columns: u32) -> u32 {
    let mut place = 0;
    let mut in_row = 0;
    while event >= counts[place as usize] {
        event -= counts[place as usize];
        place += 1;
        in_row += 1;
        if in_row == width {
            in_row = 0;
            place += columns - width;
        }
    }
    place
}
