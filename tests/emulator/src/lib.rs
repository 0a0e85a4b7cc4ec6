//! Test-only: the CUDA execution model on the CPU.
