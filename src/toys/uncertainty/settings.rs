//! The part of a card that says how well the expectation is known.

use std::path::{Path, PathBuf};

use super::{BackgroundUncertainty, NAME, Smearing, Statistic, Template};
use crate::error::{Error, Fault, Problems, Result};
use crate::hunt::Windows;
use crate::settings::{Section, Setting, Value};
use crate::spectrum::Expectation;

/// `[toys.uncertainty]`: what smears the expectation of the toys. Without that section nothing does.
///
/// ```toml
/// [toys.uncertainty]
/// shape = "log-normal"             # or "truncated-gaussian"
/// statistic = "nominal"            # or "marginal": which p-value is maximised
/// statistical = "expectation"      # the expectation's own, or one relative number for all cells, or "off"
/// [toys.uncertainty.templates]     # relative changes at one standard deviation, with signs
/// dnn_source = 0.05                # one for all cells
/// bootstrap = [0.01, 0.012, 0.02]  # one for each row (m_Y bin), or one for each cell
/// non_closure = "non-closure.csv"  # the same from a file: numbers, with commas or lines between; '#' begins a comment
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UncertaintySettings {
    /// The distribution of smeared expectations.
    pub smearing: Smearing,
    /// Which p-value of a window is maximised.
    pub statistic: Statistic,
    /// The uncertainty that each cell has for itself.
    pub statistical: StatisticalSettings,
    /// Names and values of the correlated uncertainties.
    pub templates: Vec<(String, TemplateSettings)>,
}

/// Where the statistical uncertainty of a cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum StatisticalSettings {
    /// There is none.
    #[default]
    Off,
    /// What the expectation says of itself.
    Expectation,
    /// The same relative standard deviation in every cell.
    Relative(f64),
}

/// The values of a template.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TemplateSettings {
    /// One for all, one a row, or one a cell.
    pub values: Vec<f64>,
    /// The file that they were read from.
    pub file: Option<PathBuf>,
}

/// A number, an array of numbers, or the name of a file.
enum Given {
    Values(Vec<f64>),
    File,
}

/// `"expectation"`, `"off"` or a number.
impl Setting for StatisticalSettings {
    const EXAMPLE: &'static str = "\"expectation\"";

    fn read(value: &Value) -> Result<Self, String> {
        if let Ok(relative) = f64::read(value) {
            return if relative >= 0.0 {
                Ok(Self::Relative(relative))
            } else {
                Err(format!("expected a relative standard deviation of 0 or more, got {relative}"))
            };
        }
        match String::read(value).as_deref() {
            Ok("expectation") => Ok(Self::Expectation),
            Ok("off") => Ok(Self::Off),
            _ => Err(format!("expected \"expectation\", \"off\" or a number, got {}", value.kind())),
        }
    }
}

impl Setting for Given {
    const EXAMPLE: &'static str = "0.05";

    fn read(value: &Value) -> Result<Self, String> {
        if let Ok(number) = f64::read(value) {
            return Ok(Self::Values(vec![number]));
        }
        if String::read(value).is_ok() {
            return Ok(Self::File);
        }
        Vec::read(value).map(Self::Values)
    }
}

impl UncertaintySettings {
    /// Reads `shape`, `statistic`, `statistical` and `templates` of a section, and files relative to `folder`; `None` where
    /// the card does not have the section, or has only uncertainties of 0 in it.
    pub fn read(section: &Section, folder: &Path) -> Option<Self> {
        let shapes = [Smearing::LogNormal, Smearing::TruncatedGaussian].map(|shape| (shape.name(), shape));
        let statistics = [Statistic::Nominal, Statistic::Marginal].map(|statistic| (statistic.name(), statistic));
        let default = Self::default();
        let smearing = section.choice("shape", &shapes, default.smearing);
        let statistic = section.choice("statistic", &statistics, default.statistic);
        let statistical = section.or("statistical", default.statistical);
        let table = section.section("templates");
        let template = |name: String| {
            let settings = match table.optional(&name)? {
                Given::Values(values) => TemplateSettings { values, file: None },
                Given::File => {
                    let path = table.path(&name, folder)?;
                    TemplateSettings { values: table.check(read_numbers(&path))?, file: Some(path) }
                }
            };
            Some((name, settings))
        };
        let templates: Vec<_> = table.keys().into_iter().filter_map(template).collect();
        let read = Self { smearing, statistic, statistical, templates };
        if section.is_present() && !section.has("statistical") && !section.has("templates") {
            section.problem("statistical", "nothing would be smeared: give a statistical uncertainty or templates");
        }
        // A template that could not be read is a problem of the card, and nothing that is off.
        let off = read.templates.len() == table.keys().len() && read.is_off();
        (section.is_present() && !off).then_some(read)
    }

    /// The uncertainty of the cells of `windows` that expect `expectation`.
    ///
    /// # Errors
    /// All at once: templates that fit neither rows nor cells, an expectation that does not know its own uncertainty, and
    /// whatever [`BackgroundUncertainty::new`] finds.
    pub fn resolve(&self, windows: &Windows, expectation: &Expectation) -> Result<BackgroundUncertainty> {
        let mut problems = Problems::default();
        let statistical = problems.take(self.statistical(windows.cells(), expectation));
        let templates: Vec<_> = self.templates.iter().map(|(name, one)| one.resolve(name, windows)).collect();
        let templates: Vec<Template> = templates.into_iter().filter_map(|one| problems.take(one)).collect();
        problems.finish()?;
        BackgroundUncertainty::new(self.smearing, statistical.unwrap_or_default(), templates)
    }

    /// Whether nothing is smeared, whatever the expectation: toys are then those of a fixed one.
    fn is_off(&self) -> bool {
        let off = matches!(self.statistical, StatisticalSettings::Off | StatisticalSettings::Relative(0.0));
        let zeros = |values: &[f64]| !values.is_empty() && values.iter().all(|value| *value == 0.0);
        off && self.templates.iter().all(|(_, template)| zeros(&template.values))
    }

    /// The files that templates were read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.templates.iter().filter_map(|(_, template)| template.file.as_deref())
    }

    fn statistical(&self, cells: usize, expectation: &Expectation) -> Result<Vec<f64>> {
        match self.statistical {
            StatisticalSettings::Off => Ok(vec![0.0; cells]),
            StatisticalSettings::Relative(relative) => Ok(vec![relative; cells]),
            StatisticalSettings::Expectation => {
                let own = |cell: usize| match expectation.values().get(cell) {
                    // What expects nothing has no relative uncertainty, and smearing it would change nothing.
                    Some(value) if *value > 0.0 => expectation.relative_uncertainty(cell..cell + 1),
                    _ => Some(0.0),
                };
                (0..cells).map(own).collect::<Option<Vec<f64>>>().ok_or_else(|| {
                    Fault::new(NAME, "the expectation does not say how well it is known")
                        .because("toys.uncertainty.statistical is \"expectation\"")
                        .suggest("Name the column of its uncertainties, give a number, or \"off\".")
                        .usage()
                })
            }
        }
    }
}

impl TemplateSettings {
    fn resolve(&self, name: &str, windows: &Windows) -> Result<Template> {
        let values = &self.values;
        let (rows, columns) = (windows.rows(), windows.columns());
        let relative = match values.len() {
            cells if cells == rows * columns => values.clone(),
            given if given == rows => values.iter().flat_map(|value| std::iter::repeat_n(*value, columns)).collect(),
            1 => vec![values[0]; rows * columns],
            given => {
                let fault = Fault::new(NAME, format!("template '{name}' has {given} values"));
                let counts = format!("1, {rows} (one a row) or {} (one a cell) would fit", rows * columns);
                return Err(fault.because(counts).data());
            }
        };
        Ok(Template { name: name.to_owned(), relative })
    }
}

/// The numbers of a file, with commas, blanks or lines between them; `#` begins a comment.
fn read_numbers(path: &Path) -> Result<Vec<f64>> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(NAME, "read", path, source))?;
    let (mut numbers, mut problems) = (Vec::new(), Problems::default());
    for (index, line) in text.lines().enumerate() {
        let words = line.split('#').next().unwrap_or_default().split([',', ' ', '\t']);
        for word in words.filter(|word| !word.is_empty()) {
            match word.parse::<f64>() {
                Ok(number) => numbers.push(number),
                Err(_) => {
                    let place = format!("{}:{}: '{word}' is no number", path.display(), index + 1);
                    problems.push(Fault::new(NAME, place).because("a template is a list of numbers").data());
                }
            }
        }
    }
    problems.finish()?;
    Ok(numbers)
}
