//! Where everything of a tile of rows is in a block's shared memory.

use super::{NAME, Precision};
use crate::error::{Fault, Result};
use crate::models::network::{Activation, Bias, Dense, Network, Place};

/// Shared memory that a block may ask for on every device of compute capability 8.0 and above, but for what kernels take themselves.
const MOST_SHARED: u64 = 98 << 10;

/// No place.
pub(super) const NONE: u32 = u32::MAX;

/// Factors of tensor cores are whole matrices of this side: what is beyond a layer's inputs and outputs is 0.
const SIDE: u64 = 16;

/// Rows of bfloat16 numbers are so much longer than what they hold, so that eight of them lie in different banks.
const GAP: u64 = 8;

/// Rows of a tile, and where it is. Places are counted in floats; for products of bfloat16 those of slopes are counted in 16 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Words of all layers: `Layer` of kernels/models/train.cuh.
    pub layers: Vec<u32>,
    /// Rows of a tile.
    pub tile: u32,
    /// Where slopes of a layer are.
    pub slopes: u32,
    /// From there to those of the layer before.
    pub slope_pitch: u32,
    /// Where it says which outputs dropout keeps.
    pub kept: u32,
    /// All of it.
    pub bytes: u32,
}

/// Where something of a layer is.
struct Places {
    first_draw: u32,
    out: u64,
    active: u64,
    kept: u64,
    rounded: u64,
}

impl Layout {
    /// The largest tile that fits.
    pub fn new(network: &Network, precision: Precision) -> Result<Self> {
        let tiles: &[u64] = match precision {
            Precision::Single => &[32, 16, 8, 4],
            Precision::Bfloat16 => &[64, 32, 16],
        };
        let of = |tile: u64| match precision {
            Precision::Single => Self::single(network, tile),
            Precision::Bfloat16 => Self::bfloat16(network, tile),
        };
        let mut bytes = 0;
        for (layout, its_bytes) in tiles.iter().map(|tile| of(*tile)) {
            if its_bytes <= MOST_SHARED {
                return Ok(Self { bytes: its_bytes as u32, ..layout });
            }
            bytes = its_bytes;
        }
        let fault = match precision {
            Precision::Single => Fault::new(NAME, format!("four rows of this network take {bytes} bytes")),
            Precision::Bfloat16 => {
                Fault::new(NAME, format!("the weights of this network and 16 rows take {bytes} bytes in bfloat16"))
            }
        };
        let fault = fault.because(format!("a block has {MOST_SHARED}"));
        Err(match precision {
            Precision::Single => fault.suggest("Use --device cpu."),
            Precision::Bfloat16 => fault.suggest("Use single precision, which reads weights as it needs them."),
        }
        .usage())
    }

    /// Columns of `tile + 4` floats: inputs, what layers leave, two sets of slopes; and a byte for each output that dropout may leave out.
    fn single(network: &Network, tile: u64) -> (Self, u64) {
        let pitch = tile + 4;
        let mut floats = network.inputs() as u64 * pitch;
        let (mut layers, mut kept, mut first_draw) = (Vec::new(), 0, 0);
        let mut widest = 0;
        for (layer, place) in network.places() {
            let stride = layer.stride() as u64;
            let mut column = || take(&mut floats, stride * pitch);
            let out = column();
            let active = if keeps_active(layer) { column() } else { u64::from(NONE) };
            layers.extend(words_of(layer, place, &Places { first_draw, out, active, kept, rounded: u64::from(NONE) }));
            if layer.dropout_256ths > 0 {
                kept += stride * tile;
                first_draw += layer.outputs.div_ceil(16);
            }
            widest = widest.max(stride);
        }
        let slopes = take(&mut floats, 2 * widest * pitch);
        let layout = Self::of(layers, tile, [slopes, widest * pitch, floats]);
        (layout, 4 * floats + kept.next_multiple_of(4))
    }

    /// Rows of bfloat16 numbers: inputs, what layers leave, two sets of slopes, all weights; then columns of `tile + 4` floats: outputs of
    /// the last layer and their slopes; and a bit for each output that dropout may leave out.
    fn bfloat16(network: &Network, tile: u64) -> (Self, u64) {
        let padded = |number: u32| u64::from(number).next_multiple_of(SIDE);
        let pitch = |columns: u32| padded(columns) + GAP;
        let widest = network.layers().iter().map(|layer| pitch(layer.outputs)).max().unwrap_or(0);
        let mut numbers = tile * pitch(network.inputs() as u32);
        let slopes = take(&mut numbers, 2 * widest * tile);
        let last = network.layers().len() - 1;
        let (mut all, mut kept, mut first_draw) = (Vec::new(), 0, 0);
        for (at, layer) in network.layers().iter().enumerate() {
            let rounded = take(&mut numbers, padded(layer.inputs) * pitch(layer.outputs));
            let mut rows = || take(&mut numbers, tile * pitch(layer.outputs));
            let out = if at < last { rows() } else { 0 };
            let active = if keeps_active(layer) { rows() } else { u64::from(NONE) };
            all.push(Places { first_draw, out, active, kept, rounded });
            if layer.dropout_256ths > 0 {
                kept += u64::from(layer.outputs.div_ceil(32)) * tile;
                first_draw += layer.outputs.div_ceil(16);
            }
        }
        // All are whole 16 bytes until here.
        let mut floats = numbers / 2;
        all[last].out = take(&mut floats, 2 * network.outputs() as u64 * (tile + 4));
        let layers = network.places().zip(&all).flat_map(|((layer, place), own)| words_of(layer, place, own)).collect();
        (Self::of(layers, tile, [slopes, widest * tile, floats]), 4 * (floats + kept))
    }

    fn of(layers: Vec<u32>, tile: u64, places: [u64; 3]) -> Self {
        // What does not fit in 32 bits is refused.
        let [slopes, slope_pitch, kept] = places.map(|place| place as u32);
        Self { layers, tile: tile as u32, slopes, slope_pitch, kept, bytes: 0 }
    }
}

/// What the next place is, and that it is taken.
fn take(next: &mut u64, number: u64) -> u64 {
    *next += number;
    *next - number
}

/// Whether what came out before dropout is needed on the way back.
fn keeps_active(layer: &Dense) -> bool {
    layer.dropout_256ths > 0 && layer.activation != Activation::Relu
}

fn words_of(layer: &Dense, place: Place, own: &Places) -> [u32; 15] {
    let (activation, slope) = match layer.activation {
        Activation::Identity => (0, 0.0),
        Activation::Relu => (1, 0.0),
        Activation::LeakyRelu { slope } => (2, slope),
        Activation::Elu => (3, 0.0),
        Activation::Tanh => (4, 0.0),
        Activation::Sigmoid => (5, 0.0),
        Activation::Softplus => (6, 0.0_f32),
    };
    [
        layer.inputs,
        layer.outputs,
        layer.stride() as u32,
        u32::from(layer.bias == Bias::Present),
        activation,
        slope.to_bits(),
        u32::from(layer.dropout_256ths),
        layer.kept_scale().to_bits(),
        place.weights as u32,
        place.bias as u32,
        own.first_draw,
        own.out as u32,
        own.active as u32,
        own.kept as u32,
        own.rounded as u32,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_tile_that_fits_is_taken() {
        let of = |hidden: &[u32], precision| {
            Layout::new(&Network::dense(6, hidden, 1, Activation::Relu, 0.05).unwrap(), precision)
        };
        let single = of(&[64, 64, 64], Precision::Single).unwrap();
        assert_eq!((single.tile, single.bytes), (32, 54_240));
        let rounded = of(&[64, 64, 64], Precision::Bfloat16).unwrap();
        // Weights 2,304 + 2 x 9,216 + 3,072; rows 3,072 + 5 x 9,216; outputs 544; bits 1,536.
        assert_eq!((rounded.tile, rounded.bytes), (64, 75_040));
        assert_eq!(of(&[120, 120], Precision::Bfloat16).unwrap().tile, 32);
        assert_eq!(of(&[150, 150], Precision::Bfloat16).unwrap().tile, 16);
        let error = of(&[200, 200, 200], Precision::Bfloat16).unwrap_err().to_string();
        assert!(error.contains("the weights of this network and 16 rows take") && error.contains("single precision"));
        // Far beyond 32 bits.
        assert!(of(&[8192; 40], Precision::Bfloat16).is_err());
    }
}
