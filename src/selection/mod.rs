//! Objects, cuts, survivors, cutflow.

pub mod expression;
