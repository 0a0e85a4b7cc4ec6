// What features.cluster computes: the text of src/features/cluster/math.rs.
#pragma once
#include "common/lorentz.cuh"

namespace cluster {

using lorentz::FourMomentum;

/// Algorithms and recombinations by number, as the launcher gives them.
constexpr u32 ANTI_KT = 0u;
constexpr u32 CAMBRIDGE_AACHEN = 1u;
constexpr u32 KT = 2u;
constexpr u32 WINNER_TAKES_ALL = 1u;

/// The rapidity of what flies along the beam is this and its momentum: apart from everything else.
constexpr double ALONG_BEAM = 1e5;
/// Transverse masses squared below this are none, and transverse momenta squared count as at least this where they are divided
/// by.
constexpr double SMALLEST = 1e-300;
constexpr double TWO_PI = 6.283185307179586;

/// Columns of momenta.
struct Momenta {
    const double* px;
    const double* py;
    const double* pz;
    const double* energy;

    __device__ __forceinline__ FourMomentum at(u32 row) const {
        return FourMomentum{px[row], py[row], pz[row], energy[row]};
    }
};

/// The square of the transverse momentum.
__device__ __forceinline__ double pt2_of(FourMomentum p) {
    return p.px * p.px + p.py * p.py;
}

/// `ln((E + |pz|)^2 / mT^2) / 2` with the sign of pz, where `mT^2 = pT^2 + m^2`; 0 where that is not above 1.
__device__ __forceinline__ double rapidity_of(FourMomentum p, double pt2) {
    const double along = det::absolute(p.pz);
    const double sum = p.energy + along;
    const double mass2 = (p.energy - along) * sum - pt2;
    double transverse2 = pt2;
    if (mass2 > 0.0) transverse2 = pt2 + mass2;
    const double sum2 = sum * sum;
    const double logarithm = det::quick_ln_ratio(sum2, transverse2);
    double size = 0.0;
    if (sum2 > transverse2) size = 0.5 * logarithm;
    if (transverse2 < SMALLEST) size = ALONG_BEAM + along;
    return p.pz < 0.0 ? -size : size;
}

/// `pT^2p`.
__device__ __forceinline__ double weight_of(u32 algorithm, double exponent, double pt2) {
    const double bounded = pt2 > SMALLEST ? pt2 : SMALLEST;
    if (algorithm == ANTI_KT) return 1.0 / bounded;
    if (algorithm == CAMBRIDGE_AACHEN) return 1.0;
    if (algorithm == KT) return pt2;
    return det::pow(bounded, exponent);
}

/// The square of the distance in rapidity and azimuth; the same for the two the other way round.
__device__ __forceinline__ double distance2(double y, double phi, double other_y, double other_phi) {
    const double dy = y - other_y;
    const double turned = det::absolute(phi - other_phi);
    const double rest = TWO_PI - turned;
    const double dphi = turned < rest ? turned : rest;
    return dy * dy + dphi * dphi;
}

/// The harder one, scaled to the sum of the transverse momenta: its mass stays, so that energy and pz grow as the transverse mass.
__device__ __forceinline__ FourMomentum winner_takes_all(FourMomentum a, FourMomentum b) {
    const double a2 = pt2_of(a);
    const double b2 = pt2_of(b);
    const FourMomentum harder = a2 >= b2 ? a : b;
    const double hard2 = a2 >= b2 ? a2 : b2;
    if (hard2 == 0.0) return harder;
    const double sum = det::sqrt(a2) + det::sqrt(b2);
    const double difference = ((harder.energy - harder.pz) * (harder.energy + harder.pz)) - hard2;
    const double mass2 = difference > 0.0 ? difference : 0.0;
    const double scale = sum / det::sqrt(hard2);
    const double stretch = det::sqrt((sum * sum + mass2) / (hard2 + mass2));
    return FourMomentum{harder.px * scale, harder.py * scale, harder.pz * stretch, harder.energy * stretch};
}

/// What two become; `a` has the lower name.
__device__ __forceinline__ FourMomentum recombine(u32 recombination, FourMomentum a, FourMomentum b) {
    return recombination == WINNER_TAKES_ALL ? winner_takes_all(a, b) : lorentz::add_momenta(a, b);
}

}  // namespace cluster
