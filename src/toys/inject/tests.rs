//! The injection of pyBumpHunter's test vector, and its edges.

use super::*;
use crate::hunt::scan::golden::REFERENCE;
use crate::hunt::{BumpHunter, Combination, Normalisation, Scan, Windows};
use crate::settings::Document;
use crate::spectrum::Expectation;
use crate::toys::Exceedance;

// The signal of pyBumpHunter's data/data.root: 5,000 events of a normal distribution (5.5, 0.35) in 60 bins on [0, 20].
const SIGNAL: [f64; 8] = [1.0, 44.0, 368.0, 1206.0, 1857.0, 1184.0, 307.0, 33.0];

fn golden(scan: Scan) -> (Channels, Vec<f64>) {
    let expectation = Expectation::given(REFERENCE.iter().map(|bin| *bin as f64).collect(), None).unwrap();
    let edges: Vec<f64> = (0..=60).map(|edge| f64::from(edge) / 3.0).collect();
    let hunter = BumpHunter { width_min: 2, width_max: Some(6), ..BumpHunter::default() };
    let windows = Windows::spectrum(&edges, expectation.values(), &hunter).unwrap();
    let channels = vec![(windows, expectation)];
    let channels = Channels::new(channels, 0.0, scan, Combination::default(), Exceedance::Above).unwrap();
    let mut signal = vec![0.0; 60];
    signal[12..20].copy_from_slice(&SIGNAL);
    (channels, signal)
}

#[test]
fn the_golden_injection_ends_at_300_events() {
    // pyBumpHunter 0.5.1, `scripts/oracles/bump_hunter.py inject 10000` with 1,000 data sets a step: the global significance
    // of the median is 0.20 +- 0.09 at strengths 0.1 to 0.4, 0.97 at 0.9, 1.13 at 1 (150 events), and 3.54 at 2 (300 events),
    // with -1.1 and +1.1 sigma between data sets. With 2,000 toys at most one reaches the median at 2: there it ends.
    let (channels, signal) = golden(Scan::default());
    let injection = Injection { signal_events: Some(150.0), data_sets: 400, ..Injection::default() };
    let outcome = injection.run(&Device::Cpu, &channels, std::slice::from_ref(&signal), 1, 2000, &|_| Ok(())).unwrap();
    assert_eq!((outcome.stop, outcome.toys, outcome.steps.len()), (Stop::ToysExhausted, 2000, 11));
    let [.., before, last] = &outcome.steps[..] else { panic!("{outcome:?}") };
    assert!((last.strength - 2.0).abs() < 1e-12 && (last.events - 300.0).abs() < 1e-9, "{last:?}");
    // The median of 400 data sets with a spread of 1.1 has an error of 1.25 * 1.1 / 20 = 0.07, that of 1,000 one of 0.04.
    assert!((before.significance.value() - 1.1335).abs() < 0.3 && (before.events - 150.0).abs() < 1e-9, "{before:?}");
    let spread = before.high.value() - before.low.value();
    assert!((spread - 2.19).abs() < 0.4, "{before:?}");
    let part = Injection { data_sets: 10, most_steps: 3, significance: 9.0, ..injection };
    let again =
        |seed| part.run(&Device::Cpu, &channels, std::slice::from_ref(&signal), seed, 100, &|_| Ok(())).unwrap();
    assert_eq!(again(5), again(5));
    assert_ne!(again(5).steps, again(6).steps);
    assert_eq!(again(5).stop, Stop::MostSteps);
}

#[test]
fn the_rare_tail_says_what_toys_do_not_reach() {
    // As in the golden injection: 3.54 sigma at strength 2, by 10,000 toys of pyBumpHunter's; 2,000 toys end there.
    let (channels, signal) = golden(Scan::default());
    let expectation = Expectation::given(channels.cells(0).to_vec(), None).unwrap();
    let windows = channels.windows(0).clone();
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    let injection = Injection { signal_events: Some(150.0), data_sets: 400, ..Injection::default() };
    let background = Background { seed: 1, toys: 2000, rare: Some(&experiment) };
    let signal = std::slice::from_ref(&signal);
    let outcome = injection.run_against(&Device::Cpu, &channels, signal, background, &|_| Ok(())).unwrap();
    assert_eq!(outcome.stop, Stop::Reached, "{outcome:?}");
    let step = |strength: f64| outcome.steps.iter().find(|step| (step.strength - strength).abs() < 1e-12).unwrap();
    let Deviations::Measured { z, error } = step(2.0).significance else { panic!("{outcome:?}") };
    assert!(step(2.0).from_tail && (z - 3.54).abs() < 0.3 && error < 0.01, "{:?}", step(2.0));
    assert!(!step(0.5).from_tail && outcome.steps.last().unwrap().significance.value() > 5.0, "{outcome:?}");
    // What the toys resolve is theirs, with or without the tail.
    let without = injection.run(&Device::Cpu, &channels, signal, 1, 2000, &|_| Ok(())).unwrap();
    assert_eq!(without.steps[5], outcome.steps[5]);
}

#[test]
fn a_dip_is_taken_away_and_no_more_than_there_is() {
    let scan = Scan { direction: Direction::Deficit, normalisation: Normalisation::Sidebands, ..Scan::default() };
    let (channels, signal) = golden(scan);
    let injection = Injection {
        strengths: Strengths::Linear { first: 0.04, step: 0.04 },
        significance: 2.5,
        data_sets: 60,
        ..Injection::default()
    };
    let outcome = injection.run(&Device::Cpu, &channels, std::slice::from_ref(&signal), 3, 1000, &|_| Ok(())).unwrap();
    assert_eq!(outcome.stop, Stop::Reached, "{outcome:?}");
    assert!(outcome.steps.last().unwrap().events < 700.0, "{outcome:?}");
    let all = Injection { strengths: Strengths::Linear { first: 1e6, step: 1.0 }, ..injection };
    let outcome = all.run(&Device::Cpu, &channels, &[signal], 3, 100, &|_| Ok(())).unwrap();
    let expected: u64 = REFERENCE[12..20].iter().sum();
    assert_eq!(outcome.steps[0].events, expected as f64);
}

#[test]
fn strengths_go_by_decades_or_in_steps() {
    let decades: Vec<f64> = (0..20).map(|step| Strengths::Decades { first: 1.0 }.of_step(step)).collect();
    assert_eq!(decades[..11], [1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 20.]);
    assert_eq!(decades[17..], [90., 100., 200.]);
    assert_eq!(Strengths::Linear { first: 1.0, step: 0.5 }.of_step(3), 2.5);
}

#[test]
fn quantiles_are_numpys() {
    // numpy.quantile([1, 2, 4, 8], [0.16, 0.5, 0.84]) = 1.48, 3, 6.08
    for (part, value) in [(0.16, 1.48), (0.5, 3.0), (0.84, 6.08)] {
        assert!((quantile(&[1.0, 2.0, 4.0, 8.0], part) - value).abs() < 1e-12);
    }
    assert_eq!(quantile(&[3.0], 0.84), 3.0);
}

#[test]
fn bad_signals_and_settings_are_refused_all_at_once() {
    let (channels, mut signal) = golden(Scan::default());
    let injection = Injection::default();
    let run = |signal: &[Vec<f64>]| injection.run(&Device::Cpu, &channels, signal, 1, 10, &|_| Ok(()));
    assert!(run(&[]).unwrap_err().to_string().contains("a signal in 0 channels for 1"));
    assert!(run(&[vec![0.0; 60]]).unwrap_err().to_string().contains("the signal has 0 events"));
    signal[3] = f64::NAN;
    signal.push(1.0);
    assert_eq!(run(&[signal]).unwrap_err().problems().len(), 2);
    let text =
        "[inject]\nstrengths = \"decade\"\nfirst = 0\nstep = 2\nsignificance = -1\ndata_sets = 0\nmost_steps = 0\n";
    let document = Document::parse("card.toml", text, &[]).unwrap();
    Injection::read(&document.root().section("inject"));
    let error = document.finish().unwrap_err();
    assert_eq!(error.problems().len(), 6, "{error}");
    assert!(error.to_string().contains("Did you mean 'decades'?"), "{error}");
}
