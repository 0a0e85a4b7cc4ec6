//! What a hunt in one spectrum or plane found: its figures, answer and files, whether its cells were filled from events or
//! come from a table.

use super::answer::{Bump, Found};
use super::figures::{self, Bins, Quantity, Style};
use super::run::Run;
use super::search::Searched;
use crate::Device;
use crate::card::ColumnSearch;
use crate::error::Result;
use crate::hunt::{BumpHunter, Findings, Scan, WindowExpectation, Windows};
use crate::report::{Fact, number};
use crate::spectrum::Expectation;
use crate::toys::{ColumnHunt, ColumnHunts, Stopping, ToySettings};

/// What was searched and found.
pub(super) struct Hunted {
    /// The counts of all cells.
    pub(super) observed: Vec<u64>,
    /// What was expected in them.
    pub(super) expectation: Expectation,
    /// The windows, the local p-values and the toys.
    pub(super) searched: Searched,
    /// The quantity of a spectrum; those of the rows and of the columns of a plane.
    pub(super) quantities: Vec<Quantity>,
}

/// How it was asked for.
pub(super) struct Asked<'a> {
    /// What the figures have in common.
    pub(super) style: Style,
    /// The uncertainty of the expectation, for the figure of a spectrum.
    pub(super) expected_error: Vec<f64>,
    /// How windows are judged.
    pub(super) scan: Scan,
    /// The windows along the rows of a plane.
    pub(super) along_rows: BumpHunter,
    /// Whether each column window of a plane has a hunt of its own.
    pub(super) columns: ColumnSearch,
    /// The pseudo-experiments.
    pub(super) toys: &'a ToySettings,
    /// Whether the windows were written down one by one, so that a cell in none may be an oversight.
    pub(super) windows_are_listed: bool,
}

/// The figures, the answer and the files of a search.
pub(super) fn present(run: &mut Run, asked: Asked, hunted: &Hunted) -> Result<Found> {
    let Hunted { observed, expectation, searched, quantities } = hunted;
    let quantities: Vec<&Quantity> = quantities.iter().collect();
    let (style, windows) = (&asked.style, searched.experiment.windows());
    let (findings, expected) = (&searched.global.findings, searched.experiment.expected());
    let counts: Vec<f64> = observed.iter().map(|count| *count as f64).collect();
    let is_plane = quantities.len() == 2;
    let bins = |edges, observed, expected, expected_error, marked| Bins {
        edges,
        observed,
        expected,
        expected_error,
        marked: Some(marked),
    };
    let bump = if let [row, column] = quantities[..] {
        let (counts, means) = (sums_of_rows(windows, &counts), sums_of_rows(windows, expectation.values()));
        let bins = bins(windows.row_edges(), &counts, means.clone(), Vec::new(), windows.row_bounds(findings.best));
        run.report.figures.push(figures::spectrum(style, row, bins));
        run.report.figures.extend(figures::planes(style, windows, expected, findings, observed, (row, column)));
        bump_in_rows(&run.device, &asked, windows, &counts, means)?
    } else {
        let means = expectation.values().to_vec();
        let bins =
            bins(windows.column_edges(), &counts, means, asked.expected_error.clone(), windows.bounds(findings.best));
        run.report.figures.push(figures::spectrum(style, quantities[0], bins));
        run.report.figures.push(figures::tomography(style, quantities[0], windows, findings));
        None
    };
    let (statistic, smearing) = (searched.experiment.statistic(), searched.experiment.smearing());
    let answered = searched.answered();
    run.report.figures.push(figures::maximum(style, (&searched.global, &answered), &statistic, &smearing));
    run.report.figures.push(figures::convergence(style, &searched.global, &answered));
    let bump = bump.map(|(rows, findings)| {
        run.report.figures.push(figures::tomography(style, quantities[0], &rows, &findings));
        Bump { place: figures::place(&rows, findings.best, &quantities[..1]), findings }
    });
    run.report.left_out = figures::left_out(windows, expected, observed, &quantities);
    if asked.windows_are_listed {
        note_cells_in_none(run, "", windows, observed);
    }
    let mut found = run.record_answer(searched)?;
    if let Some(bump) = bump {
        run.record_bump(&bump, asked.scan.direction);
        found.bump = Some(bump);
    }
    if asked.columns == ColumnSearch::Each && is_plane {
        hunt_in_columns(run, &asked, windows, expectation.values(), observed)?;
    }
    Ok(found)
}

fn sums_of_rows(windows: &Windows, values: &[f64]) -> Vec<f64> {
    values.chunks(windows.columns()).map(|row| row.iter().sum()).collect()
}

/// The bump hunt in the rows of a plane (m_Y), whatever the column: local p-values only. `None` where nothing is expected in
/// any row, or in too few for a window.
fn bump_in_rows(
    device: &Device,
    asked: &Asked,
    plane: &Windows,
    observed: &[f64],
    expected: Vec<f64>,
) -> Result<Option<(Windows, Findings)>> {
    // The settings and the edges are sound, so all that can be wrong is that there is no window.
    let Ok(windows) = Windows::spectrum(plane.row_edges(), &expected, &asked.along_rows) else { return Ok(None) };
    let expectation = Expectation::given(expected, None)?;
    let in_windows = WindowExpectation::normalised(&windows, &expectation, 0.0, asked.scan.normalisation)?;
    let counts: Vec<u64> = observed.iter().map(|count| *count as u64).collect();
    let findings = asked.scan.run(device, &windows, &in_windows, &counts)?;
    Ok(Some((windows, findings)))
}

/// Says how many cells are in no window, with the events there; `place` is before the words.
pub(super) fn note_cells_in_none(run: &mut Run, place: &str, windows: &Windows, observed: &[u64]) {
    let cells = windows.cells_in_none();
    if cells.is_empty() {
        return;
    }
    let events = cells.iter().map(|cell| observed[*cell]).sum();
    let (of, in_none) = (number::count(windows.cells() as u64), number::count(cells.len() as u64));
    let words = format!(
        "{place}{in_none} of {of} cells, with {} events, are in no window; a resonance there would be in none",
        number::count(events)
    );
    tracing::warn!("{words}");
    run.note("In no window", words);
}

/// A hunt along the rows in each column window of the plane: `columns.csv`, and the smallest p-value in the report.
fn hunt_in_columns(run: &mut Run, asked: &Asked, plane: &Windows, expected: &[f64], observed: &[u64]) -> Result<()> {
    // An accuracy is one of the plane's own p-value.
    let (Stopping::After(toys) | Stopping::Accurate { minimum: toys, .. }) =
        asked.toys.goal.resolve(observed.iter().sum())?;
    let hunts = ColumnHunts {
        hunter: asked.along_rows,
        scan: asked.scan,
        exceedance: asked.toys.exceedance,
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
