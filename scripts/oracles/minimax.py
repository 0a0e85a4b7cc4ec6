#!/usr/bin/env python3
"""Coefficients with the smallest largest error, for `src/math/det/quick.rs`: Remez' exchange with mpmath (BSD).

    python3 scripts/oracles/minimax.py

Prints the largest relative error in powers of two and the coefficients as doubles. Needs mpmath (tried: 1.3.0).
"""

from mpmath import atan, cos, log, lu_solve, matrix, mp, mpf, pi, sqrt, tan

mp.prec = 200


def extremes(errors):
    """One index for each stretch of errors of one sign: that of its largest."""
    found = []
    for i, error in enumerate(errors):
        if found and errors[found[-1]] * error > 0:
            if abs(error) > abs(errors[found[-1]]):
                found[-1] = i
        else:
            found.append(i)
    return found


def minimax(function, high, number, weight, points=400, rounds=12):
    """`number` coefficients of powers of z in [0, high] that minimise the largest |weight (function - polynomial)|."""
    low = mpf(10) ** -12
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * (i + mpf(1) / 2) / (number + 1)) for i in range(number + 1)]
    grid = [low + (high - low) * i / points for i in range(points + 1)]
    for _ in range(rounds):
        system, values = matrix(number + 1, number + 1), matrix(number + 1, 1)
        for i, z in enumerate(nodes):
            for k in range(number):
                system[i, k] = z**k
            system[i, number] = (-1) ** i / weight(z)
            values[i] = function(z)
        solution = lu_solve(system, values)
        coefficients = [solution[k] for k in range(number)]
        errors = [(function(z) - sum(c * z**k for k, c in enumerate(coefficients))) * weight(z) for z in grid]
        at = extremes(errors)
        while len(at) > number + 1:
            at.pop(0 if abs(errors[at[0]]) < abs(errors[at[-1]]) else -1)
        if len(at) < number + 1:
            break
        nodes = [grid[i] for i in at]
    return coefficients, max(abs(error) for error in errors)


def show(name, found):
    coefficients, error = found
    print(f"{name}: 2^{float(log(error, 2)):.1f}", *(repr(float(c)) for c in coefficients), sep="\n    ")


def main():
    # ln m = 2 s + s z series(z), z = s^2, for s from 0 to (sqrt 2 - 1) / (sqrt 2 + 1).
    root = sqrt(mpf(2))
    logarithm = lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) - 2 * sqrt(z)) / (sqrt(z) * z)
    show("quick_ln_ratio", minimax(logarithm, ((root - 1) / (root + 1)) ** 2, 7, lambda z: z / 2))
    # atan t = t + t z series(z), z = t^2, for t from 0 to tan(pi / 8).
    angle = lambda z: (atan(sqrt(z)) - sqrt(z)) / (sqrt(z) * z)
    show("quick_atan2", minimax(angle, tan(pi / 8) ** 2, 11, lambda z: z))


main()
