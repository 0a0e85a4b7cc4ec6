//! From raw features to what networks take: onto a scale, in single precision, with a bit for each that is there.

use serde::{Deserialize, Serialize};

use crate::device::Host;
use crate::error::{Fault, Problems, Result};
use crate::features::standardise::{Method, Standardise, Transform, Values};
use crate::models::table::Table;

const NAME: &str = "models.bundle";

/// Rows that are mapped at a time: 16 bytes a value are held beside the result.
const ROWS_AT_A_TIME: usize = 1 << 16;

/// What is done to raw features before they go in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// The map of each feature, made in double precision and rounded once.
    pub transforms: Vec<Transform>,
    /// The raw value that says that a feature is not there, a finite number: it goes in as 0, which after a z-score is its mean, and
    /// reconstruction leaves it out.
    pub missing: Option<f32>,
}

impl Preprocessing {
    /// Fits the maps on columns of raw features, of those values that are there; quantiles have at most as many knots as there are values.
    ///
    /// # Errors
    /// All at once, with the feature's name: values that are not finite, columns that are constant or have no values.
    pub fn fit(method: Method, names: &[&str], columns: &[Vec<f32>], missing: Option<f32>) -> Result<Self> {
        let mut problems = Problems::default();
        let mut transforms = Vec::new();
        for (name, column) in names.iter().zip(columns) {
            let values: Vec<f64> = column.iter().filter(|x| !is_missing(missing, **x)).map(|x| f64::from(*x)).collect();
            let method = fewer_knots(method, values.len());
            transforms.extend(problems.take(Transform::fit(method, &format!("feature '{name}'"), &values)));
        }
        problems.finish()?;
        Ok(Self { transforms, missing })
    }

    /// The events of columns of raw features, as networks take them, with nothing but features.
    ///
    /// # Errors
    /// Another number of columns than maps, columns that are not as long as each other, no events; the first value of each column that is not
    /// finite.
    pub fn table(&self, columns: &[Vec<f32>]) -> Result<Table<Host>> {
        self.check(columns)?;
        let (width, events) = (columns.len(), columns[0].len());
        let mut features = Vec::with_capacity(width * events);
        let standardise = Standardise { transforms: self.transforms.clone() };
        for first in (0..events).step_by(ROWS_AT_A_TIME) {
            let rows = first..(first + ROWS_AT_A_TIME).min(events);
            let raw: Vec<f64> =
                rows.clone().flat_map(|row| columns.iter().map(move |column| self.raw(column[row]))).collect();
            let mapped = crate::Device::Cpu.run(&standardise, Values::of_rows(width as u32, raw)?)?.values;
            for (row, mapped) in rows.zip(mapped.chunks_exact(width)) {
                let of = |(column, mapped): (&Vec<f32>, &f64)| {
                    if is_missing(self.missing, column[row]) { 0.0 } else { *mapped as f32 }
                };
                features.extend(columns.iter().zip(mapped).map(of));
            }
        }
        let mut table = Table::of_features(width as u32, features)?;
        if self.missing.is_some() {
            table.present = self.present(columns).into();
        }
        Ok(table)
    }

    /// A value that every map takes, where the feature is not there.
    fn raw(&self, x: f32) -> f64 {
        if is_missing(self.missing, x) { 0.0 } else { f64::from(x) }
    }

    /// A bit for each feature that is there, whole words for each event.
    fn present(&self, columns: &[Vec<f32>]) -> Vec<u32> {
        let words = columns.len().div_ceil(32);
        let mut present = vec![0; words * columns[0].len()];
        for (number, column) in columns.iter().enumerate() {
            for (event, _) in column.iter().enumerate().filter(|(_, x)| !is_missing(self.missing, **x)) {
                present[event * words + number / 32] |= 1 << (number % 32);
            }
        }
        present
    }

    fn check(&self, columns: &[Vec<f32>]) -> Result<()> {
        let mut problems = Problems::default();
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).data());
        let events = columns.first().map_or(0, Vec::len);
        if columns.len() != self.transforms.len() {
            refuse(format!("{} features, and maps of {}", columns.len(), self.transforms.len()), "each has its own");
        } else if events == 0 {
            refuse("there are no events".to_owned(), "nothing can be scored or learned");
        }
        for (number, column) in columns.iter().enumerate() {
            if column.len() != events {
                refuse(format!("feature {number} has {} values of {events}", column.len()), "each event has one");
            }
            let bad = column.iter().position(|x| !(x.is_finite() || is_missing(self.missing, *x)));
            if let Some(event) = bad {
                let problem = format!("feature {number} of event {event} is {}", column[event]);
                refuse(problem, "nothing can be computed with it; name the value that says that a feature is missing");
            }
        }
        problems.finish()
    }
}

/// No more knots than there are values.
fn fewer_knots(method: Method, values: usize) -> Method {
    match method {
        Method::Uniform { knots } => Method::Uniform { knots: knots.min(values.max(2)) },
        Method::Normal { knots } => Method::Normal { knots: knots.min(values.max(2)) },
        other => other,
    }
}

/// Whether a value says that the feature is not there.
fn is_missing(missing: Option<f32>, x: f32) -> bool {
    missing == Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_are_missing_are_not_fitted_and_go_in_as_0() {
        let columns = vec![vec![1.0, -999.0, 3.0, 5.0], vec![2.0, 4.0, -999.0, 9.0]];
        let preprocessing = Preprocessing::fit(Method::MinMax, &["a", "b"], &columns, Some(-999.0)).unwrap();
        let table = preprocessing.table(&columns).unwrap();
        assert_eq!(table.features[..], [0.0, 0.0, 0.0, 2.0 / 7.0, 0.5, 0.0, 1.0, 1.0]);
        assert_eq!(table.present[..], [0b11, 0b10, 0b01, 0b11]);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_column() {
        let fit =
            |columns: &[Vec<f32>]| Preprocessing::fit(Method::Normal { knots: 10 }, &["a", "b", "c"], columns, None);
        let error = fit(&[vec![1.0, 1.0], vec![2.0, f32::NAN], vec![0.0, 1.0]]).unwrap_err();
        assert_eq!(error.problems().len(), 2, "{error}");
        assert!(error.to_string().contains("feature 'a' has the one value 1 (no scale"), "{error}");
        assert!(error.to_string().contains("feature 'b' has the value NaN ("), "{error}");
        assert!(!error.to_string().contains("column"), "{error}");
        let error = Preprocessing::fit(Method::MinMax, &["a"], &[vec![0.1, -1.0, 0.1]], Some(-1.0)).unwrap_err();
        assert!(error.to_string().contains("feature 'a' has the one value 0.1 ("), "{error}");
        let error = Preprocessing::fit(Method::MinMax, &["a"], &[vec![-1.0]], Some(-1.0)).unwrap_err();
        assert!(error.to_string().contains("feature 'a' has no values"), "{error}");
        // A card cannot say how many knots there are.
        let error = fit(&[[vec![2.0; 8], vec![0.0, 3.0]].concat()]).unwrap_err();
        assert!(error.to_string().contains("feature 'a': two of 10 quantiles are equal, 2 ("), "{error}");
        assert!(!error.to_string().contains("knots"), "{error}");
        let preprocessing = fit(&[vec![0.0, 1.0, 3.0], vec![0.0, 2.0, 3.0]]).unwrap();
        let error = preprocessing.table(&[vec![0.0, f32::INFINITY], vec![1.0]]).unwrap_err();
        assert_eq!(error.problems().len(), 2, "{error}");
        assert!(preprocessing.table(&[vec![], vec![]]).unwrap_err().to_string().contains("there are no events"));
        assert!(preprocessing.table(&[vec![1.0]]).unwrap_err().to_string().contains("maps of 2"));
    }
}
