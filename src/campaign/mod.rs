//! Campaigns: what joins the stages to a run, and what a run leaves behind.
//!
//! [`output::Output`] is a folder that appears complete or not at all; [`manifest::Manifest`] says how to repeat what is in
//! it; [`progress::Progress`] says how far a run is; [`interrupt::Interrupt`] is how it is asked to stop.

pub mod interrupt;
pub mod manifest;
pub mod output;
pub mod progress;
pub mod request;

pub use interrupt::Interrupt;
pub use manifest::Manifest;
pub use output::Output;
pub use progress::{Progress, Speech, Stage};
pub use request::{DemoRequest, RunRequest};
