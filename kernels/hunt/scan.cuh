// The local significance of a window: the text of src/hunt/scan/math.rs.
#pragma once
#include "common/special.cuh"

namespace hunt {

/// Only windows on the side that is hunted count: p = 1 for the others.
constexpr u32 ONE_SIDE = 1u;
/// Deficits are hunted.
constexpr u32 DEFICIT = 2u;
/// The expectation of a window is scaled to the data outside it.
constexpr u32 SIDEBANDS = 4u;
/// ln(1e-300), the smallest p-value of a window whose expectation is scaled to its sidebands.
constexpr double LN_SMALLEST_SIDEBAND_P = -690.7755278982137;
/// ln 2.
constexpr double LN_TWO = 0.6931471805599453;
/// sqrt(2 / pi).
constexpr double SQRT_TWO_OVER_PI = 0.7978845608028654;

/// ln P(N >= observed | expected), or 0 where only excesses count and there is none.
__device__ __forceinline__ double local_ln_p(u64 observed, double expected, bool excess_only) {
    if (observed == 0) return 0.0;
    if (excess_only && (double)observed <= expected) return 0.0;
    return special::ln_poisson_survival(observed, expected);
}

/// ln P(N <= observed | expected), or 0 where only deficits count and there is none.
__device__ __forceinline__ double deficit_ln_p(u64 observed, double expected, bool deficit_only) {
    if (deficit_only && (double)observed >= expected) return 0.0;
    return special::ln_poisson_cumulative(observed, expected);
}

/// The expected content of a window, scaled to the data outside it where `judge` says so.
__device__ __forceinline__ double expected_content(
    double expected, u64 observed_outside, double expected_outside, u32 judge) {
    if ((judge & SIDEBANDS) == 0u) return expected;
    return expected * ((double)observed_outside / expected_outside);
}

/// The logarithm of a window's p-value; `expected` is its expected_content.
__device__ __forceinline__ double judged_ln_p(u64 observed, double expected, u32 judge) {
    bool one_side = (judge & ONE_SIDE) != 0u;
    bool sidebands = (judge & SIDEBANDS) != 0u;
    if (sidebands && expected <= 0.0) return 0.0;
    double ln_p = (judge & DEFICIT) != 0u ? deficit_ln_p(observed, expected, one_side)
                                          : local_ln_p(observed, expected, one_side);
    if (sidebands && ln_p < LN_SMALLEST_SIDEBAND_P) ln_p = LN_SMALLEST_SIDEBAND_P;
    return ln_p;
}

/// An upper bound of -ln p of a window without a logarithm.
__device__ __forceinline__ double most_t(u64 observed, double expected, u32 judge) {
    if (expected <= 0.0) return 0.0;
    double difference = (double)observed - expected;
    bool deficit = (judge & DEFICIT) != 0u;
    if (deficit) difference = -difference;
    if (difference <= 0.0) return (judge & ONE_SIDE) != 0u ? 0.0 : LN_TWO;
    double relative = difference / expected;
    double square = difference * relative;
    if (deficit) square *= 1.0 + relative;
    return LN_TWO + (SQRT_TWO_OVER_PI * det::sqrt(square) + 0.5 * square);
}

/// The one-sided normal quantile of a local p-value; 0 for p = 1.
__device__ __forceinline__ double local_z(double ln_p) {
    if (ln_p >= 0.0) return 0.0;
    return special::significance(ln_p);
}

/// The more significant of two windows; of equals the lower.
__device__ __forceinline__ bool is_better(double ln_p, u32 window, double than_ln_p, u32 than_window) {
    return ln_p < than_ln_p || (ln_p == than_ln_p && window < than_window);
}

}  // namespace hunt
