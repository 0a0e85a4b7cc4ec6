//! Weighted means and variances.

/// Sums of weights, of weighted numbers and of their squares.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Moments {
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    pub fn add(&mut self, weight: f64, x: f64) {
        self.weight += weight;
        self.sum += weight * x;
        self.squares += weight * x * x;
    }

    /// Not a number if nothing was added.
    pub fn mean(self) -> f64 {
        self.sum / self.weight
    }

    /// The mean square of the distance from the mean, 0 or more; not a number if nothing was added.
    pub fn variance(self) -> f64 {
        let variance = self.squares / self.weight - self.mean() * self.mean();
        if variance < 0.0 { 0.0 } else { variance }
    }
}
