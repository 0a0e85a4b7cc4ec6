//! Particles in groups: those of events, or the constituents of jets.

use std::fmt;
use std::ops::Range;

use arrow_buffer::ScalarBuffer;

use crate::device::{Column, Cuda, Host, OnDevice, Place, Upload};
use crate::error::{Fault, Problems, Result};
use crate::math::lorentz::FourMomentum;

/// No component of a momentum may be larger (GeV): powers of sums of so many stay finite.
const LARGEST: f64 = 1e100;

/// Particles in groups, one group after the other: those of events, or the constituents of jets. Momenta in GeV.
#[derive(Debug, Clone)]
pub struct Particles<P: Place> {
    /// Where each group begins, and the end of the last: one more than there are groups.
    pub offsets: P::Column<u32>,
    /// Momenta along x.
    pub px: P::Column<f64>,
    /// Momenta along y.
    pub py: P::Column<f64>,
    /// Momenta along the beam.
    pub pz: P::Column<f64>,
    /// Energies.
    pub energy: P::Column<f64>,
    /// The particles of the largest group.
    pub largest: u32,
}

impl Upload for Particles<Host> {
    type There = Particles<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Particles<OnDevice>> {
        Ok(Particles {
            offsets: cuda.upload(&self.offsets)?,
            px: cuda.upload(&self.px)?,
            py: cuda.upload(&self.py)?,
            pz: cuda.upload(&self.pz)?,
            energy: cuda.upload(&self.energy)?,
            largest: self.largest,
        })
    }
}

/// What the groups are, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Events.
    Event,
    /// Jets.
    Jet,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event => "event",
            Self::Jet => "jet",
        })
    }
}

impl<P: Place> Particles<P> {
    /// Whether the columns are as long as each other, wherever they are.
    ///
    /// # Errors
    /// Every column that is not, and offsets that are not there.
    pub fn check_lengths(&self, operation: &'static str) -> Result<()> {
        let total = self.px.length();
        let mut problems = Problems::default();
        let columns = [("py", &self.py), ("pz", &self.pz), ("energy", &self.energy)];
        for (name, column) in columns.into_iter().filter(|(_, column)| column.length() != total) {
            let problem = format!("{name}: expected {total} particles, got {}", column.length());
            problems.push(Fault::new(operation, problem).because("px has as many").data());
        }
        if self.offsets.length() == 0 {
            let fault = Fault::new(operation, "there are no offsets");
            problems.push(fault.because("they are one more than there are groups of particles").data());
        }
        problems.finish()
    }
}

impl Particles<Host> {
    /// The particles of these groups.
    pub fn of_groups(groups: &[&[FourMomentum]]) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        offsets.extend(groups.iter().map(|group| {
            end += group.len() as u32;
            end
        }));
        let column = |of: fn(&FourMomentum) -> f64| groups.iter().flat_map(|group| group.iter().map(of)).collect();
        let largest = groups.iter().map(|group| group.len() as u32).max().unwrap_or(0);
        Self {
            offsets: offsets.into(),
            px: column(|p| p.px),
            py: column(|p| p.py),
            pz: column(|p| p.pz),
            energy: column(|p| p.energy),
            largest,
        }
    }

    /// Some of the groups, one after the other.
    pub fn of_some(&self, groups: &[usize]) -> Self {
        let momenta: Vec<Vec<FourMomentum>> =
            groups.iter().map(|group| self.rows(*group).map(|row| self.momentum(row)).collect()).collect();
        Self::of_groups(&momenta.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// The groups that a device takes, in parts of about `room` particles where a group counts for `least` at least, and those of more
    /// than `largest` particles, which it does not take.
    pub(in crate::features) fn parts(&self, largest: u32, room: usize, least: usize) -> (Vec<Vec<usize>>, Vec<usize>) {
        let size = |group: usize| self.rows(group).len();
        let (small, large): (Vec<usize>, Vec<usize>) =
            (0..self.groups()).partition(|group| size(*group) <= largest as usize);
        let (mut parts, mut inside) = (Vec::<Vec<usize>>::new(), 0);
        for group in small {
            let more = size(group).max(least);
            match parts.last_mut() {
                Some(part) if inside + more <= room => {
                    part.push(group);
                    inside += more;
                }
                _ => {
                    parts.push(vec![group]);
                    inside = more;
                }
            }
        }
        (parts, large)
    }

    /// The rows of a group.
    ///
    /// # Panics
    /// If there is no such group.
    #[inline(always)]
    pub fn rows(&self, group: usize) -> Range<usize> {
        self.offsets[group] as usize..self.offsets[group + 1] as usize
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether all can be computed with.
    ///
    /// # Errors
    /// Columns whose lengths contradict each other; momenta that are not finite or beyond 1e100 GeV, energies below 0.
    pub fn check(&self, operation: &'static str, group: Group) -> Result<()> {
        let ends = self.offsets.windows(2).all(|ends| ends[0] <= ends[1]);
        let total = self.offsets.last().copied().unwrap_or(0) as usize;
        if self.offsets.first() != Some(&0) || !ends {
            return Err(Fault::new(operation, format!("the offsets of the {group}s do not ascend from 0")).data());
        }
        let refused = |at: usize, name: &str, column: &ScalarBuffer<f64>, why: String| {
            let index = self.offsets.partition_point(|offset| *offset as usize <= at) - 1;
            let particle = at - self.offsets[index] as usize;
            let problem = format!("{name} = {:e} of particle {particle} in {group} {index} {why}", column[at]);
            Fault::new(operation, problem).because("what is computed with it would have no direction").data()
        };
        let mut problems = Problems::default();
        let largest = self.offsets.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0);
        if largest > self.largest {
            let problem =
                format!("one {group} has {largest} particles and the largest is said to have {}", self.largest);
            problems.push(Fault::new(operation, problem).data());
        }
        let columns = [("px", &self.px), ("py", &self.py), ("pz", &self.pz), ("energy", &self.energy)];
        for (name, column) in columns {
            if column.len() != total {
                let problem = format!("{name}: expected {total} particles, got {}", column.len());
                problems.push(Fault::new(operation, problem).data());
            } else if let Some(at) = first_outside(column, -LARGEST, LARGEST) {
                problems.push(refused(at, name, column, format!("is not finite or beyond {LARGEST:e}")));
            } else if name == "energy"
                && let Some(at) = first_outside(column, 0.0, LARGEST)
            {
                problems.push(refused(at, name, column, "is below 0".to_owned()));
            }
        }
        problems.finish()
    }

    /// The momentum of a particle.
    ///
    /// # Panics
    /// If there is no such particle.
    #[inline(always)]
    pub fn momentum(&self, at: usize) -> FourMomentum {
        FourMomentum { px: self.px[at], py: self.py[at], pz: self.pz[at], energy: self.energy[at] }
    }
}

/// The first value that is not from `least` to `most`, NaN among them.
pub(in crate::features) fn first_outside(values: &[f64], least: f64, most: f64) -> Option<usize> {
    // Without a branch a chunk becomes vectors: of aligned and ordered jets, checks were a fifth of the time.
    const CHUNK: usize = 256;
    let inside = |value: &f64| *value >= least && *value <= most;
    let bad = |chunk: &[f64]| !chunk.iter().fold(true, |all, value| all & inside(value));
    let chunk = values.chunks(CHUNK).position(bad)? * CHUNK;
    values[chunk..].iter().position(|value| !inside(value)).map(|at| chunk + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_outside_is_found_wherever_it_is() {
        for number in [0, 1, 255, 256, 257, 600] {
            let good = vec![1.0; number];
            assert_eq!(first_outside(&good, 0.0, 1.0), None);
            for bad in [f64::NAN, -1.0, f64::INFINITY, 1.0 + f64::EPSILON] {
                for at in [0, 254, 255, 256, 599].into_iter().filter(|at| *at < number) {
                    let mut values = good.clone();
                    values[at] = bad;
                    values[number - 1] = bad;
                    assert_eq!(first_outside(&values, -0.0, 1.0), Some(at), "{bad} at {at} of {number}");
                }
            }
        }
    }

    #[test]
    fn parts_hold_every_group_once_in_order() {
        let groups: Vec<Vec<FourMomentum>> =
            [3, 0, 4, 9, 1, 1, 12, 2].map(|size| vec![FourMomentum::ZERO; size]).to_vec();
        let particles = Particles::of_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(particles.parts(10, 7, 0), (vec![vec![0, 1, 2], vec![3], vec![4, 5, 7]], vec![6]));
        // A group that counts for two at least; one that is larger than the room has a part of its own.
        assert_eq!(particles.parts(20, 7, 2).0, [vec![0, 1], vec![2], vec![3], vec![4, 5], vec![6], vec![7]]);
        assert_eq!(Particles::of_groups(&[]).parts(10, 7, 0), (Vec::new(), Vec::new()));
    }
}
