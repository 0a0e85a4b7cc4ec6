#!/usr/bin/env python3
"""Golden numbers for `trawl::toys`: how often the largest of overlapping windows reaches a significance.

    python3 scripts/oracles/toys.py [TOYS [SEED]]        # 200,000 toys: about 5 s

12 exclusive cells in each of 5 rows, B = 40 exp(-0.15 c - 0.3 y), windows of 3 cells at every position: 50 windows.
For each z the fraction of toys with a largest local significance of at least z, three ways:

    correlated    draws in cells, windows sum their cells: what toys.throw computes
    independent   a draw of its own for each window
    Sidak         1 - (1 - p)^50, no toys

Printed with standard errors. The columns are embedded, to four digits, in src/toys/experiment/tests.rs.
Needs NumPy and SciPy (tried: 2.4.6, 1.17.1). Draws are NumPy's PCG64: nothing is shared with Trawl's generator.
"""

import sys

import numpy as np
from scipy import stats

CELLS, ROWS, WIDTH = 12, 5, 3
LEVELS = (2.0, 2.5, 3.0, 3.5, 4.0)
CHUNK = 20_000


def critical_counts(expected, z):
    """The smallest count of each window that is an excess with P(N >= count) <= 1 - Phi(z)."""
    target = stats.norm.sf(z)
    # isf answers the smallest n with P(N > n) <= target; the count is one more.
    count = stats.poisson.isf(target, expected).astype(np.int64) + 1
    assert np.all(stats.poisson.sf(count - 1, expected) <= target)
    assert np.all(stats.poisson.sf(count - 2, expected) > target)
    assert np.all(count > expected)
    return count


def main():
    toys = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random = np.random.default_rng(seed)
    cell, row = np.meshgrid(np.arange(CELLS), np.arange(ROWS))
    expected = 40.0 * np.exp(-0.15 * cell - 0.3 * row)
    windows = sum(expected[:, first : CELLS - WIDTH + 1 + first] for first in range(WIDTH))
    critical = [critical_counts(windows, z) for z in LEVELS]
    correlated, independent = np.zeros(len(LEVELS), int), np.zeros(len(LEVELS), int)
    for start in range(0, toys, CHUNK):
        number = min(CHUNK, toys - start)
        cells = random.poisson(expected, (number, ROWS, CELLS))
        together = sum(cells[:, :, first : CELLS - WIDTH + 1 + first] for first in range(WIDTH))
        alone = random.poisson(windows, (number, *windows.shape))
        for level, counts in enumerate(critical):
            correlated[level] += (together >= counts).any(axis=(1, 2)).sum()
            independent[level] += (alone >= counts).any(axis=(1, 2)).sum()

    print(f"{expected.sum():.5f} expected in {expected.size} cells, {windows.size} windows, {toys} toys, seed {seed}")
    print(f"{'z':>4}{'correlated':>20}{'independent':>20}{'Sidak':>10}")
    for level, z in enumerate(LEVELS):
        columns = []
        for count in (correlated[level], independent[level]):
            p = count / toys
            columns.append(f"{p:.5f} +- {(p * (1 - p) / toys) ** 0.5:.5f}")
        sidak = -np.expm1(windows.size * np.log1p(-stats.norm.sf(z)))
        print(f"{z:4.1f}{columns[0]:>20}{columns[1]:>20}{sidak:10.4f}")


if __name__ == "__main__":
    main()
