//! Every kernel against its CPU twin, through the crate's own launch code on the emulated driver.
//!
//! Each operation has a module here. Its tests run in the checked emulator; then this binary runs itself again in child
//! processes: under the address and undefined-behaviour build, under the perturbed build (contraction on, library
//! results off by 2 ulp: no integer may change), and once for each mutant, which must fail.

mod align;
mod cluster;
mod columns;
mod dijet;
mod fill;
mod harness;
mod image;
mod order;
mod probe;
mod rapidity_mass;
mod rerun;
mod scan;
mod scan_toys;
mod select;
mod smeared;
mod smeared_tail;
mod standardise;
mod substructure;
mod tail;
mod throw;
mod train;
mod train_bfloat16;
