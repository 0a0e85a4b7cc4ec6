//! The `trawl` binary: see [`trawl::cli`].

fn main() -> std::process::ExitCode {
    trawl::cli::main()
}
