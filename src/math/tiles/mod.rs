//! Products of matrices of bfloat16 numbers, added up in single precision: by the tiles of AMX where the processor has them, and by
//! plain code that gives the same bits.
//!
//! Numbers that follow each other in a sum stand in pairs, the first in the low half of a word ([`Pairs`]). Terms come in blocks of 32,
//! sixteen pairs. A number of the product is
//!
//! ```text
//! sum <- sum + (e + o)   for each block,   e <- e + a_2k b_2k,   o <- o + a_2k+1 b_2k+1   from 0, for k = 0, 1, ..., 15
//! ```
//!
//! Products are exact, and each addition is rounded once. Results that would be subnormal are 0 of their sign, and so are subnormal
//! numbers that go in. This is what Intel's manual states of `TDPBF16PS` ("Software
//! Developer's Manual", volume 2), and what an instruction answered to 5,120,000 random sums of the whole range of exponents.
//!
//! AMX makes 15 times as many products a second as fused multiply-adds of AVX-512 do (1.7e12 against 1.2e11 on the Xeon where both were
//! measured); the dot products of AVX512-BF16 half as many as these (5.7e10), which is why there are none. Plain code is for processors
//! without AMX: slower than single precision.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod pairs;
#[cfg(test)]
mod tests;

pub(crate) use pairs::Pairs;

use super::floats::{Floats, Width, floats};

/// Terms of a block.
pub(crate) const TERMS: usize = 32;

/// Rows and columns of a tile.
pub(crate) const SIDE: usize = 16;

/// Pairs of a block.
pub(crate) const PAIRS: usize = 16;

/// What a product is added to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Onto<'a> {
    Nothing,
    There,
    /// The same row for all, of whole tiles.
    Row(&'a [f32]),
}

/// `to = onto + a b`, `to` of whole tiles of rows and columns.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    /// Of `to`, in tiles.
    pub rows: usize,
    /// Of `to`, in tiles.
    pub columns: usize,
    /// Of 32 terms.
    pub blocks: usize,
    /// A row for each row, a word for each pair of terms.
    pub a: &'a Pairs,
    /// A row for each pair of terms, a word for each column.
    pub b: &'a Pairs,
    pub onto: Onto<'a>,
    pub to: &'a mut [f32],
    pub stride: usize,
}

/// The processor's tiles, for as long as this is there; without AMX nothing.
#[derive(Debug)]
pub(crate) struct Tiles {
    width: Width,
}

impl Tiles {
    /// Prepares them.
    #[inline(always)]
    pub fn begin(width: Width) -> Self {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if width == Width::Amx {
            // SAFETY: the value exists only where the processor has the instructions and the system allows them.
            unsafe { amx::configure() };
        }
        Self { width }
    }

    /// Makes a product.
    ///
    /// # Panics
    /// If a matrix is smaller than the product needs.
    #[inline(always)]
    pub fn multiply(&self, product: Product) {
        let Product { rows, columns, blocks, a, b, stride, .. } = product;
        if rows == 0 || columns == 0 {
            return;
        }
        assert!(columns * SIDE <= stride && (rows * SIDE - 1) * stride + columns * SIDE <= product.to.len());
        assert!(blocks * PAIRS <= a.stride && rows * SIDE * a.stride <= a.words().len());
        if let Onto::Row(row) = product.onto {
            assert!(columns * SIDE <= row.len());
        }
        assert!(columns * SIDE <= b.stride && blocks * PAIRS * b.stride <= b.words().len());
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.width == Width::Amx {
            // SAFETY: as in `begin`, which configured the tiles; the matrices were found to be large enough.
            return unsafe { amx::multiply(product) };
        }
        plainly(self.width, product);
    }
}

impl Drop for Tiles {
    #[inline(always)]
    fn drop(&mut self) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.width == Width::Amx {
            // SAFETY: as in `begin`.
            unsafe { amx::release() };
        }
    }
}

/// Zero of its sign instead of what is subnormal.
#[inline(always)]
fn flushed(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits(if bits & 0x7f80_0000 == 0 { bits & 0x8000_0000 } else { bits })
}

fn plainly(width: Width, product: Product) {
    floats!(width, each(product: Product));
}

#[inline(always)]
fn each<V: Floats, E: Floats>(product: Product) {
    let Product { rows, columns, blocks, a, b, onto, to, stride } = product;
    let low = |pair: u32| flushed(f32::from_bits(pair << 16));
    let high = |pair: u32| flushed(f32::from_bits(pair & 0xffff_0000));
    for row in 0..rows * SIDE {
        let factors = &a.words()[row * a.stride..][..blocks * PAIRS];
        for column in 0..columns {
            let to = &mut to[row * stride + column * SIDE..][..SIDE];
            let mut sums = [0.0; SIDE];
            match onto {
                Onto::Nothing => {}
                Onto::There => sums.copy_from_slice(to),
                Onto::Row(row) => sums.copy_from_slice(&row[column * SIDE..][..SIDE]),
            }
            sums.iter_mut().for_each(|sum| *sum = flushed(*sum));
            for block in 0..blocks {
                let (mut even, mut odd) = ([0.0_f32; SIDE], [0.0_f32; SIDE]);
                for (k, factor) in factors[block * PAIRS..][..PAIRS].iter().enumerate() {
                    let pairs = &b.words()[(block * PAIRS + k) * b.stride + column * SIDE..][..SIDE];
                    for lane in 0..SIDE {
                        even[lane] = flushed(low(*factor).mul_add(low(pairs[lane]), even[lane]));
                        odd[lane] = flushed(high(*factor).mul_add(high(pairs[lane]), odd[lane]));
                    }
                }
                for lane in 0..SIDE {
                    sums[lane] = flushed(sums[lane] + flushed(even[lane] + odd[lane]));
                }
            }
            to.copy_from_slice(&sums);
        }
    }
}

/// Whether the processor has tiles of bfloat16 numbers and the system lets this process use them. Asks the system the first time.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) fn has_amx() -> bool {
    static ANSWER: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ANSWER.get_or_init(amx::is_available)
}
