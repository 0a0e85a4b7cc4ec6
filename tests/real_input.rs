//! Public data, end to end: NanoAOD files of seven writers, and the ATLAS dijet spectrum.

#[path = "common/data.rs"]
mod data;
#[path = "common/runs.rs"]
mod runs;

use std::fs;
use std::path::{Path, PathBuf};

use data::data;
use runs::{Said, say, trawl};
use serde_json::Value;
use trawl::events::{EventSource, Projection};

/// Runs a shipped card with settings over its own; results go to `output`.
fn run(card: &str, settings: &[String], output: &Path) -> Said {
    let mut command = trawl();
    command.args(["--quiet", "run"]).arg(shipped(card)).arg("--output").arg(output);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let said = say(command);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.is_empty(), "{}", said.err);
    said
}

fn shipped(card: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cards").join(card)
}

fn json(path: PathBuf) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The columns of a CSV file without its header.
fn csv(path: PathBuf) -> Vec<Vec<f64>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut columns = vec![Vec::new(); reader.headers().unwrap().len()];
    for row in reader.records() {
        columns.iter_mut().zip(row.unwrap().iter()).for_each(|(column, word)| column.push(word.parse().unwrap()));
    }
    columns
}

/// The decoded survivors: ids, dijet masses as bits, weights as bits.
#[derive(Debug, PartialEq)]
struct Survivors {
    ids: Vec<(u32, u32, u64)>,
    masses: Vec<u32>,
    weights: Vec<u32>,
}

fn survivors(results: &Path) -> Survivors {
    let path = results.join("survivors-data.parquet").display().to_string();
    let projection = Projection { scalars: vec!["m_jj".into(), "weight".into()], ..Projection::default() };
    let mut all = Survivors { ids: Vec::new(), masses: Vec::new(), weights: Vec::new() };
    for batch in EventSource::open(&[path], &projection).unwrap().batches(1024, 1) {
        let batch = batch.unwrap();
        all.ids.extend((0..batch.columns.events).map(|event| batch.id(event)));
        let bits = |column: usize| batch.columns.scalars[column].iter().map(|value| value.to_bits());
        all.masses.extend(bits(0));
        all.weights.extend(bits(1));
    }
    all
}

fn nanoaod(folder: &Path, name: &str) -> String {
    folder.join("nanoaod").join(name).display().to_string()
}

/// The contents of the histogram of the data, underflow first, overflow last.
fn contents(results: &Path) -> Vec<f64> {
    let histograms = json(results.join("histograms.json"));
    let values = histograms["data"]["storage"]["values"].as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn seven_writers_of_the_same_events_give_the_same_results() {
    const WRITERS: [&str; 7] = [
        "awkward",
        "awkward_noext",
        "duckdb",
        "pyarrow_largelist",
        "pyarrow_snappy_v26",
        "pyarrow_v1_lz4",
        "pyarrow_zstd_v2pages_rg50",
    ];
    let Some(folder) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut first: Option<(Vec<u8>, Vec<u8>, Survivors)> = None;
    for writer in WRITERS {
        let results = scratch.path().join(writer);
        let file = nanoaod(&folder, &format!("nano_ttbar_{writer}.parquet"));
        let said = run("nanoaod-dijet.toml", &[format!("samples.data.files={file}")], &results);
        assert!(said.out.contains("Selected events      34 of data\n"), "{}", said.out);
        let read = |name: &str| fs::read(results.join(name)).unwrap();
        let got = (read("histograms.json"), read("cutflow-data.csv"), survivors(&results));
        match &first {
            None => first = Some(got),
            Some(first) => assert!(got == *first, "{writer} differs from {}", WRITERS[0]),
        }
    }
    // scripts/oracles/nanoaod_dijet.py (pyarrow 26.0.1, numpy 2.4.6): 34 of 200 events and these counts, no mass
    // within 0.3 % of an edge.
    let results = scratch.path().join(WRITERS[0]);
    assert_eq!(contents(&results), [0, 1, 8, 6, 4, 5, 1, 2, 1, 2, 0, 2, 0, 2, 0, 0].map(f64::from));
    let selected = survivors(&results);
    assert_eq!(selected.ids.len(), 34);
    assert!(selected.weights.iter().all(|bits| f32::from_bits(*bits) == 1.0));
    // The same script: the first masses, and the sum of all in GeV.
    for (bits, mass) in selected.masses.iter().zip([81.921, 107.688, 333.39]) {
        assert!((f64::from(f32::from_bits(*bits)) / mass - 1.0).abs() < 1e-5, "{} {mass}", f32::from_bits(*bits));
    }
    let sum: f64 = selected.masses.iter().map(|bits| f64::from(f32::from_bits(*bits))).sum();
    assert!((sum / 9351.38 - 1.0).abs() < 1e-5, "{sum}");
}

#[test]
fn a_file_of_another_sample_runs_through_the_same_card() {
    let Some(folder) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    let file = nanoaod(&folder, "nano_dy.parquet");
    run("nanoaod-dijet.toml", &[format!("samples.data.files={file}")], &results);
    // scripts/oracles/nanoaod_dijet.py (pyarrow 26.0.1, numpy 2.4.6).
    assert_eq!(contents(&results), [0, 1, 1, 11, 3, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1].map(f64::from));
}

#[test]
fn both_samples_at_once_by_a_pattern() {
    let Some(folder) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    let files = format!(
        "samples.data.files=[{:?}, {:?}]",
        nanoaod(&folder, "nano_ttbar_d*.parquet"),
        nanoaod(&folder, "nano_dy.parquet")
    );
    run("nanoaod-dijet.toml", &[files], &results);
    assert_eq!(survivors(&results).ids.len(), 34 + 21);
    let inputs = json(results.join("manifest.json"))["inputs"].as_array().unwrap().len();
    assert_eq!(inputs, 2);
}

#[test]
fn atlas_dijet_spectrum_holds_no_excess() {
    const TOYS: u64 = 20_000;
    let Some(folder) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let results = scratch.path().join("results");
    let table = folder.join("atlas-dijet/atlas_dijet_139ifb.csv");
    let settings = [format!("input.path={}", table.display()), format!("toys.number={TOYS}")];
    let said = run("atlas-dijet.toml", &settings, &results);
    assert!(said.out.contains("m_jj 1341.0-1416.0 GeV"), "{}", said.out);

    // A trial in Python (numpy and scipy), with widths 2 to 45 and step 1: the smallest local p-value is 0.02029 in bins
    // 7 to 8, counted from 0, and the global one about 0.90.
    let answer = &json(results.join("manifest.json"))["answer"];
    let number = |key: &str| answer[key].as_f64().unwrap();
    assert!((number("local_ln_p").exp() - 0.02029).abs() < 0.000_005, "{answer:#}");
    assert_eq!(answer["place"], "m_jj 1341.0-1416.0 GeV");
    assert_eq!((number("observed"), number("expected")), (2_581_420.0, 2_578_131.0));
    assert_eq!(answer["toys"], TOYS);
    assert!((number("global_p") - 0.90).abs() < 0.02, "{answer:#}");
    let trials = number("windows") + number("windows_left_out");
    // 44 widths in 91 bins: the sum of 91 - width + 1 over widths 2 to 45.
    assert_eq!(trials, f64::from((2..=45).map(|width| 92 - width).sum::<i32>()));

    // What the report plots is the whole table: the sums that its authors publish.
    let spectrum = csv(results.join("spectrum.csv"));
    let (low, observed, expected) = (&spectrum[0], &spectrum[2], &spectrum[3]);
    assert_eq!(low.len(), 91);
    assert_eq!((low[7], spectrum[1][8]), (1341.0, 1416.0));
    assert_eq!(observed.iter().sum::<f64>(), 28_619_185.0);
    assert!((expected.iter().sum::<f64>() - 28_619_309.65).abs() < 0.01, "{}", expected.iter().sum::<f64>());
    let page = fs::read_to_string(results.join("report.html")).unwrap();
    assert!(page.contains("1341") && page.contains("1416"), "the report names the window");
}

#[test]
fn inspect_tells_what_a_card_can_use() {
    let Some(folder) = data() else { return };
    let mut command = trawl();
    command.args(["inspect", &nanoaod(&folder, "nano_ttbar_duckdb.parquet"), &nanoaod(&folder, "nano_dy.parquet")]);
    let said = say(command);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("200 events in 1 row group"), "{}", said.out);
    assert!(said.out.contains("40 events"), "{}", said.out);
    let line = |words: &[&str]| said.out.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(line(&["Jet_pt ", "list<float32>", "zstd", "'pt' of the collection 'Jet'"]), "{}", said.out);
    assert!(line(&["nJet ", "uint32", "counts the collection 'Jet'"]), "{}", said.out);
    assert!(line(&["luminosityBlock ", "event id"]), "{}", said.out);
}

#[test]
fn check_prints_the_plan_and_writes_nothing() {
    let Some(folder) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut command = trawl();
    command.current_dir(scratch.path()).arg("check").arg(shipped("nanoaod-dijet.toml"));
    command.args(["--device", "cpu", "--set"]);
    command.arg(format!("samples.data.files={}", nanoaod(&folder, "nano_ttbar_duckdb.parquet")));
    let said = say(command);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("card    nanoaod-dijet\ndevice  cpu\n"), "{}", said.out);
    let stage = said.out.lines().find(|line| line.contains("1. select data")).expect("the plan has a first stage");
    assert!(stage.contains("200 events") && stage.contains("4 column(s) of 1 collection(s)"), "{stage}");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}
