//! The CPU's executor: members over threads, and the four quarters of a batch over what threads are left.

use std::ops::Range;

use rayon::prelude::*;

use super::math::round;
use super::optimiser::{Followed, follow, norm_of};
use super::pass::{Dropout, TILE, Weights, Workspace, backward, forward, turn, turned_places};
use super::sampling::Sample;
use super::{Output, Precision, Train};
use crate::device::Host;
use crate::error::{Problems, Result};
use crate::math::floats::Width;
use crate::math::philox::{Philox, Stage};
use crate::models::population::{Epoch, Population, Progress, Stop};
use crate::models::table::Table;

/// Parts of a batch whose gradients are summed by themselves.
pub(super) const QUARTERS: usize = 4;

/// Beyond this norm squares of gradients would not be finite in single precision.
pub(super) const LARGEST_NORM: f64 = 1e18;

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
    let running = (0..progress.len()).filter(|member| progress[*member].stop == Stop::Running);
    let mut all = Problems::default();
    let samples: Vec<Result<()>> =
        running.collect::<Vec<_>>().par_iter().map(|member| Sample::new(train, table, *member).map(|_| ())).collect();
    samples.into_iter().for_each(|problem| _ = all.take(problem));
    all.finish()?;
    let [mut parameters, mut mean, mut square, mut best] =
        [&population.parameters, &population.mean, &population.square, &population.best].map(|column| column.to_vec());
    let means = mean.par_chunks_mut(places).zip(square.par_chunks_mut(places));
    let states = parameters.par_chunks_mut(places).zip(means).zip(best.par_chunks_mut(places));
    let problems: Vec<Result<()>> = states
        .zip(progress.par_iter_mut())
        .enumerate()
        // One by one, so that threads take the next member when they are done with one.
        .with_max_len(1)
        .map(|(number, (((parameters, (mean, square)), best), progress))| {
            let mut state = State { parameters, mean, square, best, progress };
            if state.progress.stop == Stop::Running {
                let sample = Sample::new(train, table, number)?;
                Trainer::new(train, &sample, width).run(&mut state);
            }
            Ok(())
        })
        .collect();
    let mut all = Problems::default();
    problems.into_iter().for_each(|problem| _ = all.take(problem));
    all.finish()?;
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
                Workspace::new(&train.network).with(train.precision).towards(sample.member.target)
            }),
            rounded: Vec::new(),
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
            let loss = self.gradient(epoch, number * batch, state.parameters);
            let norm = norm_of(&self.quarters[0].gradient);
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

    /// The gradient of the batch in the first quarter, and the loss. `first` is the number of the batch's first sample.
    fn gradient(&mut self, epoch: u32, first: u32, parameters: &[f32]) -> f64 {
        let network = &self.train.network;
        let parameters = factors(self.train, parameters, &mut self.rounded);
        turn(network, parameters, &mut self.turned);
        let weights = Weights { network, parameters, turned: &self.turned };
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
        let [q0, q1, q2, q3] = &mut self.quarters;
        let part = |number: usize| number * length;
        let halves = (
            || rayon::join(|| work.rows(q0, part(0), length), || work.rows(q1, part(1), length)),
            || rayon::join(|| work.rows(q2, part(2), length), || work.rows(q3, part(3), length)),
        );
        rayon::join(halves.0, halves.1);
        let loss = (q0.loss + q1.loss) + (q2.loss + q3.loss);
        let others = q1.gradient.iter().zip(&q2.gradient).zip(&q3.gradient);
        for (q0, ((q1, q2), q3)) in q0.gradient.iter_mut().zip(others) {
            *q0 = (*q0 + q1) + (q2 + q3);
        }
        loss
    }

    /// The loss of the validation events, if there are any.
    fn validation(&mut self, parameters: &[f32]) -> Option<f64> {
        if self.train.validation_of_2_32() == 0 {
            return None;
        }
        let (train, sample, width) = (self.train, self.sample, self.width);
        let parameters = factors(train, parameters, &mut self.rounded);
        let weights = Weights { network: &train.network, parameters, turned: &[] };
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

/// The parameters that rows are multiplied by: with weights rounded, where that is asked for.
fn factors<'a>(train: &Train, parameters: &'a [f32], rounded: &'a mut Vec<f32>) -> &'a [f32] {
    if train.precision == Precision::Single {
        return parameters;
    }
    rounded.clear();
    rounded.extend_from_slice(parameters);
    train.network.places().for_each(|(_, place)| round(&mut rounded[place.weights..place.bias]));
    rounded
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
        for event in left.by_ref().take(TILE) {
            let weight = sample.scaled_weight(event);
            put(space, sample, event, 0, weight);
            sum += weight;
        }
        forward(width, weights, space, None);
        space.add_loss(&train.network, train.loss);
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
        part.iter().take(TILE).for_each(|event| self.sample.prefetch(*event));
        for (tile, events) in part.chunks(TILE).enumerate() {
            let next = (tile + 1) * TILE;
            part[next.min(part.len())..].iter().take(TILE).for_each(|event| self.sample.prefetch(*event));
            space.clear();
            for (row, event) in events.iter().enumerate() {
                let number = self.first + (from + tile * TILE + row) as u32;
                put(space, self.sample, *event, number, self.sample.scaled_weight(*event) / rows as f64);
            }
            forward(self.width, self.weights, space, Some(self.dropout));
            backward(self.width, self.weights, space, self.train.loss);
        }
    }
}
