//! Jets and what is computed of them.
//!
//! | operation | what it does |
//! |---|---|
//! | [`cluster`] | sequential recombination of particles into jets |

pub mod cluster;
pub mod particles;
