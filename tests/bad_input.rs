//! Bad input, a bad place for the output, and an interruption, end to end: the error names what is wrong, the exit code
//! says whose fault it is, and every file and folder is as it was before.

#[path = "common/files.rs"]
mod files;
#[path = "common/place.rs"]
mod place;
#[path = "common/refusals.rs"]
mod refusals;
#[path = "common/runs.rs"]
mod runs;
#[path = "common/small_disk.rs"]
mod small_disk;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Int64Array, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use files::{LENGTHS, columns, list_array, lists, with, write};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use place::{BINNED, CARD, Place, SPECTRUM};
use refusals::{assert_refused, errors, snapshot};
use runs::{say, trawl};
use small_disk::SmallDisk;
use trawl::events::{CollectionProjection, EventSource, Projection};

// Files ------------------------------------------------------------------------------------------------------------

#[test]
fn missing_files_are_named_with_what_lies_near() {
    let place = Place::with_events();
    fs::rename(place.at("events.parquet"), place.at("event.parquet")).unwrap();
    let problem = place.only_problem(1);
    assert!(problem.contains("'events.parquet'") && problem.contains("Did you mean"), "{problem}");
    assert!(problem.contains("event.parquet'"), "{problem}");
    fs::remove_file(place.at("card.toml")).unwrap();
    let problem = place.only_problem(1);
    assert!(problem.contains("cannot read 'card.toml'"), "{problem}");
}

#[test]
fn files_that_are_not_parquet_or_not_whole_are_told_apart() {
    let place = Place::with_events();
    let file = place.at("events.parquet");
    let whole = fs::read(&file).unwrap();
    let cases: [(&[u8], &str); 4] = [
        (b"", "'events.parquet' is not a Parquet file (it is empty: 0 bytes)"),
        (b"run,event\n1,2\n3,4\n", "'events.parquet' is not a Parquet file (it does not begin with 'PAR1')"),
        (&whole[..whole.len() - 100], "'events.parquet' is truncated"),
        (&whole[..whole.len() / 2], "'events.parquet' is truncated"),
    ];
    for (bytes, expected) in cases {
        fs::write(&file, bytes).unwrap();
        let problem = place.only_problem(1);
        assert!(problem.starts_with("events.read: ") && problem.contains(expected), "{problem}");
    }
}

#[test]
fn columns_that_are_missing_or_of_a_wrong_type_are_all_named() {
    let place = Place::with_events();
    let mut renamed = columns();
    renamed[1].0 = "Jet_pT";
    assert_eq!(
        place.problem(renamed),
        "events.read: column 'Jet_pt' is missing in 'events.parquet' (objects.jet.keep needs it). Did you mean 'Jet_pT'?"
    );
    assert_eq!(
        place.problem(with("Jet_eta", Arc::new(StringArray::from(vec!["1.5"; 8])))),
        "events.read: column 'Jet_eta' of 'events.parquet' is string, not a list of numbers for each event \
         (objects.jet.keep needs it). `trawl inspect` says what columns can be used as"
    );
    // Both at once, in one run.
    let mut both = with("Jet_eta", Arc::new(Float32Array::from(vec![0.5; 8])));
    both.retain(|column| column.0 != "Jet_pt");
    write(&place.at("events.parquet"), both, Compression::UNCOMPRESSED);
    let said = place.refuses(1, &[]);
    assert_eq!(errors(&said).len(), 2, "{}", said.err);
    assert!(errors(&said)[0].contains("'Jet_pt'") && errors(&said)[1].contains("'Jet_eta'"), "{}", said.err);
}

#[test]
fn nulls_contradictions_and_nan_are_named_with_column_and_row() {
    let place = Place::with_events();
    let mut missing_list = lists(&LENGTHS);
    missing_list[6] = None;
    let problem = place.problem(with("Jet_eta", list_array(missing_list)));
    assert!(problem.contains("column 'Jet_eta' of 'events.parquet' is null in row 6"), "{problem}");
    let mut missing_number = lists(&LENGTHS);
    missing_number[3].as_mut().unwrap()[2] = None;
    let problem = place.problem(with("Jet_pt", list_array(missing_number)));
    assert!(problem.contains("'Jet_pt' of 'events.parquet' is null at position 2 of the list in row 3"), "{problem}");

    let mut counts = LENGTHS.map(|length| length as u32);
    counts[5] = 1;
    let problem = place.problem(with("nJet", Arc::new(UInt32Array::from_iter_values(counts))));
    assert!(
        problem.contains("column 'Jet_pt' of 'events.parquet' has 0 values, but 'nJet' says 1 in row 5"),
        "{problem}"
    );

    let mut nan = lists(&LENGTHS);
    nan[6].as_mut().unwrap()[1] = Some(f32::NAN);
    let problem = place.problem(with("Jet_eta", list_array(nan)));
    assert!(
        problem.starts_with("selection.select: sample 'data': abs(eta) of jet is NaN in row 6 of events.parquet ("),
        "{problem}"
    );
}

/// Reads what the card reads, within this process: the error, if there is one.
fn read_error(path: &Path) -> Option<trawl::Error> {
    let projection =
        Projection { collections: vec![CollectionProjection::new("Jet", ["pt", "eta"])], ..Projection::default() };
    let source = match EventSource::open(&[path.display().to_string()], &projection) {
        Ok(source) => source,
        Err(error) => return Some(error),
    };
    source.batches(64, 2).find_map(Result::err)
}

#[test]
fn damaged_files_speak_in_error_lines_alone() {
    let place = Place::with_events();
    let file = place.at("events.parquet");
    let whole = fs::read(&file).unwrap();
    // The pages lie between the magic and the footer, whose length stands before the last magic. Damage is looked for
    // under which the decoder of the Parquet crate panics, beside damage that it sees.
    let length: [u8; 4] = whole[whole.len() - 8..whole.len() - 4].try_into().unwrap();
    let pages = 4..whole.len() - 8 - u32::from_le_bytes(length) as usize;
    let (mut panics, mut seen) = (Vec::new(), Vec::new());
    let masks = [0xff, 0x10, 0x08, 0x04, 0x02, 0x01];
    for (at, mask) in masks.into_iter().flat_map(|mask| pages.clone().map(move |at| (at, mask))) {
        let mut bytes = whole.clone();
        bytes[at] ^= mask;
        fs::write(&file, &bytes).unwrap();
        match read_error(&file) {
            Some(error) if error.to_string().contains("the decoder gave up") => panics.push(bytes),
            Some(_) => seen.push(bytes),
            // Values that are still numbers, or that nobody reads.
            None => {}
        }
        if panics.len() == 3 {
            break;
        }
    }
    println!("{} errors and {} panics of the decoder", seen.len(), panics.len());
    assert!(!panics.is_empty() && !seen.is_empty());
    let some = |all: &[Vec<u8>]| all.iter().step_by(all.len().div_ceil(5)).cloned().collect::<Vec<_>>();
    for bytes in [some(&panics), some(&seen)].concat() {
        fs::write(&file, bytes).unwrap();
        let said = place.refuses(1, &["--quiet"]);
        assert!(said.err.contains("events.parquet"), "{}", said.err);
        let foreign = said.err.lines().find(|line| !line.starts_with("error: ") && !line.starts_with("while "));
        assert_eq!(foreign, None, "{}", said.err);
    }
}

#[test]
fn no_events_are_no_error() {
    let place = Place::with_events();
    // A writer that is closed before its first row: a schema and no row groups.
    let fields: Vec<Field> =
        columns().iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let file = fs::File::create(place.at("events.parquet")).unwrap();
    ArrowWriter::try_new(file, Arc::new(Schema::new(fields)), None).unwrap().close().unwrap();
    let said = place.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("Selected events      0 of data\n"), "{}", said.out);
    let text = fs::read_to_string(place.at("results/histograms.json")).unwrap();
    let histograms: serde_json::Value = serde_json::from_str(&text).unwrap();
    let values = histograms["data"]["storage"]["values"].as_array().unwrap();
    assert_eq!(values.len(), 5);
    assert!(values.iter().all(|value| value.as_f64() == Some(0.0)), "{text}");
    let survivors = trawl::events::inspect(place.at("results/survivors-data.parquet")).unwrap();
    assert_eq!(survivors.rows, 0);
}

#[test]
fn bins_that_make_no_spectrum_are_named_with_their_row() {
    let place = Place::with_spectrum();
    let cases = [
        (SPECTRUM.replace("52", "5x2"), "spectrum.csv:3: "),
        (SPECTRUM.replace("50.0", "NaN"), "spectrum.csv:3: the expectation 'NaN'"),
        (SPECTRUM.replace("expected\n", "expcted\n"), "'expected'"),
        (SPECTRUM.replace("\n1,2,", "\n1.5,2,"), "spectrum.csv:3: the bin starts at 1.5"),
        (String::new(), "spectrum.csv"),
    ];
    for (text, expected) in cases {
        fs::write(place.at("spectrum.csv"), &text).unwrap();
        let said = place.refuses(1, &[]);
        assert!(said.err.contains("spectrum.csv") && said.err.contains(expected), "{expected}: {}", said.err);
    }
    fs::remove_file(place.at("spectrum.csv")).unwrap();
    let said = place.refuses(1, &[]);
    assert!(said.err.contains("spectrum.csv"), "{}", said.err);
}

// Usage ------------------------------------------------------------------------------------------------------------

#[test]
fn five_mistakes_of_a_card_are_five_lines() {
    let place = Place::with_events();
    let card = CARD
        .replace("seed = 1", "seed = \"one\"")
        .replace("role = \"data\"", "role = \"dta\"")
        .replace("keep = [\"pt", "kepp = [\"pt")
        .replace("count(jet)", "count(jets)")
        .replace("[0, 1, 2, 5]", "[0, 2, 1]");
    fs::write(place.at("card.toml"), &card).unwrap();
    let said = place.refuses(2, &[]);
    let line = |part: &str| 1 + card.lines().position(|line| line.contains(part)).unwrap();
    let expected = [
        (line("seed"), "an integer"),
        (line("role"), "Did you mean 'data'?"),
        (line("kepp"), "Did you mean 'keep'?"),
        (line("count(jets)"), "did you mean 'jet'?"),
        (line("edges"), "rising"),
    ];
    assert_eq!(errors(&said).len(), expected.len(), "{}", said.err);
    for (error, (line, words)) in errors(&said).iter().zip(expected) {
        assert!(error.contains(&format!("card.toml:{line}: ")) && error.contains(words), "{line} {words}: {error}");
    }
}

#[test]
fn mistakes_of_jets_are_all_told() {
    let place = Place::with_events();
    let jets = "\n[jets.large]\nfrom = \"Jet\"\nalgorithm = \"anti-kT\"\nradius = -1\nbeta = 20\nminimum_pt = -5\naxes = \"k\"\n";
    fs::write(place.at("card.toml"), format!("{CARD}{jets}")).unwrap();
    let said = place.refuses(2, &[]);
    let expected = [
        "Did you mean \"anti-kt\"?",
        "radius -1 is not",
        "beta = 20 of N-subjettiness",
        "beta = 20 of energy correlations",
        "-5 is not a finite number",
        "jets.large.axes: 'k' is none of",
    ];
    assert_eq!(errors(&said).len(), expected.len(), "{}", said.err);
    for words in expected {
        assert!(errors(&said).iter().any(|error| error.contains(words)), "{words}: {}", said.err);
    }
}

/// Parts that are right by themselves, and wrong together: each with what is said at its line.
#[test]
fn mappings_and_names_that_contradict_others_are_told_at_their_lines() {
    let place = Place::with_events();
    let files = "files = \"events.parquet\"\n";
    let mapped = |columns: &str| CARD.replace(files, &format!("{files}columns = {{ {columns} }}\n"));
    let defined = |lines: &str| CARD.replace("[select]", &format!("{lines}\n[select]"));
    let two = "the table of survivors would have two columns";
    let cases = [
        (
            mapped("Jet_pt = { column = \"Jet_pt\", factor = 0.0 }"),
            "samples.data.columns.Jet_pt.factor: every number of the column would be 0".to_owned(),
        ),
        (
            mapped("event = { column = \"event\", factor = 0.001 }"),
            "samples.data.columns.event.factor: it numbers events and has no unit; leave the factor out".to_owned(),
        ),
        (
            mapped("\"Jet.pT\" = \"Jet_pt\""),
            "columns.Jet.pT: no expression needs it, so it would be ignored. Did you mean 'Jet.pt'?".to_owned(),
        ),
        (
            defined("weight = \"1 + 1\""),
            format!("define.weight: {two} 'weight', of which one is the weight; rename one"),
        ),
        (
            defined("jet_pt = \"jet[0].pt\"\n[features.jet]\nnumber = 1\nquantities = [\"pt\"]"),
            format!("features.jet: {two} 'jet_pt', of which one is the definition 'jet_pt'; rename one"),
        ),
        (
            defined("signal = \"jet[0].pt\"\n[regions]\nsignal = \"jet[0].pt > 3\""),
            format!("regions.signal: {two} 'signal', of which one is the definition 'signal'"),
        ),
        (
            CARD.replace("[objects.jet]", "[samples.Data]\nrole = \"data\"\nfiles = \"x\"\n\n[objects.jet]"),
            "samples.Data: its files and those of 'data' have the same names".to_owned(),
        ),
        (CARD.replace("[samples.data]", "[samples.'a/b']"), "samples.a/b: it names files: use letters".to_owned()),
        (CARD.replace(files, &format!("{files}schema = \"FLAT\"\n")), "Did you mean 'flat'?".to_owned()),
    ];
    for (card, expected) in cases {
        fs::write(place.at("card.toml"), card).unwrap();
        let said = place.refuses(2, &[]);
        assert!(errors(&said).len() == 1 && said.err.contains(&expected), "{expected}: {}", said.err);
    }
    // Nothing is written of which the names could clash.
    let card = defined("weight = \"1 + 1\"").replace("survivors = true", "survivors = false");
    fs::write(place.at("card.toml"), card.replace("\"results\"", "\"others\"")).unwrap();
    assert_eq!(place.run(&[]).code, Some(0));
}

#[test]
fn settings_of_a_sample_that_is_not_there_name_the_one_that_is() {
    let place = Place::with_events();
    let said = place.refuses(2, &["--set", "samples.dat.files=events.parquet"]);
    assert!(said.err.contains("samples.dat: it has no role. Did you mean samples.data?"), "{}", said.err);
}

#[test]
fn distributions_that_cannot_be_drawn_are_all_named() {
    let place = Place::with_events();
    let card = |more: &str| fs::write(place.at("card.toml"), format!("{CARD}\n{more}")).unwrap();
    card(
        "[classes]\nvariable = \"leading\"\nnames = [\"a,b\"]\n[distributions]\nleading_pt = { low = 1, edges = [0, 1] }\n\
         lead_pt = { low = 3, high = 2, shown = \"shape\" }\n",
    );
    let said = place.refuses(2, &[]);
    for expected in [
        "'leading' is no variable. Did you mean 'leading_pt'?",
        "expected a list of different names of letters",
        "the bins are given by edges",
        "'lead_pt' is no variable",
        "edges must ascend, but 3 is followed by",
        "'shape' is none of events, fraction",
    ] {
        assert!(said.err.contains(expected), "{expected}: {}", said.err);
    }
    card("[classes]\nvariable = \"leading_pt\"\nnames = [\"a\"]\n");
    assert!(place.refuses(2, &[]).err.contains("the card has no [distributions]"));
}

#[test]
fn settings_that_say_nothing_are_refused() {
    let place = Place::with_events();
    for (setting, expected) in [("toyz.number=5", "toyz"), ("seed=one", "seed"), ("seed", "seed")] {
        let said = place.refuses(2, &["--set", setting]);
        assert!(said.err.contains(expected), "{}", said.err);
    }
}

#[test]
fn a_folder_of_another_card_stays_as_it_is() {
    let place = Place::with_events();
    let before = snapshot(&place.folder);
    let cases = [
        // Another name, other settings of the same name, and files of the user among the results.
        ("name = \"small\"", "name = \"other\"", "the results of 'small'"),
        ("[0, 1, 2, 5]", "[0, 1, 2, 6]", "with other settings"),
    ];
    for (from, to, expected) in cases {
        fs::write(place.at("card.toml"), CARD.replace(from, to)).unwrap();
        let said = place.run(&[]);
        assert_refused(&said, 2);
        assert!(said.err.contains("results' belongs to another card") && said.err.contains(expected), "{}", said.err);
        fs::write(place.at("card.toml"), CARD).unwrap();
        assert!(snapshot(&place.folder) == before);
    }
    fs::write(place.at("results/notes.txt"), "mine").unwrap();
    fs::create_dir(place.at("home")).unwrap();
    fs::write(place.at("home/thesis.tex"), "mine").unwrap();
    let before = snapshot(&place.folder);
    for (folder, expected) in [("results", "'notes.txt' would be lost"), ("home", "is not Trawl's")] {
        let said = place.run(&["--output", folder]);
        assert_refused(&said, 2);
        assert!(said.err.contains(expected), "{}", said.err);
        assert!(snapshot(&place.folder) == before);
    }
}

#[test]
fn a_file_is_no_output_folder() {
    let place = Place::with_events();
    let before = snapshot(&place.folder);
    for (output, expected) in [("card.toml", "is a file"), ("/", "cannot be an output folder")] {
        let said = place.run(&["--output", output]);
        assert_refused(&said, 2);
        assert!(said.err.contains(expected), "{}", said.err);
        assert!(snapshot(&place.folder) == before);
    }
    let said = place.run(&["--output", "card.toml/below"]);
    assert_refused(&said, 1);
    assert!(said.err.contains("card.toml"), "{}", said.err);
    assert!(snapshot(&place.folder) == before);
}

#[test]
fn devices_that_are_not_there_are_refused() {
    let place = Place::with_events();
    let before = snapshot(&place.folder);
    let said = place.run(&["--device", "gpu"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("'gpu' is no device"), "{}", said.err);
    assert!(snapshot(&place.folder) == before);

    let mut devices = trawl();
    devices.arg("devices");
    if say(devices).out.contains("CUDA can be used.") {
        println!("skipped: this machine has a CUDA device");
    } else {
        let said = place.refuses(2, &["--device", "cuda"]);
        assert_eq!(errors(&said).len(), 1, "{}", said.err);
        let error = errors(&said)[0];
        assert!(error.starts_with("device: CUDA cannot be used here: "), "{error}");
        assert!(error.ends_with("Use --device cpu or auto."), "{error}");
    }
    place.refuses(2, &["--device", "cuda:999"]);
}

// The machine ------------------------------------------------------------------------------------------------------

#[test]
fn a_full_disk_leaves_nothing() {
    const DISK: usize = 1 << 20;
    let place = Place::with_events();
    let disk = match SmallDisk::mount(&place.at("disk"), DISK) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: a small disk cannot be mounted here ({why})"),
    };
    // With more and more room another file of the output is the first that does not fit, until all do.
    let mut refusals = Vec::new();
    let room = (0..).map(|step| step * 8192).take_while(|room| *room < DISK);
    for room in room {
        fs::write(disk.0.join("other"), vec![1; DISK - room]).unwrap();
        let said = place.run(&["--output", "disk/results"]);
        if said.code == Some(0) {
            break;
        }
        assert_refused(&said, 1);
        assert!(said.err.contains("disk/results") && said.err.contains("No space left"), "{}", said.err);
        let left: Vec<PathBuf> = snapshot(&disk.0).into_keys().collect();
        assert_eq!(left, [disk.0.join("other")], "{room} bytes free");
        refusals.push(errors(&said)[0].to_owned());
    }
    refusals.dedup_by_key(|error| error.rsplit('/').next().unwrap_or_default().to_owned());
    println!("first file that does not fit: {refusals:#?}");
    assert!(refusals.len() >= 3, "{refusals:#?}");
    // Now they fit. Results that are there survive a run for which there is no second room.
    let before = snapshot(&disk.0.join("results"));
    let used: usize = before.values().flatten().map(|contents| contents.len().next_multiple_of(4096)).sum();
    fs::remove_file(disk.0.join("other")).unwrap();
    fs::write(disk.0.join("other"), vec![1; DISK - used - 16384]).unwrap();
    let said = place.run(&["--output", "disk/results"]);
    assert_refused(&said, 1);
    assert!(snapshot(&disk.0.join("results")) == before);

    // What `generate` writes is a file, and comes whole or not at all too.
    let before = snapshot(&disk.0);
    let mut generate = trawl();
    generate.args(["generate", "dijet", "--events", "2000", "--output"]).arg(disk.0.join("generated.parquet"));
    let said = say(generate);
    assert_refused(&said, 1);
    assert!(said.err.contains("generated.parquet") && said.err.contains("No space left"), "{}", said.err);
    assert!(snapshot(&disk.0) == before);
}

#[test]
fn a_folder_that_may_not_be_written_is_an_error() {
    let place = Place::with_events();
    let nobody = nobody_reads(&place);
    let Some(user) = nobody else { return };
    fs::create_dir(place.at("locked")).unwrap();
    set_mode(&place.at("locked"), 0o555);
    let before = snapshot(&place.folder);
    // The last one is there, and it is the folder around it that may not change.
    for (output, named) in
        [("locked/results", "locked/results"), ("locked/above/results", "locked/above"), ("results", "results")]
    {
        let mut command = user.command(&place);
        command.args(["run", "card.toml", "--output", output]);
        let said = say(command);
        assert_refused(&said, 1);
        assert!(said.err.contains("Permission denied") && said.err.contains(named), "{output}: {}", said.err);
        assert!(snapshot(&place.folder) == before);
    }
    let mut generate = user.command(&place);
    generate.args(["generate", "dijet", "--events", "10", "--output", "locked/generated.parquet"]);
    let said = say(generate);
    assert_refused(&said, 1);
    assert!(said.err.contains("Permission denied") && said.err.contains("locked/generated.parquet"), "{}", said.err);
    // A place that may be written, and an input that may not be read.
    fs::create_dir(place.at("open")).unwrap();
    set_mode(&place.at("open"), 0o777);
    let before = snapshot(&place.folder);
    set_mode(&place.at("events.parquet"), 0o000);
    let mut command = user.command(&place);
    command.args(["run", "card.toml", "--output", "open/results"]);
    let said = say(command);
    assert_refused(&said, 1);
    assert!(said.err.contains("events.parquet' (Permission denied"), "{}", said.err);
    set_mode(&place.at("events.parquet"), 0o644);
    assert!(snapshot(&place.folder) == before);
}

/// Someone for whom modes count.
enum Unprivileged {
    Me,
    /// Root becomes nobody, with a copy of the binary that nobody may read.
    Nobody,
}

impl Unprivileged {
    fn command(&self, place: &Place) -> assert_cmd::Command {
        let mut command = match self {
            Self::Me => trawl(),
            Self::Nobody => {
                let mut command = assert_cmd::Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(place.at("trawl"));
                command.env_remove("LD_LIBRARY_PATH");
                command
            }
        };
        command.current_dir(&place.folder);
        command
    }
}

/// The user for whom modes count, who can read the place; `None` with a message where nobody can be had.
fn nobody_reads(place: &Place) -> Option<Unprivileged> {
    let id = std::process::Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() != b"0" {
        set_mode(&place.folder, 0o555);
        return Some(Unprivileged::Me);
    }
    set_mode(&place.folder, 0o755);
    fs::copy(env!("CARGO_BIN_EXE_trawl"), place.at("trawl")).unwrap();
    let mut command = Unprivileged::Nobody.command(place);
    let answer = command.arg("--version").output();
    if answer.is_ok_and(|answer| answer.status.success()) {
        return Some(Unprivileged::Nobody);
    }
    println!("skipped: root cannot become another user here (setpriv)");
    None
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_signal_stops_a_long_run_and_leaves_its_toys_and_nothing_else() {
    let place = Place::with_spectrum();
    let before = snapshot(&place.folder);
    for (signal, output) in [("TERM", "results"), ("INT", "above/elsewhere"), ("USR1", "elsewhere")] {
        // The settings are those of the results that are there, but for the toys, which take long.
        let card = BINNED.replace("number = 100\n", "number = 1000000000\n");
        fs::write(place.at("card.toml"), &card).unwrap();
        if output == "results" {
            own_results(&place, &card);
        }
        let running = snapshot(&place.folder);
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_trawl"))
            .current_dir(&place.folder)
            .args(["run", "card.toml", "--output", output])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The toys begin when the scan is done.
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while !said.contains("scan: done") {
            assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
        }
        let partial = snapshot(&place.folder).into_keys().any(|path| path.to_string_lossy().contains(".partial-"));
        assert!(partial, "the run has begun its output");
        let sent = std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        lines.read_to_string(&mut said).unwrap();
        let ended = child.wait().unwrap();
        assert_eq!(ended.code(), Some(75), "{said}");
        let kept = place.at(&format!("{output}.checkpoint"));
        assert!(said.contains(&format!("stopped by SIG{signal} (")), "{said}");
        assert!(said.contains(&format!("toys are kept in '{}')", kept.display())), "{said}");
        fs::remove_file(&kept).unwrap();
        if output.starts_with("above/") {
            fs::remove_dir(place.at("above")).unwrap();
        }
        assert!(snapshot(&place.folder) == running, "{output}: {said}");
    }
    assert!(snapshot(&place.folder).len() == before.len());
}

/// Makes the results that are there those of another text of the card, as a run of hours would have left them.
fn own_results(place: &Place, card: &str) {
    let origin = trawl::card::Origin { file: place.at("card.toml"), text: card.to_owned(), overrides: Vec::new() };
    let path = place.at("results/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    manifest["card"]["sha256"] = origin.sha256().into();
    fs::write(path, manifest.to_string()).unwrap();
}

#[test]
fn check_finds_what_run_finds() {
    let place = Place::with_events();
    let integers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..8));
    assert_eq!(integers.data_type(), &DataType::Int64);
    write(&place.at("events.parquet"), with("Jet_eta", integers), Compression::UNCOMPRESSED);
    let run = place.refuses(1, &[]);
    let mut command = trawl();
    command.current_dir(&place.folder).args(["check", "card.toml"]);
    let check = say(command);
    assert_refused(&check, 1);
    assert_eq!(errors(&check), errors(&run));
}
