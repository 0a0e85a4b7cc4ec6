#!/usr/bin/env python3
"""Jets against FastJet (PyPI `fastjet`, GPL: run as a program of its own, never linked or copied).

    python3 scripts/oracles/jets.py [--lhco FILE.h5] [--random 10000] [--seed 1]

Clusters random events of 2 to 700 particles, and the events of an LHC Olympics file if one is given, with `examples/jets.rs` and with
FastJet: anti-kt R = 1.0 and 0.4, Cambridge/Aachen 0.8, kt 0.6. The steps must be the same (which two are merged, in which order, and
what ends as a jet), except where two distances are within 1e-12 of each other (relative), which are listed; momenta of jets must
agree to 1e-9. Needs numpy and fastjet (tried: 3.5.2.0), and h5py with hdf5plugin for --lhco.
"""

import argparse
import contextlib
import io
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

with contextlib.redirect_stdout(io.StringIO()):
    import fastjet

ROOT = Path(__file__).resolve().parent.parent.parent
BEAM = 2**32 - 1
KINDS = [
    ("anti-kt", 1.0, fastjet.antikt_algorithm, -1),
    ("anti-kt", 0.4, fastjet.antikt_algorithm, -1),
    ("cambridge-aachen", 0.8, fastjet.cambridge_algorithm, 0),
    ("kt", 0.6, fastjet.kt_algorithm, 1),
]


def massless(pt, eta, phi):
    return np.c_[pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]


def random_events(number, seed):
    """Soft particles everywhere, and up to four collimated jets."""
    generator = np.random.default_rng(seed)
    for _ in range(number):
        particles = int(generator.integers(2, 701))
        hard = generator.random(particles) < generator.random()
        axes = np.c_[generator.uniform(-2, 2, 4), generator.uniform(-np.pi, np.pi, 4)]
        axis = axes[generator.integers(0, 4, particles)]
        spread = generator.normal(0, 0.2, (particles, 2))
        eta = np.where(hard, axis[:, 0] + spread[:, 0], generator.uniform(-4, 4, particles))
        phi = np.where(hard, axis[:, 1] + spread[:, 1], generator.uniform(-np.pi, np.pi, particles))
        pt = np.where(hard, generator.pareto(1.5, particles) * 5 + 0.5, generator.exponential(1.0, particles) + 0.1)
        event = massless(pt, eta, phi)
        # Some have a mass.
        mass = np.where(generator.random(particles) < 0.2, 0.13957, 0.0)
        event[:, 3] = np.sqrt((event[:, :3] ** 2).sum(axis=1) + mass**2)
        yield event


def lhco_events(file):
    import h5py
    import hdf5plugin  # noqa: F401, registers BLOSC

    with h5py.File(file) as opened:
        table = next(value for value in walk(opened) if value.ndim == 2 and value.shape[1] >= 2100)
        for row in table:
            pt, eta, phi = np.asarray(row[:2100], dtype=float).reshape(700, 3).T
            kept = pt > 0
            yield massless(pt[kept], eta[kept], phi[kept])


def walk(group):
    for value in group.values():
        if hasattr(value, "values"):
            yield from walk(value)
        else:
            yield value


def ours(events, algorithm, radius):
    """(first, second, distance, momenta) of each event."""
    with tempfile.TemporaryDirectory() as folder:
        particles, steps = Path(folder) / "particles", Path(folder) / "steps"
        with open(particles, "wb") as file:
            for event in events:
                file.write(np.int32(len(event)).tobytes() + event.astype("<f8").tobytes())
        command = [ROOT / "target/release/examples/jets", particles, "--algorithm", algorithm, "--radius", str(radius), "--runs", "0",
                   "--steps", steps]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        total = sum(map(len, events))
        bytes_ = steps.read_bytes()
    columns = [np.frombuffer(bytes_, "<u4", total, 4 * total * k) for k in range(2)]
    columns += [np.frombuffer(bytes_, "<f8", total, 8 * total * (k + 1)) for k in range(5)]
    ends = np.cumsum([0, *map(len, events)])
    for start, end in zip(ends[:-1], ends[1:]):
        first, second, distance, *momenta = (column[start:end] for column in columns)
        yield first, second, distance, np.stack(momenta, axis=1)


def theirs(event, algorithm, radius):
    """The merging steps by their number: both parents; and the objects that end as jets with their momenta. FastJet numbers objects
    as we do: particles, then steps."""
    inputs = [fastjet.PseudoJet(*map(float, p)) for p in event]
    sequence = fastjet.ClusterSequence(inputs, fastjet.JetDefinition(algorithm, radius))
    merges, one, other = {}, fastjet.PseudoJet(), fastjet.PseudoJet()
    for jet in list(sequence.jets())[len(event):]:
        assert jet.has_parents(one, other)
        merges[jet.cluster_hist_index() - len(event)] = tuple(sorted((one.cluster_hist_index(), other.cluster_hist_index())))
    jets = {jet.cluster_hist_index(): (jet.px(), jet.py(), jet.pz(), jet.E()) for jet in sequence.inclusive_jets(0.0)}
    return merges, jets


def rapidity(p):
    mt2 = max(p[0] ** 2 + p[1] ** 2, (p[3] - p[2]) * (p[3] + p[2]))
    return math.copysign(math.log((p[3] + abs(p[2])) / math.sqrt(mt2)), p[2])


def distance(a, b, power, radius):
    apart = abs(math.atan2(a[1], a[0]) - math.atan2(b[1], b[0]))
    apart = min(apart, 2 * math.pi - apart)
    weights = [(p[0] ** 2 + p[1] ** 2) ** power for p in (a, b)]
    return min(weights) * ((rapidity(a) - rapidity(b)) ** 2 + apart**2) / radius**2


def compare(event, steps, answer, power, radius):
    """None if all is the same; else whether the first difference is between distances within 1e-12, and what it is."""
    first, second, least, momenta = steps
    merges, jets = answer
    number = len(event)
    for step in range(number):
        mine = None if second[step] == BEAM else (int(first[step]), int(second[step]))
        if mine != merges.get(step):
            momentum = lambda thing: event[thing] if thing < number else momenta[thing - number]
            if merges.get(step) is None:
                return False, f"step {step}: {mine}, FastJet ends a jet"
            other = distance(*(momentum(thing) for thing in merges[step]), power, radius)
            close = abs(other - least[step]) <= 1e-12 * abs(other)
            return close, f"step {step}: {mine} at {least[step]:.17g}, FastJet {merges[step]} at {other:.17g}"
        if mine is None:
            if int(first[step]) not in jets:
                return False, f"step {step}: {int(first[step])} ends as a jet, which FastJet does not have"
            jet = np.array(jets[int(first[step])])
            if not np.all(np.abs(jet - momenta[step]) <= 1e-9 * jet[3]):
                return False, f"jet {int(first[step])}: {momenta[step]}, FastJet {jet}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lhco")
    parser.add_argument("--random", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "jets"], cwd=ROOT, check=True)
    events = list(random_events(arguments.random, arguments.seed))
    sets = [("random events", events)]
    if arguments.lhco:
        sets.append(("LHC Olympics events", list(lhco_events(arguments.lhco))))
    wrong = 0
    for name, events in sets:
        for algorithm, radius, theirs_of, power in KINDS:
            near = []
            for number, (event, steps) in enumerate(zip(events, ours(events, algorithm, radius))):
                found = compare(event, steps, theirs(event, theirs_of, radius), power, radius)
                if found:
                    near.append((number, found[1])) if found[0] else print(f"event {number}: {found[1]}")
                    wrong += not found[0]
            particles = sum(map(len, events))
            print(f"{len(events)} {name}, {particles} particles, {algorithm} {radius}: {wrong} differ; equal distances in {len(near)}",
                  *near, sep="\n    ", flush=True)
    sys.exit(wrong > 0)


main()
