//! What matrices are made of, and whether it can be computed with.

use arrow_buffer::ScalarBuffer;

use super::{LARGEST_ETA, LARGEST_GEV, NAME, ObjectType};
use crate::device::{Column, Cuda, Host, OnDevice, Place, Upload};
use crate::error::{Fault, Problems, Result};
use crate::events::Collection;
use crate::math::det;

/// What matrices are made of.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The objects of each type, in the order of [`RapidityMass::types`](super::RapidityMass::types).
    pub objects: Vec<Objects<P>>,
    /// The missing transverse energy of each event in GeV, 0 or more.
    pub missing_gev: P::Column<f32>,
    /// Its azimuth in radians, of any turn.
    pub missing_phi: P::Column<f32>,
}

/// The objects of a type, event after event, in any order within one.
#[derive(Debug, Clone)]
pub struct Objects<P: Place> {
    /// Where the objects of each event begin, and the end of the last: one more than there are events.
    pub offsets: P::Column<u32>,
    /// Transverse momenta in GeV, 0 (which is no object) or more.
    pub pt_gev: P::Column<f32>,
    /// Pseudorapidities.
    pub eta: P::Column<f32>,
    /// Azimuths in radians, of any turn.
    pub phi: P::Column<f32>,
    /// Masses in GeV, 0 or more.
    pub mass_gev: P::Column<f32>,
}

impl<P: Place> Objects<P> {
    /// Those of a collection, whose quantities at these places are pT, pseudorapidity, azimuth and mass; `None` where
    /// there are none. Columns are shared.
    pub fn of_collection(collection: &Collection<P>, quantities: [usize; 4]) -> Option<Self> {
        let column = |which: usize| collection.quantities.get(quantities[which]).cloned();
        Some(Self {
            offsets: collection.offsets.clone(),
            pt_gev: column(0)?,
            eta: column(1)?,
            phi: column(2)?,
            mass_gev: column(3)?,
        })
    }

    /// The columns by name, pT first.
    pub(super) fn columns(&self) -> [(&'static str, &P::Column<f32>); 4] {
        [("pt", &self.pt_gev), ("eta", &self.eta), ("phi", &self.phi), ("mass", &self.mass_gev)]
    }
}

impl Objects<Host> {
    /// Those of events: pT, pseudorapidity, azimuth and mass of each.
    pub fn of_events(events: &[&[[f32; 4]]]) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        offsets.extend(events.iter().map(|event| {
            end += event.len() as u32;
            end
        }));
        let column = |which: usize| events.iter().flat_map(|event| event.iter().map(move |of| of[which])).collect();
        Self { offsets: offsets.into(), pt_gev: column(0), eta: column(1), phi: column(2), mass_gev: column(3) }
    }

    /// Whether all can be computed with.
    fn check_values(&self, name: &str, problems: &mut Problems) {
        let ascend = self.offsets.windows(2).all(|ends| ends[0] <= ends[1]);
        let (first, last) = (self.offsets.first(), self.offsets.last());
        if first != Some(&0) || !ascend || last.is_none_or(|last| *last as usize != self.pt_gev.len()) {
            let problem = format!("the offsets of {name} do not ascend from 0 to the number of objects");
            problems.push(Fault::new(NAME, problem).data());
            return;
        }
        for (quantity, column) in self.columns() {
            let range = Range::of(quantity);
            if let Some(at) = range.first_outside(column) {
                let event = self.offsets.partition_point(|offset| *offset as usize <= at) - 1;
                let object = at - self.offsets[event] as usize;
                let place = format!("of object {object} of {name} in event {event}");
                problems.push(range.refused(quantity, column[at], &place));
            }
        }
    }
}

impl<P: Place> Input<P> {
    /// The number of events.
    pub fn events(&self) -> usize {
        self.missing_gev.length()
    }

    /// Whether columns are as long as each other.
    pub(super) fn check_lengths(&self, types: &[ObjectType], problems: &mut Problems) {
        let mut refuse = |problem: String, why: String| problems.push(Fault::new(NAME, problem).because(why).data());
        let events = self.events();
        if self.missing_phi.length() != events {
            let problem = format!("missing_phi: expected {events} events, got {}", self.missing_phi.length());
            refuse(problem, "missing_gev has as many".to_owned());
        }
        if self.objects.len() != types.len() {
            let problem = format!("there are objects of {} types, expected {}", self.objects.len(), types.len());
            refuse(problem, "each type of the matrix has its columns".to_owned());
        }
        for (objects, ObjectType { name, .. }) in self.objects.iter().zip(types) {
            if objects.offsets.length() != events + 1 {
                let problem = format!("offsets of {name}: expected {}, got {}", events + 1, objects.offsets.length());
                refuse(problem, format!("there are {events} events"));
            }
            let number = objects.pt_gev.length();
            for (quantity, column) in objects.columns().into_iter().filter(|(_, column)| column.length() != number) {
                let problem = format!("{quantity} of {name}: expected {number} objects, got {}", column.length());
                refuse(problem, "pt has as many".to_owned());
            }
        }
    }
}

impl Input<Host> {
    /// Whether all can be computed with, where columns are as long as each other.
    pub(super) fn check_values(&self, types: &[ObjectType], problems: &mut Problems) {
        for (objects, of_type) in self.objects.iter().zip(types) {
            objects.check_values(&of_type.name, problems);
        }
        for (quantity, column) in [("missing_gev", &self.missing_gev), ("missing_phi", &self.missing_phi)] {
            let range = Range::of(quantity);
            if let Some(event) = range.first_outside(column) {
                problems.push(range.refused(quantity, column[event], &format!("of event {event}")));
            }
        }
    }
}

/// What a quantity may be.
struct Range {
    least: f32,
    most: f32,
    unit: &'static str,
}

impl Range {
    fn of(quantity: &str) -> Self {
        match quantity {
            "eta" => Self { least: -LARGEST_ETA, most: LARGEST_ETA, unit: "" },
            "phi" | "missing_phi" => {
                Self { least: -det::LARGEST_ANGLE as f32, most: det::LARGEST_ANGLE as f32, unit: "" }
            }
            _ => Self { least: 0.0, most: LARGEST_GEV, unit: " GeV" },
        }
    }

    /// The place of the first value that is outside, NaN among them.
    fn first_outside(&self, values: &ScalarBuffer<f32>) -> Option<usize> {
        values.iter().position(|value| !(self.least..=self.most).contains(value))
    }

    fn refused(&self, quantity: &str, value: f32, place: &str) -> crate::error::Error {
        let Self { least, most, unit } = self;
        let problem = format!("{quantity} = {value:e} {place} is not from {least} to {most}{unit}");
        Fault::new(NAME, problem).because("no finite mass or energy comes of it").data()
    }
}

impl Upload for Objects<Host> {
    type There = Objects<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Objects<OnDevice>> {
        Ok(Objects {
            offsets: cuda.upload(&self.offsets)?,
            pt_gev: cuda.upload(&self.pt_gev)?,
            eta: cuda.upload(&self.eta)?,
            phi: cuda.upload(&self.phi)?,
            mass_gev: cuda.upload(&self.mass_gev)?,
        })
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input {
            objects: self.objects.upload(cuda)?,
            missing_gev: cuda.upload(&self.missing_gev)?,
            missing_phi: cuda.upload(&self.missing_phi)?,
        })
    }
}
