// What features.standardise computes: the text of src/features/standardise/math.rs.
#pragma once
#include "common/special.cuh"

namespace standardise {

constexpr u32 LINEAR = 0u;
constexpr u32 LOGIT = 1u;
constexpr u32 UNIFORM = 2u;

/// Where a value would be mapped to infinity it counts as being so far from the edge, in units of the range, and is told.
constexpr double EDGE = 1e-6;
/// ln sqrt(2 pi).
constexpr double LN_ROOT_TWO_PI = 0.9189385332046727;

/// A value, the logarithm of the derivative, and whether the input was outside of what was fitted.
struct Mapped {
    double value;
    double ln_derivative;
    u32 outside;
};

/// A share and its derivative.
struct Share {
    double value;
    double derivative;
};

/// The share `u` within the edges.
__device__ __forceinline__ double within(double u) {
    if (u < EDGE) return EDGE;
    if (u > 1.0 - EDGE) return 1.0 - EDGE;
    return u;
}

/// `y = (x - shift) scale`.
__device__ __forceinline__ Mapped linear(double x, double shift, double scale) {
    return Mapped{(x - shift) * scale, det::ln(scale), 0u};
}

/// `y = (ln(u / (1 - u)) - shift) scale` with `u = (x - low) / (high - low)`.
__device__ __forceinline__ Mapped logit(double x, double low, double high, double shift, double scale) {
    const double share = (x - low) / (high - low);
    const double u = within(share);
    const double ln_u = det::ln(u);
    const double ln_rest = det::ln(1.0 - u);
    const double ln_derivative = ((-ln_u - ln_rest) - det::ln(high - low)) + det::ln(scale);
    return Mapped{((ln_u - ln_rest) - shift) * scale, ln_derivative, u != share ? 1u : 0u};
}

/// The share of what was fitted below `x`, linear between `number` rising knots; with its derivative.
__device__ __forceinline__ Share share_below(double x, const double* knots, u32 number) {
    const u32 last = number - 1u;
    // The first knot above x, by halves; between 1 and the last.
    u32 low = 1u;
    u32 high = last;
    while (low < high) {
        const u32 middle = (low + high) / 2u;
        if (knots[middle] > x) {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    const double from = knots[low - 1u];
    const double width = (knots[low] - from) * (double)last;
    return Share{(double)(low - 1u) / (double)last + (x - from) / width, 1.0 / width};
}

/// The share as it is, from 0 to 1.
__device__ __forceinline__ Mapped uniform(double x, const double* knots, u32 number) {
    const Share share = share_below(x, knots, number);
    double u = share.value;
    if (u < 0.0) u = 0.0;
    if (u > 1.0) u = 1.0;
    return Mapped{u, det::ln(share.derivative), u != share.value ? 1u : 0u};
}

/// The quantile of the normal distribution that has the share below it.
__device__ __forceinline__ Mapped normal(double x, const double* knots, u32 number) {
    const Share share = share_below(x, knots, number);
    const double u = within(share.value);
    const double rest = u < 0.5 ? u : 1.0 - u;
    const double size = special::significance(det::ln(rest));
    const double z = u < 0.5 ? -size : size;
    const double ln_derivative = det::ln(share.derivative) + (0.5 * (z * z) + LN_ROOT_TWO_PI);
    return Mapped{z, ln_derivative, u != share.value ? 1u : 0u};
}

}  // namespace standardise
