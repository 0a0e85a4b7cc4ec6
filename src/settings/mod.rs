//! Typed reading of a TOML document that finds *all* problems, each with its line, before anything runs.
//!
//! Each stage reads its own part of an analysis card from a [`Section`] into its parameter struct; whatever is wrong
//! (a missing or unknown key, a value of the wrong type or out of range) is collected in the document, and
//! [`Document::finish`] reports everything at once. A value that cannot be read yields the default, so that reading
//! goes on.
//!
//! ```
//! use trawl::settings::Document;
//! let document = Document::parse("demo.toml", "[toys]\nnumber = 1000\nsede = 3\n", &[])?;
//! let toys = document.root().section("toys");
//! assert_eq!(toys.or("number", 100_000u64), 1000);
//! assert_eq!(toys.or("seed", 1u64), 1);
//! let problems = document.finish().unwrap_err();
//! assert_eq!(
//!     problems.to_string(),
//!     "card: demo.toml:3: unknown key 'sede' in [toys] (it would be ignored). Did you mean 'seed'?"
//! );
//! # Ok::<(), trawl::Error>(())
//! ```

mod tree;
mod value;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::error::{Fault, Problems, Result, nearest};
pub use tree::Value;
use tree::{Entry, FROM_OVERRIDE, Node};
pub use value::{Setting, TextOrNumber, Texts};

const NAME: &str = "card";

/// A parsed document and the problems found in it so far.
#[derive(Debug)]
pub struct Document {
    file: String,
    text: String,
    entries: Vec<Entry>,
    found: RefCell<Vec<(usize, Fault)>>,
    asked: RefCell<BTreeSet<String>>,
    /// Keys that were only looked for: what an unknown key may be meant to be.
    sought: RefCell<BTreeSet<String>>,
}

impl Document {
    /// Parses TOML `text` that came from `file` (named in messages) and applies `overrides` of the form
    /// `table.key=value` in their order; a value that is not TOML is taken as a string.
    ///
    /// # Errors
    /// Every syntax error with its line, and every override that cannot be applied.
    pub fn parse(file: &str, text: &str, overrides: &[String]) -> Result<Self> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut problems = Problems::default();
        let mut report = |span: Range<usize>, why: String| {
            let place = format!("{file}:{}", line_of(text, span.start));
            problems.push(Fault::new(NAME, format!("{place}: {why}")).because("the card is not valid TOML").usage());
        };
        for error in errors {
            report(error.span().unwrap_or(0..0), error.message().trim().replace('\n', ", "));
        }
        let mut entries = tree::own_table(table.get_ref(), &mut report);
        for setting in overrides {
            problems.take(tree::apply(&mut entries, setting));
        }
        problems.finish()?;
        Ok(Self {
            file: file.to_owned(),
            text: text.to_owned(),
            entries,
            found: RefCell::default(),
            asked: RefCell::default(),
            sought: RefCell::default(),
        })
    }

    /// The whole document as a section.
    pub fn root(&self) -> Section<'_> {
        Section { document: self, entries: Some(&self.entries), path: String::new(), span: 0..0 }
    }

    /// Reports every problem, and every key that nobody asked for.
    ///
    /// # Errors
    /// All of them at once, in the order of their lines.
    pub fn finish(self) -> Result<()> {
        self.report_unknown(&self.entries, "");
        self.finish_part()
    }

    /// Reports every problem of a document of which only a part was asked for.
    ///
    /// # Errors
    /// All of them at once, in the order of their lines.
    pub fn finish_part(self) -> Result<()> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(start, _)| *start);
        let mut problems = Problems::default();
        found.into_iter().for_each(|(_, fault)| problems.push(fault.usage()));
        problems.finish()
    }

    fn report_unknown(&self, entries: &[Entry], path: &str) {
        for entry in entries {
            let full = join(path, &entry.key);
            if !self.asked.borrow().contains(&full) {
                self.report_unknown_key(entry, path);
                continue;
            }
            match &entry.node.value {
                Value::Table(inner) => self.report_unknown(inner, &full),
                Value::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let Value::Table(inner) = &item.value {
                            self.report_unknown(inner, &join(&full, &index.to_string()));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn report_unknown_key(&self, entry: &Entry, path: &str) {
        let (asked, sought) = (self.asked.borrow(), self.sought.borrow());
        let siblings = asked.iter().chain(sought.iter()).filter_map(|known| {
            let (parent, name) = known.rsplit_once(JOINT).unwrap_or(("", known));
            (parent == path).then_some(name)
        });
        let place = place_in(path);
        let mut fault =
            Fault::new(NAME, format!("{}: unknown key '{}' in {place}", self.place(&entry.span), entry.key))
                .because("it would be ignored");
        // A key of another table is at the wrong place.
        let elsewhere = || asked.iter().find(|known| known.rsplit_once(JOINT).is_some_and(|(_, key)| key == entry.key));
        if let Some(near) = nearest(&entry.key, siblings) {
            fault = fault.suggest(format!("Did you mean '{near}'?"));
        } else if let Some(place) = elsewhere() {
            fault = fault.suggest(format!("Did you mean '{}'?", place.replace(JOINT, ".")));
        }
        self.report(&entry.span, fault);
    }

    fn report(&self, span: &Range<usize>, fault: Fault) {
        self.found.borrow_mut().push((span.start, fault));
    }

    fn place(&self, span: &Range<usize>) -> String {
        if *span == FROM_OVERRIDE {
            "--set".into()
        } else {
            format!("{}:{}", self.file, line_of(&self.text, span.start))
        }
    }
}

/// One table of a [`Document`]. A section that the card does not have is empty: every key of it takes its default, and
/// a required key of it is reported as missing.
#[derive(Debug, Clone)]
pub struct Section<'d> {
    document: &'d Document,
    entries: Option<&'d [Entry]>,
    path: String,
    span: Range<usize>,
}

impl<'d> Section<'d> {
    /// Whether the card has this section.
    pub fn is_present(&self) -> bool {
        self.entries.is_some()
    }

    /// The section's name as the card writes it, for example `objects.jet`.
    pub fn name(&self) -> String {
        self.path.replace(JOINT, ".")
    }

    /// The table `key` below this one; empty where the card has none.
    pub fn section(&self, key: &str) -> Section<'d> {
        let path = self.ask(key);
        let absent = |span| Section { document: self.document, entries: None, path: path.clone(), span };
        match self.get(key) {
            None => absent(self.span.clone()),
            Some(Node { value: Value::Table(entries), span }) => {
                Section { document: self.document, entries: Some(entries), path, span: span.clone() }
            }
            Some(node) => {
                self.problem(key, format!("expected a table, got {}", node.value.kind()));
                absent(node.span.clone())
            }
        }
    }

    /// The named tables below `key` (`[objects.jet]`, `[objects.muon]`), in the order of the file.
    pub fn named_sections(&self, key: &str) -> Vec<(String, Section<'d>)> {
        let parent = self.section(key);
        parent
            .keys()
            .into_iter()
            .map(|name| {
                let section = parent.section(&name);
                (name, section)
            })
            .collect()
    }

    /// The tables of an array of tables (`[[select]]`), in the order of the file.
    pub fn sections(&self, key: &str) -> Vec<Section<'d>> {
        let path = self.ask(key);
        let items = match self.get(key) {
            None => return Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                self.problem(key, format!("expected an array of tables, got {}", node.value.kind()));
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.value {
                Value::Table(entries) => {
                    let path = join(&path, &index.to_string());
                    sections.push(Section {
                        document: self.document,
                        entries: Some(entries),
                        path,
                        span: item.span.clone(),
                    });
                }
                other => self.problem(key, format!("entry {} should be a table, got {}", index + 1, other.kind())),
            }
        }
        sections
    }

    /// The names of the keys that the card gives here, in the order of the file, for tables whose keys are names.
    pub fn keys(&self) -> Vec<String> {
        self.entries.unwrap_or_default().iter().map(|entry| entry.key.clone()).collect()
    }

    /// Whether the card gives a table as `key` here.
    pub fn is_table(&self, key: &str) -> bool {
        self.get(key).is_some_and(|node| matches!(node.value, Value::Table(_)))
    }

    /// Whether the card gives `key` here.
    pub fn has(&self, key: &str) -> bool {
        self.document.sought.borrow_mut().insert(join(&self.path, key));
        self.get(key).is_some()
    }

    /// The value of `key`, if the card gives one that can be read.
    pub fn optional<T: Setting>(&self, key: &str) -> Option<T> {
        self.ask(key);
        T::read(&self.get(key)?.value).map_err(|why| self.problem(key, why)).ok()
    }

    /// The value of `key`, or `default`.
    pub fn or<T: Setting>(&self, key: &str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// The value of `key`; its absence is a problem.
    pub fn required<T: Setting>(&self, key: &str) -> Option<T> {
        if !self.has(key) {
            self.ask(key);
            let place = self.document.place(&self.span);
            let fault = Fault::new(NAME, format!("{place}: key '{key}' is missing in {}", place_in(&self.path)))
                .because("it has no default")
                .suggest(format!("Add {key} = {}.", T::EXAMPLE));
            self.document.report(&self.span, fault);
            return None;
        }
        self.optional(key)
    }

    /// The `lists` that `key` gave, as pairs; each that is none is a problem.
    pub fn pairs(&self, key: &str, lists: &[Vec<f64>]) -> Option<Vec<(f64, f64)>> {
        let mut pairs = Vec::new();
        for (index, list) in lists.iter().enumerate() {
            match list[..] {
                [low, high] => pairs.push((low, high)),
                _ => self.problem(key, format!("entry {} should be [low, high], got {list:?}", index + 1)),
            }
        }
        (pairs.len() == lists.len()).then_some(pairs)
    }

    /// One of the `choices` named by `key`, or `default`.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(word) = self.optional::<String>(key) else { return default };
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word) {
            return *value;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let hint =
            nearest(&word, names.iter().copied()).map(|near| format!(". Did you mean '{near}'?")).unwrap_or_default();
        self.problem(key, format!("'{word}' is none of {}{hint}", names.join(", ")));
        default
    }

    /// A file or folder, relative to `folder` (the card's own) unless the value came from `--set`, where it is relative
    /// to the working folder as a shell user expects.
    pub fn path(&self, key: &str, folder: &Path) -> Option<PathBuf> {
        let text = self.optional::<String>(key)?;
        Some(self.resolve(key, folder, text))
    }

    /// A list of files, folders or patterns, each resolved as by [`Section::path`]; a single string is a list of one.
    pub fn paths(&self, key: &str, folder: &Path) -> Option<Vec<PathBuf>> {
        let texts = match &self.get(key)?.value {
            Value::Text(_) => vec![self.optional::<String>(key)?],
            _ => self.optional::<Vec<String>>(key)?,
        };
        Some(texts.into_iter().map(|text| self.resolve(key, folder, text)).collect())
    }

    fn resolve(&self, key: &str, folder: &Path, text: String) -> PathBuf {
        let from_override = self.get(key).is_some_and(|node| node.span == FROM_OVERRIDE);
        if from_override { PathBuf::from(text) } else { folder.join(text) }
    }

    /// Reports that the value of `key` cannot be used, with its line: `why` says what was expected and got.
    pub fn problem(&self, key: &str, why: impl std::fmt::Display) {
        let span = self.get(key).map_or(&self.span, |node| &node.span);
        let full = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name()) };
        self.document.report(span, Fault::new(NAME, format!("{}: {full}: {why}", self.document.place(span))));
    }

    /// Takes the value of a stage's own check; each of its problems is reported with the place of this section.
    pub fn check<T>(&self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                for problem in error.problems() {
                    let text = format!("{}: {}: {problem}", self.document.place(&self.span), place_in(&self.path));
                    self.document.report(&self.span, Fault::new(NAME, text));
                }
                None
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'d Node> {
        self.entries?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    fn ask(&self, key: &str) -> String {
        let path = join(&self.path, key);
        self.document.asked.borrow_mut().insert(path.clone());
        path
    }
}

/// Joins the keys of a path. Keys may hold dots ("leading pT > 0.5 TeV") but no control character.
const JOINT: char = '\u{1f}';

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}{JOINT}{key}") }
}

fn place_in(path: &str) -> String {
    if path.is_empty() { "the card".into() } else { format!("[{}]", path.replace(JOINT, ".")) }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(document: Document) -> Vec<String> {
        document
            .finish()
            .err()
            .map_or_else(Vec::new, |error| error.problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_problem_is_reported_once_with_its_line_in_order() {
        let text = "name = 3\n[toys]\nnumber = -1\nexceedance = 'atleast'\n[hunt]\nwidht = 4\n";
        let document = Document::parse("c.toml", text, &[]).unwrap();
        let root = document.root();
        assert_eq!(root.optional::<String>("name"), None);
        let toys = root.section("toys");
        assert_eq!(toys.or("number", 7u64), 7);
        assert_eq!(toys.choice("exceedance", &[("at-least", 1), ("above", 2)], 1), 1);
        assert_eq!(root.section("hunt").or("width", 2u32), 2);
        assert_eq!(root.required::<u64>("seed"), None);
        assert_eq!(
            problems(document),
            [
                "card: c.toml:1: key 'seed' is missing in the card (it has no default). Add seed = 1.",
                "card: c.toml:1: name: expected a string, got an integer",
                "card: c.toml:3: toys.number: expected an integer from 0 to 18446744073709551615, got -1",
                "card: c.toml:4: toys.exceedance: 'atleast' is none of at-least, above. Did you mean 'at-least'?",
                "card: c.toml:6: unknown key 'widht' in [hunt] (it would be ignored). Did you mean 'width'?",
            ]
        );
    }

    #[test]
    fn a_key_that_was_only_looked_for_is_a_hint() {
        let document = Document::parse("c.toml", "[spectrm]\n[samples.mc]\ncross_secton_pb = 3.0\n", &[]).unwrap();
        let root = document.root();
        let sample = root.section("samples").section("mc");
        assert!(!root.has("spectrum") && !sample.has("cross_section_pb"));
        assert_eq!(
            problems(document),
            [
                "card: c.toml:1: unknown key 'spectrm' in the card (it would be ignored). Did you mean 'spectrum'?",
                "card: c.toml:3: unknown key 'cross_secton_pb' in [samples.mc] (it would be ignored). Did you mean \
                 'cross_section_pb'?",
            ]
        );
    }

    #[test]
    fn keys_at_the_wrong_place_are_told_the_right_one() {
        let document = Document::parse("c.toml", "weight = 'w'\n[samples.data]\nfiles = 'x'\n", &[]).unwrap();
        let (_, data) = document.root().named_sections("samples").remove(0);
        let _ = (data.optional::<String>("files"), data.optional::<String>("weight"));
        let expected = "card: c.toml:1: unknown key 'weight' in the card (it would be ignored). Did you mean \
                        'samples.data.weight'?";
        assert_eq!(problems(document), [expected]);
    }

    #[test]
    fn syntax_errors_carry_their_line() {
        let error = Document::parse("c.toml", "a = 1\nb = = 2\n", &[]).unwrap_err();
        assert!(error.to_string().starts_with("card: c.toml:2: "), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn overrides_replace_and_create_and_their_paths_are_the_shells() {
        let settings = ["toys.number=5".into(), "input.path=../a b.csv".into(), "new.deep.flag=true".into()];
        let document = Document::parse("c.toml", "[toys]\nnumber = 1\n[input]\npath = 'x'\n", &settings).unwrap();
        let root = document.root();
        assert_eq!(root.section("toys").or("number", 0u64), 5);
        let folder = Path::new("cards");
        assert_eq!(root.section("input").path("path", folder), Some(PathBuf::from("../a b.csv")));
        assert!(root.section("new").section("deep").or("flag", false));
        assert_eq!(problems(document), Vec::<String>::new());
        let written = Document::parse("c.toml", "path = 'x'", &[]).unwrap();
        assert_eq!(written.root().path("path", folder), Some(PathBuf::from("cards/x")));
        for wrong in ["toys", "=3", "toys..number=1", "toys.number.deeper=1"] {
            assert!(Document::parse("c.toml", "[toys]\nnumber = 1\n", &[wrong.into()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn unknown_keys_are_found_in_arrays_of_tables_and_named_tables() {
        let text =
            "[[select]]\nname = 'a'\n[[select]]\nnam = 'b'\n[objects.jet]\nfrom = 'J'\n[objects.muon]\nform = 'M'\n";
        let document = Document::parse("c.toml", text, &[]).unwrap();
        let root = document.root();
        let names: Vec<String> = root.sections("select").iter().filter_map(|cut| cut.optional("name")).collect();
        assert_eq!(names, ["a"]);
        let objects = root.named_sections("objects");
        assert_eq!(objects.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["jet", "muon"]);
        objects.iter().for_each(|(_, object)| drop(object.optional::<String>("from")));
        let found = problems(document);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("c.toml:4: unknown key 'nam'"), "{found:?}");
        assert!(found[1].contains("c.toml:8: unknown key 'form' in [objects.muon]"), "{found:?}");
    }
}
