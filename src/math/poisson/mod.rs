//! Poisson draws by inversion of 64-bit thresholds.
//!
//! With T\[k\] = floor(2^64 P(N <= k)), a uniform 64-bit number u draws the number of thresholds that are <= u; so
//! N = k exactly where T\[k-1\] <= u < T\[k\]. Kept are the thresholds that 64 bits resolve, 0 < T\[k\] < 2^64 - 1; the
//! zeros below are counted in [`PoissonTable::first`].
//!
//! **Accuracy.** The probabilities come from the recurrences q(k+1) = q(k) mean/(k+1) and q(k-1) = q(k) k/mean from the
//! mode outwards, in double-double arithmetic and normalised by their own sum, so no exponential or factorial enters.
//! The error of every P(N <= k) is below 2^-63 for means up to 1e7 (tested against mpmath), of which 2^-64 is the floor.
//!
//! **Tails**: [`PoissonTable::at_least`] tabulates N given N >= n in the same way, from n upwards, so that a tail of 8 or 30
//! sigma has as many thresholds as any and the same error.
//!
//! **Memory**: 8 bytes an entry, at most [`largest_entries`] = 19 sqrt(mean) + 24 entries: 52 at mean 1, 214 at mean
//! 100, 19,024 at mean 1e6. **Cost** of a draw: a binary search, 5 to 15 steps.
//!
//! ```
//! use trawl::math::poisson::PoissonTable;
//! let table = PoissonTable::new(3.0)?;
//! assert_eq!(table.draw(1 << 63), 3); // the median
//! # Ok::<(), trawl::Error>(())
//! ```

use super::det::{DoubleDouble, add_double, divide_double, multiply_double};
use crate::error::{Fault, Result};
use sha2::{Digest, Sha256};

/// The largest mean of a table: above, the entries pass 4.8 MB and draws could leave 32 bits.
pub const LARGEST_MEAN: f64 = 1e9;

/// The largest count that a tail may begin with.
pub const LARGEST_LEAST: u32 = 1 << 31;

const NAME: &str = "math.poisson";

/// Terms below this part of the largest are left out: together less than 2^-76.
const NEGLIGIBLE: f64 = 8.077935669463161e-28; // 2^-90

/// At most this many thresholds are kept for `mean`.
pub fn largest_entries(mean: f64) -> usize {
    (19.0 * mean.sqrt()) as usize + 24
}

/// The thresholds of one mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoissonTable {
    first: u32,
    thresholds: Vec<u64>,
}

/// What the upper 32 bits of a draw decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HighDraw {
    /// The draw, whatever the lower 32 bits.
    Decided(u32),
    /// The lower 32 bits decide.
    Open,
}

impl PoissonTable {
    /// The table of `mean`, which is taken as the exact value of the double. Mean 0 always draws 0.
    ///
    /// Cost: about 30 sqrt(mean) double-double divisions (1 s at the largest mean).
    ///
    /// # Errors
    /// Where `mean` is negative, not finite, or above [`LARGEST_MEAN`].
    pub fn new(mean: f64) -> Result<Self> {
        Self::at_least(mean, 0)
    }

    /// The table of `mean` given `least` events or more: T\[k\] = floor(2^64 P(N <= k | N >= least)).
    ///
    /// ```
    /// use trawl::math::poisson::PoissonTable;
    /// let tail = PoissonTable::at_least(3.0, 20)?; // P(N >= 20) = 8e-11
    /// assert_eq!((tail.draw(0), tail.draw(1 << 63), tail.draw(u64::MAX - 1)), (20, 20, 39));
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// Cost: as [`PoissonTable::new`], or less.
    ///
    /// # Errors
    /// As [`PoissonTable::new`]; a `least` above [`LARGEST_LEAST`], or above 0 where the mean is 0.
    pub fn at_least(mean: f64, least: u32) -> Result<Self> {
        if !(0.0..=LARGEST_MEAN).contains(&mean) {
            return Err(Fault::new(NAME, format!("the mean of a Poisson distribution is {mean:e}"))
                .because("it must lie within 0 and 1e9")
                .suggest("Check the expected counts")
                .data());
        }
        if least > LARGEST_LEAST || (mean == 0.0 && least > 0) {
            let fault = Fault::new(NAME, format!("{least} events or more are asked of a mean of {mean:e}"));
            return Err(fault.because("a mean of 0 has none, and draws have 31 bits").data());
        }
        if mean == 0.0 {
            return Ok(Self { first: 0, thresholds: Vec::new() });
        }
        let (lowest, terms) = terms_from(mean, least);
        Ok(Self::of_terms(lowest, &terms))
    }

    /// The table of the numbers from `lowest` on with probabilities proportional to `terms`.
    fn of_terms(lowest: u32, terms: &[DoubleDouble]) -> Self {
        let total = terms.iter().fold(double(0.0), |sum, &term| add_double(sum, term));
        // A product takes a third of the time of a quotient, and its error of 2^-102 is as far below the floor of 2^-64.
        let scale = divide_double(double(1.0), total);
        let (mut first, mut thresholds) = (lowest, Vec::new());
        let mut cumulative = double(0.0);
        for term in terms {
            cumulative = add_double(cumulative, *term);
            match threshold(multiply_double(cumulative, scale)) {
                0 => first += 1,
                u64::MAX => break,
                resolved => thresholds.push(resolved),
            }
        }
        Self { first, thresholds }
    }

    /// What is drawn below the first threshold: the number of T\[k\] that are 0.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// T\[first\], T\[first + 1\], ..., never falling; none of them 0 or 2^64 - 1.
    pub fn thresholds(&self) -> &[u64] {
        &self.thresholds
    }

    /// The number drawn by 64 random bits: [`first`](Self::first) plus the number of thresholds <= `u`.
    #[inline]
    pub fn draw(&self, u: u64) -> u32 {
        self.first + count_at_most(&self.thresholds, u)
    }

    /// The number drawn by 64 random bits of which only the upper half is known, if that decides.
    ///
    /// For every `low`, `Decided(n)` means n = `draw(join(high, low))`. Open is at most one in 2^32 / entries.
    #[inline]
    pub fn draw_high(&self, high: u32) -> HighDraw {
        let least = count_at_most(&self.thresholds, (high as u64) << 32);
        let most = count_at_most(&self.thresholds, ((high as u64) << 32) | 0xffff_ffff);
        if least == most { HighDraw::Decided(self.first + least) } else { HighDraw::Open }
    }

    /// sha256 of `first` (4 bytes) and the thresholds (8 bytes each), little-endian, in hexadecimal.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.first.to_le_bytes());
        self.thresholds.iter().for_each(|threshold| hash.update(threshold.to_le_bytes()));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Bytes of the thresholds.
    pub fn bytes(&self) -> u64 {
        8 * self.thresholds.len() as u64
    }
}

/// How many of the never falling `thresholds` are <= `u`: at most 32 steps of a binary search.
#[inline]
pub fn count_at_most(thresholds: &[u64], u: u64) -> u32 {
    let (mut below, mut above) = (0u32, thresholds.len() as u32);
    while below < above {
        let middle = below + (above - below) / 2;
        if thresholds[middle as usize] <= u {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    below
}

/// q(lowest), q(lowest + 1), ... with `lowest` at least `least`, relative to the largest, until they are negligible on
/// both sides. The largest is at the mode, or at `least` above it.
fn terms_from(mean: f64, least: u32) -> (u32, Vec<DoubleDouble>) {
    let largest = least.max(mean as u32);
    let inverse = divide_double(double(1.0), double(mean));
    let mut terms = vec![double(1.0)];
    let (mut lowest, mut term) = (largest, double(1.0));
    while lowest > least && term.high > NEGLIGIBLE {
        term = multiply_double(multiply_double(term, double(f64::from(lowest))), inverse);
        lowest -= 1;
        terms.push(term);
    }
    terms.reverse();
    let mut k = f64::from(largest);
    term = double(1.0);
    while term.high > NEGLIGIBLE {
        k += 1.0;
        term = divide_double(multiply_double(term, double(mean)), double(k));
        terms.push(term);
    }
    (lowest, terms)
}

/// Splits 64 bits among weights in proportion: T\[k\] = floor(2^64 (w\[0\] + ... + w\[k\]) / total) for all but the last, so that
/// [`count_at_most`] of a uniform u is k with the probability of weight k; a weight of 0 has at most 2^-64.
///
/// The error of every probability is below 2^-63, of which 2^-64 is the floor; weights are 0 or more, finite, and not all 0.
pub fn share_thresholds(weights: &[f64]) -> Vec<u64> {
    let total = weights.iter().fold(double(0.0), |sum, weight| add_double(sum, double(*weight)));
    let mut cumulative = double(0.0);
    let but_last = &weights[..weights.len().saturating_sub(1)];
    let mut shares = Vec::with_capacity(but_last.len());
    for weight in but_last {
        cumulative = add_double(cumulative, double(*weight));
        shares.push(if cumulative.high > 0.0 { threshold(divide_double(cumulative, total)) } else { 0 });
    }
    shares
}

/// floor(2^64 p) for 0 < p <= 1, at most 2^64 - 1.
fn threshold(p: DoubleDouble) -> u64 {
    const TWO_64: f64 = 18446744073709551616.0;
    let (high, low) = (p.high * TWO_64, p.low * TWO_64);
    // Without the 65th bit, where the lower part is missing from it: it is at most 2^11.
    let whole = if high < TWO_64 { high as u64 } else { 0 };
    let rest = if high < TWO_64 { (high - whole as f64) + low } else { low };
    let mut floor = rest as i64;
    // Conversion cuts towards 0; `f64::floor` is a call without SSE 4.1.
    if rest < floor as f64 {
        floor -= 1;
    }
    match high < TWO_64 {
        true => whole.saturating_add_signed(floor),
        false if floor < 0 => floor as u64,
        false => u64::MAX,
    }
}

fn double(high: f64) -> DoubleDouble {
    DoubleDouble { high, low: 0.0 }
}

#[cfg(test)]
#[rustfmt::skip]
mod golden;
#[cfg(test)]
mod tests;
