//! A file that appears whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::NAME;
use crate::error::{Error, Fault, Result};

/// Writes under a temporary name beside `path`; [`WholeFile::publish`] makes it durable and gives it its name.
/// Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct WholeFile {
    writer: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl WholeFile {
    pub fn create(path: &Path) -> Result<Self> {
        check_place(path)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".writing-").suffix(".tmp");
        // Temporary files are private by default; this one becomes an ordinary file, under the user's umask.
        #[cfg(unix)]
        builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
        let file = builder.tempfile_in(folder_of(path)).map_err(|error| Error::io(NAME, "create", path, error))?;
        Ok(Self { writer: BufWriter::new(file), path: path.to_owned() })
    }

    /// Data first, then the name, then the folder that holds the name: each on the disk before the next.
    pub fn publish(self) -> Result<()> {
        let refused = |action, error| Error::io(NAME, action, &self.path, error);
        let file = self.writer.into_inner().map_err(|error| refused("write", error.into_error()))?;
        file.as_file().sync_all().map_err(|error| refused("write", error))?;
        file.persist(&self.path).map_err(|error| refused("rename", error.error))?;
        #[cfg(unix)]
        File::open(folder_of(&self.path))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| refused("write", error))?;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A file is renamed into its place, which must hold a file or nothing: a folder cannot be replaced, and a device, a pipe or
/// what leads there would be gone.
fn check_place(path: &Path) -> Result<()> {
    // Links are followed; one that leads nowhere is replaced.
    let Ok(there) = std::fs::metadata(path) else { return Ok(()) };
    if there.is_file() {
        return Ok(());
    }
    let what = if there.is_dir() { "a folder" } else { "a device or a pipe" };
    let fault = Fault::new(NAME, format!("the output '{}' is {what}", path.display()));
    Err(fault.because("a whole file is put in its place").suggest("Name a file.").usage())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
