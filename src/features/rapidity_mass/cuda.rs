//! Matrices on a device.

use super::math::Entry;
use super::{Input, Matrices, NAME, RapidityMass};
use crate::device::launch::length_u32;
use crate::device::{Column, ColumnList, Cuda, Grid, Kernel, OnDevice};
use crate::error::Result;

const KERNEL: Kernel = Kernel { file: "features/rapidity_mass", symbol: "features_rapidity_mass", threads: 128 };

/// Columns of a type: offsets, pT, pseudorapidities, azimuths, masses.
pub(super) const COLUMNS: usize = 5;

/// Shared memory that an object with a row takes: nine doubles and a number.
const BYTES_AN_OBJECT: u32 = 76;

/// Shared memory of a block that needs no opt-in.
const SHARED_BYTES: u32 = 48 << 10;

/// Threads of a warp, which has an event.
const WARP: u32 = 32;

/// An entry as the kernel reads it; rows and columns are below 512.
fn word_of(entry: &Entry) -> u32 {
    ((entry.kind as u32) << 20) | (entry.row << 10) | entry.column
}

/// The first place of each type among those of objects, and the type of each place.
fn places(matrix: &RapidityMass) -> (Vec<u32>, Vec<u32>) {
    let first = matrix.first_rows().into_iter().map(|row| row - 1).collect();
    let of_type = |(which, most)| std::iter::repeat_n(which, most as usize);
    let types = (0_u32..).zip(matrix.types.iter().map(|of_type| of_type.most)).flat_map(of_type).collect();
    (first, types)
}

pub(super) fn matrices(matrix: &RapidityMass, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Matrices<OnDevice>> {
    let events = length_u32(NAME, input.events())?;
    let entries: Vec<u32> = matrix.kept().iter().map(word_of).collect();
    let (first, types) = places(matrix);
    let (slots, width) = (length_u32(NAME, types.len())?, length_u32(NAME, entries.len())?);
    let mut list = ColumnList::default();
    let mut totals = Vec::new();
    for objects in &input.objects {
        list.push(&objects.offsets);
        objects.columns().into_iter().for_each(|(_, column)| list.push(column));
        totals.push(length_u32(NAME, objects.pt_gev.length())?);
    }
    let most: Vec<u32> = matrix.types.iter().map(|of_type| of_type.most).collect();
    let number = length_u32(NAME, most.len())?;
    let scale = 1.0 / matrix.collision_energy_gev;
    let (columns, totals, entries) = (cuda.table(list)?, cuda.upload(&totals)?, cuda.upload(&entries)?);
    let (first, most, types) = (cuda.upload(&first)?, cuda.upload(&most)?, cuda.upload(&types)?);
    let mut made = Matrices::<OnDevice> {
        width,
        values: cuda.unset(events as usize * width as usize)?,
        present: cuda.unset(events as usize * matrix.words())?,
        outside: cuda.unset(events as usize)?,
        verdict: cuda.unset(events as usize)?,
    };
    let function = cuda.function(&KERNEL)?;
    let an_event = BYTES_AN_OBJECT * slots;
    let warps = (SHARED_BYTES / an_event).min(function.threads() / WARP).max(1);
    let grid = Grid::blocks(u64::from(events.div_ceil(warps))).shared(warps * an_event).at_most(warps * WARP);
    function.launch(grid, |arguments| {
        arguments.table(&columns).input(&totals).input(&first).input(&most).input(&types).input(&entries);
        arguments.input(&input.missing_gev).input(&input.missing_phi);
        arguments.value(&events).value(&number).value(&slots).value(&width).value(&scale);
        arguments.output(&mut made.values)?.output(&mut made.present)?;
        arguments.output(&mut made.outside)?.output(&mut made.verdict)?;
        Ok(())
    })?;
    Ok(made)
}
