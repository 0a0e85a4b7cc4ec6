//! `toys.throw`: the same tallies for any block size and any split.

use std::ops::Range;

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::hunt::{Scan, Windows};
use trawl::math::philox::{Philox, Stage};
use trawl::spectrum::Expectation;
use trawl::toys::throw::{Draws, Input, math};
use trawl::toys::{Exceedance, Experiment, Throw};

use crate::harness::{cuda, every_block_size, windows_over};

/// Cells of very different means, windows of up to three cells and rows, and an excess in the middle.
fn input(cells: usize) -> Input<Host> {
    let means: Vec<f64> = (0..cells).map(|cell| [3.0, 0.0, 250.0, 0.02, 41.5, 4000.0, 1.0][cell % 7]).collect();
    let windows = windows_over(cells);
    let mut observed: Vec<u64> = means.iter().map(|mean| *mean as u64).collect();
    observed[cells / 2] += 3 + (2.0 * means[cells / 2].sqrt()) as u64;
    let expectation = Expectation::given(means, None).unwrap();
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    experiment.input(&experiment.scan(&Device::Cpu, &observed).unwrap())
}

#[test]
fn the_same_tally_at_every_shape_and_block_size() {
    for (threads, cuda) in every_block_size() {
        for (cells, toys) in [(1, 1), (3, 40), (4, 7), (5, 33), (31, 20), (129, 40), (301, 9)] {
            for (seed, first_toy) in [(1, 0), (0x1234_5678_9abc_def0, (1 << 33) - 2)] {
                let throw = Throw { seed, first_toy, toys };
                let here = throw.cpu(input(cells)).unwrap().tally;
                let there = Device::Cuda(cuda.clone()).run(&throw, input(cells)).unwrap().tally;
                assert_eq!(here, there, "{toys} toys in {cells} cells by {threads}");
                assert_eq!(there[1..].iter().sum::<u64>(), toys);
            }
        }
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let part = |first_toy, toys| device.run(&Throw { seed: 5, first_toy, toys }, input(40)).unwrap().tally;
    let (all, a, b) = (part(10, 90), part(10, 1), part(11, 89));
    assert_eq!(all.to_vec(), a.iter().zip(b.iter()).map(|(a, b)| a + b).collect::<Vec<_>>());
}

/// A word ties with a threshold's upper half once in 65,536 for each threshold, so the tables are bent to the words: cell 0
/// has its only threshold at the toy's own 64 bits, where the count is 1; in cell 1 it is one above, and the count is 0.
#[test]
fn ties_are_decided_by_the_refinement() {
    let Some(cuda) = cuda() else { return };
    let throw = Throw { seed: 9, first_toy: 77, toys: 1 };
    let random = Philox::new(throw.seed, Stage::Toys);
    let word = |draw: u32| math::half_word(random.words(throw.first_toy, 0), draw);
    let bits = |draw: u32| math::refined(word(draw), random.words(throw.first_toy, math::REFINEMENT + u64::from(draw)));
    let entry = |draw: u32| (0..128).map(move |_| word(draw));
    let draws = Draws::<Host> {
        cells: 2,
        draw: vec![0, 9, 0, 0, 0, 1, 0, 0, 128, 9, 0, 1, 1, 1, 0, 0].into(),
        row: vec![0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2].into(),
        member: Vec::new().into(),
        guide: entry(0).chain(entry(1)).collect(),
        threshold: vec![bits(0), bits(1) + 1].into(),
    };
    let input = Input::<Host> {
        draws,
        range: vec![0, 1, 2].into(),
        start: vec![0, 1].into(),
        end: vec![1, 2].into(),
        minimum: vec![1, 1, 9, 1].into(),
        critical: vec![1, 9].into(),
        floor: 1,
    };
    // Level 1 by cell 0 alone; cell 1 would be at level 2; the observation is reached by cell 0.
    let here = throw.cpu(input.clone()).unwrap().tally;
    assert_eq!(here.to_vec(), [1, 0, 1, 0]);
    assert_eq!(Device::Cuda(cuda).run(&throw, input).unwrap().tally, here);
}

/// A row of which most cells are drawn as a group, with more particles than a warp has lanes.
#[test]
fn groups_are_scattered_alike() {
    let means: Vec<f64> = (0..500).map(|cell| if cell % 9 == 0 { 3.0 } else { 0.14 }).collect();
    let edges = (0..=500).map(f64::from).collect();
    let ranges: Vec<Range<usize>> = (0..498).map(|first| first..first + 3).collect();
    let windows = Windows::new(vec![0.0, 1.0], edges, &ranges).unwrap();
    let expectation = Expectation::given(means, None).unwrap();
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    let mut observed = vec![0; 500];
    observed[40] = 9;
    let input = experiment.input(&experiment.scan(&Device::Cpu, &observed).unwrap());
    assert!(input.draws.member.len() > 400);
    let throw = Throw { seed: 3, first_toy: 12, toys: 12 };
    let here = throw.cpu(input.clone()).unwrap().tally;
    for (threads, cuda) in every_block_size() {
        let there = Device::Cuda(cuda).run(&throw, input.clone()).unwrap().tally;
        assert_eq!(here, there, "{threads} threads a block");
    }
}

#[test]
fn what_does_not_fit_a_block_is_refused() {
    let Some(cuda) = cuda() else { return };
    let small = input(1);
    let input = Input::<Host> { draws: Draws { cells: 24_001, ..small.draws.clone() }, ..small };
    let error = Device::Cuda(cuda).run(&Throw { seed: 1, first_toy: 0, toys: 1 }, input).unwrap_err().to_string();
    assert!(error.contains("24001 exclusive cells do not fit"), "{error}");
}
