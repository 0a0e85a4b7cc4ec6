//! A bump hunt of its own in each column window of a plane: along m_Y, for every m_X window.
//!
//! Each has its own toys and its own global p-value, which knows nothing of the other columns: it answers whether this
//! column looks like its expectation, as validations in sidebands ask. The p-value of the whole plane is that of an
//! [`Experiment`] over it. Columns overlap, and their toys share the random numbers of the seed, so their p-values are not
//! independent.
//!
//! Source: the hunts per m_X window of ATLAS, arXiv:2306.03637.

use std::ops::Range;

use super::{Exceedance, Experiment, Global};
use crate::device::Device;
use crate::error::{Fault, Result};
use crate::hunt::{BumpHunter, Scan, Windows};
use crate::spectrum::Expectation;

/// The hunt in one column window.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnHunt {
    /// Where the column window begins and ends.
    pub column: (f64, f64),
    /// What was found; `None` where nothing is expected in any row, or in too few for a window.
    pub found: Option<ColumnFound>,
}

/// What was found in a column window.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnFound {
    /// The windows along the rows.
    pub windows: Windows,
    /// The local p-values, the toys and the global p-value.
    pub global: Global,
}

/// How the columns are hunted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnHunts {
    /// Which windows are tested along the rows.
    pub hunter: BumpHunter,
    /// How windows are judged.
    pub scan: Scan,
    /// Which toys exceed.
    pub exceedance: Exceedance,
    /// The seed of the toys.
    pub seed: u64,
    /// Toys of each column.
    pub toys: u64,
}

impl ColumnHunts {
    /// Hunts in each column window of the plane `windows`, whose cells hold `expected` and `observed` events. `progress` is
    /// told the number of toys that are done, over all columns.
    ///
    /// ```
    /// use trawl::device::Device;
    /// use trawl::hunt::{BumpHunter, Scan, Windows};
    /// use trawl::toys::{ColumnHunts, Exceedance};
    /// let edges = |number: i32| (0..=number).map(f64::from).collect::<Vec<_>>();
    /// let plane = Windows::plane(edges(6), edges(3), &[0..2, 1..3])?;
    /// let mut observed = vec![10; 18];
    /// observed[3 * 3] = 40;
    /// let (hunter, scan) = (BumpHunter::default(), Scan::default());
    /// let hunts = ColumnHunts { hunter, scan, exceedance: Exceedance::AtLeast, seed: 1, toys: 500 };
    /// let columns = hunts.run(&Device::Cpu, &plane, &[10.0; 18], &observed, &|_| Ok(()))?;
    /// let p: Vec<f64> = columns.iter().map(|column| column.found.as_ref().unwrap().global.significance.p).collect();
    /// assert!(p[0] < 0.01 && p[1] > 0.5);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// Contents of other cells, rows whose windows differ, settings that cannot be honoured, a failure of the device, or
    /// what `progress` answers.
    pub fn run(
        &self,
        device: &Device,
        plane: &Windows,
        expected: &[f64],
        observed: &[u64],
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Vec<ColumnHunt>> {
        self.hunter.check()?;
        let problem = |words: String, why: &str| Err(Fault::new("toys.columns", words).because(why).data());
        if expected.len() != plane.cells() || observed.len() != plane.cells() {
            let words =
                format!("{} expected and {} observed cells of {}", expected.len(), observed.len(), plane.cells());
            return problem(words, "they must be the same cells");
        }
        // Windows over several rows add nothing: each hunt tries all widths along the rows.
        let one_row = || plane.ids().filter(|window| plane.height(*window) == 1);
        let columns: Vec<Range<usize>> =
            one_row().filter(|window| plane.row(*window) == 0).map(|window| plane.range(window)).collect();
        if columns.len() * plane.rows() != one_row().count() {
            let words = format!("{} windows in the first of {} rows", columns.len(), plane.rows());
            return problem(words, "a column window is one in every row");
        }
        let hunt = |(index, column): (usize, &Range<usize>)| {
            let done = index as u64 * self.toys;
            self.column(device, plane, column, expected, observed, &|toys| progress(done + toys))
        };
        columns.iter().enumerate().map(hunt).collect()
    }

    fn column(
        &self,
        device: &Device,
        plane: &Windows,
        column: &Range<usize>,
        expected: &[f64],
        observed: &[u64],
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<ColumnHunt> {
        let in_row = |row: usize| row * plane.columns() + column.start..row * plane.columns() + column.end;
        let expected: Vec<f64> = (0..plane.rows()).map(|row| expected[in_row(row)].iter().sum()).collect();
        let observed: Vec<u64> = (0..plane.rows()).map(|row| observed[in_row(row)].iter().sum()).collect();
        let bounds = (plane.column_edges()[column.start], plane.column_edges()[column.end]);
        // The settings and the edges are sound, so all that can be wrong is that there is no window.
        let Ok(windows) = Windows::spectrum(plane.row_edges(), &expected, &self.hunter) else {
            return Ok(ColumnHunt { column: bounds, found: None });
        };
        let expectation = Expectation::given(expected, None)?;
        let experiment = Experiment::new(windows, &expectation, 0.0, self.scan, self.exceedance)?;
        let global = experiment.global(device, &observed, self.seed, self.toys, progress)?;
        let windows = experiment.windows().clone();
        Ok(ColumnHunt { column: bounds, found: Some(ColumnFound { windows, global }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(number: i32) -> Vec<f64> {
        (0..=number).map(f64::from).collect()
    }

    fn hunts() -> ColumnHunts {
        let (hunter, scan) = (BumpHunter::default(), Scan::default());
        ColumnHunts { hunter, scan, exceedance: Exceedance::AtLeast, seed: 3, toys: 200 }
    }

    #[test]
    fn a_column_is_a_spectrum_of_its_own() {
        let plane = Windows::plane(edges(5), edges(3), &[0..2, 1..3, 2..3]).unwrap();
        let expected: Vec<f64> = (0..15).map(|cell| if cell % 3 == 2 { 0.0 } else { 8.0 + f64::from(cell) }).collect();
        let observed: Vec<u64> = (0..15).map(|cell| 9 + 2 * (cell % 4)).collect();
        let columns = hunts().run(&Device::Cpu, &plane, &expected, &observed, &|_| Ok(())).unwrap();
        let bounds: Vec<_> = columns.iter().map(|column| column.column).collect();
        assert_eq!(bounds, [(0., 2.), (1., 3.), (2., 3.)]);
        assert_eq!(columns[2].found, None);
        // The first by hand: sums of the first two cells of each row.
        let sums: Vec<f64> = (0..5).map(|row| expected[3 * row] + expected[3 * row + 1]).collect();
        let counts: Vec<u64> = (0..5).map(|row| observed[3 * row] + observed[3 * row + 1]).collect();
        let windows = Windows::spectrum(&edges(5), &sums, &BumpHunter::default()).unwrap();
        let expectation = Expectation::given(sums, None).unwrap();
        let experiment =
            Experiment::new(windows.clone(), &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
        let global = experiment.global(&Device::Cpu, &counts, 3, 200, &|_| Ok(())).unwrap();
        assert_eq!(columns[0].found, Some(ColumnFound { windows, global }));
    }

    #[test]
    fn what_is_no_plane_is_refused() {
        let plane = Windows::plane(edges(2), edges(2), &[0..1, 1..2]).unwrap();
        assert!(hunts().run(&Device::Cpu, &plane, &[1.0; 3], &[1; 4], &|_| Ok(())).is_err());
        let uneven = Windows::new(edges(2), edges(2), &[0..1, 1..2, 2..3]).unwrap();
        let error = hunts().run(&Device::Cpu, &uneven, &[1.0; 4], &[1; 4], &|_| Ok(())).unwrap_err().to_string();
        assert!(error.contains("2 windows in the first of 2 rows"), "{error}");
    }
}
