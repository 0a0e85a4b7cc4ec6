//! Bundles there and back, and files that are none.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::tensors::Tensor;
use super::*;
use crate::math::philox::{Philox, Stage};
use crate::models::network::{Activation, Bias, Dense};

/// 3-5-4-1 with dropout and a layer without a bias.
fn network() -> Network {
    let first = Dense { dropout_256ths: 13, ..Dense::new(3, 5, Activation::LeakyRelu { slope: 0.1 }) };
    let second = Dense { bias: Bias::Absent, ..Dense::new(5, 4, Activation::Elu) };
    Network::new(vec![first, second, Dense::new(4, 1, Activation::Identity)]).unwrap()
}

/// Parameters of so many members, from -1 to 1.
pub(super) fn parameters(network: &Network, members: usize) -> Vec<f32> {
    let random = Philox::new(5, Stage::Probe);
    let number = network.bare(&vec![0.0; network.parameters()]).len() as u64;
    let of = |member: usize| {
        let uniform = |unit: u64| (2.0 * random.uniforms(unit, member as u64)[0] - 1.0) as f32;
        network.padded(&(0..number).map(uniform).collect::<Vec<f32>>()).unwrap()
    };
    (0..members).flat_map(of).collect()
}

/// Two members that see other features and hold out other folds.
pub(super) fn bundle() -> Bundle {
    let network = network();
    let feature = |number: usize| Feature {
        name: format!("feature {number}"),
        definition: format!("log(Jet[{number}].mass / \"GeV\")"),
    };
    let mut parameters = parameters(&network, 2);
    (parameters[0], parameters[1], parameters[2]) = (-0.0, f32::MIN_POSITIVE / 2.0, 0.1);
    Bundle {
        parameters,
        network,
        members: vec![
            Member { features: vec![4, 0, 2], held_out: Some(1), target: 0.3, ..Member::new(u64::MAX) },
            Member { features: vec![0, 1, 3], held_out: Some(0), ..Member::new(7) },
        ],
        health: vec![Health::Healthy; 2],
        features: (0..5).map(feature).collect(),
        missing: None,
        standardise: vec![
            Transform::Linear { shift: 0.1 + 0.2, scale: 1.0 / 3.0 },
            Transform::Linear { shift: -5e-324, scale: 1e-300 },
            Transform::Logit { low: 0.0, high: 1.0, shift: 0.25, scale: std::f64::consts::PI },
            Transform::Uniform { knots: vec![0.0, 0.1, 0.7] },
            Transform::Normal { knots: vec![-1.0, 1e17] },
        ],
        score: ScoreTransform::DensityRatio { scale: 1.0 / 49.0 },
        combination: Combination::OutOfFold { folds: 2, seed: 1 },
        runs: Runs::Present,
        card: CardText {
            text: "name = \"demo\"\n# with 'quotes', \\ and \u{3c7}\u{b2}\n".into(),
            overrides: vec!["models.epochs=5".into()],
            sha256: "ab".repeat(32),
        },
        trained_on: vec![TrainedOn { name: "a.parquet".into(), bytes: u64::MAX, sha256: "cd".repeat(32) }],
        made_by: made_by(),
    }
}

fn refused(bytes: &[u8]) -> String {
    Bundle::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn a_bundle_comes_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.safetensors");
    let written = bundle();
    written.write(&path).unwrap();
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    let read = Bundle::read(&path).unwrap();
    assert_eq!(read, written);
    let bits = |bundle: &Bundle| bundle.parameters.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&read), bits(&written));
    // The same bundle is the same bytes.
    assert_eq!(read.to_bytes().unwrap(), written.to_bytes().unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), written.to_bytes().unwrap());
    assert_eq!(read.learned_from(&"cd".repeat(32)).map(|file| file.name.as_str()), Some("a.parquet"));
    assert!(read.learned_from("").is_none());
    assert_eq!(read.healthy().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(read.population().best.len(), read.parameters.len());
}

#[test]
fn other_readers_find_weights_in_pytorchs_order_and_the_features() {
    let bundle = bundle();
    let bytes = bundle.to_bytes().unwrap();
    let (header, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert!(header.is_multiple_of(8));
    let texts = metadata.metadata().as_ref().unwrap();
    let names: Vec<String> = serde_json::from_str(&texts["features"]).unwrap();
    assert_eq!(names[4], "feature 4");
    assert_eq!(texts["card_sha256"], "ab".repeat(32));
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.len(), 2 * 5);
    let weight = tensors.tensor("members.1.layers.0.weight").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (Dtype::F32, &[5, 3][..]));
    // Ours has a row of eight for each input.
    let own = &bundle.parameters[bundle.network.parameters()..];
    for (at, bytes) in weight.data().as_chunks::<4>().0.iter().enumerate() {
        assert_eq!(f32::from_le_bytes(*bytes).to_bits(), own[at % 3 * 8 + at / 3].to_bits());
    }
}

#[test]
fn a_file_that_was_cut_off_or_changed_is_refused() {
    let bytes = bundle().to_bytes().unwrap();
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let error = refused(&bytes[..length]);
        assert!(error.contains("no whole safetensors file"), "{length}: {error}");
    }
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(Bundle::from_bytes(&changed).is_err(), "byte {at}");
    }
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(refused(&changed).contains("changed after it was written"));
    // A header that tells of more bytes than can be counted.
    let giant = r#"{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#;
    let giant = [&(giant.len() as u64).to_le_bytes()[..], giant.as_bytes()].concat();
    assert!(refused(&giant).contains("no whole safetensors file"));
    assert!(refused(&[255; 40]).contains("its header would have 18446744073709551615 bytes"));
}

#[test]
fn files_of_others_are_told_apart() {
    let numbers = [0; 24];
    let foreign = TensorView::new(Dtype::F32, vec![2, 3], &numbers).unwrap();
    let foreign = safetensors::serialize([("0.weight", foreign)], None).unwrap();
    let error = refused(&foreign);
    assert!(error.contains("this is no bundle of Trawl's") && error.contains("imported"), "{error}");
    let bundle = bundle();
    let tensors = weights::tensors(&bundle.network, &bundle.parameters);
    let of_kind = |kind| encoded(NAME, kind, &bundle, BTreeMap::new(), &tensors).unwrap();
    let error = refused(&of_kind(Kind { version: 2, ..BUNDLE }));
    assert!(error.contains("this bundle has version 2 (this program reads version 1)"), "{error}");
    let error = refused(&of_kind(Kind { word: "checkpoint", version: 1 }));
    assert!(error.contains("this is a checkpoint (expected a bundle)"), "{error}");
    let error = refused(&encoded(NAME, BUNDLE, &"nothing", BTreeMap::new(), &tensors).unwrap());
    assert!(error.contains("its description is damaged"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    assert!(Bundle::read(&folder.path().join("none")).unwrap_err().to_string().contains("cannot read"));
    let path = folder.path().join("empty.safetensors");
    std::fs::write(&path, "").unwrap();
    assert!(Bundle::read(&path).unwrap_err().to_string().contains("empty.safetensors"));
    assert!(bundle.write(folder.path()).unwrap_err().to_string().contains("is a folder"));
}

#[test]
fn tensors_of_other_shapes_are_named() {
    let bundle = bundle();
    let with = |change: &dyn Fn(&mut Vec<Tensor>)| {
        let mut tensors = weights::tensors(&bundle.network, &bundle.parameters);
        change(&mut tensors);
        refused(&encoded(NAME, BUNDLE, &bundle, BTreeMap::new(), &tensors).unwrap())
    };
    let error = with(&|tensors| {
        tensors[0] = Tensor::of_numbers("members.0.layers.0.weight", &[3, 5], &[0.0; 15]);
        tensors[1] = Tensor::of_text("members.0.layers.0.bias", "abcde");
        tensors.remove(5);
    });
    for part in [
        "the tensor 'members.0.layers.0.weight' is F32 of shape [3, 5] (expected F32 of shape [5, 3])",
        "the tensor 'members.0.layers.0.bias' is U8 of shape [5] (expected F32 of shape [5])",
        "the tensor 'members.1.layers.0.weight' is missing (expected F32 of shape [5, 3])",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = with(&|tensors| tensors.push(Tensor::of_numbers("members.0.layers.1.bias", &[4], &[0.0; 4])));
    assert!(error.contains("'members.0.layers.1.bias' is of no layer of a member"), "{error}");
}

#[test]
fn weights_that_are_no_numbers_are_neither_written_nor_read() {
    let mut bundle = bundle();
    let places = bundle.network.parameters();
    // The bias of output 2 of the first layer, and the weight of input 1 and output 3 of the second.
    bundle.parameters[places + 3 * 8 + 2] = f32::NAN;
    bundle.parameters[places + 4 * 8 + 8 + 3] = f32::INFINITY;
    let expected = [
        "the bias of output 2 of layer 0 of member 1 is NaN",
        "the weight of input 1 and output 3 of layer 1 of member 1 is inf",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.safetensors");
    let written = bundle.write(&path).unwrap_err().to_string();
    assert!(!path.exists());
    let read = refused(&bundle.encoded().unwrap());
    for part in expected {
        assert!(written.contains(part) && read.contains(part), "{written}\n{read}");
    }
}

#[test]
fn all_that_does_not_fit_is_told_at_once() {
    let mut other = bundle();
    other.parameters.pop();
    other.health.pop();
    other.features[1].name = "feature 0".into();
    other.standardise[0] = Transform::Linear { shift: f64::NAN, scale: 1.0 };
    other.members[0].features = vec![9, 1];
    other.members[1].held_out = Some(2);
    other.members[1].target = f32::INFINITY;
    other.score = ScoreTransform::ReconstructionError;
    let error = other.check().unwrap_err();
    // The second member is of the one fold that is missing, too.
    let parts = [
        "expected 224 parameters, got 223",
        "the health of 1 of 2 members",
        "the feature 'feature 0' is there twice",
        "column 0: shift and scale are no finite numbers",
        "member 0 has 2 features (the network takes 3)",
        "member 0 has feature 9 (there are 5)",
        "the target inf of member 1 is not finite",
        "the network has 1 outputs, expected 3",
        "member 1 holds out fold 2 (there are 2)",
        "no healthy member holds out fold 0 of 2",
    ];
    for part in parts {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert_eq!(error.problems().len(), parts.len(), "{error}");
    let normalised = |centre: [f64; 2], spread: [f64; 2]| {
        let (centre, spread) = (centre.to_vec(), spread.to_vec());
        let mut bundle = Bundle { combination: Combination::NormalisedMean { centre, spread }, ..bundle() };
        bundle.health[0] = Health::LeftOut { why: "its loss was not finite".into() };
        bundle.check().map_err(|error| error.to_string())
    };
    assert_eq!(normalised([0.0, 0.5], [0.0, 2.0]), Ok(()));
    assert!(normalised([0.0, 0.5], [1.0, 0.0]).unwrap_err().contains("the centre 0.5 and spread 0 of member 1"));
    assert!(normalised([f64::NAN, 0.5], [1.0, 1.0]).unwrap_err().contains("of member 0"));
    let left_out = Health::LeftOut { why: "its loss was not finite".into() };
    let none = Bundle { health: vec![left_out; 2], ..bundle() };
    assert!(none.check().unwrap_err().to_string().contains("no member is healthy"));
}
