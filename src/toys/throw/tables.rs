//! The tables of the draws, built once on the host, so that a toy is integers only.
//!
//! A draw compares 64 random bits with the never falling thresholds of a distribution function
//! ([`crate::math::poisson`]); what is drawn is the number of thresholds that are passed. The first 16 bits, its word, mostly
//! decide: the *guide* of a draw has an entry for each value of a word's upper bits, `base << 16 | t`, where `base` thresholds lie
//! below and one, whose upper 16 bits are `t`, is compared with the word. Where a word equals `t`, or more than one threshold
//! begins with the same upper bits as the word ([`OPEN`](super::math::OPEN)), the thresholds are looked through, and where one
//! begins with the word all 64 bits are compared.

use rayon::prelude::*;

use super::layout::{Layout, Row};
use super::math::{self, GROUP};
use super::{Draws, NAME};
use crate::device::Host;
use crate::error::{Fault, Problems, Result};
use crate::math::poisson::{PoissonTable, share_thresholds};

/// A guide has at least 2^LEAST_BITS entries and at most 2^MOST_BITS.
const LEAST_BITS: u32 = 7;
const MOST_BITS: u32 = 12;

/// Draws of a row begin at a multiple of this, so that no two rows share a set of random words.
pub(super) const DRAWS_A_SET: usize = 8;

/// # Errors
/// Cells whose expectation is negative, not finite or too large, all at once; more cells than can be numbered.
pub(crate) fn check_expected(expected: &[f64]) -> Result<()> {
    let mut problems = Problems::default();
    for (cell, mean) in expected.iter().enumerate() {
        if !mean.is_finite() || *mean < 0.0 {
            let fault = Fault::new(NAME, format!("the expectation of cell {cell} is {mean}"));
            problems.push(fault.because("a Poisson mean is 0 or more, and finite").data());
        }
    }
    let total: f64 = expected.iter().sum();
    // Counts and their sums are 32 bits wide; at 2^31 expected a toy never comes near 2^32.
    if total >= f64::from(1_u32 << 31) {
        let most =
            expected.iter().copied().enumerate().fold((0, 0.0), |most, cell| if cell.1 > most.1 { cell } else { most });
        let problem = format!("{total} events are expected in all, {} of them in cell {}", most.1, most.0);
        let why = format!("a toy holds fewer than {} on average, since its sums have 32 bits", 1_u32 << 31);
        let fault = Fault::new(NAME, problem).because(why);
        problems.push(fault.suggest("Hunt in a part of the spectrum, or in fewer events.").data());
    }
    problems.finish()
}

/// The tables of a layout.
#[derive(Default)]
struct Tables {
    draw: Vec<u32>,
    row: Vec<u32>,
    member: Vec<u32>,
    guide: Vec<u32>,
    threshold: Vec<u64>,
}

/// Where the guide and the thresholds of a draw are.
struct Place {
    guide: u32,
    shift: u32,
    start: u32,
    number: u32,
}

impl Draws<Host> {
    /// The tables for the cells and rows of `layout`, whose expectations were checked.
    ///
    /// # Errors
    /// Tables that are too long to be numbered.
    pub(crate) fn new(layout: &Layout) -> Result<Self> {
        let poisson = |mean: &f64| PoissonTable::new(*mean);
        let singles: Vec<Result<PoissonTable>> = layout.means.par_iter().map(poisson).collect();
        let singles = singles.into_iter().collect::<Result<Vec<_>>>()?;
        let mut tables = Tables::default();
        for (number, row) in layout.rows.iter().enumerate() {
            tables.push_row(number, row, &layout.means, &singles)?;
        }
        let too_long =
            tables.threshold.len() >= 1 << 31 || tables.guide.len() >= 1 << 31 || layout.rows.len() >= 1 << 27;
        if too_long {
            let fault = Fault::new(NAME, "the tables of the cells have more than 2^31 entries");
            return Err(fault.because("they are numbered in 32 bits").suggest("Hunt in fewer cells.").data());
        }
        Ok(Self {
            cells: layout.means.len() as u32,
            draw: tables.draw.into(),
            row: tables.row.into(),
            member: tables.member.into(),
            guide: tables.guide.into(),
            threshold: tables.threshold.into(),
        })
    }
}

impl Tables {
    fn push_row(&mut self, number: usize, row: &Row, means: &[f64], singles: &[PoissonTable]) -> Result<()> {
        let first_draw = self.draws().next_multiple_of(DRAWS_A_SET);
        self.draw.resize(first_draw * math::WORDS_A_DRAW, 0);
        for cell in row.cells.clone().filter(|cell| !row.group.contains(cell)) {
            self.push_draw(&singles[cell as usize], cell);
        }
        let first_member = self.member.len();
        let mut shares = Place { guide: 0, shift: 0, start: 0, number: 0 };
        if !row.group.is_empty() {
            let members: Vec<f64> = row.group.iter().map(|cell| means[*cell as usize]).collect();
            self.push_draw(&PoissonTable::new(members.iter().sum())?, GROUP | number as u32);
            shares = self.push_thresholds(&share_thresholds(&members));
            self.member.extend(&row.group);
        }
        let draws = self.draws() - first_draw;
        let (cells, windows) = (&row.cells, &row.windows);
        self.row.extend([first_draw as u32, draws as u32, cells.start, cells.end - cells.start]);
        self.row.extend([shares.guide, shares.shift, shares.start, shares.number]);
        self.row.extend([first_member as u32, row.group.len() as u32, windows.start, windows.end]);
        Ok(())
    }

    fn draws(&self) -> usize {
        self.draw.len() / math::WORDS_A_DRAW
    }

    /// Adds the draw of a target. What is always 0 is not drawn.
    fn push_draw(&mut self, table: &PoissonTable, target: u32) {
        if table.thresholds().is_empty() {
            return;
        }
        let place = self.push_thresholds(table.thresholds());
        self.draw.extend([place.guide, place.shift, table.first(), target, place.start, place.number, 0, 0]);
    }

    fn push_thresholds(&mut self, thresholds: &[u64]) -> Place {
        let (guide, start) = (self.guide.len() as u32, self.threshold.len() as u32);
        let shift = guide_shift(thresholds);
        push_guide(&mut self.guide, thresholds, shift);
        self.threshold.extend(thresholds);
        Place { guide, shift, start, number: thresholds.len() as u32 }
    }
}

/// The 16 bits that a word is compared with.
fn upper(threshold: &u64) -> u32 {
    (threshold >> 48) as u32
}

/// The largest shift, and so the shortest guide, with which at most 1 % of all words have an open entry.
fn guide_shift(thresholds: &[u64]) -> u32 {
    let few_are_open = |shift: &u32| {
        // Thresholds are in order: those of an entry are neighbours.
        let entries = thresholds.chunk_by(|first, second| upper(first) >> shift == upper(second) >> shift);
        let open = entries.filter(|entry| entry.len() > 1).count();
        open * 100 <= 1 << (16 - shift)
    };
    (16 - MOST_BITS..=16 - LEAST_BITS).rev().find(few_are_open).unwrap_or(16 - MOST_BITS)
}

/// Appends the guide entries of all words.
fn push_guide(guide: &mut Vec<u32>, thresholds: &[u64], shift: u32) {
    let mut base = 0;
    for entry in 0..1_u32 << (16 - shift) {
        let (first, beyond) = (entry << shift, (entry + 1) << shift);
        let number = thresholds[base..].iter().take_while(|threshold| upper(threshold) < beyond).count();
        let below = base as u32;
        guide.push(match number {
            _ if below >= math::OPEN => math::OPEN << 16 | math::OPEN,
            // A number that no word here exceeds or equals; at the end, one that all exceed.
            0 if beyond <= 0xffff => below << 16 | beyond,
            0 if base > 0 => (below - 1) << 16 | (first - 1),
            1 => below << 16 | upper(&thresholds[base]),
            _ => math::OPEN << 16 | below,
        });
        base += number;
    }
}
