//! `toys.scan`: the same values and tallies for any block size and any split.

use std::ops::Range;

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::hunt::{Combination, Scan, Windows};
use trawl::math::philox::Stage;
use trawl::spectrum::Expectation;
use trawl::toys::scan::Input;
use trawl::toys::{Channels, Exceedance, ScanToys, Throw};

use crate::harness::{cuda, every_block_size, floats_are_exact};
use crate::scan::every_scan;

/// Channels of very different means with windows of up to three cells. Window 0 lies in the middle, so that sidebands exist.
fn input(cells: usize, channels: usize, combination: Combination, scan: Scan) -> Input<Host> {
    let edges: Vec<f64> = (0..=cells).map(|edge| edge as f64).collect();
    let ranges: Vec<Range<usize>> = (0..cells).map(|first| first..(first + 3).min(cells)).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &ranges).unwrap();
    let channel = |index: usize| {
        let means = (0..cells).map(|cell| [3.0, 0.5, 250.0, 0.0, 41.5, 4000.0, 1.0][(cell + index) % 7]).collect();
        (windows.clone(), Expectation::given(means, None).unwrap())
    };
    let channels = (0..channels).map(channel).collect();
    let channels = Channels::new(channels, 0.0, scan, combination, Exceedance::AtLeast).unwrap();
    channels.input().clone()
}

fn agrees(what: &str, toys: &ScanToys, cuda: &trawl::device::Cuda, input: Input<Host>) {
    let here = toys.cpu(input.clone()).unwrap();
    let there = Device::Cuda(cuda.clone()).run(toys, input).unwrap();
    assert_eq!(here.tally, there.tally, "{what}");
    assert_eq!(there.tally[1..].iter().sum::<u64>(), toys.throw.toys, "{what}");
    for (toy, (here, there)) in here.ln_p.iter().zip(there.ln_p.iter()).enumerate() {
        // As in the comparison of hunt.scan: the perturbed build contracts products and sums.
        let near = (here - there).abs() <= 1e-9 * here.abs().max(1.0);
        let same = here.to_bits() == there.to_bits();
        assert!(if floats_are_exact() { same } else { near }, "{what}: toy {toy}: {here:e} and {there:e}");
    }
}

#[test]
fn the_same_toys_at_every_shape_and_block_size() {
    let shapes = [(4, 1, 1), (5, 2, 33), (31, 1, 9), (32, 3, 5), (65, 1, 7), (129, 2, 4)];
    for (threads, cuda) in every_block_size() {
        for (index, (cells, channels, toys)) in shapes.into_iter().enumerate() {
            for (choice, scan) in every_scan().enumerate() {
                let combination = [Combination::BestOverlapping, Combination::SameWindow][(index + choice) % 2];
                let first_toy = if choice % 2 == 0 { 0 } else { (1 << 33) - 2 };
                let throw = Throw { seed: 0x1234_5678_9abc_def0 + choice as u64, first_toy, toys };
                let stage = [Stage::Toys, Stage::Inject][index % 2];
                let limit_ln_p = -2.5;
                let operation = ScanToys { throw, stage, scan, limit_ln_p };
                let what = format!("{channels} channels of {cells} cells, {operation:?}, {combination:?} by {threads}");
                agrees(&what, &operation, &cuda, input(cells, channels, combination, scan));
            }
        }
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let tables = input(20, 2, Combination::BestOverlapping, Scan::default());
    let part = |first_toy, toys| {
        let throw = Throw { seed: 5, first_toy, toys };
        let operation = ScanToys { throw, stage: Stage::Toys, scan: Scan::default(), limit_ln_p: -1.0 };
        device.run(&operation, tables.clone()).unwrap()
    };
    let (all, a, b) = (part(10, 60), part(10, 1), part(11, 59));
    assert_eq!(all.tally.to_vec(), a.tally.iter().zip(b.tally.iter()).map(|(a, b)| a + b).collect::<Vec<_>>());
    assert_eq!(all.ln_p.to_vec(), a.ln_p.iter().chain(b.ln_p.iter()).copied().collect::<Vec<_>>());
}

#[test]
fn toys_that_tie_with_the_observation_exceed_in_every_build() {
    // Small means: many toys hold exactly what the observation holds. No rounding may tell them apart.
    let edges: Vec<f64> = (0..=6).map(f64::from).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &[1..2, 3..5]).unwrap();
    let expectation = Expectation::given(vec![2.0, 1.5, 2.5, 0.75, 0.5, 3.0], None).unwrap();
    for scan in every_scan() {
        let channels = vec![(windows.clone(), expectation.clone())];
        let channels = Channels::new(channels, 0.0, scan, Combination::BestOverlapping, Exceedance::AtLeast).unwrap();
        let (_, combined) = channels.scan(&Device::Cpu, &[vec![2, 4, 2, 0, 0, 3]]).unwrap();
        let throw = Throw { seed: 8, first_toy: 0, toys: 200 };
        let here = channels.throw(&Device::Cpu, &combined, throw, &|_| Ok(())).unwrap();
        let Some(cuda) = cuda() else { return };
        let there = channels.throw(&Device::Cuda(cuda), &combined, throw, &|_| Ok(())).unwrap();
        assert_eq!(here, there, "{scan:?}");
        assert!(here.exceed() > 0, "{scan:?}: no toy ties");
    }
}

#[test]
fn what_does_not_fit_a_block_is_refused() {
    let Some(cuda) = cuda() else { return };
    let input =
        Input::<Host> { cell: vec![0; 3 * 24_001].into(), ..input(4, 1, Combination::default(), Scan::default()) };
    let throw = Throw { seed: 1, first_toy: 0, toys: 1 };
    let operation = ScanToys { throw, stage: Stage::Toys, scan: Scan::default(), limit_ln_p: 0.0 };
    let error = Device::Cuda(cuda).run(&operation, input).unwrap_err().to_string();
    assert!(error.contains("24001 cells do not fit"), "{error}");
}
