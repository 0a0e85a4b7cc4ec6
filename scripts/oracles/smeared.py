#!/usr/bin/env python3
"""Golden numbers for `trawl::toys::smeared`: toys whose expected background is uncertain.

    python3 scripts/oracles/smeared.py [TOYS [SEED]]        # 400,000 toys: about 1 minute

The geometry of toys.py: 12 exclusive cells in each of 5 rows, B = 40 exp(-0.15 c - 0.3 y), 50 windows of 3 cells. Each
toy smears the cells by 5 % of their own, 10 % that all share, and a template that runs from -8 % to +8 % over the rows,
draws Poisson counts and takes the largest significance of the 50 windows. Printed for both shapes of the smearing and
both statistics: the fraction of toys with a maximum of at least z, and the mean and standard deviation of the maximum.

    nominal     P(N >= n) at the window's expectation
    marginal    the same averaged over a log-normal (or normal, cut at zero) expectation with the mean and the width that
                the window's sum has; quadrature of SciPy

Then single marginal p-values, by SciPy's adaptive quadrature. Embedded in src/toys/smeared_experiment/tests.rs and
src/toys/uncertainty/marginal.rs. Needs NumPy and SciPy. Nothing is shared with Trawl's generator, quantiles or quadrature.
"""

import sys

import numpy as np
from scipy import integrate, stats

CELLS, ROWS, WIDTH = 12, 5, 3
LEVELS = (2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
CHUNK = 10_000
STATISTICAL, COMMON, SLOPE = 0.05, 0.10, 0.08


def kappa(relative):
    return np.sign(relative) * np.sqrt(np.log1p(relative**2))


def sources():
    """Relative standard deviations of the templates: (template, row, cell)."""
    slope = np.broadcast_to(np.linspace(-SLOPE, SLOPE, ROWS)[:, None], (ROWS, CELLS))
    return np.stack([np.full((ROWS, CELLS), COMMON), slope])


def smear(random, expected, shape, number):
    own = random.standard_normal((number, ROWS, CELLS))
    shared = random.standard_normal((number, 2))
    templates = sources()
    if shape == "log-normal":
        k, k0 = kappa(templates), kappa(STATISTICAL)
        x = own * k0 + np.einsum("nk,krc->nrc", shared, k) - 0.5 * ((k**2).sum(0) + k0**2)
        return expected * np.exp(x)
    return expected * np.maximum(0.0, 1.0 + own * STATISTICAL + np.einsum("nk,krc->nrc", shared, templates))


def in_windows(cells):
    return sum(cells[..., first : CELLS - WIDTH + 1 + first] for first in range(WIDTH))


def widths(expected, shape):
    """The relative standard deviation of each window's expectation."""
    templates = sources()
    result = np.zeros((ROWS, CELLS - WIDTH + 1))
    for row in range(ROWS):
        for first in range(CELLS - WIDTH + 1):
            b = expected[row, first : first + WIDTH]
            s = templates[:, row, first : first + WIDTH]
            if shape == "log-normal":
                k, k0 = kappa(s), kappa(STATISTICAL)
                covariance = np.expm1(k.T @ k + np.eye(WIDTH) * k0**2)
            else:
                covariance = s.T @ s + np.eye(WIDTH) * STATISTICAL**2
            result[row, first] = np.sqrt(b @ covariance @ b) / b.sum()
    return result


def marginal(n, expected, relative, shape):
    """P(N >= n), by adaptive quadrature in the nuisance."""
    k = float(kappa(relative)) if shape == "log-normal" else relative

    def mean(t):
        return expected * (np.exp(k * t - 0.5 * k * k) if shape == "log-normal" else max(0.0, 1.0 + k * t))

    def integrand(t):
        return stats.norm.pdf(t) * stats.poisson.sf(n - 1, mean(t))

    edges = np.linspace(-10, 10, 41)
    return sum(integrate.quad(integrand, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in zip(edges, edges[1:]))


def tables(windows, shape):
    """For each window and count the largest-significance ingredients: z of nominal and marginal p-values."""
    relative = widths(EXPECTED, shape)
    nominal, average = {}, {}
    for place in np.ndindex(windows.shape):
        b, r = windows[place], relative[place]
        counts = np.arange(0, int(b * 2.5 + 60))
        z = np.where(counts > b, stats.norm.isf(stats.poisson.sf(counts - 1, b)), 0.0)
        nominal[place] = np.maximum(z, 0.0)
        t, h = np.linspace(-9, 9, 721, retstep=True)
        k = float(kappa(r)) if shape == "log-normal" else r
        mean = b * (np.exp(k * t - 0.5 * k * k) if shape == "log-normal" else np.maximum(0.0, 1 + k * t))
        p = (stats.norm.pdf(t)[:, None] * stats.poisson.sf(counts[None, :] - 1, mean[:, None])).sum(0) * h
        average[place] = np.maximum(np.where(counts > b, stats.norm.isf(np.minimum(p, 1.0)), 0.0), 0.0)
    return nominal, average


cell, row = np.meshgrid(np.arange(CELLS), np.arange(ROWS))
EXPECTED = 40.0 * np.exp(-0.15 * cell - 0.3 * row)


def main():
    toys = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    windows = in_windows(EXPECTED)
    for shape in ("log-normal", "truncated-gaussian"):
        random = np.random.default_rng(seed)
        both = tables(windows, shape)
        maxima = {name: [] for name in ("nominal", "marginal")}
        for start in range(0, toys, CHUNK):
            number = min(CHUNK, toys - start)
            counts = in_windows(random.poisson(smear(random, EXPECTED, shape, number)))
            for name, table in zip(maxima, both):
                best = np.zeros(number)
                for place, z in table.items():
                    best = np.maximum(best, z[np.minimum(counts[:, place[0], place[1]], len(z) - 1)])
                maxima[name].append(best)
        for name in maxima:
            best = np.concatenate(maxima[name])
            fractions = ", ".join(f"{z}: {(best >= z).mean():.5f}" for z in LEVELS)
            quantiles = np.quantile(best, [0.1, 0.5, 0.9]).round(4)
            print(f"{shape} {name}: {fractions}; mean {best.mean():.4f}, deviation {best.std():.4f}, {quantiles}")
    for shape in ("log-normal", "truncated-gaussian"):
        for n, b, r in ((150, 100.0, 0.1), (10, 5.0, 0.3), (3, 0.5, 1.0), (1300, 1000.0, 0.05), (120, 100.0, 0.0)):
            print(f"{shape} P(N >= {n} | {b} known to {r}) = {marginal(n, b, r, shape):.10e}")


if __name__ == "__main__":
    main()
