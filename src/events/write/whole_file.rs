//! A file that appears whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::NAME;
use super::hashing::{Hashing, WrittenFile};
use crate::error::{Error, Fault, Result};

/// Writes under a temporary name beside `path`; [`WholeFile::publish`] makes it durable and gives it its name.
/// Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct WholeFile {
    /// The operation that speaks.
    operation: &'static str,
    writer: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl WholeFile {
    pub fn create(operation: &'static str, path: &Path) -> Result<Self> {
        check_place(operation, path)?;
        let stem = stem_of(path);
        clear(path, &stem);
        let prefix = format!("{stem}{}-", std::process::id());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        // Temporary files are private by default; this one becomes an ordinary file, under the user's umask.
        #[cfg(unix)]
        builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
        let file = builder.tempfile_in(folder_of(path)).map_err(|error| Error::io(operation, "create", path, error))?;
        // It ends with the process. A file system without locks gives none; then what a killed process left stays.
        let _ = file.as_file().try_lock();
        Ok(Self { operation, writer: BufWriter::new(file), path: path.to_owned() })
    }

    /// Data first, then the name, then the folder that holds the name: each on the disk before the next.
    pub fn publish(self) -> Result<()> {
        let refused = |action, error| Error::io(self.operation, action, &self.path, error);
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

/// Writes a file for `operation` that appears whole or not at all, flushed to the disk.
///
/// # Errors
/// [`Error::Io`] if the system refuses, [`Error::Usage`] if the place holds anything but a file; an older file is then as
/// it was.
pub(crate) fn write_whole(operation: &'static str, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = WholeFile::create(operation, path)?;
    file.write_all(bytes).map_err(|error| Error::io(operation, "write", path, error))?;
    file.publish()
}

/// A whole file that grows for long: it is hashed as it is written, and another thread sends what there is to the disk
/// meanwhile. 21 MB that were all sent at the end took 27 to 49 ms, in which two threads had nothing to do; reading them
/// back for their hash took 15 ms.
pub(super) struct GrowingFile {
    file: Hashing<WholeFile>,
    syncs: Option<(SyncSender<()>, JoinHandle<io::Result<()>>)>,
}

impl GrowingFile {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: Hashing::new(WholeFile::create(NAME, path)?), syncs: None })
    }

    /// Has what was written so far sent to the disk, without waiting for it.
    pub fn sync_soon(&mut self) -> io::Result<()> {
        let (wake, _) = match &mut self.syncs {
            Some(syncs) => syncs,
            none => none.insert(Self::start(self.file.get_ref().writer.get_ref().as_file().try_clone()?)?),
        };
        // Full: it is told already. Gone: it has failed, and the reason is told at the end.
        let _ = wake.try_send(());
        Ok(())
    }

    fn start(file: File) -> io::Result<(SyncSender<()>, JoinHandle<io::Result<()>>)> {
        let (wake, woken) = sync_channel(1);
        let sync = move || woken.iter().try_for_each(|()| file.sync_data());
        Ok((wake, std::thread::Builder::new().name("events.write".into()).spawn(sync)?))
    }

    /// See [`WholeFile::publish`]. The system reports a failure to write behind once, to whoever asks first: that may have
    /// been the thread.
    pub fn publish(self) -> Result<WrittenFile> {
        let (file, written) = self.file.finish();
        if let Some((wake, thread)) = self.syncs {
            drop(wake);
            let synced = thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs it panicked")));
            synced.map_err(|error| Error::io(NAME, "write", &file.path, error))?;
        }
        file.publish()?;
        Ok(written)
    }
}

impl Write for GrowingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

const SUFFIX: &str = ".tmp";

/// How the names of files begin that will become `path`. Names may have any length, so the hash stands for it.
fn stem_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    let hash = Sha256::digest(name.as_encoded_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!(".writing-{hash}-")
}

/// Removes what processes that were killed left of files that would have become `path`: their number is no other process's
/// here (in a container every run may have the same), and nobody, not even on another machine that shares the disk, holds
/// the lock.
fn clear(path: &Path, stem: &str) {
    for entry in std::fs::read_dir(folder_of(path)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(SUFFIX));
        let process = rest.and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        let lives =
            |process: u32| process != std::process::id() && Path::new("/proc").join(process.to_string()).exists();
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if process.is_none_or(lives) || !is_file() {
            continue;
        }
        // The lock is held until the name is gone.
        let lock = File::open(entry.path()).ok().filter(|file| file.try_lock().is_ok());
        if lock.is_some() && std::fs::remove_file(entry.path()).is_ok() {
            tracing::warn!("'{}' was left by a process that is gone, and is removed", entry.path().display());
        }
    }
}

/// A file is renamed into its place, which must hold a file or nothing: a folder cannot be replaced, and a device, a pipe or
/// what leads there would be gone.
fn check_place(operation: &'static str, path: &Path) -> Result<()> {
    // Links are followed; one that leads nowhere is replaced.
    let Ok(there) = std::fs::metadata(path) else { return Ok(()) };
    if there.is_file() {
        return Ok(());
    }
    let what = if there.is_dir() { "a folder" } else { "a device or a pipe" };
    let fault = Fault::new(operation, format!("the output '{}' is {what}", path.display()));
    Err(fault.because("a whole file is put in its place").suggest("Name a file.").usage())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_by_the_next_for_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let [path, other] = ["a.parquet", "b.parquet"].map(at);
        // No process has so large a number.
        let left = |path: &Path, rest: &str| {
            let name = at(&format!("{}{rest}", stem_of(path)));
            std::fs::write(&name, "half").unwrap();
            name
        };
        let gone = left(&path, "4294967295-x.tmp");
        let held = left(&path, "4294967294-x.tmp");
        let kept = [left(&path, "1-x.tmp"), left(&other, "4294967295-x.tmp"), left(&path, "x.tmp"), held.clone()];
        let lock = File::open(&held).unwrap();
        lock.try_lock().unwrap();
        let first = WholeFile::create(NAME, &path).unwrap();
        assert!(!gone.exists() && kept.iter().all(|name| name.exists()));
        // One of a process that is still at work stays, too.
        let second = WholeFile::create(NAME, &path).unwrap();
        assert!(first.writer.get_ref().path().exists() && second.writer.get_ref().path().exists());
        first.publish().unwrap();
        drop((second, lock));
        drop(WholeFile::create(NAME, &path).unwrap());
        assert!(path.exists() && !held.exists());
        assert_eq!(folder.path().read_dir().unwrap().count(), 4);
    }
}
