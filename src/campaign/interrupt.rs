//! How a run is asked to stop: SIGINT, SIGHUP (a closed terminal), SIGTERM (what batch systems send at the time limit) and SIGUSR1 (what users ask
//! them to send before it). Stages ask [`Interrupt::check`] between units and give up; nothing half-written stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};

use crate::error::{Error, Fault, Result};

/// A flag that signals raise. Cheap to clone and to ask from any thread.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    /// The number of the last signal, 0 for none.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// A flag that no signal raises: for use of the stages from Rust.
    pub fn never() -> Self {
        Self::default()
    }

    /// A flag raised by SIGINT, SIGTERM, SIGUSR1 and SIGHUP from now on. SIGXFSZ no longer ends the process: a file that
    /// would become larger than the system allows is an error where it is written.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses a handler.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGUSR1, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.signal), number)
                .map_err(|source| Error::io("campaign.interrupt", "listen to", name(number), source))?;
        }
        // What would end the process without a word becomes an error of the write: the file is larger than is allowed.
        signal_hook::flag::register(SIGXFSZ, Arc::default())
            .map_err(|source| Error::io("campaign.interrupt", "listen to", "SIGXFSZ", source))?;
        Ok(interrupt)
    }

    /// Raises the flag by hand, as if SIGTERM had come.
    pub fn raise(&self) {
        self.signal.store(usize::try_from(SIGTERM).unwrap_or(1), Ordering::Relaxed);
    }

    /// Whether a signal came.
    pub fn is_raised(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// The name of the signal that came.
    pub fn raised_by(&self) -> Option<&'static str> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            number => Some(name(number)),
        }
    }

    /// Gives up if a signal came.
    ///
    /// # Errors
    /// [`Error::Interrupted`] (exit code 75) that names the signal and `operation`.
    pub fn check(&self, operation: &'static str) -> Result<()> {
        match self.raised_by() {
            None => Ok(()),
            Some(signal) => Err(Fault::new(operation, format!("stopped by {signal}"))
                .because("nothing half-written was left")
                .suggest("Start it again to have it done.")
                .interrupted()),
        }
    }
}

fn name(number: usize) -> &'static str {
    match i32::try_from(number) {
        Ok(SIGINT) => "SIGINT",
        Ok(SIGTERM) => "SIGTERM",
        Ok(SIGUSR1) => "SIGUSR1",
        Ok(SIGHUP) => "SIGHUP",
        _ => "a signal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_raise_the_flag_and_name_themselves() {
        let interrupt = Interrupt::listen().unwrap();
        assert!(interrupt.check("toys.throw").is_ok());
        signal_hook::low_level::raise(SIGUSR1).unwrap();
        let error = interrupt.check("toys.throw").unwrap_err();
        assert_eq!(error.exit_code(), 75);
        assert!(error.to_string().starts_with("toys.throw: stopped by SIGUSR1 ("), "{error}");
        assert!(!Interrupt::never().is_raised());
    }
}
