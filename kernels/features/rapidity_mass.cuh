// What features.rapidity_mass computes: the text of src/features/rapidity_mass/math.rs.
#pragma once
#include "common/det.cuh"

namespace rapidity_mass {

/// Half of the C before rapidities.
constexpr double HALF_OF_C = 0.075;

/// What is admitted: in mod.rs.
constexpr float LARGEST_GEV = 1e9f;
constexpr float LARGEST_ETA = 50.0f;
constexpr float LARGEST_PHI = 1048576.0f;

/// What an entry is, `Kind` in math.rs.
constexpr u32 MISSING = 0u;
constexpr u32 WITH_MISSING = 1u;
constexpr u32 RAPIDITY = 2u;
constexpr u32 LEADING = 3u;
constexpr u32 IMBALANCE = 4u;
constexpr u32 MASS = 5u;

/// Verdicts by number, as the launcher knows them.
constexpr u32 MADE = 0u;
constexpr u32 REFUSED = 1u;

/// An object, as far as entries need it.
struct Object {
    double pt;
    double mass2;
    /// `sqrt(pT^2 + m^2)`.
    double transverse_mass;
    /// `E sin(theta)`.
    double transverse_energy;
    /// The square of the transverse energy less that of pT.
    double excess2;
    /// `exp(y / 4)`.
    double root;
    /// `exp(-y / 4)`.
    double inverse;
    /// The sine of half the azimuth.
    double sin;
    /// The cosine of half the azimuth.
    double cos;
};

/// The missing transverse energy.
struct Missing {
    double energy;
    /// The sine of half its azimuth.
    double sin;
    /// The cosine of half its azimuth.
    double cos;
};

/// Whether a value is what the CPU lets pass; NaN is not.
__device__ __forceinline__ bool is_from(float value, float least, float most) {
    return value >= least && value <= most;
}

/// Whether an object is what the CPU lets pass.
__device__ __forceinline__ bool is_good(float pt, float eta, float phi, float mass) {
    return is_from(pt, 0.0f, LARGEST_GEV) && is_from(eta, -LARGEST_ETA, LARGEST_ETA) &&
           is_from(phi, -LARGEST_PHI, LARGEST_PHI) && is_from(mass, 0.0f, LARGEST_GEV);
}

/// An object with pT. Its rapidity is that of `sinh y = pT sinh(eta) / sqrt(pT^2 + m^2)`, so that objects forward and
/// backward are mirrored exactly.
__device__ __forceinline__ Object object_of(float pt_gev, float eta, float phi, float mass) {
    const double pt = (double)pt_gev;
    const double slope = det::sinh((double)eta);
    const double mass2 = (double)mass * (double)mass;
    const double excess2 = mass2 / (1.0 + slope * slope);
    const double transverse_mass = det::sqrt(pt * pt + mass2);
    const double transverse_energy = det::sqrt(pt * pt + excess2);
    const double along = pt * det::absolute(slope) / transverse_mass;
    const double boost = along + det::sqrt(along * along + 1.0);
    const double large = det::sqrt(det::sqrt(boost));
    const double small = 1.0 / large;
    const bool forward = slope >= 0.0;
    const double root = forward ? large : small;
    const double inverse = forward ? small : large;
    const double half = 0.5 * (double)phi;
    const double sin = det::sin(half);
    const double cos = det::cos(half);
    return Object{pt, mass2, transverse_mass, transverse_energy, excess2, root, inverse, sin, cos};
}

/// The missing transverse energy of an event.
__device__ __forceinline__ Missing missing_of(float energy, float phi) {
    const double half = 0.5 * (double)phi;
    return Missing{(double)energy, det::sin(half), det::cos(half)};
}

/// The transverse mass of an object and the missing energy, of which all terms are positive:
/// `m_T^2 = (E_T^2 - pT^2) + 2 E_T^miss ((E_T - pT) + pT (1 - cos dphi))`; 0 where none is missing.
__device__ __forceinline__ double transverse_mass_of(Missing missing, Object a) {
    const double half_turn = missing.sin * a.cos - missing.cos * a.sin;
    const double beyond = a.excess2 / (a.transverse_energy + a.pt) + a.pt * (2.0 * (half_turn * half_turn));
    const double mass = det::sqrt(a.excess2 + 2.0 * missing.energy * beyond);
    return missing.energy > 0.0 ? mass : 0.0;
}

/// `C (cosh y - 1)`.
__device__ __forceinline__ double rapidity_of(Object a) {
    const double twice = (a.root - a.inverse) * (a.root + a.inverse);
    return HALF_OF_C * (twice * twice);
}

/// The share by which the one before has more transverse energy.
__device__ __forceinline__ double imbalance_of(double before, double transverse_energy) {
    return (before - transverse_energy) / (before + transverse_energy);
}

/// The invariant mass, of which all terms are positive, the same for the two the other way round. With `M^2 = pT^2 +
/// m^2`: `m_ab^2 = m_a^2 + m_b^2 + 2 (M_a M_b - pT_a pT_b) + 2 M_a M_b (cosh dy - 1) + 2 pT_a pT_b (1 - cos dphi)`.
__device__ __forceinline__ double mass_of(Object a, Object b) {
    const double forward = a.root * b.inverse;
    const double backward = a.inverse * b.root;
    const double apart = (forward - backward) * (forward + backward);
    const double half_turn = a.sin * b.cos - a.cos * b.sin;
    const double transverse_masses = a.transverse_mass * b.transverse_mass;
    const double momenta = a.pt * b.pt;
    const double of_masses = a.pt * a.pt * b.mass2 + b.pt * b.pt * a.mass2 + a.mass2 * b.mass2;
    const double difference = of_masses / (transverse_masses + momenta);
    const double at_rest = (a.mass2 + b.mass2) + 2.0 * difference;
    const double moving = transverse_masses * (apart * apart) + 4.0 * (momenta * (half_turn * half_turn));
    return det::sqrt(at_rest + moving);
}

/// `C (cosh((y_a - y_b) / 2) - 1)`.
__device__ __forceinline__ double difference_of(Object a, Object b) {
    const double twice = a.root * b.inverse - a.inverse * b.root;
    return HALF_OF_C * (twice * twice);
}

}  // namespace rapidity_mass
