//! Reports: a self-contained HTML page with hand-written SVG plots, and the numbers behind them as CSV.
//!
//! What it takes are plain structs ([`ReportData`], the plots of [`plot`]); what it gives are texts. It reads no files,
//! computes no physics and knows no campaign: pulls, p-values and significances come in ready. The page needs no scripts,
//! no fonts beyond the generic sans-serif, and nothing from elsewhere, so that it opens offline, prints, and survives
//! being mailed. Plots follow the habits of the LHC experiments: label at the top left, ticks inside on all sides,
//! error bars on data points only, the expectation as a step, pulls in a panel that shares the x axis.
//!
//! Every text is escaped where it is written ([`markup`]) and every number that is not finite has a place
//! ([`svg::Scale::place`]), so that no input breaks a page.
//!
//! Cost: a plane of 27 x 57 windows is about 400 kB of SVG; everything else is small.
//!
//! ```
//! use trawl::report::plot::{Plot, SpectrumPlot};
//! use trawl::report::svg::{AxisTitle, Spacing, panel::PlotLabel};
//! use trawl::report::{Figure, ReportData};
//!
//! let spectrum = SpectrumPlot {
//!     label: PlotLabel::new("demo").line("≥ 2 large-*R* jets"),
//!     axis: AxisTitle::new("*m*_{JJ}", "GeV"),
//!     spacing: Spacing::Linear,
//!     edges: vec![1300.0, 1400.0, 1500.0],
//!     observed: vec![12.0, 3.0],
//!     expected: vec![10.5, 4.2],
//!     expected_error: vec![],
//!     pulls: vec![0.4, -0.5],
//!     observed_name: "Data".into(),
//!     expected_name: "Smoothed simulation".into(),
//!     marked: None,
//! };
//! let report = ReportData {
//!     title: "demo".into(),
//!     figures: vec![Figure::new("spectrum", "Dijet mass", "All selected events.", Plot::Spectrum(spectrum))],
//!     ..ReportData::default()
//! };
//! let names: Vec<String> = report.texts().into_iter().map(|(name, _)| name).collect();
//! assert_eq!(names, ["spectrum.svg", "spectrum.csv", "report.html"]);
//! ```

pub mod data;
pub mod markup;
pub mod number;
pub mod page;
pub mod plot;
pub mod rich;
pub mod svg;
mod tables;

pub use data::{
    Answer, Cutflow, CutflowRow, DataFile, Fact, Figure, InputFile, LeftOut, ReportData, StageTiming, Verdict,
};
