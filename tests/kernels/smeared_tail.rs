//! `toys.smeared_tail`: the same sums of weights, bit for bit, for any block size and any split.

use trawl::Device;
use trawl::device::{Host, Operation, Upload};
use trawl::hunt::{Findings, Scan};
use trawl::math::special::ln_normal_survival;
use trawl::spectrum::Expectation;
use trawl::toys::smeared_tail::Input;
use trawl::toys::{
    BackgroundUncertainty, Exceedance, ExceedingToys, Experiment, SmearedTail, Smearing, Statistic, Stopping, Template,
    smeared,
};

use crate::harness::{cuda, every_block_size, floats_are_exact, windows_over};

/// Cells of very different means, windows of up to three cells and rows, `templates` templates, and what was found at `z`.
fn experiment(cells: usize, templates: usize, own: bool, smearing: Smearing, z: f64) -> (Experiment, Findings) {
    let means: Vec<f64> = (0..cells).map(|cell| [3.0, 0.0, 250.0, 0.02, 41.5, 4000.0, 15.9][cell % 7]).collect();
    let expectation = Expectation::given(means.clone(), None).unwrap();
    let templates = (0..templates).map(|index| Template {
        name: index.to_string(),
        relative: (0..cells).map(|cell| 0.04 * ((cell + index) % 5) as f64 - 0.08).collect(),
    });
    let own = (0..cells).map(|cell| if own { 0.05 * (cell % 4) as f64 } else { 0.0 }).collect();
    let uncertainty = BackgroundUncertainty::new(smearing, own, templates.collect()).unwrap();
    let windows = windows_over(cells);
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap();
    let experiment = experiment.with_uncertainty(&expectation, uncertainty, Statistic::Nominal).unwrap();
    let observed: Vec<u64> = means.iter().map(|mean| *mean as u64).collect();
    let mut findings = experiment.scan(&Device::Cpu, &observed).unwrap();
    (findings.z, findings.ln_p) = (z, ln_normal_survival(z));
    (experiment, findings)
}

fn smeared_input(cells: usize, templates: usize, own: bool, smearing: Smearing, z: f64) -> smeared::Input<Host> {
    let (experiment, findings) = experiment(cells, templates, own, smearing, z);
    experiment.smeared_input(&findings).unwrap()
}

fn input(tail: SmearedTail, cells: usize, templates: usize, own: bool, z: f64) -> Input<Host> {
    tail.input(&smeared_input(cells, templates, own, tail.smearing, z)).unwrap()
}

/// In the perturbed build the last places of a weight may differ, and with them its units; the counts that make it may not.
fn assert_same(here: &[u64], there: &[u64], what: &str) {
    if floats_are_exact() {
        return assert_eq!(here, there, "{what}");
    }
    let value = |limbs: &[u64]| limbs.iter().rev().fold(0.0, |sum, limb| sum * 4294967296.0 + *limb as f64);
    for (here, there) in here.chunks(4).zip(there.chunks(4)) {
        let (here, there) = (value(here), value(there));
        assert!((here - there).abs() <= 1e-9 * here, "{what}: {here} {there}");
    }
}

#[test]
fn the_same_sums_at_every_shape_block_size_and_threshold() {
    // Cells, templates, whether cells have nuisances of their own, toys.
    let shapes = [
        (1, 0, true, 1),
        (2, 1, false, 20),
        (3, 2, true, 20),
        (5, 0, false, 11),
        (31, 5, false, 7),
        (129, 70, true, 4),
    ];
    // The tables take longer than the toys, and are the same for all block sizes.
    let devices: Vec<_> = every_block_size().collect();
    for (cells, templates, own, toys) in shapes {
        for (seed, first_toy, smearing, z) in
            [(1, 0, Smearing::LogNormal, 5.0), (0x1234_5678_9abc_def0, (1 << 33) - 2, Smearing::TruncatedGaussian, 1.0)]
        {
            let tail = SmearedTail { seed, first_toy, toys, smearing };
            let input = input(tail, cells, templates, own, z);
            let here = tail.cpu(input.clone()).unwrap().sums;
            assert!(here.iter().any(|limb| *limb > 0));
            for (threads, cuda) in &devices {
                let there = Device::Cuda(cuda.clone()).run(&tail, input.clone()).unwrap().sums;
                assert_same(&here, &there, &format!("{toys} toys in {cells} cells by {threads} at {z}"));
            }
        }
    }
}

/// More windows exceed than there are lanes, and more than a block has threads.
#[test]
fn the_same_sums_where_most_windows_exceed() {
    let tail = SmearedTail { seed: 3, first_toy: 1, toys: 2, smearing: Smearing::LogNormal };
    let good = smeared_input(301, 1, true, tail.smearing, 1.0);
    let low = smeared::Input::<Host> { critical: vec![1; good.windows()].into(), ..good };
    assert!(low.windows() > 512, "{}", low.windows());
    let input = tail.input(&low).unwrap();
    let here = tail.cpu(input.clone()).unwrap().sums;
    for (threads, cuda) in every_block_size() {
        let there = Device::Cuda(cuda).run(&tail, input.clone()).unwrap().sums;
        assert_same(&here, &there, &format!("by {threads}"));
    }
}

#[test]
fn parts_add_up_to_the_whole_and_no_toys_to_nothing() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda.clone());
    let smearing = Smearing::LogNormal;
    let input = smeared_input(40, 3, true, smearing, 5.0);
    let part = |device: &Device, first_toy, toys| {
        SmearedTail { seed: 5, first_toy, toys, smearing }.tally(device, &input).unwrap()
    };
    let all = part(&device, 10, 40);
    assert_eq!(all, part(&device, 10, 1).merge(part(&device, 11, 39)).unwrap());
    if floats_are_exact() {
        assert_eq!(all, part(&Device::Cpu, 10, 40));
    }
    let none = SmearedTail { seed: 5, first_toy: 0, toys: 0, smearing };
    let there = SmearedTail { toys: 1, ..none }.input(&input).unwrap().upload(&cuda).unwrap();
    assert_eq!(cuda.download(&none.cuda(&cuda, there).unwrap().sums).unwrap().to_vec(), [0; 8]);
}

/// As a run throws them: chunks until it is time to stop, from tables that are uploaded once.
#[test]
fn an_experiment_throws_the_same_toys() {
    let Some(cuda) = cuda() else { return };
    let (experiment, findings) = experiment(5, 2, true, Smearing::LogNormal, 4.0);
    let toys = ExceedingToys { seed: 4, first_toy: 3, stopping: Stopping::After(60) };
    let thrown = |device: &Device| experiment.smeared_tail_until(device, &findings, toys, &mut |_| Ok(())).unwrap();
    let (here, there) = (thrown(&Device::Cpu), thrown(&Device::Cuda(cuda)));
    assert!(!floats_are_exact() || here == there, "{here:?} {there:?}");
    assert_eq!((there.0.toys(), here.1), (60, there.1));
}

#[test]
fn what_does_not_fit_a_block_is_refused() {
    let Some(cuda) = cuda() else { return };
    let tail = SmearedTail { seed: 1, first_toy: 0, toys: 1, smearing: Smearing::LogNormal };
    let one = input(tail, 1, 0, false, 1.0);
    let column = || vec![1.0; 24_001].into();
    let toys = smeared::Input::<Host> { expected: column(), middle: column(), most: column(), ..one.toys.clone() };
    let error = Device::Cuda(cuda).run(&tail, Input::<Host> { toys, ..one }).unwrap_err().to_string();
    assert!(error.contains("24001 cells do not fit"), "{error}");
}
