//! Runs of the binary.

use assert_cmd::Command;

/// What a run said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The binary, away from any emulated driver and from settings of the environment.
pub fn trawl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trawl"));
    command.env_remove("RUST_BACKTRACE").env_remove("LD_LIBRARY_PATH");
    command
}

/// Runs to the end.
pub fn say(mut command: Command) -> Said {
    let output = command.output().expect("the binary runs");
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: words(&output.stdout), err: words(&output.stderr) }
}
