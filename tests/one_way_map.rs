//! Data flows one way: a module uses only modules above its own line in the map, and the foundation.

use std::fs;
use std::path::{Path, PathBuf};

/// The foundation, in its own order, then the stages in the order in which data flows.
const FOUNDATION: &[&str] = &["error", "settings", "device", "math"];
const STAGES: &[&str] = &[
    "events",
    "selection",
    "features",
    "models",
    "regions",
    "background",
    "weak",
    "spectrum",
    "hunt",
    "toys",
    "limit",
    "report",
    "card",
    "campaign",
    "cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn rank(module: &str) -> Option<usize> {
    FOUNDATION.iter().chain(STAGES).position(|known| *known == module)
}

/// The top-level modules that a source names as `crate::module`, also inside `use crate::{a, b::c}`.
fn uses(text: &str) -> Vec<String> {
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let group = rest.strip_prefix('{').map(|inner| &inner[..inner.find('}').unwrap_or(inner.len())]);
        for item in group.unwrap_or(rest).split(',').take(if group.is_some() { usize::MAX } else { 1 }) {
            let name: String = item.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            found.push(name);
        }
    }
    found
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    let mut checked = 0;
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let module =
            inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let Some(own) = rank(&module) else { continue };
        for used in uses(&fs::read_to_string(&file).unwrap()) {
            let Some(other) = rank(&used) else { continue };
            checked += 1;
            if other > own {
                wrong.push(format!("{}: {module} uses {used}, which stands below it", inside.display()));
            }
        }
    }
    assert!(checked > 20, "only {checked} uses were found: the test no longer reads the sources");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_place_in_the_map() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let module = line.trim_end_matches(';');
        assert!(rank(module).is_some(), "module {module} has no place in the map");
    }
}

#[test]
fn a_use_is_found_in_every_form() {
    assert_eq!(uses("use crate::toys::Plane;"), ["toys"]);
    assert_eq!(uses("use crate::{hunt::Windows, toys};"), ["hunt", "toys"]);
    assert_eq!(uses("let x = crate::math::det::exp(1.0); // crate::cli"), ["math"]);
}
