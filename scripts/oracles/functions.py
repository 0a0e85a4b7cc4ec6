#!/usr/bin/env python3
"""Golden numbers for `trawl::math`, from mpmath (BSD), printed as Rust.

    python3 scripts/oracles/functions.py poisson      > src/math/poisson/golden.rs
    python3 scripts/oracles/functions.py special      > src/math/special/golden.rs

    python3 scripts/oracles/functions.py coefficients # of scaled_normal_survival and uniform_correction in src/math/special/tails.rs
    python3 scripts/oracles/functions.py errors       # largest errors in ulp of kernels/common/det.cuh (needs g++)

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
    print("// Printed by scripts/oracles/functions.py (mpmath %s, %d digits)." % (mpmath.__version__, mp.dps))
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
    print()
    print("/// (mean, least, k, floor(2^64 P(N <= k | N >= least)) of the exact mean)")
    print("pub const TAIL_THRESHOLDS: &[(f64, u32, u32, u64)] = &[")
    for mean in [1e-8, 0.5, 7.25, 123.456, 31415.9, 1e7]:
        sigma = float(mpmath.sqrt(mean))
        for least, z in {max(1, int(mean + z * sigma)): z for z in (-3, 0, 1, 5, 8, 30)}.items():
            # Steps of the tail's own width, in which its probability falls by e.
            whole, width = survival(least, mean), sigma / max(z, 1)
            ks = {0, 1} | {int(step * width) for step in (0.3, 1, 3, 8, 30)}
            for k in sorted(least + k for k in ks):
                value = int(mpmath.floor((1 - survival(k + 1, mean) / whole) * mpf(2) ** 64))
                if 0 < value < 2**64 - 1:
                    print("    (%r, %d, %d, %d)," % (mean, least, k, value))
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


def coefficients():
    """The polynomial in t = (z - 5)/(z + 5) and the c_k(eta), highest power first."""
    degree, nodes = 23, 80

    def value(t):
        z = 5 * (1 + t) / (1 - t)
        return (z + 1) * mpmath.exp(z * z / 2) * mpmath.erfc(z / mpmath.sqrt(2)) / 2

    angles = [mpmath.pi * (j + mpf(1) / 2) / nodes for j in range(nodes)]
    values = [value(mpmath.cos(angle)) for angle in angles]
    powers, last, here = [mpf(0)] * (degree + 1), [mpf(0)], [mpf(1)]
    for k in range(degree + 1):
        chebyshev = 2 * sum(v * mpmath.cos(k * angle) for v, angle in zip(values, angles)) / nodes
        for i, c in enumerate(here):
            powers[i] += chebyshev * c / (2 if k == 0 else 1)
        longer = [mpf(0)] + [(1 if k == 0 else 2) * c for c in here]
        last, here = here, [c - (last[i] if k > 0 and i < len(last) else 0) for i, c in enumerate(longer)]
    print("scaled_normal_survival", [float(c) for c in reversed(powers)])
    for k, degree in ((4, 3), (3, 5), (2, 8), (1, 11), (0, 14)):
        print("c%d" % k, [float(c) for c in reversed(uniform_coefficients()[k][: degree + 1])])


def uniform_coefficients():
    """DLMF 8.12.10 as power series in eta with rational coefficients."""
    n = 40
    mu = [Fraction(0), Fraction(1)] + [Fraction(0)] * n  # eta^2/2 = mu - ln(1 + mu), so eta (1 + mu) = mu mu'
    for k in range(2, n + 1):
        squares = sum(mu[i] * mu[k + 1 - i] for i in range(2, k))
        mu[k] = (mu[k - 1] * Fraction(2, k + 1) - squares) / 2
    inverse = [Fraction(1)]
    for k in range(1, n - 1):
        inverse.append(-sum(mu[j + 1] * inverse[k - j] for j in range(1, k + 1)))
    regular = inverse[1:]  # 1/mu = 1/eta + regular
    logarithm = {1: Fraction(1, 12), 3: Fraction(-1, 360), 5: Fraction(1, 1260)}
    stirling = [Fraction(1)]
    for k in range(1, 6):
        stirling.append(sum(j * logarithm.get(j, 0) * stirling[k - j] for j in range(1, k + 1)) / k)
    rows = [regular]
    for k in range(1, 5):
        sign = (-1) ** k * stirling[k]
        rows.append([(j + 2) * rows[-1][j + 2] + sign * regular[j] for j in range(len(rows[-1]) - 3)])
    return rows


def errors():
    import ctypes, math, pathlib, random, subprocess, tempfile

    kernels = pathlib.Path(__file__).resolve().parents[2] / "kernels"
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "cuda_runtime.h").write_text(
        "#include <cmath>\n#include <cstring>\n#define __device__\n#define __forceinline__ inline\n"
        "inline long long __double_as_longlong(double x) { long long b; std::memcpy(&b, &x, 8); return b; }\n"
        "inline double __longlong_as_double(long long b) { double x; std::memcpy(&x, &b, 8); return x; }\n")
    one = "exp exp_m1 ln ln_1p sin cos sinh cosh tanh asinh atan".split()
    text = '#include "common/det.cuh"\n'
    text += "".join('extern "C" double of_%s(double a) { return det::%s(a); }\n' % (f, f) for f in one)
    text += "".join('extern "C" double of_%s(double a, double b) { return det::%s(a, b); }\n' % (f, f)
                    for f in ("atan2", "hypot", "pow"))
    (folder / "det.cpp").write_text(text)
    subprocess.run(["g++", "-std=c++17", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-I", folder, "-I", kernels,
                    folder / "det.cpp", "-o", folder / "det.so"], check=True)
    library = ctypes.CDLL(str(folder / "det.so"))
    rng = random.Random(5)
    mp.prec = 140

    def spread(most):
        return lambda: (rng.uniform(-most, most) if rng.random() < 0.6
                        else math.copysign(2 ** rng.uniform(-40, math.log2(most)), rng.random() - 0.5),)

    def largest(name, exact, arguments, allowed=lambda *_: 0):
        function = getattr(library, "of_" + name)
        function.restype, worst = ctypes.c_double, 0
        for _ in range(15000):
            given = arguments()
            got, expected = function(*map(ctypes.c_double, given)), exact(*map(mpf, given))
            if math.isfinite(got) and abs(expected) > 1e-300:
                error = float(abs(got - expected) / math.ulp(abs(float(expected)))) - allowed(*given)
                worst = max(worst, error)
        print("%-8s %.2f ulp" % (name, worst))

    positive = lambda: (2 ** rng.uniform(-1000, 1000) if rng.random() < 0.3 else rng.uniform(0.4, 2.5),)
    square = lambda: (rng.uniform(-1, 1), rng.uniform(-1, 1))
    for name, ranges in (("exp", (700, 1)), ("exp_m1", (40, 1.2)), ("sin", (1e6, 10)), ("cos", (1e6, 10)),
                         ("sinh", (25, 1.5)), ("cosh", (25, 1.5)), ("tanh", (25, 1.5)), ("asinh", (1e9, 5)), ("atan", (4,))):
        for most in ranges:
            largest(name, getattr(mpmath, {"exp_m1": "expm1"}.get(name, name)), spread(most))
    largest("ln", mpmath.log, positive)
    largest("ln_1p", mpmath.log1p, lambda: (rng.uniform(-0.9, 2),))
    largest("atan2", mpmath.atan2, square)
    largest("hypot", mpmath.hypot, square)
    largest("pow", mpmath.power, lambda: (2 ** rng.uniform(-20, 20), rng.uniform(-40, 40)),
            lambda x, y: abs(y * math.log(x)) / 16)


if __name__ == "__main__":
    {"poisson": poisson, "special": special, "coefficients": coefficients, "errors": errors}[sys.argv[1]]()
