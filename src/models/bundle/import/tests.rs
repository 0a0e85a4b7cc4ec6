//! Networks as PyTorch would have written them, and files that are no dense networks.

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::*;

/// A tensor as PyTorch has it: name, kind, shape, bytes.
type Made = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn singles(name: &'static str, shape: &[usize], numbers: &[f32]) -> Made {
    (name, Dtype::F32, shape.to_vec(), numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
}

/// As many numbers as the shape has, which are their places.
fn counted(name: &'static str, shape: &[usize]) -> Made {
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|at: usize| at as f32).collect();
    singles(name, shape, &numbers)
}

fn file(made: &[Made]) -> Vec<u8> {
    let view = |(name, kind, shape, bytes): &'_ Made| (*name, *kind, shape.clone(), bytes.clone());
    let owned: Vec<Made> = made.iter().map(view).collect();
    let views =
        owned.iter().map(|(name, kind, shape, bytes)| (*name, TensorView::new(*kind, shape.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn imported(made: &[Made]) -> Result<(Network, Vec<f32>)> {
    from_bytes(&file(made), Activation::Tanh, Activation::Identity)
}

fn refused(made: &[Made]) -> String {
    imported(made).unwrap_err().to_string()
}

#[test]
fn layers_follow_their_numbers_and_weights_their_places() {
    let made = [
        counted("net.10.weight", &[1, 4]),
        counted("net.0.weight", &[2, 3]),
        counted("net.2.weight", &[4, 2]),
        singles("net.0.bias", &[2], &[7.0, 8.0]),
        singles("net.10.bias", &[1], &[9.0]),
    ];
    let (network, parameters) = imported(&made).unwrap();
    let expected = [
        Dense::new(3, 2, Activation::Tanh),
        Dense { bias: Bias::Absent, ..Dense::new(2, 4, Activation::Tanh) },
        Dense::new(4, 1, Activation::Identity),
    ];
    assert_eq!(network.layers(), expected);
    // W of [outputs, inputs] is turned, and its bias follows.
    let bare = [
        &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0, 7.0, 8.0][..],
        &[0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0],
        &[0.0, 1.0, 2.0, 3.0, 9.0],
    ];
    assert_eq!(network.bare(&parameters), bare.concat());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    std::fs::write(&path, file(&made)).unwrap();
    let (read, _) = safetensors(&path, Activation::Tanh, Activation::Identity).unwrap();
    assert_eq!(read, network);
}

#[test]
fn numbers_of_16_and_64_bits_become_single_precision() {
    let values = [1.5_f64, -0.25, 3.0];
    let kinds: [(Dtype, Vec<u8>); 3] = [
        (Dtype::F64, values.iter().flat_map(|x| x.to_le_bytes()).collect()),
        (Dtype::F16, values.iter().flat_map(|x| half::f16::from_f64(*x).to_le_bytes()).collect()),
        (Dtype::BF16, values.iter().flat_map(|x| half::bf16::from_f64(*x).to_le_bytes()).collect()),
    ];
    for (kind, bytes) in kinds {
        let (network, parameters) = imported(&[("fc1.weight", kind, vec![1, 3], bytes)]).unwrap();
        assert_eq!(network.bare(&parameters), [1.5, -0.25, 3.0], "{kind}");
    }
    let large: Vec<u8> = [0.0, 1e300].iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
    let error = refused(&[("0.weight", Dtype::F64, vec![1, 2], large)]);
    assert!(error.contains("number 1 of '0.weight' is inf in single precision"), "{error}");
    let error = refused(&[("0.weight", Dtype::I8, vec![1, 2], vec![0; 2])]);
    assert!(error.contains("'0.weight' is I8"), "{error}");
}

#[test]
fn whatever_is_no_dense_network_is_named() {
    let error = refused(&[
        counted("0.weight", &[3, 2]),
        counted("0.bias", &[2]),
        counted("1.running_mean", &[3]),
        counted("1.weight", &[3]),
        counted("2.weight", &[4, 3]),
        counted("3.bias", &[5]),
        counted("4.weight", &[1, 5]),
        counted("5.weight", &[2, 1]),
        counted("05.weight", &[2, 1]),
        counted("6.weight", &[1, 0]),
        counted("head.weight", &[1, 1]),
        counted("other.0.weight", &[1, 1]),
        singles("7.weight", &[1, 2], &[0.0, f32::NAN]),
    ]);
    for part in [
        "'0.bias' has the shape [2] ('0.weight' has 3 outputs)",
        "the tensor '1.running_mean' is no weight or bias of a dense layer",
        "'1.weight' has the shape [3] (the weight of a dense layer is of [outputs, inputs])",
        "layer 3 has no weight (it has a bias)",
        "'05.weight' and '5.weight' are the same layer's",
        "'6.weight' has the shape [1, 0] (a layer has from 1 to 8192 inputs and outputs)",
        "the tensor 'head.weight' is no weight or bias of a dense layer",
        "the prefixes of '0.bias' and 'other.0.weight' differ",
        "number 1 of '7.weight' is NaN",
    ] {
        assert!(error.contains(part), "{part}\n{error}");
    }
    let error = refused(&[counted("0.weight", &[3, 2]), counted("2.weight", &[1, 4])]);
    assert!(error.contains("'2.weight' takes 4 inputs ('0.weight' has 3 outputs)"), "{error}");
    assert!(refused(&[]).contains("there are no tensors"));
    let bytes = file(&[counted("0.weight", &[3, 2])]);
    for length in 0..bytes.len() {
        assert!(from_bytes(&bytes[..length], Activation::Relu, Activation::Identity).is_err(), "{length}");
    }
    let steep = Activation::LeakyRelu { slope: 2.0 };
    let error = from_bytes(&bytes, Activation::Relu, steep).unwrap_err().to_string();
    assert!(error.contains("the slope 2 of layer 0"), "{error}");
}
