//! The hunts of several channels joined to one test statistic.
//!
//! The statistic is `t = -ln prod p_c`, the product over the channels `c` of the p-values of the windows chosen by a
//! [`Combination`]. A product of p-values is none itself: its significance is only the name of a place on the scale, and what
//! it is worth the toys say, in which the channels are drawn and combined alike.
//!
//! Source: the multi-channel scan of pyBumpHunter 0.5.1, for two channels the same; with more, pyBumpHunter compares each
//! window with that of the channel before, and here all must share a place.

use std::fmt;

use super::{Findings, Judged, WindowId, Windows};
use crate::error::{Fault, Problems, Result};
use crate::hunt::scan::math;

const NAME: &str = "hunt.combine";

/// Which windows of the channels belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Combination {
    /// The most significant window of each channel; without a place that all of them cover, t is 0. Channels may have
    /// bins of their own.
    #[default]
    BestOverlapping,
    /// The same window in all channels, the one with the largest t. The channels have the same windows.
    SameWindow,
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BestOverlapping => "best windows that overlap",
            Self::SameWindow => "the same window in all channels",
        })
    }
}

impl Combined {
    /// The windows of all channels as one: the sums of what they hold, and the product of their p-values.
    pub fn together(&self) -> Findings {
        Findings {
            best: self.chosen[0].window,
            observed: self.chosen.iter().map(|judged| judged.observed).sum(),
            expected: self.chosen.iter().map(|judged| judged.expected).sum(),
            ln_p: self.ln_p,
            z: self.z,
            windows: self.chosen.clone(),
        }
    }
}

/// What the channels say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Combined {
    /// `-t`, the logarithm of the product of the p-values.
    pub ln_p: f64,
    /// The significance that a p-value of this logarithm has: a name for t, since a product of p-values is none.
    pub z: f64,
    /// The window of each channel, and what it holds.
    pub chosen: Vec<Judged>,
    /// Where all these windows overlap, if they do.
    pub overlap: Option<(f64, f64)>,
}

/// Joins the findings of channels, each with its windows.
///
/// # Errors
/// No channel, several of which one is a plane, and for [`Combination::SameWindow`] channels whose windows differ.
pub fn combine(channels: &[(&Windows, &Findings)], combination: Combination) -> Result<Combined> {
    check(channels.iter().map(|(windows, _)| *windows), combination)?;
    let chosen: Vec<Judged> = match combination {
        Combination::BestOverlapping => channels.iter().map(|(_, findings)| findings.best_judged()).collect(),
        Combination::SameWindow => same_window(channels)?,
    };
    let places = channels.iter().zip(&chosen).map(|((windows, _), judged)| windows.bounds(judged.window));
    let overlap = places.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1))).filter(|(low, high)| low < high);
    let sum: f64 = chosen.iter().fold(0.0, |sum, judged| sum + judged.ln_p);
    let ln_p = if overlap.is_some() { sum } else { 0.0 };
    Ok(Combined { ln_p, z: math::local_z(ln_p), chosen, overlap })
}

/// Checks that channels with these windows can be combined.
pub(crate) fn check<'w>(channels: impl Iterator<Item = &'w Windows>, combination: Combination) -> Result<()> {
    let mut problems = Problems::default();
    let channels: Vec<&Windows> = channels.collect();
    for (channel, windows) in channels.iter().enumerate() {
        let first = channels[0];
        // A plane by itself has nothing to overlap with.
        if windows.rows() != 1 && channels.len() > 1 {
            let fault = Fault::new(NAME, format!("channel {channel} has {} rows", windows.rows()));
            problems.push(fault.because("channels that are combined are spectra").usage());
        }
        if combination == Combination::SameWindow && *windows != first {
            let fault = Fault::new(NAME, format!("the windows of channel {channel} are not those of channel 0"));
            let fault = fault.because("the same window is looked at in all channels");
            problems.push(fault.suggest("Give all channels the same bins, or combine their best windows.").usage());
        }
    }
    if channels.is_empty() {
        problems.push(Fault::new(NAME, "there is no channel").because("nothing could be combined").usage());
    }
    problems.finish()
}

/// The window with the largest product, the lowest of equals, in every channel. Findings that leave out different windows
/// have been brought to the same ones before.
fn same_window(channels: &[(&Windows, &Findings)]) -> Result<Vec<Judged>> {
    let ids = |findings: &Findings| -> Vec<WindowId> { findings.windows.iter().map(|judged| judged.window).collect() };
    let first = ids(channels[0].1);
    if channels.iter().any(|(_, findings)| ids(findings) != first) {
        let fault = Fault::new(NAME, "the channels leave out different windows");
        return Err(fault.because("the same window is looked at in all channels").data());
    }
    let sum = |index: usize| channels.iter().fold(0.0, |sum, (_, findings)| sum + findings.windows[index].ln_p);
    let mut best = (0, f64::INFINITY);
    for index in 0..first.len() {
        let ln_p = sum(index);
        if ln_p < best.1 {
            best = (index, ln_p);
        }
    }
    Ok(channels.iter().map(|(_, findings)| findings.windows[best.0]).collect())
}

impl Combined {
    /// BumpHunter's test statistic, `-ln prod p`.
    pub fn t(&self) -> f64 {
        -self.ln_p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::hunt::{BumpHunter, Scan, WindowExpectation};
    use crate::spectrum::Expectation;

    fn channel(edges: &[f64], expected: &[f64], observed: &[u64]) -> (Windows, Findings) {
        let hunter = BumpHunter { width_min: 1, width_max: Some(2), ..BumpHunter::default() };
        let windows = Windows::spectrum(edges, expected, &hunter).unwrap();
        let expectation = Expectation::given(expected.to_vec(), None).unwrap();
        let in_windows = WindowExpectation::new(&windows, &expectation, 0.0).unwrap();
        let findings = Scan::default().run(&Device::Cpu, &windows, &in_windows, observed).unwrap();
        (windows, findings)
    }

    const EDGES: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 4.0];

    #[test]
    fn windows_that_overlap_multiply_and_others_count_nothing() {
        let a = channel(&EDGES, &[9.0; 4], &[9, 9, 30, 9]);
        let b = channel(&[0.0, 2.5, 5.0], &[20.0; 2], &[20, 50]);
        let c = channel(&EDGES, &[9.0; 4], &[30, 9, 9, 9]);
        let joined = combine(&[(&a.0, &a.1), (&b.0, &b.1)], Combination::BestOverlapping).unwrap();
        assert_eq!(joined.overlap, Some((2.5, 3.0)));
        assert_eq!(joined.ln_p, a.1.ln_p + b.1.ln_p);
        let apart = combine(&[(&a.0, &a.1), (&b.0, &b.1), (&c.0, &c.1)], Combination::BestOverlapping).unwrap();
        assert_eq!((apart.overlap, apart.t(), apart.z), (None, 0.0, 0.0));
        // Windows that only touch have no place in common.
        let d = channel(&EDGES, &[9.0; 4], &[9, 30, 9, 9]);
        assert_eq!(combine(&[(&a.0, &a.1), (&d.0, &d.1)], Combination::BestOverlapping).unwrap().overlap, None);
    }

    #[test]
    fn the_same_window_is_the_one_with_the_largest_product() {
        let a = channel(&EDGES, &[9.0; 4], &[9, 20, 30, 9]);
        let b = channel(&EDGES, &[9.0; 4], &[9, 25, 8, 9]);
        let joined = combine(&[(&a.0, &a.1), (&b.0, &b.1)], Combination::SameWindow).unwrap();
        let product = |index: usize| a.1.windows[index].ln_p + b.1.windows[index].ln_p;
        let largest = (0..a.1.windows.len()).map(product).fold(0.0, f64::min);
        assert_eq!(joined.ln_p, largest);
        assert_eq!(joined.chosen[0].window, joined.chosen[1].window);
        assert_eq!(a.0.bounds(joined.chosen[0].window), (1.0, 3.0));
    }

    #[test]
    fn channels_that_cannot_be_combined_are_refused() {
        let a = channel(&EDGES, &[9.0; 4], &[9; 4]);
        let b = channel(&[0.0, 2.5, 5.0], &[20.0; 2], &[20, 50]);
        let error = combine(&[(&a.0, &a.1), (&b.0, &b.1)], Combination::SameWindow).unwrap_err().to_string();
        assert!(error.contains("the windows of channel 1 are not those of channel 0"), "{error}");
        assert!(combine(&[], Combination::BestOverlapping).is_err());
    }
}
