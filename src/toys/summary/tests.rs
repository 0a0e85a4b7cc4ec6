//! Summaries: written and read back, merged in any order, refused where they do not belong together.

use super::*;
use crate::device::Device;
use crate::hunt::{Combination, Scan, Windows};
use crate::spectrum::Expectation;
use crate::toys::{Channels, Experiment, Throw};

fn experiment(mean: f64) -> Experiment {
    let edges = (0..=6).map(f64::from).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[0..2, 1..3, 2..5, 3..6]).unwrap();
    let expectation = Expectation::given(vec![mean, 7.3, 5.1, 4.0, 0.1, 1.0 / 3.0], None).unwrap();
    Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap()
}

fn summary(experiment: &Experiment, seed: u64, range: std::ops::Range<u64>) -> Summary {
    let findings = experiment.scan(&Device::Cpu, &[9, 12, 9, 4, 0, 0]).unwrap();
    let throw = Throw { seed, first_toy: range.start, toys: range.end - range.start };
    let tally = experiment.throw(&Device::Cpu, &findings, throw, &|_| Ok(())).unwrap();
    Summary::new("test", experiment, &findings, "somewhere", tally).unwrap()
}

fn named(parts: Vec<Summary>) -> Vec<(String, Summary)> {
    parts.into_iter().enumerate().map(|(index, part)| (format!("part-{index}.json"), part)).collect()
}

#[test]
fn parts_have_the_bytes_of_the_whole_in_any_order() {
    let experiment = experiment(9.0);
    let whole = summary(&experiment, 1, 0..3000).to_json();
    assert_eq!(Summary::from_json("whole", &whole).unwrap().to_json(), whole);
    let cuts = [0_u64, 1, 99, 100, 101, 777, 2999, 3000];
    let parts: Vec<Summary> = cuts.windows(2).map(|cut| summary(&experiment, 1, cut[0]..cut[1])).collect();
    let mut order = named(parts);
    for _ in 0..order.len() {
        assert_eq!(Summary::merge(&order).unwrap().to_json(), whole);
        order.rotate_left(1);
        order.swap(0, 2);
    }
}

#[test]
fn foreign_parts_are_refused_with_every_reason() {
    let (ours, others) = (experiment(9.0), experiment(9.5));
    let first = summary(&ours, 1, 0..100);
    let refused = |parts: Vec<Summary>| {
        let error = Summary::merge(&named(parts)).unwrap_err();
        error.problems().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let seed = refused(vec![first.clone(), summary(&ours, 2, 100..200)]);
    assert!(seed.len() == 1 && seed[0].contains("'part-1.json' has the seed 2, and 'part-0.json' 1"), "{seed:?}");
    // Another expectation of a cell away from the excess has other tables; one toy is there twice, too.
    let foreign = refused(vec![first.clone(), summary(&others, 1, 99..200)]);
    assert_eq!(foreign.len(), 2, "{foreign:?}");
    assert!(foreign[0].contains("the tables"), "{foreign:?}");
    assert!(foreign[1].contains("toys 99 to 99 are in 'part-0.json' and in 'part-1.json'"), "{foreign:?}");
    let twice = refused(vec![summary(&ours, 1, 0..300), first.clone(), summary(&ours, 1, 200..250)]);
    assert_eq!(twice.len(), 2, "{twice:?}");
    let old = Summary { trawl: "0.0.9".into(), ..summary(&ours, 1, 100..200) };
    assert!(refused(vec![first, old])[0].contains("the program"));
    assert!(Summary::merge(&[]).is_err());
}

/// Two channels of the same cells, of which the second expects `mean` in its last.
fn channels(mean: f64, combination: Combination) -> Channels {
    let edges: Vec<f64> = (0..=6).map(f64::from).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[0..2, 1..3, 2..5, 3..6]).unwrap();
    let of = |last: f64| (windows.clone(), Expectation::given(vec![9.0, 7.3, 5.1, 4.0, 0.1, last], None).unwrap());
    Channels::new(vec![of(0.3), of(mean)], 0.0, Scan::default(), combination, Exceedance::AtLeast).unwrap()
}

fn summary_of_channels(channels: &Channels, range: std::ops::Range<u64>) -> Summary {
    let observed = vec![vec![9, 12, 9, 4, 0, 0], vec![9, 11, 9, 4, 0, 0]];
    let (_, combined) = channels.scan(&Device::Cpu, &observed).unwrap();
    let throw = Throw { seed: 1, first_toy: range.start, toys: range.end - range.start };
    let tally = channels.throw(&Device::Cpu, &combined, throw, &|_| Ok(())).unwrap();
    Summary::new("test", channels, &combined.together(), "somewhere", tally).unwrap()
}

#[test]
fn parts_of_channels_are_parts_like_any_other() {
    let ours = channels(0.3, Combination::BestOverlapping);
    let whole = summary_of_channels(&ours, 0..1000);
    assert_eq!((whole.geometry.len(), whole.geometry[1].windows, whole.observed.observed), (2, 4, 41));
    assert_eq!(Summary::from_json("whole", &whole.to_json()).unwrap(), whole);
    let part = |range| summary_of_channels(&ours, range);
    let parts = named(vec![part(700..1000), part(0..100), part(100..700)]);
    assert_eq!(Summary::merge(&parts).unwrap().to_json(), whole.to_json());
    let first = part(0..100);
    let of_others = |other: Summary| {
        let error = Summary::merge(&named(vec![first.clone(), other])).unwrap_err();
        error.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let tables = of_others(summary_of_channels(&channels(0.4, Combination::BestOverlapping), 100..200));
    assert!(tables.contains("has the tables") && !tables.contains("the geometry"), "{tables}");
    let rule = of_others(summary_of_channels(&channels(0.3, Combination::SameWindow), 100..200));
    assert!(rule.contains("the same window in all channels"), "{rule}");
    let plane = of_others(summary(&experiment(9.0), 1, 100..200));
    assert!(plane.contains("has the geometry 1 x 6 cells and 4 windows (0 left out), edges of sha256 "), "{plane}");
    assert!(plane.contains("has the observation 21 observed and 12.39"), "{plane}");
    // Words, not the structs of the program.
    assert!(!plane.contains('{') && !plane.contains("Geometry"), "{plane}");
}

#[test]
fn damaged_files_are_refused() {
    let text = summary(&experiment(9.0), 1, 0..100).to_json();
    let refused = |text: &str| Summary::from_json("part.json", text).unwrap_err().to_string();
    let changed = refused(&text.replacen("\"end\": 100", "\"end\": 101", 1));
    assert!(changed.contains("'part.json' was changed after it was written"), "{changed}");
    for length in (0..text.len() - 1).step_by(37) {
        assert!(refused(&text[..length]).contains("damaged"), "{length}");
    }
    assert!(refused(&text.replace("\"trawl_toys\": 2", "\"trawl_toys\": 1")).contains("has format 1"));
    assert!(refused("{\"trawl_toys\": 7}").contains("has format 7"));
    assert!(refused("{}").contains("no summary of toys"));
    // A forger who knows the hash still has to count.
    let mut forged = Summary::from_json("part.json", &text).unwrap();
    forged.tally =
        serde_json::from_str(&serde_json::to_string(&forged.tally).unwrap().replace("\"exceed\":", "\"exceed\":9"))
            .unwrap();
    assert!(refused(&forged.to_json()).contains("contradicts itself"));
}

#[test]
fn a_tally_of_other_tables_has_no_summary() {
    let (ours, others) = (experiment(9.0), experiment(9.5));
    let findings = ours.scan(&Device::Cpu, &[9; 6]).unwrap();
    let tally = summary(&others, 1, 0..10).tally;
    assert!(Summary::new("test", &ours, &findings, "", tally).is_err());
}
