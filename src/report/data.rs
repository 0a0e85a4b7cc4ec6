//! What a report holds: plain structs, filled by whoever ran the analysis.

use super::plot::Plot;

/// Everything on the page. Empty parts are left off it.
#[derive(Debug, Clone, Default)]
pub struct ReportData {
    /// The name of the analysis.
    pub title: String,
    /// What it looks for, in a sentence.
    pub description: String,
    /// The result.
    pub answer: Answer,
    /// The plots, in their order.
    pub figures: Vec<Figure>,
    /// How many events each cut left, per sample.
    pub cutflows: Vec<Cutflow>,
    /// Wall time per stage.
    pub stages: Vec<StageTiming>,
    /// The files that were read.
    pub inputs: Vec<InputFile>,
    /// The windows that were not tested.
    pub left_out: Vec<LeftOut>,
    /// Settings given on the command line, as they were given.
    pub overrides: Vec<String>,
    /// The text of the card.
    pub card: String,
    /// Names and values that are needed to repeat the run: versions, device, seeds.
    pub provenance: Vec<Fact>,
    /// Files beside the page, apart from those of the figures.
    pub files: Vec<DataFile>,
}

/// How far the result is from the ordinary; colours the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// Nothing stands out.
    #[default]
    Ordinary,
    /// Worth a look (two standard deviations or more, global).
    Notable,
    /// Three standard deviations or more, global.
    Striking,
}

impl Verdict {
    /// The verdict on a global significance.
    pub fn of(significance: f64) -> Self {
        match significance {
            z if z >= 3.0 => Self::Striking,
            z if z >= 2.0 => Self::Notable,
            _ => Self::Ordinary,
        }
    }
}

/// The result in a sentence and a few numbers.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The sentence, rich.
    pub headline: String,
    /// The numbers.
    pub facts: Vec<Fact>,
    /// How far from the ordinary.
    pub verdict: Verdict,
}

/// A name and a value, both in [rich notation](super::rich).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// How much it is.
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A plot with its words. Its files are `<name>.svg` and `<name>.csv`.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The stem of its files: letters, digits, `-` and `_`.
    pub name: String,
    /// Its heading, rich.
    pub title: String,
    /// What is to be seen, rich.
    pub caption: String,
    /// The plot.
    pub plot: Plot,
}

impl Figure {
    /// A figure.
    pub fn new(name: impl Into<String>, title: impl Into<String>, caption: impl Into<String>, plot: Plot) -> Self {
        Self { name: name.into(), title: title.into(), caption: caption.into(), plot }
    }
}

/// The events of a sample after each cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutflow {
    /// The name of the sample.
    pub sample: String,
    /// The cuts, the first of which is `all events` by custom.
    pub rows: Vec<CutflowRow>,
}

/// What a cut left.
#[derive(Debug, Clone, PartialEq)]
pub struct CutflowRow {
    /// The cut in words.
    pub cut: String,
    /// Events left.
    pub events: u64,
    /// The sum of their weights.
    pub sum_of_weights: f64,
    /// Its statistical uncertainty, the root of the sum of squared weights.
    pub error: f64,
    /// The sum of weights over that of all events; NaN where that is 0.
    pub efficiency: f64,
    /// The sum of weights over that of the cut before, or of whatever else the row is a part of; NaN where that is 0.
    pub relative_efficiency: f64,
}

/// A stage of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct StageTiming {
    /// Its name.
    pub name: String,
    /// Wall time.
    pub seconds: f64,
    /// How many units it did.
    pub units: u64,
    /// What a unit is: `events`, `toys`.
    pub unit: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// The sample it belongs to.
    pub sample: String,
    /// Its path as the card gives it.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its events, if it holds events.
    pub rows: Option<u64>,
    /// Its sha256 in hexadecimal digits, and what of if not of the whole file.
    pub sha256: String,
}

/// A window that was not tested.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Which, rich.
    pub window: String,
    /// What was expected in it.
    pub expected: f64,
    /// What was observed in it.
    pub observed: f64,
    /// Why it was left out.
    pub reason: String,
}

/// A file beside the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its path relative to the page.
    pub path: String,
    /// What is in it.
    pub holds: String,
}
