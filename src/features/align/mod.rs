//! `features.align`: jets brought to one mass, energy and orientation, so that a network sees their substructure alone.
//!
//! **What.** Of the constituents of each jet, again and again:
//!
//! 1. boost along the beam, so that the jet (the sum of all that are left) has pz = 0;
//! 2. rotate about the beam, so that the jet is at azimuth 0;
//! 3. scale all components, so that its mass is the target's, 0.25 GeV;
//! 4. boost along x, so that its energy is the target's, 1 GeV: by `atanh(p/E)` of the target less that of the jet;
//! 5. rotate about x, so that the hardest constituent (largest pT now) has eta = 0 and phi > 0;
//! 6. take all with `eta^2 + phi^2 > dR^2` away (dR = 1) and begin again, if there are any;
//! 7. if more than `most` (20) are left, keep those with the largest pT, or pT^2 (eta^2 + phi^2), and begin again;
//! 8. if the hardest of the others has eta < 0, change the sign of every eta.
//!
//! Every beginning has fewer constituents than the one before, so this ends. Answers are `pT / pT_J`, with the pT of the aligned
//! jet, eta and phi, in the order in which the constituents came. They are the same for a jet that was boosted along the beam,
//! rotated about it or scaled; a boost along the jet's own axis changes them unless the jet has eta = 0 (a Wigner rotation, up to
//! 0.02 for half a unit of rapidity), which lies in the published procedure.
//!
//! **Read thus.** "Its axis" in step 4 is x; the hardest is that of the new frame, not of the laboratory, *before* the rotation
//! of step 5, which may let another overtake it; the reflection of step 8 asks the hardest of all others *after* it. Of equals the
//! first comes first. Constituents may have masses: sums are of the four-momenta given.
//!
//! **Numbers.** Sums are those of every 32nd constituent that is left and then of these 32 in pairs, everything is `f64`
//! with + - * / sqrt and [`crate::math::det`]: answers depend on no processor. Cancellation is in `E^2 - pz^2 - pT^2` of the jet alone:
//! the relative error is about 2^-52 (E/m)^2. No answer is NaN. A jet without pT has azimuth 0; a hardest constituent along x is not
//! rotated and has phi = 0; a constituent without momentum, in the new frame, has pT = eta = phi = 0, and one along the beam
//! an infinite eta, so that it is taken away.
//!
//! **Rejected** ([`Verdict`]) are jets of fewer than `least` (3) constituents, at any beginning, and jets whose mass is below
//! 1e-6 of their energy, where it is rounding. They have no rows.
//!
//! **Cost.** 32 bytes a constituent are read, 28 bytes for each of `most` rows written; a pass takes a logarithm and an arc
//! tangent for each constituent, and most jets of 20 need one pass, those that are cut to 20 two or three.
//! A core of an AMD EPYC takes 0.38 us for 20 constituents, 1.7 us for 50 and 3.1 us for 100; the order by kt of 20
//! took it 0.41 us more. With their checks, and on a busier machine, `scripts/bench features` measured 650,000 jets of 20 a second for
//! both, and 1,060,000 on two threads.
//!
//! **Source.** ATLAS, Phys. Rev. D 108 (2023) 052009 (the Y to XH search), after A. Kahn et al., JINST 16 (2021) P08012. Truncation
//! by kt^2 is that of the authors' program.
//!
//! On CUDA a warp has a jet, 48 bytes of shared memory a constituent, up to 1,024 of them. A jet of 20 constituents reads and writes
//! 1.2 kB, so that the memory of an H100 (3.35 TB/s) bounds it to 2.8e9 jets a second, and a host that sends them (55 GB/s) to
//! 8e7. The kernel is checked by emulation
//! and SASS, not yet run on a GPU.
//!
//! **Held to** two worked jets (one is truncated) to the printed digits, to the invariants above, and to exact invariance.
//!
//! ```
//! use trawl::features::align::{Align, Verdict};
//! use trawl::features::particles::Particles;
//! use trawl::math::lorentz::FourMomentum;
//! let jet = [(800.0, 0.5, 1.0), (300.0, 0.7, 1.2), (120.0, 0.3, 0.8), (40.0, 0.9, 1.1)];
//! let jet = jet.map(|(pt, eta, phi)| FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, 0.0));
//! let aligned = Align::default().run(&trawl::Device::Cpu, &Particles::of_groups(&[&jet]))?.aligned;
//! assert_eq!((aligned.number[0], aligned.count(Verdict::Kept)), (4, 1));
//! assert_eq!((aligned.eta[0], aligned.index[3], aligned.index[4]), (0.0, 3, u32::MAX));
//! assert!((aligned.phi[1] - -0.335629).abs() < 1e-6);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod jet;
pub(in crate::features) mod math;
#[cfg(test)]
mod tests;

use super::order::Coordinates;
use super::particles::{Group, Particles};
use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan};
use crate::error::{Fault, Problems, Result};
use crate::math::det;

const NAME: &str = "features.align";

/// A CUDA warp has room for a jet of so many constituents: 48 KiB of shared memory.
pub const LARGEST_ON_DEVICE: u32 = 1024;

/// `index` of a row that holds no constituent.
pub const NO_CONSTITUENT: u32 = u32::MAX;

/// No jet may have more rows.
const MOST_ROWS: u32 = 1 << 16;

/// Which constituents are kept where there are too many: those with the largest
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Truncation {
    /// pT.
    #[default]
    Pt,
    /// `pT^2 (eta^2 + phi^2)`, the square of kt to the axis of the jet.
    Kt,
}

/// What became of a jet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
    /// It is aligned.
    Kept = 0,
    /// Fewer constituents than the least were there or left.
    TooFew = 1,
    /// The mass is below 1e-6 of the energy, or the energy is not above 0.
    NoMass = 2,
    /// The sum of the momenta is not finite (on a device, where nobody has looked at them before).
    NotFinite = 3,
}

/// The target of masses and energies in GeV.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Target {
    mass: f64,
    energy: f64,
    /// `sqrt(energy^2 - mass^2)`.
    momentum: f64,
}

/// What jets are aligned to. The default is that of the search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Align {
    target: Target,
    most: u32,
    least: u32,
    largest_distance: f64,
    truncation: Truncation,
}

/// Parameters of [`Align`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// The mass of an aligned jet in GeV.
    pub mass_gev: f64,
    /// Its energy in GeV.
    pub energy_gev: f64,
    /// The most constituents of a jet.
    pub most: u32,
    /// The least.
    pub least: u32,
    /// The largest distance of a constituent from the axis.
    pub largest_distance: f64,
    /// Which are kept where there are too many.
    pub truncation: Truncation,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { mass_gev: 0.25, energy_gev: 1.0, most: 20, least: 3, largest_distance: 1.0, truncation: Truncation::Pt }
    }
}

/// Aligned jets: jet j has the rows from `j * most` on.
#[derive(Debug, Clone)]
pub struct Aligned<P: Place> {
    /// The rows of a jet.
    pub most: u32,
    /// `pT / pT_J`; 0 in rows without a constituent.
    pub pt: P::Column<f64>,
    /// Pseudorapidities; 0 in rows without a constituent.
    pub eta: P::Column<f64>,
    /// Azimuths from -pi to pi; 0 in rows without a constituent.
    pub phi: P::Column<f64>,
    /// Which constituent of the jet it is, ascending; [`NO_CONSTITUENT`] in the other rows.
    pub index: P::Column<u32>,
    /// The constituents of each jet, 0 for jets that are rejected.
    pub number: P::Column<u32>,
    /// The [`Verdict`] on each jet.
    pub verdict: P::Column<u32>,
    /// The velocity of the first boost along x (step 4), with all constituents; below 0 for jets that were slowed down, 0 for
    /// jets that are rejected.
    pub beta: P::Column<f64>,
}

/// What [`Align::run`] made.
#[derive(Debug, Clone)]
pub struct AlignedJets {
    /// All jets, in their order.
    pub aligned: Aligned<Host>,
    /// The number of jets that the CPU aligned because they are too large for the device.
    pub too_large: usize,
}

impl Default for Align {
    fn default() -> Self {
        let Parameters { mass_gev, energy_gev, most, least, largest_distance, truncation } = Parameters::default();
        let momentum = det::sqrt((energy_gev - mass_gev) * (energy_gev + mass_gev));
        Self {
            target: Target { mass: mass_gev, energy: energy_gev, momentum },
            most,
            least,
            largest_distance,
            truncation,
        }
    }
}

impl Align {
    /// An alignment with these parameters.
    ///
    /// # Errors
    /// Every one of: an energy that is not from 1e-6 to 1e6 GeV, a mass that is not from a thousandth of it to 0.999 of it, most
    /// constituents that are none, more than 65,536 or fewer than the least, a distance that is not above 0 and at most 100.
    pub fn new(parameters: Parameters) -> Result<Self> {
        let Parameters { mass_gev, energy_gev, most, least, largest_distance, truncation } = parameters;
        let mut problems = Problems::default();
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        if !(1e-6..=1e6).contains(&energy_gev) {
            refuse(format!("the energy {energy_gev} GeV is not from 1e-6 to 1e6"), "squares of it are divided by");
        } else if !(1e-3 * energy_gev..=0.999 * energy_gev).contains(&mass_gev) {
            let problem = format!("the mass {mass_gev} GeV is not from 0.001 to 0.999 of the energy, {energy_gev} GeV");
            refuse(problem, "an aligned jet moves, and neither its mass nor its momentum may be rounding");
        }
        if most == 0 || most > MOST_ROWS {
            refuse(format!("{most} constituents at most is not from 1 to {MOST_ROWS}"), "every jet has so many rows");
        } else if most < least {
            refuse(format!("{most} constituents at most are fewer than the least, {least}"), "no jet would be kept");
        }
        if !(largest_distance > 0.0 && largest_distance <= 100.0) {
            let problem = format!("the largest distance {largest_distance} is not above 0 and at most 100");
            refuse(problem, "constituents are compared with it, and along the beam they are infinitely far away");
        }
        problems.finish()?;
        let momentum = det::sqrt((energy_gev - mass_gev) * (energy_gev + mass_gev));
        let target = Target { mass: mass_gev, energy: energy_gev, momentum };
        Ok(Self { target, most, least, largest_distance, truncation })
    }

    /// Aligns the jets. Those that are too large for the device's kernel ([`LARGEST_ON_DEVICE`]) are aligned by the CPU.
    ///
    /// # Errors
    /// Columns whose lengths contradict each other; momenta that are not finite, energies below 0; a failure of the device.
    pub fn run(&self, device: &Device, jets: &Particles<Host>) -> Result<AlignedJets> {
        jets.check(NAME, Group::Jet)?;
        match device {
            Device::Cpu => Ok(AlignedJets { aligned: cpu::align(self, jets), too_large: 0 }),
            Device::Cuda(cuda) => cuda::run(self, cuda, jets),
        }
    }
}

impl Operation for Align {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Particles<P>;
    type Output<P: Place> = Aligned<P>;

    fn check<P: Place>(&self, jets: &Particles<P>) -> Result<()> {
        jets.check_lengths(NAME)
    }

    fn plan<P: Place>(&self, jets: &Particles<P>) -> Plan {
        let rows = Bytes::of::<f64>(3).0 + Bytes::of::<u32>(1).0;
        let jet = u64::from(self.most) * rows + Bytes::of::<f64>(1).0 + Bytes::of::<u32>(3).0;
        Plan {
            fixed: Bytes(jet * jets.offsets.length() as u64),
            per_unit: Bytes::of::<f64>(4),
            units: jets.px.length() as u64,
        }
    }

    fn cpu(&self, jets: Particles<Host>) -> Result<Aligned<Host>> {
        jets.check(NAME, Group::Jet)?;
        Ok(cpu::align(self, &jets))
    }

    fn cuda(&self, cuda: &Cuda, jets: Particles<OnDevice>) -> Result<Aligned<OnDevice>> {
        cuda::align(self, cuda, &jets)
    }
}

impl Download for Aligned<OnDevice> {
    type Here = Aligned<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Aligned<Host>> {
        Ok(Aligned {
            most: self.most,
            pt: cuda.download(&self.pt)?,
            eta: cuda.download(&self.eta)?,
            phi: cuda.download(&self.phi)?,
            index: cuda.download(&self.index)?,
            number: cuda.download(&self.number)?,
            verdict: cuda.download(&self.verdict)?,
            beta: cuda.download(&self.beta)?,
        })
    }
}

impl<P: Place> Aligned<P> {
    /// What [`super::order`] orders: the same columns, not copied.
    pub fn coordinates(&self) -> Coordinates<P> {
        Coordinates {
            rows: self.most,
            pt: self.pt.clone(),
            eta: self.eta.clone(),
            phi: self.phi.clone(),
            number: self.number.clone(),
        }
    }
}

impl Aligned<Host> {
    /// How many jets have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdict.iter().filter(|found| **found == verdict as u32).count()
    }
}
