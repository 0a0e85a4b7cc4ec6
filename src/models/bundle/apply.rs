//! The scores that a bundle gives events.

use super::check::width_of_scores;
use super::preprocess::Preprocessing;
use super::{Bundle, Combination};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::models::folds::fold_of;
use crate::models::population::Population;
use crate::models::score::score;
use crate::models::table::Table;

const NAME: &str = "models.bundle";

/// Events that are scored at a time: outputs of all members are held for these.
const EVENTS_AT_A_TIME: usize = 1 << 14;

/// The scores of some events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// The score of each event.
    pub combined: Vec<f32>,
    /// How many networks have a score for an event: of folds, those that never saw it.
    pub networks: usize,
    /// Their scores, event after event.
    pub of_networks: Vec<f32>,
}

impl Bundle {
    /// The scores of events by their raw features, a column for each, and by keys that tell them apart (of which only folds are a function).
    ///
    /// # Errors
    /// Features that do not fit or are not finite; several outputs of a network; those of [`score`].
    pub fn score(&self, columns: &[Vec<f32>], keys: &[u64]) -> Result<Scores> {
        let table = self.preprocessing().table(columns)?;
        if keys.len() != table.events() {
            let fault = Fault::new(NAME, format!("{} keys of {} events", keys.len(), table.events()));
            return Err(fault.because("each event has one").data());
        }
        if width_of_scores(self) != 1 {
            let fault = Fault::new(NAME, format!("networks with {} outputs have no one score", self.network.outputs()));
            return Err(fault.because("their outputs are kept as they are").usage());
        }
        let (healthy, population) = (self.healthy().collect::<Vec<_>>(), self.population());
        let mut scores = Scores::default();
        let mut one = Vec::new();
        for first in (0..table.events()).step_by(EVENTS_AT_A_TIME) {
            let part = table.part(first..(first + EVENTS_AT_A_TIME).min(table.events()));
            let of_members = self.of_members(&part, &population)?;
            for (event, key) in (0..part.events()).zip(&keys[first..]) {
                one.clear();
                let is_asked = |member: &&usize| match self.combination {
                    Combination::OutOfFold { folds, seed } => {
                        self.members[**member].held_out == Some(fold_of(*key, folds, seed))
                    }
                    _ => true,
                };
                one.extend(healthy.iter().filter(is_asked).map(|member| (*member, of_members[*member][event])));
                if one.is_empty() || (scores.networks != one.len() && scores.networks > 0) {
                    let fault = Fault::new(NAME, format!("{} networks score event {}", one.len(), first + event));
                    return Err(fault.because("as many score the others").suggest("Train all folds alike.").data());
                }
                scores.networks = one.len();
                scores.of_networks.extend(one.iter().map(|(_, score)| score));
                scores.combined.push(self.combined(&one) as f32);
            }
        }
        Ok(scores)
    }

    /// What is done to raw features before they go in.
    pub fn preprocessing(&self) -> Preprocessing {
        Preprocessing { transforms: self.standardise.clone(), missing: self.missing }
    }

    /// The scores of each member, healthy or not, of which there is one for each event.
    fn of_members(&self, table: &Table<Host>, population: &Population<Host>) -> Result<Vec<Vec<f32>>> {
        let outputs = score(&self.network, &self.members, population, table)?;
        let own = outputs.chunks_exact(table.events() * self.network.outputs());
        Ok(self
            .members
            .iter()
            .zip(own)
            .map(|(member, own)| self.score.apply(&self.network, member, table, own))
            .collect())
    }

    /// One score of those of some members.
    fn combined(&self, of_members: &[(usize, f32)]) -> f64 {
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / of_members.len() as f64;
        let plain = || of_members.iter().map(|(_, score)| f64::from(*score));
        match &self.combination {
            Combination::Mean | Combination::OutOfFold { .. } => mean(&mut plain()),
            Combination::NormalisedMean { centre, spread } => mean(
                &mut of_members.iter().map(|(member, score)| (f64::from(*score) - centre[*member]) / spread[*member]),
            ),
            Combination::Median => {
                let mut sorted: Vec<f64> = plain().collect();
                sorted.sort_by(f64::total_cmp);
                let middle = sorted.len() / 2;
                if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
            }
        }
    }
}
