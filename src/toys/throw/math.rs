//! The integer functions of a toy, the same text as `kernels/toys/throw.cuh`.

/// What a draw needs, in eight words: `[start of its guide, shift from a word to its guide entry, count below the first
/// threshold, target, start of its thresholds, number of thresholds, 0, 0]`. The target is the exclusive cell, or [`GROUP`] and
/// the row whose group's total is drawn.
pub const WORDS_A_DRAW: usize = 8;

/// What a row needs, in twelve words: `[first draw, number of draws, first cell, number of cells]`, then of its group `[start of
/// the guide, shift, start of the thresholds, number of thresholds, first member, number of members]`, then `[first window, window
/// after the last]`.
pub const WORDS_A_ROW: usize = 12;

/// The target of a draw is the group of a row.
pub const GROUP: u32 = 1 << 31;

/// The upper half of a guide entry whose thresholds must be looked through, from the number in its lower half on.
pub const OPEN: u32 = 0xffff;

/// Refinements of draws have their draw numbers from here on, one for each draw.
pub const REFINEMENT: u64 = 1 << 61;

/// Particles of groups have theirs from here on: 2^24 for each row, eight particles to each.
pub const PARTICLES: u64 = 1 << 62;

/// Refinements of particles: 2^27 for each row, one for each particle.
pub const PARTICLE_REFINEMENT: u64 = 3 << 61;

/// Number `at` of the eight words of 16 bits in four words of 32, lower halves first.
#[inline]
pub fn half_word(words: [u32; 4], at: u32) -> u32 {
    (words[(at >> 1) as usize] >> (16 * (at & 1))) & 0xffff
}

/// The 64 random bits of a word of 16 and its refinement.
#[inline]
pub fn refined(word: u32, refinement: [u32; 4]) -> u64 {
    ((word as u64) << 48) | ((refinement[0] as u64) << 16) | ((refinement[1] as u64) >> 16)
}

/// Whether the guide `entry` of `word` leaves open what is drawn: the word ties with a threshold, or there are several.
#[inline]
pub fn is_open(word: u32, entry: u32) -> bool {
    (entry & 0xffff) == word || (entry >> 16) == OPEN
}

/// The number of thresholds that `word` passes by its guide `entry`, which must decide it.
#[inline]
pub fn passed(word: u32, entry: u32) -> u32 {
    (entry >> 16) + u32::from(word > (entry & 0xffff))
}

/// The number of thresholds `threshold[start ..][.. number]` that are below all bits that begin with `word`, whose guide `entry`
/// is open.
#[inline]
pub fn passed_surely(word: u32, entry: u32, threshold: &[u64], start: u32, number: u32) -> u32 {
    let mut below: u32 = entry >> 16;
    if below == OPEN {
        below = entry & 0xffff;
    }
    // Nearly always one or two steps; the far tails of large means have hundreds of thresholds in an entry.
    let mut steps: u32 = 0;
    while steps < 8 && below < number && (threshold[(start + below) as usize] >> 48) < word as u64 {
        below += 1;
        steps += 1;
    }
    if steps == 8 {
        let mut above: u32 = number;
        while below < above {
            let middle: u32 = (below + above) >> 1;
            if (threshold[(start + middle) as usize] >> 48) < word as u64 {
                below = middle + 1;
            } else {
                above = middle;
            }
        }
    }
    below
}

/// Whether threshold `at` begins with `word`, so that only all 64 bits decide.
#[inline]
pub fn is_tied(word: u32, at: u32, threshold: &[u64], start: u32, number: u32) -> bool {
    at < number && (threshold[(start + at) as usize] >> 48) == word as u64
}

/// How many of the never falling `threshold[start ..][.. number]` are at most `bits`, of which the first `at` are.
#[inline]
pub fn passed_of(bits: u64, mut at: u32, threshold: &[u64], start: u32, number: u32) -> u32 {
    while at < number && threshold[(start + at) as usize] <= bits {
        at += 1;
    }
    at
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
