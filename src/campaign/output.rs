//! The output folder: it appears complete or not at all.
//!
//! Everything is written into a sibling, `<folder>.partial-<process>`, every file is flushed to the disk, the manifest is
//! written last, and one rename puts the folder in its place. On an error or a signal the sibling is removed, or, if
//! samples were finished in it, kept as `<folder>.unfinished`. A folder that exists is replaced only if it holds results
//! and nothing else, of the same card unless [`Existing::AnyCard`] is asked for: the old one is renamed aside, the new one
//! in, then the old one is removed, so that at every moment one complete folder exists.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::checkpoint::write_whole;
use super::manifest::{self, FileRecord, Manifest};
use crate::error::{Error, Fault, Result};
use crate::events::{Hashing, WrittenFile};

const NAME: &str = "campaign.output";

/// What tells the results of one card from those of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardIdentity {
    /// The name of the card.
    pub name: String,
    /// The sha256 of the normalised card.
    pub sha256: String,
}

/// Which results of earlier runs are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Those of the same card with the same settings.
    #[default]
    SameCard,
    /// Those of any card.
    AnyCard,
}

/// An output folder in the making. Dropped unfinished, it leaves nothing.
///
/// ```
/// use trawl::campaign::manifest::{CardRecord, Manifest};
/// use trawl::campaign::output::{CardIdentity, Existing, Output};
/// # let folder = tempfile::tempdir()?;
/// # let place = folder.path().join("results");
/// let card = CardIdentity { name: "demo".into(), sha256: "ab".into() };
/// let mut output = Output::create(&place, &card, Existing::SameCard)?;
/// output.write_text("answer.txt", "2.3 sigma\n")?;
/// let manifest = Manifest::new(CardRecord { name: card.name, sha256: card.sha256, ..CardRecord::default() });
/// let folder = output.finish(manifest)?;
/// assert!(folder.join("manifest.json").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Output {
    /// Where the folder will be.
    place: PathBuf,
    /// Where it is being made.
    partial: PathBuf,
    /// Folders above it that did not exist, the innermost first.
    made: Vec<PathBuf>,
    written: Written,
    card: CardIdentity,
    finished: bool,
    /// Tells other runs that this one lives.
    _held: Option<File>,
}

/// What was written: `None` while a file is open.
type Written = Arc<Mutex<Vec<(String, Option<FileRecord>)>>>;

impl Output {
    /// Begins the folder `path` for a card; parents that do not exist are made. What runs that were killed have left beside
    /// it is removed.
    ///
    /// # Errors
    /// A usage error if `path` exists and is anything but an empty folder or the results that may be replaced;
    /// [`Error::Io`] if the system refuses.
    pub fn create(path: &Path, card: &CardIdentity, existing: Existing) -> Result<Self> {
        let place = resolved(path)?;
        if place.file_name().is_none() {
            return Err(no_folder(path));
        }
        check_place(&place, card, existing)?;
        unfinished::clear(&place);
        unfinished::tell(&place, card);
        let made = make_parents(&place)?;
        let partial = sibling(&place, unfinished::PARTIAL);
        let (written, card) = (Written::default(), card.clone());
        let mut output = Self { place, partial, made, written, card, finished: false, _held: None };
        fs::create_dir(&output.partial).map_err(|source| Error::io(NAME, "create", &output.partial, source))?;
        output._held = unfinished::hold(&output.partial);
        Ok(output)
    }

    /// Where the folder will be.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Opens a file in the folder; `name` is relative and stays inside. Close it with [`OutputFile::close`].
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn file(&mut self, name: &str) -> Result<OutputFile> {
        let path = self.new_path(name)?;
        let file = OutputFile::create(path, name, Arc::clone(&self.written))?;
        lock(&self.written).push((name.to_owned(), None));
        Ok(file)
    }

    /// Where a file of that name goes; folders above it are made.
    fn new_path(&self, name: &str) -> Result<PathBuf> {
        let relative = Path::new(name);
        let inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside || name.is_empty() || name == manifest::FILE {
            return Err(Fault::new(NAME, format!("'{name}' cannot be the name of an output file"))
                .because("files lie inside the output folder, and the manifest is written last")
                .usage());
        }
        let path = self.partial.join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| Error::io(NAME, "create", parent, source))?;
        }
        Ok(path)
    }

    /// Writes a whole file, or replaces it by a whole one: for what grows sample by sample.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn rewrite_text(&mut self, name: &str, text: &str) -> Result<()> {
        write_whole(NAME, &self.new_path(name)?, text)?;
        let record = FileRecord::of_written(name, &WrittenFile::of(text.as_bytes()));
        let mut written = lock(&self.written);
        written.retain(|(known, _)| known != name);
        written.push((name.to_owned(), Some(record)));
        Ok(())
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn write_text(&mut self, name: &str, text: &str) -> Result<()> {
        let mut file = self.file(name)?;
        let path = file.path.clone();
        file.write_all(text.as_bytes()).map_err(|source| Error::io(NAME, "write", path, source))?;
        file.close()
    }

    /// Where the file `name` is to be made, for writers that want a path. [`Output::record`] records it.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.partial.join(name)
    }

    /// Records a file that was made at its path.
    pub fn record(&mut self, name: &str, file: &WrittenFile) {
        let record = FileRecord::of_written(name, file);
        lock(&self.written).push((name.to_owned(), Some(record)));
    }

    /// Writes down which samples are finished, as `manifest.unfinished` names them, for whoever cleans up after a run that
    /// is killed.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn note(&self, mut manifest: Manifest) -> Result<()> {
        let closed = lock(&self.written).iter().filter_map(|(_, record)| record.clone()).collect();
        self.write_manifest(&mut manifest, closed)
    }

    /// Keeps the finished samples beside the place of the folder, and says where. Files that are still open are not kept.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses; then nothing is left.
    pub fn keep(self, manifest: &Manifest) -> Result<PathBuf> {
        self.note(manifest.clone())?;
        let noted = Manifest::read(&self.partial).unwrap_or_else(|| manifest.clone());
        unfinished::keep(&self.partial, &self.place, &noted)
    }

    fn write_manifest(&self, manifest: &mut Manifest, mut outputs: Vec<FileRecord>) -> Result<()> {
        outputs.sort_by(|a, b| a.path.cmp(&b.path));
        manifest.outputs = outputs;
        manifest.finished = manifest::rfc3339(SystemTime::now());
        write_whole(NAME, &self.partial.join(manifest::FILE), &manifest.to_json())
    }

    /// Adds what was written, and the time, to the manifest, writes it, and puts the folder in its place, which it returns.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses; then nothing is left, and a folder that was to be replaced is as it was.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<PathBuf> {
        let written = std::mem::take(&mut *lock(&self.written)).into_iter().map(|(name, record)| {
            let open = Fault::new(NAME, format!("'{name}' was not written to its end")).because("it was never closed");
            record.ok_or_else(|| open.data())
        });
        let written = written.collect::<Result<_>>()?;
        manifest.unfinished = None;
        self.write_manifest(&mut manifest, written)?;
        sync_folders(&self.partial)?;
        self.put_in_place()?;
        self.finished = true;
        if let Some(parent) = self.place.parent() {
            sync_folder(parent)?;
        }
        unfinished::forget(&self.place, &self.card);
        Ok(self.place.clone())
    }

    fn put_in_place(&self) -> Result<()> {
        let refused = |source| Error::io(NAME, "rename", &self.partial, source);
        if !self.place.exists() {
            return fs::rename(&self.partial, &self.place).map_err(refused);
        }
        let aside = sibling(&self.place, "replaced");
        fs::rename(&self.place, &aside).map_err(|source| Error::io(NAME, "rename", &self.place, source))?;
        if let Err(source) = fs::rename(&self.partial, &self.place) {
            // The old folder goes back; if even that fails it is complete where it is, under the name that the error tells.
            fs::rename(&aside, &self.place).map_err(|source| Error::io(NAME, "rename", &aside, source))?;
            return Err(refused(source));
        }
        if let Err(source) = fs::remove_dir_all(&aside) {
            tracing::warn!("{NAME}: cannot remove '{}', the results that were replaced ({source})", aside.display());
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        match fs::remove_dir_all(&self.partial) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{NAME}: cannot remove '{}' ({source})", self.partial.display());
            }
            _ => {}
        }
        for folder in &self.made {
            // Only what is still empty goes: another run may have begun there.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A file of the output folder, hashed as it is written.
#[derive(Debug)]
pub struct OutputFile {
    file: Hashing<BufWriter<File>>,
    path: PathBuf,
    name: String,
    written: Written,
}

impl OutputFile {
    fn create(path: PathBuf, name: &str, written: Written) -> Result<Self> {
        let file = File::create_new(&path).map_err(|source| Error::io(NAME, "create", &path, source))?;
        let file = Hashing::new(BufWriter::new(file));
        Ok(Self { file, path, name: name.to_owned(), written })
    }

    /// Where it is being written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file to the disk and records its size and sha256.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses: some file systems report a full disk only here.
    pub fn close(mut self) -> Result<()> {
        let refused = |source| Error::io(NAME, "write", &self.path, source);
        self.file.flush().map_err(refused)?;
        let (file, written) = self.file.finish();
        file.get_ref().sync_all().map_err(refused)?;
        let record = FileRecord::of_written(&self.name, &written);
        if let Some((_, slot)) = lock(&self.written).iter_mut().find(|(name, _)| *name == self.name) {
            *slot = Some(record);
        }
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A panic elsewhere while the list was held leaves it as usable as before: it is only ever pushed to or replaced.
fn lock(written: &Written) -> std::sync::MutexGuard<'_, Vec<(String, Option<FileRecord>)>> {
    written.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder that `path` means: links followed, so that the rename happens on the file system where the folder lies.
fn resolved(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(place) => Ok(place),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if path.is_symlink() {
                return Err(Fault::new(NAME, format!("'{}' is a link to nothing", path.display()))
                    .suggest("Make the folder that it points to, or choose another --output.")
                    .usage());
            }
            path.file_name().ok_or_else(|| no_folder(path))?;
            std::path::absolute(path).map_err(|source| Error::io(NAME, "find", path, source))
        }
        Err(source) => Err(Error::io(NAME, "find", path, source)),
    }
}

fn no_folder(path: &Path) -> Error {
    Fault::new(NAME, format!("'{}' cannot be an output folder", path.display()))
        .because("it has no name of its own")
        .suggest("Choose another --output.")
        .usage()
}

/// Whether the folder may be made or replaced.
fn check_place(place: &Path, card: &CardIdentity, existing: Existing) -> Result<()> {
    let kind = match fs::metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::io(NAME, "look at", place, source)),
        Ok(kind) => kind,
    };
    let refuse = |problem: &str, reason: String, advice: &str| {
        Err(Fault::new(NAME, format!("the output folder '{}' {problem}", place.display()))
            .because(reason)
            .suggest(advice)
            .usage())
    };
    let (elsewhere, overwrite) = (
        "Choose another --output, or remove the folder.",
        "Choose another --output, or add --overwrite to replace them.",
    );
    if !kind.is_dir() {
        return refuse("is a file", "results are written to a folder".into(), elsewhere);
    }
    // Only a folder that says it is ours is listed to its depths: a home folder given by mistake may hold millions of files.
    let present = contents(place, Depth::Top)?;
    if present.is_empty() {
        return Ok(());
    }
    let Some(manifest) = Manifest::read(place) else {
        let reason = format!("it holds {} and no manifest", some(&present));
        return refuse("exists and is not Trawl's", reason, elsewhere);
    };
    let (name, other) = (&manifest.card.name, manifest.card.name != card.name);
    if existing == Existing::SameCard && (other || manifest.card.sha256 != card.sha256) {
        let settings = if other { "" } else { " with other settings" };
        let reason = format!("it holds the results of '{name}'{settings}");
        return refuse("belongs to another card", reason, overwrite);
    }
    let foreign = unfinished::foreign(place, &manifest);
    if !foreign.is_empty() {
        return refuse("holds files that are not Trawl's", format!("{} would be lost", some(&foreign)), elsewhere);
    }
    Ok(())
}

/// How far down a folder is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Its own entries, folders included.
    Top,
    /// The files in it and below.
    All,
}

/// What a folder holds, relative to it and sorted.
fn contents(folder: &Path, depth: Depth) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let refused = |source| Error::io(NAME, "list", &next, source);
        for entry in fs::read_dir(&next).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            if depth == Depth::All && entry.file_type().map_err(refused)?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).map_or_else(|_| entry.path(), Path::to_owned));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The first few names, for a message.
fn some(files: &[PathBuf]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = files.iter().take(SHOWN).map(|path| format!("'{}'", path.display())).collect();
    let more = if files.len() > SHOWN { format!(" and {} more", files.len() - SHOWN) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// A free name beside `place`. The number of the process alone is not enough: in a container every run may have the
/// same, and one that was killed leaves its folder behind.
fn sibling(place: &Path, what: &str) -> PathBuf {
    let process = std::process::id();
    sibling_names(place, &format!("{what}-{process}"))
        .find(|path| fs::symlink_metadata(path).is_err())
        .unwrap_or_default()
}

/// `<folder>.<what>`, `<folder>.<what>-2`, ... beside `place`.
fn sibling_names(place: &Path, what: &str) -> impl Iterator<Item = PathBuf> {
    let stem = place.file_name().unwrap_or_default().to_string_lossy();
    let first = format!("{stem}.{what}");
    let others = (2u32..).map({
        let first = first.clone();
        move |number| format!("{first}-{number}")
    });
    let place = place.to_owned();
    std::iter::once(first).chain(others).map(move |name| place.with_file_name(name))
}

/// Makes the folders above `place`; says which did not exist, the innermost first.
fn make_parents(place: &Path) -> Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> =
        place.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    let mut made = Vec::new();
    for folder in missing.iter().rev() {
        if let Err(source) = fs::create_dir(folder) {
            made.iter().for_each(|folder: &PathBuf| drop(fs::remove_dir(folder)));
            return Err(Error::io(NAME, "create", folder, source));
        }
        made.insert(0, folder.clone());
    }
    Ok(made)
}

/// Makes the names in a folder and in those below it durable.
fn sync_folders(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|source| Error::io(NAME, "list", folder, source))?.flatten() {
        if entry.path().is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        // Some network file systems do not know how to sync a folder; the files in it are safe.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other.map_err(|source| Error::io(NAME, "write", folder, source)),
    }
}

mod unfinished;

#[cfg(test)]
mod tests;
