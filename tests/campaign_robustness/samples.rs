//! Samples: luminosity masks, cross sections, data beside simulation and signal. Sums are made by hand here.

use std::fs;

use crate::events::{Event, events};
use crate::refusals::{assert_refused, errors};
use crate::{Ground, Row, cutflow};

fn row<'a>(rows: &'a [Row], within: &str, cut: &str) -> &'a Row {
    rows.iter().find(|row| row.within == within && row.cut == cut).unwrap_or_else(|| panic!("no {within} {cut}"))
}

#[test]
fn luminosity_masks_of_both_formats_leave_exactly_their_events() {
    let ground = Ground::new();
    let all = events(0..6000);
    ground.events("events.parquet", &all);
    // Ranges that touch, a single block, and a run that no file has; run 300001 has no certified block.
    let json = r#"{"300000": [[1, 10], [11, 12], [40, 40]], "300002": [[30, 99]], "999999": [[1, 1000]]}"#;
    fs::write(ground.at("golden.json"), json).unwrap();
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE LumiRangeCollection SYSTEM "http://atlas-runquery.cern.ch/LumiRangeCollection.dtd">
        <LumiRangeCollection><NamedLumiRange><Name>test</Name><Version>2.1</Version>
        <LumiBlockCollection><Run>300000</Run><LBRange Start="1" End="12"/><LBRange Start="40" End="40"/></LumiBlockCollection>
        <LumiBlockCollection><Run>300002</Run><LBRange Start="30" End="99"/></LumiBlockCollection>
        </NamedLumiRange></LumiRangeCollection>"#;
    fs::write(ground.at("grl.xml"), xml).unwrap();
    let certified = |event: &&Event| match event.run {
        300_000 => (1..=12).contains(&event.luminosity_block) || event.luminosity_block == 40,
        300_002 => (30..=99).contains(&event.luminosity_block),
        _ => false,
    };
    let good: Vec<&Event> = all.iter().filter(certified).collect();
    let mut before = None;
    for mask in ["golden.json", "grl.xml"] {
        ground.card(&format!(
            "[samples.data]\nrole = \"data\"\nfiles = \"events.parquet\"\nluminosity_mask = \"{mask}\"\n\
             [samples.simulation]\nrole = \"simulation\"\nfiles = \"events.parquet\""
        ));
        let folder = mask.replace('.', "-");
        let files = ground.results(&folder, &[]);
        let rows = cutflow(&ground.at(&folder), "data");
        assert_eq!((rows[0].events, rows[1].cut.as_str()), (6000, "luminosity mask"));
        assert_eq!(rows[1].events, good.len() as u64);
        assert_eq!(row(&rows, "", "MET").events, good.iter().filter(|event| event.passes()).count() as u64);
        // A sample without a mask passes as a whole.
        let simulated = cutflow(&ground.at(&folder), "simulation");
        assert_eq!(simulated[1].events, 6000);
        match &before {
            None => before = Some(files),
            Some(before) => crate::assert_same(before, &files),
        }
    }
    fs::write(ground.at("grl.xml"), "{\"300000\": [[12, 1]]}").unwrap();
    let said = ground.run(&[]);
    assert_refused(&said, 1);
    assert!(said.err.contains("grl.xml") && said.err.contains("ends before it starts"), "{}", said.err);
}

#[test]
fn cross_sections_weigh_samples_and_data_stay_as_they_are() {
    let ground = Ground::new();
    let (data, top, boson, signal) =
        (events(0..3000), events(10_000..14_000), events(20_000..22_000), events(30_000..31_000));
    for (name, events) in [("data", &data), ("top", &top), ("boson", &boson), ("signal", &signal)] {
        ground.events(&format!("{name}.parquet"), events);
    }
    ground.card(
        r#"luminosity_inverse_fb = 10.0
[samples.data]
role = "data"
files = "data.parquet"
[samples.top]
role = "simulation"
files = "top.parquet"
weight = "weight"
largest_weight = 2.0
cross_section_pb = 0.5
k_factor = 1.2
sum_of_generator_weights = 80000.0
[samples.boson]
role = "simulation"
files = "boson.parquet"
weight = "weight"
largest_weight = 2.0
cross_section_pb = 0.25
sum_of_generator_weights = "in-files"
[samples.signal]
role = "signal"
files = "signal.parquet"
cross_section_pb = 0.002
sum_of_generator_weights = "in-files"
"#,
    );
    ground.results("results", &[]);
    // weight x cross section x k-factor x luminosity / sum of generator weights; 1 pb = 1000 fb.
    let sum = |events: &[Event]| events.iter().map(|event| f64::from(event.weight)).sum::<f64>();
    let factors = [
        ("data", &data, None, 1.0),
        ("top", &top, Some(()), 0.5 * 1.2 * 10.0 * 1000.0 / 80_000.0),
        ("boson", &boson, Some(()), 0.25 * 10.0 * 1000.0 / sum(&boson)),
        ("signal", &signal, None, 0.002 * 10.0 * 1000.0 / 1000.0),
    ];
    for (name, events, weighted, factor) in factors {
        let rows = cutflow(&ground.at("results"), name);
        let weight = |event: &Event| factor * weighted.map_or(1.0, |()| f64::from(event.weight));
        type Case = (&'static str, &'static str, fn(&Event) -> bool);
        let cases: [Case; 5] = [
            ("", "all events", |_| true),
            ("", "one jet", |event| !event.kept().is_empty()),
            ("", "MET", Event::passes),
            ("many", "many", |event| event.passes() && event.kept().len() >= 3),
            ("regions", "hard", |event| event.survives() && event.kept()[0].pt > 100.0),
        ];
        for (within, cut, passes) in cases {
            let passed: Vec<&Event> = events.iter().filter(|event| passes(event)).collect();
            let weights: f64 = passed.iter().map(|event| weight(event)).sum();
            let squares: f64 = passed.iter().map(|event| weight(event).powi(2)).sum();
            let found = row(&rows, within, cut);
            assert_eq!(found.events, passed.len() as u64, "{name} {cut}");
            assert!((found.weights / weights - 1.0).abs() < 1e-6, "{name} {cut}: {found:?}, {weights}");
            assert!((found.error / squares.sqrt() - 1.0).abs() < 1e-6, "{name} {cut}: {found:?}, {squares}");
        }
    }
    // All that the files hold is the cross section times the luminosity.
    let all = |name: &str| cutflow(&ground.at("results"), name)[0].weights;
    assert!((all("boson") / 2500.0 - 1.0).abs() < 1e-6 && (all("signal") / 20.0 - 1.0).abs() < 1e-6);
    // Every sample's histogram is its own.
    let text = fs::read_to_string(ground.at("results/histograms.json")).unwrap();
    let histograms: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, events, ..) in factors {
        let own = &histograms[name]["storage"]["values"];
        let entries = histograms.get(format!("{name} entries")).map_or(own, |entries| &entries["storage"]["values"]);
        let total: f64 = entries.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).sum();
        let survivors = events.iter().filter(|event| event.survives()).count() as f64;
        let weight = if name == "signal" && histograms.get("signal entries").is_none() { 0.02 } else { 1.0 };
        assert!((total - survivors * weight).abs() < 1e-6 * survivors, "{name}: {total} {survivors}");
    }
}

#[test]
fn the_report_has_the_efficiencies_of_the_table_also_for_channels_and_regions() {
    let ground = Ground::new();
    ground.events("top.parquet", &events(0..3000));
    ground.card(
        "[samples.top]\nrole = \"simulation\"\nfiles = \"top.parquet\"\nweight = \"weight\"\nlargest_weight = 2.0",
    );
    let said = ground.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let rows = cutflow(&ground.at("results"), "top");
    let report = fs::read_to_string(ground.at("results/report.html")).unwrap();
    // A card without a search has a picture of what was filled.
    assert!(report.contains("<svg") && ground.at("results/spectrum-1.svg").exists());
    let picture = fs::read_to_string(ground.at("results/spectrum-1.csv")).unwrap();
    let drawn = picture.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse::<f64>().unwrap());
    let text = fs::read_to_string(ground.at("results/histograms.json")).unwrap();
    let histograms: serde_json::Value = serde_json::from_str(&text).unwrap();
    let filled = histograms["top"]["storage"]["values"].as_array().unwrap();
    // Without underflow and overflow.
    let filled = filled[1..filled.len() - 1].iter().map(|value| value.as_f64().unwrap());
    assert!(drawn.zip(filled).all(|(drawn, filled)| (drawn / filled - 1.0).abs() < 1e-6), "{picture}\n{text}");
    let survivors = row(&rows, "many", "many").events + row(&rows, "one", "one").events;
    assert!(said.out.contains(&format!("Selected events      {survivors} of top\n")), "{}", said.out);
    let (all, passed) = (row(&rows, "", "all events").weights, row(&rows, "", "MET").weights);
    for (within, cut, label, before) in [
        ("", "MET", "MET", row(&rows, "", "one jet").weights),
        ("many", "many", "channel many", passed),
        ("regions", "hard", "region hard", passed),
    ] {
        let weights = row(&rows, within, cut).weights;
        let line = report.lines().flat_map(|line| line.split("<tr>")).find(|line| line.contains(&format!(">{label}<")));
        let line = line.unwrap_or_else(|| panic!("no row of {label}"));
        for share in [weights / all, weights / before] {
            let expected = format!("{:.2} %", 100.0 * share);
            assert!(line.contains(&expected), "{label}: no {expected} in {line}");
        }
    }
}

#[test]
fn entries_without_a_value_are_counted() {
    let ground = Ground::new();
    let mut all = events(0..2000);
    // The second jet of events that have one is missing, or is no number.
    all.iter_mut().filter(|event| event.jets.len() > 1).for_each(|event| event.jets[1].eta = 9.0);
    ground.events("events.parquet", &all);
    ground.card_of_data(&["events.parquet"]);
    let card = fs::read_to_string(ground.at("card.toml")).unwrap();
    let card = card.replace("lead = ", "next = \"jet[1].pt\"\nlead = ").replace("\"ht\"", "\"next\"");
    fs::write(ground.at("card.toml"), card).unwrap();
    let said = ground.run(&[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let without = all.iter().filter(|event| event.survives() && event.kept().len() < 2).count();
    assert!(without > 100);
    let words = format!("{without} selected events of data have no value of next and are in no bin");
    assert!(said.out.contains(&words), "{}", said.out);
    assert!(fs::read_to_string(ground.at("results/report.html")).unwrap().contains(&words));
    let record = &crate::manifest(&ground.at("results"))["not_a_number"];
    let expected = serde_json::json!([{"sample": "data", "variables": ["next"], "entries": without}]);
    assert_eq!(*record, expected);
}

#[test]
fn weights_that_contradict_the_card_are_named() {
    let ground = Ground::new();
    let mut all = events(0..1200);
    all[700].weight = 3.0;
    ground.events("events.parquet", &all);
    let sample = |more: &str| {
        format!("luminosity_inverse_fb = 1.0\n[samples.top]\nrole = \"simulation\"\nfiles = \"events.parquet\"\n{more}")
    };
    // Out of the declared range.
    ground.card(&sample("weight = \"weight\"\nlargest_weight = 2.0"));
    let said = ground.run(&[]);
    assert_refused(&said, 1);
    assert!(said.err.contains("the weight 'weight' x 1 is too large in row 700"), "{}", said.err);
    // The same where the generator's weights are summed first, with what the card says and not a power of two.
    for (weight, largest, expected) in [
        (4.5, 2.5, "the weight 'weight' = 4.5e0 is too large in row 700"),
        (f32::NAN, 2.5, "the weight 'weight' = NaN is not finite in row 700"),
    ] {
        all[700].weight = weight;
        all[900].weight = 5.0;
        ground.events("events.parquet", &all);
        let more = format!("weight = \"weight\"\nlargest_weight = {largest}");
        ground.card(&sample(&format!("{more}\ncross_section_pb = 1.0\nsum_of_generator_weights = \"in-files\"")));
        let said = ground.run(&[]);
        assert_refused(&said, 1);
        let told = |words: &str| assert!(said.err.contains(words), "{words}: {}", said.err);
        told(expected);
        told("sample 'top': ");
        told("events.parquet");
        ground.card(&sample(&more));
        let said = ground.run(&[]);
        assert_refused(&said, 1);
        assert!(said.err.contains("sample 'top': ") && said.err.contains("in row 700"), "{}", said.err);
    }
    all[700].weight = 9.0;
    all[900].weight = 1.0;
    ground.events("events.parquet", &all);
    ground.card(&sample("weight = \"weight\"\nlargest_weight = 2.5"));
    let said = ground.run(&[]);
    assert!(said.err.contains("the largest weight was declared as 2.5"), "{}", said.err);
    // Factors that leave nothing, or less.
    for (cross_section, k_factor, keys) in [
        ("1.0", "0.0", vec!["k_factor"]),
        ("-1.0", "1.0", vec!["cross_section_pb"]),
        ("inf", "nan", vec!["cross_section_pb", "k_factor"]),
    ] {
        ground.card(&sample(&format!(
            "cross_section_pb = {cross_section}\nk_factor = {k_factor}\nsum_of_generator_weights = 5.0"
        )));
        let said = ground.run(&[]);
        assert_refused(&said, 2);
        assert_eq!(errors(&said).len(), keys.len(), "{}", said.err);
        for (error, key) in errors(&said).iter().zip(keys) {
            assert!(error.contains(key) && error.contains("a finite number"), "{error}");
        }
    }
    // A sum that is 0 by name, and keys that need each other.
    ground.card(&sample("cross_section_pb = 1.0\nsum_of_generator_weights = 0.0"));
    assert_refused(&ground.run(&[]), 2);
    ground.card(&sample("k_factor = 1.5"));
    let said = ground.run(&[]);
    assert_refused(&said, 2);
    assert_eq!(errors(&said).len(), 1, "{}", said.err);
    assert!(errors(&said)[0].contains("there is no cross_section_pb"), "{}", said.err);
    // A cross section without a luminosity.
    ground.card(
        &sample("cross_section_pb = 1.0\nsum_of_generator_weights = 5.0").replace("luminosity_inverse_fb = 1.0", ""),
    );
    let said = ground.run(&[]);
    assert_refused(&said, 2);
    assert!(said.err.contains("add luminosity_inverse_fb"), "{}", said.err);
}
