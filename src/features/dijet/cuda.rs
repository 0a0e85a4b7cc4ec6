//! The pairs on a device.

use super::{Dijet, Input, Labelling, Output, Scores};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Grid, Kernel, OnDevice, Operation};
use crate::error::Result;

const KERNEL: Kernel = Kernel { file: "features/dijet", symbol: "features_dijet", threads: 128 };

pub(super) fn pairs(dijet: &Dijet, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Output<OnDevice>> {
    let events = input.jets.offsets.length().saturating_sub(1);
    let mut output = Output::<OnDevice> {
        verdict: cuda.unset(events)?,
        first: cuda.unset(events)?,
        second: cuda.unset(events)?,
        mass_gev: cuda.unset(events)?,
        rapidity_difference: cuda.unset(events)?,
        discriminant_first: cuda.unset(events)?,
        discriminant_second: cuda.unset(events)?,
    };
    let labelling = match dijet.labelling {
        Labelling::LargerPtFirst => 0_u32,
        Labelling::HeavierFirst => 1,
        Labelling::LighterFirst => 2,
        Labelling::HiggsFirst => 3,
    };
    let scores = match (input.scores.length(), dijet.scores) {
        (0, _) => 0_u32,
        (_, Scores::Probabilities) => 1,
        (_, Scores::Logits) => 2,
    };
    let number = length_u32(Dijet::NAME, events)?;
    let jets = &input.jets;
    cuda.function(&KERNEL)?.launch(Grid::threads_for(events, &KERNEL), |arguments| {
        arguments.input(&jets.offsets).input(&jets.px).input(&jets.py).input(&jets.pz).input(&jets.energy);
        arguments.input(&input.scores).value(&number).value(&labelling).value(&scores).value(&dijet.top_fraction);
        arguments.output(&mut output.verdict)?.output(&mut output.first)?.output(&mut output.second)?;
        arguments.output(&mut output.mass_gev)?.output(&mut output.rapidity_difference)?;
        arguments.output(&mut output.discriminant_first)?.output(&mut output.discriminant_second)?;
        Ok(())
    })?;
    Ok(output)
}
