//! The steps on a device.

use arrow_buffer::ScalarBuffer;

use super::{Algorithm, Cluster, Clustered, Histories, LARGEST_ON_DEVICE, NAME, Particles, Recombination, cpu};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Device, Element, Grid, Host, Kernel, OnDevice};
use crate::error::{Fault, Result};

const KERNEL: Kernel = Kernel { file: "features/cluster", symbol: "features_cluster", threads: 128 };

/// Shared memory that an object takes: four doubles and three numbers.
const BYTES_AN_OBJECT: u32 = 44;

/// Particles that go to the device at a time: 80 MB with what comes back.
const PARTICLES_A_CHUNK: usize = 1 << 20;

/// Events that fit the device's kernel go there, a chunk after the other, the others to the CPU.
pub(super) fn run(cluster: &Cluster, cuda: &Cuda, particles: &Particles<Host>) -> Result<Clustered> {
    let (chunks, large) = particles.parts(LARGEST_ON_DEVICE, PARTICLES_A_CHUNK, 0);
    let device = Device::Cuda(cuda.clone());
    let mut parts: Vec<(Vec<usize>, Histories<Host>)> = Vec::new();
    for chunk in chunks {
        let found = device.run(cluster, particles.of_some(&chunk))?;
        parts.push((chunk, found));
    }
    if !large.is_empty() {
        tracing::warn!(
            "{} events have more than {LARGEST_ON_DEVICE} particles and are clustered on the CPU",
            large.len()
        );
        parts.push((large.clone(), cpu::cluster(cluster, &particles.of_some(&large))));
    }
    Ok(Clustered { histories: in_order(particles, &parts), too_large: large.len() })
}

/// The steps of all events from parts of them.
fn in_order(particles: &Particles<Host>, parts: &[(Vec<usize>, Histories<Host>)]) -> Histories<Host> {
    fn put<T: Element>(
        particles: &Particles<Host>,
        parts: &[(Vec<usize>, Histories<Host>)],
        column: impl Fn(&Histories<Host>) -> &ScalarBuffer<T>,
    ) -> ScalarBuffer<T> {
        let mut all = vec![T::default(); particles.px.len()];
        for (events, histories) in parts {
            for (index, event) in events.iter().enumerate() {
                let rows = histories.offsets[index] as usize..histories.offsets[index + 1] as usize;
                all[particles.rows(*event)].copy_from_slice(&column(histories)[rows]);
            }
        }
        all.into()
    }
    Histories {
        offsets: particles.offsets.clone(),
        first: put(particles, parts, |part| &part.first),
        second: put(particles, parts, |part| &part.second),
        distance: put(particles, parts, |part| &part.distance),
        px: put(particles, parts, |part| &part.px),
        py: put(particles, parts, |part| &part.py),
        pz: put(particles, parts, |part| &part.pz),
        energy: put(particles, parts, |part| &part.energy),
    }
}

pub(super) fn cluster(cluster: &Cluster, cuda: &Cuda, particles: &Particles<OnDevice>) -> Result<Histories<OnDevice>> {
    let largest = particles.largest;
    if largest > LARGEST_ON_DEVICE {
        let fault = Fault::new(NAME, format!("an event of {largest} particles does not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {LARGEST_ON_DEVICE}"));
        return Err(fault.suggest("Leave such events to the CPU, as `Cluster::run` does.").usage());
    }
    let total = particles.px.length();
    let events = length_u32(NAME, particles.offsets.length().saturating_sub(1))?;
    let (algorithm, exponent) = match cluster.algorithm {
        Algorithm::AntiKt => (0_u32, -1.0),
        Algorithm::CambridgeAachen => (1, 0.0),
        Algorithm::Kt => (2, 1.0),
        Algorithm::Generalised(p) => (3, p),
    };
    let recombination = match cluster.recombination {
        Recombination::Sum => 0_u32,
        Recombination::WinnerTakesAll => 1,
    };
    let mut made = Histories::<OnDevice> {
        offsets: particles.offsets.clone(),
        first: cuda.unset(total)?,
        second: cuda.unset(total)?,
        distance: cuda.unset(total)?,
        px: cuda.unset(total)?,
        py: cuda.unset(total)?,
        pz: cuda.unset(total)?,
        energy: cuda.unset(total)?,
    };
    let grid = Grid::blocks(u64::from(events)).shared(BYTES_AN_OBJECT * largest);
    cuda.function(&KERNEL)?.launch(grid, |arguments| {
        arguments.input(&particles.offsets).input(&particles.px).input(&particles.py).input(&particles.pz);
        arguments.input(&particles.energy).value(&events).value(&largest).value(&algorithm).value(&exponent);
        arguments.value(&cluster.radius).value(&recombination);
        arguments.output(&mut made.first)?.output(&mut made.second)?.output(&mut made.distance)?;
        arguments.output(&mut made.px)?.output(&mut made.py)?.output(&mut made.pz)?.output(&mut made.energy)?;
        Ok(())
    })?;
    Ok(made)
}
