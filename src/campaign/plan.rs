//! `trawl check`: what a card would do, without doing it.

use std::fmt;

use super::answer::plain;
use super::rare;
use super::request::RunRequest;
use super::run::skipped;
use super::sample;
use crate::card::{BinnedWork, Card, ChannelsWork, EventWork, Histogrammed, ModelKind, ModelSettings, Work};
use crate::error::{Problems, Result};
use crate::events::BadFiles;
use crate::features::jets::{JetCollection, JetMaker};
use crate::hunt::Scan;
use crate::report::number;
use crate::toys::{Experiment, Goal, Method, Number, ToySettings};

/// What a card would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The card's name.
    pub name: String,
    /// Where it would run.
    pub device: String,
    /// Where the results would go.
    pub output: String,
    /// The stages in their order.
    pub stages: Vec<PlannedStage>,
    /// The files that would be left out, and why.
    pub skipped: Vec<String>,
}

/// A stage of a plan.
#[derive(Debug, Clone)]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// How many units it has, where that is known beforehand.
    pub units: Option<u64>,
    /// What a unit is.
    pub unit: &'static str,
    /// What else there is to say: bytes, columns, windows.
    pub detail: String,
}

/// Reads the card, opens its inputs and checks their columns; writes and computes nothing.
///
/// # Errors
/// Every problem of the card, or else of its inputs; a device that cannot be used.
pub fn check(request: &RunRequest) -> Result<Plan> {
    let card = Card::read(&request.card, &request.settings)?;
    let device = request.choose_device()?;
    let output = request.output.as_deref().unwrap_or(&card.output).display().to_string();
    let (stages, skipped) = match &card.work {
        Work::Events(work) => event_stages(work, request.bad_files)?,
        Work::Binned(work) => (binned_stages(work)?, Vec::new()),
        Work::Channels(work) => (channel_stages(work)?, Vec::new()),
    };
    Ok(Plan { name: card.name, device: device.to_string(), output, stages, skipped })
}

fn binned_stages(work: &BinnedWork) -> Result<Vec<PlannedStage>> {
    let (table, windows, expectation) = super::binned::load(&work.input, &work.windows)?;
    let (rows, columns, count, in_none) =
        (windows.rows(), windows.columns(), windows.len(), windows.cells_in_none().len());
    let (effective, exceedance) = (work.minimum_effective_count, work.toys.exceedance);
    let experiment = Experiment::new(windows, &expectation, effective, work.scan, exceedance)?;
    if let Some(uncertain) = &work.toys.uncertainty {
        uncertain.resolve(experiment.windows(), &expectation)?;
    }
    let mut detail = Vec::new();
    if work.input.rows.is_some() {
        detail.push(format!("{rows} rows of {columns} cells"));
    }
    if work.windows.is_listed() && in_none > 0 {
        detail.push(cells_in_none(in_none));
    }
    let (bins, events) = (table.observed.len(), table.observed.iter().sum());
    let path = work.input.path.display().to_string();
    let mut stages = table_stages(path, bins, (count, detail.join(", ")), &work.toys.goal, events);
    stages.extend(planned_tail(&work.toys, work.scan, false));
    Ok(stages)
}

fn channel_stages(work: &ChannelsWork) -> Result<Vec<PlannedStage>> {
    let (tables, channels) = super::channels::load(work)?;
    let bins: usize = tables.iter().map(|table| table.observed.len()).sum();
    let windows: usize = (0..channels.len()).map(|channel| channels.windows(channel).len()).sum();
    let paths: Vec<String> = work.inputs.iter().map(|(_, input)| input.path.display().to_string()).collect();
    let events = tables.iter().flat_map(|table| &table.observed).sum();
    let mut stages = table_stages(paths.join(", "), bins, (windows, String::new()), &work.toys.goal, events);
    stages.extend(planned_tail(&work.toys, work.scan, true));
    Ok(stages)
}

fn cells_in_none(cells: usize) -> String {
    format!("{} cells in no window", number::count(cells as u64))
}

/// The stages of a hunt in tables.
fn table_stages(
    paths: String,
    bins: usize,
    (windows, detail): (usize, String),
    goal: &Goal,
    events: u64,
) -> Vec<PlannedStage> {
    let stage = |name: &str, units: usize, unit, detail| PlannedStage {
        name: name.into(),
        units: Some(units as u64),
        unit,
        detail,
    };
    vec![
        stage("read", bins, "bins", paths),
        stage("scan", windows, "windows", detail),
        planned_toys(goal, Some(events), String::new()),
    ]
}

/// The stages, and the files that cannot be opened. Whether a file can be read to its end is not known before it is read.
fn event_stages(work: &EventWork, bad_files: BadFiles) -> Result<(Vec<PlannedStage>, Vec<String>)> {
    let mut problems = Problems::default();
    let (mut stages, mut left_out) = (Vec::new(), Vec::new());
    for sample in &work.samples {
        let opened = sample::open(work, sample, bad_files);
        let Some(source) = problems.take(opened) else { continue };
        left_out.extend(
            source.skipped().iter().map(|file| skipped(&sample.name, &file.path, file.rows, &file.error.to_string())),
        );
        let selection = work.selection.with_weight(sample.weight.with_sum(1.0)?);
        let maker = JetMaker::new(&work.jets, selection.projection())?;
        let projection = maker.read();
        let columns = projection.collections.iter().map(|collection| collection.quantities.len()).sum::<usize>();
        let made = if maker.is_idle() { String::new() } else { jets_of(&work.jets) };
        stages.push(PlannedStage {
            name: format!("select {}", sample.name),
            units: Some(source.rows()),
            unit: "events",
            detail: format!(
                "{} file(s), {} column(s) of {} collection(s), {} scalar(s){made}",
                source.files().len(),
                columns,
                projection.collections.len(),
                projection.scalars.len()
            ),
        });
    }
    problems.finish()?;
    let (cells, windows, in_none) = match &work.histogrammed {
        Histogrammed::Plane { plane, .. } => {
            let windows = plane.windows()?;
            (plane.cells(), Some(windows.len() as u64), windows.cells_in_none().len())
        }
        Histogrammed::Spectrum { edges, .. } => (edges.len() - 1, None, 0),
    };
    // As a run does: what is wrong with features is known before the search, which may take longer.
    stages.extend(work.model.as_ref().map(planned_training));
    if let Some(search) = &work.search {
        let detail = format!("{cells} cells");
        stages.push(PlannedStage {
            name: "expectation".into(),
            units: Some(cells as u64),
            unit: "cells",
            detail: String::new(),
        });
        let hunted = match in_none {
            0 => detail.clone(),
            _ => format!("{detail}, {}", cells_in_none(in_none)),
        };
        stages.push(PlannedStage { name: "scan".into(), units: windows, unit: "windows", detail: hunted });
        stages.push(planned_toys(&search.toys.goal, None, detail));
        stages.extend(planned_tail(&search.toys, search.scan, false));
    }
    Ok((stages, left_out))
}

/// The training of networks.
fn planned_training(settings: &ModelSettings) -> PlannedStage {
    let features = settings.features.len() as u32;
    let (hidden, outputs, epochs, more) = match &settings.kind {
        ModelKind::Classifier(model) => {
            let folds = format!(", each event scored by {} of other folds", model.ensemble);
            (model.hidden.clone(), 1, model.learning.epochs, folds)
        }
        ModelKind::Autoencoder(model) => {
            let decoder = model.encoder.iter().rev();
            let hidden = model.encoder.iter().chain([&model.latent]).chain(decoder).copied().collect();
            (hidden, features, model.learning.epochs, String::new())
        }
    };
    let layers = [features].into_iter().chain(hidden).chain([outputs]).map(|size| size.to_string());
    let detail = format!("{}, at most {epochs} epochs{more}", layers.collect::<Vec<_>>().join("-"));
    PlannedStage { name: "train".into(), units: Some(settings.kind.networks()), unit: "networks", detail }
}

/// What is clustered of what.
fn jets_of(jets: &[JetCollection]) -> String {
    let of = |jets: &JetCollection| format!("; jets '{}' of {}: {}", jets.name, jets.from, jets.cluster);
    jets.iter().map(of).collect()
}

/// The stage of the toys; how many are as many as `events` is known where those are.
fn planned_toys(goal: &Goal, events: Option<u64>, detail: String) -> PlannedStage {
    let number = match goal.number {
        Number::Toys(toys) => Some(toys),
        Number::Events => events,
    };
    let mut details = Vec::from_iter((!detail.is_empty()).then_some(detail));
    if goal.number == Number::Events {
        details.push("as many as events".into());
    }
    if let Some(accuracy) = goal.accuracy {
        let most = number::count(accuracy.maximum);
        details.push(format!("or more, until accurate to {} %, at most {most}", 100.0 * accuracy.relative));
    }
    PlannedStage { name: "toys".into(), units: number, unit: "toys", detail: details.join(", ") }
}

/// The stage of the rare tail where the card asks for it, or why there is none.
fn planned_tail(toys: &ToySettings, scan: Scan, combined: bool) -> Option<PlannedStage> {
    let (units, detail) = match rare::impossible(scan, combined) {
        _ if toys.method == Method::BruteForce => return None,
        Some(why) => (Some(0), format!("not estimated: {}; toys answer", plain(why))),
        None => (None, format!("at most {}; all exceed", number::count(toys.tail_maximum))),
    };
    Some(PlannedStage { name: "tail".into(), units, unit: "toys", detail })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "card    {}", self.name)?;
        writeln!(f, "device  {}", self.device)?;
        writeln!(f, "output  {}", self.output)?;
        for (place, stage) in self.stages.iter().enumerate() {
            let units = stage.units.map_or("?".into(), number::count);
            write!(f, "{:>2}. {:<20} {:>12} {:<8} {}", place + 1, stage.name, units, stage.unit, stage.detail)?;
            if place + 1 < self.stages.len() {
                writeln!(f)?;
            }
        }
        for file in &self.skipped {
            write!(f, "\nskipped {file}")?;
        }
        Ok(())
    }
}
