//! Campaigns: what joins the stages to a run, and what a run leaves behind.
//!
//! [`output::Output`] is a folder that appears complete or not at all; [`manifest::Manifest`] says how to repeat what is in
//! it; [`progress::Progress`] says how far a run is; [`interrupt::Interrupt`] is how it is asked to stop.

mod answer;
mod answered;
mod benchmark;
mod benchmark_networks;
mod binned;
mod channels;
pub mod checkpoint;
mod demo;
mod distributions;
mod expect;
mod figures;
mod from_events;
mod inject;
pub mod interrupt;
pub mod manifest;
mod model;
pub mod output;
mod pipeline;
mod plan;
mod present;
pub mod progress;
mod rare;
pub mod request;
mod run;
mod sample;
pub mod search;
pub mod segment;
mod survivors;
mod thrower;
mod toys;

pub use answer::{Bump, Found, Outcome, SelectedEvents};
pub use benchmark::{BenchmarkCase, Measured, benchmark};
pub use benchmark_networks::{AucDifference, MeasuredNetworks, NetworkCase, benchmark_networks};
pub use demo::{FOLDER as DEMO_FOLDER, SEED as DEMO_SEED, demo};
pub use inject::{Injected, inject};
pub use interrupt::Interrupt;
pub use manifest::Manifest;
pub use model::{ScoreRequest, score};
pub use output::Output;
pub use plan::{Plan, PlannedStage, check};
pub use progress::{Progress, Speech, Stage};
pub use rare::{RareTail, Role};
pub use request::{DemoRequest, RunRequest, ToyPart};
pub use run::run;
pub use toys::{ThrownToys, merge_toys, show_toys, throw_toys};
