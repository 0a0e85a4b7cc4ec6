#!/usr/bin/env python3
"""Rapidity-mass matrices against NumPy: the published formulae with four-momenta and logarithms, in extended precision.

    python3 scripts/oracles/rapidity_mass.py golden

prints the numbers that `src/features/rapidity_mass/tests.rs` holds: the matrix of a worked event, and sums over 200
events by a formula. Needs numpy (tried: 2.4.6) where its longdouble has 64 bits of mantissa (x86).
"""

import argparse

import numpy as np

C, ENERGY = 0.15, 13000
TYPES = (10, 10, 5, 5, 5)
LONG = np.longdouble


def momentum(pt, eta, phi, mass):
    """px, py, pz, E of values in single precision."""
    pt, eta, phi, mass = (LONG(np.float32(x)) for x in (pt, eta, phi, mass))
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    return np.array([px, py, pz, np.sqrt(px**2 + py**2 + pz**2 + mass**2)])


def transverse_energy(p):
    """E sin(theta)."""
    return p[3] * np.hypot(p[0], p[1]) / np.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2)


def transverse_mass(p, missing):
    energy = transverse_energy(p) + missing[3]
    squared = energy**2 - (p[0] + missing[0]) ** 2 - (p[1] + missing[1]) ** 2
    return np.sqrt(max(squared, LONG(0))) if missing[3] > 0 else LONG(0)


def rapidity(p):
    return np.log((p[3] + p[2]) / (p[3] - p[2])) / 2


def mass(p):
    return np.sqrt(max(p[3] ** 2 - p[0] ** 2 - p[1] ** 2 - p[2] ** 2, LONG(0)))


def leading(objects, most):
    """The first in pT in single precision, of equal ones the first; who has none is no object."""
    objects = [one for one in objects if np.float32(one[0]) > 0]
    return sorted(objects, key=lambda one: -np.float32(one[0]))[:most]


def matrix_of(objects, missing, types, energy):
    """The matrix, and which entries have their objects."""
    size = 1 + sum(types)
    values, present = np.zeros((size, size), dtype=LONG), np.zeros((size, size), dtype=bool)
    momenta, leaders, row = [None] * size, set(), 1
    for of_type, most in zip(objects, types, strict=True):
        leaders.add(row)
        for place, one in enumerate(leading(of_type, most)):
            momenta[row + place] = momentum(*one)
        row += most
    lost = momentum(missing[0], 0, missing[1], 0)
    values[0, 0], present[0, 0] = lost[3] / energy, True
    for i, p in enumerate(momenta):
        if p is None:
            continue
        present[0, i] = present[i, 0] = present[i, i] = True
        values[0, i] = transverse_mass(p, lost) / energy
        values[i, 0] = C * (np.cosh(rapidity(p)) - 1)
        et = transverse_energy(p)
        before = et if i in leaders else transverse_energy(momenta[i - 1])
        values[i, i] = et / energy if i in leaders else (before - et) / (before + et)
        for j, other in enumerate(momenta[:i]):
            if other is not None:
                present[i, j] = present[j, i] = True
                values[j, i] = mass(p + other) / energy
                values[i, j] = C * (np.cosh((rapidity(p) - rapidity(other)) / 2) - 1)
    return values, present


def formula(event):
    """Objects by remainders, as in src/features/rapidity_mass/tests.rs."""
    objects = []
    for t, most in enumerate(TYPES):
        k = np.arange((7 * event + 3 * t) % (most + 3))
        pt = 20 + 1.0 * ((37 * k + 11 * event + 5 * t) % 101)
        eta = 6 * (((53 * k + 17 * event + 29 * t) % 97) / 97 - 0.5)
        phi = 6.2 * (((29 * k + 23 * event + 13 * t) % 89) / 89 - 0.5)
        objects.append(list(zip(pt, eta, phi, 2.0 * ((13 * k + 7 * event + 3 * t) % 11))))
    return objects, (float(91 * event % 503), 6.2 * ((61 * event % 83) / 83 - 0.5))


def golden(_):
    jets = [(120.0, 0.31, 3.02, 12.0), (60.0, 2.1, 1.0, 5.0), (250.0, -1.2, -0.4, 20.0)]
    muons = [(45.5, -0.8, 2.4, 0.105658)]
    values, _ = matrix_of([jets, muons], (80.0, -2.9), (2, 2), ENERGY)
    print("worked event, row after row:")
    for row in values:
        print("    [" + ", ".join(f"{float(value):.9e}" for value in row) + "],")
    total, there, outside = LONG(0), 0, 0
    for event in range(200):
        values, present = matrix_of(*formula(event), TYPES, ENERGY)
        at = np.arange(values.size)
        total += (values.ravel() * ((97 * at + 31 * event) % 1009 + 1)).sum()
        there += int(present.sum())
        outside += int(((values < 0) | (values >= 1)).sum())
    print(f"200 events by formula: sum {float(total):.6f}, {there} entries are there, {outside} are outside [0, 1)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("golden",))
    arguments = parser.parse_args()
    golden(arguments)


main()
