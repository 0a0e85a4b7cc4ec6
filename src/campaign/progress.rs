//! How far a run is: a bar on a terminal, a log line every few seconds elsewhere, nothing if asked to be quiet.
//!
//! Counting is one relaxed atomic addition, so that it can be done from every worker; a thread of the stage looks at the
//! counter and draws.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt::Interrupt;
use super::manifest::StageRecord;
use crate::error::Result;

/// How often the bar is drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a line is logged where there is no terminal: rare enough for a log that is kept.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// All bars of the process, so that log lines can be written between them.
static BARS: LazyLock<MultiProgress> = LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));

/// How a run speaks about its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// A bar.
    Bar,
    /// Log lines.
    Log,
    /// Nothing.
    Quiet,
}

impl Speech {
    /// A bar if standard error is a terminal, else log lines.
    pub fn of_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Bar } else { Self::Log }
    }
}

/// Tells the user how far a run is, and the run whether to go on.
///
/// ```
/// use trawl::campaign::{Interrupt, Progress, Speech};
/// let progress = Progress::new(Speech::Quiet, Interrupt::never());
/// let stage = progress.stage("toys", "toys", Some(1000));
/// for _chunk in 0..10 {
///     progress.interrupted()?;
///     stage.add(100);
/// }
/// let record = stage.finish();
/// assert_eq!(record.units, 1000);
/// # Ok::<(), trawl::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Progress {
    speech: Speech,
    interrupt: Interrupt,
}

impl Progress {
    /// Progress told as `speech` says, of a run that `interrupt` can stop.
    pub fn new(speech: Speech, interrupt: Interrupt) -> Self {
        Self { speech, interrupt }
    }

    /// Progress that says nothing and is never interrupted: for use from Rust.
    pub fn silent() -> Self {
        Self::new(Speech::Quiet, Interrupt::never())
    }

    /// Gives up if a signal asked for it.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn interrupted(&self) -> Result<()> {
        self.interrupt.check("campaign.run")
    }

    /// The flag that signals raise, for loops that only need to know.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Begins a stage of `total` units, if that is known.
    pub fn stage(&self, name: &str, unit: &str, total: Option<u64>) -> Stage {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            unit: unit.to_owned(),
            total,
            began: Instant::now(),
            done: AtomicU64::new(0),
            ending: Mutex::new(None),
            bell: Condvar::new(),
        });
        let watcher = match self.speech {
            Speech::Quiet => None,
            Speech::Bar => watch("bar", Arc::clone(&shared), draw),
            Speech::Log => watch("log", Arc::clone(&shared), log),
        };
        Stage { shared, watcher }
    }
}

/// A stage that is running. Dropped, it stops being shown.
#[derive(Debug)]
pub struct Stage {
    shared: Arc<Shared>,
    watcher: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    unit: String,
    total: Option<u64>,
    began: Instant,
    done: AtomicU64,
    ending: Mutex<Option<Ending>>,
    bell: Condvar,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It did what it had to.
    Done,
    /// An error or a signal came first.
    Stopped,
}

impl Stage {
    /// Counts units that are done; from any thread.
    pub fn add(&self, units: u64) {
        self.shared.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Units done so far.
    pub fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Relaxed)
    }

    /// Ends the stage: what it did in what time. Where there is no bar, one line says so.
    pub fn finish(self) -> StageRecord {
        let (seconds, done) = (self.shared.began.elapsed().as_secs_f64(), self.done());
        *self.shared.ending() = Some(Ending::Done);
        StageRecord::new(self.shared.name.clone(), seconds, done, self.shared.unit.clone())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.ending().get_or_insert(Ending::Stopped);
        self.shared.bell.notify_all();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}

/// Starts the thread that shows a stage. A machine that cannot start one more thread loses the bar, not the run.
fn watch(name: &str, shared: Arc<Shared>, show: fn(&Shared)) -> Option<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("progress-{name}")).spawn(move || show(&shared)).ok()
}

impl Shared {
    /// Waits for a while; how the stage ended, once it did.
    fn wait(&self, a_while: Duration) -> Option<Ending> {
        let waited = self.bell.wait_timeout_while(self.ending(), a_while, |ending| ending.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// A panic elsewhere while this was held leaves a plain value.
    fn ending(&self) -> std::sync::MutexGuard<'_, Option<Ending>> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rate(&self, done: u64) -> f64 {
        done as f64 / self.began.elapsed().as_secs_f64().max(1e-9)
    }
}

fn draw(stage: &Shared) {
    let template = match stage.total {
        Some(_) => "{prefix:>10} {bar:32} {percent:>3} %  {human_pos} {msg}  {eta} left",
        None => "{prefix:>10} {spinner} {human_pos} {msg}",
    };
    // Only templates that do not parse can fail; these do.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = BARS.add(ProgressBar::with_draw_target(stage.total, ProgressDrawTarget::hidden()));
    bar.set_style(style.progress_chars("━╸ "));
    bar.set_prefix(stage.name.clone());
    loop {
        let ending = stage.wait(REDRAW);
        let done = stage.done.load(Ordering::Relaxed);
        bar.set_position(done);
        bar.set_message(format!("{} ({})", stage.unit, rate_words(stage.rate(done))));
        bar.tick();
        if ending.is_some() {
            break;
        }
    }
    bar.finish_and_clear();
    BARS.remove(&bar);
}

fn log(stage: &Shared) {
    loop {
        match stage.wait(LOG_EVERY) {
            None => say(stage, "running"),
            Some(Ending::Done) => return say(stage, "done"),
            Some(Ending::Stopped) => return say(stage, "stopped"),
        }
    }
}

fn say(stage: &Shared, state: &str) {
    let done = stage.done.load(Ordering::Relaxed);
    let seconds = (stage.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let rate = stage.rate(done).round();
    let (name, unit) = (stage.name.as_str(), stage.unit.as_str());
    match stage.total {
        Some(total) => tracing::info!(stage = name, state, done, total, unit, seconds, rate, "{name}: {state}"),
        None => tracing::info!(stage = name, state, done, unit, seconds, rate, "{name}: {state}"),
    }
}

fn rate_words(rate: f64) -> String {
    match rate {
        rate if rate >= 1e9 => format!("{:.1} G/s", rate / 1e9),
        rate if rate >= 1e6 => format!("{:.1} M/s", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.1} k/s", rate / 1e3),
        rate => format!("{rate:.0} /s"),
    }
}

/// Runs `write` with the bars out of the way: for log lines on the same terminal.
pub fn between_bars<T>(write: impl FnOnce() -> T) -> T {
    BARS.suspend(write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_many_threads_and_ends_at_once() {
        for speech in [Speech::Quiet, Speech::Log, Speech::Bar] {
            let began = Instant::now();
            let stage = Progress::new(speech, Interrupt::never()).stage("toys", "toys", Some(4000));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| (0..1000).for_each(|_| stage.add(1)));
                }
            });
            let record = stage.finish();
            assert_eq!((record.name.as_str(), record.units), ("toys", 4000));
            assert!(record.units_per_second > 0.0);
            assert!(began.elapsed() < LOG_EVERY, "the thread of the stage kept it waiting");
        }
    }

    #[test]
    fn raised_interrupt_is_an_error() {
        let progress = Progress::silent();
        assert!(progress.interrupted().is_ok());
        progress.interrupt().raise();
        assert_eq!(progress.interrupted().unwrap_err().exit_code(), 75);
    }

    #[test]
    fn rates_are_short() {
        assert_eq!([0.4, 1234.0, 5.67e6].map(rate_words), ["0 /s", "1.2 k/s", "5.7 M/s"]);
    }
}
