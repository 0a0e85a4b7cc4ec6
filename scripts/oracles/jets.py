#!/usr/bin/env python3
"""Jets against FastJet (PyPI `fastjet`, GPL: run as a program of its own, never linked or copied).

    python3 scripts/oracles/jets.py [--lhco FILE.h5] [--random 10000] [--seed 1]

Clusters random events of 2 to 700 particles, and the events of an LHC Olympics file if one is given, with `examples/jets.rs` and with
FastJet: anti-kt R = 1.0 and 0.4, Cambridge/Aachen 0.8, kt 0.6. The steps must be the same (which two are merged, in which order, and
what ends as a jet), except where two distances are within 1e-12 of each other (relative), which are listed; momenta of jets must
agree to 1e-9. 10,000 random events take four minutes.

Of the two leading anti-kt R = 1.0 jets of each event of the file, substructure must agree to 1e-6: splitting scales, N-subjettiness
with two kinds of axes and two exponents, energy correlations and their ratios, from FastJet's contrib as the package has it.

Needs numpy and fastjet (tried: 3.5.2.0), and awkward, vector, h5py with hdf5plugin for --lhco.
"""

import argparse
import contextlib
import io
import itertools
import json
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


def write(path, groups):
    with open(path, "wb") as file:
        for group in groups:
            file.write(np.int32(len(group)).tobytes() + group.astype("<f8").tobytes())


def run(particles, *options):
    command = [ROOT / "target/release/examples/jets", particles, "--runs", 0, *options]
    return json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)


def ours(events, algorithm, radius):
    """(first, second, distance, momenta) of each event."""
    with tempfile.TemporaryDirectory() as folder:
        particles, steps = Path(folder) / "particles", Path(folder) / "steps"
        write(particles, events)
        run(particles, "--algorithm", algorithm, "--radius", radius, "--steps", steps)
        total = sum(map(len, events))
        bytes_ = steps.read_bytes()
    columns = [np.frombuffer(bytes_, "<u4", total, 4 * total * k) for k in range(2)]
    columns += [np.frombuffer(bytes_, "<f8", total, 8 * total * (k + 1)) for k in range(5)]
    ends = np.cumsum([0, *map(len, events)])
    for start, end in zip(ends[:-1], ends[1:]):
        first, second, distance, *momenta = (column[start:end] for column in columns)
        yield first, second, distance, np.stack(momenta, axis=1)


def theirs(inputs, algorithm, radius):
    """(first, second, jets): both columns as ours, and the momenta of the jets in the order of their steps. FastJet numbers objects
    as we do: particles, then steps."""
    sequence = fastjet.ClusterSequence(inputs, fastjet.JetDefinition(algorithm, radius))
    number = len(inputs)
    first, second = np.full(number, BEAM, dtype="u4"), np.full(number, BEAM, dtype="u4")
    one, other = fastjet.PseudoJet(), fastjet.PseudoJet()
    for jet in itertools.islice(sequence.jets(), number, None):
        assert jet.has_parents(one, other)
        step = jet.cluster_hist_index() - number
        first[step], second[step] = sorted((one.cluster_hist_index(), other.cluster_hist_index()))
    # The last to end comes first.
    jets = list(sequence.inclusive_jets(0.0))[::-1]
    first[second == BEAM] = [jet.cluster_hist_index() for jet in jets]
    return first, second, np.array([(jet.px(), jet.py(), jet.pz(), jet.E()) for jet in jets])


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
    their_first, their_second, jets = answer
    if power == 0:
        # All jets end at a distance of 1, in any order.
        first, momenta = first.copy(), momenta.copy()
        ends, order = second == BEAM, np.argsort(first[second == BEAM])
        first[ends], momenta[ends] = first[ends][order], momenta[ends][order]
        order = np.argsort(their_first[their_second == BEAM])
        their_first[their_second == BEAM], jets = their_first[their_second == BEAM][order], jets[order]
    different = np.flatnonzero((first != their_first) | (second != their_second))
    if len(different) == 0:
        mine = momenta[second == BEAM]
        apart = np.abs(jets - mine).max(axis=1) > 1e-9 * jets[:, 3]
        return (False, f"jets {mine[apart]}, FastJet {jets[apart]}") if apart.any() else None
    step = different[0]
    momentum = lambda thing: event[thing] if thing < len(event) else momenta[thing - len(event)]
    if their_second[step] == BEAM:
        p = momentum(their_first[step])
        other = (p[0] ** 2 + p[1] ** 2) ** power
    else:
        other = distance(momentum(their_first[step]), momentum(their_second[step]), power, radius)
    close = abs(other - least[step]) <= 1e-12 * abs(other)
    pair = lambda first, second: f"{first} ends" if second == BEAM else f"{first} with {second}"
    return close, (f"step {step}: {pair(first[step], second[step])} at {least[step]:.17g}, "
                   f"FastJet {pair(their_first[step], their_second[step])} at {other:.17g}")


def compare_steps(name, events):
    """Whether all steps are the same."""
    near, wrong, steps, number = [[] for _ in KINDS], [0 for _ in KINDS], 0, 0
    while chunk := list(itertools.islice(events, 500)):
        steps += sum(map(len, chunk))
        inputs = [[fastjet.PseudoJet(*p) for p in event.tolist()] for event in chunk]
        for kind, (algorithm, radius, theirs_of, power) in enumerate(KINDS):
            for index, (event, found) in enumerate(zip(chunk, ours(chunk, algorithm, radius))):
                difference = compare(event, found, theirs(inputs[index], theirs_of, radius), power, radius)
                if difference:
                    what = f"event {number + index}: {difference[1]}"
                    near[kind].append(what) if difference[0] else print(f"{algorithm} {radius}, {what}")
                    wrong[kind] += not difference[0]
        number += len(chunk)
    for (algorithm, radius, *_), near, wrong_of in zip(KINDS, near, wrong):
        print(f"{number} {name}, {steps} steps, {algorithm} {radius}: {wrong_of} events differ; equal distances in {len(near)}", *near,
              sep="\n    ", flush=True)
    return sum(wrong) == 0


def leading_jets(events):
    """The constituents of the two leading jets of each event."""
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 1.0)
    for event in events:
        sequence = fastjet.ClusterSequence([fastjet.PseudoJet(*p) for p in event.tolist()], definition)
        for jet in fastjet.sorted_by_pt(sequence.inclusive_jets(0.0))[:2]:
            yield np.array([(p.px(), p.py(), p.pz(), p.E()) for p in jet.constituents()])


def their_substructure(jets, axes, beta):
    """Each observable by our name for it, with the constituents that a jet must have, and what FastJet has."""
    import awkward
    import vector

    vector.register_awkward()
    flat = np.concatenate(jets)
    record = awkward.zip({name: flat[:, k] for k, name in enumerate(("px", "py", "pz", "E"))}, with_name="Momentum4D")
    record = awkward.unflatten(record, [len(jet) for jet in jets])
    large = 10.0
    kt = fastjet.ClusterSequence(record, fastjet.JetDefinition(fastjet.kt_algorithm, large))
    one_jet = fastjet.ClusterSequence(record, fastjet.JetDefinition(fastjet.cambridge_algorithm, large))
    taus = one_jet.njettiness(measure_definition="NormalizedMeasure", axes_definition=axes, njets=[1, 2, 3, 4], beta=beta, R0=1.0)
    found = {f"Split{n}{n + 1}": (n + 1, large * np.sqrt(np.asarray(kt.exclusive_dmerge(n)))) for n in (1, 2)}
    found |= {f"Tau{n}": (n, np.asarray(taus)[:, n - 1]) for n in (1, 2, 3, 4)}
    correlator = lambda **what: np.asarray(one_jet.exclusive_jets_energy_correlator(njets=1, beta=beta, normalized=False, **what))
    found |= {f"E{n}": (n, correlator(func="generic", npoint=n)) for n in (1, 2, 3)}
    return found | {"C2": (3, correlator(func="c2")), "D2": (3, correlator(func="d2"))}


def compare_substructure(name, events):
    """Whether all observables agree to 1e-6, relative or of 1e-6."""
    jets, good = list(leading_jets(events)), True
    numbers = np.array([len(jet) for jet in jets])
    for our_axes, axes, beta in [("winner-takes-all-kt", "WTA_KT_Axes", 1.0), ("kt", "KT_Axes", 1.0), ("kt", "KT_Axes", 2.0)]:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "jets", jets)
            mine = run(Path(folder) / "jets", "--what", "substructure", "--axes", our_axes, "--beta", beta)["found"]
        print(f"{len(jets)} jets of {name}, {numbers.sum()} constituents, {our_axes} axes, beta = {beta}: largest differences")
        for observable, (least, values) in their_substructure(jets, axes, beta).items():
            enough = numbers >= least
            difference = np.abs(np.array(mine[observable]) - values)[enough] / np.maximum(np.abs(values[enough]), 1e-6)
            far = np.flatnonzero(~(difference <= 1e-6))
            good &= len(far) == 0
            print(f"    {observable}: {difference.max():.2g} of {enough.sum()} jets", f"; beyond 1e-6 in {len(far)}" if len(far) else "",
                  sep="", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lhco")
    parser.add_argument("--random", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "jets"], cwd=ROOT, check=True)
    good = [compare_steps("random events", random_events(arguments.random, arguments.seed))]
    if arguments.lhco:
        good.append(compare_steps("LHC Olympics events", lhco_events(arguments.lhco)))
        good.append(compare_substructure("LHC Olympics events", lhco_events(arguments.lhco)))
    sys.exit(not all(good))


main()
