//! What is needed to repeat a run bit for bit, and to check that it was: `manifest.json`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::events::WrittenFile;

const NAME: &str = "campaign.manifest";

/// The name of the file in the output folder.
pub const FILE: &str = "manifest.json";

/// The record of a run.
///
/// ```
/// use trawl::campaign::manifest::{CardRecord, Manifest, sha256_of};
/// let text = "name = \"demo\"\n";
/// let card = CardRecord { name: "demo".into(), path: "demo.toml".into(), sha256: sha256_of(text.as_bytes()), text: text.into() };
/// let manifest = Manifest::new(card);
/// assert!(manifest.to_json().starts_with("{\n  \"trawl\": \"0.1.0\""));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the program.
    pub trawl: String,
    /// The git revision it was built from, where the build knew one.
    pub git_revision: Option<String>,
    /// The compiler it was built with, where the build said so.
    pub rustc: Option<String>,
    /// The card.
    pub card: CardRecord,
    /// The words of the command line, the program first.
    pub command_line: Vec<String>,
    /// Settings given on the command line, as they were given.
    pub settings: Vec<String>,
    /// Seeds by the stage that used them.
    pub seeds: Vec<SeedRecord>,
    /// Where it ran.
    pub device: DeviceRecord,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// When it was done.
    pub finished: String,
    /// Which samples were finished, if the run ended before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<UnfinishedRecord>,
    /// What was read.
    pub inputs: Vec<FileRecord>,
    /// What was left out of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedRecord>,
    /// Selected events that are in no bin, because a filled variable has no value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_a_number: Vec<NotANumberRecord>,
    /// What took how long.
    pub stages: Vec<StageRecord>,
    /// The sha256 of the table of Poisson thresholds that the toys were drawn with.
    pub toy_table_sha256: Option<String>,
    /// The numbers of the answer.
    pub answer: serde_json::Map<String, serde_json::Value>,
    /// What was written beside this file; filled in by [`Output::finish`](super::output::Output::finish).
    pub outputs: Vec<FileRecord>,
}

/// Which card was run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CardRecord {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// The sha256 of the normalised card, settings from the command line included.
    pub sha256: String,
    /// Its text as it was read.
    pub text: String,
}

/// A seed and who used it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedRecord {
    /// The stage.
    pub stage: String,
    /// Its seed.
    pub seed: u64,
}

/// Where the work ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// Its name: `cpu`, or that of the GPU.
    pub name: String,
    /// The arithmetic class: runs of the same class agree bit for bit.
    pub arithmetic: String,
    /// Threads of the CPU.
    pub threads: usize,
}

/// A file, by what identifies its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its path: of inputs as given, of outputs relative to the folder.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its rows, if it is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Its sha256 in hexadecimal digits, as `sha256sum` prints it.
    pub sha256: String,
    /// Which of its bytes that is of.
    #[serde(default)]
    pub sha256_of: Hashed,
}

/// Which bytes of a file are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hashed {
    /// All of them.
    #[default]
    Whole,
    /// The footer of a Parquet file: it says where each column lies, how large it is and, mostly, its extremes. Reading a data
    /// set a second time for its hash takes longer than selecting from it.
    Footer,
}

/// A file that was left out because it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRecord {
    /// The sample that it belongs to.
    pub sample: String,
    /// Its path.
    pub path: PathBuf,
    /// The events that are lost, if its footer could be read.
    pub rows: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

/// Selected events of a sample that are in no bin of its histogram, not even in underflow or overflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotANumberRecord {
    /// The sample.
    pub sample: String,
    /// The variables that are filled, one for each axis.
    pub variables: Vec<String>,
    /// The entries for which one of them is missing or no number.
    pub entries: u64,
}

/// What a run had finished when it ended early.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnfinishedRecord {
    /// The samples whose files are whole.
    pub samples: Vec<String>,
    /// What ended the run.
    pub why: String,
}

/// A stage of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Its name.
    pub name: String,
    /// Wall time.
    pub seconds: f64,
    /// How many units it did.
    pub units: u64,
    /// What a unit is.
    pub unit: String,
    /// Units a second; 0 where there was nothing to count.
    pub units_per_second: f64,
}

impl StageRecord {
    /// The record of a stage, with its rate.
    pub fn new(name: impl Into<String>, seconds: f64, units: u64, unit: impl Into<String>) -> Self {
        let units_per_second = if seconds > 0.0 { units as f64 / seconds } else { 0.0 };
        Self { name: name.into(), seconds, units, unit: unit.into(), units_per_second }
    }
}

impl Manifest {
    /// A manifest of this build that starts now; the rest is filled in as the run goes on.
    pub fn new(card: CardRecord) -> Self {
        let now = rfc3339(SystemTime::now());
        Self {
            trawl: env!("CARGO_PKG_VERSION").into(),
            git_revision: option_env!("TRAWL_GIT_REVISION").filter(|text| !text.is_empty()).map(Into::into),
            rustc: option_env!("TRAWL_RUSTC_VERSION").filter(|text| !text.is_empty()).map(Into::into),
            card,
            command_line: Vec::new(),
            settings: Vec::new(),
            seeds: Vec::new(),
            device: DeviceRecord::default(),
            started: now.clone(),
            finished: now,
            unfinished: None,
            inputs: Vec::new(),
            skipped: Vec::new(),
            not_a_number: Vec::new(),
            stages: Vec::new(),
            toy_table_sha256: None,
            answer: serde_json::Map::new(),
            outputs: Vec::new(),
        }
    }

    /// The manifest as indented JSON. Numbers that are not finite become `null`.
    pub fn to_json(&self) -> String {
        // Only maps with keys that are not strings and failing writers can fail here; there are none.
        serde_json::to_string_pretty(self).expect("a manifest is plain data") + "\n"
    }

    /// Reads the manifest of an output folder; `None` if there is none or it is not one of ours.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()
    }
}

impl FileRecord {
    /// Reads a file once for its size and sha256. Memory: 64 KiB whatever its size.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub fn of(path: &Path, rows: Option<u64>) -> Result<Self> {
        let mut file = File::open(path).map_err(|source| Error::io(NAME, "open", path, source))?;
        let (bytes, sha256) = hash(&mut file).map_err(|source| Error::io(NAME, "read", path, source))?;
        Ok(Self { path: path.to_owned(), bytes, rows, sha256, sha256_of: Hashed::Whole })
    }

    /// The record of an output that was hashed as it was written; `name` is relative to the folder.
    pub fn of_written(name: &str, file: &WrittenFile) -> Self {
        let (path, sha256) = (name.into(), hexadecimal(&file.sha256));
        Self { path, bytes: file.bytes, rows: None, sha256, sha256_of: Hashed::Whole }
    }

    /// The record of a Parquet file that was read.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub fn of_parquet(path: &Path, rows: u64, hashed: Hashed) -> Result<Self> {
        if hashed == Hashed::Whole {
            return Self::of(path, Some(rows));
        }
        let refused = |source: io::Error| Error::io(NAME, "read", path, source);
        let mut file = File::open(path).map_err(refused)?;
        let bytes = file.metadata().map_err(refused)?.len();
        // The last 8 bytes are the length of what is before them, and 'PAR1'.
        let tail = bytes.min(8);
        file.seek(SeekFrom::Start(bytes - tail)).map_err(refused)?;
        let mut end = [0; 8];
        file.read_exact(&mut end[..tail as usize]).map_err(refused)?;
        let length = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
        file.seek(SeekFrom::Start(bytes - (length + tail).min(bytes))).map_err(refused)?;
        let (_, sha256) = hash(&mut file).map_err(refused)?;
        Ok(Self { path: path.to_owned(), bytes, rows: Some(rows), sha256, sha256_of: Hashed::Footer })
    }
}

/// The number of bytes from here to the end of a file, and their sha256.
fn hash(file: &mut File) -> io::Result<(u64, String)> {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
    Ok((bytes, hexadecimal(&hasher.finalize())))
}

/// The sha256 of a text in memory, in hexadecimal digits.
///
/// ```
/// // FIPS 180-2, appendix B.1.
/// let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// assert_eq!(trawl::campaign::manifest::sha256_of(b"abc"), expected);
/// ```
pub fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time in UTC to the second, as RFC 3339 writes it; times before 1970 are taken as 1970.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// let time = UNIX_EPOCH + Duration::from_secs(1_709_210_096);
/// assert_eq!(trawl::campaign::manifest::rfc3339(time), "2024-02-29T12:34:56Z");
/// ```
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The Gregorian date of a day since 1970-01-01. Years begin in March here, so that the leap day is their last.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970_FROM_MARCH_OF_YEAR_0: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days_since_1970 + DAYS_TO_1970_FROM_MARCH_OF_YEAR_0;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March have 31, 30, 31, 30, 31 days in turn: 153 in five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_those_of_the_calendar() {
        // date -u -d @N --iso-8601=seconds (GNU coreutils 9.1).
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn files_are_hashed_as_sha256sum_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("million");
        std::fs::write(&path, vec![b'a'; 1_000_000]).unwrap();
        let record = FileRecord::of(&path, Some(3)).unwrap();
        // FIPS 180-2, appendix B.3.
        assert_eq!(record.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        assert_eq!((record.bytes, record.rows), (1_000_000, Some(3)));
        let error = FileRecord::of(&folder.path().join("none"), None).unwrap_err();
        assert!(error.to_string().starts_with("campaign.manifest: cannot open '"), "{error}");
    }

    #[test]
    fn manifest_survives_the_round_trip() {
        let mut manifest = Manifest::new(CardRecord { name: "demo".into(), ..CardRecord::default() });
        manifest.stages.push(StageRecord::new("toys", 2.0, 100, "toys"));
        manifest.answer.insert("global_p".into(), 0.0123.into());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), manifest.to_json()).unwrap();
        assert_eq!(Manifest::read(folder.path()), Some(manifest));
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        assert_eq!(Manifest::read(folder.path()), None);
    }
}
