//! `plane/1`: pairs (m_Y, m_X) of a density in closed form, for tests of statistics alone.
//!
//! With t = ln(m_Y / 1100 GeV) >= 0 and s = ln(m_X / (150 GeV m_Y / 1300 GeV)), the background's density in (t, s) is
//!
//! (2.6 + 0.8 t) exp(-2.6 t - 0.4 t^2) * exp(-s^2 / 0.72) / (0.6 sqrt(2 pi) F),   s < ln(1300 / 150) = 2.1595,
//!
//! the spectrum and the log-normal of `dijet/1` without its phase space; F = Phi(2.1595 / 0.6) = 0.99984 is the share with
//! m_X < m_Y, to which s is cut, so m_Y and s are independent. A [`Resonance`] adds exactly its number of events, evenly
//! spread, with normal masses (cut at 4 widths).

use std::ops::Range;

use serde::Serialize;

use super::draws::{Draws, Stream};
use super::kinematics::falling;
use super::record::Record;
use super::{Generator, Resonance, check_numbers, is_chosen, usage};
use crate::error::{Problems, Result};
use crate::events::{EventBatch, Projection};
use crate::math::det::exp;

/// The name of this generator and its version. It is frozen: a change of any event is a new version.
pub const PLANE_1: &str = "plane/1";

const THRESHOLD_GEV: f64 = 1100.0;
const SLOPE: f64 = 2.6;
const CURVATURE: f64 = 0.4;
/// The median of m_X relative to m_Y: 150 / 1300.
const MEDIAN_SHARE: f64 = 0.11538461538461539;
const LN_WIDTH: f64 = 0.6;
const LARGEST_DEVIATE: f64 = 4.0;

/// A sample of points in the plane (m_Y, m_X).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlaneSample {
    /// Samples of different seeds are independent.
    pub seed: u64,
    /// How many points there are, resonant ones included.
    pub events: u64,
    /// The number of the first event; samples of one seed whose numbers do not overlap are independent.
    pub first_event: u64,
    /// What is injected.
    pub resonance: Option<Resonance>,
    /// The weight of every point.
    pub weight: f32,
}

impl Default for PlaneSample {
    /// 200,000 background points of weight 1.
    fn default() -> Self {
        Self { seed: 1, events: 200_000, first_event: 0, resonance: None, weight: 1.0 }
    }
}

impl PlaneSample {
    fn point(&self, row: u64) -> ([f64; 2], bool) {
        let mut draws = Draws::new(self.seed, Stream::Plane1, self.first_event.wrapping_add(row));
        match &self.resonance {
            Some(resonance) if is_chosen(row, resonance.events, self.events) => (resonant(&mut draws, resonance), true),
            _ => (background(&mut draws), false),
        }
    }
}

fn background(draws: &mut Draws) -> [f64; 2] {
    let t = falling(draws.fine(), 0.0, SLOPE, CURVATURE);
    let mass_y = THRESHOLD_GEV * exp(t);
    // One in 6,000 deviates is refused; the loop ends at once but for one event in 10^38.
    let share = (0..10).map(|_| MEDIAN_SHARE * exp(LN_WIDTH * draws.normal())).find(|share| *share < 1.0);
    [mass_y, mass_y * share.unwrap_or(MEDIAN_SHARE)]
}

fn resonant(draws: &mut Draws, resonance: &Resonance) -> [f64; 2] {
    let [y, x] = draws.normals().map(|deviate| deviate.clamp(-LARGEST_DEVIATE, LARGEST_DEVIATE));
    [resonance.mass_y_gev * (1.0 + resonance.width_y * y), resonance.mass_x_gev * (1.0 + resonance.width_x * x)]
}

impl Generator for PlaneSample {
    fn version(&self) -> &'static str {
        PLANE_1
    }

    /// Scalars `m_Y`, `m_X` (GeV), `weight`, `truth_signal` (0 or 1).
    fn projection(&self) -> Projection {
        let scalars = ["m_Y", "m_X", "weight", "truth_signal"].map(String::from).to_vec();
        Projection { scalars, ..Projection::default() }
    }

    fn events(&self) -> u64 {
        self.events
    }

    fn settings(&self) -> String {
        super::as_json(self)
    }

    fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String| problems.push(usage(problem));
        let chosen = self.resonance.map_or(0, |resonance| resonance.events);
        check_numbers(self.first_event, self.events, chosen, self.weight, &mut refuse);
        if let Some(resonance) = &self.resonance {
            for (name, width) in [("Y", resonance.width_y), ("X", resonance.width_x)] {
                if !(0.0..=0.2).contains(&width) {
                    refuse(format!("the relative width of {name} is {width}, not from 0 to 0.2"));
                }
            }
            let (mass_y, mass_x) = (resonance.mass_y_gev, resonance.mass_x_gev);
            if !(mass_x > 0.0 && mass_y.is_finite() && mass_x < mass_y) {
                refuse(format!("Y of {mass_y} GeV does not decay to X of {mass_x} GeV"));
            }
        }
        problems.finish()
    }

    fn columns(&self, rows: Range<u64>) -> EventBatch {
        let mut record = Record::new(&self.projection(), rows.end.saturating_sub(rows.start) as usize);
        for row in rows.clone() {
            let ([mass_y, mass_x], signal) = self.point(row);
            record.end_event([mass_y as f32, mass_x as f32, self.weight, f32::from(u8::from(signal))]);
        }
        record.finish(rows, self.first_event)
    }
}
