//! `trawl generate`: help, bad arguments, and the same events as the library's.

use super::*;
use assert_cmd::Command;

/// Standard output and standard error of a command that must end with `code`.
fn output(arguments: &[&str], code: i32) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trawl")).args(arguments).output().unwrap();
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (words(&output.stdout), words(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn help_names_versions_and_units() {
    for (kind, words) in [
        ("dijet", ["dijet/1", "dijet/2", "semi-visible", "in GeV"]),
        ("dilepton", ["dilepton/1", "heavy-scalar", "w-jets", "in GeV"]),
        ("plane", ["plane/1", "m_Y", "truth_signal", "in GeV"]),
    ] {
        let (help, _) = output(&["generate", kind, "--help"], 0);
        for word in words {
            assert!(help.contains(word), "{word} is missing in\n{help}");
        }
    }
}

#[test]
fn what_is_no_file_is_not_replaced_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (_, err) = output(&["generate", "plane", "--events", "10", "-o", path], 2);
    assert!(err.contains("is a folder (a whole file is put in its place)"), "{err}");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (_, err) = output(&["generate", "plane", "--events", "10", "-o", pipe.to_str().unwrap()], 2);
    assert!(err.contains("is a device or a pipe"), "{err}");
    assert!(!std::fs::metadata(&pipe).unwrap().is_file());
}

#[test]
fn every_bad_argument_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.parquet");
    let path = path.to_str().unwrap();
    let cases: [(&[&str], &[&str]); 7] = [
        (
            &[
                "dilepton",
                "--events",
                "5",
                "--signal",
                "heavy-scalar",
                "--signal-events",
                "9",
                "--mass",
                "100",
                "--mass-neutralino",
                "3",
            ],
            &["9 signal events exceed", "not from 185 to 4000", "--mass-neutralino would have no effect"],
        ),
        (&["dilepton", "--mass", "500"], &["--mass would have no effect"]),
        (
            &[
                "dijet",
                "--generator",
                "dijet/1",
                "--content",
                "particles",
                "--tune",
                "nominal",
                "--resonant",
                "9",
                "--events",
                "5",
            ],
            &["--content would have no effect", "--tune would have no effect", "9 resonant events exceed"],
        ),
        (
            &["dijet", "--decay-x", "dark", "--minimum-mass", "3", "--weight", "inf"],
            &["--decay-x would have no effect", "not from 200 to 10000", "the weight of an event is inf"],
        ),
        (
            &["dijet", "--mass-y", "2000", "--mass-x", "300"],
            &["--mass-y would have no effect", "--mass-x would have no effect"],
        ),
        (
            &["plane", "--mass-y", "2000", "--weight", "inf"],
            &["--mass-y would have no effect", "the weight of an event is inf"],
        ),
        (&["dijet", "--resonant", "5", "--invisible", "0.3"], &["--invisible would have no effect"]),
    ];
    for (arguments, expected) in cases {
        let arguments: Vec<&str> = ["generate"].iter().chain(arguments).chain(&["--output", path]).copied().collect();
        let (_, err) = output(&arguments, 2);
        assert_eq!(err.lines().filter(|line| line.starts_with("error: ")).count(), expected.len(), "{err}");
        for words in expected {
            assert!(err.contains(words), "{words} is missing in\n{err}");
        }
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn negative_numbers_are_values_of_their_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.parquet");
    let cases = [
        ("dilepton --signal z-prime --signal-events 3 --mass -5", "-5 GeV"),
        ("dijet --resonant 3 --mass-y -1e3", "Y of -1000 GeV does not decay"),
        ("dijet --minimum-mass -300", "is -300 GeV, not from 200 to 10000"),
        ("dijet --resonant 3 --decay-h semi-visible --invisible -0.5", "is -0.5, not from 0 to 1"),
        ("plane --resonant 3 --mass-x -0.5", "X of -0.5 GeV"),
        ("plane --events -5", "'--events <N>'"),
    ];
    for (words, expected) in cases {
        let output_flags = ["--output", path.to_str().unwrap()];
        let arguments: Vec<&str> =
            ["generate"].into_iter().chain(words.split_whitespace()).chain(output_flags).collect();
        let (_, err) = output(&arguments, 2);
        assert!(err.contains(expected) && !err.contains("unexpected argument"), "{words}: {err}");
    }
    // A weight may be negative: generators have such.
    output(&["generate", "plane", "--events", "3", "--weight", "-0.5", "-o", path.to_str().unwrap()], 0);
}

#[test]
fn every_decay_has_a_mass_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let path = path.to_str().unwrap();
    for flag in ["--decay-x", "--decay-h"] {
        for decay in ["quark", "two-prong", "three-prong", "bb", "dark", "semi-visible"] {
            output(&["generate", "dijet", "--events", "6", "--resonant", "3", flag, decay, "-o", path], 0);
        }
    }
    let heavy = ["generate", "dijet", "--events", "6", "--resonant", "3", "--decay-x", "quark", "--mass-x", "4"];
    let (_, err) = output(&[&heavy[..], &["-o", path]].concat(), 2);
    assert!(err.contains("a product that is a quark has the mass 4 GeV instead of 0"), "{err}");
}

#[test]
fn files_are_those_of_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let [there, here] = ["there.parquet", "here.parquet"].map(|name| folder.path().join(name));
    let common = ["--events", "300", "--seed", "9", "--output", there.to_str().unwrap()];
    let mass = |mass_gev, decay, width| Product { mass_gev, width, decay };
    let pair = Pair {
        events: 30,
        mass_gev: 2000.0,
        products: [mass(172.5, Decay::ThreeProng, 0.01), mass(80.0, Decay::SemiVisible, 0.0)],
        ..Pair::default()
    };
    let shower = ShowerSample {
        seed: 9,
        events: 300,
        resonance: Some(pair),
        invisible: 0.3,
        content: Content::Particles,
        tune: Tune::Alternative,
        ..Default::default()
    };
    let signal = Signal { mass_gev: 700.0, ..Signal::new(SignalKind::StopPair, 30) };
    let dilepton = DileptonSample { seed: 9, events: 300, signal: Some(signal), ..Default::default() };
    let one = DijetSample { seed: 9, events: 300, ..Default::default() };
    let plane = PlaneSample { seed: 9, events: 300, ..Default::default() };
    let cases: [(&str, &dyn Generator); 4] = [
        (
            "dijet --resonant 30 --mass-y 2000 --mass-x 172.5 --decay-x three-prong --mass-h 80 --decay-h semi-visible \
             --invisible 0.3 --content particles --tune alternative",
            &shower,
        ),
        ("dilepton --signal stop-pair --signal-events 30 --mass 700", &dilepton),
        ("dijet --generator dijet/1", &one),
        ("plane", &plane),
    ];
    for (words, sample) in cases {
        let arguments: Vec<&str> = ["generate"].into_iter().chain(words.split_whitespace()).chain(common).collect();
        let (out, _) = output(&arguments, 0);
        assert!(out.contains(&format!("300 events of {}", sample.version())), "{out}");
        generate_file(sample, &here, &|_| Ok(())).unwrap();
        assert!(std::fs::read(&there).unwrap() == std::fs::read(&here).unwrap(), "{words}");
    }
}

#[test]
fn numbers_of_events_may_be_powers_of_ten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let path = path.to_str().unwrap();
    let generate = |number: &str, code| output(&["generate", "plane", "--events", number, "-o", path], code);
    assert!(generate("1e2", 0).0.contains(": 100 events of"));
    for wrong in ["1.5", "1e-1", "1e300", "nan", "many"] {
        assert!(generate(wrong, 2).1.contains("--events"), "{wrong}");
    }
}
