//! Scanned toys in parts: their tally, or their values.

use sha2::{Digest, Sha256};

use super::{Input, Output, ScanToys};
use crate::device::{Cuda, Device, Download, Host, OnDevice, Operation, Upload};
use crate::error::Result;
use crate::toys::experiment::in_parts;
use crate::toys::{Stopped, Tally, Throw, Toys};

/// Toys between two calls of a progress function where values are kept, on either device.
const TOYS_A_CHUNK: u64 = 20_000;

/// Throws toys until it is time to stop and counts them, judged as `how` says. After each part `watch` is shown the toys so
/// far, and its error ends them.
pub(crate) fn throw_until(
    device: &Device,
    how: ScanToys,
    input: &Input<Host>,
    toys: Toys,
    watch: &mut dyn FnMut(&Tally) -> Result<()>,
) -> Result<(Tally, Stopped)> {
    let all = Throw { seed: toys.seed, first_toy: toys.first_toy, toys: toys.stopping.most() };
    ScanToys { throw: all, ..how }.check(input)?;
    let thrower = Thrower::new(device, how, input)?;
    in_parts(toys, &how.tables_sha256(input), &|part| Ok(thrower.throw(part)?.tally.to_vec()), watch)
}

/// Throws the toys and keeps the smallest logarithm of a p-value of each: 8 bytes a toy. `progress` is told the number of
/// toys that are done, and its error ends the toys.
pub(crate) fn values(
    device: &Device,
    toys: ScanToys,
    input: &Input<Host>,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<Vec<f64>> {
    toys.check(input)?;
    let thrower = Thrower::new(device, toys, input)?;
    let mut values = Vec::new();
    let Throw { first_toy, toys: number, .. } = toys.throw;
    for done in (0..number).step_by(TOYS_A_CHUNK as usize) {
        let part = Throw { first_toy: first_toy + done, toys: TOYS_A_CHUNK.min(number - done), ..toys.throw };
        values.extend_from_slice(&thrower.throw(part)?.ln_p);
        progress(done + part.toys)?;
    }
    Ok(values)
}

/// The tables where the toys are thrown: on CUDA they are uploaded once.
struct Thrower<'t> {
    how: ScanToys,
    place: There<'t>,
}

enum There<'t> {
    Host(&'t Input<Host>),
    Device(&'t Cuda, Box<Input<OnDevice>>),
}

impl<'t> Thrower<'t> {
    fn new(device: &'t Device, how: ScanToys, input: &'t Input<Host>) -> Result<Self> {
        let place = match device {
            Device::Cpu => There::Host(input),
            Device::Cuda(cuda) => {
                let chunk = ScanToys { throw: Throw { toys: TOYS_A_CHUNK, ..how.throw }, ..how };
                cuda.memory().require(ScanToys::NAME, chunk.plan(input).total())?;
                There::Device(cuda, Box::new(input.upload(cuda)?))
            }
        };
        Ok(Self { how, place })
    }

    fn throw(&self, part: Throw) -> Result<Output<Host>> {
        let toys = ScanToys { throw: part, ..self.how };
        match &self.place {
            There::Host(input) => toys.cpu((*input).clone()),
            There::Device(cuda, input) => toys.cuda(cuda, (**input).clone())?.download(cuda),
        }
    }
}

impl ScanToys {
    /// The sha256 of all tables, each with its length, and of how toys are judged, in hexadecimal digits.
    pub(crate) fn tables_sha256(&self, input: &Input<Host>) -> String {
        let mut hash = Sha256::new();
        hash.update((self.stage as u32).to_le_bytes());
        hash.update(self.scan.judge().to_le_bytes());
        hash.update(self.limit_ln_p.to_le_bytes());
        for column in [&input.cell, &input.start, &input.end, &input.sideband_start, &input.sideband_end, &input.set] {
            hash.update((column.len() as u64).to_le_bytes());
            column.iter().for_each(|word| hash.update(word.to_le_bytes()));
        }
        hash.update((input.threshold.len() as u64).to_le_bytes());
        input.threshold.iter().for_each(|threshold| hash.update(threshold.to_le_bytes()));
        for column in [&input.expected, &input.expected_outside, &input.low, &input.high, &input.level_ln_p] {
            hash.update((column.len() as u64).to_le_bytes());
            column.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
