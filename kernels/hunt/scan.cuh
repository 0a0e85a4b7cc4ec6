// The local significance of a window: the text of src/hunt/scan/math.rs.
#pragma once
#include "common/special.cuh"

namespace hunt {

/// ln P(N >= observed | expected), or 0 where only excesses count and there is none.
__device__ __forceinline__ double local_ln_p(u64 observed, double expected, u32 excess_only) {
    if (observed == 0) return 0.0;
    if (excess_only != 0u && (double)observed <= expected) return 0.0;
    return special::ln_poisson_survival(observed, expected);
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
