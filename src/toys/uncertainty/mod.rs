//! How well the expected background is known: what smears the expectation of each toy.
//!
//! **Nuisances.** Each is a standard normal number of the toy. A cell has one of its own (its statistical uncertainty); each
//! named [`Template`] has one for all cells, to which a cell answers with a signed relative value, so templates correlate
//! cells. The seed search has three: the training region of the reweighting network (`dnn_source`), its bootstrap, and its
//! non-closure.
//!
//! **Formula.** With `b` the expectation of a cell, `s_k` its relative standard deviation under nuisance `t_k` (its own one
//! among them), the smeared expectation is `b f(x)` with `x` linear in the nuisances:
//!
//! | [`Smearing`] | `x` | `f(x)` | kept | relative variance |
//! |---|---|---|---|---|
//! | `LogNormal` | `sum_k (kappa_k t_k - kappa_k^2 / 2)`, `kappa_k = sign(s_k) sqrt(ln(1 + s_k^2))` | `exp(x)` | the mean `b` | `prod_k (1 + s_k^2) - 1` |
//! | `TruncatedGaussian` | `1 + sum_k s_k t_k` | `max(0, x)` | the mode `b` | `sum_k s_k^2` before truncation |
//!
//! Of a log-normal the *mean* is kept, not the median: an expectation is an estimate without bias, and toys shall hold as many
//! events as it says on average. Truncated means that what falls below zero is put at zero. It is not drawn again: that
//! would bend the nuisances of all cells to the worst known one. The mean is then `b (Phi(1/s) + s phi(1/s))` with
//! `s^2 = sum s_k^2`: 1e-4 high at 33 %, 8 % high at 100 %, the largest that is taken. `x` is held to ten standard deviations
//! above its middle, so that counts stay within their 32 bits (a toy in 1e23).
//!
//! **Neglected.** Correlations of statistical uncertainties between cells, as a smoothing fit has: give them as templates.

mod marginal;
mod settings;

pub(crate) use marginal::MarginalCount;
pub use settings::{StatisticalSettings, TemplateSettings, UncertaintySettings};

use crate::error::{Fault, Problems, Result};
use crate::math::det;
use std::fmt;

const NAME: &str = "toys.uncertainty";

/// As many templates as a kernel keeps nuisances for.
pub const MOST_TEMPLATES: usize = 128;

/// A cell's `x` is held to this many of its standard deviations above its middle.
const MOST_DEVIATIONS: f64 = 10.0;

/// The distribution of a smeared expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Smearing {
    /// Always positive, with the mean kept. Relative uncertainties of a cell up to 300 % together.
    #[default]
    LogNormal,
    /// A normal distribution whose part below zero is put at zero. Up to 100 % together.
    TruncatedGaussian,
}

impl Smearing {
    /// Its name on cards and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::LogNormal => "log-normal",
            Self::TruncatedGaussian => "truncated-gaussian",
        }
    }

    /// The largest relative standard deviation of a cell, all sources together.
    pub fn largest(self) -> f64 {
        match self {
            Self::LogNormal => 3.0,
            Self::TruncatedGaussian => 1.0,
        }
    }

    /// What multiplies a nuisance of relative standard deviation `relative`: see the module.
    pub fn coefficient(self, relative: f64) -> f64 {
        match self {
            Self::LogNormal => {
                let kappa = det::ln_1p(relative * relative).sqrt();
                if relative < 0.0 { -kappa } else { kappa }
            }
            Self::TruncatedGaussian => relative,
        }
    }

    /// The middle of `x` where its variance is `variance`.
    pub fn middle(self, variance: f64) -> f64 {
        match self {
            Self::LogNormal => -0.5 * variance,
            Self::TruncatedGaussian => 1.0,
        }
    }

    /// What an expectation is multiplied by: `f(x)`.
    #[inline]
    pub fn factor(self, x: f64) -> f64 {
        match self {
            Self::LogNormal => det::exp(x),
            Self::TruncatedGaussian if x > 0.0 => x,
            Self::TruncatedGaussian => 0.0,
        }
    }
}

/// Which p-value of a window is maximised. Either gives a right global p-value, since toys and data are judged alike; they
/// differ in which excesses look large, so outputs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statistic {
    /// `P(N >= n)` at the window's nominal expectation, as the seed search quotes it: statistical only. With a correlated
    /// uncertainty of 10 % a maximum of 5 sigma of this kind is common.
    #[default]
    Nominal,
    /// `P(N >= n)` averaged over the smeared expectation of the window.
    Marginal,
}

impl Statistic {
    /// Its name on cards and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nominal => "nominal",
            Self::Marginal => "marginal",
        }
    }
}

/// An uncertainty that moves all cells together.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// What it is called on cards and outputs.
    pub name: String,
    /// For each cell the relative change of its expectation at one standard deviation; its sign says which way.
    pub relative: Vec<f64>,
}

/// What smears the toys, in words: `log-normal: statistical up to 5.0 %, non-closure up to 12.0 %`.
impl fmt::Display for BackgroundUncertainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.smearing.name())?;
        let largest = |values: &[f64]| 100.0 * values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let mut separator = " ";
        let statistical = largest(&self.statistical);
        if statistical > 0.0 || self.templates.is_empty() {
            write!(f, "{separator}statistical up to {statistical:.1} %")?;
            separator = ", ";
        }
        for template in &self.templates {
            write!(f, "{separator}{} up to {:.1} %", template.name, largest(&template.relative))?;
            separator = ", ";
        }
        Ok(())
    }
}

/// The uncertainty of the expectation of every cell, checked.
///
/// ```
/// use trawl::toys::{BackgroundUncertainty, Smearing, Template};
/// let template = Template { name: "non-closure".into(), relative: vec![0.1, -0.1, 0.3] };
/// let uncertainty = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.02; 3], vec![template])?;
/// // Two cells that a template moves against each other are known better together.
/// assert!(uncertainty.relative(&[50.0, 50.0, 10.0], 0..2) < 0.02);
/// # Ok::<(), trawl::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BackgroundUncertainty {
    smearing: Smearing,
    statistical: Vec<f64>,
    templates: Vec<Template>,
}

/// The `x` of every cell as a linear function of the nuisances: see the module.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coefficients {
    /// The middle of each cell's `x`.
    pub middle: Vec<f64>,
    /// The largest `x` of each cell.
    pub most: Vec<f64>,
    /// What multiplies each cell's own nuisance.
    pub own: Vec<f64>,
    /// What multiplies the nuisances of templates: a row of all cells for each template.
    pub shared: Vec<f64>,
}

impl BackgroundUncertainty {
    /// The uncertainty of as many cells as `statistical` has relative standard deviations.
    ///
    /// # Errors
    /// All at once: no cell; a statistical uncertainty that is negative, or any value that is not finite; templates of other
    /// lengths, without a name or with another's; too many; and cells that are too uncertain for this smearing.
    pub fn new(smearing: Smearing, statistical: Vec<f64>, templates: Vec<Template>) -> Result<Self> {
        let uncertainty = Self { smearing, statistical, templates };
        let mut problems = Problems::default();
        uncertainty.check_statistical(&mut problems);
        uncertainty.check_templates(&mut problems);
        if problems.is_empty() {
            uncertainty.check_sizes(&mut problems);
        }
        problems.finish()?;
        Ok(uncertainty)
    }

    fn check_statistical(&self, problems: &mut Problems) {
        if self.statistical.is_empty() {
            problems.push(Fault::new(NAME, "there are no cells").because("nothing could be smeared").data());
        }
        let bad = |value: &&f64| !value.is_finite() || **value < 0.0;
        let wrong: Vec<usize> = (0..self.cells()).filter(|cell| bad(&&self.statistical[*cell])).collect();
        if let Some(first) = wrong.first() {
            let value = self.statistical[*first];
            let others = others(wrong.len());
            let fault = Fault::new(NAME, format!("the statistical uncertainty of cell {first}{others} is {value}"));
            problems.push(fault.because("a standard deviation is 0 or more, and finite").data());
        }
    }

    fn check_templates(&self, problems: &mut Problems) {
        if self.templates.len() > MOST_TEMPLATES {
            let fault = Fault::new(NAME, format!("{} templates", self.templates.len()));
            let fault = fault.because(format!("there is room for {MOST_TEMPLATES}"));
            problems.push(fault.suggest("Add small ones in quadrature.").data());
        }
        for (index, template) in self.templates.iter().enumerate() {
            let name = &template.name;
            if name.trim().is_empty() {
                let fault = Fault::new(NAME, format!("template {} has no name", index + 1));
                problems.push(fault.because("outputs say which uncertainties smeared the toys").usage());
            } else if self.templates[..index].iter().any(|before| before.name == *name) {
                let fault = Fault::new(NAME, format!("two templates are called '{name}'"));
                problems.push(fault.because("each would be a nuisance of its own").usage());
            }
            if template.relative.len() != self.cells() {
                let fault = Fault::new(NAME, format!("template '{name}' has {} values", template.relative.len()));
                problems.push(fault.because(format!("there are {} cells", self.cells())).data());
            }
            let wrong: Vec<usize> =
                (0..template.relative.len()).filter(|cell| !template.relative[*cell].is_finite()).collect();
            if let Some(first) = wrong.first() {
                let (value, others) = (template.relative[*first], others(wrong.len()));
                let fault = Fault::new(NAME, format!("template '{name}' is {value} in cell {first}{others}"));
                problems.push(fault.because("a relative change is a finite number").data());
            }
        }
    }

    fn check_sizes(&self, problems: &mut Problems) {
        let largest = self.smearing.largest();
        let wrong: Vec<usize> = (0..self.cells()).filter(|cell| self.cell_relative(*cell) > largest).collect();
        if let Some(first) = wrong.first() {
            let (value, others) = (100.0 * self.cell_relative(*first), others(wrong.len()));
            let fault = Fault::new(NAME, format!("cell {first}{others} is uncertain by {value:.0} % in all"));
            let fault = fault.because(format!("{} smearing takes up to {} %", self.smearing.name(), 100.0 * largest));
            problems.push(match self.smearing {
                Smearing::TruncatedGaussian => {
                    fault.suggest("Use log-normal: one toy in six would expect nothing there.").data()
                }
                Smearing::LogNormal => fault.suggest("Use wider cells: nothing is known of such a one.").data(),
            });
        }
    }

    /// The distribution.
    pub fn smearing(&self) -> Smearing {
        self.smearing
    }

    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.statistical.len()
    }

    /// The relative statistical standard deviation of each cell.
    pub fn statistical(&self) -> &[f64] {
        &self.statistical
    }

    /// The templates, in the order of their nuisances.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Whether no cell is smeared at all.
    pub fn is_zero(&self) -> bool {
        (0..self.cells()).all(|cell| self.cell_relative(cell) == 0.0)
    }

    /// A cell's relative standard deviations under its own nuisance and those of the templates.
    fn sources(&self, cell: usize) -> impl Iterator<Item = f64> + '_ {
        std::iter::once(self.statistical[cell]).chain(self.templates.iter().map(move |one| one.relative[cell]))
    }

    fn cell_relative(&self, cell: usize) -> f64 {
        match self.smearing {
            Smearing::LogNormal => det::exp_m1(self.variance(cell)).sqrt(),
            Smearing::TruncatedGaussian => self.variance(cell).sqrt(),
        }
    }

    /// The variance of a cell's `x`.
    fn variance(&self, cell: usize) -> f64 {
        let coefficients = self.sources(cell).map(|relative| self.smearing.coefficient(relative));
        coefficients.map(|coefficient| coefficient * coefficient).sum()
    }

    /// The linear function that a toy's nuisances go through.
    pub fn coefficients(&self) -> Coefficients {
        let coefficient = |relative: &f64| self.smearing.coefficient(*relative);
        let variances: Vec<f64> = (0..self.cells()).map(|cell| self.variance(cell)).collect();
        let middle: Vec<f64> = variances.iter().map(|variance| self.smearing.middle(*variance)).collect();
        let most = middle.iter().zip(&variances).map(|(middle, variance)| middle + MOST_DEVIATIONS * variance.sqrt());
        Coefficients {
            most: most.collect(),
            middle,
            own: self.statistical.iter().map(coefficient).collect(),
            shared: self.templates.iter().flat_map(|template| template.relative.iter().map(coefficient)).collect(),
        }
    }

    /// The largest content that cells expecting `expected` can be smeared to, summed over all.
    pub fn largest_total(&self, expected: &[f64]) -> f64 {
        let most = self.coefficients().most;
        expected.iter().zip(&most).map(|(expected, most)| expected * self.smearing.factor(*most)).sum()
    }

    /// The relative standard deviation of the sum of `cells`, of cells that expect `expected`. Exact for log-normal cells;
    /// for truncated Gaussian ones that before truncation. 0 where nothing is expected.
    ///
    /// Cost: cells times templates, and for log-normal cells squared.
    pub fn relative(&self, expected: &[f64], cells: impl Iterator<Item = usize> + Clone) -> f64 {
        let total: f64 = cells.clone().map(|cell| expected[cell]).sum();
        if total <= 0.0 {
            return 0.0;
        }
        match self.smearing {
            Smearing::TruncatedGaussian => self.gaussian_variance(expected, cells).sqrt() / total,
            Smearing::LogNormal => self.log_normal_variance(expected, cells).sqrt() / total,
        }
    }

    fn gaussian_variance(&self, expected: &[f64], cells: impl Iterator<Item = usize> + Clone) -> f64 {
        let own = cells.clone().map(|cell| expected[cell] * self.statistical[cell]);
        let mut variance: f64 = own.map(|sigma| sigma * sigma).sum();
        for template in &self.templates {
            let sigma: f64 = cells.clone().map(|cell| expected[cell] * template.relative[cell]).sum();
            variance += sigma * sigma;
        }
        variance
    }

    /// Cells `c` and `d` have the covariance `b_c b_d (exp(sum_k kappa_kc kappa_kd) - 1)`.
    fn log_normal_variance(&self, expected: &[f64], cells: impl Iterator<Item = usize> + Clone) -> f64 {
        let coefficients: Vec<Vec<f64>> =
            cells.clone().map(|cell| self.sources(cell).map(|s| self.smearing.coefficient(s)).collect()).collect();
        let mut variance = 0.0;
        for (c, first) in cells.clone().enumerate() {
            for (d, second) in cells.clone().enumerate() {
                let shared: f64 = coefficients[c][1..].iter().zip(&coefficients[d][1..]).map(|(c, d)| c * d).sum();
                let own = if c == d { coefficients[c][0] * coefficients[c][0] } else { 0.0 };
                variance += expected[first] * expected[second] * det::exp_m1(shared + own);
            }
        }
        variance.max(0.0)
    }
}

fn others(wrong: usize) -> String {
    if wrong > 1 { format!(" (and of {} others)", wrong - 1) } else { String::new() }
}

#[cfg(test)]
mod tests;
