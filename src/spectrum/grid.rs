//! The cells of a plane that come in any order: which rows and columns they make, and where each belongs.

use std::path::Path;

use crate::error::{Fault, Problems, Result};

const NAME: &str = "spectrum.binned";

/// A cell and the line that gives it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// The line of the table.
    pub line: u64,
    /// Where its row begins and ends.
    pub row: (f64, f64),
    /// Where it begins and ends along the row.
    pub column: (f64, f64),
}

/// The rows and columns of a plane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// Rising edges of the rows.
    pub row_edges: Vec<f64>,
    /// Rising edges of the cells of each row.
    pub column_edges: Vec<f64>,
    /// For each flat cell, row by row, which of the given cells it is.
    pub order: Vec<usize>,
}

/// A stretch of an axis and the first line that has it.
type Stretch = ((f64, f64), u64);

/// Puts cells in order.
///
/// # Errors
/// Rows or cells that overlap or leave a gap, cells that are given twice, and rows in which cells are missing: all at once,
/// with their lines.
pub(super) fn arrange(file: &Path, cells: &[Cell]) -> Result<Grid> {
    let mut found = Finds { file: file.display().to_string(), problems: Problems::default() };
    let rows = found.stretches("row", cells.iter().map(|cell| (cell.row, cell.line)).collect());
    let columns = found.stretches("cell", cells.iter().map(|cell| (cell.column, cell.line)).collect());
    let mut order: Vec<usize> = (0..cells.len()).collect();
    let key = |cell: &Cell| [cell.row.0, cell.row.1, cell.column.0, cell.column.1];
    // The sort is stable, so that of two the later line is the one too many.
    order.sort_by(|a, b| compare(&key(&cells[*a]), &key(&cells[*b])));
    found.doubles(cells, &order);
    if found.problems.is_empty() {
        found.missing(cells, &rows, &columns);
    }
    found.problems.finish()?;
    let edges = |stretches: &[Stretch]| -> Vec<f64> {
        let low = stretches.first().map(|((low, _), _)| *low);
        low.into_iter().chain(stretches.iter().map(|((_, high), _)| *high)).collect()
    };
    Ok(Grid { row_edges: edges(&rows), column_edges: edges(&columns), order })
}

fn compare(a: &[f64], b: &[f64]) -> std::cmp::Ordering {
    // Edges are finite, so that they can be compared; -0 and 0 are the same edge.
    a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)
}

struct Finds {
    file: String,
    problems: Problems,
}

impl Finds {
    fn fault(&self, line: u64, problem: String) -> Fault {
        Fault::new(NAME, format!("{}:{line}: {problem}", self.file))
    }

    /// The different stretches of an axis from low to high, which must join.
    fn stretches(&mut self, what: &str, mut all: Vec<Stretch>) -> Vec<Stretch> {
        all.sort_by(|(a, line), (b, other)| compare(&[a.0, a.1], &[b.0, b.1]).then(line.cmp(other)));
        all.dedup_by(|(later, _), (first, _)| later == first);
        // That which reaches furthest so far, and whether it was named: one that is too long would be named with each
        // that it covers.
        let mut before: Option<(Stretch, bool)> = None;
        for stretch in &all {
            let ((low, high), line) = *stretch;
            let Some((((from, to), other), named)) = &mut before else {
                before = Some((*stretch, false));
                continue;
            };
            let place = format!("the {what} from {low} to {high}");
            if low < *to && !*named {
                let fault = self.fault(line, format!("{place} overlaps that from {from} to {to} in line {other}"));
                let why = "events would be in both; every row has the same cells, which share their edges";
                self.problems.push(fault.because(why).data());
                *named = true;
            } else if low > *to {
                let fault =
                    self.fault(line, format!("{place} leaves a gap after that from {from} to {to} in line {other}"));
                let fault = fault.because(format!("{what}s share their edges"));
                self.problems.push(fault.suggest("Give what is between them too, also where nothing was seen.").data());
            }
            if high > *to {
                before = Some((*stretch, low < *to && *named));
            }
        }
        all
    }

    /// Cells that are given more than once.
    fn doubles(&mut self, cells: &[Cell], order: &[usize]) {
        let mut first: Option<&Cell> = None;
        for cell in order.iter().map(|index| &cells[*index]) {
            match first.filter(|first| (first.row, first.column) == (cell.row, cell.column)) {
                Some(other) => {
                    let ((bottom, top), (low, high)) = (cell.row, cell.column);
                    let problem = format!(
                        "the cell from {low} to {high} in the row from {bottom} to {top} is in line {} already",
                        other.line
                    );
                    self.problems.push(self.fault(cell.line, problem).because("one of them would be lost").data());
                }
                None => first = Some(cell),
            }
        }
    }

    /// Rows that do not have all cells, each once, with the first that is missing.
    fn missing(&mut self, cells: &[Cell], rows: &[Stretch], columns: &[Stretch]) {
        if cells.len() == rows.len() * columns.len() {
            return;
        }
        let place = |stretches: &[Stretch], low: f64| stretches.partition_point(|((known, _), _)| *known < low);
        let mut present = vec![Vec::new(); rows.len()];
        for cell in cells {
            present[place(rows, cell.row.0)].push(place(columns, cell.column.0));
        }
        for (((bottom, top), line), mut there) in rows.iter().zip(present) {
            there.sort_unstable();
            // Each is there once at most, so that the first which is not at its own place is behind a gap.
            let first = (0..columns.len()).find(|column| there.get(*column) != Some(column));
            let Some((low, high)) = first.map(|column| columns[column].0) else { continue };
            let (lacking, all) = (columns.len() - there.len(), columns.len());
            let problem = format!(
                "the row from {bottom} to {top} lacks {lacking} of {all} cells, first that from {low} to {high}"
            );
            let fault = self.fault(*line, problem).because("every row has the same cells");
            self.problems.push(fault.suggest("Give them too, with 0 where nothing was seen or is expected.").data());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(cells: &[(f64, f64, f64, f64)]) -> Result<Grid> {
        let cell = |(index, cell): (usize, &(f64, f64, f64, f64))| Cell {
            line: index as u64 + 2,
            row: (cell.0, cell.1),
            column: (cell.2, cell.3),
        };
        arrange(Path::new("t.csv"), &cells.iter().enumerate().map(cell).collect::<Vec<_>>())
    }

    fn problems(cells: &[(f64, f64, f64, f64)]) -> Vec<String> {
        arranged(cells).unwrap_err().problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn cells_come_in_any_order() {
        let cells = [(1., 2., 5., 9.), (0., 1., 0., 5.), (1., 2., -0., 5.), (0., 1., 5., 9.)];
        let grid = arranged(&cells).unwrap();
        assert_eq!((grid.row_edges, grid.column_edges), (vec![0., 1., 2.], vec![0., 5., 9.]));
        assert_eq!(grid.order, [1, 3, 2, 0]);
    }

    #[test]
    fn what_is_no_grid_is_told_with_its_lines() {
        // Line 4 is line 2 again, the row of line 5 overlaps, and a row is missing between.
        let cells = [(0., 1., 0., 5.), (0., 1., 5., 9.), (0., 1., 0., 5.), (0.5, 1.5, 0., 5.), (3., 4., 0., 4.)];
        let found = problems(&cells);
        let expected = [
            "t.csv:5: the row from 0.5 to 1.5 overlaps that from 0 to 1 in line 2",
            "t.csv:6: the row from 3 to 4 leaves a gap after that from 0.5 to 1.5 in line 5",
            "t.csv:2: the cell from 0 to 5 overlaps that from 0 to 4 in line 6",
            "t.csv:4: the cell from 0 to 5 in the row from 0 to 1 is in line 2 already",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{expected} is not\n{found}");
        }
    }

    #[test]
    fn one_cell_that_is_too_long_is_one_problem() {
        let mut cells: Vec<_> = (0..9).map(|cell| (0., 1., f64::from(cell), f64::from(cell) + 1.)).collect();
        cells.push((1., 2., 0., 9.));
        assert_eq!(problems(&cells).len(), 1);
    }

    #[test]
    fn rows_without_all_cells_are_told() {
        let cells = [(0., 1., 0., 5.), (0., 1., 5., 9.), (1., 2., 5., 9.), (2., 3., 0., 5.)];
        let found = problems(&cells);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("t.csv:4: the row from 1 to 2 lacks 1 of 2 cells, first that from 0 to 5"),
            "{found:?}"
        );
        assert!(
            found[1].contains("t.csv:5: the row from 2 to 3 lacks 1 of 2 cells, first that from 5 to 9"),
            "{found:?}"
        );
    }
}
