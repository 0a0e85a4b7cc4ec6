//! `features.cluster`: sequential recombination of the particles of each event into jets.
//!
//! **What.** Again and again the smallest of all
//!
//! ```text
//! d_ij = min(pT_i^2p, pT_j^2p) dR_ij^2 / R^2,    d_iB = pT_i^2p,    dR_ij^2 = (y_i - y_j)^2 + (phi_i - phi_j)^2
//! ```
//!
//! is taken, with rapidities y (not pseudorapidities): two particles are replaced by their sum, or one becomes a jet. p = -1 is
//! anti-kt, 0 Cambridge/Aachen, 1 kt. An event of n particles takes n steps, and they are the answer ([`Histories`]): jets of any
//! kind, their constituents and splitting scales are read from them ([`History`]).
//!
//! **Order.** Of equal distances that of the pair whose member with the smaller pT^2p (with the lower name, if these are equal)
//! has the lowest name comes first, and of its pairs that with the lowest other name: particles have their numbers as names, and
//! what is merged has the lower of its parents' names. A distance belongs to that member, so that its nearest neighbour by dR
//! alone is all that it needs (the lemma of Cacciari and Salam, Phys. Lett. B 641 (2006) 57).
//!
//! **Numbers.** Everything is `f64` with + - * / sqrt and [`crate::math::det`], so histories do not depend on the processor or on
//! the number of threads. Rapidities are `ln((E + |pz|)^2 / mT^2) / 2` with the sign of pz, where m^2 below 0 counts as 0; what
//! flies along the beam, with mT < 1e-150, has the rapidity 1e5 + |pz| with that sign, as in FastJet.
//!
//! **Cost.** 48 bytes a particle come out. The CPU looks at all pairs at first and then at all objects once for each step, four
//! at a time; of those whose neighbour is gone few look again (13 of 273, in events of 330 particles): n^2 distances for n particles.
//!
//! **Source.** Cacciari, Salam and Soyez, JHEP 04 (2008) 063; Ellis and Soper, Phys. Rev. D 48 (1993) 3160; Dokshitzer et al.,
//! JHEP 08 (1997) 001. `WinnerTakesAll`: Bertolini, Chan and Thaler, JHEP 04 (2014) 013.
//!
//! On CUDA a block has an event, 44 bytes of shared memory a particle, up to 1,024 particles; a thread has every
//! 128th. A step takes two meetings of the block and 12 operations for each object and thread; 330 particles are 330 steps, of
//! 2,000 cycles each by estimate. At 4 blocks a multiprocessor an H100 (132 of them, 1.7 GHz) would take 1.3 million such events a second if
//! latency is the bound; the bound of its double precision (33.5 Tflop/s with, 17 without contraction, and 4 Mflop an event) is 4
//! million. The kernel is checked by emulation and SASS, not yet run on a GPU.
//!
//! **Held to** the numbers of FastJet's sample event, and to a plain search over all pairs on random events.
//!
//! ```
//! use trawl::features::cluster::{Algorithm, Cluster, Particles};
//! use trawl::math::lorentz::FourMomentum;
//! let event = [(500.0, 0.1, 1.0), (300.0, 0.2, 1.2), (700.0, -0.1, -2.0)];
//! let event = event.map(|(pt, eta, phi)| FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, 0.0));
//! let cluster = Cluster::new(Algorithm::AntiKt, 1.0)?;
//! let histories = cluster.run(&trawl::Device::Cpu, &Particles::of_groups(&[&event]))?.histories;
//! let jets = histories.event(0).inclusive_jets(20.0);
//! assert_eq!(jets.len(), 2);
//! assert_eq!(histories.event(0).constituents(&jets[0]), [0, 1]);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod history;
mod live;
pub(in crate::features) mod math;
#[cfg(test)]
mod tests;

pub(in crate::features) use cpu::OneEvent;
pub use history::{History, Jet, Second, Step};
pub(in crate::features) use math::{distances2, pt2_of, rapidity_of};

use super::particles::Group;
pub use super::particles::Particles;
use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan};
use crate::error::{Fault, Problems, Result};

const NAME: &str = "features.cluster";

/// `second` of a step in which a jet ends.
const BEAM: u32 = u32::MAX;

/// The exponent of the transverse momenta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Algorithm {
    /// p = -1.
    AntiKt,
    /// p = 0.
    CambridgeAachen,
    /// p = 1.
    Kt,
    /// Any p from -1 to 1.
    Generalised(f64),
}

/// A CUDA block has room for an event of so many particles: 44 KiB of shared memory.
pub const LARGEST_ON_DEVICE: u32 = 1024;

/// What two particles become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recombination {
    /// The sum of their four-momenta.
    #[default]
    Sum,
    /// The direction and mass of the one with the larger pT (the one of lower name if they are equal), with the sum of both pT.
    WinnerTakesAll,
}

/// How jets are clustered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster {
    algorithm: Algorithm,
    radius: f64,
    recombination: Recombination,
}

/// The steps of all events; an event of n particles has n, at the same offsets.
#[derive(Debug, Clone)]
pub struct Histories<P: Place> {
    /// Those of the particles.
    pub offsets: P::Column<u32>,
    /// The first of what a step takes: a particle of the event by its number, or n + s for what step s made.
    pub first: P::Column<u32>,
    /// The second, larger than the first; `u32::MAX` where the first becomes a jet.
    pub second: P::Column<u32>,
    /// The `d_ij` or `d_iB` of the step, in GeV^2p.
    pub distance: P::Column<f64>,
    /// The momentum along x of what the step makes, or of the jet.
    pub px: P::Column<f64>,
    /// The momentum along y.
    pub py: P::Column<f64>,
    /// The momentum along the beam.
    pub pz: P::Column<f64>,
    /// The energy.
    pub energy: P::Column<f64>,
}

impl Cluster {
    /// Jets of this radius, whose momenta are sums.
    ///
    /// # Errors
    /// A radius that is not above 0 and at most 1000, an exponent that is not from -1 to 1.
    pub fn new(algorithm: Algorithm, radius: f64) -> Result<Self> {
        let mut problems = Problems::default();
        if !(radius > 0.0 && radius <= 1000.0) {
            let fault = Fault::new(NAME, format!("the radius {radius} is not above 0 and at most 1000"));
            problems.push(fault.because("distances are divided by its square").usage());
        }
        if let Algorithm::Generalised(p) = algorithm
            && !(-1.0..=1.0).contains(&p)
        {
            let fault = Fault::new(NAME, format!("the exponent {p} is not from -1 to 1"));
            problems.push(fault.because("anti-kt has -1 and kt has 1").usage());
        }
        problems.finish()?;
        Ok(Self { algorithm, radius, recombination: Recombination::default() })
    }

    /// The same with another recombination.
    pub fn with_recombination(self, recombination: Recombination) -> Self {
        Self { recombination, ..self }
    }

    /// The steps of each event. Events that are too large for the device's kernel ([`LARGEST_ON_DEVICE`]) are clustered by the
    /// CPU.
    ///
    /// # Errors
    /// Columns whose lengths contradict each other; momenta that are not finite, energies below 0; a failure of the device.
    pub fn run(&self, device: &Device, particles: &Particles<Host>) -> Result<Clustered> {
        particles.check(NAME, Group::Event)?;
        match device {
            Device::Cpu => Ok(Clustered { histories: cpu::cluster(self, particles), too_large: 0 }),
            Device::Cuda(cuda) => cuda::run(self, cuda, particles),
        }
    }
}

/// What [`Cluster::run`] found.
#[derive(Debug, Clone)]
pub struct Clustered {
    /// The steps of all events, in their order.
    pub histories: Histories<Host>,
    /// The number of events that the CPU clustered because they are too large for the device.
    pub too_large: usize,
}

impl std::fmt::Display for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.algorithm {
            Algorithm::AntiKt => write!(f, "anti-kt")?,
            Algorithm::CambridgeAachen => write!(f, "Cambridge/Aachen")?,
            Algorithm::Kt => write!(f, "kt")?,
            Algorithm::Generalised(p) => write!(f, "exponent {p}")?,
        }
        let recombination = match self.recombination {
            Recombination::Sum => "",
            Recombination::WinnerTakesAll => ", winner takes all",
        };
        write!(f, " R = {}{recombination}", self.radius)
    }
}

impl Operation for Cluster {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Particles<P>;
    type Output<P: Place> = Histories<P>;

    fn check<P: Place>(&self, particles: &Particles<P>) -> Result<()> {
        particles.check_lengths(NAME)
    }

    fn plan<P: Place>(&self, particles: &Particles<P>) -> Plan {
        Plan {
            fixed: Bytes::of::<u32>(particles.offsets.length()),
            per_unit: Bytes((2 * size_of::<u32>() + 9 * size_of::<f64>()) as u64),
            units: particles.px.length() as u64,
        }
    }

    fn cpu(&self, particles: Particles<Host>) -> Result<Histories<Host>> {
        particles.check(NAME, Group::Event)?;
        Ok(cpu::cluster(self, &particles))
    }

    fn cuda(&self, cuda: &Cuda, particles: Particles<OnDevice>) -> Result<Histories<OnDevice>> {
        cuda::cluster(self, cuda, &particles)
    }
}

impl Download for Histories<OnDevice> {
    type Here = Histories<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Histories<Host>> {
        Ok(Histories {
            offsets: cuda.download(&self.offsets)?,
            first: cuda.download(&self.first)?,
            second: cuda.download(&self.second)?,
            distance: cuda.download(&self.distance)?,
            px: cuda.download(&self.px)?,
            py: cuda.download(&self.py)?,
            pz: cuda.download(&self.pz)?,
            energy: cuda.download(&self.energy)?,
        })
    }
}

impl Histories<Host> {
    /// The number of events.
    pub fn events(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The steps of one event.
    ///
    /// # Panics
    /// If there is no such event.
    pub fn event(&self, event: usize) -> History<'_> {
        History::new(self, self.offsets[event] as usize..self.offsets[event + 1] as usize)
    }
}
