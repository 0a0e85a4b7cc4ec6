//! Jets and what is computed of them.
//!
//! | operation | what it does |
//! |---|---|
//! | [`align`] | jets brought to one mass, energy and orientation |
//! | [`cluster`] | sequential recombination of particles into jets |
//! | [`order`] | the order in which a network sees constituents |

pub mod align;
pub mod cluster;
pub mod order;
pub mod particles;
