//! Toys as a file: what was counted, and for what, so that parts that were thrown apart can be added up.
//!
//! A summary is JSON: counts, ranges of toys, and whatever must agree before two of them may be added. It holds no times,
//! devices or threads, so the summary of merged parts has the bytes of that of one run. Its last line is the sha256 of
//! the rest: a file that was cut, edited or half copied is refused.
//!
//! ```
//! use trawl::device::Device;
//! use trawl::hunt::{Scan, Windows};
//! use trawl::spectrum::Expectation;
//! use trawl::toys::{Exceedance, Experiment, Summary, Throw};
//! let windows = Windows::new(vec![0.0, 1.0], vec![0.0, 1.0, 2.0, 3.0], &[0..2, 1..3])?;
//! let expectation = Expectation::given(vec![9.0, 7.0, 5.0], None)?;
//! let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast)?;
//! let findings = experiment.scan(&Device::Cpu, &[9, 14, 9])?;
//! let summary = |first_toy, toys| {
//!     let tally = experiment.throw(&Device::Cpu, &findings, Throw { seed: 1, first_toy, toys }, &|_| Ok(()))?;
//!     Summary::new("doc", &experiment, &findings, "cells 1-3", tally)
//! };
//! let merged = Summary::merge(&[("b".into(), summary(400, 600)?), ("a".into(), summary(0, 400)?)])?;
//! assert_eq!(merged.to_json(), summary(0, 1000)?.to_json());
//! # Ok::<(), trawl::Error>(())
//! ```

mod merge;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Exceedance, GlobalSignificance, Tally, ToySource};
use crate::error::{Fault, Problems, Result};
use crate::hunt::{Findings, WindowExpectation, Windows};

const NAME: &str = "toys.summary";

/// The version of the format; another one means other fields, or toys that are drawn otherwise.
const FORMAT: u32 = 2;

/// Toys of one observation, and what they were thrown for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The version of the program that threw them.
    pub trawl: String,
    /// The revision it was built from, where the build knew one.
    pub git_revision: Option<String>,
    /// The name of the analysis.
    pub analysis: String,
    /// The statistic whose largest value decides, in words.
    pub statistic: String,
    /// What smears the expectation of the toys, in words; `none` takes it as exact.
    pub background_uncertainty: String,
    /// Which toys count as at least as significant as the observation: `at-least` or `above`.
    pub exceedance: String,
    /// The cells and windows of the spectrum or plane, or of each channel.
    pub geometry: Vec<Geometry>,
    /// The observation.
    pub observed: Observed,
    /// The toys.
    pub tally: Tally,
}

/// Cells and windows, described and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geometry {
    /// Rows of cells: 1 for a spectrum.
    pub rows: usize,
    /// Cells in a row.
    pub columns: usize,
    /// Windows that take part.
    pub windows: usize,
    /// Windows that are left out.
    pub windows_left_out: usize,
    /// The sha256 of the edges of rows and columns and of the ranges of the windows that take part.
    pub edges_sha256: String,
}

/// The observation that the toys are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// Where its most significant window is, in words; of several channels, that of each.
    pub place: String,
    /// Which window that is; of several channels, that of the first.
    pub window: u32,
    /// The window's observed content; of several channels, the sum.
    pub observed: u64,
    /// The window's expected content; of several channels, the sum.
    pub expected: f64,
    /// The logarithm of its local p-value; of several channels, of the product.
    pub local_ln_p: f64,
    /// Its local significance.
    pub local_significance: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    trawl_toys: u32,
    summary: Summary,
    sha256: String,
}

impl Summary {
    /// The summary of `tally`, thrown by `source` for these findings; `place` is where the best window is, in words.
    ///
    /// # Errors
    /// A tally of other tables.
    pub fn new(
        analysis: impl Into<String>,
        source: &dyn ToySource,
        findings: &Findings,
        place: impl Into<String>,
        tally: Tally,
    ) -> Result<Self> {
        let summary = Self {
            trawl: env!("CARGO_PKG_VERSION").into(),
            git_revision: option_env!("TRAWL_GIT_REVISION").filter(|text| !text.is_empty()).map(Into::into),
            analysis: analysis.into(),
            statistic: source.statistic(),
            background_uncertainty: source.smearing(),
            exceedance: match source.exceedance() {
                Exceedance::AtLeast => "at-least",
                Exceedance::Above => "above",
            }
            .into(),
            geometry: source.geometry(),
            observed: Observed {
                place: place.into(),
                window: findings.best.0,
                observed: findings.observed,
                expected: findings.expected,
                local_ln_p: findings.ln_p,
                local_significance: findings.z,
            },
            tally,
        };
        if summary.tally.tables_sha256() == source.tables_sha256(findings) {
            return Ok(summary);
        }
        let fault = Fault::new(NAME, "the toys are not of this expectation and observation");
        Err(fault.because("the sha256 of their tables is another one").data())
    }

    /// The global significance by the toys, without bounds: whether those hold is a matter of the experiment.
    ///
    /// # Errors
    /// More toys than an interval can be given for.
    pub fn significance(&self) -> Result<GlobalSignificance> {
        let windows = self.geometry.iter().map(|geometry| geometry.windows).sum();
        let significance = GlobalSignificance::new(&self.tally, self.observed.local_ln_p, windows)?;
        Ok(significance.without_bounds())
    }

    /// The summary as a text that [`Summary::from_json`] reads back: the same text for equal summaries.
    pub fn to_json(&self) -> String {
        let file = File { trawl_toys: FORMAT, summary: self.clone(), sha256: self.sha256() };
        // Only maps with keys that are not strings and failing writers can fail here; there are none.
        serde_json::to_string_pretty(&file).expect("a summary is plain data") + "\n"
    }

    /// Reads what [`Summary::to_json`] wrote; `name` is the file's, for messages.
    ///
    /// # Errors
    /// A text that is no summary, or one of another format, and one that was changed since it was written.
    pub fn from_json(name: &str, text: &str) -> Result<Self> {
        let refused = |problem: String, reason: String| {
            Fault::new(NAME, format!("'{name}' {problem}")).because(reason).suggest("Throw these toys again.").data()
        };
        let file: File = match serde_json::from_str(text) {
            Ok(file) => file,
            Err(why) => {
                let other = serde_json::from_str::<serde_json::Value>(text).ok();
                let format = other.as_ref().and_then(|value| value.get("trawl_toys")).and_then(|value| value.as_u64());
                return Err(match format {
                    Some(format) if format != u64::from(FORMAT) => {
                        refused(format!("has format {format}"), format!("this program reads format {FORMAT}"))
                    }
                    _ => refused("is no summary of toys, or a damaged one".into(), why.to_string()),
                });
            }
        };
        if file.trawl_toys != FORMAT {
            let reason = format!("this program reads format {FORMAT}");
            return Err(refused(format!("has format {}", file.trawl_toys), reason));
        }
        if file.summary.sha256() != file.sha256 {
            let reason = "its sha256 is not that of its contents".into();
            return Err(refused("was changed after it was written".into(), reason));
        }
        let mut problems = Problems::default();
        if let Err(error) = file.summary.tally.check() {
            error.problems().iter().for_each(|problem| {
                problems.push(refused("contradicts itself".into(), problem.to_string()));
            });
        }
        problems.finish()?;
        Ok(file.summary)
    }

    fn sha256(&self) -> String {
        let text = serde_json::to_string(self).expect("a summary is plain data");
        hexadecimal(Sha256::new_with_prefix(text))
    }
}

impl Geometry {
    /// The geometry of windows, of which some are left out.
    pub fn of(windows: &Windows, expected: &WindowExpectation) -> Self {
        let mut hash = Sha256::new();
        for edges in [windows.row_edges(), windows.column_edges()] {
            hash.update((edges.len() as u64).to_le_bytes());
            edges.iter().for_each(|edge| hash.update(edge.to_bits().to_le_bytes()));
        }
        let single_rows = windows.heights() == [1];
        for window in expected.kept() {
            if !single_rows {
                hash.update((windows.height(*window) as u64).to_le_bytes());
            }
            for range in windows.ranges(*window) {
                [range.start, range.end].iter().for_each(|cell| hash.update((*cell as u64).to_le_bytes()));
            }
        }
        Self {
            rows: windows.rows(),
            columns: windows.columns(),
            windows: expected.kept().len(),
            windows_left_out: expected.left_out().len(),
            edges_sha256: hexadecimal(hash),
        }
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
