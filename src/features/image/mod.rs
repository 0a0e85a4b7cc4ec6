//! `features.image`: pictures of jets for convolutional networks, batch by batch from their constituents.
//!
//! **What.** Of the constituents of a jet that have pT, each at its rapidity y and at its azimuth phi, seen from the azimuth of
//! the axis the short way round:
//!
//! 1. the centroid, weighted with pT, is brought to the origin;
//! 2. where there are more than two, they are turned so that the principal axis of their covariance, weighted with pT, lies along phi
//!    ([`Rotation`]);
//! 3. each axis is reflected if the hardest would be below 0 on it, so that it is in the upper right quadrant ([`Reflection`]);
//! 4. of `pixels` by `pixels` over `width` by `width` each takes the pixel `floor(pixels / 2) + ceil(x / w - 1/2)`, w = width / pixels, and
//!    adds its pT there; who is outside is dropped;
//! 5. the image is divided by the sum of its pixels.
//!
//! The axis is the sum of the four-momenta given. Step 1 takes any rapidity of it away again, so only its azimuth is used.
//! [`Membership`] says who is a constituent: those of the clustering, or, as in the published images of Tag N' Train, whatever
//! particle of the event is closer to a given axis than R, also where another jet owns it.
//!
//! **Shapes.** A column of n images of `pixels^2` numbers in `f32`. Rows are of one phi, and the fastest index is that of y. The pixel in the
//! middle (20 of 40) is around the origin, so that an image of an even number reaches half a pixel further below than above:
//! -0.7175 to 0.6825 by default.
//!
//! **Where there is nothing to see.** No pixel is ever NaN. [`Images::verdict`] says why an image is all 0: no constituent has pT (from 1e-150 GeV
//! on; what flies along the beam has none), or all are outside; [`Images::count`] counts such jets. [`Images::outside`] has the
//! constituents that were dropped of each jet. Of equally hard ones the first is the hardest. Where the covariance has no
//! direction (its two eigenvalues are equal to 1e-12 of their sum: all at one place, a square, a triangle) nothing is
//! turned. A hardest constituent on an axis is there but for rounding, which then decides about the reflection. Momenta that are not
//! finite and energies below 0 are errors; on a device, where nobody has looked at them, the verdict is [`Verdict::Refused`].
//!
//! **Numbers.** `f64` with + - * / sqrt and [`crate::math::det`]; the sine and cosine of the rotation are square roots of the covariance's
//! elements. Sums over the constituents are those of every 32nd and then of these 32 in pairs, a pixel adds its own in their order,
//! and each is rounded to `f32` once. CPU and CUDA answer the same bits for any block size, thread count and split.
//!
//! **Cost.** 32 bytes a constituent are read, 4 bytes a pixel written. A logarithm, an arc tangent, a root and three divisions a constituent.
//! One core of an AMD EPYC at 2.4 GHz, beside other work, takes 3.3 us for an image of 40 by 40 of a leading jet of the LHC Olympics (56 constituents in the
//! mean), of which 1.9 us are the constituents' and the rest is memory, and 5.6 us with a cone among 170 particles, in batches of 2,000 jets
//! (`examples/images.rs`). A batch of 10,000, whose 64 MB the system must give anew, pays 5 us an image for it. Two images an event of 1.1 million
//! would take 28 GB as doubles, so they are made when a network takes them, and not stored.
//!
//! On CUDA a warp has a jet, 28 bytes of shared memory a constituent, up to 1,024 of them (of an event, for cones). Writing dominates: 8.6 kB a jet
//! are read and written, so the memory of an H100 (3.35 TB/s) bounds it to 3.9e8 images of 40 by 40 a second.
//! The kernel is checked by emulation and SASS, not yet run on a GPU.
//!
//! **Source.** O. Amram and C. M. Suarez, JHEP 01 (2021) 153 (Tag N' Train), and its program (OzAmram/TagNTrain, `processing/ImageUtils.py`), with 40
//! pixels over 1.4; after Macaluso and Shih, JHEP 10 (2018) 121.
//!
//! **Held to** a transcription of these steps in NumPy (`scripts/oracles/images.py`): a worked jet, a checksum over many, the two
//! large jets of FastJet's sample event, and pixel by pixel the leading jets of 1,000 LHC Olympics events and 10,000 random ones; and to
//! invariance under boosts along the beam, rotations, reflections and rescaling.
//!
//! ```
//! use trawl::features::image::{Image, Input, Verdict};
//! use trawl::features::particles::Particles;
//! use trawl::math::lorentz::FourMomentum;
//! let jet = [(100.0, 0.0, 0.0), (60.0, 0.4, 0.0), (40.0, 0.1, 0.2)];
//! let jet = jet.map(|(pt, eta, phi)| FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, 0.0));
//! let images = Image::default().run(&trawl::Device::Cpu, &Input::of_jets(Particles::of_groups(&[&jet])))?.images;
//! let lit = |share: f32| images.image(0).iter().position(|value| *value == share).map(|at| (at / 40, at % 40));
//! // Rows are along the principal axis: the hardest above, the second below.
//! assert_eq!((lit(0.5), lit(0.3), lit(0.2)), (Some((24, 21)), Some((13, 21)), Some((21, 16))));
//! assert_eq!((images.number[0], images.outside[0], images.count(Verdict::Made)), (3, 0, 1));
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod math;
#[cfg(test)]
mod tests;

use super::particles::{Group, Particles};
use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::math::det;

const NAME: &str = "features.image";

/// A CUDA warp has room for a group of so many particles: 28 KiB of shared memory.
pub const LARGEST_ON_DEVICE: u32 = 1024;

/// No image may have more rows: 4 MiB each.
const MOST_PIXELS: u32 = 1024;

/// Which particles are in the image of a jet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Membership {
    /// Its own constituents: a group is a jet.
    #[default]
    Own,
    /// All particles of its event that are closer to its axis than this radius, in rapidity and azimuth: a group is an event. This is what
    /// the published images of Tag N' Train hold, with a radius of 1.
    Cone {
        /// The radius, above 0 and at most 100.
        radius: f64,
    },
}

/// Whether constituents are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// The principal axis comes to lie along phi, where there are more than two with pT.
    #[default]
    PrincipalAxis,
    /// They are not.
    Absent,
}

/// Whether the axes are reflected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reflection {
    /// The hardest comes into the upper right quadrant.
    #[default]
    HardestUpperRight,
    /// They are not.
    Absent,
}

/// How images are made. The default is that of Tag N' Train but for its cone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Image {
    /// The rows of an image, and its columns; from 1 to 1024.
    pub pixels: u32,
    /// What an image spans in rapidity and in azimuth, from 0.001 to 100.
    pub width: f64,
    /// Step 2.
    pub rotation: Rotation,
    /// Step 3.
    pub reflection: Reflection,
    /// Who is in an image.
    pub membership: Membership,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            pixels: 40,
            width: 1.4,
            rotation: Rotation::default(),
            reflection: Reflection::default(),
            membership: Membership::default(),
        }
    }
}

/// What images are made of.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The constituents of each jet, or the particles of each event.
    pub particles: Particles<P>,
    /// The axes of the jets, for [`Membership::Cone`] alone.
    pub axes: Option<Axes<P>>,
}

/// Axes of jets in events.
#[derive(Debug, Clone)]
pub struct Axes<P: Place> {
    /// Which group of particles is the event of each jet; in any order.
    pub event: P::Column<u32>,
    /// Rapidities.
    pub rapidity: P::Column<f64>,
    /// Azimuths in radians, of any turn.
    pub phi: P::Column<f64>,
}

/// What became of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
    /// Its pixels add up to 1.
    Made = 0,
    /// No constituent has pT. The image is all 0.
    NoPt = 1,
    /// All constituents are outside. The image is all 0.
    AllOutside = 2,
    /// What the CPU refuses as an error was on the device: a momentum or an axis that is not finite, an energy below 0, an
    /// event that is not there or is larger than the largest. The image is all 0.
    Refused = 3,
}

/// Images of jets.
#[derive(Debug, Clone)]
pub struct Images<P: Place> {
    /// The rows of an image, and its columns.
    pub pixels: u32,
    /// The images, one after the other; in an image row after row, of rising phi, and in a row rising rapidities.
    pub values: P::Column<f32>,
    /// The constituents of each jet that have pT.
    pub number: P::Column<u32>,
    /// How many of these are outside the image.
    pub outside: P::Column<u32>,
    /// The [`Verdict`] on each jet.
    pub verdict: P::Column<u32>,
}

/// What [`Image::run`] made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The images of all jets, in their order.
    pub images: Images<Host>,
    /// The number of jets whose images the CPU made because their group is too large for the device.
    pub too_large: usize,
}

impl Image {
    /// The image of each jet. Groups that are too large for the device's kernel ([`LARGEST_ON_DEVICE`]) are left to the CPU.
    ///
    /// # Errors
    /// Parameters out of their bounds; columns whose lengths contradict each other; momenta or axes that are not finite, energies
    /// below 0; jets of events that are not there; a failure of the device.
    pub fn run(&self, device: &Device, input: &Input<Host>) -> Result<Made> {
        match device {
            Device::Cpu => Ok(Made { images: self.cpu(input.clone())?, too_large: 0 }),
            Device::Cuda(cuda) => {
                self.check_data(input)?;
                cuda::run(self, cuda, input)
            }
        }
    }

    /// The numbers of an image.
    fn size(&self) -> usize {
        (self.pixels * self.pixels) as usize
    }

    /// Whether the parameters are in their bounds.
    fn check_parameters(&self, problems: &mut Problems) {
        if !(1..=MOST_PIXELS).contains(&self.pixels) {
            let fault = Fault::new(NAME, format!("{} pixels a row are not from 1 to {MOST_PIXELS}", self.pixels));
            problems.push(fault.because("an image holds their square").suggest("Usual are 40.").usage());
        }
        if !(1e-3..=100.0).contains(&self.width) {
            let fault = Fault::new(NAME, format!("the width {} is not from 0.001 to 100", self.width));
            let fault = fault.because("places are divided by it, and azimuths span 6.28");
            problems.push(fault.suggest("Usual is 1.4 for jets of radius 1.").usage());
        }
        if let Membership::Cone { radius } = self.membership
            && !(radius > 0.0 && radius <= 100.0)
        {
            let fault = Fault::new(NAME, format!("the radius {radius} of the cone is not above 0 and at most 100"));
            let fault = fault.because("particles are in the image if they are closer to the axis");
            problems.push(fault.suggest("Give that of the jets.").usage());
        }
    }

    /// Whether there are axes where they are needed, as long as each other.
    fn check_axes<P: Place>(&self, axes: Option<&Axes<P>>, problems: &mut Problems) {
        match (self.membership, axes) {
            (Membership::Own, None) => {}
            (Membership::Own, Some(_)) => {
                let fault = Fault::new(NAME, "there are axes and constituents of their own");
                let fault = fault.because("a group is a jet, whose axis is the sum of its momenta");
                problems.push(fault.suggest("Give no axes, or ask for a cone around them.").usage());
            }
            (Membership::Cone { .. }, None) => {
                let fault = Fault::new(NAME, "there are no axes for the cones").because("a group is an event");
                problems.push(fault.suggest("Give the event, rapidity and azimuth of each jet.").usage());
            }
            (Membership::Cone { .. }, Some(axes)) => {
                let jets = axes.event.length();
                for (name, column) in [("rapidity", &axes.rapidity), ("phi", &axes.phi)] {
                    if column.length() != jets {
                        let problem = format!("{name}: expected {jets} axes, got {}", column.length());
                        problems.push(Fault::new(NAME, problem).because("event has as many").data());
                    }
                }
            }
        }
    }

    /// Whether the particles and axes can be computed with.
    fn check_data(&self, input: &Input<Host>) -> Result<()> {
        self.check(input)?;
        let mut problems = Problems::default();
        let group = if input.axes.is_some() { Group::Event } else { Group::Jet };
        problems.take(input.particles.check(NAME, group));
        if let Some(axes) = &input.axes {
            let events = input.particles.groups();
            if let Some((jet, event)) = axes.event.iter().enumerate().find(|(_, event)| **event as usize >= events) {
                let problem = format!("jet {jet} is of event {event}, and there are {events}");
                problems.push(Fault::new(NAME, problem).because("events are numbered from 0").data());
            }
            let bounds = [("rapidity", &axes.rapidity, f64::MAX), ("phi", &axes.phi, det::LARGEST_ANGLE)];
            for (name, column, largest) in bounds {
                let is_bad = |value: &f64| value.is_nan() || value.abs() > largest;
                if let Some(jet) = column.iter().position(is_bad) {
                    let problem = format!("{name} = {:e} of the axis of jet {jet} is not finite", column[jet]);
                    let problem = if largest < f64::MAX { format!("{problem} or beyond {largest}") } else { problem };
                    problems.push(Fault::new(NAME, problem).because("nothing would be near it").data());
                }
            }
        }
        problems.finish()
    }
}

impl<P: Place> Input<P> {
    /// Jets with their own constituents.
    pub fn of_jets(particles: Particles<P>) -> Self {
        Self { particles, axes: None }
    }

    /// Jets around axes in events.
    pub fn around(axes: Axes<P>, particles: Particles<P>) -> Self {
        Self { particles, axes: Some(axes) }
    }

    /// The number of jets.
    pub fn jets(&self) -> usize {
        match &self.axes {
            Some(axes) => axes.event.length(),
            None => self.particles.offsets.length().saturating_sub(1),
        }
    }
}

impl Operation for Image {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Images<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        self.check_parameters(&mut problems);
        self.check_axes(input.axes.as_ref(), &mut problems);
        problems.take(input.particles.check_lengths(NAME));
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        // The image and three numbers of each jet, and its axis.
        let a_jet = Bytes::of::<f32>(self.size()) + Bytes::of::<u32>(4) + Bytes::of::<f64>(2);
        Plan {
            fixed: a_jet * input.jets() as u64 + Bytes::of::<u32>(input.particles.offsets.length()),
            per_unit: Bytes::of::<f64>(4),
            units: input.particles.px.length() as u64,
        }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Images<Host>> {
        self.check_data(&input)?;
        Ok(cpu::images(self, &input))
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Images<OnDevice>> {
        cuda::images(self, cuda, &input)
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        let axes = self.axes.as_ref().map(|axes| {
            Ok(Axes {
                event: cuda.upload(&axes.event)?,
                rapidity: cuda.upload(&axes.rapidity)?,
                phi: cuda.upload(&axes.phi)?,
            })
        });
        Ok(Input { particles: self.particles.upload(cuda)?, axes: axes.transpose()? })
    }
}

impl Download for Images<OnDevice> {
    type Here = Images<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Images<Host>> {
        Ok(Images {
            pixels: self.pixels,
            values: cuda.download(&self.values)?,
            number: cuda.download(&self.number)?,
            outside: cuda.download(&self.outside)?,
            verdict: cuda.download(&self.verdict)?,
        })
    }
}

impl Images<Host> {
    /// The image of a jet, row after row.
    ///
    /// # Panics
    /// If there is no such jet.
    pub fn image(&self, jet: usize) -> &[f32] {
        let size = (self.pixels * self.pixels) as usize;
        &self.values[jet * size..][..size]
    }

    /// How many jets have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdict.iter().filter(|found| **found == verdict as u32).count()
    }
}
