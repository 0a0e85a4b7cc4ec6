//! A folder with a card, its input and its results, in which a bad run must leave everything as it was.

use std::fs;
use std::path::PathBuf;

use arrow_array::ArrayRef;
use parquet::basic::Compression;

use crate::files::{columns, write};
use crate::refusals::{assert_refused, errors, snapshot};
use crate::runs::{Said, say, trawl};

/// A card that selects and fills, over `events.parquet`.
pub const CARD: &str = r#"
name = "small"
seed = 1
output = "results"

[samples.data]
role = "data"
files = "events.parquet"

[objects.jet]
from = "Jet"
keep = ["pt > 0", "abs(eta) < 5"]

[define]
leading_pt = "jet[0].pt"

[select]
"one jet" = "count(jet) >= 1"

[spectrum]
variable = "leading_pt"
edges = [0, 1, 2, 5]

[keep]
survivors = true
"#;

/// A spectrum of four bins with more toys than anyone waits for.
pub const BINNED: &str = r#"
name = "binned"
seed = 1
output = "results"

[input]
path = "spectrum.csv"
low = "low"
high = "high"
observed = "observed"
expected = "expected"

[hunt]
width_min = 1
width_max = 2
width_step = 1
position_step = 1

[toys]
number = 100
"#;

/// The table of that card.
pub const SPECTRUM: &str = "low,high,observed,expected\n0,1,110,100.0\n1,2,52,50.0\n2,3,20,25.0\n3,4,14,12.5\n";

/// A folder with a card and its input.
pub struct Place {
    _keep: tempfile::TempDir,
    pub folder: PathBuf,
}

impl Place {
    pub fn empty() -> Self {
        let keep = tempfile::tempdir().unwrap();
        // Links resolved, so that the paths in messages are these.
        let folder = keep.path().canonicalize().unwrap();
        Self { _keep: keep, folder }
    }

    /// A place with a card over eight good events, and with the results of a run of it.
    pub fn with_events() -> Self {
        let place = Self::empty();
        fs::write(place.at("card.toml"), CARD).unwrap();
        write(&place.at("events.parquet"), columns(), Compression::UNCOMPRESSED);
        place.run_well()
    }

    /// The same with a spectrum in bins.
    pub fn with_spectrum() -> Self {
        let place = Self::empty();
        fs::write(place.at("card.toml"), BINNED).unwrap();
        fs::write(place.at("spectrum.csv"), SPECTRUM).unwrap();
        place.run_well()
    }

    fn run_well(self) -> Self {
        let said = self.run(&[]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(self.at("results/manifest.json").is_file());
        self
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn run(&self, flags: &[&str]) -> Said {
        let mut command = trawl();
        command.current_dir(&self.folder).args(["run", "card.toml"]).args(flags);
        say(command)
    }

    /// Runs over the results that are there, and to a place where nothing is: the same words and `code` both times, and
    /// nothing in the folder changes.
    pub fn refuses(&self, code: i32, flags: &[&str]) -> Said {
        let before = snapshot(&self.folder);
        let said = self.run(flags);
        assert_refused(&said, code);
        assert!(snapshot(&self.folder) == before, "{flags:?} left something:\n{}", said.err);
        let elsewhere = self.run(&[flags, &["--output", "above/elsewhere"]].concat());
        assert_refused(&elsewhere, code);
        assert_eq!(errors(&said), errors(&elsewhere));
        assert!(snapshot(&self.folder) == before, "{flags:?} left something elsewhere:\n{}", elsewhere.err);
        said
    }

    /// The only problem that a run over these columns has, with the name of the file in short.
    pub fn problem(&self, columns: Vec<(&str, ArrayRef)>) -> String {
        write(&self.at("events.parquet"), columns, Compression::UNCOMPRESSED);
        self.only_problem(1)
    }

    pub fn only_problem(&self, code: i32) -> String {
        let said = self.refuses(code, &[]);
        let errors = errors(&said);
        assert_eq!(errors.len(), 1, "{}", said.err);
        errors[0].replace(&format!("{}/", self.folder.display()), "")
    }
}
