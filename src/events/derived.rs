//! Numbers of each event that the reader makes from the event's name.
//!
//! - `event_hash`: a number in [0, 1) that depends on (run, event) alone, never on files, their order, batches, or the
//!   luminosity block. It splits samples: `event_hash < 0.01` is a 1 % training sample. It is the upper 24 bits of the
//!   first word of Philox4x32-10, over 2^24, so f32 holds it exactly:
//!
//!   counter = (event low, event high, run, 0), key = (0x45764861, 0x5472776c); a file without `run` has run 0.
//!
//! - `fold_hash`: the same of the second word, so that the folds `floor(5 * fold_hash)` share out the training sample too,
//!   instead of one of them holding all of it.
//!
//! - `in_luminosity_mask`: 1 where the [`LuminosityMask`](super::LuminosityMask) of the
//!   [`ReadOptions`](super::ReadOptions) holds (run, luminosity block), else 0; 1 everywhere without a mask.
//!
//! A column of that name in the file comes first.
//!
//! ```
//! let hash = trawl::events::event_hash(1, 4711);
//! assert!((0.0..1.0).contains(&hash) && hash != trawl::events::event_hash(2, 4711));
//! ```

use super::luminosity::LuminosityMask;
use super::schema::Id;
use crate::math::philox::philox4x32_10;

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    EventHash,
    FoldHash,
    InLuminosityMask,
}

/// Whether there is a luminosity mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    Masked,
    Everything,
}

impl Masking {
    pub fn of(mask: Option<&LuminosityMask>) -> Self {
        mask.map_or(Self::Everything, |_| Self::Masked)
    }
}

impl Derived {
    pub fn named(name: &str) -> Option<Self> {
        [Self::EventHash, Self::FoldHash, Self::InLuminosityMask].into_iter().find(|derived| derived.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::EventHash => "event_hash",
            Self::FoldHash => "fold_hash",
            Self::InLuminosityMask => "in_luminosity_mask",
        }
    }

    /// Whether it is made from this part of the name, where a file has it.
    pub fn uses(self, id: Id, masking: Masking) -> bool {
        match self {
            Self::EventHash | Self::FoldHash => matches!(id, Id::Run | Id::Event),
            Self::InLuminosityMask => masking == Masking::Masked && matches!(id, Id::Run | Id::LuminosityBlock),
        }
    }

    /// Whether it cannot be made without.
    pub fn needs(self, id: Id, masking: Masking) -> bool {
        self.uses(id, masking) && (self == Self::InLuminosityMask || id == Id::Event)
    }
}

/// The number of an event by which samples are split: see the module's documentation.
pub fn event_hash(run: u32, event: u64) -> f32 {
    let [word, ..] = words(run, event);
    fraction(word)
}

/// The number of an event by which folds are made, independent of [`event_hash`]: see the module's documentation.
pub fn fold_hash(run: u32, event: u64) -> f32 {
    let [_, word, ..] = words(run, event);
    fraction(word)
}

fn words(run: u32, event: u64) -> [u32; 4] {
    /// "EvHa", "Trwl".
    const KEY: [u32; 2] = [0x4576_4861, 0x5472_776c];
    philox4x32_10([event as u32, (event >> 32) as u32, run, 0], KEY)
}

/// The upper 24 bits over 2^24, which is exact.
fn fraction(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_flat_exact_and_fixed() {
        // Frozen: training samples depend on it. From Philox in ten lines of Python, held against Random123's zeros.
        let known = [
            (0, 0, 3_230_430.0),
            (1, 4711, 9_956_693.0),
            (297_050, (1 << 40) + 5, 8_952_557.0),
            (u32::MAX, u64::MAX, 3_237_197.0),
        ];
        for (run, event, bits) in known {
            assert_eq!(event_hash(run, event) * 16_777_216.0, bits);
        }
        let n = 100_000u64;
        let below = (0..n).filter(|&event| event_hash(297_050, event) < 0.01).count();
        // 1000 are expected, with a standard deviation of 31.
        assert!((850..1150).contains(&below), "{below}");
        let mean = (0..n).map(|event| f64::from(event_hash(1, event << 33))).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        // Folds share out what training takes: 200 of 1000 each, with a standard deviation of 13.
        let training = (0..n).filter(|&event| event_hash(297_050, event) < 0.01);
        let mut folds = [0; 5];
        training.for_each(|event| folds[(5.0 * fold_hash(297_050, event)) as usize] += 1);
        assert!(folds.iter().all(|events| (140..260).contains(events)), "{folds:?}");
        for event in 0..1000 {
            let hash = event_hash(3, event) * 16_777_216.0;
            assert_eq!(hash, hash.trunc());
        }
    }
}
