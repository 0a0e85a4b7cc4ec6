//! Runs that end early: a signal, kill -9, a full disk. What is there stays, and the next run gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::events::{corrupt_a_page, events};
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

/// The size of the survivors that are being written: they have their name when they are whole.
fn written(ground: &Ground) -> Option<u64> {
    let entries = fs::read_dir(partials(ground).pop()?).ok()?;
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).max()
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
    let left = partials(&ground).pop().unwrap();
    let said = ground.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains(&format!("'{}' was left by a process that is gone, and is removed", left.display())));
    assert_same(&expected, &crate::lasting(&ground.at("results")));
    assert!(partials(&ground).is_empty());

    // A run that is killed over results that are there leaves them.
    let mut child = start(&ground);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_same(&expected, &crate::lasting(&ground.at("results")));
    assert_same(&expected, &ground.results("results", &[]));
}

/// A card with a sample that can be read and one whose files are damaged.
fn half_good() -> Ground {
    let ground = Ground::new();
    ground.events("good.parquet", &events(0..5000));
    ground.events("bad.parquet", &events(5000..10_000));
    corrupt_a_page(&ground.at("bad.parquet"));
    ground.card(
        "[samples.data]\nrole = \"data\"\nfiles = \"good.parquet\"\n\
         [samples.top]\nrole = \"simulation\"\nfiles = \"bad.parquet\"",
    );
    ground
}

#[test]
fn finished_samples_survive_the_failure_of_a_later_one() {
    let ground = half_good();
    let said = ground.run(&[]);
    assert_refused(&said, 1);
    assert_eq!(errors(&said).len(), 1, "{}", said.err);
    assert!(errors(&said)[0].contains("sample 'top'") && errors(&said)[0].contains("bad.parquet"), "{}", said.err);
    let kept = ground.at("results.unfinished");
    assert!(said.err.contains(&format!("what was finished (data) is kept in '{}'", kept.display())), "{}", said.err);
    assert!(!ground.at("results").exists() && partials(&ground).is_empty());
    let found = snapshot(&kept);
    let found: Vec<_> = found.keys().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(found, ["cutflow-data.csv", "histograms.json", "manifest.json", "survivors-data.parquet"]);
    let record = crate::manifest(&kept);
    assert_eq!(record["unfinished"]["samples"], serde_json::json!(["data"]));
    assert!(record["unfinished"]["why"].as_str().unwrap().contains("bad.parquet"), "{record:#}");
    assert_eq!((record["inputs"].as_array().unwrap().len(), record["outputs"].as_array().unwrap().len()), (1, 3));
    let partial = fs::read(kept.join("survivors-data.parquet")).unwrap();

    // The next run says what is there, and takes it away when it has the whole.
    ground.events("bad.parquet", &events(5000..10_000));
    let said = ground.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("holds what an earlier run had finished: data"), "{}", said.err);
    assert!(!kept.exists());
    assert!(fs::read(ground.at("results/survivors-data.parquet")).unwrap() == partial);
}

#[test]
fn results_of_other_settings_are_replaced_when_asked_for() {
    let ground = Ground::new();
    ground.events("events.parquet", &events(0..2000));
    ground.card_of_data(&["events.parquet"]);
    assert_eq!(ground.run(&[]).code, Some(0));
    let before = snapshot(&ground.folder);
    let said = ground.run(&["--set", "seed=2"]);
    assert_refused(&said, 2);
    assert!(said.err.contains("with other settings") && said.err.contains("--overwrite"), "{}", said.err);
    assert!(snapshot(&ground.folder) == before);
    assert_eq!(ground.run(&["--set", "seed=2", "--overwrite"]).code, Some(0));
    assert_eq!(crate::manifest(&ground.at("results"))["seeds"][0]["seed"], 2);
    fs::write(ground.at("results/notes.md"), "mine").unwrap();
    let said = ground.run(&["--overwrite"]);
    assert_refused(&said, 2);
    assert!(said.err.contains("'notes.md' would be lost"), "{}", said.err);
}

#[test]
fn files_that_are_larger_than_allowed_are_named_and_leave_nothing() {
    let ground = Ground::new();
    ground.events("events.parquet", &events(0..100_000));
    ground.card_of_data(&["events.parquet"]);
    let before = names(&ground);
    // In blocks of 512 or 1,024 bytes; the survivors are larger.
    let command = format!("ulimit -f 256; exec {} --quiet run card.toml --device cpu", env!("CARGO_BIN_EXE_trawl"));
    let mut limited = assert_cmd::Command::new("sh");
    limited.current_dir(&ground.folder).args(["-c", &command]);
    let said = crate::say(limited);
    assert_refused(&said, 1);
    assert!(errors(&said)[0].contains("survivors-data.parquet"), "{}", said.err);
    assert!(errors(&said)[0].contains("File too large"), "{}", said.err);
    assert_eq!(names(&ground), before);
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
