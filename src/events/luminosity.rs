//! The runs and luminosity blocks that are certified for analysis.
//!
//! Two formats are read, and told apart by their first character:
//!
//! - CMS JSON: `{"297050": [[12, 137], [193, 776]], ...}`, first and last block of each range, both included.
//! - ATLAS GRL XML: `LumiBlockCollection` elements, each with one `Run` and any number of
//!   `<LBRange Start="12" End="137"/>`, both included.
//!
//! Ranges that touch or overlap are joined. A look-up costs one binary search in the ranges.
//!
//! ```
//! use trawl::events::LuminosityMask;
//! let mask = LuminosityMask::from_text(r#"{"297050": [[12, 137]], "297056": []}"#, "golden.json")?;
//! assert!(mask.contains(297050, 137) && !mask.contains(297050, 138) && !mask.contains(1, 12));
//! # Ok::<(), trawl::Error>(())
//! ```

use std::fmt;
use std::path::Path;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::error::{Error, Fault, Problems, Result};

/// The name of the operation in messages.
const NAME: &str = "events.luminosity";

/// Luminosity blocks of one run, first and last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    run: u32,
    first: u32,
    last: u32,
}

/// Certified runs and luminosity blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LuminosityMask {
    /// Ascending, without overlaps.
    ranges: Vec<Range>,
}

impl LuminosityMask {
    /// Reads a file in either format.
    ///
    /// # Errors
    /// A file that cannot be read; every mistake in it at once.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(NAME, "read", path, error))?;
        Self::from_text(&text, path)
    }

    /// Reads either format from `text`, which messages call by its `path`.
    ///
    /// # Errors
    /// Every mistake at once: no JSON or XML, a run or block that is no number below 2^32, a range whose end comes before
    /// its start, a run that is listed twice in a JSON file; nothing at all.
    pub fn from_text(text: &str, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let mut reading = Reading { path, ranges: Vec::new(), problems: Problems::default() };
        if text.starts_with('<') {
            reading.xml(text);
        } else {
            reading.json(text);
        }
        reading.finish()
    }

    /// Whether the block is certified.
    pub fn contains(&self, run: u32, luminosity_block: u32) -> bool {
        let after = self.ranges.partition_point(|range| (range.run, range.first) <= (run, luminosity_block));
        let before = after.checked_sub(1).map(|at| self.ranges[at]);
        before.is_some_and(|range| range.run == run && luminosity_block <= range.last)
    }

    /// The number of runs with certified blocks.
    pub fn runs(&self) -> usize {
        self.ranges.chunk_by(|a, b| a.run == b.run).count()
    }

    /// The number of certified blocks.
    pub fn luminosity_blocks(&self) -> u64 {
        self.ranges.iter().map(|range| u64::from(range.last - range.first) + 1).sum()
    }
}

struct Reading<'a> {
    path: &'a Path,
    ranges: Vec<Range>,
    problems: Problems,
}

impl Reading<'_> {
    fn mistake(&mut self, what: impl fmt::Display) {
        self.problems.push(Fault::new(NAME, format!("'{}': {what}", self.path.display())).data());
    }

    fn range(&mut self, run: u32, ends: [Option<u32>; 2], text: &str) {
        match ends {
            [Some(first), Some(last)] if first <= last => self.ranges.push(Range { run, first, last }),
            [Some(_), Some(_)] => self.mistake(format_args!("the range {text} of run {run} ends before it starts")),
            _ => self.mistake(format_args!("the range {text} of run {run} is not two numbers below 2^32")),
        }
    }

    fn json(&mut self, text: &str) {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let runs = deserializer.deserialize_map(Runs).and_then(|runs| deserializer.end().map(|()| runs));
        let runs = match runs {
            Ok(runs) => runs,
            Err(error) => {
                return self
                    .mistake(format_args!("neither a CMS JSON nor an ATLAS XML of luminosity blocks ({error})"));
            }
        };
        let mut seen = std::collections::BTreeSet::new();
        for (name, ranges) in runs {
            let Ok(run) = name.parse::<u32>() else {
                self.mistake(format_args!("the run '{name}' is not a number below 2^32"));
                continue;
            };
            if !seen.insert(run) {
                self.mistake(format_args!("run {run} is listed twice"));
            }
            let Value::Array(ranges) = ranges else {
                self.mistake(format_args!("run {run} has no list of ranges but {ranges}"));
                continue;
            };
            for range in &ranges {
                let number = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok());
                let ends = match range.as_array().map(Vec::as_slice) {
                    Some([first, last]) => [number(first), number(last)],
                    _ => [None, None],
                };
                self.range(run, ends, &range.to_string());
            }
        }
    }

    fn xml(&mut self, text: &str) {
        // The lists of the experiment name a document type, which says nothing that is needed here.
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let document = match roxmltree::Document::parse_with_options(text, options) {
            Ok(document) => document,
            Err(error) => return self.mistake(format_args!("is not XML ({error})")),
        };
        for collection in document.descendants().filter(|node| node.has_tag_name("LumiBlockCollection")) {
            let line = document.text_pos_at(collection.range().start).row;
            let child = |name: &'static str| collection.children().filter(move |node| node.has_tag_name(name));
            let runs: Vec<_> = child("Run").collect();
            let [run] = runs[..] else {
                self.mistake(format_args!("the LumiBlockCollection in line {line} has {} runs, not one", runs.len()));
                continue;
            };
            let text = run.text().unwrap_or_default().trim();
            let Ok(run) = text.parse::<u32>() else {
                self.mistake(format_args!("the run '{text}' in line {line} is not a number below 2^32"));
                continue;
            };
            for range in child("LBRange") {
                let end = |name: &str| range.attribute(name).unwrap_or_default().trim();
                let (first, last) = (end("Start"), end("End"));
                self.range(run, [first.parse().ok(), last.parse().ok()], &format!("[{first}, {last}]"));
            }
        }
    }

    fn finish(mut self) -> Result<LuminosityMask> {
        if self.problems.is_empty() && self.ranges.is_empty() {
            self.mistake("no luminosity block is certified, so every event would be lost");
        }
        self.problems.finish()?;
        self.ranges.sort_unstable();
        let mut joined: Vec<Range> = Vec::with_capacity(self.ranges.len());
        for range in self.ranges {
            match joined.last_mut() {
                Some(last) if last.run == range.run && range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => joined.push(range),
            }
        }
        Ok(LuminosityMask { ranges: joined })
    }
}

/// The entries of a JSON object, also those with the same key, of which a map would keep the last.
struct Runs;

impl<'de> Visitor<'de> for Runs {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with runs as keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut runs = Vec::new();
        while let Some(entry) = map.next_entry()? {
            runs.push(entry);
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRL: &str = r#"<?xml version="1.0"?>
<!DOCTYPE LumiRangeCollection SYSTEM "LumiRangeCollection.dtd">
<LumiRangeCollection>
  <NamedLumiRange>
    <Name>Top</Name>
    <Metadata Name="Query">find run 1-2</Metadata>
    <LumiBlockCollection>
      <Run PrescaleRunFlag="x">276262</Run>
      <LBRange Start="72" End="78"/>
      <LBRange Start="80" End="250"/>
    </LumiBlockCollection>
    <LumiBlockCollection><Run>276329</Run><LBRange Start="5" End="5"/></LumiBlockCollection>
  </NamedLumiRange>
</LumiRangeCollection>"#;

    fn problems(text: &str) -> Vec<String> {
        let error = LuminosityMask::from_text(text, "mask").unwrap_err();
        assert_eq!(error.exit_code(), 1);
        error.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn both_formats_say_the_same() {
        let json = r#"{"276329": [[5, 5]], "276262": [[80, 200], [72, 78], [150, 250]]}"#;
        let (json, xml) = (LuminosityMask::from_text(json, "a").unwrap(), LuminosityMask::from_text(GRL, "b").unwrap());
        assert_eq!(json, xml);
        assert_eq!((xml.runs(), xml.luminosity_blocks()), (2, 7 + 171 + 1));
        let inside = [(276262, 72), (276262, 78), (276262, 80), (276262, 250), (276329, 5)];
        let outside = [(276262, 71), (276262, 79), (276262, 251), (276329, 4), (276329, 6), (1, 72), (u32::MAX, 5)];
        assert!(inside.iter().all(|&(run, block)| xml.contains(run, block)));
        assert!(!outside.iter().any(|&(run, block)| xml.contains(run, block)));
        let all = LuminosityMask::from_text(r#"{"7": [[0, 4294967295], [3, 4]]}"#, "all").unwrap();
        assert!(all.contains(7, 0) && all.contains(7, u32::MAX));
    }

    #[test]
    fn all_mistakes_are_reported() {
        let text = r#"{"1": [[5, 4], [1], [1, 2]], "x": [], "2": 3, "1": [[9, 4294967296], [-1, 2]]}"#;
        assert_eq!(
            problems(text),
            [
                "events.luminosity: 'mask': the range [5,4] of run 1 ends before it starts",
                "events.luminosity: 'mask': the range [1] of run 1 is not two numbers below 2^32",
                "events.luminosity: 'mask': the run 'x' is not a number below 2^32",
                "events.luminosity: 'mask': run 2 has no list of ranges but 3",
                "events.luminosity: 'mask': run 1 is listed twice",
                "events.luminosity: 'mask': the range [9,4294967296] of run 1 is not two numbers below 2^32",
                "events.luminosity: 'mask': the range [-1,2] of run 1 is not two numbers below 2^32",
            ]
        );
        assert_eq!(problems(r#"{"1": []}"#).len(), 1);
        assert!(problems("{\"1\": [[1, 2]]} x")[0].contains("neither a CMS JSON nor an ATLAS XML"));
        assert!(problems("")[0].contains("neither"));
        assert!(problems("<a><b></a>")[0].contains("is not XML"));
        let xml = GRL.replace(r#"Start="72""#, r#"Begin="72""#).replace("<Run>276329</Run>", "<Run/>");
        let found = problems(&xml);
        assert!(found[0].contains("the range [, 78] of run 276262 is not two numbers"), "{found:#?}");
        assert!(found[1].contains("the run '' in line 12 is not a number"), "{found:#?}");
    }
}
