//! selection: under construction.
