//! Filled spectra: [`Spectrum`] holds exact sums and adds, projects and rebins them exactly; [`Histogram`] holds the same
//! as f64, each rounded once, for fits, plots and files.

use super::{Axis, Fill};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::exact::WeightScale;
use crate::selection::tally::{Tally, WeightedCount};

const NAME: &str = "spectrum.histogram";

/// A spectrum of one or two variables with exact sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    axes: Vec<Axis>,
    scale: WeightScale,
    /// With flow, the last axis fastest.
    bins: Vec<WeightedCount>,
    not_a_number: WeightedCount,
}

impl Spectrum {
    /// Reads what was filled.
    ///
    /// # Errors
    /// An accumulator that is not of this fill.
    pub fn new(fill: &Fill, filled: &Tally<Host>) -> Result<Self> {
        let mut bins = filled.rows()?;
        if bins.len() != fill.rows() {
            let (expected, got) = (fill.rows(), bins.len());
            return Err(Fault::new(NAME, format!("expected {expected} rows of a spectrum, got {got}")).data());
        }
        // There is at least the row for NaN.
        let not_a_number = bins.pop().unwrap_or_default();
        Ok(Self { axes: fill.axes().to_vec(), scale: fill.scale(), bins, not_a_number })
    }

    /// The axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The entries with a NaN among their values, which are in no bin.
    pub fn not_a_number(&self) -> u64 {
        self.not_a_number.events
    }

    /// Adds the entries of another spectrum.
    ///
    /// # Errors
    /// Other axes, another range of weights, or a sum that leaves 128 bits.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.axes != other.axes || self.scale != other.scale {
            let names = |spectrum: &Self| spectrum.axes.iter().map(Axis::name).collect::<Vec<_>>().join(" x ");
            return Err(Fault::new(
                NAME,
                format!("the spectra '{}' and '{}' cannot be added", names(self), names(other)),
            )
            .because("their axes or their ranges of weights differ")
            .data());
        }
        self.not_a_number.merge(&other.not_a_number)?;
        self.bins.iter_mut().zip(&other.bins).try_for_each(|(bin, more)| bin.merge(more))
    }

    /// The spectrum of the axis at `kept` alone, summed over everything of the other, flow included.
    ///
    /// # Errors
    /// No such axis, or a sum that leaves 128 bits.
    pub fn project(&self, kept: usize) -> Result<Self> {
        let Some(axis) = self.axes.get(kept) else {
            return Err(Fault::new(NAME, format!("there is no axis {kept} of {}", self.axes.len())).usage());
        };
        let inner = self.inner_bins();
        let mut bins = vec![WeightedCount::default(); axis.bins_with_flow()];
        for (index, bin) in self.bins.iter().enumerate() {
            let along = [index / inner, index % inner][if self.axes.len() == 1 { 1 } else { kept }];
            bins[along].merge(bin)?;
        }
        Ok(Self { axes: vec![axis.clone()], bins, ..self.clone() })
    }

    /// The spectrum of the second axis alone, of entries in a bin of the first. Those whose second value is NaN are not known apart:
    /// none is counted here.
    ///
    /// # Errors
    /// One axis, or no such bin.
    pub fn slice(&self, bin: usize) -> Result<Self> {
        let [first, second] = &self.axes[..] else {
            return Err(Fault::new(NAME, "a spectrum of one axis has no slices").usage());
        };
        if bin >= first.bins() {
            return Err(Fault::new(NAME, format!("there is no bin {bin} of {}", first.bins())).usage());
        }
        // Underflow comes first.
        let start = (bin + 1) * self.inner_bins();
        let bins = self.bins[start..start + self.inner_bins()].to_vec();
        Ok(Self { axes: vec![second.clone()], bins, not_a_number: WeightedCount::default(), ..*self })
    }

    /// The same with `factor` bins of the axis at `along` joined to one.
    ///
    /// # Errors
    /// No such axis, a factor that does not divide its bins, or a sum that leaves 128 bits.
    pub fn rebin(&self, along: usize, factor: usize) -> Result<Self> {
        let Some(axis) = self.axes.get(along) else {
            return Err(Fault::new(NAME, format!("there is no axis {along} of {}", self.axes.len())).usage());
        };
        let mut axes = self.axes.clone();
        axes[along] = axis.rebinned(factor)?;
        let (old_inner, last) = (self.inner_bins(), self.axes.len() - 1);
        let new_inner = axes[last].bins_with_flow();
        let joined = |place: usize, axis_index: usize| match place {
            place if axis_index != along || place == 0 => place,
            place if place == axis.bins() + 1 => axis.bins() / factor + 1,
            place => (place - 1) / factor + 1,
        };
        let mut bins = vec![WeightedCount::default(); axes.iter().map(Axis::bins_with_flow).product()];
        for (index, bin) in self.bins.iter().enumerate() {
            let (outer, inner) = (index / old_inner, index % old_inner);
            let outer = if last == 0 { 0 } else { joined(outer, 0) };
            bins[outer * new_inner + joined(inner, last)].merge(bin)?;
        }
        Ok(Self { axes, bins, ..self.clone() })
    }

    /// The bins of the last axis, with flow.
    fn inner_bins(&self) -> usize {
        self.axes[self.axes.len() - 1].bins_with_flow()
    }

    /// The sums as f64, each rounded once.
    pub fn histogram(&self) -> Histogram {
        Histogram {
            axes: self.axes.clone(),
            counts: Some(self.bins.iter().map(|bin| bin.events).collect()),
            sumw: self.bins.iter().map(|bin| bin.sum(self.scale)).collect(),
            sumw2: self.bins.iter().map(|bin| bin.sum_of_squares(self.scale)).collect(),
        }
    }
}

/// A histogram of one or two variables: bins with flow (place 0 is underflow, the last overflow), the last axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The axes.
    pub axes: Vec<Axis>,
    /// Entries of each bin; `None` where a file gives weighted sums only.
    pub counts: Option<Vec<u64>>,
    /// Sum of weights of each bin.
    pub sumw: Vec<f64>,
    /// Sum of squared weights of each bin.
    pub sumw2: Vec<f64>,
}

impl Histogram {
    /// A histogram of counts without weights, given with or without flow bins, the last axis fastest; flow bins that are not
    /// given are 0.
    ///
    /// # Errors
    /// No axis or more than two, or a number of counts that fits the axes neither way.
    pub fn of_counts(axes: Vec<Axis>, counts: &[u64]) -> Result<Self> {
        let places = places(&axes, counts.len())?;
        let mut with_flow = vec![0; axes.iter().map(Axis::bins_with_flow).product()];
        places.zip(counts).for_each(|(place, count)| with_flow[place] = *count);
        let sumw: Vec<f64> = with_flow.iter().map(|count| *count as f64).collect();
        Ok(Self { axes, counts: Some(with_flow), sumw2: sumw.clone(), sumw })
    }

    /// A histogram of sums and sums of squares, given with or without flow bins.
    ///
    /// # Errors
    /// As [`Histogram::of_counts`]; also values that are not finite, and negative sums of squares.
    pub fn of_sums(axes: Vec<Axis>, sumw: &[f64], sumw2: &[f64]) -> Result<Self> {
        if sumw.len() != sumw2.len() {
            let problem = format!("{} sums of weights, but {} of squares", sumw.len(), sumw2.len());
            return Err(Fault::new(NAME, problem).data());
        }
        if sumw.iter().chain(sumw2).any(|sum| !sum.is_finite()) || sumw2.iter().any(|sum| *sum < 0.0) {
            return Err(Fault::new(NAME, "a bin is not finite, or has a negative variance").data());
        }
        let places: Vec<usize> = places(&axes, sumw.len())?.collect();
        let with_flow = |sums: &[f64]| {
            let mut all = vec![0.0; axes.iter().map(Axis::bins_with_flow).product()];
            places.iter().zip(sums).for_each(|(place, sum)| all[*place] = *sum);
            all
        };
        Ok(Self { counts: None, sumw: with_flow(sumw), sumw2: with_flow(sumw2), axes })
    }

    /// Sums of weights of the bins without flow, the last axis fastest.
    pub fn values_without_flow(&self) -> Vec<f64> {
        self.inside().map(|place| self.sumw[place]).collect()
    }

    /// Sums of squared weights of the bins without flow.
    pub fn variances_without_flow(&self) -> Vec<f64> {
        self.inside().map(|place| self.sumw2[place]).collect()
    }

    /// Entries of the bins without flow; empty where they are not known.
    pub fn counts_without_flow(&self) -> Vec<u64> {
        self.counts.as_ref().map(|counts| self.inside().map(|place| counts[place]).collect()).unwrap_or_default()
    }

    fn inside(&self) -> impl Iterator<Item = usize> {
        places_inside(&self.axes)
    }
}

/// The places of the bins that are no flow, among those with flow.
fn places_inside(axes: &[Axis]) -> impl Iterator<Item = usize> + use<> {
    let (last, first) = (axes[axes.len() - 1].clone(), (axes.len() == 2).then(|| axes[0].bins()));
    let (bins, stride) = (last.bins(), last.bins_with_flow());
    let rows = match first {
        Some(rows) => 1..=rows,
        None => 0..=0,
    };
    rows.flat_map(move |row| (1..=bins).map(move |column| row * stride + column))
}

/// The places of `given` bins: all with flow, or those without.
fn places(axes: &[Axis], given: usize) -> Result<Box<dyn Iterator<Item = usize>>> {
    if !(1..=2).contains(&axes.len()) {
        return Err(Fault::new(NAME, format!("expected 1 or 2 axes, got {}", axes.len())).usage());
    }
    let with_flow: usize = axes.iter().map(Axis::bins_with_flow).product();
    let without: usize = axes.iter().map(Axis::bins).product();
    match given {
        all if all == with_flow => Ok(Box::new(0..with_flow)),
        inside if inside == without => Ok(Box::new(places_inside(axes))),
        other => {
            Err(Fault::new(NAME, format!("expected {without} bins, or {with_flow} with flow, got {other}")).data())
        }
    }
}
