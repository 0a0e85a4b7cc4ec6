//! toys: under construction.
