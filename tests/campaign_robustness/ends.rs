//! Runs that end early: a signal, kill -9, a full disk. What is there stays, and the next run gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::events::events;
use crate::refusals::{assert_refused, errors, snapshot};
use crate::small_disk::SmallDisk;
use crate::{Ground, assert_same};

/// A card over links of one file: a run long enough to be stopped, without the disk space.
fn long_run() -> Ground {
    const LINKS: usize = 60;
    let ground = Ground::new();
    ground.events("first.parquet", &events(0..20_000));
    for link in 0..LINKS {
        fs::hard_link(ground.at("first.parquet"), ground.at(&format!("{link:02}.link.parquet"))).unwrap();
    }
    ground.card_of_data(&["*.link.parquet"]);
    ground
}

/// Starts a run and returns when its survivors are being written.
fn start(ground: &Ground) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trawl"))
        .current_dir(&ground.folder)
        .args(["--quiet", "run", "card.toml", "--device", "cpu", "--threads", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while written(ground).is_none_or(|bytes| bytes < 100_000) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the run writes no survivors");
        assert_eq!(child.try_wait().unwrap(), None, "the run ended before it could be stopped");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

/// The size of the survivors that are being written.
fn written(ground: &Ground) -> Option<u64> {
    let partial = partials(ground).pop()?;
    fs::metadata(partial.join("survivors-data.parquet")).ok().map(|file| file.len())
}

/// The folders of runs that did not finish.
fn partials(ground: &Ground) -> Vec<PathBuf> {
    let entries = fs::read_dir(&ground.folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains(".partial-")).collect()
}

/// What is in the folder; links would be as many copies.
fn names(ground: &Ground) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(&ground.folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

fn undisturbed(ground: &Ground) -> BTreeMap<PathBuf, Vec<u8>> {
    ground.results("undisturbed", &[])
}

#[test]
fn stopped_and_killed_runs_are_repeated_with_the_same_bytes() {
    let ground = long_run();
    let expected = undisturbed(&ground);
    let before = names(&ground);

    let child = start(&ground);
    let sent = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(75), "{said}");
    assert!(said.contains("stopped by SIGTERM (nothing half-written was left)"), "{said}");
    assert_eq!(names(&ground), before);

    // Nobody cleans up after kill -9. What is left is beside the results and no part of them.
    let mut child = start(&ground);
    child.kill().unwrap();
    assert!(child.wait().unwrap().code().is_none());
    assert!(!ground.at("results").exists());
    assert_eq!(partials(&ground).len(), 1);
    assert_same(&expected, &ground.results("results", &[]));
    assert!(partials(&ground).len() <= 1);

    // A run that is killed over results that are there leaves them.
    let mut child = start(&ground);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_same(&expected, &crate::lasting(&ground.at("results")));
    assert_same(&expected, &ground.results("results", &[]));
}

#[test]
fn a_disk_that_fills_up_under_the_survivors_is_named_and_left_empty() {
    let ground = Ground::new();
    let disk = match SmallDisk::mount(&ground.at("disk"), 256 << 10) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: a small disk cannot be mounted here ({why})"),
    };
    ground.events("events.parquet", &events(0..100_000));
    ground.card_of_data(&["events.parquet"]);
    let said = ground.run(&["--output", "disk/results"]);
    assert_refused(&said, 1);
    assert_eq!(errors(&said).len(), 1, "{}", said.err);
    let error = errors(&said)[0];
    assert!(error.contains("survivors-data.parquet") && error.contains("No space left"), "{error}");
    assert_eq!(snapshot(&disk.0).len(), 0, "{error}");
    // Elsewhere there is room.
    assert_eq!(ground.run(&["--output", "results"]).code, Some(0));
}
