//! The tables of the scanned toys, built once on the host.

use rayon::prelude::*;

use super::{Input, ScanToys, math};
use crate::device::{Host, Operation};
use crate::error::{Fault, Problems, Result};
use crate::hunt::{Combination, WindowExpectation, Windows};
use crate::math::poisson::PoissonTable;
use crate::math::special;
use crate::toys::Exceedance;
use crate::toys::throw::{LEVELS, level_z};

/// A channel of the toys: what is drawn in its cells, and what is expected in its windows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channel<'c> {
    pub(crate) means: &'c [f64],
    pub(crate) windows: &'c Windows,
    pub(crate) expected: &'c WindowExpectation,
}

/// The largest `ln p` of a toy that exceeds an observation of this `ln_p`: see [`math::TIE`].
pub(crate) fn limit(ln_p: f64, exceedance: Exceedance) -> f64 {
    let width = math::TIE * (-ln_p).max(1.0);
    match exceedance {
        _ if !ln_p.is_finite() => ln_p,
        Exceedance::AtLeast => ln_p + width,
        Exceedance::Above => ln_p - width,
    }
}

/// The tables of all channels. For [`Combination::SameWindow`] they leave out the same windows.
///
/// # Errors
/// Means that are negative, not finite or too large, all at once; more than 2^31 cells, windows or thresholds.
pub(crate) fn tables(channels: &[Channel], combination: Combination) -> Result<Input<Host>> {
    let mut all = Tables::default();
    let mut problems = Problems::default();
    for (index, channel) in channels.iter().enumerate() {
        let place = if channels.len() > 1 { format!(" of channel {index}") } else { String::new() };
        problems.take(all.push_cells(channel, &place));
    }
    problems.finish()?;
    all.finish(channels, combination)
}

#[derive(Default)]
struct Tables {
    cell: Vec<u32>,
    threshold: Vec<u64>,
    total: f64,
}

impl Tables {
    fn push_cells(&mut self, channel: &Channel, place: &str) -> Result<()> {
        let mut problems = Problems::default();
        if channel.windows.heights() != [1] {
            let fault = Fault::new(ScanToys::NAME, format!("windows{place} over several rows are not scanned in toys"));
            let fault = fault.because("only excesses over a fixed expectation have toys of such windows");
            problems.push(fault.suggest("Use windows over single rows, or hunt for excesses.").usage());
        }
        for (cell, mean) in channel.means.iter().enumerate() {
            if !mean.is_finite() || *mean < 0.0 {
                let fault = Fault::new(ScanToys::NAME, format!("the expectation of cell {cell}{place} is {mean}"));
                problems.push(fault.because("a Poisson mean is 0 or more, and finite").data());
            }
        }
        problems.finish()?;
        self.total += channel.means.iter().sum::<f64>();
        // At 2^31 expected a toy never comes near 2^32.
        if self.total >= f64::from(1_u32 << 31) {
            let fault = Fault::new(ScanToys::NAME, format!("{} events are expected in all", self.total));
            return Err(fault
                .because(format!("a toy holds fewer than {} on average, since its sums have 32 bits", 1_u32 << 31))
                .suggest("Hunt in a part of the spectrum, or in fewer events.")
                .data());
        }
        let tables: Vec<Result<PoissonTable>> = channel.means.par_iter().map(|mean| PoissonTable::new(*mean)).collect();
        for table in tables {
            let table = table?;
            let first = self.threshold.len();
            self.threshold.extend(table.thresholds());
            if self.threshold.len() >= 1 << 31 {
                let fault = Fault::new(ScanToys::NAME, "the tables of the cells have more than 2^31 entries");
                return Err(fault.because("they are numbered in 32 bits").suggest("Hunt in fewer cells.").data());
            }
            self.cell.extend([first as u32, self.threshold.len() as u32, table.first()]);
        }
        Ok(())
    }

    fn finish(self, channels: &[Channel], combination: Combination) -> Result<Input<Host>> {
        let (mut start, mut end, mut sideband_start, mut sideband_end) = (vec![], vec![], vec![], vec![]);
        let (mut expected, mut expected_outside, mut low, mut high) = (vec![], vec![], vec![], vec![]);
        let (mut set, mut first_cell) = (vec![0_u32], 0_u32);
        for channel in channels {
            let kept = channel.expected.kept();
            let shapes = channel.windows.shapes(kept);
            start.extend(shapes.start.iter().map(|cell| first_cell + cell));
            end.extend(shapes.end.iter().map(|cell| first_cell + cell));
            sideband_start.extend(channel.expected.sidebands().iter().map(|cells| first_cell + cells.start));
            sideband_end.extend(channel.expected.sidebands().iter().map(|cells| first_cell + cells.end));
            expected.extend(channel.expected.kept_values());
            expected_outside.extend(channel.expected.outside());
            let bounds = kept.iter().map(|window| channel.windows.bounds(*window));
            for (from, to) in bounds {
                low.push(from);
                high.push(to);
            }
            if combination == Combination::BestOverlapping || set.len() == 1 {
                set.push(start.len() as u32);
            }
            first_cell += channel.means.len() as u32;
        }
        if start.len() >= 1 << 31 {
            let fault = Fault::new(ScanToys::NAME, format!("{} windows are too many", start.len()));
            return Err(fault.because("they are numbered in 31 bits").usage());
        }
        let level_ln_p: Vec<f64> = (1..=LEVELS).map(|level| special::ln_normal_survival(level_z(level))).collect();
        Ok(Input {
            cell: self.cell.into(),
            threshold: self.threshold.into(),
            start: start.into(),
            end: end.into(),
            sideband_start: sideband_start.into(),
            sideband_end: sideband_end.into(),
            expected: expected.into(),
            expected_outside: expected_outside.into(),
            low: low.into(),
            high: high.into(),
            set: set.into(),
            level_ln_p: level_ln_p.into(),
        })
    }
}
