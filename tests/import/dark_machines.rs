//! Both line formats, real files, mistakes by line, and mutated lines.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use trawl::events::{DarkMachinesImport, EnergyUnit, import_dark_machines};

use super::data::data;
use super::{column, import, lists, names, note, problems, scalar, scratch, sum};

/// A file with this text.
fn file(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// The problems of a file with this text, which is called `a.csv` in them.
fn wrong(text: impl AsRef<[u8]>) -> Vec<String> {
    let (_folder, path) = file(text);
    let told = problems("dark-machines", std::slice::from_ref(&path));
    told.iter().map(|line| line.replace(&path.display().to_string(), "a.csv")).collect()
}

const EVENT: &str = "7;ttbar;0.5;250000;1.5;j,60000,50000,0.1,-2;b,90000,40000,-1.25,0.5;m+,41000,40000,0.2,0.3;";

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for text in [format!("{EVENT}\n"), "0.5;250000;1.5;j,60000,50000,0.1,-2;\n".to_owned()] {
        let (_input, path) = file(format!("\u{feff}{text}"));
        let (_folder, output) = scratch();
        let (_plain_input, plain) = file(text);
        let (_plain_folder, expected) = scratch();
        let [marked, plain] =
            [(path, &output), (plain, &expected)].map(|(path, to)| import("dark-machines", &[path], to));
        assert_eq!((marked.code, plain.code), (Some(0), Some(0)), "{marked:?}");
        assert_eq!(lists(&output, "Jet", "pt"), lists(&expected, "Jet", "pt"));
    }
}

#[test]
fn a_compressed_file_is_told_to_be_decompressed() {
    let told = wrong([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let expected = "'a.csv' is compressed with gzip (lines of text are read). Decompress it with gunzip";
    assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
}

#[test]
fn a_line_becomes_an_event_in_gev() {
    let text = format!("{EVENT}\r\n9;z_jets;-1;1000;-3;\r\n9;ttbar;1;0;0;g,2000,1500,0.5,3;e-,3000,1e3,-0.5,6.2\n");
    let (_input, path) = file(&text);
    let (_folder, output) = scratch();
    let said = import("dark-machines", &[path], &output);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.out, format!("{}: 3 events\nprocess: 0 ttbar, 1 z_jets\n", output.display()));
    assert_eq!(column(&output, "event"), [0, 1, 2]);
    assert_eq!(column(&output, "event_id"), [7, 9, 9]);
    assert_eq!(column(&output, "process"), [0, 1, 0]);
    assert_eq!(note(&output, "trawl.process").unwrap(), r#"["ttbar","z_jets"]"#);
    assert!(note(&output, "trawl.source").unwrap().contains("MeV"));
    assert_eq!(note(&output, "trawl.files").unwrap(), r#"["a.csv"]"#);
    assert_eq!(note(&output, "trawl.schema").unwrap(), "dark-machines");
    assert_eq!(scalar(&output, "weight"), [0.5, -1.0, 1.0]);
    assert_eq!(scalar(&output, "MET_pt"), [250.0, 1.0, 0.0]);
    assert_eq!(scalar(&output, "MET_phi"), [1.5, -3.0, 0.0]);
    assert_eq!(lists(&output, "Jet", "pt"), [vec![50.0, 40.0], vec![], vec![]]);
    assert_eq!(lists(&output, "Jet", "eta"), [vec![0.1, -1.25], vec![], vec![]]);
    assert_eq!(lists(&output, "Jet", "phi"), [vec![-2.0, 0.5], vec![], vec![]]);
    assert_eq!(lists(&output, "Jet", "btag"), [vec![0.0, 1.0], vec![], vec![]]);
    // Python: sqrt(60**2 - (50 cosh 0.1)**2), sqrt(90**2 - (40 cosh 1.25)**2)
    let masses = [32.785_920_079_756_12_f64, 48.930_240_304_632_186];
    for (mass, expected) in lists(&output, "Jet", "mass")[0].iter().zip(masses) {
        assert!((f64::from(*mass) - expected).abs() < 1e-5, "{mass} instead of {expected}");
    }
    assert_eq!(lists(&output, "Muon", "charge"), [vec![1.0], vec![], vec![]]);
    assert_eq!(lists(&output, "Muon", "mass"), [vec![0.105_658_375], vec![], vec![]]);
    assert_eq!(lists(&output, "Electron", "charge"), [vec![], vec![], vec![-1.0]]);
    assert_eq!(lists(&output, "Electron", "phi"), [vec![], vec![], vec![6.2]]);
    assert_eq!(lists(&output, "Photon", "pt"), [vec![], vec![], vec![1.5]]);
}

#[test]
fn the_form_without_names_and_energies_is_read_too() {
    let text = "0.25; 120; 0.5; j, 50, 0.1, -2; mu-, 40, 0.2, 0.3; a,30,1,1;mu+,20,1,1\n0.25;130;0.5\n\n \n";
    let (input, path) = file(text);
    let output = input.path().join("out.parquet");
    let import = DarkMachinesImport { files: vec![path], unit: EnergyUnit::Gev };
    assert_eq!(import_dark_machines(&import, &output, &|_| Ok(())).unwrap().events, 2);
    assert_eq!(scalar(&output, "MET_pt"), [120.0, 130.0]);
    assert_eq!(lists(&output, "Jet", "mass"), [vec![0.0], vec![]]);
    assert_eq!(lists(&output, "Jet", "pt"), [vec![50.0], vec![]]);
    assert_eq!(lists(&output, "Muon", "charge"), [vec![-1.0, 1.0], vec![]]);
    assert_eq!(lists(&output, "Photon", "pt"), [vec![30.0], vec![]]);
    assert_eq!(note(&output, "trawl.process"), None);
}

/// Expected numbers: scripts/oracles/import.py dark-machines.
#[test]
fn public_files_have_the_sums_that_python_finds() {
    let Some(data) = data() else { return };
    let folder = data.join("darkmachines");
    let inputs = ["background_chan1_7.79_reduced.csv", "sqsq1_sq1400_neut800_chan1.csv"].map(|name| folder.join(name));
    let (_folder, output) = scratch();
    let said = import("dark-machines", &inputs, &output);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("5111 events"), "{said:?}");
    assert!(said.err.contains("'event' counts the rows of all files in this order"), "{said:?}");
    let close = |value: f64, expected: f64| assert!((value / expected - 1.0).abs() < 1e-9, "{value} for {expected}");
    let of = |collection, quantity| lists(&output, collection, quantity);
    let expected = [
        ("Jet", 5271, 26281, 871_387.217_782_974_2, 4_519_019.091_957_092),
        ("Muon", 36, 509, 4_851.745_094_299_316, 65_666.236_505_508_42),
        ("Electron", 9, 384, 896.910_900_115_966_8, 46_970.665_719_985_96),
        ("Photon", 13, 196, 1_629.026_481_628_418, 13_014.783_373_832_703),
    ];
    for (collection, background, signal, background_pt, signal_pt) in expected {
        let pt = of(collection, "pt");
        let (first, second) = pt.split_at(1000);
        assert_eq!((first.concat().len(), second.concat().len()), (background, signal), "{collection}");
        close(sum(first.concat()), background_pt);
        close(sum(second.concat()), signal_pt);
    }
    close(sum(of("Jet", "mass")[..1000].concat()), 126_892.988_201_692_7);
    close(sum(of("Jet", "mass")[1000..].concat()), 703_486.509_122_896_9);
    assert_eq!(sum(of("Jet", "btag").concat()), 431.0 + 983.0);
    assert_eq!(sum(of("Muon", "charge").concat()), 4.0 - 15.0);
    assert_eq!(sum(of("Electron", "charge").concat()), -3.0);
    close(sum(scalar(&output, "MET_pt")[..1000].to_vec()), 283_833.438_034_057_6);
    close(sum(scalar(&output, "weight")[1000..].to_vec()), 0.001_133_308_130_135_901_6);
    assert_eq!(column(&output, "event"), (0..5111).collect::<Vec<u64>>());
    assert_eq!(column(&output, "event_id")[..2], [179_903_555, 34_677_174]);
    let names: Vec<String> = serde_json::from_str(&note(&output, "trawl.process").unwrap()).unwrap();
    assert_eq!(names.len(), 13);
    let process = column(&output, "process");
    let of_name = |name: &str| process.iter().filter(|&&code| names[code as usize] == name).count();
    assert_eq!((of_name("njets"), of_name("ttbar"), of_name("sqsq1_sq1400_neut800")), (864, 58, 4111));
}

#[test]
fn every_mistake_of_every_line_is_told() {
    let wrong_lines = [
        ("7;ttbar;nan;1;1;", "the weight is 'nan', and not a finite number"),
        ("7;ttbar;1;-5;1;", "the missing energy is negative: -5"),
        ("7;ttbar;1;5;9;", "the azimuth of the missing energy is 9, beyond 6.2842"),
        ("7;ttbar;1;5", "the azimuth of the missing energy is missing: lines of this file begin with 'event_id;"),
        ("x;ttbar;1;5;1;", "the event id is 'x', and not a whole number"),
        ("7;;1;5;1;", "the process is '', which is no name"),
        ("7;t;1;5;1;q,1,1,1,1;", "object 1 is 'q', and not j, b, e-, e+, m-, m+ or g"),
        ("7;t;1;5;1;j,9,1,1,1;j,1,1,1;", "object 2 is 'j,1,1,1': objects before it have an energy, and this has none"),
        ("7;t;1;5;1;j,1,1;", "object 1 has the form 'j,1,1', and not object,E,pt,eta,phi"),
        ("7;t;1;5;1;j,1,1,1,1,1,1,1;", "object 1 has the form 'j,1,1,1,1,1,1,1', and not"),
        ("7;t;1;5;1;j,-1,1,1,1;", "object 1 has an energy that is negative: -1"),
        ("7;t;1;5;1;j,5,-1,1,1;", "object 1 has a pt that is negative: -1"),
        ("7;t;1;5;1;j,5,inf,1,1;", "object 1 has a pt that is 'inf', and not a finite number"),
        ("7;t;1;5;1;j,5,1,99,1;", "object 1 has an eta that is 99, beyond 20"),
        ("7;t;1;5;1;j,1000,1000,1,1;", "object 1 has an energy of 1 GeV below its momentum of 1.5430806348152437 GeV"),
        ("7;t;1;5;1;;j,5,1,1,1;", "object 1 has the form '', and not"),
        ("", "the event id is '', and not a whole number"),
        ("7;t;1e300;5;1;", "the weight is 1"),
    ];
    let mut text = format!("{EVENT}\n");
    wrong_lines.iter().for_each(|(line, _)| text.extend([line, "\n"]));
    text.push_str(EVENT);
    let told = wrong(text);
    assert_eq!(told.len(), wrong_lines.len(), "{told:#?}");
    for (index, (line, (_, why))) in told.iter().zip(wrong_lines).enumerate() {
        let start = format!("error: events.import: line {} of 'a.csv' cannot be imported ({why}", index + 2);
        assert!(line.starts_with(&start), "{line}\n{start}");
    }
}

/// A download that broke off: what is left of the last object is a number, only a smaller one.
#[test]
fn a_file_that_ends_within_a_line_is_refused() {
    let cut = |text: &str| wrong(&text[..text.len() - 2]);
    for text in [format!("{EVENT}\n{EVENT}"), "1;2;3;j,5,1,1\n1;2;3;j,5,1,1.25".to_owned()] {
        let told = cut(&text);
        let why = "line 2 of 'a.csv' cannot be imported (the file ends within it, without ';' or a line break";
        assert!(told.len() == 1 && told[0].contains(why), "{told:#?}");
    }
    // Whole objects: perhaps the file is whole.
    let (folder, path) = file(EVENT);
    let said = import("dark-machines", &[path], &folder.path().join("out.parquet"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("has no line break: objects are missing if the file was cut"), "{said:?}");
    let (folder, path) = file("1;2;3;j,5,1,1\n1;2;3;j,5,1,1\n");
    let said = import("dark-machines", &[path], &folder.path().join("out.parquet"));
    assert!(said.code == Some(0) && !said.out.contains("line break"), "{said:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let told = problems("dark-machines", &[pipe]);
    assert!(told.len() == 1 && told[0].contains("pipe.csv' is not a file (it is a pipe"), "{told:#?}");
}

#[test]
fn of_many_mistakes_twenty_are_told_and_all_are_counted() {
    let told = wrong(format!("{EVENT}\n{}", "7;ttbar;1;-5;1;\n".repeat(60_000)));
    assert_eq!(told.len(), 21);
    assert!(told[19].contains("line 21 "), "{told:#?}");
    assert_eq!(told[20], "error: events.import: and 59980 more mistakes in 'a.csv'");
}

#[test]
fn files_that_are_none_are_named() {
    let first = "fields stand before its first object, and not 'event_id;process;weight;MET;METphi' or \
                 'weight;MET;METphi'; the other lines were not read)";
    let cases: [(Vec<u8>, &str); 6] = [
        (vec![], "the whole of 'a.csv' cannot be imported (it has no lines)"),
        (b"\n\n \n".to_vec(), "the whole of 'a.csv' cannot be imported (it has no lines)"),
        (b"id;weight\n1;2\n".to_vec(), first),
        (vec![0; 5 << 20], "it is not text in lines: too long"),
        ((0..200_000u32).map(|value| (value.wrapping_mul(2_654_435_761) >> 11) as u8).collect(), first),
        (b"7;\xff\xfe;1;2;3;".to_vec(), "which is no name"),
    ];
    for (bytes, why) in cases {
        let told = wrong(&bytes);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains(why), "{told:#?}\n{why}");
    }
}

#[test]
fn all_files_are_looked_at_and_the_older_output_stays() {
    let (folder, good) = file(EVENT);
    let output = folder.path().join("out.parquet");
    let others = ["bare.csv", "wrong.csv", "absent.csv"].map(|name| folder.path().join(name));
    fs::write(&others[0], "1;2;3;j,1,1,1,1;\n").unwrap();
    fs::write(&others[1], format!("{EVENT}\n8;\n")).unwrap();
    fs::write(&output, "older").unwrap();
    let said = import("dark-machines", &[vec![good.clone()], others.to_vec()].concat(), &output);
    assert_eq!(said.code, Some(1));
    let told: Vec<&str> = said.err.lines().collect();
    assert_eq!(told.len(), 3, "{said:?}");
    assert!(told[0].contains("has event ids and processes and") && told[0].contains("bare.csv"), "{said:?}");
    assert!(told[1].contains("line 2 of") && told[1].contains("wrong.csv"), "{said:?}");
    assert!(told[2].contains("absent.csv"), "{said:?}");
    assert_eq!(fs::read(&output).unwrap(), b"older");
    assert_eq!(names(folder.path()), ["a.csv", "bare.csv", "out.parquet", "wrong.csv"]);
    let said = import("dark-machines", &[good.clone(), good.clone()], &good);
    assert_eq!((said.code, said.err.lines().count()), (Some(2), 3), "{said:?}");
    assert!(said.err.contains("is both input and output") && said.err.contains("is named twice"), "{said:?}");
}

#[test]
fn an_interrupted_import_leaves_nothing() {
    let (folder, path) = file(format!("{EVENT}\n").repeat(30_001));
    let import = DarkMachinesImport { files: vec![path], ..Default::default() };
    let stop = |_| Err(trawl::error::Fault::new("test", "stopped").interrupted());
    let error = import_dark_machines(&import, &folder.path().join("out.parquet"), &stop).unwrap_err();
    assert_eq!(error.exit_code(), 75);
    assert_eq!(names(folder.path()), ["a.csv"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Bytes of valid lines exchanged, taken away or put in: the import succeeds with as many events as lines, or names
    /// lines and writes nothing. It never panics.
    #[test]
    fn mutated_lines_are_read_or_named(
        changes in proptest::collection::vec((0usize..220, any::<u8>(), 0u8..4), 1..6),
    ) {
        let mut bytes = format!("{EVENT}\n{EVENT}\n").into_bytes();
        for (place, byte, how) in changes {
            let place = place % bytes.len();
            match how {
                0 => bytes[place] = byte,
                1 => { bytes.remove(place); }
                2 => bytes.insert(place, byte),
                // What a field is made of is likelier to pass.
                _ => bytes[place] = b"0123456789.,;-+ejbmg\n"[byte as usize % 21],
            }
        }
        let (folder, path) = file(&bytes);
        let output = folder.path().join("out.parquet");
        let import = DarkMachinesImport { files: vec![path], ..Default::default() };
        match import_dark_machines(&import, &output, &|_| Ok(())) {
            Ok(imported) => {
                prop_assert!(imported.events >= 1);
                prop_assert_eq!(scalar(&output, "MET_pt").len() as u64, imported.events);
                let finite = lists(&output, "Jet", "mass").concat().iter().all(|mass| mass.is_finite() && *mass >= 0.0);
                prop_assert!(finite);
                prop_assert_eq!(names(folder.path()), ["a.csv", "out.parquet"]);
            }
            Err(error) => {
                prop_assert_eq!(error.exit_code(), 1);
                prop_assert!(error.to_string().contains("a.csv"));
                prop_assert_eq!(names(folder.path()), ["a.csv"]);
            }
        }
    }
}
