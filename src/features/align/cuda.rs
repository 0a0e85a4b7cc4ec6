//! The alignment on a device.

use arrow_buffer::ScalarBuffer;

use super::{Align, Aligned, AlignedJets, LARGEST_ON_DEVICE, NAME, Particles, Truncation, cpu};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Device, Element, Grid, Host, Kernel, OnDevice};
use crate::error::{Fault, Result};

const KERNEL: Kernel = Kernel { file: "features/align", symbol: "features_align", threads: 128 };

/// Shared memory that a constituent takes: five doubles and two numbers.
const BYTES_A_CONSTITUENT: u32 = 48;

/// Shared memory of a block that needs no opt-in.
const SHARED_BYTES: u32 = 48 << 10;

/// Threads of a warp, which has a jet.
const WARP: u32 = 32;

/// Constituents that go to the device at a time: 32 MB.
const CONSTITUENTS_A_CHUNK: usize = 1 << 20;

/// Jets that fit the device's kernel go there, a chunk after the other, the others to the CPU.
pub(super) fn run(align: &Align, cuda: &Cuda, jets: &Particles<Host>) -> Result<AlignedJets> {
    // A jet's rows take memory too.
    let (chunks, large) = jets.parts(LARGEST_ON_DEVICE, CONSTITUENTS_A_CHUNK, align.most as usize);
    let device = Device::Cuda(cuda.clone());
    let mut parts: Vec<(Vec<usize>, Aligned<Host>)> = Vec::new();
    for chunk in chunks {
        let found = device.run(align, jets.of_some(&chunk))?;
        parts.push((chunk, found));
    }
    if !large.is_empty() {
        tracing::warn!(
            "{} jets have more than {LARGEST_ON_DEVICE} constituents and are aligned on the CPU",
            large.len()
        );
        parts.push((large.clone(), cpu::align(align, &jets.of_some(&large))));
    }
    Ok(AlignedJets { aligned: in_order(align.most, jets.groups(), &parts), too_large: large.len() })
}

/// All jets from parts of them.
fn in_order(most: u32, jets: usize, parts: &[(Vec<usize>, Aligned<Host>)]) -> Aligned<Host> {
    fn put<T: Element>(
        (jets, rows): (usize, usize),
        parts: &[(Vec<usize>, Aligned<Host>)],
        column: impl Fn(&Aligned<Host>) -> &ScalarBuffer<T>,
    ) -> ScalarBuffer<T> {
        let mut all = vec![T::default(); jets * rows];
        for (part, aligned) in parts {
            for (jet, from) in part.iter().zip(column(aligned).chunks_exact(rows)) {
                all[jet * rows..(jet + 1) * rows].copy_from_slice(from);
            }
        }
        all.into()
    }
    let rows = (jets, most as usize);
    Aligned {
        most,
        pt: put(rows, parts, |part| &part.pt),
        eta: put(rows, parts, |part| &part.eta),
        phi: put(rows, parts, |part| &part.phi),
        index: put(rows, parts, |part| &part.index),
        number: put((jets, 1), parts, |part| &part.number),
        verdict: put((jets, 1), parts, |part| &part.verdict),
        beta: put((jets, 1), parts, |part| &part.beta),
    }
}

pub(super) fn align(align: &Align, cuda: &Cuda, jets: &Particles<OnDevice>) -> Result<Aligned<OnDevice>> {
    let largest = jets.largest;
    if largest > LARGEST_ON_DEVICE {
        let fault = Fault::new(NAME, format!("a jet of {largest} constituents does not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {LARGEST_ON_DEVICE}"));
        return Err(fault.suggest("Leave such jets to the CPU, as `Align::run` does.").usage());
    }
    let groups = jets.offsets.length().saturating_sub(1);
    let number = length_u32(NAME, groups)?;
    let rows = groups * align.most as usize;
    length_u32(NAME, rows)?;
    let truncation = match align.truncation {
        Truncation::Pt => 0_u32,
        Truncation::Kt => 1,
    };
    let mut made = Aligned::<OnDevice> {
        most: align.most,
        pt: cuda.unset(rows)?,
        eta: cuda.unset(rows)?,
        phi: cuda.unset(rows)?,
        index: cuda.unset(rows)?,
        number: cuda.unset(groups)?,
        verdict: cuda.unset(groups)?,
        beta: cuda.unset(groups)?,
    };
    let function = cuda.function(&KERNEL)?;
    let a_jet = BYTES_A_CONSTITUENT * largest.max(1);
    let warps = (SHARED_BYTES / a_jet).min(function.threads() / WARP).max(1);
    let blocks = u64::from(number.div_ceil(warps));
    let grid = Grid::blocks(blocks).shared(warps * a_jet).at_most(warps * WARP);
    let largest2 = align.largest_distance * align.largest_distance;
    function.launch(grid, |arguments| {
        arguments.input(&jets.offsets).input(&jets.px).input(&jets.py).input(&jets.pz).input(&jets.energy);
        arguments.value(&number).value(&largest).value(&align.most).value(&align.least).value(&truncation);
        arguments.value(&align.target.mass).value(&align.target.energy).value(&align.target.momentum).value(&largest2);
        arguments.output(&mut made.pt)?.output(&mut made.eta)?.output(&mut made.phi)?.output(&mut made.index)?;
        arguments.output(&mut made.number)?.output(&mut made.verdict)?.output(&mut made.beta)?;
        Ok(())
    })?;
    Ok(made)
}
