//! Cards that say how well the expectation is known, end to end.

#[path = "common/runs.rs"]
mod runs;

use std::fs;
use std::path::Path;

use runs::{Said, say, trawl};
use serde_json::Value;

const CARD: &str = r#"
name = "uncertain"
seed = 1
output = "results"

[input]
path = "spectrum.csv"
low = "low"
high = "high"
observed = "observed"
expected = "expected"
uncertainty = "error"

[hunt]
width_min = 1
width_max = 3

[toys]
number = 3000
"#;

/// A spectrum of 12 bins that expect 2000 each to 1 %, with 2400 in one.
fn folder(uncertainty: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..12).map(|bin| format!("{bin},{},{},2000,20\n", bin + 1, if bin == 5 { 2400 } else { 2000 }));
    let table = format!("low,high,observed,expected,error\n{}", rows.collect::<String>());
    fs::write(folder.path().join("spectrum.csv"), table).unwrap();
    fs::write(folder.path().join("shifts.csv"), "# one a bin\n0.1,0.1,0.1,0.1,0.1,0.1\n0.1,0.1,0.1,0.1,0.1,0.1\n")
        .unwrap();
    fs::write(folder.path().join("card.toml"), format!("{CARD}{uncertainty}")).unwrap();
    folder
}

fn run(folder: &Path, command: &str) -> Said {
    let mut trawl = trawl();
    trawl.args(["--quiet", command, "--device", "cpu"]).arg(folder.join("card.toml"));
    say(trawl)
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("results/manifest.json")).unwrap()).unwrap()
}

#[test]
fn outputs_name_what_smears_the_toys_and_what_is_maximised() {
    let fixed = folder("");
    assert_eq!(run(fixed.path(), "run").code, Some(0));
    let answer = &manifest(fixed.path())["answer"];
    assert_eq!(answer["local_statistic"], "statistical-only Poisson p-value, excesses only");
    assert_eq!((&answer["background_uncertainty"], &answer["toys_exceeding"]), (&"none".into(), &0.into()));

    for (statistic, words) in [
        ("nominal", "statistical-only Poisson p-value, excesses only"),
        ("marginal", "Poisson p-value averaged over the uncertainty of the expectation, excesses only"),
    ] {
        let smeared = folder(&format!(
            "[toys.uncertainty]\nstatistic = \"{statistic}\"\nstatistical = \"expectation\"\n\
             templates = {{ common = \"shifts.csv\", slope = [0, 0, 0, 0, 0, 0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01] }}\n"
        ));
        let said = run(smeared.path(), "run");
        assert_eq!(said.code, Some(0), "{}", said.err);
        let smearing = "log-normal: statistical up to 1.0 %, common up to 10.0 %, slope up to 1.0 %";
        assert!(said.out.contains(&format!("Uncertainty          {smearing}")), "{}", said.out);
        assert!(said.out.contains(&format!("largest {words}")), "{}", said.out);
        let manifest = manifest(smeared.path());
        let answer = &manifest["answer"];
        assert_eq!((&answer["local_statistic"], &answer["background_uncertainty"]), (&words.into(), &smearing.into()));
        // 8.5 sigma of statistics in 2000 are 11 % in 6000: about one standard deviation of what all windows share.
        assert!((0.01..0.3).contains(&answer["global_p"].as_f64().unwrap()), "{answer:#}");
        let local = answer["local_significance"].as_f64().unwrap();
        assert_eq!(local > 5.0, statistic == "nominal", "{local}");
        let inputs = manifest["inputs"].as_array().unwrap();
        assert!(inputs.iter().any(|input| input["path"].as_str().unwrap().ends_with("shifts.csv")), "{inputs:#?}");
        let page = fs::read_to_string(smeared.path().join("results/report.html")).unwrap();
        assert!(page.matches(words).count() >= 2 && page.contains(smearing), "the report names both");
    }
}

#[test]
fn mistakes_are_reported_at_once_with_their_lines() {
    let folder = folder(
        "[toys.uncertainty]\nshape = \"gaussian\"\nstatistical = -0.1\ntemplates = { a = \"none.csv\", b = true }\nshap = 1\n",
    );
    let said = run(folder.path(), "check");
    assert_eq!(said.code, Some(2), "{}", said.err);
    for words in ["'gaussian' is none of", "-0.1", "none.csv", "toys.uncertainty.templates.b", "shap"] {
        assert!(said.err.contains(words), "'{words}' is missing in {}", said.err);
    }
}

#[test]
fn values_that_fit_no_cells_are_refused() {
    let folder = folder("[toys.uncertainty]\ntemplates.a = [0.1, 0.2]\n");
    let said = run(folder.path(), "run");
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("template 'a' has 2 values") && said.err.contains("12 (one a cell)"), "{}", said.err);
    assert!(!folder.path().join("results").exists(), "nothing half-written is left");
}
