//! Gradients against differences, and whole trainings against themselves.

use super::pass::{Dropout, Weights, Workspace, backward, forward};
use super::rounded::Factors;
use super::turned::{turn, turned_places};
use super::*;
use crate::math::floats::Width;
use crate::math::philox::{Philox, Stage};
use crate::models::network::{Activation, Bias, Dense, Initialisation};
use crate::models::population::{Replica, Stop};

mod bfloat16;
mod oracle;

const ACTIVATIONS: [Activation; 7] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Elu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
];

/// The norm of a gradient.
fn norm_of(gradient: &[f32]) -> f64 {
    gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt()
}

fn uniform(seed: u64, number: usize) -> Vec<f32> {
    let random = Philox::new(seed, Stage::Probe);
    (0..number as u64).map(|unit| (2.0 * random.uniforms(unit, 0)[0] - 1.0) as f32).collect()
}

/// In double precision, with the library's functions: an activation and its slope at a sum.
fn plainly(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { slope } => x.max(f64::from(slope) * x),
        Activation::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Softplus => x.exp().ln_1p(),
    }
}

/// Rows of a batch in double precision.
struct Plain<'a> {
    network: &'a Network,
    loss: Loss,
    inputs: &'a [f32],
    labels: &'a [f32],
    shares: &'a [f64],
    present: &'a [u32],
    /// The factor of dropout of (layer, row, output).
    factor: &'a dyn Fn(usize, usize, usize) -> f64,
}

impl Plain<'_> {
    fn loss(&self, parameters: &[f64]) -> f64 {
        let width = self.network.inputs();
        (0..self.labels.len())
            .map(|row| {
                let inputs: Vec<f64> =
                    self.inputs[row * width..(row + 1) * width].iter().map(|x| f64::from(*x)).collect();
                let mut values = inputs.clone();
                for (number, (layer, place)) in self.network.places().enumerate() {
                    let sum = |output: usize| {
                        let bias = if layer.bias == Bias::Present { parameters[place.bias + output] } else { 0.0 };
                        let term =
                            |(at, x): (usize, &f64)| x * parameters[place.weights + at * layer.stride() + output];
                        let active = plainly(layer.activation, bias + values.iter().enumerate().map(term).sum::<f64>());
                        active * (self.factor)(number, row, output)
                    };
                    values = (0..layer.outputs as usize).map(sum).collect();
                }
                self.of_row(row, &inputs, &values)
            })
            .sum()
    }

    fn of_row(&self, row: usize, inputs: &[f64], outputs: &[f64]) -> f64 {
        let (share, y, z) = (self.shares[row], f64::from(self.labels[row]), outputs[0]);
        let words = inputs.len().div_ceil(32);
        let is_there =
            |input: &usize| self.present.is_empty() || self.present[row * words + input / 32] >> (input % 32) & 1 == 1;
        share
            * match self.loss {
                Loss::BinaryCrossEntropy => z.exp().ln_1p() - y * z,
                Loss::LikelihoodRatio => (if y > 0.5 { -z / 2.0 } else { z / 2.0 }).exp(),
                Loss::Reconstruction => {
                    let there: Vec<usize> = (0..inputs.len()).filter(is_there).collect();
                    let sum: f64 = there.iter().map(|at| (outputs[*at] - inputs[*at]).powi(2)).sum();
                    if there.is_empty() { 0.0 } else { sum / there.len() as f64 }
                }
                Loss::FixedTarget => {
                    outputs.iter().map(|z| (z - f64::from(TARGET)).powi(2)).sum::<f64>() / outputs.len() as f64
                }
            }
    }
}

/// The gradient of one batch on the CPU.
fn gradient(train: &Train, parameters: &[f32], rows: &Plain, width: Width, dropout: Dropout) -> (Vec<f32>, f64) {
    let network = &train.network;
    let mut turned = vec![0.0; turned_places(network)];
    turn(width, network, parameters, &mut turned);
    let mut factors = (train.precision == Precision::Bfloat16).then(|| Factors::new(network));
    factors.iter_mut().for_each(|factors| factors.take(width, network, parameters));
    let weights = Weights { network, parameters, turned: &turned, factors: factors.as_ref() };
    let mut space = Workspace::of(network, train.precision).towards(train.members[0].target);
    let (inputs, words) = (network.inputs(), rows.present.len() / rows.labels.len());
    let all: Vec<usize> = (0..rows.labels.len()).collect();
    for some in all.chunks(space.tile) {
        space.clear();
        for row in some {
            space.inputs.extend_from_slice(&rows.inputs[row * inputs..(row + 1) * inputs]);
            space.labels.push(rows.labels[*row]);
            space.shares.push(rows.shares[*row]);
            space.samples.push(*row as u32);
            space.present.extend_from_slice(&rows.present[row * words..(row + 1) * words]);
        }
        forward(width, weights, &mut space, Some(dropout));
        backward(width, weights, &mut space, train.loss);
    }
    (space.gradient, space.loss)
}

/// What outputs are compared with, of a fixed target.
const TARGET: f32 = 2.0;

fn to_target(seed: u64) -> Member {
    Member { target: TARGET, ..Member::new(seed) }
}

fn networks() -> Vec<(Network, Loss)> {
    let mut all = Vec::new();
    for (number, activation) in ACTIVATIONS.into_iter().enumerate() {
        // Widths that are no multiples of anything, and with and without biases and dropout.
        let bias = if number % 2 == 0 { Bias::Present } else { Bias::Absent };
        let layer =
            |inputs, outputs, dropout_256ths| Dense { bias, dropout_256ths, ..Dense::new(inputs, outputs, activation) };
        let last = |inputs, outputs| Dense { bias, ..Dense::new(inputs, outputs, Activation::Identity) };
        for dropout in [0, 60] {
            let hidden = || vec![layer(5, 19, dropout), layer(19, 9, dropout)];
            let with = |last: Dense| Network::new(hidden().into_iter().chain([last]).collect()).unwrap();
            all.push((with(last(9, 1)), Loss::BinaryCrossEntropy));
            all.push((with(last(9, 1)), Loss::LikelihoodRatio));
            all.push((with(last(9, 5)), Loss::Reconstruction));
            all.push((with(layer(9, 3, 0)), Loss::FixedTarget));
        }
    }
    all
}

#[test]
fn gradients_are_those_of_differences_for_every_layer_and_loss() {
    let rows = 45;
    let inputs = uniform(1, rows * 5);
    let labels: Vec<f32> = (0..rows).map(|row| (row % 3 == 0) as u8 as f32).collect();
    let shares: Vec<f64> = (0..rows).map(|row| (0.5 + (row % 4) as f64) / rows as f64).collect();
    // The last row has nothing that is present.
    let present: Vec<u32> = (0..rows as u32).map(|row| if row == 44 { 0 } else { 0b11011 ^ (row % 4) }).collect();
    let dropout = Dropout { random: Philox::new(3, Stage::Dropout), epoch: 2 };
    let mut most = 0.0_f64;
    for (network, loss) in networks() {
        let layers = network.layers().to_vec();
        let factor = |layer: usize, row: usize, output: usize| {
            if layers[layer].dropout_256ths == 0 {
                return 1.0;
            }
            let draws = |layer: &Dense| if layer.dropout_256ths > 0 { layer.outputs.div_ceil(16) } else { 0 };
            let first: u32 = layers[..layer].iter().map(draws).sum();
            let words = dropout.random.words(2 << 32 | row as u64, u64::from(first) + output as u64 / 16);
            let byte = words[output % 16 / 4].to_le_bytes()[output % 4];
            if byte >= layers[layer].dropout_256ths { 256.0 / 196.0 } else { 0.0 }
        };
        let plain = Plain {
            network: &network,
            loss,
            inputs: &inputs,
            labels: &labels,
            shares: &shares,
            present: if loss == Loss::Reconstruction { &present } else { &[] },
            factor: &factor,
        };
        let train = Train::new(network.clone(), vec![to_target(1)], loss);
        let bare: Vec<f32> = uniform(7, network.bare(&vec![0.0; network.parameters()]).len());
        let parameters = network.padded(&bare).unwrap();
        let (found, sum) = gradient(&train, &parameters, &plain, Width::widest(), dropout);
        let double: Vec<f64> = parameters.iter().map(|p| f64::from(*p)).collect();
        let expected = plain.loss(&double);
        assert!((sum - expected).abs() < 1e-5 * expected.abs().max(1.0), "{loss:?} {layers:?}: {sum} {expected}");
        let size = norm_of(&found).max(1e-3);
        let real = network.padded(&vec![1.0; bare.len()]).unwrap();
        for (at, found) in found.iter().enumerate() {
            if real[at] == 0.0 {
                assert_eq!(*found, 0.0, "padding");
                continue;
            }
            let at_distance = |distance: f64| {
                let mut moved = double.clone();
                moved[at] += distance;
                plain.loss(&moved)
            };
            let step = 1e-6;
            let expected = (at_distance(step) - at_distance(-step)) / (2.0 * step);
            // Single precision, and kinks of ReLU that a step may cross.
            let difference = (f64::from(*found) - expected).abs() / size;
            most = most.max(difference);
            assert!(difference < 3e-5, "{loss:?} {layers:?}, parameter {at}: {found} {expected}");
        }
        for width in Width::available() {
            let (other, other_sum) = gradient(&train, &parameters, &plain, width, dropout);
            assert!(other.iter().map(|x| x.to_bits()).eq(found.iter().map(|x| x.to_bits())), "{width:?}");
            assert_eq!(other_sum.to_bits(), sum.to_bits());
        }
    }
    println!("the largest difference is {most:.1e} of a gradient");
}

/// Two classes that differ, with folds, weights and groups.
fn table(events: usize) -> Table<Host> {
    let features = uniform(11, events * 3);
    let label = |event: usize| {
        let [a, b, _] = *features[3 * event..].as_chunks().0.first().unwrap();
        f32::from(a * b + 0.3 * a > 0.05)
    };
    let labels: Vec<f32> = (0..events).map(label).collect();
    Table {
        labels: labels.into(),
        weights: (0..events).map(|event| 0.5 + (event % 5) as f32 / 4.0).collect(),
        folds: (0..events as u32).map(|event| event * 7 % 5).collect(),
        groups: (0..events as u32).map(|event| 1 + 2 * (event % 3).min(1)).collect(),
        ..Table::of_features(3, features.clone()).unwrap()
    }
}

fn members() -> Vec<Member> {
    vec![
        Member::new(1),
        Member { weights: Some(0), held_out: Some(2), ..Member::new(2) },
        Member { replica: Replica::Bootstrap, ..Member::new(1) },
        Member { group: Some(1), features: vec![2, 0, 1], ..Member::new(4) },
    ]
}

fn training() -> Train {
    let network = Network::dense(3, &[20, 12], 1, Activation::Relu, 0.1).unwrap();
    Train {
        epochs: 6,
        batch: 70,
        validation_share: 0.2,
        early_stopping: Some(EarlyStopping { patience: 3, least_improvement: 0.0 }),
        class_weights: ClassWeights::Balanced,
        optimiser: Adam { rate: 0.01, largest_norm: Some(1.0), ..Adam::default() },
        ..Train::new(network, members(), Loss::BinaryCrossEntropy)
    }
}

fn untrained(train: &Train) -> Population<Host> {
    Population::untrained(&train.network, &train.members, Initialisation::He)
}

fn bits(population: &Population<Host>) -> Vec<u32> {
    let columns = [&population.parameters, &population.mean, &population.square, &population.best];
    columns.into_iter().flat_map(|column| column.iter().map(|x| x.to_bits())).collect()
}

fn same(a: &Population<Host>, b: &Population<Host>) {
    assert_eq!(a.progress, b.progress);
    assert_eq!(bits(a), bits(b));
}

#[test]
fn weights_are_the_same_bits_for_every_width_and_number_of_threads() {
    let table = table(1003);
    for precision in [Precision::Single, Precision::Bfloat16] {
        let train = Train { precision, ..training() };
        let run = |width, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| cpu::train(&train, &table, untrained(&train), width).unwrap().population)
        };
        let expected = run(Width::Plain, 1);
        assert!(expected.progress.iter().all(|progress| progress.stop != Stop::Running && progress.epochs.len() > 2));
        for width in Width::available() {
            for threads in [1, 2, 3] {
                same(&expected, &run(width, threads));
            }
        }
    }
}

#[test]
fn members_do_not_depend_on_each_other() {
    let (train, table) = (training(), table(600));
    let run =
        |train: &Train| train.cpu(Input { table: table.clone(), population: untrained(train) }).unwrap().population;
    let all = run(&train);
    let places = train.network.parameters();
    for number in [3, 0] {
        let alone = run(&Train { members: vec![train.members[number].clone()], ..train.clone() });
        assert_eq!(alone.progress[0], all.progress[number]);
        assert_eq!(alone.best[..], all.best[number * places..(number + 1) * places]);
    }
}

#[test]
fn each_member_has_a_target_of_its_own() {
    let member = |(seed, target)| Member { target, ..Member::new(seed) };
    let members: Vec<Member> = [(1, 0.0), (1, 2.0), (2, -25.0)].map(member).into();
    let network = Network::dense(3, &[20, 12], 4, Activation::LeakyRelu { slope: 0.1 }, 0.1).unwrap();
    let train = Train { network, members, loss: Loss::FixedTarget, ..training() };
    let table = table(600);
    let run =
        |train: &Train| train.cpu(Input { table: table.clone(), population: untrained(train) }).unwrap().population;
    let all = run(&train);
    let places = train.network.parameters();
    for (number, member) in train.members.iter().enumerate() {
        let alone = run(&Train { members: vec![member.clone()], ..train.clone() });
        assert_eq!(alone.progress[0], all.progress[number]);
        assert_eq!(alone.best[..], all.best[number * places..(number + 1) * places]);
    }
    // Two members of the same seed learn what their targets say.
    assert_eq!(train.members[0].seed, train.members[1].seed);
    assert_ne!(all.best[..places], all.best[places..2 * places]);
}

#[test]
fn training_that_pauses_after_each_epoch_is_the_same() {
    let (train, table) = (training(), table(600));
    let whole = train.cpu(Input { table: table.clone(), population: untrained(&train) }).unwrap().population;
    let paused = Train { pause_after: Some(1), ..train.clone() };
    let mut population = untrained(&train);
    let mut pauses = 0;
    while population.progress.iter().any(|progress| progress.stop == Stop::Running) {
        population = paused.cpu(Input { table: table.clone(), population }).unwrap().population;
        pauses += 1;
    }
    assert!(pauses >= 4);
    same(&whole, &population);
}

#[test]
fn events_of_the_held_out_fold_and_of_other_groups_change_nothing() {
    let (train, table) = (training(), table(600));
    let of = |table: Table<Host>, number: usize| {
        let train = Train { members: vec![train.members[number].clone()], ..train.clone() };
        train.cpu(Input { population: untrained(&train), table }).unwrap().population.best
    };
    let changed = |is_changed: &dyn Fn(usize) -> bool| {
        let change = |(at, x): (usize, &f32)| if is_changed(at / 3) { -x } else { *x };
        Table { features: table.features.iter().enumerate().map(change).collect(), ..table.clone() }
    };
    let folds = table.folds.clone();
    assert_eq!(of(table.clone(), 1), of(changed(&|event| folds[event] == 2), 1));
    assert_ne!(of(table.clone(), 1), of(changed(&|event| folds[event] == 1), 1));
    let groups = table.groups.clone();
    assert_eq!(of(table.clone(), 3), of(changed(&|event| groups[event] >> 1 & 1 == 0), 3));
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends() {
    let table = table(400);
    // With so large a rate the loss of validation soon rises.
    let train = Train {
        epochs: 60,
        optimiser: Adam { rate: 0.3, ..Adam::default() },
        early_stopping: Some(EarlyStopping { patience: 2, least_improvement: 1e-3 }),
        ..training()
    };
    let population = train.cpu(Input { table: table.clone(), population: untrained(&train) }).unwrap().population;
    for (number, progress) in population.progress.iter().enumerate() {
        let (best, loss) = progress.best.unwrap();
        assert_eq!((progress.stop, progress.epochs.len() as u32), (Stop::Patience, best + 3), "{progress:?}");
        assert_eq!(progress.epochs[best as usize].validation, Some(loss));
        // A training of so many epochs ends at these parameters.
        let shorter = Train { epochs: best + 1, members: vec![train.members[number].clone()], ..train.clone() };
        let again = shorter.cpu(Input { table: table.clone(), population: untrained(&shorter) }).unwrap().population;
        let places = train.network.parameters();
        assert_eq!(again.parameters[..], population.best[number * places..(number + 1) * places]);
    }
}

#[test]
fn members_that_are_finished_go_on_where_there_are_more_epochs() {
    let table = table(300);
    let whole = Train { early_stopping: None, epochs: 5, ..training() };
    let run = |train: &Train, population: Population<Host>| {
        train.cpu(Input { table: table.clone(), population }).unwrap().population
    };
    let shorter = Train { epochs: 2, ..whole.clone() };
    let halfway = run(&shorter, untrained(&shorter));
    assert!(halfway.progress.iter().all(|progress| progress.stop == Stop::Finished));
    same(&run(&whole, untrained(&whole)), &run(&whole, halfway));
    // With validation the best epoch is kept, also without early stopping.
    let population = run(&whole, untrained(&whole));
    for progress in &population.progress {
        let losses: Vec<f64> = progress.epochs.iter().filter_map(|epoch| epoch.validation).collect();
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(progress.best.map(|(epoch, loss)| (losses[epoch as usize], loss)), Some((least, least)));
    }
}

#[test]
fn gradients_whose_squares_overflow_end_a_member_before_its_step() {
    // The loss is finite in double precision; squares of its gradient are not in single.
    let mut features = uniform(5, 300);
    features.iter_mut().for_each(|x| *x *= 3e4);
    let labels = (0..100).map(|event| (event % 2) as f32).collect();
    let table = Table { labels, ..Table::of_features(3, features).unwrap() };
    let network = Network::dense(3, &[], 1, Activation::Identity, 0.0).unwrap();
    let first = network.padded(&[4e-3, 0.0, 0.0, 0.0]).unwrap();
    let train = Train::new(network, vec![Member::new(1)], Loss::LikelihoodRatio);
    let population = Population::from_parameters(first.clone(), 1);
    let population = train.cpu(Input { table, population }).unwrap().population;
    assert_eq!(population.progress[0].stop, Stop::NotFinite { epoch: 0, batch: 0 });
    assert_eq!(population.parameters[..], first[..]);
    assert!(population.square.iter().all(|square| *square == 0.0));
}

#[test]
fn a_loss_that_is_not_finite_ends_a_member_at_its_last_good_state() {
    let table = table(300);
    let network = Network::dense(3, &[8], 1, Activation::Identity, 0.0).unwrap();
    let train = Train {
        optimiser: Adam { rate: 900.0, ..Adam::default() },
        epochs: 40,
        ..Train::new(network, vec![Member::new(1), Member::new(2)], Loss::LikelihoodRatio)
    };
    let population = train.cpu(Input { table, population: untrained(&train) }).unwrap().population;
    for progress in &population.progress {
        assert!(matches!(progress.stop, Stop::NotFinite { .. }), "{progress:?}");
    }
    assert!(population.parameters.iter().chain(population.best.iter()).all(|parameter| parameter.is_finite()));
}

#[test]
fn what_cannot_be_trained_is_named() {
    let (train, table) = (training(), table(200));
    let error = |train: &Train, table: &Table<Host>| {
        let input = Input { table: table.clone(), population: untrained(train) };
        train.cpu(input).unwrap_err().to_string()
    };
    let bad = Train {
        batch: 0,
        validation_share: 1.0,
        optimiser: Adam { beta1: 1.0, rate: f32::NAN, ..Adam::default() },
        members: vec![Member { labels: 3, weights: Some(9), features: vec![7, 0], ..Member::new(1) }],
        ..train.clone()
    };
    let text = error(&bad, &table);
    for words in [
        "0 rows a batch",
        "share 1 of validation",
        "beta1 = 1",
        "learning rate NaN",
        "has the column 3 of labels",
        "has the column 9 of weights",
        "has 2 features (the network takes 3)",
        "has feature 7",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let mut features = table.features.to_vec();
    features[7] = f32::NAN;
    (0..200).for_each(|event| features[3 * event] = 2.0);
    let weights = vec![-1.0_f32; 200].into();
    let text = error(&train, &Table { features: features.into(), weights, ..table.clone() });
    for words in ["feature 1 of event 2 is NaN", "feature 0 is 2 in every event", "weight -1 of event 0 in column 0"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let absent = Train { members: vec![Member { held_out: Some(9), ..Member::new(1) }], ..train.clone() };
    let text = error(&absent, &table);
    assert!(text.contains("member 0 holds out fold 9, which no event has"), "{text}");
    let twice = Train { members: vec![Member { features: vec![1, 0, 1], ..Member::new(1) }], ..train.clone() };
    let text = error(&twice, &table);
    assert!(text.contains("member 0 has a feature twice"), "{text}");
    let squashed = Network::new(vec![Dense::new(3, 1, Activation::Sigmoid)]).unwrap();
    let text = error(&Train { network: squashed, ..train.clone() }, &table);
    assert!(text.contains("the last layer has an activation"), "{text}");
    let one_class = Table { labels: vec![1.0; 200].into(), ..table.clone() };
    let text = error(&train, &one_class);
    assert!(text.contains("member 0 has no training events with label 0"), "{text}");
    let one_fold = Table { folds: vec![2; 200].into(), ..table.clone() };
    let text = error(&train, &one_fold);
    assert!(text.contains("member 1 has no training events"), "{text}");
    let other = Train { network: Network::dense(3, &[4], 2, Activation::Relu, 0.0).unwrap(), ..train.clone() };
    let text = error(&other, &table);
    assert!(text.contains("the network has 2 outputs, expected 1 (the loss is one of a logit)"), "{text}");
    let input = Input { table, population: untrained(&other) };
    let text = train.cpu(input).unwrap_err().to_string();
    assert!(text.contains("members of this network have"), "{text}");
}
