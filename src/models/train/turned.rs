//! Weights with rows and columns exchanged, for the way back.

use crate::math::floats::{Block, Floats, Width, floats};
use crate::models::network::{Network, VECTOR};

/// The places that [`turn`] fills.
pub(crate) fn turned_places(network: &Network) -> usize {
    let pairs = network.layers().windows(2);
    pairs.map(|pair| pair[0].stride() * pair[1].outputs as usize).sum()
}

/// The weights of all layers but the first, each output's row by row.
pub(crate) fn turn(width: Width, network: &Network, parameters: &[f32], to: &mut [f32]) {
    floats!(width, turn_all(network: &Network, parameters: &[f32], to: &mut [f32]));
}

#[inline(always)]
fn turn_all<V: Floats, E: Floats>(network: &Network, parameters: &[f32], to: &mut [f32]) {
    let mut first = 0;
    for (layer, place) in network.places().skip(1) {
        let (inputs, outputs, stride) = (layer.inputs as usize, layer.outputs as usize, layer.stride());
        let to_stride = inputs.next_multiple_of(VECTOR);
        let (from, to) = (&parameters[place.weights..place.bias], &mut to[first..first + to_stride * outputs]);
        first += to.len();
        let whole = [inputs, outputs].map(|number| number - number % VECTOR);
        for input in (0..whole[0]).step_by(VECTOR) {
            for output in (0..whole[1]).step_by(VECTOR) {
                let from = Block { values: &from[input * stride + output..], stride };
                E::turn_block(from, Block { values: &mut to[output * to_stride + input..], stride: to_stride });
            }
        }
        for input in 0..inputs {
            let done = if input < whole[0] { whole[1] } else { 0 };
            (done..outputs).for_each(|output| to[output * to_stride + input] = from[input * stride + output]);
        }
    }
}
