// Four-momenta in GeV: the text of src/math/lorentz.rs.
#pragma once
#include "common/det.cuh"

namespace lorentz {

using det::asinh;
using det::atan2;
using det::cos;
using det::ln_1p;
using det::sin;
using det::sinh;
using det::sqrt;

/// Energy and momentum in GeV.
struct FourMomentum {
    /// Momentum along x.
    double px;
    /// Momentum along y.
    double py;
    /// Momentum along the beam.
    double pz;
    /// Energy.
    double energy;
};

/// The four-momentum with transverse momentum and mass in GeV, pseudorapidity `eta` and azimuth `phi` in radians:
/// (pt cos phi, pt sin phi, pt sinh eta, sqrt(px^2 + py^2 + pz^2 + m^2)).
__device__ __forceinline__ FourMomentum momentum_of(double pt, double eta, double phi, double mass) {
    const double px = pt * cos(phi);
    const double py = pt * sin(phi);
    const double pz = pt * sinh(eta);
    const double energy = sqrt(((px * px + py * py) + pz * pz) + mass * mass);
    return FourMomentum{px, py, pz, energy};
}

/// `momentum_of` of values of columns.
__device__ __forceinline__ FourMomentum from_pt_eta_phi_mass(float pt, float eta, float phi, float mass) {
    return momentum_of((double)pt, (double)eta, (double)phi, (double)mass);
}

/// The sum, component by component.
__device__ __forceinline__ FourMomentum add_momenta(FourMomentum a, FourMomentum b) {
    return FourMomentum{a.px + b.px, a.py + b.py, a.pz + b.pz, a.energy + b.energy};
}

/// sqrt(max(0, (E - pz)(E + pz) - px^2 - py^2)).
__device__ __forceinline__ double mass_of(FourMomentum p) {
    const double squared = ((p.energy - p.pz) * (p.energy + p.pz) - p.px * p.px) - p.py * p.py;
    if (squared < 0.0) {
        return 0.0;
    }
    return sqrt(squared);
}

/// sqrt(px^2 + py^2).
__device__ __forceinline__ double pt_of(FourMomentum p) {
    return sqrt(p.px * p.px + p.py * p.py);
}

/// asinh(pz / pt): infinite with the sign of pz along the beam, 0 for no momentum at all.
__device__ __forceinline__ double eta_of(FourMomentum p) {
    if (p.pz == 0.0) {
        return 0.0;
    }
    return asinh(p.pz / pt_of(p));
}

/// ln((E + pz)/(E - pz)) / 2: infinite where E = |pz|, NaN where E < |pz|.
__device__ __forceinline__ double rapidity_of(FourMomentum p) {
    if (p.pz < 0.0) {
        return -0.5 * ln_1p(-2.0 * p.pz / (p.energy + p.pz));
    }
    if (p.pz == 0.0) {
        return 0.0;
    }
    return 0.5 * ln_1p(2.0 * p.pz / (p.energy - p.pz));
}

/// atan2(py, px), in [-pi, pi]; -pi only for py = -0.
__device__ __forceinline__ double phi_of(FourMomentum p) {
    return atan2(p.py, p.px);
}

}  // namespace lorentz
