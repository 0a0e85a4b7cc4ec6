//! The mathematics under every stage: deterministic functions, random numbers, exact sums, tails of distributions.
//!
//! | module | what it computes | held to |
//! |---|---|---|
//! | [`det`] | exp, ln, sin, cos, sinh, cosh, tanh, asinh, atan2, hypot, pow, powi | 1.2 ulp, the same bits everywhere |
//! | [`angle`] | azimuths in (-pi, pi], distances in the plane | the same bits everywhere |
//! | [`lorentz`] | four-momenta and their masses, pt, eta, rapidity, phi | the same bits everywhere |
//! | [`philox`] | random words as a function of (seed, stage, unit, draw) | Random123's known answers |
//! | [`permutation`] | shuffles without lists | every number comes once |
//! | [`poisson`] | Poisson draws from 64-bit thresholds | 2^-63 in every P(N <= k) |
//! | [`exact`] | sums of weights that do not depend on their order | exact in declared units |
//! | [`special`] | Poisson and normal tails, chi-squared, Kolmogorov, Clopper-Pearson | 1e-12 of p down to 1e-300, then of ln p |
//! | [`probe`] | any of these on arrays, on either device | equal bits on CPU and CUDA |
//!
//! Nothing here knows physics beyond four-momenta. The texts that CUDA shares are `kernels/common/*.cuh`: the same names,
//! the same order of operations, no library functions but the square root.

pub mod angle;
pub mod det;
pub mod exact;
pub(crate) mod floats;
pub(crate) mod four;
pub mod lorentz;
pub mod permutation;
pub mod philox;
pub mod poisson;
pub mod probe;
pub mod special;
pub(crate) mod tiles;
pub(crate) mod wide;
pub(crate) mod words;
