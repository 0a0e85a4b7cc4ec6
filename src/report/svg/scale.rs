//! From a value to a place on the page.

/// How values are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spacing {
    /// Equal differences are equally long.
    #[default]
    Linear,
    /// Equal ratios are equally long.
    Logarithmic,
}

/// Maps `low..=high` to `start..=end` in user units (`end` below `start` turns the axis around).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    spacing: Spacing,
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// A scale that is always usable: a range that is empty, reversed, not finite or (for a logarithmic axis) not
    /// positive is replaced by the nearest that can be drawn.
    pub fn new(spacing: Spacing, range: (f64, f64), place: (f64, f64)) -> Self {
        let (mut low, mut high) = range;
        if !low.is_finite() || !high.is_finite() {
            (low, high) = (1.0, 10.0);
        }
        if low > high {
            (low, high) = (high, low);
        }
        if spacing == Spacing::Logarithmic {
            // Masses near the ends of f64 have no place in a picture; the clamp keeps ratios finite.
            high = high.clamp(1e-280, 1e280);
            low = if low > 0.0 { low.clamp(1e-290, high) } else { high / 1e3 };
            if low >= high * (1.0 - 1e-12) {
                (low, high) = (low / 2.0, high * 2.0);
            }
        } else {
            (low, high) = (low.clamp(-1e290, 1e290), high.clamp(-1e290, 1e290));
            if high - low <= 1e-12 * high.abs().max(low.abs()) {
                let widen = if low == 0.0 { 1.0 } else { 0.5 * low.abs() };
                (low, high) = (low - widen, high + widen);
            }
        }
        Self { spacing, low, high, start: place.0, end: place.1 }
    }

    /// The place of `value`, clamped to the axis; NaN lies at the start.
    ///
    /// ```
    /// use trawl::report::svg::{Scale, Spacing};
    /// let counts = Scale::new(Spacing::Logarithmic, (1.0, 100.0), (200.0, 0.0));
    /// assert_eq!(counts.place(10.0), 100.0);
    /// assert_eq!(counts.place(0.0), 200.0);
    /// assert_eq!(counts.place(f64::INFINITY), 0.0);
    /// ```
    pub fn place(&self, value: f64) -> f64 {
        let fraction = match self.spacing {
            Spacing::Linear => (value - self.low) / (self.high - self.low),
            Spacing::Logarithmic if value > 0.0 => (value / self.low).ln() / (self.high / self.low).ln(),
            Spacing::Logarithmic => 0.0,
        };
        let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
        self.start + fraction * (self.end - self.start)
    }

    /// Whether `value` lies on the axis without being clamped (with the tolerance of a rounding error).
    pub fn contains(&self, value: f64) -> bool {
        let slack = 1e-9 * (self.high - self.low);
        match self.spacing {
            Spacing::Linear => value >= self.low - slack && value <= self.high + slack,
            Spacing::Logarithmic => value >= self.low * (1.0 - 1e-9) && value <= self.high * (1.0 + 1e-9),
        }
    }

    /// How values are spread.
    pub fn spacing(&self) -> Spacing {
        self.spacing
    }

    /// The lowest and the highest value.
    pub fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The places of the lowest and the highest value.
    pub fn places(&self) -> (f64, f64) {
        (self.start, self.end)
    }

    /// The length of the axis.
    pub fn length(&self) -> f64 {
        (self.end - self.start).abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_ranges_still_give_finite_places() {
        let ranges = [
            (0.0, 0.0),
            (5.0, 5.0),
            (3.0, -3.0),
            (f64::NAN, 1.0),
            (0.0, f64::INFINITY),
            (-1.0, 0.0),
            (0.0, 1e-320),
            (f64::MIN, f64::MAX),
        ];
        for spacing in [Spacing::Linear, Spacing::Logarithmic] {
            for range in ranges {
                let scale = Scale::new(spacing, range, (10.0, 90.0));
                for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1.0, f64::MAX, range.0] {
                    let place = scale.place(value);
                    assert!((10.0..=90.0).contains(&place), "{spacing:?} {range:?} {value} -> {place}");
                }
            }
        }
    }
}
