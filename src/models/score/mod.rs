//! `models.score`: what trained members make of events.
//!
//! **What.** The outputs of every member for every event, without dropout, from the best parameters of its training.
//!
//! **Numbers.** Those of [`models.train`](super::train): single precision, the same bits for any number of threads and any vectors; also of
//! members that were trained with products of [`Bfloat16`](super::train::Precision::Bfloat16), whose parameters are in single precision.
//!
//! **Cost.** 2 operations for each weight and event.

pub mod transform;

use rayon::prelude::*;

use crate::device::Host;
use crate::error::{Fault, Problems, Result};
use crate::math::floats::Width;

use super::network::Network;
use super::population::{Member, Population, Stop};
use super::table::Table;
use super::train::pass::{TILE, Weights, Workspace, forward};

const NAME: &str = "models.score";

/// Events that a thread scores at a time.
const EVENTS_A_TASK: usize = 4096;

/// The outputs of all members: member after member, event after event, output after output.
///
/// # Errors
/// All at once: events that members' features do not fit, parameters that are not those of so many members.
pub fn score(
    network: &Network,
    members: &[Member],
    population: &Population<Host>,
    table: &Table<Host>,
) -> Result<Vec<f32>> {
    check(network, members, population, table)?;
    let (events, outputs, width) = (table.events(), network.outputs(), Width::widest());
    let mut scores = vec![0.0; members.len() * events * outputs];
    let of_members = members.iter().zip(population.best.chunks_exact(network.parameters()));
    for ((member, parameters), scores) in of_members.zip(scores.chunks_mut((events * outputs).max(1))) {
        let weights = Weights::single(network, parameters);
        let tasks = scores.par_chunks_mut(EVENTS_A_TASK * outputs).enumerate();
        tasks.for_each_init(
            || Workspace::new(network),
            |space, (task, scores)| {
                let first = task * EVENTS_A_TASK;
                for (tile, scores) in scores.chunks_mut(TILE * outputs).enumerate() {
                    space.clear();
                    let first = first + tile * TILE;
                    for event in first..first + scores.len() / outputs {
                        member.gather(table, event as u32, &mut space.inputs);
                    }
                    forward(width, weights, space, None);
                    let rows = space.outputs().chunks_exact(outputs.next_multiple_of(super::network::VECTOR));
                    for (to, row) in scores.chunks_exact_mut(outputs).zip(rows) {
                        to.copy_from_slice(&row[..outputs]);
                    }
                }
            },
        );
    }
    Ok(scores)
}

fn check(network: &Network, members: &[Member], population: &Population<Host>, table: &Table<Host>) -> Result<()> {
    let mut problems = Problems::default();
    problems.take(table.check_lengths());
    let expected = members.len() * network.parameters();
    if population.best.len() != expected {
        let problem = format!("expected {expected} parameters, got {}", population.best.len());
        problems.push(Fault::new(NAME, problem).because("each member of this network has as many").data());
    }
    for (number, progress) in population.progress.iter().enumerate() {
        if let (Stop::NotFinite { epoch, batch }, None) = (progress.stop, progress.best) {
            let problem = format!("member {number} has learned nothing");
            let why = format!("what it computed in batch {batch} of epoch {epoch} was not finite");
            problems.push(Fault::new(NAME, problem).because(why).suggest("Leave it out.").data());
        }
    }
    for (number, member) in members.iter().enumerate() {
        let width = if member.features.is_empty() { table.width as usize } else { member.features.len() };
        let is_there = member.features.iter().all(|feature| *feature < table.width);
        if width != network.inputs() || !is_there {
            let problem = format!("member {number} does not take events of {} features", table.width);
            problems.push(Fault::new(NAME, problem).because("its own are others").data());
        }
    }
    if let Some(at) = table.features.iter().position(|x| !x.is_finite()) {
        let (event, feature) = (at / table.width as usize, at % table.width as usize);
        let problem = format!("feature {feature} of event {event} is {}", table.features[at]);
        problems.push(Fault::new(NAME, problem).because("its score would not be a number").data());
    }
    problems.finish()
}
