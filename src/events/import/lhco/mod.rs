//! LHC Olympics HDF5, as pandas writes it, to Parquet. Needs the cargo feature `hdf5`.
//!
//! **Raw events** (700 particles as `pt, eta, phi`, zero padded, then perhaps the truth): `Particle_{pt,eta,phi}` with
//! the particles of `pt > 0` in the order of the file, the truth apart as `truth_signal`, and `event`, the row. Files
//! have no particle masses: they are 0. **Feature tables** (`pxj1`, ..., `label`): one column for each, under its name.
//! Both are in GeV in the published files, and no number is scaled.
//!
//! A frame is raw events if its columns are numbered, a feature table if they are named. Layouts: pandas "fixed" (any
//! number of blocks, so also the one with an integer label in a block of its own) and "table"; chunks uncompressed, or
//! compressed by zlib or by BLOSC with blosclz.
//!
//! **Damaged files.** Truncated files, damaged zlib and BLOSC streams and contradicting shapes are errors. Uncompressed
//! numbers have no checksum. libhdf5 itself trusts the sizes in the headers of chunks; they are checked before it reads.
//! Of 1,800 files with random bytes exchanged none ended the process, but a crash within libhdf5 cannot be excluded: it would
//! leave a temporary file and no output.
//!
//! **Cost.** A few chunks of rows are in memory at a time, at least 16 MiB.

#[cfg(feature = "hdf5")]
mod frame;
#[cfg(feature = "hdf5")]
mod names;
#[cfg(feature = "hdf5")]
mod write;

use std::path::{Path, PathBuf};

use super::Imported;
use crate::error::Result;

/// Which LHC Olympics files become one Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LhcoImport {
    /// The HDF5 files, in the order of their events in the output. All are raw events, or all feature tables of the
    /// same columns.
    pub files: Vec<PathBuf>,
    /// The pandas key of the frame; not needed where a file holds one frame.
    pub key: Option<String>,
}

/// Writes the events of `import` to `output`; `progress` is told the number of events of each step.
///
/// # Errors
/// A build without the feature `hdf5`; every mistake of every file (the first twenty of each one by one);
/// files whose columns differ; a disk that refuses; whatever `progress` answers. An existing `output` is then as it
/// was.
pub fn import_lhco(import: &LhcoImport, output: &Path, progress: &dyn Fn(u64) -> Result<()>) -> Result<Imported> {
    run(import, output, progress)
}

#[cfg(feature = "hdf5")]
use write::run;

#[cfg(not(feature = "hdf5"))]
fn run(_: &LhcoImport, _: &Path, _: &dyn Fn(u64) -> Result<()>) -> Result<Imported> {
    Err(unsupported())
}

/// What a build without HDF5 says.
#[cfg(any(test, not(feature = "hdf5")))]
fn unsupported() -> crate::error::Error {
    let fault = crate::error::Fault::new(super::NAME, "this trawl cannot read HDF5");
    let how = "Install libhdf5 with its headers (Debian: apt-get install libhdf5-dev) and build with \
               `cargo install --path . --features hdf5`.";
    fault.because("it was built without the cargo feature 'hdf5'").suggest(how).usage()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_build_without_hdf5_says_how_to_get_it() {
        let error = super::unsupported();
        assert_eq!((error.exit_code(), error.to_string().lines().count()), (2, 1));
        assert!(error.to_string().contains("apt-get install libhdf5-dev"), "{error}");
    }
}
