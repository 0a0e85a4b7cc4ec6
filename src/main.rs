//! The `trawl` binary: see [`trawl::cli`].
fn main() {}
