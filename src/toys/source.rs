//! What toys are thrown for, whatever it is.

use super::{Channels, Exceedance, Experiment, Geometry, GlobalSignificance, Stopped, Tally, Toys};
use crate::device::Device;
use crate::error::Result;
use crate::hunt::Findings;

/// Expectations from which toys are drawn, and how they are judged: one spectrum or plane ([`Experiment`]), or several channels
/// together ([`Channels`]). Whoever throws toys, keeps them, or adds them up, needs no more.
pub trait ToySource {
    /// The statistic whose largest value decides, in words.
    fn statistic(&self) -> String;

    /// What smears the expectation of the toys, in words; `none` takes it as exact.
    fn smearing(&self) -> String;

    /// Which toys count as at least as significant as the observation.
    fn exceedance(&self) -> Exceedance;

    /// The cells and windows of each spectrum or plane.
    fn geometry(&self) -> Vec<Geometry>;

    /// The sha256 of all tables of toys that are compared with `findings`.
    fn tables_sha256(&self, findings: &Findings) -> String;

    /// Throws toys until it is time to stop. After each chunk `watch` is shown the toys so far, and its error ends them: what
    /// was shown may be `begun` of another call, which then gives the same tally as one that was never ended.
    ///
    /// # Errors
    /// No toys, toys that were begun with other tables or have gaps, tables that do not fit the device, a failure of it,
    /// or what `watch` answers.
    fn throw_until(
        &self,
        device: &Device,
        findings: &Findings,
        toys: Toys,
        watch: &mut dyn FnMut(&Tally) -> Result<()>,
    ) -> Result<(Tally, Stopped)>;

    /// The global significance of `findings` by the toys of `tally`.
    ///
    /// # Errors
    /// A tally without toys.
    fn significance(&self, tally: &Tally, findings: &Findings) -> Result<GlobalSignificance>;
}

impl ToySource for Experiment {
    fn statistic(&self) -> String {
        Self::statistic(self)
    }

    fn smearing(&self) -> String {
        Self::smearing(self)
    }

    fn exceedance(&self) -> Exceedance {
        Self::exceedance(self)
    }

    fn geometry(&self) -> Vec<Geometry> {
        vec![Geometry::of(self.windows(), self.expected())]
    }

    fn tables_sha256(&self, findings: &Findings) -> String {
        Self::tables_sha256(self, findings)
    }

    fn throw_until(
        &self,
        device: &Device,
        findings: &Findings,
        toys: Toys,
        watch: &mut dyn FnMut(&Tally) -> Result<()>,
    ) -> Result<(Tally, Stopped)> {
        Self::throw_until(self, device, findings, toys, watch)
    }

    fn significance(&self, tally: &Tally, findings: &Findings) -> Result<GlobalSignificance> {
        Self::significance(self, tally, findings)
    }
}

impl ToySource for Channels {
    fn statistic(&self) -> String {
        Self::statistic(self)
    }

    fn smearing(&self) -> String {
        "none".into()
    }

    fn exceedance(&self) -> Exceedance {
        Self::exceedance(self)
    }

    fn geometry(&self) -> Vec<Geometry> {
        (0..self.len()).map(|channel| Geometry::of(self.windows(channel), self.expected(channel))).collect()
    }

    fn tables_sha256(&self, findings: &Findings) -> String {
        Self::tables_sha256(self, findings.ln_p)
    }

    fn throw_until(
        &self,
        device: &Device,
        findings: &Findings,
        toys: Toys,
        watch: &mut dyn FnMut(&Tally) -> Result<()>,
    ) -> Result<(Tally, Stopped)> {
        Self::throw_until(self, device, findings.ln_p, toys, watch)
    }

    fn significance(&self, tally: &Tally, findings: &Findings) -> Result<GlobalSignificance> {
        Self::significance(self, tally, findings.ln_p)
    }
}
