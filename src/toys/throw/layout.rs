//! Which random numbers a toy needs: its exclusive cells, their rows, and the groups of small cells.
//!
//! **Exclusive cells.** Cells that no window takes apart are drawn as one, with the sum of their expectations (a sum of Poisson
//! numbers is one); cells in no window are not drawn at all. Of the benchmark's 27 x 114 cells, 2,565 are left.
//!
//! **Rows** are runs of exclusive cells that no window reaches across, so that a toy can be judged row by row; what does not
//! overlap is put into one row up to [`CELLS_A_ROW`] cells.
//!
//! **Groups.** The cells of a row with expectations below [`SMALL`], if there are at least [`LEAST_GROUP`] of them, are drawn
//! as one total, and each of its particles then picks its cell. That is the same distribution (a Poisson process is split by its
//! shares), with one random word for the row and one for each particle instead of one for each cell.
//!
//! All of this is a function of the expectation and the windows alone, and part of the hash of the tables.

use std::ops::Range;

/// Rows are filled up to so many cells: their counts in all lanes of a batch stay in the second-level cache.
const CELLS_A_ROW: usize = 128;

/// Below this expectation a particle (2.5 ns) is cheaper than the cell's own draw (1 ns a toy).
const SMALL: f64 = 0.15;

/// The total and the loop over its particles cost about as much as ten draws.
const LEAST_GROUP: usize = 16;

/// The cells of toys and how windows sum them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// The expectation of each exclusive cell.
    pub means: Vec<f64>,
    /// Rows of exclusive cells, in order.
    pub rows: Vec<Row>,
    /// The windows in the order of their rows: numbers of the windows that were given.
    pub windows: Vec<usize>,
    /// The exclusive cells that each of these sums, in ranges.
    pub ranges: Vec<Vec<Range<u32>>>,
}

/// A run of exclusive cells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its cells.
    pub cells: Range<u32>,
    /// Those that are drawn as one total; empty, or two and more.
    pub group: Vec<u32>,
    /// Its windows.
    pub windows: Range<u32>,
}

impl Layout {
    /// The layout for windows, each a list of ranges of `expected` cells, none of them empty.
    pub fn new(expected: &[f64], windows: &[Vec<Range<usize>>]) -> Self {
        let (cells, first_cell) = exclusive_cells(expected.len(), windows);
        let means: Vec<f64> = cells.iter().map(|cells| expected[cells.clone()].iter().sum()).collect();
        let in_exclusive = |range: &Range<usize>| first_cell[range.start]..first_cell[range.end];
        let ranges: Vec<Vec<Range<u32>>> =
            windows.iter().map(|ranges| ranges.iter().map(in_exclusive).collect()).collect();
        let hull = |window: usize| {
            let ranges: &[Range<u32>] = &ranges[window];
            let first = ranges.iter().map(|range| range.start).min().unwrap_or(0);
            first..ranges.iter().map(|range| range.end).max().unwrap_or(first)
        };
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by_key(|window| hull(*window).start);
        let rows = rows(&means, order.iter().map(|window| hull(*window)));
        let ranges = order.iter().map(|window| ranges[*window].clone()).collect();
        Self { means, rows, windows: order, ranges }
    }
}

/// The exclusive cells, and for each place between cells how many of them begin before it.
fn exclusive_cells(cells: usize, windows: &[Vec<Range<usize>>]) -> (Vec<Range<usize>>, Vec<u32>) {
    // At each cell: whether a window's edge lies before it, and how many ranges begin less how many end.
    let (mut edge, mut change) = (vec![false; cells + 1], vec![0_i64; cells + 1]);
    for range in windows.iter().flatten() {
        edge[range.start] = true;
        edge[range.end] = true;
        change[range.start] += 1;
        change[range.end] -= 1;
    }
    let (mut exclusive, mut first_cell): (Vec<Range<usize>>, Vec<u32>) = (Vec::new(), Vec::with_capacity(cells + 1));
    let mut covering = 0;
    for cell in 0..cells {
        covering += change[cell];
        first_cell.push(exclusive.len() as u32);
        if covering == 0 {
            continue;
        }
        match exclusive.last_mut() {
            Some(last) if last.end == cell && !edge[cell] => last.end = cell + 1,
            _ => exclusive.push(cell..cell + 1),
        }
    }
    first_cell.push(exclusive.len() as u32);
    (exclusive, first_cell)
}

/// The rows for windows with these hulls, in ascending order of their first cells.
fn rows(means: &[f64], hulls: impl Iterator<Item = Range<u32>>) -> Vec<Row> {
    // First the runs that no window reaches across.
    let mut runs: Vec<Row> = Vec::new();
    for hull in hulls {
        match runs.last_mut() {
            Some(run) if hull.start < run.cells.end => {
                run.cells.end = run.cells.end.max(hull.end);
                run.windows.end += 1;
            }
            before => {
                let window = before.map_or(0, |run| run.windows.end);
                runs.push(Row { cells: hull, group: Vec::new(), windows: window..window + 1 });
            }
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for run in runs {
        match rows.last_mut() {
            Some(row) if (run.cells.end - row.cells.start) as usize <= CELLS_A_ROW => {
                row.cells.end = run.cells.end;
                row.windows.end = run.windows.end;
            }
            _ => rows.push(run),
        }
    }
    for row in &mut rows {
        let small = |cell: &u32| means[*cell as usize] > 0.0 && means[*cell as usize] < SMALL;
        let group: Vec<u32> = row.cells.clone().filter(small).collect();
        if group.len() >= LEAST_GROUP {
            row.group = group;
        }
    }
    rows
}

#[cfg(test)]
// A window may have one range.
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    fn single(ranges: &[Range<usize>]) -> Vec<Vec<Range<usize>>> {
        ranges.iter().map(|range| vec![range.clone()]).collect()
    }

    #[test]
    fn cells_that_no_window_takes_apart_are_one() {
        let expected = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
        // Cell 0 is in no window; 1 and 2 go together, and so do 4 and 5; 6 is alone.
        let layout = Layout::new(&expected, &single(&[6..7, 1..4, 3..6]));
        assert_eq!(layout.means, [6.0, 8.0, 48.0, 64.0]);
        assert_eq!(layout.windows, [1, 2, 0]);
        assert_eq!(layout.ranges, [vec![0..2], vec![1..3], vec![3..4]]);
        assert_eq!(layout.rows, [Row { cells: 0..4, group: vec![], windows: 0..3 }]);
        // A window of two parts keeps what lies between them apart.
        let layout = Layout::new(&expected, &[vec![0..2, 4..6], vec![1..5]]);
        assert_eq!(layout.means, [1.0, 2.0, 12.0, 16.0, 32.0]);
        assert_eq!(layout.ranges, [vec![0..2, 3..5], vec![1..4]]);
    }

    #[test]
    fn rows_end_where_no_window_reaches_across() {
        let expected = vec![1.0; 400];
        let windows: Vec<_> = (0..200).map(|first| 2 * first..2 * first + 2).collect();
        let layout = Layout::new(&expected, &single(&windows));
        // 200 windows without overlap: 200 exclusive cells, 128 to a row.
        let rows: Vec<_> = layout.rows.iter().map(|row| (row.cells.clone(), row.windows.clone())).collect();
        assert_eq!(rows, [(0..128, 0..128), (128..200, 128..200)]);
        let chain: Vec<_> = (0..399).map(|first| first..first + 2).collect();
        assert_eq!(Layout::new(&expected, &single(&chain)).rows.len(), 1);
    }

    #[test]
    fn small_cells_are_grouped_if_there_are_enough() {
        let cells: Vec<_> = (0..40).map(|cell| cell..cell + 1).collect();
        let mut expected = vec![0.1; 40];
        (expected[3], expected[7]) = (5.0, 0.0);
        let layout = Layout::new(&expected, &single(&cells));
        assert_eq!(layout.rows[0].group.len(), 38);
        assert!(!layout.rows[0].group.contains(&3) && !layout.rows[0].group.contains(&7));
        assert!(Layout::new(&expected[..15], &single(&cells[..15])).rows[0].group.is_empty());
    }
}
