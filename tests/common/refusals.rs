//! What a failed run says, and that it leaves everything as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::runs::Said;

/// The problems that a run reports, one a line.
pub fn errors(said: &Said) -> Vec<&str> {
    said.err.lines().filter_map(|line| line.strip_prefix("error: ")).collect()
}

/// Every file in a folder and below with its contents, and every folder.
pub fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let contents = if path.is_dir() {
                folders.push(path.clone());
                None
            } else {
                Some(fs::read(&path).unwrap())
            };
            found.insert(path, contents);
        }
    }
    found
}

/// A failure says so in `error:` lines, answers nothing, and is no crash.
pub fn assert_refused(said: &Said, code: i32) {
    assert_eq!(said.code, Some(code), "{}\n{}", said.out, said.err);
    assert!(said.out.is_empty(), "{}", said.out);
    assert!(!errors(said).is_empty(), "{}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
}
