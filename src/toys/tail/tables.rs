//! The tables of the tail, built once on the host.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::Input;
use crate::device::Host;
use crate::error::{Fault, Result};
use crate::hunt::Shapes;
use crate::math::poisson::{PoissonTable, share_thresholds};
use crate::math::{det, special};
use crate::toys::cells::DrawTables;
use crate::toys::throw::NEVER;

const NAME: &str = "toys.tail";

/// Windows, their cells, and the counts that they must reach.
pub(crate) struct Geometry<'a> {
    /// The tables that draw the cells.
    pub(crate) draws: &'a DrawTables,
    /// The mean of each cell.
    pub(crate) cells: &'a [f64],
    /// Where the windows are.
    pub(crate) shapes: &'a Shapes,
    /// The cells of a row.
    pub(crate) columns: usize,
    /// The mean of each window.
    pub(crate) expected: &'a [f64],
    /// The critical count of each window.
    pub(crate) critical: &'a [u32],
}

/// The tables of the toys, and what is known without any.
pub(crate) struct TailTables {
    /// What the toys need.
    pub(crate) input: Input<Host>,
    /// The logarithm of each probability `P(A_i)`.
    ln_probability: Vec<f64>,
}

impl TailTables {
    /// # Errors
    /// No window that can reach its critical count, or tables that are too large.
    pub(crate) fn new(geometry: &Geometry) -> Result<Self> {
        let able: Vec<usize> = (0..geometry.critical.len()).filter(|w| geometry.critical[*w] != NEVER).collect();
        if able.is_empty() {
            let fault = Fault::new(NAME, "no window can reach the threshold").because("counts have 32 bits");
            return Err(fault.suggest("Use a threshold with a larger p-value.").data());
        }
        let of = |column: &[u32]| -> Vec<u32> { able.iter().map(|window| column[*window]).collect() };
        let shapes = geometry.shapes;
        let (start, end, height) = (of(&shapes.start), of(&shapes.end), of(&shapes.height));
        let critical = of(geometry.critical);
        let means: Vec<f64> = able.iter().map(|window| geometry.expected[*window]).collect();
        let ln_probability: Vec<f64> = critical
            .iter()
            .zip(&means)
            .map(|(critical, mean)| special::ln_poisson_survival(u64::from(*critical), *mean))
            .collect();
        let largest = ln_probability.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let relative: Vec<f64> = ln_probability.iter().map(|ln_p| det::exp(ln_p - largest)).collect();
        let totals: Vec<Result<PoissonTable>> =
            critical.par_iter().zip(&means).map(|(critical, mean)| PoissonTable::at_least(*mean, *critical)).collect();
        let (mut place, mut tail, mut share) = (Vec::new(), Vec::new(), Vec::new());
        for (window, total) in totals.into_iter().enumerate() {
            let total = total?;
            let first = tail.len();
            tail.extend_from_slice(total.thresholds());
            place.extend([first as u32, tail.len() as u32, total.first(), share.len() as u32]);
            let row = |row: usize| {
                start[window] as usize + row * geometry.columns..end[window] as usize + row * geometry.columns
            };
            let cells = (0..height[window] as usize).flat_map(row).map(|cell| geometry.cells[cell]);
            share.extend(share_thresholds(&cells.collect::<Vec<f64>>()));
            if tail.len() >= 1 << 31 || share.len() >= 1 << 31 {
                let fault = Fault::new(NAME, "the tables of the windows have more than 2^31 entries");
                return Err(fault.because("they are numbered in 32 bits").suggest("Hunt in fewer windows.").data());
            }
        }
        let draws = geometry.draws;
        let input = Input {
            cell: draws.cell.clone().into(),
            guide: draws.guide.clone().into(),
            threshold_high: draws.threshold_high.clone().into(),
            threshold_low: draws.threshold_low.clone().into(),
            start: start.into(),
            end: end.into(),
            height: height.into(),
            columns: geometry.columns as u32,
            critical: critical.into(),
            choice: share_thresholds(&relative).into(),
            place: place.into(),
            tail: tail.into(),
            share: share.into(),
        };
        Ok(Self { input, ln_probability })
    }

    /// `ln S`: the logarithm of the sum of the windows' probabilities.
    pub(crate) fn ln_sum(&self) -> f64 {
        let largest = self.ln_probability.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + det::ln(self.ln_probability.iter().map(|ln_p| det::exp(ln_p - largest)).sum())
    }

    /// `ln(1 - prod(1 - P(A_i)))`: what windows without a common cell would give.
    pub(crate) fn ln_independent(&self) -> f64 {
        // Below 2^-54 the product does not differ from the sum.
        let ln_sum = self.ln_sum();
        if ln_sum < -38.0 {
            return ln_sum;
        }
        let ln_none: f64 = self.ln_probability.iter().map(|ln_p| det::ln_1p(-det::exp(*ln_p))).sum();
        det::ln(-det::exp_m1(ln_none))
    }

    /// The sha256 of all tables, each with its length, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        let input = &self.input;
        hash.update(input.columns.to_le_bytes());
        let narrow = [
            &input.cell,
            &input.guide,
            &input.threshold_high,
            &input.threshold_low,
            &input.start,
            &input.end,
            &input.height,
            &input.critical,
            &input.place,
        ];
        for column in narrow {
            hash.update((column.len() as u64).to_le_bytes());
            column.iter().for_each(|word| hash.update(word.to_le_bytes()));
        }
        for column in [&input.choice, &input.tail, &input.share] {
            hash.update((column.len() as u64).to_le_bytes());
            column.iter().for_each(|word| hash.update(word.to_le_bytes()));
        }
        self.ln_probability.iter().for_each(|ln_p| hash.update(ln_p.to_le_bytes()));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
