//! What is said on standard error, and how.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::campaign::Speech;
use crate::campaign::progress::between_bars;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Flags of every subcommand.
#[derive(Debug, Args)]
pub(super) struct SpeechFlags {
    /// How to write the log on standard error
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    log: LogFormat,
    /// Say nothing but answers, warnings and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

impl SpeechFlags {
    pub(super) fn format(&self) -> LogFormat {
        self.log
    }

    /// How progress is told: bars would tear JSON lines apart.
    pub(super) fn speech(&self) -> Speech {
        match (self.quiet, self.log) {
            (true, _) => Speech::Quiet,
            (false, LogFormat::Json) => Speech::Log,
            (false, LogFormat::Text) => Speech::of_stderr(),
        }
    }

    /// Sends log lines to standard error. A log that is already there, as in a program that embeds this one, stays.
    pub(super) fn start_log(&self) {
        let level = if self.quiet { LevelFilter::WARN } else { LevelFilter::INFO };
        let log = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(BesideBars);
        let _ = match self.log {
            LogFormat::Text => log.with_ansi(false).try_init(),
            LogFormat::Json => log.json().flatten_event(true).try_init(),
        };
    }
}

/// Standard error, with the progress bars out of the way while a line is written.
struct BesideBars;

impl<'a> MakeWriter<'a> for BesideBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        between_bars(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
