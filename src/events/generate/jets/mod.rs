//! `dijet/1`: the dijet events of the demo, whose jets have no substructure: what the hunt finds in them is known beforehand.
//!
//! **Background.** With t = ln(m_JJ / 1100 GeV), the dijet mass has the survival function exp(-2.6 t - 0.4 t^2): close to
//! the x^-a (1 - x)^b of dijet fits, and inverted in closed form. The heavier jet's mass is log-normal around
//! 150 GeV (m_JJ / 1300 GeV) with the width 0.6, the lighter one's is 0.15 + 0.85 sqrt(u) of it (u uniform); the pair is
//! accepted with the probability (1 - s^2)^2, s = (m_1 + m_2) / m_JJ, and drawn again otherwise. The density of
//! (ln m_JJ, ln m_X) therefore is the exponential of a quadratic times slowly varying factors: a log-polynomial of low degree
//! describes it.
//!
//! **Resonance.** Y -> X H: the masses of Y, X and H (125 GeV, width 10 %) are normal, cut at 4 widths. Exactly the stated
//! number of events are resonant, spread evenly over the sample.
//!
//! **Kinematics.** The pair decays at rest with |cos theta*| < tanh(0.6) flat (|delta eta| < 1.2 for light jets), so pT > 500
//! GeV wherever m_JJ > 1.3 TeV and the jets are light; it is boosted along the beam by a rapidity from a triangle
//! on (-1, 1), and stays exactly back to back in azimuth and balanced in pT. Up to three softer jets follow, with
//! dN/dpT ~ pT^-2 from 30 GeV to the smaller of 400 GeV and half the leading pT, each below the one before.
//!
//! **Neglected.** Everything else: parton densities (nothing stops at the beam energy), showers, detectors, recoil.

mod event;

use std::ops::Range;

use serde::Serialize;

use super::{Generator, NAME};
use crate::error::{Fault, Problems, Result};
use crate::events::{Collection, CollectionProjection, EventBatch, EventColumns, EventIds, Projection};
use crate::math::philox::{Philox, Stage};
use event::{Jet, Source};

/// The name of this generator and its version. It is frozen: a change of any event is a new version.
pub const DIJET_1: &str = "dijet/1";
const EVENTS_PER_LUMINOSITY_BLOCK: u64 = 1000;

/// A resonance Y -> X H in a [`DijetSample`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resonance {
    /// How many of the sample's events are resonant.
    pub events: u64,
    /// The mean mass of Y: of the jet pair.
    pub mass_y_gev: f64,
    /// The mean mass of X: of one of the jets, the heavier one if above that of H (125 GeV).
    pub mass_x_gev: f64,
    /// The standard deviation of Y's mass, relative to its mean.
    pub width_y: f64,
    /// The standard deviation of X's mass, relative to its mean.
    pub width_x: f64,
}

impl Default for Resonance {
    /// 100 events of Y (3 TeV, 3 %) -> X (400 GeV, 5 %) H.
    fn default() -> Self {
        Self { events: 100, mass_y_gev: 3000.0, mass_x_gev: 400.0, width_y: 0.03, width_x: 0.05 }
    }
}

/// A sample of dijet events.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DijetSample {
    /// Samples of different seeds are independent.
    pub seed: u64,
    /// How many events there are, resonant ones included.
    pub events: u64,
    /// The number of the first event; samples of one seed whose numbers do not overlap are independent.
    pub first_event: u64,
    /// What is injected.
    pub resonance: Option<Resonance>,
    /// The weight of every event.
    pub weight: f32,
}

impl Default for DijetSample {
    /// 200,000 background events of weight 1.
    fn default() -> Self {
        Self { seed: 1, events: 200_000, first_event: 0, resonance: None, weight: 1.0 }
    }
}

impl DijetSample {
    /// The columns of generated batches: `FatJet` with `pt`, `eta`, `phi`, `mass` (GeV), and the scalar `weight`.
    pub fn projection() -> Projection {
        Projection {
            collections: vec![CollectionProjection::new("FatJet", ["pt", "eta", "phi", "mass"])],
            scalars: vec!["weight".into()],
            ..Projection::default()
        }
    }

    /// Whether the sample makes sense.
    ///
    /// # Errors
    /// More resonant events than events, masses or widths that no decay has, numbers beyond 2^64, all at once.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String| problems.push(Fault::new(NAME, problem).usage());
        if self.first_event.checked_add(self.events).is_none() {
            refuse(format!("{} events from number {} on exceed 64 bits", self.events, self.first_event));
        }
        if let Some(resonance) = &self.resonance {
            if resonance.events > self.events {
                refuse(format!("{} resonant events exceed the {} events", resonance.events, self.events));
            }
            for (name, width) in [("Y", resonance.width_y), ("X", resonance.width_x)] {
                if !(0.0..=0.2).contains(&width) {
                    refuse(format!("the relative width of {name} is {width}, not from 0 to 0.2"));
                }
            }
            let (mass_y, mass_x) = (resonance.mass_y_gev, resonance.mass_x_gev);
            // Four widths of 20 % leave a fifth of the mass of Y, and give 1.8 times that of X.
            if !(mass_x > 0.0 && mass_y.is_finite() && event::HIGGS_GEV + mass_x < mass_y) {
                refuse(format!("Y of {mass_y} GeV does not decay to X of {mass_x} GeV and H of 125 GeV"));
            }
        }
        problems.finish()
    }

    /// Whether the event of this row is resonant: `events` of the resonance evenly among those of the sample.
    fn is_resonant(&self, row: u64) -> bool {
        let Some(resonance) = &self.resonance else { return false };
        let until = |rows: u64| u128::from(rows) * u128::from(resonance.events) / u128::from(self.events.max(1));
        until(row + 1) > until(row)
    }
}

/// The events of `rows` (counted from 0 within the sample) in memory, with the columns of [`DijetSample::projection`] and
/// all ids: run 1, blocks of 1000 events, event numbers. Nothing is checked: see [`DijetSample::check`].
///
/// Cost: about half a microsecond an event on one core.
///
/// ```
/// use trawl::events::{DijetSample, generate_columns};
/// let batch = generate_columns(&DijetSample::default(), 10..30);
/// let jets = &batch.columns.collections[0];
/// assert_eq!((batch.columns.events, jets.offsets.len()), (20, 21));
/// assert_eq!(batch.id(0), (1, 1, 10));
/// ```
pub fn generate_columns(sample: &DijetSample, rows: Range<u64>) -> EventBatch {
    let random = Philox::new(sample.seed, Stage::Generate);
    let events = rows.end.saturating_sub(rows.start) as usize;
    let mut offsets: Vec<u32> = Vec::with_capacity(events + 1);
    offsets.push(0);
    // A little more than the mean of three jets an event.
    let mut quantities: [Vec<f32>; 4] = std::array::from_fn(|_| Vec::with_capacity(events * 13 / 4));
    for row in rows.clone() {
        let source = match &sample.resonance {
            Some(resonance) if sample.is_resonant(row) => Source::Resonance(resonance),
            _ => Source::Background,
        };
        event::generate(&random, sample.first_event.wrapping_add(row), source, |jet: Jet| {
            for (column, value) in quantities.iter_mut().zip([jet.pt, jet.eta, jet.phi, jet.mass]) {
                column.push(value);
            }
        });
        offsets.push(quantities[0].len() as u32);
    }
    let numbers = rows.clone().map(|row| sample.first_event.wrapping_add(row));
    let ids = EventIds {
        run: Some(vec![1; events]),
        luminosity_block: Some(
            numbers.clone().map(|number| (1 + number / EVENTS_PER_LUMINOSITY_BLOCK) as u32).collect(),
        ),
        event: Some(numbers.collect()),
    };
    let quantities = quantities.into_iter().map(Into::into).collect();
    let collections = vec![Collection { offsets: offsets.into(), quantities }];
    let columns = EventColumns { events, collections, scalars: vec![vec![sample.weight; events].into()] };
    EventBatch { columns, ids, file: 0, first_row: rows.start }
}

impl Generator for DijetSample {
    fn version(&self) -> &'static str {
        DIJET_1
    }

    fn projection(&self) -> Projection {
        Self::projection()
    }

    fn events(&self) -> u64 {
        self.events
    }

    fn check(&self) -> Result<()> {
        self.check()
    }

    fn columns(&self, rows: Range<u64>) -> EventBatch {
        generate_columns(self, rows)
    }

    fn settings(&self) -> String {
        super::as_json(self)
    }
}

#[cfg(test)]
mod tests;
