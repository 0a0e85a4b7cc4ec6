//! The pages of `docs/` name every key of a card and every function of the language: read from the sources that read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The sources that read cards.
const READERS: [&str; 16] = [
    "card/distributions.rs",
    "card/mod.rs",
    "card/events.rs",
    "card/model.rs",
    "features/jets.rs",
    "hunt/choice.rs",
    "hunt/scan/mod.rs",
    "hunt/windows.rs",
    "selection/select/read.rs",
    "spectrum/axis.rs",
    "spectrum/binned.rs",
    "spectrum/smooth/mod.rs",
    "toys/inject/mod.rs",
    "toys/settings.rs",
    "toys/stopping.rs",
    "toys/uncertainty/settings.rs",
];

/// How a key is read from a section.
const READS: [&str; 9] = ["or", "optional", "required", "choice", "path", "paths", "section", "named_sections", "has"];

/// The keys that a source reads: the first text of each call, which rustfmt may have put on a line of its own.
fn keys(source: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for piece in source.split('.').skip(1) {
        let Some((call, rest)) = piece.split_once('(') else { continue };
        let name = call.split("::").next().unwrap_or_default();
        let rest = rest.trim_start().trim_start_matches("section,").trim_start();
        let Some(key) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
        if READS.contains(&name) && !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            keys.insert(key.to_owned());
        }
    }
    keys
}

#[test]
fn every_key_of_a_card_is_on_its_page() {
    let words: BTreeSet<String> = page("cards.md")
        .split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let mut all = BTreeSet::new();
    for reader in READERS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(reader);
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        all.extend(keys(code));
    }
    assert!(all.len() > 60, "only {} keys were found: {all:?}", all.len());
    let missing: Vec<&String> = all.difference(&words).collect();
    assert!(missing.is_empty(), "docs/cards.md does not name {missing:?}");
}

#[test]
fn every_function_of_the_language_is_on_its_page() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/selection/expression/functions.rs");
    let source = fs::read_to_string(&path).unwrap();
    let names: Vec<&str> =
        source.lines().filter_map(|line| line.trim().strip_prefix("(Function::")?.split('"').nth(1)).collect();
    assert!(names.len() > 30, "{names:?}");
    let page = page("expressions.md");
    let missing: Vec<&&str> = names.iter().filter(|name| !page.contains(&format!("`{name}("))).collect();
    assert!(missing.is_empty(), "docs/expressions.md does not name {missing:?}");
}
