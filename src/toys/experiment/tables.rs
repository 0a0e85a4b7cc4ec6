//! The tables of the toys of one observation, on the host or on a device, and the operation that throws from them.

use sha2::{Digest, Sha256};

use crate::device::{Cuda, Device, Host, OnDevice, Operation, Upload};
use crate::error::Result;
use crate::toys::{Smeared, Smearing, Throw, smeared, throw};

/// The tables of `toys.throw`, or those of `toys.smeared` where the expectation is uncertain.
pub(super) enum Tables {
    Fixed(throw::Input<Host>),
    Smeared(smeared::Input<Host>, Smearing),
}

/// [`Tables`] where the toys run.
pub(super) enum Ready<'d> {
    Here(Tables),
    Fixed(&'d Cuda, throw::Input<OnDevice>),
    Smeared(&'d Cuda, smeared::Input<OnDevice>, Smearing),
}

impl Tables {
    /// Checks the toys against the tables.
    pub(super) fn check(&self, toys: Throw) -> Result<()> {
        match self {
            Self::Fixed(input) => toys.check(input),
            Self::Smeared(input, smearing) => smeared(toys, *smearing).check(input),
        }
    }

    /// Brings the tables to where `toys` shall run.
    pub(super) fn ready(self, device: &Device, toys: Throw) -> Result<Ready<'_>> {
        let Device::Cuda(cuda) = device else { return Ok(Ready::Here(self)) };
        match self {
            Self::Fixed(input) => {
                cuda.memory().require(Throw::NAME, toys.plan(&input).total())?;
                Ok(Ready::Fixed(cuda, input.upload(cuda)?))
            }
            Self::Smeared(input, smearing) => {
                cuda.memory().require(Smeared::NAME, smeared(toys, smearing).plan(&input).total())?;
                Ok(Ready::Smeared(cuda, input.upload(cuda)?, smearing))
            }
        }
    }

    /// The sha256 of all tables, each with its length, in hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        let words = |hash: &mut Sha256, column: &[u32]| {
            hash.update((column.len() as u64).to_le_bytes());
            column.iter().for_each(|word| hash.update(word.to_le_bytes()));
        };
        match self {
            // The floor decides nothing and is left out.
            Self::Fixed(input) => {
                let draws = &input.draws;
                [&draws.draw, &draws.row, &draws.member, &draws.guide, &input.range]
                    .into_iter()
                    .chain([&input.start, &input.end, &input.minimum, &input.critical])
                    .for_each(|column| words(&mut hash, column));
                hash.update((draws.threshold.len() as u64).to_le_bytes());
                draws.threshold.iter().for_each(|threshold| hash.update(threshold.to_le_bytes()));
            }
            Self::Smeared(input, smearing) => {
                hash.update(smearing.name());
                for column in [&input.expected, &input.middle, &input.most, &input.own, &input.shared] {
                    hash.update((column.len() as u64).to_le_bytes());
                    column.iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
                }
                hash.update(input.columns.to_le_bytes());
                [&input.start, &input.end, &input.height, &input.minimum, &input.critical]
                    .into_iter()
                    .for_each(|column| words(&mut hash, column));
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Ready<'_> {
    /// Throws some toys: their column of the tally.
    pub(super) fn throw(&self, toys: Throw) -> Result<Vec<u64>> {
        match self {
            Self::Here(Tables::Fixed(input)) => Ok(toys.cpu(input.clone())?.tally.to_vec()),
            Self::Here(Tables::Smeared(input, smearing)) => {
                Ok(smeared(toys, *smearing).cpu(input.clone())?.tally.to_vec())
            }
            Self::Fixed(cuda, input) => Ok(cuda.download(&toys.cuda(cuda, input.clone())?.tally)?.to_vec()),
            Self::Smeared(cuda, input, smearing) => {
                let tally = smeared(toys, *smearing).cuda(cuda, input.clone())?.tally;
                Ok(cuda.download(&tally)?.to_vec())
            }
        }
    }
}

fn smeared(toys: Throw, smearing: Smearing) -> Smeared {
    Smeared { seed: toys.seed, first_toy: toys.first_toy, toys: toys.toys, smearing }
}
