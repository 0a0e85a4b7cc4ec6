//! The observables on a device: its histories, and a block a jet.

use arrow_buffer::ScalarBuffer;

use super::math::{Power, least_of, scale_of};
use super::{Axes, Found, Guard, LARGEST_ON_DEVICE, NAME, Observable, Observables, Splittings, Substructure, cpu};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Device, Element, Grid, Host, Kernel, OnDevice, Operation};
use crate::error::{Fault, Result};
use crate::features::cluster::Histories;
use crate::features::particles::Particles;

const KERNEL: Kernel = Kernel { file: "features/substructure", symbol: "features_substructure", threads: 128 };

/// Shared memory that a constituent takes: rapidity, azimuth and share.
const BYTES_A_CONSTITUENT: u32 = 24;

/// Shared memory of the lanes and axes, whatever the jet.
const STATIC_BYTES: u32 = 512;

/// What shared memory may take without asking for more than every device has.
const SHARED_BYTES: u32 = 48 << 10;

/// Rows of distances in a tile of triples, at most: more would leave fewer blocks of jets of 68 to a multiprocessor.
const MOST_TILE_ROWS: u32 = 8;

/// Constituents that go to the device at a time: 170 MB with two histories and what comes back.
const CONSTITUENTS_A_CHUNK: usize = 1 << 20;

/// Blocks have places of their own in device memory, so that there are no more than keep an H100 busy (16 on each of 132
/// multiprocessors), and fewer for large jets.
const MOST_BLOCKS: u64 = 2112;

/// What the places of all blocks take, unless one needs more.
const MOST_PLACES: u64 = (256 << 20) / size_of::<f64>() as u64;

/// The places of a block whose largest jet has so many constituents: distances of pairs, and sums in lanes of pairs and triples.
/// Larger ones than fit are refused.
pub(super) fn places(largest: u32) -> u64 {
    let largest = u64::from(largest.min(LARGEST_ON_DEVICE));
    largest * (largest.next_multiple_of(4) + 8)
}

/// The rows of distances that fit a tile beside the constituents of the largest jet.
fn tile_rows(largest: u32) -> u32 {
    let row = 8 * largest.next_multiple_of(4).max(4);
    ((SHARED_BYTES - STATIC_BYTES - BYTES_A_CONSTITUENT * largest) / row).clamp(1, MOST_TILE_ROWS)
}

/// The blocks of a launch, at most.
pub(super) fn most_blocks(jets: u64, largest: u32) -> u64 {
    jets.min(MOST_BLOCKS).min(MOST_PLACES / places(largest).max(1)).max(1)
}

/// Jets that fit the device's kernel go there, a chunk after the other, the others to the CPU.
pub(super) fn run(substructure: &Substructure, cuda: &Cuda, jets: &Particles<Host>) -> Result<Found> {
    let (chunks, large) = jets.parts(LARGEST_ON_DEVICE, CONSTITUENTS_A_CHUNK, 0);
    let device = Device::Cuda(cuda.clone());
    let mut parts: Vec<(Vec<usize>, Observables<Host>)> = Vec::new();
    for chunk in chunks {
        let found = device.run(substructure, jets.of_some(&chunk))?;
        parts.push((chunk, found));
    }
    let too_large = large.len();
    if too_large > 0 {
        tracing::warn!("{too_large} jets have more than {LARGEST_ON_DEVICE} constituents and are left to the CPU");
        let found = cpu::compute(substructure, &jets.of_some(&large))?;
        parts.push((large, found));
    }
    Ok(Found { observables: in_order(jets.groups(), &parts), too_large })
}

/// The observables of all jets from parts of them.
fn in_order(jets: usize, parts: &[(Vec<usize>, Observables<Host>)]) -> Observables<Host> {
    fn put<T: Element>(
        jets: usize,
        parts: &[(Vec<usize>, Observables<Host>)],
        column: impl Fn(&Observables<Host>) -> &ScalarBuffer<T>,
    ) -> ScalarBuffer<T> {
        let columns = parts.first().map_or(0, |(_, part)| column(part).len() / part.jets().max(1));
        let mut all = vec![T::default(); columns * jets];
        for (numbers, part) in parts {
            for (index, value) in column(part).iter().enumerate() {
                all[index / numbers.len() * jets + numbers[index % numbers.len()]] = *value;
            }
        }
        all.into()
    }
    Observables {
        values: put(jets, parts, |part| &part.values),
        multiplicity: put(jets, parts, |part| &part.multiplicity),
        defined: put(jets, parts, |part| &part.defined),
    }
}

/// A power by number, and half its exponent.
fn numbers_of(beta: f64) -> (u32, f64) {
    match Power::of(beta) {
        Power::Root => (0, 0.5),
        Power::Itself => (1, 1.0),
        Power::Half(half) => (2, half),
    }
}

/// A history where there is none.
fn nothing(cuda: &Cuda, jets: &Particles<OnDevice>) -> Result<Histories<OnDevice>> {
    Ok(Histories {
        offsets: jets.offsets.clone(),
        first: cuda.unset(0)?,
        second: cuda.unset(0)?,
        distance: cuda.unset(0)?,
        px: cuda.unset(0)?,
        py: cuda.unset(0)?,
        pz: cuda.unset(0)?,
        energy: cuda.unset(0)?,
    })
}

pub(super) fn compute(
    substructure: &Substructure,
    cuda: &Cuda,
    jets: &Particles<OnDevice>,
) -> Result<Observables<OnDevice>> {
    let largest = jets.largest;
    if largest > LARGEST_ON_DEVICE {
        let fault = Fault::new(NAME, format!("a jet of {largest} constituents does not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {LARGEST_ON_DEVICE}"));
        return Err(fault.suggest("Leave such jets to the CPU, as `Substructure::run` does.").usage());
    }
    let number = length_u32(NAME, jets.offsets.length().saturating_sub(1))?;
    let has_splittings = u32::from(substructure.splittings == Splittings::Computed);
    let has_subjettiness = u32::from(substructure.subjettiness.is_some());
    let has_correlations = u32::from(substructure.correlations.is_some());
    let of_axes = substructure.subjettiness.map(|subjettiness| subjettiness.axes);
    let kt = if has_splittings > 0 || of_axes == Some(Axes::Kt) {
        Axes::Kt.cluster()?.cuda(cuda, jets.clone())?
    } else {
        nothing(cuda, jets)?
    };
    let axes = match of_axes {
        None | Some(Axes::Kt) => kt.clone(),
        Some(other) => other.cluster()?.cuda(cuda, jets.clone())?,
    };
    let (tau_power, tau_half) = numbers_of(substructure.subjettiness.map_or(1.0, |subjettiness| subjettiness.beta));
    let scale =
        substructure.subjettiness.and_then(|subjettiness| scale_of(subjettiness.normalisation, subjettiness.beta));
    let (is_normalised, tau_scale) = (u32::from(scale.is_some()), scale.unwrap_or(1.0));
    let (pair_power, pair_half) = numbers_of(substructure.correlations.map_or(1.0, |correlations| correlations.beta));
    let tau_least = least_of(substructure.subjettiness.map_or(1.0, |subjettiness| subjettiness.beta));
    let pair_least = least_of(substructure.correlations.map_or(1.0, |correlations| correlations.beta));
    let (guard, guard_value) = match substructure.guard {
        Guard::Offset(offset) => (0_u32, offset),
        Guard::Floor(floor) => (1, floor),
        Guard::Value(value) => (2, value),
    };
    let function = cuda.function(&KERNEL)?;
    let tile_rows = tile_rows(largest);
    let tile = if has_correlations > 0 { 8 * tile_rows * largest.next_multiple_of(4) } else { 0 };
    let grid = Grid::blocks(most_blocks(u64::from(number), largest)).shared(BYTES_A_CONSTITUENT * largest + tile);
    let places = if has_correlations > 0 { u64::from(function.blocks(grid)) * places(largest) } else { 0 };
    let mut places = cuda.unset::<f64>(places as usize)?;
    let mut found = Observables::<OnDevice> {
        values: cuda.unset(Observable::NUMBER * number as usize)?,
        multiplicity: cuda.unset(number as usize)?,
        defined: cuda.unset(number as usize)?,
    };
    function.launch(grid, |arguments| {
        arguments.input(&jets.offsets).input(&jets.px).input(&jets.py).input(&jets.pz).input(&jets.energy);
        arguments.value(&number).value(&largest).value(&has_splittings).input(&kt.distance);
        arguments.value(&has_subjettiness).input(&axes.first).input(&axes.second);
        arguments.input(&axes.px).input(&axes.py).input(&axes.pz).input(&axes.energy);
        arguments.value(&tau_power).value(&tau_half).value(&is_normalised).value(&tau_scale).value(&tau_least);
        arguments.value(&has_correlations).value(&pair_power).value(&pair_half).value(&pair_least);
        arguments.value(&tile_rows).value(&guard).value(&guard_value).output(&mut places)?;
        arguments.output(&mut found.values)?.output(&mut found.multiplicity)?.output(&mut found.defined)?;
        Ok(())
    })?;
    Ok(found)
}
