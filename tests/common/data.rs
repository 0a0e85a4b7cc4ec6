//! Where the public files are on which some tests run.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of public files, or `None` with a message where a test must be skipped.
pub fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("TRAWL_DATA").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("TRAWL_REQUIRE_DATA").is_none(), "no data in '{}'", folder.display());
    // Not through `println!`, which a passing test swallows.
    let _ = writeln!(std::io::stderr(), "skipped: no data in '{}'", folder.display());
    None
}
