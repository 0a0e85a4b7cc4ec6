//! The kinds of plots, each a plain struct of numbers that knows how to draw itself (SVG) and to list itself (CSV).

pub mod convergence;
pub mod distributions;
pub mod history;
pub mod maximum;
pub mod plane;
pub mod spectrum;
pub mod tomography;

pub use convergence::{Convergence, ConvergencePoint, TailLevel};
pub use distributions::{Curve, DistributionsPlot, Mark};
pub use history::TrainingHistory;
pub use maximum::MaximumDistribution;
pub use plane::{PlaneCell, PlaneMap};
pub use spectrum::SpectrumPlot;
pub use tomography::{Tomography, TomographyWindow};

use super::markup::Element;

/// Any of the plots.
#[derive(Debug, Clone)]
pub enum Plot {
    /// A spectrum with its pull panel.
    Spectrum(SpectrumPlot),
    /// Distributions over one another.
    Distributions(DistributionsPlot),
    /// The local significance in a plane of bins and windows.
    Plane(PlaneMap),
    /// The largest significance of the toys.
    Maximum(MaximumDistribution),
    /// The local p-value of each window of a 1D scan.
    Tomography(Tomography),
    /// The global p-value with the number of toys.
    Convergence(Convergence),
    /// The losses of a training.
    History(TrainingHistory),
}

impl Plot {
    /// The picture. `id` makes its inner names unique in a page with several plots.
    pub fn draw(&self, id: &str) -> Element {
        match self {
            Self::Spectrum(plot) => plot.draw(id),
            Self::Distributions(plot) => plot.draw(id),
            Self::Plane(plot) => plot.draw(id),
            Self::Maximum(plot) => plot.draw(id),
            Self::Tomography(plot) => plot.draw(id),
            Self::Convergence(plot) => plot.draw(id),
            Self::History(plot) => plot.draw(id),
        }
    }

    /// The picture as a file of its own.
    pub fn svg(&self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", self.draw("plot"))
    }

    /// The numbers behind, with a header line that names units.
    pub fn csv(&self) -> String {
        match self {
            Self::Spectrum(plot) => plot.csv(),
            Self::Distributions(plot) => plot.csv(),
            Self::Plane(plot) => plot.csv(),
            Self::Maximum(plot) => plot.csv(),
            Self::Tomography(plot) => plot.csv(),
            Self::Convergence(plot) => plot.csv(),
            Self::History(plot) => plot.csv(),
        }
    }
}
