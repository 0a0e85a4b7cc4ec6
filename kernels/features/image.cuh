// What features.image computes: the text of src/features/image/math.rs.
#pragma once
#include "common/angle.cuh"
#include "features/cluster.cuh"

namespace image {

using lorentz::FourMomentum;

/// Squares of transverse momenta below this are none, and so rapidities are below 1000.
constexpr double SMALLEST = 1e-300;
/// Eigenvalues of a covariance that differ by less of their sum are equal: the difference is rounding.
constexpr double ISOTROPIC = 1e-12;
/// Outside of the image.
constexpr u32 NO_PIXEL = 0xffffffffu;

/// Verdicts by number, as the launcher knows them.
constexpr u32 MADE = 0u;
constexpr u32 NO_PT = 1u;
constexpr u32 ALL_OUTSIDE = 2u;
constexpr u32 REFUSED = 3u;

/// What constituents are seen from.
struct Axis {
    double y;
    /// From -pi to pi.
    double phi;
};

/// A constituent in the plane.
struct Placed {
    double pt;
    double y;
    double phi;
};

/// Whether a momentum is what the CPU lets pass: nothing that is not finite, no energy below 0.
__device__ __forceinline__ bool is_good(FourMomentum p, double pt2) {
    return p.energy >= 0.0 && det::is_finite((pt2 + p.pz * p.pz) + p.energy * p.energy);
}

/// The transverse momentum, 0 where that is next to nothing.
__device__ __forceinline__ double pt_of(double pt2) {
    const double pt = det::sqrt(pt2);
    return pt2 < SMALLEST ? 0.0 : pt;
}

/// `phi` less that of the axis, the short way round, for angles from -pi to pi.
__device__ __forceinline__ double seen_from(double axis, double phi) {
    const double difference = phi - axis;
    double seen = difference;
    if (difference > det::PI) seen = difference - angle::TWO_PI;
    if (difference < -det::PI) seen = difference + angle::TWO_PI;
    return seen;
}

/// A constituent seen from the axis. Who has no pT, or is not closer than the radius, is at the origin and counts nothing.
__device__ __forceinline__ Placed placed(double pt, double y, double phi, Axis axis, double radius2) {
    const double dy = y - axis.y;
    const double dphi = seen_from(axis.phi, phi);
    const bool counts = pt > 0.0 && dy * dy + dphi * dphi < radius2;
    return Placed{counts ? pt : 0.0, counts ? dy : 0.0, counts ? dphi : 0.0};
}

/// Step 2: the rotation that brings the principal axis to phi.
struct Turn {
    double cos;
    double sin;
};

/// That of a covariance; none where it has no direction. The angle from phi is within a quarter turn: of twice the angle the cosine is
/// `(phi_phi - yy) / size` and the sine `2 y_phi / size`, and the larger one of its own two is a square root without cancellation.
__device__ __forceinline__ Turn turn_of(double yy, double y_phi, double phi_phi) {
    const double difference = phi_phi - yy;
    const double twice = 2.0 * y_phi;
    const double size = det::sqrt(difference * difference + twice * twice);
    if (!(size > ISOTROPIC * (yy + phi_phi))) return Turn{1.0, 0.0};
    const double larger = det::sqrt((size + det::absolute(difference)) / (2.0 * size));
    const double smaller = det::absolute(twice) / (2.0 * size * larger);
    const bool along = difference >= 0.0;
    const double cos = along ? larger : smaller;
    const double sin = along ? smaller : larger;
    return Turn{cos, twice < 0.0 ? -sin : sin};
}

/// y after it.
__device__ __forceinline__ double turned_y(Turn turn, double y, double phi) {
    return turn.cos * y - turn.sin * phi;
}

/// phi after it.
__device__ __forceinline__ double turned_phi(Turn turn, double y, double phi) {
    return turn.sin * y + turn.cos * phi;
}

/// Step 3: the sign by which the hardest is not below 0.
__device__ __forceinline__ double sign_of(double hardest) {
    return hardest < 0.0 ? -1.0 : 1.0;
}

/// Step 4: rows or columns of pixels.
struct Raster {
    u32 pixels;
    /// The width of a pixel.
    double step;
    /// The pixel around 0.
    double middle;

    /// The pixel of a place, or `NO_PIXEL`: `middle + ceil(x / step - 1/2)`.
    __device__ __forceinline__ u32 index_of(double x) const {
        const double place = x / step - 0.5;
        // What the ceiling brings to the first at least, and to the last at most; not what is no number.
        const bool inside = place > -middle - 1.0 && place <= (double)(pixels - 1u) - middle;
        const double held = inside ? place : 0.0;
        // Towards 0, which is up where it is below.
        const i32 whole = (i32)held;
        const i32 up = (double)whole < held ? whole + 1 : whole;
        const u32 index = (u32)(up + (i32)middle);
        return inside ? index : NO_PIXEL;
    }

    /// The pixel of the image, rows of phi after each other, or `NO_PIXEL`.
    __device__ __forceinline__ u32 pixel_of(double y, double phi) const {
        const u32 column = index_of(y);
        const u32 row = index_of(phi);
        const u32 pixel = row * pixels + column;
        return column == NO_PIXEL || row == NO_PIXEL ? NO_PIXEL : pixel;
    }
};

}  // namespace image
