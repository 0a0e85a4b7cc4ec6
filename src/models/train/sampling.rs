//! Which events a member learns from, in which order, and how much each counts.

use std::ops::Range;

use super::{ClassWeights, NAME, Train};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::math::floats::prefetch;
use crate::math::permutation::Permutation;
use crate::math::philox::Stage;
use crate::models::population::Member;
use crate::models::table::Table;

/// Places of the order that are made at a time.
const AHEAD: usize = 512;

/// Sums of weights have so many partial sums, by the event modulo this.
pub(super) const LANES: usize = 256;

/// What the weights of a member's training events with label 0 and with others are multiplied by, from their sums in lanes and numbers
/// and the number of validation events.
///
/// # Errors
/// No training events, no events of one class, no validation events where they are asked for.
pub(super) fn scales_of(
    train: &Train,
    number: usize,
    lanes: &[[f64; 2]; LANES],
    counts: [u32; 2],
    validating: u32,
) -> Result<[f64; 2]> {
    let refuse =
        |problem: &str, why: &str| Err(Fault::new(NAME, format!("member {number} {problem}")).because(why).data());
    if counts == [0; 2] {
        return refuse("has no training events", "its fold, group, weights and validation leave none");
    }
    if train.loss.has_labels() && counts.contains(&0) {
        let class = usize::from(counts[1] == 0);
        return refuse(&format!("has no training events with label {class}"), "there is nothing to tell apart");
    }
    if train.validation_of_2_32() > 0 && validating == 0 {
        return refuse("has no validation events", "there is nothing that tells when to stop");
    }
    let sums = [0, 1].map(|class| lanes.iter().fold(0.0, |sum, lane| sum + lane[class]));
    let all = f64::from(counts[0] + counts[1]);
    Ok(match train.class_weights {
        ClassWeights::Given => [all / (sums[0] + sums[1]); 2],
        ClassWeights::Balanced if train.loss.has_labels() => sums.map(|sum| 0.5 * all / sum),
        ClassWeights::Balanced => [all / sums[0]; 2],
    })
}

/// What an event is to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Nothing,
    Training,
    Validation,
}

/// The events of a member.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    pub table: &'a Table<Host>,
    pub member: &'a Member,
    /// A bit for each event.
    training: Vec<u32>,
    validation: Vec<u32>,
    /// The number of training events.
    pub number: u32,
    /// What weights of label 0 and of others are multiplied by.
    scales: [f64; 2],
    has_labels: bool,
}

impl<'a> Sample<'a> {
    /// Finds a member's events and scales its weights.
    ///
    /// # Errors
    /// No training events, no events of one class, no validation events where they are asked for, weights that sum to 0.
    pub fn new(train: &'a Train, table: &'a Table<Host>, number: usize) -> Result<Self> {
        let member = &train.members[number];
        let words = table.events().div_ceil(32);
        let (mut training, mut validation) = (vec![0_u32; words], vec![0_u32; words]);
        let mut sample = Self {
            table,
            member,
            training: Vec::new(),
            validation: Vec::new(),
            number: 0,
            scales: [1.0; 2],
            has_labels: train.loss.has_labels(),
        };
        let share = train.validation_of_2_32();
        let (mut lanes, mut counts, mut validating) = ([[0.0; 2]; LANES], [0_u32; 2], 0_u32);
        for event in 0..table.events() as u32 {
            let bit = 1 << (event & 31);
            match sample.use_of(event, share) {
                Use::Nothing => {}
                Use::Validation => {
                    validation[event as usize >> 5] |= bit;
                    validating += 1;
                }
                Use::Training => {
                    training[event as usize >> 5] |= bit;
                    let class = usize::from(sample.label(event) > 0.5);
                    lanes[event as usize % LANES][class] += sample.weight(event);
                    counts[class] += 1;
                }
            }
        }
        sample.number = counts[0] + counts[1];
        sample.scales = scales_of(train, number, &lanes, counts, validating)?;
        (sample.training, sample.validation) = (training, validation);
        Ok(sample)
    }

    fn use_of(&self, event: u32, share: u64) -> Use {
        let (at, member, table) = (event as usize, self.member, self.table);
        let is_held_out = member.held_out.is_some_and(|fold| table.folds[at] == fold);
        let is_in_group = member.group.is_none_or(|group| table.groups[at] >> group & 1 == 1);
        if is_held_out || !is_in_group || self.weight(event) == 0.0 {
            Use::Nothing
        } else if member.validates(event, share) {
            Use::Validation
        } else {
            Use::Training
        }
    }

    /// The label; 0 where there are none.
    pub fn label(&self, event: u32) -> f32 {
        if self.has_labels {
            self.table.labels[self.member.labels as usize * self.table.events() + event as usize]
        } else {
            0.0
        }
    }

    /// The weight before it is scaled.
    fn weight(&self, event: u32) -> f64 {
        let column = |column: u32| self.table.weights[column as usize * self.table.events() + event as usize];
        let weight = self.member.weights.map_or(1.0, |number| f64::from(column(number)));
        weight * f64::from(self.member.count(event))
    }

    /// The scaled weight.
    pub fn scaled_weight(&self, event: u32) -> f64 {
        self.weight(event) * self.scales[usize::from(self.label(event) > 0.5)]
    }

    /// Asks for the memory of an event that is a row soon. Shuffled events are in no cache: waiting for each took 17 % of a training.
    #[inline]
    pub fn prefetch(&self, event: u32) {
        let (table, at) = (self.table, event as usize);
        let width = table.width as usize;
        prefetch(&table.features, at * width);
        prefetch(&table.features, at * width + width - 1);
        prefetch(&table.labels, self.member.labels as usize * table.events() + at);
        if let Some(column) = self.member.weights {
            prefetch(&table.weights, column as usize * table.events() + at);
        }
    }

    /// The features of an event that go in.
    #[inline]
    pub fn gather(&self, event: u32, to: &mut Vec<f32>) {
        self.member.gather(self.table, event, to);
    }

    /// The training events of an epoch in their order.
    pub fn order(&self, epoch: u32) -> Order<'_> {
        let events = self.table.events() as u32;
        let permutation = Permutation::new(self.member.seed, Stage::Shuffle, u64::from(epoch), events);
        Order { training: &self.training, permutation, next: 0, ahead: Vec::new(), used: 0 }
    }

    /// The validation events among some, in the order of the table.
    pub fn validation(&self, events: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        events.filter(|event| self.validation[*event as usize >> 5] >> (event & 31) & 1 == 1)
    }
}

/// Events one after the other.
#[derive(Debug)]
pub(super) struct Order<'a> {
    training: &'a [u32],
    permutation: Permutation,
    next: u32,
    ahead: Vec<u32>,
    used: usize,
}

impl Iterator for Order<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        loop {
            let Some(event) = self.ahead.get(self.used).copied() else {
                let left = self.permutation.number() - self.next;
                if left == 0 {
                    return None;
                }
                self.ahead.resize((left as usize).min(AHEAD), 0);
                self.permutation.fill(self.next, &mut self.ahead);
                self.next += self.ahead.len() as u32;
                self.used = 0;
                continue;
            };
            self.used += 1;
            if self.training[event as usize >> 5] >> (event & 31) & 1 == 1 {
                return Some(event);
            }
        }
    }
}
