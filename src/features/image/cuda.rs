//! Images on a device.

use arrow_buffer::ScalarBuffer;

use super::{
    Axes, Image, Images, Input, LARGEST_ON_DEVICE, Made, Membership, NAME, Particles, Reflection, Rotation, cpu,
};
use crate::device::launch::length_u32;
use crate::device::{Column, Cuda, Device, Grid, Host, Kernel, OnDevice};
use crate::error::{Fault, Result};

const KERNEL: Kernel = Kernel { file: "features/image", symbol: "features_image", threads: 128 };

/// Shared memory that a constituent takes: three doubles and a number.
const BYTES_A_CONSTITUENT: u32 = 28;

/// Shared memory of a block that needs no opt-in.
const SHARED_BYTES: u32 = 48 << 10;

/// Threads of a warp, which has a jet.
const WARP: u32 = 32;

/// Particles that go to the device at a time, or images of as many bytes: 32 MB.
const PARTICLES_A_CHUNK: usize = 1 << 20;

/// Pixels that take as much memory as the momentum of a particle.
const PIXELS_A_PARTICLE: usize = 4 * size_of::<f64>() / size_of::<f32>();

/// Jets by the group of their particles.
struct JetsOf<'i> {
    axes: Option<&'i Axes<Host>>,
    /// In the order of their events.
    order: Vec<usize>,
}

impl<'i> JetsOf<'i> {
    fn new(input: &'i Input<Host>) -> Self {
        let axes = input.axes.as_ref();
        let mut order: Vec<usize> = (0..axes.map_or(0, |axes| axes.event.len())).collect();
        if let Some(axes) = axes {
            order.sort_by_key(|jet| axes.event[*jet]);
        }
        Self { axes, order }
    }

    /// The jets of some groups, and what their images are made of.
    fn part(&self, particles: &Particles<Host>, groups: &[usize]) -> (Vec<usize>, Input<Host>) {
        let particles = particles.of_some(groups);
        let Some(axes) = self.axes else { return (groups.to_vec(), Input::of_jets(particles)) };
        let (mut jets, mut event) = (Vec::new(), Vec::new());
        for (index, group) in groups.iter().enumerate() {
            let first = self.order.partition_point(|jet| (axes.event[*jet] as usize) < *group);
            let of_group = self.order[first..].iter().take_while(|jet| axes.event[**jet] as usize == *group);
            jets.extend(of_group);
            event.resize(jets.len(), index as u32);
        }
        let column = |from: &ScalarBuffer<f64>| jets.iter().map(|jet| from[*jet]).collect();
        let axes = Axes { event: event.into(), rapidity: column(&axes.rapidity), phi: column(&axes.phi) };
        (jets, Input::around(axes, particles))
    }
}

/// Groups that fit the device's kernel go there, a chunk after the other, the others to the CPU.
pub(super) fn run(image: &Image, cuda: &Cuda, input: &Input<Host>) -> Result<Made> {
    let (jets, groups) = (input.jets(), input.particles.groups().max(1));
    // Images take memory too.
    let least = image.size().div_ceil(PIXELS_A_PARTICLE) * jets.div_ceil(groups);
    let (chunks, large) = input.particles.parts(LARGEST_ON_DEVICE, PARTICLES_A_CHUNK, least);
    let (device, jets_of) = (Device::Cuda(cuda.clone()), JetsOf::new(input));
    let mut parts: Vec<(Vec<usize>, Images<Host>)> = Vec::new();
    for chunk in chunks {
        let (jets, part) = jets_of.part(&input.particles, &chunk);
        let made = device.run(image, part)?;
        parts.push((jets, made));
    }
    let (left, part) = jets_of.part(&input.particles, &large);
    let too_large = left.len();
    if too_large > 0 {
        tracing::warn!("{too_large} jets are of more than {LARGEST_ON_DEVICE} particles and are left to the CPU");
        parts.push((left, cpu::images(image, &part)));
    }
    Ok(Made { images: in_order(image, jets, &parts), too_large })
}

/// The images of all jets from parts of them.
fn in_order(image: &Image, jets: usize, parts: &[(Vec<usize>, Images<Host>)]) -> Images<Host> {
    let size = image.size();
    let mut values = vec![0.0; jets * size];
    for (numbers, part) in parts {
        for (jet, from) in numbers.iter().zip(part.values.chunks_exact(size)) {
            values[jet * size..][..size].copy_from_slice(from);
        }
    }
    let column = |of: fn(&Images<Host>) -> &ScalarBuffer<u32>| {
        let mut all = vec![0; jets];
        for (numbers, part) in parts {
            numbers.iter().zip(of(part)).for_each(|(jet, value)| all[*jet] = *value);
        }
        all.into()
    };
    Images {
        pixels: image.pixels,
        values: values.into(),
        number: column(|part| &part.number),
        outside: column(|part| &part.outside),
        verdict: column(|part| &part.verdict),
    }
}

pub(super) fn images(image: &Image, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Images<OnDevice>> {
    let particles = &input.particles;
    let largest = particles.largest;
    if largest > LARGEST_ON_DEVICE {
        let fault = Fault::new(NAME, format!("a group of {largest} particles does not fit a block's shared memory"));
        let fault = fault.because(format!("there is room for {LARGEST_ON_DEVICE}"));
        return Err(fault.suggest("Leave such groups to the CPU, as `Image::run` does.").usage());
    }
    let jets = length_u32(NAME, input.jets())?;
    let groups = length_u32(NAME, particles.offsets.length().saturating_sub(1))?;
    let mut made = Images::<OnDevice> {
        pixels: image.pixels,
        values: cuda.unset(jets as usize * image.size())?,
        number: cuda.unset(jets as usize)?,
        outside: cuda.unset(jets as usize)?,
        verdict: cuda.unset(jets as usize)?,
    };
    let axes = match &input.axes {
        Some(axes) => axes.clone(),
        None => Axes { event: cuda.unset(0)?, rapidity: cuda.unset(0)?, phi: cuda.unset(0)? },
    };
    let (in_cone, radius2) = match image.membership {
        Membership::Own => (0_u32, f64::INFINITY),
        Membership::Cone { radius } => (1, radius * radius),
    };
    let rotates = u32::from(image.rotation == Rotation::PrincipalAxis);
    let reflects = u32::from(image.reflection == Reflection::HardestUpperRight);
    let step = image.width / f64::from(image.pixels);
    let function = cuda.function(&KERNEL)?;
    let a_jet = BYTES_A_CONSTITUENT * largest.max(1);
    let warps = (SHARED_BYTES / a_jet).min(function.threads() / WARP).max(1);
    let grid = Grid::blocks(u64::from(jets.div_ceil(warps))).shared(warps * a_jet).at_most(warps * WARP);
    function.launch(grid, |arguments| {
        arguments.input(&particles.offsets).input(&particles.px).input(&particles.py).input(&particles.pz);
        arguments.input(&particles.energy).value(&jets).value(&groups).value(&largest);
        arguments.value(&in_cone).input(&axes.event).input(&axes.rapidity).input(&axes.phi).value(&radius2);
        arguments.value(&image.pixels).value(&step).value(&rotates).value(&reflects);
        arguments.output(&mut made.values)?.output(&mut made.number)?;
        arguments.output(&mut made.outside)?.output(&mut made.verdict)?;
        Ok(())
    })?;
    Ok(made)
}
