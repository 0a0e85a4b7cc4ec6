//! The CPU's executor.

use rayon::prelude::*;

use super::math::{Mapped, linear, logit, normal, uniform};
use super::{Output, Standardise, Transform, Values};
use crate::device::Host;

/// Rows that a thread maps at a time.
const ROWS_A_TASK: usize = 1024;

impl Transform {
    fn map(&self, x: f64) -> Mapped {
        match self {
            Self::Linear { shift, scale } => linear(x, *shift, *scale),
            Self::Logit { low, high, shift, scale } => logit(x, *low, *high, *shift, *scale),
            Self::Uniform { knots } => uniform(x, knots),
            Self::Normal { knots } => normal(x, knots),
        }
    }
}

pub(super) fn mapped(standardise: &Standardise, input: &Values<Host>) -> Output<Host> {
    let (columns, rows) = (input.columns as usize, input.rows());
    let mut values = vec![0.0; rows * columns];
    let (mut ln_jacobian, mut outside) = (vec![0.0; rows], vec![0; rows]);
    let tables = input.values.par_chunks(ROWS_A_TASK * columns).zip(values.par_chunks_mut(ROWS_A_TASK * columns));
    let sums = ln_jacobian.par_chunks_mut(ROWS_A_TASK).zip(outside.par_chunks_mut(ROWS_A_TASK));
    tables.zip(sums).for_each(|((from, to), (ln_jacobian, outside))| {
        let rows = from.chunks(columns).zip(to.chunks_mut(columns));
        for ((from, to), (ln_jacobian, outside)) in rows.zip(ln_jacobian.iter_mut().zip(outside)) {
            for ((x, y), transform) in from.iter().zip(to).zip(&standardise.transforms) {
                let mapped = transform.map(*x);
                *y = mapped.value;
                *ln_jacobian += mapped.ln_derivative;
                *outside += mapped.outside;
            }
        }
    });
    Output { values: values.into(), ln_jacobian: ln_jacobian.into(), outside: outside.into() }
}
