//! `features.rapidity_mass`: the rapidity-mass matrix of an event, a picture of its objects and of all their pairs.
//!
//! **What.** An event has objects of some types (jets, b-jets, electrons, ...) and missing transverse energy. Of each
//! type the leading ones in pT are taken, as many as [`ObjectType::most`] says, of equal ones those of lower index. The
//! matrix T has a row and a column for the missing energy, and then one of each for every such object:
//!
//! ```text
//! T[0][0] = E_T^miss / sqrt(s)
//! T[0][i] = m_T(i) / sqrt(s),       m_T^2 = (E_T + E_T^miss)^2 - |pT + pT^miss|^2,   E_T = E sin(theta)
//! T[i][0] = h_L = C (cosh y_i - 1),                                                C = 0.15
//! T[i][i] = E_T(i) / sqrt(s) of the leading object of a type, (E_T(i-1) - E_T(i)) / (E_T(i-1) + E_T(i)) of the others
//! T[i][j] = m_ij / sqrt(s),         i < j: the invariant mass of both
//! T[i][j] = h_ij = C (cosh((y_i - y_j) / 2) - 1),   i > j
//! ```
//!
//! with rapidities y, not pseudorapidities. [`RapidityMass::leave_out`] takes entries out, as the search of ATLAS does
//! with the invariant masses in which it looks for bumps: with 10 jets, 10 b-jets, 5 electrons, 5 muons and 5 photons
//! 36 x 36 - 9 = 1287 numbers are left.
//!
//! **Conventions.** E_T = E sin(theta) = sqrt(pT^2 + m^2 / cosh^2 eta) and m_T are those of the programs, in which
//! missing energy has no mass: chekanov/Map2RMM for E_T, and for m_T what followed it (Map2RMM-C46), since its first
//! version took the sqrt(E^2 - pz^2) of the sum. For an object without mass m_T^2 is 2 E_T^miss pT (1 - cos dphi).
//! Where no energy is missing, m_T is 0, as there. The programs have no C; 0.15 is the paper's, as it is remembered. An
//! object has pT; padding by zeros is not an object.
//!
//! **Shapes.** A column of the entries that remain, row after row ([`RapidityMass::entries`]), in `f32`, event after
//! event. An entry whose objects are not there is 0 and has no bit in [`Matrices::present`], which is what
//! `models::table::Table::present` takes. That of the missing energy itself is always there. Values are never clamped:
//! those of the paper are in [0, 1) but for objects at large rapidities (beyond 2.7 for `h_L`), pT in another order
//! than E_T, or more than sqrt(s). [`Matrices::outside`] counts the entries of each event that are not.
//!
//! **Numbers.** `f64` with + - * / sqrt and [`crate::math::det`], rounded to `f32` once. Differences of rapidities and
//! azimuths come as products of exponentials and sines of each object, so that nothing cancels: of two collinear
//! objects the mass is right, of twice the same one without mass it is 0. CPU and CUDA answer the same bits for any
//! block size and thread count. No value is ever NaN or infinite: pT and mass up to 1e9 GeV and pseudorapidities up to
//! 50 are admitted. What is beyond, not finite or below 0 is an error; on a device, where nobody has looked at it, the
//! verdict is [`Verdict::Refused`] and the event is all 0.
//!
//! **Cost.** 16 bytes an object and 8 an event are read, 4 bytes an entry and a bit for it written. An object takes a
//! hyperbolic sine, a sine, a cosine, five roots and three divisions (about 250 operations), a pair about 45, of which
//! a division and a root. On the CPU an event is one thread's.
//!
//! On CUDA a warp has an event, 76 bytes of shared memory for each object that has a row; lanes share the objects and
//! then the entries. The floor: 5.3 kB of an event of 1287 entries are written and 0.2 to 0.6 kB read, so the memory of
//! an H100 (3.35 TB/s) bounds it to 6e8 events a second. With 8 objects, 4,000 operations in double precision an event
//! would let it make 4e9 (1.7e13 a second without fused ones); with all 35, 36,000 bound it to 5e8. The kernel is
//! checked by emulation and SASS, not yet run on a GPU.
//!
//! **Source.** S. V. Chekanov, Nucl. Instrum. Meth. A 931 (2019) 92, arXiv:1805.11650 (the matrix), recalled; ATLAS,
//! Phys. Rev. Lett. 132 (2024) 081801, arXiv:2307.01612 (1287 inputs, and which masses are left out), recalled.
//!
//! **Held to** an event worked by hand, a transcription with four-momenta in NumPy
//! (`scripts/oracles/rapidity_mass.py`), and to invariance under rotations about the beam, boosts along it (h_ij, m_ij)
//! and the order of the objects.
//!
//! ```
//! use trawl::features::rapidity_mass::{Input, ObjectType, Objects, RapidityMass};
//! let types = vec![ObjectType::new("jets", 2), ObjectType::new("muons", 1)];
//! let matrix = RapidityMass { types, collision_energy_gev: 1000.0, leave_out: vec![(1, 2)] };
//! let jets = Objects::of_events(&[&[[30.0, 0.0, 0.0, 40.0], [50.0, 0.0, 0.0, 0.0]]]);
//! let muons = Objects::of_events(&[&[]]);
//! let input = Input { objects: vec![jets, muons], missing_gev: vec![40.0].into(), missing_phi: vec![0.0].into() };
//! let matrices = trawl::Device::Cpu.run(&matrix, input)?;
//! let value = |row, column| {
//!     let at = matrix.entries().iter().position(|entry| *entry == (row, column))?;
//!     matrices.is_present(0, at).then(|| matrices.matrix(0)[at])
//! };
//! assert_eq!((value(0, 0), value(1, 1), value(2, 2)), (Some(0.04), Some(0.05), Some(0.0)));
//! assert_eq!((value(3, 3), value(1, 2), matrix.width()), (None, None, 15));
//!
//! // The search of ATLAS: the masses of the leading jet or b-jet with each other and with all else.
//! let mut atlas = RapidityMass::default();
//! let pairs = [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3), (0, 4), (1, 4)];
//! atlas.leave_out = pairs.iter().filter_map(|(a, b)| atlas.leading_mass(*a, *b)).collect();
//! assert_eq!(atlas.width(), 1287);
//! # Ok::<(), trawl::Error>(())
//! ```

mod cpu;
mod cuda;
mod input;
mod math;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use input::{Input, Objects};

use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan};
use crate::error::{Fault, Problems, Result};
use math::{Entry, Kind};

const NAME: &str = "features.rapidity_mass";

/// No more objects have a row, all types together: 1 MiB a matrix, and 38 KiB of shared memory for a CUDA warp.
pub const MOST_OBJECTS: u32 = 511;

/// No energy, momentum or mass may be larger (GeV), nor the collisions' energy.
const LARGEST_GEV: f32 = 1e9;

/// No pseudorapidity may be larger: the largest invariant mass is still an `f32`.
const LARGEST_ETA: f32 = 50.0;

/// A kind of objects, and how many of an event have a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectType {
    /// What messages call them: `jets`.
    pub name: String,
    /// So many leading ones in pT; above 0.
    pub most: u32,
}

/// Which matrix is made. The default is that of ATLAS before masses are left out: 10 jets, 10 b-jets, 5 electrons, 5
/// muons, 5 photons, 13 TeV.
#[derive(Debug, Clone, PartialEq)]
pub struct RapidityMass {
    /// The types in the order of their rows; all numbers together are from 1 to [`MOST_OBJECTS`].
    pub types: Vec<ObjectType>,
    /// The energy of the collisions sqrt(s), from 1 to 1e9 GeV.
    pub collision_energy_gev: f64,
    /// Entries (row, column) that are left out.
    pub leave_out: Vec<(u32, u32)>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
    /// Its matrix is made.
    Made = 0,
    /// What the CPU refuses as an error was on the device. The matrix is all 0 and nothing of it is present.
    Refused = 1,
}

/// The matrices of events.
#[derive(Debug, Clone)]
pub struct Matrices<P: Place> {
    /// The entries of a matrix that remain.
    pub width: u32,
    /// The entries in the order of [`RapidityMass::entries`], event after event.
    pub values: P::Column<f32>,
    /// A bit for each entry whose objects are there, as many whole words for each event.
    pub present: P::Column<u32>,
    /// How many entries of each event are not in [0, 1).
    pub outside: P::Column<u32>,
    /// The [`Verdict`] on each event.
    pub verdict: P::Column<u32>,
}

impl ObjectType {
    /// So many objects of this name.
    pub fn new(name: &str, most: u32) -> Self {
        Self { name: name.to_owned(), most }
    }
}

impl Default for RapidityMass {
    fn default() -> Self {
        let types = [("jets", 10), ("b-jets", 10), ("electrons", 5), ("muons", 5), ("photons", 5)];
        Self {
            types: types.map(|(name, most)| ObjectType::new(name, most)).to_vec(),
            collision_energy_gev: 13_000.0,
            leave_out: Vec::new(),
        }
    }
}

impl RapidityMass {
    /// The rows of the whole matrix, and its columns: one more than objects.
    pub fn size(&self) -> u32 {
        u32::try_from(self.objects().saturating_add(1)).unwrap_or(u32::MAX)
    }

    /// How many entries remain.
    pub fn width(&self) -> u32 {
        self.kept().len() as u32
    }

    /// The entries (row, column) that remain, row after row: what a value of a matrix is about. None of parameters that
    /// are refused.
    pub fn entries(&self) -> Vec<(u32, u32)> {
        self.kept().iter().map(|entry| (entry.row, entry.column)).collect()
    }

    /// The entry of the invariant mass of the leading objects of two types, by their places in [`RapidityMass::types`],
    /// or of the leading two of one; `None` where there are no such rows.
    pub fn leading_mass(&self, one: usize, other: usize) -> Option<(u32, u32)> {
        let (low, high) = (one.min(other), one.max(other));
        let first_rows = self.first_rows();
        let (row, column) = (*first_rows.get(low)?, *first_rows.get(high)?);
        if low < high {
            return Some((row, column));
        }
        (self.types[low].most > 1).then_some((row, row + 1))
    }

    /// All numbers of objects together.
    fn objects(&self) -> u64 {
        self.types.iter().map(|of_type| u64::from(of_type.most)).sum()
    }

    /// The row of the leading object of each type.
    fn first_rows(&self) -> Vec<u32> {
        let mut next = 1_u32;
        let row = |of_type: &ObjectType| {
            let first = next;
            next = next.saturating_add(of_type.most);
            first
        };
        self.types.iter().map(row).collect()
    }

    /// What each entry that remains is.
    fn kept(&self) -> Vec<Entry> {
        if self.objects() > u64::from(MOST_OBJECTS) {
            return Vec::new();
        }
        let left_out: BTreeSet<(u32, u32)> = self.leave_out.iter().copied().collect();
        let first_rows = self.first_rows();
        let all = (0..self.size()).flat_map(|row| (0..self.size()).map(move |column| (row, column)));
        let kept = all.filter(|entry| !left_out.contains(entry));
        kept.map(|(row, column)| Entry { kind: Kind::of(row, column, &first_rows), row, column }).collect()
    }

    /// Words of presence of an event.
    fn words(&self) -> usize {
        self.width().div_ceil(u32::BITS) as usize
    }

    fn check_parameters(&self, problems: &mut Problems) {
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        if self.types.is_empty() {
            refuse("there are no types of objects".to_owned(), "missing energy alone is no matrix");
        }
        for of_type in self.types.iter().filter(|of_type| of_type.most == 0) {
            refuse(format!("0 {} have a row", of_type.name), "a type without rows is not in the matrix");
        }
        let objects = self.objects();
        if objects > u64::from(MOST_OBJECTS) {
            refuse(format!("{objects} objects have a row, {MOST_OBJECTS} at most may"), "a matrix holds their square");
        }
        if !(1.0..=f64::from(LARGEST_GEV)).contains(&self.collision_energy_gev) {
            let problem = format!("collisions of {} GeV are not from 1 to {LARGEST_GEV:e}", self.collision_energy_gev);
            refuse(problem, "energies and masses are divided by it");
        }
        let mut seen = BTreeSet::new();
        for entry in &self.leave_out {
            let (row, column) = entry;
            if *row >= self.size() || *column >= self.size() {
                let why = format!("rows and columns are from 0 to {}", self.size() - 1);
                refuse(format!("row {row}, column {column} is left out and not in the matrix"), &why);
            } else if !seen.insert(entry) {
                refuse(format!("row {row}, column {column} is left out twice"), "one of both is meant to be another");
            }
        }
        if seen.len() as u64 == u64::from(self.size()).saturating_mul(u64::from(self.size())) {
            refuse("all entries are left out".to_owned(), "no number of an event remains");
        }
    }
}

impl Operation for RapidityMass {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Matrices<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        self.check_parameters(&mut problems);
        input.check_lengths(&self.types, &mut problems);
        problems.finish()
    }

    fn check_values(&self, input: &Input<Host>) -> Result<()> {
        self.check(input)?;
        let mut problems = Problems::default();
        input.check_values(&self.types, &mut problems);
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        let entries = self.width() as usize;
        let objects: usize = input.objects.iter().map(|objects| objects.pt_gev.length()).sum();
        let tables = Bytes::of::<u32>(entries + self.objects() as usize + 3 * self.types.len());
        let addresses = Bytes::of::<u64>(cuda::COLUMNS * self.types.len());
        // Values, presence, two numbers; offsets and missing energy.
        let made = Bytes::of::<f32>(entries) + Bytes::of::<u32>(self.words() + 2);
        let read = Bytes::of::<u32>(self.types.len()) + Bytes::of::<f32>(2);
        Plan {
            // Offsets are one more than events.
            fixed: tables + addresses + Bytes::of::<u32>(self.types.len()) + Bytes::of::<f32>(4 * objects),
            per_unit: made + read,
            units: input.missing_gev.length() as u64,
        }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Matrices<Host>> {
        self.check_values(&input)?;
        Ok(cpu::matrices(self, &input))
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Matrices<OnDevice>> {
        // The kernel takes its tables from the parameters, and its sizes from the columns.
        self.check(&input)?;
        cuda::matrices(self, cuda, &input)
    }
}

impl Download for Matrices<OnDevice> {
    type Here = Matrices<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Matrices<Host>> {
        Ok(Matrices {
            width: self.width,
            values: cuda.download(&self.values)?,
            present: cuda.download(&self.present)?,
            outside: cuda.download(&self.outside)?,
            verdict: cuda.download(&self.verdict)?,
        })
    }
}

impl Matrices<Host> {
    /// The entries of an event.
    ///
    /// # Panics
    /// If there is no such event.
    pub fn matrix(&self, event: usize) -> &[f32] {
        &self.values[event * self.width as usize..][..self.width as usize]
    }

    /// Whether the objects of an entry, by its place in [`RapidityMass::entries`], are there.
    ///
    /// # Panics
    /// If there is no such event.
    pub fn is_present(&self, event: usize, entry: usize) -> bool {
        let words = self.width.div_ceil(u32::BITS) as usize;
        self.present[event * words..][..words].get(entry / 32).is_some_and(|word| (word >> (entry % 32)) & 1 == 1)
    }

    /// How many events have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdict.iter().filter(|found| **found == verdict as u32).count()
    }
}
