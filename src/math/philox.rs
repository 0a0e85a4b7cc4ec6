//! Randomness as a function: Philox4x32-10 (Salmon et al., SC'11, doi 10.1145/2063384.2063405).
//!
//! The words for a draw depend on (seed, stage, unit, draw) alone: never on a thread, block, chunk or shard. The seed
//! and the stage make the key, the unit (an event, a toy) and the draw within the unit make the counter:
//!
//! - key = the low and high word of `mix(seed + 0x9E3779B97F4A7C15 stage)`, mix being the finaliser of SplitMix64
//!   (Steele, Lea and Flood, OOPSLA 2014); it is a bijection of the seed for each stage.
//! - counter = (unit low, unit high, draw low, draw high).
//!
//! Cost: 10 rounds of two 32 x 32 -> 64 bit products for four words.
//!
//! ```
//! use trawl::math::philox::{Philox, Stage};
//! let random = Philox::new(7, Stage::Toys);
//! assert_eq!(random.words(3, 0), random.words(3, 0));
//! assert_ne!(random.words(3, 0), random.words(4, 0));
//! ```

/// What the random numbers are for: streams of different stages are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Stage {
    /// Generated events.
    Generate = 1,
    /// Pseudo-experiments.
    Toys = 2,
    /// Pseudo-data sets of the calibration.
    Calibration = 3,
    /// Smeared expectations of pseudo-experiments.
    Smear = 4,
    /// The probe of `math` and tests.
    Probe = 5,
    /// Pseudo-experiments of the rare tail.
    Tail = 6,
    /// Pseudo-experiments of the rare tail whose expectation is uncertain.
    SmearedTail = 7,
    /// Data sets with an injected signal.
    Inject = 8,
    /// Upcrossings of a scan.
    Upcrossings = 9,
    /// First weights of networks.
    Initialise = 10,
    /// The order of training events.
    Shuffle = 11,
    /// Units that are left out in training.
    Dropout = 12,
    /// Which events are for validation.
    Validation = 13,
    /// How often an event counts in a replica.
    Bootstrap = 14,
    /// The folds of events.
    Folds = 15,
    /// The seeds of the members of ensembles.
    Members = 16,
}

/// How often words are mixed.
pub(crate) const ROUNDS: u32 = 10;

/// What the first and the third word of the counter are multiplied by.
pub(crate) const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];

/// What is added to the key after each round.
pub(crate) const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// A stream of random words: a function from (unit, draw) to four words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Philox {
    key: [u32; 2],
}

impl Philox {
    /// The stream of `stage` under `seed`.
    pub fn new(seed: u64, stage: Stage) -> Self {
        let key = philox_key(seed, stage as u32);
        Self { key: [key as u32, (key >> 32) as u32] }
    }

    /// The key words, low first, as kernels take them.
    pub fn key(&self) -> [u32; 2] {
        self.key
    }

    /// The four words of draw number `draw` of unit number `unit`.
    #[inline]
    pub fn words(&self, unit: u64, draw: u64) -> [u32; 4] {
        let counter = [unit as u32, (unit >> 32) as u32, draw as u32, (draw >> 32) as u32];
        philox4x32_10(counter, self.key)
    }

    /// Two numbers in (0, 1) with 52 random bits each: see [`uniform_f64`].
    #[inline]
    pub fn uniforms(&self, unit: u64, draw: u64) -> [f64; 2] {
        let [a, b, c, d] = self.words(unit, draw);
        [uniform_f64(a, b), uniform_f64(c, d)]
    }
}

/// The key of a stream as one 64-bit number: see the module.
#[inline]
pub fn philox_key(seed: u64, stage: u32) -> u64 {
    let mut z: u64 = seed.wrapping_add(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(stage as u64));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The bare generator: four counter words and two key words to four random words.
#[inline]
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let p0 = u64::from(c0) * u64::from(MULTIPLIERS[0]);
        let p1 = u64::from(c2) * u64::from(MULTIPLIERS[1]);
        let next0 = (p1 >> 32) as u32 ^ c1 ^ k0;
        let next2 = (p0 >> 32) as u32 ^ c3 ^ k1;
        c0 = next0;
        c1 = p1 as u32;
        c2 = next2;
        c3 = p0 as u32;
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    [c0, c1, c2, c3]
}

/// A number in (0, 1) from the upper 52 of 64 random bits: (n + 1/2) / 2^52, exact, never 0 or 1.
#[inline]
pub fn uniform_f64(high: u32, low: u32) -> f64 {
    let n: u64 = ((high as u64) << 20) | ((low >> 12) as u64);
    ((n as f64) + 0.5) * 2.220446049250313e-16
}

/// The 64-bit number with these words: what [`PoissonTable::draw`](super::poisson::PoissonTable::draw) takes.
#[inline]
pub fn join(high: u32, low: u32) -> u64 {
    ((high as u64) << 32) | low as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_random123() {
        // Random123 1.14.0, tests/kat_vectors, lines `philox4x32 10` (D. E. Shaw Research).
        let cases = [
            ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
            (
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
                [0xa4093822, 0x299f31d0],
                [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32_10(counter, key), expected);
        }
    }

    #[test]
    fn the_key_is_the_stated_mix_of_seed_and_stage() {
        // SplitMix64 started at 0 answers 0xe220a8397b1dcdaf first: its state is then 0x9e37... = stage 1 of seed 0.
        assert_eq!(philox_key(0, 1), 0xe220_a839_7b1d_cdaf);
        let keys: std::collections::HashSet<_> =
            [Stage::Generate, Stage::Toys, Stage::Calibration, Stage::Tail, Stage::Probe]
                .into_iter()
                .flat_map(|stage| (0..100).map(move |seed| Philox::new(seed, stage).key()))
                .collect();
        assert_eq!(keys.len(), 500);
    }

    #[test]
    fn unit_and_draw_are_both_counted_in_64_bits() {
        let random = Philox::new(1, Stage::Probe);
        let key = random.key();
        assert_eq!(random.words(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210), {
            philox4x32_10([0x89ab_cdef, 0x0123_4567, 0x7654_3210, 0xfedc_ba98], key)
        });
    }

    #[test]
    fn uniform_numbers_stay_inside_and_are_flat() {
        assert!(uniform_f64(0, 0) > 0.0);
        assert!(uniform_f64(u32::MAX, u32::MAX) < 1.0);
        let random = Philox::new(5, Stage::Probe);
        let n = 50_000;
        let mean: f64 = (0..n).map(|unit| random.uniforms(unit, 0)[1]).sum::<f64>() / n as f64;
        // The standard deviation of the mean is sqrt(1/12/n) = 0.0013.
        assert!((mean - 0.5).abs() < 0.006, "{mean}");
    }
}
