//! Fifty steps against an independent trainer in double precision: `scripts/oracles/networks.py`.

use super::super::optimiser::{Followed, follow};
use super::super::pass::{Dropout, TILE, Weights, Workspace, backward, forward};
use super::super::turned::{turn, turned_places};
use super::super::{Adam, Loss, Schedule};
use super::{TARGET, norm_of};
use crate::math::floats::Width;
use crate::math::philox::{Philox, Stage};
use crate::models::network::{Activation, Bias, Dense, Network};

/// What a case came to: losses before steps 0, 9 and 49, and after the last the sum of all parameters, the sum of their squares, and
/// parameters 0, 7, 50 and the last.
struct Trained {
    case: &'static str,
    losses: [f64; 3],
    sum: f64,
    squares: f64,
    parameters: [f64; 4],
}

/// jax 0.10.2, numpy 2.4.6, optax 0.2.8, Python 3.11.7. The trainer's own single precision is at most 4.6e-7 off in any parameter and
/// 3.2e-6 in any loss, says the script.
const TRAINED: [Trained; 10] = [
    Trained {
        case: "6-16-8-1, relu, bce",
        losses: [0.6497145237, 0.6401907722, 0.632129964],
        sum: -0.1532995413,
        squares: 6.15191825,
        parameters: [-0.3519352557, 0.1431437251, 0.1462158007, -0.1509289636],
    },
    Trained {
        case: "6-16-8-1, leaky 0.2, likelihood ratio, lr 0.002",
        losses: [0.9381024684, 0.9357514926, 0.9261504551],
        sum: 0.7717120792,
        squares: 5.617957155,
        parameters: [-0.2812746443, 0.103583676, 0.179673593, -0.09596028451],
    },
    Trained {
        case: "6-16-3-16-6, elu, mse",
        losses: [1.215617507, 1.071964018, 0.2559844667],
        sum: 3.07978016,
        squares: 22.1680146,
        parameters: [-0.5208972195, 0.4082169929, 0.3759341947, 0.1824198367],
    },
    Trained {
        case: "6-16-3-16-6, tanh, masked mse",
        losses: [1.194666258, 1.043636458, 0.2987513028],
        sum: 2.470459866,
        squares: 24.69077512,
        parameters: [-0.4921753278, -0.05502130549, 0.3659013976, -0.0009839642308],
    },
    Trained {
        case: "6-16-8-5, softplus, no biases, fixed target, wd 0.01",
        losses: [3.913225131, 2.128534935, 0.02054927135],
        sum: 17.84460199,
        squares: 7.137652345,
        parameters: [-0.1750566292, 0.09533140897, 0.1069880343, 0.0674475038],
    },
    Trained {
        case: "6-16-8-1, sigmoid, bce, cosine, clip 0.5, b1 0.8 b2 0.99 eps 1e-06",
        losses: [0.6472251083, 0.6392402175, 0.6385404417],
        sum: 0.8003355037,
        squares: 5.592568001,
        parameters: [-0.2497301161, 0.1074619567, 0.1347721051, -0.05879249935],
    },
    Trained {
        case: "6-13-7-1, leaky 0.01, bce, inverse time 0.05",
        losses: [0.6470279414, 0.6405027531, 0.6369708264],
        sum: 1.109580605,
        squares: 4.931533219,
        parameters: [-0.2699287934, 0.05858291432, 0.2032721241, -0.1076238745],
    },
    Trained {
        case: "6-64-64-64-1, relu, bce, lr 0.001",
        losses: [0.6527346948, 0.6360859096, 0.6303676002],
        sum: -8.271372715,
        squares: 175.8251685,
        parameters: [-0.245731383, 0.09895160133, 0.2336625415, -0.01214289183],
    },
    Trained {
        case: "6-16-4, elu, output sigmoid, fixed target",
        losses: [2.020249472, 1.728392349, 0.9593505779],
        sum: 4.794633896,
        squares: 28.05004366,
        parameters: [0.0702655219, 0.008421298954, 0.02908966043, 0.4994110459],
    },
    Trained {
        case: "6-16-8-5, tanh, fixed target, clip 2.0, wd 0.1",
        losses: [3.570875553, 2.270677395, 0.02696134945],
        sum: -0.5308865868,
        squares: 18.46065803,
        parameters: [-0.422352256, -0.01625857129, -0.0373570693, 0.113217757],
    },
];

const ROWS: usize = 256;
const BATCH: usize = 64;
const STEPS: u64 = 50;

/// Layers of these sizes; hidden ones with an activation.
fn network(sizes: &[u32], hidden: Activation, last: Activation, bias: Bias) -> Network {
    let number = sizes.len() - 1;
    let layers = sizes.windows(2).enumerate().map(|(at, pair)| {
        let activation = if at + 1 == number { last } else { hidden };
        Dense { bias, ..Dense::new(pair[0], pair[1], activation) }
    });
    Network::new(layers.collect()).unwrap()
}

/// The network, loss and optimiser of each case, in the order of the script, and whether inputs are masked.
fn cases() -> Vec<(Network, Loss, Adam, bool)> {
    use Activation::*;
    let adam = Adam { rate: 0.01, ..Adam::default() };
    let dense = |sizes: &[u32], hidden| network(sizes, hidden, Identity, Bias::Present);
    let leaky = |slope| LeakyRelu { slope };
    // With the target 2.
    let two = Loss::FixedTarget;
    let clipped = Adam { weight_decay: 0.1, largest_norm: Some(2.0), ..adam };
    let cosine =
        Adam { beta1: 0.8, beta2: 0.99, epsilon: 1e-6, schedule: Schedule::Cosine, largest_norm: Some(0.5), ..adam };
    let inverse = Adam { schedule: Schedule::InverseTime { decay: 0.05 }, ..adam };
    vec![
        (dense(&[6, 16, 8, 1], Relu), Loss::BinaryCrossEntropy, adam, false),
        (dense(&[6, 16, 8, 1], leaky(0.2)), Loss::LikelihoodRatio, Adam { rate: 0.002, ..adam }, false),
        (dense(&[6, 16, 3, 16, 6], Elu), Loss::Reconstruction, adam, false),
        (dense(&[6, 16, 3, 16, 6], Tanh), Loss::Reconstruction, adam, true),
        (network(&[6, 16, 8, 5], Softplus, Identity, Bias::Absent), two, Adam { weight_decay: 0.01, ..adam }, false),
        (dense(&[6, 16, 8, 1], Sigmoid), Loss::BinaryCrossEntropy, cosine, false),
        (dense(&[6, 13, 7, 1], leaky(0.01)), Loss::BinaryCrossEntropy, inverse, false),
        (dense(&[6, 64, 64, 64, 1], Relu), Loss::BinaryCrossEntropy, Adam { rate: 0.001, ..adam }, false),
        (network(&[6, 16, 4], Elu, Sigmoid, Bias::Present), two, adam, false),
        (dense(&[6, 16, 8, 5], Tanh), two, clipped, false),
    ]
}

#[test]
fn fifty_steps_are_those_of_an_independent_trainer() {
    let mut most = 0.0_f64;
    for ((network, loss, adam, is_masked), expected) in cases().into_iter().zip(TRAINED) {
        let bare: Vec<f32> = (0..network.bare(&vec![0.0; network.parameters()]).len())
            .map(|number| (((number * 48_271 + 11) % 2003) as f32 - 1001.0) / 1024.0 * 0.25)
            .collect();
        let mut parameters = network.padded(&bare).unwrap();
        let (mut mean, mut square) = (vec![0.0; parameters.len()], vec![0.0; parameters.len()]);
        let mut turned = vec![0.0; turned_places(&network)];
        let mut space = Workspace::new(&network).towards(TARGET);
        let mut losses = Vec::new();
        for step in 0..STEPS {
            turn(Width::widest(), &network, &parameters, &mut turned);
            space.begin();
            let rows: Vec<usize> = (0..BATCH).map(|row| (step as usize * BATCH + row) % ROWS).collect();
            for rows in rows.chunks(TILE) {
                space.clear();
                rows.iter().for_each(|row| put(&mut space, *row, loss, is_masked));
                let weights = Weights { turned: &turned, ..Weights::single(&network, &parameters) };
                let dropout = Dropout { random: Philox::new(1, Stage::Dropout), epoch: 0 };
                forward(Width::widest(), weights, &mut space, Some(dropout));
                backward(Width::widest(), weights, &mut space, loss);
            }
            losses.push(space.loss);
            let shortening = adam.shortening(norm_of(&space.gradient));
            let followed = Followed { parameters: &mut parameters, mean: &mut mean, square: &mut square };
            follow(Width::widest(), adam.step(step, STEPS), shortening, &space.gradient, followed);
        }
        for (step, expected_loss) in [0, 9, 49].into_iter().zip(expected.losses) {
            let difference = (losses[step] / expected_loss - 1.0).abs();
            assert!(difference < 1e-5, "{}, step {step}: {} {expected_loss}", expected.case, losses[step]);
        }
        let found: Vec<f64> = network.bare(&parameters).iter().map(|p| f64::from(*p)).collect();
        for (at, expected_parameter) in [0, 7, 50, found.len() - 1].into_iter().zip(expected.parameters) {
            let difference = (found[at] - expected_parameter).abs();
            most = most.max(difference);
            // Four times what the script's own single precision is off.
            assert!(difference < 2e-6, "{}, parameter {at}: {} {expected_parameter}", expected.case, found[at]);
        }
        let (sum, squares) = (found.iter().sum::<f64>(), found.iter().map(|p| p * p).sum::<f64>());
        // So many parameters, whose errors have different signs.
        let allowed = 2e-6 * (found.len() as f64).sqrt();
        assert!((sum - expected.sum).abs() < allowed, "{}: {sum} {}", expected.case, expected.sum);
        assert!((squares / expected.squares - 1.0).abs() < 2e-6, "{}: {squares} {}", expected.case, expected.squares);
    }
    println!("the largest difference of a parameter is {most:.1e}");
}

/// A row of the script's data.
fn put(space: &mut Workspace, row: usize, loss: Loss, is_masked: bool) {
    let input = |at: usize| (((row * 7919 + at * 104_729 + 13) % 2003) as f32 - 1001.0) / 512.0;
    space.inputs.extend((0..6).map(input));
    space.labels.push(if loss.has_labels() && row * 31 % 7 < 3 { 1.0 } else { 0.0 });
    space.shares.push((0.5 + (row * 17 % 8) as f64 / 8.0) / BATCH as f64);
    space.samples.push(row as u32);
    if is_masked {
        let is_there = |at: &usize| !(row + at).is_multiple_of(3);
        space.present.push((0..6).filter(is_there).map(|at| 1 << at).sum());
    }
}
