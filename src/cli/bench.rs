//! `trawl bench CASE`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::MachineFlags;
use crate::campaign::{BenchmarkCase, NetworkCase, benchmark, benchmark_networks};
use crate::device::{CudaSettings, Device};

#[derive(Debug, Args)]
pub(super) struct BenchArguments {
    /// What to measure
    #[arg(value_name = "CASE", value_parser = PossibleValuesParser::new(names()))]
    case: String,
    /// Toys of a run
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    toys: u64,
    /// Events of networks
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    events: u32,
    /// Runs, after one that is not counted
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: u32,
    /// Stop toys of the rare tail at this relative error; --toys are then the most
    #[arg(long, value_name = "RELATIVE")]
    accuracy: Option<f64>,
    #[command(flatten)]
    machine: MachineFlags,
}

/// The names of all cases.
fn names() -> impl Iterator<Item = &'static str> {
    let networks = NetworkCase::ALL.map(|(name, _)| name);
    BenchmarkCase::ALL.map(|(name, _)| name).into_iter().chain(networks)
}

/// Answers with one line of JSON.
pub(super) fn execute(arguments: &BenchArguments) -> anyhow::Result<()> {
    arguments.machine.start_threads()?;
    let settings = CudaSettings { memory: arguments.machine.memory, ..CudaSettings::default() };
    let device = Device::choose_with(arguments.machine.device, settings)?;
    let cases = BenchmarkCase::ALL.iter().filter(|(name, _)| *name == arguments.case);
    for (_, case) in cases {
        let measured = benchmark(*case, &device, arguments.toys, arguments.runs, arguments.accuracy)?;
        super::say(serde_json::to_string(&measured)?)?;
    }
    for (_, case) in NetworkCase::ALL.iter().filter(|(name, _)| *name == arguments.case) {
        let measured = benchmark_networks(*case, &device, arguments.events, arguments.runs)?;
        super::say(serde_json::to_string(&measured)?)?;
    }
    Ok(())
}
