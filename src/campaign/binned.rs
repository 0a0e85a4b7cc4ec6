//! A bump hunt in a spectrum or a plane that comes in bins.

use super::answer::Outcome;
use super::figures::{Quantity, Style};
use super::present::{Asked, Hunted, present};
use super::run::Run;
use super::search::SearchSettings;
use crate::card::BinnedWork;
use crate::error::{Error, Fault, Result};
use crate::hunt::{BumpHunter, WindowChoice, Windows};
use crate::report::number;
use crate::spectrum::Expectation;
use crate::spectrum::binned::{BinnedInput, BinnedSpectrum};
use crate::toys::Summary;

/// Reads a table, and says which windows are hunted in and what is expected.
///
/// # Errors
/// As [`BinnedInput::load`] and [`WindowChoice::windows`]; a table without an expectation.
pub(super) fn load(input: &BinnedInput, choice: &WindowChoice) -> Result<(BinnedSpectrum, Windows, Expectation)> {
    let table = input.load()?;
    let expected = table.expected.clone().ok_or_else(|| {
        Fault::new("campaign.run", "a spectrum has no expectation").because("a hunt compares with one").usage()
    })?;
    let windows = choice.windows(&table.row_edges, &table.edges, &expected);
    let windows = windows.map_err(|error| of_table(&format!("'{}'", input.path.display()), error))?;
    let expectation = Expectation::given(expected, table.uncertainty.clone())?;
    Ok((table, windows, expectation))
}

/// Problems that need the name of the table: of several channels only one may have them.
fn of_table(table: &str, error: Error) -> Error {
    match error {
        Error::Usage(fault) => fault.about(table).usage(),
        Error::Data(fault) => fault.about(table).data(),
        Error::Many(errors) => Error::Many(errors.into_iter().map(|error| of_table(table, error)).collect()),
        other => other,
    }
}

/// Throws a part of the toys.
pub(super) fn throw(mut run: Run, work: &BinnedWork) -> Result<Summary> {
    Ok(hunt(&mut run, work)?.0.searched.summary)
}

/// What was found, and the uncertainties of the table.
fn hunt(run: &mut Run, work: &BinnedWork) -> Result<(Hunted, Option<Vec<f64>>)> {
    let stage = run.progress.stage("read", "bins", None);
    let (table, windows, expectation) = load(&work.input, &work.windows)?;
    stage.add(table.observed.len() as u64);
    run.record_stage(stage.finish());
    run.record_input("spectrum", &work.input.path, None)?;
    run.record_uncertainties(&work.toys)?;
    let settings = SearchSettings {
        minimum_effective_count: work.minimum_effective_count,
        scan: work.scan,
        toys: work.toys.clone(),
        seed: run.card.seed,
    };
    let rows = work.input.rows.iter().map(|rows| (&rows.quantity, &rows.unit));
    let quantities: Vec<Quantity> = rows
        .chain([(&work.input.quantity, &work.input.unit)])
        .map(|(name, unit)| Quantity { name: name.clone(), unit: unit.clone() })
        .collect();
    let named: Vec<&Quantity> = quantities.iter().collect();
    let searched = run.search(windows, &expectation, &table.observed, &settings, &named)?;
    Ok((Hunted { observed: table.observed, expectation, searched, quantities }, table.uncertainty))
}

/// Runs a card over a spectrum or a plane in bins.
pub(super) fn run(mut run: Run, work: &BinnedWork) -> Result<Outcome> {
    let (hunted, uncertainty) = hunt(&mut run, work)?;
    let (events, cells) = (number::count(hunted.observed.iter().sum()), hunted.observed.len());
    let bins = match &work.input.rows {
        Some(_) => {
            let windows = hunted.searched.experiment.windows();
            format!("{} x {} cells", windows.rows(), windows.columns())
        }
        None => format!("{cells} bins"),
    };
    let asked = Asked {
        style: Style {
            name: run.card.name.clone(),
            small_print: vec![format!("{events} events in {bins}")],
            expected_name: "Expectation".into(),
        },
        expected_error: uncertainty.unwrap_or_default(),
        scan: work.scan,
        // The card's widths are those along low and high.
        along_rows: BumpHunter::default(),
        columns: work.columns,
        toys: &work.toys,
        windows_are_listed: work.windows.is_listed(),
    };
    let found = present(&mut run, asked, &hunted)?;
    run.finish(Some(found), Vec::new())
}
