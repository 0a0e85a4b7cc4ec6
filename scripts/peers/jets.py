#!/usr/bin/env python3
"""FastJet from Python, for scripts/bench.

    jets.py python|clustered|cpp FILE WORK [--program PROGRAM]
    jets.py leading FILE JETS [--hardest N] [--times N]

The first waits for a line, works on the groups of particles of FILE (see examples/jets.rs), and prints the seconds and what it found as
JSON; again and again. WORK is `cluster` (anti-kt R = 1.0, jets above 20 GeV), `splitting` (kt of the constituents, Split12 and Split23),
`nsubjettiness` (tau1 to tau3, winner-takes-all kt axes, beta = 1) or `correlators` (of one, two and three constituents, beta = 1). The
interface wants constituents clustered before it computes the last two: `python` times that too, `clustered` does not. `cpp` starts
PROGRAM, which scripts/bench compiles from fastjet.cc beside this file.

The second writes the constituents of the two leading anti-kt R = 1.0 jets of each event of FILE to JETS: the N hardest of jets that have
so many, or all, and all jets so many times.

FastJet is GPL: it runs as a program of its own.
"""
import argparse, json, os, subprocess, sys, time
from pathlib import Path

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("mode", choices=["python", "clustered", "cpp", "leading"])
parser.add_argument("file")
parser.add_argument("work", help="the work, or the file of jets")
parser.add_argument("--program")
parser.add_argument("--hardest", type=int)
parser.add_argument("--times", type=int, default=1)
arguments = parser.parse_args()
# Nothing ends by itself within this radius.
LARGE = 10.0
# FastJet prints a banner to the standard output, which is for answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def groups(bytes_):
    at, found = 0, []
    while at < len(bytes_):
        number = int(np.frombuffer(bytes_, "<u4", 1, at)[0])
        found.append(np.frombuffer(bytes_, "<f8", 4 * number, at + 4).reshape(number, 4))
        at += 4 + 32 * number
    return found


def leading():
    """Writes the leading jets."""
    import fastjet
    definition, written = fastjet.JetDefinition(fastjet.antikt_algorithm, 1.0), []
    for event in groups(Path(arguments.file).read_bytes()):
        sequence = fastjet.ClusterSequence([fastjet.PseudoJet(*map(float, p)) for p in event], definition)
        for jet in fastjet.sorted_by_pt(sequence.inclusive_jets(0.0))[:2]:
            momenta = np.array([(p.px(), p.py(), p.pz(), p.E()) for p in jet.constituents()])
            if arguments.hardest:
                momenta = momenta[np.argsort(-(momenta[:, 0]**2 + momenta[:, 1]**2))[:arguments.hardest]]
                if len(momenta) < arguments.hardest:
                    continue
            written.append(np.int32(len(momenta)).tobytes() + momenta.astype("<f8").tobytes())
    Path(arguments.work).write_bytes(b"".join(written) * arguments.times)


def from_python():
    import awkward, fastjet, vector
    vector.register_awkward()
    all_ = groups(Path(arguments.file).read_bytes())
    flat = np.concatenate(all_)
    columns = {name: flat[:, k] for k, name in enumerate(("px", "py", "pz", "E"))}
    record = awkward.unflatten(awkward.zip(columns, with_name="Momentum4D"), [len(group) for group in all_])
    definitions = {"cluster": (fastjet.antikt_algorithm, 1.0), "splitting": (fastjet.kt_algorithm, LARGE)}
    definition = fastjet.JetDefinition(*definitions.get(arguments.work, (fastjet.cambridge_algorithm, LARGE)))
    clustered = fastjet.ClusterSequence(record, definition) if arguments.mode == "clustered" else None

    def cluster(sequence):
        return {"jets_above_20_gev": int(awkward.sum(awkward.num(sequence.inclusive_jets(min_pt=20))))}

    def splitting(sequence):
        splits = [LARGE * np.sqrt(np.asarray(sequence.exclusive_dmerge(number))) for number in (1, 2)]
        return {"Split12": splits[0], "Split23": splits[1]}

    def nsubjettiness(sequence):
        taus = sequence.njettiness(measure_definition="NormalizedMeasure", axes_definition="WTA_KT_Axes", njets=[1, 2, 3], beta=1.0,
                                   R0=1.0)
        return dict(zip(("Tau1", "Tau2", "Tau3"), np.asarray(taus).T))

    def correlators(sequence):
        of = lambda points: np.asarray(sequence.exclusive_jets_energy_correlator(njets=1, beta=1, npoint=points, func="generic",
                                                                                  normalized=False))
        return {"E1": of(1), "E2": of(2), "E3": of(3)}

    work = {"cluster": cluster, "splitting": splitting, "nsubjettiness": nsubjettiness, "correlators": correlators}[arguments.work]

    def job():
        start = time.perf_counter()
        found = work(clustered or fastjet.ClusterSequence(record, definition))
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "found": {name: value.tolist() if hasattr(value, "tolist") else value
                                              for name, value in found.items()}}

    return job


def from_cpp():
    process = subprocess.Popen([arguments.program, arguments.file, arguments.work], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    assert process.stdout.readline().strip() == "ready"

    def job():
        process.stdin.write("\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    return job


if arguments.mode == "leading":
    leading()
    sys.exit()
job = from_cpp() if arguments.mode == "cpp" else from_python()
job()
print("ready", flush=True, file=answers)
for _ in sys.stdin:
    print(json.dumps(job()), flush=True, file=answers)
