//! Toys through the binary: stopped by an accuracy, thrown in parts and added up, killed at any time and gone on with.

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

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use place::{BINNED, Place, SPECTRUM};
use refusals::{assert_refused, errors};
use runs::{Said, say, trawl};
use serde_json::Value;

/// A spectrum whose global p-value is some percent, with this in `[toys]`.
fn place(toys: &str) -> Place {
    let place = Place::empty();
    fs::write(place.at("spectrum.csv"), SPECTRUM.replace("2,3,20,25.0", "2,3,39,25.0")).unwrap();
    fs::write(place.at("card.toml"), card(toys)).unwrap();
    place
}

/// The same spectrum and another one, as two channels.
fn channels(toys: &str) -> Place {
    let place = place(toys);
    fs::write(place.at("muon.csv"), SPECTRUM.replace("2,3,20,25.0", "2,3,36,25.0")).unwrap();
    let card = card(toys);
    let (start, end) = (card.find("[input]").unwrap(), card.find("[hunt]").unwrap());
    let electron = card[start..end].replace("[input]", "[input.electron]");
    let muon = electron.replace("electron", "muon").replace("spectrum.csv", "muon.csv");
    fs::write(place.at("card.toml"), [&card[..start], &electron, &muon, &card[end..]].concat()).unwrap();
    place
}

fn card(toys: &str) -> String {
    BINNED.replace("number = 100\n", toys)
}

fn command(place: &Place, words: &[&str]) -> Said {
    let mut command = trawl();
    command.current_dir(&place.folder).args(["--quiet"]).args(words);
    say(command)
}

/// With the warnings that `--quiet` keeps back.
fn loud(place: &Place, words: &[&str]) -> Said {
    let mut command = trawl();
    command.current_dir(&place.folder).args(words);
    say(command)
}

fn done(place: &Place, words: &[&str]) -> String {
    let said = command(place, words);
    assert_eq!(said.code, Some(0), "{words:?}\n{}", said.err);
    said.out
}

fn answer(place: &Place, folder: &str) -> Value {
    let text = fs::read_to_string(place.at(folder).join("manifest.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["answer"].clone()
}

fn text(place: &Place, file: &str) -> String {
    fs::read_to_string(place.at(file)).unwrap_or_else(|why| panic!("{file}: {why}"))
}

#[test]
fn toys_stop_at_the_accuracy_wherever_they_run() {
    let place = place("accuracy = 0.1\n");
    done(&place, &["run", "card.toml", "--device", "cpu"]);
    let found = answer(&place, "results");
    assert_eq!((found["stopped_by"].as_str(), found["accuracy_wanted"].as_f64()), (Some("accuracy"), Some(0.1)));
    let (toys, exceed) = (found["toys"].as_u64().unwrap(), found["toys_exceeding"].as_u64().unwrap());
    let reached = found["accuracy_reached"].as_f64().unwrap();
    let p = exceed as f64 / toys as f64;
    assert!((reached - ((1.0 - p) / exceed as f64).sqrt()).abs() < 1e-12 && reached <= 0.1, "{found}");
    assert!((10_000..100_000).contains(&toys), "{found}");
    for threads in ["1", "3"] {
        done(&place, &["run", "card.toml", "--device", "cpu", "--threads", threads, "--output", threads]);
        assert_eq!(text(&place, &format!("{threads}/toys.json")), text(&place, "results/toys.json"));
    }
    // The flag is the key.
    fs::write(place.at("card.toml"), card("number = 10000\n")).unwrap();
    let said = done(&place, &["run", "card.toml", "--accuracy", "0.1", "--output", "flag"]);
    assert_eq!(text(&place, "flag/toys.json"), text(&place, "results/toys.json"));
    assert!(said.contains("accurate to ") && said.contains("10.0 % was asked for"), "{said}");
    let report = text(&place, "flag/report.html");
    for expected in ["accurate to", "Gross and Vitells", "Šidák", "Convergence of the global", "Clopper-Pearson"] {
        assert!(report.contains(expected), "{expected} is missing");
    }
}

#[test]
fn an_accuracy_beyond_the_most_toys_is_a_result_with_a_warning() {
    let place = place("accuracy = 0.001\nminimum = 100\nmaximum = 3000\n");
    let Said { code, out: said, err } = loud(&place, &["run", "card.toml"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("toys stopped at the most allowed") && !err.contains("^{"), "{err}");
    assert!(said.contains("the most allowed, before the accuracy of 0.100 % was reached: accurate to "), "{said}");
    let found = answer(&place, "results");
    assert_eq!((found["stopped_by"].as_str(), found["toys"].as_u64()), (Some("maximum"), Some(3000)));
    assert!(found["accuracy_reached"].as_f64().unwrap() > 0.001);
    assert!(text(&place, "results/report.html").contains("the most allowed"));
    let said = command(&place, &["run", "card.toml", "--set", "toys.minimum=5000", "--set", "toys.accuracy=2"]);
    assert_refused(&said, 2);
    assert_eq!(errors(&said).len(), 2, "{}", said.err);
}

#[test]
fn as_many_toys_as_events() {
    let place = place("number = \"events\"\n");
    assert!(done(&place, &["check", "card.toml"]).contains("as many as events"));
    done(&place, &["run", "card.toml"]);
    assert_eq!(answer(&place, "results")["toys"], 110 + 52 + 39 + 14);
    fs::write(place.at("spectrum.csv"), "low,high,observed,expected\n0,1,0,10\n1,2,0,5\n").unwrap();
    let said = command(&place, &["run", "card.toml", "--output", "none"]);
    assert_refused(&said, 1);
    assert!(said.err.contains("as many toys as events are asked for, and there are 0"), "{}", said.err);
}

#[test]
fn the_rare_tail_answers_where_toys_cannot() {
    let place = place("number = 50000\n");
    done(&place, &["run", "card.toml", "--set", "toys.method=both"]);
    let found = answer(&place, "results");
    assert_eq!(found["answer_from"], "toys");
    let (toys, tail) = (found["global_p"].as_f64().unwrap(), found["rare_tail"]["global_ln_p"].as_f64().unwrap().exp());
    let error = (toys / 50_000.0).sqrt() + tail * found["rare_tail"]["relative_error"].as_f64().unwrap();
    assert!((toys - tail).abs() < 4.0 * error, "{toys}, {tail} ± {error}");
    let said = done(&place, &["run", "card.toml", "--set", "toys.method=tail", "--output", "tail"]);
    assert!(said.contains("Rare tail ") && said.contains("the answer\n"), "{said}");
    assert_eq!(answer(&place, "tail")["answer_from"], "rare tail");
    done(&place, &["run", "card.toml", "--output", "default"]);
    assert!(answer(&place, "default")["rare_tail"].is_null());
    // 8 sigma: no toy exceeds, and nobody asked for the tail.
    fs::write(place.at("spectrum.csv"), SPECTRUM.replace("2,3,20,25.0", "2,3,80,25.0")).unwrap();
    let said = done(&place, &["run", "card.toml", "--output", "rare"]);
    let found = answer(&place, "rare");
    assert_eq!(
        (found["answer_from"].as_str(), found["toys_exceeding"].as_u64()),
        (Some("rare tail"), Some(0)),
        "{said}"
    );
    let (local, tail) = (found["local_ln_p"].as_f64().unwrap(), found["rare_tail"]["global_ln_p"].as_f64().unwrap());
    assert!(tail >= local && tail <= local + 7_f64.ln(), "{local} {tail}");
    // Windows of the local p-value that are as many as the effective trials have the answer's, though no toy exceeds.
    let trials = found["effective_trials"].as_f64().unwrap();
    assert!((trials.ln() + local - tail).abs() < 1e-9, "{trials}");
    // The headline numbers are those of the answer, and the toys keep theirs.
    let p = found["global_p"].as_f64().unwrap();
    assert!((p.ln() - tail).abs() < 1e-9 && found["global_significance_is"] == "measured", "{found}");
    assert!(found["global_significance"].as_f64().unwrap() > 6.0, "{found}");
    let low = found["global_p_interval_68"][0].as_f64().unwrap();
    assert!(low > 0.9 * p && low < p && found["toys_global_p"] == 0.0, "{found}");
    assert_eq!(found["toys_global_significance_is"], "above");
    for plot in ["maximum", "convergence"] {
        assert!(text(&place, &format!("rare/{plot}.svg")).contains("from the rare tail"), "{plot}");
        assert!(!text(&place, &format!("default/{plot}.svg")).contains("rare tail"), "{plot}");
    }
    assert!(text(&place, "rare/report.html").contains("The answer is that of the rare tail"));
    let plot = text(&place, "rare/maximum.svg");
    assert!(!plot.contains("= &lt;") && !plot.contains("= &gt;"), "{plot}");
    assert!(!said.contains("Too few toys") && text(&place, "rare/report.html").contains("of the rare tail"), "{said}");
    assert_eq!(found["bounds_that_hold"], "both");
    // Its toys stop at 0.5 %, or where the card says.
    let rare = |folder: &str| answer(&place, folder)["rare_tail"].clone();
    assert_eq!(rare("rare")["stopped_by"], "accuracy");
    assert_eq!((rare("rare")["accuracy_wanted"].as_f64(), rare("rare")["toys"].as_u64()), (Some(0.005), Some(4000)));
    let most = ["--set", "toys.tail_maximum=300", "--set", "toys.accuracy=0.0001", "--set", "toys.maximum=50000"];
    let said = loud(&place, &[&["run", "card.toml", "--output", "most"], &most[..]].concat());
    assert!(said.code == Some(0) && said.err.contains("toys.tail: 300 toys give "), "{}", said.err);
    assert!(
        said.out.contains("the most allowed, before the accuracy of 0.0100 % was reached: accurate"),
        "{}",
        said.out
    );
    assert_eq!((&rare("most")["stopped_by"], rare("most")["toys"].as_u64()), (&Value::from("maximum"), Some(300)));
    assert!(text(&place, "most/report.html").contains("Toys of the rare tail stopped at"));
    for threads in ["1", "2"] {
        let flags = ["--threads", threads, "--output", threads, "--accuracy", "0.002", "--set", "toys.maximum=50000"];
        done(&place, &[&["run", "card.toml"], &flags[..]].concat());
    }
    assert_eq!(rare("1"), rare("2"));
    assert_eq!(rare("1")["accuracy_wanted"], 0.002);
    // With an uncertainty of 10 % it is less rare, and the bounds from local p-values do not hold.
    let uncertainty = ["--set", "toys.uncertainty.templates.common=0.1"];
    done(&place, &[&["run", "card.toml", "--output", "smeared"], &uncertainty[..]].concat());
    let smeared = answer(&place, "smeared");
    assert_eq!(smeared["rare_tail"]["operation"], "toys.smeared_tail");
    assert_eq!(
        (&smeared["answer_from"], &smeared["bounds_that_hold"]),
        (&Value::from("rare tail"), &Value::from("none"))
    );
    assert!(smeared["rare_tail"]["global_ln_p"].as_f64().unwrap() > tail + 1.0, "{smeared}");
    assert!(smeared["gross_vitells"]["omitted"].as_str().unwrap().contains("uncertain"));
    assert!(done(&place, &["toys", "show", "smeared/toys.json"]).contains("Uncertainty          "));
}

#[test]
fn a_tail_whose_toys_take_minutes_is_left_out() {
    let place = place("number = 200\n");
    fs::write(place.at("spectrum.csv"), SPECTRUM.replace("2,3,20,25.0", "2,3,50000000,1.0")).unwrap();
    let said = loud(&place, &["run", "card.toml"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err.contains("the rare tail is not estimated: each of its toys would add 5.00e7 events"),
        "{}",
        said.err
    );
    let found = answer(&place, "results");
    assert_eq!(found["answer_from"], "toys");
    assert_eq!(found["rare_tail"]["omitted"], "each of its toys would add 5.00e7 events to a window");
    assert!(text(&place, "results/report.html").contains("not estimated: each of its toys"));
}

#[test]
fn a_tail_that_cannot_be_is_told_of_where_it_is_asked_for() {
    let place = place("number = 200\nmethod = \"tail\"\n");
    for (setting, why) in [
        ("hunt.direction=\"deficit\"", "a deficit stays below one"),
        ("hunt.normalisation=\"sidebands\"", "sidebands scale them"),
    ] {
        let said = loud(&place, &["run", "card.toml", "--overwrite", "--set", setting]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.err.contains(why) && said.out.contains("not estimated: it takes "), "{}", said.out);
        let found = answer(&place, "results");
        assert!(found["rare_tail"]["omitted"].as_str().unwrap().contains(why), "{found}");
        assert!(text(&place, "results/report.html").contains(why));
        assert!(done(&place, &["check", "card.toml", "--set", setting]).contains(why));
    }
    assert!(done(&place, &["check", "card.toml"]).contains("at most 400"));
}

#[test]
fn windows_that_are_known_badly_are_warned_of() {
    let place = place("number = 100\n");
    let mut table = String::from("low,high,observed,expected,error\n");
    for (bin, error) in [1.0, 1.0, 20.0, 1.0].iter().enumerate() {
        table += &format!("{bin},{},25,25,{error}\n", bin + 1);
    }
    fs::write(place.at("spectrum.csv"), table).unwrap();
    let said = loud(&place, &["run", "card.toml", "--set", "input.uncertainty=\"error\""]);
    assert!(
        said.err.contains("3 of 7 windows are left out: their expectation rests on fewer than 10 effective"),
        "{}",
        said.err
    );
    let said = loud(&place, &["run", "card.toml", "--overwrite"]);
    assert!(!said.err.contains("are left out"), "{}", said.err);
}

#[test]
fn one_toy_tells_no_significance() {
    let place = place("number = 1\n");
    let said = done(&place, &["run", "card.toml", "--set", "hunt.direction=\"deficit\""]);
    assert!(said.contains("Global significance  not known from one toy\n") && !said.contains("inf sigma"), "{said}");
    assert!(answer(&place, "results")["global_significance"].is_null());
    let plot = text(&place, "results/maximum.svg");
    assert!(plot.contains("not known from one toy") && !plot.contains("= not"), "{plot}");
}

#[test]
fn an_uncertainty_of_nothing_smears_nothing() {
    let place = place("number = 500\n");
    done(&place, &["run", "card.toml", "--output", "fixed"]);
    for uncertainty in ["statistical=0", "statistical=0.0", "templates.common=0", "statistical=\"expectation\""] {
        let mut table = text(&place, "spectrum.csv");
        if uncertainty.contains("expectation") {
            table = table.replace('\n', ",0\n").replacen("expected,0", "expected,error", 1);
            fs::write(place.at("spectrum.csv"), table).unwrap();
        }
        let setting = format!("toys.uncertainty.{uncertainty}");
        let mut words = vec!["run", "card.toml", "--overwrite", "--set", &setting];
        if uncertainty.contains("expectation") {
            words.extend(["--set", "input.uncertainty=\"error\""]);
        }
        let said = done(&place, &words);
        assert!(!said.contains("smeared"), "{said}");
        assert_eq!(answer(&place, "results")["background_uncertainty"], "none");
        assert_eq!(text(&place, "results/toys.json"), text(&place, "fixed/toys.json"));
    }
}

#[test]
fn parts_are_neither_written_over_nor_taken_for_the_beginning() {
    let place = place("number = 300\n");
    done(&place, &["toys", "run", "card.toml", "--toys", "0..100", "--output", "a.json"]);
    done(&place, &["toys", "run", "card.toml", "--toys", "200..300", "--output", "b.json"]);
    let before = text(&place, "b.json");
    let said = command(&place, &["toys", "merge", "a.json", "b.json", "--output", "./b.json"]);
    assert_refused(&said, 2);
    assert!(said.err.contains("would be written over 'b.json', one of its parts"), "{}", said.err);
    assert_eq!(text(&place, "b.json"), before);
    done(&place, &["toys", "merge", "a.json", "b.json", "--output", "gap.json"]);
    for (file, held) in [("b.json", "200 to 299"), ("gap.json", "0 to 99, 200 to 299")] {
        let said = command(&place, &["run", "card.toml", "--thrown-toys", file]);
        assert_refused(&said, 2);
        let words = format!("'{file}' does not hold all toys from 0 on (it holds toys {held}, and");
        assert!(said.err.contains(&words) && said.err.contains("trawl toys merge"), "{}", said.err);
    }
    for toys in ["18446744073709551000..18446744073709551615", "0..2000000000"] {
        let said = command(&place, &["toys", "run", "card.toml", "--toys", toys, "--output", "c.json"]);
        assert_refused(&said, 2);
    }
}

#[test]
fn a_signal_is_injected_beyond_what_toys_resolve() {
    let place = place("number = 1000\n[inject]\nfirst = 5\ndata_sets = 20\n");
    let table = "low,high,observed,expected,signal\n0,1,100,100,0\n1,2,50,50,0\n2,3,25,25,5\n3,4,12,12,0\n";
    fs::write(place.at("spectrum.csv"), table).unwrap();
    let signal = ["inject", "card.toml", "--set", "input.signal=\"signal\""];
    let said = loud(&place, &signal);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("5 sigma are reached with") && said.out.contains("rare tail"), "{}", said.out);
    assert!(!said.err.contains("would do"), "{}", said.err);
    let said = loud(&place, &[&signal[..], &["--set", "hunt.direction=\"deficit\""]].concat());
    assert!(said.err.contains("1000 toys tell global significances up to 2.3 sigma"), "{}", said.err);
    assert!(said.err.contains("toys.number=34886000 would do"), "{}", said.err);
}

#[test]
fn uncertain_tails_beyond_their_nuisances_are_warned_of() {
    let place = place("number = 200\n[toys.uncertainty]\nstatistic = \"marginal\"\ntemplates.common = 0.1\n");
    let far = SPECTRUM.replace("2,3,20,25.0", "2,3,400,25.0");
    fs::write(place.at("spectrum.csv"), far).unwrap();
    let said = loud(&place, &["run", "card.toml"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("nuisances beyond 10 standard deviations are left out"), "{}", said.err);
}

#[test]
fn signals_are_not_injected_beside_an_uncertainty_that_would_be_left_out() {
    let place = place("number = 100\n");
    let said = command(&place, &["inject", "card.toml", "--set", "toys.uncertainty.statistical=0.5"]);
    assert_refused(&said, 2);
    assert!(said.err.contains("has [toys.uncertainty]"), "{}", said.err);
}

#[test]
fn parts_add_up_to_the_bytes_of_one_run() {
    parts_add_up(&place("number = 30001\n"));
}

#[test]
fn parts_of_channels_add_up_to_the_bytes_of_one_run() {
    parts_add_up(&channels("number = 30001\n"));
}

fn parts_add_up(place: &Place) {
    done(place, &["run", "card.toml"]);
    let whole = text(place, "results/toys.json");
    for part in 1..=3 {
        let (shard, output) = (format!("{part}/3"), format!("part-{part}.json"));
        done(place, &["toys", "run", "card.toml", "--shard", &shard, "--output", &output]);
    }
    assert!(!place.at("part-1.json.work").exists());
    for order in [["part-1.json", "part-2.json", "part-3.json"], ["part-3.json", "part-1.json", "part-2.json"]] {
        let said = done(place, &[&["toys", "merge", "--output", "sum.json"], &order[..]].concat());
        assert_eq!(text(place, "sum.json"), whole);
        assert!(said.contains("Numbers of the toys  0 to 30\u{202f}000 of seed 1"), "{said}");
    }
    assert_eq!(
        done(place, &["toys", "show", "sum.json"]),
        done(place, &["toys", "show", "results/toys.json"]).replace("results/toys.json", "sum.json")
    );
    // The report of a run over toys that were thrown elsewhere, and over a part of them.
    for (thrown, output) in [("sum.json", "from-sum"), ("part-1.json", "from-part")] {
        done(place, &["run", "card.toml", "--thrown-toys", thrown, "--output", output]);
        assert_eq!(text(place, &format!("{output}/toys.json")), whole);
        assert_eq!(answer(place, output), answer(place, "results"));
    }
    let said = command(place, &["run", "card.toml", "--thrown-toys", "part-2.json", "--output", "no"]);
    assert_refused(&said, 2);
    assert!(said.err.contains("does not hold all toys from 0 on"), "{}", said.err);
    done(place, &["toys", "run", "card.toml", "--toys", "30001..30100", "--output", "more.json"]);
    done(place, &["toys", "merge", "sum.json", "more.json", "-o", "longer.json"]);
    assert!(text(place, "longer.json").contains("\"end\": 30100"));
}

#[test]
fn foreign_damaged_and_doubled_summaries_are_refused_at_once() {
    let place = place("number = 300\n");
    let throw = |flags: &[&str]| done(&place, &[&["toys", "run", "card.toml"], flags].concat());
    throw(&["--toys", "0..100", "-o", "a.json"]);
    throw(&["--toys", "90..200", "-o", "b.json"]);
    throw(&["--toys", "200..300", "-o", "seed.json", "--set", "seed=2"]);
    fs::write(place.at("cut.json"), &text(&place, "a.json")[..500]).unwrap();
    let merge = |files: &[&str]| {
        let said = command(&place, &[&["toys", "merge", "-o", "sum.json"], files].concat());
        assert!(!place.at("sum.json").exists());
        said
    };
    let said = merge(&["a.json", "cut.json", "no.json", "card.toml"]);
    assert_refused(&said, 1);
    assert_eq!(errors(&said).len(), 3, "{}", said.err);
    assert!(said.err.contains("'cut.json' is no summary of toys, or a damaged one"), "{}", said.err);
    let said = merge(&["a.json", "b.json", "seed.json"]);
    assert_refused(&said, 1);
    assert_eq!(errors(&said).len(), 2, "{}", said.err);
    assert!(said.err.contains("'seed.json' has the seed 2, and 'a.json' 1"), "{}", said.err);
    assert!(said.err.contains("toys 90 to 99 are in 'a.json' and in 'b.json'"), "{}", said.err);
    // Another observation in the same windows.
    fs::write(place.at("spectrum.csv"), SPECTRUM).unwrap();
    throw(&["--toys", "200..300", "-o", "other.json"]);
    let said = merge(&["a.json", "other.json"]);
    assert!(said.err.contains("has the observation") && said.err.contains("has the tables"), "{}", said.err);
    // Nothing but a summary is written over.
    let said = command(&place, &["toys", "merge", "a.json", "-o", "card.toml"]);
    assert_refused(&said, 2);
    let said = command(&place, &["toys", "run", "card.toml", "--shard", "2/2", "-o", "s.json", "--accuracy", "0.1"]);
    assert_refused(&said, 2);
    assert!(said.err.contains("a part does not know how accurate all parts together are"), "{}", said.err);
    for wrong in ["0/3", "4/3", "3", "a/b"] {
        assert_eq!(command(&place, &["toys", "run", "card.toml", "-o", "s.json", "--shard", wrong]).code, Some(2));
    }
}

#[test]
fn summaries_of_other_channels_are_refused() {
    let place = channels("number = 300\n");
    let throw = |flags: &[&str]| done(&place, &[&["toys", "run", "card.toml"], flags].concat());
    throw(&["--toys", "0..100", "-o", "a.json"]);
    let said = done(&place, &["toys", "show", "a.json"]);
    assert!(said.matches("Windows              7 over 1 x 4 cells (0 left out)").count() == 2, "{said}");
    assert!(said.contains("electron: mass 2.0000-3.0000 GeV; muon: mass 2.0000-3.0000 GeV"), "{said}");
    let merge = |other: &str| {
        let said = command(&place, &["toys", "merge", "-o", "sum.json", "a.json", other]);
        assert_refused(&said, 1);
        assert!(!place.at("sum.json").exists());
        said.err
    };
    throw(&["--toys", "100..200", "-o", "same.json", "--set", "hunt.combination=same-window"]);
    let said = merge("same.json");
    assert!(said.contains("has the statistic") && said.contains("has the tables"), "{said}");
    // Another expectation, away from the best windows, is another table and nothing else.
    let muon = text(&place, "muon.csv");
    fs::write(place.at("muon.csv"), muon.replace("12.5", "12.75")).unwrap();
    throw(&["--toys", "100..200", "-o", "other.json"]);
    let said = merge("other.json");
    assert!(said.contains("has the tables") && !said.contains("has the statistic"), "{said}");
    // One channel alone is another geometry.
    fs::write(place.at("card.toml"), card("number = 300\n")).unwrap();
    throw(&["--toys", "100..200", "-o", "one.json"]);
    assert!(merge("one.json").contains("has the geometry"));
}

/// Starts a run that keeps its toys after every chunk.
fn start(place: &Place, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trawl"))
        .current_dir(&place.folder)
        .args(["--quiet"])
        .args(words)
        .args(["--checkpoint", "0", "--threads", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the checkpoint is another file than `before`; whether it came before the run ended.
fn wait_for_checkpoint(place: &Place, child: &mut Child, file: &str, before: &Option<Vec<u8>>) -> bool {
    while fs::read(place.at(file)).ok().is_none_or(|now| Some(now) == *before) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn runs_that_are_killed_at_any_time_end_with_the_same_bytes() {
    killed_at_any_time(&place("number = 400000\n"));
}

#[test]
fn runs_of_channels_that_are_killed_at_any_time_end_with_the_same_bytes() {
    killed_at_any_time(&channels("number = 400000\n"));
}

fn killed_at_any_time(place: &Place) {
    done(place, &["run", "card.toml", "--output", "undisturbed"]);
    let expected = text(place, "undisturbed/toys.json");
    let (mut kills, mut kept) = (0, None);
    for pause in [0_u64, 3, 1, 17, 5, 29, 11, 2] {
        let mut child = start(place, &["run", "card.toml"]);
        if !wait_for_checkpoint(place, &mut child, "results.checkpoint", &kept) {
            break;
        }
        // Anywhere in a chunk, or in the writing of a checkpoint.
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        kills += usize::from(status.code().is_none());
        kept = fs::read(place.at("results.checkpoint")).ok();
        if place.at("results").exists() {
            break;
        }
    }
    assert!(kills >= 3, "only {kills} runs were killed");
    done(place, &["run", "card.toml"]);
    assert_eq!(text(place, "results/toys.json"), expected);
    assert_eq!(answer(place, "results"), answer(place, "undisturbed"));
    assert!(!place.at("results.checkpoint").exists());
}

#[test]
fn a_run_that_is_asked_to_stop_keeps_its_toys() {
    for (words, kept) in [
        (&["run", "card.toml"][..], "results.checkpoint"),
        (&["toys", "run", "card.toml", "--toys", "50..400050", "-o", "part.json"], "part.json.checkpoint"),
    ] {
        let place = place("number = 400000\n");
        let mut child = start(&place, words);
        assert!(wait_for_checkpoint(&place, &mut child, kept, &None));
        let sent = Command::new("kill").args(["-s", "USR1", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(75), "{said}");
        assert!(said.contains("stopped by SIGUSR1 (") && said.contains(&format!("{kept}')")), "{said}");
        done(&place, words);
        assert!(!place.at(kept).exists());
        let made = if words[0] == "run" { "results/toys.json" } else { "part.json" };
        let first = text(&place, made);
        let again: Vec<&str> =
            words.iter().map(|word| if *word == "part.json" { "again.json" } else { word }).collect();
        done(&place, &if words[0] == "run" { [&again[..], &["--output", "again"]].concat() } else { again });
        assert_eq!(text(&place, if words[0] == "run" { "again/toys.json" } else { "again.json" }), first);
    }
}

#[test]
fn toys_of_another_card_or_goal_are_never_gone_on_with() {
    let place = place("number = 2000\n");
    done(&place, &["run", "card.toml", "--output", "undisturbed"]);
    let expected = text(&place, "undisturbed/toys.json");
    // A checkpoint as a run leaves it: its goal, and its toys.
    let keep = |name: &str, flags: &[&str], goal: &str| {
        done(&place, &[&["toys", "run", "card.toml", "-o", name], flags].concat());
        fs::write(place.at("results.checkpoint"), format!("{goal}\n{}", text(&place, name))).unwrap();
    };
    let run = |used: bool| {
        let mut command = trawl();
        command.current_dir(&place.folder).args(["run", "card.toml", "--set", "output=results"]);
        let said = say(command);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(said.err.contains("goes on after the toys of a checkpoint"), used, "{}", said.err);
        assert_eq!(said.err.contains("are not used ("), !used, "{}", said.err);
        assert_eq!(text(&place, "results/toys.json"), expected);
        fs::remove_dir_all(place.at("results")).unwrap();
        said.err
    };
    keep("fewer.json", &["--toys", "0..1000"], "after 1000");
    run(true);
    keep("more.json", &["--toys", "0..2001"], "after 3000");
    run(false);
    keep("later.json", &["--toys", "5..1000"], "after 2000");
    assert!(run(false).contains("other toys"));
    keep("seed.json", &["--toys", "0..1000", "--set", "seed=2"], "after 2000");
    run(false);
    fs::write(place.at("results.checkpoint"), "after 2000\n{\"trawl_toys\": 1").unwrap();
    assert!(run(false).contains("damaged"));
    fs::write(place.at("results.checkpoint"), [0xff; 40]).unwrap();
    run(false);
    keep("other.json", &["--toys", "0..1000", "--set", "hunt.width_max=1"], "after 2000");
    run(false);
}
