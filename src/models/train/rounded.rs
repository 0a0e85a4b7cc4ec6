//! Products of bfloat16 numbers in a pass over some rows: what goes into them as pairs, and the products.

use super::multiply::Matrix;
use crate::math::floats::Width;
use crate::math::tiles::{Onto, PAIRS, Pairs, Product, SIDE, TERMS, Tiles};
use crate::models::network::{Bias, Dense, Network};

/// A layer's weights for both ways.
#[derive(Debug)]
struct Factor {
    /// Pairs of inputs, a column for each output.
    forward: Pairs,
    /// Pairs of outputs, a column for each input.
    backward: Pairs,
    /// Biases, with zeros to the end of the last tile.
    bias: Vec<f32>,
}

/// The weights and biases of all layers.
#[derive(Debug)]
pub(crate) struct Factors {
    layers: Vec<Factor>,
    /// Pairs of outputs, a row for each input.
    rows: Pairs,
}

impl Factors {
    pub fn new(network: &Network) -> Self {
        let of = |layer: &Dense| {
            let [inputs, outputs] = [layer.inputs, layer.outputs].map(|number| number as usize);
            Factor {
                forward: Pairs::new(blocks_of(inputs) * PAIRS, outputs.next_multiple_of(SIDE)),
                backward: Pairs::new(blocks_of(outputs) * PAIRS, inputs.next_multiple_of(SIDE)),
                bias: vec![0.0; outputs.next_multiple_of(SIDE)],
            }
        };
        let layers = network.layers();
        let most = |of: fn(&Dense) -> u32| layers.iter().map(of).max().unwrap_or(0) as usize;
        let (inputs, outputs) = (most(|layer| layer.inputs), most(|layer| layer.outputs));
        Self {
            layers: layers.iter().map(of).collect(),
            rows: Pairs::new(inputs.next_multiple_of(SIDE), blocks_of(outputs) * PAIRS),
        }
    }

    /// Takes weights, rounded, and biases.
    pub fn take(&mut self, width: Width, network: &Network, parameters: &[f32]) {
        let rows = &mut self.rows;
        for ((layer, place), factor) in network.places().zip(&mut self.layers) {
            let (inputs, outputs, stride) = (layer.inputs as usize, layer.outputs as usize, layer.stride());
            let weights = &parameters[place.weights..place.bias];
            factor.forward.take_rows(width, weights, stride, [inputs, outputs]);
            rows.take_columns(width, weights, stride, [inputs, outputs]);
            // What a layer before left there would become derivatives by inputs that this one does not have.
            let behind = inputs * rows.stride..inputs.next_multiple_of(SIDE) * rows.stride;
            rows.words_mut()[behind].fill(0);
            factor.backward.turn(width, rows, [inputs, outputs.div_ceil(2)]);
            let bias = &parameters[place.bias..place.end];
            factor.bias[..bias.len()].copy_from_slice(bias);
        }
    }
}

fn blocks_of(terms: usize) -> usize {
    terms.div_ceil(TERMS)
}

/// Buffers for the products of a tile of rows.
#[derive(Debug)]
pub(super) struct Buffers {
    /// A row for each row of the tile.
    by_row: Pairs,
    /// A row for each pair of rows of the tile: of what goes into a layer, and of slopes.
    by_pair: [Pairs; 2],
    /// A row for each input.
    by_input: Pairs,
    /// Whole tiles of a product whose rows or columns are none.
    whole: Vec<f32>,
}

impl Buffers {
    /// For so many rows.
    pub fn new(network: &Network, tile: usize) -> Self {
        let widths = network.layers().iter().flat_map(|layer| [layer.inputs, layer.outputs]);
        let widest = (widths.max().unwrap_or(0) as usize).next_multiple_of(TERMS);
        let places = network.layers().iter().map(|layer| {
            let [inputs, outputs] = [layer.inputs, layer.outputs].map(|n| (n as usize).next_multiple_of(SIDE));
            (inputs * outputs).max(tile * inputs.max(outputs))
        });
        Self {
            by_row: Pairs::new(tile, widest / 2),
            by_pair: [(); 2].map(|()| Pairs::new(tile / 2, widest)),
            by_input: Pairs::new(widest, tile / 2),
            whole: vec![0.0; places.max().unwrap_or(0)],
        }
    }
}

/// A layer and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer<'a> {
    pub number: usize,
    pub layer: &'a Dense,
    pub factors: &'a Factors,
    pub width: Width,
}

impl Layer<'_> {
    /// What goes into the layer, row by row, times its weights, onto the biases.
    pub fn forward(&self, tiles: &Tiles, buffers: &mut Buffers, inputs: Matrix, (out, rows): (&mut [f32], usize)) {
        let (terms, factor) = (self.layer.inputs as usize, &self.factors.layers[self.number]);
        buffers.by_row.take_columns(self.width, inputs.values, inputs.row, [rows, terms]);
        let product = Product {
            rows: rows.div_ceil(SIDE),
            columns: (self.layer.outputs as usize).div_ceil(SIDE),
            blocks: blocks_of(terms),
            a: &buffers.by_row,
            b: &factor.forward,
            onto: if self.layer.bias == Bias::Present { Onto::Row(&factor.bias) } else { Onto::Nothing },
            to: out,
            stride: self.layer.stride(),
        };
        in_whole_tiles(tiles, product, rows, &mut buffers.whole);
    }

    /// The gradient of the layer's weights by the slopes of its sums, onto what is there or nothing; and the derivatives by what goes
    /// into the layer, if they are wanted, to rows of so many places.
    pub fn backward(
        &self,
        tiles: &Tiles,
        buffers: &mut Buffers,
        (inputs, slopes): (Matrix, &[f32]),
        (of_weights, onto): (&mut [f32], Onto),
        by_inputs: Option<(&mut [f32], usize)>,
    ) {
        let (width, stride) = (self.width, self.layer.stride());
        let [terms, outputs] = [self.layer.inputs, self.layer.outputs].map(|number| number as usize);
        let rows = slopes.len() / stride;
        // All pairs first: tiles that were just written are waited for.
        if by_inputs.is_some() {
            buffers.by_row.take_columns(width, slopes, stride, [rows, outputs]);
        }
        let [by_pair, of_slopes] = &mut buffers.by_pair;
        by_pair.take_rows(width, inputs.values, inputs.row, [rows, terms]);
        buffers.by_input.turn(width, by_pair, [blocks_of(rows) * PAIRS, terms]);
        // With those of no output, which are 0, so that nothing of a wider layer is left there.
        of_slopes.take_rows(width, slopes, stride, [rows, stride]);
        if let Some((to, stride)) = by_inputs {
            let product = Product {
                rows: rows.div_ceil(SIDE),
                columns: terms.div_ceil(SIDE),
                blocks: blocks_of(outputs),
                a: &buffers.by_row,
                b: &self.factors.layers[self.number].backward,
                onto: Onto::Nothing,
                to,
                stride,
            };
            in_whole_tiles(tiles, product, rows, &mut buffers.whole);
        }
        let product = Product {
            rows: terms.div_ceil(SIDE),
            columns: outputs.div_ceil(SIDE),
            blocks: blocks_of(rows),
            a: &buffers.by_input,
            b: &buffers.by_pair[1],
            onto,
            to: of_weights,
            stride,
        };
        in_whole_tiles(tiles, product, terms, &mut buffers.whole);
    }
}

/// A product of so many rows whose last tiles may be beyond them or beyond their stride: these are made beside and copied.
fn in_whole_tiles(tiles: &Tiles, product: Product, rows: usize, whole: &mut [f32]) {
    let Product { to, stride, columns, onto, .. } = product;
    let width = columns * SIDE;
    let has_room = width <= stride && (product.rows * SIDE - 1) * stride + width <= to.len();
    if has_room {
        return tiles.multiply(Product { to, ..product });
    }
    let whole = &mut whole[..product.rows * SIDE * width];
    let number = stride.min(width);
    if let Onto::There = onto {
        for (whole, to) in whole.chunks_exact_mut(width).zip(to.chunks(stride)).take(rows) {
            whole[..number].copy_from_slice(&to[..number]);
        }
    }
    tiles.multiply(Product { to: &mut *whole, stride: width, ..product });
    for (whole, to) in whole.chunks_exact(width).zip(to.chunks_mut(stride)).take(rows) {
        to[..number].copy_from_slice(&whole[..number]);
    }
}
