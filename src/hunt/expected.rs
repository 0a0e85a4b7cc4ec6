//! The expectation of every window, and the windows that cannot be judged.

use std::fmt;
use std::ops::Range;

use super::{Normalisation, WindowId, Windows};
use crate::error::{Fault, Result};
use crate::spectrum::Expectation;

/// The expected content of every window, summed once on the host in the order of the cells, so that the CPU and CUDA
/// judge the same numbers.
#[derive(Debug, Clone)]
pub struct WindowExpectation {
    values: Vec<f64>,
    kept: Vec<WindowId>,
    kept_values: Vec<f64>,
    sidebands: Vec<Range<u32>>,
    outside: Vec<f64>,
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
    /// Nothing is expected beside it, so it cannot be scaled to its sidebands.
    NoSidebands,
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
            Self::NoSidebands => f.write_str("nothing is expected beside it"),
            Self::FewEffectiveEvents { effective, minimum } => {
                write!(f, "the expectation rests on {effective:.1} effective events, fewer than {minimum}")
            }
        }
    }
}

impl WindowExpectation {
    /// Sums an expectation over windows and leaves out those with nothing expected or fewer effective events than
    /// `minimum_effective`: for a scan with a fixed normalisation.
    ///
    /// # Errors
    /// An expectation of other cells, and one that leaves no window.
    pub fn new(windows: &Windows, expectation: &Expectation, minimum_effective: f64) -> Result<Self> {
        Self::normalised(windows, expectation, minimum_effective, Normalisation::Fixed)
    }

    /// The same for a scan with this `normalisation`: with sidebands, windows with nothing expected beside them are left
    /// out too.
    ///
    /// # Errors
    /// As [`WindowExpectation::new`].
    pub fn normalised(
        windows: &Windows,
        expectation: &Expectation,
        minimum_effective: f64,
        normalisation: Normalisation,
    ) -> Result<Self> {
        if expectation.values().len() != windows.cells() {
            let problem = format!("{} expected cells for {} cells", expectation.values().len(), windows.cells());
            return Err(Fault::new("hunt.scan", problem)
                .because("windows and expectation must share their cells")
                .data());
        }
        if normalisation == Normalisation::Sidebands && windows.heights() != [1] {
            let fault = Fault::new("hunt.scan", "windows over several rows cannot be scaled to their sidebands");
            let fault = fault.because("sidebands lie in the row of the window");
            return Err(fault.suggest("Use windows over single rows, or normalisation = \"fixed\".").usage());
        }
        let values: Vec<f64> = windows.ids().map(|window| expectation.sum(windows.cells_of(window))).collect();
        let rows = rows_with_expectation(windows, expectation.values());
        let beside: Vec<Beside> = windows.ids().map(|window| Beside::of(windows, window, &rows, expectation)).collect();
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for (window, value) in windows.ids().zip(&values) {
            let effective = expectation.effective_count(windows.cells_of(window));
            if *value <= 0.0 {
                left_out.push(LeftOut { window, reason: Reason::NothingExpected });
            } else if normalisation == Normalisation::Sidebands && beside[window.0 as usize].expected <= 0.0 {
                left_out.push(LeftOut { window, reason: Reason::NoSidebands });
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
        let sidebands = kept.iter().map(|window| beside[window.0 as usize].cells.clone()).collect();
        let outside = kept.iter().map(|window| beside[window.0 as usize].expected).collect();
        Ok(Self { values, kept, kept_values, sidebands, outside, left_out })
    }

    /// Leaves out those windows, too, that `other` (of as many windows) leaves out.
    pub(crate) fn without_those_left_out_of(&self, other: &Self) -> Self {
        let gone = |window: &WindowId| other.left_out.iter().find(|left| left.window == *window);
        let stays: Vec<usize> = (0..self.kept.len()).filter(|index| gone(&self.kept[*index]).is_none()).collect();
        let mut left_out = self.left_out.clone();
        left_out.extend(self.kept.iter().filter_map(gone));
        left_out.sort_by_key(|left| left.window);
        Self {
            values: self.values.clone(),
            kept: stays.iter().map(|index| self.kept[*index]).collect(),
            kept_values: stays.iter().map(|index| self.kept_values[*index]).collect(),
            sidebands: stays.iter().map(|index| self.sidebands[*index].clone()).collect(),
            outside: stays.iter().map(|index| self.outside[*index]).collect(),
            left_out,
        }
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

    /// The cells of each window that takes part together with those beside it: its row from the first to the last cell
    /// with an expectation.
    pub fn sidebands(&self) -> &[Range<u32>] {
        &self.sidebands
    }

    /// The expected content beside each window that takes part.
    pub fn outside(&self) -> &[f64] {
        &self.outside
    }

    /// The windows that do not, and why.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

/// The first cell with an expectation of each row, and the one after the last; empty where a row has none.
fn rows_with_expectation(windows: &Windows, values: &[f64]) -> Vec<Range<usize>> {
    let columns = windows.columns();
    let row = |(row, cells): (usize, &[f64])| {
        let first = cells.iter().position(|value| *value > 0.0).unwrap_or(0);
        let end = cells.iter().rposition(|value| *value > 0.0).map_or(first, |cell| cell + 1);
        row * columns + first..row * columns + end
    };
    values.chunks(columns).enumerate().map(row).collect()
}

/// A window with its sidebands.
struct Beside {
    cells: Range<u32>,
    expected: f64,
}

impl Beside {
    /// Sums what is expected in the row of a window and not in the window: where that is nothing, the sum is exactly 0,
    /// which the difference of two sums would not be.
    fn of(windows: &Windows, window: WindowId, rows: &[Range<usize>], expectation: &Expectation) -> Self {
        let (inside, row) = (windows.range(window), &rows[windows.row(window)]);
        let (start, end) = (row.start.min(inside.start), row.end.max(inside.end));
        let expected = expectation.sum(start..inside.start) + expectation.sum(inside.end..end);
        Self { cells: start as u32..end as u32, expected }
    }
}

/// The cells that hold events where none is expected, with their counts. They count in the windows that hold them if
/// anything else of the window has an expectation; a hunt cannot say how unlikely they are by themselves.
pub fn unexpected_events(expected: &[f64], observed: &[u64]) -> Vec<(usize, u64)> {
    let cells = expected.iter().zip(observed).enumerate();
    cells.filter(|(_, (b, d))| **b <= 0.0 && **d > 0).map(|(cell, (_, count))| (cell, *count)).collect()
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

    #[test]
    fn sidebands_reach_over_the_cells_with_an_expectation() {
        let edges: Vec<f64> = (0..6).map(f64::from).collect();
        let windows = Windows::new(vec![0.0, 1.0, 2.0], edges, &[1..2, 1..4, 0..1, 5..7, 6..9]).unwrap();
        // In the second row the only expectation is in cell 6.
        let cells = vec![0.0, 4.0, 0.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let expectation = Expectation::given(cells, None).unwrap();
        let sidebands = WindowExpectation::normalised(&windows, &expectation, 0.0, Normalisation::Sidebands).unwrap();
        assert_eq!(sidebands.kept(), [WindowId(0)]);
        assert_eq!((sidebands.sidebands(), sidebands.outside()), (std::slice::from_ref(&(1..4)), &[2.0][..]));
        let reasons: Vec<Reason> = sidebands.left_out().iter().map(|left| left.reason).collect();
        assert_eq!(reasons, [Reason::NoSidebands, Reason::NothingExpected, Reason::NoSidebands, Reason::NoSidebands]);
        let fixed = WindowExpectation::new(&windows, &expectation, 0.0).unwrap();
        assert_eq!(fixed.kept().len(), 4);
        let both = fixed.without_those_left_out_of(&sidebands);
        assert_eq!((both.kept(), both.left_out()), (sidebands.kept(), sidebands.left_out()));
    }

    #[test]
    fn events_where_none_is_expected_are_listed() {
        assert_eq!(unexpected_events(&[0.0, 1.0, 0.0, 0.0], &[3, 4, 0, 1]), [(0, 3), (3, 1)]);
    }
}
