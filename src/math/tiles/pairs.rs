//! Numbers rounded to bfloat16, in pairs.

use super::{PAIRS, TERMS};
use crate::math::floats::{Block, Floats, Width, floats};

/// The words of a line of the cache; rows that begin with one are read without crossing any.
const LINE: usize = 16;

/// Words that are exchanged at a time by processors without AMX.
const EIGHT: usize = 8;

/// A matrix of words, rows of whole lines of the cache; each word is two numbers, the first in its low half.
#[derive(Debug)]
pub(crate) struct Pairs {
    values: Vec<u32>,
    /// Where the first line of the cache begins.
    first: usize,
    /// The words of a row.
    pub stride: usize,
}

/// The nearest number of 8 bits as the low half of a word; 0 of its sign for what is subnormal.
#[inline(always)]
fn half(x: f32) -> u32 {
    let bits = x.to_bits();
    let is_subnormal = bits & 0x7f80_0000 == 0;
    if is_subnormal {
        bits >> 16 & 0x8000
    } else if x.is_nan() {
        bits >> 16 | 0x40
    } else {
        bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16
    }
}

#[inline(always)]
fn pair(first: f32, second: f32) -> u32 {
    half(first) | half(second) << 16
}

impl Pairs {
    /// Zeros, of so many rows of so many words.
    pub fn new(rows: usize, words: usize) -> Self {
        let stride = words.next_multiple_of(LINE);
        let values = vec![0; rows * stride + LINE];
        let first = values.as_ptr().align_offset(4 * LINE).min(LINE);
        Self { values, first, stride }
    }

    /// All rows.
    pub fn words(&self) -> &[u32] {
        &self.values[self.first..self.values.len() - (LINE - self.first)]
    }

    /// All rows.
    pub fn words_mut(&mut self) -> &mut [u32] {
        let end = self.values.len() - (LINE - self.first);
        &mut self.values[self.first..end]
    }

    /// Takes rows 0 and 1, 2 and 3, ... as pairs, with zeros to the end of the last block of pairs. Of a row the words to the end of the
    /// last line may become 0.
    ///
    /// # Panics
    /// If there are fewer numbers, or there is no room for them.
    pub fn take_rows(&mut self, width: Width, from: &[f32], stride: usize, [rows, columns]: [usize; 2]) {
        let own = self.stride;
        assert!(columns <= own);
        let row = |row: usize| if row < rows { &from[row * stride..row * stride + columns] } else { &[] };
        let whole = rows.next_multiple_of(TERMS) / 2 * own;
        for (number, to) in self.words_mut()[..whole].chunks_exact_mut(own).enumerate() {
            let (upper, lower) = (row(2 * number), row(2 * number + 1));
            if upper.is_empty() {
                to[..columns].fill(0);
                continue;
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if width == Width::Amx {
                // SAFETY: the value exists only where the processor has the instructions; rows are whole lines.
                unsafe { super::amx::pair_rows(upper, lower, to.as_mut_ptr()) };
                continue;
            }
            floats!(width, pair_two_rows(upper: &[f32], lower: &[f32], to: &mut [u32]));
        }
    }

    /// Takes columns 0 and 1, 2 and 3, ... as pairs, with zeros to the end of a row's last block of pairs.
    ///
    /// # Panics
    /// If there are fewer numbers, or there is no room for them.
    pub fn take_columns(&mut self, width: Width, from: &[f32], stride: usize, [rows, columns]: [usize; 2]) {
        let own = self.stride;
        let words = columns.div_ceil(TERMS) * PAIRS;
        assert!(words <= own);
        for (row, to) in self.words_mut()[..rows * own].chunks_exact_mut(own).enumerate() {
            let (from, to) = (&from[row * stride..row * stride + columns], &mut to[..words]);
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if width == Width::Amx {
                // SAFETY: the value exists only where the processor has the instructions; there is room for whole blocks.
                unsafe { super::amx::pair_columns(from, to.as_mut_ptr()) };
                continue;
            }
            floats!(width, pair_one_row(from: &[f32], to: &mut [u32]));
        }
    }

    /// Takes words with rows and columns exchanged; words to the end of whole squares of 16 are taken too.
    ///
    /// # Panics
    /// If whole squares are not there, or there is no room for them.
    pub fn turn(&mut self, width: Width, from: &Self, sizes: [usize; 2]) {
        let [rows, columns] = sizes.map(|size| size.next_multiple_of(LINE));
        assert!(columns <= from.stride && rows <= self.stride);
        assert!(rows * from.stride <= from.words().len() && columns * self.stride <= self.words().len());
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if width == Width::Amx {
            let (stride, to_stride) = (from.stride, self.stride);
            let (from, to) = (from.words().as_ptr(), self.words_mut().as_mut_ptr());
            for row in (0..rows).step_by(LINE) {
                for column in (0..columns).step_by(LINE) {
                    // SAFETY: the value exists only where the processor has the instructions; squares were found to be there.
                    unsafe {
                        let (from, to) = (from.add(row * stride + column), to.add(column * to_stride + row));
                        super::amx::turn(from, stride, to, to_stride);
                    }
                }
            }
            return;
        }
        let to = self;
        floats!(width, turn_all(from: &Pairs, rows: usize, columns: usize, to: &mut Pairs));
    }
}

#[inline(always)]
fn pair_two_rows<V: Floats, E: Floats>(upper: &[f32], lower: &[f32], to: &mut [u32]) {
    if lower.is_empty() {
        to.iter_mut().zip(upper).for_each(|(to, upper)| *to = pair(*upper, 0.0));
    } else {
        to.iter_mut().zip(upper).zip(lower).for_each(|((to, upper), lower)| *to = pair(*upper, *lower));
    }
}

#[inline(always)]
fn pair_one_row<V: Floats, E: Floats>(from: &[f32], to: &mut [u32]) {
    let (pairs, last) = from.as_chunks::<2>();
    to.iter_mut().zip(pairs).for_each(|(to, [first, second])| *to = pair(*first, *second));
    to[pairs.len()..].fill(0);
    if let [last] = last {
        to[pairs.len()] = pair(*last, 0.0);
    }
}

#[inline(always)]
fn turn_all<V: Floats, E: Floats>(from: &Pairs, rows: usize, columns: usize, to: &mut Pairs) {
    let (stride, to_stride) = (from.stride, to.stride);
    for row in (0..rows).step_by(EIGHT) {
        for column in (0..columns).step_by(EIGHT) {
            let from = Block { values: &from.words()[row * stride + column..], stride };
            let to = &mut to.words_mut()[column * to_stride + row..];
            E::turn_block(from, Block { values: to, stride: to_stride });
        }
    }
}
