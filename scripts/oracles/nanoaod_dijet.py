#!/usr/bin/env python3
"""The dijet mass histogram of cards/nanoaod-dijet.toml for NanoAOD Parquet files, by pyarrow and numpy in f64: events
read, events selected, and the counts with underflow first and overflow last. Printed for tests/real_input.rs.

    python3 -P scripts/oracles/nanoaod_dijet.py FILE...   # -P: the neighbour math.py is not Python's math

Needs pyarrow and numpy (tried: pyarrow 26.0.1, numpy 2.4.6). No edge may lie within 1e-4 of a mass, relatively: nearer
than that, f32 and f64 could fill different bins."""

import sys

import numpy
import pyarrow.parquet

EDGES = [0, 50, 100, 150, 200, 250, 300, 350, 400, 500, 600, 800, 1000, 1500, 2000]
QUANTITIES = ["pt", "eta", "phi", "mass"]


def dijet_mass(event):
    """The mass of the two leading jets with pT > 30 GeV; None where there are fewer."""
    jets = sorted((jet for jet in zip(*event) if jet[0] > 30), key=lambda jet: -jet[0])
    if len(jets) < 2:
        return None
    pt, eta, phi, mass = numpy.array(jets[:2], dtype=numpy.float64).T
    momentum = numpy.array([pt * numpy.cos(phi), pt * numpy.sin(phi), pt * numpy.sinh(eta)])
    energy = numpy.sqrt((momentum**2).sum(axis=0) + mass**2)
    return numpy.sqrt(energy.sum() ** 2 - (momentum.sum(axis=1) ** 2).sum())


for path in sys.argv[1:]:
    table = pyarrow.parquet.read_table(path, columns=[f"Jet_{quantity}" for quantity in QUANTITIES])
    events = list(zip(*(table[f"Jet_{quantity}"].to_pylist() for quantity in QUANTITIES)))
    masses = [mass for mass in map(dijet_mass, events) if mass is not None]
    counts, _ = numpy.histogram(masses, bins=[-numpy.inf, *EDGES, numpy.inf])
    near = min(abs(mass / edge - 1) for mass in masses for edge in EDGES[1:])
    assert near > 1e-4, near
    print(path.rsplit("/", 1)[-1], len(events), len(masses), counts.tolist(), f"nearest edge {near:.1e}")
    print("  first masses", [round(float(mass), 3) for mass in masses[:3]], "sum", round(float(sum(masses)), 2))
