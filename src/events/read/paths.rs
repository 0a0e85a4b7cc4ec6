//! From what the user wrote (files, folders, globs) to the files to read, in a fixed order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::NAME;
use crate::error::{Error, Fault, Problems, Result, nearest};

/// The files that `patterns` name: in the order of the patterns, and by name within a folder or glob.
///
/// A path that exists is taken as it is, even if it holds `*`, `?` or `[`. A folder stands for the `.parquet` and
/// `.parq` files directly in it, hidden ones excepted.
///
/// # Errors
/// All at once: nothing there, what is neither file nor folder, a folder without Parquet files, a glob that matches
/// nothing or is none, and a file that is named twice (its events would count twice).
pub(in crate::events) fn expand(patterns: &[String]) -> Result<Vec<PathBuf>> {
    if patterns.is_empty() {
        return Err(Fault::new(NAME, "no input files are given")
            .suggest("Name a Parquet file, a folder or a glob")
            .usage());
    }
    let mut problems = Problems::default();
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        files.extend(problems.take(expand_one(pattern)).unwrap_or_default());
    }
    let mut seen: BTreeMap<PathBuf, &PathBuf> = BTreeMap::new();
    for file in &files {
        let identity = file.canonicalize().unwrap_or_else(|_| file.clone());
        if let Some(first) = seen.insert(identity, file) {
            problems.push(
                Fault::new(NAME, format!("'{}' is given twice, first as '{}'", file.display(), first.display()))
                    .because("its events would count twice")
                    .data(),
            );
        }
    }
    problems.finish()?;
    Ok(files)
}

fn expand_one(pattern: &str) -> Result<Vec<PathBuf>> {
    let path = Path::new(pattern);
    if path.is_dir() {
        return in_folder(path);
    }
    if !path.exists() && pattern.contains(['*', '?', '[']) {
        return matching(pattern);
    }
    match path.metadata() {
        Ok(_) => super::file::check_regular(NAME, path).map(|()| vec![path.to_owned()]),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing(path)),
        Err(error) => Err(Error::io(NAME, "read", path, error)),
    }
}

fn missing(path: &Path) -> Error {
    let fault = Fault::new(NAME, format!("'{}' does not exist", path.display()));
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = folder.read_dir() else {
        return fault.because(format!("there is no folder '{}' either", folder.display())).data();
    };
    let mut siblings: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    siblings.sort();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match nearest(&wanted, siblings.iter().map(String::as_str)) {
        Some(near) => fault.suggest(format!("Did you mean '{}'?", folder.join(near).display())).data(),
        None => fault.data(),
    }
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let refused = |error| Error::io(NAME, "read", folder, error);
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let parquet = path.extension().is_some_and(|extension| extension == "parquet" || extension == "parq");
        if parquet && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Fault::new(NAME, format!("the folder '{}' holds no Parquet files", folder.display()))
            .because("files ending in .parquet or .parq directly in it are read")
            .data());
    }
    Ok(files)
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let paths = glob::glob(pattern)
        .map_err(|error| Fault::new(NAME, format!("'{pattern}' is not a glob")).because(error.to_string()).usage())?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            let path = error.path().to_owned();
            Error::io(NAME, "read", path, error.into())
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Fault::new(NAME, format!("no file matches '{pattern}'")).data());
    }
    Ok(files)
}
