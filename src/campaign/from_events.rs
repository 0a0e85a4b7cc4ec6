//! From event files to histograms, and on to a global significance.

use super::answer::{Bump, Found, Outcome, SelectedEvents};
use super::expect;
use super::figures::{self, Bins, Quantity, Style};
use super::run::Run;
use super::sample;
use super::search::{SearchSettings, Searched};
use super::segment::Streamed;
use crate::Device;
use crate::card::{ColumnSearch, EventWork, Histogrammed, Role, Search};
use crate::error::{Fault, Result};
use crate::events::{BadFiles, EventSource};
use crate::hunt::{Findings, WindowExpectation, Windows};
use crate::report::{Cutflow, CutflowRow, DataFile, Fact, number};
use crate::spectrum::{Axis, Expectation, Histogram, uhi};
use crate::toys::{ColumnHunt, ColumnHunts, Stopping, Summary};

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
    let filled = fill(run, work, Finished::Noted)?;
    let answer = match &work.search {
        None => {
            run.report.answer.headline = "Histograms were filled; the card asks for no search.".into();
            draw(run, work, &filled)?;
            let samples = work.samples.iter().map(|sample| sample.name.clone());
            (None, samples.zip(filled.iter().map(|streamed| streamed.survivors)).collect())
        }
        Some(settings) => {
            let hunted = hunt(run, work, settings, &filled)?;
            (Some(present(run, work, settings, hunted)?), Vec::new())
        }
    };
    run.progress.interrupted()?;
    Ok(answer)
}

/// Throws a part of the toys.
pub(super) fn throw(mut run: Run, work: &EventWork) -> Result<Summary> {
    let Some(settings) = &work.search else {
        let fault = Fault::new("campaign.toys", "the card asks for no search");
        return Err(fault.because("there is nothing to throw toys for").suggest("Add [toys] to it.").usage());
    };
    let filled = fill(&mut run, work, Finished::Forgotten)?;
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

/// Selects and fills every sample.
fn fill(run: &mut Run, work: &EventWork, finished: Finished) -> Result<Vec<Streamed>> {
    let sources = open_all(work, run.bad_files)?;
    let axes = axes(work)?;
    let variables = filled_variables(work);
    let mut filled = Vec::new();
    for (sample, source) in work.samples.iter().zip(&sources) {
        filled.push(sample::stream(run, work, sample, source, &axes, &variables)?);
        for (file, rows) in source.files_and_rows() {
            // A file that opened well may have failed later.
            if run.manifest.skipped.iter().any(|skipped| skipped.sample == sample.name && skipped.path == *file) {
                continue;
            }
            run.record_input(&sample.name, file, Some(rows))?;
        }
        record_histograms(run, work, &filled)?;
        if finished == Finished::Noted {
            run.note_finished(&sample.name)?;
        }
    }
    run.report.files.push(DataFile {
        path: HISTOGRAMS.into(),
        holds: "What was filled, for each sample, in UHI form (schema 1).".into(),
    });
    Ok(filled)
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

fn filled_variables(work: &EventWork) -> Vec<usize> {
    match &work.histogrammed {
        Histogrammed::Spectrum { variable, .. } => vec![*variable],
        Histogrammed::Plane { row, column, .. } => vec![*row, *column],
    }
}

/// The file with the histograms of every sample.
const HISTOGRAMS: &str = "histograms.json";

/// The histograms of the samples so far, and the cutflow of the last of them, as files and in the report.
fn record_histograms(run: &mut Run, work: &EventWork, filled: &[Streamed]) -> Result<()> {
    let histograms: Vec<(String, Histogram)> =
        work.samples.iter().zip(filled).map(|(sample, all)| (sample.name.clone(), all.spectrum.histogram())).collect();
    let named: Vec<(&str, &Histogram)> =
        histograms.iter().map(|(name, histogram)| (name.as_str(), histogram)).collect();
    run.output.rewrite_text(HISTOGRAMS, &uhi::write(&named))?;
    if let Some((sample, all)) = work.samples.iter().zip(filled).next_back() {
        let variables = all.spectrum.axes().iter().map(|axis| axis.name().to_owned()).collect();
        run.record_not_a_number(&sample.name, variables, all.spectrum.not_a_number());
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
        for (along, axis) in all.spectrum.axes().iter().enumerate() {
            let quantity = Quantity { name: axis.name().to_owned(), unit: axis.unit().to_owned() };
            let name = format!("spectrum-{}", run.report.figures.len() + 1);
            let contents = all.spectrum.project(along)?.histogram();
            let figure = figures::filled(&style, &quantity, &name, (&sample.name, sample.role), &contents);
            run.report.figures.push(figure);
        }
    }
    Ok(())
}

/// The sum of the histograms of one role.
fn sum(work: &EventWork, filled: &[Streamed], role: Role) -> expect::Contents {
    let of_role = work.samples.iter().zip(filled).filter(|(sample, _)| sample.role == role);
    expect::Contents::sum(of_role.map(|(_, streamed)| streamed.spectrum.histogram()))
}

/// The bump hunt in the rows of a plane (m_Y), whatever the column: local p-values only.
fn bump_in_rows(
    device: &Device,
    settings: &Search,
    plane: &Windows,
    observed: &[f64],
    expected: &[f64],
) -> Result<(Windows, Findings)> {
    let windows = Windows::spectrum(plane.row_edges(), expected, &settings.hunter)?;
    let expectation = Expectation::given(expected.to_vec(), None)?;
    let in_windows = WindowExpectation::normalised(&windows, &expectation, 0.0, settings.scan.normalisation)?;
    let counts: Vec<u64> = observed.iter().map(|count| *count as u64).collect();
    let findings = settings.scan.run(device, &windows, &in_windows, &counts)?;
    Ok((windows, findings))
}

/// What was expected and found.
struct Hunted {
    data: expect::Contents,
    expectation: Expectation,
    searched: Searched,
    quantities: Vec<Quantity>,
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
        Histogrammed::Spectrum { edges, .. } => Windows::spectrum(edges, expectation.values(), &settings.hunter)?,
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
    Ok(Hunted { data, expectation, searched, quantities })
}

/// The figures, the answer and the files of a search.
fn present(run: &mut Run, work: &EventWork, settings: &Search, hunted: Hunted) -> Result<Found> {
    let Hunted { data, expectation, searched, quantities } = hunted;
    let quantities: Vec<&Quantity> = quantities.iter().collect();
    let windows = searched.experiment.windows();
    let findings = &searched.global.findings;
    let style = Style {
        name: run.card.name.clone(),
        small_print: work.selection.cuts().map(str::to_owned).collect(),
        expected_name: expect::name(&expectation).into(),
    };
    let rows = windows.rows();
    let per_row =
        |values: &[f64]| -> Vec<f64> { values.chunks(values.len() / rows).map(|row| row.iter().sum()).collect() };
    let observed: Vec<f64> = data.counts.iter().map(|count| *count as f64).collect();
    let (edges, observed, expected, marked) = match &work.histogrammed {
        Histogrammed::Plane { .. } => {
            let marked = windows.row_bounds(findings.best);
            (windows.row_edges(), per_row(&observed), per_row(expectation.values()), marked)
        }
        Histogrammed::Spectrum { .. } => {
            (windows.column_edges(), observed, expectation.values().to_vec(), windows.bounds(findings.best))
        }
    };
    let bins = Bins {
        edges,
        observed: &observed,
        expected: expected.clone(),
        expected_error: Vec::new(),
        marked: Some(marked),
    };
    run.report.figures.push(figures::spectrum(&style, quantities[0], bins));
    run.report.figures.extend(match quantities[..] {
        [row, column] => {
            let expected = searched.experiment.expected();
            figures::planes(&style, windows, expected, findings, &data.counts, (row, column))
        }
        _ => vec![figures::tomography(&style, quantities[0], windows, findings)],
    });
    run.report.figures.push(figures::maximum(
        &style,
        (&searched.global, &searched.answered()),
        &searched.experiment.statistic(),
        &searched.experiment.smearing(),
    ));
    run.report.figures.push(figures::convergence(&style, &searched.global, &searched.answered()));
    let bump = match &work.histogrammed {
        Histogrammed::Plane { .. } => {
            let (rows, found) = bump_in_rows(&run.device, settings, windows, &observed, &expected)?;
            run.report.figures.push(figures::tomography(&style, quantities[0], &rows, &found));
            Some(Bump { place: figures::place(&rows, found.best, &quantities[..1]), findings: found })
        }
        Histogrammed::Spectrum { .. } => None,
    };
    run.report.left_out = figures::left_out(windows, searched.experiment.expected(), &data.counts, &quantities);
    let mut found = run.record_answer(&searched)?;
    if let Some(bump) = bump {
        run.record_bump(&bump, settings.scan.direction);
        found.bump = Some(bump);
    }
    run.report.answer.facts.extend(expect::describe(&expectation));
    if settings.columns == ColumnSearch::Each && matches!(work.histogrammed, Histogrammed::Plane { .. }) {
        hunt_in_columns(run, settings, windows, expectation.values(), &data.counts)?;
    }
    Ok(found)
}

/// A hunt along the rows in each column window of the plane: `columns.csv`, and the smallest p-value in the report.
fn hunt_in_columns(
    run: &mut Run,
    settings: &Search,
    plane: &Windows,
    expected: &[f64],
    observed: &[u64],
) -> Result<()> {
    // An accuracy is one of the plane's own p-value.
    let (Stopping::After(toys) | Stopping::Accurate { minimum: toys, .. }) =
        settings.toys.goal.resolve(observed.iter().sum())?;
    let hunts = ColumnHunts {
        hunter: settings.hunter,
        scan: settings.scan,
        exceedance: settings.toys.exceedance,
        seed: run.card.seed,
        toys,
    };
    let stage = run.progress.stage("columns", "toys", None);
    let columns = hunts.run(&run.device, plane, expected, observed, &|done| {
        stage.add(done - stage.done());
        run.progress.interrupted()
    })?;
    run.record_stage(stage.finish());
    run.write(
        "columns.csv",
        &columns_csv(&columns),
        "a bump hunt along the rows in each column window, with a global *p*-value of its own",
    )?;
    let p = |column: &ColumnHunt| column.found.as_ref().map(|found| (found.global.significance.p, column.column));
    let smallest = columns.iter().filter_map(p).min_by(|a, b| a.0.total_cmp(&b.0));
    run.report.answer.facts.extend(smallest.map(|(p, (low, high))| {
        let p = number::significant(p, 3);
        let words = format!("{p}, in {low}-{high}; of {} column windows, each by itself", columns.len());
        Fact::new("Smallest *p*-value of a column", words)
    }));
    Ok(())
}

/// A line for each column window: where it is, its best window along the rows, and what that is worth.
fn columns_csv(columns: &[ColumnHunt]) -> String {
    let mut csv = String::from("column_low,column_high,low,high,observed,expected,ln_p,z,global_p,exceed,toys\n");
    for column in columns {
        let (low, high) = column.column;
        let numbers = column.found.as_ref().map_or(",,,,,,,,".into(), |found| {
            let (findings, significance) = (&found.global.findings, &found.global.significance);
            let (from, to) = found.windows.bounds(findings.best);
            let (observed, expected, ln_p, z) = (findings.observed, findings.expected, findings.ln_p, findings.z);
            let (p, exceed, toys) = (significance.p, significance.exceed, significance.toys);
            format!("{from},{to},{observed},{expected},{ln_p},{z},{p},{exceed},{toys}")
        });
        csv.push_str(&format!("{low},{high},{numbers}\n"));
    }
    csv
}
