//! A bump hunt in a spectrum that comes in bins.

use super::answer::Outcome;
use super::figures::{self, Bins, Quantity, Style};
use super::run::Run;
use super::search::{SearchSettings, Searched};
use crate::card::BinnedWork;
use crate::error::{Fault, Result};
use crate::hunt::Windows;
use crate::report::number;
use crate::spectrum::Expectation;
use crate::spectrum::binned::BinnedSpectrum;
use crate::toys::Summary;

/// What was read and found.
struct Hunted {
    table: BinnedSpectrum,
    searched: Searched,
    quantity: Quantity,
}

/// Throws a part of the toys.
pub(super) fn throw(mut run: Run, work: &BinnedWork) -> Result<Summary> {
    Ok(hunt(&mut run, work)?.searched.summary)
}

fn hunt(run: &mut Run, work: &BinnedWork) -> Result<Hunted> {
    let stage = run.progress.stage("read", "bins", None);
    let table = work.input.load()?;
    stage.add(table.observed.len() as u64);
    run.record_stage(stage.finish());
    run.record_input("spectrum", &work.input.path, None)?;
    run.record_uncertainties(&work.toys)?;

    let expected = table.expected.clone().ok_or_else(|| {
        Fault::new("campaign.run", "the spectrum has no expectation").because("a hunt compares with one").usage()
    })?;
    let windows = Windows::spectrum(&table.edges, &expected, &work.hunter)?;
    let expectation = Expectation::given(expected, table.uncertainty.clone())?;
    let settings = SearchSettings {
        minimum_effective_count: work.minimum_effective_count,
        scan: work.scan,
        toys: work.toys.clone(),
        seed: run.card.seed,
    };
    let quantity = Quantity { name: work.input.quantity.clone(), unit: work.input.unit.clone() };
    let searched = run.search(windows, &expectation, &table.observed, &settings, &[&quantity])?;
    Ok(Hunted { table, searched, quantity })
}

/// Runs a card over a spectrum in bins.
pub(super) fn run(mut run: Run, work: &BinnedWork) -> Result<Outcome> {
    let Hunted { table, searched, quantity } = hunt(&mut run, work)?;
    let windows = searched.experiment.windows();
    let style = Style {
        name: run.card.name.clone(),
        small_print: vec![format!(
            "{} events in {} bins",
            number::count(table.observed.iter().sum()),
            table.observed.len()
        )],
        expected_name: "Expectation".into(),
    };
    let findings = &searched.global.findings;
    let answered = searched.answered();
    let observed: Vec<f64> = table.observed.iter().map(|count| *count as f64).collect();
    run.report.figures = vec![
        figures::spectrum(
            &style,
            &quantity,
            Bins {
                edges: &table.edges,
                observed: &observed,
                expected: table.expected.unwrap_or_default(),
                expected_error: table.uncertainty.unwrap_or_default(),
                marked: Some(windows.bounds(findings.best)),
            },
        ),
        figures::tomography(&style, &quantity, windows, findings),
        figures::maximum(
            &style,
            (&searched.global, &answered),
            &searched.experiment.statistic(),
            &searched.experiment.smearing(),
        ),
        figures::convergence(&style, &searched.global, &answered),
    ];
    run.report.left_out = figures::left_out(windows, searched.experiment.expected(), &table.observed, &[&quantity]);
    let found = run.record_answer(&searched)?;
    run.finish(Some(found), Vec::new())
}
