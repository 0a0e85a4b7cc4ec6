//! The plane of an analysis: m_Y bins times m_X windows, as data.
//!
//! The windows overlap, so the toys draw in *exclusive cells*: all distinct window edges, sorted. Each window is a run of
//! cells; drawing every window on its own instead would treat correlated windows as independent and over-correct. Windows
//! may be nested, begin at the same mass, or leave a gap: the cells of a gap are filled as all others and are in no window.
//!
//! Edges come from TOML or CSV files (`cards/edges/`):
//!
//! ```
//! use trawl::toys::Plane;
//! let plane = Plane::from_toml("small.toml", r#"
//!     label = "two bins, two windows"
//!     m_y_edges_gev = [1000.0, 1500.0, 2000.0]
//!     m_x_windows_gev = [[60.0, 90.0], [75.0, 110.0]]
//!     [expected]
//!     m_x_cells = 3
//! "#)?;
//! assert_eq!(plane.m_x_edges_gev(), [60.0, 75.0, 90.0, 110.0]);
//! assert_eq!((plane.cells(), plane.windows()?.len()), (6, 4));
//! # Ok::<(), trawl::Error>(())
//! ```

mod csv;

use std::path::Path;

use crate::error::{Error, Fault, Problems, Result};
use crate::hunt::Windows;
use crate::settings::{Document, Section};

const NAME: &str = "toys.plane";

/// m_Y bins and m_X windows, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    label: String,
    m_y_edges_gev: Vec<f64>,
    m_x_windows_gev: Vec<(f64, f64)>,
    m_x_edges_gev: Vec<f64>,
    heights: Vec<usize>,
}

/// What a file of edges says about itself, so that a slip of the pen is found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Invariants {
    /// The number of m_Y bins.
    pub m_y_bins: Option<usize>,
    /// The number of m_X windows.
    pub m_x_windows: Option<usize>,
    /// The number of exclusive m_X cells.
    pub m_x_cells: Option<usize>,
    /// Windows that must be among them.
    pub contains_gev: Vec<(f64, f64)>,
}

impl Plane {
    /// A plane from its edges, checked against what is claimed of it.
    ///
    /// # Errors
    /// All at once: m_Y edges that do not rise, windows that are empty or listed twice, and every invariant that does not hold.
    pub fn new(
        label: impl Into<String>,
        m_y_edges_gev: Vec<f64>,
        m_x_windows_gev: Vec<(f64, f64)>,
        invariants: &Invariants,
    ) -> Result<Self> {
        let mut m_x_edges_gev: Vec<f64> = m_x_windows_gev.iter().flat_map(|(low, high)| [*low, *high]).collect();
        m_x_edges_gev.sort_by(f64::total_cmp);
        m_x_edges_gev.dedup();
        let plane = Self { label: label.into(), m_y_edges_gev, m_x_windows_gev, m_x_edges_gev, heights: vec![1] };
        let mut problems = Problems::default();
        plane.check_m_y(&mut problems);
        plane.check_m_x(&mut problems);
        plane.check_invariants(invariants, &mut problems);
        problems.finish()?;
        Ok(plane)
    }

    /// Reads a file of edges: TOML, or CSV where its name ends in `.csv`.
    ///
    /// # Errors
    /// A file that cannot be read, and whatever [`Plane::from_toml`] or [`Plane::from_csv`] finds.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(NAME, "read", path, source))?;
        let file = path.display().to_string();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
            Self::from_csv(&file, &text)
        } else {
            Self::from_toml(&file, &text)
        }
    }

    /// Reads TOML `text` of `file`: `label`, `m_y_edges_gev`, `m_x_windows_gev` (pairs), and optionally `[expected]` with
    /// `m_y_bins`, `m_x_windows`, `m_x_cells`, `contains_gev`.
    ///
    /// # Errors
    /// Every problem with its line.
    pub fn from_toml(file: &str, text: &str) -> Result<Self> {
        let document = Document::parse(file, text, &[])?;
        let plane = Self::read_section(&document.root());
        document.finish()?;
        // Whatever kept the plane from being built is a problem of the document.
        plane.ok_or_else(|| Fault::new(NAME, format!("{file} holds no plane")).usage())
    }

    /// Reads the keys of [`Plane::from_toml`] from a section of a card.
    pub fn read_section(section: &Section) -> Option<Self> {
        let label = section.or("label", "unlabelled".to_owned());
        let m_y_edges_gev = section.required::<Vec<f64>>("m_y_edges_gev");
        let m_x_windows_gev = section.required::<Vec<Vec<f64>>>("m_x_windows_gev");
        let expected = section.section("expected");
        let contains = expected.or::<Vec<Vec<f64>>>("contains_gev", Vec::new());
        let invariants = Invariants {
            m_y_bins: expected.optional("m_y_bins"),
            m_x_windows: expected.optional("m_x_windows"),
            m_x_cells: expected.optional("m_x_cells"),
            contains_gev: expected.pairs("contains_gev", &contains)?,
        };
        let windows = section.pairs("m_x_windows_gev", &m_x_windows_gev?)?;
        section.check(Self::new(label, m_y_edges_gev?, windows, &invariants))
    }

    /// Reads CSV `text` of `file`: lines `axis,low_gev,high_gev` with the axis `m_y`, `m_x` or `contains`; `#` starts a
    /// comment, and a first comment is the label.
    ///
    /// # Errors
    /// Every line that cannot be read, m_Y bins with gaps, and what [`Plane::new`] finds.
    pub fn from_csv(file: &str, text: &str) -> Result<Self> {
        let rows = csv::read(file, text)?;
        let invariants = Invariants { contains_gev: rows.contains_gev, ..Invariants::default() };
        Self::new(rows.label, rows.m_y_edges_gev, rows.m_x_windows_gev, &invariants)
    }

    fn check_m_y(&self, problems: &mut Problems) {
        let edges = &self.m_y_edges_gev;
        if edges.len() < 2 {
            let fault = Fault::new(NAME, format!("{} m_Y edges", edges.len()));
            problems.push(fault.because("a bin has two").usage());
        }
        if let Some(edge) = edges.iter().find(|edge| !edge.is_finite() || **edge <= 0.0) {
            problems.push(Fault::new(NAME, format!("the m_Y edge {edge} is no positive mass")).usage());
        }
        for pair in edges.windows(2).filter(|pair| pair[0] >= pair[1]) {
            let fault = Fault::new(NAME, format!("the m_Y edges {} and {} do not rise", pair[0], pair[1]));
            problems.push(fault.because("bins are listed from low to high mass").usage());
        }
    }

    fn check_m_x(&self, problems: &mut Problems) {
        if self.m_x_windows_gev.is_empty() {
            problems.push(Fault::new(NAME, "there are no m_X windows").because("nothing could be hunted").usage());
        }
        for (index, (low, high)) in self.m_x_windows_gev.iter().enumerate() {
            if !(*low > 0.0 && low < high && high.is_finite()) {
                let fault = Fault::new(NAME, format!("m_X window {} is [{low}, {high}]", index + 1));
                problems.push(fault.because("a window holds a range of positive masses").usage());
            }
        }
        for (index, (low, high)) in self.m_x_windows_gev.iter().enumerate() {
            let before = &self.m_x_windows_gev[..index];
            if let Some(other) = before.iter().position(|known| *known == (*low, *high)) {
                let place = format!("m_X windows {} and {} are both [{low}, {high}]", other + 1, index + 1);
                problems.push(Fault::new(NAME, place).because("it would be one more trial of the same").usage());
            }
        }
    }

    fn check_invariants(&self, invariants: &Invariants, problems: &mut Problems) {
        let mut count = |what: &str, expected: Option<usize>, got: usize| {
            if let Some(expected) = expected.filter(|expected| *expected != got) {
                let fault = Fault::new(NAME, format!("{got} {what}, {expected} were expected"));
                problems.push(fault.because("the file says how many there are").usage());
            }
        };
        count("m_Y bins", invariants.m_y_bins, self.m_y_edges_gev.len().saturating_sub(1));
        count("m_X windows", invariants.m_x_windows, self.m_x_windows_gev.len());
        count("exclusive m_X cells", invariants.m_x_cells, self.m_x_edges_gev.len().saturating_sub(1));
        for wanted in &invariants.contains_gev {
            if !self.m_x_windows_gev.contains(wanted) {
                let fault = Fault::new(NAME, format!("the m_X window [{}, {}] is missing", wanted.0, wanted.1));
                problems.push(fault.because("the file says that it is one of the windows").usage());
            }
        }
    }

    /// What the edges are called, for example `proposed`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The edges of the m_Y bins: the rows of the plane.
    pub fn m_y_edges_gev(&self) -> &[f64] {
        &self.m_y_edges_gev
    }

    /// The edges of the exclusive m_X cells: the columns of the plane.
    pub fn m_x_edges_gev(&self) -> &[f64] {
        &self.m_x_edges_gev
    }

    /// The m_X windows.
    pub fn m_x_windows_gev(&self) -> &[(f64, f64)] {
        &self.m_x_windows_gev
    }

    /// The number of m_Y bins.
    pub fn rows(&self) -> usize {
        self.m_y_edges_gev.len() - 1
    }

    /// The number of exclusive m_X cells.
    pub fn columns(&self) -> usize {
        self.m_x_edges_gev.len() - 1
    }

    /// The number of flat cells, numbered m_Y bin by m_Y bin.
    pub fn cells(&self) -> usize {
        self.rows() * self.columns()
    }

    /// The same plane with the m_X windows over so many adjacent m_Y bins in place of single bins, all `heights` of them.
    ///
    /// # Errors
    /// As [`Windows::plane_of_heights`].
    pub fn with_heights(mut self, heights: Vec<usize>) -> Result<Self> {
        self.heights = heights;
        self.windows()?;
        Ok(self)
    }

    /// The m_X windows in every m_Y bin, or in every run of adjacent bins, over the flat cells.
    ///
    /// # Errors
    /// A plane of more than 2^31 cells.
    pub fn windows(&self) -> Result<Windows> {
        // Every window edge is a cell edge by construction, so the search always finds it.
        let column = |edge: f64| self.m_x_edges_gev.partition_point(|cell_edge| *cell_edge < edge);
        let ranges: Vec<_> = self.m_x_windows_gev.iter().map(|(low, high)| column(*low)..column(*high)).collect();
        Windows::plane_of_heights(self.m_y_edges_gev.clone(), self.m_x_edges_gev.clone(), &ranges, &self.heights)
    }
}

#[cfg(test)]
mod tests;
