//! A file system that fills up quickly.

use std::fs;
use std::path::{Path, PathBuf};

/// A small file system of memory.
pub struct SmallDisk(pub PathBuf);

impl SmallDisk {
    /// Mounts it, or says why it may not.
    pub fn mount(folder: &Path, bytes: usize) -> Result<Self, String> {
        fs::create_dir(folder).unwrap();
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder);
        match command.output() {
            Ok(output) if output.status.success() => Ok(Self(folder.to_owned())),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(why) => Err(why.to_string()),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that another test is starting may hold it for a moment.
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
