#!/usr/bin/env python3
"""The ONNX graphs of `trawl::models::bundle::onnx` in onnxruntime, against NumPy on the bundles that they were made of.

    TRAWL_ORACLE_FOLDER=/tmp/bundles cargo test --lib models::bundle::onnx    # 35 bundles: activations x scores
    python3 scripts/oracles/onnx.py /tmp/bundles                              # all MODEL.onnx there, seconds
    python3 scripts/oracles/onnx.py MODEL.onnx BUNDLE.safetensors             # one

The safetensors file is parsed here, by its description of the format: 8 bytes of length, a header in JSON, numbers. Features
are drawn so that they are standard normal after their maps. Maps are computed in double precision and rounded, as Trawl does;
layers and scores in single precision. The largest difference over events, relative to the score or, if that is larger, to the
root mean square of the column, is at most 1e-5. The graph must pass onnx's checker, and a shift of a feature by half an input
must be seen, so that a comparison of nothing with nothing does not pass.

Needs NumPy, onnx and onnxruntime (tried: 2.4.6, 1.23.2, 1.32.0). Shares no code with Trawl.
"""

import json
import pathlib
import struct
import sys

# Python looks for modules beside this script first, and would find it instead of the package onnx.
sys.path.pop(0)

import numpy as np
import onnx
import onnxruntime

EVENTS, TOLERANCE = 5_000, 1e-5
NUMBERS = {"F32": np.float32}


def read(path):
    """The description and the tensors of a bundle."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, numbers = json.loads(data[8 : 8 + length]), data[8 + length :]
    texts = header.pop("__metadata__")
    tensors = {}
    for name, place in header.items():
        start, end = place["data_offsets"]
        tensors[name] = np.frombuffer(numbers[start:end], NUMBERS[place["dtype"]]).reshape(place["shape"])
    return json.loads(texts["trawl"])["content"], tensors


ONE = np.float32(1)
ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "tanh": np.tanh,
    "sigmoid": lambda z: ONE / (ONE + np.exp(-z)),
    "softplus": lambda z: np.logaddexp(z, np.float32(0)),
}


def activated(activation, z):
    if isinstance(activation, dict):
        slope = np.float32(activation["leaky-relu"]["slope"])
        return np.where(z > 0, z, slope * z)
    return ACTIVATIONS[activation](z)


def score_of(score, z, x, target):
    if score == "outputs":
        return z
    if score == "probability":
        return ACTIVATIONS["sigmoid"](z)
    if score == "reconstruction-error":
        return np.mean((z - x) ** 2, axis=1, keepdims=True)
    if score == "distance-to-target":
        return np.mean((z - np.float32(target)) ** 2, axis=1, keepdims=True)
    return np.float32(score["density-ratio"]["scale"]) * np.exp(z)


def scores(bundle, tensors, features):
    maps = [transform["linear"] for transform in bundle["standardise"]]
    shift, scale = (np.array([map[key] for map in maps]) for key in ("shift", "scale"))
    standardised = ((features.astype(np.float64) - shift) * scale).astype(np.float32)
    columns = []
    for number, (member, health) in enumerate(zip(bundle["members"], bundle["health"])):
        if health != "healthy":
            continue
        x = standardised[:, member["features"]] if member["features"] else standardised
        z = x
        for at, layer in enumerate(bundle["network"]):
            name = f"members.{number}.layers.{at}"
            z = z @ tensors[f"{name}.weight"].T
            if layer["bias"] == "present":
                z = z + tensors[f"{name}.bias"]
            z = activated(layer["activation"], z)
        columns.append(score_of(bundle["score"], z, x, member["target"]))
    scores = np.concatenate(columns, axis=1)
    assert scores.dtype == np.float32
    return scores


def draw(bundle):
    maps = [transform["linear"] for transform in bundle["standardise"]]
    normal = np.random.default_rng(7).normal(size=(EVENTS, len(maps)))
    return np.stack([map["shift"] + column / map["scale"] for map, column in zip(maps, normal.T)], axis=1).astype(np.float32)


def compare(model_path, bundle_path):
    """The largest difference, and by how much scores move with their features."""
    bundle, tensors = read(bundle_path)
    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    texts = {text.key: text.value for text in model.metadata_props}
    assert json.loads(texts["features"]) == [feature["name"] for feature in bundle["features"]]
    assert json.loads(texts["members"]) == [at for at, health in enumerate(bundle["health"]) if health == "healthy"]
    features = draw(bundle)
    session = onnxruntime.InferenceSession(str(model_path), providers=["CPUExecutionProvider"])
    (found,) = session.run(["scores"], {"features": features})
    expected = scores(bundle, tensors, features)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    size = np.maximum(np.abs(expected), np.sqrt(np.mean(expected.astype(np.float64) ** 2, axis=0)))
    half = np.array([0.5 / transform["linear"]["scale"] for transform in bundle["standardise"]])
    (moved,) = session.run(["scores"], {"features": (features + half).astype(np.float32)})
    return np.max(np.abs(found - expected) / size), np.max(np.abs(moved - expected) / size)


def pairs(arguments):
    if len(arguments) == 2:
        return [tuple(arguments)]
    if len(arguments) != 1 or not pathlib.Path(arguments[0]).is_dir():
        sys.exit(__doc__)
    models = sorted(pathlib.Path(arguments[0]).glob("*.onnx"))
    return [(model, model.with_suffix(".safetensors")) for model in models]


def main():
    worst, compared = 0.0, 0
    for model, bundle in pairs(sys.argv[1:]):
        difference, moved = compare(model, bundle)
        assert difference <= TOLERANCE < moved, f"{model}: differs by {difference:.1e}, moves by {moved:.1e}"
        worst, compared = max(worst, difference), compared + 1
    assert compared > 0, "there are no graphs"
    print(f"{compared} graphs agree; the largest relative difference is {worst:.1e}")


if __name__ == "__main__":
    main()
