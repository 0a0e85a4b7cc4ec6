//! The manners of the binary: exit codes, error lines, help, and readers that leave early.

use assert_cmd::Command;

fn trawl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trawl"));
    command.env_remove("RUST_BACKTRACE");
    command
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Standard output and standard error of a command that must end with `code`.
fn output(arguments: &[&str], code: i32) -> (String, String) {
    let output = trawl().args(arguments).output().expect("the binary runs");
    let (out, err) = (words(&output.stdout), words(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn help_names_every_subcommand_and_the_exit_codes() {
    let (help, _) = output(&["--help"], 0);
    for word in ["demo", "run", "check", "inspect", "devices", "generate", "--log", "--quiet", "75 try again"] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    for subcommand in ["demo", "run", "check", "inspect", "devices", "generate"] {
        let (help, _) = output(&[subcommand, "--help"], 0);
        assert!(help.contains("Usage: trawl"), "{help}");
    }
    let (help, _) = output(&["run", "--help"], 0);
    for flag in ["--device", "--threads", "--memory", "--output", "--set"] {
        assert!(help.contains(flag), "{flag} is missing in\n{help}");
    }
}

#[test]
fn version_is_that_of_the_package() {
    assert_eq!(output(&["--version"], 0).0, format!("trawl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn usage_errors_end_with_2_and_say_what_was_meant() {
    let cases: [(&[&str], &str); 10] = [
        (&[], "Usage"),
        (&["runn"], "'run'"),
        (&["run"], "<CARD>"),
        (&["inspect"], "<FILE>"),
        (&["generate"], "dijet"),
        (&["generate", "dijet"], "--output"),
        (&["run", "a.toml", "--devise", "cpu"], "--device"),
        (&["run", "a.toml", "--device", "gpu"], "Use auto, cpu, cuda or cuda:N."),
        (&["run", "a.toml", "--threads", "0"], "a number from 1"),
        (&["run", "a.toml", "--memory", "2GB5"], "Write 512MiB or 2GiB."),
    ];
    for (arguments, expected) in cases {
        let (out, err) = output(arguments, 2);
        assert!(out.is_empty(), "{out}");
        assert!(err.contains(expected), "{arguments:?}: {expected} is missing in\n{err}");
    }
}

#[test]
fn devices_tells_about_cuda_either_way() {
    let (out, err) = output(&["devices"], 0);
    assert!(out.starts_with("cpu ") && out.contains("threads"), "{out}");
    assert!(out.contains("CUDA can be used.") || out.contains("CUDA cannot be used: "), "{out}");
    assert!(err.is_empty(), "{err}");
}

#[test]
fn threads_of_the_pool_are_those_asked_for() {
    let out = trawl().arg("devices").env("RAYON_NUM_THREADS", "3").output().unwrap();
    assert!(words(&out.stdout).contains("3 threads"));
}

#[test]
fn readers_that_leave_early_are_no_error() {
    for arguments in [&["devices"][..], &["--help"], &["--version"]] {
        // The reader is gone before the program writes its first byte.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_trawl"))
            .args(arguments)
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", words(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", words(&output.stderr));
    }
}

#[test]
fn full_standard_output_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: this system has no /dev/full");
        return;
    };
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trawl")).arg("devices").stdout(full).output().unwrap();
    let err = words(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: cannot write to standard output (No space left"), "{err}");
}

#[test]
fn each_problem_is_a_line() {
    let (_, err) = output(&["inspect", "no-such-file.parquet", "neither-this.parquet"], 1);
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].starts_with("error: ") && lines[0].contains("no-such-file.parquet"), "{err}");
    assert!(lines[1].starts_with("error: ") && lines[1].contains("neither-this.parquet"), "{err}");
}

#[test]
fn errors_are_json_lines_where_the_log_is() {
    let (_, err) = output(&["--log", "json", "inspect", "no-such-file.parquet"], 1);
    let line: serde_json::Value = serde_json::from_str(err.trim()).unwrap_or_else(|why| panic!("{why}: {err}"));
    assert_eq!(line["level"], "ERROR");
    assert!(line["message"].as_str().unwrap().contains("no-such-file.parquet"), "{line}");
}

#[test]
fn generated_files_can_be_inspected_and_are_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one.parquet", "two.parquet"].map(|name| folder.path().join(name));
    for path in &paths {
        let path = path.to_str().unwrap();
        output(&["generate", "dijet", "--events", "500", "--resonant", "20", "--seed", "7", "--output", path], 0);
    }
    assert_eq!(std::fs::read(&paths[0]).unwrap(), std::fs::read(&paths[1]).unwrap());
    let (out, err) = output(&["inspect", paths[0].to_str().unwrap(), "no-such-file.parquet"], 1);
    assert!(out.contains("one.parquet") && out.contains("FatJet_pt") && out.contains("500"), "{out}");
    assert!(out.contains("  trawl.generator: dijet/2\n  trawl.settings: {\"seed\":7,\"events\":500,"), "{out}");
    assert!(out.contains("  metadata (ignored): ARROW:schema\n"), "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn impossible_samples_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.parquet");
    let (_, err) = output(
        &[
            "generate",
            "dijet",
            "--events",
            "5",
            "--resonant",
            "20",
            "--mass-y",
            "100",
            "--output",
            path.to_str().unwrap(),
        ],
        2,
    );
    assert_eq!(err.lines().filter(|line| line.starts_with("error: ")).count(), 2, "{err}");
    assert!(!path.exists());
}
