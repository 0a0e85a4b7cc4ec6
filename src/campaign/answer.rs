//! The short answer at the end of a run.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::answered::Answered;
use super::figures::{deviations, p_value};
use super::manifest::StageRecord;
use super::rare::{RareTail, Role};
use super::search::Searched;
use crate::hunt::{Direction, Findings, Normalisation};
use crate::report::{Answer, Fact, Verdict, number};
use crate::selection::CutflowTable;
use crate::toys::gross_vitells::REFERENCE_Z;
use crate::toys::{Deviations, Exceedance, Global, GrossVitells, NoScan, Statistic, Stopped, stopping};

/// How many events of each sample, by its name, were selected.
pub type SelectedEvents = Vec<(String, u64)>;

/// What a run found and where it wrote it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The card's name.
    pub name: String,
    /// The result of the search, if the card asked for one.
    pub found: Option<Found>,
    /// The selected events of each sample, with which a card that only selects and fills ends.
    pub selected: SelectedEvents,
    /// The cutflow of each sample.
    pub cutflows: Vec<(String, CutflowTable)>,
    /// The files that were left out, and why.
    pub skipped: Vec<String>,
    /// What else is to be known of the numbers.
    pub notes: Vec<Fact>,
    /// Wall time of each stage.
    pub stages: Vec<StageRecord>,
    /// The output folder.
    pub folder: PathBuf,
    /// The report in it.
    pub report: PathBuf,
}

/// The largest excess and what it is worth.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is, in words.
    pub place: String,
    /// What was hunted.
    pub direction: Direction,
    /// The observation and the toys.
    pub global: Global,
    /// The p-value that was maximised, in words.
    pub statistic: String,
    /// What smeared the expectation of the toys, in words.
    pub uncertainty: Option<String>,
    /// The estimate of the rare tail, where it was asked for or is needed.
    pub rare: Option<RareTail>,
    /// Why there is none, where it was asked for or is needed.
    pub rare_omitted: Option<String>,
    /// Whether the best windows of several channels share no place, so that together they count nothing.
    pub apart: bool,
    /// How many windows were tested.
    pub windows: usize,
    /// How many were left out.
    pub left_out: usize,
    /// The bump in the rows of a plane, whatever the column.
    pub bump: Option<Bump>,
    /// The estimate for scans along one line, or why there is none.
    pub gross_vitells: Result<GrossVitells, NoScan>,
}

/// The most significant window of a spectrum, by its local p-value.
#[derive(Debug, Clone)]
pub struct Bump {
    /// Where it is, in words.
    pub place: String,
    /// The local p-values.
    pub findings: Findings,
}

impl Searched {
    /// The answer: of the toys, or of the rare tail.
    pub(super) fn answered(&self) -> Answered {
        Answered::of(&self.global.significance, self.rare.as_ref())
    }
}

impl Found {
    /// What the largest bump along the rows of a plane is called: a deficit is none.
    fn along_rows(&self) -> &'static str {
        match self.direction {
            Direction::Excess => "Largest bump",
            Direction::Deficit => "Deficit along rows",
        }
    }

    /// What a search found.
    pub(super) fn of(searched: &Searched) -> Self {
        let expected = searched.experiment.expected();
        Self {
            place: searched.place.clone(),
            direction: searched.experiment.judged_by().direction,
            global: searched.global.clone(),
            statistic: searched.experiment.statistic(),
            uncertainty: searched.experiment.uncertainty().map(|_| searched.experiment.smearing()),
            rare: searched.rare.clone(),
            rare_omitted: searched.rare_omitted.as_deref().map(plain),
            apart: false,
            windows: expected.kept().len(),
            left_out: expected.left_out().len(),
            bump: None,
            gross_vitells: searched.gross_vitells,
        }
    }
}

/// Why there are no more toys, for the manifest.
pub(super) struct StoppedRecord {
    /// `number`, `accuracy` or `maximum`.
    pub(super) by: &'static str,
    /// The accuracy that was asked for.
    pub(super) wanted: Option<f64>,
    /// The accuracy that was reached.
    pub(super) reached: Option<f64>,
}

impl StoppedRecord {
    pub(super) fn of(global: &Global) -> Self {
        let (by, wanted, reached) = match global.stopped {
            Stopped::Number => ("number", None, stopping::relative_error(&global.tally)),
            Stopped::Accuracy { wanted, reached } => ("accuracy", Some(wanted), Some(reached)),
            Stopped::Maximum { wanted, reached } => ("maximum", Some(wanted), reached),
        };
        Self { by, wanted, reached }
    }
}

/// Why there are no more toys, in words.
pub(super) fn stopped_because(stopped: Stopped) -> String {
    let percent = |relative: f64| format!("{} %", number::significant(100.0 * relative, 3));
    match stopped {
        Stopped::Number => "the number asked for".into(),
        Stopped::Accuracy { wanted, reached } => {
            format!("accurate to {}, {} was asked for", percent(reached), percent(wanted))
        }
        Stopped::Maximum { wanted, reached } => {
            let reached =
                reached.map_or("no toy exceeds".into(), |reached| format!("accurate to {}", percent(reached)));
            format!("the most allowed, before the accuracy of {} was reached: {reached}", percent(wanted))
        }
    }
}

/// The answer of the report.
pub(super) fn report(searched: &Searched) -> Answer {
    let global = &searched.global;
    let (findings, significance) = (&global.findings, &global.significance);
    let expected = searched.experiment.expected();
    let answer = searched.answered();
    let (low, high) = significance.interval;
    let three = |value: f64| number::significant(value, 3);
    let count = |value: usize| number::count(value as u64);
    let mut facts = vec![
        Fact::new("Global *p*-value", p_value(significance)),
        Fact::new("68 % interval", format!("{} to {} (Clopper-Pearson)", three(low), three(high))),
        Fact::new(
            "Observed, expected",
            format!("{}, {}", number::count(findings.observed), number::significant(findings.expected, 5)),
        ),
        Fact::new("Local *p*-value", number::probability(findings.ln_p)),
        Fact::new("Local significance", format!("{:.2} σ", findings.z)),
        Fact::new(
            "Toys",
            format!(
                "{}, of which {} {} it",
                number::count(significance.toys),
                number::count(significance.exceed),
                match searched.experiment.exceedance() {
                    Exceedance::AtLeast => "reach",
                    Exceedance::Above => "pass",
                }
            ),
        ),
        Fact::new("Toys stopped at", stopped_because(global.stopped)),
        Fact::new(
            "Windows",
            format!("{} tested, {} left out", count(expected.kept().len()), count(expected.left_out().len())),
        ),
    ];
    facts.extend(bounds(searched).1);
    if let Some(trials) = answer.effective_trials {
        facts.push(Fact::new("Effective trials", three(trials)));
    }
    if let Some(rare) = &searched.rare {
        // The number that the headline is about comes first.
        facts[..2].iter_mut().for_each(|fact| fact.name.push_str(" of the toys"));
        let place = if rare.role == Role::Answer { 0 } else { 2 };
        facts.insert(place, Fact::new("Global *p*-value of the rare tail", rare.words()));
        facts.insert(place + 1, Fact::new("Toys of the rare tail stopped at", stopped_because(rare.stopped)));
    }
    if let Some(why) = &searched.rare_omitted {
        facts.push(Fact::new("Rare tail", format!("not estimated: {why}")));
    }
    facts.push(Fact::new("Background uncertainty of the toys", searched.experiment.smearing()));
    facts.push(Fact::new("Gross and Vitells", gross_vitells(&searched.gross_vitells)));
    if searched.unexpected_events > 0 {
        let events = number::count(searched.unexpected_events);
        facts.push(Fact::new("Unexpected events", format!("{events} in cells where nothing is expected")));
    }
    facts.push(Fact::new("Statistic", searched.experiment.statistic()));
    Answer {
        headline: format!(
            "Global significance {}: the largest {} is at {}",
            answer.significance(),
            searched.experiment.judged_by().direction,
            searched.place
        ),
        facts,
        verdict: Verdict::of(answer.z.value()),
    }
}

fn gross_vitells(estimate: &Result<GrossVitells, NoScan>) -> String {
    match estimate {
        Err(why) => why.to_string(),
        Ok(estimate) => format!(
            "{} ± {}, from {} upcrossings of {REFERENCE_Z} σ a toy",
            number::significant(estimate.p, 3),
            number::significant(estimate.error, 1),
            number::significant(estimate.upcrossings, 3)
        ),
    }
}

/// Which bounds without toys hold, and what is said of them: they take the expectation as exact.
fn bounds(searched: &Searched) -> (&'static str, Vec<Fact>) {
    let significance = &searched.global.significance;
    let [sidak, bonferroni] = [significance.sidak, significance.bonferroni].map(|bound| number::significant(bound, 3));
    if searched.experiment.judged_by().normalisation == Normalisation::Sidebands {
        let why = "none: what the sidebands scale fluctuates in each toy";
        return ("none", vec![Fact::new("Bounds without toys", why)]);
    }
    let (hold, sidak, bonferroni) = match searched.experiment.uncertainty() {
        None => (
            "both",
            format!("at most {sidak}, as windows are positively associated"),
            format!("at most {bonferroni}, whatever windows share"),
        ),
        Some((_, Statistic::Marginal)) => (
            "bonferroni",
            format!("{sidak} for independent windows; no bound, as their expectations vary together"),
            format!("at most {bonferroni}, whatever windows share"),
        ),
        Some((_, Statistic::Nominal)) => {
            let why = "no bound, as local p-values leave the uncertainty out";
            return ("none", vec![Fact::new("Bounds without toys", why)]);
        }
    };
    (hold, vec![Fact::new("Šidák", sidak), Fact::new("Bonferroni", bonferroni)])
}

/// The numbers of the answer for the manifest.
pub(super) fn manifest(searched: &Searched) -> Map<String, Value> {
    let (findings, significance) = (&searched.global.findings, &searched.global.significance);
    let stopped = StoppedRecord::of(&searched.global);
    let gross_vitells = match &searched.gross_vitells {
        Ok(estimate) => json!({
            "global_p": estimate.p,
            "global_p_error": estimate.error,
            "global_significance": estimate.z,
            "reference_level": REFERENCE_Z,
            "upcrossings": estimate.upcrossings,
            "upcrossings_error": estimate.upcrossings_error,
            "toys": estimate.toys,
        }),
        Err(why) => json!({ "omitted": why.to_string() }),
    };
    let numbers = json!({
        "place": searched.place,
        "window": findings.best.0,
        "observed": findings.observed,
        "expected": findings.expected,
        "local_ln_p": findings.ln_p,
        "local_significance": findings.z,
        "local_statistic": searched.experiment.statistic(),
        "background_uncertainty": searched.experiment.smearing(),
        "exceedance": searched.summary.exceedance,
        "stopped_by": stopped.by,
        "accuracy_wanted": stopped.wanted,
        "accuracy_reached": stopped.reached,
        "sidak": significance.sidak,
        "bonferroni": significance.bonferroni,
        "gross_vitells": gross_vitells,
        "rare_tail": match (&searched.rare, &searched.rare_omitted) {
            (Some(rare), _) => rare.record(),
            (None, Some(why)) => json!({ "omitted": plain(why) }),
            (None, None) => Value::Null,
        },
        "bounds_that_hold": bounds(searched).0,
        "windows": searched.experiment.expected().kept().len(),
        "windows_left_out": searched.experiment.expected().left_out().len(),
        "unexpected_events": searched.unexpected_events,
    });
    let mut record = searched.answered().record(significance);
    if let Value::Object(map) = numbers {
        record.extend(map);
    }
    record
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sample, table) in &self.cutflows {
            writeln!(f, "Cutflow of {sample}")?;
            table.to_string().lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        if let Some(found) = &self.found {
            let (findings, significance) = (&found.global.findings, &found.global.significance);
            let largest = format!("Largest {}", found.direction);
            if found.apart {
                writeln!(f, "{largest:<20} none: the best windows of the channels share no place, so t = 0")?;
                writeln!(f, "                     they are {}", found.place)?;
            } else if findings.z <= 0.0 {
                let side = match found.direction {
                    Direction::Excess => "more",
                    Direction::Deficit => "less",
                };
                writeln!(f, "{largest:<20} none: no window holds {side} than expected; the first one")?;
                writeln!(f, "                     is {}", found.place)?;
            } else {
                writeln!(f, "{largest:<20} {}", found.place)?;
            }
            if !found.apart {
                writeln!(
                    f,
                    "                     {} observed, {} expected, local p = {}, {:.2} sigma",
                    number::count(findings.observed),
                    expected(findings.expected),
                    plain(&number::probability(findings.ln_p)),
                    findings.z
                )?;
            }
            if let Some(bump) = &found.bump {
                let (p, z) = (plain(&number::probability(bump.findings.ln_p)), bump.findings.z);
                let name = found.along_rows();
                writeln!(f, "{name:<20} {}, local p = {p}, {z:.2} sigma", bump.place)?;
            }
            if let Some(uncertainty) = &found.uncertainty {
                writeln!(f, "Uncertainty          {uncertainty}")?;
                writeln!(f, "                     the toys are smeared; largest {}", found.statistic)?;
            }
            let answer = Answered::of(significance, found.rare.as_ref());
            let source = if answer.from_tail { ", of the rare tail" } else { "" };
            writeln!(f, "Global p-value       {}{source}", plain(&answer.p_value))?;
            writeln!(f, "Global significance  {}", plain(&answer.significance()))?;
            writeln!(
                f,
                "Toys                 {}, {} with at least this {}, over {} windows ({} left out)",
                number::count(significance.toys),
                number::count(significance.exceed),
                found.direction,
                number::count(found.windows as u64),
                number::count(found.left_out as u64)
            )?;
            if answer.from_tail {
                let (p, z) = (plain(&p_value(significance)), plain(&deviations(significance.z)));
                writeln!(
                    f,
                    "                     by themselves p {}, {z}",
                    if p.starts_with('<') { p } else { format!("= {p}") }
                )?;
            }
            if !matches!(found.global.stopped, Stopped::Number) {
                writeln!(f, "                     {}", plain(&stopped_because(found.global.stopped)))?;
            }
            if let Ok(estimate) = &found.gross_vitells {
                writeln!(f, "Gross and Vitells    {}", plain(&gross_vitells(&Ok(*estimate))))?;
            }
            if !significance.is_resolved()
                && !answer.from_tail
                && matches!(significance.z, Deviations::Above(_) | Deviations::Measured { .. })
            {
                writeln!(f, "                     Too few toys exceed for a precise answer; raise toys.number.")?;
            }
            if let Some(rare) = &found.rare {
                writeln!(f, "Rare tail            {}", plain(&rare.words()))?;
                writeln!(f, "                     {}", plain(&stopped_because(rare.stopped)))?;
                if rare.role == Role::Answer {
                    writeln!(f, "                     the answer")?;
                }
            }
            if let Some(why) = &found.rare_omitted {
                writeln!(f, "Rare tail            not estimated: {why}")?;
            }
        }
        for (sample, events) in &self.selected {
            writeln!(f, "Selected events      {} of {sample}", number::count(*events))?;
        }
        for skipped in &self.skipped {
            writeln!(f, "Skipped              {skipped}")?;
        }
        for Fact { name, value } in &self.notes {
            writeln!(f, "{name:<20} {value}")?;
        }
        let seconds: f64 = self.stages.iter().map(|stage| stage.seconds).sum();
        writeln!(f, "Time                 {}", plain(&number::seconds(seconds)))?;
        for stage in &self.stages {
            let rate = if stage.units > 0 && stage.seconds > 0.0 {
                format!(
                    "{} {}, {}/s",
                    number::count(stage.units),
                    stage.unit,
                    number::significant(stage.units_per_second, 3)
                )
            } else {
                String::new()
            };
            writeln!(f, "  {:<19}{:>8}  {}", stage.name, plain(&number::seconds(stage.seconds)), plain(&rate))?;
        }
        write!(f, "Report               {}", self.report.display())
    }
}

/// An expected count with at least five digits, and to a tenth of an event however large: an excess of one in a thousand
/// is to be seen beside the observed count.
fn expected(count: f64) -> String {
    if count < 1000.0 { plain(&number::significant(count, 5)) } else { plain(&number::fixed(count, 1)) }
}

/// Rich notation as plain text for a terminal: `1.2 × 10^{-4}` becomes `1.2e-4`.
pub(super) fn plain(rich: &str) -> String {
    rich.replace(" × 10^{", "e")
        .replace("^{", "^")
        .replace("_{", "_")
        .replace(['}', '*'], "")
        .replace('σ', "sigma")
        .replace('−', "-")
}
