//! Tails and quantiles of the distributions that searches quote, accurate far out.
//!
//! | function | what | largest error |
//! |---|---|---|
//! | [`ln_poisson_survival`], [`ln_poisson_cumulative`] | ln P(N >= n), ln P(N <= n) | 1e-12 of p above 1e-300, of ln p below |
//! | [`significance`] | z of ln p | 2e-15 (absolute for abs(z) < 1, else relative) |
//! | [`normal_survival`], [`ln_normal_survival`] | P(Z > z) | 2e-15 relative |
//! | [`ln_gamma`] | ln Gamma(x), x > 0 | 1e-14 (1 + abs(result)) |
//! | [`gamma_p`], [`gamma_q`], [`chi_squared_survival`] | regularised incomplete gamma | 1e-12 relative |
//! | [`kolmogorov_survival`] | asymptotic P(sqrt(n) D > t) | 1e-15 absolute |
//! | [`binomial_interval`] | Clopper-Pearson | 1e-11 relative |
//!
//! All of them use [`super::det`] alone, so that they give the same bits everywhere. `tails` is shared in text with
//! `kernels/common/special.cuh`. The method for Poisson tails: the saddle-point form of one term (C. Loader, "Fast and
//! accurate computation of binomial probabilities", 2000), times the series of the ratios of terms; for counts from 1000
//! on and close to the mean the uniform expansion (N. Temme; DLMF 8.12). mpmath is the oracle (`scripts/oracles/functions.py`).

mod intervals;
mod tails;

pub use intervals::*;
pub use tails::{
    TWO_PI, deviance, ln_normal_survival, ln_poisson_cumulative, ln_poisson_survival, ln_poisson_term, normal_survival,
    significance,
};

#[cfg(test)]
#[rustfmt::skip]
#[allow(clippy::approx_constant)]
mod golden;
#[cfg(test)]
mod tests;
