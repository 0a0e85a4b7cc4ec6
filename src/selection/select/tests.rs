//! Tests of the whole operation on the CPU.
