//! Loops over the toys of a batch, one lane each, compiled for the processor's widest vectors.
//!
//! The same text is compiled twice: for the compiler's own baseline and for AVX2. Both do the same operations on integers.

use crate::math::philox::Philox;

/// The toys of a batch: a table that was fetched is used so often, and the counts of a row stay in the second-level cache.
pub(super) const LANES: usize = 512;

/// One number for each toy of a batch.
pub(super) type Lane<T> = [T; LANES];

/// The vectors that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vectors {
    /// Those of every processor of this kind.
    Baseline,
    /// 256 bits wide.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Vectors {
    /// The widest of this processor.
    pub fn widest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Baseline
    }

    /// Runs `work`, which is inlined, compiled for these vectors.
    #[inline(always)]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        match self {
            Self::Baseline => work(),
            // SAFETY: the value exists only where the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(work) },
        }
    }

    /// [`pass_few`].
    #[inline(always)]
    pub fn pass_few<C: Count>(
        self,
        words: &Lane<u16>,
        thresholds: &[u16],
        first: C,
        counts: &mut Lane<C>,
        open: &mut Lane<u8>,
    ) {
        #[cfg(target_arch = "x86_64")]
        if let (Self::Avx2, Some(counts)) = (self, C::narrow(counts)) {
            // SAFETY: the value exists only where the processor has AVX2.
            return unsafe { avx2::pass_few(words, thresholds, first.value() as u16, counts, open) };
        }
        self.run(|| pass_few(words, thresholds, first, counts, open));
    }

    /// [`pass_guided`], eight lanes to a load where the processor can.
    #[inline(always)]
    pub fn pass_guided<C: Count, const BITS: u32>(
        self,
        words: &Lane<u16>,
        guide: &[u32],
        first: C,
        counts: &mut Lane<C>,
        open: &mut Lane<u8>,
    ) {
        #[cfg(target_arch = "x86_64")]
        if let (Self::Avx2, Some(counts), Some(guide)) = (self, C::narrow(counts), guide.get(..1 << BITS)) {
            // SAFETY: the value exists only where the processor has AVX2, and the guide is as long as its indices need.
            return unsafe { avx2::pass_guided::<BITS>(words, guide, first.value() as u16, counts, open) };
        }
        self.run(|| pass_guided::<C, BITS>(words, guide, first, counts, open));
    }

    /// The eight 16-bit words of a set of random words, for the toys from `first` on.
    pub fn words(self, random: &Philox, first: u64, set: u64, words: &mut [Lane<u16>; 8]) {
        match self {
            Self::Baseline => portable_words(random, first, set, words),
            // SAFETY: the value exists only where the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::words(random.key(), first, set, words) },
        }
    }
}

fn portable_words(random: &Philox, first: u64, set: u64, words: &mut [Lane<u16>; 8]) {
    for lane in 0..LANES {
        let set = random.words(first.wrapping_add(lane as u64), set);
        for (at, words) in words.iter_mut().enumerate() {
            words[lane] = super::math::half_word(set, at as u32) as u16;
        }
    }
}

/// How many of a few thresholds each word passes, on top of `first`; `open` is set where a word equals one.
///
/// Cost: 0.05 ns a lane and threshold with AVX2.
#[inline(always)]
pub(super) fn pass_few<C: Count>(
    words: &Lane<u16>,
    thresholds: &[u16],
    first: C,
    counts: &mut [C],
    open: &mut Lane<u8>,
) {
    const BLOCK: usize = 32;
    let blocks = words.chunks_exact(BLOCK).zip(counts.chunks_exact_mut(BLOCK)).zip(open.chunks_exact_mut(BLOCK));
    for ((words, counts), open) in blocks {
        let (mut passed, mut equal) = ([0_u16; BLOCK], [0_u16; BLOCK]);
        for threshold in thresholds {
            for lane in 0..BLOCK {
                passed[lane] += u16::from(words[lane] > *threshold);
                equal[lane] |= u16::from(words[lane] == *threshold);
            }
        }
        for lane in 0..BLOCK {
            counts[lane] = first.plus(passed[lane]);
            open[lane] = equal[lane] as u8;
        }
    }
}

/// What each word draws by a guide of 2^BITS entries, on top of `first`; `open` is set where the entry does not decide.
///
/// Cost: 1 ns a lane.
#[inline(always)]
fn pass_guided<C: Count, const BITS: u32>(
    words: &Lane<u16>,
    guide: &[u32],
    first: C,
    counts: &mut Lane<C>,
    open: &mut Lane<u8>,
) {
    // Of this length, so that no index can be out of bounds.
    let Some(guide) = guide.get(..1 << BITS) else { return };
    for ((word, count), open) in words.iter().zip(counts).zip(open) {
        let entry = guide[(*word >> (16 - BITS)) as usize];
        let (threshold, base) = (entry as u16, (entry >> 16) as u16);
        *count = first.plus(base).plus(u16::from(*word > threshold));
        *open = u8::from(*word == threshold) | u8::from(u32::from(base) == super::math::OPEN);
    }
}

/// Adds `more` to `sums`.
#[inline(always)]
pub(super) fn add<C: Count>(sums: &mut [C], more: &[C]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.added(*more));
}

/// Sets `reached` where `end - start` is at least `least`; whether any is.
#[inline(always)]
pub(super) fn reach<C: Count>(start: &[C], end: &[C], least: C, reached: &mut Lane<u8>) -> bool {
    let mut any = 0;
    for ((start, end), reached) in start.iter().zip(end).zip(reached) {
        *reached = u8::from(end.less(*start) >= least);
        any |= *reached;
    }
    any != 0
}

/// Calls `work` for every lane that is set to 1, in order; the others are 0.
#[inline(always)]
pub(super) fn for_each_set(lanes: &Lane<u8>, mut work: impl FnMut(usize)) {
    // A word of 64 lanes has one branch that is hard to foresee, where bytes of 8 had eight.
    for (block, lanes) in lanes.as_chunks::<64>().0.iter().enumerate() {
        let mut set = 0_u64;
        for (byte, lanes) in lanes.as_chunks::<8>().0.iter().enumerate() {
            // Moves the lowest bit of byte i, bit 8 i, to bit 56 + i.
            let bits = u64::from_le_bytes(*lanes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            set |= bits << (8 * byte);
        }
        while set != 0 {
            work(64 * block + set.trailing_zeros() as usize);
            set &= set - 1;
        }
    }
}

/// A count of a cell or a running sum of counts, modulo the width of its type.
pub(super) trait Count: Copy + Ord + Default + Send + Sync {
    /// The lower bits of `number`.
    fn of(number: u32) -> Self;
    /// Its value.
    fn value(self) -> u32;
    /// The lane itself, if this is the narrow type.
    fn narrow(lane: &mut Lane<Self>) -> Option<&mut Lane<u16>>;
    fn added(self, more: Self) -> Self;
    fn less(self, other: Self) -> Self;

    #[inline(always)]
    fn plus(self, more: u16) -> Self {
        self.added(Self::of(u32::from(more)))
    }
}

impl Count for u16 {
    #[inline(always)]
    fn narrow(lane: &mut Lane<Self>) -> Option<&mut Lane<u16>> {
        Some(lane)
    }

    #[inline(always)]
    fn of(number: u32) -> Self {
        number as u16
    }

    #[inline(always)]
    fn value(self) -> u32 {
        u32::from(self)
    }

    #[inline(always)]
    fn added(self, more: Self) -> Self {
        self.wrapping_add(more)
    }

    #[inline(always)]
    fn less(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

impl Count for u32 {
    #[inline(always)]
    fn narrow(_: &mut Lane<Self>) -> Option<&mut Lane<u16>> {
        None
    }

    #[inline(always)]
    fn of(number: u32) -> Self {
        number
    }

    #[inline(always)]
    fn value(self) -> u32 {
        self
    }

    #[inline(always)]
    fn added(self, more: Self) -> Self {
        self.wrapping_add(more)
    }

    #[inline(always)]
    fn less(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{LANES, Lane};

    /// Philox4x32-10 of sixteen toys at a time, each 32-bit word in a 64-bit lane, where the processor multiplies 32 x 32 bits
    /// without shuffles: 0.63 ns a 16-bit word, against 2.9 ns for what the compiler makes of the portable loop.
    #[target_feature(enable = "avx2")]
    pub fn words(key: [u32; 2], first: u64, set: u64, words: &mut [Lane<u16>; 8]) {
        for at in (0..LANES).step_by(16) {
            let toys = |group: usize| {
                let first = first.wrapping_add((at + 4 * group) as u64);
                _mm256_add_epi64(_mm256_set1_epi64x(first.cast_signed()), _mm256_setr_epi64x(0, 1, 2, 3))
            };
            let counters: [[__m256i; 4]; 4] = std::array::from_fn(|group| {
                let toys = toys(group);
                let (set, set_high) = (set.cast_signed(), (set >> 32).cast_signed());
                [toys, _mm256_srli_epi64::<32>(toys), _mm256_set1_epi64x(set), _mm256_set1_epi64x(set_high)]
            });
            let sets = rounds(key, counters);
            for word in 0..4 {
                let first = lower_halves(sets[0][word], sets[1][word]);
                let second = lower_halves(sets[2][word], sets[3][word]);
                let low = _mm256_set1_epi32(0xffff);
                let lows = packed(_mm256_and_si256(first, low), _mm256_and_si256(second, low));
                let highs = packed(_mm256_srli_epi32::<16>(first), _mm256_srli_epi32::<16>(second));
                store(&mut words[2 * word], at, lows);
                store(&mut words[2 * word + 1], at, highs);
            }
        }
    }

    /// How many of a few thresholds each word passes: 0.03 ns a lane and threshold, with all sums in registers.
    #[target_feature(enable = "avx2")]
    pub fn pass_few(words: &Lane<u16>, thresholds: &[u16], first: u16, counts: &mut Lane<u16>, open: &mut Lane<u8>) {
        // There is no comparison of unsigned numbers; with the upper bit flipped, signed ones are in the same order.
        let flip = _mm256_set1_epi16(i16::MIN);
        let first = _mm256_set1_epi16(first.cast_signed());
        for at in (0..LANES).step_by(32) {
            let word = [at, at + 16].map(|at| {
                let words: &[u16] = &words[at..at + 16];
                // SAFETY: sixteen words are read where there are sixteen.
                _mm256_xor_si256(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }, flip)
            });
            let (mut passed, mut equal) = ([first; 2], [_mm256_setzero_si256(); 2]);
            for threshold in thresholds {
                let threshold = _mm256_xor_si256(_mm256_set1_epi16(threshold.cast_signed()), flip);
                for half in 0..2 {
                    // Greater is -1.
                    passed[half] = _mm256_sub_epi16(passed[half], _mm256_cmpgt_epi16(word[half], threshold));
                    equal[half] = _mm256_or_si256(equal[half], _mm256_cmpeq_epi16(word[half], threshold));
                }
            }
            store(counts, at, passed[0]);
            store(counts, at + 16, passed[1]);
            store_flags(open, at, equal);
        }
    }

    /// Stores 1 where a lane of 16 bits is -1, and 0 where it is 0.
    #[target_feature(enable = "avx2")]
    fn store_flags(open: &mut Lane<u8>, at: usize, flags: [__m256i; 2]) {
        let all = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi16(flags[0], flags[1]));
        let place: &mut [u8] = &mut open[at..at + 32];
        // SAFETY: `place` is 32 bytes long, as much as is stored.
        unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), _mm256_and_si256(all, _mm256_set1_epi8(1))) };
    }

    /// What each word draws by a guide of 2^BITS entries: 0.8 ns a lane, where one load for each lane takes 1 to 1.3.
    ///
    /// # Safety
    /// `guide` must have 2^BITS entries.
    #[target_feature(enable = "avx2")]
    pub unsafe fn pass_guided<const BITS: u32>(
        words: &Lane<u16>,
        guide: &[u32],
        first: u16,
        counts: &mut Lane<u16>,
        open: &mut Lane<u8>,
    ) {
        debug_assert_eq!(guide.len(), 1 << BITS);
        let (low, first) = (_mm256_set1_epi32(0xffff), _mm256_set1_epi32(i32::from(first)));
        let shift = _mm_cvtsi32_si128(16 - BITS as i32);
        for at in (0..LANES).step_by(32) {
            let (mut number, mut undecided) = ([_mm256_setzero_si256(); 4], [_mm256_setzero_si256(); 4]);
            for eighth in 0..4 {
                let words: &[u16] = &words[at + 8 * eighth..][..8];
                // SAFETY: eight words are read where there are eight.
                let word = unsafe { _mm256_cvtepu16_epi32(_mm_loadu_si128(words.as_ptr().cast())) };
                // SAFETY: 16-bit words shifted by 16 - BITS are below 2^BITS.
                let entry =
                    unsafe { _mm256_i32gather_epi32::<4>(guide.as_ptr().cast(), _mm256_srl_epi32(word, shift)) };
                let (threshold, base) = (_mm256_and_si256(entry, low), _mm256_srli_epi32::<16>(entry));
                // Greater is -1.
                let passed = _mm256_sub_epi32(base, _mm256_cmpgt_epi32(word, threshold));
                number[eighth] = _mm256_and_si256(_mm256_add_epi32(passed, first), low);
                let several = _mm256_cmpeq_epi32(base, low);
                undecided[eighth] = _mm256_or_si256(_mm256_cmpeq_epi32(word, threshold), several);
            }
            store(counts, at, packed(number[0], number[1]));
            store(counts, at + 16, packed(number[2], number[3]));
            let halves = [0, 2].map(|first| {
                let both = _mm256_packs_epi32(undecided[first], undecided[first + 1]);
                _mm256_permute4x64_epi64::<0xd8>(both)
            });
            store_flags(open, at, halves);
        }
    }

    /// Ten rounds. The upper half of a lane is never looked at.
    #[target_feature(enable = "avx2")]
    fn rounds(key: [u32; 2], mut sets: [[__m256i; 4]; 4]) -> [[__m256i; 4]; 4] {
        let multiplier_0 = _mm256_set1_epi64x(0xd251_1f53);
        let multiplier_1 = _mm256_set1_epi64x(0xcd9e_8d57);
        let [mut key_0, mut key_1] = key;
        for _ in 0..10 {
            let k0 = _mm256_set1_epi64x(i64::from(key_0));
            let k1 = _mm256_set1_epi64x(i64::from(key_1));
            for set in &mut sets {
                let product_0 = _mm256_mul_epu32(set[0], multiplier_0);
                let product_1 = _mm256_mul_epu32(set[2], multiplier_1);
                let next_0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64::<32>(product_1), set[1]), k0);
                let next_2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64::<32>(product_0), set[3]), k1);
                *set = [next_0, product_1, next_2, product_0];
            }
            key_0 = key_0.wrapping_add(0x9e37_79b9);
            key_1 = key_1.wrapping_add(0xbb67_ae85);
        }
        sets
    }

    /// The lower halves of eight lanes of 64 bits, in order.
    #[target_feature(enable = "avx2")]
    fn lower_halves(first: __m256i, second: __m256i) -> __m256i {
        let (first, second) = (_mm256_castsi256_ps(first), _mm256_castsi256_ps(second));
        _mm256_permute4x64_epi64::<0xd8>(_mm256_castps_si256(_mm256_shuffle_ps::<0x88>(first, second)))
    }

    /// Sixteen lanes of 32 bits, none above 65,535, in order.
    #[target_feature(enable = "avx2")]
    fn packed(first: __m256i, second: __m256i) -> __m256i {
        _mm256_permute4x64_epi64::<0xd8>(_mm256_packus_epi32(first, second))
    }

    #[target_feature(enable = "avx2")]
    fn store(lane: &mut Lane<u16>, at: usize, values: __m256i) {
        let place: &mut [u16] = &mut lane[at..at + 16];
        // SAFETY: `place` is 16 words of 16 bits long, as much as is stored, and a store needs no alignment.
        unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), values) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::philox::Stage;

    #[test]
    fn vectors_draw_the_words_of_the_generator() {
        let random = Philox::new(99, Stage::Toys);
        for (first, set) in [(0, 0), (77, 3), (u64::from(u32::MAX) - 100, 1 << 62), (u64::MAX - 20, u64::MAX)] {
            let mut expected = [[0; LANES]; 8];
            portable_words(&random, first, set, &mut expected);
            let mut got = [[0; LANES]; 8];
            Vectors::widest().words(&random, first, set, &mut got);
            assert!(got == expected, "toys from {first}, set {set}");
        }
    }

    #[test]
    fn vectors_compare_as_single_lanes_do() {
        let random = Philox::new(6, Stage::Toys);
        let mut words = [[0; LANES]; 8];
        portable_words(&random, 9, 0, &mut words);
        for words in &mut words {
            (words[0], words[1], words[2], words[3]) = (0, 0x7fff, 0x8000, 0xffff);
            let thresholds = [0, 5, 0x7fff, 0x8000, 0x8000, words[77], 0xffff];
            let (mut counts, mut open) = ([0_u16; LANES], [0; LANES]);
            pass_few(words, &thresholds, 65_533_u16, &mut counts, &mut open);
            let (mut by_vectors, mut open_by_vectors) = ([0_u16; LANES], [9; LANES]);
            Vectors::widest().pass_few(words, &thresholds, 65_533_u16, &mut by_vectors, &mut open_by_vectors);
            assert!(counts == by_vectors && open == open_by_vectors);
            assert!(open[77] == 1 && open[..4] == [1; 4]);
        }
    }

    #[test]
    fn vectors_look_up_what_single_loads_do() {
        let random = Philox::new(5, Stage::Toys);
        let mut words = [[0; LANES]; 8];
        portable_words(&random, 0, 0, &mut words);
        let guide: Vec<u32> = (0..1 << 9).map(|entry| (entry % 7) << 16 | ((entry << 7) + 63)).collect();
        let guide: Vec<u32> =
            guide.iter().map(|entry| if entry % 5 == 0 { entry | 0xffff << 16 } else { *entry }).collect();
        for words in &mut words {
            words[3] = 63;
            let (mut counts, mut open) = ([0_u16; LANES], [0; LANES]);
            pass_guided::<u16, 9>(words, &guide, 65_530, &mut counts, &mut open);
            let (mut by_vectors, mut open_by_vectors) = ([0_u16; LANES], [9; LANES]);
            Vectors::widest().pass_guided::<u16, 9>(words, &guide, 65_530, &mut by_vectors, &mut open_by_vectors);
            assert!(counts == by_vectors && open == open_by_vectors);
            assert!(open.contains(&0) && open[3] == 1);
        }
    }

    #[test]
    fn set_lanes_are_visited_in_order() {
        let mut lanes = [0; LANES];
        let set = [0, 7, 8, 100, 255];
        set.iter().for_each(|lane| lanes[*lane] = 1);
        let mut visited = Vec::new();
        for_each_set(&lanes, |lane| visited.push(lane));
        assert_eq!(visited, set);
    }
}
