//! Opening one Parquet file without trusting it.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::SystemTime;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use crate::error::{Error, Fault, Result};

const MAGIC: [u8; 4] = *b"PAR1";

/// Opens `path` and reads its footer, for the operation called `name` in messages.
///
/// The schema is taken from the Parquet types alone: the Arrow schema that some writers embed adds nothing that is used
/// here (LargeList or List, dictionaries, extension types of old awkward versions), and ignoring it makes all writers'
/// files look alike.
///
/// # Errors
/// A file that cannot be read, is not Parquet, is truncated, or whose footer is damaged.
pub(crate) fn open(name: &'static str, path: &Path) -> Result<(File, ArrowReaderMetadata)> {
    check_regular(name, path)?;
    let mut file = File::open(path).map_err(|error| Error::io(name, "read", path, error))?;
    check_magic(name, path, &mut file)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = guarded(|| {
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(|error| error.to_string())?;
        check_counts(metadata.metadata()).map(|()| metadata)
    });
    let metadata = metadata.map_err(|why| {
        Fault::new(name, format!("the footer of '{}' cannot be decoded", path.display()))
            .because(why)
            .suggest("The file is damaged: fetch or write it again")
            .data()
    })?;
    Ok((file, metadata))
}

/// Refuses what is there but no regular file: to open a named pipe waits for its writer, perhaps for ever, and what a device
/// or a pipe holds cannot be read twice.
pub(crate) fn check_regular(name: &'static str, path: &Path) -> Result<()> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            let is = if metadata.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
            let fault = Fault::new(name, format!("'{}' is not a file", path.display()));
            Err(fault.because(format!("it is {is}")).suggest("Write what it holds to a file first").data())
        }
        // What is not there, or may not be looked at, is told where it is opened.
        _ => Ok(()),
    }
}

/// What tells a file from another that was put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    pub fn of(name: &'static str, path: &Path, file: &File) -> Result<Self> {
        let metadata = file.metadata().map_err(|error| Error::io(name, "read", path, error))?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// Opens a file again whose footer is known.
///
/// # Errors
/// A file that cannot be read, or is another.
pub(super) fn reopen(name: &'static str, path: &Path, identity: &Identity) -> Result<File> {
    let file = File::open(path).map_err(|error| Error::io(name, "read", path, error))?;
    if Identity::of(name, path, &file)? == *identity {
        return Ok(file);
    }
    let fault = Fault::new(name, format!("'{}' changed while it was read", path.display()));
    Err(fault.because("its size or time is another").suggest("Start again when it is complete").data())
}

/// Refuses what the decoder takes for granted.
fn check_counts(footer: &ParquetMetaData) -> Result<(), String> {
    for (index, group) in footer.row_groups().iter().enumerate() {
        let chunk_lies = |chunk: &ColumnChunkMetaData| {
            let start = chunk.dictionary_page_offset().unwrap_or(0).min(chunk.data_page_offset());
            start < 0 || chunk.compressed_size() < 0 || chunk.num_values() < 0
        };
        if group.num_rows() < 0 || group.columns().iter().any(chunk_lies) {
            return Err(format!("row group {index} has negative sizes"));
        }
    }
    Ok(())
}

/// Footers store counts as signed; [`open`] refuses negative ones.
pub(crate) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread, now, becomes an error: a program's panic hook has nothing to say about it then.
pub(crate) fn panic_becomes_error() -> bool {
    GUARDED.get()
}

/// Runs a decoder over bytes that nobody vouches for; a panic of the decoder is an error as any other.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    GUARDED.set(true);
    // Unwind safety: whatever the closure was working on is dropped with it, and nothing else was borrowed mutably.
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(false);
    decoded
        .unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("the decoder gave up: {}", said.unwrap_or_default()))
        })
        // A failed assertion speaks in several lines, and a problem is one.
        .map_err(|why| why.lines().map(str::trim).collect::<Vec<_>>().join(", "))
}

fn check_magic(name: &'static str, path: &Path, file: &mut File) -> Result<()> {
    let refused = |error| Error::io(name, "read", path, error);
    let bytes = file.metadata().map_err(refused)?.len();
    let not_parquet = |why: &str| {
        Fault::new(name, format!("'{}' is not a Parquet file", path.display()))
            .because(why)
            .suggest("ROOT files become Parquet with uproot and awkward: awkward.to_parquet")
            .data()
    };
    if bytes == 0 {
        return Err(not_parquet("it is empty: 0 bytes"));
    }
    let mut magic = [0; 4];
    if bytes < 12 || file.read_exact(&mut magic).is_err() || magic != MAGIC {
        return Err(not_parquet("it does not begin with 'PAR1'"));
    }
    file.seek(SeekFrom::End(-4)).map_err(refused)?;
    file.read_exact(&mut magic).map_err(refused)?;
    if magic != MAGIC {
        return Err(Fault::new(name, format!("'{}' is truncated", path.display()))
            .because("it begins as a Parquet file but does not end as one")
            .suggest("Fetch or write it again")
            .data());
    }
    Ok(())
}
