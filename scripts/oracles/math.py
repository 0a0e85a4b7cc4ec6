#!/usr/bin/env python3
"""Golden numbers for `trawl::math`, from mpmath (BSD), printed as Rust.

    python3 scripts/oracles/math.py poisson      > src/math/poisson/golden.rs
    python3 scripts/oracles/math.py special      > src/math/special/golden.rs

Needs mpmath (tried: 1.3.0). Every number is evaluated with at least 60 decimal digits.
"""

import sys
from fractions import Fraction

import mpmath
from mpmath import mp, mpf

mp.dps = 80


def log_poisson(k, mean):
    return k * mpmath.log(mean) - mean - mpmath.loggamma(k + 1)


def cumulative(k, mean):
    """P(N <= k), summed term by term from the smaller side."""
    mean = mpf(mean)
    if k <= mean:
        total = term = mpmath.exp(log_poisson(k, mean))
        while k > 0 and term > total * mpf(2) ** -120:
            term, k = term * k / mean, k - 1
            total += term
        return total
    return 1 - survival(k + 1, mean)


def survival(n, mean):
    """P(N >= n), summed term by term from the smaller side."""
    mean = mpf(mean)
    if n <= mean:
        return 1 - cumulative(n - 1, mean) if n > 0 else mpf(1)
    total = term = mpmath.exp(log_poisson(n, mean))
    while term > total * mpf(2) ** -120:
        n += 1
        term = term * mean / n
        total += term
    return total


def header():
    print("// Printed by scripts/oracles/math.py (mpmath %s, %d digits)." % (mpmath.__version__, mp.dps))
    print()


def poisson():
    header()
    print("/// (mean, k, floor(2^64 P(N <= k)) of the exact mean)")
    print("pub const THRESHOLDS: &[(f64, u32, u64)] = &[")
    means = [1e-8, 0.01, 0.5, 1.0, 3.0, 7.25, 40.0, 123.456, 1e3, 31415.9, 1e5, 1e7]
    for mean in means:
        sigma = float(mpmath.sqrt(mean))
        ks = {int(mean + z * sigma) for z in (-8, -6, -3, -1, 0, 1, 2.5, 5, 8, 9)} | {0, 1, 2}
        if mean < 1e6:
            ks = {k for k in ks if k >= 0}
        else:
            ks = {k for k in ks if abs(k - mean) < 10 * sigma}
        for k in sorted(ks):
            value = int(mpmath.floor(cumulative(k, mean) * mpf(2) ** 64))
            if 0 < value < 2**64 - 1:
                print("    (%r, %d, %d)," % (mean, k, value))
    print("];")


def log(x):
    """ln x as the nearest double, also where x is far below the smallest one."""
    return float(mpmath.log(x))


def special():
    header()
    print("/// (n, mean, ln P(N >= n), ln P(N <= n)) of the exact mean")
    print("pub const POISSON: &[(u64, f64, f64, f64)] = &[")
    cases = [(1, 1e-300), (2, 1e-100), (1, 1e-8), (3, 0.01), (3, 0.5), (10, 5.0), (1, 20.0), (0, 3.0), (5, 5.0)]
    cases += [(15, 3.3), (16, 3.3), (17, 40.5), (40, 39.5), (41, 40.5), (150, 100.0), (3509, 3301.0), (100, 0.125)]
    cases += [(999, 900.0), (999, 700.0), (999, 1200.0), (999, 999.0), (1000, 1000.0), (1000, 1010.0), (1000, 701.0)]
    cases += [(1000, 699.0), (1000, 1299.0), (1000, 1301.0), (1001, 1290.0), (2000, 1500.0), (2000, 1e-3), (1, 700.0)]
    cases += [(200, 20.0), (400, 30.0), (700, 100.0), (5000, 3000.0), (5000, 3400.0), (5000, 4900.0), (3000, 5000.0)]
    cases += [(100000, 98000.0), (100000, 90000.0), (100000, 112000.0), (10000, 7002.0), (100300, 100000.0)]
    cases += [(10000000, 10000000.5), (10020000, 1e7), (9900000, 1e7), (10100000, 1e7), (4000, 1.0), (12345, 12000.25)]
    for n, mean in cases:
        print("    (%d, %r, %r, %r)," % (n, mean, log(survival(n, mean)), log(cumulative(n, mean))))
    print("];")
    print()
    print("/// (ln p, z with P(Z > z) = p)")
    print("pub const SIGNIFICANCE: &[(f64, f64)] = &[")
    values = [-1e-300, -1e-100, -1e-20, -1e-10, -1e-3, -0.1, -0.5, -0.69, -0.6931471805599453, -0.7, -1.0, -2.0, -5.0]
    values += [-10.0, -13.2, -20.0, -37.0, -100.0, -230.0, -500.0, -690.7755278982137, -745.0, -1e3, -1e4, -1e6, -1e12]
    for value in values:
        with mp.workdps(400):
            tail, sign = mpf(value), 1
            if value > -0.69:
                tail, sign = mpmath.log(-mpmath.expm1(tail)), -1
            z = mpmath.sqrt(-2 * tail) if tail < -2 else mpf("0.5")
            for _ in range(60):
                z -= (log_survival(z) - tail) / (-mpmath.npdf(z) / mpmath.exp(log_survival(z)))
            print("    (%r, %r)," % (value, float(sign * z)))
    print("];")
    print()
    print("/// (z, P(Z > z))")
    print("pub const NORMAL: &[(f64, f64)] = &[")
    for z in [-40.0, -8.5, -3.0, -0.25, 0.0, 1e-5, 0.3, 1.0, 2.5, 4.9, 5.0, 7.7, 12.0, 25.0, 37.0]:
        print("    (%r, %r)," % (z, float(mpmath.erfc(mpf(z) / mpmath.sqrt(2)) / 2)))
    print("];")
    print()
    print("/// (a, x, P(a, x), Q(a, x))")
    print("pub const GAMMA: &[(f64, f64, f64, f64)] = &[")
    pairs = [(0.5, 0.1), (0.5, 0.6), (0.5, 30.0), (1.0, 1.0), (2.5, 0.01), (2.5, 4.0), (7.5, 60.0), (15.5, 10.0)]
    pairs += [(50.0, 20.0), (50.0, 50.5), (50.0, 120.0), (500.5, 450.0), (1500.5, 1500.0), (1500.5, 1300.0), (2e4, 2.1e4)]
    for a, x in pairs:
        p = mpmath.gammainc(mpf(a), 0, mpf(x), regularized=True)
        print("    (%r, %r, %r, %r)," % (a, x, float(p), float(1 - p)))
    print("];")
    print()
    print("/// (x, ln Gamma(x))")
    print("pub const LN_GAMMA: &[(f64, f64)] = &[")
    for x in [1e-300, 1e-3, 0.5, 1.0, 1.25, 2.0, 3.75, 16.5, 17.0, 100.5, 1e6, 1e15]:
        print("    (%r, %r)," % (x, float(mpmath.loggamma(mpf(x)))))
    print("];")
    print()
    print("/// (k, n, coverage, low, high)")
    print("pub const CLOPPER_PEARSON: &[(u64, u64, f64, f64, f64)] = &[")
    for k, n, coverage in [(0, 10, 0.95), (1, 10, 0.95), (5, 10, 0.6827), (10, 10, 0.9), (177, 10000, 0.6827),
                           (3, 1000000, 0.95), (999990, 1000000, 0.6827), (500000, 1000000, 0.6827), (40, 100, 0.95)]:
        low, high = clopper_pearson(k, n, mpf(coverage))
        print("    (%d, %d, %r, %r, %r)," % (k, n, coverage, float(low), float(high)))
    print("];")


def log_survival(z):
    return mpmath.log(mpmath.erfc(z / mpmath.sqrt(2)) / 2)


def binomial_at_least(k, n, p):
    total, term = mpf(0), mpmath.exp(
        mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
        + k * mpmath.log(p) + (n - k) * mpmath.log1p(-p))
    ratio = p / (1 - p)
    while k <= n and (total == 0 or term > total * mpf(10) ** -30):
        total += term
        term, k = term * (n - k) / (k + 1) * ratio, k + 1
    return total


def clopper_pearson(k, n, coverage):
    outside = (1 - coverage) / 2

    def root(k):
        """p with P(K >= k) = outside, by bisection of ln p."""
        low, high = mpmath.log(mpf(10) ** -30), mpf(0)
        for _ in range(70):
            middle = (low + high) / 2
            if binomial_at_least(k, n, mpmath.exp(middle)) < outside:
                low = middle
            else:
                high = middle
        return mpmath.exp(high)

    with mp.workdps(40):
        return (root(k) if k > 0 else mpf(0), 1 - root(n - k) if k < n else mpf(1))


if __name__ == "__main__":
    {"poisson": poisson, "special": special}[sys.argv[1]]()
