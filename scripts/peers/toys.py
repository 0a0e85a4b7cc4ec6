#!/usr/bin/env python3
"""The peers of the benchmarks `toys/brute-force` and `hunt/pseudo-experiments`.

  toys.py PEER --toys N --threads N   PEER: numba, numpy (toys/brute-force), pybumphunter, numba-hunt (hunt/pseudo-experiments).
                                      Waits for lines on standard input; for each it throws N toys once and prints seconds and the
                                      quantiles of the largest significance, as JSON

toys/brute-force: Poisson counts in 27 x 114 cells with 100,000 expected events; 57 overlapping windows of 3 to 5 cells in each
row; p-values P(n >= observed) from tables that are made before the clock starts; the largest significance of each toy.
hunt/pseudo-experiments: 60 bins with 100,000 expected events, windows of 2 to 8 bins, from the spectrum to the global p-value; tables
are made while the clock runs. Imports, compilation and one run for warming up are not timed.
"""
import argparse, json, os, sys, time


def plane():
    import numpy as np
    mean = np.exp(-10 * np.arange(114) / 114)[None, :] * np.exp(-4 * np.arange(27) / 27)[:, None]
    mean *= 1e5 / mean.sum()
    start = 2 * np.arange(57)
    return mean, start, np.minimum(start + 3 + np.arange(57) // 19, 114)


def spectrum():
    import numpy as np
    edges = 1000 * 1.035 ** np.arange(61)
    x = 0.5 * (edges[1:] + edges[:-1]) / 13000
    mean = (1 - x) ** 9.0 * x ** (-5.0 - 0.02 * np.log(x)) * np.diff(edges)
    mean *= 1e5 / mean.sum()
    observed = np.rint(mean).astype(int)
    observed[20] += int(5 * np.sqrt(mean[20]))
    start, stop = np.array([(s, s + w) for w in range(2, 9) for s in range(61 - w)]).T
    return edges, mean, observed, start, stop


def tables(mu):
    """Survival probabilities of each window, one after the other, where each begins, how long it is, and its first count."""
    import numpy as np
    from scipy import stats
    length = np.ceil(mu + 8 * np.sqrt(mu) + 12).astype(int).ravel()
    table = np.concatenate([stats.poisson.sf(np.arange(k) - 1, m) for k, m in zip(length, mu.ravel())])
    return table, np.concatenate([[0], np.cumsum(length)[:-1]]), length, np.zeros(length.size, int)


def numba_run(rows):
    """Toys of `rows` rows of cells, with the same windows in each."""
    import numba, numpy as np

    @numba.njit(parallel=True)
    def run(toys, seed, mean, start, stop, table, offset, length, first, out):
        threads = numba.get_num_threads()
        for thread in numba.prange(threads):
            np.random.seed(seed * 1000 + thread)
            sums = np.empty(mean.shape[1] + 1, np.int64)
            sums[0] = 0
            for toy in range(thread * toys // threads, (thread + 1) * toys // threads):
                best = 1.0
                for row in range(mean.shape[0]):
                    for cell in range(mean.shape[1]):
                        sums[cell + 1] = sums[cell] + np.random.poisson(mean[row, cell])
                    for window in range(start.size):
                        n = sums[stop[window]] - sums[start[window]]
                        k = row * start.size + window
                        p = table[offset[k] + min(max(n - first[k], 0), length[k] - 1)]
                        if p < best:
                            best = p
                out[toy] = best
    return run


def numba_peer(toys):
    import numpy as np
    mean, start, stop = plane()
    sums = np.concatenate([np.zeros((27, 1)), np.cumsum(mean, 1)], 1)
    made, run, seed, out = tables(sums[:, stop] - sums[:, start]), numba_run(27), [0], np.empty(toys)

    def job():
        seed[0] += 1
        run(toys, seed[0], mean, start, stop, *made, out)
        return out
    return job


def numpy_peer(toys, chunk=200):
    import numpy as np
    mean, start, stop = plane()
    sums = np.concatenate([np.zeros((27, 1)), np.cumsum(mean, 1)], 1)
    table, offset, length, _ = tables(sums[:, stop] - sums[:, start])
    offset, length, rng = offset.reshape(27, 57), length.reshape(27, 57), np.random.default_rng(1)

    def part(k):
        c = np.zeros((k, 27, 115), np.int64)
        np.cumsum(rng.poisson(mean, size=(k, 27, 114)), axis=2, out=c[:, :, 1:])
        return table[offset + np.minimum(c[:, :, stop] - c[:, :, start], length - 1)].min(axis=(1, 2))

    return lambda: np.concatenate([part(min(chunk, toys - at)) for at in range(0, toys, chunk)])


def numba_hunt_peer(toys):
    import numpy as np
    from scipy import special
    run, seed, out = numba_run(1), [0], np.empty(toys)

    def job():
        _, mean, observed, start, stop = spectrum()
        sums = np.concatenate([[0], np.cumsum(mean)])
        mu = sums[stop] - sums[start]
        # Only excesses count: tables begin at the expectation, as few entries as possible.
        first, length = np.floor(mu).astype(int), np.ceil(8 * np.sqrt(mu) + 12).astype(int)
        offset = np.concatenate([[0], np.cumsum(length)[:-1]])
        count = np.arange(length.sum()) - np.repeat(offset - first, length)
        table = np.where(count > np.repeat(mu, length), special.gammainc(np.maximum(count, 1), np.repeat(mu, length)), 1.0)
        seed[0] += 1
        run(toys, seed[0], mean[None], start, stop, table, offset, length, first, out)
        return out
    return job


def pybumphunter_peer(toys):
    import contextlib, io
    import numpy as np
    import pyBumpHunter as BH
    edges, mean, observed, _, _ = spectrum()

    def job():
        hunter = BH.BumpHunter1D(rang=(edges[0], edges[-1]), bins=edges, width_min=2, width_max=8, width_step=1, scan_step=1,
                                 npe=toys, nworker=1, seed=1)
        with contextlib.redirect_stdout(io.StringIO()):
            hunter.bump_scan(observed, mean, is_hist=True)
        return np.exp(-np.array(hunter.t_ar[1:]).ravel())
    return job


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["numba", "numpy", "numba-hunt", "pybumphunter"])
    parser.add_argument("--toys", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    import numpy as np
    from scipy import stats
    job = {"numba": numba_peer, "numpy": numpy_peer, "numba-hunt": numba_hunt_peer, "pybumphunter": pybumphunter_peer}
    job = job[arguments.peer](arguments.toys)
    job()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        p = job()
        seconds = time.perf_counter() - start
        z = stats.norm.isf(p)
        print(json.dumps({"seconds": seconds, "z": [float(v) for v in np.sort(z)]}), flush=True)


main()
