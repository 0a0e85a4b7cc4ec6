//! Vectors of single-precision numbers with fused multiply-adds, as wide as the processor has them.
//!
//! Loops over [`Floats`] run over outputs or rows and never over what is summed, so that each number is the result of the same
//! operations in the same order whatever the width: eight lanes of AVX2, sixteen of AVX-512 and eight of plain code give the same
//! bits. A multiply-add is fused everywhere, in plain code by [`f32::mul_add`].

use super::words::{PlainWords, Words};

/// Numbers that are computed with at once.
pub(crate) trait Floats: Copy {
    /// How many; 8 or 16.
    const LANES: usize;
    /// Words in vectors of the same size.
    type Words: Words;
    fn all(x: f32) -> Self;
    /// The first of `from`, which has at least [`Self::LANES`].
    fn load(from: &[f32]) -> Self;
    /// Into the first of `to`, which has at least [`Self::LANES`].
    fn store(self, to: &mut [f32]);
    /// # Safety
    /// [`Self::LANES`] numbers are there.
    unsafe fn read(from: *const f32) -> Self;
    /// # Safety
    /// There is room for [`Self::LANES`] numbers.
    unsafe fn write(self, to: *mut f32);
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    fn square_root(self) -> Self;
    /// `self * factor + addend`, rounded once.
    fn times_plus(self, factor: Self, addend: Self) -> Self;
    /// The larger of each two; of two that are equal, or where one is NaN, the second.
    fn larger(self, other: Self) -> Self;
    /// `yes` where this is above 0, else `no`.
    fn above_zero(self, yes: Self, no: Self) -> Self;
    /// `value` where a byte is at least `least`, else 0; there are at least [`Self::LANES`] bytes.
    fn where_at_least(bytes: &[u8], least: u8, value: f32) -> Self;
    /// Eight rows of eight numbers, whatever [`Self::LANES`] is, with rows and columns exchanged: rows begin `stride` apart.
    fn turn_block<T: FourBytes>(from: Block<&[T]>, to: Block<&mut [T]>);
}

/// Numbers of 32 bits, of which every pattern is one.
pub(crate) trait FourBytes: Copy {}

impl FourBytes for f32 {}
impl FourBytes for u32 {}

/// Eight rows, which begin `stride` apart.
#[derive(Debug)]
pub(crate) struct Block<T> {
    pub values: T,
    pub stride: usize,
}

/// One after the other, for every processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlainFloats([f32; 8]);

impl PlainFloats {
    #[inline(always)]
    fn with(self, other: Self, of: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| of(self.0[lane], other.0[lane])))
    }
}

impl Floats for PlainFloats {
    const LANES: usize = 8;
    type Words = PlainWords;

    #[inline(always)]
    fn all(x: f32) -> Self {
        Self([x; 8])
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        Self(std::array::from_fn(|lane| from[lane]))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to[..8].copy_from_slice(&self.0);
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: the caller says that eight are there.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut f32) {
        // SAFETY: the caller says that there is room for eight.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn over(self, other: Self) -> Self {
        self.with(other, |a, b| a / b)
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, addend: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].mul_add(factor.0[lane], addend.0[lane])))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn above_zero(self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|lane| if self.0[lane] > 0.0 { yes.0[lane] } else { no.0[lane] }))
    }

    #[inline(always)]
    fn where_at_least(bytes: &[u8], least: u8, value: f32) -> Self {
        Self(std::array::from_fn(|lane| if bytes[lane] >= least { value } else { 0.0 }))
    }

    #[inline(always)]
    fn turn_block<T: FourBytes>(from: Block<&[T]>, to: Block<&mut [T]>) {
        for row in 0..8 {
            for column in 0..8 {
                to.values[column * to.stride + row] = from.values[row * from.stride + column];
            }
        }
    }
}

/// The vectors of this processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// Plain code.
    Plain,
    /// Eight lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Sixteen lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Sixteen lanes, and tiles of bfloat16 numbers: see [`tiles`](super::tiles).
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
}

impl Width {
    /// Those that this processor has, narrowest first; plain code always.
    pub fn available() -> Vec<Self> {
        let mut widths = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                widths.push(Self::Avx2);
                if std::arch::is_x86_feature_detected!("avx512f") {
                    widths.push(Self::Avx512);
                    #[cfg(target_os = "linux")]
                    if super::tiles::has_amx() {
                        widths.push(Self::Amx);
                    }
                }
            }
        }
        widths
    }

    /// The widest that this processor has.
    pub fn widest() -> Self {
        Self::available().pop().unwrap_or(Self::Plain)
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Eight, Sixteen};

// One reason holds for all of the blocks; it stands above them.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::undocumented_unsafe_blocks)]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, Floats, FourBytes};
    use crate::math::words::{EightWords, SixteenWords};

    /// A vector of AVX2.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Eight(__m256);

    /// A vector of AVX-512.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Sixteen(__m512);

    // SAFETY of all blocks: whoever uses the type has found that the processor has the instructions ([`super::Width`]); slices are
    // checked to be as long as what is loaded and stored.
    impl Floats for Eight {
        const LANES: usize = 8;
        type Words = EightWords;

        #[inline(always)]
        fn all(x: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(x) })
        }

        #[inline(always)]
        fn load(from: &[f32]) -> Self {
            let from = &from[..8];
            Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, to: &mut [f32]) {
            let to = &mut to[..8];
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) };
        }

        #[inline(always)]
        unsafe fn read(from: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn write(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self.0) };
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn over(self, other: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn square_root(self) -> Self {
            Self(unsafe { _mm256_sqrt_ps(self.0) })
        }

        #[inline(always)]
        fn times_plus(self, factor: Self, addend: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn larger(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn above_zero(self, yes: Self, no: Self) -> Self {
            unsafe {
                let mask = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, _mm256_setzero_ps());
                Self(_mm256_blendv_ps(no.0, yes.0, mask))
            }
        }

        #[inline(always)]
        fn where_at_least(bytes: &[u8], least: u8, value: f32) -> Self {
            let bytes = &bytes[..8];
            unsafe {
                let words = _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.as_ptr().cast()));
                let mask = _mm256_cmpgt_epi32(words, _mm256_set1_epi32(i32::from(least) - 1));
                Self(_mm256_and_ps(_mm256_castsi256_ps(mask), _mm256_set1_ps(value)))
            }
        }

        #[inline(always)]
        fn turn_block<T: FourBytes>(from: Block<&[T]>, to: Block<&mut [T]>) {
            assert!(7 * from.stride + 8 <= from.values.len() && 7 * to.stride + 8 <= to.values.len());
            unsafe {
                // Halves of rows 0 and 4, 1 and 5, ... beside each other, then pairs of numbers, then pairs of those.
                let half = |row: usize, column: usize| {
                    let at = |row: usize| _mm_loadu_ps(from.values.as_ptr().add(row * from.stride + column).cast());
                    _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(at(row)), at(row + 4))
                };
                for column in [0, 4] {
                    let [a, b, c, d]: [__m256; 4] = std::array::from_fn(|row| half(row, column));
                    let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                    let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                    let columns = [
                        _mm256_shuffle_ps::<0b0100_0100>(ab, cd),
                        _mm256_shuffle_ps::<0b1110_1110>(ab, cd),
                        _mm256_shuffle_ps::<0b0100_0100>(ab_high, cd_high),
                        _mm256_shuffle_ps::<0b1110_1110>(ab_high, cd_high),
                    ];
                    for (number, turned) in columns.into_iter().enumerate() {
                        _mm256_storeu_ps(to.values.as_mut_ptr().add((column + number) * to.stride).cast(), turned);
                    }
                }
            }
        }
    }

    impl Floats for Sixteen {
        const LANES: usize = 16;
        type Words = SixteenWords;

        #[inline(always)]
        fn all(x: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(x) })
        }

        #[inline(always)]
        fn load(from: &[f32]) -> Self {
            let from = &from[..16];
            Self(unsafe { _mm512_loadu_ps(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, to: &mut [f32]) {
            let to = &mut to[..16];
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) };
        }

        #[inline(always)]
        unsafe fn read(from: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn write(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self.0) };
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(unsafe { _mm512_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn over(self, other: Self) -> Self {
            Self(unsafe { _mm512_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn square_root(self) -> Self {
            Self(unsafe { _mm512_sqrt_ps(self.0) })
        }

        #[inline(always)]
        fn times_plus(self, factor: Self, addend: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn larger(self, other: Self) -> Self {
            Self(unsafe { _mm512_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn above_zero(self, yes: Self, no: Self) -> Self {
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, _mm512_setzero_ps());
                Self(_mm512_mask_blend_ps(mask, no.0, yes.0))
            }
        }

        #[inline(always)]
        fn where_at_least(bytes: &[u8], least: u8, value: f32) -> Self {
            let bytes = &bytes[..16];
            unsafe {
                let words = _mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast()));
                let mask = _mm512_cmpge_epi32_mask(words, _mm512_set1_epi32(i32::from(least)));
                Self(_mm512_maskz_mov_ps(mask, _mm512_set1_ps(value)))
            }
        }

        #[inline(always)]
        fn turn_block<T: FourBytes>(from: Block<&[T]>, to: Block<&mut [T]>) {
            Eight::turn_block(from, to);
        }
    }
}

/// Asks for the memory of a place that is read soon; nothing happens where there is no such place.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(value) = values.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, which changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}

/// Calls a function that is generic over two kinds of [`Floats`], the widest and those of eight lanes for what is left of a row,
/// compiled for a [`Width`]: `floats!(width, function(argument: Type, ...))`. The function and what it calls must be
/// `#[inline(always)]`.
macro_rules! floats {
    ($width:expr, $function:ident($($argument:ident: $type:ty),+ $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn with_avx2($($argument: $type),+) {
            $function::<$crate::math::floats::Eight, $crate::math::floats::Eight>($($argument),+);
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn with_avx512($($argument: $type),+) {
            $function::<$crate::math::floats::Sixteen, $crate::math::floats::Eight>($($argument),+);
        }
        match $width {
            $crate::math::floats::Width::Plain => {
                $function::<$crate::math::floats::PlainFloats, $crate::math::floats::PlainFloats>($($argument),+);
            }
            // SAFETY: the value exists only where the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            $crate::math::floats::Width::Avx2 => unsafe { with_avx2($($argument),+) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::math::floats::Width::Avx512 => unsafe { with_avx512($($argument),+) },
            // SAFETY: as above.
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            $crate::math::floats::Width::Amx => unsafe { with_avx512($($argument),+) },
        }
    }};
}

pub(crate) use floats;

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(always)]
    fn answers<V: Floats, E: Floats>(a: &[f32; 16], b: &[f32; 16], to: &mut Vec<u32>) {
        let mut put = |of: &dyn Fn(usize, &mut [f32])| {
            let mut all = [0.0; 16];
            for first in (0..16).step_by(V::LANES) {
                of(first, &mut all[first..]);
            }
            to.extend(all.map(f32::to_bits));
        };
        let pair = |first: usize| (V::load(&a[first..]), V::load(&b[first..]));
        put(&|first, to| pair(first).0.plus(pair(first).1).store(to));
        put(&|first, to| pair(first).0.times(pair(first).1).store(to));
        put(&|first, to| pair(first).0.over(pair(first).1).store(to));
        put(&|first, to| pair(first).0.square_root().store(to));
        put(&|first, to| pair(first).0.times_plus(pair(first).1, V::all(1.0e-3)).store(to));
        put(&|first, to| pair(first).0.larger(pair(first).1).store(to));
        put(&|first, to| pair(first).0.above_zero(pair(first).1, V::all(7.0)).store(to));
        let bytes: [u8; 16] = std::array::from_fn(|lane| (b[lane].to_bits() >> (lane + 8)) as u8);
        put(&|first, to| V::where_at_least(&bytes[first..], 100, 1.5).store(to));
        let (mut block, mut turned) = ([0.0; 72], [0.0; 80]);
        block.iter_mut().enumerate().for_each(|(at, x)| *x = a[at % 16] + at as f32);
        E::turn_block(Block { values: &block, stride: 9 }, Block { values: &mut turned, stride: 10 });
        to.extend(turned.map(f32::to_bits));
        let mut last = [0.0; 8];
        E::load(&a[..8]).times_plus(E::load(&b[..8]), E::load(&a[8..])).store(&mut last);
        to.extend(last.map(f32::to_bits));
    }

    fn with(width: Width, a: &[f32; 16], b: &[f32; 16], to: &mut Vec<u32>) {
        floats!(width, answers(a: &[f32; 16], b: &[f32; 16], to: &mut Vec<u32>));
    }

    #[test]
    fn every_width_gives_the_same_bits() {
        let numbers = [0.0, -0.0, 1.5, -2.25, 1.0e30, -1.0e-30, f32::INFINITY, 3.0, 1.0e-42, 0.1, f32::NEG_INFINITY];
        for turn in 0..11 {
            let a: [f32; 16] = std::array::from_fn(|lane| numbers[(turn + 3 * lane) % 11]);
            let b: [f32; 16] = std::array::from_fn(|lane| numbers[(2 * turn + 5 * lane) % 11]);
            let mut plain = Vec::new();
            with(Width::Plain, &a, &b, &mut plain);
            for width in Width::available() {
                let mut wide = Vec::new();
                with(width, &a, &b, &mut wide);
                let is_nan = |bits: &u32| f32::from_bits(*bits).is_nan();
                let same = plain.iter().zip(&wide).all(|(a, b)| a == b || is_nan(a) && is_nan(b));
                assert!(same && plain.len() == wide.len(), "{width:?}: {a:?} {b:?}");
            }
        }
    }
}
