//! Some rows through a network and back on the CPU, with everything that they need in the first caches.

use super::Precision;
use super::loss::Loss;
use super::math::{Row, activated, cross_entropy, loss_of, round, slope_at};
use super::multiply::{Matrix, Sizes, Start, multiply};
use super::rounded::{Buffers, Factors, Layer};
use crate::math::floats::{Floats, Width, floats};
use crate::math::philox::Philox;
use crate::math::tiles::{Onto, Tiles};
use crate::math::words::{BYTES_A_DRAW, MOST_LANES, Words, philox_lanes};
use crate::models::network::{Activation, Bias, Dense, Network};

/// Rows that go through at a time: of 64 units they are 8 kB a layer, beside 16 kB of weights. Answers do not depend on it.
pub(crate) const TILE: usize = 32;

/// The same in bfloat16, whose products take less time than the gradient is read and written in: a quarter of a batch of 512.
const ROUNDED_TILE: usize = 128;

/// Numbers of a vector that every processor has; rows of all layers are whole ones.
const EIGHT: usize = 8;

/// A layer of no more outputs has its gradient summed by vectors over inputs: those over its outputs would be mostly empty.
const NARROW: u32 = 2;

/// What a layer leaves behind for the way back.
#[derive(Debug, Default)]
struct Space {
    /// What comes out: activated, and with dropout.
    out: Vec<f32>,
    /// The same before dropout, where that is needed again.
    active: Vec<f32>,
    /// Of dropout: a random byte for each output, and what is left of a row's last draw.
    bytes: Vec<u8>,
    /// The derivatives of the loss by the layer's sums.
    slopes: Vec<f32>,
}

/// Whether there is a gradient yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summed {
    Nothing,
    Rows,
}

/// Buffers of a tile of rows, and the sums over the rows so far.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The rows' inputs, one row after the other.
    pub inputs: Vec<f32>,
    /// The rows' labels.
    pub labels: Vec<f32>,
    /// The rows' weights over the number of rows of the batch.
    pub shares: Vec<f64>,
    /// Which inputs are present, as many words for each row; none if all are.
    pub present: Vec<u32>,
    /// The numbers of the rows among those of the epoch, for dropout.
    pub samples: Vec<u32>,
    spaces: Vec<Space>,
    pub gradient: Vec<f32>,
    pub loss: f64,
    summed: Summed,
    /// The gradient of a narrow layer's weights, each output's one after the other.
    narrow: Vec<f32>,
    /// Where inputs, outputs of all layers but the last, and slopes are rounded.
    buffers: Option<Buffers>,
    /// What outputs are compared with, of a fixed target.
    target: f32,
    /// The most rows that there is room for.
    pub tile: usize,
}

/// Random numbers of dropout in an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    pub random: Philox,
    pub epoch: u32,
}

/// A network with its parameters, and its weights turned around for the way back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub network: &'a Network,
    pub parameters: &'a [f32],
    pub turned: &'a [f32],
    /// Rounded weights, which rows are multiplied by where they are there; the workspace must be one for them.
    pub factors: Option<&'a Factors>,
}

impl<'a> Weights<'a> {
    /// Weights for the way forward, in single precision.
    pub fn single(network: &'a Network, parameters: &'a [f32]) -> Self {
        Self { network, parameters, turned: &[], factors: None }
    }
}

impl Workspace {
    /// For products in single precision.
    pub fn new(network: &Network) -> Self {
        Self::of(network, Precision::Single)
    }

    /// For products of this precision.
    pub fn of(network: &Network, precision: Precision) -> Self {
        let tile = match precision {
            Precision::Single => TILE,
            Precision::Bfloat16 => ROUNDED_TILE,
        };
        let space = |layer: &Dense| {
            let places = tile * layer.stride();
            let has_active = layer.dropout_256ths > 0 && layer.activation != Activation::Relu;
            Space {
                out: vec![0.0; places],
                active: vec![0.0; if has_active { places } else { 0 }],
                bytes: vec![0; tile * bytes_a_row(layer)],
                slopes: vec![0.0; places],
            }
        };
        Self {
            inputs: Vec::new(),
            labels: Vec::new(),
            shares: Vec::new(),
            present: Vec::new(),
            samples: Vec::new(),
            spaces: network.layers().iter().map(space).collect(),
            gradient: vec![0.0; network.parameters()],
            loss: 0.0,
            summed: Summed::Nothing,
            narrow: Vec::new(),
            buffers: (precision == Precision::Bfloat16).then(|| Buffers::new(network, tile)),
            target: 0.0,
            tile,
        }
    }

    /// The same, with outputs compared with this where there is a fixed target.
    pub fn towards(self, target: f32) -> Self {
        Self { target, ..self }
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.labels.clear();
        self.shares.clear();
        self.present.clear();
        self.samples.clear();
    }

    /// Forgets the sums. Until rows went backward, or [`Self::end`], the gradient has no meaning.
    pub fn begin(&mut self) {
        self.summed = Summed::Nothing;
        self.loss = 0.0;
    }

    /// Makes the gradient 0 if there were no rows.
    pub fn end(&mut self) {
        if self.summed == Summed::Nothing {
            self.gradient.fill(0.0);
        }
    }

    /// The rows' outputs after [`forward`], one row after the other, each of the last layer's stride.
    pub fn outputs(&self) -> &[f32] {
        self.spaces.last().map_or(&[], |space| &space.out)
    }

    fn rows(&self, network: &Network) -> usize {
        self.inputs.len() / network.inputs()
    }

    fn row<'a>(&'a self, network: &Network, row: usize) -> Row<'a> {
        let (inputs, last) = (network.inputs(), &network.layers()[self.spaces.len() - 1]);
        let words = if self.present.is_empty() { 0 } else { inputs.div_ceil(32) };
        Row {
            outputs: &self.spaces[self.spaces.len() - 1].out[row * last.stride()..][..last.outputs as usize],
            inputs: &self.inputs[row * inputs..(row + 1) * inputs],
            label: self.labels[row],
            target: self.target,
            share: self.shares[row],
            present: &self.present[row * words..(row + 1) * words],
        }
    }
}

/// The loss of the rows that went forward, added to what is there.
pub(crate) fn add_loss(width: Width, network: &Network, space: &mut Workspace, loss: Loss) {
    floats!(width, losses(network: &Network, space: &mut Workspace, loss: Loss));
}

#[inline(always)]
fn losses<V: Floats, E: Floats>(network: &Network, space: &mut Workspace, loss: Loss) {
    let rows = space.rows(network);
    slopes_of_the_last(network, space, loss, rows);
}

/// The rows' inputs to their outputs, with dropout if there is one.
pub(crate) fn forward(width: Width, weights: Weights, space: &mut Workspace, dropout: Option<Dropout>) {
    floats!(width, through(width: Width, weights: Weights, space: &mut Workspace, dropout: Option<Dropout>));
}

/// The derivatives of the loss of the rows that went forward, added to those that are there.
pub(crate) fn backward(width: Width, weights: Weights, space: &mut Workspace, loss: Loss) {
    floats!(width, back(width: Width, weights: Weights, space: &mut Workspace, loss: Loss));
}

#[inline(always)]
fn through<V: Floats, E: Floats>(width: Width, weights: Weights, space: &mut Workspace, dropout: Option<Dropout>) {
    let network = weights.network;
    let rows = space.rows(network);
    let mut first_draw = 0;
    let mut rounded = weights.factors.zip(space.buffers.as_mut());
    let tiles = rounded.is_some().then(|| Tiles::begin(width));
    if rounded.is_some() {
        round(&mut space.inputs);
    }
    for (number, (layer, place)) in network.places().enumerate() {
        let stride = layer.stride();
        let (before, from) = space.spaces.split_at_mut(number);
        let Space { out, active, bytes, .. } = &mut from[0];
        let inputs = match before.last() {
            None => Matrix::rows(&space.inputs, network.inputs()),
            Some(before) => Matrix::rows(&before.out, network.layers()[number - 1].stride()),
        };
        if let (Some((factors, buffers)), Some(tiles)) = (&mut rounded, &tiles) {
            Layer { number, layer, factors, width }.forward(tiles, buffers, inputs, (out, rows));
        } else {
            let sizes = Sizes { rows, columns: stride, terms: layer.inputs as usize };
            let start = match layer.bias {
                Bias::Present => Start::Row(&weights.parameters[place.bias..place.end]),
                Bias::Absent => Start::Zero,
            };
            let matrix = &weights.parameters[place.weights..place.bias];
            multiply::<V, E>(sizes, inputs, (matrix, stride), start, (&mut out[..], stride));
        }
        let out = &mut out[..rows * stride];
        match dropout.filter(|_| layer.dropout_256ths > 0) {
            None => activate::<E>(layer, out),
            Some(dropout) => {
                draw::<V::Words>(dropout, layer, first_draw, &space.samples, bytes);
                if layer.activation == Activation::Relu {
                    drop_out::<V, E>(layer, bytes, out, First::Relu);
                } else {
                    activate::<E>(layer, out);
                    active[..rows * stride].copy_from_slice(out);
                    drop_out::<V, E>(layer, bytes, out, First::Nothing);
                }
            }
        }
        first_draw += draws(layer);
        // What goes into products is rounded there; of ReLU the way back asks only what is above 0.
        if rounded.is_some() && number + 1 < network.layers().len() && layer.activation != Activation::Relu {
            round(out);
            round(active);
        }
    }
}

/// The draws of a row in a layer.
#[inline(always)]
fn draws(layer: &Dense) -> u32 {
    if layer.dropout_256ths > 0 { layer.outputs.div_ceil(BYTES_A_DRAW as u32) } else { 0 }
}

/// The random bytes of a row in a layer: whole draws, which are at least a row.
#[inline(always)]
fn bytes_a_row(layer: &Dense) -> usize {
    draws(layer) as usize * BYTES_A_DRAW
}

/// What is done before numbers are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Nothing,
    Relu,
}

/// Leaves out what the bytes say of rows of numbers, and scales the others.
#[inline(always)]
fn drop_out<V: Floats, E: Floats>(layer: &Dense, bytes: &[u8], rows: &mut [f32], first: First) {
    let (stride, row_bytes) = (layer.stride(), bytes_a_row(layer));
    if stride == row_bytes && rows.len().is_multiple_of(V::LANES) {
        return drop_out_of_row::<V>(layer, bytes, rows, first);
    }
    for (row, bytes) in rows.chunks_exact_mut(stride).zip(bytes.chunks_exact(row_bytes)) {
        drop_out_of_row::<E>(layer, bytes, row, first);
    }
}

#[inline(always)]
fn drop_out_of_row<F: Floats>(layer: &Dense, bytes: &[u8], row: &mut [f32], first: First) {
    let (scale, zero) = (layer.kept_scale(), F::all(0.0));
    for (numbers, bytes) in row.chunks_exact_mut(F::LANES).zip(bytes.chunks_exact(F::LANES)) {
        let kept = F::where_at_least(bytes, layer.dropout_256ths, scale);
        let number = F::load(numbers);
        let number = if first == First::Relu { number.larger(zero) } else { number };
        number.times(kept).store(numbers);
    }
}

#[inline(always)]
fn activate<E: Floats>(layer: &Dense, out: &mut [f32]) {
    match layer.activation {
        Activation::Identity => {}
        Activation::Relu => {
            let zero = E::all(0.0);
            out.chunks_exact_mut(EIGHT).for_each(|out| E::load(out).larger(zero).store(out));
        }
        Activation::LeakyRelu { slope } => {
            for out in out.chunks_exact_mut(EIGHT) {
                let x = E::load(out);
                x.above_zero(x, E::all(slope).times(x)).store(out);
            }
        }
        activation => {
            for row in out.chunks_exact_mut(layer.stride()) {
                row[..layer.outputs as usize].iter_mut().for_each(|x| *x = activated(activation, *x));
            }
        }
    }
}

#[inline(always)]
fn back<V: Floats, E: Floats>(width: Width, weights: Weights, space: &mut Workspace, loss: Loss) {
    let network = weights.network;
    let rows = space.rows(network);
    slopes_of_the_last(network, space, loss, rows);
    let mut narrow = std::mem::take(&mut space.narrow);
    // The first rows are no sum with what stands there, which then needs not be made 0 before.
    let start = if space.summed == Summed::Nothing { Start::Zero } else { Start::There };
    space.summed = Summed::Rows;
    let mut rounded = weights.factors.zip(space.buffers.as_mut());
    let tiles = rounded.is_some().then(|| Tiles::begin(width));
    if rounded.is_some()
        && let Some(last) = space.spaces.last_mut()
    {
        round(&mut last.slopes);
    }
    let mut turned = weights.turned.len();
    let places: Vec<_> = network.places().collect();
    for (number, (layer, place)) in places.into_iter().enumerate().rev() {
        let stride = layer.stride();
        let (before, from) = space.spaces.split_at_mut(number);
        let slopes = &from[0].slopes[..rows * stride];
        let (inputs, input_stride, by_inputs) = match before.last_mut() {
            None => (&space.inputs[..], network.inputs(), None),
            Some(before) => {
                (&before.out[..], network.layers()[number - 1].stride(), Some(before.slopes.as_mut_slice()))
            }
        };
        let matrix = Matrix::rows(inputs, input_stride);
        let gradient = &mut space.gradient[place.weights..place.end];
        let (of_weights, of_bias) = gradient.split_at_mut(place.bias - place.weights);
        if let (Some((factors, buffers)), Some(tiles)) = (&mut rounded, &tiles) {
            let onto = if let Start::Zero = start { Onto::Nothing } else { Onto::There };
            let by_inputs = by_inputs.map(|slopes| (slopes, input_stride));
            let own = Layer { number, layer, factors, width };
            own.backward(tiles, buffers, (matrix, slopes), (of_weights, onto), by_inputs);
        } else {
            gradient_of_weights::<V, E>(layer, (matrix, slopes), start, of_weights, &mut narrow);
            if let Some(by_inputs) = by_inputs {
                turned -= input_stride * layer.outputs as usize;
                let matrix = &weights.turned[turned..][..input_stride * layer.outputs as usize];
                let sizes = Sizes { rows, columns: input_stride, terms: layer.outputs as usize };
                let to = (by_inputs, input_stride);
                multiply::<V, E>(sizes, Matrix::rows(slopes, stride), (matrix, input_stride), Start::Zero, to);
            }
        }
        if layer.bias == Bias::Present {
            if let Start::Zero = start {
                of_bias.fill(0.0);
            }
            add_rows::<V, E>(slopes, stride, of_bias);
        }
        let Some(before) = before.last_mut() else { continue };
        through_activation::<V, E>(&network.layers()[number - 1], before, rows * input_stride);
        if rounded.is_some() {
            round(&mut before.slopes[..rows * input_stride]);
        }
    }
    space.narrow = narrow;
}

/// The gradient of a layer's weights from what goes in and the slopes of its sums. `narrow` is for layers of few outputs.
#[inline(always)]
fn gradient_of_weights<V: Floats, E: Floats>(
    layer: &Dense,
    (inputs, slopes): (Matrix, &[f32]),
    start: Start,
    of_weights: &mut [f32],
    narrow: &mut Vec<f32>,
) {
    let (stride, outputs) = (layer.stride(), layer.outputs as usize);
    let (rows, input_stride) = (slopes.len() / stride, inputs.row);
    if layer.outputs > NARROW || !input_stride.is_multiple_of(EIGHT) {
        let sizes = Sizes { rows: layer.inputs as usize, columns: stride, terms: rows };
        multiply::<V, E>(sizes, inputs.transposed(), (slopes, stride), start, (of_weights, stride));
        return;
    }
    narrow.resize(outputs * input_stride, 0.0);
    if let Start::There = start {
        exchange(of_weights, stride, narrow, input_stride, Direction::To);
    }
    let sizes = Sizes { rows: outputs, columns: input_stride, terms: rows };
    let slopes = Matrix::rows(slopes, stride).transposed();
    multiply::<V, E>(sizes, slopes, (inputs.values, input_stride), start, (&mut narrow[..], input_stride));
    exchange(of_weights, stride, narrow, input_stride, Direction::Back);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    To,
    Back,
}

/// Numbers of a few columns from or to rows, each column one.
#[inline(always)]
fn exchange(columns: &mut [f32], stride: usize, rows: &mut [f32], row_stride: usize, direction: Direction) {
    for (output, row) in rows.chunks_exact_mut(row_stride).enumerate() {
        for (columns, x) in columns.chunks_exact_mut(stride).zip(row) {
            match direction {
                Direction::To => *x = columns[output],
                Direction::Back => columns[output] = *x,
            }
        }
    }
}

/// Adds all rows, one after the other, to their sums.
#[inline(always)]
fn add_rows<V: Floats, E: Floats>(rows: &[f32], stride: usize, sums: &mut [f32]) {
    let mut column = 0;
    // Four vectors at a time, so that additions do not wait for each other.
    while column + 4 * V::LANES <= stride {
        add_columns::<V, 4>(rows, stride, column, sums);
        column += 4 * V::LANES;
    }
    while column + E::LANES <= stride {
        add_columns::<E, 1>(rows, stride, column, sums);
        column += E::LANES;
    }
}

#[inline(always)]
fn add_columns<F: Floats, const C: usize>(rows: &[f32], stride: usize, column: usize, sums: &mut [f32]) {
    let sums = &mut sums[column..column + C * F::LANES];
    let mut all: [F; C] = std::array::from_fn(|c| F::load(&sums[c * F::LANES..]));
    for row in rows.chunks_exact(stride) {
        let row = &row[column..column + C * F::LANES];
        for (c, sum) in all.iter_mut().enumerate() {
            *sum = sum.plus(F::load(&row[c * F::LANES..]));
        }
    }
    all.into_iter().enumerate().for_each(|(c, sum)| sum.store(&mut sums[c * F::LANES..]));
}

/// The derivatives by the sums of the last layer; the loss is added to what is there.
#[inline(always)]
fn slopes_of_the_last(network: &Network, space: &mut Workspace, loss: Loss, rows: usize) {
    let layer = &network.layers()[space.spaces.len() - 1];
    let (outputs, stride) = (layer.outputs as usize, layer.stride());
    let mut slopes = std::mem::take(&mut space.spaces[network.layers().len() - 1].slopes);
    slopes[..rows * stride].fill(0.0);
    if loss == Loss::BinaryCrossEntropy {
        cross_entropies(space, stride, rows, &mut slopes);
    } else {
        for (number, slopes) in slopes[..rows * stride].chunks_exact_mut(stride).enumerate() {
            space.loss += loss_of(loss, &space.row(network, number), &mut slopes[..outputs]);
        }
    }
    if layer.activation != Activation::Identity {
        for (number, slopes) in slopes[..rows * stride].chunks_exact_mut(stride).enumerate() {
            for (slope, output) in slopes.iter_mut().zip(space.row(network, number).outputs) {
                *slope *= slope_at(layer.activation, *output);
            }
        }
    }
    space.spaces[network.layers().len() - 1].slopes = slopes;
}

/// The same of one logit with cross-entropy, all rows at once by vectors of double precision: one by one they took 11 % of a training.
#[inline(always)]
fn cross_entropies(space: &mut Workspace, stride: usize, rows: usize, slopes: &mut [f32]) {
    let out = &space.spaces[space.spaces.len() - 1].out;
    for first in (0..rows).step_by(TILE) {
        let some = first..rows.min(first + TILE);
        let (mut logits, mut labels, mut shares) = ([0.0_f32; TILE], [0.0_f32; TILE], [0.0_f64; TILE]);
        logits.iter_mut().zip(out[first * stride..].chunks_exact(stride)).for_each(|(logit, row)| *logit = row[0]);
        labels[..some.len()].copy_from_slice(&space.labels[some.clone()]);
        shares[..some.len()].copy_from_slice(&space.shares[some.clone()]);
        let (mut values, mut derivatives) = ([0.0_f64; TILE], [0.0_f32; TILE]);
        for row in 0..TILE {
            (values[row], derivatives[row]) = cross_entropy(logits[row], labels[row], shares[row]);
        }
        let slopes = &mut slopes[some.start * stride..some.end * stride];
        for (row, slopes) in slopes.chunks_exact_mut(stride).enumerate() {
            space.loss += values[row];
            slopes[0] = derivatives[row];
        }
    }
}

/// From derivatives by what comes out of a layer to those by its sums.
#[inline(always)]
fn through_activation<V: Floats, E: Floats>(layer: &Dense, space: &mut Space, places: usize) {
    let Space { out, active, bytes, slopes } = space;
    let (out, slopes) = (&out[..places], &mut slopes[..places]);
    let is_dropped = layer.dropout_256ths > 0;
    if layer.activation == Activation::Relu {
        // Where something comes out it was kept and above 0.
        let scale = if is_dropped { layer.kept_scale() } else { 1.0 };
        let whole = places - places % V::LANES;
        where_above_zero::<V>(&mut slopes[..whole], &out[..whole], scale);
        where_above_zero::<E>(&mut slopes[whole..], &out[whole..], scale);
        return;
    }
    if is_dropped {
        drop_out::<V, E>(layer, bytes, slopes, First::Nothing);
    }
    let a = if is_dropped { &active[..places] } else { out };
    match layer.activation {
        Activation::Identity => {}
        Activation::LeakyRelu { slope: below } => {
            for (slope, a) in slopes.chunks_exact_mut(EIGHT).zip(a.chunks_exact(EIGHT)) {
                let value = E::load(slope);
                E::load(a).above_zero(value, value.times(E::all(below))).store(slope);
            }
        }
        activation => slopes.iter_mut().zip(a).for_each(|(slope, a)| *slope *= slope_at(activation, *a)),
    }
}

/// Scales slopes where something came out, and makes the others 0.
#[inline(always)]
fn where_above_zero<F: Floats>(slopes: &mut [f32], out: &[f32], scale: f32) {
    let (scale, zero) = (F::all(scale), F::all(0.0));
    for (slope, out) in slopes.chunks_exact_mut(F::LANES).zip(out.chunks_exact(F::LANES)) {
        F::load(out).above_zero(F::load(slope).times(scale), zero).store(slope);
    }
}

/// The random bytes of dropout: byte b of the draws of a row decides about output b. Bytes are those of a whole tile.
#[inline(always)]
fn draw<W: Words>(dropout: Dropout, layer: &Dense, first_draw: u32, samples: &[u32], bytes: &mut [u8]) {
    let row_bytes = bytes_a_row(layer);
    let mut units = [0; MOST_LANES];
    for (chunk, rows) in samples.chunks(W::LANES).zip(bytes.chunks_exact_mut(W::LANES * row_bytes)) {
        units[..chunk.len()].copy_from_slice(chunk);
        let unit = W::load(&units);
        for draw in 0..draws(layer) {
            let counter = [unit, W::all(dropout.epoch), W::all(first_draw + draw), W::all(0)];
            let words = philox_lanes(counter, dropout.random.key());
            W::store_draws(words, &mut rows[draw as usize * BYTES_A_DRAW..], row_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::floats::PlainFloats;
    use crate::math::philox::Stage;
    use crate::math::words::PlainWords;

    #[test]
    fn dropout_is_a_function_of_epoch_sample_and_output() {
        let layer = Dense { dropout_256ths: 64, ..Dense::new(4, 21, Activation::Relu) };
        let dropout = Dropout { random: Philox::new(5, Stage::Dropout), epoch: 3 };
        let samples: Vec<u32> = (100..119).collect();
        let mut found = vec![0; TILE * bytes_a_row(&layer)];
        draw::<PlainWords>(dropout, &layer, 7, &samples, &mut found);
        let mut ones = vec![1.0; samples.len() * layer.stride()];
        drop_out::<PlainFloats, PlainFloats>(&layer, &found, &mut ones, First::Nothing);
        let mut kept = 0;
        for (row, sample) in samples.iter().enumerate() {
            for output in 0..21 {
                let draw = 7 + output as u64 / 16;
                let words = dropout.random.words(3 << 32 | u64::from(*sample), draw);
                let byte = words[output % 16 / 4].to_le_bytes()[output % 4];
                let expected = if byte >= 64 { 256.0_f32 / 192.0 } else { 0.0 };
                assert_eq!(ones[row * layer.stride() + output], expected);
                kept += usize::from(byte >= 64);
            }
        }
        // Three quarters of 399, with a standard deviation of 8.6.
        assert!((265..335).contains(&kept), "{kept}");
    }
}
