//! The demo, small, as a user runs it: the whole chain of the binary on the CPU and on the emulated driver.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use trawl::device::kernels;
use trawl_emulator::Variant;

fn trawl() -> Command {
    Command::cargo_bin("trawl").expect("cargo built the binary")
}

fn demo(folder: &Path, device: &str, environment: Vec<(String, String)>, more: &[&str]) -> Output {
    let mut command = trawl();
    command.args(["demo", "--events", "2000", "--toys", "500", "--seed", "3", "--device", device, "--quiet"]);
    command.args(["--set", "expectation.minimum_effective_count=4"]).args(more);
    command.arg("--output").arg(folder).envs(environment);
    command.output().expect("the binary starts")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn read(folder: &Path, name: &str) -> String {
    let path = folder.join("results").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&read(folder, "manifest.json")).expect("the manifest is JSON")
}

#[test]
fn a_small_demo_ends_with_an_answer_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), "cpu", Vec::new(), &[]);
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    for part in ["Largest excess", "Global p-value", "Global significance", "500", "Report", "report.html"] {
        assert!(text.contains(part), "'{part}' is missing in\n{text}");
    }
    let answer = &manifest(folder.path())["answer"];
    assert_eq!(answer["toys"], 500);
    let windows = answer["windows"].as_u64().unwrap() + answer["windows_left_out"].as_u64().unwrap();
    assert_eq!(windows, 27 * 57);
    let page = read(folder.path(), "report.html");
    assert!(page.contains("<svg") && page.contains("Global significance") && !page.contains("http-equiv"));
    for name in
        ["histograms.json", "cutflow-data.csv", "cutflow-simulation.csv", "plane.csv", "spectrum.csv", "maximum.csv"]
    {
        assert!(read(folder.path(), name).len() > 20, "{name}");
    }
    // The same card again replaces its own results with the same numbers.
    let again = demo(folder.path(), "cpu", Vec::new(), &["--threads", "1"]);
    assert!(again.status.success(), "{}", told(&again));
    assert_eq!(&manifest(folder.path())["answer"], answer);
}

#[test]
fn windows_over_two_rows_and_hunts_in_each_column_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--set", "plane.row_widths=[1, 2]", "--set", "hunt.columns=\"each\""];
    let output = demo(folder.path(), "cpu", Vec::new(), &set);
    assert!(output.status.success(), "{}", told(&output));
    let answer = &manifest(folder.path())["answer"];
    let windows = answer["windows"].as_u64().unwrap() + answer["windows_left_out"].as_u64().unwrap();
    assert_eq!(windows, (27 + 26) * 57);
    let bounds = |name: &str, line: usize| -> Vec<f64> {
        let text = read(folder.path(), name);
        let words: Vec<&str> = text.lines().nth(line).unwrap().split(',').collect();
        words[2..4].iter().map(|word| word.parse().unwrap()).collect()
    };
    // The second map has a column fewer, and each is two of the first.
    let (one, two) = (read(folder.path(), "plane.csv"), read(folder.path(), "plane-2.csv"));
    assert_eq!((one.lines().count(), two.lines().count()), (1 + 27 * 57, 1 + 26 * 57));
    assert_eq!(bounds("plane-2.csv", 1), [bounds("plane.csv", 1)[0], bounds("plane.csv", 2)[1]]);
    assert_eq!(read(folder.path(), "columns.csv").lines().count(), 1 + 57);
    let refused = demo(folder.path(), "cpu", Vec::new(), &["--set", "plane.row_widths=[1, 28]"]);
    assert!(
        told(&refused).contains("windows over 28 rows (1 to 27 adjacent rows can be joined)"),
        "{}",
        told(&refused)
    );
}

#[test]
fn cuda_gives_the_answer_of_the_cpu() {
    if kernels::images().is_empty() {
        assert!(std::env::var_os("TRAWL_REQUIRE_KERNELS").is_none(), "this build has no kernels");
        println!("skipped: built without kernels");
        return;
    }
    let (cpu, cuda) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let here = demo(cpu.path(), "cpu", Vec::new(), &[]);
    assert!(here.status.success(), "{}", told(&here));
    let statistics: PathBuf = cuda.path().join("statistics.json");
    let mut environment = Variant::Checked.environment();
    environment.push(("TRAWL_EMULATOR_STATISTICS".into(), statistics.display().to_string()));
    let there = demo(cuda.path(), "cuda", environment, &[]);
    assert!(there.status.success(), "{}", told(&there));
    let (a, b) = (manifest(cpu.path()), manifest(cuda.path()));
    assert_eq!(a["answer"], b["answer"]);
    assert_eq!(a["toy_table_sha256"], b["toy_table_sha256"]);
    assert!(b["device"]["name"].as_str().unwrap().starts_with("cuda:0"));
    assert_eq!(read(cpu.path(), "histograms.json"), read(cuda.path(), "histograms.json"));
    assert_eq!(read(cpu.path(), "cutflow-data.csv"), read(cuda.path(), "cutflow-data.csv"));
    let numbers: Value = serde_json::from_str(&std::fs::read_to_string(statistics).unwrap()).unwrap();
    assert!(numbers["launches"].as_u64().unwrap() > 10, "{numbers}");
}

#[test]
fn devices_says_why_cuda_cannot_be_used_and_lists_what_can() {
    let output = trawl().arg("devices").env("LD_LIBRARY_PATH", "").output().unwrap();
    assert!(output.status.success());
    let text = told(&output);
    assert!(
        text.contains("cpu") && (text.contains("CUDA cannot be used: ") || text.contains("CUDA can be used")),
        "{text}"
    );
    if kernels::images().is_empty() {
        return;
    }
    for devices in [1, 2, 4] {
        let mut environment = Variant::Checked.environment();
        environment.push(("TRAWL_EMULATOR_DEVICES".into(), devices.to_string()));
        let text = told(&trawl().arg("devices").envs(environment).output().unwrap());
        assert!(text.contains(&format!("cuda:{}", devices - 1)) && text.contains("CUDA can be used."), "{text}");
        assert!(!text.contains(&format!("cuda:{devices} ")), "{text}");
    }
    let mut none = Variant::Checked.environment();
    none.push(("TRAWL_EMULATOR_DEVICES".into(), "0".into()));
    let text = told(&trawl().arg("devices").envs(none).output().unwrap());
    assert!(text.contains("CUDA cannot be used: the NVIDIA driver sees no device."), "{text}");
}

#[test]
fn a_folder_of_the_users_own_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("demo.toml");
    std::fs::write(&own, "name = \"mine\"\n").unwrap();
    let output = demo(folder.path(), "cpu", Vec::new(), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("is not of an earlier demo"), "{}", told(&output));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "name = \"mine\"\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn numbers_of_events_beyond_sense_are_refused_before_anything_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new");
    for events in ["0", "499", "4000000000000000000", "18446744073709551615"] {
        let output = trawl().args(["demo", "--quiet", "--events", events, "--output"]).arg(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{events}: {}", told(&output));
        assert!(!folder.exists());
    }
}
