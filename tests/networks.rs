//! Networks from cards: trained, preserved, applied to other files, and refused.

#[path = "common/runs.rs"]
mod runs;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt64Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use runs::{Said, say, trawl};

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

fn run(words: &[&str]) -> Said {
    let mut command = trawl();
    command.arg("--quiet").args(words);
    say(command)
}

fn run_well(words: &[&str]) -> Said {
    let said = run(words);
    assert_eq!(said.code, Some(0), "{words:?}\n{}", said.err);
    said
}

fn shipped(card: &str) -> String {
    format!("{}/cards/{card}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Events with a resonance of so many.
fn generated(folder: &Path, name: &str, seed: &str, resonant: &str) -> PathBuf {
    let path = folder.join(name);
    let mut words =
        vec!["generate", "dijet", "--events", "3000", "--minimum-mass", "2000", "--seed", seed, "-o", text(&path)];
    if resonant != "0" {
        words.extend(["--resonant", resonant, "--mass-y", "3000", "--mass-x", "500"]);
    }
    run_well(&words);
    path
}

/// Settings that make a training short.
const SHORT: [&str; 14] = [
    "--set",
    "model.ensemble=2",
    "--set",
    "model.folds=2",
    "--set",
    "model.epochs=6",
    "--set",
    "model.hidden=[16]",
    "--set",
    "model.batch=64",
    "--set",
    "model.learning_rate=0.01",
    "--set",
    "regions.signal_region=m_jj > 2000",
];

/// The event numbers and scores of a table.
fn scores(path: &Path) -> Vec<(u64, f32)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut found = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let events = batch.column_by_name("event").unwrap().as_primitive::<UInt64Type>().values().clone();
        let scores = batch.column_by_name("score").unwrap().as_primitive::<Float32Type>().values().clone();
        found.extend(events.iter().copied().zip(scores.iter().copied()));
    }
    found
}

fn inputs(data: &Path, simulation: &Path) -> [String; 2] {
    [format!("samples.data.files={}", text(data)), format!("samples.simulation.files={}", text(simulation))]
}

#[test]
fn a_classifier_is_trained_and_its_bundle_gives_the_same_scores_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let data = generated(folder.path(), "data.parquet", "1", "300");
    let simulation = generated(folder.path(), "simulation.parquet", "2", "0");
    let [first, second] = inputs(&data, &simulation);
    let card = shipped("cwola");
    let results = at("results");
    let words = ["run", &card, "--output", text(&results), "--set", &first, "--set", &second];
    let said = run_well(&[&words[..], &SHORT[..]].concat());
    assert!(said.out.contains("Networks") && said.out.contains("AUC"), "{}", said.out);
    for name in ["model.safetensors", "training.csv", "losses.svg", "scores-data.parquet", "scores-simulation.parquet"]
    {
        assert!(results.join(name).exists(), "{name}");
    }
    let trained = scores(&results.join("scores-data.parquet"));
    let history = fs::read_to_string(results.join("training.csv")).unwrap();
    assert!(history.lines().count() > 4 && history.contains("finished"), "{history}");

    // The same file: the same scores to the bit, and a warning that its events were learned from.
    let bundle = results.join("model.safetensors");
    let again = at("again");
    let said = run_well(&["score", text(&bundle), text(&data), "--output", text(&again), "--threads", "1"]);
    assert!(said.err.contains("was learned from"), "{}", said.err);
    let rescored = scores(&again.join("scores-data.parquet"));
    assert_eq!(trained.len(), rescored.len());
    assert!(trained.iter().zip(&rescored).all(|(a, b)| a.0 == b.0 && a.1.to_bits() == b.1.to_bits()));

    // Another file has no part in the training, and no warning; the resonance stands out.
    let other = generated(folder.path(), "other.parquet", "3", "1000");
    let elsewhere = at("elsewhere");
    let said = run_well(&["score", text(&bundle), text(&other), "--output", text(&elsewhere), "--sample", "data"]);
    assert!(said.err.is_empty(), "{}", said.err);
    let auc: f64 = {
        let line = said.out.lines().find(|line| line.starts_with("AUC")).expect("the truth is known");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(auc > 0.7, "{}", said.out);

    // Other files are other scores, which are not replaced unasked; what is read is not replaced at all.
    let said = run(&["score", text(&bundle), text(&data), "--output", text(&elsewhere), "--sample", "data"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let said = run(&["score", text(&bundle), text(&data), "--output", text(&results), "--overwrite"]);
    assert!(said.err.contains("holds a bundle") && bundle.exists(), "{}", said.err);

    // As ONNX.
    let onnx = at("model.onnx");
    run_well(&["export", text(&bundle), "-o", text(&onnx)]);
    assert!(fs::metadata(&onnx).unwrap().len() > 1000);
    let said = run(&["export", text(&bundle), "-o", text(&data)]);
    assert!(said.err.contains("does not end in .onnx"), "{}", said.err);
}

/// Columns of another file of events, by their names.
fn without_column(from: &Path, to: &Path, name: &str) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(from).unwrap()).unwrap().build().unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    let schema = batches[0].schema();
    let kept: Vec<usize> = (0..schema.fields().len()).filter(|at| schema.field(*at).name() != name).collect();
    assert_eq!(kept.len() + 1, schema.fields().len(), "{name}");
    let schema = Arc::new(schema.project(&kept).unwrap());
    let mut writer = ArrowWriter::try_new(File::create(to).unwrap(), schema, None).unwrap();
    batches.iter().for_each(|batch| writer.write(&batch.project(&kept).unwrap()).unwrap());
    writer.close().unwrap();
}

#[test]
fn events_without_truth_or_numbers_are_scored() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let data = generated(folder.path(), "data.parquet", "1", "300");
    let simulation = generated(folder.path(), "simulation.parquet", "2", "0");
    let [first, second] = inputs(&data, &simulation);
    let (card, results) = (shipped("cwola"), at("results"));
    let words = ["run", &card, "-o", text(&results), "--set", &first, "--set", &second];
    run_well(&[&words[..], &SHORT[..]].concat());
    let bundle = results.join("model.safetensors");
    let expected = scores(&results.join("scores-data.parquet"));

    // The truth is asked for only where it is there.
    without_column(&data, &at("real.parquet"), "truth_signal");
    let said = run_well(&["score", text(&bundle), text(&at("real.parquet")), "-o", text(&at("real"))]);
    assert!(!said.out.contains("AUC"), "{}", said.out);
    assert!(scores(&at("real/scores-data.parquet")) == expected);
    without_column(&data, &at("poor.parquet"), "FatJet_mass");
    let said = run(&["score", text(&bundle), text(&at("poor.parquet")), "-o", text(&at("poor"))]);
    assert!(said.err.contains("FatJet_mass"), "{}", said.err);

    // Without numbers the fold of an event is that of its row, which is said.
    without_column(&data, &at("rows.parquet"), "event");
    let said = run_well(&["score", text(&bundle), text(&at("rows.parquet")), "-o", text(&at("rows"))]);
    assert!(said.err.contains("have no number of their own"), "{}", said.err);
    // Nor is it the same without the run that the events of the training had.
    without_column(&data, &at("runless.parquet"), "run");
    let said = run_well(&["score", text(&bundle), text(&at("runless.parquet")), "-o", text(&at("runless"))]);
    assert!(said.err.contains("events of data have no run, which"), "{}", said.err);

    // A bundle is in no danger from scores, even of another.
    let copy = at("copy.safetensors");
    std::fs::copy(&bundle, &copy).unwrap();
    let results = bundle.parent().unwrap();
    let said = run(&["score", text(&copy), text(&data), "-o", text(results), "--overwrite"]);
    assert!(said.err.contains("holds a bundle") && bundle.exists(), "{}", said.err);
    let said = run(&["score", text(&bundle), text(&data), "-o", text(&at("x")), "--luminosity-mask", "none.json"]);
    assert!(said.err.contains("the bundle's card has none for this sample"), "{}", said.err);
}

#[test]
fn simulated_signals_are_told_from_simulations() {
    let folder = tempfile::tempdir().unwrap();
    let signal = generated(folder.path(), "signal.parquet", "1", "3000");
    let simulation = generated(folder.path(), "simulation.parquet", "2", "0");
    let (text_of_card, results) = (fs::read_to_string(shipped("cwola")).unwrap(), folder.path().join("results"));
    let card = folder.path().join("signal.toml");
    fs::write(&card, text_of_card.replace("[samples.data]\nrole = \"data\"", "[samples.data]\nrole = \"signal\""))
        .unwrap();
    let [first, second] = inputs(&signal, &simulation);
    let words = ["run", text(&card), "-o", text(&results), "--set", &first, "--set", &second];
    run_well(&[&words[..], &SHORT[..]].concat());
    let mean = |sample: &str| {
        let all = scores(&results.join(format!("scores-{sample}.parquet")));
        all.iter().map(|(_, score)| *score).sum::<f32>() / all.len() as f32
    };
    assert!(mean("data") > mean("simulation") + 0.3, "{} {}", mean("data"), mean("simulation"));
}

#[test]
fn trainings_are_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = generated(folder.path(), "data.parquet", "1", "300");
    let simulation = generated(folder.path(), "simulation.parquet", "2", "0");
    let [first, second] = inputs(&data, &simulation);
    let card = shipped("cwola");
    let mut bundles = HashMap::new();
    for threads in ["1", "2"] {
        let results = folder.path().join(threads);
        let words = ["run", &card, "--threads", threads, "-o", text(&results), "--set", &first, "--set", &second];
        run_well(&[&words[..], &SHORT[..]].concat());
        bundles.insert(threads, fs::read(results.join("model.safetensors")).unwrap());
    }
    assert!(bundles["1"] == bundles["2"]);
}

#[test]
fn an_autoencoder_learns_from_a_region_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = generated(folder.path(), "data.parquet", "1", "300");
    let (card, results) = (shipped("autoencoder"), folder.path().join("results"));
    let files = format!("samples.data.files={}", text(&data));
    let words = ["run", &card, "-o", text(&results), "--set", &files];
    let short = ["--set", "regions.training=event_hash < 0.3", "--set", "model.epochs=30", "--set", "model.ensemble=2"];
    let said = run_well(&[&words[..], &short[..]].concat());
    let line = said.out.lines().find(|line| line.starts_with("Learned from")).unwrap_or_default();
    let events: usize = line.split_whitespace().filter_map(|word| word.parse().ok()).next().unwrap_or(0);
    // Three tenths of about 3,000.
    assert!((700..1100).contains(&events), "{}", said.out);
    let all = scores(&results.join("scores-data.parquet"));
    assert!(all.len() > 2500 && all.iter().all(|(_, score)| *score >= 0.0));
    let onnx = folder.path().join("model.onnx");
    run_well(&["export", text(&results.join("model.safetensors")), "-o", text(&onnx)]);
    assert!(fs::metadata(&onnx).unwrap().len() > 1000);

    // Quantiles are no line, and a graph has none.
    let other = folder.path().join("other");
    let words = ["run", &card, "-o", text(&other), "--set", &files, "--set", "model.standardise=normal"];
    let smooth = ["--set", "model.features=[\"pt_1\", \"pt_2\", \"m_1\"]", "--set", "model.epochs=1"];
    run_well(&[&words[..], &smooth[..]].concat());
    let none = folder.path().join("none.onnx");
    let said = run(&["export", text(&other.join("model.safetensors")), "-o", text(&none)]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("normal quantiles") && !none.exists(), "{}", said.err);
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = generated(folder.path(), "data.parquet", "1", "0");
    let [first, second] = inputs(&data, &data);
    let card = shipped("cwola");
    let wrong = [
        "model.features=[\"m_heavy\", \"m_lihgt\"]",
        "model.folds=1",
        "model.dropout=1.5",
        "model.region=signal_regoin",
        "model.label=thruth",
        "model.patence=3",
        "model.validation_share=1.0",
    ];
    let mut words = vec!["check", card.as_str(), "--set", &first, "--set", &second];
    wrong.iter().for_each(|setting| words.extend(["--set", setting]));
    let said = run(&words);
    assert_eq!(said.code, Some(2), "{}", said.err);
    for part in ["m_light", "folds", "dropout", "signal_region", "truth", "patience", "validation_share"] {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
    assert_eq!(said.err.lines().filter(|line| line.starts_with("error: ")).count(), 7, "{}", said.err);

    let said = run(&["check", &shipped("autoencoder"), "--set", &first, "--set", "model.latent=6"]);
    assert!(said.err.contains("6 features are encoded to 6 numbers"), "{}", said.err);
    let said = run_well(&["check", &card, "--set", &first, "--set", &second]);
    assert!(said.out.contains("50 networks 4-64-64-64-1, at most 100 epochs"), "{}", said.out);

    // A region without events, and one class.
    let results = folder.path().join("results");
    let words = ["run", &card, "-o", text(&results), "--set", &first, "--set", &second];
    let said = run(&[&words[..], &["--set", "regions.signal_region=m_jj < 0"]].concat());
    assert!(said.err.contains("no selected event is there to learn from"), "{}", said.err);
    let of_all = ["--set", "model.label=truth", "--set", "regions.signal_region=m_jj > 0"];
    let said = run(&[&words[..], &of_all[..]].concat());
    assert!(said.err.contains("no event whose label is above 0.5"), "{}", said.err);
    assert!(!results.join("model.safetensors").exists());

    // A file that is no bundle.
    let said = run(&["score", text(&data), text(&data), "-o", text(&results)]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("data.parquet"), "{}", said.err);
    let said = run(&["score", text(&folder.path().join("none")), text(&data), "-o", text(&results)]);
    assert_eq!(said.code, Some(1), "{}", said.err);
}

#[test]
fn checks_list_training_before_the_search_and_refuse_what_no_memory_holds() {
    let folder = tempfile::tempdir().unwrap();
    let data = generated(folder.path(), "data.parquet", "1", "0");
    let [first, second] = inputs(&data, &data);
    let card = shipped("cwola");
    let words = ["check", card.as_str(), "--set", &first, "--set", &second];
    let search = ["--set", "expectation.from=raw-simulation", "--set", "toys.number=100"];
    let said = run_well(&[&words[..], &search[..]].concat());
    let place = |name: &str| said.out.find(&format!(". {name} ")).unwrap_or_else(|| panic!("no {name}\n{}", said.out));
    let places = ["select data", "select simulation", "train", "expectation", "scan", "toys"].map(place);
    assert!(places.is_sorted(), "{}", said.out);

    let results = folder.path().join("results");
    let large = ["--set", "model.ensemble=1000000000"];
    let checked = run(&[&words[..], &large[..]].concat());
    let words = ["run", card.as_str(), "-o", text(&results), "--set", &first, "--set", &second];
    let ran = run(&[&words[..], &large[..]].concat());
    assert_eq!((checked.code, ran.code), (Some(2), Some(2)), "{}{}", checked.err, ran.err);
    // But for the last line, of what was done.
    assert_eq!(checked.err.lines().next(), ran.err.lines().next());
    assert!(checked.err.contains("model.ensemble: 5000000000 network(s) of "), "{}", checked.err);
    assert!(!results.exists());
}

#[test]
fn a_signal_stops_a_training_and_nothing_half_written_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = generated(folder.path(), "data.parquet", "1", "300");
    let simulation = generated(folder.path(), "simulation.parquet", "2", "0");
    let [first, second] = inputs(&data, &simulation);
    let results = folder.path().join("results");
    let card = shipped("cwola");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_trawl"));
    command.args(["run", &card, "-o", text(&results), "--set", &first, "--set", &second]);
    // Epochs that no machine makes in the time of a test, each short.
    command.args(SHORT).args(["--set", "model.epochs=100000000", "--set", "model.patience=100000000"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut said, mut lines) = (String::new(), BufReader::new(child.stderr.take().unwrap()));
    while !said.contains("select simulation: done") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let sent = std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    lines.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{said}");
    assert!(said.contains("stopped by SIGINT ("), "{said}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let is_expected = |name: &std::ffi::OsString| {
        ["data.parquet", "simulation.parquet", "results.unfinished"].contains(&name.to_str().unwrap())
    };
    assert!(left.iter().all(is_expected), "{left:?}\n{said}");
}
