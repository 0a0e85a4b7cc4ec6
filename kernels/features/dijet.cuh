// What features.dijet computes: the text of src/features/dijet/math.rs.
#pragma once
#include "common/lorentz.cuh"

namespace dijet {

using lorentz::FourMomentum;

constexpr u32 HEAVIER_FIRST = 1u;
constexpr u32 LIGHTER_FIRST = 2u;
constexpr u32 HIGGS_FIRST = 3u;
constexpr u32 PROBABILITIES = 1u;
constexpr u32 LOGITS = 2u;
constexpr u32 FOUND = 0u;
constexpr u32 TOO_FEW_JETS = 1u;

/// Discriminants are between minus this and this.
constexpr double LARGEST_DISCRIMINANT = 20.0;

/// `(E - pz)(E + pz) - px^2 - py^2`, the square of the mass.
__device__ __forceinline__ double mass2_of(FourMomentum p) {
    return ((p.energy - p.pz) * (p.energy + p.pz) - p.px * p.px) - p.py * p.py;
}

__device__ __forceinline__ double clamped(double d) {
    if (d > LARGEST_DISCRIMINANT) return LARGEST_DISCRIMINANT;
    if (d < -LARGEST_DISCRIMINANT) return -LARGEST_DISCRIMINANT;
    return d;
}

/// `ln(p_H / (f p_top + (1 - f) p_QCD))`.
__device__ __forceinline__ double of_probabilities(double higgs, double top, double qcd, double top_fraction) {
    const double mixed = top_fraction * top + (1.0 - top_fraction) * qcd;
    if (higgs <= 0.0) return -LARGEST_DISCRIMINANT;
    if (mixed <= 0.0) return LARGEST_DISCRIMINANT;
    return clamped(det::ln(higgs) - det::ln(mixed));
}

/// The same from logits.
__device__ __forceinline__ double of_logits(double higgs, double top, double qcd, double top_fraction) {
    const double a = top + det::ln(top_fraction);
    const double b = qcd + det::ln(1.0 - top_fraction);
    const double larger = a > b ? a : b;
    const double mixed = larger + det::ln(det::exp(a - larger) + det::exp(b - larger));
    return clamped(higgs - mixed);
}

}  // namespace dijet
