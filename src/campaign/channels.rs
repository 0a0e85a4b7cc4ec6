//! A bump hunt in the spectra of several channels together.
//!
//! Its toys are brute force; they are kept, gone on with and thrown in parts as those of one spectrum or plane.

use serde_json::{Value, json};

use super::answer::{Found, Outcome, StoppedRecord, plain, stopped_because};
use super::answered::Answered;
use super::binned;
use super::figures::{self, Bins, Quantity, Style};
use super::present::note_cells_in_none;
use super::rare;
use super::run::Run;
use super::search::warn_left_out;
use super::thrower::{Target, Thrown};
use crate::card::ChannelsWork;
use crate::error::{Problems, Result};
use crate::hunt::{Combined, Findings, unexpected_events};
use crate::report::{Answer, Fact, Figure, Verdict, number};
use crate::spectrum::binned::BinnedSpectrum;
use crate::toys::{Channels, Global, Method, NoScan, Summary};

/// Reads the tables and builds the channels.
pub(super) fn load(work: &ChannelsWork) -> Result<(Vec<BinnedSpectrum>, Channels)> {
    let mut problems = Problems::default();
    let (mut tables, mut channels) = (Vec::new(), Vec::new());
    for (_, input) in &work.inputs {
        if let Some((table, windows, expectation)) = problems.take(binned::load(input, &work.windows)) {
            tables.push(table);
            channels.push((windows, expectation));
        }
    }
    problems.finish()?;
    let effective = work.minimum_effective_count;
    let channels = Channels::new(channels, effective, work.scan, work.combination, work.toys.exceedance)?;
    Ok((tables, channels))
}

/// What was read and found.
struct Hunted {
    tables: Vec<BinnedSpectrum>,
    channels: Channels,
    /// The local p-values of each channel.
    findings: Vec<Findings>,
    /// Where the windows of the channels are, in words.
    place: String,
    /// Whether these share no place, so that together they count nothing.
    apart: bool,
    /// The logarithm of the product of their p-values, which counts where they share a place.
    ln_product: f64,
    global: Global,
    summary: Summary,
}

/// Throws a part of the toys.
pub(super) fn throw(mut run: Run, work: &ChannelsWork) -> Result<Summary> {
    Ok(hunt(&mut run, work)?.summary)
}

fn hunt(run: &mut Run, work: &ChannelsWork) -> Result<Hunted> {
    let stage = run.progress.stage("read", "bins", None);
    let (tables, channels) = load(work)?;
    stage.add(tables.iter().map(|table| table.observed.len() as u64).sum());
    run.record_stage(stage.finish());
    for (name, input) in &work.inputs {
        run.record_input(name, &input.path, None)?;
    }

    let windows: usize = (0..channels.len()).map(|channel| channels.expected(channel).kept().len()).sum();
    (0..channels.len()).for_each(|channel| warn_left_out(channels.expected(channel)));
    let stage = run.progress.stage("scan", "windows", Some(windows as u64));
    let observed: Vec<Vec<u64>> = tables.iter().map(|table| table.observed.clone()).collect();
    let (findings, combined) = channels.scan(&run.device, &observed)?;
    stage.add(windows as u64);
    run.record_stage(stage.finish());
    let place = place(work, &channels, &combined);
    let target = Target { source: &channels, findings: &combined.together(), place: &place };
    let events = observed.iter().flatten().sum();
    let Thrown { global, summary, stage } = run.thrower().throw(&target, work.toys.goal, events, run.card.seed)?;
    run.record_stage(stage);
    let apart = combined.overlap.is_none();
    let ln_product = combined.chosen.iter().map(|judged| judged.ln_p).sum();
    Ok(Hunted { tables, channels, findings, place, apart, ln_product, global, summary })
}

/// Where the windows of the channels are, in words.
fn place(work: &ChannelsWork, channels: &Channels, combined: &Combined) -> String {
    let places: Vec<String> = work
        .inputs
        .iter()
        .enumerate()
        .map(|(channel, (name, input))| {
            let quantity = Quantity { name: input.quantity.clone(), unit: input.unit.clone() };
            let place = figures::place(channels.windows(channel), combined.chosen[channel].window, &[&quantity]);
            format!("{name}: {place}")
        })
        .collect();
    places.join("; ")
}

/// Runs a card over several channels.
pub(super) fn run(mut run: Run, work: &ChannelsWork) -> Result<Outcome> {
    let hunted = hunt(&mut run, work)?;
    run.write_toys(&hunted.summary)?;
    let rare_omitted = omitted(work, &hunted);
    record(&mut run, work, &hunted, rare_omitted.as_deref());
    let Hunted { tables, channels, findings, place, apart, global, .. } = hunted;
    let windows: usize = (0..channels.len()).map(|channel| channels.expected(channel).kept().len()).sum();
    for (channel, (name, input)) in work.inputs.iter().enumerate() {
        let quantity = Quantity { name: input.quantity.clone(), unit: input.unit.clone() };
        run.report.figures.extend(figures_of(
            &run.card.name,
            name,
            &quantity,
            &tables[channel],
            &channels,
            channel,
            &findings,
        ));
        let left_out = figures::left_out(
            channels.windows(channel),
            channels.expected(channel),
            &tables[channel].observed,
            &[&quantity],
        );
        run.report.left_out.extend(left_out.into_iter().map(|mut left| {
            left.window = format!("{name}: {}", left.window);
            left
        }));
        if work.windows.is_listed() {
            let place = format!("{name}: ");
            note_cells_in_none(&mut run, &place, channels.windows(channel), &tables[channel].observed);
        }
    }
    let style = Style {
        name: run.card.name.clone(),
        small_print: vec![work.combination.to_string()],
        expected_name: String::new(),
    };
    let answered = Answered::of(&global.significance, None);
    run.report.figures.push(figures::maximum(&style, (&global, &answered), &work.scan.statistic(), "none"));
    run.report.figures.push(figures::convergence(&style, &global, &answered));
    let cells =
        |(channel, table): (usize, &BinnedSpectrum)| unexpected_events(channels.cells(channel), &table.observed);
    let unexpected: u64 = tables.iter().enumerate().flat_map(cells).map(|(_, count)| count).sum();
    if unexpected > 0 {
        let words = format!("{} in cells where nothing is expected", number::count(unexpected));
        run.report.answer.facts.push(Fact::new("Unexpected events", words));
    }
    let left_out = (0..channels.len()).map(|channel| channels.expected(channel).left_out().len()).sum();
    let (direction, gross_vitells) = (work.scan.direction, Err(NoScan::Statistic));
    let (statistic, uncertainty) = (work.scan.statistic(), None);
    let (bump, rare) = (None, None);
    let found = Found {
        place,
        direction,
        global,
        statistic,
        uncertainty,
        rare,
        rare_omitted: rare_omitted.as_deref().map(plain),
        apart,
        windows,
        left_out,
        bump,
        gross_vitells,
    };
    run.finish(Some(found), Vec::new())
}

/// Why there is no rare tail, where it was asked for or is needed: that is said on the screen, too.
fn omitted(work: &ChannelsWork, hunted: &Hunted) -> Option<String> {
    let why = rare::impossible(work.scan, true)?;
    if !rare::wanted(work.toys.method, &hunted.global.significance) {
        return None;
    }
    if work.toys.method != Method::BruteForce {
        rare::warn_omitted(why);
    }
    Some(why.into())
}

/// The spectrum and the local p-values of a channel.
fn figures_of(
    card: &str,
    name: &str,
    quantity: &Quantity,
    table: &BinnedSpectrum,
    channels: &Channels,
    channel: usize,
    findings: &[Findings],
) -> Vec<Figure> {
    let style = Style {
        name: card.to_owned(),
        small_print: vec![name.to_owned(), format!("{} events", number::count(table.observed.iter().sum()))],
        expected_name: "Expectation".into(),
    };
    let (windows, found) = (channels.windows(channel), &findings[channel]);
    let observed: Vec<f64> = table.observed.iter().map(|count| *count as f64).collect();
    let bins = Bins {
        edges: &table.edges,
        observed: &observed,
        expected: channels.cells(channel).to_vec(),
        expected_error: table.uncertainty.clone().unwrap_or_default(),
        marked: Some(windows.bounds(found.best)),
    };
    let named = |figure: Figure| Figure {
        name: format!("{}-{}", figure.name, channel + 1),
        title: format!("{}: {name}", figure.title),
        ..figure
    };
    let figures = [figures::spectrum(&style, quantity, bins), figures::tomography(&style, quantity, windows, found)];
    figures.into_iter().map(named).collect()
}

/// The result in the report and in the manifest.
fn record(run: &mut Run, work: &ChannelsWork, hunted: &Hunted, rare_omitted: Option<&str>) {
    let Hunted { channels, global, place, apart, ln_product, .. } = hunted;
    let (findings, significance) = (&global.findings, &global.significance);
    let statistic = channels.statistic();
    let toys =
        format!("{}, of which {} reach it", number::count(significance.toys), number::count(significance.exceed));
    let before = std::mem::take(&mut run.report.answer.facts);
    let (where_it_is, product) = match apart {
        false => (place.clone(), number::probability(findings.ln_p)),
        // The statistic's p-value of 1 is not the product of these.
        true => (
            format!("the best windows of the channels share no place ({place})"),
            format!(
                "{}, which does not count: the windows share no place, so *t* = 0",
                number::probability(*ln_product)
            ),
        ),
    };
    run.report.answer = Answer {
        headline: format!("Global significance {}: {where_it_is}", figures::deviations(significance.z)),
        facts: vec![
            Fact::new("Global *p*-value", figures::p_value(significance)),
            Fact::new("Product of local *p*-values", product),
            Fact::new("Statistic", statistic.clone()),
            Fact::new("Toys", toys),
            Fact::new("Toys stopped at", stopped_because(global.stopped)),
        ],
        verdict: Verdict::of(significance.z.value()),
    };
    run.report.answer.facts.extend(before);
    let omitted = rare_omitted.map(|why| Fact::new("Rare tail", format!("not estimated: {why}")));
    run.report.answer.facts.extend(omitted);
    run.manifest.toy_table_sha256 = Some(global.tally.tables_sha256().to_owned());
    let stopped = StoppedRecord::of(global);
    let numbers = json!({
        "place": place,
        "channels": work.inputs.iter().zip(&findings.windows).map(|((name, _), judged)| json!({
            "name": name, "window": judged.window.0, "observed": judged.observed, "expected": judged.expected,
            "local_ln_p": judged.ln_p, "local_significance": judged.z,
        })).collect::<Vec<_>>(),
        "windows_share_a_place": !apart,
        "ln_product_of_p": ln_product,
        "t": 0.0 - findings.ln_p,
        "local_statistic": statistic,
        "rare_tail": rare_omitted.map(|why| json!({ "omitted": plain(why) })),
        "stopped_by": stopped.by,
        "accuracy_wanted": stopped.wanted,
        "accuracy_reached": stopped.reached,
    });
    run.manifest.answer = Answered::of(significance, None).record(significance);
    if let Value::Object(map) = numbers {
        run.manifest.answer.extend(map);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::campaign::{Progress, RunRequest, check, inject, run};
    use crate::device::DeviceChoice;
    use crate::hunt::Direction;

    const CARD: &str = r#"
        name = "channels"
        seed = 1
        output = "out"
        [input.electron]
        path = "electron.csv"
        low = "lo"
        high = "hi"
        observed = "n"
        expected = "b"
        signal = "s"
        [input.muon]
        path = "muon.csv"
        low = "lo"
        high = "hi"
        observed = "n"
        expected = "b"
        signal = "s"
        [hunt]
        width_max = 3
        [toys]
        number = 400
        [inject]
        events = 30
        significance = 1.5
        data_sets = 20
    "#;

    fn request(folder: &Path, settings: &[&str]) -> RunRequest {
        RunRequest {
            card: folder.join("card.toml"),
            device: DeviceChoice::Cpu,
            // Results of other settings are those of another card.
            output: Some(folder.join(format!("out-{}", settings.join("-")))),
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            ..RunRequest::default()
        }
    }

    /// Ten bins a channel; the fifth is high in both, and the muons have an event where none is expected.
    fn place() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let table = |scale: u32, zero: u32| -> String {
            let row = |bin: u32| {
                let b = if bin == zero { 0 } else { scale };
                let (n, s) = if bin == 4 { (2 * scale, 10) } else { (b.max(1), 0) };
                format!("{bin},{},{n},{b},{s}\n", bin + 1)
            };
            format!("lo,hi,n,b,s\n{}", (0..10).map(row).collect::<String>())
        };
        std::fs::write(folder.path().join("electron.csv"), table(20, 99)).unwrap();
        std::fs::write(folder.path().join("muon.csv"), table(30, 7)).unwrap();
        std::fs::write(folder.path().join("card.toml"), CARD).unwrap();
        folder
    }

    fn progress() -> Progress {
        Progress::silent()
    }

    #[test]
    fn a_card_of_two_channels_runs_and_says_what_it_did() {
        let folder = place();
        let outcome = run(&request(folder.path(), &[]), &progress()).unwrap();
        let found = outcome.found.as_ref().unwrap();
        assert!(
            found.place.contains("electron: mass 4.0000-5.0000 GeV; muon: mass 4.0000-5.0000 GeV"),
            "{}",
            found.place
        );
        assert!(found.global.significance.p < 0.05 && found.global.significance.sidak == 1.0);
        let manifest = std::fs::read_to_string(outcome.folder.join("manifest.json")).unwrap();
        assert!(manifest.contains("product over 2 channels, best windows that overlap"), "{manifest}");
        let report = std::fs::read_to_string(outcome.folder.join("report.html")).unwrap();
        assert!(report.contains("Unexpected events") && !report.contains("share no place"));
        assert!(outcome.folder.join("spectrum-2.svg").exists());
        let same = run(&request(folder.path(), &["hunt.combination=same-window"]), &progress());
        // The muons' empty bin leaves windows out of both; the same windows, since no end is empty.
        assert!(same.unwrap().found.unwrap().left_out > 0);
        let plan = check(&request(folder.path(), &[])).unwrap().to_string();
        assert!(plan.contains("54 windows"), "{plan}");
    }

    #[test]
    fn channels_whose_windows_share_no_place_say_so_and_not_that_there_is_no_excess() {
        let folder = place();
        let muons = std::fs::read_to_string(folder.path().join("muon.csv")).unwrap();
        let apart = muons.replace("0,1,30,", "0,1,70,").replace("4,5,60,", "4,5,30,");
        std::fs::write(folder.path().join("muon.csv"), apart).unwrap();
        let outcome = run(&request(folder.path(), &["toys.method=tail", "hunt.width_max=1"]), &progress()).unwrap();
        let said = outcome.to_string();
        assert!(said.contains("none: the best windows of the channels share no place, so t = 0"), "{said}");
        assert!(!said.contains("no window holds more") && !said.contains("local p ="), "{said}");
        assert!(said.contains("Rare tail            not estimated: a product of the p-values of several"), "{said}");
        let report = std::fs::read_to_string(outcome.folder.join("report.html")).unwrap();
        assert!(report.contains("share no place (electron: mass") && report.contains("which does not count"));
        let manifest: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(outcome.folder.join("manifest.json")).unwrap()).unwrap();
        let answer = &manifest["answer"];
        assert!(answer["windows_share_a_place"] == false && answer["t"] == 0.0, "{answer}");
        assert!(answer["ln_product_of_p"].as_f64().unwrap() < -10.0, "{answer}");
        assert!(answer["rare_tail"]["omitted"].as_str().unwrap().contains("several channels"), "{answer}");
        let plan = check(&request(folder.path(), &["toys.method=tail"])).unwrap().to_string();
        assert!(plan.contains("tail") && plan.contains("not estimated: a product of the p-values"), "{plan}");
    }

    #[test]
    fn deficits_and_sidebands_are_named_in_the_answer() {
        let folder = place();
        let settings = ["hunt.direction=deficit", "hunt.normalisation=sidebands"];
        let outcome = run(&request(folder.path(), &settings), &progress()).unwrap();
        assert_eq!(outcome.found.as_ref().unwrap().direction, Direction::Deficit);
        let manifest = std::fs::read_to_string(outcome.folder.join("manifest.json")).unwrap();
        assert!(manifest.contains("deficits only, scaled to the sidebands of each window"), "{manifest}");
        assert!(outcome.to_string().contains("Largest deficit"), "{outcome}");
    }

    #[test]
    fn signal_is_injected_until_it_is_found() {
        let folder = place();
        let injected = inject(&request(folder.path(), &[]), &progress()).unwrap();
        let text = injected.to_string();
        assert!(text.contains("1.5 sigma are reached with"), "{text}");
        assert_eq!(injected, inject(&request(folder.path(), &[]), &progress()).unwrap());
        let error = inject(&request(folder.path(), &["inject.strengths=steps"]), &progress()).unwrap_err().to_string();
        assert!(error.contains("'steps' is none of decades, linear"), "{error}");
        let without = CARD.replace("signal = \"s\"", "");
        std::fs::write(folder.path().join("card.toml"), without).unwrap();
        assert_eq!(inject(&request(folder.path(), &[]), &progress()).unwrap_err().problems().len(), 2);
    }

    #[test]
    fn mistakes_of_a_card_of_channels_are_all_found() {
        let folder = place();
        let bad = CARD.replace("path = \"muon.csv\"", "").replace("width_max", "width_mx");
        std::fs::write(folder.path().join("card.toml"), bad).unwrap();
        let settings = ["hunt.combination=same-windows", "hunt.direction=deficits", "hunt.normalisation=sideband"];
        let error = run(&request(folder.path(), &settings), &progress()).unwrap_err();
        assert_eq!(error.problems().len(), 5, "{error}");
        for words in
            ["Did you mean 'same-window'?", "Did you mean 'deficit'?", "Did you mean 'sidebands'?", "'width_max'?"]
        {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
