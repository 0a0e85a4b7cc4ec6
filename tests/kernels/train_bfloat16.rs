//! `models.train` with products of bfloat16 numbers: gradients and losses near those of the CPU.
//!
//! Sums of tensor cores are not those of the CPU to the last bit: they add in another order. Where a sum then lies on the other side of
//! the middle between two numbers of 8 bits, what is stored moves by 2^-8 of itself. A sum of n terms in single precision is off by up to
//! n 2^-24 of their magnitudes, typically by 2^-23 of itself, so that one number in about 2^-8 / 2^-23 = 32,768 moves, and a gradient, to
//! which thousands contribute, by 2^-8 / sqrt(32,768) = 2e-5 of its length. Rounding too much, too little or elsewhere moves all of
//! them, by 2^-9 / sqrt(3) each, and a gradient by about 1e-3. Under emulation, where a sum is rounded once in 16 terms, most gradients are
//! 1e-8 apart, and those with a number that moved 6e-6.

use trawl::Device;
use trawl::device::Host;
use trawl::models::network::{Activation, Initialisation, Network};
use trawl::models::population::{Member, Population, Progress, Stop};
use trawl::models::table::Table;
use trawl::models::train::{Adam, Input, Loss, Precision, Train};

use crate::harness::{cuda, every_block_size};
use crate::train::{table, trainings};

/// How far gradients may be apart, in lengths of one; see above.
const NEAR: f64 = 1e-4;

/// How far losses of whole trainings may be apart, in losses: Adam divides by the roots of squares, so that a parameter whose gradient is
/// nearly 0 can take its steps in other directions. That is a few steps of 0.01 in places that hardly matter. Under emulation it is 1e-8.
const NEAR_LOSS: f64 = 1e-3;

fn rounded(train: Train) -> Train {
    Train { precision: Precision::Bfloat16, early_stopping: None, ..train }
}

/// The members after a training, on the device or on the CPU.
fn trained(train: &Train, table: &Table<Host>, device: &Device) -> Population<Host> {
    let population = Population::untrained(&train.network, &train.members, Initialisation::He);
    device.run(train, Input { table: table.clone(), population }).unwrap().population
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let length: f64 = b.iter().map(|b| f64::from(*b).powi(2)).sum();
    (squares / length).sqrt()
}

/// Compares the gradients of a training's first step, which are its means of gradients but for a factor.
fn gradients_agree(what: &str, train: &Train, table: &Table<Host>, device: &Device) {
    let optimiser = Adam { largest_norm: None, ..train.optimiser };
    let step = Train { epochs: 1, batch: 1 << 12, optimiser, ..train.clone() };
    let (here, there) = (trained(&step, table, &Device::Cpu), trained(&step, table, device));
    let single = trained(&Train { precision: Precision::Single, ..step.clone() }, table, &Device::Cpu);
    let places = step.network.parameters();
    let members = here.mean.chunks(places).zip(there.mean.chunks(places)).zip(single.mean.chunks(places));
    for (number, ((here, there), single)) in members.enumerate() {
        let (apart, of_rounding) = (distance(there, here), distance(single, here));
        println!("{what}, member {number}: {apart:.1e} of a gradient, {of_rounding:.1e} by rounding");
        assert!(apart < NEAR, "{what}, member {number}: {apart:e}");
        // So that NEAR tells rounded products from others.
        assert!(of_rounding > 5.0 * NEAR, "{what}, member {number}: {of_rounding:e}");
    }
    for (here, there) in here.progress.iter().zip(&there.progress) {
        losses_agree(what, here, there, NEAR);
    }
}

fn losses_agree(what: &str, here: &Progress, there: &Progress, near: f64) {
    assert_eq!((here.stop, here.steps, here.epochs.len()), (there.stop, there.steps, there.epochs.len()), "{what}");
    assert_eq!(here.stop, Stop::Finished, "{what}");
    for (number, (here, there)) in here.epochs.iter().zip(&there.epochs).enumerate() {
        let is_near = |here: f64, there: f64| (there / here - 1.0).abs() < near;
        assert!(is_near(here.training, there.training), "{what}, epoch {number}: {here:?} {there:?}");
        assert_eq!(here.validation.is_some(), there.validation.is_some());
        let validation = here.validation.zip(there.validation);
        assert!(validation.is_none_or(|(a, b)| is_near(a, b)), "{what}, epoch {number}: {here:?} {there:?}");
    }
}

/// Compares the losses of all epochs.
fn trainings_agree(what: &str, train: &Train, table: &Table<Host>, device: &Device) {
    let (here, there) = (trained(train, table, &Device::Cpu), trained(train, table, device));
    let mut most = 0.0_f64;
    for (here, there) in here.progress.iter().zip(&there.progress) {
        let ratios = here.epochs.iter().zip(&there.epochs).map(|(a, b)| (b.training / a.training - 1.0).abs());
        most = ratios.fold(most, f64::max);
        losses_agree(what, here, there, NEAR_LOSS);
    }
    println!("{what}: losses within {most:.1e}");
    assert!(there.parameters.iter().chain(there.best.iter()).all(|parameter| parameter.is_finite()));
}

fn whole(events: usize) -> Table<Host> {
    Table { present: Vec::new().into(), ..table(events, 5, 4) }
}

#[test]
fn gradients_are_near_those_of_the_cpu_for_every_loss_and_block_size() {
    for (threads, cuda) in every_block_size() {
        let device = Device::Cuda(cuda);
        for (train, table) in trainings() {
            gradients_agree(&format!("{:?} by {threads}", train.loss), &rounded(train), &table, &device);
        }
    }
}

#[test]
fn losses_of_trainings_are_near_those_of_the_cpu() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    for (train, table) in trainings() {
        trainings_agree(&format!("{:?}", train.loss), &rounded(train), &table, &device);
    }
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let network = Network::dense(6, &[64, 64, 64], 1, Activation::Relu, 0.05).unwrap();
    let train = Train::new(network, vec![Member::new(1)], Loss::BinaryCrossEntropy);
    let table = Table { present: Vec::new().into(), ..table(512, 6, 9) };
    gradients_agree("64 64 64", &rounded(train), &table, &Device::Cuda(cuda));
}

/// Several tiles a quarter, tiles of 32 and 16 rows, some of the features, and several chunks of validation.
#[test]
fn gradients_of_wide_layers_and_many_events_are_near_those_of_the_cpu() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let member = Member { features: vec![4, 0, 2], ..Member::new(5) };
    for width in [100, 120] {
        let network = Network::dense(3, &[width, width], 1, Activation::LeakyRelu { slope: 0.1 }, 0.2).unwrap();
        let train = Train::new(network, vec![member.clone()], Loss::BinaryCrossEntropy);
        gradients_agree(&format!("{width} units"), &rounded(train), &whole(300), &device);
    }
    let narrow = Network::dense(3, &[4], 1, Activation::Relu, 0.0).unwrap();
    let many = Train { validation_share: 0.5, ..Train::new(narrow, vec![member], Loss::BinaryCrossEntropy) };
    gradients_agree("chunks", &rounded(many), &whole(9000), &device);
}

/// More members than there are blocks, so that a block has one after the other.
#[test]
fn losses_of_many_members_are_near_those_of_the_cpu() {
    let Some(cuda) = cuda() else { return };
    let network = Network::dense(5, &[4], 1, Activation::Relu, 0.1).unwrap();
    let train = Train {
        epochs: 2,
        batch: 30,
        validation_share: 0.3,
        optimiser: Adam { largest_norm: Some(0.1), ..Adam::default() },
        ..Train::new(network, (0..150).map(Member::new).collect(), Loss::BinaryCrossEntropy)
    };
    trainings_agree("150 members", &rounded(train), &whole(60), &Device::Cuda(cuda));
}

#[test]
fn trainings_that_pause_have_the_same_bits() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let (train, events) = trainings().swap_remove(0);
    let train = rounded(train);
    let untrained = Population::untrained(&train.network, &train.members, Initialisation::He);
    let whole = trained(&train, &events, &device);
    let paused = Train { pause_after: Some(1), ..train };
    let mut population = untrained;
    while population.progress.iter().any(|progress| progress.stop == Stop::Running) {
        population = device.run(&paused, Input { table: events.clone(), population }).unwrap().population;
    }
    assert_eq!(whole.progress, population.progress);
    assert_eq!((&whole.parameters, &whole.best), (&population.parameters, &population.best));
}

#[test]
fn networks_whose_weights_do_not_fit_a_block_are_refused() {
    let Some(cuda) = cuda() else { return };
    let network = Network::dense(5, &[200, 200, 200], 1, Activation::Relu, 0.0).unwrap();
    let train = rounded(Train::new(network, vec![Member::new(1)], Loss::BinaryCrossEntropy));
    let population = Population::untrained(&train.network, &train.members, Initialisation::He);
    let error = Device::Cuda(cuda).run(&train, Input { table: whole(50), population }).unwrap_err().to_string();
    assert!(error.contains("the weights of this network and 16 rows take"), "{error}");
    assert!(error.contains("Use single precision"), "{error}");
}
