//! How many toys that all exceed: what [`toys.tail`](super::tail) and [`toys.smeared_tail`](super::smeared_tail) have in common.
//!
//! Chunks of 2,000 toys, numbered from the first on; after each the relative standard error of the p-value is looked at. It is
//! that of the toys up to there and nothing else, so every device and number of threads stops at the same toy.
//!
//! **Why the rule may look at its own toys.** A p-value is a mean of weights with the coefficient of variation `c` and the
//! skewness `g`. To stop at the relative error `a` takes about `(c / a)^2` toys; where that number is known from the toys, the
//! mean is off by about `a^2 (2 - g / c)` of itself (Wald's identity, to first order). At 0.5 % that is some 1e-5, a hundredth of
//! the error: `g / c` is of order one for `toys.tail`, whose weights `1/K` lie within 0 and 1; the first look is after 4,000
//! toys, when the error itself is known to a few percent, and later ones are chunks apart. The weights of `toys.smeared_tail`
//! spread more (`c` is 2.3 in the benchmark's plane); there a test over many seeds sees no bias, to 0.3 %.

use std::ops::Range;

use super::{Stopped, Stopping};
use crate::error::Result;

/// Toys between two decisions, and between two calls of whoever watches.
pub const TOYS_A_CHUNK: u64 = 2_000;

/// The fewest toys that stop at an accuracy: then their error is itself known to a few percent.
pub const FEWEST_TOYS: u64 = 4_000;

/// The most toys unless a card says otherwise.
pub const USUAL_MAXIMUM: u64 = 400_000;

/// Which toys that all exceed are thrown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExceedingToys {
    /// The seed.
    pub seed: u64,
    /// The number of the first toy.
    pub first_toy: u64,
    /// When to stop.
    pub stopping: Stopping,
}

impl ExceedingToys {
    /// The numbers of all toys that may be thrown.
    pub(crate) fn all(&self) -> Range<u64> {
        self.first_toy..self.first_toy.saturating_add(self.stopping.most())
    }

    /// Throws chunks until it is time to stop: `add` throws one and adds it to the tally, `relative_error` is that of a tally, if
    /// it has one.
    ///
    /// # Errors
    /// What `add` answers.
    pub(crate) fn throw<T>(
        &self,
        mut tally: T,
        relative_error: impl Fn(&T) -> Option<f64>,
        mut add: impl FnMut(&mut T, Range<u64>) -> Result<()>,
    ) -> Result<(T, Stopped)> {
        let Range { start, end } = self.all();
        let mut next = start;
        loop {
            let chunk = next..end.min(next.saturating_add(TOYS_A_CHUNK));
            next = chunk.end;
            add(&mut tally, chunk)?;
            if let Some(stopped) = self.stopping.verdict_at(next - start, relative_error(&tally)) {
                return Ok((tally, stopped));
            }
        }
    }
}

/// When to stop at the relative error `accuracy`, with at most `maximum` toys.
pub fn at_accuracy(accuracy: f64, maximum: u64) -> Stopping {
    Stopping::Accurate { relative: accuracy, minimum: FEWEST_TOYS.min(maximum), maximum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chunks of toys whose relative error is `1 / sqrt(toys)`.
    fn thrown(stopping: Stopping) -> (Vec<Range<u64>>, Stopped) {
        let toys = ExceedingToys { seed: 1, first_toy: 7, stopping };
        let number = |chunks: &Vec<Range<u64>>| chunks.iter().map(|chunk| chunk.end - chunk.start).sum::<u64>();
        let error = |chunks: &Vec<Range<u64>>| Some(1.0 / (number(chunks) as f64).sqrt());
        toys.throw(Vec::new(), error, |chunks, chunk| {
            chunks.push(chunk);
            Ok(())
        })
        .unwrap()
    }

    #[test]
    fn toys_stop_where_a_chunk_ends() {
        assert_eq!(thrown(Stopping::After(2500)), (vec![7..2007, 2007..2507], Stopped::Number));
        let (chunks, stopped) = thrown(at_accuracy(0.1, 400_000));
        assert_eq!(chunks, [7..2007, 2007..4007]);
        assert!(matches!(stopped, Stopped::Accuracy { wanted: 0.1, reached } if reached < 0.016));
        // 0.01 takes 10,000 toys.
        assert_eq!(thrown(at_accuracy(0.01, 400_000)).0.last(), Some(&(8007..10_007)));
        let (chunks, stopped) = thrown(at_accuracy(0.01, 5000));
        assert_eq!(chunks.last(), Some(&(4007..5007)));
        assert!(matches!(stopped, Stopped::Maximum { wanted: 0.01, reached: Some(_) }));
        assert_eq!(thrown(at_accuracy(0.1, 300)).0, vec![7..307]);
    }
}
