use super::super::manifest::CardRecord;
use super::*;

fn card() -> CardIdentity {
    CardIdentity { name: "demo".into(), sha256: "ab12".into() }
}

fn manifest(card: &CardIdentity) -> Manifest {
    Manifest::new(CardRecord { name: card.name.clone(), sha256: card.sha256.clone(), ..CardRecord::default() })
}

fn write(place: &Path, card: &CardIdentity, text: &str) -> Result<PathBuf> {
    let mut output = Output::create(place, card, Existing::SameCard)?;
    output.write_text("answer.txt", text)?;
    output.write_text("tables/windows.csv", "a,b\n")?;
    output.finish(manifest(card))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn folder_appears_complete_with_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/results");
    assert_eq!(write(&place, &card(), "one").unwrap(), place);
    assert_eq!(names(&place), ["answer.txt", "manifest.json", "tables"]);
    assert_eq!(names(place.parent().unwrap()), ["results"]);
    let manifest = Manifest::read(&place).unwrap();
    for record in &manifest.outputs {
        let found = FileRecord::of(&place.join(&record.path), None).unwrap();
        assert_eq!((found.bytes, &found.sha256), (record.bytes, &record.sha256));
    }
    assert_eq!(manifest.outputs.len(), 2);
}

#[test]
fn same_card_replaces_and_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    write(&place, &card(), "one").unwrap();
    write(&place, &card(), "two").unwrap();
    assert_eq!(fs::read_to_string(place.join("answer.txt")).unwrap(), "two");
    let others = [
        (CardIdentity { name: "other".into(), ..card() }, "it holds the results of 'demo')"),
        (CardIdentity { sha256: "cd".into(), ..card() }, "it holds the results of 'demo' with other settings)"),
    ];
    for (other, reason) in others {
        let error = write(&place, &other, "three").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("belongs to another card") && error.to_string().contains(reason), "{error}");
    }
    assert_eq!(fs::read_to_string(place.join("answer.txt")).unwrap(), "two");
    assert_eq!(names(folder.path()), ["results"]);
}

#[test]
fn what_trawl_did_not_write_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    fs::create_dir(&place).unwrap();
    write(&place, &card(), "an empty folder may be filled").unwrap();
    fs::write(place.join("notes.md"), "mine").unwrap();
    let error = write(&place, &card(), "two").unwrap_err();
    assert!(error.to_string().contains("'notes.md' would be lost"), "{error}");

    let other = folder.path().join("pictures");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("cat.png"), "").unwrap();
    let error = write(&other, &card(), "two").unwrap_err();
    assert!(error.to_string().contains("is not Trawl's (it holds 'cat.png' and no manifest)"), "{error}");
    let error = write(&other.join("cat.png"), &card(), "two").unwrap_err();
    assert!(error.to_string().contains("is a file"), "{error}");
    assert_eq!(names(folder.path()), ["pictures", "results"]);
}

#[test]
fn unfinished_output_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = Output::create(&folder.path().join("a/b/results"), &card(), Existing::SameCard).unwrap();
    output.write_text("answer.txt", "half").unwrap();
    drop(output);
    assert_eq!(names(folder.path()), Vec::<String>::new());

    let mut output = Output::create(&folder.path().join("results"), &card(), Existing::SameCard).unwrap();
    let open = output.file("scores.parquet").unwrap();
    let error = output.finish(manifest(&card())).unwrap_err();
    assert!(error.to_string().contains("'scores.parquet' was not written to its end"), "{error}");
    drop(open);
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn failing_rename_brings_the_old_folder_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    write(&place, &card(), "one").unwrap();
    let mut output = Output::create(&place, &card(), Existing::SameCard).unwrap();
    output.write_text("answer.txt", "two").unwrap();
    // The folder in the making vanishes under the run, as a cleaner of scratch disks would have it.
    fs::remove_dir_all(&output.partial).unwrap();
    assert!(output.put_in_place().is_err());
    drop(output);
    assert_eq!(fs::read_to_string(place.join("answer.txt")).unwrap(), "one");
    assert_eq!(names(folder.path()), ["results"]);
}

#[test]
fn names_stay_inside_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = Output::create(&folder.path().join("results"), &card(), Existing::SameCard).unwrap();
    for name in ["../answer.txt", "/etc/answer.txt", "", "manifest.json", "a/../../b"] {
        assert_eq!(output.write_text(name, "").unwrap_err().exit_code(), 2, "{name}");
    }
    assert_eq!(Output::create(Path::new("/"), &card(), Existing::SameCard).unwrap_err().exit_code(), 2);
}

#[test]
fn links_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    std::os::unix::fs::symlink(&scratch, folder.path().join("results")).unwrap();
    write(&folder.path().join("results"), &card(), "one").unwrap();
    assert!(scratch.join("answer.txt").exists());
    assert!(folder.path().join("results").is_symlink());
}

#[test]
fn leavings_of_a_killed_run_do_not_stand_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    let killed = [sibling(&place, "partial"), sibling(&place, "replaced")];
    for path in &killed {
        fs::create_dir_all(path.join("half")).unwrap();
    }
    write(&place, &card(), "one").unwrap();
    write(&place, &card(), "two").unwrap();
    assert_eq!(fs::read_to_string(place.join("answer.txt")).unwrap(), "two");
    // Nobody holds the folder in the making; results that were being replaced are complete, and are left to their owner.
    assert!(!killed[0].exists() && killed[1].exists());
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn folders_in_the_making_stay_while_their_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    let first = Output::create(&place, &card(), Existing::SameCard).unwrap();
    // A process that lives here, and names that are no process's.
    let others = ["results.partial-1", "results.partial-x", "results.partial-", "other.partial-4000000000"];
    others.iter().for_each(|name| fs::create_dir(folder.path().join(name)).unwrap());
    let gone = folder.path().join("results.partial-4000000000-3");
    fs::create_dir(&gone).unwrap();
    write(&place, &card(), "one").unwrap();
    assert!(!gone.exists());
    assert!(first.partial.exists() && others.iter().all(|name| folder.path().join(name).exists()));
}

#[test]
fn any_card_is_replaced_when_asked_for_and_nothing_but_results() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    write(&place, &card(), "one").unwrap();
    let other = CardIdentity { name: "other".into(), sha256: "cd".into() };
    let error = Output::create(&place, &other, Existing::SameCard).unwrap_err();
    assert!(error.to_string().contains("--overwrite"), "{error}");
    fs::write(place.join("notes.md"), "mine").unwrap();
    let error = Output::create(&place, &other, Existing::AnyCard).unwrap_err();
    assert!(error.to_string().contains("'notes.md' would be lost"), "{error}");
    fs::remove_file(place.join("notes.md")).unwrap();
    let mut output = Output::create(&place, &other, Existing::AnyCard).unwrap();
    output.write_text("other.txt", "two").unwrap();
    assert!(place.join("answer.txt").exists());
    output.finish(manifest(&other)).unwrap();
    assert_eq!(names(&place), ["manifest.json", "other.txt"]);
    assert_eq!(names(folder.path()), ["results"]);
}

fn finished(samples: &[&str]) -> Manifest {
    let samples = samples.iter().map(|sample| (*sample).to_owned()).collect();
    let unfinished = manifest::UnfinishedRecord { samples, why: "stopped".into() };
    Manifest { unfinished: Some(unfinished), ..manifest(&card()) }
}

/// A run that finishes these samples, and no more.
fn end_early(place: &Path, samples: &[&str]) -> PathBuf {
    let mut output = Output::create(place, &card(), Existing::SameCard).unwrap();
    samples.iter().for_each(|sample| output.write_text(&format!("{sample}.csv"), sample).unwrap());
    // A file that was begun, and one that a writer has not given its name.
    let _open = output.file("open.parquet").unwrap();
    fs::write(output.path_of(".writing-x.tmp"), "half").unwrap();
    output.rewrite_text("histograms.json", "{}").unwrap();
    output.rewrite_text("histograms.json", "{\"a\": 1}").unwrap();
    output.keep(&finished(samples)).unwrap()
}

#[test]
fn finished_samples_are_kept_until_the_whole_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    let kept = end_early(&place, &["a", "b"]);
    assert_eq!(kept, folder.path().join("results.unfinished"));
    assert_eq!(names(&kept), ["a.csv", "b.csv", "histograms.json", "manifest.json"]);
    assert_eq!(fs::read_to_string(kept.join("histograms.json")).unwrap(), "{\"a\": 1}");
    assert_eq!(Manifest::read(&kept).unwrap().outputs.len(), 3);
    // A run that gets less far takes nothing away; one that gets as far replaces it.
    assert_eq!(end_early(&place, &["a"]), folder.path().join("results.unfinished-2"));
    assert_eq!(end_early(&place, &["a", "b"]), kept);
    // What is somebody's own stays.
    fs::write(folder.path().join("results.unfinished-2/notes.md"), "mine").unwrap();
    write(&place, &card(), "whole").unwrap();
    assert_eq!(names(folder.path()), ["results", "results.unfinished-2"]);
    assert!(Manifest::read(&place).unwrap().unfinished.is_none());
}

#[test]
fn finished_samples_of_a_killed_run_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("results");
    let mut output = Output::create(&place, &card(), Existing::SameCard).unwrap();
    output.write_text("a.csv", "a").unwrap();
    output.note(finished(&["a"])).unwrap();
    fs::write(output.path_of("open.parquet"), "half").unwrap();
    // As kill -9 would: the lock ends, and nobody cleans up.
    let gone = folder.path().join("results.partial-4000000000");
    fs::rename(&output.partial, &gone).unwrap();
    drop(output);
    let next = Output::create(&place, &card(), Existing::SameCard).unwrap();
    drop(next);
    assert_eq!(names(folder.path()), ["results.unfinished"]);
    assert_eq!(names(&folder.path().join("results.unfinished")), ["a.csv", "manifest.json"]);
}

/// A file system of 1 MiB, unmounted with the test; `None` where mounting is forbidden.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn full_disk_leaves_what_was_there_and_nothing_else() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: mounting a small file system is not allowed here");
        return;
    };
    let place = disk.0.path().join("results");
    write(&place, &card(), "one").unwrap();
    let mut output = Output::create(&place, &card(), Existing::SameCard).unwrap();
    let error = output.write_text("large.csv", &"x".repeat(2 << 20)).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("large.csv' (No space left on device"), "{error}");
    drop(output);
    assert_eq!(fs::read_to_string(place.join("answer.txt")).unwrap(), "one");
    assert_eq!(names(disk.0.path()), ["results"]);
}
