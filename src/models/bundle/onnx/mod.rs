//! `models.onnx`: bundles for other programs, as ONNX.
//!
//! **What.** A graph from `features`, float `[N, features]` of the *raw* features in the order of the bundle, to
//! `scores`, float `[N, members * numbers]`: the scores of the healthy members one after the other, each as many
//! numbers as the [`ScoreTransform`] makes. Which members these are, the names of the features, how scores are combined
//! and the card's sha256 are in the metadata of the model (`members`, `features`, `combination`: JSON; `card_sha256`).
//!
//! ```text
//! features -> Sub, Sub, Mul -> Gather -> Gemm, activation, Gemm, ...
//!          -> Sigmoid | Sub, Mul, ReduceMean | Exp, Mul -> Concat -> scores
//! ```
//!
//! **Numbers.** Single precision. The shift of a feature is two numbers whose sum it is, `(x - high) - low`, so that a
//! small spread about a large mean is not rounded away; weights are those of the bundle. Runtimes sum in an order of
//! their own: onnxruntime's scores are within 3.8e-6 of NumPy's in 35 networks (`scripts/oracles/onnx.py`, which allows
//! 1e-5 of their size).
//!
//! **Neglected.** Maps of features that are not linear are refused, and so are bundles whose features may be missing. Members are not
//! combined. Dropout is of training alone.
//!
//! **Format.** The set of operators is 13, the version of the format 8:
//! <https://github.com/onnx/onnx/blob/main/docs/IR.md>.

mod graph;
mod protobuf;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::graph::{Attribute, Graph};
use super::{Bundle, check, weights};
use crate::error::{Fault, Problems, Result};
use crate::events::write_whole;
use crate::features::standardise::Transform;
use crate::models::network::Activation;
use crate::models::score::transform::ScoreTransform;

const NAME: &str = "models.onnx";

/// Messages of 2 GB and more are not read.
const LARGEST: usize = i32::MAX as usize;

/// Writes the graph of a bundle. The file appears whole or not at all.
///
/// # Errors
/// As [`Bundle::check`]; all at once, features whose map is not linear or not of single precision; a graph of 2 GB or
/// more; [`Error::Io`](crate::error::Error::Io) if the system refuses.
///
/// # Example
/// ```no_run
/// use std::path::Path;
/// use trawl::models::bundle::{Bundle, onnx};
/// let bundle = Bundle::read(Path::new("demo.safetensors"))?;
/// onnx::write(&bundle, Path::new("demo.onnx"))?;
/// # Ok::<(), trawl::Error>(())
/// ```
pub fn write(bundle: &Bundle, path: &Path) -> Result<()> {
    write_whole(NAME, path, &encoded(bundle)?)
}

fn encoded(bundle: &Bundle) -> Result<Vec<u8>> {
    bundle.check()?;
    let maps = Maps::of(bundle)?;
    let score = of_single_precision(bundle.score)?;
    let mut graph = Graph::default();
    let standardised = maps.add(&mut graph);
    add_constants(&mut graph, score);
    let members: Vec<usize> = bundle.healthy().collect();
    let scores: Vec<String> =
        members.iter().map(|member| add_member(&mut graph, bundle, *member, standardised, score)).collect();
    let scores: Vec<&str> = scores.iter().map(String::as_str).collect();
    graph.node("Concat", &scores, "scores", &[("axis", Attribute::Integer(1))]);
    let ends = [("features", bundle.features.len()), ("scores", members.len() * check::width_of_scores(bundle))];
    let json = |text: serde_json::Result<String>| text.expect("plain data");
    let texts = [
        ("features", bundle.feature_names()),
        ("members", json(serde_json::to_string(&members))),
        ("combination", json(serde_json::to_string(&bundle.combination))),
        ("card_sha256", bundle.card.sha256.clone()),
    ];
    let about = "Scores of the healthy members one after the other, of raw features. Members are not combined.";
    let bytes = graph.model("trawl", about, ends, &texts);
    if bytes.len() > LARGEST {
        let fault = Fault::new(NAME, format!("the graph would have {} bytes", bytes.len()));
        return Err(fault.because("messages have less than 2 GB").suggest("Export fewer members.").data());
    }
    Ok(bytes)
}

/// The linear maps of all features.
#[derive(Debug, Default)]
struct Maps {
    high: Vec<f32>,
    low: Vec<f32>,
    scale: Vec<f32>,
}

impl Maps {
    fn of(bundle: &Bundle) -> Result<Self> {
        let (mut maps, mut problems) = (Self::default(), Problems::default());
        if let Some(missing) = bundle.missing {
            let fault = Fault::new(NAME, format!("the value {missing} of a feature says that it is not there"));
            problems.push(fault.because("a graph does not know which features are missing").usage());
        }
        for (feature, transform) in bundle.features.iter().zip(&bundle.standardise) {
            let refused = |how: &str, why: &str| {
                let fault = Fault::new(NAME, format!("the feature '{}' is standardised by {how}", feature.name));
                fault.because(why).suggest("Train with a z-score or min-max to export the networks.").data()
            };
            let not_linear = "only linear maps are exported";
            match transform {
                Transform::Linear { shift, scale } => {
                    let high = *shift as f32;
                    maps.high.push(high);
                    maps.low.push((shift - f64::from(high)) as f32);
                    maps.scale.push(*scale as f32);
                    if !(high.is_finite() && (*scale as f32).is_normal()) {
                        problems.push(refused(
                            &format!("the shift {shift} and the scale {scale}"),
                            "single precision does not have them",
                        ));
                    }
                }
                Transform::Logit { .. } => problems.push(refused("a logit", not_linear)),
                Transform::Uniform { .. } => problems.push(refused("uniform quantiles", not_linear)),
                Transform::Normal { .. } => problems.push(refused("normal quantiles", not_linear)),
            }
        }
        problems.finish()?;
        Ok(maps)
    }

    /// Adds the maps, and answers what they make.
    fn add(&self, graph: &mut Graph) -> &'static str {
        let constants = [("shift.high", &self.high), ("shift.low", &self.low), ("scale", &self.scale)];
        for (name, values) in constants {
            graph.singles(name, &[values.len()], values);
        }
        graph.node("Sub", &["features", "shift.high"], "shifted.high", &[]);
        graph.node("Sub", &["shifted.high", "shift.low"], "shifted", &[]);
        graph.node("Mul", &["shifted", "scale"], "standardised", &[]);
        "standardised"
    }
}

/// The transform, and its scale in single precision.
fn of_single_precision(score: ScoreTransform) -> Result<ScoreTransform> {
    if let ScoreTransform::DensityRatio { scale } = score
        && !(scale as f32).is_normal()
    {
        let fault = Fault::new(NAME, format!("the scale {scale} of a density ratio"));
        return Err(fault.because("single precision does not have it").data());
    }
    Ok(score)
}

/// Adds what the scores of all members have in common.
fn add_constants(graph: &mut Graph, score: ScoreTransform) {
    match score {
        ScoreTransform::Outputs | ScoreTransform::Probability => {}
        ScoreTransform::ReconstructionError | ScoreTransform::DistanceToTarget => {}
        ScoreTransform::DensityRatio { scale } => graph.singles("score.scale", &[1], &[scale as f32]),
    }
}

/// Adds a member, and answers what its scores are named.
fn add_member(graph: &mut Graph, bundle: &Bundle, member: usize, features: &str, score: ScoreTransform) -> String {
    let name = |what: &str| format!("members.{member}.{what}");
    let inputs = match bundle.members[member].features.as_slice() {
        [] => features.to_owned(),
        chosen => {
            graph.integers(&name("features"), chosen);
            let axis = [("axis", Attribute::Integer(1))];
            graph.node("Gather", &[features, &name("features")], &name("inputs"), &axis);
            name("inputs")
        }
    };
    let outputs = add_layers(graph, bundle, member, &inputs);
    if score == ScoreTransform::DistanceToTarget {
        graph.singles(&name("target"), &[1], &[bundle.members[member].target]);
    }
    add_score(graph, score, &inputs, outputs, name)
}

/// Adds the layers of a member, and answers what their outputs are named.
fn add_layers(graph: &mut Graph, bundle: &Bundle, member: usize, inputs: &str) -> String {
    let places = bundle.network.parameters();
    let parameters = &bundle.parameters[member * places..(member + 1) * places];
    let mut last = inputs.to_owned();
    for (number, (layer, place)) in bundle.network.places().enumerate() {
        let name = |what: &str| weights::name_of(member, number, what);
        let weight = weights::rows_of_outputs(layer, place, parameters);
        graph.singles(&name("weight"), &weights::weight_shape(layer), &weight);
        // W has a row for each output, and is turned.
        let turned = [("transB", Attribute::Integer(1))];
        if let Some(bias) = weights::bias_of(layer, place, parameters) {
            graph.singles(&name("bias"), &[bias.len()], bias);
            graph.node("Gemm", &[&last, &name("weight"), &name("bias")], &name("sums"), &turned);
        } else {
            graph.node("Gemm", &[&last, &name("weight")], &name("sums"), &turned);
        }
        last = name("sums");
        if let Some((operator, attributes)) = operator_of(layer.activation) {
            graph.node(operator, &[&last], &name("outputs"), &attributes);
            last = name("outputs");
        }
    }
    last
}

/// The operator of an activation, if it does anything, with its settings.
fn operator_of(activation: Activation) -> Option<(&'static str, Vec<(&'static str, Attribute)>)> {
    Some(match activation {
        Activation::Identity => return None,
        Activation::Relu => ("Relu", Vec::new()),
        Activation::LeakyRelu { slope } => ("LeakyRelu", vec![("alpha", Attribute::Single(slope))]),
        Activation::Elu => ("Elu", vec![("alpha", Attribute::Single(1.0))]),
        Activation::Tanh => ("Tanh", Vec::new()),
        Activation::Sigmoid => ("Sigmoid", Vec::new()),
        Activation::Softplus => ("Softplus", Vec::new()),
    })
}

/// Adds what the outputs of a member become, and answers how it is named.
fn add_score(
    graph: &mut Graph,
    score: ScoreTransform,
    inputs: &str,
    outputs: String,
    name: impl Fn(&str) -> String,
) -> String {
    let mut mean_square = |target: &str| {
        graph.node("Sub", &[&outputs, target], &name("differences"), &[]);
        graph.node("Mul", &[&name("differences"), &name("differences")], &name("squares"), &[]);
        let along_row = [("axes", Attribute::Integers(1)), ("keepdims", Attribute::Integer(1))];
        graph.node("ReduceMean", &[&name("squares")], &name("scores"), &along_row);
    };
    match score {
        ScoreTransform::Outputs => return outputs,
        ScoreTransform::ReconstructionError => mean_square(inputs),
        ScoreTransform::DistanceToTarget => mean_square(&name("target")),
        ScoreTransform::Probability => graph.node("Sigmoid", &[&outputs], &name("scores"), &[]),
        ScoreTransform::DensityRatio { .. } => {
            graph.node("Exp", &[&outputs], &name("ratios"), &[]);
            graph.node("Mul", &[&name("ratios"), "score.scale"], &name("scores"), &[]);
        }
    }
    name("scores")
}
