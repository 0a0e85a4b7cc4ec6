//! The expectation of every window, and the windows that cannot be judged.

use std::fmt;

use super::{WindowId, Windows};
use crate::error::{Fault, Result};
use crate::spectrum::Expectation;

/// The expected content of every window, summed once on the host in the order of the cells, so that the CPU and CUDA
/// judge the same numbers.
#[derive(Debug, Clone)]
pub struct WindowExpectation {
    values: Vec<f64>,
    kept: Vec<WindowId>,
    kept_values: Vec<f64>,
    left_out: Vec<LeftOut>,
}

/// A window that takes no part, in the data as in the toys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeftOut {
    /// Which one.
    pub window: WindowId,
    /// Why.
    pub reason: Reason,
}

/// Why a window takes no part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// Nothing is expected, so a single event would have p = 0.
    NothingExpected,
    /// The expectation rests on too few effective events.
    FewEffectiveEvents {
        /// The window's effective number of events.
        effective: f64,
        /// The smallest number that was asked for.
        minimum: f64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingExpected => f.write_str("nothing is expected"),
            Self::FewEffectiveEvents { effective, minimum } => {
                write!(f, "the expectation rests on {effective:.1} effective events, fewer than {minimum}")
            }
        }
    }
}

impl WindowExpectation {
    /// Sums an expectation over windows and leaves out those with nothing expected or fewer effective events than
    /// `minimum_effective`.
    ///
    /// # Errors
    /// An expectation of other cells, and one that leaves no window.
    pub fn new(windows: &Windows, expectation: &Expectation, minimum_effective: f64) -> Result<Self> {
        if expectation.values().len() != windows.cells() {
            let problem = format!("{} expected cells for {} cells", expectation.values().len(), windows.cells());
            return Err(Fault::new("hunt.scan", problem)
                .because("windows and expectation must share their cells")
                .data());
        }
        let values: Vec<f64> = windows.ids().map(|window| expectation.sum(windows.range(window))).collect();
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for (window, value) in windows.ids().zip(&values) {
            let effective = expectation.effective_count(windows.range(window));
            if *value <= 0.0 {
                left_out.push(LeftOut { window, reason: Reason::NothingExpected });
            } else if effective < minimum_effective {
                let reason = Reason::FewEffectiveEvents { effective, minimum: minimum_effective };
                left_out.push(LeftOut { window, reason });
            } else {
                kept.push(window);
            }
        }
        if kept.is_empty() {
            let problem = format!("all {} windows are left out", windows.len());
            return Err(Fault::new("hunt.scan", problem)
                .because(format!("of the first, {}", left_out[0].reason))
                .suggest("Use a larger simulation, wider windows, or a smaller minimum of effective events.")
                .data());
        }
        let kept_values = kept.iter().map(|window| values[window.0 as usize]).collect();
        Ok(Self { values, kept, kept_values, left_out })
    }

    /// The expected content of every window, left out or not.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The windows that take part, in order.
    pub fn kept(&self) -> &[WindowId] {
        &self.kept
    }

    /// The expected content of each window that takes part.
    pub fn kept_values(&self) -> &[f64] {
        &self.kept_values
    }

    /// The windows that do not, and why.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_without_expectation_or_statistics_are_listed() {
        let edges: Vec<f64> = (0..6).map(f64::from).collect();
        let windows = Windows::new(vec![0.0, 1.0], edges, &[0..1, 1..2, 2..4, 4..5]).unwrap();
        let expectation =
            Expectation::given(vec![9.0, 4.0, 0.0, 0.0, 1.0], Some(vec![3.0, 1.0, 0.0, 0.0, 1.0])).unwrap();
        let expected = WindowExpectation::new(&windows, &expectation, 5.0).unwrap();
        assert_eq!(expected.kept(), [WindowId(0), WindowId(1)]);
        assert_eq!(expected.kept_values(), [9.0, 4.0]);
        let few = Reason::FewEffectiveEvents { effective: 1.0, minimum: 5.0 };
        let left_out = [
            LeftOut { window: WindowId(2), reason: Reason::NothingExpected },
            LeftOut { window: WindowId(3), reason: few },
        ];
        assert_eq!(expected.left_out(), left_out);
        let error = WindowExpectation::new(&windows, &expectation, 100.0).unwrap_err().to_string();
        assert!(error.contains("all 4 windows are left out"), "{error}");
    }
}
