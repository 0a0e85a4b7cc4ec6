//! events: under construction.
