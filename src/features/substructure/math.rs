//! What every executor of `features.substructure` computes, in this order of operations.

use super::{Guard, Normalisation, Observable, RADIUS, Substructure};
use crate::math::det;
use crate::math::four::Four;

/// Rapidities are at most this: what flies along the beam has no pT, and a distance times it must still be 0.
const LARGEST_RAPIDITY: f64 = 1e5;

/// Distances that are no larger are rounding: azimuths have errors of 4e-16, and rapidities of forward particles more.
const LEAST_DISTANCE: f64 = 1e-12;

/// `dR^beta` from `dR^2`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Power {
    /// beta = 1.
    Root,
    /// beta = 2.
    Itself,
    /// Any other: the power beta / 2.
    Half(f64),
}

/// What the constituents of a jet sum up to, with transverse momenta as shares of their sum.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub number: u32,
    /// The distances of the last and last but one mergings of kt.
    pub splittings: [f64; 2],
    pub pt: f64,
    pub taus: [f64; 4],
    pub pairs: f64,
    pub triples: f64,
}

/// The observables of a jet, and which are defined.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    pub values: [f64; Observable::NUMBER],
    pub defined: u32,
}

/// A rapidity within bounds.
#[inline(always)]
pub(super) fn bounded(rapidity: f64) -> f64 {
    let below = if rapidity < LARGEST_RAPIDITY { rapidity } else { LARGEST_RAPIDITY };
    if below > -LARGEST_RAPIDITY { below } else { -LARGEST_RAPIDITY }
}

/// The sum of four lanes.
#[inline(always)]
pub(super) fn sum_of<V: Four>(lanes: V) -> f64 {
    let [a, b, c, d] = lanes.store();
    (a + b) + (c + d)
}

impl Power {
    pub fn of(beta: f64) -> Self {
        if beta == 1.0 {
            Self::Root
        } else if beta == 2.0 {
            Self::Itself
        } else {
            Self::Half(0.5 * beta)
        }
    }

    #[inline(always)]
    pub fn of_each<V: Four>(self, distances2: V) -> V {
        match self {
            Self::Root => distances2.square_root(),
            Self::Itself => distances2,
            Self::Half(half) => V::load(&distances2.store().map(|distance2| det::pow(distance2, half))),
        }
    }
}

/// What N-subjettiness is multiplied by if it is normalised.
pub(super) fn scale_of(normalisation: Normalisation, beta: f64) -> Option<f64> {
    match normalisation {
        Normalisation::Radius(radius) => Some(1.0 / det::pow(radius, beta)),
        Normalisation::Absent => None,
    }
}

/// The least that a ratio divides by, of shares of pT times `dR^beta`: below are constituents at one place, but for rounding.
pub(super) fn least_of(beta: f64) -> f64 {
    det::pow(LEAST_DISTANCE, beta)
}

impl Row {
    /// A value, or where it is not defined what stands for it.
    #[inline(always)]
    fn put(&mut self, observable: Observable, value: f64, is_defined: bool, otherwise: f64) {
        let holds = is_defined && det::is_finite(value);
        self.values[observable as usize] = if holds { value } else { otherwise };
        self.defined |= if holds { observable.bit() } else { 0 };
    }

    /// A guarded ratio.
    #[inline(always)]
    fn put_ratio(&mut self, observable: Observable, (over, under): (f64, f64), is_defined: bool, guard: Guard) {
        let holds = is_defined && under > 0.0 && det::is_finite(over / under);
        let value = match guard {
            Guard::Offset(offset) => over / (offset + under),
            Guard::Floor(floor) => {
                (if over > floor { over } else { floor }) / (if under > floor { under } else { floor })
            }
            Guard::Value(value) => {
                if holds {
                    over / under
                } else {
                    value
                }
            }
        };
        self.values[observable as usize] = if det::is_finite(value) { value } else { 0.0 };
        self.defined |= if holds && det::is_finite(value) { observable.bit() } else { 0 };
    }
}

/// The observables from the sums; what is not wanted has sums of 0 and stays undefined.
pub(super) fn row_of(substructure: &Substructure, sums: &Sums) -> Row {
    let mut row = Row::default();
    let (number, pt, guard) = (sums.number, sums.pt, substructure.guard);
    if substructure.splittings == super::Splittings::Computed {
        row.put(Observable::Split12, RADIUS * det::sqrt(sums.splittings[0]), number >= 2, 0.0);
        row.put(Observable::Split23, RADIUS * det::sqrt(sums.splittings[1]), number >= 3, 0.0);
    }
    if let Some(subjettiness) = substructure.subjettiness {
        let scale = scale_of(subjettiness.normalisation, subjettiness.beta).unwrap_or(pt);
        let has_pt = pt > 0.0;
        let taus = sums.taus.map(|tau| tau * scale);
        row.put(Observable::Tau1, taus[0], has_pt && number >= 1, 0.0);
        row.put(Observable::Tau2, taus[1], has_pt && number >= 2, 0.0);
        row.put(Observable::Tau3, taus[2], has_pt && number >= 3, 0.0);
        row.put(Observable::Tau4, taus[3], has_pt && number >= 4, 0.0);
        let [tau1, tau2, tau3] =
            [Observable::Tau1, Observable::Tau2, Observable::Tau3].map(|observable| row.values[observable as usize]);
        let least = least_of(subjettiness.beta);
        row.put_ratio(Observable::Tau21, (tau2, tau1), number >= 2 && sums.taus[0] > least, guard);
        row.put_ratio(Observable::Tau32, (tau3, tau2), number >= 3 && sums.taus[1] > least, guard);
    }
    if let Some(correlations) = substructure.correlations {
        let (pairs, triples) = (sums.pairs, sums.triples);
        let pt2 = pt * pt;
        let pairs2 = pairs * pairs;
        let pairs3 = pairs2 * pairs;
        let is_apart = number >= 3 && pairs > least_of(correlations.beta);
        let otherwise = if let Guard::Value(value) = guard { value } else { 0.0 };
        row.put(Observable::E1, pt, true, 0.0);
        row.put(Observable::E2, pt2 * pairs, number >= 2, 0.0);
        row.put(Observable::E3, (pt2 * pt) * triples, number >= 3, 0.0);
        // Powers of the sum of transverse momenta cancel.
        row.put(Observable::C2, triples / pairs2, is_apart && pairs2 > 0.0, otherwise);
        row.put(Observable::D2, triples / pairs3, is_apart && pairs3 > 0.0, otherwise);
    }
    row
}
