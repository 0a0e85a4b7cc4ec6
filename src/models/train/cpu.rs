//! The CPU's executor: members over threads, and the four quarters of a batch over what threads are left.

use std::ops::Range;

use rayon::prelude::*;

use super::math::round;
use super::optimiser::{Followed, add_quarters, follow};
use super::pass::{Dropout, Weights, Workspace, add_loss, backward, forward};
use super::rounded::Factors;
use super::sampling::Sample;
use super::turned::{turn, turned_places};
use super::{Output, Precision, Train};
use crate::device::Host;
use crate::error::{Problems, Result};
use crate::math::floats::Width;
use crate::math::philox::{Philox, Stage};
use crate::models::network::Network;
use crate::models::population::{Epoch, Population, Progress, Stop};
use crate::models::table::Table;

/// Parts of a batch whose gradients are summed by themselves.
pub(super) const QUARTERS: usize = 4;

/// Beyond this norm squares of gradients would not be finite in single precision.
pub(super) const LARGEST_NORM: f64 = 1e18;

/// Rows of a quarter times parameters for which another thread is woken: 128 rows of three layers of 64 are 1.2 million, 50 microseconds;
/// a quarter of them took longer on two threads than on one.
const LEAST_TERMS: usize = 500_000;

/// Events of the table whose losses of validation are summed by themselves.
pub(super) const EVENTS_A_CHUNK: u32 = 4096;

/// A member on its way.
struct State<'a> {
    parameters: &'a mut [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
    best: &'a mut [f32],
    progress: &'a mut Progress,
}

pub(super) fn train(
    train: &Train,
    table: &Table<Host>,
    population: Population<Host>,
    width: Width,
) -> Result<Output<Host>> {
    let places = train.network.parameters();
    let mut progress = population.progress;
    progress.iter_mut().for_each(|progress| progress.go_on(train.epochs));
    // Before anything is trained: one member without events must not lose what others have learned.
    let of_member = |(number, progress): (usize, &Progress)| {
        (progress.stop == Stop::Running).then(|| Sample::new(train, table, number)).transpose()
    };
    let found: Vec<Result<Option<Sample>>> = progress.par_iter().enumerate().map(of_member).collect();
    let mut all = Problems::default();
    let samples: Vec<Option<Sample>> = found.into_iter().map(|sample| all.take(sample).flatten()).collect();
    all.finish()?;
    let [mut parameters, mut mean, mut square, mut best] =
        [&population.parameters, &population.mean, &population.square, &population.best].map(|column| column.to_vec());
    let means = mean.par_chunks_mut(places).zip(square.par_chunks_mut(places));
    let states = parameters.par_chunks_mut(places).zip(means).zip(best.par_chunks_mut(places));
    states
        .zip(progress.par_iter_mut())
        .zip(&samples)
        // One by one, so that threads take the next member when they are done with one.
        .with_max_len(1)
        .for_each(|((((parameters, (mean, square)), best), progress), sample)| {
            if let Some(sample) = sample {
                Trainer::new(train, sample, width).run(&mut State { parameters, mean, square, best, progress });
            }
        });
    let [parameters, mean, square, best] = [parameters, mean, square, best].map(Into::into);
    Ok(Output { population: Population { parameters, mean, square, best, progress } })
}

/// What the training of a member needs.
struct Trainer<'a> {
    train: &'a Train,
    sample: &'a Sample<'a>,
    width: Width,
    quarters: [Workspace; QUARTERS],
    rounded: Vec<f32>,
    factors: Option<Factors>,
    turned: Vec<f32>,
    random: Philox,
    events: Vec<u32>,
}

impl<'a> Trainer<'a> {
    fn new(train: &'a Train, sample: &'a Sample<'a>, width: Width) -> Self {
        Self {
            train,
            sample,
            width,
            quarters: std::array::from_fn(|_| {
                Workspace::of(&train.network, train.precision).towards(sample.member.target)
            }),
            rounded: Vec::new(),
            factors: (train.precision == Precision::Bfloat16).then(|| Factors::new(&train.network)),
            turned: vec![0.0; turned_places(&train.network)],
            random: Philox::new(sample.member.seed, Stage::Dropout),
            events: Vec::new(),
        }
    }

    /// Epochs until the member stops or a pause is wanted.
    fn run(&mut self, state: &mut State) {
        let first = state.progress.epochs.len() as u32;
        let pause = self.train.pause_after.map_or(u32::MAX, |epochs| first.saturating_add(epochs));
        for epoch in first..self.train.epochs.min(pause) {
            match self.epoch(epoch, state) {
                Ok(made) => settle(self.train, state, made),
                Err(batch) => {
                    state.progress.stop = Stop::NotFinite { epoch, batch };
                    state.parameters.copy_from_slice(state.best);
                }
            }
            if state.progress.stop != Stop::Running {
                return;
            }
        }
        if state.progress.epochs.len() as u32 >= self.train.epochs {
            state.progress.stop = Stop::Finished;
        }
    }

    /// An epoch; or the batch in which something was not finite.
    fn epoch(&mut self, epoch: u32, state: &mut State) -> Result<Epoch, u32> {
        let sample = self.sample;
        let batch = self.train.batch;
        let batches = sample.number.div_ceil(batch);
        let steps = u64::from(batches) * u64::from(self.train.epochs);
        let mut order = sample.order(epoch);
        let (mut sum, mut last_norm, mut rate) = (0.0, 0.0, 0.0);
        for number in 0..batches {
            self.events.clear();
            self.events.extend(order.by_ref().take(batch as usize));
            let (loss, norm) = self.gradient(epoch, number * batch, state.parameters);
            if !is_usable(loss, norm) {
                return Err(number);
            }
            sum += loss * self.events.len() as f64;
            last_norm = norm;
            let step = self.train.optimiser.step(state.progress.steps, steps);
            let followed = Followed { parameters: state.parameters, mean: state.mean, square: state.square };
            let shortening = self.train.optimiser.shortening(norm);
            follow(self.width, step, shortening, &self.quarters[0].gradient, followed);
            state.progress.steps += 1;
            rate = step.rate;
        }
        let validation = self.validation(state.parameters);
        let is_finite = state.parameters.iter().all(|parameter| parameter.is_finite());
        if !is_finite || validation.is_some_and(|loss| !loss.is_finite()) {
            return Err(batches - 1);
        }
        Ok(Epoch { training: sum / f64::from(sample.number), validation, rate, gradient_norm: last_norm })
    }

    /// The gradient of the batch in the first quarter; its loss and norm. `first` is the number of the batch's first sample.
    fn gradient(&mut self, epoch: u32, first: u32, parameters: &[f32]) -> (f64, f64) {
        let network = &self.train.network;
        if let Some(factors) = &mut self.factors {
            factors.take(self.width, network, rounded(network, parameters, &mut self.rounded));
        } else {
            turn(self.width, network, parameters, &mut self.turned);
        }
        let weights = Weights { network, parameters, turned: &self.turned, factors: self.factors.as_ref() };
        // Whole pairs of rows, and none behind the last event.
        let length = self.events.len().div_ceil(QUARTERS).next_multiple_of(2);
        let work = Work {
            train: self.train,
            sample: self.sample,
            width: self.width,
            weights,
            dropout: Dropout { random: self.random, epoch },
            events: &self.events,
            first,
        };
        let is_worth_it = length * network.parameters() >= LEAST_TERMS;
        let [q0, q1, q2, q3] = &mut self.quarters;
        let part = |number: usize| number * length;
        let halves = (
            || join(is_worth_it, || work.rows(q0, part(0), length), || work.rows(q1, part(1), length)),
            || join(is_worth_it, || work.rows(q2, part(2), length), || work.rows(q3, part(3), length)),
        );
        join(is_worth_it, halves.0, halves.1);
        let loss = (q0.loss + q1.loss) + (q2.loss + q3.loss);
        let norm = add_quarters(self.width, &mut q0.gradient, [&q1.gradient, &q2.gradient, &q3.gradient]);
        (loss, norm)
    }

    /// The loss of the validation events, if there are any.
    fn validation(&mut self, parameters: &[f32]) -> Option<f64> {
        if self.train.validation_of_2_32() == 0 {
            return None;
        }
        let (train, sample, width) = (self.train, self.sample, self.width);
        if let Some(factors) = &mut self.factors {
            factors.take(width, &train.network, rounded(&train.network, parameters, &mut self.rounded));
        }
        let weights = Weights { factors: self.factors.as_ref(), ..Weights::single(&train.network, parameters) };
        let events = sample.table.events() as u32;
        let chunks = events.div_ceil(EVENTS_A_CHUNK);
        // Each quarter has every fourth chunk.
        let some = |(quarter, space): (usize, &mut Workspace)| -> Vec<[f64; 2]> {
            let own = (quarter as u32..chunks).step_by(QUARTERS);
            own.map(|chunk| {
                let end = (chunk + 1).saturating_mul(EVENTS_A_CHUNK).min(events);
                validation_of(train, sample, width, weights, chunk * EVENTS_A_CHUNK..end, space)
            })
            .collect()
        };
        let found: Vec<Vec<[f64; 2]>> = self.quarters.par_iter_mut().enumerate().with_max_len(1).map(some).collect();
        let of = |chunk: u32| found[chunk as usize % QUARTERS][chunk as usize / QUARTERS];
        let [loss, weight] = (0..chunks).map(of).fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
        Some(loss / weight)
    }
}

/// Both, on two threads where that is worth it.
fn join(is_worth_it: bool, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if is_worth_it {
        rayon::join(a, b);
    } else {
        a();
        b();
    }
}

/// The parameters with their weights rounded.
fn rounded<'a>(network: &Network, parameters: &[f32], to: &'a mut Vec<f32>) -> &'a [f32] {
    to.clear();
    to.extend_from_slice(parameters);
    network.places().for_each(|(_, place)| round(&mut to[place.weights..place.bias]));
    to
}

/// The loss and the weight of the validation events among some.
fn validation_of(
    train: &Train,
    sample: &Sample,
    width: Width,
    weights: Weights,
    events: Range<u32>,
    space: &mut Workspace,
) -> [f64; 2] {
    space.begin();
    let mut sum = 0.0;
    let mut left = sample.validation(events).peekable();
    while left.peek().is_some() {
        space.clear();
        for event in left.by_ref().take(space.tile) {
            let weight = sample.scaled_weight(event);
            put(space, sample, event, 0, weight);
            sum += weight;
        }
        forward(width, weights, space, None);
        add_loss(width, &train.network, space, train.loss);
    }
    [space.loss, sum]
}

/// Whether a step can be made: squares of a gradient of this norm are finite in single precision.
fn is_usable(loss: f64, norm: f64) -> bool {
    loss.is_finite() && norm <= LARGEST_NORM
}

/// What an epoch came to: the best parameters, and whether to stop.
fn settle(train: &Train, state: &mut State, made: Epoch) {
    if advanced(train, state.progress, made) {
        state.best.copy_from_slice(state.parameters);
    }
}

/// Adds an epoch to the progress of a member; whether its parameters are the best so far.
pub(super) fn advanced(train: &Train, progress: &mut Progress, made: Epoch) -> bool {
    let number = progress.epochs.len() as u32;
    progress.epochs.push(made);
    let Some(loss) = made.validation else {
        // Nothing tells which are better than the last.
        progress.best = Some((number, made.training));
        return true;
    };
    let improvement = train.early_stopping.map_or(0.0, |early| early.least_improvement);
    match progress.best {
        Some((best, least)) if loss >= least - improvement => {
            if train.early_stopping.is_some_and(|early| number - best >= early.patience) {
                progress.stop = Stop::Patience;
            }
            false
        }
        _ => {
            progress.best = Some((number, loss));
            true
        }
    }
}

/// An event as the next row.
#[inline]
fn put(space: &mut Workspace, sample: &Sample, event: u32, number: u32, share: f64) {
    sample.gather(event, &mut space.inputs);
    space.labels.push(sample.label(event));
    space.shares.push(share);
    space.samples.push(number);
    let words = sample.table.present_words();
    if words > 0 {
        space.present.extend_from_slice(&sample.table.present[event as usize * words..(event as usize + 1) * words]);
    }
}

/// A batch, as its quarters see it.
struct Work<'a> {
    train: &'a Train,
    sample: &'a Sample<'a>,
    width: Width,
    weights: Weights<'a>,
    dropout: Dropout,
    events: &'a [u32],
    first: u32,
}

impl Work<'_> {
    /// The gradient and loss of some rows.
    fn rows(&self, space: &mut Workspace, from: usize, length: usize) {
        space.begin();
        let rows = self.events.len();
        let part = &self.events[from.min(rows)..(from + length).min(rows)];
        let rows_a_tile = space.tile;
        part.iter().take(rows_a_tile).for_each(|event| self.sample.prefetch(*event));
        for (tile, events) in part.chunks(rows_a_tile).enumerate() {
            let next = (tile + 1) * rows_a_tile;
            part[next.min(part.len())..].iter().take(rows_a_tile).for_each(|event| self.sample.prefetch(*event));
            space.clear();
            for (row, event) in events.iter().enumerate() {
                let number = self.first + (from + tile * rows_a_tile + row) as u32;
                put(space, self.sample, *event, number, self.sample.scaled_weight(*event) / rows as f64);
            }
            forward(self.width, self.weights, space, Some(self.dropout));
            backward(self.width, self.weights, space, self.train.loss);
        }
        space.end();
    }
}
