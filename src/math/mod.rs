//! math: under construction.
