//! Efficiencies at every different score, and what is read off them.

use super::events::{self, Sums};
use super::step::{Efficiency, Sic, Step};
use super::{Measured, SAME, Scored, check_wanted};
use crate::error::Result;

/// Efficiencies of both classes at every different score, thresholds falling.
#[derive(Debug, Clone, PartialEq)]
pub struct Roc {
    steps: Vec<Passing>,
    signal: Sums,
    background: Sums,
}

/// Sums over all events of a score and above.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Passing {
    threshold: f32,
    signal: Sums,
    background: Sums,
}

/// What a step adds to a class.
#[derive(Debug, Clone, Copy)]
struct Added {
    /// The weight of its events.
    weight: f64,
    /// The sum of their squares.
    squares: f64,
    /// The weight above it and half of its own.
    middle: f64,
}

impl Added {
    fn between(before: Sums, now: Sums) -> Self {
        Self {
            weight: now.weight - before.weight,
            squares: now.squares - before.squares,
            middle: 0.5 * (before.weight + now.weight),
        }
    }
}

/// A corner of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// FPR: across.
    pub background: f64,
    /// TPR: up.
    pub signal: f64,
}

impl Roc {
    /// The curve of these scores. Sorts them: n log n comparisons.
    ///
    /// # Errors
    /// Those of [`Scored::check`].
    pub fn of(scored: &Scored) -> Result<Self> {
        scored.check()?;
        let events = events::falling(scored.scores, scored.weights, |row| scored.is_signal[row]);
        let (mut signal, mut background) = (Sums::default(), Sums::default());
        let mut steps = Vec::with_capacity(events::ties(&events).count());
        for tie in events::ties(&events) {
            for event in tie {
                if event.is_signal { &mut signal } else { &mut background }.add(event.weight);
            }
            steps.push(Passing { threshold: tie[0].score, signal, background });
        }
        Ok(Self { steps, signal, background })
    }

    /// What passes each different score, from the largest down; at the last both efficiencies are 1.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = Step> + '_ {
        self.steps.iter().map(|passing| self.step(passing))
    }

    /// The corners of the curve: (0, 0), where nothing passes, and one for each step, up to (1, 1).
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let point = |passing: &Passing| Point {
            background: passing.background.weight / self.background.weight,
            signal: passing.signal.weight / self.signal.weight,
        };
        std::iter::once(Point { background: 0.0, signal: 0.0 }).chain(self.steps.iter().map(point))
    }

    /// The area under the curve by trapezoids between its corners, which is the weighted Mann-Whitney probability that an event of
    /// signal has the larger score, where equal ones count half; and its error. Takes two passes over the steps.
    ///
    /// With the placements `V_i`, the share of background below event i of signal (`U_j`, the share of signal above event j of
    /// background), equal ones counted half, the variance is
    ///
    /// ```text
    /// n/(n - 1) sum of w_i^2 (V_i - AUC)^2 / (sum of w_i)^2  +  the same of U_j
    /// ```
    ///
    /// with the effective number `n = (sum of w)^2 / sum of w^2` of events of the class. For weights 1 this is the variance of DeLong,
    /// DeLong and Clarke-Pearson (1988) for one curve; with weights it is that of weighted means of the same placements. A class of
    /// fewer than two effective events has no spread to speak of: the largest that the mean allows, `AUC (1 - AUC)`, counts for it.
    /// Classes that do not overlap have the error 0, as a share of 0 has.
    pub fn auc(&self) -> Measured {
        let mut area = 0.0;
        self.for_each_tie(|signal, background| area += background.weight * signal.middle);
        let value = (area / (self.signal.weight * self.background.weight)).min(1.0);
        let (mut of_signal, mut of_background) = (0.0, 0.0);
        self.for_each_tie(|signal, background| {
            let below = 1.0 - background.middle / self.background.weight;
            let above = signal.middle / self.signal.weight;
            of_signal += signal.squares * (below - value) * (below - value);
            of_background += background.squares * (above - value) * (above - value);
        });
        let variance = |spread: f64, all: Sums| {
            let effective = all.effective();
            if effective >= 2.0 * (1.0 - SAME) {
                spread / (all.weight * all.weight) * (effective / (effective - 1.0))
            } else {
                value * (1.0 - value)
            }
        };
        let error = (variance(of_signal, self.signal) + variance(of_background, self.background)).sqrt();
        Measured { value, error }
    }

    /// The tightest threshold at which at least this share of signal passes; there always is one.
    ///
    /// Use [`Step::rejection`] and [`Step::sic`] for the rejection and the SIC there. Takes a binary search.
    ///
    /// # Errors
    /// A share that is not above 0 and at most 1.
    pub fn at_signal_efficiency(&self, wanted: f64) -> Result<Step> {
        check_wanted("wanted efficiency of signal", wanted, 1.0)?;
        let least = wanted * (1.0 - SAME);
        let place = self.steps.partition_point(|passing| passing.signal.weight / self.signal.weight < least);
        // The last step has all.
        Ok(self.step(&self.steps[place.min(self.steps.len() - 1)]))
    }

    /// The loosest threshold at which at most this share of background passes; none if more has the largest score. Takes a binary
    /// search.
    ///
    /// # Errors
    /// A share that is not above 0 and at most 1.
    pub fn at_background_efficiency(&self, wanted: f64) -> Result<Option<Step>> {
        check_wanted("wanted efficiency of background", wanted, 1.0)?;
        let most = wanted * (1.0 + SAME);
        let place = self.steps.partition_point(|passing| passing.background.weight / self.background.weight <= most);
        Ok(place.checked_sub(1).map(|last| self.step(&self.steps[last])))
    }

    /// The SIC of each step where background passes, thresholds falling.
    pub fn sic_curve(&self) -> impl Iterator<Item = Sic> + '_ {
        self.steps().filter_map(|step| step.sic())
    }

    /// The largest SIC of all thresholds at which the relative statistical error of the background that passes,
    /// `sqrt(sum of w^2) / sum of w`, is at most `statistics_cut` ([`STATISTICS_CUT`](super::STATISTICS_CUT) as published; infinity
    /// for no cut); of equal ones that of the largest threshold. None if no threshold has so much background.
    ///
    /// The error is that of a threshold chosen beforehand. Reads all steps.
    ///
    /// # Errors
    /// A cut that is not above 0.
    pub fn largest_sic(&self, statistics_cut: f64) -> Result<Option<Sic>> {
        check_wanted("statistics cut", statistics_cut, f64::INFINITY)?;
        let most = statistics_cut * (1.0 + SAME);
        let enough = |sic: &Sic| sic.step.background.relative_count_error().is_some_and(|error| error <= most);
        let larger = |best: Sic, sic: Sic| if sic.improvement.value > best.improvement.value { sic } else { best };
        Ok(self.sic_curve().filter(enough).reduce(larger))
    }

    /// Calls with what each step has more than the one before, of signal and of background, thresholds falling.
    fn for_each_tie(&self, mut call: impl FnMut(Added, Added)) {
        let (mut signal, mut background) = (Sums::default(), Sums::default());
        for passing in &self.steps {
            call(Added::between(signal, passing.signal), Added::between(background, passing.background));
            (signal, background) = (passing.signal, passing.background);
        }
    }

    fn step(&self, passing: &Passing) -> Step {
        Step {
            threshold: passing.threshold,
            signal: Efficiency::of(passing.signal, self.signal),
            background: Efficiency::of(passing.background, self.background),
        }
    }
}
