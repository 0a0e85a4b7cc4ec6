//! What runs that ended early leave beside an output folder, and what becomes of it.
//!
//! - `<folder>.unfinished` holds the files of the samples that an earlier run had finished, with a manifest that says so.
//!   A run of the same card that ends well removes it.
//! - `<folder>.partial-<process>` is a folder in the making. Nobody cleans up after a process that is killed: the next run
//!   does, and keeps the samples that were finished in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{CardIdentity, Depth, NAME, contents, sibling_names, some};
use crate::campaign::manifest::{self, Manifest, UnfinishedRecord};
use crate::error::{Error, Result};

/// What stands between the name of a folder and the number of the process that makes it.
pub(super) const PARTIAL: &str = "partial";

/// A lock on a folder in the making, which ends with its process. A file system without locks gives none; then what is
/// left by a process that was killed stays.
pub(super) fn hold(partial: &Path) -> Option<File> {
    let folder = File::open(partial).ok()?;
    folder.try_lock().ok().map(|()| folder)
}

/// Removes the folders in the making whose process is gone, and says so; samples that were finished in them are kept.
pub(super) fn clear(place: &Path) {
    for partial in abandoned(place) {
        let shown = partial.display();
        let kept = match Manifest::read(&partial) {
            Some(manifest) if manifest.unfinished.is_some() => keep(&partial, place, &manifest).map(Some),
            _ => fs::remove_dir_all(&partial)
                .map(|()| None)
                .map_err(|source| Error::io(NAME, "remove", &partial, source)),
        };
        match kept {
            Ok(Some(folder)) => tracing::warn!(
                "'{shown}' was left by a process that is gone; the samples that it had finished are in '{}'",
                folder.display()
            ),
            Ok(None) => tracing::warn!("'{shown}' was left by a process that is gone, and is removed"),
            Err(error) => tracing::warn!("'{shown}' was left by a process that is gone, and stays: {error}"),
        }
    }
}

/// The folders in the making of this place whose process is gone.
fn abandoned(place: &Path) -> Vec<PathBuf> {
    let Some(entries) = place.parent().and_then(|parent| fs::read_dir(parent).ok()) else { return Vec::new() };
    let stem = place.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{stem}.{PARTIAL}-");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix(&prefix).and_then(process_of);
            process.is_some_and(|process| !lives(process)) && entry.file_type().is_ok_and(|kind| kind.is_dir())
        })
        .map(|entry| entry.path())
        // The process may be one of another machine that shares the disk: then it holds the lock.
        .filter(|path| hold(path).is_some())
        .collect();
    found.sort();
    found
}

/// The process in `4711` or `4711-2`.
fn process_of(rest: &str) -> Option<u32> {
    let (process, number) = rest.split_once('-').map_or((rest, None), |(process, number)| (process, Some(number)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = digits(process) && number.is_none_or(digits);
    sound.then(|| process.parse().ok()).flatten()
}

/// Whether another process of this number runs here. In a container every run may have the same.
fn lives(process: u32) -> bool {
    process != std::process::id() && Path::new("/proc").join(process.to_string()).exists()
}

/// Moves what was finished in `partial` to a folder beside `place`, whose path it returns; what was not finished goes.
pub(super) fn keep(partial: &Path, place: &Path, manifest: &Manifest) -> Result<PathBuf> {
    let refused = |action, path: &Path, source| Error::io(NAME, action, path, source);
    for path in foreign(partial, manifest) {
        let path = partial.join(path);
        fs::remove_file(&path).map_err(|source| refused("remove", &path, source))?;
    }
    super::sync_folders(partial)?;
    let target = target(place, manifest);
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|source| refused("remove", &target, source))?;
    }
    fs::rename(partial, &target).map_err(|source| refused("rename", partial, source))?;
    Ok(target)
}

/// A name that is free, or has samples of the same card that are all among the new ones.
fn target(place: &Path, new: &Manifest) -> PathBuf {
    let finished = |manifest: &Manifest| manifest.unfinished.clone().unwrap_or_default().samples;
    let replaceable = |path: &PathBuf| match Manifest::read(path) {
        _ if fs::symlink_metadata(path).is_err() => true,
        Some(old) if old.unfinished.is_some() && old.card.sha256 == new.card.sha256 => {
            finished(&old).iter().all(|sample| finished(new).contains(sample)) && foreign(path, &old).is_empty()
        }
        _ => false,
    };
    sibling_names(place, "unfinished").find(replaceable).unwrap_or_default()
}

/// The files in a folder that its manifest does not name.
pub(super) fn foreign(folder: &Path, manifest: &Manifest) -> Vec<PathBuf> {
    let ours =
        |path: &PathBuf| path == Path::new(manifest::FILE) || manifest.outputs.iter().any(|file| file.path == *path);
    // A folder that cannot be listed holds what nobody knows.
    let found = contents(folder, Depth::All).unwrap_or_else(|_| vec![PathBuf::from("?")]);
    found.into_iter().filter(|path| !ours(path)).collect()
}

/// The kept samples of earlier runs of this card.
fn kept(place: &Path, card: &CardIdentity) -> Vec<(PathBuf, Manifest, UnfinishedRecord)> {
    let existing = sibling_names(place, "unfinished").take_while(|path| path.exists());
    existing
        .filter_map(|path| {
            let manifest = Manifest::read(&path)?;
            let record = manifest.unfinished.clone()?;
            (manifest.card.sha256 == card.sha256).then_some((path, manifest, record))
        })
        .collect()
}

/// Says what earlier runs of this card had finished.
pub(super) fn tell(place: &Path, card: &CardIdentity) {
    for (path, _, record) in kept(place, card) {
        tracing::warn!(
            "'{}' holds what an earlier run had finished: {} (it ended with: {}). This run begins anew and removes it at \
             its end",
            path.display(),
            record.samples.join(", "),
            record.why
        );
    }
}

/// Removes the kept samples of this card, now that the whole is there.
pub(super) fn forget(place: &Path, card: &CardIdentity) {
    for (path, manifest, _) in kept(place, card) {
        let foreign = foreign(&path, &manifest);
        if !foreign.is_empty() {
            tracing::warn!("{NAME}: '{}' stays, because {} would be lost", path.display(), some(&foreign));
            continue;
        }
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{NAME}: cannot remove '{}' ({source})", path.display());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::process_of;

    #[test]
    fn only_names_of_processes_are_read_as_such() {
        let cases =
            [("4711", Some(4711)), ("4711-2", Some(4711)), ("", None), ("47x", None), ("47-", None), ("-2", None)];
        for (text, expected) in cases {
            assert_eq!(process_of(text), expected, "{text}");
        }
    }
}
