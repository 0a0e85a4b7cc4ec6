//! Jets and what is computed of them.
//!
//! | operation | what it does |
//! |---|---|
//! | [`cluster`] | sequential recombination of particles into jets |
//! | [`substructure`] | splitting scales, N-subjettiness and energy correlations of jets |

pub mod cluster;
pub mod particles;
pub mod substructure;
