//! Runs over many files, some of them bad, under signals, on a full disk, over several samples: through the binary.

#[path = "../common/refusals.rs"]
mod refusals;
#[path = "../common/runs.rs"]
mod runs;
#[path = "../common/small_disk.rs"]
mod small_disk;

mod bad_files;
mod ends;
mod events;
mod samples;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use events::{Event, SELECTION};
use refusals::snapshot;
use runs::{Said, say, trawl};

/// A folder with inputs, cards and results.
struct Ground {
    _keep: tempfile::TempDir,
    folder: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().canonicalize().unwrap();
        Self { _keep: keep, folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file of events.
    fn events(&self, name: &str, events: &[Event]) {
        events::write(&self.at(name), events);
    }

    /// Writes the card: the selection of these tests over `samples`.
    fn card(&self, samples: &str) {
        let text = format!("name = \"robust\"\nseed = 1\noutput = \"results\"\n{samples}\n{SELECTION}");
        fs::write(self.at("card.toml"), text).unwrap();
    }

    /// Writes a card over the data in these files.
    fn card_of_data(&self, files: &[&str]) {
        self.card(&format!("[samples.data]\nrole = \"data\"\nfiles = {files:?}"));
    }

    fn command(&self, flags: &[&str]) -> assert_cmd::Command {
        let mut command = trawl();
        command.current_dir(&self.folder).args(["--quiet", "run", "card.toml", "--device", "cpu"]).args(flags);
        command
    }

    fn run(&self, flags: &[&str]) -> Said {
        say(self.command(flags))
    }

    /// A run that must end well; what it leaves in `folder`, without what tells times and paths.
    fn results(&self, folder: &str, flags: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
        let said = self.run(&[flags, &["--output", folder]].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        lasting(&self.at(folder))
    }
}

/// The files of a folder of results, relative to it, but those that tell times and paths.
fn lasting(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = snapshot(folder).into_iter().filter_map(|(path, contents)| contents.map(|contents| (path, contents)));
    let files = files.map(|(path, contents)| (path.strip_prefix(folder).unwrap().to_owned(), contents));
    let files: BTreeMap<_, _> =
        files.filter(|(path, _)| path != Path::new("manifest.json") && path != Path::new("report.html")).collect();
    assert!(files.len() >= 3, "{:?}", files.keys());
    files
}

/// The same files with the same bytes, without printing them.
fn assert_same(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (path, contents) in a {
        assert!(contents == &b[path], "'{}' differs", path.display());
    }
}

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap()
}

/// A row of a cutflow.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    within: String,
    cut: String,
    events: u64,
    weights: f64,
    error: f64,
}

fn cutflow(folder: &Path, sample: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(folder.join(format!("cutflow-{sample}.csv"))).unwrap();
    let row = |row: csv::StringRecord| Row {
        within: row[0].to_owned(),
        cut: row[1].to_owned(),
        events: row[2].parse().unwrap(),
        weights: row[3].parse().unwrap(),
        error: row[4].parse().unwrap(),
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}
