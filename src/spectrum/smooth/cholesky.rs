//! Symmetric positive definite systems, small and dense, with sums in one order.

/// The lower factor of a symmetric positive definite matrix (row-major), or the row at which it is not one.
pub(super) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors `matrix`; only its lower triangle is read. `None` where a pivot is not positive.
    pub(super) fn new(matrix: &[f64], size: usize) -> Option<Self> {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let mut rest = matrix[row * size + column];
                for k in 0..column {
                    rest -= lower[row * size + k] * lower[column * size + k];
                }
                if row != column {
                    lower[row * size + column] = rest / lower[column * size + column];
                } else if rest > 0.0 && rest.is_finite() {
                    lower[row * size + row] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { size, lower })
    }

    /// The solution of `matrix * x = right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut x = right.to_vec();
        for row in 0..self.size {
            for k in 0..row {
                x[row] -= self.lower[row * self.size + k] * x[k];
            }
            x[row] /= self.lower[row * self.size + row];
        }
        for row in (0..self.size).rev() {
            for k in row + 1..self.size {
                x[row] -= self.lower[k * self.size + row] * x[k];
            }
            x[row] /= self.lower[row * self.size + row];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let matrix = [4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 6.0];
        let x = Cholesky::new(&matrix, 3).unwrap().solve(&[4.0 + 4.0 + 3.0, 2.0 + 10.0 + 9.0, 1.0 + 6.0 + 18.0]);
        for (got, expected) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((got - expected).abs() < 1e-14, "{x:?}");
        }
        assert!(Cholesky::new(&[1.0, 0.0, 2.0, 1.0], 2).is_none());
    }
}
