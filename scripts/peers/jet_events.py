#!/usr/bin/env python3
"""Events like those of the LHC Olympics, for scripts/bench features: jet_events.py FILE [--events 1000] [--particles 300] [--seed 3]

Two back-to-back collimated jets of three prongs each and soft particles everywhere, all massless: about 305 particles.
The format of FILE is told in examples/jets.rs; if its name ends in .parquet, it is what `trawl import lhco` writes, truth at random.
"""
import argparse

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--events", type=int, default=1000)
parser.add_argument("--particles", type=int, default=300)
parser.add_argument("--seed", type=int, default=3)
arguments = parser.parse_args()
random = np.random.default_rng(arguments.seed)


def event():
    number = max(50, int(random.normal(arguments.particles, 50)))
    in_jets = random.integers(25, 70, 2)
    azimuth = random.uniform(-np.pi, np.pi)
    axes = [(random.normal(0, 0.8), azimuth), (random.normal(0, 0.8), azimuth + np.pi + random.normal(0, 0.1))]
    hard, parts = random.uniform(900, 2000), []
    for (eta, phi), m in zip(axes, in_jets):
        shares, prong, offsets = random.dirichlet(np.full(m, 0.3)), random.integers(0, 3, m), random.normal(0, 0.3, (3, 2))
        parts.append(np.c_[shares * hard + 1e-2, eta + offsets[prong, 0] + random.normal(0, 0.08, m),
                           phi + offsets[prong, 1] + random.normal(0, 0.08, m)])
    m = max(1, number - in_jets.sum())
    parts.append(np.c_[random.exponential(0.9, m) + 0.2, random.uniform(-2.5, 2.5, m), random.uniform(-np.pi, np.pi, m)])
    return np.concatenate(parts)


def momenta(particles):
    pt, eta, phi = particles.T
    return np.c_[pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]


def write_plain():
    with open(arguments.file, "wb") as file:
        for _ in range(arguments.events):
            p = momenta(event())
            file.write(np.int32(len(p)).tobytes() + p.astype("<f8").tobytes())


def write_parquet():
    import pyarrow as pa, pyarrow.parquet as pq
    lists = lambda values, ends: pa.ListArray.from_arrays(ends, pa.array(values.astype("f4")))
    writer, done, together = None, 0, 20_000
    while done < arguments.events:
        events = [event() for _ in range(min(together, arguments.events - done))]
        numbers = np.array([len(particles) for particles in events])
        pt, eta, phi = np.concatenate(events).T
        phi = (phi + np.pi) % (2 * np.pi) - np.pi
        ends = pa.array(np.concatenate([[0], np.cumsum(numbers)]).astype("i4"))
        table = pa.table({"event": pa.array(np.arange(done, done + len(events)), pa.uint64()), "nParticle": pa.array(numbers, pa.uint32()),
                          "Particle_pt": lists(pt, ends), "Particle_eta": lists(eta, ends), "Particle_phi": lists(phi, ends),
                          "truth_signal": pa.array(random.integers(0, 2, len(events)).astype("f4"))})
        writer = writer or pq.ParquetWriter(arguments.file, table.schema, compression="zstd", use_dictionary=False, write_statistics=False)
        writer.write_table(table, row_group_size=together)
        done += len(events)
    writer.close()


write_parquet() if arguments.file.endswith(".parquet") else write_plain()
