//! The rare tail in a search: toys that all exceed, where ordinary toys cannot resolve the answer or the card asks for it.

use serde_json::{Value, json};

use super::answer::plain;
use super::figures::deviations;
use super::manifest::StageRecord;
use super::progress::Progress;
use crate::Device;
use crate::error::Result;
use crate::hunt::{Direction, Findings, Normalisation, Scan};
use crate::report::number;
use crate::toys::tail::effective_trials;
use crate::toys::{
    Deviations, ExceedingToys, Experiment, GlobalSignificance, Method, SmearedTail, SmearedTailEstimate, Stopped, Tail,
    TailEstimate, TailTally, ToySettings, WeightTally,
};

/// The most events that a toy may have to add to a window, one by one: at 20 ns each, 2,000 toys take 4 s, after which a signal is
/// heard.
const MOST_ADDED: f64 = 1e5;

/// `toys.smeared_tail` leaves nuisances beyond 10 standard deviations out, with a probability of 1.5e-23: at a p-value of 1e-20 that
/// cannot be seen, at 1e-50 it is most of it.
const SMALLEST_LN_P_OF_UNCERTAIN: f64 = -46.0;

/// The estimate of the rare tail and its part in the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RareTail {
    /// Its part.
    pub role: Role,
    /// The operation that estimated it: `toys.tail`, or `toys.smeared_tail` where the expectation is uncertain.
    pub operation: &'static str,
    /// The logarithm of the global p-value.
    pub ln_p: f64,
    /// The standard error of the p-value over the p-value.
    pub relative_error: f64,
    /// The p-value in standard deviations.
    pub z: Deviations,
    /// The number of toys.
    pub toys: u64,
    /// Why there are no more.
    pub stopped: Stopped,
    /// As many toys of equal weight would do as well.
    pub effective_toys: f64,
    /// The sum of the windows' own probabilities.
    pub sum_of_local: f64,
    /// As many independent windows would have this global p-value with the local one of the observation.
    pub effective_trials: Option<f64>,
}

/// The part of an estimate in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the answer.
    Answer,
    /// It stands beside the answer.
    Beside,
}

/// Why no card with these settings has a rare tail, whatever is observed, of channels that are `combined` or of one spectrum or
/// plane; none where that depends on what is observed.
pub(super) fn impossible(scan: Scan, combined: bool) -> Option<&'static str> {
    if combined {
        return Some("a product of the *p*-values of several channels is no count that a window reaches");
    }
    match (scan.direction, scan.normalisation) {
        (Direction::Deficit, _) => Some("it takes windows that reach a count, and a deficit stays below one"),
        (_, Normalisation::Sidebands) => Some("it takes expectations that are fixed, and sidebands scale them"),
        (Direction::Excess, Normalisation::Fixed) => None,
    }
}

/// Whether a rare tail is asked for or needed.
pub(super) fn wanted(method: Method, significance: &GlobalSignificance) -> bool {
    method != Method::BruteForce || !significance.is_resolved()
}

/// The part of the tail in the answer, if it has one.
///
/// # Errors
/// Why it is not there, in words, where it is asked for or needed. Nothing is rare about an observation without an excess; and the
/// estimator takes windows that exceed from a count on: not deficits, and not expectations that sidebands scale.
pub(super) fn role(
    method: Method,
    experiment: &Experiment,
    significance: &GlobalSignificance,
    findings: &Findings,
) -> Result<Option<Role>, String> {
    if !wanted(method, significance) {
        return Ok(None);
    }
    if let Some(why) = impossible(experiment.judged_by(), false) {
        return Err(why.into());
    }
    let excess = findings.observed as f64 - findings.expected;
    if excess > MOST_ADDED {
        let events = number::significant(excess, 3);
        return Err(format!("each of its toys would add {events} events to a window"));
    }
    if findings.z <= 0.0 {
        return Err("no window holds more than is expected, and nothing is rare about that".into());
    }
    Ok(Some(match (method, significance.is_resolved()) {
        (Method::Both, true) => Role::Beside,
        _ => Role::Answer,
    }))
}

/// Says on the screen that a tail that was asked for, or would be the answer, is not there.
pub(super) fn warn_omitted(why: &str) {
    tracing::warn!("the rare tail is not estimated: {}; toys answer", plain(why));
}

/// Estimates the rare tail beyond the observation, with toys of `seed` until they are as accurate as `settings` ask for.
///
/// # Errors
/// What the estimators refuse, a failure of the device, an interruption.
pub(super) fn estimate(
    device: &Device,
    progress: &Progress,
    experiment: &Experiment,
    findings: &Findings,
    (settings, seed): (&ToySettings, u64),
    role: Role,
) -> Result<(RareTail, StageRecord)> {
    let uncertain = experiment.uncertainty().is_some();
    let stopping = settings.tail_stopping(if uncertain { SmearedTail::USUAL_ACCURACY } else { Tail::USUAL_ACCURACY });
    let stage = progress.stage("tail", "toys", Some(stopping.most()));
    let thrown = |toys: u64| {
        stage.add(toys - stage.done());
        progress.interrupted()
    };
    let toys = ExceedingToys { seed, first_toy: 0, stopping };
    let (operation, stopped, (ln_p, relative_error, toys, effective_toys, sum_of_local)) = if uncertain {
        let watch = &mut |tally: &WeightTally| thrown(tally.toys());
        let (tally, stopped) = experiment.smeared_tail_until(device, findings, toys, watch)?;
        let of = SmearedTailEstimate::new(&tally)?;
        let numbers = (of.ln_p, of.relative_error, of.toys, of.effective_toys, of.sum_of_local);
        ("toys.smeared_tail", stopped, numbers)
    } else {
        let watch = &mut |tally: &TailTally| thrown(tally.toys());
        let (tally, stopped) = experiment.tail_until(device, findings.ln_p, toys, watch)?;
        let of = TailEstimate::new(&tally)?;
        ("toys.tail", stopped, (of.ln_p, of.relative_error, of.toys, of.effective_toys, of.sum_of_local))
    };
    let z = Deviations::of_tail(ln_p, relative_error, toys);
    let effective_trials = effective_trials(ln_p, findings.ln_p);
    let rare = RareTail {
        role,
        operation,
        ln_p,
        relative_error,
        z,
        toys,
        stopped,
        effective_toys,
        sum_of_local,
        effective_trials,
    };
    rare.warn();
    Ok((rare, stage.finish()))
}

impl RareTail {
    /// Warns where the most toys were thrown before the accuracy was reached, and where nuisances that count are left out.
    fn warn(&self) {
        if self.operation == "toys.smeared_tail" && self.ln_p < SMALLEST_LN_P_OF_UNCERTAIN {
            tracing::warn!(
                "toys.smeared_tail: the p-value may be larger than {} (nuisances beyond 10 standard deviations are left out)",
                plain(&number::probability(self.ln_p))
            );
        }
        let Stopped::Maximum { wanted, .. } = self.stopped else { return };
        let percent = |relative: f64| plain(&number::significant(100.0 * relative, 2));
        tracing::warn!(
            "{}: {} toys give {} %, not {} % (that is toys.tail_maximum); raise it, or ask for less by toys.accuracy",
            self.operation,
            self.toys,
            percent(self.relative_error),
            percent(wanted)
        );
    }

    /// The estimate in words, rich.
    pub(super) fn words(&self) -> String {
        format!(
            "{}, known to {} %, {}, from {} toys that all exceed",
            number::probability(self.ln_p),
            number::significant(100.0 * self.relative_error, 2),
            deviations(self.z),
            number::count(self.toys)
        )
    }

    /// The numbers for the manifest.
    pub(super) fn record(&self) -> Value {
        let (z, error) = match self.z {
            Deviations::Measured { z, error } => (z, Some(error)),
            Deviations::Above(z) | Deviations::Below(z) => (z, None),
        };
        let (stopped, wanted) = match self.stopped {
            Stopped::Number => ("number", None),
            Stopped::Accuracy { wanted, .. } => ("accuracy", Some(wanted)),
            Stopped::Maximum { wanted, .. } => ("maximum", Some(wanted)),
        };
        json!({
            "operation": self.operation,
            "global_ln_p": self.ln_p,
            "relative_error": self.relative_error,
            "global_significance": z,
            "global_significance_error": error,
            "toys": self.toys,
            "stopped_by": stopped,
            "accuracy_wanted": wanted,
            "effective_toys": self.effective_toys,
            "sum_of_local": self.sum_of_local,
            "effective_trials": self.effective_trials,
        })
    }
}
