//! `features.substructure`: splitting scales, N-subjettiness and energy correlations of the constituents of each jet.
//!
//! **What.** Of the constituents i of a jet, with transverse momenta pT in GeV, rapidities y (not pseudorapidities), azimuths phi
//! and distances `dR_ij^2 = (y_i - y_j)^2 + (phi_i - phi_j)^2`:
//!
//! ```text
//! Split12, Split23 = sqrt(d_12), sqrt(d_23) = min(pT_a, pT_b) dR_ab of the last and last but one mergings of kt    (GeV)
//! tau_N            = sum_i pT_i min_a dR_ia^beta / d0,   a over N axes,   d0 = sum_i pT_i R0^beta or 1,   N = 1 to 4
//! e1               = sum_i pT_i                                                                                    (GeV)
//! e2               = sum_{i<j} pT_i pT_j dR_ij^beta                                                                (GeV^2)
//! e3               = sum_{i<j<k} pT_i pT_j pT_k (dR_ij dR_ik dR_jk)^beta                                           (GeV^3)
//! C2, D2           = e3 e1 / e2^2,   e3 e1^3 / e2^3;     tau21, tau32 = tau2 / tau1, tau3 / tau2
//! ```
//!
//! **Axes** are exclusive jets of the constituents by kt, whose momenta are sums or the winner's, or by kt with the exponent 1/2
//! ([`Axes`]); they are not moved to a minimum of tau afterwards. Nothing ends by itself: the radius of the clustering is 512,
//! whose square is a power of two, so that dividing by it and multiplying again is exact. Only what flies along the beam ends
//! by itself, with a distance of 0.
//!
//! **Where they say nothing.** No value is ever NaN or infinite. A bit of [`Observables::defined`] says of each value whether the
//! formula has an answer: Split12 from two constituents, Split23 from three, tau_N from N (0 at N) with any pT; e1 always, e2 from
//! two, e3, C2 and D2 from three; ratios where what they divide by is more than constituents 1e-12 apart would give (nearer ones are
//! at one place but for rounding, and the ratio would be one of rounding errors); nothing that a double cannot hold. Else the value is 0, and that of ratios what the [`Guard`] says. A guard also changes ratios that are defined.
//!
//! **Numbers.** Everything is `f64` with + - * / sqrt and [`crate::math::det`]. Transverse momenta are divided by their sum first,
//! so that products of three neither overflow nor vanish, and rapidities are within 1e5. Sums go over the constituents k in
//! four lanes by k mod 4, in their order, and end with `(s0 + s1) + (s2 + s3)`; those of pairs and triples have lanes by the last of
//! their constituents. CPU and CUDA add in the same order: answers are equal to the bit.
//!
//! **Bounds.** beta above 0 and at most 10 (1 and 2 without a power function), R0 above 0 and at most 1000, jets of up to 4,096
//! constituents if correlations are wanted: they hold n^2 distances and add n^3 / 6 products.
//!
//! **Cost.** 112 bytes a jet come out. On the CPU a jet takes a clustering of its constituents (n^2 distances) for the splitting
//! scales and one for axes of another kind, 10 n distances for N-subjettiness, n^2 / 2 square roots and n^3 / 6 products, four at a
//! time, for correlations. Of jets of 68 constituents one core of an AMD EPYC at 2.4 GHz, beside other work, computed 66,000
//! splitting scales a second, 51,000 N-subjettinesses with winner-takes-all axes (35,000 with the power of half-kt), 62,000
//! correlations, or 19,000 jets with all of them.
//!
//! On CUDA the histories come from `features.cluster` and stay on the device; then a block has a jet: 24 bytes of shared memory
//! a constituent, up to 1,024 of them, and the distances of its pairs in device memory. A thread has a constituent i and one of the
//! four lanes, and adds all pairs and triples that i is the first of. A jet of 68 has 52,000 triples of three operations each: the
//! 3.4e13 `f64` operations a second of an H100 bound correlations to 2e8 jets a second, and their distances (18 kB written and read again,
//! by neighbouring triples from the caches) to 9e7. Triples i < j < k go over tiles of up to 8 rows j in shared memory, which all i
//! share; of a jet of 1,024 two rows fit. The kernel is checked by emulation and SASS, not yet run on a GPU.
//!
//! **Source.** Splitting scales: Butterworth, Cox and Forshaw, Phys. Rev. D 65 (2002) 096014, as in ATLAS-CONF-2012-065. N-subjettiness: Thaler and
//! Van Tilburg, JHEP 03 (2011) 015, eq. 2.1, and JHEP 02 (2012) 093. Correlations: Larkoski, Salam and Thaler, JHEP 06 (2013)
//! 108, eqs. 3 and 5; D2: Larkoski, Moult and Neill, JHEP 12 (2014) 009, eq. 1.2.
//!
//! **Held to** fastjet-contrib's numbers for FastJet's sample event, and to plain sums over all pairs and triples.
//!
//! ```
//! use trawl::features::particles::Particles;
//! use trawl::features::substructure::{Observable, Substructure};
//! use trawl::math::lorentz::FourMomentum;
//! let jet = [(300.0, 0.1, 1.0), (200.0, 0.5, 1.3), (1.0, 0.2, 1.1)];
//! let jet = jet.map(|(pt, eta, phi)| FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, 0.0));
//! let found = Substructure::default().run(&trawl::Device::Cpu, &Particles::of_groups(&[&jet, &jet[..1]]))?.observables;
//! // min(pT) dR = 200 GeV x 0.5 of the two hard ones, but for what the soft one changes.
//! assert!((found.of(Observable::Split12)[0] - 100.0).abs() < 1.0);
//! assert!(found.of(Observable::Tau21)[0] < 0.01);
//! assert!(!found.is_defined(1, Observable::Tau21));
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod math;
#[cfg(test)]
mod tests;

use super::cluster::{Algorithm, Cluster, Recombination};
use super::particles::{Group, Particles};
use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan};
use crate::error::{Fault, Problems, Result};

const NAME: &str = "features.substructure";

/// The radius of clusterings in which nothing shall end by itself: the largest power of two that a clustering takes.
const RADIUS: f64 = 512.0;

/// Jets of more constituents have no correlations: their triples would take a thread seconds and their distances 128 MB.
const LARGEST: u32 = 4096;

/// A CUDA block takes a jet of so many constituents.
pub const LARGEST_ON_DEVICE: u32 = super::cluster::LARGEST_ON_DEVICE;

/// What is computed of each jet. What is not wanted is 0 and not defined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Substructure {
    /// Split12 and Split23.
    pub splittings: Splittings,
    /// tau1 to tau4, tau21 and tau32.
    pub subjettiness: Option<Subjettiness>,
    /// e1, e2, e3, C2 and D2.
    pub correlations: Option<Correlations>,
    /// What ratios are where they divide by little or nothing.
    pub guard: Guard,
}

/// Whether splitting scales are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Splittings {
    /// They are.
    Computed,
    /// They are not.
    Omitted,
}

/// How N-subjettiness is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subjettiness {
    /// The exponent of distances, above 0 and at most 10.
    pub beta: f64,
    /// What distances are measured from.
    pub axes: Axes,
    /// What the sums are divided by.
    pub normalisation: Normalisation,
}

/// The axes of N-subjettiness: the N exclusive jets of a clustering of the constituents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axes {
    /// kt, momenta are sums (`KT_Axes` of fastjet-contrib).
    Kt,
    /// kt, the winner takes all (`WTA_KT_Axes`; ATLAS).
    WinnerTakesAllKt,
    /// Generalised kt with p = 1/2, momenta are sums (`HalfKT_Axes`; for beta = 2).
    HalfKt,
}

/// What N-subjettiness is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Normalisation {
    /// `sum pT R0^beta`, so that it has no unit: the radius R0 of the jets, above 0 and at most 1000.
    Radius(f64),
    /// Nothing: it is in GeV.
    Absent,
}

/// How energy correlations are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlations {
    /// The exponent of distances, above 0 and at most 10.
    pub beta: f64,
}

/// What ratios are where they divide by little or nothing. C2 and D2 are what their formula says where that is defined; where it is
/// not they are the value of `Value`, else 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guard {
    /// `a / (offset + b)`, as CATHODE has tau2 / (1e-5 + tau1).
    Offset(f64),
    /// `max(a, floor) / max(b, floor)`, as Tag N' Train has with 1e-8.
    Floor(f64),
    /// This value where the ratio is not defined, and else the ratio.
    Value(f64),
}

/// The observables of a jet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observable {
    /// The last merging of kt, in GeV.
    Split12,
    /// The last but one, in GeV.
    Split23,
    /// N-subjettiness of one axis, without unit or in GeV by its [`Normalisation`].
    Tau1,
    /// Of two axes.
    Tau2,
    /// Of three axes.
    Tau3,
    /// Of four axes.
    Tau4,
    /// tau2 / tau1.
    Tau21,
    /// tau3 / tau2.
    Tau32,
    /// The sum of transverse momenta in GeV.
    E1,
    /// The correlation of pairs in GeV^2.
    E2,
    /// The correlation of triples in GeV^3.
    E3,
    /// e3 e1 / e2^2.
    C2,
    /// e3 e1^3 / e2^3.
    D2,
}

impl Observable {
    /// How many there are.
    pub const NUMBER: usize = 13;

    /// All of them, in the order of their columns.
    pub const ALL: [Self; Self::NUMBER] = [
        Self::Split12,
        Self::Split23,
        Self::Tau1,
        Self::Tau2,
        Self::Tau3,
        Self::Tau4,
        Self::Tau21,
        Self::Tau32,
        Self::E1,
        Self::E2,
        Self::E3,
        Self::C2,
        Self::D2,
    ];

    /// Its bit in [`Observables::defined`].
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What is computed of n jets.
#[derive(Debug, Clone)]
pub struct Observables<P: Place> {
    /// The columns of [`Observable::ALL`], n values each, one column after the other.
    pub values: P::Column<f64>,
    /// The number of constituents of each jet.
    pub multiplicity: P::Column<u32>,
    /// Which values of each jet are what the formula says: [`Observable::bit`].
    pub defined: P::Column<u32>,
}

/// What [`Substructure::run`] found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The observables of all jets, in their order.
    pub observables: Observables<Host>,
    /// The number of jets that were left to the CPU because they are too large for the device.
    pub too_large: usize,
}

impl Default for Substructure {
    /// Everything: beta = 1, winner-takes-all axes, R0 = 1, ratios 0 where they are not defined.
    fn default() -> Self {
        let normalisation = Normalisation::Radius(1.0);
        Self {
            splittings: Splittings::Computed,
            subjettiness: Some(Subjettiness { beta: 1.0, axes: Axes::WinnerTakesAllKt, normalisation }),
            correlations: Some(Correlations { beta: 1.0 }),
            guard: Guard::Value(0.0),
        }
    }
}

impl Axes {
    /// How the constituents are clustered.
    fn cluster(self) -> Result<Cluster> {
        let (algorithm, recombination) = match self {
            Self::Kt => (Algorithm::Kt, Recombination::Sum),
            Self::WinnerTakesAllKt => (Algorithm::Kt, Recombination::WinnerTakesAll),
            Self::HalfKt => (Algorithm::Generalised(0.5), Recombination::Sum),
        };
        Ok(Cluster::new(algorithm, RADIUS)?.with_recombination(recombination))
    }
}

impl Substructure {
    /// The observables of each jet. Jets that are too large for the device's kernel ([`LARGEST_ON_DEVICE`]) are left to the CPU.
    ///
    /// # Errors
    /// Parameters out of their bounds; columns whose lengths contradict each other; momenta that are not finite, energies below
    /// 0; jets that are too large for correlations; a failure of the device.
    pub fn run(&self, device: &Device, jets: &Particles<Host>) -> Result<Found> {
        match device {
            Device::Cpu => Ok(Found { observables: self.cpu(jets.clone())?, too_large: 0 }),
            Device::Cuda(cuda) => {
                self.check_data(jets)?;
                cuda::run(self, cuda, jets)
            }
        }
    }

    /// Whether the parameters are in their bounds.
    fn check_parameters(&self, problems: &mut Problems) {
        let betas = [
            ("N-subjettiness", self.subjettiness.map(|subjettiness| subjettiness.beta)),
            ("energy correlations", self.correlations.map(|correlations| correlations.beta)),
        ];
        for (of, beta) in betas.into_iter().filter_map(|(of, beta)| Some((of, beta?))) {
            if !(beta > 0.0 && beta <= 10.0) {
                let fault = Fault::new(NAME, format!("beta = {beta} of {of} is not above 0 and at most 10"));
                let fault =
                    fault.because("at 0 collinear constituents would count, and beyond 10 only the widest angle does");
                problems.push(fault.suggest("Usual are 1 and 2.").usage());
            }
        }
        if let Some(Subjettiness { normalisation: Normalisation::Radius(radius), .. }) = self.subjettiness
            && !(radius > 0.0 && radius <= 1000.0)
        {
            let fault = Fault::new(NAME, format!("the radius R0 = {radius} is not above 0 and at most 1000"));
            let fault = fault.because("N-subjettiness is divided by a power of it");
            problems.push(fault.suggest("Give that of the jets, or no normalisation.").usage());
        }
        let (name, value, is_good) = match self.guard {
            Guard::Offset(offset) => ("offset", offset, offset > 0.0 && offset.is_finite()),
            Guard::Floor(floor) => ("floor", floor, floor > 0.0 && floor.is_finite()),
            Guard::Value(value) => ("value", value, value.is_finite()),
        };
        if !is_good {
            let fault = Fault::new(NAME, format!("the {name} {value} of the guard does not keep ratios finite"));
            problems.push(fault.suggest("Give a finite number, above 0 for an offset or a floor.").usage());
        }
    }

    /// Whether the constituents can be computed with.
    fn check_data(&self, jets: &Particles<Host>) -> Result<()> {
        self.check(jets)?;
        jets.check(NAME, Group::Jet)?;
        let too_large = |jet: &usize| jets.rows(*jet).len() > LARGEST as usize;
        match (0..jets.groups()).find(too_large) {
            Some(jet) if self.correlations.is_some() => {
                let number = jets.rows(jet).len();
                let fault = Fault::new(NAME, format!("jet {jet} has {number} constituents and may have {LARGEST}"));
                let fault = fault.because("energy correlations add n^3 / 6 products and hold n^2 distances");
                Err(fault.suggest("Leave out soft constituents, or ask for no correlations.").data())
            }
            _ => Ok(()),
        }
    }
}

impl Operation for Substructure {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Particles<P>;
    type Output<P: Place> = Observables<P>;

    fn check<P: Place>(&self, jets: &Particles<P>) -> Result<()> {
        let mut problems = Problems::default();
        self.check_parameters(&mut problems);
        if let Err(error) = jets.check_lengths(NAME) {
            problems.push(error);
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, jets: &Particles<P>) -> Plan {
        let number = jets.offsets.length().saturating_sub(1) as u64;
        let a_jet = (size_of::<u32>() * 3 + size_of::<f64>() * Observable::NUMBER) as u64;
        // Four momenta, and the two histories, of two numbers and five quantities each.
        let a_constituent = (size_of::<f64>() * 14 + size_of::<u32>() * 4) as u64;
        let places = match self.correlations {
            Some(_) => cuda::most_blocks(number, jets.largest) * cuda::places(jets.largest),
            None => 0,
        };
        Plan {
            fixed: Bytes(number * a_jet + size_of::<u32>() as u64 + places * size_of::<f64>() as u64),
            per_unit: Bytes(a_constituent),
            units: jets.px.length() as u64,
        }
    }

    fn cpu(&self, jets: Particles<Host>) -> Result<Observables<Host>> {
        self.check_data(&jets)?;
        cpu::compute(self, &jets)
    }

    fn cuda(&self, cuda: &Cuda, jets: Particles<OnDevice>) -> Result<Observables<OnDevice>> {
        cuda::compute(self, cuda, &jets)
    }
}

impl Download for Observables<OnDevice> {
    type Here = Observables<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Observables<Host>> {
        Ok(Observables {
            values: cuda.download(&self.values)?,
            multiplicity: cuda.download(&self.multiplicity)?,
            defined: cuda.download(&self.defined)?,
        })
    }
}

impl Observables<Host> {
    /// The number of jets.
    pub fn jets(&self) -> usize {
        self.multiplicity.len()
    }

    /// One observable of all jets.
    pub fn of(&self, observable: Observable) -> &[f64] {
        let jets = self.jets();
        &self.values[observable as usize * jets..][..jets]
    }

    /// Whether the value of a jet is what the formula says.
    ///
    /// # Panics
    /// If there is no such jet.
    pub fn is_defined(&self, jet: usize, observable: Observable) -> bool {
        self.defined[jet] & observable.bit() != 0
    }
}
