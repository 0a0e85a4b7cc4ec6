//! spectrum: under construction.
pub mod binned;
