//! A spectrum or a plane that comes in bins already: a CSV table with one row a bin.
//!
//! Published spectra (HEPData tables as CSV, a histogram written by another tool) enter here: bin edges, observed counts
//! and, where the table has them, an expectation and its uncertainty. A plane has the edges of its rows too.

use std::path::{Path, PathBuf};

use crate::error::{Error, Fault, Problems, Result};
use crate::settings::Section;

use super::grid::{self, Cell};

const NAME: &str = "spectrum.binned";

/// Where the table is and which of its columns mean what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinnedInput {
    /// The CSV file; its first line names the columns.
    pub path: PathBuf,
    /// Lower bin edge.
    pub low: String,
    /// Upper bin edge; each must be the next bin's lower edge.
    pub high: String,
    /// Observed number of events, a whole number.
    pub observed: String,
    /// Expected number of events.
    pub expected: Option<String>,
    /// Absolute uncertainty of the expectation.
    pub uncertainty: Option<String>,
    /// Expected number of signal events, for injections.
    pub signal: Option<String>,
    /// The quantity on the axis, for plots.
    pub quantity: String,
    /// Its unit, for plots.
    pub unit: String,
    /// The rows of a plane.
    pub rows: Option<RowColumns>,
}

/// Which columns say where the row of a cell is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowColumns {
    /// Lower edge of the row.
    pub low: String,
    /// Upper edge of the row.
    pub high: String,
    /// The quantity of the rows, for plots.
    pub quantity: String,
    /// Its unit, for plots.
    pub unit: String,
}

/// The table.
#[derive(Debug, Clone, PartialEq)]
pub struct BinnedSpectrum {
    /// Rising edges of the rows of a plane; 0 and 1 of a spectrum, which is one row.
    pub row_edges: Vec<f64>,
    /// Rising edges of the bins, or of the cells of each row.
    pub edges: Vec<f64>,
    /// Counts, one a bin; of a plane row by row, as all numbers are.
    pub observed: Vec<u64>,
    /// Expected events, one a bin, if the table has them.
    pub expected: Option<Vec<f64>>,
    /// Absolute uncertainties of the expectation, one a bin, if the table has them.
    pub uncertainty: Option<Vec<f64>>,
    /// Expected signal events, one a bin, if the table has them.
    pub signal: Option<Vec<f64>>,
}

impl BinnedInput {
    /// Reads `path`, `low`, `high`, `observed` and optionally `expected`, `uncertainty`, `signal`, `quantity`, `unit`, and of a
    /// plane `row_low`, `row_high`, `row_quantity`, `row_unit`; a relative path starts at `folder`.
    pub fn read(section: &Section, folder: &Path) -> Option<Self> {
        let path = section.required::<String>("path").and_then(|_| section.path("path", folder));
        let (low, high, observed) = (section.required("low"), section.required("high"), section.required("observed"));
        let expected: Option<String> = section.optional("expected");
        let uncertainty: Option<String> = section.optional("uncertainty");
        if uncertainty.is_some() && expected.is_none() {
            section.problem("uncertainty", "there is no 'expected' that it could belong to");
        }
        let signal = section.optional("signal");
        let quantity = section.or("quantity", "mass".to_owned());
        let unit = section.or("unit", "GeV".to_owned());
        let rows = RowColumns::read(section, &quantity, &unit);
        let (path, low, high, observed) = (path?, low?, high?, observed?);
        Some(Self { path, low, high, observed, expected, uncertainty, signal, quantity, unit, rows: rows? })
    }

    /// Reads the table.
    ///
    /// # Errors
    /// A file that cannot be read; every missing column; every cell that is no number, negative or not finite, a count
    /// that is not whole, edges that do not join, cells of a plane that are missing, double or overlap: each with its line,
    /// all at once.
    pub fn load(&self) -> Result<BinnedSpectrum> {
        let file = std::fs::File::open(&self.path).map_err(|error| Error::io(NAME, "open", &self.path, error))?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(file);
        let headers = reader.headers().map_err(|error| self.unreadable(&error))?.clone();
        let columns = self.columns(&headers)?;
        let mut rows = Rows::default();
        for record in reader.records() {
            match record {
                Ok(record) => rows.push(self, &columns, &record),
                Err(error) => rows.problems.push(self.unreadable(&error)),
            }
        }
        rows.finish(self)
    }

    fn unreadable(&self, error: &csv::Error) -> Error {
        self.fault(format!("'{}' is no CSV table: {error}", self.path.display())).data()
    }

    fn fault(&self, problem: String) -> Fault {
        Fault::new(NAME, problem)
    }

    /// The position of each wanted column.
    fn columns(&self, headers: &csv::StringRecord) -> Result<Columns> {
        if headers.is_empty() {
            let fault = self.fault(format!("'{}' is empty", self.path.display()));
            return Err(fault.because("the first line of a table names its columns").data());
        }
        let mut problems = Problems::default();
        let mut find = |name: &String| {
            let position = headers.iter().position(|header| header == name);
            if position.is_none() {
                let known: Vec<&str> = headers.iter().collect();
                let fault = self.fault(format!("column '{name}' is missing in '{}'", self.path.display()));
                problems.push(fault.suggest(format!("It has {}.", known.join(", "))).data());
            } else if headers.iter().filter(|header| header == name).count() > 1 {
                let fault = self.fault(format!("column '{name}' is twice in '{}'", self.path.display()));
                let fault = fault.because("which of them is meant is not known");
                problems.push(fault.suggest("Rename one of them.").data());
            }
            // Where one is missing, none is used.
            position.unwrap_or(0)
        };
        let columns = Columns {
            low: find(&self.low),
            high: find(&self.high),
            observed: find(&self.observed),
            expected: self.expected.as_ref().map(&mut find),
            uncertainty: self.uncertainty.as_ref().map(&mut find),
            signal: self.signal.as_ref().map(&mut find),
            rows: self.rows.as_ref().map(|rows| (find(&rows.low), find(&rows.high))),
        };
        problems.finish()?;
        Ok(columns)
    }
}

impl RowColumns {
    /// The keys of a plane; `None` if they are wrong, `Some(None)` if the table is a spectrum.
    fn read(section: &Section, quantity: &str, unit: &str) -> Option<Option<Self>> {
        if !section.has("row_low") && !section.has("row_high") {
            for key in ["row_quantity", "row_unit"].into_iter().filter(|key| section.has(key)) {
                // Known, so that it is one problem and not two.
                let _ = section.optional::<String>(key);
                section.problem(key, "a spectrum has no rows; name the columns with their edges, row_low and row_high");
            }
            return Some(None);
        }
        let (low, high) = (section.required("row_low"), section.required("row_high"));
        let row_quantity = section.or("row_quantity", "row".to_owned());
        if row_quantity == quantity {
            section.problem("row_quantity", format!("both axes would be called '{quantity}'; name them differently"));
        }
        let unit = section.or("row_unit", unit.to_owned());
        Some(Some(Self { low: low?, high: high?, quantity: row_quantity, unit }))
    }
}

/// The positions of the wanted columns.
struct Columns {
    low: usize,
    high: usize,
    observed: usize,
    expected: Option<usize>,
    uncertainty: Option<usize>,
    signal: Option<usize>,
    rows: Option<(usize, usize)>,
}

#[derive(Default)]
struct Rows {
    cells: Vec<Cell>,
    observed: Vec<u64>,
    expected: Vec<f64>,
    uncertainty: Vec<f64>,
    signal: Vec<f64>,
    /// Where the bin before ends, if that is known.
    end: Option<f64>,
    problems: Problems,
}

impl Rows {
    fn push(&mut self, input: &BinnedInput, columns: &Columns, record: &csv::StringRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        let place = |what: &str| format!("{}:{line}: {what}", input.path.display());
        let mut number = |index: usize, what: &str| -> Option<f64> {
            let text = record.get(index).unwrap_or("");
            let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
            if value.is_none() {
                self.problems.push(input.fault(place(&format!("the {what} '{text}' is no finite number"))).data());
            }
            value
        };
        let (low, high) = (number(columns.low, "lower edge"), number(columns.high, "upper edge"));
        let (bottom, top) = columns.rows.map_or((Some(0.0), Some(1.0)), |(bottom, top)| {
            (number(bottom, "lower edge of the row"), number(top, "upper edge of the row"))
        });
        let observed = number(columns.observed, "observed count");
        let mut optional = |column: Option<usize>, what: &str| column.map_or(Some(0.0), |index| number(index, what));
        let expected = optional(columns.expected, "expectation");
        let uncertainty = optional(columns.uncertainty, "uncertainty");
        let signal = optional(columns.signal, "signal");
        let (Some(low), Some(high), Some(bottom), Some(top)) = (low, high, bottom, top) else {
            // The table is refused; the row after this one is not to blame for an edge that may be unknown.
            self.end = None;
            return;
        };
        let (Some(observed), Some(expected), Some(uncertainty), Some(signal)) =
            (observed, expected, uncertainty, signal)
        else {
            self.end = None;
            return;
        };
        let mut refuse = |what: String, why: &str| self.problems.push(input.fault(place(&what)).because(why).data());
        // 2^53: beyond it a double no longer holds every whole number.
        if observed > 9_007_199_254_740_992.0 {
            let limit = "counts are exact up to 9007199254740992";
            refuse(format!("the observed count {observed} is too large"), limit);
        } else if observed < 0.0 || observed.fract() != 0.0 {
            refuse(format!("the observed count {observed} is not a whole number"), "a local p-value counts events");
        }
        if expected < 0.0 || uncertainty < 0.0 {
            refuse(format!("the expectation {expected} +- {uncertainty} is negative"), "it is a number of events");
        }
        if signal < 0.0 {
            refuse(format!("the signal {signal} is negative"), "it is a number of events");
        }
        if low >= high {
            refuse(format!("the bin from {low} to {high} is empty"), "edges rise");
        }
        if bottom >= top {
            refuse(format!("the row from {bottom} to {top} is empty"), "edges rise");
        }
        // The cells of a plane come in any order.
        if columns.rows.is_none() && self.end.is_some_and(|end| end != low) {
            refuse(format!("the bin starts at {low}"), "the bin before it ends elsewhere");
        }
        self.end = Some(high);
        self.cells.push(Cell { line, row: (bottom, top), column: (low, high) });
        self.observed.push(observed as u64);
        self.expected.push(expected);
        self.uncertainty.push(uncertainty);
        self.signal.push(signal);
    }

    fn finish(self, input: &BinnedInput) -> Result<BinnedSpectrum> {
        self.problems.finish()?;
        if self.cells.is_empty() {
            return Err(input.fault(format!("'{}' holds no bin", input.path.display())).data());
        }
        // The bins of a spectrum join, so that they are a grid of one row in their order.
        let grid = grid::arrange(&input.path, &self.cells)?;
        let in_order = |numbers: &[f64]| -> Vec<f64> { grid.order.iter().map(|line| numbers[*line]).collect() };
        Ok(BinnedSpectrum {
            observed: grid.order.iter().map(|line| self.observed[*line]).collect(),
            expected: input.expected.is_some().then(|| in_order(&self.expected)),
            uncertainty: input.uncertainty.is_some().then(|| in_order(&self.uncertainty)),
            signal: input.signal.is_some().then(|| in_order(&self.signal)),
            row_edges: grid.row_edges,
            edges: grid.column_edges,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> (tempfile::TempDir, BinnedInput) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        let name = |name: &str| name.to_owned();
        let input = BinnedInput {
            path,
            low: name("lo"),
            high: name("hi"),
            observed: name("n"),
            expected: Some(name("b")),
            uncertainty: None,
            signal: None,
            quantity: name("m_jj"),
            unit: name("GeV"),
            rows: None,
        };
        (folder, input)
    }

    #[test]
    fn a_table_is_read_whatever_the_order_of_its_columns() {
        let (_folder, input) = input("# a comment\nn, lo ,hi,b,other\n3,1,2,2.5,x\n0,2,4,1e0,y\n");
        let spectrum = input.load().unwrap();
        assert_eq!(spectrum.edges, [1.0, 2.0, 4.0]);
        assert_eq!(spectrum.observed, [3, 0]);
        assert_eq!(spectrum.expected, Some(vec![2.5, 1.0]));
        assert_eq!(spectrum.uncertainty, None);
    }

    #[test]
    fn a_signal_is_read_where_it_is_asked_for() {
        let (_folder, mut input) = input("lo,hi,n,s,b\n1,2,3,0.5,2.5\n2,4,0,-1,1\n");
        assert_eq!(input.load().unwrap().signal, None);
        input.signal = Some("s".into());
        assert!(input.load().unwrap_err().to_string().contains(":3: the signal -1 is negative"));
        input.expected = None;
        std::fs::write(&input.path, "lo,hi,n,s\n1,2,3,0.5\n").unwrap();
        let spectrum = input.load().unwrap();
        assert_eq!((spectrum.expected, spectrum.signal), (None, Some(vec![0.5])));
    }

    #[test]
    fn every_wrong_cell_is_named_with_its_line() {
        let (_folder, input) = input("lo,hi,n,b\n1,2,3.5,1\n2,3,1,1\n4,5,1,-1\n5,5,1,nan\n5,6,x,1\n");
        let error = input.load().unwrap_err().to_string();
        for expected in [
            ":2: the observed count 3.5",
            ":6: the observed count 'x'",
            ":4: the bin starts at 4",
            ":4: the expectation -1",
            ":5: the expectation 'nan'",
        ] {
            assert!(error.contains(expected), "{expected} is missing in\n{error}");
        }
    }

    #[test]
    fn a_plane_is_read_whatever_the_order_of_its_cells() {
        let text =
            "b,top,bottom,hi,lo,n,e\n4,3,2,20,10,40,0.4\n1,2,1,10,5,10,0.1\n2,2,1,20,10,20,0.2\n3,3,2,10,5,30,0.3\n";
        let (_folder, mut input) = input(text);
        let name = |name: &str| name.to_owned();
        input.rows =
            Some(RowColumns { low: name("bottom"), high: name("top"), quantity: name("m_Y"), unit: name("GeV") });
        input.uncertainty = Some(name("e"));
        let plane = input.load().unwrap();
        assert_eq!((plane.row_edges, plane.edges), (vec![1.0, 2.0, 3.0], vec![5.0, 10.0, 20.0]));
        assert_eq!((plane.observed, plane.expected), (vec![10, 20, 30, 40], Some(vec![1.0, 2.0, 3.0, 4.0])));
        assert_eq!(plane.uncertainty, Some(vec![0.1, 0.2, 0.3, 0.4]));
        std::fs::write(&input.path, text.replace("1,2,1,10", "1,1,1,10").replace("4,3,2", "4,x,2")).unwrap();
        let error = input.load().unwrap_err();
        assert_eq!(error.problems().len(), 2, "{error}");
        assert!(error.to_string().contains(":3: the row from 1 to 1 is empty"), "{error}");
        std::fs::write(&input.path, "b,top,hi,lo,n,e\n").unwrap();
        assert!(input.load().unwrap_err().to_string().contains("column 'bottom' is missing"));
    }

    #[test]
    fn a_missing_column_an_empty_table_and_a_missing_file_are_errors() {
        let (_folder, mut wanting) = input("lo,hi,n\n1,2,3\n");
        assert!(wanting.load().unwrap_err().to_string().contains("column 'b' is missing"));
        wanting.path = "no-such-file.csv".into();
        assert_eq!(wanting.load().unwrap_err().exit_code(), 1);
        let (_folder, empty) = input("lo,hi,n,b\n");
        assert!(empty.load().unwrap_err().to_string().contains("holds no bin"));
        let (_folder, nothing) = input("");
        let error = nothing.load().unwrap_err();
        assert!(error.problems().len() == 1 && error.to_string().contains("table.csv' is empty ("), "{error}");
    }

    #[test]
    fn a_wanted_column_is_there_once_and_others_as_often_as_they_like() {
        let (_folder, twice) = input("lo,n,hi,n,b,x,x\n1,2,3,4,5,6,7\n");
        let error = twice.load().unwrap_err();
        assert!(error.problems().len() == 1 && error.to_string().contains("column 'n' is twice in"), "{error}");
        let (_folder, once) = input("lo,hi,n,b,x,x\n1,2,3,4,5,6\n");
        assert_eq!(once.load().unwrap().observed, [3]);
        let (_folder, large) = input("lo,hi,n,b\n1,2,1e16,5\n");
        assert!(
            large.load().unwrap_err().to_string().contains(":2: the observed count 10000000000000000 is too large")
        );
    }
}
