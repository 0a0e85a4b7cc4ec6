//! Which cells each window sums.

use std::collections::HashSet;
use std::ops::Range;

use crate::error::{Fault, Problems, Result};
use crate::settings::Section;

const NAME: &str = "hunt.windows";

/// The index of a window in its [`Windows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowId(pub u32);

/// Windows over flat cells.
///
/// The cells of a plane are numbered row by row (`cell = row * cells_per_row + column`); a spectrum is one row. A window
/// is a half-open range `[start, end)` of flat cells within one row, and the same range in as many rows above it as its
/// height says. Its content is the difference of two prefix sums for each row, whatever its width.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    row_edges: Vec<f64>,
    column_edges: Vec<f64>,
    start: Vec<u32>,
    end: Vec<u32>,
    height: Vec<u32>,
}

/// The first cell of each window in its lowest row, the cell after its last there, and its number of rows: columns for the
/// kernels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shapes {
    /// The first cell of each window in its lowest row.
    pub start: Vec<u32>,
    /// The cell after the last of each window in its lowest row.
    pub end: Vec<u32>,
    /// The rows of each window.
    pub height: Vec<u32>,
}

/// How far a window moves between two positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// By this number of bins.
    Bins(usize),
    /// By the window's width: windows of one width do not overlap.
    Full,
    /// By half the window's width, at least one bin.
    Half,
}

/// The windows of a BumpHunter: every width from `width_min` to `width_max` bins at every position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BumpHunter {
    /// The narrowest window, in bins.
    pub width_min: usize,
    /// The widest window, in bins; `None` is half of the bins that take part.
    pub width_max: Option<usize>,
    /// From one width to the next, in bins.
    pub width_step: usize,
    /// From one position to the next.
    pub position_step: Step,
    /// As many bins at either end belong to no window, so that every window has sidebands of at least this width.
    pub sideband_width: usize,
}

impl Default for BumpHunter {
    fn default() -> Self {
        Self { width_min: 1, width_max: None, width_step: 1, position_step: Step::Bins(1), sideband_width: 0 }
    }
}

impl BumpHunter {
    /// Reads `width_min`, `width_max`, `width_step`, `position_step` (a number of bins, `"full"` or `"half"`) and
    /// `sideband_width`.
    pub fn read(section: &Section) -> Self {
        let default = Self::default();
        let position_step = section.optional("position_step").map_or(default.position_step, |StepSetting(step)| step);
        let read = Self {
            width_min: section.or("width_min", default.width_min),
            width_max: section.optional("width_max"),
            width_step: section.or("width_step", default.width_step),
            position_step,
            sideband_width: section.or("sideband_width", default.sideband_width),
        };
        section.check(read.check());
        read
    }

    /// Checks the widths and steps.
    ///
    /// # Errors
    /// Every one that cannot be honoured.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut at_least_one = |name: &str, bins: usize| {
            if bins == 0 {
                let fault = Fault::new(NAME, format!("{name} is 0")).because("a window would never grow or move");
                problems.push(fault.suggest("Use 1 or more bins.").usage());
            }
        };
        at_least_one("width_min", self.width_min);
        at_least_one("width_step", self.width_step);
        if let Step::Bins(bins) = self.position_step {
            at_least_one("position_step", bins);
        }
        if let Some(width_max) = self.width_max.filter(|width| *width < self.width_min) {
            let fault = Fault::new(NAME, format!("width_max {width_max} is below width_min {}", self.width_min));
            problems.push(fault.because("there would be no window").usage());
        }
        problems.finish()
    }
}

struct StepSetting(Step);

impl crate::settings::Setting for StepSetting {
    const EXAMPLE: &'static str = "1";

    fn read(value: &crate::settings::Value) -> Result<Self, String> {
        if let Ok(bins) = usize::read(value) {
            return Ok(Self(Step::Bins(bins)));
        }
        match String::read(value).as_deref() {
            Ok("full") => Ok(Self(Step::Full)),
            Ok("half") => Ok(Self(Step::Half)),
            _ => Err(format!("expected a number of bins, \"full\" or \"half\", got {}", value.kind())),
        }
    }
}

impl Windows {
    /// The windows `ranges` (flat cells) over rows and columns with the given edges.
    ///
    /// # Errors
    /// Edges that do not rise, no window, more cells than 2^31, and every window that is empty, leaves the cells, or
    /// reaches over the end of a row.
    pub fn new(row_edges: Vec<f64>, column_edges: Vec<f64>, ranges: &[Range<usize>]) -> Result<Self> {
        let mut problems = Problems::default();
        for (what, edges) in [("row", &row_edges), ("column", &column_edges)] {
            problems.take(check_edges(what, edges));
        }
        if ranges.is_empty() {
            problems.push(Fault::new(NAME, "there is no window").because("nothing could be hunted").usage());
        }
        let (rows, columns) = (row_edges.len().saturating_sub(1), column_edges.len().saturating_sub(1));
        let cells = rows.saturating_mul(columns);
        if cells >= 1 << 31 {
            let fault = Fault::new(NAME, format!("{rows} x {columns} cells are too many"));
            problems.push(fault.because("cells are numbered in 31 bits").usage());
        }
        for (index, range) in ranges.iter().enumerate() {
            let inside = range.start < range.end && range.end <= cells && columns > 0;
            if !inside || range.start / columns != (range.end - 1) / columns {
                let fault = Fault::new(NAME, format!("window {index} holds cells {} to {}", range.start, range.end));
                problems
                    .push(fault.because(format!("it must lie in one of the {rows} rows of {columns} cells")).usage());
            }
        }
        problems.finish()?;
        let start = ranges.iter().map(|range| range.start as u32).collect();
        let end = ranges.iter().map(|range| range.end as u32).collect();
        let height = vec![1; ranges.len()];
        Ok(Self { row_edges, column_edges, start, end, height })
    }

    /// The windows of a spectrum with `edges`: bins with an expectation of 0 are dropped at both ends, then every width
    /// is tried at every position, narrow ones first (the order of pyBumpHunter).
    ///
    /// ```
    /// use trawl::hunt::{BumpHunter, Windows};
    /// let hunter = BumpHunter { width_min: 1, width_max: Some(2), ..BumpHunter::default() };
    /// let windows = Windows::spectrum(&[0.0, 1.0, 2.0, 3.0, 4.0], &[5.0, 3.0, 2.0, 0.0], &hunter)?;
    /// assert_eq!(windows.len(), 3 + 2);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// Settings that cannot be honoured, edges that do not fit the bins, or no window at all.
    pub fn spectrum(edges: &[f64], expected: &[f64], hunter: &BumpHunter) -> Result<Self> {
        hunter.check()?;
        if edges.len() != expected.len() + 1 {
            let problem = format!("{} edges for {} bins", edges.len(), expected.len());
            return Err(Fault::new(NAME, problem).because("a spectrum has one edge more than bins").data());
        }
        let first = expected.iter().position(|bin| *bin > 0.0).unwrap_or(0);
        let last = expected.iter().rposition(|bin| *bin > 0.0).map_or(first, |bin| bin + 1);
        let margin = hunter.sideband_width.min((last - first) / 2);
        let (first, last) = (first + margin, last - margin);
        let width_max = hunter.width_max.unwrap_or((last - first) / 2).min(last - first);
        let mut ranges = Vec::new();
        for width in (hunter.width_min..=width_max).step_by(hunter.width_step) {
            let step = match hunter.position_step {
                Step::Bins(bins) => bins,
                Step::Full => width,
                Step::Half => (width / 2).max(1),
            };
            ranges.extend((first..=last - width).step_by(step).map(|start| start..start + width));
        }
        Self::new(vec![0.0, 1.0], edges.to_vec(), &ranges)
    }

    /// The windows from `low` to `high` of a spectrum with `edges`, each of which is a union of its cells.
    ///
    /// ```
    /// use trawl::hunt::Windows;
    /// let windows = Windows::listed(&[60.0, 75.0, 90.0, 110.0], &[(60.0, 90.0), (75.0, 110.0)])?;
    /// assert_eq!(windows.ids().map(|id| windows.range(id)).collect::<Vec<_>>(), [0..2, 1..3]);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Windows::new`], and all at once every window that begins or ends within a cell or outside of them, or is listed
    /// twice.
    pub fn listed(edges: &[f64], bounds: &[(f64, f64)]) -> Result<Self> {
        check_edges("column", edges)?;
        let mut problems = Problems::default();
        let mut ranges = Vec::new();
        let mut seen = HashSet::new();
        for (low, high) in bounds {
            // Edges rise, so that one is at most at one place.
            let cell = |edge: &f64| {
                let place = edges.partition_point(|known| known < edge);
                (edges.get(place) == Some(edge)).then_some(place)
            };
            match (cell(low), cell(high)) {
                (Some(start), Some(end)) if start < end => {
                    if !seen.insert((start, end)) {
                        let fault = Fault::new(NAME, format!("the window [{low}, {high}] is listed twice"));
                        problems.push(fault.because("it would be one more trial of the same").usage());
                    }
                    ranges.push(start..end);
                }
                _ => {
                    let fault = Fault::new(NAME, format!("the window [{low}, {high}] is no union of cells"));
                    problems.push(
                        fault
                            .because("the toys draw cells, so a window begins and ends at edges of cells, the lower one first")
                            .suggest("Move it to the nearest edges, or make the cells finer.")
                            .usage(),
                    );
                }
            }
        }
        problems.finish()?;
        Self::new(vec![0.0, 1.0], edges.to_vec(), &ranges)
    }

    /// The same `ranges` of columns in every row of a plane, row by row.
    ///
    /// # Errors
    /// As [`Windows::new`].
    pub fn plane(row_edges: Vec<f64>, column_edges: Vec<f64>, ranges: &[Range<usize>]) -> Result<Self> {
        let (rows, columns) = (row_edges.len().saturating_sub(1), column_edges.len().saturating_sub(1));
        let flat: Vec<_> = (0..rows)
            .flat_map(|row| ranges.iter().map(move |range| row * columns + range.start..row * columns + range.end))
            .collect();
        Self::new(row_edges, column_edges, &flat)
    }

    /// The same `ranges` of columns in every run of rows of a plane: for each of the `heights`, in their order, windows over so
    /// many adjacent rows at every place, row by row.
    ///
    /// ```
    /// use trawl::hunt::{WindowId, Windows};
    /// let (m_y, m_x) = (vec![1000.0, 1500.0, 2000.0, 2500.0], vec![60.0, 75.0, 90.0]);
    /// let windows = Windows::plane_of_heights(m_y, m_x, &[0..1, 0..2], &[1, 2])?;
    /// assert_eq!(windows.len(), 3 * 2 + 2 * 2);
    /// let last = WindowId(9);
    /// assert_eq!((windows.row_bounds(last), windows.bounds(last)), ((1500.0, 2500.0), (60.0, 90.0)));
    /// assert_eq!(windows.cells_of(last).collect::<Vec<_>>(), [2, 3, 4, 5]);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Windows::new`], no height, and every height that is 0, listed twice, or above the number of rows.
    pub fn plane_of_heights(
        row_edges: Vec<f64>,
        column_edges: Vec<f64>,
        ranges: &[Range<usize>],
        heights: &[usize],
    ) -> Result<Self> {
        let mut all = Self::plane(row_edges, column_edges, ranges)?;
        let (rows, columns) = (all.rows(), all.columns());
        let mut problems = Problems::default();
        if heights.is_empty() {
            let fault = Fault::new(NAME, "there is no height").because("a window holds one or more rows");
            problems.push(fault.usage());
        }
        for (index, height) in heights.iter().enumerate() {
            let fault = Fault::new(NAME, format!("windows over {height} rows"));
            if *height == 0 || *height > rows {
                problems.push(fault.because(format!("1 to {rows} adjacent rows can be joined")).usage());
            } else if heights[..index].contains(height) {
                problems.push(fault.because("each height is listed once").usage());
            }
        }
        problems.finish()?;
        (all.start, all.end, all.height) = Default::default();
        for height in heights {
            for row in 0..=rows - height {
                all.start.extend(ranges.iter().map(|range| (row * columns + range.start) as u32));
                all.end.extend(ranges.iter().map(|range| (row * columns + range.end) as u32));
                all.height.extend(ranges.iter().map(|_| *height as u32));
            }
        }
        Ok(all)
    }

    /// The number of windows.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is no window; never true for windows that were checked.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// All windows, in order.
    pub fn ids(&self) -> impl Iterator<Item = WindowId> + use<> {
        (0..self.start.len() as u32).map(WindowId)
    }

    /// The number of rows: 1 for a spectrum, the m_Y bins of a plane.
    pub fn rows(&self) -> usize {
        self.row_edges.len() - 1
    }

    /// The number of cells in a row.
    pub fn columns(&self) -> usize {
        self.column_edges.len() - 1
    }

    /// The number of flat cells.
    pub fn cells(&self) -> usize {
        self.rows() * self.columns()
    }

    /// The edges of the rows.
    pub fn row_edges(&self) -> &[f64] {
        &self.row_edges
    }

    /// The edges of the cells in a row.
    pub fn column_edges(&self) -> &[f64] {
        &self.column_edges
    }

    /// The flat cells of a window in its lowest row; all its cells where it has no other.
    pub fn range(&self, window: WindowId) -> Range<usize> {
        self.start[window.0 as usize] as usize..self.end[window.0 as usize] as usize
    }

    /// The flat cells of a window, a range for each of its rows.
    pub fn ranges(&self, window: WindowId) -> impl Iterator<Item = Range<usize>> + Clone + use<> {
        let (range, columns) = (self.range(window), self.columns());
        (0..self.height(window)).map(move |row| range.start + row * columns..range.end + row * columns)
    }

    /// The flat cells of a window, in order.
    pub fn cells_of(&self, window: WindowId) -> impl Iterator<Item = usize> + Clone + use<> {
        self.ranges(window).flatten()
    }

    /// The number of adjacent rows of a window.
    pub fn height(&self, window: WindowId) -> usize {
        self.height[window.0 as usize] as usize
    }

    /// The heights that there are, in the order of the windows.
    pub fn heights(&self) -> Vec<usize> {
        let mut heights: Vec<usize> = Vec::new();
        for height in self.height.iter().map(|height| *height as usize) {
            if !heights.contains(&height) {
                heights.push(height);
            }
        }
        heights
    }

    /// The lowest row of a window.
    pub fn row(&self, window: WindowId) -> usize {
        self.range(window).start / self.columns()
    }

    /// Where the rows of a window begin and end: the m_Y bins of a plane.
    pub fn row_bounds(&self, window: WindowId) -> (f64, f64) {
        let row = self.row(window);
        (self.row_edges[row], self.row_edges[row + self.height(window)])
    }

    /// Where a window begins and ends along its row: the bump of a spectrum, the m_X window of a plane.
    pub fn bounds(&self, window: WindowId) -> (f64, f64) {
        let (range, offset) = (self.range(window), self.row(window) * self.columns());
        (self.column_edges[range.start - offset], self.column_edges[range.end - offset])
    }

    /// The flat cells that are in no window, in order: before the first of a row, after its last, or in a gap between.
    pub fn cells_in_none(&self) -> Vec<usize> {
        // At each cell: how many ranges begin less how many end.
        let mut change = vec![0_i64; self.cells() + 1];
        for range in self.ids().flat_map(|window| self.ranges(window)) {
            change[range.start] += 1;
            change[range.end] -= 1;
        }
        let mut covering = 0;
        let in_none = |cell: &usize| {
            covering += change[*cell];
            covering == 0
        };
        (0..self.cells()).filter(in_none).collect()
    }

    /// Where the windows `kept` are, as columns for the kernels.
    pub fn shapes(&self, kept: &[WindowId]) -> Shapes {
        let of = |column: &[u32]| kept.iter().map(|window| column[window.0 as usize]).collect();
        Shapes { start: of(&self.start), end: of(&self.end), height: of(&self.height) }
    }
}

/// The content of a window by the running sums of all cells: from cell `start` to `end` in its lowest row of `columns` cells,
/// and the same cells in each row above; the twin of `block::content`. Its lower 32 bits are that of sums of 32 bits.
#[inline]
pub(crate) fn content<T: Copy + Into<u64>>(sums: &[T], (start, end): (u32, u32), height: u32, columns: u32) -> u64 {
    let sum = |cell: u32| -> u64 { sums[cell as usize].into() };
    let in_row = |row: u32| sum(end + row * columns).wrapping_sub(sum(start + row * columns));
    (0..height).fold(0, |all, row| all.wrapping_add(in_row(row)))
}

fn check_edges(what: &str, edges: &[f64]) -> Result<()> {
    let rise = edges.len() >= 2 && edges.iter().all(|edge| edge.is_finite()) && edges.windows(2).all(|e| e[0] < e[1]);
    if rise {
        return Ok(());
    }
    let fault = Fault::new(NAME, format!("the {what} edges {edges:?} do not rise"));
    Err(fault.because("at least two finite, strictly rising edges make a bin").usage())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(hunter: BumpHunter, expected: &[f64]) -> Result<usize> {
        let edges: Vec<f64> = (0..=expected.len()).map(|edge| edge as f64).collect();
        Windows::spectrum(&edges, expected, &hunter).map(|windows| windows.len())
    }

    #[test]
    fn all_widths_at_all_positions() {
        let hunter = BumpHunter { width_min: 2, width_max: Some(6), ..BumpHunter::default() };
        assert_eq!(count(hunter, &[1.0; 60]).unwrap(), 59 + 58 + 57 + 56 + 55);
        let full = BumpHunter { position_step: Step::Full, ..hunter };
        assert_eq!(count(full, &[1.0; 60]).unwrap(), 30 + 20 + 15 + 12 + 10);
        let half = BumpHunter { position_step: Step::Half, ..hunter };
        assert_eq!(count(half, &[1.0; 60]).unwrap(), 59 + 58 + 29 + 28 + 19);
        assert_eq!(count(BumpHunter::default(), &[1.0; 4]).unwrap(), 4 + 3);
        assert_eq!(count(BumpHunter { width_step: 3, ..hunter }, &[1.0; 8]).unwrap(), 7 + 4);
    }

    #[test]
    fn empty_bins_are_dropped_at_the_ends_only() {
        let hunter = BumpHunter { width_min: 2, width_max: Some(2), ..BumpHunter::default() };
        let windows = Windows::spectrum(&[0., 1., 2., 3., 4., 5., 6.], &[0., 0., 1., 0., 1., 0.], &hunter).unwrap();
        let ranges: Vec<_> = windows.ids().map(|window| windows.range(window)).collect();
        assert_eq!(ranges, [2..4, 3..5]);
        assert_eq!(windows.bounds(WindowId(1)), (3.0, 5.0));
    }

    #[test]
    fn sidebands_at_the_ends_are_in_no_window() {
        let hunter = BumpHunter { width_max: Some(2), sideband_width: 2, ..BumpHunter::default() };
        assert_eq!(count(hunter, &[1.0; 8]).unwrap(), 4 + 3);
        assert!(count(BumpHunter { sideband_width: 4, ..hunter }, &[1.0; 8]).is_err());
        assert!(count(BumpHunter { sideband_width: usize::MAX, ..hunter }, &[1.0; 8]).is_err());
    }

    #[test]
    fn planes_number_cells_row_by_row() {
        let windows = Windows::plane(vec![0., 1., 2.], vec![10., 20., 30., 40.], &[0..2, 1..3]).unwrap();
        let ranges: Vec<_> = windows.ids().map(|window| windows.range(window)).collect();
        assert_eq!(ranges, [0..2, 1..3, 3..5, 4..6]);
        assert_eq!((windows.row(WindowId(3)), windows.bounds(WindowId(3))), (1, (20., 40.)));
        assert_eq!(windows.row_bounds(WindowId(3)), (1., 2.));
    }

    #[test]
    fn windows_over_several_rows_hold_the_same_columns_of_each() {
        let (rows, columns) = (vec![0., 1., 2., 4.], vec![10., 20., 30., 40.]);
        let windows =
            |heights: &[usize]| Windows::plane_of_heights(rows.clone(), columns.clone(), &[0..2, 1..3], heights);
        assert_eq!(windows(&[1]).unwrap(), Windows::plane(rows.clone(), columns.clone(), &[0..2, 1..3]).unwrap());
        let two = windows(&[2, 1]).unwrap();
        let cells: Vec<Vec<usize>> = two.ids().map(|window| two.cells_of(window).collect()).collect();
        assert_eq!(cells[..4], [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]);
        assert_eq!((two.len(), two.heights()), (4 + 6, vec![2, 1]));
        assert_eq!(
            (two.row(WindowId(3)), two.row_bounds(WindowId(3)), two.bounds(WindowId(3))),
            (1, (1., 4.), (20., 40.))
        );
        assert!(two.ranges(WindowId(9)).eq(std::iter::once(7..9)));
        assert_eq!(windows(&[0, 1, 1, 4]).unwrap_err().problems().len(), 3);
        assert!(windows(&[]).is_err());
    }

    #[test]
    fn listed_windows_are_unions_of_cells() {
        let edges = [0.0, 1.0, 2.5, 4.0];
        let windows = Windows::listed(&edges, &[(1.0, 2.5), (0.0, 4.0)]).unwrap();
        assert_eq!((windows.range(WindowId(0)), windows.range(WindowId(1))), (1..2, 0..3));
        let wrong = [(0.0, 1.0), (0.5, 2.5), (1.0, 5.0), (2.5, 1.0), (1.0, 1.0), (f64::NAN, 1.0)];
        let error = Windows::listed(&edges, &wrong).unwrap_err();
        assert_eq!(error.problems().len(), 5, "{error}");
        assert!(error.to_string().contains("the window [0.5, 2.5] is no union of cells"), "{error}");
        assert!(Windows::listed(&edges, &[]).is_err());
        // Nested, of the same start and disjoint ones may be; one may not be there twice.
        let any = [(0.0, 4.0), (0.0, 1.0), (2.5, 4.0), (0.0, 1.0), (0.0, 2.5)];
        let error = Windows::listed(&edges, &any).unwrap_err().to_string();
        assert!(error.contains("[0, 1] is listed twice") && !error.contains('\n'), "{error}");
        assert!(Windows::listed(&edges, &any[..3]).is_ok());
        assert!(Windows::listed(&[0.0, 0.0], &[(0.0, 0.0)]).is_err());
    }

    #[test]
    fn cells_in_no_window_are_told() {
        let (rows, columns) = (vec![0., 1., 2., 3.], vec![0., 1., 2., 3., 4.]);
        let windows = Windows::plane(rows.clone(), columns.clone(), &[1..3, 1..2]).unwrap();
        assert_eq!(windows.cells_in_none(), [0, 3, 4, 7, 8, 11]);
        let of_two = Windows::plane_of_heights(rows, columns, &[0..1, 2..4], &[2]).unwrap();
        assert_eq!(of_two.cells_in_none(), [1, 5, 9]);
    }

    #[test]
    fn what_cannot_be_a_window_is_refused_all_at_once() {
        let error = Windows::new(vec![0., 1., 2.], vec![0., 1., 2., 3.], &[0..3, 2..4, 5..5, 5..7]).unwrap_err();
        assert_eq!(error.problems().len(), 3, "{error}");
        assert!(Windows::new(vec![0., 1.], vec![1., 0.], std::slice::from_ref(&(0..1))).is_err());
        let nothing = BumpHunter {
            width_min: 0,
            width_max: Some(0),
            width_step: 0,
            position_step: Step::Bins(0),
            sideband_width: 0,
        };
        assert_eq!(nothing.check().unwrap_err().problems().len(), 3);
        assert!(count(BumpHunter::default(), &[0.0; 5]).is_err());
        assert!(count(BumpHunter { width_min: 9, ..BumpHunter::default() }, &[1.0; 5]).is_err());
    }
}
