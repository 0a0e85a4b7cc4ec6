//! The mathematics under every stage: deterministic functions, random numbers, exact sums, tails of distributions.

pub mod angle;
pub mod det;
pub mod exact;
pub mod lorentz;
pub mod philox;
pub mod poisson;
pub mod probe;
pub mod special;
