#!/usr/bin/env python3
"""FastJet from Python, for scripts/bench: fastjet.py python|cpp FILE [--program PROGRAM]

Waits for a line, clusters the events of FILE (see examples/jets.rs) with anti-kt R = 1.0, and prints the seconds and the number of jets
above 20 GeV as JSON; again and again. `cpp` starts PROGRAM, which scripts/bench compiles from fastjet.cc beside this file.
FastJet is GPL: it runs as a program of its own.
"""
import argparse, contextlib, io, json, subprocess, sys, time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("peer", choices=["python", "cpp"])
parser.add_argument("file")
parser.add_argument("--program")
arguments = parser.parse_args()


def events(bytes_):
    import numpy as np
    at, found = 0, []
    while at < len(bytes_):
        number = int(np.frombuffer(bytes_, "<u4", 1, at)[0])
        found.append(np.frombuffer(bytes_, "<f8", 4 * number, at + 4).reshape(number, 4))
        at += 4 + 32 * number
    return found


def from_python():
    import awkward, numpy as np, vector
    with contextlib.redirect_stdout(io.StringIO()):
        import fastjet
    vector.register_awkward()
    all_ = events(Path(arguments.file).read_bytes())
    flat = np.concatenate(all_)
    columns = {name: flat[:, k] for k, name in enumerate(("px", "py", "pz", "E"))}
    record = awkward.unflatten(awkward.zip(columns, with_name="Momentum4D"), [len(event) for event in all_])
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 1.0)

    def job():
        start = time.perf_counter()
        jets = fastjet.ClusterSequence(record, definition).inclusive_jets(min_pt=20)
        return {"seconds": time.perf_counter() - start, "jets": int(awkward.sum(awkward.num(jets)))}

    return job


def from_cpp():
    process = subprocess.Popen([arguments.program, arguments.file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "ready"

    def job():
        process.stdin.write("\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    return job


job = from_python() if arguments.peer == "python" else from_cpp()
job()
print("ready", flush=True)
for _ in sys.stdin:
    print(json.dumps(job()), flush=True)
