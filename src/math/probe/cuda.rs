use super::{Function, Probe, ProbeInput, ProbeOutput};
use crate::device::launch::length_u32;
use crate::device::{Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::Result;

const KERNEL: Kernel = Kernel { file: "math/probe", symbol: "math_probe", threads: 256 };

/// One launch, a thread an element.
pub fn run(function: Function, cuda: &Cuda, input: &ProbeInput<OnDevice>) -> Result<ProbeOutput<OnDevice>> {
    let n = length_u32(Probe::NAME, input.a.len())?;
    let which = function as u32;
    let mut output = ProbeOutput { bits: cuda.unset(input.a.len())?, not_finite: cuda.zeros(1)? };
    cuda.function(&KERNEL)?.launch(Grid::threads_for(input.a.len(), &KERNEL), |arguments| {
        arguments.value(&which).input(&input.a).input(&input.b);
        arguments.output(&mut output.bits)?.output(&mut output.not_finite)?.value(&n);
        Ok(())
    })?;
    Ok(output)
}
