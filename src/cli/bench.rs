//! `trawl bench CASE`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::MachineFlags;
use crate::campaign::{BenchmarkCase, benchmark};
use crate::device::{CudaSettings, Device};

#[derive(Debug, Args)]
pub(super) struct BenchArguments {
    /// What to measure
    #[arg(value_name = "CASE", value_parser = PossibleValuesParser::new(BenchmarkCase::ALL.map(|(name, _)| name)))]
    case: String,
    /// Toys of a run
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    toys: u64,
    /// Runs, after one that is not counted
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: u32,
    /// Stop toys of the rare tail at this relative error; --toys are then the most
    #[arg(long, value_name = "RELATIVE")]
    accuracy: Option<f64>,
    #[command(flatten)]
    machine: MachineFlags,
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
    Ok(())
}
