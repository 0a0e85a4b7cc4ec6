//! Signal injection: how much signal a hunt needs to reach a wanted significance.
//!
//! Background-only toys give the distribution of the test statistic once. Then a signal is added to the expectation in steps
//! of its strength; each step draws data sets, hunts in each of them, and asks what the median is worth globally. It ends at
//! the wanted significance, or where hardly any toy reaches the median: more toys would be needed to see further. Where a rare tail
//! can be estimated ([`Background::rare`]) it is worth that instead where fewer than 10 toys reach it.
//!
//! Data set `i` of step `s` is unit `2^32 s + i` of its own stage of random numbers, so a step does not depend on the others.
//! In a hunt for deficits the signal is taken away, from each cell at most what is expected there.
//!
//! Cost: the toys and data sets of [`toys.scan`](super::scan), 8 bytes a toy. Source: pyBumpHunter's signal injection; golden:
//! its test vector (`scripts/oracles/bump_hunter.py inject`).

use super::exceeding::{self, USUAL_MAXIMUM};
use super::{Channels, Deviations, ExceedingToys, Experiment, Tail, TailEstimate, Throw};
use crate::device::Device;
use crate::error::{Fault, Problems, Result};
use crate::hunt::Direction;
use crate::settings::Section;

const NAME: &str = "toys.inject";

/// Data sets of a step have this many numbers to themselves.
const DATA_SETS_A_STEP: u64 = 1 << 32;

/// The strengths that are tried, in units of the signal's own size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strengths {
    /// `first`, `first + step`, `first + 2 step`, ...
    Linear {
        /// The first strength.
        first: f64,
        /// From one strength to the next.
        step: f64,
    },
    /// `first`, `2 first`, ..., `10 first`, `20 first`, ..., `100 first`, `200 first`, ...
    Decades {
        /// The first strength.
        first: f64,
    },
}

impl Strengths {
    /// The strength of a step, counted from 0.
    pub fn of_step(self, step: u32) -> f64 {
        match self {
            Self::Linear { first, step: width } => first + f64::from(step) * width,
            Self::Decades { first } => {
                // Nine steps a decade: 1 to 9, 10 to 90 and so on.
                let decade = (0..step / 9).fold(1.0, |decade, _| 10.0 * decade);
                first * (f64::from(step % 9 + 1) * decade)
            }
        }
    }
}

/// How signal is injected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Injection {
    /// The expected number of signal events at strength 1; `None` is the sum of the signal's cells.
    pub signal_events: Option<f64>,
    /// The strengths.
    pub strengths: Strengths,
    /// The global significance at which it ends.
    pub significance: f64,
    /// Data sets of each strength.
    pub data_sets: u64,
    /// Steps after which it ends at the latest.
    pub most_steps: u32,
}

impl Default for Injection {
    /// Strengths 0.1, 0.2, ..., 1, 2, ... with 100 data sets each, up to 5 sigma.
    fn default() -> Self {
        let strengths = Strengths::Decades { first: 0.1 };
        Self { signal_events: None, strengths, significance: 5.0, data_sets: 100, most_steps: 36 }
    }
}

/// Without an excess of more events than this, the toys of a rare tail add few enough of them one by one.
const MOST_ADDED: f64 = 1e5;

/// What data sets are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Background<'a> {
    /// The seed of toys and data sets.
    pub seed: u64,
    /// The number of background-only toys.
    pub toys: u64,
    /// The only channel as an experiment of its own, whose rare tail says what fewer than 10 toys reach; `None` leaves it to the toys.
    pub rare: Option<&'a Experiment>,
}

/// What one strength gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InjectedStep {
    /// The strength.
    pub strength: f64,
    /// The expected number of signal events, summed over the channels; of deficits, of events taken away.
    pub events: f64,
    /// The median of `-ln p` of the data sets (`t`).
    pub median_t: f64,
    /// The number of toys at least as significant as the median data set.
    pub exceed: u64,
    /// Whether the global significance is that of the rare tail.
    pub from_tail: bool,
    /// The global significance of the median data set.
    pub significance: Deviations,
    /// That of the data set below which 16 % are.
    pub low: Deviations,
    /// That of the data set below which 84 % are.
    pub high: Deviations,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The median data set has the wanted significance.
    Reached,
    /// At most one toy is as significant as the median data set: a larger significance could not be told from it.
    ToysExhausted,
    /// The largest number of steps.
    MostSteps,
}

/// All strengths that were tried.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectionOutcome {
    /// In their order; there is at least one.
    pub steps: Vec<InjectedStep>,
    /// Why the last one is the last.
    pub stop: Stop,
    /// The number of background-only toys.
    pub toys: u64,
}

impl Injection {
    /// Reads `events`, `strengths` (`"decades"` or `"linear"`), `first`, `step`, `significance`, `data_sets` and `most_steps`.
    pub fn read(section: &Section) -> Self {
        let default = Self::default();
        let decades = section.choice("strengths", &[("decades", true), ("linear", false)], true);
        let first = section.or("first", 0.1);
        if decades && section.has("step") {
            section.problem("step", "decades have no step; say strengths = \"linear\", or leave it out");
        }
        let step = section.or("step", first);
        let read = Self {
            signal_events: section.optional("events"),
            strengths: if decades { Strengths::Decades { first } } else { Strengths::Linear { first, step } },
            significance: section.or("significance", default.significance),
            data_sets: section.or("data_sets", default.data_sets),
            most_steps: section.or("most_steps", default.most_steps),
        };
        section.check(read.check());
        read
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// Every one that cannot be honoured.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let mut positive = |what: &str, value: f64| {
            if !(value.is_finite() && value > 0.0) {
                let fault = Fault::new(NAME, format!("{what} is {value}"));
                problems.push(fault.because("it must be above 0, and finite").usage());
            }
        };
        positive("the number of signal events", self.signal_events.unwrap_or(1.0));
        positive("the wanted significance", self.significance);
        match self.strengths {
            Strengths::Decades { first } => positive("the first strength", first),
            Strengths::Linear { first, step } => {
                positive("the first strength", first);
                positive("the step", step);
            }
        }
        if self.data_sets == 0 || self.data_sets >= DATA_SETS_A_STEP {
            let fault = Fault::new(NAME, format!("{} data sets a step", self.data_sets));
            problems.push(fault.because("there must be 1 or more, and they are numbered in 32 bits").usage());
        }
        // Beyond this a strength is no double any more.
        if self.most_steps == 0 || self.most_steps > 1000 {
            let fault = Fault::new(NAME, format!("most_steps is {}", self.most_steps));
            problems.push(fault.because("it must be 1 to 1000").usage());
        }
        problems.finish()
    }

    /// Injects `signal` (expected events of each channel's cells, of any size) into the channels' expectation, with `toys`
    /// background-only toys of `seed`. `progress` is told the number of toys that are done.
    ///
    /// ```
    /// use trawl::device::Device;
    /// use trawl::hunt::{BumpHunter, Combination, Scan, Windows};
    /// use trawl::spectrum::Expectation;
    /// use trawl::toys::{Channels, Exceedance, Injection};
    /// let edges: Vec<f64> = (0..=10).map(f64::from).collect();
    /// let windows = Windows::spectrum(&edges, &[20.0; 10], &BumpHunter::default())?;
    /// let expectation = Expectation::given(vec![20.0; 10], None)?;
    /// let (scan, combination) = (Scan::default(), Combination::default());
    /// let channels = Channels::new(vec![(windows, expectation)], 0.0, scan, combination, Exceedance::AtLeast)?;
    /// let mut signal = vec![0.0; 10];
    /// signal[4] = 10.0;
    /// let injection = Injection { significance: 2.0, data_sets: 50, ..Injection::default() };
    /// let outcome = injection.run(&Device::Cpu, &channels, &[signal], 1, 2000, &|_| Ok(()))?;
    /// let last = outcome.steps.last().unwrap();
    /// assert!(last.events > 10.0 && last.significance.value() >= 2.0);
    /// # Ok::<(), trawl::Error>(())
    /// ```
    ///
    /// # Errors
    /// Numbers that cannot be honoured, a signal of other cells, negative or empty, expectations that cannot be thrown, a
    /// failure of the device, or what `progress` answers.
    pub fn run(
        &self,
        device: &Device,
        channels: &Channels,
        signal: &[Vec<f64>],
        seed: u64,
        toys: u64,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<InjectionOutcome> {
        self.run_against(device, channels, signal, Background { seed, toys, rare: None }, progress)
    }

    /// The same, with a rare tail where there is one.
    ///
    /// # Errors
    /// As [`Injection::run`] and [`Experiment::tail_until`].
    pub fn run_against(
        &self,
        device: &Device,
        channels: &Channels,
        signal: &[Vec<f64>],
        background: Background,
        progress: &dyn Fn(u64) -> Result<()>,
    ) -> Result<InjectionOutcome> {
        self.check()?;
        let Background { seed, toys, rare } = background;
        let total = check_signal(channels, signal)?;
        let scale = self.signal_events.unwrap_or(total) / total;
        let mut thrown = channels.values(device, Throw { seed, first_toy: 0, toys }, progress)?;
        thrown.sort_by(f64::total_cmp);
        let mut steps = Vec::new();
        for index in 0..self.most_steps {
            progress(toys)?;
            let strength = self.strengths.of_step(index);
            let (means, events) = injected(channels, signal, strength * scale);
            let first_toy = u64::from(index) * DATA_SETS_A_STEP;
            let data_sets = Throw { seed, first_toy, toys: self.data_sets };
            let mut values = channels.values_of(device, &means, data_sets)?;
            values.sort_by(f64::total_cmp);
            let rare = rare.filter(|_| events <= MOST_ADDED);
            let worth = Worth { device, channels, thrown: &thrown, seed, rare, progress };
            let step = worth.judge(&values, strength, events)?;
            steps.push(step);
            let stop = if step.significance.value() >= self.significance {
                Stop::Reached
            } else if step.exceed <= 1 && !step.from_tail {
                Stop::ToysExhausted
            } else {
                continue;
            };
            return Ok(InjectionOutcome { steps, stop, toys });
        }
        Ok(InjectionOutcome { steps, stop: Stop::MostSteps, toys })
    }
}

/// The sum of a signal that belongs to the channels.
fn check_signal(channels: &Channels, signal: &[Vec<f64>]) -> Result<f64> {
    let mut problems = Problems::default();
    if signal.len() != channels.len() {
        let fault = Fault::new(NAME, format!("a signal in {} channels for {}", signal.len(), channels.len()));
        problems.push(fault.because("each channel needs its own").data());
    }
    for (channel, cells) in signal.iter().enumerate().take(channels.len()) {
        let wanted = channels.cells(channel).len();
        if cells.len() != wanted {
            let fault = Fault::new(NAME, format!("a signal of {} cells in channel {channel} of {wanted}", cells.len()));
            problems.push(fault.because("they must be the same cells").data());
        }
        if let Some(cell) = cells.iter().position(|events| !events.is_finite() || *events < 0.0) {
            let fault = Fault::new(NAME, format!("the signal in cell {cell} of channel {channel} is {}", cells[cell]));
            problems.push(fault.because("it must be 0 or more, and finite").data());
        }
    }
    problems.finish()?;
    let total: f64 = signal.iter().flatten().sum();
    if total > 0.0 && total.is_finite() {
        return Ok(total);
    }
    Err(Fault::new(NAME, format!("the signal has {total} events")).because("nothing would be injected").data())
}

/// The means with the signal times `scale`, and the number of events that makes.
fn injected(channels: &Channels, signal: &[Vec<f64>], scale: f64) -> (Vec<Vec<f64>>, f64) {
    let mut events = 0.0;
    let mut cell = |expected: &f64, signal: &f64| match channels.judged_by().direction {
        Direction::Excess => {
            events += signal * scale;
            expected + signal * scale
        }
        Direction::Deficit => {
            let taken = (signal * scale).min(*expected);
            events += taken;
            expected - taken
        }
    };
    let mut channel = |index: usize| -> Vec<f64> {
        channels.cells(index).iter().zip(&signal[index]).map(|(expected, signal)| cell(expected, signal)).collect()
    };
    let means = (0..channels.len()).map(&mut channel).collect();
    (means, events)
}

/// What significances are made from.
struct Worth<'a> {
    device: &'a Device,
    channels: &'a Channels,
    /// The sorted values of the background-only toys.
    thrown: &'a [f64],
    seed: u64,
    rare: Option<&'a Experiment>,
    progress: &'a dyn Fn(u64) -> Result<()>,
}

impl Worth<'_> {
    /// What the data sets with these sorted values are worth among the background.
    fn judge(&self, values: &[f64], strength: f64, events: f64) -> Result<InjectedStep> {
        let median = quantile(values, 0.5);
        let (significance, from_tail) = self.of(median)?;
        Ok(InjectedStep {
            strength,
            events,
            median_t: -median,
            exceed: self.exceed(median),
            from_tail,
            significance,
            // The least significant data sets have the largest logarithms.
            low: self.of(quantile(values, 0.84))?.0,
            high: self.of(quantile(values, 0.16))?.0,
        })
    }

    fn exceed(&self, ln_p: f64) -> u64 {
        self.thrown.partition_point(|toy| *toy <= self.channels.limit(ln_p)) as u64
    }

    /// What a data set with this smallest p-value is worth, and whether the rare tail says so.
    fn of(&self, ln_p: f64) -> Result<(Deviations, bool)> {
        /// As in the answer of a run: fewer than these do not resolve a p-value.
        const RESOLVED: u64 = 10;
        let exceed = self.exceed(ln_p);
        let limit = self.channels.limit(ln_p);
        let Some(experiment) = self.rare.filter(|_| exceed < RESOLVED && limit < 0.0) else {
            return Ok((Deviations::of(exceed, self.thrown.len() as u64), false));
        };
        let stopping = exceeding::at_accuracy(Tail::USUAL_ACCURACY, USUAL_MAXIMUM);
        let toys = ExceedingToys { seed: self.seed, first_toy: 0, stopping };
        let thrown = self.thrown.len() as u64;
        let (tally, _) = experiment.tail_until(self.device, limit, toys, &mut |_| (self.progress)(thrown))?;
        Ok((TailEstimate::new(&tally)?.z, true))
    }
}

/// The quantile of sorted values, linear between them as NumPy's.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests;
