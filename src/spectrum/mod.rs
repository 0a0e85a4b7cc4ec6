//! spectrum: under construction.
