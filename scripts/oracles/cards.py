#!/usr/bin/env python3
"""The cutflows of the shipped cards over the public files, computed event by event in f64 from the original files (CSV,
HDF5, ROOT, Parquet), for tests/cards.rs. Uses no code of Trawl and none of its Parquet.

    cards.py lhco events_anomalydetection_tiny.h5              h5py, hdf5plugin, numpy, fastjet
    cards.py dark-machines FILE.csv...                         nothing
    cards.py physlite PHYSLITE_example.root                    uproot, awkward
    cards.py nanoaod FILE.parquet...                           pyarrow

Printed: the rows of the cutflow, the selected events, the histogram with underflow first and overflow last, the sum of
the histogrammed variable over the selected events. Tried with h5py 3.16.0, uproot 5.7.7, awkward 2.14.0, pyarrow 26.0.1.
No cut and no edge may lie nearer to a value than 5e-6, relatively: f32 and f64 could differ there.
"""
import bisect
import math
import struct
import sys

MARGIN = [math.inf]


def above(value, threshold):
    """value > threshold, which may not hang on the last digits. A column of f32 may lie on the threshold exactly."""
    if value != threshold:
        MARGIN[0] = min(MARGIN[0], abs(value - threshold) / max(abs(threshold), 1e-3))
    return value > threshold


def f32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def event_hash(run, event):
    """The first word of Philox4x32-10 of the event's name, its upper 24 bits over 2^24."""
    counter, key = [event & 0xFFFFFFFF, event >> 32, run, 0], [0x45764861, 0x5472776C]
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [second >> 32 ^ counter[1] ^ key[0], second & 0xFFFFFFFF,
                   first >> 32 ^ counter[3] ^ key[1], first & 0xFFFFFFFF]
        key = [key[0] + 0x9E3779B9 & 0xFFFFFFFF, key[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return (counter[0] >> 8) / 2**24


def training(event):
    return event_hash(event.get("run", 0), event["event"]) < 0.01


def delta_phi(a, b):
    return math.remainder(a - b, math.tau)


def delta_r(a, b):
    return math.hypot(a["eta"] - b["eta"], delta_phi(a["phi"], b["phi"]))


def momentum(items):
    px = sum(item["pt"] * math.cos(item["phi"]) for item in items)
    py = sum(item["pt"] * math.sin(item["phi"]) for item in items)
    pz = sum(item["pt"] * math.sinh(item["eta"]) for item in items)
    energy = sum(math.hypot(item["pt"] * math.cosh(item["eta"]), item["mass"]) for item in items)
    return px, py, pz, energy


def mass(*items):
    px, py, pz, energy = momentum(items)
    return math.sqrt(max(0, energy**2 - px**2 - py**2 - pz**2))


def rapidity(item):
    _, _, pz, energy = momentum([item])
    return 0.5 * math.log((energy + pz) / (energy - pz))


def kept(items, pt, eta):
    chosen = [item for item in items if above(item["pt"], pt) and (eta is None or above(eta, abs(item["eta"])))]
    return sorted(chosen, key=lambda item: -item["pt"])


def apart(items, others, distance):
    return [item for item in items if all(above(delta_r(item, other), distance) for other in others)]


def cutflow(name, events, cuts, channels, regions, edges, variable, margin=5e-6):
    """`cuts` are functions of a prepared event. Channels: a requirement and further cuts. Counts are raw."""
    rows = {"all events": 0} | {cut: 0 for cut in cuts}
    for channel, (_, more) in channels.items():
        rows |= {f"channel {channel}": 0} | {f"{channel}: {cut}": 0 for cut in more}
    rows |= {f"region {region}": 0 for region in regions}
    selected, total, counts = 0, 0.0, [0] * (len(edges) + 1)
    for event in events:
        rows["all events"] += 1
        for cut, holds in cuts.items():
            if not holds(event):
                break
            rows[cut] += 1
        else:
            survives = not channels
            for channel, (require, more) in channels.items():
                if not require(event):
                    continue
                rows[f"channel {channel}"] += 1
                for cut, holds in more.items():
                    if not holds(event):
                        break
                    rows[f"{channel}: {cut}"] += 1
                else:
                    survives = True
            if survives:
                selected += 1
                for region, holds in regions.items():
                    rows[f"region {region}"] += bool(holds(event))
                value = variable(event)
                total += value
                counts[bisect.bisect_right(edges, value)] += 1
                for edge in edges:
                    above(value, edge)
    print(name, "selected", selected, "sum", round(total, 2), "histogram", counts)
    for row, number in rows.items():
        print(f"    {row!r}: {number}")
    print(f"    nearest {MARGIN[0]:.1e}")
    assert MARGIN[0] > margin, MARGIN[0]


def lhco(path):
    import h5py
    import hdf5plugin  # noqa: F401, registers BLOSC
    import numpy
    import fastjet

    def rapidity(p):
        return 0.5 * math.log((p.E() + p.pz()) / (p.E() - p.pz()))

    def split12(jet):
        """Where the last two objects of the jet's particles merge by kt: min(pT) dR."""
        kt = fastjet.ClusterSequence(list(jet.constituents()), fastjet.JetDefinition(fastjet.kt_algorithm, 1000.0))
        one, other = kt.exclusive_jets(2)
        return min(one.pt(), other.pt()) * one.delta_R(other)

    events = []
    with h5py.File(path) as file:
        table = numpy.asarray(file[next(iter(file))]["block0_values"])
        rows, truth = table[:, :2100].astype(numpy.float32), table[:, 2100]
    for number, row in enumerate(rows.reshape(len(rows), 700, 3).astype(float)):
        particles = [
            fastjet.PseudoJet(pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta), pt * math.cosh(eta))
            for pt, eta, phi in row.tolist()
            if pt > 0
        ]
        sequence = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, 1.0))
        jets = [jet for jet in fastjet.sorted_by_pt(sequence.inclusive_jets(20.0)) if above(jet.pt(), 200)]
        event = {"event": number, "jets": len(jets), "truth": truth[number]}
        if len(jets) >= 2:
            one, other = jets[:2]
            event |= {
                "pt": one.pt(),
                "eta": one.eta(),
                "m_jj": (one + other).m(),
                "light": min(one.m(), other.m()),
                "split12": split12(one),
                "delta_y": abs(rapidity(one) - rapidity(other)),
            }
        events.append(event)
    cuts = {
        "two jets": lambda e: e["jets"] >= 2,
        "leading jet above 1.2 TeV": lambda e: above(e["pt"], 1200),
        "leading jet central": lambda e: not above(abs(e["eta"]), 2.5),
        "m_jj > 2 TeV": lambda e: above(e["m_jj"], 2000),
        "rapidities within 1.2": lambda e: not above(e["delta_y"], 1.2),
    }
    regions = {"training": training, "massive": lambda e: above(e["light"], 60)}
    edges = [2000, 2200, 2400, 2600, 2800, 3000, 3200, 3400, 3600, 3800, 4000, 4500, 5000, 6000, 8000]
    # Jets are rounded once, to 6e-8: a leading jet of 1200.005 GeV is above the threshold.
    cutflow("lhco", events, cuts, {}, regions, edges, lambda e: e["m_jj"], margin=1e-6)
    selected = [event for event in events if all(holds(event) for holds in cuts.values())]
    for name, bins, high in (("light", 50, 1000), ("split12", 25, 500)):
        for truth, of_class in enumerate(("background", "signal")):
            values = [event[name] for event in selected if event["truth"] == truth]
            print(f"    {name} of {of_class}", [int(n) for n in numpy.histogram(values, bins, (0, high))[0]])


def dark_machines(path):
    events = []
    for number, line in enumerate(open(path)):
        words = line.strip().rstrip(";").split(";")
        jets, leptons = [], []
        for symbol, _, pt, eta, phi in (word.split(",") for word in words[5:]):
            item = dict(pt=float(pt) / 1000, eta=float(eta), phi=float(phi), tagged=symbol == "b")
            if symbol in ("j", "b"):
                jets.append(item)
            elif symbol in ("e-", "e+", "m-", "m+"):
                leptons.append(item)
        event = dict(event=number, met=float(words[3]) / 1000, jet=kept(jets, 20, None))
        event["central"], event["lepton"] = kept(jets, 50, 2.8), kept(leptons, 15, 2.7)
        event["ht"] = sum(jet["pt"] for jet in event["jet"])
        event["dphi_min"] = min(
            (abs(delta_phi(jet["phi"], float(words[4]))) for jet in event["central"]), default=0
        )
        event["m_eff"] = event["ht"] + event["met"]
        events.append(event)
    cuts = {
        "HT >= 600 GeV": lambda e: above(e["ht"], 600),
        "MET >= 200 GeV": lambda e: above(e["met"], 200),
        "MET / HT >= 0.2": lambda e: above(e["met"] / e["ht"], 0.2),
        "four jets above 50 GeV": lambda e: sum(above(jet["pt"], 50) for jet in e["jet"]) >= 4,
        "leading jet above 200 GeV": lambda e: above(e["jet"][0]["pt"], 200),
        "four central jets": lambda e: len(e["central"]) >= 4,
        "MET along no jet": lambda e: above(e["dphi_min"], 0.2),
    }
    channels = {"hadronic": (lambda e: not e["lepton"], {}), "leptonic": (lambda e: e["lepton"], {})}
    regions = {
        "training": training,
        "b_jets": lambda e: any(jet["tagged"] for jet in e["jet"]),
        "high_mass": lambda e: above(e["m_eff"], 2000),
    }
    edges = [800, 1000, 1200, 1400, 1600, 1800, 2000, 2500, 3000, 4000, 6000]
    cutflow(path.rsplit("/", 1)[-1], events, cuts, channels, regions, edges, lambda e: e["m_eff"])


def physlite(path):
    import uproot

    tree = uproot.open(path)["CollectionTree"]

    def collection(name, constant=None):
        quantities = ["pt", "eta", "phi"] + ([] if constant else ["m"])
        columns = [tree[f"Analysis{name}AuxDyn.{quantity}"].array().to_list() for quantity in quantities]
        for rows in zip(*columns):
            items = []
            for values in zip(*rows):
                pt, eta, phi = f32(values[0] * 0.001), values[1], values[2]
                items.append(dict(pt=pt, eta=eta, phi=phi, mass=constant or f32(values[3] * 0.001)))
            yield items

    ids = zip(*(tree[f"EventInfoAuxDyn.{name}"].array().to_list() for name in ["runNumber", "eventNumber"]))
    events = []
    for (run, number), jets, electrons, muons in zip(
        ids, collection("Jets"), collection("Electrons"), collection("Muons", 0.10566)
    ):
        electron = kept(electrons, 10, 2.47)
        jet = apart(kept(jets, 20, 4.5), electron, 0.2)
        events.append(dict(run=run, event=number, jet=jet, electron=electron, muon=kept(muons, 10, 2.7)))
    cuts = {
        "two jets": lambda e: len(e["jet"]) >= 2,
        "leading jet above 50 GeV": lambda e: above(e["jet"][0]["pt"], 50),
        "second jet above 25 GeV": lambda e: above(e["jet"][1]["pt"], 25),
        "y* below 1.7": lambda e: above(1.7, 0.5 * abs(rapidity(e["jet"][0]) - rapidity(e["jet"][1]))),
    }
    regions = {
        "leptons": lambda e: e["electron"] or e["muon"],
        "central": lambda e: all(above(2.5, abs(jet["eta"])) for jet in e["jet"][:2]),
    }
    edges = [0, 50, 100, 150, 200, 250, 300, 400, 500, 700, 1000]
    cutflow("physlite", events, cuts, {}, regions, edges, lambda e: mass(*e["jet"][:2]))


def nanoaod(*paths):
    import pyarrow.parquet

    def collection(table, name, quantities):
        columns = [table[f"{name}_{quantity}"].to_pylist() for quantity in quantities]
        for rows in zip(*columns):
            yield [dict(zip(quantities, values)) for values in zip(*rows)]

    events = []
    for path in paths:
        table = pyarrow.parquet.read_table(path)
        scalars = ["run", "event", "MET_pt", "MET_phi", "HLT_IsoMu20"]
        for numbers, muons, electrons, jets in zip(
            zip(*(table[name].to_pylist() for name in scalars)),
            collection(table, "Muon", ["pt", "eta", "phi", "mass", "charge"]),
            collection(table, "Electron", ["pt", "eta", "phi"]),
            collection(table, "Jet", ["pt", "eta", "phi", "mass", "jetId"]),
        ):
            event = dict(zip(scalars, numbers))
            event |= dict(muon=kept(muons, 10, 2.4), electron=kept(electrons, 10, 2.5))
            jet = [jet for jet in kept(jets, 20, 2.4) if jet["jetId"] & 2]
            event["jet"] = apart(apart(jet, event["muon"], 0.4), event["electron"], 0.4)
            pairs = [(a, b) for i, a in enumerate(event["muon"]) for b in event["muon"][i + 1:]]
            masses = [mass(a, b) for a, b in pairs if a["charge"] * b["charge"] < 0]
            event["m_z"] = min(masses, key=lambda m: abs(m - 91.1876), default=-1)
            if event["muon"]:
                muon = event["muon"][0]
                angle = delta_phi(muon["phi"], event["MET_phi"])
                event["m_t"] = math.sqrt(2 * muon["pt"] * event["MET_pt"] * (1 - math.cos(angle)))
                event["dr"] = min((delta_r(jet, muon) for jet in event["jet"]), default=math.nan)
            events.append(event)
    cuts = {
        "trigger": lambda e: e["HLT_IsoMu20"],
        "a muon above 22 GeV": lambda e: e["muon"] and above(e["muon"][0]["pt"], 22),
        "no electron": lambda e: not e["electron"],
    }
    channels = {
        "w": (lambda e: len(e["muon"]) == 1, {
            "MET > 20 GeV": lambda e: above(e["MET_pt"], 20),
            "transverse mass > 40 GeV": lambda e: above(e["m_t"], 40),
        }),
        "z": (lambda e: e["m_z"] >= 0, {
            "mass 76 to 106 GeV": lambda e: above(e["m_z"], 76) and above(106, e["m_z"]),
        }),
    }
    regions = {
        "jets": lambda e: len(e["jet"]) >= 2,
        "no_jets": lambda e: not e["jet"],
        "isolated": lambda e: e["jet"] and above(e["dr"], 1),
        "training": training,
    }
    edges = [0, 20, 40, 50, 60, 65, 70, 75, 80, 85, 90, 100, 120, 150, 200]
    cutflow("nanoaod", events, cuts, channels, regions, edges, lambda e: e["m_t"])


if __name__ == "__main__":
    if sys.argv[1] == "dark-machines":
        for file in sys.argv[2:]:
            dark_machines(file)
    else:
        {"lhco": lhco, "physlite": physlite, "nanoaod": nanoaod}[sys.argv[1]](*sys.argv[2:])
