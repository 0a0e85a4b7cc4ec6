//! card: under construction.
