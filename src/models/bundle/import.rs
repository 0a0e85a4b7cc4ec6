//! `models.import`: dense networks that were made elsewhere.
//!
//! **What.** The `state_dict` of PyTorch's `nn.Sequential` of `nn.Linear` layers, saved by
//! `safetensors.torch.save_file`:
//!
//! ```text
//! PREFIX{number}.weight    [outputs, inputs]
//! PREFIX{number}.bias      [outputs], where there is one
//! ```
//!
//! with one PREFIX for all (none, `net.`, `fc`, ...). Layers follow each other by their numbers, of which some may be
//! missing, because activations and dropout have numbers and no weights. Numbers of 16 (both kinds), 32 and 64 bits
//! become single precision.
//!
//! **Neglected.** A file of weights does not tell activations: the caller does, one of all layers but the last, and one
//! of the last. Ours are PyTorch's with their default settings (ELU with alpha 1, softplus with beta 1). Anything else
//! than dense layers, such as the means and variances of a batch normalisation, is refused.

use std::collections::BTreeMap;
use std::path::Path;

use super::tensors::{self, Tensors, View};
use super::weights;
use crate::error::{Error, Fault, Problems, Result};
use crate::models::network::{Activation, Bias, Dense, Network, WIDEST};

const NAME: &str = "models.import";

/// Reads a network and its parameters, which are padded as [`Network::parameters`] says: layers with `activation`, and
/// a last layer with `last`.
///
/// # Errors
/// All at once: tensors that are no weights or biases of layers, of several prefixes, of other shapes or kinds of
/// numbers, or not finite; layers without weights or that do not fit each other; what [`Network::new`] finds;
/// [`Error::Io`] if the system refuses.
///
/// # Example
/// ```no_run
/// use std::path::Path;
/// use trawl::models::bundle::import;
/// use trawl::models::network::Activation;
/// // torch: save_file(nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 1)).state_dict(), "net.safetensors")
/// let (network, parameters) =
///     import::safetensors(Path::new("net.safetensors"), Activation::Relu, Activation::Identity)?;
/// assert_eq!((network.inputs(), network.outputs()), (6, 1));
/// # Ok::<(), trawl::Error>(())
/// ```
pub fn safetensors(path: &Path, activation: Activation, last: Activation) -> Result<(Network, Vec<f32>)> {
    tensors::read(NAME, path, |bytes| from_bytes(bytes, activation, last))
}

fn refused(problem: impl Into<String>, why: impl Into<String>) -> Error {
    Fault::new(NAME, problem).because(why).data()
}

/// What a name tells: the prefix, the number of the layer, `weight` or `bias`.
fn parts_of(name: &str) -> Option<(&str, u64, &str)> {
    let (stem, part) = name.rsplit_once('.').filter(|(_, part)| ["weight", "bias"].contains(part))?;
    let prefix = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
    Some((prefix, stem[prefix.len()..].parse().ok()?, part))
}

/// The tensors of a layer, each with its name.
#[derive(Debug, Default)]
struct Found<'a> {
    weight: Option<(&'a str, &'a View<'a>)>,
    bias: Option<(&'a str, &'a View<'a>)>,
}

/// A layer that fits by itself.
#[derive(Debug)]
struct Layer<'a> {
    name: &'a str,
    dense: Dense,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

fn from_bytes(bytes: &[u8], activation: Activation, last: Activation) -> Result<(Network, Vec<f32>)> {
    let tensors = Tensors::read(NAME, bytes)?;
    let mut problems = Problems::default();
    let found = found(&tensors, &mut problems);
    let end = found.len().saturating_sub(1);
    let layers = found
        .into_iter()
        .enumerate()
        .map(|(at, (number, found))| layer_of(number, found, if at == end { last } else { activation }, &mut problems));
    let layers: Vec<Option<Layer>> = layers.collect();
    for pair in layers.windows(2) {
        if let [Some(before), Some(after)] = pair
            && before.dense.outputs != after.dense.inputs
        {
            let problem = format!("'{}' takes {} inputs", after.name, after.dense.inputs);
            problems.push(refused(problem, format!("'{}' has {} outputs", before.name, before.dense.outputs)));
        }
    }
    if tensors.views.is_empty() {
        problems.push(refused("there are no tensors", "a network has layers with weights"));
    }
    problems.finish()?;
    let layers: Vec<Layer> = layers.into_iter().flatten().collect();
    let network = Network::new(layers.iter().map(|layer| layer.dense).collect())?;
    let mut parameters = vec![0.0; network.parameters()];
    for (layer, (dense, place)) in layers.iter().zip(network.places()) {
        weights::put(dense, place, &layer.weight, layer.bias.as_deref(), &mut parameters);
    }
    Ok((network, parameters))
}

/// The tensors of each layer by its number.
fn found<'a>(tensors: &'a Tensors, problems: &mut Problems) -> BTreeMap<u64, Found<'a>> {
    let mut found = BTreeMap::<u64, Found>::new();
    let mut first: Option<(&str, &str)> = None;
    for (name, view) in &tensors.views {
        let name = name.as_str();
        let Some((prefix, number, part)) = parts_of(name) else {
            let problem = format!("the tensor '{name}' is no weight or bias of a dense layer");
            problems.push(refused(problem, "expected names as '0.weight' and '0.bias', with one prefix for all"));
            continue;
        };
        let (first_prefix, first_name) = *first.get_or_insert((prefix, name));
        if prefix != first_prefix {
            let why = "nothing tells which of several networks goes first";
            problems.push(refused(format!("the prefixes of '{first_name}' and '{name}' differ"), why));
            continue;
        }
        let layer = found.entry(number).or_default();
        let place = if part == "weight" { &mut layer.weight } else { &mut layer.bias };
        if let Some((other, _)) = place.replace((name, view)) {
            problems.push(refused(format!("'{other}' and '{name}' are the same layer's"), "it has one of each"));
        }
    }
    found
}

/// The layer of these tensors, if they fit each other.
fn layer_of<'a>(number: u64, found: Found<'a>, activation: Activation, problems: &mut Problems) -> Option<Layer<'a>> {
    let Some((name, weight)) = found.weight else {
        problems.push(refused(format!("layer {number} has no weight"), "it has a bias"));
        return None;
    };
    let [outputs, inputs] = *weight.shape.as_slice() else {
        let why = "the weight of a dense layer is of [outputs, inputs]";
        problems.push(refused(format!("'{name}' has the shape {:?}", weight.shape), why));
        return None;
    };
    let size = |size: usize| u32::try_from(size).ok().filter(|size| (1..=WIDEST).contains(size));
    let (Some(outputs), Some(inputs)) = (size(outputs), size(inputs)) else {
        let why = format!("a layer has from 1 to {WIDEST} inputs and outputs");
        problems.push(refused(format!("'{name}' has the shape {:?}", weight.shape), why));
        return None;
    };
    let mut dense = Dense::new(inputs, outputs, activation);
    let weight = numbers_of(name, weight, problems);
    let bias = match found.bias {
        None => {
            dense.bias = Bias::Absent;
            None
        }
        Some((name, bias)) if bias.shape == [outputs as usize] => numbers_of(name, bias, problems),
        Some((bias_name, bias)) => {
            let why = format!("'{name}' has {outputs} outputs");
            problems.push(refused(format!("'{bias_name}' has the shape {:?}", bias.shape), why));
            None
        }
    };
    Some(Layer { name, dense, weight: weight?, bias })
}

/// The numbers of a tensor in single precision, if they are finite in it.
fn numbers_of(name: &str, view: &View, problems: &mut Problems) -> Option<Vec<f32>> {
    let Some(numbers) = view.numbers() else {
        let why = "weights are floating-point numbers of 16, 32 or 64 bits";
        problems.push(refused(format!("'{name}' is {}", view.kind), why));
        return None;
    };
    if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
        let problem = format!("number {at} of '{name}' is {} in single precision", numbers[at]);
        problems.push(refused(problem, "nothing that comes out would be a number"));
        return None;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests;
