#!/usr/bin/env python3
"""The test vector of pyBumpHunter, scanned again: golden numbers for `trawl::hunt::scan` and `trawl::toys`.

    python3 scripts/oracles/bump_hunter.py [TOYS [SEED]]        # 20,000 toys: a few seconds
    python3 scripts/oracles/bump_hunter.py spectra              # random spectra through pyBumpHunter, as Rust
    python3 scripts/oracles/bump_hunter.py global [TOYS]        # deficits, sidebands, channels: pyBumpHunter's global p
    python3 scripts/oracles/bump_hunter.py inject [TOYS]        # its signal injection

Reads the 60 bins from src/hunt/scan/golden.rs (data/data.root of scikit-hep/pyBumpHunter, histogrammed in 60 bins on
[0, 20]). Windows of 2 to 6 bins at every position; p = P(N >= d | b) where d > b, else 1; t = -ln min p; the global
p-value is the fraction of toys with at least the t of the data (arXiv:1101.0390).

What is embedded: window, d, b, p, t and Z in src/hunt/scan/tests.rs; the global p-value in src/toys/experiment/tests.rs.
pyBumpHunter's own test (test/test_BumpHunter.py) has 0.0177 from 10,000 toys.
Needs NumPy and SciPy (tried: 2.4.6, 1.17.1). The first part shares no code with pyBumpHunter or Trawl.

The other parts run pyBumpHunter (tried: 0.5.1) itself. What is embedded: src/hunt/scan/spectra.rs is what `spectra` prints;
the global p-values are in src/toys/scan/tests.rs and src/toys/channels/tests.rs, the injection in src/toys/inject/tests.rs.
"""

import pathlib
import re
import sys

import numpy as np
from scipy import special, stats

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "src/hunt/scan/golden.rs"
WIDTHS = range(2, 7)
CHUNK = 5_000


def vector(name):
    text = re.search(rf"const {name}: \[u64; 60\] = \[(.*?)\];", GOLDEN.read_text(), re.DOTALL)[1]
    return np.array([int(number) for number in text.replace(",", " ").split()])


def window_sums(bins):
    """The sums of every window over the last axis, widths in turn, and positions within a width."""
    prefix = np.concatenate([np.zeros_like(bins[..., :1]), np.cumsum(bins, axis=-1)], axis=-1)
    return np.concatenate([prefix[..., width:] - prefix[..., :-width] for width in WIDTHS], axis=-1)


def hunter(**settings):
    """A pyBumpHunter that says nothing."""
    import contextlib
    import io
    import pyBumpHunter

    hunter = pyBumpHunter.BumpHunter1D(nworker=1, seed=1, **settings)
    for name in ("bump_scan", "signal_inject"):
        def quiet(*arguments, loud=getattr(hunter, name), **options):
            with contextlib.redirect_stdout(io.StringIO()):
                return loud(*arguments, **options)
        setattr(hunter, name, quiet)
    return hunter


BINS = 24
# width_min, width_max, width_step, scan_step, sideband_width of the spectra in turn.
SETTINGS = [(1, 8, 1, 1, 0), (2, 6, 2, "half", 1), (1, 5, 1, "full", 2), (3, 9, 3, 2, 0)]


def random_spectra():
    """Falling spectra of very different sizes, some with empty bins, each second one with a bump or a dip."""
    random = np.random.default_rng(20)
    for index in range(12):
        size, slope = 10 ** random.uniform(0.5, 4.0), random.uniform(0.02, 0.35)
        expected = np.floor(4 * size * np.exp(-slope * np.arange(BINS))) / 4
        true = expected.copy()
        if index % 3 == 1:
            expected[[0, 1, 9, BINS - 1]] = 0
            true[[0, 9]] = 0.5
        place = 8 + index % 4
        true[place : place + 3] = np.maximum(true[place : place + 3] + (-1) ** (index // 2) * 2 * np.sqrt(true[place : place + 3]), 0)
        yield expected, random.poisson(true * random.uniform(0.9, 1.1))


def scan_with_pybumphunter(expected, observed, settings, mode, sidebands):
    """The smallest p-value, where it is, and the data less the (scaled) expectation there."""
    low, high, step, position, width = settings
    bh = hunter(bins=np.arange(BINS + 1.0), width_min=low, width_max=high, width_step=step, scan_step=position,
                mode=mode, use_sideband=sidebands, sideband_width=width or None)
    bh.bump_scan(observed, expected, is_hist=True, do_pseudo=False)
    first, wide = int(bh.min_loc_ar[0]), int(bh.min_width_ar[0])
    return first, first + wide, float(bh.t_ar[0]), float(bh.signal_eval)


def channels_with_pybumphunter(pair, sidebands):
    # Without pseudo-experiments its arrays do not take several channels.
    bh = hunter(bins=[np.arange(BINS + 1.0)] * 2, width_min=1, width_max=8, use_sideband=sidebands, npe=1)
    bh.bump_scan([observed for _, observed in pair], [expected for expected, _ in pair], is_hist=True, multi_chan=True)
    return float(bh.t_ar[0])


def print_spectra():
    spectra = list(random_spectra())
    print("//! Random spectra through pyBumpHunter 0.5.1: printed by `scripts/oracles/bump_hunter.py spectra`.\n")
    print("/// A spectrum and the best window of a scan of it.")
    print("pub(super) struct Spectrum {")
    print("    pub(super) expected: [f64; %d]," % BINS)
    print("    pub(super) observed: [u64; %d]," % BINS)
    print("    /// Of excesses and deficits over a fixed expectation, then with sidebands: first bin, end, t, observed less expected.")
    print("    pub(super) best: [(usize, usize, f64, f64); 4],")
    print("}\n")
    print("/// Their settings are those of the tests in turn.")
    print("pub(super) const SPECTRA: [Spectrum; %d] = [" % len(spectra))
    for index, (expected, observed) in enumerate(spectra):
        best = []
        for sidebands in (False, True):
            for mode in ("excess", "deficit"):
                settings = SETTINGS[index % 4] if sidebands else (*SETTINGS[index % 4][:4], 0)
                best.append(scan_with_pybumphunter(expected, observed, settings, mode, sidebands))
        print("    Spectrum {")
        print("        expected: [" + ", ".join(f"{value:.2f}".rstrip("0") + ("0" if value == int(value) else "") for value in expected) + "],")
        print("        observed: [" + ", ".join(str(value) for value in observed) + "],")
        print("        best: [")
        for first, end, t, signal in best:
            print(f"            ({first}, {end}, {t!r}, {signal!r}),")
        print("        ],\n    },")
    print("];\n")
    print("/// t of spectrum i combined with each later one j, i < j, windows of 1 to 8 bins: fixed, then with sidebands.")
    pairs = [(i, j) for i in range(len(spectra)) for j in range(i + 1, len(spectra)) if (j - i) % 4 == 0]
    print("pub(super) const COMBINED: [(usize, usize, f64, f64); %d] = [" % len(pairs))
    for i, j in pairs:
        t = [channels_with_pybumphunter((spectra[i], spectra[j]), sidebands) for sidebands in (False, True)]
        print(f"    ({i}, {j}, {abs(t[0])!r}, {abs(t[1])!r}),")
    print("];")


def print_global(toys):
    reference, data = vector("REFERENCE").astype(float), vector("DATA")
    for name, settings in (("deficit", {"mode": "deficit"}), ("sidebands", {"use_sideband": True}),
                           ("deficit, sidebands", {"mode": "deficit", "use_sideband": True})):
        bh = hunter(bins=np.linspace(0, 20, 61), width_min=2, width_max=6, npe=toys, **settings)
        bh.bump_scan(data, reference, is_hist=True)
        first, width = bh.min_loc_ar[0], bh.min_width_ar[0]
        print(f"{name}: bins {first} to {first + width}, t = {bh.t_ar[0]:.9f}, global p = {bh.global_Pval} of {toys}")
    bh = hunter(bins=[np.linspace(0, 20, 61)] * 2, width_min=2, width_max=6, npe=toys)
    halves = [data - data // 2, data // 2]
    bh.bump_scan(halves, [reference / 2] * 2, is_hist=True, multi_chan=True)
    print(f"two halves: t = {bh.t_ar[0]:.9f}, global p = {bh.global_Pval}, t = 0 in {np.mean(bh.t_ar[1:] == 0)} of {toys}")


def print_injection(toys):
    reference = vector("REFERENCE").astype(float)
    signal = np.zeros(60)
    signal[12:20] = [1, 44, 368, 1206, 1857, 1184, 307, 33]
    bh = hunter(bins=np.linspace(0, 20, 61), width_min=2, width_max=6, npe=toys, npe_inject=1000, sigma_limit=5,
                str_min=-1, str_scale="log", signal_exp=150)
    bh.signal_inject(signal, reference, is_hist=True)
    print(f"crosses at strength {bh.signal_ratio:.3f}: {bh.signal_min:.1f} events, {toys} toys")
    for strength, (z, below, above) in zip([0.1 * i for i in range(1, 11)] + [2, 3, 4], bh.sigma_ar):
        print(f"    {strength:.1f}: {z:.4f} -{below:.4f} +{above:.4f}")


def main():
    parts = {"spectra": lambda toys: print_spectra(), "global": print_global, "inject": print_injection}
    if len(sys.argv) > 1 and sys.argv[1] in parts:
        return parts[sys.argv[1]](int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
    toys = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    reference, data = vector("REFERENCE"), vector("DATA")
    expected, observed = window_sums(reference).astype(float), window_sums(data)
    places = [(first, width) for width in WIDTHS for first in range(60 - width + 1)]

    def local_p(counts):
        # P(N >= d | b) is the regularised lower incomplete gamma function of (d, b).
        return np.where(counts > expected, special.gammainc(np.maximum(counts, 1), expected), 1.0)

    p = local_p(observed)
    best = int(np.argmin(p))
    first, width = places[best]
    t = -np.log(p[best])
    print(f"{len(places)} windows; best: bins {first} to {first + width - 1}, {first / 3:.2f} to {(first + width) / 3:.2f}")
    print(f"d = {observed[best]}, b = {expected[best]:.0f}, p = {p[best]:.7e}, t = {t:.6f}, Z = {stats.norm.isf(p[best]):.4f}")

    random = np.random.default_rng(seed)
    reaching = 0
    for start in range(0, toys, CHUNK):
        counts = window_sums(random.poisson(reference, (min(CHUNK, toys - start), 60)))
        reaching += int((local_p(counts).min(axis=1) <= p[best]).sum())
    fraction = reaching / toys
    error = (fraction * (1 - fraction) / toys) ** 0.5
    print(f"global p = {reaching}/{toys} = {fraction:.4f} +- {error:.4f}, Z = {stats.norm.isf(fraction):.3f}")


if __name__ == "__main__":
    main()
