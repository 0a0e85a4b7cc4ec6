//! Bin edges.

use crate::error::{Fault, Problems, Result};
use crate::settings::Section;

const NAME: &str = "spectrum.axis";

/// No detector resolves more, and a number that was mistyped fails here rather than in an allocation.
const MOST_BINS: u32 = 1 << 24;

/// The bins of one variable: bin i is [edges\[i\], edges\[i + 1\]), lower edge in, upper edge out; below the first edge is
/// underflow, from the last edge on is overflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    name: String,
    unit: String,
    edges: Vec<f64>,
}

impl Axis {
    /// An axis with these edges.
    ///
    /// # Errors
    /// Fewer than two edges, or edges that are not finite and strictly ascending.
    ///
    /// ```
    /// use trawl::spectrum::Axis;
    /// let axis = Axis::new("m_Y", "GeV", vec![1300.0, 1400.0, 1600.0])?;
    /// assert_eq!((axis.bins(), axis.bins_with_flow()), (2, 4));
    /// assert_eq!([1299.9, 1300.0, 1400.0, 1600.0].map(|mass| axis.place_of(mass)), [0, 1, 2, 3]);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    pub fn new(name: impl Into<String>, unit: impl Into<String>, edges: Vec<f64>) -> Result<Self> {
        let name = name.into();
        let fault = |problem: String| Fault::new(NAME, format!("axis '{name}': {problem}")).usage();
        let mut problems = Problems::default();
        if edges.len() < 2 {
            problems.push(fault(format!("expected at least 2 edges, got {}", edges.len())));
        }
        if edges.len() > MOST_BINS as usize + 1 {
            problems.push(fault(format!("{} edges are more than {MOST_BINS} bins", edges.len())));
        }
        if let Some(index) = edges.iter().position(|edge| !edge.is_finite()) {
            problems.push(fault(format!("edge {} is {}, which is not finite", index + 1, edges[index])));
        }
        if let Some(index) = edges.windows(2).position(|pair| pair[0] >= pair[1]) {
            let (lower, upper) = (edges[index], edges[index + 1]);
            problems.push(fault(format!("edges must ascend, but {lower} is followed by {upper}")));
        }
        problems.finish().map(|()| Self { name, unit: unit.into(), edges })
    }

    /// `bins` bins of the same width: edge i is from + i (to - from) / bins.
    ///
    /// # Errors
    /// As [`Axis::new`].
    pub fn regular(name: impl Into<String>, unit: impl Into<String>, bins: u32, from: f64, to: f64) -> Result<Self> {
        let name = name.into();
        if bins == 0 || bins > MOST_BINS {
            let problem = format!("axis '{name}': expected 1 to {MOST_BINS} bins, got {bins}");
            return Err(Fault::new(NAME, problem).usage());
        }
        // The product first, so that the last edge is exactly `to` wherever the difference is.
        let edge =
            |index: u32| if index == bins { to } else { from + f64::from(index) * (to - from) / f64::from(bins) };
        Self::new(name, unit, (0..=bins).map(edge).collect())
    }

    /// Reads `unit` and either `edges` or `low`, `high` and `bins` of the axis `name`.
    ///
    /// `None` where there were mistakes.
    pub fn read(name: &str, section: &Section<'_>) -> Option<Self> {
        let unit = section.or("unit", String::new());
        if section.has("edges") {
            for key in ["low", "high", "bins"].into_iter().filter(|key| section.has(key)) {
                let _ = section.optional::<f64>(key);
                section.problem(key, "the bins are given by edges; leave one out");
            }
            let edges = section.required("edges");
            return section.check(Self::new(name, unit, edges?));
        }
        let (bins, low, high) = (section.or("bins", 40), section.required("low"), section.required("high"));
        section.check(Self::regular(name, unit, bins, low?, high?))
    }

    /// The variable.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its unit; empty where it has none.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The edges, one more than bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of bins without flow.
    pub fn bins(&self) -> usize {
        self.edges.len() - 1
    }

    /// The number of bins with underflow and overflow.
    pub fn bins_with_flow(&self) -> usize {
        self.edges.len() + 1
    }

    /// Where a value belongs: 0 underflow, 1 the first bin, and so on to overflow; NaN counts as underflow here.
    pub fn place_of(&self, value: f64) -> usize {
        super::fill::math::place_of(value, &self.edges) as usize
    }

    /// The axis with `factor` bins joined to one.
    ///
    /// # Errors
    /// A factor that does not divide the number of bins.
    pub(super) fn rebinned(&self, factor: usize) -> Result<Self> {
        if factor == 0 || !self.bins().is_multiple_of(factor) {
            let problem = format!("axis '{}': {} bins cannot be joined {factor} by {factor}", self.name, self.bins());
            return Err(Fault::new(NAME, problem).usage());
        }
        Ok(Self { edges: self.edges.iter().copied().step_by(factor).collect(), ..self.clone() })
    }
}
