//! The global p-value that is the answer: of the toys, or of the rare tail where that resolves what they do not.

use serde_json::{Map, Value, json};

use super::figures::{deviations, p_value};
use super::rare::{RareTail, Role};
use crate::math::det;
use crate::report::number;
use crate::toys::{Deviations, GlobalSignificance};

/// The answer, wherever it is from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    /// Whether it is of the rare tail.
    pub(super) from_tail: bool,
    /// The p-value; 0 where no toy exceeds or it is too small for an `f64`.
    pub(super) p: f64,
    /// Its logarithm; minus infinity where no toy exceeds.
    pub(super) ln_p: f64,
    /// Its 68 % interval.
    pub(super) interval: (f64, f64),
    /// The p-value in standard deviations.
    pub(super) z: Deviations,
    /// The p-value with its error, rich.
    pub(super) p_value: String,
    /// As many independent windows would give it.
    pub(super) effective_trials: Option<f64>,
}

impl Answered {
    /// The answer of toys, and of a rare tail that may be the answer.
    pub(super) fn of(significance: &GlobalSignificance, rare: Option<&RareTail>) -> Self {
        match rare.filter(|rare| rare.role == Role::Answer) {
            None => Self {
                from_tail: false,
                p: significance.p,
                ln_p: det::ln(significance.p),
                interval: significance.interval,
                z: significance.z,
                p_value: p_value(significance),
                effective_trials: significance.effective_trials,
            },
            Some(rare) => {
                let p = det::exp(rare.ln_p);
                let of_p = |factor: f64| (p * factor).clamp(0.0, 1.0);
                Self {
                    from_tail: true,
                    p,
                    ln_p: rare.ln_p,
                    interval: (of_p(1.0 - rare.relative_error), of_p(1.0 + rare.relative_error)),
                    z: rare.z,
                    p_value: format!(
                        "{} ± {} %",
                        number::probability(rare.ln_p),
                        number::significant(100.0 * rare.relative_error, 2)
                    ),
                    effective_trials: rare.effective_trials,
                }
            }
        }
    }

    /// What estimated it, as the manifest says it.
    pub(super) fn source(&self) -> &'static str {
        if self.from_tail { "rare tail" } else { "toys" }
    }

    /// The standard deviations in words, rich.
    pub(super) fn significance(&self) -> String {
        deviations(self.z)
    }

    /// The p-value as a legend has room for it: of a rare tail without its error, which [`Answered::note`] has.
    pub(super) fn legend(&self) -> String {
        if self.from_tail { number::probability(self.ln_p) } else { self.p_value.clone() }
    }

    /// What a legend says of a p-value that is not of the toys shown.
    pub(super) fn note(&self) -> Option<String> {
        let error = self.p_value.split_once('±').map_or("", |(_, error)| error.trim());
        self.from_tail.then(|| format!("from the rare tail, ± {error}"))
    }

    /// Where the answer is from and how well it is known, as a sentence of a caption; none where it is of the toys shown.
    pub(super) fn caption(&self) -> Option<String> {
        let low_high = [self.interval.0, self.interval.1].map(|p| number::probability(det::ln(p)));
        // Ends that are too small for an f64 are no interval: the relative error stands with the p-value.
        let interval = match self.interval.0 > 0.0 {
            true => format!(", 68 % interval {} to {}", low_high[0], low_high[1]),
            false => String::new(),
        };
        let (p, z) = (&self.p_value, self.significance());
        self.from_tail.then(|| format!("The answer is that of the rare tail: *p* = {p}{interval}, {z}."))
    }

    /// The numbers of the answer, and beside them those of the toys, for the manifest.
    pub(super) fn record(&self, significance: &GlobalSignificance) -> Map<String, Value> {
        let (kind, z, error) = parts(self.z);
        let (toys_kind, toys_z, toys_error) = parts(significance.z);
        let numbers = json!({
            "answer_from": self.source(),
            "global_p": self.p,
            "global_ln_p": self.ln_p,
            "global_p_interval_68": [self.interval.0, self.interval.1],
            "global_significance": z,
            "global_significance_is": kind,
            "global_significance_error": error,
            "effective_trials": self.effective_trials,
            "toys": significance.toys,
            "toys_exceeding": significance.exceed,
            "toys_global_p": significance.p,
            "toys_global_p_interval_68": [significance.interval.0, significance.interval.1],
            "toys_global_significance": toys_z,
            "toys_global_significance_is": toys_kind,
            "toys_global_significance_error": toys_error,
        });
        match numbers {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}

/// What standard deviations are, how many, and their error.
fn parts(z: Deviations) -> (&'static str, f64, Option<f64>) {
    match z {
        Deviations::Measured { z, error } => ("measured", z, Some(error)),
        Deviations::Above(z) => ("above", z, None),
        Deviations::Below(z) => ("below", z, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toys::{Stopped, Tally};

    fn significance(exceed: u64) -> GlobalSignificance {
        GlobalSignificance::new(&Tally::all(1, 0..1000, exceed), -20.0, 7).unwrap()
    }

    fn rare(ln_p: f64, role: Role) -> RareTail {
        RareTail {
            role,
            operation: "toys.tail",
            ln_p,
            relative_error: 0.01,
            z: Deviations::of_tail(ln_p, 0.01, 4000),
            toys: 4000,
            stopped: Stopped::Accuracy { wanted: 0.02, reached: 0.01 },
            effective_toys: 3000.0,
            sum_of_local: 1e-7,
            effective_trials: Some(5.0),
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_answer_and_the_toys_keep_theirs() {
        let toys = significance(0);
        let answered = Answered::of(&toys, Some(&rare(-18.0, Role::Answer)));
        let record = answered.record(&toys);
        let number = |key: &str| record[key].as_f64().unwrap();
        assert!((number("global_p") / (-18.0_f64).exp() - 1.0).abs() < 1e-12, "{record:?}");
        assert!(number("global_significance") > 5.0 && record["global_significance_is"] == "measured", "{record:?}");
        assert!((number("toys_global_p"), record["toys_global_significance_is"].as_str()) == (0.0, Some("above")));
        assert_eq!(
            (answered.legend().as_str(), answered.note().as_deref()),
            ("1.52 × 10^{-8}", Some("from the rare tail, ± 1.0 %"))
        );
        assert!(answered.caption().unwrap().contains("68 % interval 1.51 × 10^{-8} to 1.54 × 10^{-8}"), "{answered:?}");
        let beside = Answered::of(&significance(50), Some(&rare(-3.0, Role::Beside)));
        assert!(!beside.from_tail && beside.p == 0.05 && beside.caption().is_none(), "{beside:?}");
        // Too small for an f64: the logarithm is there.
        let tiny = Answered::of(&toys, Some(&rare(-9000.0, Role::Answer)));
        assert!(tiny.p == 0.0 && tiny.caption().unwrap().contains("× 10^{-3909} ± 1.0 %, 13"), "{tiny:?}");
    }
}
