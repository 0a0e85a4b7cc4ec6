//! `--skip-bad-files`: a file that cannot be opened and one that fails in the middle are left out, named and counted.

use std::fs;

use crate::events::{ROW_GROUP, corrupt_a_page, events};
use crate::refusals::{assert_refused, errors, snapshot};
use crate::{Ground, assert_same, cutflow, manifest};

const LONG: u64 = 40_000;

/// Five files of 2,000 events, the second of them truncated; the fourth of six has 40,000, and a bad page in the middle:
/// more than one batch of it can be read.
fn six_files() -> Ground {
    let ground = Ground::new();
    for file in 0..6 {
        let (first, length) = (100_000 * file, if file == 3 { LONG } else { 2000 });
        ground.events(&format!("{file}.parquet"), &events(first..first + length));
    }
    let whole = fs::read(ground.at("1.parquet")).unwrap();
    fs::write(ground.at("1.parquet"), &whole[..whole.len() * 2 / 3]).unwrap();
    corrupt_a_page(&ground.at("3.parquet"));
    ground
}

#[test]
fn runs_go_on_without_bad_files_and_list_them() {
    let ground = six_files();
    ground.card_of_data(&["[0-9].parquet"]);
    let said = ground.run(&["--skip-bad-files"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    // Thousands are apart by a thin space.
    let out: String = said
        .out
        .chars()
        .map(|letter| {
            if letter == '\n' {
                letter
            } else if letter.is_whitespace() {
                ' '
            } else {
                letter
            }
        })
        .collect();
    let told = |words: &[&str]| out.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told(&["1.parquet", "truncated", "unknown number"]), "{}", said.out);
    assert!(told(&["3.parquet", "40 000 events", "cannot be decoded"]), "{}", said.out);
    let record = manifest(&ground.at("results"));
    let skipped = record["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 2, "{skipped:#?}");
    let of = |name: &str| skipped.iter().find(|file| file["path"].as_str().unwrap().ends_with(name)).unwrap();
    assert!(of("1.parquet")["rows"].is_null() && of("1.parquet")["why"].as_str().unwrap().contains("truncated"));
    assert_eq!(of("3.parquet")["rows"], LONG);
    // It failed late: the batches before were counted, and taken back.
    let why = of("3.parquet")["why"].as_str().unwrap();
    assert!(why.contains("cannot be decoded") && !why.contains("rows 0 to"), "{why}");
    assert!(skipped.iter().all(|file| file["sample"] == "data"));
    // Inputs are what was read.
    let inputs: Vec<String> = (record["inputs"].as_array().unwrap().iter())
        .map(|file| file["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(inputs, ["0.parquet", "2.parquet", "4.parquet", "5.parquet"]);
    let report = fs::read_to_string(ground.at("results/report.html")).unwrap();
    assert!(report.contains("Skipped file") && report.contains("3.parquet"));

    // The rest is what a run without these files gives: nothing of the half that could be read is left.
    let skipping = crate::lasting(&ground.at("results"));
    ground.card_of_data(&["0.parquet", "2.parquet", "4.parquet", "5.parquet"]);
    assert_same(&skipping, &ground.results("good", &[]));
    // The same for any number of threads.
    ground.card_of_data(&["[0-9].parquet"]);
    for threads in ["1", "2", "4"] {
        let folder = format!("threads-{threads}");
        assert_same(&skipping, &ground.results(&folder, &["--skip-bad-files", "--threads", threads]));
    }
}

#[test]
fn without_the_flag_bad_files_end_the_run() {
    let ground = six_files();
    for (files, named, why) in [
        (["0.parquet", "1.parquet", "2.parquet"], "1.parquet", "truncated"),
        (["2.parquet", "3.parquet", "4.parquet"], "3.parquet", "cannot be decoded"),
    ] {
        ground.card_of_data(&files);
        let before = snapshot(&ground.folder);
        let said = ground.run(&[]);
        assert_refused(&said, 1);
        assert_eq!(errors(&said).len(), 1, "{}", said.err);
        assert!(said.err.contains(named) && said.err.contains(why), "{}", said.err);
        assert!(snapshot(&ground.folder) == before, "{}", said.err);
    }
}

#[test]
fn nothing_but_bad_files_is_an_error_either_way() {
    let ground = six_files();
    ground.card_of_data(&["1.parquet"]);
    let before = snapshot(&ground.folder);
    for flags in [[].as_slice(), &["--skip-bad-files"]] {
        let said = ground.run(flags);
        assert_refused(&said, 1);
        assert!(said.err.contains("1.parquet"), "{}", said.err);
        assert!(snapshot(&ground.folder) == before, "{}", said.err);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let ground = Ground::new();
    // The last row group is short, and so is the last file.
    ground.events("a.parquet", &events(0..20_011));
    ground.events("b.parquet", &events(30_000..30_000 + ROW_GROUP as u64 + 1));
    ground.card_of_data(&["a.parquet", "b.parquet"]);
    let one = ground.results("one", &["--threads", "1"]);
    for threads in ["2", "4"] {
        assert_same(&one, &ground.results(threads, &["--threads", threads]));
    }
}

#[test]
fn sums_of_weights_in_files_are_those_of_the_files_that_are_used() {
    let ground = six_files();
    let card = |files: &[&str], weight: &str| {
        ground.card(&format!(
            "luminosity_inverse_fb = 1.0\n[samples.top]\nrole = \"simulation\"\nfiles = {files:?}\n\
             cross_section_pb = 3.0\nsum_of_generator_weights = \"in-files\"\n{weight}"
        ));
    };
    for (folder, weight) in [("weighted", "weight = \"weight\"\nlargest_weight = 2.0"), ("counted", "")] {
        card(&["0.parquet", "1.parquet", "2.parquet"], weight);
        ground.results(folder, &["--skip-bad-files"]);
        // 3 pb x 1/fb: nothing is missing for the file that could not be opened.
        let all = &cutflow(&ground.at(folder), "top")[0];
        assert_eq!(all.events, 4000);
        assert!((all.weights / 3000.0 - 1.0).abs() < 1e-6, "{all:?}");
        // Of a file that fails when it has been counted, neither events nor weights are left.
        card(&["0.parquet", "3.parquet", "4.parquet"], weight);
        let said = ground.run(&["--skip-bad-files"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let all = &cutflow(&ground.at("results"), "top")[0];
        assert_eq!(all.events, 4000);
        assert!((all.weights / 3000.0 - 1.0).abs() < 1e-6, "{all:?}");
        let said_so = "the sum of generator weights of top is that of the 2 file(s) that were read";
        assert!(said.out.contains(said_so), "{}", said.out);
        assert!(fs::read_to_string(ground.at("results/report.html")).unwrap().contains(said_so));
        let skipped = &manifest(&ground.at("results"))["skipped"];
        assert_eq!(skipped.as_array().unwrap().len(), 1, "{skipped:#}");
        let skipping = crate::lasting(&ground.at("results"));
        card(&["0.parquet", "4.parquet"], weight);
        assert_same(&skipping, &ground.results(&format!("{folder}-good"), &[]));
        fs::remove_dir_all(ground.at("results")).unwrap();
        // A sample of which nothing can be read is none.
        card(&["3.parquet"], weight);
        let said = ground.run(&["--skip-bad-files"]);
        assert_refused(&said, 1);
        assert!(said.err.contains("no file of sample 'top' can be read to its end"), "{}", said.err);
    }
}

#[test]
fn sums_that_the_card_gives_are_not_corrected_and_that_is_said() {
    let ground = six_files();
    ground.card(
        "luminosity_inverse_fb = 1.0\n[samples.top]\nrole = \"simulation\"\nfiles = [\"0.parquet\", \"3.parquet\"]\n\
         cross_section_pb = 3.0\nsum_of_generator_weights = 42000.0",
    );
    let said = ground.run(&["--skip-bad-files"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("top lacks the events of skipped files, and its weights are not corrected"),
        "{}",
        said.out
    );
}

#[test]
fn the_plan_lists_the_files_that_would_be_left_out() {
    let ground = six_files();
    ground.card_of_data(&["0.parquet", "1.parquet"]);
    let check = |flags: &[&str]| {
        let mut command = crate::trawl();
        command.current_dir(&ground.folder).args(["check", "card.toml", "--device", "cpu"]).args(flags);
        crate::say(command)
    };
    assert_refused(&check(&[]), 1);
    let said = check(&["--skip-bad-files"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let line = said.out.lines().find(|line| line.starts_with("skipped ")).unwrap_or_else(|| panic!("{}", said.out));
    assert!(line.contains("1.parquet' of data, an unknown number of events: ") && line.contains("truncated"), "{line}");
}

#[test]
fn json_logs_tell_numbers_as_numbers() {
    let ground = six_files();
    ground.card_of_data(&["0.parquet", "3.parquet"]);
    let said = ground.run(&["--skip-bad-files", "--log", "json"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines = said.err.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let skipped = lines.filter(|line| line["file"].is_string()).collect::<Vec<_>>();
    assert_eq!(skipped.len(), 1, "{}", said.err);
    assert_eq!(skipped[0]["events"], LONG, "{}", said.err);
}
