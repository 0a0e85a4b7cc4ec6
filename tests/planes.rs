//! Planes that come as tables and windows that cards list, through the binary: the same numbers as the library's, and every
//! way in which they can be wrong.

#[path = "common/files.rs"]
#[allow(dead_code, reason = "only the place of a spectrum is used here")]
mod files;
#[path = "common/place.rs"]
#[allow(dead_code, reason = "only the place of a spectrum is used here")]
mod place;
#[path = "common/refusals.rs"]
mod refusals;
#[path = "common/runs.rs"]
mod runs;

use std::fmt::Write;
use std::fs;
use std::ops::Range;

use place::{BINNED, Place, SPECTRUM};
use refusals::{assert_refused, errors};
use runs::{Said, say, trawl};
use serde_json::Value;
use trawl::device::Device;
use trawl::hunt::{Scan, Windows};
use trawl::spectrum::Expectation;
use trawl::toys::{Exceedance, Experiment, Global, Summary};

const CARD: &str = r#"
name = "table"
seed = 1
output = "results"

[input]
path = "plane.csv"
row_low = "bottom"
row_high = "top"
low = "low"
high = "high"
observed = "observed"
expected = "expected"
signal = "signal"
uncertainty = "error"
row_quantity = "m_Y"
quantity = "m_X"

[hunt]
windows = [[0, 2], [1, 3.5], [1, 2], [4, 6], [0, 3.5]]

[toys]
number = 3000
"#;

const ROWS: [f64; 5] = [1.0, 2.0, 4.0, 7.0, 11.0];
const COLUMNS: [f64; 6] = [0.0, 1.0, 2.0, 3.5, 4.0, 6.0];
/// The windows of the card in cells: nested, disjoint, with the same start, and the cell from 3.5 to 4 in none.
const WINDOWS: [Range<usize>; 5] = [0..2, 1..3, 1..2, 4..5, 0..3];

/// Counts and expectations of a plane, the most in one corner.
struct Plane {
    rows: Vec<f64>,
    columns: Vec<f64>,
    observed: Vec<u64>,
    expected: Vec<f64>,
}

impl Plane {
    fn new(rows: &[f64], columns: &[f64]) -> Self {
        let (high, wide) = (rows.len() - 1, columns.len() - 1);
        let mean = |cell: usize| 40.0 / (1.0 + (cell / wide) as f64 + (cell % wide) as f64);
        let expected: Vec<f64> = (0..high * wide).map(mean).collect();
        let mut observed: Vec<u64> = expected.iter().map(|mean| mean.round() as u64).collect();
        observed[wide + 1] += 17;
        Self { rows: rows.to_vec(), columns: columns.to_vec(), observed, expected }
    }

    /// The table, with the last cell first.
    fn table(&self) -> String {
        let wide = self.columns.len() - 1;
        let mut text = String::from("low,high,bottom,top,observed,expected,error,signal\n");
        for cell in (0..self.observed.len()).rev() {
            let (row, column) = (cell / wide, cell % wide);
            let (n, b, s) = (self.observed[cell], self.expected[cell], if cell == wide + 1 { 20 } else { 0 });
            let edges = [self.columns[column], self.columns[column + 1], self.rows[row], self.rows[row + 1]];
            let [low, high, bottom, top] = edges;
            writeln!(text, "{low},{high},{bottom},{top},{n},{b},{},{s}", 0.1 * b).unwrap();
        }
        text
    }

    /// What the library finds.
    fn global(&self, windows: Windows, toys: u64) -> Global {
        let expectation = Expectation::given(self.expected.clone(), None).unwrap();
        let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
        experiment.global(&Device::Cpu, &self.observed, 1, toys, &|_| Ok(())).unwrap()
    }
}

fn place(card: &str) -> Place {
    let place = Place::empty();
    fs::write(place.at("plane.csv"), Plane::new(&ROWS, &COLUMNS).table()).unwrap();
    fs::write(place.at("card.toml"), card).unwrap();
    place
}

fn said(place: &Place, words: &[&str]) -> Said {
    let mut command = trawl();
    command.current_dir(&place.folder).args(words);
    say(command)
}

fn done(place: &Place, words: &[&str]) -> Said {
    let said = said(place, words);
    assert_eq!(said.code, Some(0), "{words:?}\n{}", said.err);
    said
}

fn text(place: &Place, name: &str) -> String {
    fs::read_to_string(place.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn answer(place: &Place, results: &str) -> Value {
    let manifest: Value = serde_json::from_str(&text(place, &format!("{results}/manifest.json"))).unwrap();
    manifest["answer"].clone()
}

fn same(place: &Place, results: &str, global: &Global) {
    let name = format!("{results}/toys.json");
    let summary = Summary::from_json(&name, &text(place, &name)).unwrap();
    assert_eq!(summary.tally, global.tally);
    // Bounds belong to the experiment, and a summary has none.
    let (thrown, found) = (summary.significance().unwrap(), &global.significance);
    assert_eq!((thrown.p, thrown.interval, thrown.exceed), (found.p, found.interval, found.exceed));
    let found = answer(place, results);
    assert_eq!(found["toys_global_p"].as_f64(), Some(global.significance.p));
    assert_eq!(found["local_ln_p"].as_f64(), Some(global.findings.ln_p));
}

#[test]
fn a_plane_of_a_table_has_the_numbers_of_the_librarys() {
    let place = place(CARD);
    let plan = done(&place, &["check", "card.toml"]).out;
    assert!(plan.contains("20 windows  4 rows of 5 cells, 4 cells in no window"), "{plan}");
    let found = done(&place, &["run", "card.toml"]);
    let plane = Plane::new(&ROWS, &COLUMNS);
    let windows = Windows::plane(ROWS.to_vec(), COLUMNS.to_vec(), &WINDOWS).unwrap();
    same(&place, "results", &plane.global(windows, 3000));
    assert!(found.out.contains("m_Y 2.0000-4.0000 GeV, m_X 1.0000-2.0000 GeV"), "{}", found.out);
    let in_none: u64 = (0..4).map(|row| plane.observed[5 * row + 3]).sum();
    let words = format!("4 of 20 cells, with {in_none} events, are in no window; a resonance there would be in none");
    assert!(found.err.contains(&words) && found.out.contains(&words), "{}\n{}", found.out, found.err);
    let report = text(&place, "results/report.html");
    for part in [words.as_str(), "Local significance in the plane", "Largest bump in the spectrum"] {
        assert!(report.contains(part), "{part}");
    }
    let map = text(&place, "results/plane.csv");
    assert!(map.starts_with("m_Y_bin,m_X_window,m_Y_low,m_Y_high,m_X_low,m_X_high,tested,"), "{map}");
    assert_eq!(map.lines().count(), 1 + 20);
    assert!(place.at("results/maximum.csv").exists() && place.at("results/convergence.csv").exists());
}

#[test]
fn toys_of_a_table_are_thrown_in_parts() {
    let place = place(CARD);
    done(&place, &["run", "card.toml"]);
    for (part, name) in [("1/2", "1.json"), ("2/2", "2.json")] {
        done(&place, &["toys", "run", "card.toml", "--shard", part, "--output", name]);
    }
    done(&place, &["toys", "merge", "2.json", "1.json", "--output", "all.json"]);
    assert_eq!(text(&place, "all.json"), text(&place, "results/toys.json"));
}

#[test]
fn rows_are_joined_and_columns_are_hunted_in() {
    let place = place(CARD);
    let flags = ["--set", "hunt.row_widths=[1, 3]", "--set", "hunt.columns=each"];
    done(&place, &[&["run", "card.toml"], &flags[..]].concat());
    let windows = Windows::plane_of_heights(ROWS.to_vec(), COLUMNS.to_vec(), &WINDOWS, &[1, 3]).unwrap();
    same(&place, "results", &Plane::new(&ROWS, &COLUMNS).global(windows, 3000));
    assert_eq!(text(&place, "results/plane-3.csv").lines().count(), 1 + 2 * 5);
    assert_eq!(text(&place, "results/columns.csv").lines().count(), 1 + 5);
    done(&place, &[&["check", "card.toml"], &flags[..]].concat());
    let refused = said(&place, &["run", "card.toml", "--set", "hunt.row_widths=[0, 5]", "--output", "no"]);
    assert_eq!(errors(&refused).len(), 2, "{}", refused.err);
    let refused = said(&place, &[&["inject", "card.toml"], &flags[..]].concat());
    assert_refused(&refused, 2);
    assert!(refused.err.contains("leaves hunt.row_widths out"), "{}", refused.err);
}

#[test]
fn uncertain_expectations_rare_tails_deficits_and_injections() {
    let place = place(CARD);
    let flags = ["--set", "toys.uncertainty.statistical=expectation", "--set", "toys.method=both"];
    let templates = ["--set", "toys.uncertainty.templates.slope=[0.1, 0.0, -0.1, -0.2]"];
    done(&place, &[&["run", "card.toml", "--set", "toys.tail_maximum=4000"], &flags[..], &templates].concat());
    let found = answer(&place, "results");
    assert!(found["rare_tail"]["global_ln_p"].as_f64().unwrap() < 0.0, "{found}");
    let certain = Plane::new(&ROWS, &COLUMNS);
    let windows = Windows::plane(ROWS.to_vec(), COLUMNS.to_vec(), &WINDOWS).unwrap();
    assert!(found["global_p"].as_f64().unwrap() > certain.global(windows, 3000).significance.p, "{found}");
    // The rare tail throws its toys by other means, cell by cell.
    let flags = ["--set", "toys.method=both", "--set", "toys.number=50000", "--output", "both"];
    done(&place, &[&["run", "card.toml"], &flags[..]].concat());
    let both = answer(&place, "both");
    let (toys, tail) = (both["global_p"].as_f64().unwrap(), both["rare_tail"]["global_ln_p"].as_f64().unwrap().exp());
    let error = (toys / 50_000.0).sqrt() + tail * both["rare_tail"]["relative_error"].as_f64().unwrap();
    assert!((toys - tail).abs() < 4.0 * error, "{toys}, {tail} ± {error}");
    let refused = said(
        &place,
        &[&["check", "card.toml"], &templates[..1], &["toys.uncertainty.templates.slope=[0.1, 0.2]"]].concat(),
    );
    assert_refused(&refused, 1);
    for direction in ["hunt.direction=deficit", "hunt.normalisation=sidebands"] {
        done(&place, &["run", "card.toml", "--set", direction, "--output", direction]);
    }
    let flags = ["--set", "inject.significance=1.5", "--set", "inject.data_sets=20", "--set", "toys.number=400"];
    let injected = done(&place, &[&["inject", "card.toml"], &flags[..]].concat()).out;
    assert!(injected.contains("1.5 sigma are reached with"), "{injected}");
}

#[test]
fn without_a_list_all_widths_are_tried_in_every_row() {
    let place = place(&CARD.replace("windows = [[0, 2], [1, 3.5], [1, 2], [4, 6], [0, 3.5]]", "width_max = 2"));
    let found = done(&place, &["run", "card.toml"]);
    assert!(!found.out.contains("in no window"), "{}", found.out);
    let ranges: Vec<_> = (0..5).map(|cell| cell..cell + 1).chain((0..4).map(|cell| cell..cell + 2)).collect();
    let windows = Windows::plane(ROWS.to_vec(), COLUMNS.to_vec(), &ranges).unwrap();
    same(&place, "results", &Plane::new(&ROWS, &COLUMNS).global(windows, 3000));
}

/// 57 windows of 3 to 5 of 114 cells, which begin at every second one, in 27 rows.
#[test]
fn the_plane_of_the_benchmark_is_a_card_and_a_table() {
    let (rows, columns): (Vec<f64>, Vec<f64>) = (
        (0..=27).map(|edge| 1300.0 + 50.5 * f64::from(edge)).collect(),
        (0..=114).map(|edge| 50.0 + 0.1 * f64::from(edge)).collect(),
    );
    let ranges: Vec<Range<usize>> = (0..57).map(|w: usize| 2 * w..(2 * w + 3 + w / 19).min(114)).collect();
    let listed: Vec<[f64; 2]> = ranges.iter().map(|range| [columns[range.start], columns[range.end]]).collect();
    let place = place(&CARD.replace("[[0, 2], [1, 3.5], [1, 2], [4, 6], [0, 3.5]]", &format!("{listed:?}")));
    let plane = Plane::new(&rows, &columns);
    fs::write(place.at("plane.csv"), plane.table()).unwrap();
    let plan = done(&place, &["check", "card.toml"]).out.replace('\u{202f}', "");
    for part in ["3078 bins", "1539 windows", "27 rows of 114 cells"] {
        assert!(plan.contains(part), "{part} is missing in\n{plan}");
    }
    done(&place, &["run", "card.toml", "--set", "toys.number=200"]);
    same(&place, "results", &plane.global(Windows::plane(rows, columns, &ranges).unwrap(), 200));
}

#[test]
fn spectra_and_channels_have_listed_windows() {
    let widths = "width_min = 1\nwidth_max = 2\nwidth_step = 1\nposition_step = 1\n";
    let card = BINNED.replace(widths, "windows = [[0, 2], [2, 3], [3, 4], [0, 1]]\n");
    let place = Place::empty();
    fs::write(place.at("card.toml"), &card).unwrap();
    fs::write(place.at("spectrum.csv"), SPECTRUM).unwrap();
    let found = done(&place, &["run", "card.toml"]);
    assert_eq!((answer(&place, "results")["windows"].as_u64(), found.out.contains("in no window")), (Some(4), false));
    let (start, end) = (card.find("[input]").unwrap(), card.find("[hunt]").unwrap());
    let electron = card[start..end].replace("[input]", "[input.electron]");
    let muon = electron.replace("electron", "muon").replace("spectrum.csv", "muon.csv");
    fs::write(place.at("muon.csv"), SPECTRUM.replace("\n0,1,", "\n-1,1,")).unwrap();
    fs::write(place.at("card.toml"), [&card[..start], &electron, &muon, &card[end..]].concat()).unwrap();
    // The bins of the muons have other edges.
    let problems = said(&place, &["run", "card.toml", "--output", "channels"]);
    assert_refused(&problems, 2);
    assert_eq!(errors(&problems).len(), 2, "{}", problems.err);
    assert!(problems.err.contains("muon.csv': the window [0, 2] is no union of cells"), "{}", problems.err);
    let found = done(&place, &["run", "card.toml", "--output", "channels", "--set", "hunt.windows=[[1, 3], [2, 4]]"]);
    let words = "muon: 1 of 4 cells, with 110 events, are in no window";
    assert!(found.out.contains(words) && text(&place, "channels/report.html").contains(words), "{}", found.out);
    // A channel is a spectrum.
    let row = ["--set", "input.muon.row_low=low", "--set", "input.muon.row_high=high", "--set", "hunt.row_widths=[2]"];
    let problems = said(&place, &[&["check", "card.toml"], &row[..]].concat());
    assert_eq!(errors(&problems).len(), 2, "{}", problems.err);
    assert!(problems.err.contains("channels that are combined are spectra"), "{}", problems.err);
}

/// A plane of events whose m_X windows are in no order, nested, of the same start, and leave two gaps.
#[test]
fn windows_of_events_may_leave_gaps_that_are_told() {
    let place = Place::empty();
    let edges = "m_y_edges_gev = [1300, 1600, 2000, 3000, 6000]
        m_x_windows_gev = [[150, 250], [60, 100], [60, 80], [65, 75], [300, 3000]]";
    fs::write(place.at("gaps.toml"), edges).unwrap();
    let sizes = ["demo", "--events", "2000", "--toys", "300", "--seed", "3", "--output", "demo"];
    let flags = ["--set", "plane.edges=gaps.toml", "--set", "expectation.minimum_effective_count=4"];
    let found = done(&place, &[&sizes[..], &flags].concat());
    let histograms: Value = serde_json::from_str(&text(&place, "demo/results/histograms.json")).unwrap();
    // Cells of m_X: 60, 65, 75, 80, 100, 150, 250, 300 to 3000, between underflow and overflow; two of them are gaps.
    let counts = histograms["data"]["storage"]["values"].as_array().unwrap();
    let count = |row: usize, cell: usize| counts[row + 1][cell + 1].as_f64().unwrap();
    let in_gaps: f64 = (0..4).flat_map(|row| [count(row, 4), count(row, 6)]).sum();
    assert!(in_gaps > 100.0, "{in_gaps}");
    let words = format!("8 of 32 cells, with {in_gaps} events, are in no window; a resonance there would be in none");
    assert!(found.err.contains(&words) && found.out.contains(&words), "{words}\n{}\n{}", found.out, found.err);
    assert!(text(&place, "demo/results/report.html").contains(&words));
    // Each window holds what was filled in its cells.
    let map = text(&place, "demo/results/plane.csv");
    let observed = |row: usize, window: usize| -> f64 {
        let line = map.lines().nth(1 + 4 * window + row).unwrap();
        line.split(',').nth(7).unwrap().parse().unwrap()
    };
    let cells = [5..6, 0..4, 0..3, 1..2, 7..8];
    for (row, window) in (0..4).flat_map(|row| (0..5).map(move |window| (row, window))) {
        let filled: f64 = cells[window].clone().map(|cell| count(row, cell)).sum();
        assert_eq!(observed(row, window), filled, "{row} {window}");
    }
    let card = ["demo/demo.toml", "--set", "plane.edges=gaps.toml"];
    let plan = done(&place, &[&["check"], &card[..]].concat()).out;
    assert!(plan.contains("20 windows  32 cells, 8 cells in no window"), "{plan}");
    let twice = ["--set", "hunt.windows=[[60, 80]]", "--set", "hunt.row_widths=[2]"];
    let refused = said(&place, &[&["check"], &card[..], &twice].concat());
    // The widths of the demo's hunt are along m_Y, and contradict a list as well.
    assert_eq!(errors(&refused).len(), 4, "{}", refused.err);
    assert!(refused.err.contains("are those of its file of edges"), "{}", refused.err);
    assert!(refused.err.contains("that of events is plane.row_widths"), "{}", refused.err);
    // A spectrum of the same events, with listed windows.
    let card = text(&place, "demo/demo.toml");
    let (start, end) = (card.find("[plane]").unwrap(), card.find("[expectation]").unwrap());
    let spectrum = "[spectrum]\nvariable = \"m_Y\"\nedges = [1300, 1600, 2000, 2500, 3000, 6000]\n
        [hunt]\nwindows = [[1600, 2500], [1300, 1600], [1600, 3000]]\n";
    fs::write(place.at("demo/demo.toml"), [&card[..start], spectrum, &card[end..]].concat()).unwrap();
    let flags = ["--set", "toys.number=300", "--output", "spectrum"];
    let found = done(&place, &[&["run", "demo/demo.toml"], &flags[..]].concat());
    assert_eq!(answer(&place, "spectrum")["windows"], 3);
    assert!(found.out.contains("1 of 5 cells, with "), "{}", found.out);
    let refused = said(&place, &["check", "demo/demo.toml", "--set", "hunt.row_widths=[2]"]);
    assert!(refused.err.contains("it is of a plane, and this card fills none"), "{}", refused.err);
}

// Bad input ---------------------------------------------------------------------------------------------------------

#[test]
fn tables_that_are_no_plane_are_refused_with_their_lines() {
    let place = place(CARD);
    done(&place, &["run", "card.toml"]);
    let good = text(&place, "plane.csv");
    let lines: Vec<&str> = good.lines().collect();
    // The last line is the first cell.
    let first = lines[20];
    assert!(first.starts_with("0,1,1,2,40,40,"), "{first}");
    let cases = [
        (good.replace(first, ""), vec!["plane.csv:17: the row from 1 to 2 lacks 1 of 5 cells, first that from 0 to 1"]),
        (
            format!("{good}{first}\n"),
            vec!["plane.csv:22: the cell from 0 to 1 in the row from 1 to 2 is in line 21 already"],
        ),
        (
            good.replace("0,1,1,2,40,40,4,0", "0.5,1,1,2,40,40,4,0\n0,1,12,13,1,1,1,0\n0,1,12,13,1,1,1,0\n"),
            vec![
                "plane.csv:22: the row from 12 to 13 leaves a gap after that from 7 to 11 in line 2",
                "plane.csv:21: the cell from 0.5 to 1 overlaps that from 0 to 1 in line 6",
                "plane.csv:23: the cell from 0 to 1 in the row from 12 to 13 is in line 22 already",
            ],
        ),
        (good.replace("0,1,1,2,40,40", "0,1,2,2,4.5,x"), vec!["plane.csv:21: the expectation 'x'"]),
        (
            good.replace("0,1,1,2,40,40", "0,1,2,2,4.5,1"),
            vec!["plane.csv:21: the observed count 4.5", "plane.csv:21: the row from 2 to 2"],
        ),
        (good.replace("top", "tip"), vec!["column 'top' is missing"]),
        ("low,high,bottom,top,observed,expected,error,signal\n".into(), vec!["holds no bin"]),
    ];
    for (table, expected) in cases {
        fs::write(place.at("plane.csv"), &table).unwrap();
        let said = place.refuses(1, &[]);
        assert_eq!(errors(&said).len(), expected.len(), "{expected:?}\n{}", said.err);
        for expected in expected {
            assert!(said.err.contains(expected), "{expected} is not in\n{}", said.err);
        }
    }
}

#[test]
fn windows_that_are_no_union_of_cells_are_refused_all_at_once() {
    let place = place(CARD);
    let set = |windows: &str| place.refuses(2, &["--set", &format!("hunt.windows={windows}")]);
    let refused = set("[[0, 1], [0.5, 2], [2, 7], [3.5, 2], [0, 1]]");
    let found = errors(&refused);
    assert_eq!(found.len(), 4, "{}", refused.err);
    for window in ["[0.5, 2] is no union of cells", "[2, 7] is no", "[3.5, 2] is no", "[0, 1] is listed twice"] {
        assert!(refused.err.contains(window), "{window} is not in\n{}", refused.err);
    }
    assert!(found[0].contains("Move it to the nearest edges, or make the cells finer."), "{}", found[0]);
    assert!(set("[]").err.contains("there is no window"));
    assert!(set("[[1]]").err.contains("entry 1 should be [low, high]"));
    assert!(set("[[0, nan]]").err.contains("finite"));
}

#[test]
fn keys_that_contradict_each_other_are_refused_with_their_lines() {
    let place = place(CARD);
    done(&place, &["run", "card.toml"]);
    let refused = place.refuses(2, &["--set", "hunt.width_min=2", "--set", "hunt.position_step=full"]);
    assert_eq!(errors(&refused).len(), 2, "{}", refused.err);
    assert!(refused.err.contains("hunt.width_min: hunt.windows lists the windows"), "{}", refused.err);
    let refused = place.refuses(2, &["--set", "input.row_quantity=m_X"]);
    assert!(refused.err.contains("both axes would be called 'm_X'"), "{}", refused.err);
    fs::write(place.at("card.toml"), CARD.replace("row_low = \"bottom\"\n", "")).unwrap();
    assert!(place.refuses(2, &[]).err.contains("key 'row_low' is missing in [input]"));
    let spectrum = CARD.replace("row_low = \"bottom\"\nrow_high = \"top\"\n", "");
    fs::write(place.at("card.toml"), spectrum.replace("[hunt]", "[hunt]\nrow_widths = [2]\ncolumns = \"each\""))
        .unwrap();
    let refused = place.refuses(2, &[]);
    assert_eq!(errors(&refused).len(), 3, "{}", refused.err);
    for part in
        ["input.row_quantity: a spectrum has no rows", "hunt.row_widths: it is of a plane", "hunt.columns: it is"]
    {
        assert!(refused.err.contains(part), "{part} is not in\n{}", refused.err);
    }
}
