//! Vectors of 32-bit words, as wide as the processor has them, and Philox on each of their lanes.

use super::philox::{MULTIPLIERS, ROUNDS, WEYL};

/// The most lanes there are.
pub(crate) const MOST_LANES: usize = 16;

/// Bytes of a draw: four words.
pub(crate) const BYTES_A_DRAW: usize = 16;

/// Words that are computed with at once.
pub(crate) trait Words: Copy {
    /// How many; 8 or 16.
    const LANES: usize;
    fn all(x: u32) -> Self;
    /// The first of these.
    fn load(from: &[u32; MOST_LANES]) -> Self;
    fn xor(self, other: Self) -> Self;
    /// The high and the low words of products of 64 bits.
    fn wide_product(self, by: u32) -> [Self; 2];
    /// The four words of each lane as 16 bytes, each lane's `stride` bytes behind those of the lane before.
    ///
    /// # Panics
    /// If there is no room.
    fn store_draws(draws: [Self; 4], to: &mut [u8], stride: usize);
}

/// The words of [`philox4x32_10`](super::philox::philox4x32_10), lane by lane.
#[inline(always)]
pub(crate) fn philox_lanes<W: Words>(mut counter: [W; 4], mut key: [u32; 2]) -> [W; 4] {
    for _ in 0..ROUNDS {
        let [high0, low0] = counter[0].wide_product(MULTIPLIERS[0]);
        let [high1, low1] = counter[2].wide_product(MULTIPLIERS[1]);
        counter = [high1.xor(counter[1]).xor(W::all(key[0])), low1, high0.xor(counter[3]).xor(W::all(key[1])), low0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// One after the other, for every processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlainWords([u32; 8]);

impl Words for PlainWords {
    const LANES: usize = 8;

    #[inline(always)]
    fn all(x: u32) -> Self {
        Self([x; 8])
    }

    #[inline(always)]
    fn load(from: &[u32; MOST_LANES]) -> Self {
        Self(std::array::from_fn(|lane| from[lane]))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] ^ other.0[lane]))
    }

    #[inline(always)]
    fn wide_product(self, by: u32) -> [Self; 2] {
        let products = self.0.map(|x| u64::from(x) * u64::from(by));
        [Self(products.map(|product| (product >> 32) as u32)), Self(products.map(|product| product as u32))]
    }

    #[inline(always)]
    fn store_draws(draws: [Self; 4], to: &mut [u8], stride: usize) {
        for lane in 0..Self::LANES {
            for (bytes, words) in to[lane * stride..][..BYTES_A_DRAW].as_chunks_mut::<4>().0.iter_mut().zip(&draws) {
                *bytes = words.0[lane].to_le_bytes();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{EightWords, SixteenWords};

// One reason holds for all of the blocks; it stands above them.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::undocumented_unsafe_blocks)]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BYTES_A_DRAW, MOST_LANES, Words};

    /// A vector of AVX2.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct EightWords(__m256i);

    /// A vector of AVX-512.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct SixteenWords(__m512i);

    // SAFETY of all blocks: whoever uses the type has found that the processor has the instructions
    // ([`Width`](crate::math::floats::Width)); what is stored was checked to fit.
    impl Words for EightWords {
        const LANES: usize = 8;

        #[inline(always)]
        fn all(x: u32) -> Self {
            Self(unsafe { _mm256_set1_epi32(x as i32) })
        }

        #[inline(always)]
        fn load(from: &[u32; MOST_LANES]) -> Self {
            Self(unsafe { _mm256_loadu_si256(from.as_ptr().cast()) })
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            Self(unsafe { _mm256_xor_si256(self.0, other.0) })
        }

        #[inline(always)]
        fn wide_product(self, by: u32) -> [Self; 2] {
            unsafe {
                let by = _mm256_set1_epi32(by as i32);
                let even = _mm256_mul_epu32(self.0, by);
                let odd = _mm256_mul_epu32(_mm256_srli_epi64::<32>(self.0), by);
                let high = _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd);
                let low = _mm256_blend_epi32::<0b1010_1010>(even, _mm256_slli_epi64::<32>(odd));
                [Self(high), Self(low)]
            }
        }

        #[inline(always)]
        fn store_draws(draws: [Self; 4], to: &mut [u8], stride: usize) {
            assert!((Self::LANES - 1) * stride + BYTES_A_DRAW <= to.len());
            let [a, b, c, d] = draws.map(|words| words.0);
            unsafe {
                let (ab, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
                let (cd, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
                // Four lanes in each half, which the unpacking keeps apart.
                let lanes = [
                    _mm256_unpacklo_epi64(ab, cd),
                    _mm256_unpackhi_epi64(ab, cd),
                    _mm256_unpacklo_epi64(ab_high, cd_high),
                    _mm256_unpackhi_epi64(ab_high, cd_high),
                ];
                let to = to.as_mut_ptr();
                for (lane, both) in lanes.into_iter().enumerate() {
                    _mm_storeu_si128(to.add(lane * stride).cast(), _mm256_castsi256_si128(both));
                    _mm_storeu_si128(to.add((lane + 4) * stride).cast(), _mm256_extracti128_si256::<1>(both));
                }
            }
        }
    }

    impl Words for SixteenWords {
        const LANES: usize = 16;

        #[inline(always)]
        fn all(x: u32) -> Self {
            Self(unsafe { _mm512_set1_epi32(x as i32) })
        }

        #[inline(always)]
        fn load(from: &[u32; MOST_LANES]) -> Self {
            Self(unsafe { _mm512_loadu_si512(from.as_ptr().cast()) })
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            Self(unsafe { _mm512_xor_si512(self.0, other.0) })
        }

        #[inline(always)]
        fn wide_product(self, by: u32) -> [Self; 2] {
            unsafe {
                let by = _mm512_set1_epi32(by as i32);
                let even = _mm512_mul_epu32(self.0, by);
                let odd = _mm512_mul_epu32(_mm512_srli_epi64::<32>(self.0), by);
                let high = _mm512_mask_mov_epi32(_mm512_srli_epi64::<32>(even), 0xaaaa, odd);
                let low = _mm512_mask_mov_epi32(even, 0xaaaa, _mm512_slli_epi64::<32>(odd));
                [Self(high), Self(low)]
            }
        }

        #[inline(always)]
        fn store_draws(draws: [Self; 4], to: &mut [u8], stride: usize) {
            assert!((Self::LANES - 1) * stride + BYTES_A_DRAW <= to.len());
            let [a, b, c, d] = draws.map(|words| words.0);
            unsafe {
                let (ab, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
                let (cd, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
                // Four lanes in each quarter, which the unpacking keeps apart.
                let lanes = [
                    _mm512_unpacklo_epi64(ab, cd),
                    _mm512_unpackhi_epi64(ab, cd),
                    _mm512_unpacklo_epi64(ab_high, cd_high),
                    _mm512_unpackhi_epi64(ab_high, cd_high),
                ];
                let to = to.as_mut_ptr();
                for (lane, all) in lanes.into_iter().enumerate() {
                    _mm_storeu_si128(to.add(lane * stride).cast(), _mm512_castsi512_si128(all));
                    _mm_storeu_si128(to.add((lane + 4) * stride).cast(), _mm512_extracti32x4_epi32::<1>(all));
                    _mm_storeu_si128(to.add((lane + 8) * stride).cast(), _mm512_extracti32x4_epi32::<2>(all));
                    _mm_storeu_si128(to.add((lane + 12) * stride).cast(), _mm512_extracti32x4_epi32::<3>(all));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::floats::{Floats, Width, floats};
    use crate::math::philox::philox4x32_10;

    struct Rows {
        bytes: Vec<u8>,
        stride: usize,
        lanes: usize,
    }

    #[inline(always)]
    fn draws<V: Floats, E: Floats>(units: &[u32; MOST_LANES], to: &mut Rows) {
        let counter = [V::Words::load(units), V::Words::all(7), V::Words::all(u32::MAX), V::Words::all(0)];
        V::Words::store_draws(philox_lanes(counter, [5, 9]), &mut to.bytes, to.stride);
        to.lanes = V::Words::LANES;
    }

    fn with(width: Width, units: &[u32; MOST_LANES], to: &mut Rows) {
        floats!(width, draws(units: &[u32; MOST_LANES], to: &mut Rows));
    }

    #[test]
    fn every_lane_draws_the_words_of_its_unit() {
        let units = std::array::from_fn(|lane| (lane as u32).wrapping_mul(0x9e37_79b9) ^ 0x5555);
        for width in Width::available() {
            for stride in [16, 48] {
                let mut found = Rows { bytes: vec![0; MOST_LANES * stride], stride, lanes: 0 };
                with(width, &units, &mut found);
                for (lane, row) in found.bytes.chunks(stride).enumerate() {
                    let words = philox4x32_10([units[lane], 7, u32::MAX, 0], [5, 9]);
                    let drawn = words.map(u32::to_le_bytes);
                    let expected = if lane < found.lanes { drawn.as_flattened() } else { &[0; BYTES_A_DRAW] };
                    assert_eq!(&row[..16], expected, "{width:?} {stride} {lane}");
                    assert!(row[16..].iter().all(|x| *x == 0));
                }
            }
        }
    }
}
