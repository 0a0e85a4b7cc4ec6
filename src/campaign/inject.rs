//! `trawl inject`: how much signal the hunt of a card needs.

use std::fmt;

use super::channels;
use super::progress::Progress;
use super::rare;
use super::request::RunRequest;
use crate::card::{Card, ChannelsWork, Work};
use crate::error::{Fault, Problems, Result};
use crate::math::{det, special};
use crate::report::number;
use crate::spectrum::Expectation;
use crate::spectrum::binned::BinnedSpectrum;
use crate::toys::{
    Background, Channels, Deviations, Exceedance, Experiment, InjectionOutcome, MOST_TOYS, Stop, Stopping,
};

const NAME: &str = "campaign.inject";

/// What an injection gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Injected {
    /// The card's name.
    pub name: String,
    /// The wanted significance.
    pub wanted: f64,
    /// The steps.
    pub outcome: InjectionOutcome,
}

/// Injects the signal columns of a card's binned spectra in the steps of its `[inject]`.
///
/// # Errors
/// Every problem of the card; a card of events; tables without a signal; what [`crate::toys::Injection::run`] finds.
pub fn inject(request: &RunRequest, progress: &Progress) -> Result<Injected> {
    let card = Card::read(&request.card, &request.settings)?;
    let device = request.choose_device()?;
    let combined = matches!(card.work, Work::Channels(_));
    let work: ChannelsWork = match card.work {
        Work::Binned(work) if work.toys.uncertainty.is_some() => {
            let fault = Fault::new(NAME, format!("'{}' has [toys.uncertainty]", request.card.display()));
            let fault = fault.because("the toys that judge an injected signal have a fixed expectation");
            return Err(fault.suggest("Inject with a card that leaves that table out.").usage());
        }
        Work::Binned(work) if work.windows.row_widths != [1] => {
            let fault = Fault::new(NAME, format!("'{}' has windows over several rows", request.card.display()));
            let fault = fault.because("the toys that judge an injected signal scan single rows");
            return Err(fault.suggest("Inject with a card that leaves hunt.row_widths out.").usage());
        }
        Work::Binned(work) => work.as_channels(),
        Work::Channels(work) => *work,
        Work::Events(_) => {
            let fault = Fault::new(NAME, format!("'{}' fills its spectra from events", request.card.display()));
            let fault = fault.because("a signal is injected into spectra in bins");
            return Err(fault.suggest("Give [input] with the columns expected and signal.").usage());
        }
    };
    let mut problems = Problems::default();
    for (name, _) in work.inputs.iter().filter(|(_, input)| input.signal.is_none()) {
        let fault = Fault::new(NAME, format!("the table of '{name}' has no signal"));
        problems.push(fault.because("nothing would be injected").suggest("Name its column: signal = \"...\".").usage());
    }
    problems.finish()?;
    let (tables, channels) = channels::load(&work)?;
    // An accuracy is one of an observation's p-value; here there is none.
    let events = tables.iter().flat_map(|table| &table.observed).sum();
    let (Stopping::After(toys) | Stopping::Accurate { minimum: toys, .. }) = work.toys.goal.resolve(events)?;
    let rare = match rare::impossible(work.scan, combined) {
        None => Some(experiment(&work, &tables, &channels)?),
        Some(_) => None,
    };
    if rare.is_none() {
        warn_of_few(toys, work.injection.significance);
    }
    let signal: Vec<Vec<f64>> = tables.into_iter().map(|table| table.signal.unwrap_or_default()).collect();
    let stage = progress.stage("inject", "toys", Some(toys));
    let background = Background { seed: card.seed, toys, rare: rare.as_ref() };
    let outcome = work.injection.run_against(&device, &channels, &signal, background, &|done| {
        stage.add(done - stage.done());
        progress.interrupted()
    })?;
    stage.finish();
    Ok(Injected { name: card.name, wanted: work.injection.significance, outcome })
}

/// The only channel as an experiment of its own. Data sets tie as in the toys by the limit that they are compared with.
fn experiment(work: &ChannelsWork, tables: &[BinnedSpectrum], channels: &Channels) -> Result<Experiment> {
    let uncertainty = tables.first().and_then(|table| table.uncertainty.clone());
    let expectation = Expectation::given(channels.cells(0).to_vec(), uncertainty)?;
    let windows = channels.windows(0).clone();
    Experiment::new(windows, &expectation, work.minimum_effective_count, work.scan, Exceedance::AtLeast)
}

/// Warns where so few toys reach the wanted significance that the injection will end before it, with a number that would do.
fn warn_of_few(toys: u64, wanted: f64) {
    /// As many toys must reach it.
    const FEW: f64 = 10.0;
    let needed = FEW / special::normal_survival(wanted);
    if toys as f64 >= needed {
        return;
    }
    let reached = special::significance(det::ln((FEW / toys as f64).min(0.5)));
    let do_this = match needed <= MOST_TOYS as f64 {
        true => format!("toys.number={} would do", (needed / 1000.0).ceil() * 1000.0),
        false => "no number of toys does; ask for a lower inject.significance".into(),
    };
    tracing::warn!(
        "{toys} toys tell global significances up to {reached:.1} sigma, and {wanted} are wanted of a hunt without a rare tail; {do_this}"
    );
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let toys = number::count(self.outcome.toys);
        writeln!(
            f,
            "Signal injection of {}: global significance of the median data set, and of 16 % and 84 % of them",
            self.name
        )?;
        writeln!(
            f,
            "{:>10}  {:>12}  {:>8}  {:>8}  {:>8}  {:>14}",
            "strength", "events", "median", "16 %", "84 %", "toys above"
        )?;
        for step in &self.outcome.steps {
            writeln!(
                f,
                "{:>10}  {:>12}  {:>8}  {:>8}  {:>8}  {:>14}",
                number::significant(step.strength, 4),
                number::significant(step.events, 5),
                sigma(step.significance),
                sigma(step.low),
                sigma(step.high),
                match step.from_tail {
                    true => "rare tail".into(),
                    false => format!("{} of {toys}", number::count(step.exceed)),
                }
            )?;
        }
        let last = self.outcome.steps.last().map_or(0.0, |step| step.events);
        let events = number::significant(last, 5);
        match self.outcome.stop {
            Stop::Reached => write!(f, "{} sigma are reached with {events} signal events.", self.wanted),
            Stop::ToysExhausted => write!(
                f,
                "With {events} signal events hardly a toy is as significant: raise toys.number to see up to {} sigma.",
                self.wanted
            ),
            Stop::MostSteps => {
                write!(f, "{} sigma are not reached in {} steps.", self.wanted, self.outcome.steps.len())
            }
        }
    }
}

fn sigma(z: Deviations) -> String {
    match z {
        Deviations::Measured { z, .. } => format!("{z:.2}"),
        // Of one toy.
        Deviations::Above(z) | Deviations::Below(z) if !z.is_finite() => "?".into(),
        Deviations::Above(z) => format!("> {z:.2}"),
        Deviations::Below(z) => format!("< {z:.2}"),
    }
}
