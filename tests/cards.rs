//! Every shipped card: `trawl check` accepts it with its inputs, and the public files of four formats go through it to
//! selected events, whose numbers after each cut are those of scripts/oracles/cards.py.
//!
//! PHYSLITE is ROOT, which needs a Python with uproot, awkward and pyarrow: the one in `TRAWL_PYTHON`, or `python3`.

#[path = "common/data.rs"]
mod data;
#[path = "common/runs.rs"]
mod runs;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use data::data;
use runs::{say, trawl};
use trawl::events::{EventSource, Projection};

/// What the oracle says of one sample.
struct Expected<'a> {
    sample: &'a str,
    /// The raw counts of the cutflow, in its order.
    cutflow: &'a [(&'a str, u64)],
    /// Entries of the histogram, underflow first, overflow last.
    histogram: &'a [f64],
    /// The variable that is filled, and its sum over the selected events.
    sum: (&'a str, f64),
}

/// Runs the binary, which must end well.
fn run(words: &[&str]) -> String {
    let mut command = trawl();
    command.arg("--quiet").args(words);
    let said = say(command);
    assert_eq!(said.code, Some(0), "{words:?}\n{}", said.err);
    assert!(said.err.is_empty(), "{words:?}\n{}", said.err);
    said.out
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

fn shipped(card: &str) -> String {
    format!("{}/cards/{card}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Checks a shipped card with its inputs, `samples.NAME.files=FILE`, and runs it to the folder `results`.
fn check_and_run(card: &str, inputs: &[String], scratch: &Path) -> PathBuf {
    let card = shipped(card);
    let mut words = vec![card.as_str()];
    inputs.iter().for_each(|input| words.extend(["--set", input]));
    let plan = run(&[&["check"], words.as_slice()].concat());
    assert!(plan.starts_with("card    ") && plan.contains("1. select "), "{plan}");
    let results = scratch.join("results");
    run(&[&["run", "--output", text(&results)], words.as_slice()].concat());
    results
}

/// The rows of a cutflow: label and raw count.
fn cutflow(results: &Path, sample: &str) -> Vec<(String, u64)> {
    let mut reader = csv::Reader::from_path(results.join(format!("cutflow-{sample}.csv"))).unwrap();
    let label = |within: &str, cut: &str| match within {
        "" => cut.to_owned(),
        "regions" => format!("region {cut}"),
        channel if channel == cut => format!("channel {cut}"),
        channel => format!("{channel}: {cut}"),
    };
    reader.records().map(Result::unwrap).map(|row| (label(&row[0], &row[1]), row[2].parse().unwrap())).collect()
}

/// The numbers of a scalar of the survivors.
fn survivors(results: &Path, sample: &str, scalar: &str) -> Vec<f64> {
    let path = results.join(format!("survivors-{sample}.parquet"));
    let projection = Projection { scalars: vec![scalar.to_owned()], ..Projection::default() };
    let source = EventSource::open(&[text(&path).to_owned()], &projection).unwrap();
    let of = |batch: trawl::Result<trawl::events::EventBatch>| batch.unwrap().columns.scalars[0].to_vec();
    source.batches(1 << 16, 1).flat_map(of).map(f64::from).collect()
}

fn holds(results: &Path, expected: &Expected) {
    let sample = expected.sample;
    let found = cutflow(results, sample);
    let oracle: Vec<(String, u64)> =
        expected.cutflow.iter().map(|(row, events)| ((*row).to_owned(), *events)).collect();
    assert_eq!(found, oracle, "{sample}");
    let histograms: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(results.join("histograms.json")).unwrap()).unwrap();
    // A weighted sample tells its entries apart from its sums of weights.
    let (own, entries) = (&histograms[sample], &histograms[format!("{sample} entries")]);
    let counts = if entries.is_null() { own } else { entries };
    let counts: Vec<f64> =
        counts["storage"]["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(counts, expected.histogram, "{sample}");
    let (variable, sum) = expected.sum;
    let kept = survivors(results, sample, variable);
    assert_eq!(kept.len() as f64, expected.histogram.iter().sum::<f64>(), "{sample}");
    let total: f64 = kept.iter().sum();
    assert!((total / sum - 1.0).abs() < 1e-5, "{sample}: {total}, the oracle has {sum}");
}

#[test]
fn every_card_is_tested() {
    let folder = format!("{}/cards", env!("CARGO_MANIFEST_DIR"));
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cards: BTreeSet<String> = names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect();
    // The last ones run in tests/demo.rs, tests/real_input.rs and tests/networks.rs.
    let tested = ["dark-machines", "dilepton", "lhco", "nanoaod-muon", "physlite"];
    let elsewhere = ["atlas-dijet", "demo", "nanoaod-dijet", "cwola", "autoencoder"];
    assert_eq!(cards, tested.into_iter().chain(elsewhere).map(str::to_owned).collect());
}

#[test]
fn lhc_olympics_from_hdf5_to_jets_and_selected_events() {
    let Some(folder) = data() else { return };
    if cfg!(not(feature = "hdf5")) {
        return println!("skipped: this build has no feature hdf5");
    }
    let scratch = tempfile::tempdir().unwrap();
    let parquet = scratch.path().join("lhco.parquet");
    run(&["import", "lhco", text(&folder.join("lhco/events_anomalydetection_tiny.h5")), "-o", text(&parquet)]);
    let inputs = [format!("samples.data.files={}", parquet.display())];
    let results = check_and_run("lhco", &inputs, scratch.path());
    // scripts/oracles/cards.py lhco (h5py 3.16.0, numpy 2.4.6, fastjet 3.5.2.0): the jets are FastJet's.
    let expected = Expected {
        sample: "data",
        cutflow: &[
            ("all events", 1000),
            ("two jets", 1000),
            ("leading jet above 1.2 TeV", 1000),
            ("leading jet central", 1000),
            ("m_jj > 2 TeV", 998),
            ("rapidities within 1.2", 728),
            ("region training", 12),
            ("region massive", 624),
        ],
        histogram: &[0., 5., 50., 135., 130., 90., 94., 63., 82., 32., 19., 19., 6., 3., 0., 0.],
        sum: ("m_jj", 2_179_117.63),
    };
    holds(&results, &expected);

    // From there too: the signal is W' -> X Y, of which the lighter has 100 GeV, and both have two prongs.
    let light = [
        [2, 33, 68, 112, 92, 85, 58, 40, 43, 21, 18, 17, 14, 9, 8, 7, 4, 3, 2, 3, 4, 1, 0, 1, 1],
        [0, 0, 1, 0, 17, 42, 11, 4, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0],
    ];
    let split12 = [
        [131, 156, 103, 52, 39, 39, 15, 25, 9, 10, 7, 14, 6, 4, 9, 2, 3, 2, 5, 2, 2, 2, 2, 2, 0],
        [1, 4, 13, 9, 12, 2, 0, 1, 2, 3, 2, 1, 3, 2, 5, 2, 2, 1, 3, 4, 3, 1, 3, 1, 0],
    ];
    let histograms: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(results.join("histograms.json")).unwrap()).unwrap();
    for (variable, expected) in [("m_light", light), ("split12_1", split12)] {
        for (class, expected) in expected.iter().enumerate() {
            // Underflow is first on both axes.
            let bins = &histograms[format!("data/{variable}")]["storage"]["values"][class + 1];
            let counts: Vec<u64> = bins.as_array().unwrap()[1..26].iter().map(|n| n.as_f64().unwrap() as u64).collect();
            assert_eq!(counts, expected, "{variable} of class {class}");
        }
    }
    for name in ["m_jj", "m_light", "split12_1", "tau21_1", "d2_1"] {
        let table = fs::read_to_string(results.join(format!("distribution-{name}.csv"))).unwrap();
        assert!(table.starts_with("low,high,background,background_low,background_high,signal,"), "{table}");
        assert!(results.join(format!("distribution-{name}.svg")).exists());
    }
}

#[test]
fn dark_machines_from_csv_to_selected_events() {
    let Some(folder) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let files = [
        ("background", "background_chan1_7.79_reduced"),
        ("gluino", "glgl1600_neutralino800_chan1_reduced"),
        ("squark", "sqsq1_sq1400_neut800_chan1"),
    ];
    let inputs = files.map(|(sample, file)| {
        let (from, to) = (folder.join(format!("darkmachines/{file}.csv")), scratch.path().join(file));
        let to = to.with_extension("parquet");
        run(&["import", "dark-machines", text(&from), "-o", text(&to)]);
        format!("samples.{sample}.files={}", to.display())
    });
    let results = check_and_run("dark-machines", &inputs, scratch.path());
    // scripts/oracles/cards.py dark-machines. All published events are of the channel, whose cuts are the first five.
    let names = [
        "all events",
        "HT >= 600 GeV",
        "MET >= 200 GeV",
        "MET / HT >= 0.2",
        "four jets above 50 GeV",
        "leading jet above 200 GeV",
        "four central jets",
        "MET along no jet",
        "channel hadronic",
        "channel leptonic",
        "region training",
        "region b_jets",
        "region high_mass",
    ];
    let cases: [(&str, [u64; 8], [f64; 12], f64); 3] = [
        (
            "background",
            [1000, 1000, 197, 162, 35, 1, 78, 7],
            [0., 59., 72., 33., 13., 9., 4., 4., 3., 0., 0., 0.],
            236_229.11,
        ),
        (
            "gluino",
            [1000, 983, 817, 817, 0, 13, 169, 295],
            [0., 11., 28., 80., 120., 158., 125., 218., 58., 18., 1., 0.],
            1_532_657.79,
        ),
        (
            "squark",
            [4111, 4027, 3465, 2789, 676, 33, 710, 449],
            [0., 105., 526., 768., 787., 496., 334., 317., 98., 32., 2., 0.],
            5_407_997.53,
        ),
    ];
    for (sample, counts, histogram, sum) in cases {
        let counts = [[counts[0]; 5].as_slice(), &counts].concat();
        let rows: Vec<(&str, u64)> = names.into_iter().zip(counts).collect();
        holds(&results, &Expected { sample, cutflow: &rows, histogram: &histogram, sum: ("m_eff", sum) });
    }
}

/// A Python that reads ROOT; `None` with a message where there is none.
fn python_with_uproot() -> Option<String> {
    let python = std::env::var("TRAWL_PYTHON").unwrap_or_else(|_| "python3".into());
    let imports = ["-c", "import uproot, awkward, pyarrow"];
    let found = std::process::Command::new(&python).args(imports).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: '{python}' has no uproot, awkward and pyarrow; TRAWL_PYTHON names one that has");
    None
}

#[test]
fn physlite_from_root_to_selected_events() {
    let (Some(folder), Some(python)) = (data(), python_with_uproot()) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let parquet = scratch.path().join("physlite.parquet");
    let convert = std::process::Command::new(python)
        .arg(format!("{}/scripts/root-to-parquet", env!("CARGO_MANIFEST_DIR")))
        .args([text(&folder.join("physlite/PHYSLITE_example.root")), "-o", text(&parquet)])
        .output()
        .unwrap();
    assert!(convert.status.success(), "{}", String::from_utf8_lossy(&convert.stderr));
    let inputs = [format!("samples.data.files={}", parquet.display())];
    let results = check_and_run("physlite", &inputs, scratch.path());
    // scripts/oracles/cards.py physlite (uproot 5.7.7).
    let expected = Expected {
        sample: "data",
        cutflow: &[
            ("all events", 100),
            ("two jets", 83),
            ("leading jet above 50 GeV", 72),
            ("second jet above 25 GeV", 68),
            ("y* below 1.7", 56),
            ("region leptons", 41),
            ("region central", 31),
        ],
        histogram: &[0., 0., 8., 13., 3., 4., 8., 10., 6., 0., 3., 1.],
        sum: ("m_jj", 16498.0),
    };
    holds(&results, &expected);
}

#[test]
fn nanoaod_of_two_writers_to_selected_events() {
    let Some(folder) = data() else { return };
    let file = |name: &str| folder.join("nanoaod").join(name).display().to_string();
    // scripts/oracles/cards.py nanoaod (pyarrow 26.0.1).
    let expected = Expected {
        sample: "data",
        cutflow: &[
            ("all events", 240),
            ("trigger", 39),
            ("a muon above 22 GeV", 36),
            ("no electron", 35),
            ("channel w", 30),
            ("w: MET > 20 GeV", 24),
            ("w: transverse mass > 40 GeV", 22),
            ("channel z", 4),
            ("z: mass 76 to 106 GeV", 4),
            ("region jets", 2),
            ("region no_jets", 18),
            ("region isolated", 8),
            ("region training", 1),
        ],
        histogram: &[0., 0., 2., 2., 3., 3., 4., 2., 2., 1., 3., 3., 1., 0., 0., 0.],
        sum: ("m_t", 1797.68),
    };
    // The lists of the second file have 64-bit offsets and other columns around them.
    for order in [["nano_ttbar_duckdb.parquet", "nano_dy.parquet"], ["nano_dy.parquet", "nano_ttbar_awkward.parquet"]] {
        let scratch = tempfile::tempdir().unwrap();
        let inputs = [format!("samples.data.files={:?}", order.map(file))];
        holds(&check_and_run("nanoaod-muon", &inputs, scratch.path()), &expected);
    }
}

#[test]
fn dilepton_from_the_generator_to_three_channels() {
    const EVENTS: u64 = 100_000;
    let scratch = tempfile::tempdir().unwrap();
    let parquet = scratch.path().join("dilepton.parquet");
    let (events, output) = (EVENTS.to_string(), text(&parquet));
    run(&["generate", "dilepton", "--events", &events, "--seed", "1", "--output", output]);
    let results = check_and_run("dilepton", &[format!("samples.data.files={output}")], scratch.path());
    let rows = cutflow(&results, "data");
    let count = |label: &str| rows.iter().find(|row| row.0 == label).unwrap_or_else(|| panic!("no {label}")).1 as f64;
    assert_eq!(count("all events"), EVENTS as f64);
    let both = count("leading two above 27 GeV");
    // The channels share no event, and every event with two leptons is in one.
    assert_eq!(count("channel ee") + count("channel mumu") + count("channel emu"), both);
    // The published ratios, within four standard deviations of a binomial.
    for (channel, published) in [("channel ee", 0.437), ("channel mumu", 0.553), ("channel emu", 0.0098)] {
        let (part, error) = (count(channel) / both, (published * (1.0 - published) / both).sqrt());
        assert!((part - published).abs() < 4.0 * error, "{channel}: {part} +- {error}, published {published}");
    }
    // A hash below 0.01 takes 1 %.
    let training = count("region training");
    assert!((training - 0.01 * both).abs() < 4.0 * (0.01 * both).sqrt(), "{training} of {both}");
    // Most pairs are a Z.
    let masses = survivors(&results, "data", "m_ll");
    assert_eq!(masses.len() as f64, both);
    let near = masses.iter().filter(|mass| (**mass - 91.19).abs() < 10.0).count() as f64;
    assert!(near / both > 0.7, "{near} of {both}");
}
