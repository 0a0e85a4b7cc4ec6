//! Jets and what is computed of them.
//!
//! | operation | what it does |
//! |---|---|
//! | [`align`] | jets brought to one mass, energy and orientation |
//! | [`cluster`] | sequential recombination of particles into jets |
//! | [`dijet`] | the two leading jets, their labels, mass and Higgs discriminants |
//! | [`image`] | pictures of jets from their constituents |
//! | [`order`] | the order in which a network sees constituents |
//! | [`rapidity_mass`] | the rapidity-mass matrix: the objects of an event and all their pairs |
//! | [`standardise`] | columns onto the scale that a network wants |
//! | [`substructure`] | splitting scales, N-subjettiness and energy correlations of jets |

pub mod align;
pub mod cluster;
pub mod dijet;
pub mod image;
pub mod jets;
pub mod order;
pub mod particles;
pub mod rapidity_mass;
pub mod standardise;
pub mod substructure;
