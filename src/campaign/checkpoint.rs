//! The toys so far, beside the output folder: what a run that is stopped or killed goes on with.
//!
//! The file is replaced by one rename, so that there is always a whole one. It names the goal on its first line, and the
//! [`Summary`] of the toys follows. Toys of another card, table, seed or program are never used; neither are those of a
//! goal that might have stopped before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::toys::{Stopping, Summary, Tally};

const NAME: &str = "campaign.checkpoint";

/// How often toys are kept unless the user says otherwise: so much time a killed run loses at most.
pub const EVERY: Duration = Duration::from_secs(60);

/// Where toys are kept, and how often.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    path: PathBuf,
    every: Duration,
    last: Instant,
}

impl Checkpoint {
    /// A checkpoint beside `place`, the folder or file that the run makes.
    pub(super) fn beside(place: &Path, every: Option<Duration>) -> Self {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let path = place.with_file_name(format!("{name}.checkpoint"));
        Self { path, every: every.unwrap_or(EVERY), last: Instant::now() }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The toys that a run of this goal can go on with; `empty` is the summary of its toys, whatever they are. What cannot
    /// be used is said and left alone.
    pub(super) fn read(
        &self,
        stopping: &Stopping,
        first_toy: u64,
        like: &dyn Fn(Tally) -> Result<Summary>,
    ) -> Option<Tally> {
        let ignored = |why: &str| {
            let path = self.path.display();
            tracing::warn!("{NAME}: the toys in '{path}' are not used ({why}); the next checkpoint replaces them");
        };
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                ignored(&error.to_string());
                return None;
            }
        };
        match usable(&text, stopping, first_toy, like) {
            Ok(tally) => {
                tracing::info!(path = %self.path.display(), toys = tally.toys(), "goes on after the toys of a checkpoint");
                Some(tally)
            }
            Err(why) => {
                ignored(&why);
                None
            }
        }
    }

    /// Keeps the toys if it is time to. A disk that is full takes the checkpoint, not the run.
    pub(super) fn keep_now_and_then(
        &mut self,
        stopping: &Stopping,
        summary: impl FnOnce() -> Result<Summary>,
    ) -> Result<()> {
        if self.last.elapsed() >= self.every {
            if let Err(error) = self.keep(stopping, &summary()?) {
                tracing::warn!("{error}; the run goes on without this checkpoint");
            }
            self.last = Instant::now();
        }
        Ok(())
    }

    /// Keeps the toys.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub(super) fn keep(&self, stopping: &Stopping, summary: &Summary) -> Result<()> {
        write_whole(NAME, &self.path, &format!("{}\n{}", goal(stopping), summary.to_json()))
    }

    /// Removes the file, once the results are in their place.
    pub(super) fn remove(&self) {
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{NAME}: cannot remove '{}' ({source})", self.path.display());
            }
            _ => {}
        }
    }
}

fn goal(stopping: &Stopping) -> String {
    match stopping {
        Stopping::After(toys) => format!("after {toys}"),
        Stopping::Accurate { relative, minimum, maximum } => format!("accurate {relative} {minimum} {maximum}"),
    }
}

/// The toys of a checkpoint, or why they are of no use.
fn usable(
    text: &str,
    stopping: &Stopping,
    first_toy: u64,
    like: &dyn Fn(Tally) -> Result<Summary>,
) -> Result<Tally, String> {
    let (then, summary) = text.split_once('\n').ok_or("it is cut off")?;
    let summary = Summary::from_json("checkpoint", summary).map_err(|_| "it is damaged, or of another version")?;
    let mine = like(summary.tally.clone()).map_err(|_| "they are of another card, input or expectation")?;
    let differs = mine.differs_in(&summary);
    if !differs.is_empty() {
        return Err(format!("they differ in {}", differs.join(", ")));
    }
    let tally = summary.tally;
    if tally.ranges().len() != 1 || tally.ranges()[0].start != first_toy {
        return Err("they are other toys".into());
    }
    let never_past = match *stopping {
        Stopping::After(toys) => tally.toys() <= toys,
        // A run of another goal may have passed the toy where this one stops.
        Stopping::Accurate { minimum, .. } => then == goal(stopping) || tally.toys() <= minimum,
    };
    if never_past { Ok(tally) } else { Err("they were thrown for another goal".into()) }
}

/// Writes a file for `operation` that appears whole or not at all, flushed to the disk.
///
/// # Errors
/// [`Error::Io`] if the system refuses; then an older file is as it was.
pub(super) fn write_whole(operation: &'static str, path: &Path, text: &str) -> Result<()> {
    let refused = |action, source| Error::io(operation, action, path, source);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-").suffix(".tmp");
    // Temporary files are private by default; this one becomes an ordinary file, under the user's umask.
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(|source| refused("create", source))?;
    file.write_all(text.as_bytes()).map_err(|source| refused("write", source))?;
    file.as_file().sync_all().map_err(|source| refused("write", source))?;
    file.persist(path).map_err(|error| refused("rename", error.error))?;
    // Some network file systems do not know how to sync a folder; the file is safe.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}
