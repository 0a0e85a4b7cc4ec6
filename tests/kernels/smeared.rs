//! `toys.smeared`: the same tallies for any block size and any split.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::hunt::Scan;
use trawl::spectrum::Expectation;
use trawl::toys::smeared::Input;
use trawl::toys::{BackgroundUncertainty, Exceedance, Experiment, Smeared, Smearing, Statistic, Template};

use crate::harness::{cuda, every_block_size, windows_over};

/// Cells of very different means, windows of up to three cells and rows, an excess in the middle, and `templates` templates.
fn input(cells: usize, templates: usize, own: bool, smearing: Smearing) -> Input<Host> {
    let means: Vec<f64> = (0..cells).map(|cell| [3.0, 0.0, 250.0, 0.02, 41.5, 4000.0, 15.9][cell % 7]).collect();
    let windows = windows_over(cells);
    let mut observed: Vec<u64> = means.iter().map(|mean| *mean as u64).collect();
    observed[cells / 2] += 3 + (3.0 * means[cells / 2].sqrt()) as u64;
    let expectation = Expectation::given(means, None).unwrap();
    let templates = (0..templates).map(|index| Template {
        name: index.to_string(),
        relative: (0..cells).map(|cell| 0.04 * ((cell + index) % 5) as f64 - 0.08).collect(),
    });
    let own = (0..cells).map(|cell| if own { 0.05 * (cell % 4) as f64 } else { 0.0 }).collect();
    let uncertainty = BackgroundUncertainty::new(smearing, own, templates.collect()).unwrap();
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    let experiment = experiment.with_uncertainty(&expectation, uncertainty, Statistic::Nominal).unwrap();
    experiment.smeared_input(&experiment.scan(&Device::Cpu, &observed).unwrap()).unwrap()
}

#[test]
fn the_same_tally_at_every_shape_and_block_size() {
    // Cells, templates, whether cells have nuisances of their own, toys.
    let shapes =
        [(1, 0, true, 1), (2, 1, false, 20), (3, 2, true, 20), (5, 3, true, 11), (31, 5, false, 7), (129, 70, true, 4)];
    for (threads, cuda) in every_block_size() {
        for (cells, templates, own, toys) in shapes {
            for (seed, first_toy, smearing) in
                [(1, 0, Smearing::LogNormal), (0x1234_5678_9abc_def0, (1 << 33) - 2, Smearing::TruncatedGaussian)]
            {
                let smeared = Smeared { seed, first_toy, toys, smearing };
                let input = input(cells, templates, own, smearing);
                let here = smeared.cpu(input.clone()).unwrap().tally;
                let there = Device::Cuda(cuda.clone()).run(&smeared, input).unwrap().tally;
                assert_eq!(here, there, "{toys} toys in {cells} cells with {templates} templates by {threads}");
                assert_eq!(there[1..].iter().sum::<u64>(), toys);
            }
        }
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let part = |first_toy, toys| {
        let smeared = Smeared { seed: 5, first_toy, toys, smearing: Smearing::LogNormal };
        device.run(&smeared, input(40, 3, true, Smearing::LogNormal)).unwrap().tally
    };
    let (all, a, b) = (part(10, 40), part(10, 1), part(11, 39));
    assert_eq!(all.to_vec(), a.iter().zip(b.iter()).map(|(a, b)| a + b).collect::<Vec<_>>());
}

#[test]
fn what_does_not_fit_a_block_is_refused() {
    let Some(cuda) = cuda() else { return };
    let (cells, one) = (24_001, input(1, 0, false, Smearing::LogNormal));
    let column = || vec![1.0; cells].into();
    let input = Input::<Host> { expected: column(), middle: column(), most: column(), ..one };
    let smeared = Smeared { seed: 1, first_toy: 0, toys: 1, smearing: Smearing::LogNormal };
    let error = Device::Cuda(cuda).run(&smeared, input).unwrap_err().to_string();
    assert!(error.contains("24001 cells do not fit"), "{error}");
}
