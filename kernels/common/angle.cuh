// Angles in radians: the text of src/math/angle.rs.
#pragma once
#include "common/det.cuh"

namespace angle {

using det::LARGEST_ANGLE;
using det::PI;
using det::absolute;
using det::is_nan;
using det::nearest;
using det::not_a_number;
using det::sqrt;

/// 2 pi as the doubled double `PI`.
constexpr double TWO_PI = 6.283185307179586;

/// `phi` brought into (-pi, pi] by whole turns of the double 2 pi; exact for the one turn that differences of wrapped
/// angles need. Beyond 2^20 radians and for NaN the answer is NaN.
///
__device__ __forceinline__ double wrap_phi(double phi) {
    if (is_nan(phi) || absolute(phi) > LARGEST_ANGLE) {
        return not_a_number();
    }
    double wrapped = phi;
    if (absolute(phi) > PI) {
        wrapped = phi - nearest(phi / TWO_PI) * TWO_PI;
    }
    if (wrapped > PI) {
        wrapped -= TWO_PI;
    }
    if (wrapped <= -PI) {
        wrapped += TWO_PI;
    }
    return wrapped;
}

/// The difference `phi_a - phi_b` in (-pi, pi].
__device__ __forceinline__ double delta_phi(double phi_a, double phi_b) {
    return wrap_phi(phi_a - phi_b);
}

/// The distance sqrt((eta_a - eta_b)^2 + delta_phi^2); with rapidities instead of pseudorapidities, that of jets.
__device__ __forceinline__ double delta_r(double eta_a, double phi_a, double eta_b, double phi_b) {
    const double deta = eta_a - eta_b;
    const double dphi = delta_phi(phi_a, phi_b);
    return sqrt(deta * deta + dphi * dphi);
}

}  // namespace angle
