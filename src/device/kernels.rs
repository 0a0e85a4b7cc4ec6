//! The kernel images that `build.rs` compiled with nvcc and embedded.

mod table {
    include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
}

/// Every embedded image: the kernel's file below `kernels/` without its ending (`toys/throw`), and its fatbin.
pub fn images() -> &'static [(&'static str, &'static [u8])] {
    table::KERNELS
}

/// The architectures that the images hold machine code for, such as `sm_80`; empty in a build without nvcc.
pub fn architectures() -> &'static [&'static str] {
    table::ARCHITECTURES
}

/// The compiler's version line, if there was a compiler.
pub fn compiler() -> Option<&'static str> {
    table::COMPILER
}

/// The image of one file.
pub fn image(file: &str) -> Option<&'static [u8]> {
    images().iter().find(|(name, _)| *name == file).map(|(_, image)| *image)
}
