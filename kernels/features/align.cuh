// What features.align computes: the text of src/features/align/math.rs.
#pragma once
#include "common/lorentz.cuh"

namespace align {

using lorentz::FourMomentum;

/// Squares of momenta below this are none.
constexpr double SMALLEST = 1e-300;
/// A mass squared below this part of the energy squared is rounding.
constexpr double LEAST_MASS2 = 1e-12;

/// Verdicts by number, as the launcher knows them.
constexpr u32 KEPT = 0u;
constexpr u32 TOO_FEW = 1u;
constexpr u32 NO_MASS = 2u;
constexpr u32 NOT_FINITE = 3u;

/// The mass, energy and momentum of an aligned jet.
struct Target {
    double mass;
    double energy;
    double momentum;
};

/// Steps 1 to 4: what happens to every constituent. `found` is `KEPT` where it is there.
struct Frame {
    u32 found;
    double gamma_z;
    double gamma_beta_z;
    double cos;
    double sin;
    double scale;
    double gamma_x;
    double gamma_beta_x;
};

/// The frame of a jet. No division is by 0 where it is found; elsewhere the numbers have no meaning.
__device__ __forceinline__ Frame frame_of(FourMomentum jet, Target target) {
    const double transverse2 = (jet.energy - jet.pz) * (jet.energy + jet.pz);
    const double pt2 = jet.px * jet.px + jet.py * jet.py;
    const double mass2 = transverse2 - pt2;
    u32 found = KEPT;
    if (!(jet.energy > 0.0 && mass2 > SMALLEST && mass2 > LEAST_MASS2 * (jet.energy * jet.energy))) found = NO_MASS;
    if (!det::is_finite(mass2)) found = NOT_FINITE;
    const double transverse = det::sqrt(transverse2);
    const double pt = det::sqrt(pt2);
    double cos = 1.0;
    double sin = 0.0;
    if (pt2 > SMALLEST) {
        cos = jet.px / pt;
        sin = jet.py / pt;
    }
    const double scale = target.mass / det::sqrt(mass2);
    const double energy = transverse * scale;
    const double momentum = pt * scale;
    const double square = target.mass * target.mass;
    // cosh and sinh of the difference of the rapidities along x.
    const double gamma_x = (target.energy * energy - target.momentum * momentum) / square;
    const double gamma_beta_x = (target.momentum * energy - target.energy * momentum) / square;
    return Frame{found, jet.energy / transverse, jet.pz / transverse, cos, sin, scale, gamma_x, gamma_beta_x};
}

/// The velocity of the boost along x.
__device__ __forceinline__ double beta_of(const Frame& frame) {
    return frame.gamma_beta_x / frame.gamma_x;
}

/// A constituent in the frame.
__device__ __forceinline__ FourMomentum moved(FourMomentum p, const Frame& frame) {
    const double pz = frame.gamma_z * p.pz - frame.gamma_beta_z * p.energy;
    const double energy = frame.gamma_z * p.energy - frame.gamma_beta_z * p.pz;
    const double px = frame.cos * p.px + frame.sin * p.py;
    const double py = frame.cos * p.py - frame.sin * p.px;
    return FourMomentum{(frame.gamma_x * px + frame.gamma_beta_x * energy) * frame.scale, py * frame.scale,
                        pz * frame.scale, (frame.gamma_x * energy + frame.gamma_beta_x * px) * frame.scale};
}

/// Step 5: the rotation about x that brings the hardest to pz = 0 and py > 0.
struct Turn {
    double cos;
    double sin;
    /// What py of the hardest becomes.
    double size;
};

/// The rotation of this hardest constituent; none where it flies along x.
__device__ __forceinline__ Turn turn_of(double py, double pz) {
    const double square = py * py + pz * pz;
    const double size = det::sqrt(square);
    double cos = 1.0;
    double sin = 0.0;
    if (square > SMALLEST) {
        cos = py / size;
        sin = pz / size;
    }
    return Turn{cos, sin, size};
}

/// The square of the transverse momentum.
__device__ __forceinline__ double pt2_of(double px, double py) {
    return px * px + py * py;
}

/// `ln((|p| + |pz|)^2 / pT^2) / 2` with the sign of pz: exactly 0 for pz = 0; without transverse momentum it is infinite, and 0
/// without any.
__device__ __forceinline__ double eta_of(double pt2, double pz) {
    const double along = det::absolute(pz);
    const double pz2 = pz * pz;
    const double sum = det::sqrt(pt2 + pz2) + along;
    const double sum2 = sum * sum;
    const double logarithm = det::quick_ln_ratio(sum2, pt2);
    double size = 0.0;
    if (sum2 > pt2) size = 0.5 * logarithm;
    if (pt2 < SMALLEST) size = det::infinite();
    if (pz2 < SMALLEST) size = 0.0;
    return pz < 0.0 ? -size : size;
}

/// `atan2(py, px)`; 0 without transverse momentum.
__device__ __forceinline__ double phi_of(double pt2, double px, double py) {
    const double angle = det::quick_atan2(py, px);
    return pt2 < SMALLEST ? 0.0 : angle;
}

/// Step 6: the square of the distance to the axis.
__device__ __forceinline__ double distance2_of(double eta, double phi) {
    return eta * eta + phi * phi;
}

}  // namespace align
