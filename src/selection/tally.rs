//! Events counted and weighted, exactly: one for every row of a cutflow and every bin of a spectrum.

use crate::math::exact::WeightScale;

/// The words of a [`WeightedCount`] in a column: the count, then the limbs of the sum of weights and of the sum of
/// squared weights, lowest first. A limb is 32 bits of the sum held in 64, so that a kernel can add to it with integer
/// atomics; it takes 2^32 additions before [`WeightedCount::carry`] must move what is above the 32 bits.
pub const WORDS: usize = 1 + 2 * LIMBS;

const LIMBS: usize = 4;

/// A number of events, the sum of their weights and of its squares, in fixed point: sums do not depend on their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeightedCount {
    /// How many events.
    pub events: u64,
    /// Sum of weights in units of the scale.
    pub weights: i128,
    /// Sum of squared weights in units of the scale's square.
    pub squares: i128,
}

impl WeightedCount {
    /// Adds an event; the weight must be one that the scale admits.
    pub fn add(&mut self, scale: &WeightScale, weight: f32) {
        self.events += 1;
        self.weights += scale.fixed(f64::from(weight));
        self.squares += scale.fixed_square(f64::from(weight));
    }

    /// Adds all events of another.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.weights += other.weights;
        self.squares += other.squares;
    }

    /// The sum of weights, rounded once.
    pub fn sum(&self, scale: &WeightScale) -> f64 {
        scale.value(self.weights)
    }

    /// The sum of squared weights, rounded once.
    pub fn sum_of_squares(&self, scale: &WeightScale) -> f64 {
        scale.square_value(self.squares)
    }

    /// Reads the words of one in a column, whether or not they were carried.
    pub fn from_words(words: &[u64]) -> Self {
        Self {
            events: words[0],
            weights: sum_of_limbs(&words[1..1 + LIMBS]),
            squares: sum_of_limbs(&words[1 + LIMBS..WORDS]),
        }
    }

    /// The words of this one, carried.
    pub fn to_words(&self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        words[0] = self.events;
        for limb in 0..LIMBS {
            words[1 + limb] = u64::from((self.weights >> (32 * limb)) as u32);
            words[1 + LIMBS + limb] = u64::from((self.squares >> (32 * limb)) as u32);
        }
        words
    }
}

/// The sum modulo 2^128, which is the sum itself in two's complement.
fn sum_of_limbs(limbs: &[u64]) -> i128 {
    limbs.iter().enumerate().fold(0i128, |sum, (limb, word)| sum.wrapping_add((i128::from(*word)) << (32 * limb)))
}

/// Adds the rows of `from` to the words of `into`.
pub fn add_to_words(into: &mut [u64], from: &[WeightedCount]) {
    for (words, row) in into.chunks_exact_mut(WORDS).zip(from) {
        let mut sum = WeightedCount::from_words(words);
        sum.merge(row);
        words.copy_from_slice(&sum.to_words());
    }
}
