//! The bytes of a graph read back, and files for `scripts/oracles/onnx.py`.

use super::*;
use crate::models::bundle::tests::{bundle, parameters};
use crate::models::bundle::{Combination, Feature, Health};
use crate::models::network::{Bias, Dense, Network};
use crate::models::population::Member;

/// A field of a message.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Integer(u64),
    Single(f32),
    Bytes(Vec<u8>),
}

/// The fields of a message, in their order.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let varint = |bytes: &mut &[u8]| {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            shift += 7;
            if *first < 0x80 {
                return value;
            }
        }
    };
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Integer(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(value.to_vec())
            }
            5 => {
                let (value, rest) = bytes.split_first_chunk().unwrap();
                bytes = rest;
                Field::Single(f32::from_le_bytes(*value))
            }
            kind => panic!("fields of kind {kind} are not written"),
        };
        found.push((key >> 3, field));
    }
    found
}

/// All bytes of a message under a number.
fn bytes(message: &[u8], number: u64) -> Vec<Vec<u8>> {
    let bytes = |(at, field): (u64, Field)| match field {
        Field::Bytes(bytes) if at == number => Some(bytes),
        _ => None,
    };
    fields(message).into_iter().filter_map(bytes).collect()
}

fn texts(message: &[u8], number: u64) -> Vec<String> {
    bytes(message, number).into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

fn integers(message: &[u8], number: u64) -> Vec<u64> {
    let integer = |(at, field): (u64, Field)| match field {
        Field::Integer(value) if at == number => Some(value),
        _ => None,
    };
    fields(message).into_iter().filter_map(integer).collect()
}

/// A bundle whose maps are linear.
fn linear() -> Bundle {
    let transform = |number: i32| Transform::Linear { shift: 1e3 * f64::from(number), scale: 0.1 };
    Bundle { standardise: (0..5).map(transform).collect(), ..bundle() }
}

/// The operators of a graph with what goes in and comes out.
fn nodes(graph: &[u8]) -> Vec<String> {
    let node =
        |node: Vec<u8>| format!("{} = {}({})", texts(&node, 2)[0], texts(&node, 4)[0], texts(&node, 1).join(", "));
    bytes(graph, 1).into_iter().map(node).collect()
}

#[test]
fn the_graph_has_the_healthy_members_alone() {
    let mut bundle = linear();
    bundle.combination = Combination::Mean;
    bundle.health[0] = Health::LeftOut { why: "its loss was not finite".into() };
    let model = encoded(&bundle).unwrap();
    assert_eq!(model, encoded(&bundle).unwrap());
    assert_eq!(integers(&model, 1), [8]);
    assert_eq!(integers(&bytes(&model, 8)[0], 2), [13]);
    let about =
        bytes(&model, 14).iter().map(|text| (texts(text, 1)[0].clone(), texts(text, 2)[0].clone())).collect::<Vec<_>>();
    assert_eq!(about[1], ("members".to_owned(), "[1]".to_owned()));
    assert_eq!(about[2], ("combination".to_owned(), "\"mean\"".to_owned()));
    let graph = &bytes(&model, 7)[0];
    assert_eq!(
        nodes(graph),
        [
            "shifted.high = Sub(features, shift.high)",
            "shifted = Sub(shifted.high, shift.low)",
            "standardised = Mul(shifted, scale)",
            "members.1.inputs = Gather(standardised, members.1.features)",
            "members.1.layers.0.sums = Gemm(members.1.inputs, members.1.layers.0.weight, members.1.layers.0.bias)",
            "members.1.layers.0.outputs = LeakyRelu(members.1.layers.0.sums)",
            "members.1.layers.1.sums = Gemm(members.1.layers.0.outputs, members.1.layers.1.weight)",
            "members.1.layers.1.outputs = Elu(members.1.layers.1.sums)",
            "members.1.layers.2.sums = Gemm(members.1.layers.1.outputs, members.1.layers.2.weight, \
             members.1.layers.2.bias)",
            "members.1.ratios = Exp(members.1.layers.2.sums)",
            "members.1.scores = Mul(members.1.ratios, score.scale)",
            "scores = Concat(members.1.scores)",
        ]
    );
    let slope = bytes(&bytes(graph, 1)[5], 5);
    assert_eq!(
        fields(&slope[0]),
        [(1, Field::Bytes(b"alpha".to_vec())), (2, Field::Single(0.1)), (20, Field::Integer(1)),]
    );
    let widths = |end: &[u8]| {
        let tensor = &bytes(&bytes(end, 2)[0], 1)[0];
        bytes(&bytes(tensor, 2)[0], 1).iter().flat_map(|dimension| integers(dimension, 1)).collect::<Vec<u64>>()
    };
    assert_eq!((widths(&bytes(graph, 11)[0]), widths(&bytes(graph, 12)[0])), (vec![5], vec![1]));
}

#[test]
fn constants_have_the_bits_of_the_bundle() {
    let bundle = linear();
    let graph = &bytes(&encoded(&bundle).unwrap(), 7)[0];
    let constants = bytes(graph, 5);
    let constant = |name: &str| {
        let found = constants.iter().find(|constant| texts(constant, 8) == [name]).unwrap();
        (integers(found, 1), bytes(found, 9).remove(0))
    };
    let (shape, chosen) = constant("members.0.features");
    assert_eq!(shape, [3]);
    assert_eq!(chosen.as_chunks::<8>().0.iter().map(|x| i64::from_le_bytes(*x)).collect::<Vec<_>>(), [4, 0, 2]);
    let places = bundle.network.parameters();
    for member in 0..2 {
        let parameters = &bundle.parameters[member * places..][..places];
        for (number, (layer, place)) in bundle.network.places().enumerate() {
            let (shape, bytes) = constant(&weights::name_of(member, number, "weight"));
            assert_eq!(shape, [u64::from(layer.outputs), u64::from(layer.inputs)]);
            let expected = weights::rows_of_outputs(layer, place, parameters);
            assert_eq!(bytes, expected.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
            assert_eq!(
                layer.bias == Bias::Present,
                constants.iter().any(|constant| { texts(constant, 8) == [weights::name_of(member, number, "bias")] })
            );
        }
    }
}

#[test]
fn each_member_is_compared_with_its_own_target() {
    let mut bundle = Bundle { score: ScoreTransform::DistanceToTarget, ..linear() };
    (bundle.members[0].target, bundle.members[1].target) = (0.3, 25.0);
    let graph = &bytes(&encoded(&bundle).unwrap(), 7)[0];
    let constants = bytes(graph, 5);
    for (member, target) in [0.3_f32, 25.0].into_iter().enumerate() {
        let name = |what: &str| format!("members.{member}.{what}");
        let found = constants.iter().find(|constant| texts(constant, 8) == [name("target")]).unwrap();
        assert_eq!(bytes(found, 9), [target.to_le_bytes()]);
        let node = format!("{} = Sub({}, {})", name("differences"), name("layers.2.sums"), name("target"));
        assert!(nodes(graph).contains(&node), "{node}");
    }
}

#[test]
fn what_a_graph_cannot_say_is_refused() {
    let mut other = bundle();
    other.standardise[0] = Transform::Linear { shift: 1e39, scale: 1.0 };
    let error = encoded(&other).unwrap_err();
    assert_eq!(error.problems().len(), 5, "{error}");
    for part in [
        "the feature 'feature 0' is standardised by the shift 1000000000000000000000000000000000000000 and the scale 1",
        "the feature 'feature 2' is standardised by a logit (only linear maps are exported)",
        "the feature 'feature 4' is standardised by normal quantiles",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let tiny = Bundle { score: ScoreTransform::DensityRatio { scale: 1e-50 }, ..linear() };
    assert!(encoded(&tiny).unwrap_err().to_string().contains("density ratio"));
    let nothing = Bundle { parameters: Vec::new(), ..linear() };
    assert!(encoded(&nothing).unwrap_err().to_string().contains("expected 224 parameters, got 0"));
}

/// Bundles with every activation, score and kind of layer, as files in `TRAWL_ORACLE_FOLDER` if that is set.
#[test]
fn every_network_has_a_graph() {
    let folder = tempfile::tempdir().unwrap();
    let place = std::env::var_os("TRAWL_ORACLE_FOLDER").map_or(folder.path().to_owned(), Into::into);
    std::fs::create_dir_all(&place).unwrap();
    let activations = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Elu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
    ];
    let scores = [
        (ScoreTransform::Outputs, 3),
        (ScoreTransform::Probability, 1),
        (ScoreTransform::ReconstructionError, 4),
        (ScoreTransform::DistanceToTarget, 3),
        (ScoreTransform::DensityRatio { scale: 0.3 }, 1),
    ];
    for (number, activation) in activations.into_iter().enumerate() {
        for (kind, (score, outputs)) in scores.into_iter().enumerate() {
            let bundle = of_oracle(activation, score, outputs, number + kind);
            let name = format!("{number}-{kind}");
            bundle.write(&place.join(format!("{name}.safetensors"))).unwrap();
            write(&bundle, &place.join(format!("{name}.onnx"))).unwrap();
        }
    }
    assert!(place.join("6-4.onnx").metadata().unwrap().len() > 1000);
}

/// A network 4-19-9-outputs of three members, of which the second is left out, with means of features from 0 to a
/// million.
fn of_oracle(activation: Activation, score: ScoreTransform, outputs: u32, variant: usize) -> Bundle {
    let bias = if variant.is_multiple_of(2) { Bias::Present } else { Bias::Absent };
    let hidden = |inputs, outputs| Dense { bias, ..Dense::new(inputs, outputs, activation) };
    let last = Dense::new(9, outputs, Activation::Identity);
    let network = Network::new(vec![hidden(4, 19), hidden(19, 9), last]).unwrap();
    let all = if variant.is_multiple_of(3) { 4 } else { 6 };
    let chosen = |first: u32| if all == 4 { Vec::new() } else { vec![first, 0, 3, 2] };
    let feature = |number: usize| Feature { name: format!("x{number}"), definition: format!("x[{number}]") };
    let transform = |number: i32| Transform::Linear { shift: 0.3 * 100_f64.powi(number) - 0.3, scale: 1.7 };
    Bundle {
        parameters: parameters(&network, 3),
        network,
        members: [5, 1, 4]
            .map(|first| Member {
                features: chosen(first),
                target: 0.5 * first as f32,
                ..Member::new(u64::from(first))
            })
            .into(),
        health: vec![Health::Healthy, Health::LeftOut { why: "its loss was not finite".into() }, Health::Healthy],
        features: (0..all).map(feature).collect(),
        standardise: (0..all as i32).map(|number| transform(number % 4)).collect(),
        missing: None,
        score,
        combination: Combination::Median,
        ..bundle()
    }
}
