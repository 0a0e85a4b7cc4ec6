//! The scores that a bundle gives events.

use super::check::width_of_scores;
use super::preprocess::Preprocessing;
use super::{Bundle, Combination};
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::models::folds::fold_of;
use crate::models::population::{Member, Population};
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

/// Networks that score the same events: all, or those of a fold, of so many and of a seed.
struct Group {
    fold: Option<(u32, u32, u64)>,
    numbers: Vec<usize>,
    members: Vec<Member>,
    population: Population<Host>,
}

impl Bundle {
    /// The scores of events by their raw features, a column for each, and by keys that tell them apart (of which only folds are a function).
    ///
    /// # Errors
    /// Features that do not fit or are not finite; several outputs of a network; those of [`score`].
    pub fn score(&self, columns: &[Vec<f32>], keys: &[u64]) -> Result<Scores> {
        self.score_watched(columns, keys, &mut |_| Ok(()))
    }

    /// The same, with a call of `watch` with their number after some events, which ends it by an error.
    ///
    /// # Errors
    /// Those of [`Self::score`] and of `watch`.
    pub fn score_watched(
        &self,
        columns: &[Vec<f32>],
        keys: &[u64],
        watch: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Scores> {
        let table = self.preprocessing().table(columns)?;
        if keys.len() != table.events() {
            let fault = Fault::new(NAME, format!("{} keys of {} events", keys.len(), table.events()));
            return Err(fault.because("each event has one").data());
        }
        if width_of_scores(self) != 1 {
            let fault = Fault::new(NAME, format!("networks with {} outputs have no one score", self.network.outputs()));
            return Err(fault.because("their outputs are kept as they are").usage());
        }
        let groups = self.groups()?;
        let networks = groups.first().map_or(0, |group| group.numbers.len());
        let mut scores = Scores { networks, ..Scores::default() };
        for first in (0..table.events()).step_by(EVENTS_AT_A_TIME) {
            let part = table.part(first..(first + EVENTS_AT_A_TIME).min(table.events()));
            let keys = &keys[first..first + part.events()];
            let begin = scores.combined.len();
            scores.combined.resize(begin + part.events(), 0.0);
            scores.of_networks.resize((begin + part.events()) * networks, 0.0);
            for group in &groups {
                self.score_group(group, &part, keys, begin, &mut scores)?;
            }
            watch(part.events())?;
        }
        Ok(scores)
    }

    /// How many networks have a score for an event.
    ///
    /// # Errors
    /// Folds that are held out by different numbers of healthy networks.
    pub fn networks_an_event(&self) -> Result<usize> {
        Ok(self.groups()?.first().map_or(0, |group| group.numbers.len()))
    }

    /// Healthy networks that score the same events.
    fn groups(&self) -> Result<Vec<Group>> {
        let parameters = self.network.parameters();
        let group = |fold: Option<(u32, u32, u64)>| {
            let is_asked = |number: &usize| fold.is_none_or(|(fold, ..)| self.members[*number].held_out == Some(fold));
            let numbers: Vec<usize> = self.healthy().filter(is_asked).collect();
            let own =
                numbers.iter().flat_map(|number| &self.parameters[number * parameters..(number + 1) * parameters]);
            let population = Population::from_parameters(own.copied().collect(), numbers.len());
            let members = numbers.iter().map(|number| self.members[*number].clone()).collect();
            Group { fold, numbers, members, population }
        };
        let Combination::OutOfFold { folds, seed } = self.combination else { return Ok(vec![group(None)]) };
        let groups: Vec<Group> = (0..folds).map(|fold| group(Some((fold, folds, seed)))).collect();
        let networks = groups.first().map_or(0, |group| group.numbers.len());
        match groups.iter().position(|group| group.numbers.len() != networks || group.numbers.is_empty()) {
            None => Ok(groups),
            Some(fold) => {
                let number = groups[fold].numbers.len();
                let problem = format!("{number} networks have held out fold {fold}");
                let why =
                    if number > 0 { format!("{networks} have fold 0") } else { "its events have no score".into() };
                Err(Fault::new(NAME, problem).because(why).suggest("Train all folds alike.").data())
            }
        }
    }

    /// The scores of those events that the networks of a group score.
    fn score_group(
        &self,
        group: &Group,
        part: &Table<Host>,
        keys: &[u64],
        begin: usize,
        scores: &mut Scores,
    ) -> Result<()> {
        let own = |key: &u64| group.fold.is_none_or(|(fold, folds, seed)| fold_of(*key, folds, seed) == fold);
        let events: Vec<u32> = (0..).zip(keys).filter(|(_, key)| own(key)).map(|(event, _)| event).collect();
        if events.is_empty() {
            return Ok(());
        }
        let rows = part.rows(&events);
        let outputs = score(&self.network, &group.members, &group.population, &rows)?;
        let of_members: Vec<Vec<f32>> = group
            .members
            .iter()
            .zip(outputs.chunks_exact(rows.events() * self.network.outputs()))
            .map(|(member, own)| self.score.apply(&self.network, member, &rows, own))
            .collect();
        let mut one = Vec::new();
        for (row, event) in events.iter().enumerate() {
            one.clear();
            one.extend(group.numbers.iter().zip(&of_members).map(|(number, scores)| (*number, scores[row])));
            let at = begin + *event as usize;
            let of_networks = &mut scores.of_networks[at * one.len()..(at + 1) * one.len()];
            of_networks.iter_mut().zip(&one).for_each(|(to, (_, score))| *to = *score);
            scores.combined[at] = self.combined(&one) as f32;
        }
        Ok(())
    }

    /// What is done to raw features before they go in.
    pub fn preprocessing(&self) -> Preprocessing {
        Preprocessing { transforms: self.standardise.clone(), missing: self.missing }
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
