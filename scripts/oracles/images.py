#!/usr/bin/env python3
"""Jet images against NumPy: the published steps with arc tangents, eigenvectors and a loop over constituents.

    python3 scripts/oracles/images.py golden [--sample single-event.dat]
    python3 scripts/oracles/images.py compare [--lhco FILE.h5] [--random 10000] [--seed 1]

`golden` prints the numbers that `src/features/image/tests.rs` and `tests/jets.rs` hold. `compare` makes images with `examples/images.rs`
and with NumPy: of random jets, and of the two leading anti-kt jets (R = 1.0, by FastJet) of the events of an LHC Olympics file if one is given, with
their own constituents and with all particles of the event within R. Pixels must agree to 1e-6 but for jets one of whose
constituents is within 1e-9 of a pixel's edge, which are listed. Needs numpy (tried: 2.4.6); fastjet (3.5.2.0) for jets, h5py with hdf5plugin
for --lhco.
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
PIXELS, WIDTH, RADIUS = 40, 1.4, 1.0


def massless(pt, y, phi):
    return np.c_[pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(y), pt * np.cosh(y)]


def coordinates(p):
    """pT, rapidity, azimuth of rows of px, py, pz, E."""
    pt = np.hypot(p[:, 0], p[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        y = 0.5 * np.log((p[:, 3] + p[:, 2]) / (p[:, 3] - p[:, 2]))
    return pt, y, np.arctan2(p[:, 1], p[:, 0])


def around(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def image_of(pt, y, phi, pixels=PIXELS, width=WIDTH):
    """The image (rows of phi, columns of y), how many are outside, and the least distance of a constituent from an edge in pixels."""
    pt, y, phi = pt[pt > 0], y[pt > 0], phi[pt > 0]
    hardest = int(np.argmax(pt))
    y, phi = y - np.average(y, weights=pt), phi - np.average(phi, weights=pt)
    if len(pt) > 2:
        values, vectors = np.linalg.eigh(np.cov(np.stack([y, phi]), aweights=pt))
        of_y, of_phi = vectors[:, np.argmax(values)]
        theta = np.arctan(of_y / of_phi) if of_phi != 0 else np.pi / 2
        y, phi = np.cos(theta) * y - np.sin(theta) * phi, np.sin(theta) * y + np.cos(theta) * phi
    y, phi = (-y if y[hardest] < 0 else y), (-phi if phi[hardest] < 0 else phi)
    step = width / pixels
    column, row = (pixels // 2 + np.ceil(x / step - 0.5).astype(int) for x in (y, phi))
    edge = min(np.min(np.abs((x / step) % 1 - 0.5)) for x in (y, phi))
    inside = (column >= 0) & (column < pixels) & (row >= 0) & (row < pixels)
    image = np.zeros((pixels, pixels))
    for at in np.flatnonzero(inside):
        image[row[at], column[at]] += pt[at]
    total = image.sum()
    return image / total if total > 0 else image, int((~inside).sum()), edge


def image_of_jet(p, **keys):
    pt, y, phi = coordinates(p)
    axis = p.sum(axis=0)
    return image_of(pt, y, around(phi - np.arctan2(axis[1], axis[0])), **keys)


def image_of_cone(event, y_axis, phi_axis, radius):
    pt, y, phi = coordinates(event)
    dphi = around(phi - phi_axis)
    near = (y - y_axis) ** 2 + dphi**2 < radius**2
    return image_of(pt[near], y[near], dphi[near])


# ---- Golden numbers


def worked():
    """Seven constituents that anybody can type."""
    return massless(*np.array([
        (250.0, 0.31, 3.02), (120.0, 0.62, -3.11), (75.0, 0.05, 2.80), (40.0, 0.55, 3.05), (12.0, -0.20, -2.95),
        (5.0, 0.90, 2.55), (2.0, 1.05, -2.60),
    ]).T)  # fmt: skip


def formula(jet):
    """Jets of 1 to 60 constituents by remainders, as in src/features/image/tests.rs."""
    k = np.arange(1 + 7 * jet % 60)
    pt = 1.0 + ((37 * k + 11 * jet) % 101) ** 2 / 20.0
    y = 0.5 * (jet % 5 - 2) + 1.1 * ((53 * k + 17 * jet) % 97 / 97.0 - 0.5)
    phi = 0.7 * (jet % 9 - 4) + 1.3 * ((29 * k + 23 * jet) % 89 / 89.0 - 0.5)
    return massless(pt, y, phi)


def weighted(image, jet):
    """A sum that knows which pixel is which."""
    at = np.arange(image.size)
    return float((image.ravel() * ((97 * at + 31 * jet) % 1009 + 1)).sum())


def print_lit(image):
    for row, column in zip(*np.nonzero(image)):
        print(f"    ({row}, {column}, {image[row, column]:.9f}),")


def golden(arguments):
    image, outside, edge = image_of_jet(worked())
    print(f"worked jet: {outside} outside, nearest edge {edge:.3g} pixels; (row, column, share):")
    print_lit(image)
    images = [image_of_jet(formula(jet)) for jet in range(100)]
    print("100 jets by formula: sum", f"{sum(weighted(image, jet) for jet, (image, _, _) in enumerate(images)):.6f},",
          sum(outside for _, outside, _ in images), "outside, nearest edge", f"{min(edge for _, _, edge in images):.3g} pixels,",
          sum(int((image > 0).sum()) for image, _, _ in images), "pixels lit")  # fmt: skip
    if arguments.sample:
        lines = [list(map(float, line.split())) for line in open(arguments.sample) if len(line.split()) == 4]
        event = np.array(lines)[:, [1, 2, 3, 0]]
        for number, (axis, constituents) in enumerate(leading_jets(event)):
            own, cone = image_of_jet(event[constituents]), image_of_cone(event, *axis, RADIUS)
            for name, (image, outside, edge) in (("own", own), ("cone", cone)):
                row, column = np.unravel_index(np.argmax(image), image.shape)
                print(f"sample event, jet {number}, {name}: sum {weighted(image, number):.6f}, {outside} outside, "
                      f"{(image > 0).sum()} lit, brightest ({row}, {column}, {image.max():.9f}), edge {edge:.3g}")  # fmt: skip


# ---- Comparison with the program


def leading_jets(event):
    """((rapidity, azimuth), numbers of constituents) of the two leading jets."""
    with contextlib.redirect_stdout(io.StringIO()):
        import fastjet
    particles = []
    for number, p in enumerate(event):
        particle = fastjet.PseudoJet(*map(float, p))
        particle.set_user_index(number)
        particles.append(particle)
    sequence = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, RADIUS))
    jets = fastjet.sorted_by_pt(sequence.inclusive_jets(0.0))[:2]
    return [((jet.rap(), jet.phi()), sorted(one.user_index() for one in jet.constituents())) for jet in jets]


def lhco_events(file):
    import h5py
    import hdf5plugin  # noqa: F401, registers BLOSC

    def tables(group):
        for value in group.values():
            yield from tables(value) if hasattr(value, "values") else [value]

    with h5py.File(file) as opened:
        table = next(value for value in tables(opened) if value.ndim == 2 and value.shape[1] >= 2100)
        for row in table:
            pt, eta, phi = np.asarray(row[:2100], dtype=float).reshape(700, 3).T
            kept = pt > 0
            yield massless(pt[kept], eta[kept], phi[kept])


def random_jets(number, seed):
    generator = np.random.default_rng(seed)
    for _ in range(number):
        size = int(generator.integers(1, 150))
        prongs = np.c_[generator.normal(0, 0.3, 3), generator.normal(0, 0.3, 3)]
        prong = prongs[generator.integers(0, 3, size)] + generator.normal(0, generator.uniform(0.02, 0.3), (size, 2))
        y, phi = generator.uniform(-2, 2) + prong[:, 0], generator.uniform(-np.pi, np.pi) + prong[:, 1]
        p = massless(generator.pareto(1.2, size) * 5 + 0.5, y, phi)
        mass = np.where(generator.random(size) < 0.2, 0.13957, 0.0)
        p[:, 3] = np.sqrt((p[:, :3] ** 2).sum(axis=1) + mass**2)
        yield p


def ours(groups, axes=None):
    with tempfile.TemporaryDirectory() as folder:
        particles, images, places = (Path(folder) / name for name in ("particles", "images", "axes"))
        with open(particles, "wb") as file:
            for group in groups:
                file.write(np.int32(len(group)).tobytes() + group.astype("<f8").tobytes())
        command = [ROOT / "target/release/examples/images", particles, "--images", images]
        if axes is not None:
            places.write_bytes(np.array(axes, dtype="<f8").tobytes())
            command += ["--axes", places, "--radius", str(RADIUS)]
        done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
        answer = json.loads(done.stdout)
        answer["us_a_jet"] = round(1e6 * min(answer.pop("seconds")) / answer["jets"], 3)
        return np.frombuffer(images.read_bytes(), "<f4").reshape(-1, PIXELS, PIXELS), answer


def judge(name, images, answer, expected):
    near, wrong, largest, outside = [], 0, 0.0, 0
    for jet, (image, (wanted, dropped, edge)) in enumerate(zip(images, expected, strict=True)):
        outside += dropped
        difference = float(np.abs(image - wanted).max())
        if difference <= 1e-6:
            largest = max(largest, difference)
        elif edge < 1e-9:
            near.append(jet)
        else:
            wrong += 1
            print(f"{name}, jet {jet}: pixels differ by {difference:.3g}, nearest edge {edge:.3g}")
    print(f"{name}: {answer}\n    {wrong} differ, the others by {largest:.3g} at most; on edges: {near}; NumPy has {outside} outside", flush=True)
    return wrong


def compare(arguments):
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "images"], cwd=ROOT, check=True)
    jets = list(random_jets(arguments.random, arguments.seed))
    wrong = judge(f"{len(jets)} random jets", *ours(jets), map(image_of_jet, jets))
    if arguments.lhco:
        events = list(lhco_events(arguments.lhco))
        found = [(event, *jet) for event in range(len(events)) for jet in leading_jets(events[event])]
        jets = [events[event][constituents] for event, _, constituents in found]
        wrong += judge("leading LHC Olympics jets", *ours(jets), map(image_of_jet, jets))
        expected = (image_of_cone(events[event], *axis, RADIUS) for event, axis, _ in found)
        wrong += judge("the same within R", *ours(events, [(event, *axis) for event, axis, _ in found]), expected)
    sys.exit(wrong > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("golden", "compare"))
    parser.add_argument("--sample")
    parser.add_argument("--lhco")
    parser.add_argument("--random", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    golden(arguments) if arguments.what == "golden" else compare(arguments)


main()
