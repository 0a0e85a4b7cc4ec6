//! The random numbers of one event, one after the other.

use crate::math::det::{self, cos, exp, ln, sin, sqrt};
use crate::math::philox::{Philox, Stage, uniform_f64};

/// Which generator draws: the upper half of Philox's draw counter, so that generators of one seed share no number.
/// 0 is `dijet/1`, which numbers its draws itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Stream {
    Dilepton1 = 1,
    Dijet2 = 2,
    Plane1 = 3,
}

/// Numbers of one event: a sequence that depends on (seed, stream, event number) alone.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    random: Philox,
    event: u64,
    next_block: u64,
    words: [u32; 4],
    /// Words of the block that are used up.
    used: usize,
}

impl Draws {
    pub fn new(seed: u64, stream: Stream, event: u64) -> Self {
        let random = Philox::new(seed, Stage::Generate);
        Self { random, event, next_block: (stream as u64) << 32, words: [0; 4], used: 4 }
    }

    #[inline(always)]
    fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.refill();
        }
        let word = self.words[self.used & 3];
        self.used += 1;
        word
    }

    // Apart, so that the rest is small enough to be inlined everywhere.
    #[inline(never)]
    fn refill(&mut self) {
        self.words = self.random.words(self.event, self.next_block);
        self.next_block += 1;
        self.used = 0;
    }

    /// A number in (0, 1) with 32 random bits: enough wherever no tail beyond 10^-9 matters.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (f64::from(self.word()) + 0.5) * 2.3283064365386963e-10
    }

    /// A number in (0, 1) with 52 random bits: for falling spectra.
    pub fn fine(&mut self) -> f64 {
        let high = self.word();
        uniform_f64(high, self.word())
    }

    /// A number in (from, to).
    #[inline]
    pub fn within(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.uniform()
    }

    /// Whether something of this probability happens.
    #[inline]
    pub fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// An azimuth in (-pi, pi).
    #[inline]
    pub fn azimuth(&mut self) -> f64 {
        det::PI * (2.0 * self.uniform() - 1.0)
    }

    /// An exponential deviate of mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        -ln(self.uniform())
    }

    /// Two normal deviates (Box and Muller, 1958, doi 10.1214/aoms/1177706645), none beyond 6.7.
    pub fn normals(&mut self) -> [f64; 2] {
        let radius = sqrt(2.0 * self.exponential());
        let angle = self.azimuth();
        [radius * cos(angle), radius * sin(angle)]
    }

    /// One normal deviate.
    pub fn normal(&mut self) -> f64 {
        self.normals()[0]
    }

    /// Two numbers of mean 0 and variance 1, each the sum of four flat ones: normal within 2, none beyond 3.5. No
    /// logarithm and no angle: for what is drawn often and decides little.
    #[inline]
    pub fn bells(&mut self) -> [f64; 2] {
        let mut bell = || {
            let (one, two) = (self.word(), self.word());
            let sum = (one >> 16) + (one & 0xffff) + (two >> 16) + (two & 0xffff);
            // Four times a mean of (2^16 - 1) / 2; sqrt(3) / 2^16 makes the variance of the sum 1.
            (f64::from(sum) - 131_070.0) * 2.642_899_791_822_627_6e-5
        };
        [bell(), bell()]
    }

    /// A Poisson count of a mean below 100, by products of uniform numbers (Knuth, The Art of Computer Programming, 3.4.1).
    pub fn poisson(&mut self, mean: f64) -> usize {
        let (mut count, mut product, end) = (0, self.uniform(), exp(-mean));
        while product > end {
            count += 1;
            product *= self.uniform();
        }
        count
    }

    /// The position drawn from a table of relative weights; the last one if rounding leaves nothing.
    pub fn choose(&mut self, weights: &[f64]) -> usize {
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}
