//! campaign: under construction.
