//! Some rows through a network and back on the CPU, with everything that they need in the first caches.

use super::Precision;
use super::loss::Loss;
use super::math::{Row, activated, loss_of, round, slope_at};
use super::multiply::{Matrix, Sizes, Start, multiply};
use crate::math::floats::{Floats, Width, floats};
use crate::math::philox::Philox;
use crate::models::network::{Activation, Bias, Dense, Network};

/// Rows that go through at a time: of 64 units they are 8 kB a layer, beside 16 kB of weights. Answers do not depend on it.
pub(crate) const TILE: usize = 32;

/// Bytes of a draw; each decides about one output.
const BYTES_A_DRAW: usize = 16;

/// Lanes of the generator.
const EIGHT: usize = 8;

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
    /// What inputs, outputs of all layers but the last, and slopes are rounded to.
    precision: Precision,
    /// What outputs are compared with, of a fixed target.
    target: f32,
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
}

/// The places that [`turn`] fills.
pub(crate) fn turned_places(network: &Network) -> usize {
    let pairs = network.layers().windows(2);
    pairs.map(|pair| pair[0].stride() * pair[1].outputs as usize).sum()
}

/// The weights of all layers but the first, each output's row by row.
pub(crate) fn turn(network: &Network, parameters: &[f32], to: &mut [f32]) {
    let mut first = 0;
    for (layer, place) in network.places().skip(1) {
        let stride = (layer.inputs as usize).next_multiple_of(crate::models::network::VECTOR);
        let to = &mut to[first..first + stride * layer.outputs as usize];
        let rows = parameters[place.weights..place.bias].chunks_exact(layer.stride());
        for (input, row) in rows.enumerate() {
            for (output, weight) in row[..layer.outputs as usize].iter().enumerate() {
                to[output * stride + input] = *weight;
            }
        }
        first += to.len();
    }
}

impl Workspace {
    pub fn new(network: &Network) -> Self {
        let space = |layer: &Dense| {
            let places = TILE * layer.stride();
            let has_active = layer.dropout_256ths > 0 && layer.activation != Activation::Relu;
            Space {
                out: vec![0.0; places],
                active: vec![0.0; if has_active { places } else { 0 }],
                bytes: vec![0; TILE * bytes_a_row(layer)],
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
            precision: Precision::Single,
            target: 0.0,
        }
    }

    /// The same, with what goes into products rounded.
    pub fn with(self, precision: Precision) -> Self {
        Self { precision, ..self }
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

    /// Forgets the sums.
    pub fn begin(&mut self) {
        self.gradient.fill(0.0);
        self.loss = 0.0;
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

    /// The loss of the rows that went forward, added to what is there.
    pub fn add_loss(&mut self, network: &Network, loss: Loss) {
        let mut slopes = vec![0.0; network.outputs()];
        for row in 0..self.rows(network) {
            self.loss += loss_of(loss, &self.row(network, row), &mut slopes);
        }
    }
}

/// The rows' inputs to their outputs, with dropout if there is one.
pub(crate) fn forward(width: Width, weights: Weights, space: &mut Workspace, dropout: Option<Dropout>) {
    floats!(width, through(weights: Weights, space: &mut Workspace, dropout: Option<Dropout>));
}

/// The derivatives of the loss of the rows that went forward, added to those that are there.
pub(crate) fn backward(width: Width, weights: Weights, space: &mut Workspace, loss: Loss) {
    floats!(width, back(weights: Weights, space: &mut Workspace, loss: Loss));
}

#[inline(always)]
fn through<V: Floats, E: Floats>(weights: Weights, space: &mut Workspace, dropout: Option<Dropout>) {
    let network = weights.network;
    let rows = space.rows(network);
    let mut first_draw = 0;
    let is_rounded = space.precision == Precision::Bfloat16;
    if is_rounded {
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
        let sizes = Sizes { rows, columns: stride, terms: layer.inputs as usize };
        let start = match layer.bias {
            Bias::Present => Start::Row(&weights.parameters[place.bias..place.end]),
            Bias::Absent => Start::Zero,
        };
        let matrix = &weights.parameters[place.weights..place.bias];
        multiply::<V, E>(sizes, inputs, (matrix, stride), start, (&mut out[..], stride));
        let out = &mut out[..rows * stride];
        match dropout.filter(|_| layer.dropout_256ths > 0) {
            None => activate::<E>(layer, out),
            Some(dropout) => {
                draw::<E>(dropout, layer, first_draw, &space.samples, bytes);
                if layer.activation == Activation::Relu {
                    let zero = E::all(0.0);
                    drop_out::<E>(layer, bytes, out, |out| out.larger(zero));
                } else {
                    activate::<E>(layer, out);
                    active[..rows * stride].copy_from_slice(out);
                    drop_out::<E>(layer, bytes, out, |out| out);
                }
            }
        }
        first_draw += draws(layer);
        if is_rounded && number + 1 < network.layers().len() {
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

/// Leaves out what the bytes say of rows of numbers, and scales the others after `first` was made of them.
#[inline(always)]
fn drop_out<E: Floats>(layer: &Dense, bytes: &[u8], rows: &mut [f32], first: impl Fn(E) -> E) {
    let scale = layer.kept_scale();
    for (row, bytes) in rows.chunks_exact_mut(layer.stride()).zip(bytes.chunks_exact(bytes_a_row(layer))) {
        for (numbers, bytes) in row.chunks_exact_mut(EIGHT).zip(bytes.chunks_exact(EIGHT)) {
            first(E::load(numbers)).times(E::where_at_least(bytes, layer.dropout_256ths, scale)).store(numbers);
        }
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
fn back<V: Floats, E: Floats>(weights: Weights, space: &mut Workspace, loss: Loss) {
    let network = weights.network;
    let rows = space.rows(network);
    slopes_of_the_last(network, space, loss, rows);
    let is_rounded = space.precision == Precision::Bfloat16;
    if is_rounded && let Some(last) = space.spaces.last_mut() {
        round(&mut last.slopes);
    }
    let mut turned = weights.turned.len();
    let places: Vec<_> = network.places().collect();
    for (number, (layer, place)) in places.into_iter().enumerate().rev() {
        let stride = layer.stride();
        let (before, from) = space.spaces.split_at_mut(number);
        let slopes = &from[0].slopes[..rows * stride];
        let (inputs, input_stride) = match before.last() {
            None => (&space.inputs, network.inputs()),
            Some(before) => (&before.out, network.layers()[number - 1].stride()),
        };
        let sizes = Sizes { rows: layer.inputs as usize, columns: stride, terms: rows };
        let gradient = &mut space.gradient[place.weights..place.end];
        let (of_weights, of_bias) = gradient.split_at_mut(place.bias - place.weights);
        let columns = Matrix::rows(inputs, input_stride).transposed();
        multiply::<V, E>(sizes, columns, (slopes, stride), Start::There, (of_weights, stride));
        if layer.bias == Bias::Present {
            for (sums, at) in of_bias.chunks_exact_mut(EIGHT).zip((0..stride).step_by(EIGHT)) {
                let sum = |sum: E, row: &[f32]| sum.plus(E::load(&row[at..]));
                slopes.chunks_exact(stride).fold(E::load(sums), sum).store(sums);
            }
        }
        let Some(before) = before.last_mut() else { continue };
        let before_layer = &network.layers()[number - 1];
        turned -= input_stride * layer.outputs as usize;
        let matrix = &weights.turned[turned..][..input_stride * layer.outputs as usize];
        let sizes = Sizes { rows, columns: input_stride, terms: layer.outputs as usize };
        let slopes = Matrix::rows(slopes, stride);
        multiply::<V, E>(sizes, slopes, (matrix, input_stride), Start::Zero, (&mut before.slopes[..], input_stride));
        through_activation::<E>(before_layer, before, rows * input_stride);
        if is_rounded {
            round(&mut before.slopes[..rows * input_stride]);
        }
    }
}

/// The derivatives by the sums of the last layer.
#[inline(always)]
fn slopes_of_the_last(network: &Network, space: &mut Workspace, loss: Loss, rows: usize) {
    let layer = &network.layers()[space.spaces.len() - 1];
    let (outputs, stride) = (layer.outputs as usize, layer.stride());
    let mut slopes = std::mem::take(&mut space.spaces[network.layers().len() - 1].slopes);
    let mut sum = space.loss;
    for (number, slopes) in slopes[..rows * stride].chunks_exact_mut(stride).enumerate() {
        let row = space.row(network, number);
        slopes.fill(0.0);
        sum += loss_of(loss, &row, &mut slopes[..outputs]);
        for (slope, output) in slopes.iter_mut().zip(row.outputs) {
            *slope *= slope_at(layer.activation, *output);
        }
    }
    space.loss = sum;
    space.spaces[network.layers().len() - 1].slopes = slopes;
}

/// From derivatives by what comes out of a layer to those by its sums.
#[inline(always)]
fn through_activation<E: Floats>(layer: &Dense, space: &mut Space, places: usize) {
    let Space { out, active, bytes, slopes } = space;
    let (out, slopes) = (&out[..places], &mut slopes[..places]);
    let is_dropped = layer.dropout_256ths > 0;
    let zero = E::all(0.0);
    if layer.activation == Activation::Relu {
        // Where something comes out it was kept and above 0.
        let scale = E::all(if is_dropped { layer.kept_scale() } else { 1.0 });
        for (slope, out) in slopes.chunks_exact_mut(EIGHT).zip(out.chunks_exact(EIGHT)) {
            E::load(out).above_zero(E::load(slope).times(scale), zero).store(slope);
        }
        return;
    }
    if is_dropped {
        drop_out::<E>(layer, bytes, slopes, |slope| slope);
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

/// The random bytes of dropout: byte b of the draws of a row decides about output b.
#[inline(always)]
fn draw<E: Floats>(dropout: Dropout, layer: &Dense, first_draw: u32, samples: &[u32], bytes: &mut [u8]) {
    let row_bytes = bytes_a_row(layer);
    let mut units = [0; EIGHT];
    for (chunk, rows) in samples.chunks(EIGHT).zip(bytes.chunks_mut(EIGHT * row_bytes)) {
        units[..chunk.len()].copy_from_slice(chunk);
        for draw in 0..draws(layer) {
            let words = eight_words::<E>(dropout, &units, first_draw + draw);
            let first = draw as usize * BYTES_A_DRAW;
            for (lane, row) in rows.chunks_exact_mut(row_bytes).take(chunk.len()).enumerate() {
                for (bytes, words) in row[first..first + BYTES_A_DRAW].as_chunks_mut::<4>().0.iter_mut().zip(&words) {
                    *bytes = words[lane].to_le_bytes();
                }
            }
        }
    }
}

/// The words of a draw of eight samples.
#[inline(always)]
fn eight_words<E: Floats>(dropout: Dropout, samples: &[u32; EIGHT], draw: u32) -> [[u32; EIGHT]; 4] {
    let [mut k0, mut k1] = dropout.random.key();
    let mut c = [*samples, [dropout.epoch; EIGHT], [draw; EIGHT], [0; EIGHT]];
    for _ in 0..10 {
        let [high0, low0] = E::wide_products(c[0], 0xd251_1f53);
        let [high1, low1] = E::wide_products(c[2], 0xcd9e_8d57);
        c = [
            std::array::from_fn(|lane| high1[lane] ^ c[1][lane] ^ k0),
            low1,
            std::array::from_fn(|lane| high0[lane] ^ c[3][lane] ^ k1),
            low0,
        ];
        k0 = k0.wrapping_add(0x9e37_79b9);
        k1 = k1.wrapping_add(0xbb67_ae85);
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::floats::PlainFloats;
    use crate::math::philox::Stage;

    #[test]
    fn dropout_is_a_function_of_epoch_sample_and_output() {
        let layer = Dense { dropout_256ths: 64, ..Dense::new(4, 21, Activation::Relu) };
        let dropout = Dropout { random: Philox::new(5, Stage::Dropout), epoch: 3 };
        let samples: Vec<u32> = (100..119).collect();
        let mut found = vec![0; TILE * bytes_a_row(&layer)];
        draw::<PlainFloats>(dropout, &layer, 7, &samples, &mut found);
        let mut ones = vec![1.0; samples.len() * layer.stride()];
        drop_out::<PlainFloats>(&layer, &found, &mut ones, |one| one);
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
