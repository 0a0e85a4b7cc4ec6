//! hunt: under construction.
