//! One event through a program.
