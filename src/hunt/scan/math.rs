//! The scalar functions of the scan, the same text as `kernels/hunt/scan.cu` and `kernels/common/special.cuh`.

use crate::math::special;

/// `ln P(N >= observed | expected)`, or 0 where the convention counts excesses only and there is none.
pub fn local_ln_p(observed: u64, expected: f64, excess_only: bool) -> f64 {
    if observed == 0 {
        return 0.0;
    }
    if excess_only && observed as f64 <= expected {
        return 0.0;
    }
    special::ln_poisson_survival(observed, expected)
}

/// The one-sided normal quantile of a local p-value; 0 for p = 1, whose quantile would be minus infinity.
pub fn local_z(ln_p: f64) -> f64 {
    if ln_p >= 0.0 {
        return 0.0;
    }
    special::significance(ln_p)
}
