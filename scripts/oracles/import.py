#!/usr/bin/env python3
"""Numbers that tests/import.rs holds `trawl import` to. Needs NumPy, h5py and hdf5plugin; uses no code of Trawl.

    import.py dark-machines FILE.csv...     events, objects and sums, in GeV
    import.py lhco FILE.h5...               events, particles and sums

Each number is rounded to f32 once, as Parquet holds it, and summed in double precision.
"""
import math
import sys

import numpy as np

COLLECTIONS = {
    "j": ("Jet", 0), "b": ("Jet", 1), "e-": ("Electron", -1), "e+": ("Electron", 1),
    "m-": ("Muon", -1), "m+": ("Muon", 1), "g": ("Photon", 0),
}


def gev(mev):
    return float(np.float32(float(mev) / 1000))


def dark_machines(path):
    sums = {}

    def add(name, value):
        sums[name] = sums.get(name, 0) + value

    for line in open(path):
        head, objects = line.rstrip("\n").rstrip(";").split(";")[:5], line.rstrip("\n").rstrip(";").split(";")[5:]
        add("events", 1)
        add("weight", float(np.float32(head[2])))
        add("MET_pt", gev(head[3]))
        for symbol, energy, pt, eta, _ in (text.split(",") for text in objects):
            collection, last = COLLECTIONS[symbol]
            add("n" + collection, 1)
            add(collection + "_pt", gev(pt))
            add(collection + "_last", last)
            if collection == "Jet":
                energy, momentum = float(energy) / 1000, float(pt) / 1000 * math.cosh(float(eta))
                add("Jet_mass", float(np.float32(math.sqrt(max(0, (energy - momentum) * (energy + momentum))))))
    return sums


def lhco(path):
    import h5py
    import hdf5plugin  # noqa: F401  (BLOSC)
    frame = h5py.File(path)["df"]
    if "table" in frame:
        rows = frame["table"]["values_block_0"]
        return {"events": len(rows), "sums": rows.astype("f4").sum(axis=0, dtype="f8").tolist()}
    if frame.attrs["nblocks"] == 2:
        values, label = frame["block0_values"][:], frame["block1_values"][:, 0]
    elif "block0_values" in frame:
        values, label = frame["block0_values"][:, :2100], frame["block0_values"][:, 2100]
    pt, eta, phi = (values[:, first::3] for first in range(3))
    kept = pt > 0
    total = lambda column: float(column[kept].astype("f4").sum(dtype="f8"))
    return {
        "events": len(values), "particles": int(kept.sum()), "signal": int(label.sum()), "most": int(kept.sum(axis=1).max()),
        "pt": total(pt), "eta": total(eta), "phi": total(phi), "first": values[0, :6].tolist(), "negative": int((pt < 0).sum()),
    }


if __name__ == "__main__":
    for file in sys.argv[2:]:
        print(file.split("/")[-1], {"dark-machines": dark_machines, "lhco": lhco}[sys.argv[1]](file))
