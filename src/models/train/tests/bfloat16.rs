//! Products of bfloat16 numbers: against a plain network that rounds where the module says, and against single precision.

use super::super::math::{activated, loss_of, rounded, slope_at};
use super::*;

/// A layer's weights (or biases) as the plain network takes them.
fn weight(parameters: &[f32], place: usize) -> f64 {
    f64::from(rounded(parameters[place]))
}

/// The gradient of some rows without dropout: sums in double precision, one term after the other, and rounding where the module's
/// documentation has it.
fn plain_gradient(network: &Network, loss: Loss, parameters: &[f32], rows: &Plain) -> Vec<f64> {
    let places: Vec<_> = network.places().collect();
    let mut gradient = vec![0.0; network.parameters()];
    for row in 0..rows.labels.len() {
        let width = network.inputs();
        let inputs: Vec<f32> = rows.inputs[row * width..(row + 1) * width].iter().map(|x| rounded(*x)).collect();
        // What goes into each layer, and what comes out of the last.
        let mut values = vec![inputs.clone()];
        for (number, (layer, place)) in places.iter().enumerate() {
            let out = |output: usize| {
                let mut sum =
                    if layer.bias == Bias::Present { f64::from(parameters[place.bias + output]) } else { 0.0 };
                for (input, x) in values[number].iter().enumerate() {
                    sum += f64::from(*x) * weight(parameters, place.weights + input * layer.stride() + output);
                }
                let a = activated(layer.activation, sum as f32);
                if number + 1 < places.len() { rounded(a) } else { a }
            };
            let outs = (0..layer.outputs as usize).map(out).collect();
            values.push(outs);
        }
        let mut of_outputs = vec![0.0; network.outputs()];
        let (label, share) = (rows.labels[row], rows.shares[row]);
        let outputs = &values[places.len()];
        let this = math::Row { outputs, inputs: &inputs, label, target: TARGET, share, present: &[] };
        loss_of(loss, &this, &mut of_outputs);
        let mut by_outputs: Vec<f64> = of_outputs.into_iter().map(f64::from).collect();
        for (number, (layer, place)) in places.iter().enumerate().rev() {
            let slope = |output: usize| {
                let of_activation = f64::from(slope_at(layer.activation, values[number + 1][output]));
                f64::from(rounded((by_outputs[output] * of_activation) as f32))
            };
            let slopes: Vec<f64> = (0..layer.outputs as usize).map(slope).collect();
            let mut by_inputs = vec![0.0; layer.inputs as usize];
            for (output, slope) in slopes.iter().enumerate() {
                for (input, x) in values[number].iter().enumerate() {
                    let at = place.weights + input * layer.stride() + output;
                    gradient[at] += f64::from(*x) * slope;
                    by_inputs[input] += slope * weight(parameters, at);
                }
                if layer.bias == Bias::Present {
                    gradient[place.bias + output] += slope;
                }
            }
            by_outputs = by_inputs;
        }
    }
    gradient
}

/// The distance of two gradients over the length of the second.
fn distance(found: &[f32], expected: &[f64]) -> f64 {
    let squares = found.iter().zip(expected).map(|(found, expected)| (f64::from(*found) - expected).powi(2));
    let length: f64 = expected.iter().map(|expected| expected * expected).sum();
    (squares.sum::<f64>() / length).sqrt()
}

#[test]
fn what_goes_into_products_is_rounded_and_nothing_else() {
    let rows = 45;
    let inputs = uniform(1, rows * 5);
    let labels: Vec<f32> = (0..rows).map(|row| (row % 3 == 0).into()).collect();
    let shares: Vec<f64> = (0..rows).map(|row| (0.5 + (row % 4) as f64) / rows as f64).collect();
    let dropout = Dropout { random: Philox::new(3, Stage::Dropout), epoch: 2 };
    let (mut most, mut least_of_single) = (0.0_f64, f64::INFINITY);
    for (network, loss) in networks() {
        // Dropout is compared with that of CUDA.
        if network.layers().iter().any(|layer| layer.dropout_256ths > 0) {
            continue;
        }
        let plain = Plain {
            network: &network,
            loss,
            inputs: &inputs,
            labels: &labels,
            shares: &shares,
            present: &[],
            factor: &|_, _, _| 1.0,
        };
        let bare: Vec<f32> = uniform(7, network.bare(&vec![0.0; network.parameters()]).len());
        let parameters = network.padded(&bare).unwrap();
        let expected = plain_gradient(&network, loss, &parameters, &plain);
        let mut factors = parameters.clone();
        network.places().for_each(|(_, place)| math::round(&mut factors[place.weights..place.bias]));
        let train = Train { precision: Precision::Bfloat16, ..Train::new(network.clone(), vec![to_target(1)], loss) };
        let (found, _) = gradient(&train, &factors, &plain, Width::widest(), dropout);
        most = most.max(distance(&found, &expected));
        let single = Train { precision: Precision::Single, ..train };
        let (unrounded, _) = gradient(&single, &factors, &plain, Width::widest(), dropout);
        least_of_single = least_of_single.min(distance(&unrounded, &expected));
    }
    // Sums of 20 terms in single precision are 1e-7 off. One that this takes over the middle between two numbers of 8 bits,
    // which happens to one in some thousands (to none here), moves by 2^-8, and a gradient that has one such term in 45 by
    // 2^-8 / 45 = 9e-5.
    assert!(most < 1e-4, "{most:e}");
    // So that a place where nothing was rounded would have been seen.
    assert!(least_of_single > 3e-4, "{least_of_single:e}");
    println!("{most:.1e} of a gradient; without rounding of rows at least {least_of_single:.1e}");
}

#[test]
fn a_classifier_learns_as_much_as_in_single_precision() {
    let table = table(1003);
    let of = |precision| {
        let train = Train { precision, epochs: 20, early_stopping: None, ..training() };
        train.cpu(Input { table: table.clone(), population: untrained(&train) }).unwrap().population
    };
    let (single, rounded) = (of(Precision::Single), of(Precision::Bfloat16));
    assert_ne!(bits(&single), bits(&rounded));
    for (single, rounded) in single.progress.iter().zip(&rounded.progress) {
        let [single, rounded] = [single, rounded].map(|progress| progress.epochs.last().copied().unwrap());
        // From 0.69; 0.11 to 0.16 in single precision, at most 1.4 % apart (1.5 % of validation).
        assert!((rounded.training / single.training - 1.0).abs() < 0.03, "{single:?} {rounded:?}");
        let [single, rounded] = [single, rounded].map(|epoch| epoch.validation.unwrap());
        assert!((rounded / single - 1.0).abs() < 0.03, "{single} {rounded}");
    }
}
