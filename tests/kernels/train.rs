//! `models.train`: the same weights, to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::math::philox::{Philox, Stage};
use trawl::models::network::{Activation, Bias, Dense, Initialisation, Network};
use trawl::models::population::{Member, Population, Replica, Stop};
use trawl::models::table::Table;
use trawl::models::train::{Adam, ClassWeights, EarlyStopping, Input, Loss, Schedule, Train};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// Events with everything that a table may have.
pub fn table(events: usize, width: u32, seed: u64) -> Table<Host> {
    let random = Philox::new(seed, Stage::Probe);
    let number = events as u64 * u64::from(width);
    let features: Vec<f32> = (0..number).map(|unit| (2.0 * random.uniforms(unit, 0)[0] - 1.0) as f32).collect();
    let label = |event: usize| f32::from(features[event * width as usize] * features[event * width as usize + 1] > 0.0);
    Table {
        labels: (0..events).map(label).collect(),
        weights: (0..events).map(|event| 0.5 + (event % 5) as f32 / 4.0).collect(),
        folds: (0..events as u32).map(|event| event * 7 % 5).collect(),
        groups: (0..events as u32).map(|event| 1 + 2 * (event % 3).min(1)).collect(),
        present: (0..events as u32).map(|event| if event == 3 { 0 } else { 0b11_1011 ^ (event % 4) }).collect(),
        ..Table::of_features(width, features.clone()).unwrap()
    }
}

fn members(width: u32) -> Vec<Member> {
    vec![
        Member { target: 2.0, ..Member::new(1) },
        Member { weights: Some(0), held_out: Some(2), ..Member::new(2) },
        Member { replica: Replica::Bootstrap, target: -0.75, ..Member::new(3) },
        Member { group: Some(1), features: (0..width).rev().collect(), ..Member::new(4) },
    ]
}

/// Trainings with every activation, loss and schedule, with and without biases, dropout, validation and shortened gradients.
pub fn trainings() -> Vec<(Train, Table<Host>)> {
    use Activation::*;
    let hidden = |sizes: &[u32], activation, bias, dropout_256ths, last: u32| {
        let mut layers: Vec<Dense> = sizes
            .windows(2)
            .map(|pair| Dense { bias, dropout_256ths, ..Dense::new(pair[0], pair[1], activation) })
            .collect();
        layers.push(Dense { bias, ..Dense::new(sizes[sizes.len() - 1], last, Identity) });
        Network::new(layers).unwrap()
    };
    let stopping = Some(EarlyStopping { patience: 1, least_improvement: 0.0 });
    let all = |network, loss| Train {
        epochs: 3,
        batch: 45,
        validation_share: 0.2,
        early_stopping: stopping,
        optimiser: Adam { rate: 0.01, ..Adam::default() },
        ..Train::new(network, members(5), loss)
    };
    let classifier = hidden(&[5, 20, 9], Relu, Bias::Present, 30, 1);
    let reweighter = hidden(&[5, 12, 12], LeakyRelu { slope: 0.2 }, Bias::Absent, 20, 1);
    let encoder = hidden(&[5, 9, 3, 9], Elu, Bias::Present, 0, 5);
    let sphere = Network::new(vec![
        Dense { dropout_256ths: 10, ..Dense::new(5, 11, Softplus) },
        Dense { bias: Bias::Absent, dropout_256ths: 99, ..Dense::new(11, 6, Tanh) },
        Dense::new(6, 3, Sigmoid),
    ]);
    let usual = Adam { rate: 0.01, ..Adam::default() };
    let masked = || table(300, 5, 7);
    let whole = |events| Table { present: Vec::new().into(), ..table(events, 5, 8) };
    vec![
        (Train { class_weights: ClassWeights::Balanced, ..all(classifier, Loss::BinaryCrossEntropy) }, whole(300)),
        (
            Train {
                optimiser: Adam { largest_norm: Some(0.05), weight_decay: 0.1, schedule: Schedule::Cosine, ..usual },
                ..all(reweighter, Loss::LikelihoodRatio)
            },
            whole(257),
        ),
        (
            Train {
                members: members(5).into_iter().take(2).collect(),
                validation_share: 0.0,
                early_stopping: None,
                ..all(encoder, Loss::Reconstruction)
            },
            masked(),
        ),
        (
            Train {
                optimiser: Adam { schedule: Schedule::InverseTime { decay: 0.1 }, ..usual },
                ..all(sphere.unwrap(), Loss::FixedTarget)
            },
            whole(300),
        ),
    ]
}

fn agree(what: &str, train: &Train, table: &Table<Host>, device: &Device) {
    let population = Population::untrained(&train.network, &train.members, Initialisation::He);
    let train = if floats_are_exact() { train.clone() } else { Train { epochs: 1, ..train.clone() } };
    let input = Input { table: table.clone(), population };
    let here = train.cpu(input.clone()).unwrap().population;
    let there = device.run(&train, input).unwrap().population;
    if floats_are_exact() {
        assert_eq!(here.progress, there.progress, "{what}");
    }
    let columns = [
        ("parameters", &here.parameters, &there.parameters),
        ("means", &here.mean, &there.mean),
        ("squares", &here.square, &there.square),
        ("best", &here.best, &there.best),
    ];
    for (name, here, there) in columns {
        assert_eq!(here.len(), there.len());
        for (at, (here, there)) in here.iter().zip(there).enumerate() {
            // The perturbed build contracts products and sums, as this project's kernels are never compiled, and Adam divides by roots of
            // squares that are small: a step is 0.01.
            let near = (here - there).abs() <= 2e-3;
            assert!(if floats_are_exact() { here == there } else { near }, "{what}, {name} {at}: {here:e} {there:e}");
        }
    }
    assert!(here.progress.iter().all(|progress| progress.stop != Stop::Running), "{what}");
}

#[test]
fn the_same_weights_for_every_loss_and_block_size() {
    for (threads, cuda) in every_block_size() {
        let device = Device::Cuda(cuda);
        for (train, table) in trainings() {
            agree(&format!("{:?} by {threads}", train.loss), &train, &table, &device);
        }
    }
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let network = Network::dense(6, &[64, 64, 64], 1, Activation::Relu, 0.05).unwrap();
    let train = Train { epochs: 1, batch: 128, ..Train::new(network, vec![Member::new(1)], Loss::BinaryCrossEntropy) };
    let table = Table { present: Vec::new().into(), ..table(256, 6, 9) };
    agree("64 64 64", &train, &table, &Device::Cuda(cuda));
}

/// Several tiles a quarter, tiles of fewer rows, some of the features, and several chunks of validation.
#[test]
fn the_same_weights_of_large_batches_and_wide_layers() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let member = Member { features: vec![4, 0, 2], ..Member::new(5) };
    let wide = Network::dense(3, &[120, 120], 1, Activation::LeakyRelu { slope: 0.1 }, 0.2).unwrap();
    let large = Train { epochs: 1, batch: 300, ..Train::new(wide, vec![member.clone()], Loss::BinaryCrossEntropy) };
    let whole = |events| Table { present: Vec::new().into(), ..table(events, 5, 4) };
    agree("tiles of 16", &large, &whole(400), &device);
    let narrow = Network::dense(3, &[4], 1, Activation::Relu, 0.0).unwrap();
    let many = Train {
        epochs: 1,
        batch: 3000,
        validation_share: 0.5,
        ..Train::new(narrow, vec![member], Loss::BinaryCrossEntropy)
    };
    agree("chunks", &many, &whole(9000), &device);
}

/// More members than there are blocks, so that a block has one after the other.
#[test]
fn the_same_weights_of_many_members() {
    let Some(cuda) = cuda() else { return };
    let network = Network::dense(5, &[4], 1, Activation::Relu, 0.1).unwrap();
    let train = Train {
        epochs: 2,
        batch: 30,
        validation_share: 0.3,
        optimiser: Adam { largest_norm: Some(0.1), ..Adam::default() },
        ..Train::new(network, (0..150).map(Member::new).collect(), Loss::BinaryCrossEntropy)
    };
    agree("150 members", &train, &Table { present: Vec::new().into(), ..table(60, 5, 6) }, &Device::Cuda(cuda));
}

#[test]
fn pauses_and_losses_that_are_not_finite_are_the_same() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let (train, events) = trainings().swap_remove(0);
    let untrained = Population::untrained(&train.network, &train.members, Initialisation::He);
    let whole = device.run(&train, Input { table: events.clone(), population: untrained.clone() }).unwrap().population;
    let paused = Train { pause_after: Some(1), ..train.clone() };
    let mut population = untrained;
    while population.progress.iter().any(|progress| progress.stop == Stop::Running) {
        population = device.run(&paused, Input { table: events.clone(), population }).unwrap().population;
    }
    assert_eq!(whole.progress, population.progress);
    assert_eq!((&whole.parameters, &whole.best), (&population.parameters, &population.best));
    if !floats_are_exact() {
        return;
    }
    let network = Network::dense(5, &[4], 1, Activation::Identity, 0.0).unwrap();
    let wild = Train {
        optimiser: Adam { rate: 900.0, ..Adam::default() },
        epochs: 9,
        batch: 100,
        ..Train::new(network, vec![Member::new(1)], Loss::LikelihoodRatio)
    };
    agree("wild", &wild, &Table { present: Vec::new().into(), ..events }, &device);
}

#[test]
fn networks_that_do_not_fit_a_block_are_refused() {
    let Some(cuda) = cuda() else { return };
    let network = Network::dense(6, &[2000], 1, Activation::Relu, 0.0).unwrap();
    let train = Train::new(network, vec![Member::new(1)], Loss::BinaryCrossEntropy);
    let population = Population::untrained(&train.network, &train.members, Initialisation::He);
    let input = Input { table: Table { present: Vec::new().into(), ..table(50, 6, 2) }, population };
    let error = Device::Cuda(cuda).run(&train, input).unwrap_err().to_string();
    assert!(error.contains("four rows of this network take"), "{error}");
    let one_class = Table { labels: vec![1.0; 50].into(), ..table(50, 6, 2) };
    let small = Network::dense(6, &[4], 1, Activation::Relu, 0.0).unwrap();
    let train = Train::new(small, vec![Member::new(1)], Loss::BinaryCrossEntropy);
    let population = Population::untrained(&train.network, &train.members, Initialisation::He);
    let input = Input { table: one_class, population };
    let Some(cuda) = self::cuda() else { return };
    let error = Device::Cuda(cuda).run(&train, input).unwrap_err().to_string();
    assert!(error.contains("member 0 has no training events with label 0"), "{error}");
}
