//! A smooth expectation from a simulation, with a test that it describes the simulation (closure).
//!
//! **What.** The density of events in (ln m_Y, ln m_X) is `exp(sum_ij a_ij P_i P_j)` with Legendre polynomials `P` on the
//! plane scaled to [-1, 1]; a cell's content is its integral (three Gauss-Legendre nodes an axis). The parameters
//! maximise the Poisson likelihood of the simulation's cell contents (Fisher scoring, Cholesky). Degrees rise one at a
//! time while the likelihood ratio asks for it, then until the closure test is passed.
//!
//! **Weights.** The estimate uses sums of weights as contents, which is unbiased for any weights; likelihood ratios are
//! scaled by the sample's mean weight `sum w^2 / sum w` (scaled Poisson), and the covariance is the sandwich
//! `A^-1 B A^-1` with `B` from the squared weights, so that it needs no common weight.
//!
//! **Closure.** Cells of a row are merged until the smooth expectation holds 10 effective events;
//! `chi^2 = sum (seen - smooth)^2 / variance` over them, with as many degrees of freedom as merged cells less parameters.
//!
//! **Neglected.** Structure finer than the polynomials that the statistics of the simulation cannot show.
//! **Cost.** About 9 cells x parameters multiplications a step, 5 to 15 steps a fit, one to two fits a degree.
//! **Source.** P. McCullagh, J. Nelder, *Generalized Linear Models* (1989), chapters 6 and 9; scaled Poisson:
//! G. Bohm, G. Zech, arXiv:1309.1287.

mod cholesky;
mod fit;

use std::ops::Range;

use crate::error::{Fault, Problems, Result};
use crate::math::special;
use crate::settings::Section;
use fit::{Degrees, Fit, LogAxis};

const NAME: &str = "spectrum.smooth";

/// The cells of a simulation: sums of weights over rows (m_Y) and columns (m_X), row by row.
#[derive(Debug, Clone, Copy)]
pub struct Simulation<'a> {
    /// The edges of the rows, positive and rising; empty for a spectrum, whose cells are one row.
    pub row_edges: &'a [f64],
    /// The edges of the columns, positive and rising.
    pub column_edges: &'a [f64],
    /// The sum of weights of each cell.
    pub sum_weights: &'a [f64],
    /// The sum of squared weights of each cell.
    pub sum_squared_weights: &'a [f64],
}

/// How far the degrees may rise, and what counts as closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// The highest degree along each axis.
    pub degree_max: usize,
    /// A degree is worth keeping where the likelihood ratio has a p-value below this.
    pub improvement_p: f64,
    /// Degrees rise further until the closure test has at least this p-value.
    pub sought_p: f64,
    /// Where no degree reaches `sought_p` (one true model in twenty does not, at 0.05), the degrees that the likelihood
    /// ratio chose are kept down to this p-value; below it the smoothing fails.
    pub refused_p: f64,
    /// The smallest expected effective count of a merged cell.
    pub merged_minimum: f64,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self { degree_max: 6, improvement_p: 0.01, sought_p: 0.05, refused_p: 0.001, merged_minimum: 10.0 }
    }
}

/// How well a smooth expectation describes its simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Closure {
    /// The degrees along rows (m_Y) and columns (m_X).
    pub degrees: (usize, usize),
    /// The number of fitted parameters.
    pub parameters: usize,
    /// The number of merged cells.
    pub merged_cells: usize,
    /// Pearson's chi-squared over the merged cells.
    pub chi_squared: f64,
    /// Merged cells less parameters.
    pub degrees_of_freedom: usize,
    /// The chance of a chi-squared at least this large.
    pub p: f64,
    /// The largest (seen - smooth) / standard deviation in magnitude, with its sign.
    pub largest_pull: f64,
    /// The flat cells in which it is.
    pub largest_pull_cells: Range<usize>,
}

/// A smooth expectation that passed its closure test.
#[derive(Debug, Clone)]
pub struct Smooth {
    fit: Fit,
    covariance: Vec<f64>,
    closure: Closure,
    sum_weights: Vec<f64>,
    sum_squared_weights: Vec<f64>,
}

impl Smoothing {
    /// Reads `degree_max`, `improvement_p`, `sought_p`, `refused_p` and `merged_minimum`.
    pub fn read(section: &Section) -> Self {
        let default = Self::default();
        let read = Self {
            degree_max: section.or("degree_max", default.degree_max),
            improvement_p: section.or("improvement_p", default.improvement_p),
            sought_p: section.or("sought_p", default.sought_p),
            refused_p: section.or("refused_p", default.refused_p),
            merged_minimum: section.or("merged_minimum", default.merged_minimum),
        };
        section.check(read.check());
        read
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Every one out of its range.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut demand = |good: bool, problem: String, suggestion: &str| {
            if !good {
                problems.push(Fault::new(NAME, problem).suggest(suggestion).usage());
            }
        };
        let degree = self.degree_max;
        demand((1..=12).contains(&degree), format!("degree_max is {degree}"), "Use 1 to 12; 6 suits falling spectra.");
        for (name, p) in
            [("improvement_p", self.improvement_p), ("sought_p", self.sought_p), ("refused_p", self.refused_p)]
        {
            demand((0.0..1.0).contains(&p), format!("{name} = {p} is no p-value"), "Use a number from 0 to 1.");
        }
        let minimum = self.merged_minimum;
        demand(minimum >= 1.0, format!("merged_minimum is {minimum}"), "Use 10: Pearson's test needs about 5 or more.");
        problems.finish()
    }

    /// Smooths a simulation.
    ///
    /// ```
    /// use trawl::spectrum::{Simulation, Smoothing};
    /// let edges: Vec<f64> = (0..=20).map(|bin| 1000.0 + 100.0 * f64::from(bin)).collect();
    /// let counts: Vec<f64> = (0..20).map(|bin| (4000.0 - 190.0 * f64::from(bin)).floor()).collect();
    /// let smooth = Smoothing::default().smooth(&Simulation {
    ///     row_edges: &[],
    ///     column_edges: &edges,
    ///     sum_weights: &counts,
    ///     sum_squared_weights: &counts,
    /// })?;
    /// assert!(smooth.closure().p > 0.05);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// Cells that do not fit the edges, edges without a logarithm, weights that are negative or not finite, an empty
    /// simulation, and a closure test that no degree passes.
    pub fn smooth(&self, simulation: &Simulation) -> Result<Smooth> {
        self.check()?;
        simulation.check()?;
        let search = Search::new(self, simulation);
        let chosen = search.by_likelihood_ratio().ok_or_else(no_convergence)?;
        let first = search.closure(&chosen);
        let mut best = (chosen.clone(), first);
        let mut next = chosen;
        while best.1.p < self.sought_p {
            let raised = search.raised(next.degrees);
            if raised == next.degrees {
                break;
            }
            next = search.fit(raised, Some(&next)).ok_or_else(no_convergence)?;
            let closure = search.closure(&next);
            // A closed fit of higher degree wins; otherwise only one below refusal is given up for a better one.
            if closure.p >= self.sought_p || (best.1.p < self.refused_p && closure.p > best.1.p) {
                best = (next.clone(), closure);
            }
        }
        let (fit, closure) = best;
        if closure.p < self.refused_p {
            return Err(not_closed(&closure, self));
        }
        let covariance = fit.covariance(simulation.sum_squared_weights).ok_or_else(no_convergence)?;
        let sum_weights = simulation.sum_weights.to_vec();
        let sum_squared_weights = simulation.sum_squared_weights.to_vec();
        Ok(Smooth { fit, covariance, closure, sum_weights, sum_squared_weights })
    }
}

impl Smooth {
    /// The smooth content of each cell, in the simulation's weights.
    pub fn values(&self) -> &[f64] {
        &self.fit.values
    }

    /// How well it describes the simulation.
    pub fn closure(&self) -> &Closure {
        &self.closure
    }

    /// The parameters `a_ij`, row by row.
    pub fn parameters(&self) -> &[f64] {
        &self.fit.parameters
    }

    /// The covariance of the parameters, row by row.
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// The relative standard deviation of the content of `cells` that comes from the size of the simulation.
    pub fn relative_uncertainty(&self, cells: Range<usize>) -> f64 {
        let content: f64 = self.fit.values[cells.clone()].iter().sum();
        self.fit.variance(&self.covariance, cells).max(0.0).sqrt() / content
    }

    /// The simulation's sums of weights, from which effective counts are taken.
    pub fn sum_weights(&self) -> &[f64] {
        &self.sum_weights
    }

    /// The simulation's sums of squared weights.
    pub fn sum_squared_weights(&self) -> &[f64] {
        &self.sum_squared_weights
    }
}

impl Simulation<'_> {
    fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let rows = self.row_edges.len().saturating_sub(1).max(1);
        let cells = rows * self.column_edges.len().saturating_sub(1);
        for (what, edges, least) in [("row", self.row_edges, 0), ("column", self.column_edges, 2)] {
            let rise = edges.windows(2).all(|e| e[0] < e[1]) && edges.iter().all(|e| *e > 0.0 && e.is_finite());
            if !rise || edges.len() < least || edges.len() == 1 {
                let fault = Fault::new(NAME, format!("the {what} edges {edges:?} have no rising logarithms"));
                problems.push(fault.because("the polynomials are in the logarithm of the quantity").usage());
            }
        }
        for (what, sums) in [("weights", self.sum_weights), ("squared weights", self.sum_squared_weights)] {
            if sums.len() != cells {
                let fault = Fault::new(NAME, format!("{} sums of {what} for {cells} cells", sums.len()));
                problems.push(fault.because("the edges say how many cells there are").data());
            }
            if let Some(cell) = sums.iter().position(|sum| !sum.is_finite() || *sum < 0.0) {
                let fault = Fault::new(NAME, format!("the sum of {what} of cell {cell} is {}", sums[cell]));
                problems.push(fault.because("the logarithm of an expectation has no place for it").data());
            }
        }
        if problems.is_empty() && self.sum_weights.iter().all(|sum| *sum == 0.0) {
            let fault = Fault::new(NAME, "the simulation is empty").because("there is nothing to smooth");
            problems.push(fault.suggest("Check the selection and the range of the plane.").data());
        }
        problems.finish()
    }
}

/// The fits of one simulation, and what is common to them.
struct Search<'a> {
    settings: &'a Smoothing,
    simulation: &'a Simulation<'a>,
    rows: LogAxis,
    columns: LogAxis,
    /// sum w^2 / sum w: the weight of an effective event.
    weight: f64,
}

impl<'a> Search<'a> {
    fn new(settings: &'a Smoothing, simulation: &'a Simulation<'a>) -> Self {
        let rows = match simulation.row_edges {
            [] => LogAxis::single(),
            edges => LogAxis::new(edges, settings.degree_max),
        };
        let sum: f64 = simulation.sum_weights.iter().sum();
        let squared: f64 = simulation.sum_squared_weights.iter().sum();
        let columns = LogAxis::new(simulation.column_edges, settings.degree_max);
        Self { settings, simulation, rows, columns, weight: squared / sum }
    }

    /// The highest degree of each axis: at least one bin more than parameters must be left along it.
    fn limits(&self) -> Degrees {
        let limit = |axis: &LogAxis| self.settings.degree_max.min(axis.bins().saturating_sub(2));
        (limit(&self.rows), limit(&self.columns))
    }

    fn fit(&self, degrees: Degrees, start: Option<&Fit>) -> Option<Fit> {
        Fit::new(&self.rows, &self.columns, self.simulation.sum_weights, self.weight, degrees, start)
    }

    fn raised(&self, degrees: Degrees) -> Degrees {
        let limits = self.limits();
        (limits.0.min(degrees.0 + 1), limits.1.min(degrees.1 + 1))
    }

    /// Starts from a plane and raises the degree that the likelihood ratio asks for most, until it asks for none.
    fn by_likelihood_ratio(&self) -> Option<Fit> {
        let limits = self.limits();
        let mut now = self.fit((limits.0.min(1), limits.1.min(1)), None)?;
        loop {
            let (row, column) = now.degrees;
            let mut best: Option<(f64, Fit)> = None;
            for degrees in [(row + 1, column), (row, column + 1)] {
                if degrees.0 > limits.0 || degrees.1 > limits.1 {
                    continue;
                }
                let next = self.fit(degrees, Some(&now))?;
                let ratio = (2.0 * (next.log_likelihood - now.log_likelihood) / self.weight).max(0.0);
                let p = special::chi_squared_survival(ratio, (next.count() - now.count()) as u32);
                if p < self.settings.improvement_p && best.as_ref().is_none_or(|(smallest, _)| p < *smallest) {
                    best = Some((p, next));
                }
            }
            match best {
                Some((_, next)) => now = next,
                None => return Some(now),
            }
        }
    }

    fn closure(&self, fit: &Fit) -> Closure {
        let groups = self.merge(&fit.values);
        let (mut chi_squared, mut largest) = (0.0, (0.0_f64, 0..0));
        for cells in &groups {
            let smooth: f64 = fit.values[cells.clone()].iter().sum();
            let seen: f64 = self.simulation.sum_weights[cells.clone()].iter().sum();
            let squared: f64 = self.simulation.sum_squared_weights[cells.clone()].iter().sum();
            let weight = if seen > 0.0 { squared / seen } else { self.weight };
            let pull = (seen - smooth) / (smooth * weight).sqrt();
            chi_squared += pull * pull;
            if pull.abs() > largest.0.abs() {
                largest = (pull, cells.clone());
            }
        }
        let degrees_of_freedom = groups.len().saturating_sub(fit.count());
        // Without a degree of freedom nothing was tested, which must not read as success.
        let p = match degrees_of_freedom {
            0 => 0.0,
            freedom => special::chi_squared_survival(chi_squared, freedom as u32),
        };
        Closure {
            degrees: fit.degrees,
            parameters: fit.count(),
            merged_cells: groups.len(),
            chi_squared,
            degrees_of_freedom,
            p,
            largest_pull: largest.0,
            largest_pull_cells: largest.1,
        }
    }

    /// Runs of flat cells with at least the smallest expected effective count; a rest joins the run before it.
    fn merge(&self, values: &[f64]) -> Vec<Range<usize>> {
        let least = self.settings.merged_minimum * self.weight;
        let columns = self.columns.bins();
        let (mut groups, mut start, mut sum) = (Vec::<Range<usize>>::new(), 0, 0.0);
        for (cell, value) in values.iter().enumerate() {
            sum += value;
            let row_ends = (cell + 1) % columns == 0;
            if sum >= least {
                groups.push(start..cell + 1);
                (start, sum) = (cell + 1, 0.0);
            } else if row_ends && groups.last().is_some_and(|group| group.start / columns == cell / columns) {
                // The thin end of a row belongs to it rather than to the thick start of the next.
                if let Some(last) = groups.last_mut() {
                    last.end = cell + 1;
                }
                (start, sum) = (cell + 1, 0.0);
            }
        }
        if start < values.len()
            && let Some(last) = groups.last_mut()
        {
            last.end = values.len();
        }
        groups
    }
}

fn no_convergence() -> crate::Error {
    Fault::new(NAME, "the fit of the simulation does not converge")
        .because("large parts of the plane may be empty")
        .suggest("Narrow the plane to where the simulation has events, or use a larger one.")
        .data()
}

fn not_closed(closure: &Closure, settings: &Smoothing) -> crate::Error {
    let (row, column) = closure.degrees;
    let problem = format!(
        "the smooth expectation does not describe the simulation: chi-squared {:.1} for {} degrees of freedom, p = {:.2e}, \
         largest pull {:.1} in cells {} to {}",
        closure.chi_squared,
        closure.degrees_of_freedom,
        closure.p,
        closure.largest_pull,
        closure.largest_pull_cells.start,
        closure.largest_pull_cells.end
    );
    Fault::new(NAME, problem)
        .because(format!("degrees up to {} were tried, the best are {row} x {column}", settings.degree_max))
        .suggest("Raise degree_max, narrow the range, or use a given or a raw expectation.")
        .data()
}

#[cfg(test)]
mod tests;
