//! Several channels against pyBumpHunter, and their rules.

use super::*;
use crate::hunt::scan::golden::{DATA, REFERENCE};
use crate::hunt::{BumpHunter, WindowId};

fn halves(combination: Combination) -> (Channels, Vec<Vec<u64>>) {
    let cells: Vec<f64> = REFERENCE.iter().map(|bin| *bin as f64 / 2.0).collect();
    let edges: Vec<f64> = (0..=60).map(|edge| f64::from(edge) / 3.0).collect();
    let hunter = BumpHunter { width_min: 2, width_max: Some(6), ..BumpHunter::default() };
    let windows = Windows::spectrum(&edges, &cells, &hunter).unwrap();
    let expectation = Expectation::given(cells, None).unwrap();
    let channels = vec![(windows, expectation); 2];
    let channels = Channels::new(channels, 0.0, Scan::default(), combination, Exceedance::AtLeast).unwrap();
    let observed = vec![DATA.iter().map(|bin| bin - bin / 2).collect(), DATA.iter().map(|bin| bin / 2).collect()];
    (channels, observed)
}

#[test]
fn two_halves_have_pybumphunters_statistic_and_global_p_value() {
    // pyBumpHunter 0.5.1, 20,000 pseudo-experiments (`scripts/oracles/bump_hunter.py global`): t = 10.310239177, global
    // p = 0.03495, and the best windows overlap in 9.64 % of the toys.
    let (channels, observed) = halves(Combination::BestOverlapping);
    let toys = 20_000;
    let global = channels.global(&Device::Cpu, &observed, 1, toys, &|_| Ok(())).unwrap();
    assert!((global.combined.t() - 10.310_239_177).abs() < 1e-8, "{:?}", global.combined);
    assert!(global.combined.overlap.is_some());
    let close = |p: f64, golden: f64| {
        let error = (golden * (1.0 - golden) * (1.0 / 20_000.0 + 1.0 / toys as f64)).sqrt();
        assert!((p - golden).abs() < 4.0 * error, "{p} for {golden} +- {error}");
    };
    close(global.significance.p, 0.03495);
    close(global.tally.reaching(1) as f64 / toys as f64, 1.0 - 0.9036);
    assert_eq!((global.significance.sidak, global.significance.windows), (1.0, 570));
}

#[test]
fn a_toy_of_channels_is_worth_what_their_scans_say_together() {
    // The tables give cell i of channel c the draw number of its place among all cells.
    use crate::math::philox::{Philox, join};
    use crate::math::poisson::PoissonTable;
    for combination in [Combination::BestOverlapping, Combination::SameWindow] {
        let (channels, _) = halves(combination);
        let values = channels.values(&Device::Cpu, Throw { seed: 2, first_toy: 9, toys: 60 }, &|_| Ok(())).unwrap();
        let random = Philox::new(2, Stage::Toys);
        let tables: Vec<PoissonTable> =
            channels.cells(0).iter().map(|mean| PoissonTable::new(*mean).unwrap()).collect();
        for (toy, value) in values.iter().enumerate() {
            let draw = |cell: usize| {
                let words = random.words(9 + toy as u64, cell as u64 / 2);
                let bits = if cell.is_multiple_of(2) { join(words[0], words[1]) } else { join(words[2], words[3]) };
                u64::from(tables[cell % 60].draw(bits))
            };
            let counts = vec![(0..60).map(draw).collect(), (60..120).map(draw).collect()];
            let (_, combined) = channels.scan(&Device::Cpu, &counts).unwrap();
            assert_eq!(combined.ln_p, *value, "toy {toy}, {combination:?}");
        }
    }
}

#[test]
fn the_same_window_sees_a_small_bump_in_both_channels() {
    let (channels, mut observed) = halves(Combination::SameWindow);
    observed.iter_mut().for_each(|counts| counts[30] += 25);
    let global = channels.global(&Device::Cpu, &observed, 1, 2000, &|_| Ok(())).unwrap();
    assert!(channels.windows(0).range(global.combined.chosen[0].window).contains(&30), "{:?}", global.combined);
    assert_eq!(global.combined.chosen[0].window, global.combined.chosen[1].window);
    assert_eq!(global.significance.windows, 285);
}

#[test]
fn a_window_left_out_of_one_channel_is_left_out_of_all() {
    let edges: Vec<f64> = (0..4).map(f64::from).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[0..1, 1..2, 2..3]).unwrap();
    let with = |cells: [f64; 3]| (windows.clone(), Expectation::given(cells.to_vec(), None).unwrap());
    let channels = |combination| {
        let channels = vec![with([1.0, 2.0, 0.0]), with([0.0, 2.0, 3.0])];
        Channels::new(channels, 0.0, Scan::default(), combination, Exceedance::AtLeast)
    };
    let best = channels(Combination::BestOverlapping).unwrap();
    assert_eq!((best.expected(0).kept().len(), best.expected(1).kept().len()), (2, 2));
    let same = channels(Combination::SameWindow).unwrap();
    assert_eq!((same.expected(0).kept(), same.expected(1).kept()), (&[WindowId(1)][..], &[WindowId(1)][..]));
    let (findings, combined) = same.scan(&Device::Cpu, &[vec![0, 9, 5], vec![5, 8, 0]]).unwrap();
    assert_eq!(combined.ln_p, findings[0].ln_p + findings[1].ln_p);
    let none = vec![with([1.0, 0.0, 0.0]), with([0.0, 0.0, 3.0])];
    let error = Channels::new(none, 0.0, Scan::default(), Combination::SameWindow, Exceedance::AtLeast).unwrap_err();
    assert!(error.to_string().contains("left out of one channel or another"), "{error}");
}

#[test]
fn what_does_not_fit_the_channels_is_refused() {
    let (channels, observed) = halves(Combination::BestOverlapping);
    assert!(channels.scan(&Device::Cpu, &observed[1..]).unwrap_err().to_string().contains("1 channels for 2"));
    let empty = Channels::new(vec![], 0.0, Scan::default(), Combination::default(), Exceedance::AtLeast);
    assert!(empty.unwrap_err().to_string().contains("there is no channel"));
}
