// What features.order computes: the text of src/features/order/math.rs.
#pragma once
#include "common/det.cuh"

namespace order {

constexpr double TWO_PI = 6.283185307179586;

/// What is added to the quantity of a constituent that has its place already: no other is so small.
__device__ __forceinline__ double placed() {
    return -det::infinite();
}

/// The square of the distance in pseudorapidity and azimuth; the same for the two the other way round.
__device__ __forceinline__ double distance2(double eta, double phi, double other_eta, double other_phi) {
    const double deta = eta - other_eta;
    const double turned = det::absolute(phi - other_phi);
    const double rest = TWO_PI - turned;
    const double dphi = turned < rest ? turned : rest;
    return deta * deta + dphi * dphi;
}

/// `pT^2 dR^2`, where that is a number, else 0; of what is placed (`placed()` is its `state`, else 0) nothing that is above -1.
__device__ __forceinline__ double quantity(double pt2, double distance2, double state) {
    const double product = pt2 * distance2;
    return (product > 0.0 ? product : 0.0) + state;
}

}  // namespace order
