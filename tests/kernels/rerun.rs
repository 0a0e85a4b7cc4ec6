//! This binary again, in child processes: other builds of the emulator, and mutants.
