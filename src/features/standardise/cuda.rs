//! The maps on a device.

use super::{NAME, Output, Standardise, Transform, Values};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice};
use crate::error::Result;

const KERNEL: Kernel = Kernel { file: "features/standardise", symbol: "features_standardise", threads: 128 };

/// Numbers of a column: low, high, shift and scale.
const NUMBERS: usize = 4;

impl Standardise {
    /// The device memory of all parameters.
    pub(super) fn bytes(&self) -> u64 {
        let knots: usize = self.transforms.iter().map(|transform| transform.knots().len()).sum();
        (self.transforms.len() * (NUMBERS * size_of::<f64>() + 2 * size_of::<u32>()) + knots * size_of::<f64>()) as u64
    }
}

impl Transform {
    fn knots(&self) -> &[f64] {
        match self {
            Self::Uniform { knots } | Self::Normal { knots } => knots,
            Self::Linear { .. } | Self::Logit { .. } => &[],
        }
    }

    fn kind_and_numbers(&self) -> (u32, [f64; NUMBERS]) {
        match *self {
            Self::Linear { shift, scale } => (0, [0.0, 1.0, shift, scale]),
            Self::Logit { low, high, shift, scale } => (1, [low, high, shift, scale]),
            Self::Uniform { .. } => (2, [0.0; NUMBERS]),
            Self::Normal { .. } => (3, [0.0; NUMBERS]),
        }
    }
}

pub(super) fn mapped(standardise: &Standardise, cuda: &Cuda, input: &Values<OnDevice>) -> Result<Output<OnDevice>> {
    let rows = input.rows();
    let transforms = &standardise.transforms;
    let (kinds, numbers): (Vec<u32>, Vec<[f64; NUMBERS]>) = transforms.iter().map(Transform::kind_and_numbers).unzip();
    let knots: Vec<f64> = transforms.iter().flat_map(Transform::knots).copied().collect();
    let mut ends = vec![0];
    for transform in transforms {
        ends.push(ends.last().copied().unwrap_or(0) + length_u32(NAME, transform.knots().len())?);
    }
    let (kinds, numbers) = (cuda.upload(&kinds)?, cuda.upload(numbers.as_flattened())?);
    let (knots, ends) = (cuda.upload(&knots)?, cuda.upload(&ends)?);
    let mut output = Output::<OnDevice> {
        values: cuda.unset(input.values.len())?,
        ln_jacobian: cuda.unset(rows)?,
        outside: cuda.unset(rows)?,
    };
    let number = length_u32(NAME, rows)?;
    cuda.function(&KERNEL)?.launch(Grid::threads_for(rows, &KERNEL), |arguments| {
        arguments.input(&input.values).input(&kinds).input(&numbers).input(&knots).input(&ends);
        arguments.value(&number).value(&input.columns);
        arguments.output(&mut output.values)?.output(&mut output.ln_jacobian)?.output(&mut output.outside)?;
        Ok(())
    })?;
    Ok(output)
}
