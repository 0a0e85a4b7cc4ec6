//! The rare tail in a search: toys that all exceed, where ordinary toys cannot resolve the answer or the card asks for it.

use serde_json::{Value, json};

use super::figures::deviations;
use super::manifest::StageRecord;
use super::progress::Progress;
use crate::Device;
use crate::error::Result;
use crate::hunt::Findings;
use crate::report::number;
use crate::toys::smeared_tail::WeightTally;
use crate::toys::{
    Deviations, Experiment, GlobalSignificance, Method, SmearedTail, SmearedTailEstimate, Smearing, Tail, TailEstimate,
    smeared,
};

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
    /// As many toys of equal weight would do as well.
    pub effective_toys: f64,
    /// The sum of the windows' own probabilities.
    pub sum_of_local: f64,
}

/// The part of an estimate in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the answer.
    Answer,
    /// It stands beside the answer.
    Beside,
}

/// The part of the tail in the answer, if it has one. Nothing is rare about an observation without an excess; and the
/// estimator takes windows that exceed from a count on: not deficits, and not expectations that sidebands scale.
pub(super) fn role(
    method: Method,
    experiment: &Experiment,
    significance: &GlobalSignificance,
    findings: &Findings,
) -> Option<Role> {
    if !experiment.judged_by().counts_decide() {
        if method != Method::BruteForce {
            tracing::warn!(
                "the rare tail is not estimated: it takes excesses over expectations that are not scaled by sidebands; toys answer"
            );
        }
        return None;
    }
    match (method, significance.is_resolved()) {
        _ if findings.z <= 0.0 => None,
        (Method::Tail, _) | (_, false) => Some(Role::Answer),
        (Method::Both, true) => Some(Role::Beside),
        (Method::BruteForce, true) => None,
    }
}

/// Estimates the rare tail beyond the observation, with toys of `seed`. Uncertain expectations are drawn on the CPU.
///
/// # Errors
/// What the estimators refuse, a failure of the device, an interruption.
pub(super) fn estimate(
    device: &Device,
    progress: &Progress,
    experiment: &Experiment,
    findings: &Findings,
    seed: u64,
    role: Role,
) -> Result<(RareTail, StageRecord)> {
    if let (Some(input), Some((uncertainty, _))) = (experiment.smeared_input(findings), experiment.uncertainty()) {
        return smeared(progress, &input, uncertainty.smearing(), seed, role);
    }
    let toys = Tail { seed, first_toy: 0, toys: Tail::USUAL_TOYS };
    let stage = progress.stage("tail", "toys", Some(toys.toys));
    let tally = experiment.tail(device, findings.ln_p, toys, &|tally| {
        stage.add(tally.toys() - stage.done());
        progress.interrupted()
    })?;
    let TailEstimate { ln_p, relative_error, z, toys, effective_toys, sum_of_local, .. } = TailEstimate::new(&tally)?;
    let operation = "toys.tail";
    Ok((RareTail { role, operation, ln_p, relative_error, z, toys, effective_toys, sum_of_local }, stage.finish()))
}

fn smeared(
    progress: &Progress,
    input: &smeared::Input<crate::device::Host>,
    smearing: Smearing,
    seed: u64,
    role: Role,
) -> Result<(RareTail, StageRecord)> {
    // Each part makes the proposals again, which takes as long as some hundred toys.
    const TOYS_A_PART: u64 = 8_000;
    const { assert!(SmearedTail::USUAL_TOYS.is_multiple_of(TOYS_A_PART)) };
    let stage = progress.stage("tail", "toys", Some(SmearedTail::USUAL_TOYS));
    let part = |number: u64| -> Result<WeightTally> {
        progress.interrupted()?;
        let tally = SmearedTail { seed, first_toy: number * TOYS_A_PART, toys: TOYS_A_PART, smearing }.tally(input)?;
        stage.add(TOYS_A_PART);
        Ok(tally)
    };
    let parts = SmearedTail::USUAL_TOYS / TOYS_A_PART;
    let all = (1..parts).try_fold(part(0)?, |sum, number| sum.merge(part(number)?))?;
    let SmearedTailEstimate { ln_p, relative_error, toys, effective_toys, sum_of_local, .. } =
        SmearedTailEstimate::new(&all)?;
    let z = Deviations::of_tail(ln_p, relative_error, toys);
    let operation = "toys.smeared_tail";
    Ok((RareTail { role, operation, ln_p, relative_error, z, toys, effective_toys, sum_of_local }, stage.finish()))
}

impl RareTail {
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
        json!({
            "operation": self.operation,
            "global_ln_p": self.ln_p,
            "relative_error": self.relative_error,
            "global_significance": z,
            "global_significance_error": error,
            "toys": self.toys,
            "effective_toys": self.effective_toys,
            "sum_of_local": self.sum_of_local,
        })
    }
}
