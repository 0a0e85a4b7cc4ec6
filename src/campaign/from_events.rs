//! From event files to histograms, and on to a global significance.

use super::answer::{Found, Outcome, SelectedEvents};
use super::distributions;
use super::expect;
use super::figures::{self, Quantity, Style};
use super::manifest::SkippedRecord;
use super::model;
use super::present::{Asked, Hunted, present};
use super::run::Run;
use super::sample;
use super::search::SearchSettings;
use super::segment::Streamed;
use super::survivors::Gathered;
use crate::card::{EventWork, Histogrammed, Role, Sample, Search};
use crate::error::{Fault, Result};
use crate::events::{BadFiles, EventSource};
use crate::math::exact::WeightScale;
use crate::report::{Cutflow, CutflowRow, DataFile};
use crate::spectrum::{Axis, Fill, Filling, Histogram, Spectrum, uhi};
use crate::toys::Summary;

/// Runs a card over events. If it ends early, the samples that were finished are kept beside the output folder.
pub(super) fn run(mut run: Run, work: &EventWork) -> Result<Outcome> {
    match answer(&mut run, work) {
        Ok((found, selected)) => run.finish(found, selected),
        Err(error) => {
            run.keep_finished(&error);
            Err(error)
        }
    }
}

/// The result of the search, if there is one, and else the selected events of each sample.
fn answer(run: &mut Run, work: &EventWork) -> Result<(Option<Found>, SelectedEvents)> {
    let (filled, gathered) = fill(run, work, Finished::Noted)?;
    // Before the search, which may take longer: what is wrong with features is known early.
    if let Some(settings) = &work.model {
        model::train(run, work, settings, &gathered)?;
    }
    let found = match &work.search {
        None => {
            run.report.answer.headline = match work.model {
                None => "Histograms were filled; the card asks for no search.".into(),
                Some(_) => "Networks were trained on the selected events; the card asks for no search.".into(),
            };
            draw(run, work, &filled)?;
            let samples = work.samples.iter().map(|sample| sample.name.clone());
            (None, samples.zip(filled.iter().map(|streamed| streamed.survivors)).collect())
        }
        Some(settings) => {
            let hunted = hunt(run, work, settings, &filled)?;
            (Some(present_search(run, work, settings, &hunted)?), Vec::new())
        }
    };
    run.report.figures.extend(distributions::figures(&run.card.name, work, &filled)?);
    run.progress.interrupted()?;
    Ok(found)
}

/// Throws a part of the toys.
pub(super) fn throw(mut run: Run, work: &EventWork) -> Result<Summary> {
    let Some(settings) = &work.search else {
        let fault = Fault::new("campaign.toys", "the card asks for no search");
        return Err(fault.because("there is nothing to throw toys for").suggest("Add [toys] to it.").usage());
    };
    let (filled, _) = fill(&mut run, work, Finished::Forgotten)?;
    Ok(hunt(&mut run, work, settings, &filled)?.searched.summary)
}

/// What becomes of finished samples if the run ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finished {
    /// They are kept.
    Noted,
    /// Nobody asked for them.
    Forgotten,
}

/// Selects and fills every sample, and gathers what networks need of it.
fn fill(run: &mut Run, work: &EventWork, finished: Finished) -> Result<(Vec<Streamed>, Vec<Gathered>)> {
    let sources = open_all(work, run.bad_files)?;
    let fillings = fillings(work)?;
    // Whoever throws toys trains nothing.
    let asked = work.model.as_ref().filter(|_| finished == Finished::Noted);
    let (mut filled, mut all_gathered) = (Vec::new(), Vec::new());
    for (sample, source) in work.samples.iter().zip(&sources) {
        let mut gathered = asked.map(|settings| Gathered::of(model::variables(settings, work), settings.region));
        filled.push(sample::stream(run, work, sample, source, &fillings, gathered.as_mut())?);
        all_gathered.extend(gathered);
        record_inputs(run, &sample.name, source)?;
        record_histograms(run, work, &filled)?;
        if finished == Finished::Noted {
            run.note_finished(&sample.name)?;
        }
    }
    let mut holds = String::from("What was filled, for each sample, in UHI form (schema 1)");
    if !work.distributions.variables.is_empty() {
        holds.push_str("; the distribution of v in a sample is SAMPLE/v");
    }
    run.report.files.push(DataFile { path: HISTOGRAMS.into(), holds: format!("{holds}.") });
    Ok((filled, all_gathered))
}

/// Records the files of a sample that were read.
pub(super) fn record_inputs(run: &mut Run, sample: &str, source: &EventSource) -> Result<()> {
    for (file, rows) in source.files_and_rows() {
        // A file that opened well may have failed later.
        let is_skipped = |skipped: &SkippedRecord| skipped.sample == sample && skipped.path == *file;
        if !run.manifest.skipped.iter().any(is_skipped) {
            run.record_input(sample, file, Some(rows))?;
        }
    }
    Ok(())
}

/// Opens the files of every sample; the problems of all are reported at once.
fn open_all(work: &EventWork, bad_files: BadFiles) -> Result<Vec<EventSource>> {
    let mut problems = crate::error::Problems::default();
    let mut sources = Vec::new();
    for sample in &work.samples {
        let opened = sample::open(work, sample, bad_files);
        sources.extend(problems.take(opened));
    }
    problems.finish().map(|()| sources)
}

/// The axes that are filled: m_Y and the m_X cells of a plane, or the bins of a spectrum.
fn axes(work: &EventWork) -> Result<Vec<Axis>> {
    let name = |variable: usize| work.selection.variables().nth(variable).unwrap_or("").to_owned();
    match &work.histogrammed {
        Histogrammed::Spectrum { variable, edges, unit } => Ok(vec![Axis::new(name(*variable), unit, edges.clone())?]),
        Histogrammed::Plane { plane, row, column, unit } => Ok(vec![
            Axis::new(name(*row), unit, plane.m_y_edges_gev().to_vec())?,
            Axis::new(name(*column), unit, plane.m_x_edges_gev().to_vec())?,
        ]),
    }
}

/// What is searched, and behind it what is drawn besides.
fn fillings(work: &EventWork) -> Result<Vec<Filling>> {
    let variables = match &work.histogrammed {
        Histogrammed::Spectrum { variable, .. } => vec![*variable],
        Histogrammed::Plane { row, column, .. } => vec![*row, *column],
    };
    let searched = Filling { fill: Fill::new(axes(work)?, WeightScale::UNIT)?, variables };
    Ok(std::iter::once(searched).chain(work.distributions.fillings()?).collect())
}

/// The histogram of a sample that is searched.
fn searched(streamed: &Streamed) -> &Spectrum {
    &streamed.spectra[0]
}

/// The file with the histograms of every sample.
const HISTOGRAMS: &str = "histograms.json";

/// The histograms of the samples so far, and the cutflow of the last of them, as files and in the report.
fn record_histograms(run: &mut Run, work: &EventWork, filled: &[Streamed]) -> Result<()> {
    let of_sample = |(sample, all): (&Sample, &Streamed)| {
        let beside = work.distributions.variables.iter().zip(&all.spectra[1..]);
        let named = beside.map(|(drawn, spectrum)| (format!("{}/{}", sample.name, drawn.axis.name()), spectrum));
        let named = std::iter::once((sample.name.clone(), searched(all))).chain(named);
        named.map(|(name, spectrum)| (name, spectrum.histogram())).collect::<Vec<_>>()
    };
    let histograms: Vec<(String, Histogram)> = work.samples.iter().zip(filled).flat_map(of_sample).collect();
    let named: Vec<(&str, &Histogram)> =
        histograms.iter().map(|(name, histogram)| (name.as_str(), histogram)).collect();
    run.output.rewrite_text(HISTOGRAMS, &uhi::write(&named))?;
    if let Some((sample, all)) = work.samples.iter().zip(filled).next_back() {
        for spectrum in &all.spectra {
            let variables = spectrum.axes().iter().map(|axis| axis.name().to_owned()).collect();
            run.record_not_a_number(&sample.name, variables, spectrum.not_a_number());
        }
        if let Some(words) = distributions::in_no_class(work, all)? {
            run.note("Classes", format!("{words} of {}", sample.name));
        }
        let table = all.cutflow.table();
        let name = format!("cutflow-{}.csv", sample.name);
        run.write(&name, &table.csv(), &format!("The cutflow of {}.", sample.name))?;
        run.cutflows.push((sample.name.clone(), table.clone()));
        let rows = table.rows.into_iter().map(|row| CutflowRow {
            cut: row.label(),
            events: row.events,
            sum_of_weights: row.weights,
            error: row.error,
            efficiency: row.efficiency,
            relative_efficiency: row.relative_efficiency,
        });
        run.report.cutflows.push(Cutflow { sample: sample.name.clone(), rows: rows.collect() });
    }
    Ok(())
}

/// What was filled, as pictures: of a plane, both of its axes.
fn draw(run: &mut Run, work: &EventWork, filled: &[Streamed]) -> Result<()> {
    let style = Style {
        name: run.card.name.clone(),
        small_print: work.selection.cuts().map(str::to_owned).collect(),
        expected_name: String::new(),
    };
    for (sample, all) in work.samples.iter().zip(filled) {
        for (along, axis) in searched(all).axes().iter().enumerate() {
            let quantity = Quantity { name: axis.name().to_owned(), unit: axis.unit().to_owned() };
            let name = format!("spectrum-{}", run.report.figures.len() + 1);
            let contents = searched(all).project(along)?.histogram();
            let figure = figures::filled(&style, &quantity, &name, (&sample.name, sample.role), &contents);
            run.report.figures.push(figure);
        }
    }
    Ok(())
}

/// The sum of the histograms of one role.
fn sum(work: &EventWork, filled: &[Streamed], role: Role) -> expect::Contents {
    let of_role = work.samples.iter().zip(filled).filter(|(sample, _)| sample.role == role);
    expect::Contents::sum(of_role.map(|(_, streamed)| searched(streamed).histogram()))
}

fn hunt(run: &mut Run, work: &EventWork, settings: &Search, filled: &[Streamed]) -> Result<Hunted> {
    let (data, simulation) = (sum(work, filled, Role::Data), sum(work, filled, Role::Simulation));
    run.record_uncertainties(&settings.toys)?;
    let stage = run.progress.stage("expectation", "cells", Some(data.counts.len() as u64));
    let expectation = expect::expectation(&settings.expectation, work, &data, &simulation)?;
    stage.add(data.counts.len() as u64);
    run.record_stage(stage.finish());
    let windows = match &work.histogrammed {
        Histogrammed::Plane { plane, .. } => plane.windows()?,
        Histogrammed::Spectrum { edges, .. } => settings.windows.windows(&[0.0, 1.0], edges, expectation.values())?,
    };
    let numbers = SearchSettings {
        minimum_effective_count: settings.expectation.minimum_effective_count,
        scan: settings.scan,
        toys: settings.toys.clone(),
        seed: run.card.seed,
    };
    let quantities: Vec<Quantity> = axes(work)?
        .iter()
        .map(|axis| Quantity { name: axis.name().to_owned(), unit: axis.unit().to_owned() })
        .collect();
    let named: Vec<&Quantity> = quantities.iter().collect();
    let searched = run.search(windows, &expectation, &data.counts, &numbers, &named)?;
    Ok(Hunted { observed: data.counts, expectation, searched, quantities })
}

/// The figures, the answer and the files of a search.
fn present_search(run: &mut Run, work: &EventWork, settings: &Search, hunted: &Hunted) -> Result<Found> {
    let style = Style {
        name: run.card.name.clone(),
        small_print: work.selection.cuts().map(str::to_owned).collect(),
        expected_name: expect::name(&hunted.expectation).into(),
    };
    // The answer puts what is known already behind its own.
    run.report.answer.facts.extend(expect::describe(&hunted.expectation));
    let is_plane = matches!(work.histogrammed, Histogrammed::Plane { .. });
    let asked = Asked {
        style,
        expected_error: Vec::new(),
        scan: settings.scan,
        along_rows: settings.windows.hunter(),
        columns: settings.columns,
        toys: &settings.toys,
        windows_are_listed: is_plane || settings.windows.is_listed(),
    };
    present(run, asked, hunted)
}
