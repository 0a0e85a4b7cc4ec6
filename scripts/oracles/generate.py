#!/usr/bin/env python3
"""The leading jet of event 0 of seed 1 of the dijet generator, from the formulas of src/events/generate, in Python's own
floating-point functions: pt, eta, phi, mass as the bits of f32. Standard library only."""
import math, struct

SLOPE, CURVATURE, MEDIAN_GEV, GROWTH, WIDTH, SMALLEST = 2.6, 0.4, 150.0, 1.0, 0.6, 0.15
MASK = (1 << 64) - 1


def key(seed, stage):
    z = (seed + 0x9E3779B97F4A7C15 * stage) & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    z ^= z >> 31
    return [z & 0xFFFFFFFF, z >> 32]


def words(k, unit, draw):
    c, k = [unit & 0xFFFFFFFF, unit >> 32, draw & 0xFFFFFFFF, draw >> 32], list(k)
    for _ in range(10):
        p, q = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(q >> 32) ^ c[1] ^ k[0], q & 0xFFFFFFFF, (p >> 32) ^ c[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def event(seed, number):
    stream = key(seed, 1)

    def uniforms(draw):
        a, b, c, d = words(stream, number, draw)
        return tuple(((high << 20 | low >> 12) + 0.5) * 2.0**-52 for high, low in ((a, b), (c, d)))

    t = (math.sqrt(SLOPE**2 - 4 * CURVATURE * math.log(uniforms(0)[0])) - SLOPE) / (2 * CURVATURE)
    pair = 1100 * math.exp(t)
    for attempt in range(20):
        radius, angle = uniforms(32 + 2 * attempt)
        ratio, accept = uniforms(33 + 2 * attempt)
        normal = math.sqrt(-2 * math.log(radius)) * math.cos(2 * math.pi * angle)
        heavier = MEDIAN_GEV * (pair / 1300) ** GROWTH * math.exp(WIDTH * normal)
        jets = heavier, heavier * (SMALLEST + (1 - SMALLEST) * math.sqrt(ratio))
        share = sum(jets) / pair
        if share < 1 and accept < (1 - share**2) ** 2:
            break
    (u_cosine, u_azimuth), (boost, order) = uniforms(1), uniforms(2)
    cosine = math.tanh(0.6) * (2 * u_cosine - 1)
    plus, minus = sum(jets) / pair, (jets[0] - jets[1]) / pair
    momentum = 0.5 * pair * math.sqrt((1 - plus**2) * (1 - minus**2))
    pt, along = momentum * math.sqrt(1 - cosine**2), momentum * cosine
    rapidity = math.sqrt(2 * boost) - 1 if boost < 0.5 else 1 - math.sqrt(2 * (1 - boost))
    azimuth = math.pi * (2 * u_azimuth - 1)
    if order >= 0.5:
        along, azimuth = -along, azimuth + (math.pi if azimuth < 0 else -math.pi)
    mass = jets[0] if order < 0.5 else jets[1]
    energy = math.sqrt(momentum**2 + mass**2)
    eta = math.asinh((math.cosh(rapidity) * along + math.sinh(rapidity) * energy) / pt)
    return pt, eta, azimuth, mass


print(", ".join(f"0x{struct.unpack('<I', struct.pack('<f', value))[0]:08x}" for value in event(1, 0)))
