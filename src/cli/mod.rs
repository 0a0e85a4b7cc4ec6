//! The command line: one file a subcommand, exit codes 0 (done), 1 (data), 2 (usage), 75 (try again).
//!
//! What a run says goes to standard error: a progress bar on a terminal, log lines elsewhere, JSON lines with
//! `--log json`, one `error:` line for each problem. Answers go to standard output, whose reader may leave early.

mod bench;
mod check;
mod demo;
mod devices;
mod export;
mod generate;
mod import;
mod inject;
mod inspect;
mod run;
mod score;
mod speech;
mod toys;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::campaign::manifest::Hashed;
use crate::campaign::output::Existing;
use crate::campaign::{Interrupt, Progress, RunRequest};
use crate::device::{Bytes, DeviceChoice};
use crate::error::{Error, Fault, Result};
use crate::events::{BadFiles, panic_becomes_error};
use speech::{LogFormat, SpeechFlags};

/// The exit code of faults that are none of the library's: standard output is full, for example.
const DATA: u8 = 1;

/// Collider events to a globally corrected significance, on CPU and CUDA.
#[derive(Debug, Parser)]
#[command(name = "trawl", version, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 data or files, 2 usage, 75 try again (interrupted, or the device failed)."
)]
struct Cli {
    #[command(flatten)]
    speech: SpeechFlags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate dijet events with a resonance in them and find it: the whole chain in a minute
    Demo(demo::DemoArguments),
    /// Run an analysis card: events in, global significance and report out
    Run(run::RunArguments),
    /// Score events by the networks that a card trained
    Score(score::ScoreArguments),
    /// Write the networks that a card trained as ONNX
    Export(export::ExportArguments),
    /// Check a card against its files and print the plan, without running it
    Check(check::CheckArguments),
    /// Throw toys in parts, add the parts up, and say what they hold
    Toys(toys::ToysArguments),
    /// Add signal to a card's binned spectra until the hunt finds it
    Inject(inject::InjectArguments),
    /// Say what Parquet files hold, and which columns a card can use
    Inspect(inspect::InspectArguments),
    /// Measure throughput on a fixed problem; prints JSON
    Bench(bench::BenchArguments),
    /// List where work can run, and why CUDA cannot be used where it cannot
    Devices,
    /// Write generated events
    Generate(generate::GenerateArguments),
    /// Turn event files of other formats into Parquet
    Import(import::ImportArguments),
}

/// Where and how work runs.
#[derive(Debug, Args)]
struct MachineFlags {
    /// Where to run: auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Threads of the CPU [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// The most memory of a CUDA device to use, for example 2GiB; events beyond it go in smaller chunks
    #[arg(long, value_name = "SIZE")]
    memory: Option<Bytes>,
}

impl MachineFlags {
    /// The request to run, or check, a card on this machine.
    fn request(&self, card: std::path::PathBuf, settings: Vec<String>) -> RunRequest {
        RunRequest {
            card,
            device: self.device,
            threads: self.threads,
            memory: self.memory,
            output: None,
            existing: Existing::SameCard,
            settings,
            hashed: Hashed::Footer,
            bad_files: BadFiles::Refuse,
            command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            checkpoint_every: None,
            thrown_toys: None,
        }
    }

    /// Gives rayon its threads, once for the process.
    fn start_threads(&self) -> Result<()> {
        let Some(threads) = self.threads else { return Ok(()) };
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|why| {
            let fault = Fault::new("cli", format!("cannot start {threads} threads"));
            fault.because(why.to_string()).suggest("Try a smaller --threads.").usage()
        })
    }
}

fn threads(text: &str) -> Result<usize, String> {
    // More than any machine has; rayon would take the number and the system would run out of threads.
    const MOST: usize = 4096;
    match text.parse() {
        Ok(number) if (1..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("expected a number from 1 to {MOST}")),
    }
}

/// How toys go on, whoever runs them.
#[derive(Debug, Clone, Args)]
struct ToyFlags {
    /// Throw toys until the global p-value has this relative error, 0.05 for 5 %; the same as --set toys.accuracy=0.05
    #[arg(long, value_name = "ERROR")]
    accuracy: Option<f64>,
    /// Seconds between two checkpoints of the toys, with which a run that was stopped or killed goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    checkpoint: f64,
}

impl ToyFlags {
    fn apply(&self, mut request: RunRequest) -> RunRequest {
        request.settings.extend(self.accuracy.map(|accuracy| format!("toys.accuracy={accuracy:?}")));
        request.checkpoint_every = Some(Duration::from_secs_f64(self.checkpoint));
        request
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    // A year; a longer Duration may not be added to the clock.
    const MOST: f64 = 3.2e7;
    text.parse()
        .ok()
        .filter(|seconds| (0.0..=MOST).contains(seconds))
        .ok_or(format!("expected seconds from 0 to {MOST}"))
}

/// A card, and settings over those of it.
#[derive(Debug, Clone, Args)]
struct CardFlags {
    /// The analysis card (TOML)
    card: std::path::PathBuf,
    /// Set a value over that of the card, for example toys.number=1000; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Leave out files that cannot be read, and list them with the events that are lost
    #[arg(long)]
    skip_bad_files: bool,
}

impl CardFlags {
    fn bad_files(&self) -> BadFiles {
        if self.skip_bad_files { BadFiles::Skip } else { BadFiles::Refuse }
    }
}

/// Runs the program on its command line.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(words) => {
            // Help and version come this way too. A reader that left early is no fault of theirs.
            let _ = words.print();
            return ExitCode::from(if words.use_stderr() { 2 } else { 0 });
        }
    };
    cli.speech.start_log();
    hush_decoders();
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, cli.speech.format());
            ExitCode::from(error.downcast_ref::<Error>().map_or(DATA, Error::exit_code))
        }
    }
}

/// Keeps Rust's message about a panic from the user where the panic becomes an error with a line of its own: a decoder's,
/// over a damaged file. Every other panic speaks as usual.
fn hush_decoders() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic_becomes_error() {
            usual(panic);
        }
    }));
}

fn execute(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        Command::Demo(arguments) => demo::execute(arguments, &progress(cli)?),
        Command::Run(arguments) => run::execute(arguments, &progress(cli)?),
        Command::Check(arguments) => check::execute(arguments),
        Command::Toys(arguments) => toys::execute(arguments, || progress(cli)),
        Command::Inject(arguments) => inject::execute(arguments, &progress(cli)?),
        Command::Inspect(arguments) => inspect::execute(arguments),
        Command::Bench(arguments) => bench::execute(arguments),
        Command::Score(arguments) => score::execute(arguments, &progress(cli)?),
        Command::Export(arguments) => export::execute(arguments),
        Command::Devices => devices::execute(),
        Command::Generate(arguments) => generate::execute(arguments, &progress(cli)?),
        Command::Import(arguments) => import::execute(arguments, &progress(cli)?),
    }
}

/// Progress as the flags want it, of a run that signals can stop.
fn progress(cli: &Cli) -> Result<Progress> {
    Ok(Progress::new(cli.speech.speech(), Interrupt::listen()?))
}

/// Writes an answer to standard output.
fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Unheard)?;
    Ok(())
}

/// Standard output did not take the answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output ({0})")]
struct Unheard(io::Error);

/// Whether standard output was closed by its reader, as `head` does: everything that was wanted has been read.
fn reader_left(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Unheard>().is_some_and(|why| why.0.kind() == io::ErrorKind::BrokenPipe)
}

/// One line for each problem, then what was being done.
fn report(error: &anyhow::Error, format: LogFormat) {
    let problems: Vec<String> = match error.downcast_ref::<Error>() {
        Some(error) => error.problems().into_iter().map(ToString::to_string).collect(),
        None => vec![format!("{error:#}")],
    };
    // From the outermost context to the library's error; its own sources are in its words.
    let library = |cause: &&(dyn std::error::Error + 'static)| cause.downcast_ref::<Error>().is_some();
    let contexts: Vec<String> = match error.chain().position(|cause| library(&cause)) {
        Some(own) => error.chain().take(own).map(ToString::to_string).collect(),
        None => Vec::new(),
    };
    match format {
        LogFormat::Json => {
            let context = contexts.join(", ");
            problems.iter().for_each(|problem| tracing::error!(context = context.as_str(), "{problem}"));
        }
        LogFormat::Text => {
            let mut stderr = io::stderr().lock();
            for problem in &problems {
                let _ = writeln!(stderr, "error: {problem}");
            }
            for context in contexts {
                let _ = writeln!(stderr, "while {context}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
