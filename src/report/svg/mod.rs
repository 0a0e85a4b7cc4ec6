//! What the plots are drawn with: [`Scale`]s from values to places, [`ticks`](ticks::ticks), [`Panel`]s with their axes,
//! and the few shapes that all plots share.

pub mod colour;
pub mod panel;
pub mod scale;
pub mod shapes;
pub mod ticks;

pub use panel::{AxisTitle, Panel};
pub use scale::{Scale, Spacing};
