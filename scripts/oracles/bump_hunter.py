#!/usr/bin/env python3
"""The test vector of pyBumpHunter, scanned again: golden numbers for `trawl::hunt::scan` and `trawl::toys`.

    python3 scripts/oracles/bump_hunter.py [TOYS [SEED]]        # 20,000 toys: a few seconds

Reads the 60 bins from src/hunt/scan/golden.rs (data/data.root of scikit-hep/pyBumpHunter, histogrammed in 60 bins on
[0, 20]). Windows of 2 to 6 bins at every position; p = P(N >= d | b) where d > b, else 1; t = -ln min p; the global
p-value is the fraction of toys with at least the t of the data (arXiv:1101.0390).

What is embedded: window, d, b, p, t and Z in src/hunt/scan/tests.rs; the global p-value in src/toys/experiment/tests.rs.
pyBumpHunter's own test (test/test_BumpHunter.py) has 0.0177 from 10,000 toys.
Needs NumPy and SciPy (tried: 2.4.6, 1.17.1). It shares no code with pyBumpHunter or Trawl.
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


def main():
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
