//! Four doubles at once, in the processor's vectors where it has them.
//!
//! For loops that the compiler does not turn into vectors by itself ([`super::wide`] is simpler where it does): searches for
//! the least of many, with its place. Every operation is that of IEEE 754 on each of the four, so the answers are those of
//! plain code, bit for bit.

/// Four doubles.
pub(crate) trait Four: Copy {
    /// For each of them, yes or no.
    type Mask: Copy;
    fn all(x: f64) -> Self;
    fn load(from: &[f64; 4]) -> Self;
    fn store(self) -> [f64; 4];
    fn store_to(self, to: &mut [f64; 4]);
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn absolute(self) -> Self;
    fn square_root(self) -> Self;
    /// The smaller of each two; of two that are equal, or where one is NaN, the second.
    fn smaller(self, other: Self) -> Self;
    /// The larger of each two; of two that are equal, or where one is NaN, the second.
    fn larger(self, other: Self) -> Self;
    fn below(self, other: Self) -> Self::Mask;
    fn not_above(self, other: Self) -> Self::Mask;
    fn equals(self, other: Self) -> Self::Mask;
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// What it is where the mask says yes, else 0.
    fn only(mask: Self::Mask, yes: Self) -> Self;
    fn either(one: Self::Mask, other: Self::Mask) -> Self::Mask;
    /// A bit for each yes, the first lowest.
    fn bits(mask: Self::Mask) -> u32;

    /// The smallest of the four.
    #[inline(always)]
    fn least(self) -> f64 {
        let [a, b, c, d] = self.store();
        let (low, high) = (if a < b { a } else { b }, if c < d { c } else { d });
        if low < high { low } else { high }
    }
}

/// The place of the largest of many, four at a time; of equals the first, and NaN never.
#[derive(Clone, Copy)]
pub(crate) struct Largest<V: Four> {
    value: V,
    place: V,
    places: V,
}

impl<V: Four> Largest<V> {
    /// Nothing has been looked at: only what is above `floor` will be found.
    #[inline(always)]
    pub(crate) fn above(floor: f64) -> Self {
        Self { value: V::all(floor), place: V::all(0.0), places: V::load(&[1.0, 2.0, 3.0, 4.0]) }
    }

    /// Looks at the next four.
    #[inline(always)]
    pub(crate) fn look(&mut self, values: V) {
        let larger = self.value.below(values);
        self.place = V::select(larger, self.places, self.place);
        // Not chosen by the mask: the next block would wait for the comparison. NaN is not taken.
        self.value = values.larger(self.value);
        self.places = self.places.plus(V::all(4.0));
    }

    /// The place of the largest, if any was above the floor.
    #[inline(always)]
    pub(crate) fn first(self) -> Option<usize> {
        let most = -V::all(0.0).minus(self.value).least();
        let candidates = V::select(self.value.equals(V::all(most)), self.place, V::all(f64::INFINITY));
        let candidates = V::select(candidates.equals(V::all(0.0)), V::all(f64::INFINITY), candidates);
        let first = candidates.least();
        if first.is_finite() { Some(first as usize - 1) } else { None }
    }
}

/// One after the other: for processors without AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain([f64; 4]);

impl Plain {
    #[inline(always)]
    fn with(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|lane| of(self.0[lane], other.0[lane])))
    }

    #[inline(always)]
    fn compare(self, other: Self, of: impl Fn(&f64, &f64) -> bool) -> [bool; 4] {
        std::array::from_fn(|lane| of(&self.0[lane], &other.0[lane]))
    }
}

impl Four for Plain {
    type Mask = [bool; 4];

    #[inline(always)]
    fn all(x: f64) -> Self {
        Self([x; 4])
    }

    #[inline(always)]
    fn load(from: &[f64; 4]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store(self) -> [f64; 4] {
        self.0
    }

    #[inline(always)]
    fn store_to(self, to: &mut [f64; 4]) {
        *to = self.0;
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn absolute(self) -> Self {
        Self(self.0.map(f64::abs))
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        Self(self.0.map(f64::sqrt))
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        self.with(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn below(self, other: Self) -> [bool; 4] {
        self.compare(other, f64::lt)
    }

    #[inline(always)]
    fn not_above(self, other: Self) -> [bool; 4] {
        self.compare(other, f64::le)
    }

    #[inline(always)]
    fn equals(self, other: Self) -> [bool; 4] {
        self.compare(other, f64::eq)
    }

    #[inline(always)]
    fn select(mask: [bool; 4], yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|lane| if mask[lane] { yes.0[lane] } else { no.0[lane] }))
    }

    #[inline(always)]
    fn only(mask: [bool; 4], yes: Self) -> Self {
        Self::select(mask, yes, Self::all(0.0))
    }

    #[inline(always)]
    fn either(one: [bool; 4], other: [bool; 4]) -> [bool; 4] {
        std::array::from_fn(|lane| one[lane] | other[lane])
    }

    #[inline(always)]
    fn bits(mask: [bool; 4]) -> u32 {
        mask.iter().enumerate().map(|(lane, yes)| u32::from(*yes) << lane).sum()
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;

// One reason holds for all of the blocks; it stands above them.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::undocumented_unsafe_blocks)]
mod avx2 {
    use std::arch::x86_64::*;

    use super::Four;

    /// In a vector of AVX2. Whoever uses it has found that the processor has that: see [`super::four`].
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx2(__m256d);

    // SAFETY of all blocks: the instructions are there, as whoever uses the type has found, and loads are of four doubles.
    impl Four for Avx2 {
        type Mask = __m256d;

        #[inline(always)]
        fn all(x: f64) -> Self {
            Self(unsafe { _mm256_set1_pd(x) })
        }

        #[inline(always)]
        fn load(from: &[f64; 4]) -> Self {
            Self(unsafe { _mm256_loadu_pd(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(self) -> [f64; 4] {
            let mut to = [0.0; 4];
            unsafe { _mm256_storeu_pd(to.as_mut_ptr(), self.0) };
            to
        }

        #[inline(always)]
        fn store_to(self, to: &mut [f64; 4]) {
            unsafe { _mm256_storeu_pd(to.as_mut_ptr(), self.0) };
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn absolute(self) -> Self {
            Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
        }

        #[inline(always)]
        fn square_root(self) -> Self {
            Self(unsafe { _mm256_sqrt_pd(self.0) })
        }

        #[inline(always)]
        fn smaller(self, other: Self) -> Self {
            Self(unsafe { _mm256_min_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn larger(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn below(self, other: Self) -> __m256d {
            unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0) }
        }

        #[inline(always)]
        fn not_above(self, other: Self) -> __m256d {
            unsafe { _mm256_cmp_pd::<_CMP_LE_OQ>(self.0, other.0) }
        }

        #[inline(always)]
        fn equals(self, other: Self) -> __m256d {
            unsafe { _mm256_cmp_pd::<_CMP_EQ_OQ>(self.0, other.0) }
        }

        #[inline(always)]
        fn select(mask: __m256d, yes: Self, no: Self) -> Self {
            Self(unsafe { _mm256_blendv_pd(no.0, yes.0, mask) })
        }

        #[inline(always)]
        fn only(mask: __m256d, yes: Self) -> Self {
            Self(unsafe { _mm256_and_pd(mask, yes.0) })
        }

        #[inline(always)]
        fn either(one: __m256d, other: __m256d) -> __m256d {
            unsafe { _mm256_or_pd(one, other) }
        }

        #[inline(always)]
        fn bits(mask: __m256d) -> u32 {
            unsafe { _mm256_movemask_pd(mask) as u32 }
        }

        #[inline(always)]
        fn least(self) -> f64 {
            unsafe {
                let half = _mm_min_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
                _mm_cvtsd_f64(_mm_min_sd(half, _mm_unpackhi_pd(half, half)))
            }
        }
    }
}

/// Calls a function that is generic over [`Four`], with the vectors that this processor has:
/// `four!(function(argument: Type, ...))`. The function and what it calls must be `#[inline(always)]`.
macro_rules! four {
    ($function:ident($($argument:ident: $type:ty),+ $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn with_avx2($($argument: $type),+) {
                $function::<$crate::math::four::Avx2>($($argument),+);
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: this processor has AVX2.
                unsafe { with_avx2($($argument),+) };
                return;
            }
        }
        $function::<$crate::math::four::Plain>($($argument),+);
    }};
}

pub(crate) use four;

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(always)]
    fn answers<V: Four>(a: &[f64; 4], b: &[f64; 4], to: &mut Vec<u64>) {
        let (x, y) = (V::load(a), V::load(b));
        let chosen = V::select(x.below(y), x, V::all(7.0));
        let kept = V::only(x.below(y), x);
        let arithmetic = [x.plus(y), x.minus(y), x.times(y), x.absolute(), x.square_root()];
        for four in arithmetic.into_iter().chain([x.smaller(y), x.larger(y), chosen, kept]) {
            to.extend(four.store().map(f64::to_bits));
        }
        for mask in [x.below(y), x.not_above(y), x.equals(y), V::either(x.below(y), x.equals(y))] {
            to.push(u64::from(V::bits(mask)));
        }
        to.push(x.least().to_bits());
    }

    fn with_vectors(a: &[f64; 4], b: &[f64; 4], to: &mut Vec<u64>) {
        four!(answers(a: &[f64; 4], b: &[f64; 4], to: &mut Vec<u64>));
    }

    #[test]
    fn vectors_answer_as_plain_numbers_do() {
        let numbers = [0.0, -0.0, 1.5, -2.0, 1e300, -1e-300, f64::INFINITY, -f64::INFINITY];
        for first in 0..8 {
            for second in 0..8 {
                let a = std::array::from_fn(|lane| numbers[(first + 3 * lane) % 8]);
                let b = std::array::from_fn(|lane| numbers[(second + 5 * lane) % 8]);
                let (mut plain, mut vectors) = (Vec::new(), Vec::new());
                answers::<Plain>(&a, &b, &mut plain);
                with_vectors(&a, &b, &mut vectors);
                let is_nan = |bits: &u64| f64::from_bits(*bits).is_nan();
                let same = plain.iter().zip(&vectors).all(|(a, b)| a == b || is_nan(a) && is_nan(b));
                assert!(same && plain.len() == vectors.len(), "{a:?} {b:?}: {plain:x?} {vectors:x?}");
            }
        }
        let first = |values: [f64; 8], floor: f64| {
            let mut largest = Largest::<Plain>::above(floor);
            values.as_chunks().0.iter().for_each(|four| largest.look(Plain::load(four)));
            largest.first()
        };
        assert_eq!(first([1.0, 3.0, f64::NAN, 2.0, 0.0, 3.0, 3.0, -1.0], -1.0), Some(1));
        assert_eq!(first([1.0, 2.0, 0.0, 2.0, 3.0, 0.0, 3.0, -1.0], 0.0), Some(4));
        assert_eq!(first([0.0, -1.0, f64::NAN, 0.0, 0.0, -0.0, 0.0, -1.0], 0.0), None);
        assert_eq!(Plain::bits(Plain([1.0, 5.0, 2.0, 9.0]).below(Plain::all(3.0))), 0b0101);
        assert_eq!(Plain([4.0, 3.0, 9.0, 5.0]).least(), 3.0);
    }
}
