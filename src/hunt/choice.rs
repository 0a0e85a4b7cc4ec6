//! Which windows a card asks for: listed ones, or all widths of a BumpHunter; in the one row of a spectrum or in all rows of
//! a plane.

use std::ops::Range;

use super::{BumpHunter, Windows};
use crate::error::Result;
use crate::settings::Section;

const WIDTHS: [&str; 5] = ["width_min", "width_max", "width_step", "position_step", "sideband_width"];

/// The windows of a hunt, before its cells are known.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowChoice {
    /// Where windows are along a row.
    pub along: Along,
    /// The same over so many adjacent rows of a plane, all of these.
    pub row_widths: Vec<usize>,
}

/// The windows along a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Along {
    /// All that a BumpHunter tries.
    Widths(BumpHunter),
    /// These, from a low to a high edge.
    Listed(Vec<(f64, f64)>),
}

impl Default for WindowChoice {
    fn default() -> Self {
        Self { along: Along::Widths(BumpHunter::default()), row_widths: vec![1] }
    }
}

impl WindowChoice {
    /// Reads `windows` (pairs of edges), or the keys of [`BumpHunter::read`], and `row_widths`.
    pub fn read(section: &Section) -> Self {
        let row_widths = section.or("row_widths", vec![1]);
        // Read even if windows are listed, so that their own mistakes are found and the keys are known.
        let hunter = BumpHunter::read(section);
        if !section.has("windows") {
            return Self { along: Along::Widths(hunter), row_widths };
        }
        for key in WIDTHS.into_iter().filter(|key| section.has(key)) {
            section.problem(key, "hunt.windows lists the windows, so that it would be ignored; leave one of them out");
        }
        let listed = section.optional::<Vec<Vec<f64>>>("windows").unwrap_or_default();
        let along = section.pairs("windows", &listed).map_or(Along::Widths(hunter), Along::Listed);
        Self { along, row_widths }
    }

    /// The widths that are tried; those of no settings where windows are listed.
    pub fn hunter(&self) -> BumpHunter {
        match &self.along {
            Along::Widths(hunter) => *hunter,
            Along::Listed(_) => BumpHunter::default(),
        }
    }

    /// Whether somebody wrote the windows down, one by one.
    pub fn is_listed(&self) -> bool {
        matches!(self.along, Along::Listed(_))
    }

    /// The windows over the cells of rows and columns with these edges, which expect `expected` events. Widths are tried
    /// along the sum of the rows, since all rows have the same windows.
    ///
    /// ```
    /// use trawl::hunt::{Along, WindowChoice, Windows};
    /// let (rows, columns) = (vec![1000.0, 1500.0, 2000.0], vec![60.0, 75.0, 90.0, 110.0]);
    /// let along = Along::Listed(vec![(60.0, 90.0), (75.0, 110.0)]);
    /// let choice = WindowChoice { along, ..WindowChoice::default() };
    /// let windows = choice.windows(&rows, &columns, &[1.0; 6])?;
    /// assert_eq!(windows, Windows::plane(rows, columns, &[0..2, 1..3])?);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Windows::listed`], [`Windows::spectrum`] and [`Windows::plane_of_heights`].
    pub fn windows(&self, row_edges: &[f64], column_edges: &[f64], expected: &[f64]) -> Result<Windows> {
        let along = match &self.along {
            Along::Listed(bounds) => Windows::listed(column_edges, bounds)?,
            Along::Widths(hunter) => {
                let columns = column_edges.len().saturating_sub(1);
                let sum = |column: usize| expected.iter().skip(column).step_by(columns).sum();
                let sums: Vec<f64> = (0..columns).map(sum).collect();
                Windows::spectrum(column_edges, &sums, hunter)?
            }
        };
        let ranges: Vec<Range<usize>> = along.ids().map(|window| along.range(window)).collect();
        Windows::plane_of_heights(row_edges.to_vec(), column_edges.to_vec(), &ranges, &self.row_widths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Document;

    fn read(text: &str) -> (WindowChoice, Vec<String>) {
        let document = Document::parse("c.toml", text, &[]).unwrap();
        let choice = WindowChoice::read(&document.root());
        let problems = document
            .finish()
            .err()
            .map_or(Vec::new(), |error| error.problems().iter().map(ToString::to_string).collect::<Vec<_>>());
        (choice, problems)
    }

    #[test]
    fn widths_or_a_list_but_not_both() {
        assert_eq!(read(""), (WindowChoice::default(), vec![]));
        let (choice, problems) = read("windows = [[60, 90], [75.5, 110]]\nrow_widths = [1, 2]\n");
        assert_eq!(choice.along, Along::Listed(vec![(60.0, 90.0), (75.5, 110.0)]));
        assert_eq!((choice.row_widths, problems.len()), (vec![1, 2], 0));
        let (_, problems) = read("windows = [[60, 90]]\nwidth_min = 2\nsideband_width = 1\n");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("width_min: hunt.windows lists the windows"), "{problems:?}");
        let (_, problems) = read("windows = [[60, 90], [1], [1, 2, 3]]\n");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("entry 2 should be [low, high], got [1.0]"), "{problems:?}");
        assert_eq!(read("windows = 3\n").1.len(), 1);
        assert_eq!(read("windows = []\n").0.along, Along::Listed(vec![]));
    }

    #[test]
    fn a_spectrum_is_a_plane_of_one_row() {
        let (edges, expected) = ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 3.0, 2.0, 1.0]);
        let hunter = BumpHunter::default();
        let windows = WindowChoice::default().windows(&[0.0, 1.0], &edges, &expected).unwrap();
        assert_eq!(windows, Windows::spectrum(&edges, &expected, &hunter).unwrap());
    }

    #[test]
    fn widths_are_tried_where_any_row_expects_events() {
        let columns = [0.0, 1.0, 2.0, 3.0, 4.0];
        let expected = [0.0, 3.0, 0.0, 0.0, 0.0, 3.0, 1.0, 0.0];
        let hunter = BumpHunter { width_min: 2, width_max: Some(2), ..BumpHunter::default() };
        let choice = WindowChoice { along: Along::Widths(hunter), row_widths: vec![1, 2] };
        let windows = choice.windows(&[0.0, 1.0, 2.0], &columns, &expected).unwrap();
        let places: Vec<_> =
            windows.ids().map(|id| (windows.row(id), windows.height(id), windows.bounds(id))).collect();
        assert_eq!(places, [(0, 1, (1.0, 3.0)), (1, 1, (1.0, 3.0)), (0, 2, (1.0, 3.0))]);
        let three = WindowChoice { row_widths: vec![3], ..choice };
        assert!(three.windows(&[0.0, 1.0, 2.0], &columns, &expected).is_err());
    }
}
