//! `features.order`: the order in which a recurrent network sees the constituents of a jet.
//!
//! **What.** By pT, or by the distance kt: first the constituent with the largest pT, then again and again that of the rest with
//! the largest
//!
//! ```text
//! pT_i dR(i, c),    dR^2 = (eta_i - eta_c)^2 + (phi_i - phi_c)^2
//! ```
//!
//! where c is the one chosen before it (not the axis of the jet), and differences of phi go the short way round. Squares are
//! compared. Where a jet has more than `most` constituents, those with the largest pT, or pT^2 (eta^2 + phi^2), are ordered. Of
//! equals the one of lower index comes first.
//!
//! **Shapes.** Each jet has the same number of `rows`, of which the first `number` hold constituents, as [`super::align`] gives
//! them ([`Aligned::coordinates`](super::align::Aligned::coordinates), without a copy). The answer has `most` places a jet: which
//! row comes there, and [`NO_ROW`] behind the last.
//!
//! **Numbers.** + - * alone, in one order. What is not a number counts as 0 on a device; the CPU refuses it.
//!
//! **Cost.** n times `min(n, most)` distances for the n constituents of a jet; 24 bytes a row are read and 4 written.
//! A core of an AMD EPYC takes 0.41 us for 20 constituents by kt and 0.34 us by pT; a jet by itself, in vectors, took half as long again.
//!
//! **Source.** A. Kahn et al., JINST 16 (2021) P08012; ATLAS, Phys. Rev. D 108 (2023) 052009.
//!
//! On CUDA a warp has a jet, 32 bytes of shared memory a row, up to 1,024 of them. A jet of 20 constituents reads and writes 0.6 kB,
//! so that the memory of an H100 (3.35 TB/s) bounds it to 6e9 jets a second. The kernel is checked by emulation and SASS, not
//! yet run on a GPU.
//!
//! **Held to** the orders of the two worked jets of the alignment, and to plain searches on random jets.
//!
//! ```
//! use trawl::features::order::{Coordinates, Order, Ordering, Truncation};
//! let jet = Coordinates {
//!     rows: 4,
//!     pt: vec![0.2, 0.5, 0.3, 0.0].into(),
//!     eta: vec![0.1, 0.0, 0.0, 0.0].into(),
//!     phi: vec![0.4, 0.0, 0.1, 0.0].into(),
//!     number: vec![3].into(),
//! };
//! let by = |ordering| Order::new(ordering, 4, Truncation::Pt)?.run(&trawl::Device::Cpu, &jet);
//! assert_eq!(by(Ordering::Pt)?.order.to_vec(), [1, 2, 0, u32::MAX]);
//! assert_eq!(by(Ordering::Kt)?.order.to_vec(), [1, 0, 2, u32::MAX]);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod jets;
mod math;
#[cfg(test)]
mod tests;

pub use super::align::Truncation;
use super::particles::first_outside;
use crate::device::{Bytes, Column, Cuda, Device, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};

const NAME: &str = "features.order";

/// A place behind the last constituent.
pub const NO_ROW: u32 = u32::MAX;

/// A CUDA warp has room for so many rows: 32 KiB of shared memory.
pub const LARGEST_ON_DEVICE: u32 = 1024;

/// No number may be larger: its fourth power is finite.
const LARGEST: f64 = 1e50;

/// What constituents are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ordering {
    /// The largest pT first.
    Pt,
    /// The largest pT times distance to the one before.
    #[default]
    Kt,
}

/// How constituents are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    ordering: Ordering,
    most: u32,
    truncation: Truncation,
}

/// The constituents of jets in rows: jet j has the rows from `j * rows` on.
#[derive(Debug, Clone)]
pub struct Coordinates<P: Place> {
    /// The rows of a jet.
    pub rows: u32,
    /// Transverse momenta, of any unit.
    pub pt: P::Column<f64>,
    /// Pseudorapidities.
    pub eta: P::Column<f64>,
    /// Azimuths from -pi to pi.
    pub phi: P::Column<f64>,
    /// The constituents of each jet, in its first rows.
    pub number: P::Column<u32>,
}

/// Orders: jet j has the places from `j * most` on.
#[derive(Debug, Clone)]
pub struct Orders<P: Place> {
    /// The places of a jet.
    pub most: u32,
    /// Which row of the jet comes at each place; [`NO_ROW`] behind the last.
    pub order: P::Column<u32>,
    /// The constituents of each jet that have a place.
    pub number: P::Column<u32>,
}

impl Order {
    /// An ordering of at most so many constituents a jet.
    ///
    /// # Errors
    /// No constituents at all, or more than 65,536.
    pub fn new(ordering: Ordering, most: u32, truncation: Truncation) -> Result<Self> {
        if most == 0 || most > 1 << 16 {
            let fault = Fault::new(NAME, format!("{most} constituents at most is not from 1 to 65536"));
            return Err(fault.because("every jet has so many places").usage());
        }
        Ok(Self { ordering, most, truncation })
    }

    /// Orders the constituents of all jets.
    ///
    /// # Errors
    /// Columns whose lengths contradict each other; numbers that are not finite; on a device more than [`LARGEST_ON_DEVICE`]
    /// rows a jet; a failure of the device.
    pub fn run(&self, device: &Device, jets: &Coordinates<Host>) -> Result<Orders<Host>> {
        if let Device::Cuda(_) = device {
            // The CPU's executor looks by itself.
            jets.check()?;
        }
        device.run(self, jets.clone())
    }
}

impl<P: Place> Coordinates<P> {
    fn check_lengths(&self) -> Result<()> {
        let total = self.number.length() * self.rows as usize;
        let mut problems = Problems::default();
        for (name, column) in [("pt", &self.pt), ("eta", &self.eta), ("phi", &self.phi)] {
            if column.length() != total {
                let problem = format!("{name}: expected {total} rows, got {}", column.length());
                let why = format!("there are {} jets of {} rows", self.number.length(), self.rows);
                problems.push(Fault::new(NAME, problem).because(why).data());
            }
        }
        problems.finish()
    }
}

impl Coordinates<Host> {
    /// Whether all can be computed with.
    ///
    /// # Errors
    /// Columns whose lengths contradict each other; more constituents than rows; what is not finite or beyond 1e50, a pT below 0.
    fn check(&self) -> Result<()> {
        self.check_lengths()?;
        let mut problems = Problems::default();
        let rows = self.rows as usize;
        if let Some((jet, number)) = self.number.iter().enumerate().find(|(_, number)| **number > self.rows) {
            let problem = format!("jet {jet} has {number} constituents in {rows} rows");
            problems.push(Fault::new(NAME, problem).data());
        }
        for (name, column) in [("pt", &self.pt), ("eta", &self.eta), ("phi", &self.phi)] {
            let least = if name == "pt" { 0.0 } else { -LARGEST };
            // Rows without constituents may hold anything.
            let is_read = |at: usize| at % rows < self.number[at / rows] as usize;
            let mut bad = None;
            let mut from = 0;
            while let Some(at) = first_outside(&column[from..], least, LARGEST).map(|at| from + at) {
                if is_read(at) {
                    bad = Some((at, column[at]));
                    break;
                }
                from = at + 1;
            }
            if let Some((at, value)) = bad {
                let problem = format!("{name} = {value:e} of constituent {} of jet {}", at % rows, at / rows);
                let problem = if name == "pt" {
                    format!("{problem} is not from 0 to {LARGEST:e}")
                } else {
                    format!("{problem} is not finite or beyond {LARGEST:e}")
                };
                problems.push(Fault::new(NAME, problem).because("it would have no place in an order").data());
            }
        }
        problems.finish()
    }
}

impl Operation for Order {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Coordinates<P>;
    type Output<P: Place> = Orders<P>;

    fn check<P: Place>(&self, jets: &Coordinates<P>) -> Result<()> {
        jets.check_lengths()
    }

    fn plan<P: Place>(&self, jets: &Coordinates<P>) -> Plan {
        let read = u64::from(jets.rows) * Bytes::of::<f64>(3).0;
        let made = u64::from(self.most) * Bytes::of::<u32>(1).0 + Bytes::of::<u32>(2).0;
        Plan { fixed: Bytes(0), per_unit: Bytes(read + made), units: jets.number.length() as u64 }
    }

    fn cpu(&self, jets: Coordinates<Host>) -> Result<Orders<Host>> {
        jets.check()?;
        Ok(cpu::order(self, &jets))
    }

    fn cuda(&self, cuda: &Cuda, jets: Coordinates<OnDevice>) -> Result<Orders<OnDevice>> {
        cuda::order(self, cuda, &jets)
    }
}

impl Upload for Coordinates<Host> {
    type There = Coordinates<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Coordinates<OnDevice>> {
        Ok(Coordinates {
            rows: self.rows,
            pt: cuda.upload(&self.pt)?,
            eta: cuda.upload(&self.eta)?,
            phi: cuda.upload(&self.phi)?,
            number: cuda.upload(&self.number)?,
        })
    }
}

impl Download for Orders<OnDevice> {
    type Here = Orders<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Orders<Host>> {
        Ok(Orders { most: self.most, order: cuda.download(&self.order)?, number: cuda.download(&self.number)? })
    }
}
