//! The events that all members of a population share.

use std::ops::Range;

use crate::device::{Column, Cuda, Host, OnDevice, Place, Upload};
use crate::error::{Fault, Problems, Result};

const NAME: &str = "models.table";

/// Features of events, and columns of labels, weights, folds and groups that members choose from.
///
/// Columns are as long as there are events, one after the other.
#[derive(Debug, Clone)]
pub struct Table<P: Place> {
    /// How many features an event has.
    pub width: u32,
    /// Features, event after event.
    pub features: P::Column<f32>,
    /// A bit for each feature that is there, as many whole words for each event; no words if all are. Reconstruction leaves the others
    /// out; they still go in, so give them a value that says nothing, as 0.
    pub present: P::Column<u32>,
    /// Columns of labels, from 0 to 1; above 0.5 is the second class.
    pub labels: P::Column<f32>,
    /// Columns of weights, 0 or more.
    pub weights: P::Column<f32>,
    /// The fold of each event; no numbers if there are no folds.
    pub folds: P::Column<u32>,
    /// The groups that each event belongs to, a bit each; no words if all belong to all.
    pub groups: P::Column<u32>,
}

impl<P: Place> Table<P> {
    /// The number of events.
    pub fn events(&self) -> usize {
        self.features.length().checked_div(self.width as usize).unwrap_or(0)
    }

    /// How many columns of labels there are.
    pub fn label_columns(&self) -> usize {
        self.labels.length().checked_div(self.events()).unwrap_or(0)
    }

    /// How many columns of weights there are.
    pub fn weight_columns(&self) -> usize {
        self.weights.length().checked_div(self.events()).unwrap_or(0)
    }

    /// The words of [`Table::present`] of an event.
    pub fn present_words(&self) -> usize {
        if self.present.length() == 0 { 0 } else { (self.width as usize).div_ceil(32) }
    }

    /// Whether columns are as long as each other.
    ///
    /// # Errors
    /// Every one that is not.
    pub fn check_lengths(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String| problems.push(Fault::new(NAME, problem).data());
        let events = self.events();
        if self.width == 0 || !self.features.length().is_multiple_of(self.width as usize) {
            refuse(format!("{} numbers are no events of {} features", self.features.length(), self.width));
        } else if events == 0 {
            refuse("there are no events".to_owned());
        } else if events > u32::MAX as usize {
            refuse(format!("{events} events are more than 32 bits count"));
        } else {
            for (name, length) in [("labels", self.labels.length()), ("weights", self.weights.length())] {
                if !length.is_multiple_of(events) {
                    refuse(format!("{length} {name} are no columns of {events} events"));
                }
            }
            let words = events * (self.width as usize).div_ceil(32);
            let optional =
                [("folds", &self.folds, events), ("groups", &self.groups, events), ("present", &self.present, words)];
            for (name, column, expected) in optional {
                if column.length() != 0 && column.length() != expected {
                    refuse(format!("{name}: expected {expected} numbers, got {}", column.length()));
                }
            }
        }
        problems.finish()
    }
}

impl Table<Host> {
    /// Events with these features, and nothing else.
    ///
    /// # Errors
    /// A last event that is not whole.
    pub fn of_features(width: u32, features: Vec<f32>) -> Result<Self> {
        let none = || Vec::<u32>::new().into();
        let no_columns = || Vec::<f32>::new().into();
        let table = Self {
            width,
            features: features.into(),
            present: none(),
            labels: no_columns(),
            weights: no_columns(),
            folds: none(),
            groups: none(),
        };
        table.check_lengths()?;
        Ok(table)
    }

    /// Some events with their features and nothing else; shares the columns.
    pub(super) fn part(&self, events: Range<usize>) -> Self {
        let (width, words) = (self.width as usize, self.present_words());
        let (none, no_columns) = (Vec::<u32>::new(), Vec::<f32>::new());
        Self {
            width: self.width,
            features: self.features.slice(events.start * width, events.len() * width),
            present: self.present.slice(events.start * words, events.len() * words),
            labels: no_columns.clone().into(),
            weights: no_columns.into(),
            folds: none.clone().into(),
            groups: none.into(),
        }
    }

    /// Some events by their numbers, with their features and nothing else.
    pub(super) fn rows(&self, events: &[u32]) -> Self {
        let (width, words) = (self.width as usize, self.present_words());
        let of = |event: &u32, size: usize| *event as usize * size..(*event as usize + 1) * size;
        let features: Vec<f32> = events.iter().flat_map(|event| &self.features[of(event, width)]).copied().collect();
        let present: Vec<u32> = events.iter().flat_map(|event| &self.present[of(event, words)]).copied().collect();
        Self { features: features.into(), present: present.into(), ..self.part(0..0) }
    }

    /// Whether all can be computed with.
    ///
    /// # Errors
    /// All at once: columns that are not as long as each other, the first feature that is not finite, features that are constant,
    /// labels that are not from 0 to 1, weights that are below 0 or not finite.
    pub fn check(&self) -> Result<()> {
        self.check_lengths()?;
        let mut problems = Problems::default();
        let (width, events) = (self.width as usize, self.events());
        let (first, rest) = self.features.split_at(width);
        let mut varies = vec![false; width];
        for row in rest.chunks_exact(width) {
            varies.iter_mut().zip(row).zip(first).for_each(|((varies, x), first)| *varies |= x != first);
        }
        if let Some(at) = self.features.iter().position(|x| !x.is_finite()) {
            let problem = format!("feature {} of event {} is {}", at % width, at / width, self.features[at]);
            let fault = Fault::new(NAME, problem).because("sums with it would not be finite");
            problems.push(
                fault.suggest("Select events that have it, or give it a value that says that it is missing.").data(),
            );
        }
        for (feature, _) in varies.iter().enumerate().filter(|(_, varies)| !**varies && events > 1) {
            let fault = Fault::new(NAME, format!("feature {feature} is {} in every event", first[feature]));
            problems.push(fault.because("nothing can be learned from it").suggest("Leave it out.").data());
        }
        let bounds = [("label", &self.labels, 1.0), ("weight", &self.weights, f32::MAX)];
        for (name, columns, most) in bounds {
            if let Some(at) = columns.iter().position(|x| !(0.0..=most).contains(x)) {
                let problem = format!("{name} {} of event {} in column {} is", columns[at], at % events, at / events);
                let range = if name == "label" { "not from 0 to 1" } else { "below 0 or not finite" };
                let fault = Fault::new(NAME, format!("{problem} {range}"));
                problems.push(fault.because("no loss is defined by it").data());
            }
        }
        problems.finish()
    }
}

impl Upload for Table<Host> {
    type There = Table<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Table<OnDevice>> {
        Ok(Table {
            width: self.width,
            features: cuda.upload(&self.features)?,
            present: cuda.upload(&self.present)?,
            labels: cuda.upload(&self.labels)?,
            weights: cuda.upload(&self.weights)?,
            folds: cuda.upload(&self.folds)?,
            groups: cuda.upload(&self.groups)?,
        })
    }
}
