//! `toys.tail`: the same tallies for any block size and any split.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::hunt::Scan;
use trawl::math::philox::{Philox, Stage};
use trawl::math::special::ln_normal_survival;
use trawl::spectrum::Expectation;
use trawl::toys::tail::Input;
use trawl::toys::throw::math::REFINEMENT;
use trawl::toys::{Exceedance, Experiment, Tail};

use crate::harness::{cuda, every_block_size, windows_over};

/// Cells of very different means and windows of up to three cells and rows.
fn experiment(cells: usize) -> Experiment {
    let means: Vec<f64> = (0..cells).map(|cell| [3.0, 0.0, 250.0, 0.02, 41.5, 4000.0, 1.0][cell % 7]).collect();
    let windows = windows_over(cells);
    let expectation = Expectation::given(means, None).unwrap();
    Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap()
}

#[test]
fn the_same_tally_at_every_shape_block_size_and_threshold() {
    for (threads, cuda) in every_block_size() {
        for (cells, toys) in [(1, 1), (3, 40), (4, 7), (5, 33), (31, 20), (129, 40), (301, 9)] {
            // At 0.3 sigma events are often taken away, at 8 always added; thousands of them at 40.
            for (z, seed, first_toy) in [(0.3, 1, 0), (8.0, 0x1234_5678_9abc_def0, (1 << 33) - 2), (40.0, 2, 7)] {
                let tail = Tail { seed, first_toy, toys };
                let input = experiment(cells).tail_input(ln_normal_survival(z)).unwrap();
                let here = tail.cpu(input.clone()).unwrap().tally;
                let there = Device::Cuda(cuda.clone()).run(&tail, input).unwrap().tally;
                assert_eq!(here, there, "{toys} toys in {cells} cells by {threads} at {z}");
                assert_eq!((there[0], there.iter().sum::<u64>()), (0, toys));
            }
        }
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let Some(cuda) = cuda() else { return };
    let (device, experiment) = (Device::Cuda(cuda), experiment(40));
    let part = |first_toy, toys| {
        experiment.tail(&device, ln_normal_survival(5.0), Tail { seed: 5, first_toy, toys }, &|_| Ok(())).unwrap()
    };
    assert_eq!(part(10, 90), part(11, 89).merge(&part(10, 1)).unwrap());
}

/// Words tie with a threshold once in 2^32, so the tables are bent to the words: cell 0 has its only threshold at the toy's
/// own 64 bits, where the count is 1, and cell 1 one above, where it is 0. The window of cell 2 is the chosen one.
#[test]
fn ties_are_decided_by_the_refinement() {
    let Some(cuda) = cuda() else { return };
    let tail = Tail { seed: 9, first_toy: 77, toys: 1 };
    let random = Philox::new(tail.seed, Stage::Tail);
    let words = random.words(tail.first_toy, 0);
    let refinement = |cell: u64| random.words(tail.first_toy, REFINEMENT + cell)[0];
    let input = Input::<Host> {
        cell: vec![0, 31, 1, 0, 2, 31, 3, 2, 4, 31, 4, 4].into(),
        guide: vec![0, 0, 2, 2, 4, 4].into(),
        threshold_high: vec![words[0], u32::MAX, words[1], u32::MAX, u32::MAX].into(),
        threshold_low: vec![refinement(0), u32::MAX, refinement(1) + 1, u32::MAX, u32::MAX].into(),
        start: vec![0, 1, 2].into(),
        end: vec![1, 2, 3].into(),
        height: vec![1; 3].into(),
        columns: 3,
        critical: vec![1, 1, 5].into(),
        choice: vec![0, 0].into(),
        place: vec![0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 0].into(),
        tail: Vec::new().into(),
        share: Vec::new().into(),
    };
    let here = tail.cpu(input.clone()).unwrap().tally;
    assert_eq!(here.to_vec(), [0, 0, 1, 0]);
    assert_eq!(Device::Cuda(cuda).run(&tail, input).unwrap().tally, here);
}

#[test]
fn what_does_not_fit_a_block_is_refused() {
    let Some(cuda) = cuda() else { return };
    let input = Input::<Host> { cell: vec![0; 4 * 24_001].into(), ..experiment(1).tail_input(-9.0).unwrap() };
    let error = Device::Cuda(cuda).run(&Tail { seed: 1, first_toy: 0, toys: 1 }, input).unwrap_err().to_string();
    assert!(error.contains("24001 cells do not fit"), "{error}");
}
