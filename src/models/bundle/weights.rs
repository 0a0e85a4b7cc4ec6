//! The weights of members as tensors, in PyTorch's order, and back.

use std::collections::BTreeSet;

use safetensors::Dtype;

use super::NAME;
use super::tensors::{Tensor, Tensors};
use crate::error::{Fault, Problems, Result};
use crate::models::network::{Bias, Dense, Network, Place};

/// So many problems of one kind are told.
const MOST_PROBLEMS: usize = 20;

/// W of a layer with a row for each output, as PyTorch and ONNX have it.
pub(super) fn rows_of_outputs(layer: &Dense, place: Place, parameters: &[f32]) -> Vec<f32> {
    let stride = layer.stride();
    (0..layer.outputs as usize)
        .flat_map(|output| {
            (0..layer.inputs as usize).map(move |input| parameters[place.weights + input * stride + output])
        })
        .collect()
}

/// Puts W, with a row for each output, and b in their places.
pub(super) fn put(layer: &Dense, place: Place, weight: &[f32], bias: Option<&[f32]>, parameters: &mut [f32]) {
    for (output, row) in weight.chunks_exact(layer.inputs as usize).enumerate() {
        for (input, weight) in row.iter().enumerate() {
            parameters[place.weights + input * layer.stride() + output] = *weight;
        }
    }
    if let Some(bias) = bias {
        parameters[place.bias..place.bias + bias.len()].copy_from_slice(bias);
    }
}

/// b of a layer, if it has one.
pub(super) fn bias_of<'a>(layer: &Dense, place: Place, parameters: &'a [f32]) -> Option<&'a [f32]> {
    (layer.bias == Bias::Present).then(|| &parameters[place.bias..place.bias + layer.outputs as usize])
}

/// W as a tensor.
pub(super) fn weight_shape(layer: &Dense) -> [usize; 2] {
    [layer.outputs as usize, layer.inputs as usize]
}

/// The name of the `weight` or `bias` of a layer.
pub(super) fn name_of(member: usize, layer: usize, part: &str) -> String {
    format!("members.{member}.layers.{layer}.{part}")
}

/// The tensors of all members, whose parameters are padded.
pub(super) fn tensors(network: &Network, parameters: &[f32]) -> Vec<Tensor> {
    let mut tensors = Vec::new();
    for (member, parameters) in parameters.chunks_exact(network.parameters()).enumerate() {
        for (number, (layer, place)) in network.places().enumerate() {
            let weight = rows_of_outputs(layer, place, parameters);
            tensors.push(Tensor::of_numbers(name_of(member, number, "weight"), &weight_shape(layer), &weight));
            if let Some(bias) = bias_of(layer, place, parameters) {
                tensors.push(Tensor::of_numbers(name_of(member, number, "bias"), &[bias.len()], bias));
            }
        }
    }
    tensors
}

/// The names and shapes of the tensors of so many members.
fn expected(network: &Network, members: usize) -> impl Iterator<Item = (String, Vec<usize>)> + '_ {
    (0..members).flat_map(move |member| {
        network.layers().iter().enumerate().flat_map(move |(number, layer)| {
            let weight = (name_of(member, number, "weight"), weight_shape(layer).to_vec());
            let bias = (name_of(member, number, "bias"), vec![layer.outputs as usize]);
            [Some(weight), (layer.bias == Bias::Present).then_some(bias)].into_iter().flatten()
        })
    })
}

/// Whether the tensors are those of so many members, and no others.
///
/// # Errors
/// Tensors that are missing, of another kind or shape, or too many: the first twenty.
pub(super) fn check_shapes(network: &Network, members: usize, tensors: &Tensors) -> Result<()> {
    let mut problems = Problems::default();
    // Ended by the tensors that are there: a damaged description may tell of any number of them.
    let wrong = expected(network, members).filter_map(|(name, shape)| tensors.tensor(&name, Dtype::F32, &shape).err());
    wrong.take(MOST_PROBLEMS).for_each(|error| problems.push(error));
    problems.finish()?;
    let expected: BTreeSet<String> = expected(network, members).map(|(name, _)| name).collect();
    let mut problems = Problems::default();
    for name in tensors.views.keys().filter(|name| !expected.contains(*name)).take(MOST_PROBLEMS) {
        let fault = Fault::new(NAME, format!("the tensor '{name}' is of no layer of a member"));
        problems.push(fault.because("the description tells of no such one").data());
    }
    problems.finish()
}

/// The padded parameters of all members, of tensors that have passed [`check_shapes`].
pub(super) fn read(network: &Network, members: usize, tensors: &Tensors) -> Result<Vec<f32>> {
    let mut parameters = vec![0.0; members * network.parameters()];
    for (member, parameters) in parameters.chunks_exact_mut(network.parameters()).enumerate() {
        for (number, (layer, place)) in network.places().enumerate() {
            let numbers = |part: &str, shape: &[usize]| -> Result<Vec<f32>> {
                let view = tensors.tensor(&name_of(member, number, part), Dtype::F32, shape)?;
                Ok(view.numbers().unwrap_or_default())
            };
            let weight = numbers("weight", &weight_shape(layer))?;
            let bias = match layer.bias {
                Bias::Present => Some(numbers("bias", &[layer.outputs as usize])?),
                Bias::Absent => None,
            };
            put(layer, place, &weight, bias.as_deref(), parameters);
        }
    }
    Ok(parameters)
}

/// Adds the first number of each layer that is not finite, at most twenty of them.
pub(super) fn check_finite(network: &Network, parameters: &[f32], problems: &mut Problems) {
    let members = parameters.chunks_exact(network.parameters()).enumerate();
    let layers = members.flat_map(|(member, parameters)| {
        network.places().enumerate().map(move |(number, (layer, place))| (member, number, layer, place, parameters))
    });
    let wrong = layers.filter_map(|(member, number, layer, place, parameters)| {
        let at = parameters[place.weights..place.end].iter().position(|parameter| !parameter.is_finite())?;
        let (row, output) = (at / layer.stride(), at % layer.stride());
        let what = if place.weights + at < place.bias {
            format!("the weight of input {row} and output {output}")
        } else {
            format!("the bias of output {output}")
        };
        let value = parameters[place.weights + at];
        let fault = Fault::new(NAME, format!("{what} of layer {number} of member {member} is {value}"));
        Some(fault.because("no score would be a number").data())
    });
    wrong.take(MOST_PROBLEMS).for_each(|error| problems.push(error));
}
