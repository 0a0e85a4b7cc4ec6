//! Jets and what is computed of them.
//!
//! | operation | what it does |
//! |---|---|
//! | [`cluster`] | sequential recombination of particles into jets |
//! | [`dijet`] | the two leading jets, their labels, mass and Higgs discriminants |
//! | [`standardise`] | columns onto the scale that a network wants |
//! | [`substructure`] | splitting scales, N-subjettiness and energy correlations of jets |

pub mod cluster;
pub mod dijet;
pub mod jets;
pub mod particles;
pub mod standardise;
pub mod substructure;
